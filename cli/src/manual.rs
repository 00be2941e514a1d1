//! What helps with the command line itself: completions for shells, and the manual page.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;

/// Prints what a shell reads to complete the command line.
pub(crate) fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bigtix", &mut script);
    print(&script)
}

/// Prints the page for `man`: every command one after the other.
pub(crate) fn page() -> ExitCode {
    match rendered() {
        Ok(page) => print(&page),
        Err(_) => ExitCode::FAILURE,
    }
}

fn rendered() -> io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        if sub.get_name() == "help" {
            continue;
        }
        writeln!(page, ".SH \"BIGTIX {}\"", sub.get_name().to_uppercase())?;
        let man = clap_mangen::Man::new(sub.clone());
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    Ok(page)
}

fn print(text: &[u8]) -> ExitCode {
    // It does not matter here whether anybody still reads.
    let _ = io::stdout().write_all(text);
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_command_and_what_exit_codes_mean() {
        let page = String::from_utf8(rendered().unwrap()).unwrap();
        for command in ["UP", "DOWN", "STATUS", "WHY", "PLAN", "ROLLBACK", "LOGS", "OPEN"] {
            assert!(page.contains(&format!("BIGTIX {command}")), "{command}");
        }
        assert!(
            page.contains("Exit codes") && !page.contains("BIGTIX SERVICE"),
            "{page}"
        );
    }
}

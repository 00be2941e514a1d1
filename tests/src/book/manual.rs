//! The page with every command, made of what the program says of itself.

use std::path::Path;

use super::named::says;

const HEAD: &str = "\
# Every command

What `--help` of each says. Generated; `make gen` writes it again. Do not edit it. What the commands are for is in
[the command line](cli.md).
";

/// The page: a section for each command, those below it right after it.
///
/// # Errors
/// When the program does not say what a command takes.
pub fn page(program: &Path) -> Result<String, String> {
    let mut page = HEAD.to_owned();
    section(program, &mut vec!["bigtix"], &mut page)?;
    Ok(page)
}

fn section(program: &Path, command: &mut Vec<&str>, page: &mut String) -> Result<(), String> {
    let asked: Vec<&str> = command.iter().skip(1).copied().chain(["--help"]).collect();
    let name = command.join(" ");
    let help = says(program, &asked)
        .map_err(|error| error.to_string())?
        .ok_or_else(|| format!("`{name} --help` ended with a failure"))?;
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n")));
    for below in subcommands(&help) {
        let mut command = command.clone();
        command.push(below);
        section(program, &mut command, page)?;
    }
    Ok(())
}

/// What stands below `Commands:`, but for the help itself.
fn subcommands(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_the_help() {
        let help = "About.\n\nUsage: x <COMMAND>\n\nCommands:\n  up    Run it,\n          and more\n  down  Stop it\n  help  Print this\n\nOptions:\n  -h\n";
        assert_eq!(subcommands(help), ["up", "down"]);
        assert!(subcommands("Options:\n  -h\n").is_empty());
    }
}

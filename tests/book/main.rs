//! The documentation, true to the last command: what a page says to type is typed, and what it shows is what comes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bigtix_testkit::golden::{generated, workspace_root};
use bigtix_tests::book::manual;
use bigtix_tests::book::named::{Program, Repository};
use bigtix_tests::book::page::{Block, blocks};
use bigtix_tests::book::run;
use bigtix_tests::book::shell::{Command, commands};
use bigtix_tests::book::steps::{steps, written};
use bigtix_tests::suite::Suite;
use bigtix_tests::{shop, tools};

/// Programs whose subcommands and flags are looked up where they are installed: how each is called, where the folder of
/// tools may have it, and what prints the flags that all its subcommands take.
const OTHERS: [(&str, &str, &str, Option<&str>); 3] = [
    (
        "kubectl",
        "BIGTIX_KUBECTL",
        "cluster/bin/kubectl",
        Some("options"),
    ),
    ("helm", "BIGTIX_HELM", "cluster/bin/helm", None),
    ("ansible-playbook", "BIGTIX_ANSIBLE_PLAYBOOK", "", None),
];

fn main() -> ExitCode {
    let mut suite = Suite::new().one_by_one();
    for path in pages(&workspace_root()) {
        let name = path.display().to_string();
        let parsed = read(&path);
        let has_steps = parsed.as_ref().map_or(true, |blocks| {
            steps(blocks).map_or(true, |steps| !steps.is_empty())
        });
        if has_steps {
            suite.add_test(&format!("run::{name}"), move || {
                run::run(&workspace_root(), &program()?, &steps(&parsed?)?)
            });
        }
    }
    suite.add_test("generated_page_of_commands_is_current", || {
        generated("docs/commands.md", &manual::page(&program()?)?);
        Ok(())
    });
    suite.add_test("named::files_and_targets", files_and_targets);
    suite.add_test("named::flags_of_bigtix", || flags("bigtix", &program()?, None));
    for (name, variable, location, common) in OTHERS {
        let test = format!("named::flags_of_{name}");
        match installed(name, variable, location) {
            Some(path) => suite.add_test(&test, move || flags(name, &path, common)),
            None => suite.add_skipped(&test, "it is not installed here"),
        }
    }
    suite.run()
}

/// The README and everything below `docs`, from the root.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).expect("a folder of pages");
        for entry in entries {
            let path = folder.join(entry.expect("a file").file_name());
            if root.join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Result<Vec<Block>, String> {
    let text = fs::read_to_string(workspace_root().join(path)).map_err(|error| error.to_string())?;
    blocks(&text)
}

fn program() -> Result<PathBuf, String> {
    shop::program().map_err(|error| error.to_string())
}

fn installed(name: &str, variable: &str, location: &str) -> Option<PathBuf> {
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    };
    tools::find(variable, location).or_else(on_path)
}

/// Calls with each command of each page, and collects what it says with the place.
fn each_command(
    mut judge: impl FnMut(&Command, &BTreeSet<String>) -> Result<Vec<String>, String>,
) -> Result<(), String> {
    let mut wrong = Vec::new();
    for path in pages(&workspace_root()) {
        let mut files = BTreeSet::new();
        for (line, _, text) in written(&read(&path)?)? {
            for command in commands(&text) {
                let found = judge(&command, &files)?;
                wrong.extend(
                    found
                        .into_iter()
                        .map(|what| format!("{}:{line}: {what}", path.display())),
                );
                files.extend(command.makes().cloned());
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

fn files_and_targets() -> Result<(), String> {
    let repository = Repository::read(&workspace_root()).map_err(|error| error.to_string())?;
    each_command(|command, written| Ok(repository.missing(command, written)))
}

/// Checks subcommands and flags wherever the program is called.
fn flags(name: &str, path: &Path, common: Option<&str>) -> Result<(), String> {
    let mut program = Program::new(path, common).map_err(|error| error.to_string())?;
    each_command(|command, _| match arguments(name, &command.words) {
        Some(words) => program.unknown(words).map_err(|error| error.to_string()),
        None => Ok(Vec::new()),
    })
}

/// What stands after the program's name, where it is this program; `kubectl bigtix` is bigtix.
fn arguments<'a>(name: &str, words: &'a [String]) -> Option<&'a [String]> {
    match words {
        [kubectl, plugin, rest @ ..] if kubectl == "kubectl" && plugin == "bigtix" => {
            (name == plugin).then_some(rest)
        }
        [program, rest @ ..] if program.rsplit('/').next() == Some(name) => Some(rest),
        _ => None,
    }
}

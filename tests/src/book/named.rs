//! Whether what a page's commands name is there: subcommands and flags of programs, files, targets of make. That much of a
//! command holds without running it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};

use super::shell::Command;

/// Flags whose value is a file.
const FILE_FLAGS: [&str; 6] = [
    "-f",
    "--file",
    "--filename",
    "--values",
    "--config",
    "--cluster-file",
];

/// What stands in the repository.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    folders: BTreeSet<String>,
    targets: BTreeSet<String>,
}

impl Repository {
    /// Reads the root's folders and the Makefile.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut folders = BTreeSet::new();
        for entry in std::fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && name != "target" && !name.starts_with('.') {
                folders.insert(name);
            }
        }
        let makefile = std::fs::read_to_string(root.join("Makefile"))?;
        let target = |line: &str| Some(line.split_once(": ")?.0.to_owned());
        Ok(Self {
            root: root.into(),
            folders,
            targets: makefile
                .lines()
                .filter(|line| line.contains(" ## "))
                .filter_map(target)
                .collect(),
        })
    }

    /// Words of a command that name what is not in the repository, given the files that the page wrote before.
    pub fn missing(&self, command: &Command, written: &BTreeSet<String>) -> Vec<String> {
        let Command { words, writes: _ } = command;
        let mut found = Vec::new();
        if words.first().is_some_and(|program| program == "make") {
            let targets = words
                .iter()
                .skip(1)
                .filter(|word| !word.contains('=') && !word.starts_with('-'));
            let gone = targets.filter(|target| !self.targets.contains(*target));
            found.extend(gone.map(|target| format!("there is no `make {target}`")));
        }
        for word in words {
            let folder = word.split_once('/').map(|(folder, _)| folder);
            let is_ours = folder.is_some_and(|folder| self.folders.contains(folder));
            if is_ours && !word.contains(['$', ' ', '*']) && !self.root.join(word).exists() {
                found.push(format!("there is no file `{word}`"));
            }
        }
        for file in files(words) {
            let is_elsewhere = file == "-" || file.contains(['$', ':', ' ']) || file.starts_with('/');
            if !is_elsewhere
                && !written.contains(file.trim_start_matches("./"))
                && !self.root.join(file).exists()
            {
                found.push(format!(
                    "`{file}` is neither in the repository nor written before on the page"
                ));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

fn files(words: &[String]) -> impl Iterator<Item = &str> {
    let after = words
        .windows(2)
        .filter(|pair| FILE_FLAGS.contains(&pair[0].as_str()))
        .map(|pair| pair[1].as_str());
    let joined = words.iter().filter_map(|word| {
        let (flag, value) = word.split_once('=')?;
        FILE_FLAGS.contains(&flag).then_some(value)
    });
    after.chain(joined)
}

/// A program that says itself which subcommands and flags it has.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    /// What it says of the flags that every subcommand takes.
    common: String,
    /// The help of each subcommand that was asked for; `None` where there is no such subcommand.
    known: BTreeMap<Vec<String>, Option<String>>,
}

impl Program {
    /// The program at a path. `common` is the subcommand that prints the flags of all.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn new(path: &Path, common: Option<&str>) -> io::Result<Self> {
        Ok(Self {
            path: path.into(),
            common: match common {
                Some(common) => says(path, &[common])?.unwrap_or_default(),
                None => String::new(),
            },
            known: BTreeMap::new(),
        })
    }

    /// Subcommands and flags that it does not have, of what stands after its name.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn unknown(&mut self, words: &[String]) -> io::Result<Vec<String>> {
        let own: Vec<&String> = words.iter().take_while(|word| *word != "--").collect();
        let is_plain = |word: &&&String| !word.starts_with('-') && !word.contains(['$', ' ', '/', '{', '=']);
        let subcommand: Vec<String> = own
            .iter()
            .take_while(is_plain)
            .map(|word| (*word).clone())
            .collect();
        let Some(help) = self.help(subcommand.clone())? else {
            return Ok(vec![format!("there is no `{}`", subcommand.join(" "))]);
        };
        let flags: BTreeSet<&str> = help
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .collect();
        let given = own.iter().filter(|word| word.starts_with('-') && word.len() > 1);
        let unknown = given.map(|word| flag(word)).filter(|flag| !flags.contains(flag));
        Ok(unknown
            .map(|flag| format!("`{}` has no flag `{flag}`", subcommand.join(" ")))
            .collect())
    }

    fn help(&mut self, subcommand: Vec<String>) -> io::Result<Option<String>> {
        if let Some(known) = self.known.get(&subcommand) {
            return Ok(known.clone());
        }
        let asked: Vec<&str> = subcommand.iter().map(String::as_str).chain(["--help"]).collect();
        let help = says(&self.path, &asked)?.map(|help| help + &self.common);
        self.known.insert(subcommand, help.clone());
        Ok(help)
    }
}

/// What a program prints, unless it ends with a failure.
pub(super) fn says(program: &Path, arguments: &[&str]) -> io::Result<Option<String>> {
    let output = process::Command::new(program)
        .args(arguments)
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success().then_some(text))
}

/// The flag of a word: without its value, and of short ones the first.
fn flag(word: &str) -> &str {
    if word.starts_with("--") {
        word.split_once('=').map_or(word, |(flag, _)| flag)
    } else {
        word.get(..2).unwrap_or(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::shell::commands;
    use bigtix_testkit::golden::workspace_root;

    fn missing(text: &str) -> Vec<String> {
        let repository = Repository::read(&workspace_root()).expect("the repository");
        let written = ["kind.yaml".to_owned()].into();
        let all = commands(text);
        all.iter()
            .flat_map(|command| repository.missing(command, &written))
            .collect()
    }

    #[test]
    fn targets_and_files_are_there() {
        let fine = "make test ARGS='-p x'\nkubectl apply -f examples/minimal.yaml\nkind create cluster --config kind.yaml\n\
                    kubectl apply -f - -f https://example.org/x.yaml\nkubectl logs deployment/shop-orders";
        assert!(missing(fine).is_empty(), "{:?}", missing(fine));
        assert_eq!(missing("make tset"), ["there is no `make tset`"]);
        assert_eq!(
            missing("helm install x charts/gone"),
            ["there is no file `charts/gone`"]
        );
        assert_eq!(missing("bigtix plan --file gone.yaml").len(), 1);
        assert_eq!(missing("bigtix plan --file=gone.yaml").len(), 1);
    }

    #[test]
    fn flags_are_what_a_program_says_of_itself() {
        let mut git = Program::new(Path::new("git"), None).expect("git starts");
        let mut unknown = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            git.unknown(&words).expect("git starts")
        };
        let subcommand = unknown("frobnicate --all");
        assert_eq!(subcommand, ["there is no `frobnicate`"]);
        // The help of git alone, which man is not needed for.
        assert_eq!(unknown("--version -- --anything"), [] as [&str; 0]);
        assert_eq!(unknown("--versoin"), ["`` has no flag `--versoin`"]);
    }
}

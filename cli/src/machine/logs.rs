//! The logs of a data folder: one file for each process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::command;
use crate::output::{Output, json, remark, say};
use crate::run_file::RunFile;
use crate::services;

const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// What the one process of services that are tasks writes.
const WHOLE: &str = "bigtix";

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogsError {
    #[error("BigTix has never run on {}: start it with `{}`, or name another folder with --data", .0.display(), command("up --detach", .0))]
    NoFolder(PathBuf),
    #[error("there is no log of {name:?}; there are {}", .known.join(", "))]
    Unknown { name: String, known: Vec<String> },
    #[error(
        "{name} is a task of the one process, which was started without --detach and logs to its terminal: look there, or start \
         it with --detach or --separate"
    )]
    AtTheTerminal { name: String },
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A line for a program.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LogLine<'a> {
    pub(crate) part: &'a str,
    pub(crate) line: &'a str,
}

/// What to show, and what to say beside it.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    names: Vec<String>,
    remark: Option<String>,
}

/// Prints the last lines, and goes on with what comes until it is ended.
pub(crate) async fn show(
    dir: &Path,
    parts: &[String],
    tail: usize,
    follow: bool,
    output: Output,
) -> Result<(), LogsError> {
    let logs = dir.join("logs");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LogsError::Io { path, source }
    };
    let there = match fs::read_dir(&logs) {
        Ok(entries) => names(entries),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LogsError::NoFolder(dir.to_owned()));
        }
        Err(error) => return Err(failed(&logs)(error)),
    };
    let run = RunFile::read(dir).ok().flatten();
    let is_running = |name: &str| run.as_ref().is_none_or(|run| is_of(run, name));
    let choice = choose(&there, parts, is_running)?;
    if let Some(beside) = &choice.remark {
        remark(beside);
    }
    let is_named = choice.names.len() > 1;
    let mut files = BTreeMap::new();
    for name in choice.names {
        let path = logs.join(format!("{name}.log"));
        let bytes = fs::read(&path).map_err(failed(&path))?;
        // Who follows gets a line when all of it is there.
        let read = if follow { whole_lines(&bytes) } else { bytes.len() };
        // A store may log what is no text.
        for line in last(&String::from_utf8_lossy(&bytes[..read]), tail) {
            print(output, is_named, &name, line);
        }
        files.insert(name, (path, u64::try_from(read).unwrap_or(u64::MAX)));
    }
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        for (name, (path, at)) in &mut files {
            for line in more(path, at).map_err(failed(path))? {
                print(output, is_named, name, &line);
            }
        }
    }
}

fn names(entries: fs::ReadDir) -> Vec<String> {
    let stem = |entry: io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        is_log.then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))?
    };
    let mut names: Vec<String> = entries.filter_map(stem).collect();
    names.sort();
    names
}

/// Whether the part is a process of this run: logs of processes of earlier runs stay in the folder.
fn is_of(run: &RunFile, name: &str) -> bool {
    let Some((service, number)) = name.rsplit_once('-') else {
        return true;
    };
    let is_process = |pid: Option<u32>| pid != Some(run.pid);
    let instances = run.services.get(service).map(|run| &run.instances);
    let number: usize = number.parse().unwrap_or(0);
    instances
        .is_some_and(|instances| number <= instances.len() && instances.iter().all(|it| is_process(it.pid)))
}

/// The logs of the named parts, or of all.
fn choose(
    there: &[String],
    wanted: &[String],
    is_running: impl Fn(&str) -> bool,
) -> Result<Choice, LogsError> {
    let current: Vec<&String> = there.iter().filter(|name| is_running(name)).collect();
    let mut choice = Choice {
        names: Vec::new(),
        remark: None,
    };
    if wanted.is_empty() {
        choice.names = current.into_iter().cloned().collect();
        return Ok(choice);
    }
    for name in wanted {
        let is_instance = |stem: &str| {
            let rest = stem
                .strip_prefix(name.as_str())
                .and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let mut found: Vec<String> = current
            .iter()
            .filter(|stem| **stem == name || is_instance(stem))
            .map(|stem| (*stem).clone())
            .collect();
        if found.is_empty() && services::by_name(name).is_some() {
            if !there.iter().any(|stem| stem == WHOLE) {
                return Err(LogsError::AtTheTerminal { name: name.clone() });
            }
            choice.remark = Some(format!(
                "{name} is a task of the one process: this is the log of all of it"
            ));
            found.push(WHOLE.to_owned());
        }
        if found.is_empty() {
            let known = current.into_iter().cloned().collect();
            return Err(LogsError::Unknown {
                name: name.clone(),
                known,
            });
        }
        choice.names.extend(found);
    }
    choice.names.sort();
    choice.names.dedup();
    Ok(choice)
}

/// The last lines of a text.
fn last(text: &str, count: usize) -> impl Iterator<Item = &str> {
    let all = text.lines().count();
    text.lines().skip(all.saturating_sub(count))
}

/// How many bytes end with the last line that has an end.
fn whole_lines(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.map_or(0, |end| end + 1)
}

/// Whole lines that were written since; a file that has become shorter begins anew.
fn more(path: &Path, at: &mut u64) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() < *at {
        *at = 0;
    }
    file.seek(SeekFrom::Start(*at))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = whole_lines(&bytes);
    *at += u64::try_from(whole).unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
    Ok(text.lines().map(str::to_owned).collect())
}

/// One line, after the part that it is of where there are several.
pub(crate) fn print(output: Output, is_named: bool, part: &str, line: &str) {
    match output {
        Output::Json => say(&json(&LogLine { part, line })),
        Output::Text if is_named => say(&format!("{part} | {line}")),
        Output::Text => say(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn chosen(there: &[&str], wanted: &[&str]) -> Result<Choice, LogsError> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        choose(&owned(there), &owned(wanted), |_| true)
    }

    #[test]
    fn a_service_is_found_as_its_processes_or_as_the_one_process() {
        let separate = ["auth-1", "bigtix", "mongodb", "orders-1", "orders-2"];
        assert_eq!(
            chosen(&separate, &["orders"]).unwrap().names,
            ["orders-1", "orders-2"]
        );
        assert_eq!(
            chosen(&separate, &["orders-2", "mongodb"]).unwrap().names,
            ["mongodb", "orders-2"]
        );
        assert_eq!(chosen(&separate, &[]).unwrap().names.len(), 5);
        let together = chosen(&["bigtix", "mongodb"], &["orders"]).unwrap();
        assert_eq!(together.names, ["bigtix"]);
        assert!(together.remark.unwrap().contains("orders is a task"));
    }

    #[test]
    fn what_has_no_log_is_said() {
        let at_terminal = chosen(&["mongodb"], &["orders"]).unwrap_err().to_string();
        assert!(at_terminal.contains("--detach"), "{at_terminal}");
        let unknown = chosen(&["mongodb", "nats"], &["order"]).unwrap_err().to_string();
        assert_eq!(unknown, "there is no log of \"order\"; there are mongodb, nats");
    }

    #[test]
    fn the_last_lines_come_first_and_then_whole_ones() {
        assert_eq!(last("a\nb\nc\n", 2).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(last("a\n", 9).collect::<Vec<_>>(), ["a"]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        fs::write(&path, "one\ntw").unwrap();
        let mut at = 0;
        assert_eq!(more(&path, &mut at).unwrap(), ["one"]);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"o\n").unwrap();
        assert_eq!(more(&path, &mut at).unwrap(), ["two"]);
        fs::write(&path, "new\n").unwrap();
        assert_eq!(more(&path, &mut at).unwrap(), ["new"]);
    }
}

//! What a run was made with: the system's books of processes, the machine, and versions.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use bigtix_testkit::stores::Program;
use serde::Serialize;

/// How much memory a process has resident, in megabytes.
///
/// # Errors
/// When the process is not there, or the system keeps no such books.
pub fn resident_megabytes(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))
        .with_context(|| format!("the memory of process {process}"))?;
    let kilobytes = field(&status, "VmRSS").and_then(kilobytes);
    Ok(kilobytes.context("VmRSS is missing")? / 1024.0)
}

/// How long a process has had a processor since it began.
///
/// # Errors
/// When the process is not there, or the system keeps no such books.
pub fn processor_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))
        .with_context(|| format!("the processor time of process {process}"))?;
    let ticks = ticks(&stat).with_context(|| format!("{stat:?} says no times"))?;
    let a_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / a_second as f64))
}

/// User and system time. The second field is the program's name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut times = rest.split(' ').skip(11).map(|ticks| ticks.parse::<u64>().ok());
    Some(times.next()?? + times.next()??)
}

/// The first value under this name, of lines such as `name: value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

fn kilobytes(value: &str) -> Option<f64> {
    value.strip_suffix("kB")?.trim().parse().ok()
}

/// What figures were measured on and with. What cannot be found out is `None`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Circumstances {
    /// The kind of processor.
    pub processor: Option<String>,
    /// How many of them.
    pub processors: Option<usize>,
    /// All memory, in megabytes.
    pub memory_megabytes: Option<u64>,
    /// The system's kernel.
    pub kernel: Option<String>,
    /// What the program that is measured says of itself.
    pub bigtix: Option<String>,
    /// The commit that is checked out; `-dirty` when files differ from it.
    pub commit: Option<String>,
    /// MongoDB.
    pub mongod: Option<String>,
    /// NATS.
    pub nats_server: Option<String>,
    /// Redis.
    pub redis_server: Option<String>,
    /// The compiler that is installed.
    pub rustc: Option<String>,
}

impl Circumstances {
    /// Those of a run of this program.
    pub fn of(program: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(path).ok();
        let store = |program: Program| first_line(&mut Command::new(program.find().ok()?), "--version");
        Self {
            processor: text("/proc/cpuinfo").and_then(|text| field(&text, "model name").map(str::to_owned)),
            processors: std::thread::available_parallelism().ok().map(usize::from),
            memory_megabytes: text("/proc/meminfo")
                .and_then(|text| kilobytes(field(&text, "MemTotal")?))
                .map(|kilobytes| (kilobytes / 1024.0) as u64),
            kernel: text("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            bigtix: first_line(&mut Command::new(program), "--version"),
            commit: first_line(
                Command::new("git").args(["describe", "--always", "--dirty", "--exclude"]),
                "*",
            ),
            mongod: store(Program::Mongod),
            nats_server: store(Program::NatsServer),
            redis_server: store(Program::RedisServer),
            rustc: first_line(&mut Command::new("rustc"), "--version"),
        }
    }
}

impl fmt::Display for Circumstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            processor,
            processors,
            memory_megabytes,
            kernel,
            bigtix,
            commit,
            mongod,
            nats_server,
            redis_server,
            rustc,
        } = self;
        let number = |number: Option<String>| number.unwrap_or_else(|| "?".into());
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".into());
        write!(
            f,
            "{} x {}, {} MB, kernel {}\n{}, commit {}\n{}; {}; {}; {}",
            number(processors.map(|count| count.to_string())),
            text(processor),
            number(memory_megabytes.map(|size| size.to_string())),
            text(kernel),
            text(bigtix),
            text(commit),
            text(mongod),
            text(nats_server),
            text(redis_server),
            text(rustc),
        )
    }
}

/// The first line of what a program says to an argument.
fn first_line(command: &mut Command, argument: &str) -> Option<String> {
    let said = command.arg(argument).output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    said.status
        .success()
        .then(|| text.lines().next().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_does_not_hide_its_times() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 1 1 1";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn a_value_is_found_by_its_name() {
        let text = "model name\t: AMD EPYC\nVmRSS:\t  2048 kB\n";
        assert_eq!(field(text, "model name"), Some("AMD EPYC"));
        assert_eq!(field(text, "VmRSS").and_then(kilobytes), Some(2048.0));
        assert_eq!(field(text, "absent"), None);
    }
}

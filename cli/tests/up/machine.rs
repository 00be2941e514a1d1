//! A machine of its own for each test: a data folder, and everything stopped in the end.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Machine(TempDir);

#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn by(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bigtix"));
        command.args(arguments).arg("--data").arg(self.data());
        command
    }

    pub(crate) fn bigtix(&self, arguments: &[&str]) -> Said {
        Said::by(&mut self.command(arguments))
    }

    pub(crate) fn run_file(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.data().join("run.json")).ok()?).ok()
    }

    /// The command lines of processes that mention the data folder.
    pub(crate) fn processes(&self) -> Vec<String> {
        let data = self.data().display().to_string();
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&data))
            .collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(pid) = self.run_file().and_then(|run| run["pid"].as_u64()) {
            // Its children die with it.
            if is_alive(pid) {
                kill(pid);
            }
        }
    }
}

/// Every process that the file names.
pub(crate) fn pids(run: &Value) -> Vec<u64> {
    match run {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                if name == "pid" {
                    value.as_u64().into_iter().collect()
                } else {
                    pids(value)
                }
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(pids).collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn is_alive(pid: u64) -> bool {
    // A zombie that nobody has waited for yet does nothing any more.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}

pub(crate) fn kill(pid: u64) {
    send(pid, Signal::KILL);
}

pub(crate) fn terminate(pid: u64) {
    send(pid, Signal::TERM);
}

/// Stops it from doing anything until it is released.
pub(crate) fn hold(pid: u64) {
    send(pid, Signal::STOP);
}

pub(crate) fn release(pid: u64) {
    send(pid, Signal::CONT);
}

fn send(pid: u64, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

pub(crate) async fn get(url: &str) -> (u16, Value) {
    ask(Request::get(url).body(Full::default()).unwrap()).await
}

pub(crate) async fn post(url: &str, body: &Value) -> (u16, Value) {
    let request = Request::post(url).header("content-type", "application/json");
    ask(request.body(Full::new(Bytes::from(body.to_string()))).unwrap()).await
}

pub(crate) async fn post_form(url: &str, form: &str) -> (u16, Value) {
    let request = Request::post(url).header("content-type", "application/x-www-form-urlencoded");
    ask(request.body(Full::new(Bytes::from(form.to_owned()))).unwrap()).await
}

async fn ask(request: Request<Full<Bytes>>) -> (u16, Value) {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let Ok(answer) = client.request(request).await else {
        return (0, Value::Null);
    };
    let status = answer.status().as_u16();
    let text = answer
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    (status, serde_json::from_slice(&text).unwrap_or_default())
}

//! A program that runs beside this process, is restarted when it dies, and never outlives this process.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;

use super::program::on_search_path;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// A child that ran this long has recovered: its next death starts the backoff anew.
const RECOVERED: Duration = Duration::from_secs(30);
/// How much of a log is told when a child does not start, in bytes.
const LOG_TAIL: i64 = 1_500;

/// What to run.
pub struct ChildSpec {
    /// What it is called in messages, and its log file.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments. They are visible to every user of the machine: no secrets.
    pub args: Vec<OsString>,
    /// Added to the environment of this process.
    pub env: Vec<(String, String)>,
    /// Where what it prints goes; appended.
    pub log: PathBuf,
    /// How long it may take to stop by itself after SIGTERM.
    pub grace: Duration,
}

/// What happens to a child after its start; told to [`Watcher`]s.
#[derive(Debug, Clone)]
pub enum ChildEvent {
    /// It ended although nobody had asked it to, and is started again after `again_in`.
    Died {
        /// Which child.
        name: String,
        /// How it ended.
        status: String,
        /// When it is started again.
        again_in: Duration,
    },
    /// It was started again.
    Restarted {
        /// Which child.
        name: String,
        /// Its new process id.
        pid: u32,
    },
}

/// Is told what happens to a child. Called on the thread that supervises it: it must not block for long.
pub type Watcher = Arc<dyn Fn(ChildEvent) + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Runs under this process id.
    Running(u32),
    /// Died and waits to be started again.
    Down,
    /// Ended for good.
    Ended,
}

/// A running child. Dropping it kills the process.
pub struct Child {
    name: String,
    log: PathBuf,
    grace: Duration,
    shared: Arc<Shared>,
    state: watch::Receiver<State>,
    interrupt: mpsc::Sender<()>,
}

struct Shared {
    /// The process as long as it has not been reaped: only then is its id certainly its own.
    process: Mutex<Option<Pid>>,
    stopping: AtomicBool,
    restart: AtomicBool,
    last_status: Mutex<Option<ExitStatus>>,
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("name", &self.name)
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

impl Child {
    /// Starts the program. Until [`Child::keep_alive`] is called its end is final.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be run.
    pub fn start(spec: ChildSpec, watcher: Watcher) -> io::Result<Self> {
        let (name, log, grace) = (spec.name.clone(), spec.log.clone(), spec.grace);
        let (started, first) = mpsc::channel();
        let (publish, state) = watch::channel(State::Down);
        let (interrupt, interrupted) = mpsc::channel();
        let shared = Arc::new(Shared {
            process: Mutex::new(None),
            stopping: AtomicBool::new(false),
            restart: AtomicBool::new(false),
            last_status: Mutex::new(None),
        });
        let supervisor = Supervisor {
            spec,
            shared: Arc::clone(&shared),
            publish,
            interrupted,
            watcher,
        };
        // The signal that ends a child with its parent is sent when the *thread* that started it ends, so each child
        // has a thread that lives as long as it does.
        thread::Builder::new()
            .name(format!("child-{name}"))
            .spawn(move || supervisor.run(&started))?;
        first
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("its supervisor ended")))?;
        Ok(Self {
            name,
            log,
            grace,
            shared,
            state,
            interrupt,
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        match *self.state.borrow() {
            State::Running(pid) => Some(pid),
            State::Down | State::Ended => None,
        }
    }

    /// From now on it is started again whenever it dies.
    pub fn keep_alive(&self) {
        self.shared.restart.store(true, Ordering::SeqCst);
    }

    /// How it ended, with the end of its log, when it ended for good.
    pub fn obituary(&self) -> Option<String> {
        (*self.state.borrow() == State::Ended).then(|| {
            let status =
                lock(&self.shared.last_status).map_or_else(|| "it stopped".to_owned(), |s| s.to_string());
            let tail = self.log_tail();
            if tail.is_empty() {
                status
            } else {
                format!("{status}; the end of {}:\n{tail}", self.log.display())
            }
        })
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len() as i64;
            file.seek(SeekFrom::End(-length.min(LOG_TAIL)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        read().unwrap_or_default()
    }

    /// Completes when it has ended for good.
    pub async fn ended(&self) {
        let mut state = self.state.clone();
        // An error means that the supervisor is gone, and with it the child.
        let _ = state.wait_for(|state| *state == State::Ended).await;
    }

    /// Asks it to end, and kills it when it has not done so within its grace.
    pub async fn stop(&self) {
        self.ask_to_stop(Signal::TERM);
        if tokio::time::timeout(self.grace, self.ended()).await.is_err() {
            self.ask_to_stop(Signal::KILL);
            self.ended().await;
        }
    }

    /// Kills it at once, without waiting until it is gone. It is not started again.
    pub fn kill(&self) {
        self.ask_to_stop(Signal::KILL);
    }

    fn ask_to_stop(&self, signal: Signal) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.signal(signal);
        // No receiver: it has ended already.
        let _ = self.interrupt.send(());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = *lock(&self.process) {
            // It cannot fail: the process is ours and has not been reaped.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

struct Supervisor {
    spec: ChildSpec,
    shared: Arc<Shared>,
    publish: watch::Sender<State>,
    interrupted: mpsc::Receiver<()>,
    watcher: Watcher,
}

impl Supervisor {
    fn run(self, first: &mpsc::Sender<io::Result<()>>) {
        let mut backoff = FIRST_BACKOFF;
        let mut starts = 0_u32;
        loop {
            let began = Instant::now();
            let spawned = self.spawn();
            let status = match spawned {
                Ok(mut child) => {
                    starts += 1;
                    if starts == 1 {
                        let _ = first.send(Ok(()));
                    } else {
                        (self.watcher)(ChildEvent::Restarted {
                            name: self.spec.name.clone(),
                            pid: child.id(),
                        });
                    }
                    let status = self.wait(&mut child);
                    *lock(&self.shared.last_status) = status.as_ref().ok().copied();
                    status.map_or_else(|error| error.to_string(), |status| status.to_string())
                }
                Err(error) if starts == 0 => {
                    let _ = first.send(Err(error));
                    break;
                }
                Err(error) => error.to_string(),
            };
            if self.is_final() {
                break;
            }
            backoff = if began.elapsed() > RECOVERED {
                FIRST_BACKOFF
            } else {
                backoff
            };
            self.publish.send_replace(State::Down);
            (self.watcher)(ChildEvent::Died {
                name: self.spec.name.clone(),
                status,
                again_in: backoff,
            });
            match self.interrupted.recv_timeout(backoff) {
                Err(RecvTimeoutError::Timeout) if !self.is_final() => {}
                _ => break,
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
        self.publish.send_replace(State::Ended);
    }

    fn is_final(&self) -> bool {
        self.shared.stopping.load(Ordering::SeqCst) || !self.shared.restart.load(Ordering::SeqCst)
    }

    fn spawn(&self) -> io::Result<std::process::Child> {
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.spec.log)?;
        let mut command = dying_with_its_parent(&self.spec.program);
        command
            .args(&self.spec.args)
            .envs(self.spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal reaches a whole process group; the order in which things stop is ours to say.
            .process_group(0);
        let mut process = lock(&self.shared.process);
        let child = command.spawn()?;
        *process = Pid::from_raw(child.id() as i32);
        self.publish.send_replace(State::Running(child.id()));
        if self.shared.stopping.load(Ordering::SeqCst) {
            drop(process);
            self.shared.signal(Signal::KILL);
        }
        Ok(child)
    }

    /// Waits for its end, and reaps it only after its id has been forgotten.
    fn wait(&self, child: &mut std::process::Child) -> io::Result<ExitStatus> {
        if let Some(pid) = Pid::from_raw(child.id() as i32) {
            while rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
                .is_err_and(|error| error == rustix::io::Errno::INTR)
            {}
        }
        lock(&self.shared.process).take();
        child.wait()
    }
}

/// On Linux with util-linux the kernel kills the child when its parent is gone, whatever ended the parent.
fn dying_with_its_parent(program: &std::path::Path) -> Command {
    match on_search_path("setpriv").filter(|_| cfg!(target_os = "linux")) {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is replaced as a whole, so a panic elsewhere cannot have left half of it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventually;

    fn shell(dir: &std::path::Path, script: &str) -> ChildSpec {
        ChildSpec {
            name: "shell".into(),
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![],
            log: dir.join("shell.log"),
            grace: Duration::from_secs(5),
        }
    }

    #[tokio::test]
    async fn a_killed_child_is_started_again_until_it_is_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let (told, events) = mpsc::channel();
        let watcher: Watcher = Arc::new(move |event| told.send(event).unwrap());
        let child = Child::start(shell(dir.path(), "exec sleep 600"), watcher).unwrap();
        child.keep_alive();
        let first = child.pid().unwrap();

        rustix::process::kill_process(Pid::from_raw(first as i32).unwrap(), Signal::KILL).unwrap();
        let second = eventually("another process", async || {
            child.pid().filter(|pid| *pid != first)
        })
        .await;
        assert!(matches!(events.recv().unwrap(), ChildEvent::Died { .. }));
        assert!(matches!(events.recv().unwrap(), ChildEvent::Restarted { pid, .. } if pid == second));

        child.stop().await;
        assert_eq!(child.pid(), None);
        assert!(rustix::process::test_kill_process(Pid::from_raw(second as i32).unwrap()).is_err());
    }

    #[tokio::test]
    async fn a_child_that_does_not_start_tells_why() {
        let dir = tempfile::tempdir().unwrap();
        let child = Child::start(shell(dir.path(), "echo no such luck; exit 3"), Arc::new(|_| {})).unwrap();
        child.ended().await;
        let told = child.obituary().unwrap();
        assert!(
            told.contains("exit status: 3") && told.ends_with("no such luck"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_child_that_ignores_the_request_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let mut spec = shell(dir.path(), "trap '' TERM; while :; do sleep 1; done");
        spec.grace = Duration::from_millis(50);
        let child = Child::start(spec, Arc::new(|_| {})).unwrap();
        child.stop().await;
        assert_eq!(child.pid(), None);
    }
}

//! `bigtix` at a terminal, where a person looks and presses keys: colours, a screen that is drawn anew, a browser, Ctrl-C.

use std::env;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bigtix_testkit::eventually;

use crate::machine::Machine;

/// How a colour begins.
const COLOUR: &str = "\u{1b}[3";
/// What a screen is emptied by.
const EMPTY: &str = "\u{1b}[2J";
const CTRL_C: &[u8] = b"\x03";
/// What a shell says of a command that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// A command that somebody has typed at a terminal of its own, which `script` makes.
struct Typed {
    script: Child,
    screen: String,
}

impl Typed {
    fn at(machine: &Machine, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let command = machine.command(arguments);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let screen = machine.file(&arguments.join(" "), "");
        let script = Command::new("script")
            .args(["--quiet", "--flush", "--return", "--command"])
            // Whoever runs the tests in the background may have them started deaf to Ctrl-C.
            .arg(format!("exec env --default-signal=INT {}", words.join(" ")))
            .arg("/dev/null")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(File::create(&screen).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { script, screen }
    }

    fn shows(&self) -> String {
        fs::read_to_string(&self.screen).unwrap()
    }

    async fn until_it_shows(&self, what: &str) {
        eventually(&format!("it shows {what:?}"), async || {
            self.shows().contains(what).then_some(())
        })
        .await;
    }

    fn press(&mut self, keys: &[u8]) {
        self.script.stdin.as_mut().unwrap().write_all(keys).unwrap();
    }

    async fn code(&mut self) -> i32 {
        code(&self.screen, &mut self.script).await
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        // A terminal that goes takes along what runs at it.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

async fn code(what: &str, child: &mut Child) -> i32 {
    let status = eventually(&format!("{what} ends"), async || child.try_wait().unwrap()).await;
    status.code().unwrap()
}

#[tokio::test]
async fn colours_are_for_terminals_whose_owner_wants_them() {
    let machine = Machine::new();
    let shown = async |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut status = Typed::at(&machine, arguments, environment);
        assert_eq!(status.code().await, 3, "{}", status.shows());
        status.shows()
    };
    let coloured = shown(&["status"], &[]).await;
    assert!(coloured.contains(COLOUR), "{coloured:?}");
    for unwanted in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = shown(&["status"], &[unwanted]).await;
        assert!(
            !plain.contains('\u{1b}') && plain.contains("bigtix up"),
            "{plain:?}"
        );
    }
    let json = shown(&["status", "--output", "json"], &[]).await;
    assert!(!json.contains('\u{1b}'), "{json:?}");
    let piped = machine.bigtix(&["status"]);
    assert!(!piped.stdout.contains('\u{1b}'), "{piped:?}");
}

#[tokio::test]
async fn what_goes_on_is_ended_by_ctrl_c() {
    let machine = Machine::new();
    let mut status = Typed::at(&machine, &["status", "--watch"], &[]);
    status.until_it_shows(EMPTY).await;
    status.press(CTRL_C);
    assert_eq!(status.code().await, INTERRUPTED);

    let log = logged(&machine, "one\n");
    let mut logs = Typed::at(&machine, &["logs"], &[]);
    assert_eq!(logs.code().await, 0);
    assert!(logs.shows().contains("one"), "{}", logs.shows());
    let mut logs = Typed::at(&machine, &["logs", "--follow"], &[]);
    logs.until_it_shows("one").await;
    let mut log = OpenOptions::new().append(true).open(log).unwrap();
    log.write_all(b"two\n").unwrap();
    logs.until_it_shows("two").await;
    logs.press(CTRL_C);
    assert_eq!(logs.code().await, INTERRUPTED);
}

/// As after `| head -1`: nothing more has to be logged for it to notice.
#[tokio::test]
async fn what_goes_on_ends_when_nobody_reads_it_any_more() {
    let machine = Machine::new();
    logged(&machine, "one\n");
    for arguments in [&["logs", "--follow"][..], &["status", "--watch"]] {
        let mut command = machine.command(arguments);
        let mut reading = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut read = BufReader::new(reading.stdout.take().unwrap());
        read.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{arguments:?}");
        drop(read);
        assert_eq!(code(arguments[0], &mut reading).await, 0);
    }
}

/// Gives the folder a log, as a shop that has run leaves it behind.
fn logged(machine: &Machine, text: &str) -> PathBuf {
    let logs = machine.data().join("logs");
    fs::create_dir_all(&logs).unwrap();
    let log = logs.join("mongodb.log");
    fs::write(&log, text).unwrap();
    log
}

#[tokio::test]
async fn a_shop_at_a_terminal_is_opened_in_a_browser_and_stopped_by_ctrl_c() {
    let machine = Machine::new();
    let mut up = Typed::at(&machine, &["up", "--port", "0"], &[]);
    let run = eventually("it is ready", async || machine.run_file()).await;
    let url = run["url"].as_str().unwrap();
    up.until_it_shows(url).await;

    let (path, opened) = desktop(&machine);
    let desktop = [("PATH", path.as_str()), ("DISPLAY", ":0")];
    let nobody_looks = machine.command(&["open"]).envs(desktop).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&nobody_looks.stdout).trim(), url);
    let mut printed = Typed::at(&machine, &["open", "--print"], &desktop);
    assert_eq!(printed.code().await, 0);
    assert!(printed.shows().contains(url) && !opened.exists());
    let mut open = Typed::at(&machine, &["open"], &desktop);
    assert_eq!(open.code().await, 0);
    assert_eq!(fs::read_to_string(&opened).unwrap().trim(), url);
    let mut open = Typed::at(&machine, &["open"], &[("DISPLAY", ""), ("WAYLAND_DISPLAY", "")]);
    assert_eq!(open.code().await, 0);
    assert!(
        open.shows().contains("there is no browser here"),
        "{}",
        open.shows()
    );

    up.press(CTRL_C);
    assert_eq!(up.code().await, 0, "{}", up.shows());
    assert_eq!(machine.run_file(), None);
}

/// A path with a desktop's way to open addresses, and the file in which that notes which one it was given.
fn desktop(machine: &Machine) -> (String, PathBuf) {
    let opened = machine.data().with_file_name("opened");
    let program = machine.file(
        "xdg-open",
        &format!("#!/bin/sh\necho \"$1\" > {}\n", opened.display()),
    );
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let folder = machine.data().parent().unwrap().to_owned();
    let path = env::var("PATH").unwrap();
    (format!("{}:{path}", folder.display()), opened)
}

//! nats-server with JetStream as a child: one account, a user per service that may say and hear only its own.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use bigtix_contracts::bus::{self, Permissions};

use super::child::ChildSpec;
use super::secrets::{private_folder, write_private};
use super::{Folder, GRACE, wire};

/// The user that may do everything.
pub(super) const ADMIN: &str = "admin";

/// A user of the bus.
pub(super) struct User<'a> {
    pub(super) name: &'a str,
    pub(super) password: String,
}

pub(super) fn spec(
    folder: &Folder<'_>,
    program: &Path,
    port: u16,
    prefix: &str,
    users: &[User<'_>],
) -> io::Result<ChildSpec> {
    let data = folder.dir.join("nats");
    private_folder(&data)?;
    let config = folder.dir.join("nats.conf");
    write_private(&config, configuration(port, &data, prefix, users).as_bytes())?;
    Ok(ChildSpec {
        name: "nats".into(),
        program: program.into(),
        args: vec!["-c".into(), config.into()],
        env: vec![],
        log: folder.log("nats"),
        grace: GRACE,
    })
}

/// Whether it answers to the administrator. JetStream is there by then: it starts before clients are let in.
pub(super) async fn answers(port: u16, password: &str) -> bool {
    let connect = format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"user\":\"{ADMIN}\",\"pass\":\"{password}\"}}\r\nPING\r\n"
    );
    wire::says(port, &connect, "PONG").await
}

pub(super) fn url(port: u16, user: &str, password: &str) -> String {
    format!("nats://{user}:{password}@127.0.0.1:{port}")
}

/// A power cut takes at most so much of a stream's end. The stream is no record: its relay finds the end missing and
/// publishes what the store has, see the decision on the outbox.
const SYNC_INTERVAL: &str = "1s";

fn configuration(port: u16, data: &Path, prefix: &str, users: &[User<'_>]) -> String {
    let mut text = format!(
        "listen: \"127.0.0.1:{port}\"\nserver_name: bigtix\n\
         jetstream {{\n  store_dir: {}\n  sync_interval: {SYNC_INTERVAL}\n}}\n\
         accounts {{\n  bigtix {{\n    jetstream: enabled\n    users: [\n",
        quoted(&data.display().to_string())
    );
    let services: Vec<&str> = users
        .iter()
        .map(|user| user.name)
        .filter(|name| *name != ADMIN)
        .collect();
    for user in users {
        let permissions = if user.name == ADMIN {
            String::new()
        } else {
            permissions(prefix, user.name, &services)
        };
        writeln!(
            text,
            "      {{ user: {}, password: {}{permissions} }}",
            quoted(user.name),
            quoted(&user.password)
        )
        .expect("writing into a string cannot fail");
    }
    text.push_str("    ]\n  }\n}\n");
    text
}

fn permissions(prefix: &str, service: &str, services: &[&str]) -> String {
    let Permissions { publish, subscribe } = bus::permissions(prefix, service, services);
    let list = |subjects: Vec<String>| {
        let quoted: Vec<_> = subjects.iter().map(|subject| quoted(subject)).collect();
        quoted.join(", ")
    };
    format!(
        ", permissions: {{ publish: {{ allow: [{}] }}, subscribe: {{ allow: [{}] }} }}",
        list(publish),
        list(subscribe)
    )
}

/// As a string of the configuration's language.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_written_as_the_configuration_has_them() {
        let text = permissions("t1.", "orders", &["orders", "tickets"]);
        assert!(
            text.starts_with(", permissions: { publish: { allow: [\"t1.orders.>\", "),
            "{text}"
        );
        assert!(
            text.ends_with("subscribe: { allow: [\"_INBOX_orders.>\"] } }"),
            "{text}"
        );
    }
}

//! nats-server with JetStream as a child: one account, a user per service that may say and hear only its own.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

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

/// A service publishes its own subjects, rules its own stream, and has on each other service's stream the consumers
/// that are called `<service>-<producer>`. Answers come to an inbox that no other service hears.
fn permissions(prefix: &str, service: &str, services: &[&str]) -> String {
    let stream_prefix = prefix.replace('.', "_");
    let own = format!("{stream_prefix}{service}");
    let mut publish = vec![
        format!("{prefix}{service}.>"),
        "$JS.API.INFO".to_owned(),
        "$JS.API.STREAM.NAMES".to_owned(),
        format!("$JS.API.STREAM.*.{own}"),
        format!("$JS.API.STREAM.MSG.*.{own}"),
        format!("$JS.API.DIRECT.GET.{own}"),
        format!("$JS.API.DIRECT.GET.{own}.>"),
    ];
    let consumers = |publish: &mut Vec<String>, stream: &str, consumer: &str| {
        for call in ["CREATE", "DURABLE.CREATE", "INFO", "DELETE", "MSG.NEXT"] {
            publish.push(format!("$JS.API.CONSUMER.{call}.{stream}.{consumer}"));
        }
        // The name of a consumer that filters is followed by its filter.
        publish.push(format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>"));
        publish.push(format!("$JS.ACK.{stream}.{consumer}.>"));
    };
    publish.push(format!("$JS.API.CONSUMER.CREATE.{own}"));
    consumers(&mut publish, &own, "*");
    for producer in services.iter().filter(|producer| **producer != service) {
        let stream = format!("{stream_prefix}{producer}");
        publish.push(format!("$JS.API.STREAM.INFO.{stream}"));
        consumers(
            &mut publish,
            &stream,
            &format!("{stream_prefix}{service}-{producer}"),
        );
    }
    let publish: Vec<String> = publish.iter().map(|subject| quoted(subject)).collect();
    format!(
        ", permissions: {{ publish: {{ allow: [{}] }}, subscribe: {{ allow: [{}] }} }}",
        publish.join(", "),
        quoted(&format!("_INBOX_{service}.>"))
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
    fn a_service_publishes_only_its_own_subjects() {
        let services = ["orders", "tickets"];
        let text = permissions("", "orders", &services);
        assert!(text.contains("\"orders.>\""));
        assert!(!text.contains("\"tickets.>\""));
        assert!(text.contains("\"$JS.API.STREAM.*.orders\""));
        assert!(text.contains("\"$JS.API.STREAM.INFO.tickets\""));
        assert!(!text.contains("\"$JS.API.STREAM.*.tickets\""));
        assert!(text.contains("\"$JS.ACK.tickets.orders-tickets.>\""));
        assert!(text.contains("\"_INBOX_orders.>\""));
    }

    #[test]
    fn a_prefix_goes_before_subjects_streams_and_consumers() {
        let text = permissions("t1.", "orders", &["orders", "tickets"]);
        assert!(text.contains("\"t1.orders.>\""));
        assert!(text.contains("\"$JS.API.STREAM.*.t1_orders\""));
        assert!(text.contains("\"$JS.API.CONSUMER.MSG.NEXT.t1_tickets.t1_orders-tickets\""));
    }
}

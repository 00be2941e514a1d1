//! The file that nats-server reads. It holds no password: what begins with `$` comes from the environment.

use std::fmt::Write as _;

use bigtix_contracts::bus::{self, Permissions};
use bigtix_crds::Service;

use super::{ADMIN, CLIENTS, MONITORING, ROUTES, ROUTES_USER};

/// The variable with a user's password.
pub(super) fn password_variable(user: &str) -> String {
    format!("{}_PASSWORD", user.to_uppercase())
}

/// The variable with the whole address of one server: the password in it cannot be put into a text here.
pub(super) fn route_variable(ordinal: u32) -> String {
    format!("ROUTE_{ordinal}")
}

pub(super) fn text(cluster: &str, servers: u32, users: &[Service]) -> String {
    // What one server has stored several do not take over, nor the other way round; relays fill what is empty or old.
    let store = if servers > 1 { "/data/cluster" } else { "/data" };
    let mut text = format!(
        "listen: \"0.0.0.0:{}\"\nhttp: \"0.0.0.0:{}\"\n\
         jetstream {{\n  store_dir: \"{store}\"\n  sync_interval: always\n}}\n",
        CLIENTS.number, MONITORING.number
    );
    if servers > 1 {
        write_cluster(&mut text, cluster, servers);
    }
    text.push_str("accounts {\n  bigtix {\n    jetstream: enabled\n    users: [\n");
    write_user(&mut text, ADMIN, None);
    let names: Vec<&str> = users.iter().map(|service| service.as_str()).collect();
    for name in &names {
        // The account is the shop's own, so nothing has to stand before its subjects.
        write_user(&mut text, name, Some(&bus::permissions("", name, &names)));
    }
    text.push_str("    ]\n  }\n}\n");
    text
}

fn write_cluster(text: &mut String, name: &str, servers: u32) {
    let routes: Vec<String> = (0..servers)
        .map(|ordinal| format!("${}", route_variable(ordinal)))
        .collect();
    write!(
        text,
        "lame_duck_grace_period: \"5s\"\nlame_duck_duration: \"30s\"\n\
         cluster {{\n  name: {}\n  listen: \"0.0.0.0:{}\"\n  \
         authorization {{ user: {}, password: ${} }}\n  routes: [{}]\n}}\n",
        quoted(name),
        ROUTES.number,
        quoted(ROUTES_USER),
        password_variable(ROUTES_USER),
        routes.join(", ")
    )
    .expect("writing into a string cannot fail");
}

fn write_user(text: &mut String, name: &str, permissions: Option<&Permissions>) {
    let (user, password) = (quoted(name), password_variable(name));
    let permissions = permissions.map(allowed).unwrap_or_default();
    writeln!(
        text,
        "      {{ user: {user}, password: ${password}{permissions} }}"
    )
    .expect("writing into a string cannot fail");
}

fn allowed(Permissions { publish, subscribe }: &Permissions) -> String {
    let list = |subjects: &[String]| {
        let lines = subjects
            .iter()
            .map(|subject| format!("        {}\n", quoted(subject)));
        lines.collect::<String>()
    };
    format!(
        ", permissions: {{\n      publish: {{ allow: [\n{}      ] }}\n      subscribe: {{ allow: [\n{}      ] }}\n      }}",
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
    fn passwords_come_from_the_environment() {
        let text = text("shop", 3, &[Service::Auth, Service::Orders]);
        for variable in ["ADMIN", "AUTH", "ORDERS", "ROUTES"] {
            assert!(
                text.contains(&format!("password: ${variable}_PASSWORD")),
                "{text}"
            );
        }
        assert!(text.contains("routes: [$ROUTE_0, $ROUTE_1, $ROUTE_2]"), "{text}");
    }

    #[test]
    fn one_server_is_no_cluster() {
        assert!(!text("shop", 1, &[Service::Auth]).contains("cluster"));
    }
}

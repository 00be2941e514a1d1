//! What says how programs are compiled: the parts of manifests, of the toolchain file and of the Dockerfile that can
//! make another program of the same sources.

use toml::{Table, Value};

use super::closure::Closure;

pub(super) const WORKSPACE: &str = "Cargo.toml";
pub(super) const TOOLCHAIN: &str = "rust-toolchain.toml";
pub(super) const DOCKERFILE: &str = "Dockerfile";
pub(super) const CARGO: &str = ".cargo/config.toml";

/// The profile that the Dockerfile and the release workflow build with.
const PROFILE: &str = "image";

/// What the file says differently for a program with this closure, in words; nothing of files that are not about it.
pub(super) fn differing(
    path: &str,
    before: Option<&str>,
    now: Option<&str>,
    closure: &Closure,
) -> Vec<String> {
    match path {
        WORKSPACE => workspace(&table(before), &table(now), closure),
        TOOLCHAIN => {
            let channel = |text| at(&table(text), &["toolchain", "channel"]);
            let said = |channel: &Option<Value>| match channel {
                Some(Value::String(channel)) => channel.clone(),
                _ => "none".to_owned(),
            };
            let (before, now) = (channel(before), channel(now));
            if before == now {
                return Vec::new();
            }
            vec![format!("toolchain {} instead of {}", said(&now), said(&before))]
        }
        DOCKERFILE => said_if(instructions(before) != instructions(now), "the Dockerfile"),
        CARGO => {
            // Aliases are commands that people type.
            let without_aliases = |text| {
                let mut table = table(text);
                table.remove("alias");
                table
            };
            said_if(without_aliases(before) != without_aliases(now), CARGO)
        }
        _ => Vec::new(),
    }
}

/// Whether a crate's manifest says the same of its program: only what tests and lints are told may differ.
pub(super) fn is_same_manifest(before: Option<&str>, now: Option<&str>) -> bool {
    let of_program = |text: &str| {
        let mut table = text.parse::<Table>().ok()?;
        for section in ["dev-dependencies", "test", "bench", "example", "lints"] {
            table.remove(section);
        }
        if let Some(Value::Table(targets)) = table.get_mut("target") {
            for (_, target) in targets.iter_mut() {
                if let Value::Table(target) = target {
                    target.remove("dev-dependencies");
                }
            }
        }
        Some(table)
    };
    let before = before.and_then(of_program);
    before.is_some() && before == now.and_then(of_program)
}

fn workspace(before: &Table, now: &Table, closure: &Closure) -> Vec<String> {
    let mut found = Vec::new();
    for place in [
        &["workspace", "package"][..],
        &["workspace", "resolver"],
        &["patch"],
        &["replace"],
    ] {
        if at(before, place) != at(now, place) {
            found.push(format!("{} of {WORKSPACE}", place.join(".")));
        }
    }
    if profile(before, closure) != profile(now, closure) {
        found.push(format!("profile.{PROFILE} of {WORKSPACE}"));
    }
    let place = ["workspace", "dependencies"];
    let earlier = at(before, &place).unwrap_or(Value::Table(Table::new()));
    // An entry that is new, or gone, is one that a crate's own manifest tells of where it matters.
    let requirements = at(now, &place);
    for (key, requirement) in requirements.iter().filter_map(Value::as_table).flatten() {
        let renamed = requirement.get("package").and_then(Value::as_str);
        let differs = earlier
            .get(key)
            .is_some_and(|earlier| without_version(earlier) != without_version(requirement));
        if differs && closure.has(renamed.unwrap_or(key)) {
            found.push(format!("what {WORKSPACE} says of {key}"));
        }
    }
    found
}

/// Which version is compiled is what `Cargo.lock` says, whatever the requirement.
fn without_version(requirement: &Value) -> Table {
    let mut table = requirement.as_table().cloned().unwrap_or_default();
    table.remove("version");
    table
}

/// The profile and those that it inherits from, without what is said of crates that are not compiled in.
fn profile(manifest: &Table, closure: &Closure) -> Vec<Table> {
    let mut chain = Vec::new();
    let mut name = PROFILE.to_owned();
    // Cargo refuses circles, but it has not been asked about the earlier manifest.
    while chain.len() < 8 {
        let Some(Value::Table(mut table)) = at(manifest, &["profile", &name]) else {
            break;
        };
        if let Some(Value::Table(packages)) = table.get_mut("package") {
            packages.retain(|spec, _| {
                let named = spec.split(['@', ':']).next().unwrap_or(spec);
                named == "*" || closure.has(named)
            });
            if packages.is_empty() {
                table.remove("package");
            }
        }
        let inherited = table
            .get("inherits")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned);
        chain.push(table);
        match inherited {
            Some(inherited) => name = inherited,
            None => break,
        }
    }
    chain
}

/// The Dockerfile's instructions, each in a line, without those that only label the image.
fn instructions(text: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let mut instruction = String::new();
    for line in text.unwrap_or_default().lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let continued = line.strip_suffix('\\');
        instruction += continued.unwrap_or(line).trim_end();
        instruction.push(' ');
        if continued.is_none() {
            found.push(std::mem::take(&mut instruction));
        }
    }
    found.retain(|instruction| !instruction.starts_with("LABEL "));
    found
}

fn table(text: Option<&str>) -> Table {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn at(table: &Table, place: &[&str]) -> Option<Value> {
    let (last, before) = place.split_last()?;
    let mut table = table;
    for key in before {
        table = table.get(*key)?.as_table()?;
    }
    table.get(*last).cloned()
}

fn said_if(differs: bool, what: &str) -> Vec<String> {
    if differs {
        vec![what.to_owned()]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::lock::Locked;
    use super::*;

    fn found(path: &str, before: &str, now: &str) -> Vec<String> {
        let tokio = Locked {
            name: "tokio".to_owned(),
            version: "1.0.0".to_owned(),
        };
        let closure = Closure {
            folder: "services/orders".to_owned(),
            crates: [("services/orders".to_owned(), "bigtix-orders".to_owned())].into(),
            dependencies: [tokio].into(),
        };
        differing(path, Some(before), Some(now), &closure)
    }

    #[test]
    fn of_the_toolchain_only_the_compiler_counts() {
        let channel = |version: &str| format!("[toolchain]\nchannel = \"{version}\"\n");
        let said = found(TOOLCHAIN, &channel("1.95.0"), &channel("1.96.0"));
        assert_eq!(said, ["toolchain 1.96.0 instead of 1.95.0"]);
        let with_component = channel("1.95.0") + "components = [\"clippy\"]";
        assert!(found(TOOLCHAIN, &channel("1.95.0"), &with_component).is_empty());
    }

    #[test]
    fn of_the_dockerfile_labels_and_comments_do_not_count() {
        let before = "# One.\nFROM rust:1.95\nRUN a \\\n    # Why.\n    && b\nLABEL x=\"1\" \\\n  y=\"2\"\n";
        let labelled = "FROM rust:1.95\nRUN a \\\n    && b\nLABEL x=\"3\"\n";
        assert!(found(DOCKERFILE, before, labelled).is_empty());
        for other in [
            before.replace("&& b", "&& c"),
            before.replace("rust:1.95", "rust:1.96"),
        ] {
            assert_eq!(found(DOCKERFILE, before, &other), ["the Dockerfile"]);
        }
    }

    #[test]
    fn of_cargos_settings_aliases_do_not_count() {
        let alias = "[alias]\nxtask = \"run\"\n";
        assert!(found(CARGO, alias, "[alias]\n").is_empty());
        let flags = format!("{alias}[build]\nrustflags = [\"-Cdebuginfo=1\"]\n");
        assert_eq!(found(CARGO, alias, &flags), [CARGO]);
    }

    #[test]
    fn of_the_workspace_what_reaches_the_program_counts() {
        let before = "[workspace]\nresolver = \"3\"\nmembers = [\"a\"]\n[workspace.package]\nedition = \"2024\"\n\
            [workspace.dependencies]\ntokio = { version = \"1\", features = [\"net\"] }\nkube = \"5\"\nserde = \"1\"\n\
            [profile.dev]\ndebug = 1\n[profile.release]\ndebug = 2\n\
            [profile.image]\ninherits = \"release\"\nlto = \"thin\"\n\
            [profile.image.package.kube]\nopt-level = 1\n[profile.image.package.tokio]\nopt-level = 2\n";
        for (from, to, expected) in [
            ("\"2024\"", "\"2027\"", Some("workspace.package of Cargo.toml")),
            ("[\"net\"]", "[]", Some("what Cargo.toml says of tokio")),
            ("lto = \"thin\"", "", Some("profile.image of Cargo.toml")),
            ("debug = 2", "debug = 0", Some("profile.image of Cargo.toml")),
            (
                "opt-level = 2",
                "opt-level = 3",
                Some("profile.image of Cargo.toml"),
            ),
            ("opt-level = 1", "opt-level = 3", None),
            ("debug = 1", "debug = 0", None),
            ("[\"a\"]", "[\"a\", \"b\"]", None),
            ("version = \"1\", features", "version = \"1.2\", features", None),
            (
                "kube = \"5\"",
                "kube = { version = \"5\", features = [\"ws\"] }",
                None,
            ),
            ("serde = \"1\"\n", "", None),
        ] {
            let now = before.replace(from, to);
            assert_ne!(before, now, "{from}");
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(found(WORKSPACE, before, &now), expected, "{from} to {to}");
        }
    }

    #[test]
    fn of_a_manifest_what_tests_and_lints_are_told_does_not_count() {
        let before = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n";
        let tested = "[target.'cfg(unix)'.dev-dependencies]\nc = \"1\"\n[dev-dependencies]\nd = \"1\"\n[lints]\nworkspace = true\n";
        let empty_target = "[target.'cfg(unix)']\n";
        let now = format!("{before}{tested}");
        assert!(is_same_manifest(
            Some(&format!("{before}{empty_target}")),
            Some(&now)
        ));
        assert!(!is_same_manifest(
            Some(before),
            Some(&before.replace("b = \"1\"", "b = \"2\""))
        ));
        assert!(!is_same_manifest(None, Some(before)));
        assert!(!is_same_manifest(Some(before), None));
        assert!(!is_same_manifest(Some("["), Some("[")));
    }
}

//! Which crate may depend on which, read from the manifests.

use toml::{Table, Value};

use super::Finding;
use super::tree::Tree;

/// A package's manifest.
struct Manifest<'a> {
    path: &'a str,
    /// The package's folder, from the repository's root.
    folder: &'a str,
    text: &'a str,
    name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Development,
    Build,
}

/// What the manifests allow themselves and may not.
pub(crate) fn inspect(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut manifests = Vec::new();
    for (path, text) in tree.texts("Cargo.toml") {
        match text.parse::<Table>() {
            Ok(table) => manifests.extend(read(path, text, &table)),
            Err(error) => findings.push(Finding::new(
                path,
                1,
                format!("does not parse: {error}"),
                "make it TOML",
            )),
        }
    }
    let ours: Vec<(&str, &str)> = manifests.iter().map(|m| (m.name.as_str(), m.folder)).collect();
    for manifest in &manifests {
        for dependency in &manifest.dependencies {
            findings.extend(refused(manifest, dependency, &ours).map(|(what, mend)| {
                let line = line_of_dependency(manifest.text, &dependency.name);
                Finding::new(manifest.path, line, what, mend)
            }));
        }
    }
    findings
}

fn refused(
    manifest: &Manifest,
    dependency: &Dependency,
    ours: &[(&str, &str)],
) -> Option<(String, &'static str)> {
    let (folder, name) = (manifest.folder, dependency.name.as_str());
    let target = ours
        .iter()
        .find(|(ours, _)| *ours == name)
        .map(|(_, folder)| *folder);
    let may_not = |mend| Some((format!("{} may not depend on {name}", manifest.name), mend));
    let target_is_service = target.is_some_and(|target| target.starts_with("services/"));

    if folder.starts_with("services/") && target_is_service {
        return may_not("services meet by call and by event: put what both need to read into sdk/contracts");
    }
    if matches!(name, "k8s-openapi") || name == "kube" || name.starts_with("kube-") {
        let allowed = matches!(folder, "operator" | "crds" | "tests" | "cli");
        return if allowed {
            None
        } else {
            may_not("only operator, crds, tests and cli know Kubernetes")
        };
    }
    if matches!(name, "async-nats" | "redis") && !matches!(folder, "sdk/service" | "sdk/testkit") {
        return may_not(
            "only sdk/service and sdk/testkit know the bus and Redis; use what sdk/service offers",
        );
    }
    if folder == "sdk/contracts"
        && (matches!(name, "tokio" | "mongodb" | "bson" | "axum") || target.is_some())
    {
        return may_not("contracts are words without IO, and everything of ours depends on them");
    }
    if folder == "xtask" && target.is_some() {
        return may_not("xtask has to build, and to run, while everything else is broken");
    }
    // The command starts its stores with the testkit's code.
    let for_tests = dependency.kind == Kind::Development || matches!(folder, "tests" | "sdk/testkit" | "cli");
    if target == Some("sdk/testkit") && !for_tests {
        return may_not("move it to [dev-dependencies]: no service may carry the testkit");
    }
    None
}

fn read<'a>(path: &'a str, text: &'a str, table: &Table) -> Option<Manifest<'a>> {
    let name = table.get("package")?.get("name")?.as_str()?.to_owned();
    let folder = path.strip_suffix("Cargo.toml")?.trim_end_matches('/');
    let mut dependencies = Vec::new();
    collect(table, &mut dependencies);
    for conditional in table
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values)
    {
        if let Some(conditional) = conditional.as_table() {
            collect(conditional, &mut dependencies);
        }
    }
    Some(Manifest {
        path,
        folder,
        text,
        name,
        dependencies,
    })
}

fn collect(table: &Table, into: &mut Vec<Dependency>) {
    let sections = [
        ("dependencies", Kind::Normal),
        ("dev-dependencies", Kind::Development),
        ("build-dependencies", Kind::Build),
    ];
    for (section, kind) in sections {
        for (key, value) in table.get(section).and_then(Value::as_table).into_iter().flatten() {
            let renamed = value.get("package").and_then(Value::as_str);
            into.push(Dependency {
                name: renamed.unwrap_or(key).to_owned(),
                kind,
            });
        }
    }
}

/// The line of a dependency's key; the first of the file where it is written in another way.
fn line_of_dependency(text: &str, name: &str) -> usize {
    let names_it = |line: &str| {
        let key = line.split(['=', '.']).next().unwrap_or_default();
        key.trim().trim_matches('"') == name
    };
    text.lines().position(names_it).map_or(1, |index| index + 1)
}

/// The names in the workspace's table of dependencies that are not ours, with their lines.
pub(crate) fn foreign_dependencies(text: &str) -> Vec<(String, usize)> {
    let table = text.parse::<Table>().unwrap_or_default();
    let dependencies = table
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"));
    dependencies
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| (name.clone(), line_of_dependency(text, name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_in(folder: &str, section: &str, dependency: &str) -> bool {
        let path = format!("{folder}/Cargo.toml");
        let text = format!("[package]\nname = \"bigtix-planted\"\n[{section}]\n{dependency}\n");
        let others = [
            (
                "services/tickets/Cargo.toml",
                "[package]\nname = \"bigtix-tickets\"",
            ),
            (
                "sdk/contracts/Cargo.toml",
                "[package]\nname = \"bigtix-contracts\"",
            ),
            ("sdk/testkit/Cargo.toml", "[package]\nname = \"bigtix-testkit\""),
        ];
        let mut files: Vec<(&str, &str)> = others.into_iter().filter(|(other, _)| *other != path).collect();
        files.push((&path, &text));
        let findings = inspect(&Tree::planted(&files));
        assert!(
            findings
                .iter()
                .all(|finding| finding.path == path && finding.line == 4),
            "{findings:?}"
        );
        !findings.is_empty()
    }

    #[test]
    fn a_service_does_not_depend_on_another() {
        assert!(refused_in(
            "services/orders",
            "dependencies",
            "bigtix-tickets.workspace = true"
        ));
        assert!(refused_in(
            "services/orders",
            "dev-dependencies",
            "bigtix-tickets = { path = \"../tickets\" }"
        ));
        assert!(!refused_in(
            "cli",
            "dependencies",
            "bigtix-tickets.workspace = true"
        ));
    }

    #[test]
    fn few_crates_know_kubernetes() {
        for folder in [
            "services/orders",
            "sdk/service",
            "sdk/contracts",
            "xtask",
            "sdk/testkit",
        ] {
            assert!(
                refused_in(folder, "dependencies", "kube.workspace = true"),
                "{folder}"
            );
            assert!(
                refused_in(folder, "dependencies", "k8s-openapi = \"0.29\""),
                "{folder}"
            );
        }
        for folder in ["operator", "crds", "tests", "cli"] {
            assert!(
                !refused_in(folder, "dependencies", "kube.workspace = true"),
                "{folder}"
            );
        }
    }

    #[test]
    fn few_crates_know_bus_and_redis() {
        assert!(refused_in(
            "services/expiration",
            "dependencies",
            "redis.workspace = true"
        ));
        assert!(
            refused_in(
                "tests",
                "target.'cfg(unix)'.dependencies",
                "async-nats = \"0.51\""
            )
            .eq(&true)
        );
        assert!(refused_in("cli", "dependencies", "redis = { version = \"1\" }"));
        assert!(!refused_in(
            "sdk/service",
            "dependencies",
            "redis.workspace = true"
        ));
    }

    #[test]
    fn a_renamed_dependency_is_still_seen() {
        let text =
            "[package]\nname = \"a\"\n[dependencies]\nbus = { package = \"async-nats\", version = \"1\" }";
        assert_eq!(inspect(&Tree::planted(&[("cli/Cargo.toml", text)])).len(), 1);
    }

    #[test]
    fn contracts_have_no_io() {
        for name in ["tokio", "mongodb", "bson", "axum", "kube", "bigtix-tickets"] {
            assert!(
                refused_in(
                    "sdk/contracts",
                    "dependencies",
                    &format!("{name}.workspace = true")
                ),
                "{name}"
            );
        }
        assert!(!refused_in(
            "sdk/contracts",
            "dependencies",
            "serde.workspace = true"
        ));
    }

    #[test]
    fn xtask_stands_alone() {
        assert!(refused_in(
            "xtask",
            "dependencies",
            "bigtix-contracts.workspace = true"
        ));
        assert!(!refused_in("xtask", "dependencies", "anyhow.workspace = true"));
    }

    #[test]
    fn the_testkit_ships_with_no_service() {
        assert!(!refused_in(
            "cli",
            "dependencies",
            "bigtix-testkit.workspace = true"
        ));
        assert!(refused_in(
            "services/orders",
            "build-dependencies",
            "bigtix-testkit.workspace = true"
        ));
        assert!(!refused_in(
            "cli",
            "dev-dependencies",
            "bigtix-testkit.workspace = true"
        ));
        assert!(!refused_in(
            "tests",
            "dependencies",
            "bigtix-testkit.workspace = true"
        ));
    }
}

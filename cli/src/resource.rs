//! The resource that `up` runs.

use std::path::{Path, PathBuf};
use std::{fs, io};

use bigtix_crds::{BigTix, ParseError, Platform, ignored_on_one_machine, line_of, parse_with, validate};

use crate::release;

/// What is run when no file is named.
fn minimal() -> String {
    format!(
        "apiVersion: bigtix.dev/v1alpha1\nkind: BigTix\nmetadata: {{ name: shop }}\nspec: {{ version: {} }}\n",
        release::version()
    )
}

/// What a resource comes to on one machine.
#[derive(Debug)]
pub(crate) struct Resource {
    /// As it was written, with every default.
    pub(crate) bigtix: BigTix,
    /// What it describes.
    pub(crate) platform: Platform,
    /// Fields that it sets and that mean nothing here.
    pub(crate) ignored: Vec<String>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResourceError {
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is refused:\n{}", name, problems.join("\n"))]
    Invalid { name: String, problems: Vec<String> },
}

/// Reads the file, or takes the minimal resource, and sets fields of it.
pub(crate) fn read(
    file: Option<&Path>,
    sets: &[(String, String)],
    separate: bool,
) -> Result<Resource, ResourceError> {
    let (text, name) = text_of(file)?;
    interpret(&text, sets, separate).map_err(|problems| ResourceError::Invalid { name, problems })
}

/// The text of the file and how it is called, or the minimal resource.
pub(crate) fn text_of(file: Option<&Path>) -> Result<(String, String), ResourceError> {
    let Some(path) = file else {
        return Ok((minimal(), "The resource".to_owned()));
    };
    let unreadable = |source| ResourceError::Unreadable {
        path: path.into(),
        source,
    };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    Ok((text, path.display().to_string()))
}

fn interpret(text: &str, sets: &[(String, String)], separate: bool) -> Result<Resource, Vec<String>> {
    let bigtix = parse_with(text, sets).map_err(|error| match error {
        ParseError::Invalid(problems) => problems.iter().map(ToString::to_string).collect(),
        other @ (ParseError::Yaml(_) | ParseError::Set(_)) => vec![other.to_string()],
    })?;
    let platform = validate(&bigtix).map_err(|violations| {
        let located = violations.iter().map(|violation| {
            let was_set = sets
                .iter()
                .any(|(path, _)| violation.path.starts_with(path.as_str()));
            match line_of(text, &violation.path).filter(|_| !was_set) {
                Some(line) => format!("line {line}: {violation}"),
                None => violation.to_string(),
            }
        });
        located.collect::<Vec<_>>()
    })?;
    let ignored = ignored(&bigtix, &platform, separate);
    Ok(Resource {
        bigtix,
        platform,
        ignored,
    })
}

/// The paths of what the resource sets and what means nothing here.
pub(crate) fn ignored(bigtix: &BigTix, platform: &Platform, separate: bool) -> Vec<String> {
    let mut ignored = ignored_on_one_machine(bigtix);
    if !separate {
        // One process holds every service once.
        let several = platform
            .services
            .iter()
            .filter(|(_, workload)| workload.replicas.at_least() > 1);
        ignored.extend(
            several.map(|(service, _)| format!("spec.services.{service}.replicas (without --separate)")),
        );
    }
    ignored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(path: &str, value: &str) -> Vec<(String, String)> {
        vec![(path.into(), value.into())]
    }

    #[test]
    fn the_minimal_resource_is_valid() {
        let resource = interpret(&minimal(), &[], false).unwrap();
        assert_eq!(resource.platform.reservation.as_secs(), 900);
        assert!(resource.ignored.is_empty());
    }

    #[test]
    fn a_field_can_be_set_and_is_checked() {
        let resource = interpret(&minimal(), &set("spec.reservationSeconds", "3"), false).unwrap();
        assert_eq!(resource.platform.reservation.as_secs(), 3);
        let problems = interpret(&minimal(), &set("spec.reservationSecond", "3"), false).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("reservationSecond"), "{problems:?}");
    }

    #[test]
    fn what_means_nothing_here_is_named() {
        let replicas = set("spec.services.orders.replicas", "2");
        let named = "spec.services.orders.replicas (without --separate)".to_owned();
        assert!(
            interpret(&minimal(), &replicas, false)
                .unwrap()
                .ignored
                .contains(&named)
        );
        assert!(
            !interpret(&minimal(), &replicas, true)
                .unwrap()
                .ignored
                .contains(&named)
        );
        let host = interpret(&minimal(), &set("spec.ingress.host", "shop.example"), false).unwrap();
        assert_eq!(host.ignored, ["spec.ingress.host"]);
    }
}

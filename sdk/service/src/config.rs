//! Settings come from the environment. Reading one names it, its unit, its default and its meaning in one place, so the
//! page of all settings is generated from the code that reads them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed by accident.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What the settings page says of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDoc {
    /// The environment variable.
    pub name: &'static str,
    /// Such as `seconds`.
    pub unit: &'static str,
    /// What holds when it is absent; `None` when it must be given.
    pub default: Option<String>,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// Every wrong or missing setting, by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SettingsError(pub Vec<String>);

/// Reads settings and remembers what was wrong, so that a start fails once, with everything that is to be mended.
#[derive(Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    docs: Vec<SettingDoc>,
    problems: Vec<String>,
}

impl Settings {
    /// The settings of this process's environment.
    pub fn from_env() -> Self {
        Self::from_map(std::env::vars().collect())
    }

    /// The settings in `values`.
    pub fn from_map(values: BTreeMap<String, String>) -> Self {
        Self {
            values,
            docs: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// What was asked for so far, in order.
    pub fn docs(&self) -> &[SettingDoc] {
        &self.docs
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`SettingsError`] naming each setting that is missing or wrong.
    pub fn finish(self) -> Result<(), SettingsError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(SettingsError(self.problems))
        }
    }

    /// Notes that a setting is wrong in a way that only its reader can tell.
    pub fn refuse(&mut self, name: &str, why: impl fmt::Display) {
        self.problems.push(format!("{name} {why}"));
    }

    fn read<T>(&mut self, doc: SettingDoc, parse: impl FnOnce(&str) -> Result<T, String>, absent: T) -> T {
        let (name, required) = (doc.name, doc.default.is_none());
        self.docs.push(doc);
        match self.values.get(name).map(|value| value.trim()) {
            None | Some("") => {
                if required {
                    self.refuse(name, "is not set");
                }
                absent
            }
            Some(value) => parse(value).unwrap_or_else(|why| {
                self.refuse(name, why);
                absent
            }),
        }
    }

    /// A text that has a default.
    pub fn text(&mut self, name: &'static str, default: &str, doc: &'static str) -> String {
        let entry = SettingDoc {
            name,
            unit: "text",
            default: Some(default.to_owned()),
            doc,
        };
        self.read(entry, |value| Ok(value.to_owned()), default.to_owned())
    }

    /// A text that must be given.
    pub fn required(&mut self, name: &'static str, doc: &'static str) -> String {
        self.read(
            SettingDoc {
                name,
                unit: "text",
                default: None,
                doc,
            },
            |value| Ok(value.to_owned()),
            String::new(),
        )
    }

    /// A text that may be absent.
    pub fn optional(&mut self, name: &'static str, doc: &'static str) -> Option<String> {
        let entry = SettingDoc {
            name,
            unit: "text",
            default: Some(String::new()),
            doc,
        };
        self.read(entry, |value| Ok(Some(value.to_owned())), None)
    }

    /// A secret that must be given.
    pub fn secret(&mut self, name: &'static str, doc: &'static str) -> Secret {
        self.read(
            SettingDoc {
                name,
                unit: "secret",
                default: None,
                doc,
            },
            |value| Ok(Secret::new(value)),
            Secret::new(""),
        )
    }

    /// A secret that may be absent.
    pub fn optional_secret(&mut self, name: &'static str, doc: &'static str) -> Option<Secret> {
        let entry = SettingDoc {
            name,
            unit: "secret",
            default: Some(String::new()),
            doc,
        };
        self.read(entry, |value| Ok(Some(Secret::new(value))), None)
    }

    /// A whole number.
    pub fn count(&mut self, name: &'static str, default: u64, doc: &'static str) -> u64 {
        self.number(name, "count", default, doc)
    }

    /// A duration in whole seconds.
    pub fn seconds(&mut self, name: &'static str, default: u64, doc: &'static str) -> Duration {
        Duration::from_secs(self.number(name, "seconds", default, doc))
    }

    /// A duration in whole milliseconds.
    pub fn milliseconds(&mut self, name: &'static str, default: u64, doc: &'static str) -> Duration {
        Duration::from_millis(self.number(name, "milliseconds", default, doc))
    }

    fn number(&mut self, name: &'static str, unit: &'static str, default: u64, doc: &'static str) -> u64 {
        let entry = SettingDoc {
            name,
            unit,
            default: Some(default.to_string()),
            doc,
        };
        self.read(
            entry,
            |value| value.parse().map_err(|_| "must be a whole number".to_owned()),
            default,
        )
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str, default: bool, doc: &'static str) -> bool {
        let entry = SettingDoc {
            name,
            unit: "true or false",
            default: Some(default.to_string()),
            doc,
        };
        self.read(
            entry,
            |value| value.parse().map_err(|_| "must be true or false".to_owned()),
            default,
        )
    }

    /// A list separated by commas; empty by default.
    pub fn list(&mut self, name: &'static str, doc: &'static str) -> Vec<String> {
        let entry = SettingDoc {
            name,
            unit: "comma-separated",
            default: Some(String::new()),
            doc,
        };
        let split = |value: &str| {
            Ok(value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect())
        };
        self.read(entry, split, Vec::new())
    }

    /// Anything else that has a default.
    pub fn parsed<T: FromStr + fmt::Display>(
        &mut self,
        name: &'static str,
        unit: &'static str,
        default: T,
        doc: &'static str,
    ) -> T {
        let entry = SettingDoc {
            name,
            unit,
            default: Some(default.to_string()),
            doc,
        };
        self.read(
            entry,
            |value| value.parse().map_err(|_| format!("must be {unit}")),
            default,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: &[(&str, &str)]) -> Settings {
        Settings::from_map(
            values
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let mut settings = settings(&[("LIFETIME", "soon"), ("COMPAT", "maybe")]);
        settings.seconds("LIFETIME", 5, "");
        settings.flag("COMPAT", false, "");
        settings.secret("KEY", "");
        let SettingsError(problems) = settings.finish().unwrap_err();
        assert_eq!(
            problems,
            [
                "LIFETIME must be a whole number",
                "COMPAT must be true or false",
                "KEY is not set"
            ]
        );
    }

    #[test]
    fn a_secret_is_never_printed() {
        let mut settings = settings(&[("KEY", "hunter2")]);
        let secret = settings.secret("KEY", "");
        assert_eq!(secret.expose(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}

//! All settings, as a page and for a program, made from the code that reads them.

use std::fmt::Write as _;

use bigtix_service::config::SettingDoc;
use serde::Serialize;

use crate::services::{HELD, Held};

/// A service and what it reads.
#[derive(Serialize)]
pub(crate) struct OfService {
    service: &'static str,
    settings: Vec<Setting>,
}

/// A variable of the environment.
#[derive(Serialize)]
struct Setting {
    name: &'static str,
    unit: &'static str,
    /// `None` when it must be given.
    default: Option<String>,
    meaning: &'static str,
}

/// Every setting of every service.
pub(crate) fn all() -> Vec<OfService> {
    let of_service = |held: &Held| OfService {
        service: held.service.as_str(),
        settings: (held.settings)().into_iter().map(setting).collect(),
    };
    HELD.iter().map(of_service).collect()
}

fn setting(documented: SettingDoc) -> Setting {
    let SettingDoc {
        name,
        unit,
        default,
        doc,
    } = documented;
    Setting {
        name,
        unit,
        default,
        meaning: doc,
    }
}

/// Every setting of every service, as Markdown.
pub(crate) fn page() -> String {
    let mut page = "# Settings\n\nEach service reads these from its environment.\n".to_owned();
    for held in HELD {
        section(&mut page, held.service.as_str(), &(held.settings)());
    }
    page
}

fn section(page: &mut String, name: &str, settings: &[SettingDoc]) {
    let mut put =
        |line: std::fmt::Arguments<'_>| page.write_fmt(line).expect("writing into a string cannot fail");
    put(format_args!(
        "\n## {name}\n\n| setting | unit | default | meaning |\n|---|---|---|---|\n"
    ));
    for setting in settings {
        let default = match setting.default.as_deref() {
            None => "must be given".to_owned(),
            Some("") => "-".to_owned(),
            Some(default) => format!("`{default}`"),
        };
        put(format_args!(
            "| `{}` | {} | {default} | {} |\n",
            setting.name, setting.unit, setting.doc
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_settings_page_is_current() {
        bigtix_testkit::golden::generated("docs/settings.md", &page());
    }

    #[test]
    fn each_setting_is_a_row() {
        let doc = |default: Option<&str>| SettingDoc {
            name: "X",
            unit: "seconds",
            default: default.map(str::to_owned),
            doc: "how long",
        };
        let mut text = String::new();
        section(&mut text, "orders", &[doc(Some("3")), doc(None), doc(Some(""))]);
        assert!(text.contains("## orders"));
        assert!(text.contains("| `X` | seconds | `3` | how long |"));
        assert!(text.contains("| `X` | seconds | must be given | how long |"));
        assert!(text.contains("| `X` | seconds | - | how long |"));
    }
}

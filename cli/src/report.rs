//! What is known of a shop, wherever it runs: what `status` shows and what `why` explains.

use std::fmt::Write as _;

use serde::Serialize;

use crate::output::Paint;

/// A shop as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The folder, or the namespace and name of the resource.
    pub(crate) shop: String,
    pub(crate) state: State,
    pub(crate) url: Option<String>,
    /// The release of the platform that serves users.
    pub(crate) release: Option<String>,
    /// The rollout under way, in one sentence.
    pub(crate) rollout: Option<String>,
    pub(crate) parts: Vec<Part>,
    /// Everything that is not as wanted, the most urgent first.
    pub(crate) troubles: Vec<Trouble>,
    /// Warnings that were told of late, the newest first; none where all is well.
    pub(crate) events: Vec<String>,
}

/// How a shop is as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// Everything is as asked.
    Ready,
    /// Something is not.
    NotReady,
    /// Nothing runs.
    Stopped,
}

/// A service, a store, or the edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    /// How many instances are ready, and how many are wanted.
    pub(crate) ready: u32,
    pub(crate) wanted: u32,
    pub(crate) detail: Option<String>,
}

impl Part {
    pub(crate) fn is_ready(&self) -> bool {
        self.ready >= self.wanted
    }
}

/// Something that is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trouble {
    /// What is the matter.
    pub(crate) what: String,
    /// Since when, where that is known.
    pub(crate) since: Option<String>,
    /// What to do next.
    pub(crate) next: String,
}

impl Report {
    /// One screen.
    pub(crate) fn status(&self, paint: Paint) -> String {
        let Self {
            shop,
            state,
            url,
            release,
            rollout,
            parts,
            troubles,
            events: _,
        } = self;
        let state = match state {
            State::Ready => paint.good("ready"),
            State::NotReady => paint.fair("not ready"),
            State::Stopped => paint.bad("stopped"),
        };
        let mut page = format!("BigTix {shop}: {state}");
        if let Some(release) = release {
            page.push_str(&format!(", release {release}"));
        }
        if let Some(url) = url {
            page.push_str(&format!(", {url}"));
        }
        page.push('\n');
        if let Some(rollout) = rollout {
            page.push_str(&format!("{}\n", paint.fair(rollout)));
        }
        if !parts.is_empty() {
            page.push('\n');
        }
        let width = |of: fn(&Part) -> usize| parts.iter().map(of).max().unwrap_or(0);
        let names = width(|part| part.name.len());
        let versions = width(|part| part.version.as_deref().unwrap_or_default().len());
        for part in parts {
            let count = format!("{}/{}", part.ready, part.wanted);
            // Padded before it is painted: a colour has a width of its own.
            let count = format!("{count:>5}");
            let count = if part.is_ready() {
                paint.good(&count)
            } else {
                paint.bad(&count)
            };
            let version = part.version.as_deref().unwrap_or_default();
            let line = format!("  {:<names$}  {version:<versions$}  {count}", part.name);
            let detail = part
                .detail
                .as_deref()
                .map(|detail| format!("  {}", paint.faint(detail)));
            writeln!(page, "{}{}", line, detail.unwrap_or_default())
                .expect("writing into a string cannot fail");
        }
        if !troubles.is_empty() {
            page.push('\n');
            page.push_str(&listed(troubles, paint));
        }
        page
    }

    /// What is the matter, or that nothing is.
    pub(crate) fn why(&self, paint: Paint) -> String {
        if self.troubles.is_empty() {
            return paint.good(&format!("Everything of BigTix {} is as wanted.", self.shop));
        }
        let events = self
            .events
            .iter()
            .map(|event| format!("{}\n", paint.faint(event)));
        let told: String = events.collect();
        let heading = if told.is_empty() {
            ""
        } else {
            "\nWarnings of late:\n"
        };
        format!("{}{heading}{told}", listed(&self.troubles, paint))
    }

    /// Whether everything is as asked.
    pub(crate) fn is_as_wanted(&self) -> bool {
        self.state == State::Ready && self.troubles.is_empty()
    }
}

fn listed(troubles: &[Trouble], paint: Paint) -> String {
    let line = |Trouble { what, since, next }: &Trouble| {
        let since = since.as_deref().map(|since| format!(" (since {since})"));
        format!(
            "{}{}\n  next: {next}\n",
            paint.bad(what),
            since.unwrap_or_default()
        )
    };
    troubles.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, ready: u32) -> Part {
        Part {
            name: name.into(),
            version: Some("1.0.0".into()),
            ready,
            wanted: 1,
            detail: (ready == 0).then(|| "mongodb does not answer".into()),
        }
    }

    fn report(troubles: Vec<Trouble>) -> Report {
        Report {
            shop: "in ./.bigtix".into(),
            state: if troubles.is_empty() {
                State::Ready
            } else {
                State::NotReady
            },
            url: Some("http://127.0.0.1:8080".into()),
            release: Some("1.0.0".into()),
            rollout: None,
            parts: vec![
                part("auth", 1),
                part("expiration", u32::from(troubles.is_empty())),
            ],
            troubles,
            events: vec![],
        }
    }

    #[test]
    fn a_shop_fits_on_one_screen() {
        let page = report(vec![]).status(Paint::Plain);
        assert_eq!(
            page,
            "BigTix in ./.bigtix: ready, release 1.0.0, http://127.0.0.1:8080\n\n  \
             auth        1.0.0    1/1\n  expiration  1.0.0    1/1\n"
        );
        assert!(report(vec![]).is_as_wanted());
        assert_eq!(
            report(vec![]).why(Paint::Plain),
            "Everything of BigTix in ./.bigtix is as wanted."
        );
    }

    #[test]
    fn whatever_is_the_matter_comes_with_what_to_do() {
        let trouble = Trouble {
            what: "expiration is not ready: mongodb does not answer".into(),
            since: None,
            next: "bigtix logs mongodb".into(),
        };
        let report = report(vec![trouble]);
        let said = "expiration is not ready: mongodb does not answer\n  next: bigtix logs mongodb\n";
        assert_eq!(report.why(Paint::Plain), said);
        assert!(report.status(Paint::Plain).ends_with(said) && !report.is_as_wanted());
        assert!(report.why(Paint::Coloured).contains("\u{1b}[31m"));
    }
}

//! The blocks of a page. Pure.

/// Why a block of commands is not run. Each word stands in the block's info string, after `sh` or `console`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// Needs a Kubernetes with the operator. The suite on Kubernetes types what the tutorial says of a shop that runs.
    Cluster,
    /// Needs an account elsewhere, such as AWS, Stripe or a forge.
    Cloud,
    /// Takes minutes, compiles, or is what runs this test.
    Long,
    /// Ends by Ctrl-C, or is for somebody who looks at a screen.
    Interactive,
}

impl Marker {
    /// All of them.
    pub const ALL: [(&'static str, Self); 4] = [
        ("cluster", Self::Cluster),
        ("cloud", Self::Cloud),
        ("long", Self::Long),
        ("interactive", Self::Interactive),
    ];

    fn parse(word: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(name, _)| *name == word);
        known.map(|(_, marker)| *marker).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!(
                "`{word}` is no reason for not running a block; there are {}",
                names.join(", ")
            )
        })
    }
}

/// What a block is to the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Commands.
    Commands(Option<Marker>),
    /// Commands after `$`, each with what it says.
    Session(Option<Marker>),
    /// Commands that the page does not show.
    Hidden,
    /// What the commands right before it say.
    Output,
    /// Anything else.
    Other,
}

/// A part of a page between fences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of the opening fence, counted from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
    /// Without the indentation of the fence.
    pub text: String,
    /// Whether nothing but blank lines is between this block and the one before.
    pub follows: bool,
}

/// The blocks of a page, in order.
///
/// # Errors
/// With the line and the reason, when a block of commands has an unknown marker, another name than `sh` or `console`, or
/// no end.
pub fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut found: Vec<Block> = Vec::new();
    let mut follows = false;
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let bare = line.trim_start();
        let (end, kind) = if let Some(info) = bare.strip_prefix("```") {
            (
                "```",
                kind(info).map_err(|why| format!("line {}: {why}", index + 1))?,
            )
        } else if bare == "<!-- sh" {
            ("-->", Kind::Hidden)
        } else {
            follows &= bare.is_empty();
            continue;
        };
        let indentation = line.len() - bare.len();
        let mut text = String::new();
        loop {
            let Some((_, line)) = lines.next() else {
                return Err(format!("line {}: the block has no end", index + 1));
            };
            if line.trim() == end {
                break;
            }
            text.push_str(line.get(indentation..).unwrap_or_default());
            text.push('\n');
        }
        found.push(Block {
            line: index + 1,
            kind,
            text,
            follows,
        });
        follows = true;
    }
    Ok(found)
}

fn kind(info: &str) -> Result<Kind, String> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let mut marker = || words.next().map(Marker::parse).transpose();
    let kind = match language {
        "sh" => Kind::Commands(marker()?),
        "console" => Kind::Session(marker()?),
        "bash" | "shell" => return Err(format!("write `sh` instead of `{language}`")),
        "text" => Kind::Output,
        _ => Kind::Other,
    };
    match (kind, words.next()) {
        (Kind::Commands(_) | Kind::Session(_), Some(more)) => Err(format!("`{more}` is one word too many")),
        _ => Ok(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_what_they_are() {
        let page = "# T\n\n```sh\na\n```\n\n```text\nb\n```\nwords\n- x\n\n  ```console cluster\n  $ c\n    d\n  ```\n<!-- sh\ne\n-->\n";
        let found = blocks(page).expect("a page");
        let seen: Vec<_> = found
            .iter()
            .map(|block| (block.line, block.kind, block.text.as_str(), block.follows))
            .collect();
        assert_eq!(
            seen,
            [
                (3, Kind::Commands(None), "a\n", false),
                (7, Kind::Output, "b\n", true),
                (13, Kind::Session(Some(Marker::Cluster)), "$ c\n  d\n", false),
                (17, Kind::Hidden, "e\n", true),
            ]
        );
    }

    #[test]
    fn a_block_is_run_or_has_a_reason_of_the_list() {
        for (page, why) in [
            ("```sh later\n```\n", "line 1: `later` is no reason"),
            ("\n```bash\n```\n", "line 2: write `sh`"),
            ("```sh cluster cloud\n```\n", "`cloud` is one word too many"),
            ("```sh\n", "no end"),
        ] {
            let refused = blocks(page).expect_err(page);
            assert!(refused.contains(why), "{refused}");
        }
    }
}

//! The shop on this machine, as its data folder and its processes show it.

pub(crate) mod logs;
pub(crate) mod look;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod rollback;

use std::path::Path;

/// The folder that is meant when none is named.
const USUAL: &str = "./.bigtix";

/// A command line for a person to repeat, about the same folder.
pub(crate) fn command(words: &str, dir: &Path) -> String {
    if dir == Path::new(USUAL) {
        format!("bigtix {words}")
    } else {
        format!("bigtix {words} --data {}", dir.display())
    }
}

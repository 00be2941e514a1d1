//! The documentation as a book: built by mdBook, with links that work in it as they do on a forge, and checked as it was
//! built.

mod built;
mod links;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::stages::target;
use crate::tidy::Tree;

/// Builds the book and checks every link of what was built; a failure if one leads nowhere.
pub(crate) fn build(root: &Path) -> Result<ExitCode> {
    let folder = target(root).join("book");
    let status = Command::new(program(root)?)
        .args(["build", "docs", "--dest-dir"])
        .arg(&folder)
        .current_dir(root)
        .status()
        .context("mdbook cannot be started")?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    let site = built::Site::read(&folder)?;
    let findings = site.inspect();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!(
                "book: {} pages, in {}",
                site.len(),
                folder.join("index.html").display()
            );
            Ok(ExitCode::SUCCESS)
        }
        count => {
            println!("book: {count} to mend");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What mdBook asks a preprocessor: a book on standard input, and the book as it shall be on standard output.
pub(crate) fn preprocess(root: &Path) -> Result<ExitCode> {
    let mut asked = String::new();
    io::stdin().read_to_string(&mut asked)?;
    let (_context, mut book): (Value, Value) =
        serde_json::from_str(&asked).context("this is not what mdBook says to a preprocessor")?;
    links::correct(&mut book, &Tree::of_repository(root)?)?;
    println!("{book}");
    Ok(ExitCode::SUCCESS)
}

/// The pinned mdbook, which is installed when it is missing.
fn program(root: &Path) -> Result<PathBuf> {
    let found = Command::new(root.join("scripts/tool.sh"))
        .arg("mdbook")
        .stderr(Stdio::inherit())
        .output()
        .context("scripts/tool.sh cannot be started")?;
    if !found.status.success() {
        bail!("there is no mdbook");
    }
    let folder = String::from_utf8(found.stdout).context("the folder of mdbook")?;
    Ok(Path::new(folder.trim_end()).join("mdbook"))
}

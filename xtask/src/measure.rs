//! The benchmark and the load generator, built for release; and the benchmark of two commits by turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::stages::{become_program, cargo, succeed, target};
use crate::tools;

/// Builds everything for release, then becomes the benchmark.
pub(crate) fn bench(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    become_built(root, "bigtix-bench", arguments)
}

/// The same with the load generator.
pub(crate) fn load(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    become_built(root, "bigtix-load", arguments)
}

/// Builds the shop of another commit, and this one's with the benchmark, which then measures both by turns.
///
/// Both are built by the compiler of this commit, and into one folder: most dependencies are the same, and are not built
/// twice.
pub(crate) fn compare(root: &Path, base: &str, arguments: &[String]) -> Result<ExitCode> {
    let commit = commit_of(root, base)?;
    let folder = target(root).join("compare");
    let program = folder.join(format!("bigtix-{commit}"));
    {
        let tree = Worktree::add(root, folder.join("tree"), &commit)?;
        println!("building {base}, which is {commit}");
        let build = ["build", "--release", "--package", "bigtix"];
        succeed(
            cargo(&tree.path)
                .args(build)
                .env("CARGO_TARGET_DIR", target(root)),
        )
        .with_context(|| format!("{base} cannot be built"))?;
        let built = target(root).join("release/bigtix");
        fs::copy(&built, &program).with_context(|| built.display().to_string())?;
    }
    println!("building what is checked out");
    let mut all = vec!["--base".to_owned(), program.display().to_string()];
    all.extend(["--base-name".to_owned(), base.to_owned()]);
    all.extend_from_slice(arguments);
    become_built(root, "bigtix-bench", &all)
}

fn become_built(root: &Path, program: &str, arguments: &[String]) -> Result<ExitCode> {
    if tools::install()? != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    let packages = ["--package", "bigtix", "--package", "bigtix-tests"];
    succeed(cargo(root).args(["build", "--release"]).args(packages))?;
    let mut program = Command::new(target(root).join("release").join(program));
    become_program(program.args(arguments).current_dir(root))
}

/// The commit that people call by this name, as short as it can be told from others.
fn commit_of(root: &Path, name: &str) -> Result<String> {
    if name.is_empty() {
        bail!("say which commit to compare with, such as BASE=HEAD~1 or BASE=main");
    }
    let said = git(root)
        .args(["rev-parse", "--quiet", "--verify", "--short=10"])
        .arg(format!("{name}^{{commit}}"))
        .output()
        .context("cannot start git")?;
    if !said.status.success() {
        bail!("{name:?} is no commit of this repository");
    }
    Ok(String::from_utf8(said.stdout)?.trim().to_owned())
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder);
    git
}

/// Another commit, checked out in a folder of its own; it is removed when this is dropped.
struct Worktree {
    root: PathBuf,
    path: PathBuf,
}

impl Worktree {
    fn add(root: &Path, path: PathBuf, commit: &str) -> Result<Self> {
        let tree = Self {
            root: root.to_owned(),
            path,
        };
        // One that was interrupted left it behind.
        tree.remove();
        fs::create_dir_all(&tree.path).with_context(|| tree.path.display().to_string())?;
        succeed(
            git(root)
                .args(["worktree", "add", "--quiet", "--force", "--detach"])
                .arg(&tree.path)
                .arg(commit),
        )?;
        Ok(tree)
    }

    fn remove(&self) {
        // There may be nothing to remove, and what cannot be removed is overwritten or complained about by git.
        let _ = fs::remove_dir_all(&self.path);
        let _ = git(&self.root).args(["worktree", "prune"]).status();
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| succeed(git(folder.path()).args(arguments)).unwrap();
        run(&["init", "--quiet"]);
        fs::write(folder.path().join("file"), "first").unwrap();
        run(&["add", "."]);
        let who = ["-c", "user.name=Ann", "-c", "user.email=ann@shop.test"];
        run(&[&who[..], &["commit", "--quiet", "-m", "first"]].concat());
        fs::write(folder.path().join("file"), "changed since").unwrap();
        folder
    }

    #[test]
    fn a_commit_is_known_by_its_names() {
        let repository = repository();
        let commit = commit_of(repository.path(), "HEAD").unwrap();
        assert_eq!(commit_of(repository.path(), &commit).unwrap(), commit);
        let error = commit_of(repository.path(), "nowhere").unwrap_err().to_string();
        assert!(error.contains("\"nowhere\" is no commit"), "{error}");
        assert!(
            commit_of(repository.path(), "")
                .unwrap_err()
                .to_string()
                .contains("BASE=")
        );
    }

    #[test]
    fn another_commit_is_checked_out_beside_this_one_and_removed_again() {
        let repository = repository();
        let root = repository.path();
        let commit = commit_of(root, "HEAD").unwrap();
        let path = root.join("target/compare/tree");
        // What an interrupted run left.
        std::mem::forget(Worktree::add(root, path.clone(), &commit).unwrap());
        {
            let tree = Worktree::add(root, path.clone(), &commit).unwrap();
            assert_eq!(fs::read_to_string(tree.path.join("file")).unwrap(), "first");
        }
        assert!(!path.exists());
        let list = git(root).args(["worktree", "list"]).output().unwrap();
        assert_eq!(String::from_utf8(list.stdout).unwrap().lines().count(), 1);
        assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "changed since");
    }
}

//! What git knows of the last published release, and what differs from it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use semver::Version;

use super::super::plan::Commit;

/// Variables by which a hook tells git of its own repository, which need not be the one that is asked about.
const OF_HOOKS: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// Git in a folder of a repository. All paths are from that folder.
pub(super) struct Git<'a> {
    folder: &'a Path,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum LastRelease {
    /// The release and its tag.
    Tagged(Version, String),
    Never,
    /// The clone lacks what it takes to say; what to do, as a sentence.
    Hidden(String),
}

impl<'a> Git<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// The greatest `v<version>` of the tags that HEAD has behind it.
    pub(super) fn last_release(&self) -> Result<LastRelease> {
        let is_shallow = self.run(&["rev-parse", "--is-shallow-repository"])?.trim() == "true";
        let brings = "git fetch --unshallow --tags brings what is missing";
        let tags = self.output(&["tag", "--list", "v*", "--merged", "HEAD"])?;
        if is_shallow && !tags.status.success() {
            let reason = format!("this clone is shallow and lacks what its tags are of; {brings}");
            return Ok(LastRelease::Hidden(reason));
        }
        let tags = succeeded("tag", tags)?;
        let releases = tags.lines().filter_map(|tag| {
            let version = tag.strip_prefix('v')?.parse::<Version>().ok()?;
            Some((version, tag.to_owned()))
        });
        let Some((version, tag)) = releases.max() else {
            let reason = || format!("this clone is shallow and reaches no tag of a release; {brings}");
            return Ok(if is_shallow {
                LastRelease::Hidden(reason())
            } else {
                LastRelease::Never
            });
        };
        let tree = format!("{tag}^{{tree}}");
        if !self.output(&["cat-file", "-e", &tree])?.status.success() {
            let mend = if is_shallow {
                brings
            } else {
                "git fetch --refetch --tags brings them"
            };
            let reason = format!("this clone lacks the files of {tag}; {mend}");
            return Ok(LastRelease::Hidden(reason));
        }
        Ok(LastRelease::Tagged(version, tag))
    }

    /// What differs between the tag and the tree: committed, not committed yet, or never added.
    pub(super) fn differing(&self, tag: &str) -> Result<BTreeSet<String>> {
        let known = self.run(&[
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--relative",
            tag,
            "--",
        ])?;
        let added = self.run(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        let paths = known.split_terminator('\0').chain(added.split_terminator('\0'));
        Ok(paths.map(ToOwned::to_owned).collect())
    }

    /// The commits since the tag, newest first, each with the files that it changed. Merges change nothing themselves.
    pub(super) fn commits_since(&self, tag: &str) -> Result<Vec<(Commit, Vec<String>)>> {
        let log = self.run(&[
            "log",
            "-z",
            "--no-merges",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--relative",
            "--format=%x01%h%x02%s%x02",
            &format!("{tag}..HEAD"),
            "--",
        ])?;
        let commits = log.split('\x01').filter_map(|commit| {
            let mut parts = commit.splitn(3, '\x02');
            let (id, subject, files) = (parts.next()?, parts.next()?, parts.next()?);
            let files = files.split(['\0', '\n']).filter(|file| !file.is_empty());
            let commit = Commit {
                id: id.to_owned(),
                subject: subject.to_owned(),
            };
            Some((commit, files.map(ToOwned::to_owned).collect()))
        });
        Ok(commits.collect())
    }

    /// The files that the tag has in a folder, or the file of that path.
    pub(super) fn files_of(&self, tag: &str, path: &str) -> Result<Vec<String>> {
        let listing = self.run(&["ls-tree", "-r", "-z", "--name-only", tag, "--", path])?;
        Ok(listing.split_terminator('\0').map(ToOwned::to_owned).collect())
    }

    /// A file of the tag.
    pub(super) fn text(&self, tag: &str, path: &str) -> Result<String> {
        self.run(&["cat-file", "blob", &format!("{tag}:./{path}")])
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        succeeded(arguments[0], self.output(arguments)?)
    }

    fn output(&self, arguments: &[&str]) -> Result<Output> {
        let mut git = Command::new("git");
        for variable in OF_HOOKS {
            git.env_remove(variable);
        }
        let git = git.args(arguments).current_dir(self.folder);
        git.output().context("cannot start git")
    }
}

fn succeeded(what: &str, output: Output) -> Result<String> {
    ensure!(
        output.status.success(),
        "git {what}: {}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

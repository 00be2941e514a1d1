//! A share of a processor for some processes: a control group, of either version.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// So short that what is stopped in the middle goes on soon.
const PERIOD_MICROS: u32 = 10_000;
const GROUP: &str = "bigtix-bench";

/// Processes that share part of a processor; they have all of it again once this is dropped.
#[derive(Debug)]
pub struct Cage {
    group: PathBuf,
    parent: PathBuf,
    processes: Vec<u32>,
}

impl Cage {
    /// Holds the processes to `share` of one processor.
    ///
    /// # Errors
    /// When this system does not let us, as without root.
    pub fn hold(processes: &[u32], share: f64) -> Result<Self> {
        let version_1 = Path::new("/sys/fs/cgroup/cpu");
        let is_version_1 = version_1.is_dir();
        let parent = if is_version_1 {
            version_1.to_owned()
        } else {
            PathBuf::from("/sys/fs/cgroup")
        };
        let cage = Self {
            group: parent.join(GROUP),
            parent,
            processes: processes.to_vec(),
        };
        fs::create_dir_all(&cage.group).context("a control group takes root")?;
        let quota = (f64::from(PERIOD_MICROS) * share) as u32;
        if is_version_1 {
            cage.write("cpu.cfs_period_us", &PERIOD_MICROS.to_string())?;
            cage.write("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            fs::write(cage.parent.join("cgroup.subtree_control"), "+cpu").context("the controller cpu")?;
            cage.write("cpu.max", &format!("{quota} {PERIOD_MICROS}"))?;
        }
        for process in processes {
            cage.write("cgroup.procs", &process.to_string())?;
        }
        Ok(cage)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.group.join(file);
        fs::write(&path, text).with_context(|| format!("{}: {text}", path.display()))
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        for process in &self.processes {
            // It may have ended.
            let _ = fs::write(self.parent.join("cgroup.procs"), process.to_string());
        }
        let _ = fs::remove_dir(&self.group);
    }
}

//! What the system knows of a process.

use anyhow::{Context, Result};

/// How much memory a process has resident, in megabytes.
///
/// # Errors
/// When the process is not there, or the system keeps no such books.
pub fn resident_megabytes(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .with_context(|| format!("the memory of process {process}"))?;
    let kilobytes: Option<f64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok());
    let kilobytes = kilobytes.context("VmRSS is missing")?;
    Ok(kilobytes / 1024.0)
}

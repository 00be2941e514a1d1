//! Pinned programs for one machine, in a folder outside the clone.
//!
//! Facts are observed, a pure plan is made of them, and only then is anything started: what cannot be
//! installed is said in one list beforehand.

mod catalog;
mod facts;
mod install;
mod place;
mod plan;

use std::fs::{self, File};
use std::process::ExitCode;

use anyhow::{Context, Result};

use catalog::Tool;
use facts::Facts;
use place::Place;

/// Installs what is missing. A second run finds everything and starts no program at all.
pub(crate) fn install() -> Result<ExitCode> {
    let place = Place::from_environment()?;
    fs::create_dir_all(place.bin()).with_context(|| format!("cannot create {}", place.bin().display()))?;
    let lock = File::create(place.lock())?;
    lock.lock().context("cannot lock the folder of tools")?;

    let missing: Vec<Tool> = Tool::ALL
        .into_iter()
        .filter(|tool| !install::is_current(&place, *tool))
        .collect();
    let plan = if missing.is_empty() {
        plan::Plan::default()
    } else {
        match plan::make(&missing, &Facts::observe(&place)) {
            Ok(plan) => plan,
            Err(needs) => {
                eprint!("{}", plan::in_words(&needs));
                return Ok(ExitCode::FAILURE);
            }
        }
    };
    for tool in Tool::ALL.into_iter().filter(|tool| !missing.contains(tool)) {
        println!("{:<28} already there", tool.label());
    }
    for step in &plan.steps {
        install::carry_out(&place, step)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a JSON object with the path of each program, `null` where there is none.
pub(crate) fn print() -> Result<ExitCode> {
    let place = Place::from_environment()?;
    let paths: serde_json::Map<String, serde_json::Value> = Tool::ALL
        .into_iter()
        .map(|tool| {
            let path = place.resolve(tool);
            (
                tool.key().to_owned(),
                path.map_or(serde_json::Value::Null, |path| path.display().to_string().into()),
            )
        })
        .collect();
    println!("{}", serde_json::to_string_pretty(&paths)?);
    Ok(ExitCode::SUCCESS)
}

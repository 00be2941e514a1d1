//! Proof that the checkers can fail: the shop is built with one mistake after the other, in a copy of the sources, and
//! each has to be found.

mod catalog;
mod workshop;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use bigtix_tests::faults::run::{self, Plan};
use bigtix_tests::faults::schedule::schedule;

use self::catalog::{DEFECTS, Defect};
use self::workshop::Workshop;
use crate::rounds::{Folder, until_interrupted};

/// How long faults come in one attempt.
const LASTING: Duration = Duration::from_secs(20);
/// A mistake may keep a shop from ever coming to rest.
const PATIENCE: Duration = Duration::from_secs(40);
/// A mistake that needs luck to be seen gets so many seeds.
const ATTEMPTS: usize = 8;

/// So many violations are printed of each.
const SHOWN: usize = 5;

/// What found a defect.
struct Finding {
    seed: u64,
    /// By checker, how many violations.
    checkers: BTreeMap<&'static str, usize>,
    example: String,
}

/// Tries those of these names, or all; fails when one is not found.
pub(crate) fn all(names: &[String]) -> Result<ExitCode> {
    for name in names {
        let is_known = DEFECTS.iter().any(|defect| defect.name == name);
        ensure!(is_known, "there is no defect {name}");
    }
    let chosen = DEFECTS
        .iter()
        .filter(|defect| names.is_empty() || names.iter().any(|name| name == defect.name));
    let workshop = Workshop::open()?;
    let mut rows = Vec::new();
    for defect in chosen {
        let program = workshop.build(defect.patch)?;
        let found = look_for(defect, &program)?;
        println!("{}", row(defect, found.as_ref()));
        rows.push((defect, found));
    }
    workshop.restore()?;
    println!("\ndefect                            found by");
    for (defect, found) in &rows {
        println!("{}", row(defect, found.as_ref()));
    }
    let missed = rows.iter().filter(|(_, found)| found.is_none()).count();
    println!("{} of {} found", rows.len() - missed, rows.len());
    Ok(if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A defect whose patch no longer applies would go unnoticed until somebody asks for all of them.
pub(crate) fn fit_the_sources() -> Result<(), String> {
    let misfit = |defect: &Defect| {
        let error = workshop::fits(defect.patch).err()?;
        Some(format!("{}: {error:#}\n", defect.name))
    };
    let misfits: String = DEFECTS.iter().filter_map(misfit).collect();
    if misfits.is_empty() { Ok(()) } else { Err(misfits) }
}

fn row(defect: &Defect, found: Option<&Finding>) -> String {
    match found {
        None => format!("{:32}  NOT FOUND", defect.name),
        Some(Finding {
            seed,
            checkers,
            example,
        }) => {
            let checkers: Vec<String> = checkers
                .iter()
                .map(|(checker, count)| format!("{checker} ({count})"))
                .collect();
            let by = checkers.join(", ");
            let example: String = example.chars().take(160).collect();
            format!("{:32}  {by}; seed {seed}; such as: {example}", defect.name)
        }
    }
}

fn look_for(defect: &Defect, program: &Path) -> Result<Option<Finding>> {
    let abilities = run::abilities();
    let fits = |seed: &u64| {
        let instances = schedule(*seed, LASTING, abilities, defect.faults).instances;
        defect.instances.is_none_or(|wanted| wanted == instances)
    };
    for seed in (1..).filter(fits).take(ATTEMPTS) {
        let plan = Plan {
            program: program.to_owned(),
            seed,
            lasting: LASTING,
            only: defect.faults.iter().map(|kind| (*kind).to_owned()).collect(),
            patience: PATIENCE,
        };
        let folder = Folder::new()?;
        let runtime = tokio::runtime::Runtime::new()?;
        let outcome = runtime.block_on(until_interrupted(run::run(&plan, abilities, folder.path())))?;
        for violation in outcome.violations.iter().take(SHOWN) {
            println!("{}, seed {seed}: {violation}", defect.name);
        }
        if let Some(first) = outcome.violations.first() {
            let mut checkers = BTreeMap::new();
            for violation in &outcome.violations {
                *checkers.entry(violation.checker).or_default() += 1;
            }
            return Ok(Some(Finding {
                seed,
                checkers,
                example: first.what.clone(),
            }));
        }
    }
    Ok(None)
}

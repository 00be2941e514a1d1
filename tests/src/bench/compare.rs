//! The same scenarios of two builds by turns, A B A B: what the machine does to one of them it does to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use super::report::{Figure, Spread, short};
use super::run::{Plan, run};

/// One of two builds.
#[derive(Debug, Clone)]
pub struct Build {
    /// What people call it.
    pub name: String,
    /// The program `bigtix`.
    pub program: PathBuf,
    /// Where its data is.
    pub data: PathBuf,
}

/// What is to be thought of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// More in every pair of rounds.
    More,
    /// Less in every pair of rounds.
    Less,
    /// Sometimes more and sometimes less, so that nothing is known.
    Noise,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::More => "more",
            Self::Less => "less",
            Self::Noise => "noise",
        })
    }
}

/// One figure of both builds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// Of both.
    pub unit: &'static str,
    /// What the older build did.
    pub base: Spread,
    /// What the newer build did.
    pub this: Spread,
    /// `this / base` of each pair of rounds.
    pub ratio: Spread,
    /// What is to be thought of that.
    pub verdict: Verdict,
    /// The same ratio of the baselines, which no build has a part in: how much the machine itself changed.
    pub machine: Option<Spread>,
}

/// A value of one round, and its baseline's.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    value: f64,
    baseline: Option<f64>,
}

/// Values of rounds, by figure.
#[derive(Debug, Default)]
struct Samples(BTreeMap<String, (&'static str, Vec<Sample>)>);

impl Samples {
    fn add(&mut self, figures: BTreeMap<&'static str, Figure>) {
        for (name, figure) in figures {
            let sample = Sample {
                value: figure.value.median,
                baseline: figure.baseline.map(|baseline| baseline.median),
            };
            self.push(name.to_owned(), figure.unit, sample);
            if let Some(value) = figure.p99 {
                let sample = Sample {
                    value,
                    baseline: None,
                };
                self.push(format!("{name} p99"), "ms", sample);
            }
        }
    }

    fn push(&mut self, name: String, unit: &'static str, sample: Sample) {
        let (_, samples) = self.0.entry(name).or_insert((unit, Vec::new()));
        samples.push(sample);
    }
}

/// All figures of both builds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The older build.
    pub base: String,
    /// The newer build.
    pub this: String,
    /// What was measured.
    pub pairs: BTreeMap<String, Pair>,
}

/// Measures both builds by turns, `plan.rounds` times each.
///
/// # Errors
/// When anything goes wrong with one of them.
pub async fn compare(plan: &Plan, base: &Build, this: &Build) -> Result<Comparison> {
    let (mut of_base, mut of_this) = (Samples::default(), Samples::default());
    for round in 1..=plan.rounds {
        for (build, samples) in [(base, &mut of_base), (this, &mut of_this)] {
            eprintln!("round {round} of {}: {}", plan.rounds, build.name);
            let once = Plan {
                program: build.program.clone(),
                data: build.data.clone(),
                rounds: 1,
                ..plan.clone()
            };
            let report = run(&once).await.with_context(|| build.name.clone())?;
            samples.add(report.figures());
        }
    }
    Ok(Comparison {
        base: base.name.clone(),
        this: this.name.clone(),
        pairs: pairs(&of_base, &of_this),
    })
}

fn pairs(base: &Samples, this: &Samples) -> BTreeMap<String, Pair> {
    let names: BTreeSet<&String> = base.0.keys().filter(|name| this.0.contains_key(*name)).collect();
    let paired = names.into_iter().filter_map(|name| {
        let ((unit, base), (_, this)) = (base.0.get(name)?, this.0.get(name)?);
        Some((name.clone(), pair(unit, base, this)?))
    });
    paired.collect()
}

fn pair(unit: &'static str, base: &[Sample], this: &[Sample]) -> Option<Pair> {
    let values = |samples: &[Sample]| samples.iter().map(|sample| sample.value).collect::<Vec<_>>();
    let rounds = || base.iter().zip(this);
    let ratios: Vec<f64> = rounds().map(|(base, this)| this.value / base.value).collect();
    let machine: Vec<f64> = rounds()
        .filter_map(|(base, this)| Some(this.baseline? / base.baseline?))
        .collect();
    let ratio = Spread::of(&ratios)?;
    Some(Pair {
        unit,
        base: Spread::of(&values(base))?,
        this: Spread::of(&values(this))?,
        ratio,
        verdict: verdict(ratio),
        machine: Spread::of(&machine),
    })
}

/// A change counts when every pair of rounds shows it.
fn verdict(ratio: Spread) -> Verdict {
    if ratio.min > 1.0 {
        Verdict::More
    } else if ratio.max < 1.0 {
        Verdict::Less
    } else {
        Verdict::Noise
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, this, pairs } = self;
        writeln!(
            f,
            "{:<28} {base:>26} {this:>26} {:<5} {:>20} {:<6} {:>20}",
            "scenario", "unit", "ratio", "", "machine"
        )?;
        for (name, pair) in pairs {
            let Pair {
                unit,
                base,
                this,
                ratio,
                verdict,
                machine,
            } = pair;
            let machine = machine.map_or("-".into(), |machine| machine.to_string());
            writeln!(
                f,
                "{name:<28} {:>26} {:>26} {unit:<5} {:>20} {verdict:<6} {machine:>20}",
                base.to_string(),
                this.to_string(),
                ratio.to_string(),
            )?;
        }
        let noise = pairs
            .values()
            .filter(|pair| pair.verdict == Verdict::Noise)
            .count();
        write!(
            f,
            "{noise} of {} lie within the noise. The machine itself did {} as much for the newer build.",
            pairs.len(),
            self.machine().map_or("an unknown share".into(), short)
        )
    }
}

impl Comparison {
    /// The median of how much the machine changed.
    fn machine(&self) -> Option<f64> {
        let medians: Vec<f64> = self
            .pairs
            .values()
            .filter_map(|pair| pair.machine.map(|machine| machine.median))
            .collect();
        Spread::of(&medians).map(|spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[(f64, f64)]) -> Vec<Sample> {
        let of = |&(value, baseline)| Sample {
            value,
            baseline: Some(baseline),
        };
        values.iter().map(of).collect()
    }

    #[test]
    fn rounds_are_compared_with_those_beside_them() {
        // The machine slows down by half; the newer build is faster by a fifth all the time.
        let base = samples(&[(100.0, 1000.0), (80.0, 800.0), (50.0, 500.0)]);
        let this = samples(&[(120.0, 1000.0), (96.0, 800.0), (60.0, 500.0)]);
        let pair = pair("1/s", &base, &this).unwrap();
        assert_eq!(
            pair.ratio,
            Spread {
                median: 1.2,
                min: 1.2,
                max: 1.2
            }
        );
        assert_eq!((pair.verdict, pair.machine.unwrap().median), (Verdict::More, 1.0));
        assert_eq!(
            pair.base,
            Spread {
                median: 80.0,
                min: 50.0,
                max: 100.0
            }
        );
    }

    #[test]
    fn a_change_that_not_every_pair_shows_is_noise() {
        let verdict_of = |ratios: &[f64]| verdict(Spread::of(ratios).unwrap());
        assert_eq!(verdict_of(&[1.3, 0.99, 1.2]), Verdict::Noise);
        assert_eq!(verdict_of(&[1.0, 1.0]), Verdict::Noise);
        assert_eq!(verdict_of(&[0.9, 0.8]), Verdict::Less);
        assert_eq!(verdict_of(&[1.01, 1.5]), Verdict::More);
    }

    #[test]
    fn what_only_one_build_has_is_not_compared() {
        let (mut base, mut this) = (Samples::default(), Samples::default());
        let sample = Sample {
            value: 1.0,
            baseline: None,
        };
        base.push("old".into(), "1/s", sample);
        base.push("both".into(), "1/s", sample);
        this.push("both".into(), "1/s", sample);
        this.push("new".into(), "1/s", sample);
        assert_eq!(pairs(&base, &this).into_keys().collect::<Vec<_>>(), ["both"]);
    }
}

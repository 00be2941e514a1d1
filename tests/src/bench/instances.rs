//! The same reservations in shops whose orders are run in other ways: as part of one process, as one process or two, and
//! over two partitions.

use std::path::PathBuf;

use anyhow::{Context, Result};
use bigtix_testkit::stores::{Mongod, StoresConfig};

use super::report::Report;
use super::run::Plan;
use super::under_load::UnderLoad;
use crate::shop::{Mode, further_partition};

/// How orders are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All services in one process.
    Together,
    /// One process of each service.
    One,
    /// The same with two of orders.
    Two,
    /// One process of each service, and events spread over the shop's mongod and another one beside it.
    TwoPartitions,
}

impl Shape {
    /// Each, in the order in which they are measured.
    const ALL: [Self; 4] = [Self::Together, Self::One, Self::Two, Self::TwoPartitions];

    /// As it is written.
    const fn name(self) -> &'static str {
        match self {
            Self::Together => "one_process",
            Self::One => "one_instance",
            Self::Two => "two_instances",
            Self::TwoPartitions => "two_partitions",
        }
    }

    const fn mode(self) -> Mode {
        match self {
            Self::Together => Mode::OneProcess,
            Self::One | Self::Two | Self::TwoPartitions => Mode::Separate { instances: 1 },
        }
    }

    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Two => &[("spec.services.orders.replicas", "2")],
            Self::Together | Self::One | Self::TwoPartitions => &[],
        }
    }
}

/// Measures each by turns, `plan.rounds` times: tickets of many events are reserved.
///
/// # Errors
/// When a shop does not start, or anything goes wrong while it is measured.
pub async fn run_each(plan: &Plan) -> Result<Report> {
    let mut report = Report::default();
    for round in 1..=plan.rounds {
        eprintln!("round {round} of {}", plan.rounds);
        for shape in Shape::ALL {
            let plan = Plan {
                data: plan.data.join(shape.name()).join("shop"),
                ..plan.clone()
            };
            measure(&plan, shape, &mut report)
                .await
                .with_context(|| format!("measuring {}", shape.name()))?;
        }
    }
    Ok(report)
}

async fn measure(plan: &Plan, shape: Shape, report: &mut Report) -> Result<()> {
    let second = match shape {
        Shape::Together | Shape::One | Shape::Two => None,
        Shape::TwoPartitions => Some(start_beside(plan.data.with_file_name("second")).await?),
    };
    let uri = second.as_ref().map(Mongod::admin_uri);
    let partitions = uri.iter().flat_map(|uri| further_partition(uri));
    let settings: Vec<_> = partitions.chain(shape.settings().iter().copied()).collect();
    let subject = plan.start_with(shape.mode(), &settings)?;
    let measured = match UnderLoad::prepare(plan, &subject).await {
        Ok(bench) => bench.reserve_spread(shape.name(), report).await,
        Err(error) => Err(error),
    };
    subject.shop.stop().await;
    if let Some(second) = second {
        second.stop().await;
    }
    measured
}

async fn start_beside(folder: PathBuf) -> Result<Mongod> {
    let config = StoresConfig::new(&folder, ["orders"]);
    Mongod::start(&config).await.context("a second mongod")
}

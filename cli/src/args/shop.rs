//! The commands that look at a shop or change it, on one machine and in a cluster alike.

use std::path::PathBuf;

use clap::Args;

use super::{DataArgs, Output, assignment};

/// Which shop, and how it is told.
#[derive(Debug, Clone, Args)]
pub struct ShopArgs {
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// Where the cluster is.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// For a person or for a program.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// A shop in a cluster. Any of these means that it is not the one on this machine.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "In a cluster")]
pub struct ClusterArgs {
    /// The context of the kubeconfig; without one, the current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The namespace of the shop; without one, that of the context.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The name of the BigTix resource; without one, the only one of the namespace.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The namespace of the operator, for `plan` and `rollback`.
    #[arg(long, value_name = "NAME", default_value = "bigtix-system")]
    pub operator_namespace: String,
}

impl ClusterArgs {
    /// Whether any of them is given.
    #[must_use]
    pub fn is_meant(&self) -> bool {
        let Self {
            context,
            namespace,
            name,
            operator_namespace: _,
        } = self;
        [context, namespace, name].into_iter().any(Option::is_some)
    }
}

/// What to show.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Show it anew whenever it changes, until Ctrl-C.
    #[arg(short, long)]
    pub watch: bool,
}

/// Of what.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
}

/// What to plan.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// The file with the edited resource. Without one: on one machine the minimal resource, as with `up`; in a cluster
    /// the resource as it is there.
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Change one field of the resource, such as spec.reservationSeconds=3; can be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// On one machine: the port of the shop; without one, as it is.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// On one machine: each instance of each service as a process of its own; without it, as it is.
    #[arg(long)]
    pub separate: bool,
}

/// Of what.
#[derive(Debug, Clone, Args)]
pub struct RollbackArgs {
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Only say what would be gone back to.
    #[arg(long)]
    pub dry_run: bool,
}

/// Which lines.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Of which parts, such as `orders` or `mongodb`; all when none is named.
    #[arg(value_name = "PART")]
    pub parts: Vec<String>,
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Go on with what is logged from now on, until Ctrl-C.
    #[arg(long)]
    pub follow: bool,
    /// How many of the last lines of each part to begin with.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub tail: u32,
}

/// How.
#[derive(Debug, Clone, Args)]
pub struct OpenArgs {
    /// Which shop.
    #[command(flatten)]
    pub shop: ShopArgs,
    /// Only print the address.
    #[arg(long)]
    pub print: bool,
}

//! The commands that look at a shop or change it, wherever it runs.

mod browser;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use crate::applied::{Applied, Asked};
use crate::args::{LogsArgs, OpenArgs, PlanArgs, RollbackArgs, ShopArgs, StatusArgs, WhyArgs};
use crate::cluster::{self, Cluster, ClusterError};
use crate::machine;
use crate::output::{Output, Paint, abandoned, json, say};
use crate::report::{Report, Trouble};
use crate::resource::{self, ResourceError};
use crate::run_file::RunFile;
use crate::terminal::Terminal;
use crate::{DIFFERS, REFUSED, folder, runtime};

/// How often a shop is looked at that is watched.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("{}: {source}", .dir.display())]
    Folder {
        dir: std::path::PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    Resource(#[from] ResourceError),
    #[error(transparent)]
    Plan(#[from] machine::plan::PlanError),
    #[error(transparent)]
    Logs(#[from] machine::logs::LogsError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    ClusterPlan(#[from] cluster::plan::PlanError),
    #[error(transparent)]
    ClusterLogs(#[from] cluster::logs::LogsError),
    #[error(transparent)]
    ClusterRollback(#[from] cluster::rollback::RollbackError),
    #[error("{0} has no address yet: `{1}` says what it waits for")]
    NoAddress(String, String),
    #[error(transparent)]
    Rollback(#[from] machine::rollback::RollbackError),
    #[error(
        "BigTix runs on {dir} and was started by a bigtix that did not note what it was asked for: stop it with `{}` and start it \
         again", machine::command("down", .0)
    , dir = .0.display())]
    Unnoted(std::path::PathBuf),
    #[error("BigTix does not run on {}: start it with `{}`", .0.display(), machine::command("up --detach", .0))]
    NotRunning(std::path::PathBuf),
}

impl ShopError {
    fn code(&self) -> ExitCode {
        match self {
            Self::Resource(ResourceError::Invalid { .. })
            | Self::ClusterPlan(cluster::plan::PlanError::Resource(ResourceError::Invalid { .. })) => {
                ExitCode::from(REFUSED)
            }
            _ => ExitCode::FAILURE,
        }
    }
}

/// Does the work, says why it could not be done, and turns its outcome into an exit code.
fn carried_out(work: impl Future<Output = Result<ExitCode, ShopError>>) -> ExitCode {
    runtime().block_on(work).unwrap_or_else(|error| {
        Terminal::Person.fail(error.to_string());
        error.code()
    })
}

/// What may go on for ever goes on until nobody reads it any more.
async fn while_read(work: impl Future<Output = Result<ExitCode, ShopError>>) -> Result<ExitCode, ShopError> {
    tokio::select! {
        outcome = work => outcome,
        () = abandoned() => Ok(ExitCode::SUCCESS),
    }
}

fn found(is_something: bool) -> ExitCode {
    if is_something {
        ExitCode::from(DIFFERS)
    } else {
        ExitCode::SUCCESS
    }
}

/// The cluster that is meant; none when it is this machine. Called as a plugin of kubectl it is always a cluster.
async fn cluster_of(shop: &ShopArgs) -> Result<Option<Cluster>, ShopError> {
    if shop.cluster.is_meant() || is_plugin(std::env::args_os().next()) {
        Ok(Some(Cluster::connect(&shop.cluster).await?))
    } else {
        Ok(None)
    }
}

/// A program of the name `kubectl-bigtix` on the path is what `kubectl bigtix` runs.
fn is_plugin(called_as: Option<std::ffi::OsString>) -> bool {
    let name = called_as
        .as_ref()
        .and_then(|path| std::path::Path::new(path).file_name()?.to_str());
    name.is_some_and(|name| name.starts_with("kubectl-"))
}

async fn report(shop: &ShopArgs) -> Result<Report, ShopError> {
    if let Some(cluster) = cluster_of(shop).await? {
        let found = cluster.shop(shop.cluster.name.as_deref()).await?;
        let events = cluster.events(&kube::ResourceExt::name_any(&found)).await?;
        let command = |words: &str| cluster.command(words, &found);
        return Ok(cluster::report::report(&found, &events, &command));
    }
    let dir = &shop.data.data;
    let seen = machine::look::look(dir).await;
    let seen = seen.map_err(|source| ShopError::Folder {
        dir: dir.clone(),
        source,
    })?;
    Ok(machine::report::report(&seen))
}

/// `bigtix status`.
pub(crate) fn status(args: &StatusArgs) -> ExitCode {
    carried_out(async {
        let StatusArgs { shop, watch } = args;
        let first = report(shop).await?;
        if *watch {
            return while_read(watched(shop, first)).await;
        }
        shop.output.tell(&first, |paint| first.status(paint));
        Ok(found(!first.is_as_wanted()))
    })
}

/// Until it is ended. A terminal shows the present; whatever else reads gets each change.
async fn watched(shop: &ShopArgs, first: Report) -> Result<ExitCode, ShopError> {
    let is_screen = shop.output == Output::Text && io::stdout().is_terminal();
    let (mut present, mut shown) = (first, None);
    loop {
        if shown.as_ref() != Some(&present) {
            match (is_screen, shop.output) {
                // Home, the screen, and what has scrolled away.
                (true, _) => say(&format!(
                    "\u{1b}[H\u{1b}[2J\u{1b}[3J{}",
                    present.status(Paint::of_standard_output())
                )),
                (false, Output::Json) => say(&json(&present)),
                (false, Output::Text) => say(&present.status(Paint::Plain)),
            }
            shown = Some(present);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        present = report(shop).await?;
    }
}

/// What `bigtix why` tells a program.
#[derive(Serialize)]
struct Why<'a> {
    troubles: &'a [Trouble],
    events: &'a [String],
}

/// `bigtix why`.
pub(crate) fn why(args: &WhyArgs) -> ExitCode {
    carried_out(async {
        let report = report(&args.shop).await?;
        let why = Why {
            troubles: &report.troubles,
            events: &report.events,
        };
        args.shop.output.tell(&why, |paint| report.why(paint));
        Ok(found(!report.is_as_wanted()))
    })
}

/// `bigtix plan`.
pub(crate) fn plan(args: &PlanArgs) -> ExitCode {
    carried_out(async {
        let Some(mut cluster) = cluster_of(&args.shop).await? else {
            return plan_here(args);
        };
        let plan = cluster::plan::plan(&mut cluster, args).await?;
        args.shop.output.tell(&plan, |paint| plan.text(paint));
        Ok(found(!plan.is_nothing()))
    })
}

fn plan_here(args: &PlanArgs) -> Result<ExitCode, ShopError> {
    let dir = &args.shop.data.data;
    let in_folder = |source| ShopError::Folder {
        dir: dir.clone(),
        source,
    };
    let applied = Applied::read(dir).map_err(in_folder)?;
    let is_running = folder::owner(dir).map_err(in_folder)?.is_some();
    if is_running && applied.is_none() {
        return Err(ShopError::Unnoted(dir.clone()));
    }
    let present = applied.map(|applied| applied.current);
    let separate = args.separate || present.as_ref().is_some_and(|present| present.separate);
    let resource = resource::read(args.file.as_deref(), &args.set, separate)?;
    let wanted = Asked {
        resource: serde_json::to_value(&resource.bigtix).unwrap_or_default(),
        separate,
        port: args
            .port
            .or(present.as_ref().map(|present| present.port))
            .unwrap_or(crate::args::PORT),
    };
    let commands = commands(args, &wanted, is_running);
    let plan = machine::plan::plan(present.as_ref(), &wanted, is_running, commands)?;
    args.shop.output.tell(&plan, |paint| plan.text(paint));
    Ok(found(!plan.is_nothing()))
}

/// What carries a plan out, as a person types it.
fn commands(args: &PlanArgs, wanted: &Asked, is_running: bool) -> Vec<String> {
    let dir = &args.shop.data.data;
    let mut up = "up --detach".to_owned();
    if let Some(file) = &args.file {
        up.push_str(&format!(" --file {}", file.display()));
    }
    for (path, value) in &args.set {
        up.push_str(&format!(" --set '{path}={value}'"));
    }
    if wanted.separate {
        up.push_str(" --separate");
    }
    if wanted.port != crate::args::PORT {
        up.push_str(&format!(" --port {}", wanted.port));
    }
    let down = is_running.then(|| machine::command("down", dir));
    down.into_iter().chain([machine::command(&up, dir)]).collect()
}

/// `bigtix rollback`.
pub(crate) fn rollback(args: &RollbackArgs) -> ExitCode {
    let RollbackArgs { shop, dry_run } = args;
    if shop.cluster.is_meant() || is_plugin(std::env::args_os().next()) {
        return carried_out(async {
            let cluster = Cluster::connect(&shop.cluster).await?;
            let back = cluster::rollback::rollback(&cluster, args).await?;
            shop.output.tell(&back, |paint| back.text(paint));
            Ok(ExitCode::SUCCESS)
        });
    }
    let outcome = runtime().block_on(machine::rollback::rollback(
        &shop.data.data,
        *dry_run,
        shop.output,
    ));
    // Outside of the runtime: whoever waits for the background process does nothing else.
    let outcome = outcome.and_then(|start| match start {
        None => Ok(ExitCode::SUCCESS),
        Some(args) => machine::rollback::start(&args),
    });
    outcome.unwrap_or_else(|error| {
        Terminal::Person.fail(error.to_string());
        ExitCode::FAILURE
    })
}

/// `bigtix logs`.
pub(crate) fn logs(args: &LogsArgs) -> ExitCode {
    let LogsArgs {
        parts,
        shop,
        follow,
        tail,
    } = args;
    let tail = usize::try_from(*tail).unwrap_or(usize::MAX);
    carried_out(while_read(async {
        if let Some(cluster) = cluster_of(shop).await? {
            let found = cluster.shop(shop.cluster.name.as_deref()).await?;
            cluster::logs::show(&cluster, &found, args).await?;
            return Ok(ExitCode::SUCCESS);
        }
        machine::logs::show(&shop.data.data, parts, tail, *follow, shop.output).await?;
        Ok(ExitCode::SUCCESS)
    }))
}

/// Where a shop is found.
#[derive(Serialize)]
struct Address<'a> {
    url: &'a str,
}

/// `bigtix open`.
pub(crate) fn open(args: &OpenArgs) -> ExitCode {
    carried_out(async {
        let url = address(&args.shop).await?;
        args.shop.output.tell(&Address { url: &url }, |_| url.clone());
        if args.shop.output == Output::Text && !args.print && io::stdout().is_terminal() {
            browser::show(&url);
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn address(shop: &ShopArgs) -> Result<String, ShopError> {
    if let Some(cluster) = cluster_of(shop).await? {
        let found = cluster.shop(shop.cluster.name.as_deref()).await?;
        let url = found.status.as_ref().and_then(|status| status.url.clone());
        let name = kube::ResourceExt::name_any(&found);
        return url.ok_or_else(|| ShopError::NoAddress(name, cluster.command("why", &found)));
    }
    let dir = &shop.data.data;
    let in_folder = |source| ShopError::Folder {
        dir: dir.clone(),
        source,
    };
    let is_running = folder::owner(dir).map_err(in_folder)?.is_some();
    let run = RunFile::read(dir).map_err(in_folder)?.filter(|_| is_running);
    run.map(|run| run.url)
        .ok_or_else(|| ShopError::NotRunning(dir.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_of_kubectl_is_known_by_its_name() {
        assert!(is_plugin(Some("/usr/local/bin/kubectl-bigtix".into())));
        assert!(!is_plugin(Some("/kubectl-tools/bigtix".into())) && !is_plugin(None));
    }
}

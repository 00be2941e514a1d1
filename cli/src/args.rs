//! What can be said on the command line.

mod shop;

use std::path::PathBuf;

use bigtix_backup::{Address, Versioned};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

pub use crate::output::Output;
pub use shop::{ClusterArgs, LogsArgs, OpenArgs, PlanArgs, RollbackArgs, ShopArgs, StatusArgs, WhyArgs};

/// What the exit codes of every command mean.
const EXIT_CODES: &str = "\
Exit codes:
  0  it is done, or there is nothing to say
  1  it could not be done; standard error says why and what to do next
  2  the command line or the resource is refused
  3  status, why: the shop is not as wanted; plan: something would change
  130  it was ended by Ctrl-C, which to `up` is a call to stop in good order";

/// BigTix on one machine, and a look at one in a cluster.
#[derive(Debug, Parser)]
#[command(name = "bigtix", version = crate::release::version(), max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run what a BigTix resource describes, on this machine.
    Up(UpArgs),
    /// Stop what `up` runs, in good order.
    Down(ToldDataArgs),
    /// Write everything that a running shop's databases hold to an archive, or check an archive.
    Backup(BackupArgs),
    /// Put a backup into the folder of a shop that does not run.
    Restore(RestoreArgs),
    /// Show on one screen what runs and how it is.
    Status(StatusArgs),
    /// Say what is not as wanted, and what to do next.
    Why(WhyArgs),
    /// Say what a resource would change, restart and make, and in which order.
    Plan(PlanArgs),
    /// Go back to what ran before.
    Rollback(RollbackArgs),
    /// Show what the parts of the shop have logged.
    Logs(LogsArgs),
    /// Open the shop in a browser.
    Open(OpenArgs),
    /// Print a script that completes this command line.
    Completions {
        /// Of which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
    /// Events that a service could not handle.
    DeadLetters {
        /// What to do with them.
        #[command(subcommand)]
        action: DeadLettersAction,
    },
    /// Print every setting of every service, as Markdown or JSON.
    Settings {
        /// For a person or for a program.
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Run one service as a process of its own, with settings from the environment.
    #[command(hide = true)]
    Service {
        /// Such as `orders`.
        name: String,
    },
}

/// Where the data is.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// The folder with the shop's data.
    #[arg(long, value_name = "DIR", default_value = "./.bigtix")]
    pub data: PathBuf,
}

/// Where the data is, and how it is told.
#[derive(Debug, Clone, Args)]
pub struct ToldDataArgs {
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// For a person or for a program.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// What the environment can say besides.
const ENVIRONMENT: &str = "\
Environment:
  BIGTIX_ADDRESS     address to listen on instead of the loopback ones, such as 0.0.0.0
  TRUSTED_PROXIES    networks of proxies whose X-Forwarded-* headers count, such as 10.0.0.0/8
  STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET
                     keys of the Stripe account, where the resource names one
  LOG, LOG_JSON      what is logged (default: warn) and whether as JSON
  BIGTIX_TOOLS, BIGTIX_MONGOD, BIGTIX_NATS_SERVER, BIGTIX_REDIS_SERVER, BIGTIX_LOCALSTRIPE_PYTHON
                     where the programs are that `make tools` installs";

/// The port of a shop that names none.
pub(crate) const PORT: u16 = 8080;

/// What to run.
#[derive(Debug, Clone, Args)]
#[command(after_help = ENVIRONMENT)]
pub struct UpArgs {
    /// The file with the resource; without one, a minimal resource is taken.
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// The port of the shop; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = PORT)]
    pub port: u16,
    /// Run each instance of each service as a process of its own.
    #[arg(long)]
    pub separate: bool,
    /// Return when everything is ready, and leave it running.
    #[arg(long)]
    pub detach: bool,
    /// Change one field of the resource, such as spec.reservationSeconds=3; can be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// For a person or for a program.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
    /// Talk to the process that started this one rather than to a person.
    #[arg(long, hide = true)]
    pub background: bool,
}

/// Where stores are and who may use them.
const STORES: &str = "\
Environment, for s3://BUCKET/KEY:
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
                     who may use the bucket; without them the role of the machine is asked for
  AWS_REGION         where the bucket is (default: us-east-1)
  AWS_ENDPOINT_URL   a store other than Amazon's

Environment, with --service:
  MONGODB_URI        where the databases are, with a user who may use all of them";

/// What to back up, and to where.
#[derive(Debug, Clone, Args)]
#[command(after_help = STORES)]
pub struct BackupArgs {
    /// Where the data is.
    #[command(flatten)]
    pub data: DataArgs,
    /// The folder that becomes the archive, or s3://BUCKET/KEY; by default bigtix-backup-TIME in the current folder.
    #[arg(long, value_name = "PLACE", value_parser = address())]
    pub to: Option<Address>,
    /// Read this archive from end to end instead, and say whether it is whole.
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["to", "services"], value_parser = address())]
    pub verify: Option<Address>,
    /// Which services it has.
    #[command(flatten)]
    pub elsewhere: ElsewhereArgs,
    /// For a person or for a program.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// What to restore, and into what.
#[derive(Debug, Clone, Args)]
#[command(after_help = STORES)]
pub struct RestoreArgs {
    /// The archive: a folder, or s3://BUCKET/KEY.
    #[arg(long, value_name = "PLACE", value_parser = address())]
    pub from: Address,
    /// Where the data is to be.
    #[command(flatten)]
    pub data: DataArgs,
    /// Which services it has.
    #[command(flatten)]
    pub elsewhere: ElsewhereArgs,
    /// Give up the data that is there.
    #[arg(long)]
    pub replace: bool,
    /// For a person or for a program.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// A shop whose database is reached from here, wherever its services run.
#[derive(Debug, Clone, Args)]
pub struct ElsewhereArgs {
    /// A service of a shop that does not run on this machine, with its version; each that has a database is named.
    #[arg(long = "service", value_name = "NAME=VERSION", conflicts_with = "data")]
    pub services: Vec<Versioned>,
}

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersAction {
    /// Show them.
    List(ToldDataArgs),
    /// Have them handled once more by the services that gave up on them.
    Replay {
        /// Where the data is.
        #[command(flatten)]
        told: ToldDataArgs,
        /// Which ones, as `list` names them; all when none is named.
        ids: Vec<String>,
    },
}

/// Not every path of a folder is text.
fn address() -> impl TypedValueParser<Value = Address> {
    OsStringValueParser::new().try_map(Address::try_from)
}

pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    let (path, value) = text
        .split_once('=')
        .ok_or("it must be PATH=VALUE, such as spec.reservationSeconds=3")?;
    Ok((path.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn fields_can_be_set_several_times() {
        let cli = Cli::parse_from(["bigtix", "up", "--set", "spec.a=1", "--set", "spec.b=x=y"]);
        let Command::Up(up) = cli.command else {
            panic!("not up")
        };
        assert_eq!(
            up.set,
            [("spec.a".into(), "1".into()), ("spec.b".into(), "x=y".into())]
        );
        assert_eq!(
            (up.port, up.data.data.as_path()),
            (8080, std::path::Path::new("./.bigtix"))
        );
        assert!(Cli::try_parse_from(["bigtix", "up", "--set", "spec.a"]).is_err());
    }
}

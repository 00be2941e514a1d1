//! A Kubernetes as its users see it: by kubectl, and by HTTP through the ingress.

mod audit;
mod customer;
mod playbook;
mod plugin;
mod process;
mod typed;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bigtix_testkit::golden::workspace_root;
use serde_json::Value;

pub use audit::{AuditLog, Request};
pub use customer::{Customer, Purchases, Shopping};
pub use plugin::Said;
pub use process::{Process, Use};

/// The namespace of the operator.
pub const SYSTEM: &str = "bigtix-system";
/// Where the node is reached, and the ingress with it.
const NODE_ADDRESS: &str = "198.51.100.2";
/// Where pods reach this machine.
pub const MACHINE_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// How often something that is waited for is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A cluster that runs.
#[derive(Clone, Debug)]
pub struct Cluster {
    kubectl: PathBuf,
    state: PathBuf,
    /// Where everything below happens.
    namespace: String,
}

impl Cluster {
    /// The one that `tests/cluster/up.sh` brought up, for work in `namespace`.
    ///
    /// # Errors
    /// When it is not up.
    pub fn find(namespace: &str) -> Result<Self> {
        let state = std::env::var_os("BIGTIX_CLUSTER")
            .map_or_else(|| workspace_root().join("target/cluster"), PathBuf::from);
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache
            .or_else(|| Some(std::env::home_dir()?.join(".cache")))
            .context("no home")?;
        let cluster = Self {
            kubectl: cache.join("bigtix/tools/cluster/bin/kubectl"),
            state,
            namespace: namespace.to_owned(),
        };
        cluster
            .run(&["get", "--raw", "/readyz"])
            .context("no cluster is up: run tests/cluster/ready.sh")?;
        Ok(cluster)
    }

    /// The same cluster, another namespace.
    #[must_use]
    pub fn within(&self, namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ..self.clone()
        }
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Makes the namespace anew, with the strictest security of pods.
    ///
    /// # Errors
    /// kubectl's.
    pub fn fresh_namespace(&self) -> Result<()> {
        self.run(&[
            "delete",
            "namespace",
            &self.namespace,
            "--ignore-not-found",
            "--timeout=120s",
        ])?;
        self.run(&["create", "namespace", &self.namespace])?;
        let label = "pod-security.kubernetes.io/enforce=restricted";
        self.run(&["label", "namespace", &self.namespace, label])?;
        Ok(())
    }

    /// Ends the namespace with everything in it, and waits for that.
    ///
    /// # Errors
    /// kubectl's, and when it is not gone within 90 seconds.
    pub fn remove_namespace(&self) -> Result<()> {
        self.run(&["delete", "namespace", &self.namespace, "--timeout=90s"])
            .map(drop)
    }

    /// What kubectl prints.
    ///
    /// # Errors
    /// What it complains about.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        self.feed(arguments, "")
    }

    /// As [`Self::run`], with `input` at its standard input.
    ///
    /// # Errors
    /// What it complains about.
    pub fn feed(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl cannot be started")?;
        if let Some(mut stdin) = child.stdin.take() {
            std::io::Write::write_all(&mut stdin, input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "kubectl {}: {}",
            arguments.join(" "),
            complaint.trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// kubectl with these arguments, to be started by the caller.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.kubectl();
        command.args(["--namespace", &self.namespace]).args(arguments);
        command
    }

    fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", self.state.join("kubeconfig"));
        command
    }

    /// Whether the node has an image of our own with that name and tag.
    #[must_use]
    pub fn has_image(&self, name: &str) -> bool {
        let mark = format!("ghcr.io_bigtix_{}", name.replace(':', "_"));
        self.state.join("loaded").join(mark).exists()
    }

    /// What helm prints, for releases in this namespace.
    ///
    /// # Errors
    /// What it complains about.
    pub fn helm(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(self.kubectl.with_file_name("helm"))
            .env("KUBECONFIG", self.state.join("kubeconfig"))
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("helm cannot be started")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "helm {}: {}",
            arguments.join(" "),
            complaint.trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The names of pods that carry the labels.
    ///
    /// # Errors
    /// kubectl's.
    pub fn pods(&self, labels: &str) -> Result<Vec<String>> {
        let selector = format!("--selector={labels}");
        let names = self.run(&[
            "get",
            "pods",
            &selector,
            "--output=jsonpath={.items[*].metadata.name}",
        ])?;
        Ok(names.split_whitespace().map(str::to_owned).collect())
    }

    /// Objects as JSON.
    ///
    /// # Errors
    /// kubectl's.
    pub fn get(&self, what: &[&str]) -> Result<Value> {
        let arguments = [&["get", "--output=json"], what].concat();
        Ok(serde_json::from_str(&self.run(&arguments)?)?)
    }

    /// Applies a resource.
    ///
    /// # Errors
    /// kubectl's.
    pub fn apply(&self, object: &Value) -> Result<()> {
        self.feed(&["apply", "--filename=-"], &object.to_string())
            .map(drop)
    }

    /// Changes fields of the shop.
    ///
    /// # Errors
    /// kubectl's.
    pub fn patch_shop(&self, patch: &Value) -> Result<()> {
        self.run(&[
            "patch",
            "bigtix",
            "shop",
            "--type=merge",
            "--patch",
            &patch.to_string(),
        ])
        .map(drop)
    }

    /// What there is, for somebody who looks for a mistake.
    #[must_use]
    pub fn describe(&self) -> String {
        let pods = self.run(&["get", "bigtix,pods", "--output=wide"]);
        let events = self.run(&[
            "get",
            "events",
            "--field-selector=type=Warning",
            "--sort-by=.lastTimestamp",
        ]);
        [pods, events]
            .map(|text| text.unwrap_or_else(|error| error.to_string()))
            .join("\n")
    }

    /// What every request left in the API server's log, from now on.
    #[must_use]
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::at(self.state.join("audit.log"))
    }

    /// As [`Self::audit_log`], since the cluster is up.
    #[must_use]
    pub fn whole_audit_log(&self) -> AuditLog {
        AuditLog::whole(self.state.join("audit.log"))
    }

    /// Waits until the shop is as `is_so` wants it, and says how long that took.
    ///
    /// # Errors
    /// After `patience`, with the shop's conditions.
    pub fn until_shop(
        &self,
        what: &str,
        patience: Duration,
        is_so: impl Fn(&Shop) -> bool,
    ) -> Result<Duration> {
        self.until_shop_named("shop", what, patience, is_so)
    }

    /// As [`Self::until_shop`], of the shop of that name.
    ///
    /// # Errors
    /// As [`Self::until_shop`].
    pub fn until_shop_named(
        &self,
        name: &str,
        what: &str,
        patience: Duration,
        is_so: impl Fn(&Shop) -> bool,
    ) -> Result<Duration> {
        let began = Instant::now();
        let mut last = Shop(Value::Null);
        while began.elapsed() < patience {
            last = Shop(self.get(&["bigtix", name])?);
            if last.is_observed() && is_so(&last) {
                return Ok(began.elapsed());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        bail!("{what}: not after {} s; {}", patience.as_secs(), last.described())
    }

    /// Waits until `is_so`.
    ///
    /// # Errors
    /// After `patience`.
    pub fn until(
        &self,
        what: &str,
        patience: Duration,
        is_so: impl Fn() -> Result<bool>,
    ) -> Result<Duration> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if is_so()? {
                return Ok(began.elapsed());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        bail!("{what}: not after {} s", patience.as_secs())
    }
}

/// A shop as the API server has it.
pub struct Shop(pub Value);

impl Shop {
    /// Whether the status speaks of the resource as it is.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.0["status"]["observedGeneration"] == self.0["metadata"]["generation"]
    }

    /// Status, reason and message of a condition.
    #[must_use]
    pub fn condition(&self, type_: &str) -> (String, String, String) {
        let conditions = self.0["status"]["conditions"].as_array();
        let found = conditions
            .into_iter()
            .flatten()
            .find(|condition| condition["type"] == type_);
        let field = |name: &str| {
            found
                .and_then(|condition| condition[name].as_str())
                .unwrap_or_default()
                .to_owned()
        };
        (field("status"), field("reason"), field("message"))
    }

    /// Whether the condition is true.
    #[must_use]
    pub fn is(&self, type_: &str) -> bool {
        self.condition(type_).0 == "True"
    }

    /// The release that serves users.
    #[must_use]
    pub fn current(&self) -> &str {
        self.0["status"]["version"]["current"]
            .as_str()
            .unwrap_or_default()
    }

    fn described(&self) -> String {
        ["Ready", "Progressing", "Degraded"]
            .map(|type_| {
                let (status, reason, message) = self.condition(type_);
                format!("{type_}={status} {reason}: {message}")
            })
            .join("; ")
    }
}

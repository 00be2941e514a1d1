//! The processes of a cluster of this machine, as the machine sees them.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Cluster, SYSTEM};

/// The network of the node, in which its programs run.
const NODE_NETWORK: &str = "/run/netns/bigtix-node";
/// Where the names of the cluster are known.
const NAMES: &str = "198.19.0.10";

/// A process of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Process(u32);

impl Cluster {
    /// The process that the first container of `pod` runs.
    ///
    /// # Errors
    /// When it runs none.
    pub fn process_of(&self, pod: &str) -> Result<Process> {
        let uid = self.run(&["get", "pod", pod, "--output=jsonpath={.metadata.uid}"])?;
        let is_of_pod = |pid: &u32| {
            let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            groups.contains(&uid) && name.trim_end() != "pause"
        };
        fs::read_dir("/proc")?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(is_of_pod)
            .min()
            .map(Process)
            .with_context(|| format!("pod {pod} runs no process"))
    }

    /// The operator's program in the network of the node, with the rights of the operator and the names of the cluster, to
    /// be started by the caller. Killing what comes of it kills the operator.
    ///
    /// # Errors
    /// When the cluster's scripts left none, or no token is given.
    pub fn operator_on_node(&self) -> Result<Command> {
        let program = self.state.join("operator");
        ensure!(program.exists(), "{} is not there", program.display());
        let names = self.state.join("names.conf");
        fs::write(
            &names,
            format!("nameserver {NAMES}\nsearch cluster.local\noptions ndots:5\n"),
        )?;
        let token = self
            .within(SYSTEM)
            .run(&["create", "token", "bigtix-operator", "--duration=1h"])?;
        let config = self.run(&["config", "view", "--raw", "--output=json"])?;
        let mut config: Value = serde_json::from_str(&config)?;
        config["users"][0]["user"] = json!({"token": token.trim()});
        let kubeconfig = self.state.join("operator.kubeconfig");
        fs::write(&kubeconfig, config.to_string())?;
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={NODE_NETWORK}"))
            .args(["unshare", "--mount", "sh", "-c"])
            .arg(r#"mount --bind "$0" /etc/resolv.conf && exec "$1""#)
            .args([names, program])
            .env("KUBECONFIG", kubeconfig)
            .env("POD_NAMESPACE", SYSTEM)
            .env("POD_NAME", "on-the-node")
            .env("LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null());
        Ok(command)
    }
}

impl Process {
    /// Ends it without a word.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn kill(self) -> Result<()> {
        let pid = i32::try_from(self.0)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("a pid")?, rustix::process::Signal::KILL)
            .with_context(|| format!("process {} cannot be killed", self.0))
    }

    /// Whether it gets a connection to `address`, which has the form 10.0.0.1/80, within a second.
    ///
    /// # Errors
    /// When its network cannot be entered.
    pub fn reaches(self, address: &str) -> Result<bool> {
        let connect = format!("exec 3<>/dev/tcp/{address}");
        let status = Command::new("nsenter")
            .arg(format!("--net=/proc/{}/ns/net", self.0))
            .args(["timeout", "1", "bash", "-c", &connect])
            .stderr(Stdio::null())
            .status()?;
        Ok(status.success())
    }

    /// Processor time that it has had, and memory of its own that it has.
    ///
    /// # Errors
    /// When it is not there any more.
    pub fn use_of(self) -> Result<Use> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // After the name, which is in brackets and may hold blanks, the twelfth and thirteenth field are ticks.
        let (_, fields) = stat.rsplit_once(") ").context("the fields of a process")?;
        let ticks: u64 = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>())
            .sum::<Result<_, _>>()?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .context("the memory of a process")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        let per_second = rustix::param::clock_ticks_per_second();
        ensure!(per_second > 0, "the clock does not tick");
        Ok(Use {
            processor: Duration::from_millis(ticks * 1000 / per_second),
            memory: kibibytes * 1024,
        })
    }

    /// The share of one processor that it takes from now on for so long.
    ///
    /// # Errors
    /// When it ends meanwhile.
    pub async fn share_over(self, time: Duration) -> Result<f64> {
        let before = self.use_of()?.processor;
        tokio::time::sleep(time).await;
        let taken = self.use_of()?.processor.saturating_sub(before);
        Ok(taken.as_secs_f64() / time.as_secs_f64())
    }
}

/// What a process takes.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Processor time since it began.
    pub processor: Duration,
    /// Bytes of its own: without the pages of its file, which are many in a build for tests.
    pub memory: u64,
}

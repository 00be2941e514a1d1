//! The playbooks, as somebody runs them who releases.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use bigtix_testkit::golden::workspace_root;
use serde_json::{Value, json};

use super::{Cluster, NODE_ADDRESS, Said};
use crate::tools;

impl Cluster {
    /// How `ansible/{name}.yml` ends for the shop of this namespace, of the clone that these tests are of; `variables` have
    /// the last word.
    ///
    /// # Errors
    /// When Ansible cannot be started. That a playbook ends red is none.
    pub fn playbook(&self, name: &str, variables: &Value) -> Result<Said> {
        let root = workspace_root();
        let programs = ansible(&root)?;
        let cluster = self.kubectl.parent().context("the folder of kubectl")?;
        let inventory = self.inventory(name)?;
        let output = Command::new(programs.join("ansible-playbook"))
            .arg("--inventory")
            .arg(inventory)
            .arg(root.join(format!("ansible/{name}.yml")))
            .args(["--extra-vars", &variables.to_string()])
            // Its own programs, and those of the cluster, which its modules start.
            .env("PATH", tools::path_with([programs, cluster.to_owned()])?)
            .env("ANSIBLE_CONFIG", root.join("ansible/ansible.cfg"))
            .env("ANSIBLE_NOCOLOR", "1")
            .stdin(Stdio::null())
            .output()
            .context("ansible-playbook cannot be started")?;
        Said::of(output)
    }

    /// A shop that is there, and whose images its node has.
    fn inventory(&self, name: &str) -> Result<PathBuf> {
        let file = self.state.join(format!("{name}-inventory.json"));
        let inventory = json!({"shops": {"hosts": {"shop": null}, "vars": {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "bigtix_kubeconfig": self.state.join("kubeconfig"),
            "bigtix_namespace": self.namespace,
            "bigtix_images": "loaded",
            "bigtix_require_tag": false,
            "bigtix_patience_seconds": 300,
            "bigtix_ingress_address": NODE_ADDRESS,
        }}});
        fs::write(&file, inventory.to_string())?;
        Ok(file)
    }
}

/// The folder of its programs; it is installed once a machine.
fn ansible(root: &Path) -> Result<PathBuf> {
    let output = Command::new(root.join("scripts/tool.sh"))
        .arg("ansible")
        .stderr(Stdio::inherit())
        .output()
        .context("scripts/tool.sh cannot be started")?;
    ensure!(output.status.success(), "Ansible could not be installed");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
}

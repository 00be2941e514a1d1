//! Who gets a connection to whom. That policies are obeyed is the cluster's own doing; that the shop's are drawn right is
//! seen here.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, Process, SYSTEM};

/// Components of the shop with the ports that they listen at.
const LISTENING: &[(&str, &[u16])] = &[
    ("auth", &[3000]),
    ("tickets", &[3000, 3001]),
    ("orders", &[3000, 3001]),
    ("payments", &[3000]),
    ("expiration", &[3000]),
    ("web", &[3000]),
    ("mongodb", &[27017]),
    ("nats", &[4222, 8222]),
    ("redis", &[6379]),
    ("stripe", &[8420]),
];

/// Every connection between pods of the shop that is let through, and no other one is.
const DECLARED: &[(&str, &str, u16)] = &[
    ("auth", "mongodb", 27017),
    ("auth", "nats", 4222),
    ("auth", "redis", 6379),
    ("tickets", "mongodb", 27017),
    ("tickets", "nats", 4222),
    ("tickets", "redis", 6379),
    ("tickets", "orders", 3001),
    ("orders", "mongodb", 27017),
    ("orders", "nats", 4222),
    ("orders", "redis", 6379),
    ("orders", "tickets", 3001),
    ("payments", "mongodb", 27017),
    ("payments", "nats", 4222),
    ("payments", "redis", 6379),
    ("payments", "orders", 3001),
    ("payments", "stripe", 8420),
    ("expiration", "mongodb", 27017),
    ("expiration", "nats", 4222),
    ("expiration", "redis", 6379),
    ("web", "auth", 3000),
    ("web", "tickets", 3000),
    ("web", "orders", 3000),
    ("web", "payments", 3000),
    ("stripe", "payments", 3000),
    ("mongodb", "mongodb", 27017),
    ("operator", "mongodb", 27017),
    ("operator", "nats", 8222),
    // Any namespace may have the ingress controller or whoever collects metrics, and so the operator's may, too.
    ("operator", "auth", 3000),
    ("operator", "tickets", 3000),
    ("operator", "orders", 3000),
    ("operator", "payments", 3000),
    ("operator", "expiration", 3000),
    ("operator", "web", 3000),
];

/// One try.
struct Try {
    from: String,
    to: String,
    port: u16,
    address: String,
    process: Process,
}

pub(crate) async fn declared_connections_work_and_no_others(cluster: &Cluster) -> Result<()> {
    let mut pods = BTreeMap::new();
    for (component, _) in LISTENING {
        pods.insert((*component).to_owned(), pod_of(cluster, component)?);
    }
    let system = cluster.within(SYSTEM);
    let operator = system.pods("app.kubernetes.io/name=bigtix-operator")?;
    let operator = operator.first().context("the operator's pod")?;
    pods.insert(
        "operator".to_owned(),
        (system.process_of(operator)?, String::new()),
    );

    let mut tries = Vec::new();
    for (from, (process, _)) in &pods {
        for (to, ports) in LISTENING {
            for port in *ports {
                tries.push(Try {
                    from: from.clone(),
                    to: (*to).to_owned(),
                    port: *port,
                    address: format!("{}/{port}", pods[*to].1),
                    process: *process,
                });
            }
        }
    }
    let wrong: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = tries
            .chunks(tries.len().div_ceil(16))
            .map(|some| scope.spawn(|| some.iter().filter_map(surprise).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| vec!["a try panicked".to_owned()])
            })
            .collect()
    });
    println!(
        "  {} connections tried, {} of them declared",
        tries.len(),
        DECLARED.len()
    );
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

/// What is wrong with how one try went.
fn surprise(it: &Try) -> Option<String> {
    let Try {
        from,
        to,
        port,
        address,
        process,
    } = it;
    let is_declared = DECLARED.contains(&(from.as_str(), to.as_str(), *port));
    // A pod always reaches itself.
    if from == to && !is_declared {
        return None;
    }
    match process.reaches(address) {
        Ok(reached) if reached == is_declared => None,
        Ok(true) => Some(format!("{from} reaches {to}:{port}, and nobody declared that")),
        Ok(false) => Some(format!("{from} does not reach {to}:{port}")),
        Err(error) => Some(format!("{from} cannot try: {error:#}")),
    }
}

/// The process of the component's first pod, and the pod's address.
fn pod_of(cluster: &Cluster, component: &str) -> Result<(Process, String)> {
    let labels = format!("app.kubernetes.io/instance=shop,app.kubernetes.io/component={component}");
    let pods = cluster.pods(&labels)?;
    let pod = pods.first().with_context(|| format!("a pod of {component}"))?;
    let address = cluster.run(&["get", "pod", pod, "--output=jsonpath={.status.podIP}"])?;
    Ok((cluster.process_of(pod)?, address))
}

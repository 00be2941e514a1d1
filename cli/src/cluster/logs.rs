//! What the pods of a shop have logged.

use bigtix_crds::BigTix;
use futures::stream::{self, select_all};
use futures::{AsyncBufReadExt, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, ListParams, LogParams};

use super::{Cluster, ClusterError, failed};
use crate::args::LogsArgs;
use crate::machine::logs::print;
use crate::output::remark;

/// Everything of a shop that has pods.
const PARTS: [&str; 10] = [
    "auth",
    "tickets",
    "orders",
    "payments",
    "expiration",
    "web",
    "mongodb",
    "nats",
    "redis",
    "stripe",
];
const COMPONENT: &str = "app.kubernetes.io/component";

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogsError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("there is no part {name:?}; there are {}", PARTS.join(", "))]
    Unknown { name: String },
    #[error(
        "no pod of {parts} is there: `kubectl get pods --selector app.kubernetes.io/instance={shop}` shows those that are"
    )]
    NoPods { parts: String, shop: String },
}

/// Prints the last lines, and goes on with what comes until it is ended.
pub(crate) async fn show(cluster: &Cluster, shop: &BigTix, args: &LogsArgs) -> Result<(), LogsError> {
    let api = Api::<Pod>::namespaced(cluster.client.clone(), &cluster.namespace);
    let list = ListParams::default().labels(&selector(&shop.name_any(), &args.parts)?);
    let pods = api.list(&list).await;
    let pods = pods
        .map_err(|error| failed(&error, "the pods cannot be listed"))?
        .items;
    if pods.is_empty() {
        return Err(LogsError::NoPods {
            parts: if args.parts.is_empty() {
                "the shop".to_owned()
            } else {
                args.parts.join(", ")
            },
            shop: shop.name_any(),
        });
    }
    let is_named = pods.len() > 1;
    let mut streams = Vec::new();
    for pod in &pods {
        let name = pod.name_any();
        let parameters = LogParams {
            container: pod
                .spec
                .as_ref()
                .and_then(|spec| Some(spec.containers.first()?.name.clone())),
            follow: args.follow,
            tail_lines: Some(i64::from(args.tail)),
            ..LogParams::default()
        };
        match api.log_stream(&name, &parameters).await {
            Ok(stream) => {
                let of = name.clone();
                streams.push(stream.lines().map(move |line| (of.clone(), line)).boxed());
            }
            // A pod whose container has not begun has none; the others have.
            Err(error) => remark(&format!("{name} has no log: {error}")),
        }
    }
    // What ends is told pod by pod; what goes on, as it comes.
    let mut all = match args.follow {
        true => select_all(streams).boxed(),
        false => stream::iter(streams).flatten().boxed(),
    };
    while let Some((name, line)) = all.next().await {
        match line {
            Ok(line) => print(args.shop.output, is_named, &name, &line),
            Err(error) => remark(&format!("the log of {name} ends here: {error}")),
        }
    }
    Ok(())
}

fn selector(shop: &str, parts: &[String]) -> Result<String, LogsError> {
    if let Some(unknown) = parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        return Err(LogsError::Unknown {
            name: unknown.clone(),
        });
    }
    let of_shop = format!("app.kubernetes.io/name=bigtix,app.kubernetes.io/instance={shop}");
    Ok(match parts {
        [] => of_shop,
        parts => format!("{of_shop},{COMPONENT} in ({})", parts.join(",")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_label_and_others_are_refused() {
        let of_shop = "app.kubernetes.io/name=bigtix,app.kubernetes.io/instance=shop";
        assert_eq!(selector("shop", &[]).unwrap(), of_shop);
        let two = ["orders".to_owned(), "nats".to_owned()];
        let wanted = format!("{of_shop},app.kubernetes.io/component in (orders,nats)");
        assert_eq!(selector("shop", &two).unwrap(), wanted);
        let refused = selector("shop", &["order".to_owned()]).unwrap_err().to_string();
        assert!(refused.contains("orders, payments"), "{refused}");
    }
}

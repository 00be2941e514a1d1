//! Who may say and hear what on the bus.

/// The subjects that one user of the bus may use; everything else is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// May be published to.
    pub publish: Vec<String>,
    /// May be subscribed to.
    pub subscribe: Vec<String>,
}

/// A service publishes its own subjects, rules its own stream, and has on each other service's stream the consumers
/// that are called `<service>-<producer>`. Answers come to an inbox that no other service hears.
///
/// `prefix` stands before every subject, and with `_` for `.` before every stream and consumer; `services` are all that
/// are on the bus.
#[must_use]
pub fn permissions(prefix: &str, service: &str, services: &[&str]) -> Permissions {
    let stream_prefix = prefix.replace('.', "_");
    let own = format!("{stream_prefix}{service}");
    let mut publish = vec![
        format!("{prefix}{service}.>"),
        "$JS.API.INFO".to_owned(),
        "$JS.API.STREAM.NAMES".to_owned(),
        format!("$JS.API.STREAM.*.{own}"),
        format!("$JS.API.STREAM.MSG.*.{own}"),
        format!("$JS.API.DIRECT.GET.{own}"),
        format!("$JS.API.DIRECT.GET.{own}.>"),
        format!("$JS.API.CONSUMER.CREATE.{own}"),
    ];
    publish.extend(consumers(&own, "*"));
    for producer in services.iter().filter(|producer| **producer != service) {
        let stream = format!("{stream_prefix}{producer}");
        publish.push(format!("$JS.API.STREAM.INFO.{stream}"));
        publish.extend(consumers(
            &stream,
            &format!("{stream_prefix}{service}-{producer}"),
        ));
    }
    Permissions {
        publish,
        subscribe: vec![format!("_INBOX_{service}.>")],
    }
}

/// What has to be said to have such a consumer on a stream.
fn consumers(stream: &str, consumer: &str) -> Vec<String> {
    let mut subjects: Vec<String> = ["CREATE", "DURABLE.CREATE", "INFO", "DELETE", "MSG.NEXT"]
        .map(|call| format!("$JS.API.CONSUMER.{call}.{stream}.{consumer}"))
        .into();
    // The name of a consumer that filters is followed by its filter.
    subjects.push(format!("$JS.API.CONSUMER.CREATE.{stream}.{consumer}.>"));
    subjects.push(format!("$JS.ACK.{stream}.{consumer}.>"));
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_publish(permissions: &Permissions, subject: &str) -> bool {
        permissions.publish.iter().any(|allowed| allowed == subject)
    }

    #[test]
    fn a_service_publishes_only_its_own_subjects() {
        let orders = permissions("", "orders", &["orders", "tickets"]);
        assert!(may_publish(&orders, "orders.>"));
        assert!(!may_publish(&orders, "tickets.>"));
        assert!(may_publish(&orders, "$JS.API.STREAM.*.orders"));
        assert!(may_publish(&orders, "$JS.API.STREAM.INFO.tickets"));
        assert!(!may_publish(&orders, "$JS.API.STREAM.*.tickets"));
        assert!(may_publish(&orders, "$JS.ACK.tickets.orders-tickets.>"));
        assert_eq!(orders.subscribe, ["_INBOX_orders.>"]);
    }

    #[test]
    fn a_prefix_goes_before_subjects_streams_and_consumers() {
        let orders = permissions("t1.", "orders", &["orders", "tickets"]);
        assert!(may_publish(&orders, "t1.orders.>"));
        assert!(may_publish(&orders, "$JS.API.STREAM.*.t1_orders"));
        assert!(may_publish(
            &orders,
            "$JS.API.CONSUMER.MSG.NEXT.t1_tickets.t1_orders-tickets"
        ));
    }
}

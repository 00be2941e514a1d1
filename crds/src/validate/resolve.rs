//! Applies what the schema cannot say: defaults that depend on other fields, and the release catalog.

mod sizes;

use crate::platform::{
    Backup, BackupTarget, ConfigMapName, Cron, Email, EnvValue, EnvVar, Host, Image, Ingress, InstanceName,
    ManagedStore, NetworkPolicy, ObjectName, Observability, Payments, Platform, Profile, Quantity, Replicas,
    SecretName, Services, Session, Storage, Store, Stores, Tls, Upgrade, Url, Window, Workload,
};
use crate::v1alpha1::{self, BigTixSpec, TlsMode};
use crate::{BigTix, Catalog, Service, Violation};
use semver::{Version, VersionReq};
use std::collections::BTreeMap;
use std::time::Duration;

/// Describes the platform. Where a rule of the schema is broken the result means nothing, and the caller drops it.
pub(super) fn resolve(bigtix: &BigTix, catalog: &Catalog) -> Result<Platform, Vec<Violation>> {
    let name = bigtix.metadata.name.as_deref().unwrap_or_default();
    let spec = &bigtix.spec;
    let mut violations = sizes::contradictions(spec);
    let version = release(spec, catalog, &mut violations);
    let services = services(spec, catalog, version.as_ref(), &mut violations);
    let (Some(version), true) = (version, violations.is_empty()) else {
        return Err(violations);
    };
    let reachable_from = catalog
        .release(&version)
        .map_or(VersionReq::STAR, |release| release.reachable_from().clone());
    Ok(Platform {
        name: InstanceName::accepted(name),
        version,
        reachable_from,
        contractions: catalog.contractions(),
        profile: spec.profile,
        services,
        stores: stores(spec),
        ingress: ingress(name, &spec.ingress),
        payments: payments(&spec.payments),
        reservation: seconds(spec.reservation_seconds),
        administrators: administrators(&spec.administrators),
        max_held_tickets_per_user: count(spec.max_held_tickets_per_user),
        session: session(&spec.session),
        upgrade: upgrade(&spec.upgrade),
        mode: spec.mode,
        paused: spec.paused,
        hibernate: spec.hibernate,
        restart_at: spec.restart_at.as_ref().map(|time| time.0),
        deletion_policy: spec.deletion_policy,
        registry: spec.images.registry.clone(),
        pull_secrets: spec
            .images
            .pull_secrets
            .iter()
            .map(|secret| SecretName::accepted(&secret.name))
            .collect(),
        network_policy: network_policy(&spec.network_policy),
        observability: observability(&spec.observability),
        backup: backup(&spec.backup),
    })
}

/// A number that a bound of the schema keeps from being negative.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn seconds(number: impl Into<i64>) -> Duration {
    Duration::from_secs(u64::try_from(number.into()).unwrap_or_default())
}

/// The schema's rule says the same, but is a little wider than what a version may be, so that it stays readable.
const NOT_A_VERSION: &str = "must be a version such as 1.0.0";

fn version(text: &str) -> Option<Version> {
    text.parse().ok()
}

fn release(spec: &BigTixSpec, catalog: &Catalog, violations: &mut Vec<Violation>) -> Option<Version> {
    let Some(version) = version(&spec.version) else {
        violations.push(Violation::new("spec.version", NOT_A_VERSION));
        return None;
    };
    if catalog.release(&version).is_none() {
        let known: Vec<_> = catalog
            .releases()
            .map(|release| release.version.to_string())
            .collect();
        let message = format!("is not a known release; known are {}", known.join(", "));
        violations.push(Violation::new("spec.version", message));
    }
    Some(version)
}

fn services(
    spec: &BigTixSpec,
    catalog: &Catalog,
    version: Option<&Version>,
    violations: &mut Vec<Violation>,
) -> Services {
    let release = version.and_then(|version| catalog.release(version));
    let mut described = BTreeMap::new();
    for service in Service::ALL {
        let wanted = spec.services.get(service);
        let own = wanted
            .version
            .as_ref()
            .map(|own| version_of_service(own, service, violations));
        let Some(released) = release.and_then(|release| release.service(service)) else {
            continue;
        };
        // The release vouches for the image of its own version and of no other.
        let digest = release
            .filter(|_| own.as_ref().is_none_or(|own| own == released))
            .and_then(|release| release.digest(service))
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        let version = own.unwrap_or_else(|| released.clone());
        let built = || format!("{}/{service}:{version}{digest}", spec.images.registry);
        let image = Image::accepted(wanted.image.clone().unwrap_or_else(built));
        let workload = Workload {
            image,
            version,
            replicas: replicas(wanted, spec.profile),
            resources: sizes::of_service(&wanted.resources),
            env: wanted.env.iter().map(env_var).collect(),
        };
        described.insert(service, workload);
    }
    Services::new(described)
}

fn version_of_service(text: &str, service: Service, violations: &mut Vec<Violation>) -> Version {
    version(text).unwrap_or_else(|| {
        let path = format!("spec.services.{service}.version");
        violations.push(Violation::new(path, NOT_A_VERSION));
        Version::new(0, 0, 0)
    })
}

fn replicas(wanted: &v1alpha1::Workload, profile: Profile) -> Replicas {
    match (&wanted.autoscaling, wanted.replicas) {
        (Some(scaling), _) => Replicas::Autoscaled {
            min: count(scaling.min_replicas),
            max: count(scaling.max_replicas),
            target_cpu_percent: count(scaling.target_cpu_percent),
            scale_down_stabilization: seconds(scaling.scale_down_stabilization_seconds),
        },
        (None, Some(replicas)) => Replicas::Fixed(count(replicas)),
        (None, None) => Replicas::Fixed(match profile {
            Profile::Development => 1,
            Profile::Production => 2,
        }),
    }
}

fn env_var(variable: &v1alpha1::EnvVar) -> EnvVar {
    let source = variable.value_from.as_ref();
    let secret = source.and_then(|source| source.secret_key_ref.as_ref());
    let config_map = source.and_then(|source| source.config_map_key_ref.as_ref());
    let value = match (secret, config_map) {
        (Some(entry), _) => EnvValue::SecretKey {
            name: SecretName::accepted(&entry.name),
            key: entry.key.clone(),
        },
        (None, Some(entry)) => EnvValue::ConfigMapKey {
            name: ConfigMapName::accepted(&entry.name),
            key: entry.key.clone(),
        },
        (None, None) => EnvValue::Literal(variable.value.clone().unwrap_or_default()),
    };
    EnvVar {
        name: variable.name.clone(),
        value,
    }
}

fn stores(spec: &BigTixSpec) -> Stores {
    let majority = match spec.profile {
        Profile::Development => 1,
        Profile::Production => 3,
    };
    let (mongodb, nats, redis) = (&spec.mongodb, &spec.nats, &spec.redis);
    Stores {
        mongodb: store(mongodb.external.as_ref(), || {
            let wanted = mongodb.managed.clone().unwrap_or_default();
            ManagedStore {
                replicas: wanted.replicas.map_or(majority, count),
                image: image(wanted.image, || {
                    format!("docker.io/library/mongo:{}", wanted.version)
                }),
                storage: storage(&wanted.storage),
                resources: sizes::of_mongodb(&wanted.resources),
                version: wanted.version,
            }
        }),
        nats: store(nats.external.as_ref(), || {
            let wanted = nats.managed.clone().unwrap_or_default();
            ManagedStore {
                replicas: wanted.replicas.map_or(majority, count),
                image: image(wanted.image, || {
                    format!("docker.io/library/nats:{}", wanted.version)
                }),
                storage: storage(&wanted.storage),
                resources: sizes::of_nats(&wanted.resources),
                version: wanted.version,
            }
        }),
        redis: store(redis.external.as_ref(), || {
            let wanted = redis.managed.clone().unwrap_or_default();
            ManagedStore {
                replicas: wanted.replicas.map_or(1, count),
                image: image(wanted.image, || {
                    format!("docker.io/library/redis:{}", wanted.version)
                }),
                storage: storage(&wanted.storage),
                resources: sizes::of_redis(&wanted.resources),
                version: wanted.version,
            }
        }),
    }
}

fn store(external: Option<&v1alpha1::External>, managed: impl FnOnce() -> ManagedStore) -> Store {
    match external {
        Some(external) => Store::External {
            secret_name: SecretName::accepted(&external.secret_name),
        },
        None => Store::Managed(managed()),
    }
}

fn image(own: Option<String>, official: impl FnOnce() -> String) -> Image {
    Image::accepted(own.unwrap_or_else(official))
}

fn storage(wanted: &v1alpha1::Storage) -> Storage {
    Storage {
        size: Quantity(wanted.size.clone()),
        class_name: wanted.storage_class_name.as_deref().map(ObjectName::accepted),
    }
}

fn ingress(name: &str, wanted: &v1alpha1::Ingress) -> Ingress {
    Ingress {
        enabled: wanted.enabled,
        host: Host::accepted(&wanted.host),
        class_name: wanted.class_name.as_deref().map(ObjectName::accepted),
        annotations: wanted.annotations.clone(),
        tls: tls(name, &wanted.tls),
    }
}

fn tls(name: &str, wanted: &v1alpha1::Tls) -> Tls {
    let secret_name = || SecretName::accepted(wanted.secret_name.clone().unwrap_or(format!("{name}-tls")));
    match wanted.mode {
        TlsMode::Disabled => Tls::Disabled,
        TlsMode::Secret => Tls::Secret {
            secret_name: secret_name(),
        },
        TlsMode::CertManager => {
            let issuer = wanted.issuer_ref.as_ref();
            Tls::CertManager {
                secret_name: secret_name(),
                issuer: ObjectName::accepted(issuer.map_or("", |issuer| &issuer.name)),
                issuer_kind: issuer.map(|issuer| issuer.kind).unwrap_or_default(),
            }
        }
        TlsMode::Acm => Tls::Acm {
            certificate_arn: wanted.certificate_arn.clone().unwrap_or_default(),
        },
    }
}

fn payments(wanted: &v1alpha1::Payments) -> Payments {
    let url = |own: &Option<String>, default: &str| Url::accepted(own.as_deref().unwrap_or(default));
    match &wanted.secret_name {
        None => Payments::StripeDouble,
        Some(secret_name) => Payments::Account {
            secret_name: SecretName::accepted(secret_name),
            api_url: url(&wanted.api_url, "https://api.stripe.com"),
            script_url: url(&wanted.script_url, "https://js.stripe.com/v3/"),
        },
    }
}

/// Accounts keep their addresses in lower case, so these are compared in lower case too.
fn administrators(wanted: &[String]) -> Vec<Email> {
    let mut emails: Vec<_> = wanted
        .iter()
        .map(|email| Email::accepted(email.to_lowercase()))
        .collect();
    emails.sort();
    emails.dedup();
    emails
}

fn session(wanted: &v1alpha1::Session) -> Session {
    Session {
        lifetime: seconds(wanted.lifetime_seconds),
        rotate_after: wanted.rotate_after_days.map(|days| seconds(days) * 86_400),
        compat: wanted.compat,
    }
}

fn upgrade(wanted: &v1alpha1::Upgrade) -> Upgrade {
    let window = |window: &v1alpha1::Window| Window {
        start: Cron::accepted(&window.start),
        duration: seconds(window.duration_minutes) * 60,
        time_zone: window.time_zone.clone(),
    };
    Upgrade {
        auto_rollback: wanted.auto_rollback,
        progress_deadline: seconds(wanted.progress_deadline_seconds),
        soak: seconds(wanted.soak_seconds),
        max_error_percent: count(wanted.max_error_percent),
        max_p95: wanted
            .max_p95_milliseconds
            .map(|number| Duration::from_millis(count(number).into())),
        approval: wanted.approval,
        approved_version: wanted.approved_version.as_deref().and_then(version),
        windows: wanted.windows.iter().map(window).collect(),
        operator_changes: wanted.operator_changes,
    }
}

fn network_policy(wanted: &v1alpha1::NetworkPolicy) -> NetworkPolicy {
    if !wanted.enabled {
        return NetworkPolicy::Disabled;
    }
    let ingress_namespace = wanted.ingress_namespace.as_deref().map(ObjectName::accepted);
    NetworkPolicy::Enforced { ingress_namespace }
}

fn observability(wanted: &v1alpha1::Observability) -> Observability {
    Observability {
        pod_monitor: wanted.pod_monitor,
        alerts: wanted.alerts,
        otlp_endpoint: wanted.otlp_endpoint.as_deref().map(Url::accepted),
    }
}

fn backup(wanted: &v1alpha1::Backup) -> Option<Backup> {
    let target = match (&wanted.s3, &wanted.volume) {
        (Some(s3), _) => BackupTarget::S3 {
            bucket: s3.bucket.clone(),
            prefix: s3.prefix.clone(),
            endpoint: s3.endpoint.as_deref().map(Url::accepted),
            region: s3.region.clone(),
            secret_name: s3.secret_name.as_deref().map(SecretName::accepted),
        },
        (None, volume) => BackupTarget::Volume(storage(volume.as_ref()?)),
    };
    Some(Backup {
        schedule: wanted.schedule.as_deref().map(Cron::accepted),
        keep: count(wanted.keep),
        target,
    })
}

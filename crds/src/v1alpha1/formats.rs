//! Forms that texts must have, each with a rule whose message says so in words instead of a regular expression.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A text of at most `max` characters for which the CEL expression `rule` holds.
fn text(max: u32, rule: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": max,
        "x-kubernetes-validations": [{"rule": rule, "message": message}],
    })
}

fn matching(max: u32, pattern: &str, message: &str) -> Schema {
    text(max, &format!("self.matches('{pattern}')"), message)
}

pub(super) fn version(_: &mut SchemaGenerator) -> Schema {
    const NUMBER: &str = "(0|[1-9][0-9]{0,8})";
    let pattern = format!("^{NUMBER}[.]{NUMBER}[.]{NUMBER}(-[0-9A-Za-z]+([.-][0-9A-Za-z]+)*)?$");
    matching(64, &pattern, "must be a version such as 1.0.0")
}

pub(super) fn store_version(_: &mut SchemaGenerator) -> Schema {
    matching(
        16,
        "^[0-9]+([.][0-9]+){0,2}$",
        "must be a version of the store such as 8.0",
    )
}

/// Of an object in Kubernetes.
pub(super) fn object_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a name of lower-case letters, digits, '-' and '.'";
    matching(253, "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", message)
}

/// Of a BigTix.
pub(super) fn shop_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the name of a BigTix in the same namespace";
    matching(40, "^[a-z]([-a-z0-9]*[a-z0-9])?$", message)
}

/// Of a BigTixBackup.
pub(super) fn backup_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be the name of a BigTixBackup in the same namespace";
    matching(55, "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", message)
}

/// Of an entry in a Secret or ConfigMap.
pub(super) fn data_key(_: &mut SchemaGenerator) -> Schema {
    matching(
        253,
        "^[-._a-zA-Z0-9]+$",
        "must be a key of letters, digits, '-', '_' and '.'",
    )
}

pub(super) fn variable_name(_: &mut SchemaGenerator) -> Schema {
    let message = "must be letters, digits and '_', and not begin with a digit";
    matching(253, "^[A-Za-z_][A-Za-z0-9_]*$", message)
}

pub(super) fn emails(_: &mut SchemaGenerator) -> Schema {
    let email = matching(254, "^[^@ ]+@[^@ ]+[.][^@ .]+$", "must be an email address");
    json_schema!({"type": "array", "maxItems": 100, "items": email})
}

pub(super) fn host(_: &mut SchemaGenerator) -> Schema {
    const LABEL: &str = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
    let pattern = format!("^{LABEL}([.]{LABEL})*$");
    matching(253, &pattern, "must be a host name such as tickets.example.com")
}

pub(super) fn url(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a URL that begins with https:// or http://";
    matching(512, "^https?://[^ /?#]+[^ ]*$", message)
}

pub(super) fn image(_: &mut SchemaGenerator) -> Schema {
    let message = "must be an image such as ghcr.io/bigtix/orders:1.0.0";
    matching(512, "^[a-z0-9]([a-zA-Z0-9._:/@-]*[a-zA-Z0-9])?$", message)
}

pub(super) fn registry(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a registry and a path such as ghcr.io/bigtix, without a slash at the end";
    matching(253, "^[a-z0-9]([a-zA-Z0-9._:/-]*[a-zA-Z0-9])?$", message)
}

/// Of a volume.
pub(super) fn size(_: &mut SchemaGenerator) -> Schema {
    let rule = "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))";
    text(20, rule, "must be a size above zero such as 10Gi")
}

/// Of processor or memory, as a number or a text. A pattern, because a rule on a value of two types is unbounded in cost.
pub(super) fn quantity(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "maxLength": 20,
        "pattern": "^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
    })
}

pub(super) fn cron(_: &mut SchemaGenerator) -> Schema {
    let message = "must be five fields of cron, in numbers, such as 0 2 * * *";
    let fields = [
        "[0-5]?[0-9]",
        "([01]?[0-9]|2[0-3])",
        "(0?[1-9]|[12][0-9]|3[01])",
        "(0?[1-9]|1[0-2])",
        "[0-7]",
    ];
    let list = |number: &&str| {
        let item = format!("([*]|{number}(-{number})?)(/[1-9][0-9]?)?");
        format!("{item}(,{item})*")
    };
    let pattern = fields.iter().map(list).collect::<Vec<_>>().join(" ");
    matching(100, &format!("^{pattern}$"), message)
}

pub(super) fn time_zone(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a time zone of the IANA database such as Europe/Berlin";
    matching(64, "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", message)
}

/// Of an S3 bucket.
pub(super) fn bucket(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a bucket name of 3 to 63 lower-case letters, digits, '-' and '.'";
    matching(63, "^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]$", message)
}

/// Of an S3 bucket.
pub(super) fn region(_: &mut SchemaGenerator) -> Schema {
    let message = "must be a region such as eu-central-1";
    matching(64, "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", message)
}

/// Of a certificate at AWS.
pub(super) fn certificate_arn(_: &mut SchemaGenerator) -> Schema {
    matching(512, "^arn:[^ ]+$", "must begin with arn:")
}

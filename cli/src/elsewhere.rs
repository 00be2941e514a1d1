//! A shop whose database is reached from here, wherever its services run.

use std::collections::BTreeMap;
use std::env;

use bigtix_backup::{Name, Shop, Versioned};
use bigtix_service::Secret;
use bigtix_service::mongo::MongoError;
use semver::Version;

use crate::backup::databases;
use crate::services::HELD;

/// Where the databases are, with a user who may read and, for a restore, write all of them.
const MONGODB_URI: &str = "MONGODB_URI";

/// Why such a shop cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ElsewhereError {
    #[error("{MONGODB_URI} is not set: it says where the databases are")]
    NoUri,
    #[error("there is no service {0}")]
    Unknown(Name),
    #[error("the version of {0} is not given: add --service {0}=VERSION")]
    NoVersion(Name),
    #[error("{0} is given twice")]
    Twice(Name),
    #[error("mongod: {0}")]
    Connect(#[from] MongoError),
}

/// The databases that `MONGODB_URI` leads to, and the versions of their services.
pub(crate) async fn shop(services: &[Versioned]) -> Result<(Shop, BTreeMap<Name, Version>), ElsewhereError> {
    let versions = versions(services)?;
    let uri = env::var(MONGODB_URI).map_err(|_| ElsewhereError::NoUri)?;
    let shop = Shop::connect(&Secret::new(uri), databases()).await?;
    Ok((shop, versions))
}

/// Of each service that has a database: a backup without one of them would be none. One that has no database may be
/// named along with them.
fn versions(services: &[Versioned]) -> Result<BTreeMap<Name, Version>, ElsewhereError> {
    let mut versions = BTreeMap::new();
    for Versioned { name, version } in services {
        if versions.insert(name.clone(), version.clone()).is_some() {
            return Err(ElsewhereError::Twice(name.clone()));
        }
    }
    let is_known = |name: &Name| HELD.iter().any(|held| held.service.as_str() == name.as_str());
    if let Some(other) = versions.keys().find(|name| !is_known(name)) {
        return Err(ElsewhereError::Unknown(other.clone()));
    }
    let databases = databases();
    versions.retain(|name, _| databases.contains_key(name));
    match databases.keys().find(|name| !versions.contains_key(name)) {
        Some(missing) => Err(ElsewhereError::NoVersion(missing.clone())),
        None => Ok(versions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(services: &[&str]) -> String {
        let services: Vec<_> = services
            .iter()
            .map(|text| text.parse::<Versioned>().unwrap())
            .collect();
        match versions(&services) {
            Ok(versions) => versions
                .into_keys()
                .map(String::from)
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_service_with_a_database_has_to_have_a_version() {
        let all = [
            "tickets=1.2.3",
            "orders=1.0.0",
            "auth=1.0.0",
            "payments=1.0.0",
            "expiration=1.0.0",
        ];
        assert_eq!(told(&all), "auth expiration orders payments tickets");
        assert!(told(&all[1..]).contains("--service tickets=VERSION"));
        assert_eq!(told(&[&all[..], &["web=1.0.0"]].concat()), told(&all));
        assert!(told(&[&all[..], &["wep=1.0.0"]].concat()).contains("no service wep"));
        assert!(told(&[&all[..], &all[..1]].concat()).contains("tickets is given twice"));
    }
}

//! What the replica set needs next: to be made, to grow or shrink by one member, or to learn a user.

use std::collections::BTreeSet;

use super::gate::{Gate, Reason};
use crate::build::mongodb::User;
use crate::build::{Shop, mongodb, store};
use crate::observe::facts::{Member, MongodbFacts};

/// One call to the database as its administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MongodbStep {
    /// Makes the first member a set.
    Initiate {
        /// Under which address.
        address: String,
    },
    /// Takes in one more member.
    Add {
        /// Its number.
        ordinal: u32,
        /// Its address.
        address: String,
    },
    /// Lets one member go.
    Remove {
        /// Its address.
        address: String,
        /// Whether somebody else has to take over first.
        is_primary: bool,
    },
    /// Makes users, each with the password of its Secret.
    Users(BTreeSet<User>),
}

/// More a replica set does not take.
const MEMBERS_AT_MOST: u32 = 50;

const LOST: &str = "MongoDB's members are empty although this shop was up before: put back the volume, or delete the \
                    BigTix and create it anew to begin with an empty database";

/// The step that is due, and what the services wait for meanwhile.
#[must_use]
pub fn plan(
    shop: Shop<'_>,
    facts: &MongodbFacts,
    ready_pods: u32,
    was_up: bool,
) -> (Option<MongodbStep>, Gate) {
    let Some(managed) = store::managed(&shop.platform.stores.mongodb) else {
        return (None, Gate::Open);
    };
    let address = |ordinal| mongodb::member_address(shop, ordinal);
    match facts {
        MongodbFacts::Absent => (
            None,
            waiting("MongodbHasPrimary", "MongoDB has no pod yet".to_owned()),
        ),
        MongodbFacts::Silent(why) => (
            None,
            waiting("MongodbHasPrimary", format!("MongoDB does not answer: {why}")),
        ),
        // To begin with nothing where there were orders would hide that they are lost.
        MongodbFacts::Fresh if was_up => (None, waiting("MongodbHasData", LOST.to_owned())),
        MongodbFacts::Fresh => {
            let step = MongodbStep::Initiate { address: address(0) };
            (
                Some(step),
                waiting("MongodbHasPrimary", "the replica set is being made".to_owned()),
            )
        }
        MongodbFacts::Set {
            members,
            version: _,
            users,
        } => {
            let step = membership(managed.replicas, members, ready_pods, &address)
                .or_else(|| missing_users(shop, members, users));
            (step, gate(shop, members, users))
        }
    }
}

/// How many pods the set needs while `described` are described. A member's pod stays until the set is known to have let
/// the member go: whoever loses it before that loses a vote, and two votes of three are the majority.
#[must_use]
pub fn pods(shop: Shop<'_>, facts: &MongodbFacts, described: u32) -> u32 {
    match facts {
        MongodbFacts::Absent | MongodbFacts::Silent(_) | MongodbFacts::Fresh => described,
        MongodbFacts::Set {
            members,
            version: _,
            users: _,
        } => (0..MEMBERS_AT_MOST)
            .rfind(|ordinal| {
                let address = mongodb::member_address(shop, *ordinal);
                members.iter().any(|member| member.address == address)
            })
            .map_or(0, |highest| highest + 1),
    }
}

/// One member at a time, and only while all others are well, so that a majority is never in doubt. One that has to go
/// anyway and is not well goes first.
fn membership(
    wanted: u32,
    members: &[Member],
    ready_pods: u32,
    address: &dyn Fn(u32) -> String,
) -> Option<MongodbStep> {
    let wanted: Vec<(u32, String)> = (0..wanted).map(|ordinal| (ordinal, address(ordinal))).collect();
    let is_surplus = |member: &&Member| wanted.iter().all(|(_, address)| *address != member.address);
    let surplus = members
        .iter()
        .rfind(|member| !member.is_healthy && is_surplus(member))
        .or_else(|| members.iter().rfind(is_surplus));
    let is_well = |member: &Member| member.is_healthy || surplus == Some(member);
    if !has_primary(members) || !members.iter().all(is_well) {
        return None;
    }
    if let Some(surplus) = surplus {
        return Some(MongodbStep::Remove {
            address: surplus.address.clone(),
            is_primary: surplus.is_primary,
        });
    }
    wanted
        .into_iter()
        .filter(|(ordinal, _)| *ordinal < ready_pods)
        .find(|(_, address)| members.iter().all(|member| member.address != *address))
        .map(|(ordinal, address)| MongodbStep::Add { ordinal, address })
}

fn missing_users(shop: Shop<'_>, members: &[Member], users: &BTreeSet<User>) -> Option<MongodbStep> {
    let missing: BTreeSet<User> = expected_users(shop).difference(users).copied().collect();
    (has_primary(members) && !missing.is_empty()).then_some(MongodbStep::Users(missing))
}

fn expected_users(shop: Shop<'_>) -> BTreeSet<User> {
    mongodb::users(shop.platform).collect()
}

fn gate(shop: Shop<'_>, members: &[Member], users: &BTreeSet<User>) -> Gate {
    let healthy = members.iter().filter(|member| member.is_healthy).count();
    if !has_primary(members) || healthy * 2 <= members.len() {
        let message = format!(
            "MongoDB: {healthy} of {} members are healthy, and none takes writes",
            members.len()
        );
        return waiting("MongodbHasPrimary", message);
    }
    let missing: Vec<&str> = expected_users(shop)
        .difference(users)
        .map(|user| user.as_str())
        .collect();
    if missing.is_empty() {
        Gate::Open
    } else {
        waiting(
            "MongodbUsersExist",
            format!("MongoDB has no user yet for {}", missing.join(", ")),
        )
    }
}

fn has_primary(members: &[Member]) -> bool {
    members.iter().any(|member| member.is_primary)
}

fn waiting(predicate: &'static str, message: String) -> Gate {
    Gate::Waiting(Reason { predicate, message })
}

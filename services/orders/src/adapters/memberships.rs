//! Whether the databases that are configured are the partitions of this shop.
//!
//! Each of several partitions is marked when the shop is made, before it can hold any claim. From then on a service that is
//! told of another number of them, of another order, or of somebody else's database does not start: it would look for claims
//! where they are not, and sell their tickets again.

use bigtix_service::mongo::Mongo;
use bigtix_service::mongo::partition::{self, Membership};
use bson::doc;
use bson::oid::ObjectId;
use mongodb::error::Error;

use super::claims::CLAIMS;

/// The databases are not this shop's partitions.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misplaced {
    #[error(
        "this shop was made with {made_with} and {configured} are configured. Their number is fixed when a shop is made: \
         set MONGODB_PARTITION_URIS as it was then"
    )]
    OtherNumber { made_with: usize, configured: usize },
    #[error(
        "the database for number {number} is another one's. Set MONGODB_PARTITION_URIS in the order that the shop was made \
         with, and MONGODB_DATABASE to a name that no other shop has"
    )]
    Another { number: usize },
    #[error(
        "the database for number {number} is not the one that this shop was made with: it is empty, and the shop is in use. \
         Set MONGODB_PARTITION_URIS as it was, or restore that database"
    )]
    Emptied { number: usize },
}

/// Why the databases cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolError {
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    #[error(transparent)]
    Store(#[from] Error),
}

/// A database as it is found at a start.
#[derive(Debug, Clone, Copy)]
struct Found {
    mark: Option<Membership>,
    /// Whether a service has kept claims there, or was about to.
    is_used: bool,
}

/// How a shop keeps its claims.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    /// In one database, which has no mark.
    Together,
    /// In several; the shop has no name yet when it is being made.
    Apart(Option<ObjectId>),
}

/// Makes sure that `databases` are this shop's partitions in their order. Those of a shop that is being made become so.
pub(crate) async fn enrol(databases: &[Mongo]) -> Result<(), EnrolError> {
    let kept = match judge(&look_at_all(databases).await?) {
        Ok(kept) => kept,
        // Another instance may be making the shop: it marks the first database first, so that is seen by now.
        Err(_) => judge(&look_at_all(databases).await?)?,
    };
    let mut whole = match kept {
        Kept::Together => return Ok(()),
        Kept::Apart(whole) => whole.unwrap_or_else(ObjectId::new),
    };
    for (number, mongo) in databases.iter().enumerate() {
        let mark = Membership {
            whole,
            number,
            of: databases.len(),
        };
        let there = partition::enter(mongo.database(), mark).await?;
        match number {
            // Of instances that make the shop at the same moment, the first one names it.
            0 => whole = there.whole,
            _ if there.whole == whole => {}
            _ => return Err(Misplaced::Another { number }.into()),
        }
        check(there, mark.number, mark.of)?;
    }
    Ok(())
}

async fn look_at_all(databases: &[Mongo]) -> Result<Vec<Found>, Error> {
    let mut found = Vec::with_capacity(databases.len());
    for mongo in databases {
        found.push(look(mongo).await?);
    }
    Ok(found)
}

async fn look(mongo: &Mongo) -> Result<Found, Error> {
    let claims = mongo
        .database()
        .list_collection_names()
        .filter(doc! {"name": CLAIMS})
        .await?;
    Ok(Found {
        mark: partition::read(mongo.database()).await?,
        is_used: !claims.is_empty(),
    })
}

/// Whether these are the partitions of one shop, or may become so. Claims come after marks, so who finds claims without a
/// mark finds a shop of one partition.
fn judge(found: &[Found]) -> Result<Kept, Misplaced> {
    let of = found.len();
    let (Some(home), further) = (found.first(), found.iter().enumerate().skip(1)) else {
        return Ok(Kept::Together);
    };
    let whole = match home.mark {
        Some(mark) => {
            check(mark, 0, of)?;
            Some(mark.whole)
        }
        None if of == 1 => return Ok(Kept::Together),
        None if home.is_used => {
            return Err(Misplaced::OtherNumber {
                made_with: 1,
                configured: of,
            });
        }
        None => None,
    };
    for (number, database) in further {
        match database.mark {
            Some(mark) if Some(mark.whole) != whole => return Err(Misplaced::Another { number }),
            Some(mark) => check(mark, number, of)?,
            None if database.is_used => return Err(Misplaced::Another { number }),
            None if home.is_used => return Err(Misplaced::Emptied { number }),
            None => {}
        }
    }
    Ok(Kept::Apart(whole))
}

fn check(mark: Membership, number: usize, of: usize) -> Result<(), Misplaced> {
    if mark.number != number {
        return Err(Misplaced::Another { number });
    }
    if mark.of != of {
        return Err(Misplaced::OtherNumber {
            made_with: mark.of,
            configured: of,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::adapters::claims::tests::store;

    const FRESH: Found = Found {
        mark: None,
        is_used: false,
    };
    const UNMARKED: Found = Found {
        mark: None,
        is_used: true,
    };

    fn whole(n: u8) -> ObjectId {
        ObjectId::from_bytes([n; 12])
    }

    fn part(number: usize, of: usize) -> Found {
        let mark = Membership {
            whole: whole(1),
            number,
            of,
        };
        Found {
            mark: Some(mark),
            is_used: true,
        }
    }

    fn unused(found: Found) -> Found {
        Found {
            is_used: false,
            ..found
        }
    }

    #[test]
    fn a_shop_of_one_partition_has_no_mark_and_stays_one() {
        assert_eq!(judge(&[FRESH]), Ok(Kept::Together));
        assert_eq!(judge(&[UNMARKED]), Ok(Kept::Together));
        let more = Misplaced::OtherNumber {
            made_with: 1,
            configured: 2,
        };
        assert_eq!(judge(&[UNMARKED, FRESH]), Err(more));
    }

    #[test]
    fn a_shop_that_is_being_made_is_marked_also_after_an_interruption() {
        assert_eq!(judge(&[FRESH, FRESH]), Ok(Kept::Apart(None)));
        let begun = [unused(part(0, 3)), unused(part(1, 3)), FRESH];
        assert_eq!(judge(&begun), Ok(Kept::Apart(Some(whole(1)))));
        assert_eq!(judge(&[part(0, 2), part(1, 2)]), Ok(Kept::Apart(Some(whole(1)))));
    }

    #[test]
    fn another_number_of_partitions_is_refused() {
        for configured in [&[part(0, 2)][..], &[part(0, 2), part(1, 2), FRESH]] {
            let other = Misplaced::OtherNumber {
                made_with: 2,
                configured: configured.len(),
            };
            assert_eq!(judge(configured), Err(other));
        }
    }

    #[test]
    fn another_order_and_somebody_elses_database_are_refused() {
        let others = Membership {
            whole: whole(2),
            number: 1,
            of: 2,
        };
        let others = Found {
            mark: Some(others),
            is_used: true,
        };
        for second in [others, UNMARKED, part(0, 2)] {
            let refused = Err(Misplaced::Another { number: 1 });
            assert_eq!(judge(&[part(0, 2), second]), refused);
            assert_eq!(judge(&[FRESH, second]), refused);
        }
        let swapped = [part(0, 3), part(2, 3), part(1, 3)];
        assert_eq!(judge(&swapped), Err(Misplaced::Another { number: 1 }));
        assert_eq!(judge(&[part(1, 2)]), Err(Misplaced::Another { number: 0 }));
        assert_eq!(judge(&[part(0, 2), FRESH]), Err(Misplaced::Emptied { number: 1 }));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn instances_that_make_a_shop_together_make_one() {
        for _ in 0..20 {
            let databases = [store().await, store().await, store().await];
            let makers = (0..8).map(|_| async {
                enrol(&databases).await.unwrap();
                // As whoever has enrolled does next.
                let _ = databases[0].database().create_collection(CLAIMS).await;
            });
            join_all(makers).await;
            let swapped = [0, 2, 1].map(|number: usize| databases[number].clone());
            let refused = enrol(&swapped).await;
            assert!(
                matches!(
                    refused,
                    Err(EnrolError::Misplaced(Misplaced::Another { number: 1 }))
                ),
                "{refused:?}"
            );
        }
    }
}

//! Whether the stream is still the one we filled, and what to do when it is not.

use async_nats::jetstream::stream::{Config, Info};

use super::progress::{Known, Progress, ProgressError};
use crate::nats::{Bus, BusError};

/// What the server says of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) created: i64,
    pub(crate) last_sequence: u64,
    pub(crate) messages: u64,
}

impl From<&Info> for Found {
    fn from(info: &Info) -> Self {
        Self {
            created: nanoseconds(info.created),
            last_sequence: info.state.last_sequence,
            messages: info.state.messages,
        }
    }
}

pub(crate) fn nanoseconds(time: async_nats::datetime::DateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos()).unwrap_or_default()
}

/// What is to be done before publishing goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Same,
    /// We never saw it: use it, or make it if there is none, and publish everything.
    New,
    /// It was given up before: make it anew and publish everything.
    Unmade,
    /// It lost something: raise the epoch, make it anew and publish everything.
    Lost,
}

/// Compares what is known with what is there.
pub(crate) fn examine(known: &Known, found: Option<&Found>) -> Verdict {
    match (known.created, found) {
        (None, _) if known.epoch == 0 => Verdict::New,
        (None, _) => Verdict::Unmade,
        (Some(_), None) => Verdict::Lost,
        (Some(created), Some(found)) => {
            let another = found.created != created;
            let lost_its_tail = found.last_sequence < known.sequence;
            // Nothing of ours deletes messages, and a newer one replaces exactly one.
            let lost_messages = found.messages < known.messages;
            if another || lost_its_tail || lost_messages {
                Verdict::Lost
            } else {
                Verdict::Same
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Progress(#[from] ProgressError),
}

/// Looks at the stream and mends it, so that publishing can go on from `progress.token`, or with everything if there is
/// none. `surely_lost` says that an acknowledgement has proved a loss.
pub(crate) async fn settle(
    bus: &Bus,
    producer: &str,
    progress: &mut Progress,
    surely_lost: bool,
) -> Result<(), StreamError> {
    let config = bus.stream_config(producer);
    let info = bus.stream_info(&config.name).await?;
    let found = info.as_ref().map(Found::from);
    let verdict = match examine(&progress.known, found.as_ref()) {
        Verdict::Same if surely_lost => Verdict::Lost,
        verdict => verdict,
    };
    let found = match (verdict, info) {
        (Verdict::Same, Some(info)) | (Verdict::New, Some(info)) => {
            if differs(&info.config, &config) {
                bus.jetstream()
                    .update_stream(&config)
                    .await
                    .map_err(|error| BusError::request("updating the stream", error))?;
            }
            Found::from(&info)
        }
        (Verdict::Same | Verdict::New, None) => create(bus, config).await?,
        (Verdict::Unmade, existing) => recreate(bus, config, existing.is_some()).await?,
        (Verdict::Lost, existing) => {
            tracing::warn!(stream = config.name, known = ?progress.known, ?found, "the stream lost messages; publishing everything again");
            progress.raise_epoch().await?;
            recreate(bus, config, existing.is_some()).await?
        }
    };
    progress.known.created = Some(found.created);
    progress.known.messages = found.messages;
    progress.known.sequence = progress.known.sequence.max(found.last_sequence);
    progress.save().await?;
    Ok(())
}

/// Deleting it also ends its consumers, which may stand beyond what the stream has left.
async fn recreate(bus: &Bus, config: Config, exists: bool) -> Result<Found, StreamError> {
    if exists {
        bus.jetstream()
            .delete_stream(&config.name)
            .await
            .map_err(|error| BusError::request("deleting the stream", error))?;
    }
    create(bus, config).await
}

async fn create(bus: &Bus, config: Config) -> Result<Found, StreamError> {
    let stream = bus
        .jetstream()
        .create_stream(config)
        .await
        .map_err(|error| BusError::request("creating the stream", error))?;
    Ok(Found::from(stream.cached_info()))
}

fn differs(have: &Config, want: &Config) -> bool {
    have.subjects != want.subjects
        || have.num_replicas != want.num_replicas
        || have.max_messages_per_subject != want.max_messages_per_subject
        || have.discard != want.discard
        || have.duplicate_window != want.duplicate_window
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known = Known {
        created: Some(7),
        sequence: 100,
        messages: 10,
        epoch: 0,
    };
    const FOUND: Found = Found {
        created: 7,
        last_sequence: 100,
        messages: 10,
    };

    #[test]
    fn a_stream_that_has_grown_is_the_same() {
        assert_eq!(examine(&KNOWN, Some(&FOUND)), Verdict::Same);
        assert_eq!(
            examine(
                &KNOWN,
                Some(&Found {
                    last_sequence: 120,
                    messages: 12,
                    ..FOUND
                })
            ),
            Verdict::Same
        );
    }

    #[test]
    fn a_stream_that_is_gone_younger_shorter_or_emptier_is_lost() {
        let losses = [
            None,
            Some(Found { created: 8, ..FOUND }),
            Some(Found {
                last_sequence: 99,
                ..FOUND
            }),
            Some(Found { messages: 9, ..FOUND }),
        ];
        for found in losses {
            assert_eq!(examine(&KNOWN, found.as_ref()), Verdict::Lost, "{found:?}");
        }
    }

    #[test]
    fn a_first_start_takes_what_is_there_and_an_interrupted_repair_is_finished() {
        let first = Known::default();
        assert_eq!(examine(&first, None), Verdict::New);
        assert_eq!(examine(&first, Some(&FOUND)), Verdict::New);
        let interrupted = Known { epoch: 3, ..first };
        assert_eq!(examine(&interrupted, Some(&FOUND)), Verdict::Unmade);
        assert_eq!(examine(&interrupted, None), Verdict::Unmade);
    }
}

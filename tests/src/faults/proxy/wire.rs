//! Just enough of a protocol to tell a write from a read, and which answer belongs to it.

use std::io::ErrorKind;

use tokio::io::{AsyncRead, AsyncReadExt};

/// No request has this id: ids on the wire are 32 bits wide.
pub(super) const NOBODY: i64 = i64::MIN;
const HEADER: usize = 16;
/// MongoDB's largest message.
const LONGEST: usize = 48_000_000;
const OP_MSG: i32 = 2013;
const WRITES: [&[u8]; 4] = [b"insert", b"update", b"delete", b"findAndModify"];

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Bytes that are not looked into.
    Any,
    /// MongoDB's wire protocol.
    MongoDb,
}

impl Protocol {
    /// The next message, or what there is; none at the end.
    pub(super) async fn read(self, from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
        match self {
            Self::Any => {
                let mut bytes = vec![0; 16_384];
                let length = from.read(&mut bytes).await?;
                bytes.truncate(length);
                Ok((length > 0).then_some(bytes))
            }
            Self::MongoDb => {
                let mut message = vec![0; 4];
                match from.read_exact(&mut message).await {
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                    other => other?,
                };
                let length = number(&message, 0)
                    .and_then(|length| usize::try_from(length).ok())
                    .filter(|length| (HEADER..LONGEST).contains(length))
                    .ok_or(ErrorKind::InvalidData)?;
                message.resize(length, 0);
                from.read_exact(&mut message[4..]).await?;
                Ok(Some(message))
            }
        }
    }

    /// The id of the request, when it writes.
    pub(super) fn write_in(self, message: &[u8]) -> Option<i64> {
        if self == Self::Any || number(message, 12)? != OP_MSG {
            return None;
        }
        // Flags, the kind of section, the document's length, the type of its first field, whose name is the command.
        let name = message.get(HEADER + 4 + 1 + 4 + 1..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        let is_write = message.get(HEADER + 4) == Some(&0) && WRITES.contains(&name);
        is_write.then_some(i64::from(number(message, 4)?))
    }

    /// Whether it is the answer to this request.
    pub(super) fn answers(self, message: &[u8], request: i64) -> bool {
        self == Self::MongoDb && number(message, 8).is_some_and(|to| i64::from(to) == request)
    }
}

fn number(message: &[u8], at: usize) -> Option<i32> {
    let bytes = message.get(at..at + 4)?;
    Some(i32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{Document, doc, serialize_to_vec};

    use super::*;

    fn message(id: i32, answers: i32, body: &Document) -> Vec<u8> {
        let body = serialize_to_vec(body).unwrap();
        let length = i32::try_from(HEADER + 5 + body.len()).unwrap();
        let header = [length, id, answers, OP_MSG, 0].map(i32::to_le_bytes).concat();
        [header, vec![0], body].concat()
    }

    #[tokio::test]
    async fn messages_are_read_whole_and_writes_are_known() {
        let insert = message(7, 0, &doc! {"insert": "claims", "ordered": false});
        let find = message(8, 0, &doc! {"find": "claims"});
        let both = [insert.clone(), find.clone()].concat();
        let mut from = both.as_slice();
        for (expected, write) in [(&insert, Some(7)), (&find, None)] {
            let read = Protocol::MongoDb.read(&mut from).await.unwrap().unwrap();
            assert_eq!(&read, expected);
            assert_eq!(Protocol::MongoDb.write_in(&read), write);
        }
        assert_eq!(Protocol::MongoDb.read(&mut from).await.unwrap(), None);
        let answer = message(99, 7, &doc! {"ok": 1});
        assert!(Protocol::MongoDb.answers(&answer, 7) && !Protocol::MongoDb.answers(&answer, 8));
    }
}

//! An archive in a bucket of an object store that speaks S3.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bigtix_service::tls;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, GetResult, MultipartUpload, ObjectStore, ObjectStoreExt, RetryConfig,
};

use super::PlaceError;
use super::address::Objects;

/// So much is sent, or asked for, at once, and is in memory. A store takes 10,000 parts of an object, so that a
/// collection may have 80 GB after its compression.
const PART: usize = 8 * 1024 * 1024;
/// What is tried again is tried so often, and no longer.
const RETRIES: usize = 6;
const RETRY_FOR: Duration = Duration::from_secs(60);
/// Where a machine at AWS learns its role; asked where nobody gave credentials.
const ROLE_OF_THE_MACHINE: &str = "169.254.169.254";

#[derive(Clone)]
pub(super) struct Bucket {
    objects: Objects,
    store: Arc<AmazonS3>,
}

impl Bucket {
    pub(super) fn from_environment(objects: &Objects) -> Result<Self, PlaceError> {
        Self::new(objects, AmazonS3Builder::from_env())
    }

    fn new(objects: &Objects, settings: AmazonS3Builder) -> Result<Self, PlaceError> {
        tls::use_ring();
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_FOR,
            ..RetryConfig::default()
        };
        // Without TLS it is spoken to only where somebody wrote http:// as its address.
        let settings = settings.with_allow_http(true).with_retry(retry);
        let store = settings.with_bucket_name(&objects.bucket).build();
        let store = store.map_err(|error| failed(objects, &error))?;
        Ok(Self {
            objects: objects.clone(),
            store: Arc::new(store),
        })
    }

    pub(super) async fn is_empty(&self) -> Result<bool, PlaceError> {
        let first = self.store.list(Some(&self.objects.key)).next().await;
        let first = first.transpose().map_err(|error| failed(self, &error))?;
        Ok(first.is_none())
    }

    pub(super) fn create(&self, file: &str) -> Upload {
        Upload {
            object: self.object(file),
            part: Vec::new(),
            parts: None,
        }
    }

    pub(super) async fn open(&self, file: &str) -> Result<Download, PlaceError> {
        let mut download = Download {
            object: self.object(file),
            portion: Vec::new(),
            taken: 0,
            next: 0,
            size: 0,
        };
        download.fetch().await?;
        Ok(download)
    }

    pub(super) async fn discard(&self) -> Result<(), PlaceError> {
        let mut found = self.store.list(Some(&self.objects.key));
        while let Some(object) = found.try_next().await.map_err(|error| failed(self, &error))? {
            let removed = self.store.delete(&object.location).await;
            removed.map_err(|error| failed(self, &error))?;
        }
        Ok(())
    }

    fn object(&self, file: &str) -> Object {
        let Objects { bucket, key } = &self.objects;
        Object {
            store: Arc::clone(&self.store),
            key: key.parts().chain(Key::from(file).parts()).collect(),
            bucket: bucket.clone(),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.objects.fmt(f)
    }
}

/// Without the store, which knows credentials.
impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.objects.fmt(f)
    }
}

/// One file of the archive.
struct Object {
    store: Arc<AmazonS3>,
    bucket: String,
    key: Key,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            store: _,
            bucket,
            key,
        } = self;
        write!(f, "s3://{bucket}/{key}")
    }
}

/// An object that is being written, part by part. Nobody sees it before it is finished.
pub(super) struct Upload {
    object: Object,
    /// What is not sent yet.
    part: Vec<u8>,
    /// None as long as everything fits into one request.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Upload {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), PlaceError> {
        self.part.extend_from_slice(bytes);
        if self.part.len() < PART {
            return Ok(());
        }
        let sent = self.send().await;
        sent.map_err(|error| failed(&self.object, &error))
    }

    async fn send(&mut self) -> object_store::Result<()> {
        let Object {
            store,
            bucket: _,
            key,
        } = &self.object;
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => none.insert(store.put_multipart(key).await?),
        };
        parts.put_part(mem::take(&mut self.part).into()).await
    }

    pub(super) async fn finish(mut self) -> Result<(), PlaceError> {
        match self.complete().await {
            Ok(()) => Ok(()),
            Err(error) => {
                let error = failed(&self.object, &error);
                self.abandon().await;
                Err(error)
            }
        }
    }

    async fn complete(&mut self) -> object_store::Result<()> {
        if self.parts.is_some() && !self.part.is_empty() {
            self.send().await?;
        }
        match &mut self.parts {
            Some(parts) => parts.complete().await?,
            None => {
                let whole = mem::take(&mut self.part);
                self.object.store.put(&self.object.key, whole.into()).await?
            }
        };
        Ok(())
    }

    /// A store keeps parts until somebody says that they are not wanted. Why nothing came of them matters more than
    /// whether it hears that.
    pub(super) async fn abandon(self) {
        if let Some(mut parts) = self.parts {
            let _ = parts.abort().await;
        }
    }
}

/// An object that is being read, a portion at a time, so that each is asked for again when its connection breaks.
pub(super) struct Download {
    object: Object,
    portion: Vec<u8>,
    /// How much of the portion was handed out.
    taken: usize,
    /// Where the next portion begins.
    next: u64,
    size: u64,
}

impl Download {
    pub(super) async fn read(&mut self, chunk: &mut [u8]) -> Result<usize, PlaceError> {
        if self.taken == self.portion.len() && self.next < self.size {
            self.fetch().await?;
        }
        let rest = &self.portion[self.taken..];
        let length = rest.len().min(chunk.len());
        chunk[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(length)
    }

    async fn fetch(&mut self) -> Result<(), PlaceError> {
        let fetched = self.portion().await;
        let (portion, size) = fetched.map_err(|error| match error {
            object_store::Error::NotFound { .. } if lacks_object(&error) => PlaceError::Missing {
                file: self.object.to_string(),
            },
            error => failed(&self.object, &error),
        })?;
        self.next += portion.len() as u64;
        self.portion = portion;
        self.taken = 0;
        self.size = size;
        Ok(())
    }

    /// The next portion, and the size of the object.
    async fn portion(&self) -> object_store::Result<(Vec<u8>, u64)> {
        let Object {
            store,
            bucket: _,
            key,
        } = &self.object;
        let options = GetOptions {
            range: Some(GetRange::Bounded(self.next..self.next + PART as u64)),
            ..GetOptions::default()
        };
        let answer: GetResult = store.get_opts(key, options).await?;
        let size = answer.meta.size;
        Ok((answer.bytes().await?.into(), size))
    }
}

fn failed(file: &impl ToString, error: &object_store::Error) -> PlaceError {
    PlaceError::Store {
        file: file.to_string(),
        said: said(error),
    }
}

/// Whether it is the object that a store has not found: of a bucket, and some of a user, it says so with the same status.
fn lacks_object(error: &object_store::Error) -> bool {
    matches!(element(&error.to_string(), "Code"), None | Some("NoSuchKey"))
}

/// What a store said, or why it said nothing. Its whole answer is not for printing: it repeats what was signed, and
/// by whom.
fn said(error: &object_store::Error) -> String {
    let text = error.to_string();
    if let Some(code) = element(&text, "Code") {
        let message = element(&text, "Message").unwrap_or_default();
        return format!("the object store says {code}: {message}");
    }
    if text.contains(ROLE_OF_THE_MACHINE) {
        return "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The text of the first such element of an answer in XML.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner)
}

//! versitygw, an object store that speaks S3, as a child: each bucket is a folder, each object a file in it.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::child::{Child, ChildSpec};
use super::start::until_ready;
use super::{GRACE, HeldPort, Program, StoreError, wire};

/// A running versitygw. Dropping it kills it.
pub struct Versitygw {
    child: Child,
    address: Ipv4Addr,
    port: HeldPort,
    buckets: PathBuf,
    secret: String,
}

impl Versitygw {
    /// Whom it obeys.
    pub const ACCESS_KEY: &str = "bigtix-tests";

    /// Starts it on a free port, with its buckets in `dir`.
    ///
    /// # Errors
    /// When it is not installed, or is not ready in time.
    pub async fn start(dir: &Path) -> Result<Self, StoreError> {
        Self::start_at(Ipv4Addr::LOCALHOST, dir).await
    }

    /// As [`Self::start`], for whoever reaches that address of this machine.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_at(address: Ipv4Addr, dir: &Path) -> Result<Self, StoreError> {
        let program = Program::Versitygw.find()?;
        let failed = |source| StoreError::Folder {
            path: dir.to_owned(),
            source,
        };
        let (buckets, notes) = (dir.join("buckets"), dir.join("notes"));
        fs::create_dir_all(&buckets).map_err(failed)?;
        fs::create_dir_all(&notes).map_err(failed)?;
        let port = HeldPort::find().map_err(failed)?;
        let log = dir.join("versitygw.log");
        let secret = hex::encode(rand::random::<[u8; 20]>());
        let spec = ChildSpec {
            name: "versitygw".into(),
            program,
            args: vec![
                "--quiet".into(),
                "--port".into(),
                format!("{address}:{}", port.number()).into(),
                "posix".into(),
                // What it has to remember of an object goes to files: not every file system has attributes for that.
                "--sidecar".into(),
                notes.into(),
                buckets.clone().into(),
            ],
            env: vec![
                ("ROOT_ACCESS_KEY_ID".into(), Self::ACCESS_KEY.into()),
                ("ROOT_SECRET_ACCESS_KEY".into(), secret.clone()),
            ],
            log: log.clone(),
            grace: GRACE,
        };
        let child = Child::start(spec, Arc::new(|_| {})).map_err(failed)?;
        let store = Self {
            child,
            address,
            port,
            buckets,
            secret,
        };
        let name = Program::Versitygw.name();
        until_ready(name, &store.child, log, async || Ok(store.answers().await)).await?;
        Ok(store)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.address, self.port.number())
    }

    /// What goes with [`Self::ACCESS_KEY`].
    pub fn secret_key(&self) -> &str {
        &self.secret
    }

    /// The variables by which programs that speak S3 find it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", Self::ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.url()),
        ]
    }

    /// Makes a bucket. Whatever is put into its folder is an object.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn make_bucket(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.buckets.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Stops it.
    pub async fn stop(&self) {
        self.child.stop().await;
    }

    /// Whether it answers: without a signature it refuses, and a refusal is an answer.
    async fn answers(&self) -> bool {
        let ask = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        wire::says_at((self.address, self.port.number()), ask, " 403 ").await
    }
}

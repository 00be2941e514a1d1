//! versitygw, an object store that speaks S3, as a child: each bucket is a folder, each object a file in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::child::{Child, ChildSpec};
use super::{GRACE, HeldPort, LOOK_AGAIN, Program, START, StoreError, wire};

/// A running versitygw. Dropping it kills it.
pub struct Versitygw {
    child: Child,
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
                format!("127.0.0.1:{}", port.number()).into(),
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
            port,
            buckets,
            secret,
        };
        let deadline = Instant::now() + START;
        while !store.answers().await {
            if let Some(why) = store.child.obituary() {
                let name = Program::Versitygw.name();
                return Err(StoreError::Ended { name, why });
            }
            if Instant::now() >= deadline {
                let name = Program::Versitygw.name();
                return Err(StoreError::TooSlow { name, log });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(store)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
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
        let ask = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
        wire::says(self.port.number(), ask, " 403 ").await
    }
}

/*! An S3 endpoint inside the process, to rehearse jobs and to test against.

It listens on a loopback port, keeps its buckets below a directory, and is as strict as S3: every
digest a request claims is verified, preconditions hold, parts have their smallest size, ETags are
MD5s only where S3's are. What S3 refuses, the sandbox refuses with the same code.

A later process over the same directory finds everything; a process killed in the middle leaves
nothing that was not answered. Nothing is synced to disk, so a power cut may lose what was answered.

Reading order: a connection (`server`) meets the faults of a test (`faults`), then s3s checks its
signature and gives it to the one route (`routes`), which reads the request (`request`) and has
its operation performed (`put`, `get`, `list`, …) on the index of a bucket (`bucket`), whose
content is in immutable files (`blobs`) and whose changes are journaled (`journal`).
*/

mod annotations;
mod attributes;
mod blobs;
mod bucket;
mod buckets;
mod checksums;
mod complete;
mod conditions;
mod copy;
mod delete;
mod encryption;
mod error;
mod express;
mod faults;
mod get;
mod headers;
mod host;
mod intake;
mod journal;
mod lies;
mod list;
mod lock;
mod multipart;
mod object;
mod operation;
mod outflow;
mod policy;
mod put;
mod query;
mod request;
mod response;
mod restore;
mod routes;
mod server;
mod session;
mod settings;
mod store;
mod tags;
mod times;
mod uploads;
mod wire;
mod words;
mod xml;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use faults::{Action, Faults, Moment, Mutation, Rule, When};

use bucket::{Change, Versioning};
use routes::{Keys, Routes};
use server::Server;
use store::Store;

/// Where a sandbox keeps its buckets, and how it is reached.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The directory for everything it keeps; made if it is not there.
    pub dir: PathBuf,
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The access key it accepts.
    pub access_key: String,
    /// The secret key that belongs to it.
    pub secret_key: String,
    /// The region of buckets that are made without one.
    pub region: String,
}

impl Default for SandboxConfig {
    /// A free loopback port, keys `sandbox` and `sandboxsecret`, region us-east-1, and no
    /// directory, which has to be given.
    fn default() -> Self {
        Self {
            dir: PathBuf::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            access_key: "sandbox".to_owned(),
            secret_key: "sandboxsecret".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }
}

/// Why a sandbox cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// What an earlier process left cannot be read, or nothing can be written.
    #[error("open the sandbox in `{dir}`")]
    Open {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The address is taken or not this machine's.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The name is none S3 allows.
    #[error("`{0}` is not a bucket name")]
    BucketName(String),
    /// A bucket cannot be made.
    #[error("create bucket `{bucket}` in the sandbox: {message}")]
    CreateBucket {
        /// Its name.
        bucket: String,
        /// Why not.
        message: String,
    },
    /// A bucket cannot be made to keep versions.
    #[error("keep the versions of `{bucket}` in the sandbox: {message}")]
    KeepVersions {
        /// Its name.
        bucket: String,
        /// Why not.
        message: String,
    },
}

/// A running sandbox. It stops when it is dropped or [shut down](Sandbox::shutdown).
#[derive(Debug)]
pub struct Sandbox {
    config: SandboxConfig,
    address: SocketAddr,
    store: Arc<Store>,
    faults: Arc<Faults>,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Loads the directory and begins to listen, on the current tokio runtime.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let (dir, region) = (config.dir.clone(), config.region.clone());
        let store = tokio::task::spawn_blocking(move || Store::open(&dir, &region))
            .await
            .unwrap_or_else(|cause| Err(io::Error::other(cause)))
            .map_err(|source| SandboxError::Open {
                dir: config.dir.clone(),
                source,
            })?;
        let store = Arc::new(store);
        let listen = |source| SandboxError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let faults = Arc::new(Faults::default());
        let server = Arc::new(Server {
            service: service(&config, &store),
            faults: Arc::clone(&faults),
            secret_key: config.secret_key.clone().into(),
        });
        let stop = CancellationToken::new();
        let server = tokio::spawn(server.run(listener, stop.clone()));
        Ok(Self {
            config,
            address,
            store,
            faults,
            stop,
            server: Some(server),
        })
    }

    /// The URL for clients, with the port that was taken.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The access key it accepts.
    pub fn access_key(&self) -> &str {
        &self.config.access_key
    }

    /// The secret key that belongs to it.
    pub fn secret_key(&self) -> &str {
        &self.config.secret_key
    }

    /// The region of buckets that are made without one.
    pub fn region(&self) -> &str {
        &self.config.region
    }

    /// Makes a bucket, unless it is there already.
    pub fn create_bucket(&self, name: &str) -> Result<(), SandboxError> {
        if !s3s::path::check_bucket_name(name) {
            return Err(SandboxError::BucketName(name.to_owned()));
        }
        self.store
            .create(name, &self.config.region)
            .map(drop)
            .map_err(|refused| SandboxError::CreateBucket {
                bucket: name.to_owned(),
                message: refused.message().unwrap_or_default().to_owned(),
            })
    }

    /// Has a bucket keep versions from now on.
    pub fn keep_versions(&self, name: &str) -> Result<(), SandboxError> {
        let kept = self.store.bucket(name).and_then(|bucket| {
            let versioning = bucket.read().versioning;
            if versioning == Versioning::Enabled {
                return Ok(());
            }
            bucket.commit(Change::Versioning(Versioning::Enabled))
        });
        kept.map_err(|refused| SandboxError::KeepVersions {
            bucket: name.to_owned(),
            message: refused.message().unwrap_or_default().to_owned(),
        })
    }

    /// The faults in force, and the calls that were counted.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Stops listening and closes all connections; what was answered is kept.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            let _ = server.await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn service(config: &SandboxConfig, store: &Arc<Store>) -> s3s::service::S3Service {
    let keys = || Keys {
        access_key: config.access_key.clone(),
        secret_key: config.secret_key.clone().into(),
    };
    let mut builder = S3ServiceBuilder::new(routes::Unrouted);
    builder.set_auth(keys());
    builder.set_host(host::LoopbackHost);
    builder.set_route(Routes {
        store: Arc::clone(store),
        keys: keys(),
    });
    builder.build()
}

//! One bucket: its index in memory and the changes that make it, each journaled before it is seen.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blobs::{BlobId, Blobs};
use super::error::{Result, internal};
use super::journal::Journal;
use super::multipart::{Upload, UploadedPart};
use super::object::{NULL_VERSION, Version};
use super::policy::Policy;

/// Journals shorter than this are never rewritten.
const REWRITE_FROM: usize = 10_000;

/// A bucket and its journal.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) name: String,
    blobs: Arc<Blobs>,
    state: RwLock<State>,
    /// Locked before the state, so that readers never wait for the disk.
    journal: Mutex<Journal>,
}

/// What a bucket knows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) region: String,
    pub(super) created: Timestamp,
    pub(super) versioning: Versioning,
    /// Documents by the query parameter that selects them.
    pub(super) settings: BTreeMap<String, String>,
    pub(super) policy: Option<Policy>,
    /// The versions of each key, oldest first.
    pub(super) keys: BTreeMap<String, Vec<Arc<Version>>>,
    /// Multipart uploads by key and id.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
}

/// Whether a bucket keeps what is overwritten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    #[default]
    Off,
    Enabled,
    Suspended,
}

/// One change of a bucket, as its journal has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Change {
    Created {
        region: String,
        at: Timestamp,
    },
    Versioning(Versioning),
    Setting {
        name: String,
        document: Option<String>,
    },
    /// The version becomes the latest of its key; another of the same id goes away.
    Put {
        key: String,
        version: Version,
    },
    /// The version replaces the one of the same id where that stands.
    Update {
        key: String,
        version: Version,
    },
    Remove {
        key: String,
        id: String,
    },
    UploadBegun {
        key: String,
        id: String,
        upload: Upload,
    },
    PartStored {
        key: String,
        id: String,
        number: u16,
        part: UploadedPart,
    },
    UploadEnded {
        key: String,
        id: String,
    },
}

impl Bucket {
    /// Opens the bucket in this directory, or makes it.
    pub(super) fn open(name: &str, dir: PathBuf, blobs: Arc<Blobs>) -> std::io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        let path = dir.join("journal");
        let mut state = State::default();
        let (mut journal, changes) = Journal::open(&path, |change| {
            let (gained, lost) = state.apply(change);
            blobs.link(gained);
            blobs.let_go(lost);
        })?;
        if changes > REWRITE_FROM && changes > 2 * state.size() {
            journal = Journal::rewrite(&path, state.changes())?;
        }
        Ok(Self {
            name: name.to_owned(),
            blobs,
            state: RwLock::new(state),
            journal: Mutex::new(journal),
        })
    }

    /// Whether the name says that this is a directory bucket (S3 Express One Zone).
    pub(super) fn is_directory(&self) -> bool {
        is_directory_bucket(&self.name)
    }

    /// The state, for a short look.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one change.
    pub(super) fn commit(&self, change: Change) -> Result<()> {
        self.transact(|_| Ok((vec![change], ())))
    }

    /// Decides on changes while nothing else can change the bucket, then makes them all.
    pub(super) fn transact<T>(
        &self,
        decide: impl FnOnce(&State) -> Result<(Vec<Change>, T)>,
    ) -> Result<T> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, outcome) = decide(&self.read())?;
        if changes.is_empty() {
            return Ok(outcome);
        }
        journal.append(&changes).map_err(internal)?;
        let mut released = Vec::new();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            let (gained, lost) = state.apply(change);
            self.blobs.link(gained);
            released.extend(lost);
        }
        drop(state);
        drop(journal);
        self.blobs.unlink(released);
        Ok(outcome)
    }
}

/// Whether a bucket of this name is a directory bucket.
pub(super) fn is_directory_bucket(name: &str) -> bool {
    name.ends_with("--x-s3")
}

impl State {
    /// The latest version of a key, which may be a delete marker.
    pub(super) fn latest(&self, key: &str) -> Option<&Arc<Version>> {
        self.keys.get(key)?.last()
    }

    /// The version of a key with this id.
    pub(super) fn version(&self, key: &str, id: &str) -> Option<&Arc<Version>> {
        self.keys.get(key)?.iter().find(|version| version.id == id)
    }

    /// The version a request means, which is the latest unless it names one.
    pub(super) fn select(&self, key: &str, id: Option<&str>) -> Option<&Arc<Version>> {
        match id {
            Some(id) => self.version(key, id),
            None => self.latest(key),
        }
    }

    /// The id of the next version put.
    pub(super) fn next_id(&self) -> String {
        match self.versioning {
            Versioning::Enabled => Uuid::now_v7().simple().to_string(),
            Versioning::Off | Versioning::Suspended => NULL_VERSION.to_owned(),
        }
    }

    /// The id to tell of a version: nothing where the bucket was never versioned.
    pub(super) fn told_id<'a>(&self, id: &'a str) -> Option<&'a str> {
        (self.versioning != Versioning::Off || id != NULL_VERSION).then_some(id)
    }

    /// Whether nothing is left that forbids deleting the bucket.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Makes a change; what content it needs from now on, and what it no longer needs.
    fn apply(&mut self, change: Change) -> (Vec<BlobId>, Vec<BlobId>) {
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        match change {
            Change::Created { region, at } => (self.region, self.created) = (region, at),
            Change::Versioning(versioning) => self.versioning = versioning,
            Change::Setting { name, document } => {
                if name == Policy::SETTING {
                    self.policy = document
                        .as_deref()
                        .and_then(|text| Policy::parse(text).ok());
                }
                match document {
                    Some(document) => self.settings.insert(name, document),
                    None => self.settings.remove(&name),
                };
            }
            Change::Put { key, version } => {
                gained.extend(blobs_of(&version));
                let versions = self.keys.entry(key).or_default();
                lost.extend(take(versions, &version.id));
                versions.push(Arc::new(version));
            }
            Change::Update { key, version } => {
                let versions = self.keys.entry(key).or_default();
                if let Some(place) = versions.iter_mut().find(|seen| seen.id == version.id) {
                    *place = Arc::new(version);
                }
            }
            Change::Remove { key, id } => {
                if let Some(versions) = self.keys.get_mut(&key) {
                    lost.extend(take(versions, &id));
                    if versions.is_empty() {
                        self.keys.remove(&key);
                    }
                }
            }
            Change::UploadBegun { key, id, upload } => {
                gained.extend(upload.blobs());
                self.uploads.insert((key, id), upload);
            }
            Change::PartStored {
                key,
                id,
                number,
                part,
            } => {
                if let Some(upload) = self.uploads.get_mut(&(key, id)) {
                    gained.extend(part.blobs());
                    lost.extend(
                        upload
                            .parts
                            .insert(number, part)
                            .iter()
                            .flat_map(UploadedPart::blobs),
                    );
                }
            }
            Change::UploadEnded { key, id } => {
                lost.extend(
                    self.uploads
                        .remove(&(key, id))
                        .iter()
                        .flat_map(Upload::blobs),
                );
            }
        }
        (gained, lost)
    }

    /// About how many changes it takes to make this state.
    fn size(&self) -> usize {
        self.keys.len() + self.uploads.len() + self.settings.len()
    }

    /// The changes that make this state.
    fn changes(&self) -> impl Iterator<Item = Change> {
        let settings = self
            .settings
            .iter()
            .map(|(name, document)| Change::Setting {
                name: name.clone(),
                document: Some(document.clone()),
            });
        let versions = self.keys.iter().flat_map(|(key, versions)| {
            versions.iter().map(|version| Change::Put {
                key: key.clone(),
                version: Version::clone(version),
            })
        });
        let uploads = self
            .uploads
            .iter()
            .map(|((key, id), upload)| Change::UploadBegun {
                key: key.clone(),
                id: id.clone(),
                upload: upload.clone(),
            });
        [
            Change::Created {
                region: self.region.clone(),
                at: self.created,
            },
            Change::Versioning(self.versioning),
        ]
        .into_iter()
        .chain(settings)
        .chain(versions)
        .chain(uploads)
    }
}

fn take(versions: &mut Vec<Arc<Version>>, id: &str) -> Vec<BlobId> {
    let Some(place) = versions.iter().position(|version| version.id == id) else {
        return Vec::new();
    };
    blobs_of(&versions.remove(place)).collect()
}

fn blobs_of(version: &Version) -> impl Iterator<Item = BlobId> {
    version
        .object()
        .into_iter()
        .flat_map(|object| object.segments.iter().map(|segment| segment.blob))
}

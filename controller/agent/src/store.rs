//! The last snapshot, on disk.

use control_core::node::{Desired, DiskError, Part, Refusal, decode, encode, merge};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is no snapshot to begin with.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// The system says.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is damaged, or something else.
    #[error("{}: {error}", .path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: DiskError,
    },
    /// What it says can't be right.
    #[error("{}: {error}", .path.display())]
    Refused {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: Refusal,
    },
}

/// A file that holds the last snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    path: PathBuf,
}

impl Store {
    /// In this file.
    #[must_use]
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What was saved last; none if nothing was.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) fn load(&self) -> Result<Option<Desired>, StoreError> {
        let path = self.path.clone();
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::File { path, error }),
        };
        let snapshot = decode(&bytes).map_err(|error| StoreError::Disk { path: path.clone(), error })?;
        let desired = merge(&Desired::default(), Part::Whole, &snapshot);
        desired.map(Some).map_err(|error| StoreError::Refused { path, error })
    }

    /// Replaces what was saved: whenever this ends, the file is the old one or the new one.
    ///
    /// # Errors
    /// [`StoreError::File`]
    pub(crate) fn save(&self, desired: &Desired) -> Result<(), StoreError> {
        let bytes = encode(&desired.to_snapshot());
        self.replace(&bytes).map_err(|error| StoreError::File { path: self.path.clone(), error })
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder)?;
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = folder.join(name);
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        File::open(folder)?.sync_all()
    }
}

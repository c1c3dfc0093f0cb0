//! The last snapshot, on disk.

use crate::reconciler::Goal;
use crate::status::Status;
use control_core::node::{Desired, DiskError, Part, Refusal, decode, encode, merge};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// How long a snapshot may take to be in force until it is kept all the same.
const WITHIN: Duration = Duration::from_secs(1);

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
    /// The version that is there, as far as this program knows. Whoever writes holds it.
    kept: Arc<Mutex<u64>>,
}

impl Store {
    /// In this file.
    #[must_use]
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), kept: Arc::default() }
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
        let desired = merge(&Desired::default(), Part::Whole, &snapshot)
            .map_err(|error| StoreError::Refused { path, error })?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = desired.version();
        Ok(Some(desired))
    }

    /// Saves whatever the controller says once it is in force, or has not come to that for a while, until nobody says
    /// anything any more. What came meanwhile is saved in its place.
    pub(crate) async fn follow(self, mut goal: watch::Receiver<Goal>, status: Status) {
        let mut last = *self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let news = goal.wait_for(|goal| goal.desired.version() > last).await;
            let Ok(version) = news.map(|goal| goal.desired.version()) else { return };
            // That it has not come to it is no reason to lose it.
            let _late = tokio::time::timeout(WITHIN, status.in_force(version)).await;
            let desired = Arc::clone(&goal.borrow_and_update().desired);
            last = desired.version();
            let store = self.clone();
            let saved = tokio::task::spawn_blocking(move || store.save(&desired)).await;
            let text = match saved {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            status.alarm("state file", text);
        }
    }

    /// Replaces what was saved, if this is newer: whenever this ends, the file is the old one or the new one.
    ///
    /// # Errors
    /// [`StoreError::File`]
    pub(crate) fn save(&self, desired: &Desired) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if desired.version() <= *kept {
            return Ok(());
        }
        let bytes = encode(&desired.to_snapshot());
        self.replace(&bytes).map_err(|error| StoreError::File { path: self.path.clone(), error })?;
        *kept = desired.version();
        Ok(())
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

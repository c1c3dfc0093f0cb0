//! A registry in one file, for one controller.
//!
//! The file is locked while it is open, so a second process can't use it: [`Redb::open`] waits for it a little, as one
//! that restarts finds its predecessor still there, then says so. Several handles within one process share it as
//! several controllers share an etcd.

mod error;
mod store;
#[cfg(test)]
mod torn_tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;

use crate::{Change, Records, Registry, RegistryError, Revision, Term};
use store::Store;

/// How long [`Redb::open`] waits for a file that another process has open.
const PATIENCE: Duration = Duration::from_secs(3);

/// A handle on a registry in a file. Dropping it ends its term.
#[derive(Debug)]
pub struct Redb {
    shared: Arc<Shared>,
    handle: u64,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    /// Who leads.
    seat: watch::Sender<Option<Seat>>,
    /// Held by the one who is about to.
    taking: Mutex<()>,
    revision: watch::Sender<Revision>,
    handles: AtomicU64,
}

#[derive(Clone, Debug)]
struct Seat {
    term: Term,
    address: String,
    handle: u64,
}

impl Redb {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`] if another process has it open for more than three seconds;
    /// [`RegistryError::Unusable`] if it is something else, damaged, of a later version, or can't be opened.
    pub async fn open(path: &Path) -> Result<Self, RegistryError> {
        Self::open_within(path, PATIENCE).await
    }

    /// Like [`Redb::open`], waiting for another process no longer than `patience`.
    ///
    /// # Errors
    /// As [`Redb::open`].
    pub async fn open_within(path: &Path, patience: Duration) -> Result<Self, RegistryError> {
        let end = Instant::now() + patience;
        loop {
            let path = path.to_owned();
            match blocking(move || Store::open(&path)).await {
                Err(RegistryError::Unavailable(_)) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                opened => return Self::over(opened?),
            }
        }
    }

    /// A registry that is gone with its last handle, for tests.
    ///
    /// # Errors
    /// None that is known.
    pub fn in_memory() -> Result<Self, RegistryError> {
        Self::over(Store::in_memory()?)
    }

    fn over(store: Store) -> Result<Self, RegistryError> {
        let revision = watch::Sender::new(store.load()?.revision);
        let shared = Shared {
            store,
            seat: watch::Sender::new(None),
            taking: Mutex::new(()),
            revision,
            handles: AtomicU64::new(1),
        };
        Ok(Self { shared: Arc::new(shared), handle: 0 })
    }

    /// Another controller's handle on the same file.
    #[must_use]
    pub fn another(&self) -> Self {
        let handle = self.shared.handles.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared), handle }
    }
}

impl Shared {
    /// Frees the seat if it is as `ends` says.
    fn leave(&self, ends: impl FnOnce(&Seat) -> bool) {
        self.seat.send_if_modified(|seat| match seat {
            Some(held) if ends(held) => {
                *seat = None;
                true
            }
            _ => false,
        });
    }

    fn leads(&self, term: Term) -> bool {
        self.seat.borrow().as_ref().is_some_and(|seat| seat.term == term)
    }

    fn tell(&self, revision: Revision) {
        self.revision.send_if_modified(|told| {
            let newer = *told < revision;
            *told = revision.max(*told);
            newer
        });
    }

    fn commit(&self, term: Term, after: Revision, changes: &[Change]) -> Result<Revision, RegistryError> {
        if !self.leads(term) {
            return Err(RegistryError::Fenced(term));
        }
        let done = self.store.commit(term, after, changes);
        match &done {
            Ok(revision) => self.tell(*revision),
            // The file was closed for a moment after an I/O error, and another process had it.
            Err(RegistryError::Fenced(_)) => self.leave(|seat| seat.term == term),
            Err(_) => {}
        }
        done
    }
}

#[async_trait]
impl Registry for Redb {
    async fn lead(&self, address: &str) -> Result<Term, RegistryError> {
        let mine = self.shared.seat.borrow().clone().filter(|seat| seat.handle == self.handle);
        if let Some(mine) = mine {
            return Ok(mine.term);
        }
        let _taking = self.shared.taking.lock().await;
        // It fails only if the sender is gone, which `self` holds.
        let _ = self.shared.seat.subscribe().wait_for(Option::is_none).await;
        let shared = Arc::clone(&self.shared);
        let (term, revision) = blocking(move || shared.store.raise_term()).await?;
        self.shared.tell(revision);
        let seat = Seat { term, address: address.to_owned(), handle: self.handle };
        self.shared.seat.send_replace(Some(seat));
        Ok(term)
    }

    async fn ended(&self, term: Term) {
        let mut seat = self.shared.seat.subscribe();
        let _ = seat.wait_for(|seat| seat.as_ref().is_none_or(|seat| seat.term != term)).await;
    }

    async fn resign(&self, term: Term) {
        self.shared.leave(|seat| seat.term == term);
    }

    async fn leader(&self) -> Result<Option<String>, RegistryError> {
        Ok(self.shared.seat.borrow().as_ref().map(|seat| seat.address.clone()))
    }

    async fn load(&self) -> Result<Records, RegistryError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.store.load()).await
    }

    async fn commit(
        &self,
        term: Term,
        after: Revision,
        changes: Vec<Change>,
    ) -> Result<Revision, RegistryError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.commit(term, after, &changes)).await
    }

    async fn changed(&self, after: Revision) -> Result<Revision, RegistryError> {
        let mut revision = self.shared.revision.subscribe();
        let newer = revision.wait_for(|revision| *revision > after).await;
        newer.map(|revision| *revision).map_err(|_| RegistryError::Unavailable("it was closed".into()))
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        self.shared.leave(|seat| seat.handle == self.handle);
    }
}

/// Off the threads that must not block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, RegistryError> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(RegistryError::Unusable(format!("reading it fails: {error}"))))
}

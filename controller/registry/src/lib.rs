//! Where the control plane's records are kept.
//!
//! A registry is a map from keys to bytes, with a revision that each commit raises by one. Who leads holds a [`Term`];
//! every commit names it, so that a leader that was paused and has been replaced can't write. Commits are atomic: all of
//! their changes or none.

mod etcd;
mod file;
mod location;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

pub use etcd::{Etcd, EtcdOptions, Login};
pub use file::Redb;
pub use location::{Location, LocationError};

/// How many commits there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// A time of leadership: the fencing token. A later leader's is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub u64);

/// One record's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The record is this, whatever it was. Keys have no NUL.
    Put(String, Bytes),
    /// The record is not there.
    Delete(String),
}

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// After this commit.
    pub revision: Revision,
    /// Every record.
    pub records: BTreeMap<String, Bytes>,
}

/// Why a registry does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another leads, or has led since: what this process knows may be old.
    #[error("this controller does not lead any more (term {})", .0.0)]
    Fenced(Term),
    /// Somebody committed in between.
    #[error("the registry is at revision {}, not at {}", .at.0, .expected.0)]
    Moved {
        /// Where it is.
        at: Revision,
        /// Where the caller thought that it was.
        expected: Revision,
    },
    /// No answer, or no quorum; it may be tried again. Whether a commit took effect is open.
    #[error("the registry does not answer: {0}")]
    Unavailable(String),
    /// It can't be read: not ours, damaged, or of a later version.
    #[error("the registry can't be used: {0}")]
    Unusable(String),
}

/// One registry, of which each controller of a deployment has a handle.
#[async_trait]
pub trait Registry: Send + Sync + 'static {
    /// Waits until this controller leads, and says where it can be reached (`address`, host:port). Linearizable. A handle
    /// that leads gets its term again.
    async fn lead(&self, address: &str) -> Result<Term, RegistryError>;

    /// Waits until `term` has ended: another leads, or the lease could not be renewed in time.
    async fn ended(&self, term: Term);

    /// Ends `term`, so that another may lead at once.
    async fn resign(&self, term: Term);

    /// Where the leader can be reached; none during an election. Linearizable.
    async fn leader(&self) -> Result<Option<String>, RegistryError>;

    /// All records, linearizable.
    async fn load(&self) -> Result<Records, RegistryError>;

    /// All of `changes`, if `term` leads and the registry is at revision `after`. When it returns `Ok`, they are kept,
    /// whatever ends next.
    async fn commit(
        &self,
        term: Term,
        after: Revision,
        changes: Vec<Change>,
    ) -> Result<Revision, RegistryError>;

    /// Waits for a revision above `after`; for the controllers that don't lead.
    async fn changed(&self, after: Revision) -> Result<Revision, RegistryError>;
}

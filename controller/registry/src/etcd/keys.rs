//! What is where in etcd, under the deployment's prefix:
//!
//! | key | value |
//! | --- | --- |
//! | `PREFIX/leader` | the leader's address; hangs on its lease |
//! | `PREFIX/term` | number of the last term |
//! | `PREFIX/head` | `guideway 1 REVISION COMMIT PARTS`: format, revision, a random number of the last commit, and into how many parts of a journal it is cut that may not be carried out yet |
//! | `PREFIX/journal/PART` | parts of that journal |
//! | `PREFIX/records/KEY` | the first 512 KiB of a record |
//! | `PREFIX/records/KEY` NUL `PART` | the rest of it |

use bytes::Bytes;

use super::wire::KeyValue;
use crate::{RegistryError, Revision};

/// How much of a record is in one key. etcd takes requests of 1.5 MiB.
pub(super) const PART: usize = 512 << 10;

const FORMAT: &str = "1";

/// The deployment's keys.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) leader: String,
    pub(super) term: String,
    pub(super) head: String,
    pub(super) journal: String,
    pub(super) records: String,
}

impl Keys {
    pub(super) fn under(prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('/');
        let key = |name: &str| format!("{prefix}/{name}");
        Self {
            leader: key("leader"),
            term: key("term"),
            head: key("head"),
            journal: key("journal/"),
            records: key("records/"),
        }
    }

    /// One part of a record; the first one is 0.
    pub(super) fn record(&self, key: &str, part: usize) -> Bytes {
        let text = match part {
            0 => format!("{}{key}", self.records),
            part => format!("{}{key}\0{part:04x}", self.records),
        };
        Bytes::from(text)
    }

    /// Behind the last part of a record, whatever its number.
    pub(super) fn record_end(&self, key: &str) -> Bytes {
        Bytes::from(format!("{}{key}\u{1}", self.records))
    }

    /// One part of the journal.
    pub(super) fn journal_part(&self, part: usize) -> Bytes {
        Bytes::from(format!("{}{part:04x}", self.journal))
    }
}

/// Behind every key that starts with `folder`, which ends in a slash.
pub(super) fn behind(folder: &str) -> Bytes {
    // '0' follows '/'.
    Bytes::from(format!("{}0", folder.trim_end_matches('/')))
}

/// Where the registry stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) revision: Revision,
    /// Of the last commit, so that who made it knows it again.
    pub(super) commit: u64,
    /// Parts of its journal; 0: it is carried out.
    pub(super) parts: usize,
    /// etcd's revision when this was written; 0: never.
    pub(super) written: i64,
}

impl Head {
    pub(super) fn value(&self) -> Bytes {
        Bytes::from(format!("guideway {FORMAT} {} {:016x} {}", self.revision.0, self.commit, self.parts))
    }

    pub(super) fn read(found: Option<&KeyValue>) -> Result<Self, RegistryError> {
        let Some(found) = found else { return Ok(Self::default()) };
        let text = String::from_utf8_lossy(&found.value);
        let unusable = |why: &str| {
            let key = String::from_utf8_lossy(&found.key);
            RegistryError::Unusable(format!("{key} says `{text}`, which {why}"))
        };
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["guideway", FORMAT, revision, commit, parts] => {
                let read = || {
                    Some(Self {
                        revision: Revision(revision.parse().ok()?),
                        commit: u64::from_str_radix(commit, 16).ok()?,
                        parts: parts.parse().ok()?,
                        written: found.mod_revision,
                    })
                };
                read().ok_or_else(|| unusable("is damaged"))
            }
            ["guideway", ..] => Err(unusable("is of a later version")),
            _ => Err(unusable("is of another program")),
        }
    }
}

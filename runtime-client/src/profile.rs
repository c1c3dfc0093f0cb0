//! What a server can do, as data: the files in `profiles/`.

use crate::ClientError;
use p4runtime_proto::p4::v1::write_request::Atomicity;
use serde::Deserialize;

/// The profiles that come with this crate.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("bmv2", include_str!("../profiles/bmv2.toml")),
    ("guideway", include_str!("../profiles/guideway.toml")),
    ("stratum", include_str!("../profiles/stratum.toml")),
    ("infrap4d", include_str!("../profiles/infrap4d.toml")),
    ("dpl", include_str!("../profiles/dpl.toml")),
];

/// What a kind of server can do, and how much at a time.
///
/// ```
/// use runtime_client::{Atomicity, Profile};
/// let bmv2 = Profile::named("bmv2")?;
/// assert!(bmv2.arbitration && bmv2.allows(Atomicity::ContinueOnError));
/// assert!(!bmv2.allows(Atomicity::RollbackOnError));
/// # Ok::<(), runtime_client::ClientError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is.
    pub title: String,
    /// It has the stream and elects a primary client; else every client may write.
    pub arbitration: bool,
    /// It keeps clients of different roles apart.
    pub roles: bool,
    /// It takes MODIFY of ordinary entries; else they are deleted and inserted.
    pub modify: bool,
    /// It takes RECONCILE_AND_COMMIT: entries that are still legal stay when a program is pushed.
    pub reconcile: bool,
    /// It keeps the metadata of entries, and tells of those that are idle; else what is wanted is compared without
    /// metadata, and an idle time-out is refused.
    pub notes: bool,
    /// The ways of writing several updates that it has.
    atomic: Vec<Atomic>,
    /// Updates in one write, at most.
    pub batch_updates: usize,
    /// Bytes of updates in one write, at most.
    pub batch_bytes: usize,
    /// Writes that wait for their answers at the same time.
    pub in_flight: usize,
    /// Bytes of the largest answer that it gives.
    pub message_bytes: usize,
    /// Default entries have direct counters.
    pub default_counters: bool,
    /// Flow tables can be read.
    pub flows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Atomic {
    Continue,
    Rollback,
    Dataplane,
}

impl Profile {
    /// A profile that comes with this crate.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn named(name: &str) -> Result<Self, ClientError> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(name, text),
            None => {
                let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                let reason = format!("there are {}", known.join(", "));
                Err(ClientError::Profile { name: name.to_owned(), reason })
            }
        }
    }

    /// A profile from a file's text.
    ///
    /// # Errors
    /// It is no profile, or one that nothing could be written with.
    pub fn parse(name: &str, text: &str) -> Result<Self, ClientError> {
        let error = |reason: String| ClientError::Profile { name: name.to_owned(), reason };
        let profile: Self = toml::from_str(text).map_err(|e| error(e.message().to_owned()))?;
        let sizes = [profile.batch_updates, profile.batch_bytes, profile.in_flight, profile.message_bytes];
        if sizes.contains(&0) || !profile.allows(Atomicity::ContinueOnError) {
            return Err(error("sizes are above 0, and `atomic` has \"continue\"".into()));
        }
        Ok(profile)
    }

    /// Whether it can write this way.
    #[must_use]
    pub fn allows(&self, atomicity: Atomicity) -> bool {
        self.atomic.contains(&match atomicity {
            Atomicity::ContinueOnError => Atomic::Continue,
            Atomicity::RollbackOnError => Atomic::Rollback,
            Atomicity::DataplaneAtomic => Atomic::Dataplane,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_is_a_profile() {
        for (name, _) in BUILT_IN {
            let profile = Profile::named(name).unwrap();
            assert!(profile.message_bytes >= 64 << 20, "{name}: an answer of BMv2's is that large");
        }
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        let good = BUILT_IN[0].1;
        for (text, says) in [
            (good.replace("modify = true", "modify = 1"), "invalid type"),
            (good.replace("modify = true", "modifies = true"), "unknown field `modifies`"),
            (good.replace("batch_updates = 8000", "batch_updates = 0"), "sizes are above 0"),
            (good.replace("[\"continue\"]", "[\"rollback\"]"), "`atomic` has \"continue\""),
        ] {
            let error = Profile::parse("mine", &text).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("mine"), "{error}");
        }
        assert!(Profile::named("bmv3").unwrap_err().to_string().contains("there are bmv2, guideway"));
    }
}

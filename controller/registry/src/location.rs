//! Where a registry is, in words.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Etcd, EtcdOptions, Redb, Registry, RegistryError};

/// etcd's port.
const PORT: u16 = 2379;
/// Where a deployment keeps its keys unless it says otherwise.
const PREFIX: &str = "/guideway";

/// `FILE` or `etcd://HOST:PORT,HOST:PORT/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of redb.
    File(PathBuf),
    /// An etcd.
    Etcd {
        /// host:port of each member.
        members: Vec<String>,
        /// All of the deployment's keys start with it and a slash.
        prefix: String,
    },
}

/// Text that is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {why}; a registry is FILE or etcd://HOST:PORT,HOST:PORT/PREFIX")]
pub struct LocationError {
    text: String,
    why: String,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why: &str| Err(LocationError { text: text.to_owned(), why: why.to_owned() });
        let rest = match text.split_once("://") {
            Some(("etcd", rest)) => rest,
            Some((scheme, _)) => return refuse(&format!("begins with {scheme}://, which is not known")),
            None if text.is_empty() => return refuse("is empty"),
            None => return Ok(Self::File(PathBuf::from(text))),
        };
        let (members, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = match prefix.trim_matches('/') {
            "" => PREFIX.to_owned(),
            prefix => format!("/{prefix}"),
        };
        let members: Option<Vec<String>> = members.split(',').map(member).collect();
        match members {
            Some(members) => Ok(Self::Etcd { members, prefix }),
            None => refuse("names a member that is not HOST:PORT"),
        }
    }
}

/// host:port, with etcd's port where none is said.
fn member(text: &str) -> Option<String> {
    let end_of_host = text.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match text[end_of_host..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(end_of_host + colon);
            (host, port[1..].parse().ok().filter(|port| *port > 0)?)
        }
        None => (text, PORT),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let known = if bracketed {
        host[1..host.len() - 1].parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        named && !host.is_empty()
    };
    known.then(|| format!("{host}:{port}"))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Etcd { members, prefix } => write!(f, "etcd://{}{prefix}", members.join(",")),
        }
    }
}

impl Location {
    /// A handle on what is there. `etcd` matters only to an etcd. Within a Tokio runtime.
    ///
    /// # Errors
    /// As [`Redb::open`] and [`Etcd::new`].
    pub async fn open(&self, etcd: &EtcdOptions) -> Result<Arc<dyn Registry>, RegistryError> {
        Ok(match self {
            Self::File(path) => Arc::new(Redb::open(path).await?),
            Self::Etcd { members, prefix } => Arc::new(Etcd::new(members, prefix, etcd)?),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(text: &str, read: &str) {
        let location: Location = text.parse().unwrap();
        assert_eq!(location.to_string(), read);
        assert_eq!(read.parse::<Location>().unwrap(), location);
    }

    #[test]
    fn locations_are_read() {
        check("registry.redb", "registry.redb");
        check("/var/lib/guideway/r", "/var/lib/guideway/r");
        check("etcd://a:1,b.c:2/x/y/", "etcd://a:1,b.c:2/x/y");
        check("etcd://10.0.0.1", "etcd://10.0.0.1:2379/guideway");
        check("etcd://[2001:db8::1],[::1]:9/", "etcd://[2001:db8::1]:2379,[::1]:9/guideway");
    }

    #[test]
    fn what_is_none_is_refused() {
        let refused = [
            "",
            "http://a",
            "etcd://",
            "etcd://a,,b",
            "etcd://a:0",
            "etcd://a:b",
            "etcd://::1",
            "etcd://[::1",
            "etcd://[x]:1",
            "etcd://u@h",
            "etcd:///p",
            "etcd://a:65536",
        ];
        for text in refused {
            let error = text.parse::<Location>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` ")), "{error}");
        }
    }
}

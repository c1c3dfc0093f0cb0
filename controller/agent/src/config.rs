//! What an agent is told: a file, and options of the command line before it.

use crate::hops::Fixed;
use crate::wanted::{Hop, Source, Sources};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What is wrong with it.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum ConfigError {
    #[error("{}: {error}", .path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("{}: {error}", .path.display())]
    Toml { path: PathBuf, error: String },
    #[error("`{text}` is no outer source: an address, or a network of at least 112 (IPv6) or 16 (IPv4) bits")]
    Source { text: String },
    #[error("`{text}` is no port: write N@IFACE, as in 1@eth0")]
    Port { text: String },
    #[error("interface {interface} is given twice")]
    PortTwice { interface: String },
    #[error("next hop {to}: {reason}")]
    NextHop { to: String, reason: String },
    #[error("{what} is missing: {help}")]
    Missing { what: &'static str, help: &'static str },
    #[error(
        "{0} can be reached from other machines; the agent's HTTP has no TLS, so it listens on 127.0.0.1 or [::1]"
    )]
    Open(SocketAddr),
}

/// An agent's file, TOML. Every field may be left out; options come first.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct File {
    /// This node's name.
    pub node: Option<String>,
    /// Controllers, `host:port`.
    pub controllers: Vec<String>,
    /// The P4Runtime server.
    pub p4runtime: Option<String>,
    /// What it can do: a profile's name.
    pub profile: Option<String>,
    pub device_id: Option<u64>,
    pub election_id: Option<u64>,
    /// Ports, `N@IFACE`.
    pub ports: Vec<String>,
    /// Outer sources: an address, or a network whose host bits take the flow's entropy.
    pub source4: Option<String>,
    pub source6: Option<String>,
    /// Where the last snapshot is kept.
    pub state: Option<PathBuf>,
    /// HTTP's address.
    pub http: Option<SocketAddr>,
    pub ready_command: Option<String>,
    pub ready_file: Option<PathBuf>,
    /// How long a retired generation stays: ms.
    pub grace_ms: Option<u64>,
    /// How often the data plane is read back, seconds; 0: never.
    pub audit: Option<u64>,
    /// Ways to backends that the kernel is not asked for.
    pub next_hop: Vec<NextHop>,
}

/// The way to a backend or a network of backends.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct NextHop {
    /// An address, or a network.
    pub to: String,
    pub port: u32,
    pub dst_mac: String,
    pub src_mac: String,
    #[serde(default = "usual_mtu")]
    pub mtu: u16,
}

fn usual_mtu() -> u16 {
    1500
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError::File`], [`ConfigError::Toml`]
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = |error| ConfigError::File { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(file)?;
        toml::from_str(&text).map_err(|e| ConfigError::Toml { path: path.to_owned(), error: e.to_string() })
    }

    /// Port numbers by interface.
    ///
    /// # Errors
    /// [`ConfigError::Port`], [`ConfigError::PortTwice`]
    pub fn port_numbers(&self) -> Result<BTreeMap<String, u32>, ConfigError> {
        let mut ports = BTreeMap::new();
        for text in &self.ports {
            let wrong = || ConfigError::Port { text: text.clone() };
            let (number, interface) = text.split_once('@').ok_or_else(wrong)?;
            let number = number.parse().map_err(|_| wrong())?;
            let allowed = |c: char| !c.is_whitespace() && !"/:".contains(c);
            if interface.is_empty() || interface.len() > 15 || !interface.chars().all(allowed) {
                return Err(wrong());
            }
            if ports.insert(interface.to_owned(), number).is_some() {
                return Err(ConfigError::PortTwice { interface: interface.to_owned() });
            }
        }
        Ok(ports)
    }

    /// Outer sources.
    ///
    /// # Errors
    /// [`ConfigError::Source`]
    pub fn sources(&self) -> Result<Sources, ConfigError> {
        let one = |text: &Option<String>, v4: bool| text.as_ref().map(|text| source(text, v4)).transpose();
        Ok(Sources { v4: one(&self.source4, true)?, v6: one(&self.source6, false)? })
    }

    /// Configured next hops.
    ///
    /// # Errors
    /// [`ConfigError::NextHop`]
    pub fn next_hops(&self) -> Result<Vec<Fixed>, ConfigError> {
        self.next_hop.iter().map(fixed).collect()
    }
}

/// An address and the length of its prefix; without one, all of it.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(bits), |p| p.parse().ok())?;
    (prefix <= bits).then_some((address, prefix))
}

fn source(text: &str, v4: bool) -> Result<Source, ConfigError> {
    let wrong = || ConfigError::Source { text: text.to_owned() };
    let (address, prefix) = network(text).filter(|(a, _)| a.is_ipv4() == v4).ok_or_else(wrong)?;
    let rest = if v4 { 32 - prefix } else { 128 - prefix };
    if rest > 16 {
        return Err(wrong());
    }
    let spread = (1_u32 << rest) - 1;
    let address = match address {
        IpAddr::V4(a) => IpAddr::V4((a.to_bits() & !spread).into()),
        IpAddr::V6(a) => IpAddr::V6((a.to_bits() & !u128::from(spread)).into()),
    };
    Ok(Source { address, spread })
}

fn fixed(hop: &NextHop) -> Result<Fixed, ConfigError> {
    let wrong = |reason: String| ConfigError::NextHop { to: hop.to.clone(), reason };
    let (network, prefix) =
        network(&hop.to).ok_or_else(|| wrong("write ADDR or ADDR/LEN, as in 10.0.1.0/24".into()))?;
    let mac = |text: &str| mac(text).ok_or_else(|| wrong(format!("`{text}` is no MAC address")));
    let (dst_mac, src_mac) = (mac(&hop.dst_mac)?, mac(&hop.src_mac)?);
    if hop.mtu < 576 {
        return Err(wrong(format!("mtu {}: IP needs 576", hop.mtu)));
    }
    let hop = Hop { port: hop.port, dst_mac, src_mac, mtu: hop.mtu, source: None };
    Ok(Fixed { network, prefix, hop })
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> =
        text.split(':').map(|b| u8::from_str_radix(b, 16).ok().filter(|_| b.len() == 2)).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_says_all_that_options_say() {
        let text = r#"
            node = "lb1"
            controllers = ["192.0.2.5:9570"]
            p4runtime = "127.0.0.1:9559"
            ports = ["1@eth0", "2@eth1"]
            source4 = "10.0.0.7/28"
            source6 = "2001:db8::1"
            http = "127.0.0.1:9572"
            [[next_hop]]
            to = "10.1.0.0/16"
            port = 1
            dst_mac = "02:00:00:00:00:fe"
            src_mac = "02:00:00:00:00:01"
        "#;
        let file: File = toml::from_str(text).unwrap();
        assert_eq!(file.port_numbers().unwrap()["eth1"], 2);
        let sources = file.sources().unwrap();
        assert_eq!(sources.v4, Some(Source { address: "10.0.0.0".parse().unwrap(), spread: 15 }));
        assert_eq!(sources.v6, Some(Source { address: "2001:db8::1".parse().unwrap(), spread: 0 }));
        let hop = file.next_hops().unwrap()[0].hop;
        assert_eq!((hop.port, hop.dst_mac, hop.mtu), (1, [2, 0, 0, 0, 0, 0xfe], 1500));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let hop =
            r#"to = "10.1.0.0/16", port = 1, dst_mac = "02:00:00:00:00:fe", src_mac = "02:00:00:00:00:01""#;
        let hop = |from: &str, to: &str| format!("next_hop = [{{ {} }}]", hop.replace(from, to));
        for (text, says) in [
            ("nodes = 1".to_owned(), "unknown field `nodes`"),
            ("ports = [\"eth0\"]".to_owned(), "write N@IFACE"),
            ("ports = [\"x@eth0\"]".to_owned(), "write N@IFACE"),
            ("ports = [\"1@eth0\", \"2@eth0\"]".to_owned(), "eth0 is given twice"),
            ("source4 = \"2001:db8::1\"".to_owned(), "no outer source"),
            ("source6 = \"2001:db8::/64\"".to_owned(), "no outer source"),
            (hop("10.1.0.0/16", "10.1.0.0/33"), "write ADDR or ADDR/LEN"),
            (hop("02:00:00:00:00:fe", "02:00:00:00:fe"), "no MAC address"),
            (hop("port = 1", "port = 1, mtu = 500"), "IP needs 576"),
        ] {
            let error = match toml::from_str::<File>(&text) {
                Err(error) => error.to_string(),
                Ok(file) => {
                    let all = file.port_numbers().map(drop).and(file.sources().map(drop));
                    all.and(file.next_hops().map(drop)).unwrap_err().to_string()
                }
            };
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}

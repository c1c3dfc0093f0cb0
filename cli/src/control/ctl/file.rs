//! What stands in files and on the command line: pools as YAML, VIPs and probes as text.

use crate::Refused;
use control_proto::v1::probe::How;
use control_proto::v1::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

/// A file for `ctl apply`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    pub(super) pools: BTreeMap<String, WantedPool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedPool {
    #[serde(default)]
    ring_slots: u32,
    #[serde(default)]
    when_unhealthy: Unhealthy,
    #[serde(default = "fifty")]
    panic_percent: u32,
    liveness: Option<WantedProbe>,
    readiness: Option<WantedProbe>,
    #[serde(default)]
    pub(super) vips: Vec<WantedVip>,
    #[serde(default)]
    pub(super) backends: BTreeMap<String, WantedBackend>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unhealthy {
    #[default]
    Reset,
    Keep,
}

fn fifty() -> u32 {
    50
}

/// `tcp`, a URL, or an object with more.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum WantedProbe {
    Text(String),
    Full(FullProbe),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FullProbe {
    url: String,
    #[serde(default)]
    interval_ms: u32,
    #[serde(default)]
    timeout_ms: u32,
    #[serde(default)]
    expected_status: Vec<u32>,
    #[serde(default)]
    body_contains: String,
    #[serde(default)]
    through_vip: String,
}

/// `203.0.113.10:80/tcp`, or an object with more.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum WantedVip {
    Name(VipName),
    Full(FullVip),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullVip {
    vip: VipName,
    #[serde(default)]
    stateless: bool,
    #[serde(default)]
    echo: bool,
    #[serde(default)]
    too_big: bool,
    #[serde(default)]
    timeout_class: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedBackend {
    address: String,
    #[serde(default)]
    port: u32,
    weight: Option<u32>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    readiness_url: String,
}

impl Wanted {
    pub(super) fn read(path: &Path) -> Result<Self, Refused> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Refused(format!("error: can't read {}: {error}", path.display())))?;
        serde_norway::from_str(&text).map_err(|error| Refused(format!("error: {}: {error}", path.display())))
    }
}

impl WantedPool {
    pub(super) fn settings(&self) -> Result<PoolSettings, String> {
        Ok(PoolSettings {
            ring_slots: self.ring_slots,
            when_unhealthy: match self.when_unhealthy {
                Unhealthy::Reset => WhenUnhealthy::Reset.into(),
                Unhealthy::Keep => WhenUnhealthy::Keep.into(),
            },
            panic_percent: self.panic_percent,
            liveness: self.liveness.as_ref().map(WantedProbe::probe).transpose()?,
            readiness: self.readiness.as_ref().map(WantedProbe::probe).transpose()?,
        })
    }
}

impl WantedProbe {
    fn probe(&self) -> Result<Probe, String> {
        let full = match self {
            Self::Text(text) => return probe(text),
            Self::Full(full) => full,
        };
        let mut probe = probe(&full.url)?;
        (probe.interval_ms, probe.timeout_ms) = (full.interval_ms, full.timeout_ms);
        probe.through_vip.clone_from(&full.through_vip);
        if let Some(How::Http(http)) = &mut probe.how {
            http.expected_status.clone_from(&full.expected_status);
            http.body_contains.clone_from(&full.body_contains);
        } else if !full.expected_status.is_empty() || !full.body_contains.is_empty() {
            return Err("only HTTP has a status and a body".into());
        }
        Ok(probe)
    }
}

impl WantedVip {
    pub(super) fn request(&self, pool: &str) -> BindVipToPoolRequest {
        let (name, flags, timeout_class) = match self {
            Self::Name(name) => (name, VipFlags::default(), 0),
            Self::Full(full) => {
                let flags = VipFlags { stateless: full.stateless, echo: full.echo, too_big: full.too_big };
                (&full.vip, flags, full.timeout_class)
            }
        };
        BindVipToPoolRequest {
            pool: pool.to_owned(),
            address: name.address.clone(),
            protocol: name.protocol.into(),
            port: name.port,
            flags: Some(flags),
            timeout_class,
            replace: true,
        }
    }
}

impl WantedBackend {
    pub(super) fn spec(&self, pool: &str, name: &str) -> BackendSpec {
        // As the controller writes it.
        let address =
            self.address.parse::<IpAddr>().map_or_else(|_| self.address.clone(), |ip| ip.to_string());
        BackendSpec {
            pool: pool.to_owned(),
            name: name.to_owned(),
            address,
            port: self.port,
            weight: Some(self.weight.unwrap_or(control_core::DEFAULT_WEIGHT)),
            labels: self.labels.clone(),
            readiness_url: self.readiness_url.clone(),
        }
    }
}

/// ADDRESS:PORT/PROTOCOL.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct VipName {
    pub(super) address: String,
    pub(super) protocol: Protocol,
    pub(super) port: u32,
}

impl std::str::FromStr for VipName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{text}` is no VIP: write ADDRESS:PORT/tcp, as in 203.0.113.10:80/tcp, [2001:db8::10]:443/udp or \
                203.0.113.10:any/tcp"
            )
        };
        let (place, protocol) = text.rsplit_once('/').ok_or_else(bad)?;
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return Err(bad()),
        };
        let (host, port) = place.rsplit_once(':').ok_or_else(bad)?;
        let port = match port {
            "any" => 0,
            port => port.parse::<u16>().ok().filter(|p| *p > 0).map(u32::from).ok_or_else(bad)?,
        };
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or_else(bad)?,
            None if host.contains(':') => return Err(bad()),
            None => host,
        };
        let address = host.parse::<IpAddr>().map_err(|_| bad())?.to_string();
        Ok(Self { address, protocol, port })
    }
}

impl TryFrom<String> for VipName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// `tcp`, tcp://:PORT, http://HOST:PORT/PATH, https://... The host is what HTTP is asked for; probes go to the backend.
pub(super) fn probe(text: &str) -> Result<Probe, String> {
    if text == "tcp" {
        return Ok(Probe { how: Some(How::Tcp(TcpProbe {})), ..Probe::default() });
    }
    let bad = || {
        format!(
            "`{text}` is no probe: write tcp, tcp://:8080, http:///ready or https://shop.example:8443/ready"
        )
    };
    let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
    let cut = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(cut);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, u32::from(port.parse::<u16>().map_err(|_| bad())?))
        }
        _ => (authority, 0),
    };
    let how = match scheme {
        "tcp" if path.is_empty() => How::Tcp(TcpProbe {}),
        "http" | "https" => How::Http(HttpProbe {
            tls: scheme == "https",
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            host: host.to_owned(),
            ..HttpProbe::default()
        }),
        _ => return Err(bad()),
    };
    Ok(Probe { how: Some(how), port, ..Probe::default() })
}

/// A probe as it is written.
pub(super) fn probe_text(probe: &Probe) -> String {
    let port = if probe.port == 0 { String::new() } else { format!(":{}", probe.port) };
    match &probe.how {
        Some(How::Http(http)) => {
            format!("{}://{}{port}{}", if http.tls { "https" } else { "http" }, http.host, http.path)
        }
        _ if port.is_empty() => "tcp".to_owned(),
        _ => format!("tcp://{port}"),
    }
}

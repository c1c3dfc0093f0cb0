//! What is to be probed, checked once so that a probe has nothing left to parse.

use control_proto::v1::{HttpProbe, Probe, ProbeTarget, probe::How as Asked};
use hyper::header::HeaderValue;
use hyper::http::uri::PathAndQuery;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::ServerName;

/// Shortest and longest pause between two probes. Reports expire after 15 s: at the longest, three probes fit.
pub const INTERVALS_MS: (u32, u32) = (100, 5_000);
/// The longest time-out in milliseconds.
pub const LONGEST_TIMEOUT_MS: u32 = 5_000;

/// The name of a backend: its pool's, and its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Of the pool.
    pub pool: String,
    /// Of the backend in the pool.
    pub backend: String,
}

/// One backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Whose it is.
    pub key: Key,
    /// Does it answer?
    pub live: Result<Plan, String>,
    /// Does it want new flows? `None`: nobody asks.
    pub ready: Option<Result<Plan, String>>,
    /// Probed four times as often.
    pub suspect: bool,
}

/// One kind of probe of one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where its address is.
    pub to: SocketAddr,
    /// Speaks to this VIP, in packets that are encapsulated to its address.
    pub vip: Option<SocketAddr>,
    /// What is done.
    pub how: How,
    /// From one to the next.
    pub interval: Duration,
    /// From its first packet to the last answer.
    pub timeout: Duration,
}

/// What a probe does.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// Connects.
    Tcp,
    /// Asks, and reads the answer.
    Http(Box<Http>),
}

/// A request and what its answer must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Over TLS, with this name.
    pub tls: Option<ServerName<'static>>,
    /// Path and query.
    pub path: PathAndQuery,
    /// The field `host`.
    pub host: HeaderValue,
    /// One of these; empty: 200 to 299.
    pub expected: Vec<u32>,
    /// The body must have these bytes within its first 64 KiB.
    pub contains: Vec<u8>,
}

impl Target {
    /// From the controller's message. What can't be probed is a target too: its state is "unknown", and says why.
    #[must_use]
    pub fn new(asked: &ProbeTarget) -> Self {
        let address =
            asked.address.parse::<IpAddr>().map_err(|_| format!("`{}` is no IP address", asked.address));
        let plan = |probe: &Probe| address.clone().and_then(|ip| Plan::new(probe, ip));
        let ready = asked.readiness.as_ref().map(plan);
        let live = match (&asked.liveness, &ready) {
            (Some(probe), _) => plan(probe),
            // Whoever asks for readiness alone: alive is what accepts connections there.
            (None, Some(Ok(ready))) => Ok(Plan { how: How::Tcp, vip: None, ..ready.clone() }),
            (None, _) => Err("no liveness probe is set".to_owned()),
        };
        let key = Key { pool: asked.pool.clone(), backend: asked.backend.clone() };
        Self { key, live, ready, suspect: asked.suspect }
    }
}

impl Plan {
    /// A probe of a backend with this address.
    ///
    /// # Errors
    /// Why it can't be made.
    pub fn new(probe: &Probe, ip: IpAddr) -> Result<Self, String> {
        let port = u16::try_from(probe.port).ok().filter(|p| *p > 0);
        let port = port.ok_or_else(|| format!("{} is no port to probe", probe.port))?;
        let to = SocketAddr::new(ip, port);
        let vip = match probe.through_vip.as_str() {
            "" => None,
            vip => Some(through(vip, to)?),
        };
        let how = match &probe.how {
            Some(Asked::Http(http)) => How::Http(Box::new(Http::new(http, vip.unwrap_or(to))?)),
            _ => How::Tcp,
        };
        let or = |given: u32, default: u32| if given == 0 { default } else { given };
        let interval = or(probe.interval_ms, 1_000).clamp(INTERVALS_MS.0, INTERVALS_MS.1);
        let timeout = or(probe.timeout_ms, 500).clamp(1, LONGEST_TIMEOUT_MS);
        let ms = |ms: u32| Duration::from_millis(ms.into());
        Ok(Self { to, vip, how, interval: ms(interval), timeout: ms(timeout) })
    }
}

/// The VIP: an address, the port being the probe's.
fn through(vip: &str, to: SocketAddr) -> Result<SocketAddr, String> {
    let ip: IpAddr = vip.parse().map_err(|_| format!("`{vip}` is no IP address of a VIP"))?;
    if ip.is_ipv6() && to.is_ipv4() {
        return Err(format!("packets to {vip} can't reach {}: there is no IPv6 in IPv4 here", to.ip()));
    }
    Ok(SocketAddr::new(ip, to.port()))
}

impl Http {
    fn new(asked: &HttpProbe, to: SocketAddr) -> Result<Self, String> {
        let path = if asked.path.is_empty() { "/" } else { &asked.path };
        let path = path.parse::<PathAndQuery>().ok().filter(|p| p.as_str().starts_with('/'));
        let path = path.ok_or_else(|| format!("`{}` is no path", asked.path))?;
        let given = asked.host.trim();
        let text = if given.is_empty() { to.to_string() } else { given.to_owned() };
        let host = HeaderValue::from_str(&text).map_err(|_| format!("`{given}` is no host"))?;
        if let Some(odd) = asked.expected_status.iter().find(|s| !(100..=999).contains(*s)) {
            return Err(format!("{odd} is no HTTP status"));
        }
        let tls = asked.tls.then(|| server_name(given, to.ip())).transpose()?;
        let (expected, contains) = (asked.expected_status.clone(), asked.body_contains.clone().into_bytes());
        Ok(Self { tls, path, host, expected, contains })
    }
}

/// The name that TLS asks for: the host without a port, else the address.
fn server_name(host: &str, ip: IpAddr) -> Result<ServerName<'static>, String> {
    if host.is_empty() {
        return Ok(ServerName::from(ip));
    }
    let bare = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => match host.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => name,
            _ => host,
        },
    };
    ServerName::try_from(bare.to_owned()).map_err(|_| format!("`{host}` is no name of a server"))
}

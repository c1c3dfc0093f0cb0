//! What a request may say.

use crate::{Refusal, Settings, url};
use control_proto::v1::probe::How;
use control_proto::v1::{BackendSpec, PoolSettings, Probe, Protocol, WhenUnhealthy};
use maglev_ring::{Member, apportion};
use std::net::IpAddr;

/// Weight of a backend about which nothing is said.
pub const DEFAULT_WEIGHT: u32 = 100;
/// The heaviest.
pub const MAX_WEIGHT: u32 = 1_000;
/// Labels of a backend at most.
const MAX_LABELS: usize = 32;
/// Bytes of a name, of a label's key and of its value at most.
const MAX_NAME: usize = 63;
/// Milliseconds between probes: reports expire after 15 s, so that three have to fit.
const INTERVAL: std::ops::RangeInclusive<u32> = 10..=5_000;
/// Milliseconds that a probe may take.
const TIMEOUT: std::ops::RangeInclusive<u32> = 1..=10_000;

/// As much of somebody's text as fits into a message.
fn shown(text: &str) -> String {
    let cut = text.chars().take(40).flat_map(char::escape_debug).collect::<String>();
    if text.chars().count() > 40 { format!("{cut}...") } else { cut }
}

pub(crate) fn pool_name(name: &str) -> Result<(), Refusal> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if first && name.len() <= MAX_NAME && name.bytes().all(legal) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "`{}` can't name a pool: 1 to {MAX_NAME} of a-z, 0-9 and -, first a letter",
        shown(name)
    )))
}

fn backend_name(name: &str) -> Result<(), Refusal> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(legal) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "`{}` can't name a backend: 1 to {MAX_NAME} of A-Z, a-z, 0-9, ., _ and -",
        shown(name)
    )))
}

/// An address that one host or VIP can have.
pub(crate) fn address(text: &str, what: &str) -> Result<IpAddr, Refusal> {
    let bad = |why: &str| Err(Refusal::invalid(format!("{what} `{}` {why}", shown(text))));
    let Ok(ip) = text.parse::<IpAddr>() else {
        return bad("is no IPv4 or IPv6 address");
    };
    if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::from([255; 4]) {
        return bad("is the address of no single host");
    }
    if matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()) {
        return bad("is an IPv4 address written as IPv6: write it as IPv4");
    }
    Ok(ip)
}

pub(crate) fn port(port: u32, what: &str) -> Result<u16, Refusal> {
    u16::try_from(port).map_err(|_| Refusal::invalid(format!("{what} {port}: ports end at 65535")))
}

pub(crate) fn protocol(number: i32) -> Result<Protocol, Refusal> {
    match Protocol::try_from(number) {
        Ok(known @ (Protocol::Tcp | Protocol::Udp)) => Ok(known),
        _ => Err(Refusal::invalid(format!("protocol {number} is not balanced: TCP (6) and UDP (17) are"))),
    }
}

/// The settings with what they leave open filled in.
pub(crate) fn pool_settings(given: Option<&PoolSettings>, room: &Settings) -> Result<PoolSettings, Refusal> {
    let mut settings = given.cloned().unwrap_or_default();
    if settings.ring_slots == 0 {
        settings.ring_slots = room.ring_slots;
    }
    let one = Member { id: 1, key: 0, weight: 1 };
    apportion(settings.ring_slots, &[one]).map_err(|e| Refusal::invalid(e.to_string()))?;
    if settings.panic_percent == 0 {
        settings.panic_percent = 50;
    }
    if settings.panic_percent > 100 {
        return Err(Refusal::invalid(format!("panic threshold {} %: at most 100", settings.panic_percent)));
    }
    if WhenUnhealthy::try_from(settings.when_unhealthy).is_err() {
        return Err(Refusal::invalid("when unhealthy: RESET or KEEP"));
    }
    for (probe, what) in [(&settings.liveness, "liveness probe"), (&settings.readiness, "readiness probe")] {
        if let Some(probe) = probe {
            check_probe(probe, what)?;
        }
    }
    Ok(settings)
}

fn check_probe(probe: &Probe, what: &str) -> Result<(), Refusal> {
    let bad = |why: String| Err(Refusal::invalid(format!("{what}: {why}")));
    port(probe.port, what)?;
    if probe.interval_ms != 0 && !INTERVAL.contains(&probe.interval_ms) {
        return bad(format!("every {} ms; {} to {}", probe.interval_ms, INTERVAL.start(), INTERVAL.end()));
    }
    if probe.timeout_ms != 0 && !TIMEOUT.contains(&probe.timeout_ms) {
        return bad(format!("time-out {} ms; {} to {}", probe.timeout_ms, TIMEOUT.start(), TIMEOUT.end()));
    }
    if !probe.through_vip.is_empty() {
        address(&probe.through_vip, "the VIP to probe through")?;
    }
    let Some(How::Http(http)) = &probe.how else {
        return Ok(());
    };
    let illegal = |text: &str| text.chars().any(|c| c.is_whitespace() || c.is_control());
    if !(http.path.is_empty() || http.path.starts_with('/')) || http.path.len() > 2048 || illegal(&http.path)
    {
        return bad(format!("path `{}` has to begin with / and hold no blanks", shown(&http.path)));
    }
    if http.host.len() > 253 || illegal(&http.host) {
        return bad(format!("host `{}` can't be one", shown(&http.host)));
    }
    if let Some(status) = http.expected_status.iter().find(|s| !(100..=599).contains(*s)) {
        return bad(format!("{status} is no HTTP status"));
    }
    if http.expected_status.len() > 32 || http.body_contains.len() > 1024 {
        return bad("at most 32 expected statuses, and 1,024 bytes of the body".into());
    }
    Ok(())
}

/// The spec with what it leaves open filled in, and its address.
pub(crate) fn backend(given: Option<&BackendSpec>) -> Result<(BackendSpec, IpAddr), Refusal> {
    let Some(given) = given else {
        return Err(Refusal::invalid("the request names no backend"));
    };
    labels(given)?;
    pool_name(&given.pool)?;
    backend_name(&given.name)?;
    let ip = address(&given.address, "backend address")?;
    let port = port(given.port, "backend port")?;
    let weight = given.weight.unwrap_or(DEFAULT_WEIGHT);
    if weight > MAX_WEIGHT {
        return Err(Refusal::invalid(format!("weight {weight}: 0 (out of the ring) to {MAX_WEIGHT:?}")));
    }
    if !given.readiness_url.is_empty() {
        let probe = url::probe(&given.readiness_url, ip)?;
        if probe.port == 0 && port == 0 && matches!(probe.how, Some(How::Tcp(_))) {
            return Err(Refusal::invalid(format!(
                "readiness URL `{}` can't be reached: neither it nor the backend has a port",
                shown(&given.readiness_url)
            )));
        }
    }
    let spec = BackendSpec { address: ip.to_string(), weight: Some(weight), ..given.clone() };
    Ok((spec, ip))
}

fn labels(spec: &BackendSpec) -> Result<(), Refusal> {
    if spec.labels.len() > MAX_LABELS {
        return Err(Refusal::invalid(format!("{} labels; at most {MAX_LABELS}", spec.labels.len())));
    }
    for (key, value) in &spec.labels {
        if key.is_empty() || key.len() > MAX_NAME || value.len() > MAX_NAME {
            return Err(Refusal::invalid(format!(
                "label `{}` has {} bytes of name and {} of value; 1 to {MAX_NAME}, and at most {MAX_NAME}",
                shown(key),
                key.len(),
                value.len()
            )));
        }
        if key.chars().chain(value.chars()).any(char::is_control) {
            return Err(Refusal::invalid(format!("label `{}` holds control characters", shown(key))));
        }
    }
    Ok(())
}

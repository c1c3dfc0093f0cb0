//! What an agent counts, by its page for Prometheus.

use super::switch::Count;
use crate::lab::BACKENDS;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take: the agent asks its data plane first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page of metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Reads a page. Labels of the demo have no quotes, commas or braces in them.
    #[must_use]
    pub fn parse(page: &str) -> Self {
        let line = |text: &str| {
            let (name, value) = text.rsplit_once(' ')?;
            let (name, labels) = name.split_once('{').unwrap_or((name, ""));
            let label = |pair: &str| {
                let (key, value) = pair.split_once('=')?;
                Some((key.to_owned(), value.trim_matches('"').to_owned()))
            };
            let labels = labels.trim_end_matches('}').split(',').filter_map(label).collect();
            Some(Line { name: name.to_owned(), labels, value: value.parse().ok()? })
        };
        let lines = page.lines().filter(|text| !text.starts_with('#')).filter_map(line).collect();
        Self { lines }
    }

    /// The packets and bytes of all lines of `what` (`vip`, `backend`) with that label.
    #[must_use]
    pub fn count(&self, what: &str, label: &str, value: &str) -> Count {
        let sum = |unit: &str| {
            let name = format!("guideway_{what}_{unit}_total");
            let of = self.lines.iter().filter(|l| l.name == name);
            of.filter(|l| l.labels.get(label).is_some_and(|v| v == value)).map(|l| l.value).sum::<f64>()
                as u64
        };
        Count { packets: sum("packets"), bytes: sum("bytes") }
    }

    /// Packets to any backend.
    #[must_use]
    pub fn forwarded(&self) -> u64 {
        BACKENDS.iter().map(|name| self.count("backend", "backend", name).packets).sum()
    }

    /// Packets dropped, by reason.
    #[must_use]
    pub fn drops(&self) -> BTreeMap<String, u64> {
        let drops = self.lines.iter().filter(|l| l.name == "guideway_drops_total");
        drops.filter_map(|l| Some((l.labels.get("reason")?.clone(), l.value as u64))).collect()
    }
}

/// Asks for the page at `address`, from the calling thread's namespace.
///
/// # Errors
/// Nobody answers, or not with a page.
pub fn read(address: &str) -> Result<Metrics> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: agent\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, page)) if head.contains(" 200 ") => Ok(Metrics::parse(page)),
        _ => bail!("{}", answer.lines().next().unwrap_or("an empty answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let page = "# TYPE guideway_backend_packets_total counter\n\
            guideway_backend_packets_total{pool=\"web4\",backend=\"b1\"} 7\n\
            guideway_backend_packets_total{pool=\"web6\",backend=\"b1\"} 2\n\
            guideway_backend_packets_total{pool=\"web6\",backend=\"b2\"} 1\n\
            guideway_backend_bytes_total{pool=\"web4\",backend=\"b1\"} 900\n\
            guideway_drops_total{reason=\"mtu\"} 3\n\
            guideway_agent_ready 1\n";
        let metrics = Metrics::parse(page);
        assert_eq!(metrics.count("backend", "backend", "b1"), Count { packets: 9, bytes: 900 });
        assert_eq!(metrics.count("vip", "vip", "203.0.113.10"), Count::default());
        assert_eq!(metrics.drops(), BTreeMap::from([("mtu".into(), 3)]));
    }
}

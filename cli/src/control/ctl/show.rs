//! Tables for people, JSON for programs.

use control_proto::v1::*;
use serde_json::{Value, json};

/// Prints rows under their heads, each column as wide as it has to be.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = heads.iter().map(|head| head.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, &width) in cells.zip(&widths) {
            text.push_str(&format!("{cell:width$}  "));
        }
        println!("{}", text.trim_end());
    };
    line(&mut heads.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}

/// Prints one JSON value.
pub(super) fn print(value: &Value) {
    println!("{value:#}");
}

/// A VIP as it is written on the command line and in files.
pub(super) fn vip_name(address: &str, protocol: Protocol, port: u32) -> String {
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let port = if port == 0 { "any".to_owned() } else { port.to_string() };
    format!("{host}:{port}/{}", if protocol == Protocol::Udp { "udp" } else { "tcp" })
}

/// `STATE_` is left out, and small letters do.
pub(super) fn state(state: BackendState) -> String {
    state.as_str_name().to_lowercase().replace('_', " ")
}

/// Milliseconds since 1970 as UTC.
pub(super) fn time(ms: u64) -> String {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    // Days of the Gregorian calendar, counted from 0000-03-01 in eras of 400 years.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("{year:04}-{month:02}-{date:02} {hours:02}:{minutes:02}:{seconds:02}.{:03}", rest % 1_000)
}

pub(super) fn backend_json(b: &Backend) -> Value {
    let spec = b.spec.clone().unwrap_or_default();
    json!({
        "pool": spec.pool, "name": spec.name, "id": b.id, "address": spec.address, "port": spec.port,
        "weight": spec.weight.unwrap_or_default(), "labels": spec.labels, "readiness_url": spec.readiness_url,
        "state": b.state().as_str_name(), "since_ms": b.since_ms, "reason": b.reason,
        "drain_deadline_ms": b.drain_deadline_ms, "suspect": b.suspect, "in_ring": b.in_ring,
        "in_table": b.in_table, "active_flows": b.active_flows,
    })
}

pub(super) fn backends(backends: &[Backend]) {
    let row = |b: &Backend| {
        let spec = b.spec.clone().unwrap_or_default();
        let mark = |on: bool| if on { "yes" } else { "-" }.to_owned();
        vec![
            spec.name,
            b.id.to_string(),
            spec.address,
            spec.port.to_string(),
            spec.weight.unwrap_or_default().to_string(),
            state(b.state()) + if b.suspect { " (suspect)" } else { "" },
            mark(b.in_ring),
            mark(b.in_table),
            b.active_flows.to_string(),
            b.reason.clone(),
        ]
    };
    let heads = ["BACKEND", "ID", "ADDRESS", "PORT", "WEIGHT", "STATE", "RING", "TABLE", "FLOWS", "WHY"];
    table(&heads, &backends.iter().map(row).collect::<Vec<_>>());
}

pub(super) fn vip_json(v: &Vip) -> Value {
    let flags = v.flags.unwrap_or_default();
    json!({
        "vip": vip_name(&v.address, v.protocol(), v.port), "pool": v.pool, "number": v.number,
        "stateless": flags.stateless, "echo": flags.echo, "too_big": flags.too_big,
        "timeout_class": v.timeout_class,
    })
}

pub(super) fn vips(vips: &[Vip]) {
    let row = |v: &Vip| {
        let flags = v.flags.unwrap_or_default();
        let named = [(flags.stateless, "stateless"), (flags.echo, "echo"), (flags.too_big, "too-big")];
        let flags: Vec<&str> = named.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let name = vip_name(&v.address, v.protocol(), v.port);
        vec![name, v.pool.clone(), v.number.to_string(), v.timeout_class.to_string(), flags.join(",")]
    };
    table(&["VIP", "POOL", "NUMBER", "CLASS", "FLAGS"], &vips.iter().map(row).collect::<Vec<_>>());
}

/// As one list, one object a line, or lines for people.
pub(super) fn events(events: &[Event], list: bool, lines: bool) {
    let one = |e: &Event| json!({"number": e.number, "at_ms": e.at_ms, "kind": e.kind, "pool": e.pool, "backend": e.backend, "text": e.text});
    if list {
        return print(&events.iter().map(one).collect());
    }
    for e in events {
        if lines {
            println!("{}", one(e));
            continue;
        }
        let about = [e.pool.as_str(), e.backend.as_str()].into_iter().filter(|s| !s.is_empty());
        let about = about.collect::<Vec<_>>().join("/");
        println!("{:>6}  {}  {:22}  {about:24}  {}", e.number, time(e.at_ms), e.kind, e.text);
    }
}

pub(super) fn status(status: &Status, json: bool) {
    let report = |n: &NodeStatus| n.report.clone().unwrap_or_default();
    if json {
        let nodes: Vec<Value> = status.nodes.iter().map(|n| {
            let report = report(n);
            json!({"node": report.node, "version": report.version, "current": n.current, "reported_ms": n.reported_ms,
                "push_latency_ms": report.push_latency_ms, "alarms": report.alarms, "left_out": report.left_out.as_ref().map(left_out_json)})
        }).collect();
        return print(&json!({
            "controller": status.controller, "leads": status.leads, "leader": status.leader,
            "version": status.version, "nodes": nodes, "alarms": status.alarms,
        }));
    }
    let role = match (status.leads, status.leader.as_str()) {
        (true, _) => "leads".to_owned(),
        (false, "") => "nobody leads".to_owned(),
        (false, leader) => format!("follows {leader}"),
    };
    println!("{} {role}, version {}", status.controller, status.version);
    if !status.nodes.is_empty() {
        let row = |n: &NodeStatus| {
            let report = report(n);
            let current = if n.current { "yes" } else { "no" }.to_owned();
            let latency = format!("{:.1} ms", report.push_latency_ms);
            vec![report.node, report.version.to_string(), current, latency, time(n.reported_ms)]
        };
        table(
            &["NODE", "VERSION", "CURRENT", "PUSH", "REPORTED"],
            &status.nodes.iter().map(row).collect::<Vec<_>>(),
        );
    }
    for report in status.nodes.iter().filter_map(|n| n.report.as_ref()) {
        if let Some(left_out) = &report.left_out {
            println!("node {} leaves out {}", report.node, left_out_words(left_out));
        }
    }
    for alarm in &status.alarms {
        println!("alarm: {alarm}");
    }
}

fn left_out_json(it: &LeftOut) -> Value {
    json!({"vips": it.vips, "pools": it.pools, "example": it.example})
}

/// What a node's data plane has no tables for.
fn left_out_words(it: &LeftOut) -> String {
    let count = |n: u32, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (vips, pools) = (count(it.vips, "VIP"), count(it.pools, "pool"));
    let such = if it.example.is_empty() { String::new() } else { format!(" (such as {})", it.example) };
    format!("{vips}{such} and {pools}: its data plane has no tables for them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_out() {
        let of =
            |vips, pools, example: &str| left_out_words(&LeftOut { vips, pools, example: example.into() });
        assert_eq!(
            of(2, 1, "2001:db8::10 tcp 80"),
            "2 VIPs (such as 2001:db8::10 tcp 80) and 1 pool: its data plane has no tables for them"
        );
        assert_eq!(of(0, 2, ""), "0 VIPs and 2 pools: its data plane has no tables for them");
    }

    #[test]
    fn times() {
        assert_eq!(time(0), "1970-01-01 00:00:00.000");
        assert_eq!(time(951_782_399_999), "2000-02-28 23:59:59.999");
        assert_eq!(time(951_782_400_000), "2000-02-29 00:00:00.000");
        assert_eq!(time(1_767_225_600_001), "2026-01-01 00:00:00.001");
    }
}

//! Flows as text and as JSON.

use super::links::{Links, Service};
use p4runtime_proto::schema::Table;
use pipeline_entries::value;
use runtime_client::{Flow, FlowState, Names};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

/// How many were shown.
#[derive(Debug, Default)]
pub(super) struct Sums {
    states: BTreeMap<FlowState, u64>,
    /// There are more.
    pub(super) more: bool,
}

impl Sums {
    pub(super) fn add(&mut self, state: FlowState) {
        *self.states.entry(state).or_default() += 1;
    }

    pub(super) fn shown(&self) -> u64 {
        self.states.values().sum()
    }

    pub(super) fn print(&self, as_json: bool) {
        let of = |state: FlowState| self.states.get(&state).copied().unwrap_or(0);
        let mut out = std::io::stdout().lock();
        let _closed = if as_json {
            let states: Map<String, Value> =
                FlowState::ALL.iter().map(|s| (s.name().to_owned(), of(*s).into())).collect();
            writeln!(out, "{}", json!({"flows": self.shown(), "states": states, "more": self.more}))
        } else {
            let states: Vec<String> = FlowState::ALL.iter().map(|s| format!("{} {s}", of(*s))).collect();
            let more = if self.more { "; there are more" } else { "" };
            writeln!(out, "{} flows: {}{more}", self.shown(), states.join(", "))
        };
    }
}

/// `203.0.113.10:80`
fn place(service: Service) -> String {
    let address = value::shown("address", service.bits.min(128) as u8, service.address);
    match service.port {
        None => address,
        Some(port) if service.bits == 128 => format!("[{address}]:{port}"),
        Some(port) => format!("{address}:{port}"),
    }
}

fn key(table: Option<&Table>, flow: &Flow) -> Vec<(String, String)> {
    let bits = |name: &str| table.and_then(|t| t.field_named(name)).map_or(0, |f| f.bits.min(255) as u8);
    flow.key.iter().map(|(name, v)| (name.clone(), value::shown(name, bits(name), *v))).collect()
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

/// Prints a flow; false when nobody reads any more.
pub(super) fn flow(links: &Links, names: &Names, flow: &Flow, as_json: bool) -> bool {
    let key = key(names.schema().table_named(&flow.table), flow);
    let service = links.services(flow).first().map(|s| place(*s));
    let left = flow.age.map(|age| flow.timeout.saturating_sub(age));
    let mut out = std::io::stdout().lock();
    if as_json {
        let plain = |text: &str| text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from);
        let key: Map<String, Value> = key.iter().map(|(name, text)| (name.clone(), plain(text))).collect();
        let one = json!({
            "table": flow.table, "key": key, "service": service, "backend": flow.id, "to": links.backend(flow),
            "state": flow.state.name(), "class": flow.class,
            "age_s": flow.age.map(seconds), "left_s": left.map(seconds),
        });
        return writeln!(out, "{one}").is_ok();
    }
    let key: Vec<String> = key.into_iter().map(|(name, text)| format!("{name} = {text}")).collect();
    let service = service.map(|s| format!(" to {s}")).unwrap_or_default();
    let backend = links.backend(flow).map(|at| format!(" ({at})")).unwrap_or_default();
    let times = match (flow.age, left) {
        (Some(age), Some(left)) => format!(", {:.1} s ago, {:.1} s left", seconds(age), seconds(left)),
        _ => String::new(),
    };
    let (table, state, id) = (&flow.table, flow.state, flow.id);
    let key = key.join(", ");
    writeln!(out, "{table} {{ {key} }}{service} -> backend {id}{backend}, {state}{times}").is_ok()
}

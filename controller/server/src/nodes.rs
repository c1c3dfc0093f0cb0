//! What nodes report.

use control_core::{Life, State};
use control_proto::v1::{NodeReport, NodeStatus};
use std::collections::BTreeMap;

/// How long a report counts, milliseconds.
const COUNTS: u64 = 60_000;
/// How long a node that is silent is told of, milliseconds.
const TOLD: u64 = 3_600_000;
/// Nodes at most.
const MOST: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Nodes {
    by_name: BTreeMap<String, Node>,
}

#[derive(Debug)]
struct Node {
    report: NodeReport,
    at: u64,
    flows: BTreeMap<u32, u64>,
}

impl Nodes {
    /// Takes a report. False: there are too many nodes.
    pub(crate) fn take(&mut self, report: NodeReport, now: u64) -> bool {
        self.by_name.retain(|_, node| node.at + TOLD > now);
        if self.by_name.len() >= MOST && !self.by_name.contains_key(&report.node) {
            return false;
        }
        let flows = report.flows.iter().map(|f| (f.id, f.active)).collect();
        self.by_name.insert(report.node.clone(), Node { report, at: now, flows });
        true
    }

    fn counting(&self, now: u64) -> impl Iterator<Item = &Node> {
        self.by_name.values().filter(move |node| node.at + COUNTS > now)
    }

    /// Flows of a backend, over all nodes.
    pub(crate) fn flows(&self, id: u32, now: u64) -> u64 {
        self.counting(now).filter_map(|node| node.flows.get(&id)).sum()
    }

    /// The backends that drain since `before` or longer, of which no node has a flow. A node that does not say counts as one that has: the window ends
    /// the drain then.
    pub(crate) fn without_flows(&self, state: &State, before: u64, now: u64) -> Vec<u32> {
        let mut gone = Vec::new();
        for pool in state.pools().values() {
            let drains = |b: &&std::sync::Arc<control_core::Backend>| {
                matches!(b.life, Life::Draining { .. }) && b.since_ms <= before
            };
            let draining = pool.backends.values().filter(drains);
            for backend in draining {
                let mut nodes = self.counting(now).peekable();
                // A count that began under the old table says nothing of the flows that came until the new one.
                let none = |node: &Node| {
                    node.report.version.min(node.report.flows_version) >= pool.node_version
                        && node.flows.get(&backend.id) == Some(&0)
                };
                if nodes.peek().is_some() && nodes.all(none) {
                    gone.push(backend.id);
                }
            }
        }
        gone
    }

    /// What is known of each. `tables`, `version`: of the last change that nodes forward by, and of the last that they are told of.
    pub(crate) fn status(&self, tables: u64, version: u64, now: u64) -> Vec<NodeStatus> {
        let of = |node: &Node| NodeStatus {
            report: Some(node.report.clone()),
            reported_ms: node.at,
            current: (tables..=version).contains(&node.report.version) && node.at + COUNTS > now,
        };
        self.by_name.values().map(of).collect()
    }

    /// In words, what nodes complain of.
    pub(crate) fn alarms(&self, now: u64) -> Vec<String> {
        let of = |node: &Node| {
            let name = node.report.node.clone();
            node.report.alarms.iter().map(move |alarm| format!("node {name}: {alarm}")).collect::<Vec<_>>()
        };
        let silent = self.by_name.values().filter(|node| node.at + COUNTS <= now);
        let silent =
            silent.map(|node| format!("node {}: silent for {} s", node.report.node, (now - node.at) / 1_000));
        self.counting(now).flat_map(of).chain(silent).collect()
    }
}

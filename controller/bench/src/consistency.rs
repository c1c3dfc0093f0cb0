//! How many connections a change breaks, with and without a flow table.
//!
//! Two nodes behind a router that shares connections out by a hash. Connections to two VIPs of one pool, the second VIP
//! without a flow table, send packets before, during and after each change. A connection is broken when a packet of it is
//! dropped, or goes to another backend than its first one although that is still there.
//!
//! What must come out is computed from the rings before and after, connection by connection.

use crate::flows::{Flow, Ring};
use crate::node::{Node, Orders};
use crate::site::{self, Client, POOL, Running};
use crate::traffic::{Router, Seen, Traffic, Way};
use crate::wait;
use anyhow::{Context as _, Result, bail};
use control_proto::v1::{
    DeregisterBackendRequest, DrainBackendRequest, GetStatusRequest, UpdateBackendRequest, Vip,
};
use control_registry::Redb;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;

/// The VIP with a flow table, and the one without.
const VIPS: [Ipv4Addr; 2] = [Ipv4Addr::new(203, 0, 113, 10), Ipv4Addr::new(203, 0, 113, 11)];
/// The node that gets lost.
const LOST: usize = 0;

/// What happens to the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A backend more.
    Added,
    /// A backend less, at once.
    Removed,
    /// A backend drains; its window has not ended.
    Drained,
    /// A backend's weight is three times what it was.
    Weight,
    /// A node is lost with its flow table.
    NodeLost,
    /// As a backend is added, a node is lost; the router notices when the other node has the new ring.
    NodeLostAndAdded,
    /// Both agents are killed and started again.
    Agents,
    /// The leading controller is killed, another leads.
    Failover,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Added,
        Self::Removed,
        Self::Drained,
        Self::Weight,
        Self::NodeLost,
        Self::NodeLostAndAdded,
        Self::Agents,
        Self::Failover,
    ];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "backend added",
            Self::Removed => "backend removed",
            Self::Drained => "backend drained",
            Self::Weight => "weight changed",
            Self::NodeLost => "node lost",
            Self::NodeLostAndAdded => "node lost and backend added at once",
            Self::Agents => "agent restarted",
            Self::Failover => "controller failover",
        }
    }

    fn loses_a_node(self) -> bool {
        matches!(self, Self::NodeLost | Self::NodeLostAndAdded)
    }
}

/// How large.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Connections to each VIP, at most a million.
    pub flows: u32,
    /// Backends.
    pub backends: u32,
}

/// What a change did to the connections of one VIP.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    /// Connections.
    pub flows: usize,
    /// Broken ones.
    pub broken: usize,
    /// As many must break, computed from the rings.
    pub expected: usize,
    /// As many would break if hashes shared connections out evenly: by weights.
    pub by_weight: f64,
    /// Broken ones of which a packet was dropped.
    pub dropped: usize,
    /// Those whose backend is gone: they select anew.
    pub with_their_backend: usize,
    /// Those that went elsewhere than the rings say, before or after.
    pub strange: usize,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// In words.
    pub change: &'static str,
    /// With a flow table.
    pub with: Cell,
    /// Without.
    pub without: Cell,
}

/// Measures all changes, one after the other, on one fleet.
///
/// # Errors
/// A part does not start, or a change does not come into force.
pub async fn measure(size: Size, mut done: impl FnMut(&Row)) -> Result<Vec<Row>> {
    let mut fleet = Fleet::start(size).await.context("the fleet does not start")?;
    let mut rows = Vec::new();
    for (round, change) in (0..).zip(Change::ALL) {
        let row = fleet.row(round, change).await.with_context(|| change.name().to_owned())?;
        done(&row);
        rows.push(row);
    }
    Ok(rows)
}

struct Fleet {
    size: Size,
    /// The one that leads last.
    controllers: Vec<Running>,
    client: Client,
    addresses: Vec<String>,
    nodes: [Option<Node>; 2],
    router: Arc<Router>,
    vips: Vec<Vip>,
    /// Backends that have ever been.
    backends: u32,
    began: Instant,
    folder: TempDir,
}

impl Fleet {
    async fn start(size: Size) -> Result<Self> {
        let registry = Redb::in_memory()?;
        let leader = Running::start(registry.another())?;
        let mut client = leader.client()?;
        site::leads(&client).await?;
        let second = Running::start(registry.another())?;
        let addresses = vec![leader.address.clone(), second.address.clone()];
        let mut vips = Vec::new();
        for (vip, stateless) in VIPS.into_iter().zip([false, true]) {
            vips.push(site::bind(&mut client, vip, stateless).await?);
        }
        site::register(&mut client, 1..size.backends + 1).await?;
        let folder = tempfile::tempdir()?;
        let mut nodes = Vec::new();
        for at in 0..2 {
            nodes.push(Node::start(orders(&folder, &addresses, at), None).await?);
        }
        let router = Router::new([0, 1].map(|at: usize| Way::Through(Arc::clone(&nodes[at].switch.device))));
        let nodes = <[Node; 2]>::try_from(nodes).ok().context("two nodes")?.map(Some);
        let fleet = Self {
            size,
            controllers: vec![second, leader],
            client,
            addresses,
            nodes,
            router: Arc::new(router),
            vips,
            backends: size.backends,
            began: Instant::now(),
            folder,
        };
        fleet.in_force().await?;
        Ok(fleet)
    }

    async fn row(&mut self, round: u32, change: Change) -> Result<Row> {
        let flows: Vec<Flow> =
            VIPS.iter().flat_map(|vip| (0..self.size.flows).map(|n| Flow::nth(*vip, round, n))).collect();
        let before = Ring::of(&site::pool(&self.client).await?);
        let traffic = Traffic::start(Arc::clone(&self.router), flows.clone(), self.began);
        wait("all connections are established", async || traffic.passes() >= 2).await?;
        self.make(change, &traffic).await?;
        let from = traffic.passes();
        wait("all connections go on", async || traffic.passes() >= from + 2).await?;
        let seen = traffic.end().context("the traffic's thread")?;
        let after = Ring::of(&site::pool(&self.client).await?);
        let judge = |at: usize| {
            let own = at * self.size.flows as usize..(at + 1) * self.size.flows as usize;
            let stateless = at == 1;
            let key = self.vips[at].hash_key;
            let model = Model { before: &before, after: &after, key, stateless, lost: change.loses_a_node() };
            model.judge(&flows[own.clone()], &seen[own])
        };
        let row = Row { change: change.name(), with: judge(0), without: judge(1) };
        if change.loses_a_node() {
            self.node_back().await?;
        }
        Ok(row)
    }

    async fn make(&mut self, change: Change, traffic: &Traffic) -> Result<()> {
        let (pool, name) = (POOL.to_owned(), site::name);
        match change {
            Change::Added => self.add().await?,
            Change::Removed => {
                let request = DeregisterBackendRequest { pool, name: name(1), force: false };
                self.client.deregister_backend(request).await?;
            }
            Change::Drained => {
                let request =
                    DrainBackendRequest { pool, name: name(2), window_ms: 3_600_000, ..Default::default() };
                self.client.drain_backend(request).await?;
            }
            Change::Weight => {
                let backend = Some(site::spec(3, 300));
                self.client.update_backend(UpdateBackendRequest { backend }).await?;
            }
            Change::NodeLost => self.lose(),
            Change::NodeLostAndAdded => {
                self.lose();
                self.add().await?;
            }
            Change::Agents => {
                self.nodes.iter_mut().flatten().for_each(Node::kill_agent);
                let from = traffic.passes();
                wait("traffic without agents", async || traffic.passes() > from).await?;
                for node in self.nodes.iter_mut().flatten() {
                    node.start_agent().await?;
                }
            }
            Change::Failover => {
                drop(self.controllers.pop());
                self.client = self.controllers.last().context("another controller")?.client()?;
                site::leads(&self.client).await?;
            }
        }
        self.in_force().await?;
        if change.loses_a_node() {
            self.router.set(LOST, Way::Gone);
        }
        Ok(())
    }

    async fn add(&mut self) -> Result<()> {
        self.backends += 1;
        site::register(&mut self.client, self.backends..self.backends + 1).await
    }

    fn lose(&mut self) {
        self.router.set(LOST, Way::Silent);
        self.nodes[LOST] = None;
    }

    async fn node_back(&mut self) -> Result<()> {
        // A machine that comes back knows nothing.
        let orders = orders(&self.folder, &self.addresses, LOST);
        match std::fs::remove_file(&orders.state) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => bail!(error),
            _ => {}
        }
        let node = Node::start(orders, None).await?;
        let way = Way::Through(Arc::clone(&node.switch.device));
        self.nodes[LOST] = Some(node);
        self.in_force().await?;
        self.router.set(LOST, way);
        Ok(())
    }

    /// Waits until every node has what the leading controller desires.
    async fn in_force(&self) -> Result<()> {
        let leader = &self.controllers.last().context("a controller")?.address;
        let version = self.client.clone().get_status(GetStatusRequest {}).await?.into_inner().version;
        for node in self.nodes.iter().flatten() {
            node.in_force(version, leader).await?;
        }
        Ok(())
    }
}

fn orders(folder: &TempDir, controllers: &[String], at: usize) -> Orders {
    let node = format!("lb{at}");
    let state = folder.path().join(format!("{node}.state"));
    Orders { node, controllers: controllers.to_vec(), state }
}

/// What must become of the connections of one VIP.
struct Model<'a> {
    before: &'a Ring,
    after: &'a Ring,
    key: u64,
    stateless: bool,
    lost: bool,
}

impl Model<'_> {
    /// The backends that a connection has before and after.
    fn backends(&self, flow: &Flow) -> (u32, u32) {
        let hash = flow.hash(self.key);
        let (was, is) = (self.before.owner(hash), self.after.owner(hash));
        let selects = self.stateless || self.lost && flow.way(2) == LOST;
        if !selects && self.after.address(was).is_some() { (was, was) } else { (was, is) }
    }

    fn judge(&self, flows: &[Flow], seen: &[Seen]) -> Cell {
        let mut cell = Cell { flows: flows.len(), ..Cell::default() };
        for (flow, seen) in flows.iter().zip(seen) {
            let (was, is) = self.backends(flow);
            let stays = self.after.address(was).is_some();
            cell.expected += usize::from(was != is && stays);
            cell.strange +=
                usize::from(seen.first != self.before.address(was) || seen.last != self.after.address(is));
            cell.dropped += usize::from(seen.dropped);
            cell.broken += usize::from(seen.dropped || seen.strayed && stays);
            cell.with_their_backend += usize::from(seen.strayed && !stays);
        }
        let unremembered = match (self.stateless, self.lost) {
            (true, _) => 1.0,
            (false, true) => 0.5,
            (false, false) => 0.0,
        };
        cell.by_weight = self.before.leaving(self.after) * unremembered * flows.len() as f64;
        cell
    }
}

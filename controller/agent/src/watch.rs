//! The controller: what it desires, and what it is told.

use crate::reconciler::Goal;
use crate::status::{Status, unix_ms};
use control_core::node::{Desired, Part, merge};
use control_proto::trouble::words;
use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::{BackendFlows, NodeReport, NodeSnapshot, PoolInForce, WatchNodeRequest};
use runtime_client::Tls;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status as Answer};

/// The metadata of UNAVAILABLE that says who leads.
const LEADER: &str = "guideway-leader";
/// Pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A snapshot's bytes at most.
const SNAPSHOT_BYTES: usize = 256 << 20;
/// Reports come at least so often.
const REPORTS: Duration = Duration::from_secs(1);
/// Reports of changes come at most so often.
const REPORT_PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(5);

/// Which controllers, and as whom.
#[derive(Clone, Debug)]
pub struct Controllers {
    /// `host:port` of each.
    pub addresses: Vec<String>,
    /// TLS; without it, all is plain text.
    pub tls: Option<Tls>,
    /// A bearer token, without the word before it.
    pub token: Option<MetadataValue<Ascii>>,
}

/// Where the snapshots go.
pub(crate) struct Watcher {
    /// This node's name.
    pub node: String,
    /// Whom to watch.
    pub controllers: Controllers,
    /// What is desired.
    pub goal: watch::Sender<Goal>,
    /// The connection, for reports.
    pub channel: watch::Sender<Option<Channel>>,
    /// Told of everything.
    pub status: Status,
}

impl Controllers {
    fn endpoint(&self, address: &str) -> Result<Endpoint, String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).map_err(|e| e.to_string())?;
        let endpoint = endpoint
            .connect_timeout(Duration::from_secs(2))
            .http2_keep_alive_interval(Duration::from_secs(5))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20)
            .tcp_nodelay(true);
        match &self.tls {
            None => Ok(endpoint),
            Some(tls) => tls.endpoint(endpoint).map_err(|e| e.to_string()),
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }
}

/// How a watch ended.
enum End {
    /// Another controller leads.
    Leader(String),
    /// Something else, in words; and whether anything was heard.
    Broken(String, bool),
    /// What it said was refused.
    Refused,
    /// Nobody wants to know any more.
    Over,
}

impl Watcher {
    /// Watches, with one controller after the other, until nobody listens.
    pub(crate) async fn run(self) {
        let (mut at, mut pause, mut leader) = (0, FIRST_PAUSE, None::<String>);
        loop {
            let addresses = &self.controllers.addresses;
            let led = leader.is_some();
            let address = leader.take().unwrap_or_else(|| addresses[at % addresses.len()].clone());
            let end = self.watch(&address).await;
            self.channel.send_replace(None);
            self.status.facts().controller = None;
            match end {
                End::Over => return,
                // Two that name each other are an election: there is a pause between.
                End::Leader(next) if next != address => {
                    leader = Some(next);
                    if !led {
                        continue;
                    }
                }
                End::Leader(_) => at += 1,
                End::Refused => {}
                End::Broken(why, heard) => {
                    self.status.alarm("controller", Some(format!("{address}: {why}")));
                    at += usize::from(!led);
                    if heard {
                        pause = FIRST_PAUSE;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if self.goal.is_closed() {
                return;
            }
        }
    }

    async fn watch(&self, address: &str) -> End {
        let broken = |why: String| End::Broken(why, false);
        let endpoint = match self.controllers.endpoint(address) {
            Ok(endpoint) => endpoint,
            Err(why) => return broken(why),
        };
        let channel = match endpoint.connect().await {
            Ok(channel) => channel,
            Err(error) => return broken(causes(&error)),
        };
        let mut client = LbControlPlaneClient::new(channel.clone()).max_decoding_message_size(SNAPSHOT_BYTES);
        let request = self.controllers.request(WatchNodeRequest { node: self.node.clone() });
        let mut stream = match tokio::time::timeout(PATIENCE, client.watch_node(request)).await {
            Ok(Ok(answer)) => answer.into_inner(),
            Ok(Err(status)) => return refused(&status, false),
            Err(_) => return broken("no answer".into()),
        };
        self.channel.send_replace(Some(channel));
        let (mut part, mut heard) = (Part::Whole, false);
        loop {
            let message = tokio::select! {
                message = stream.message() => message,
                () = self.goal.closed() => return End::Over,
            };
            match message {
                Ok(Some(snapshot)) => {
                    self.status.facts().controller = Some(address.to_owned());
                    self.status.alarm("controller", None);
                    if !self.take(part, &snapshot) {
                        return End::Refused;
                    }
                    (part, heard) = (Part::Changes, true);
                }
                Ok(None) => return End::Broken("it ended the stream".into(), heard),
                Err(status) => return refused(&status, heard),
            }
        }
    }

    /// Takes a snapshot, or refuses it. After a refusal the controller has to say everything again.
    fn take(&self, part: Part, snapshot: &NodeSnapshot) -> bool {
        let before = self.goal.borrow().clone();
        match merge(&before.desired, part, snapshot) {
            Err(refusal) => {
                self.status.facts().refused += 1;
                let text = format!("version {} was refused: {refusal}", snapshot.version);
                self.status.alarm("snapshot", Some(text));
                false
            }
            Ok(desired) => {
                self.status.facts().heard_ms = unix_ms();
                self.status.alarm("snapshot", None);
                self.goal.send_replace(Goal { desired: Arc::new(desired), live: true });
                true
            }
        }
    }
}

fn refused(status: &Answer, heard: bool) -> End {
    let leader = status.metadata().get(LEADER).and_then(|v| v.to_str().ok()).filter(|a| !a.is_empty());
    match leader {
        Some(leader) if status.code() == Code::Unavailable => End::Leader(leader.to_owned()),
        _ => End::Broken(words(status), heard),
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Tells the controller how this node is, each second and whenever something changes.
pub(crate) async fn report(
    node: String,
    controllers: Controllers,
    mut channel: watch::Receiver<Option<Channel>>,
    goal: watch::Receiver<Goal>,
    status: Status,
) {
    loop {
        let Ok(connected) = channel.wait_for(Option::is_some).await.map(|c| c.clone()) else { return };
        let Some(connected) = connected else { return };
        let mut client = LbControlPlaneClient::new(connected).max_encoding_message_size(SNAPSHOT_BYTES);
        let desired = Arc::clone(&goal.borrow().desired);
        let message = message(&node, &desired, &status);
        let (alarms, signals) = (message.alarms.clone(), message.signals.clone());
        let answer = tokio::time::timeout(PATIENCE, client.report_node(controllers.request(message))).await;
        if let Ok(Ok(_)) = &answer {
            status.facts().heard(&alarms, &signals);
        }
        match answer {
            Ok(Ok(answer)) if answer.get_ref().wants_tables && desired.version() > 0 => {
                let offer = NodeSnapshot { node: node.clone(), ..desired.to_snapshot() };
                let offer = controllers.request(offer);
                let adopted = tokio::time::timeout(PATIENCE, client.offer_tables(offer)).await;
                match adopted {
                    Ok(Ok(answer)) if answer.get_ref().adopted => {
                        tracing::info!("the controller adopted our tables");
                    }
                    Ok(Ok(_)) => tracing::info!("the controller did not adopt our tables"),
                    Ok(Err(error)) => tracing::warn!("our tables were not taken: {}", error.message()),
                    Err(_) => tracing::warn!("our tables were not taken within {PATIENCE:?}"),
                }
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!("report: {:?}: {}", error.code(), error.message()),
            Err(_) => tracing::debug!("report: no answer"),
        }
        tokio::time::sleep(REPORT_PAUSE).await;
        tokio::select! {
            () = status.changed() => {}
            () = tokio::time::sleep(REPORTS) => {}
        }
    }
}

fn message(node: &str, desired: &Desired, status: &Status) -> NodeReport {
    let facts = status.facts();
    let pools = facts.pools.iter().map(|(&number, pool)| PoolInForce {
        number,
        generation: pool.generation,
        digest: pool.digest,
    });
    // Also of those without flows: that is what ends a drain.
    let flow = |flows: &std::collections::BTreeMap<u32, u64>, id| BackendFlows {
        id,
        active: flows.get(&id).copied().unwrap_or_default(),
    };
    let backends = || desired.pools().values().flat_map(|pool| pool.backends.keys().copied());
    let flows = facts.flows.iter().flat_map(|flows| backends().map(move |id| flow(flows, id)));
    NodeReport {
        node: node.to_owned(),
        version: facts.version,
        pools: pools.collect(),
        flows: flows.collect(),
        signals: facts.signals_to_report(),
        alarms: facts.alarms_to_report(),
        push_latency_ms: facts.push_ms,
        has_tables: desired.version() > 0,
        flows_version: facts.flows_version,
        left_out: facts.left_out.message(),
    }
}

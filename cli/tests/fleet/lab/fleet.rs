//! All that runs.

use super::process::{GUIDEWAY, Process};
use super::{Backends, Client, Judged, Lab, Operator, Plane, Switch, page, until};
use control_proto::v1::{BackendState, PoolSnapshot};
use p4runtime_bench::lab::OUTSIDE;
use p4runtime_bench::traffic::{Load, Traffic};
use std::ops::RangeInclusive;
use std::process::{Command, Output};

/// Every backend is behind one router; what is sent there comes back to whoever sends the frames.
const AGENT: &str = r#"
    node = "lb1"
    source4 = "10.255.0.1"
    [[next_hop]]
    to = "10.0.0.0/8"
    port = 1
    dst_mac = "02:00:00:00:00:fe"
    src_mac = "02:00:00:00:00:02"
"#;

/// Frames of 64 flows that go on, and as many that are new.
const LOAD: Load = Load { pace: 400, lasting: 64 };

pub(crate) struct Controller {
    pub(crate) process: Process,
    pub(crate) grpc: String,
}

pub(crate) struct Agent {
    pub(crate) process: Process,
    pub(crate) http: String,
}

/// A running fleet: one pool `web` of backends `b1` to `bN`, three checkers, one node.
pub(crate) struct Fleet {
    pub(crate) backends: Backends,
    pub(crate) client: Client,
    pub(crate) plane: Plane,
    pub(crate) agent: Agent,
    pub(crate) checkers: Vec<Process>,
    pub(crate) switch: Switch,
    traffic: Option<Traffic>,
}

impl Lab {
    /// A controller over this registry, at an address where it can be started again.
    pub(crate) async fn controller(&self, name: &str, registry: &str, more: &[&str]) -> Controller {
        self.controller_at(name, registry, &loopback::any_port(), more, &[]).await
    }

    pub(crate) async fn controller_at(
        &self,
        name: &str,
        registry: &str,
        listen: &str,
        more: &[&str],
        env: &[(&str, &str)],
    ) -> Controller {
        let args = ["controller", "--registry", registry, "--listen", listen, "--http", "127.0.0.1:0"];
        let mut process = Process::start(self.path(), name, &[&args[..], more].concat(), env);
        let line = process.said("ready: ").await;
        let rest = line.split_once("gRPC on ").unwrap().1;
        Controller { grpc: rest.split(',').next().unwrap().to_owned(), process }
    }

    pub(crate) fn checker(&self, id: &str, controllers: &[&str], env: &[(&str, &str)]) -> Process {
        let mut args = vec!["checker", "--id", id];
        args.extend(controllers.iter().flat_map(|c| ["--controller", c]));
        Process::start(self.path(), id, &args, env)
    }

    pub(crate) async fn agent(
        &self,
        switch: &Switch,
        controllers: &[&str],
        more: &[&str],
        env: &[(&str, &str)],
    ) -> Agent {
        let (file, plane) = (self.write("agent.toml", AGENT), switch.address());
        let mut args = vec!["agent", "--config", &file, "--p4runtime", &plane, "--http", "127.0.0.1:0"];
        args.extend(["--profile", switch.profile()]);
        // Above those who only read.
        args.extend(["--election-id", "1000"]);
        args.extend(controllers.iter().flat_map(|c| ["--controller", c]));
        args.extend(more);
        let mut process = Process::start(self.path(), "agent", &args, env);
        let line = process.said("agent: ").await;
        let http = line.rsplit_once("http://").unwrap().1.to_owned();
        Agent { process, http }
    }

    /// `guideway ctl` with these arguments, done.
    pub(crate) fn ctl(&self, controllers: &[&str], args: &[&str]) -> Output {
        let controllers = controllers.iter().flat_map(|c| ["--controller", c]);
        Command::new(GUIDEWAY).arg("ctl").args(controllers).args(args).output().unwrap()
    }

    /// So many backends, three checkers, a node: all in force, and frames on their way.
    pub(crate) async fn fleet(&self, controllers: &[&str], backends: u8) -> Fleet {
        self.fleet_with(controllers, backends, |_| Vec::new(), "native").await
    }

    /// The same, with variables for the process of that name.
    pub(crate) async fn fleet_with(
        &self,
        controllers: &[&str],
        count: u8,
        env: impl Fn(&str) -> Vec<(&'static str, String)>,
        target: &str,
    ) -> Fleet {
        let backends = Backends::start(count).await;
        let file = self.write("web.yaml", &web(count));
        let patience = ["--patience", "120"];
        let applied = self.ctl(controllers, &[&["apply", &file][..], &patience].concat());
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let with = |name: &str| env(name);
        let checkers = ["c1", "c2", "c3"].map(|id| {
            let env = with(id);
            let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
            self.checker(id, controllers, &env)
        });
        let switch = Switch::start(self, target).await;
        let env = with("agent");
        let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let agent = self.agent(&switch, controllers, &[], &env).await;
        let client = Client::new(controllers);
        for number in 1..=count {
            client.state("web", &format!("b{number}"), BackendState::Healthy).await;
        }
        let plane = Plane::of(&switch.address(), switch.profile()).await;
        let mut fleet =
            Fleet { backends, client, plane, agent, checkers: checkers.into(), switch, traffic: None };
        fleet.converged().await;
        fleet.traffic = Some(Traffic::start(OUTSIDE, LOAD).unwrap());
        fleet
    }
}

/// The file that `ctl apply` gets.
fn web(count: u8) -> String {
    let backend = |n: u8| format!("      b{n}: {{address: {}, port: 80}}\n", super::address(n));
    let backends: String = (1..=count).map(backend).collect();
    // The VIP that the frames go to.
    format!(
        "pools:\n  web:\n    liveness: {{url: tcp, interval_ms: 250, timeout_ms: 3000}}\n    vips: [\"198.18.128.1:80/tcp\"]\n    \
         backends:\n{backends}"
    )
}

impl Fleet {
    /// Waits until the node has in force what the controller wants, in its own words and in its tables; that.
    pub(crate) async fn converged(&self) -> PoolSnapshot {
        let pool = until("the node is current", async || {
            let pool = self.client.pool("web").await;
            let status = self.client.status().await;
            let nodes = status.nodes.iter().filter_map(|n| Some((n.current, n.report.as_ref()?)));
            // Nobody is ever ready in the operator's other pool.
            let odd = |alarm: &&String| !alarm.starts_with("empty pool");
            let alarms = |all: &[String]| all.iter().filter(odd).cloned().collect::<Vec<_>>();
            let nodes: Vec<_> = nodes.map(|(current, r)| (current, r.version, alarms(&r.alarms))).collect();
            let alike = self.client.pool("web").await.version == pool.version;
            let current =
                !nodes.is_empty() && nodes.iter().all(|(current, _, alarms)| *current && alarms.is_empty());
            if current && alike { Ok(pool) } else { Err(format!("version {}: {nodes:?}", status.version)) }
        })
        .await;
        self.plane.holds(&pool).await;
        pool
    }

    /// A number of the agent's metrics.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let (_, metrics) = page(&self.agent.http, "/metrics");
        metrics.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until the agent has put something in force since it was started; how many updates it has written.
    pub(crate) async fn at_work(&self) -> u64 {
        until("the agent is at work", async || {
            let (_, metrics) = page(&self.agent.http, "/metrics");
            let metric = |name: &str| metrics.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
            match metric("guideway_agent_snapshot_version") {
                None | Some("0") => Err(metrics),
                Some(_) => Ok(metric("guideway_agent_updates_total").unwrap().parse().unwrap()),
            }
        })
        .await
    }

    /// Stops the operator, whose changes are all in force then; the traffic has lost nothing, and no flow has moved.
    pub(crate) async fn steady(&mut self, operator: Operator, backends: RangeInclusive<u8>) {
        operator.end().await;
        self.converged().await;
        self.traffic().await.steady(backends);
    }

    /// Ends the traffic, and tells what became of it.
    pub(crate) async fn traffic(&mut self) -> Judged {
        let traffic = self.traffic.take().unwrap();
        Judged::of(&tokio::task::spawn_blocking(|| traffic.end()).await.unwrap().unwrap())
    }
}

//! Controllers in processes of their own, and a client that finds who leads.

use crate::cluster::{self, Cluster};
use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::{CreatePoolRequest, GetStatusRequest, ListPoolsRequest};
use control_registry::Location;
use control_server::{Controller, Options, Server};
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

const LOCATION: &str = "GUIDEWAY_TEST_REGISTRY";
const ADDRESS: &str = "GUIDEWAY_TEST_ADDRESS";
/// How long anything may take that has to happen.
const SOON: Duration = Duration::from_secs(120);

type Client = LbControlPlaneClient<Channel>;

/// What a child does; its parent runs this test by name.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of other tests"]
async fn serves_until_it_is_killed() {
    let variable = |name| std::env::var(name).expect("the parent says where");
    let location: Location = variable(LOCATION).parse().expect("a location");
    let registry = location.open(&cluster::options()).await.unwrap();
    let address = variable(ADDRESS);
    let listener = TcpListener::bind(&address).unwrap();
    let controller = Controller::new(registry, Options::at(address));
    let server = Server::on(&controller, listener, None, false).unwrap();
    let serving = tokio::spawn(server.serve(std::future::pending()));
    controller.run(async { drop(serving.await) }).await;
}

/// All controllers.
pub(crate) struct Site {
    location: String,
    controllers: Vec<(String, Option<Child>)>,
}

fn start(location: &str, address: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["site::serves_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .envs([(LOCATION, location), (ADDRESS, address)])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

impl Site {
    /// Controllers, one of which leads.
    pub(crate) async fn start(cluster: &Cluster, count: usize) -> Self {
        let location = format!("etcd://{}/site", cluster.addresses().join(","));
        let controllers = (0..count).map(|_| {
            let address = format!("{}:20000", loopback::address());
            (address.clone(), Some(start(&location, &address)))
        });
        let site = Self { controllers: controllers.collect(), location: location.clone() };
        site.leader().await;
        site
    }

    pub(crate) fn address(&self, at: usize) -> String {
        self.controllers[at].0.clone()
    }

    pub(crate) fn client(&self, at: usize) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.controllers[at].0)).unwrap();
        Client::new(endpoint.connect_timeout(Duration::from_secs(2)).connect_lazy())
    }

    pub(crate) fn signal(&self, at: usize, signal: Signal) {
        let process = self.controllers[at].1.as_ref().expect("it runs");
        kill_process(Pid::from_child(process), signal).unwrap();
    }

    /// Stops it; no thread of it goes on when this returns. The kernel stops them one by one, after the signal was sent.
    pub(crate) async fn pause(&self, at: usize) {
        self.signal(at, Signal::STOP);
        let threads = format!("/proc/{}/task", self.controllers[at].1.as_ref().expect("it runs").id());
        until(async || {
            std::fs::read_dir(&threads).unwrap().all(|thread| {
                let state = std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap_or_default();
                // A name may have blanks; the state is behind it.
                state.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
            })
        })
        .await;
    }

    pub(crate) fn kill(&mut self, at: usize) {
        let mut process = self.controllers[at].1.take().expect("it runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub(crate) fn restart(&mut self, at: usize) {
        self.controllers[at].1 = Some(start(&self.location, &self.controllers[at].0));
    }

    /// The one that says that it leads.
    pub(crate) async fn leader(&self) -> usize {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            for at in 0..self.controllers.len() {
                let mut client = self.client(at);
                let status =
                    tokio::time::timeout(Duration::from_secs(2), client.get_status(GetStatusRequest {}));
                if status.await.is_ok_and(|status| status.is_ok_and(|status| status.into_inner().leads)) {
                    return at;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody leads within {SOON:?}");
    }

    /// Creates a pool at whoever takes it; how long that took.
    pub(crate) async fn create(&self, accepted: &mut Vec<String>, name: &str) -> Duration {
        let asked = Instant::now();
        let mut last = None;
        while asked.elapsed() < SOON {
            for at in 0..self.controllers.len() {
                let request = CreatePoolRequest { name: name.into(), ..Default::default() };
                let mut client = self.client(at);
                // Who is paused does not answer.
                match tokio::time::timeout(Duration::from_secs(2), client.create_pool(request)).await {
                    // There already: taken by an attempt whose answer was too late.
                    Ok(Ok(_)) => {
                        accepted.push(name.to_owned());
                        accepted.sort();
                        return asked.elapsed();
                    }
                    Ok(Err(status)) if !refuses(&status) => panic!("{status}"),
                    Ok(Err(status)) => last = Some(status),
                    Err(_) => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody takes {name} within {SOON:?}: {last:?}");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for process in self.controllers.iter_mut().filter_map(|(_, process)| process.as_mut()) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Says that nothing was changed, or that this is open.
pub(crate) fn refuses(status: &tonic::Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded)
}

/// The pools that a controller knows, sorted.
pub(crate) async fn names(client: &mut Client) -> Vec<String> {
    let Ok(reply) = client.list_pools(ListPoolsRequest {}).await else { return Vec::new() };
    let mut names: Vec<String> = reply.into_inner().pools.into_iter().map(|pool| pool.name).collect();
    names.sort();
    names
}

/// Waits until it is so.
pub(crate) async fn until(mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + SOON;
    while Instant::now() < end {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not happen within {SOON:?}");
}

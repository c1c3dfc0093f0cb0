//! A controller in this process.

use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::*;
use control_registry::{Redb, Registry};
use control_server::{Controller, Options, Server};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

pub(crate) type Client = LbControlPlaneClient<Channel>;

/// How long anything may take that has to happen.
pub(crate) const SOON: Duration = Duration::from_secs(120);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    end: Option<oneshot::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(registry: impl Registry + 'static, change: impl FnOnce(&mut Options)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut options = Options::at(address.to_string());
        options.settings.ring_slots = 251;
        options.nodes_within = Duration::ZERO;
        // A test that has to wait for the machine is no silent checker.
        options.checker_silence = Duration::from_secs(3_600);
        change(&mut options);
        let registry: Arc<dyn Registry> = Arc::new(registry);
        let controller = Controller::new(registry, options);
        let server = Server::on(&controller, listener, None, false).unwrap();
        let (end, ends) = oneshot::channel();
        let tasks = vec![
            tokio::spawn(async { drop(server.serve(std::future::pending()).await) }),
            tokio::spawn(controller.run(async { drop(ends.await) })),
        ];
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        Self { address, client: Client::new(channel), end: Some(end), tasks }
    }

    /// One with a connection of its own.
    pub(crate) fn another_client(&self) -> Client {
        Client::new(Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy())
    }

    /// One that leads.
    pub(crate) async fn alone() -> Self {
        let mut it = Self::start(Redb::in_memory().unwrap(), |_| {});
        it.leads().await;
        it
    }

    pub(crate) async fn leads(&mut self) {
        let client = &mut self.client;
        until(async || {
            client.clone().get_status(GetStatusRequest {}).await.is_ok_and(|s| s.into_inner().leads)
        })
        .await;
    }

    /// Resigns and is gone.
    pub(crate) async fn stop(mut self) {
        drop(self.end.take());
        self.tasks.pop().unwrap().await.unwrap();
    }

    /// A pool with a VIP and backends that two checkers find healthy.
    pub(crate) async fn web(&mut self, names: &[&str]) -> Checkers {
        let request = CreatePoolRequest { name: "web".into(), ..Default::default() };
        self.client.create_pool(request).await.unwrap();
        let (pool, address, protocol) = ("web".into(), "203.0.113.10".into(), Protocol::Tcp.into());
        let vip = BindVipToPoolRequest { pool, address, protocol, port: 80, ..Default::default() };
        self.client.bind_vip_to_pool(vip).await.unwrap();
        let mut checkers = Checkers::start(&mut self.client, &["c1", "c2"]).await;
        for (at, name) in names.iter().enumerate() {
            self.client.register_backend(register(name, &format!("10.0.0.{}", at + 1))).await.unwrap();
            checkers.find(name, Health::Healthy).await;
        }
        for name in names {
            self.state(name, BackendState::Healthy).await;
        }
        checkers
    }

    pub(crate) async fn backend(&mut self, name: &str) -> Backend {
        let pool = self.client.get_pool(GetPoolRequest { name: "web".into() }).await.unwrap().into_inner();
        pool.backends.into_iter().find(|b| b.spec.as_ref().unwrap().name == name).unwrap()
    }

    /// Waits until a backend is in that state.
    pub(crate) async fn state(&mut self, name: &str, state: BackendState) {
        let mut last = None;
        for _ in 0..SOON.as_millis() / 20 {
            let backend = self.backend(name).await;
            if backend.state() == state {
                return;
            }
            last = Some(backend);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{name} is not {state:?}: {last:?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) fn register(name: &str, address: &str) -> RegisterBackendRequest {
    let (pool, name, address) = ("web".into(), name.into(), address.into());
    RegisterBackendRequest {
        backend: Some(BackendSpec { pool, name, address, port: 80, ..Default::default() }),
    }
}

/// Waits until it is so.
pub(crate) async fn until(mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..SOON.as_millis() / 20 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not happen within {SOON:?}");
}

/// Streams of reports.
pub(crate) struct Checkers {
    streams: Vec<(String, mpsc::Sender<HealthReports>, tonic::Streaming<HealthReply>)>,
    at: u64,
}

impl Checkers {
    pub(crate) async fn start(client: &mut Client, names: &[&str]) -> Self {
        let mut streams = Vec::new();
        for name in names {
            let (sender, receiver) = mpsc::channel(4);
            let replies = client.report_health(ReceiverStream::new(receiver)).await.unwrap().into_inner();
            streams.push(((*name).to_owned(), sender, replies));
        }
        Self { streams, at: 1 }
    }

    /// All of them find this, three times in a row.
    pub(crate) async fn find(&mut self, backend: &str, state: Health) {
        self.find_all(&[backend.to_owned()], state).await;
    }

    /// The same of several backends, in one message.
    pub(crate) async fn find_all(&mut self, backends: &[String], state: Health) {
        self.at += 1;
        let healthy = state == Health::Healthy;
        let times = |so: bool| if so { 3 } else { 0 };
        let report = |backend: &String| HealthReport {
            pool: "web".into(),
            backend: backend.clone(),
            state: state.into(),
            checked_at_ms: self.at,
            consecutive_passes: times(healthy),
            consecutive_failures: times(!healthy),
            ..Default::default()
        };
        for (checker, sender, replies) in &mut self.streams {
            let reports = backends.iter().map(report).collect();
            sender.send(HealthReports { checker: checker.clone(), reports }).await.unwrap();
            let reply = tokio::time::timeout(SOON, replies.message()).await.unwrap().unwrap().unwrap();
            assert!(reply.taken > 0);
        }
    }

    /// How the streams end.
    pub(crate) async fn ended(mut self) -> tonic::Status {
        let (_, _sender, replies) = self.streams.first_mut().unwrap();
        loop {
            match tokio::time::timeout(SOON, replies.message()).await.unwrap() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended without a word"),
                Err(status) => return status,
            }
        }
    }
}

//! A controller that says what the test wants, and writes down what it hears.

use control_proto::v1::lb_control_plane_server::{LbControlPlane, LbControlPlaneServer};
use control_proto::v1::{self, HealthReply, HealthReport, ProbeTargets};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt, wrappers::WatchStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

type Out<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What it heard, and when.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) checker: String,
    pub(crate) report: HealthReport,
}

#[derive(Clone)]
struct Fake {
    targets: watch::Receiver<ProbeTargets>,
    heard: Arc<Mutex<Vec<Heard>>>,
    leader: Option<String>,
    back_off_ms: u32,
}

/// A controller in service.
pub(crate) struct Controller {
    pub(crate) address: SocketAddr,
    pub(crate) targets: watch::Sender<ProbeTargets>,
    heard: Arc<Mutex<Vec<Heard>>>,
    runtime: Option<Runtime>,
}

/// A listener on a port that stays free for whoever comes back to it: below those that the kernel gives to connections.
pub(crate) fn listen() -> TcpListener {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % 20_000;
    for _ in 0..20_000 {
        let port = 10_000 + (first + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % 20_000;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port as u16)) {
            return listener;
        }
    }
    panic!("no port is free");
}

impl Controller {
    /// Leads.
    pub(crate) fn start(targets: ProbeTargets) -> Self {
        Self::on(listen(), targets, None, 0)
    }
    /// At this address; names another leader; asks for silence with each message.
    pub(crate) fn with(at: &str, targets: ProbeTargets, leader: Option<String>, back_off_ms: u32) -> Self {
        Self::on(TcpListener::bind(at).unwrap(), targets, leader, back_off_ms)
    }

    fn on(listener: TcpListener, targets: ProbeTargets, leader: Option<String>, back_off_ms: u32) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = watch::channel(targets);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let fake = Fake { targets: receiver, heard: Arc::clone(&heard), leader, back_off_ms };
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            Server::builder()
                .add_service(LbControlPlaneServer::new(fake))
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        Self { address, targets: sender, heard, runtime: Some(runtime) }
    }
    /// All that was heard.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
    /// Waits until what was heard is enough.
    pub(crate) async fn until(&self, limit: Duration, enough: impl Fn(&[Heard]) -> bool) -> Duration {
        let begin = Instant::now();
        while !enough(&self.heard()) {
            assert!(begin.elapsed() < limit, "not within {limit:?}: {:#?}", self.heard().last());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begin.elapsed()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Fake {
    fn leads(&self) -> Result<(), Status> {
        let Some(leader) = &self.leader else { return Ok(()) };
        let mut status = Status::unavailable("another one leads");
        status.metadata_mut().insert("guideway-leader", leader.parse().unwrap());
        Err(status)
    }
}

#[tonic::async_trait]
impl LbControlPlane for Fake {
    type ReportHealthStream = Out<HealthReply>;
    type WatchTargetsStream = Out<ProbeTargets>;
    type WatchPoolStream = Out<v1::PoolSnapshot>;
    type WatchNodeStream = Out<v1::NodeSnapshot>;

    async fn watch_targets(
        &self,
        _: Request<v1::WatchTargetsRequest>,
    ) -> Result<Response<Self::WatchTargetsStream>, Status> {
        self.leads()?;
        Ok(Response::new(Box::pin(WatchStream::new(self.targets.clone()).map(Ok))))
    }
    async fn report_health(
        &self,
        request: Request<Streaming<v1::HealthReports>>,
    ) -> Result<Response<Self::ReportHealthStream>, Status> {
        self.leads()?;
        let (heard, back_off_ms) = (Arc::clone(&self.heard), self.back_off_ms);
        let mut taken = 0;
        let replies = request.into_inner().map(move |message| {
            let v1::HealthReports { checker, reports } = message?;
            taken += reports.len() as u64;
            let at = Instant::now();
            let all = reports.into_iter().map(|report| Heard { at, checker: checker.clone(), report });
            heard.lock().unwrap().extend(all);
            Ok(HealthReply { taken, back_off_ms })
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn create_pool(&self, _: Request<v1::CreatePoolRequest>) -> Result<Response<v1::Pool>, Status> {
        Err(Status::unimplemented("create_pool"))
    }
    async fn delete_pool(
        &self,
        _: Request<v1::DeletePoolRequest>,
    ) -> Result<Response<v1::DeletePoolReply>, Status> {
        Err(Status::unimplemented("delete_pool"))
    }
    async fn bind_vip_to_pool(
        &self,
        _: Request<v1::BindVipToPoolRequest>,
    ) -> Result<Response<v1::Vip>, Status> {
        Err(Status::unimplemented("bind_vip_to_pool"))
    }
    async fn unbind_vip(
        &self,
        _: Request<v1::UnbindVipRequest>,
    ) -> Result<Response<v1::UnbindVipReply>, Status> {
        Err(Status::unimplemented("unbind_vip"))
    }
    async fn register_backend(
        &self,
        _: Request<v1::RegisterBackendRequest>,
    ) -> Result<Response<v1::Backend>, Status> {
        Err(Status::unimplemented("register_backend"))
    }
    async fn update_backend(
        &self,
        _: Request<v1::UpdateBackendRequest>,
    ) -> Result<Response<v1::Backend>, Status> {
        Err(Status::unimplemented("update_backend"))
    }
    async fn deregister_backend(
        &self,
        _: Request<v1::DeregisterBackendRequest>,
    ) -> Result<Response<v1::DeregisterBackendReply>, Status> {
        Err(Status::unimplemented("deregister_backend"))
    }
    async fn drain_backend(
        &self,
        _: Request<v1::DrainBackendRequest>,
    ) -> Result<Response<v1::Backend>, Status> {
        Err(Status::unimplemented("drain_backend"))
    }
    async fn undrain_backend(
        &self,
        _: Request<v1::UndrainBackendRequest>,
    ) -> Result<Response<v1::Backend>, Status> {
        Err(Status::unimplemented("undrain_backend"))
    }
    async fn get_pool(&self, _: Request<v1::GetPoolRequest>) -> Result<Response<v1::PoolSnapshot>, Status> {
        Err(Status::unimplemented("get_pool"))
    }
    async fn list_pools(
        &self,
        _: Request<v1::ListPoolsRequest>,
    ) -> Result<Response<v1::ListPoolsReply>, Status> {
        Err(Status::unimplemented("list_pools"))
    }
    async fn list_vips(
        &self,
        _: Request<v1::ListVipsRequest>,
    ) -> Result<Response<v1::ListVipsReply>, Status> {
        Err(Status::unimplemented("list_vips"))
    }
    async fn list_events(
        &self,
        _: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsReply>, Status> {
        Err(Status::unimplemented("list_events"))
    }
    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Result<Response<v1::Status>, Status> {
        Err(Status::unimplemented("get_status"))
    }
    async fn watch_pool(
        &self,
        _: Request<v1::WatchPoolRequest>,
    ) -> Result<Response<Self::WatchPoolStream>, Status> {
        Err(Status::unimplemented("watch_pool"))
    }
    async fn watch_node(
        &self,
        _: Request<v1::WatchNodeRequest>,
    ) -> Result<Response<Self::WatchNodeStream>, Status> {
        Err(Status::unimplemented("watch_node"))
    }
    async fn report_node(&self, _: Request<v1::NodeReport>) -> Result<Response<v1::NodeReportReply>, Status> {
        Err(Status::unimplemented("report_node"))
    }
    async fn offer_tables(
        &self,
        _: Request<v1::NodeSnapshot>,
    ) -> Result<Response<v1::OfferTablesReply>, Status> {
        Err(Status::unimplemented("offer_tables"))
    }
}

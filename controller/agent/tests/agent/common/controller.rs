//! A controller that says what a test wants.

use control_proto::v1::lb_control_plane_server::{LbControlPlane, LbControlPlaneServer};
use control_proto::v1::{self as v1, *};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming};

type Sent = mpsc::Sender<Result<NodeSnapshot, Status>>;

#[derive(Default)]
pub struct Inner {
    whole: Mutex<NodeSnapshot>,
    streams: Mutex<Vec<Sent>>,
    pub reports: Mutex<Vec<NodeReport>>,
    pub offered: Mutex<Vec<NodeSnapshot>>,
    pub wants_tables: AtomicBool,
    pub watches: AtomicUsize,
    leader: Mutex<Option<String>>,
}

/// It ends with this, at once and with all connections, as when a process is killed.
pub struct Controller {
    pub address: String,
    pub inner: Arc<Inner>,
    runtime: Option<Runtime>,
}

impl Controller {
    pub async fn start(whole: NodeSnapshot) -> Self {
        Self::at(&loopback::any_port(), whole).await
    }

    pub async fn at(address: &str, whole: NodeSnapshot) -> Self {
        let inner = Arc::new(Inner { whole: Mutex::new(whole), ..Inner::default() });
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = LbControlPlaneServer::new(Fake(Arc::clone(&inner)));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let server = tonic::transport::Server::builder().add_service(service);
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
        });
        Self { address, inner, runtime: Some(runtime) }
    }

    /// Says this from now on: a message to those that watch, and the whole to those that come.
    pub async fn say(&self, whole: NodeSnapshot, message: NodeSnapshot) {
        *self.inner.whole.lock().unwrap() = whole;
        let streams = self.inner.streams.lock().unwrap().clone();
        for stream in streams {
            let _gone = stream.send(Ok(message.clone())).await;
        }
    }

    /// Sends everybody to another one.
    pub fn follow(&self, leader: &str) {
        *self.inner.leader.lock().unwrap() = Some(leader.to_owned());
        self.inner.streams.lock().unwrap().clear();
    }

    pub fn last_report(&self) -> NodeReport {
        self.inner.reports.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

struct Fake(Arc<Inner>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

macro_rules! service {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl LbControlPlane for Fake {
            type ReportHealthStream = Answers<HealthReply>;
            type WatchTargetsStream = Answers<ProbeTargets>;
            type WatchPoolStream = Answers<PoolSnapshot>;
            type WatchNodeStream = Answers<NodeSnapshot>;
            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented("not of an agent's concern"))
            })*
            async fn watch_node(&self, _: Request<WatchNodeRequest>) -> Result<Response<Self::WatchNodeStream>, Status> {
                self.0.watches.fetch_add(1, Ordering::SeqCst);
                if let Some(leader) = &*self.0.leader.lock().unwrap() {
                    let mut status = Status::new(Code::Unavailable, "another one leads");
                    status.metadata_mut().insert("guideway-leader", leader.parse().unwrap());
                    return Err(status);
                }
                let (to, from) = mpsc::channel(64);
                to.try_send(Ok(self.0.whole.lock().unwrap().clone())).unwrap();
                self.0.streams.lock().unwrap().push(to);
                Ok(Response::new(Box::pin(ReceiverStream::new(from))))
            }
            async fn report_node(&self, report: Request<NodeReport>) -> Result<Response<NodeReportReply>, Status> {
                self.0.reports.lock().unwrap().push(report.into_inner());
                Ok(Response::new(NodeReportReply { wants_tables: self.0.wants_tables.load(Ordering::SeqCst) }))
            }
            async fn offer_tables(&self, offer: Request<NodeSnapshot>) -> Result<Response<OfferTablesReply>, Status> {
                self.0.wants_tables.store(false, Ordering::SeqCst);
                self.0.offered.lock().unwrap().push(offer.into_inner());
                Ok(Response::new(OfferTablesReply { adopted: true }))
            }
        }
    };
}

service! {
    create_pool(CreatePoolRequest) -> Pool;
    delete_pool(DeletePoolRequest) -> DeletePoolReply;
    bind_vip_to_pool(BindVipToPoolRequest) -> Vip;
    unbind_vip(UnbindVipRequest) -> UnbindVipReply;
    register_backend(RegisterBackendRequest) -> Backend;
    update_backend(UpdateBackendRequest) -> Backend;
    deregister_backend(DeregisterBackendRequest) -> DeregisterBackendReply;
    drain_backend(DrainBackendRequest) -> Backend;
    undrain_backend(UndrainBackendRequest) -> Backend;
    get_pool(GetPoolRequest) -> PoolSnapshot;
    list_pools(ListPoolsRequest) -> ListPoolsReply;
    list_vips(ListVipsRequest) -> ListVipsReply;
    list_events(ListEventsRequest) -> ListEventsReply;
    get_status(GetStatusRequest) -> v1::Status;
    report_health(Streaming<HealthReports>) -> Answers<HealthReply>;
    watch_targets(WatchTargetsRequest) -> Answers<ProbeTargets>;
    watch_pool(WatchPoolRequest) -> Answers<PoolSnapshot>;
}

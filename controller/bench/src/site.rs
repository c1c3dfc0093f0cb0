//! Controllers over one registry in this process, and made-up checkers that find every backend healthy.

use crate::{PATIENCE, wait};
use anyhow::Result;
use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::{
    BackendSpec, BackendState, BindVipToPoolRequest, CreatePoolRequest, GetPoolRequest, GetStatusRequest,
    Health, HealthReply, HealthReport, HealthReports, ListVipsRequest, PoolSnapshot, Protocol,
    RegisterBackendRequest, Vip, VipFlags,
};
use control_registry::{Redb, Registry};
use control_server::{Controller, Options, Server};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// A client of a controller.
pub type Client = LbControlPlaneClient<Channel>;

/// The pool of all backends.
pub const POOL: &str = "web";
/// Made-up checkers: a majority of them has to agree.
pub const CHECKERS: [&str; 3] = ["a", "b", "c"];

/// A controller in threads of its own: it ends with this, at once and with all its connections, as when it is killed.
pub struct Running {
    /// Where it serves.
    pub address: String,
    runtime: Option<Runtime>,
}

impl Running {
    /// Starts one.
    ///
    /// # Errors
    /// It can't listen.
    pub fn start(registry: Redb) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let mut options = Options::at(address.clone());
        // Nobody renews what was reported once.
        options.health.expiry_ms = 24 * 3_600_000;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let registry: Arc<dyn Registry> = Arc::new(registry);
        let controller = Controller::new(registry, options);
        let server = {
            let _within = runtime.enter();
            Server::on(&controller, listener, None, false)?
        };
        runtime.spawn(server.serve(std::future::pending()));
        runtime.spawn(controller.run(std::future::pending()));
        Ok(Self { address, runtime: Some(runtime) })
    }

    /// A client of it.
    ///
    /// # Errors
    /// Its address is none.
    pub fn client(&self) -> Result<Client> {
        client(&self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// A client of the controller there.
///
/// # Errors
/// The address is none.
pub fn client(address: &str) -> Result<Client> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect_lazy();
    Ok(Client::new(channel).max_decoding_message_size(64 << 20))
}

/// Waits until a controller leads.
///
/// # Errors
/// It does not.
pub async fn leads(client: &Client) -> Result<()> {
    wait("the controller leads", async || {
        client.clone().get_status(GetStatusRequest {}).await.is_ok_and(|s| s.into_inner().leads)
    })
    .await
}

/// The address of backend `n`.
#[must_use]
pub fn address(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a01_0000 + n)
}

/// The specification of backend `n`.
#[must_use]
pub fn spec(n: u32, weight: u32) -> BackendSpec {
    BackendSpec {
        pool: POOL.into(),
        name: name(n),
        address: address(n).to_string(),
        port: 80,
        weight: Some(weight),
        ..BackendSpec::default()
    }
}

/// The name of backend `n`.
#[must_use]
pub fn name(n: u32) -> String {
    format!("b{n}")
}

/// Makes the pool and a VIP: TCP, port 80.
///
/// # Errors
/// The controller refuses.
pub async fn bind(client: &mut Client, address: Ipv4Addr, stateless: bool) -> Result<Vip> {
    client.create_pool(CreatePoolRequest { name: POOL.into(), ..CreatePoolRequest::default() }).await?;
    let flags = Some(VipFlags { stateless, ..VipFlags::default() });
    let request = BindVipToPoolRequest {
        pool: POOL.into(),
        address: address.to_string(),
        protocol: Protocol::Tcp.into(),
        port: 80,
        flags,
        ..BindVipToPoolRequest::default()
    };
    Ok(client.bind_vip_to_pool(request).await?.into_inner())
}

/// Registers backends and has them found healthy; returns when all of them are in the ring.
///
/// # Errors
/// The controller refuses, or they do not become healthy.
pub async fn register(client: &mut Client, numbers: std::ops::Range<u32>) -> Result<()> {
    for n in numbers.clone() {
        let backend = Some(spec(n, 100));
        client.register_backend(RegisterBackendRequest { backend }).await?;
    }
    let mut streams = Vec::new();
    for checker in CHECKERS {
        streams.push(Reports::open(client, checker).await?);
    }
    let names: Vec<String> = numbers.map(name).collect();
    for stream in &mut streams {
        stream.healthy(&names).await?;
    }
    wait("all backends are healthy", async || match pool(client).await {
        Ok(pool) => pool.backends.iter().all(|b| b.state() != BackendState::Pending),
        Err(_) => false,
    })
    .await
}

/// The pool as it is.
///
/// # Errors
/// The controller does not say.
pub async fn pool(client: &Client) -> Result<PoolSnapshot> {
    Ok(client.clone().get_pool(GetPoolRequest { name: POOL.into() }).await?.into_inner())
}

/// The VIPs as they are.
///
/// # Errors
/// The controller does not say.
pub async fn vips(client: &Client) -> Result<Vec<Vip>> {
    Ok(client.clone().list_vips(ListVipsRequest { pool: POOL.into() }).await?.into_inner().vips)
}

/// A made-up checker's stream.
pub struct Reports {
    checker: &'static str,
    sender: mpsc::Sender<HealthReports>,
    replies: tonic::Streaming<HealthReply>,
}

impl Reports {
    /// Opens it, as soon as no other stream has this checker's name.
    ///
    /// # Errors
    /// The controller does not lead.
    pub async fn open(client: &mut Client, checker: &'static str) -> Result<Self> {
        let began = Instant::now();
        loop {
            let (sender, receiver) = mpsc::channel(4);
            let replies = client.report_health(ReceiverStream::new(receiver)).await?.into_inner();
            let mut stream = Self { checker, sender, replies };
            match stream.say(Vec::new()).await {
                Ok(()) => return Ok(stream),
                Err(status) if status.code() == Code::AlreadyExists && began.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }

    /// Finds these backends healthy, for the third time in a row or later.
    ///
    /// # Errors
    /// The controller does not take it.
    pub async fn healthy(&mut self, names: &[String]) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let report = |backend: &String| HealthReport {
            pool: POOL.into(),
            backend: backend.clone(),
            state: Health::Healthy.into(),
            checked_at_ms: now.as_millis() as u64,
            consecutive_passes: 3,
            latency_us: 200,
            ..HealthReport::default()
        };
        Ok(self.say(names.iter().map(report).collect()).await?)
    }

    async fn say(&mut self, reports: Vec<HealthReport>) -> Result<(), Status> {
        // A stream that has ended says why below.
        let _ended = self.sender.send(HealthReports { checker: self.checker.into(), reports }).await;
        let reply = self.replies.message().await?;
        reply.map(drop).ok_or_else(|| Status::unavailable("the stream of reports has ended"))
    }
}

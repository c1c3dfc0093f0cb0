//! Where clients come from: TCP and Unix sockets.

use crate::calls::Calls;
use crate::device::Device;
use crate::host::Host;
use crate::incoming::{Accept, Incoming, Limits};
use crate::packets;
use crate::service::Service;
use crate::session::Sessions;
use crate::watch;
pub use p4runtime_proto::tls::ServerTls as Tls;
use p4runtime_proto::tls::{HANDSHAKE, TlsError};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;
use tonic::transport::Server as Transport;
use tonic::transport::server::{Connected, Router};

/// Where a server listens: `127.0.0.1:9559`, or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix socket, which is made; one that nobody listens to any more is replaced.
    Unix(PathBuf),
}

/// Why a server can't listen or stopped.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Not an address.
    #[error("`{0}` is neither IP:PORT, as in 127.0.0.1:9559 or [::1]:9559, nor unix:PATH")]
    Address(String),
    /// Everybody who reaches it could write.
    #[error(
        "{0} can be reached from other machines, and nothing says who may write: serve it by TLS, or listen on 127.0.0.1 \
         or unix:PATH"
    )]
    Open(SocketAddr),
    /// The permissions of a socket's file say who may connect.
    #[error("TLS is for TCP: who may connect to unix:{} is said by the permissions of its folder", .0.display())]
    TlsOnUnix(PathBuf),
    /// TLS can't be had.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system refuses.
    #[error("can't listen on {address}: {error}")]
    Bind {
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The connections failed all together.
    #[error("the server stopped: {0}")]
    Stopped(#[from] tonic::transport::Error),
}

impl FromStr for Address {
    type Err = ListenError;
    fn from_str(text: &str) -> Result<Self, ListenError> {
        match text.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => Ok(Self::Unix(path.into())),
            _ => text.parse().map(Self::Tcp).map_err(|_| ListenError::Address(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// How long calls that have begun are waited for at the end.
const LAST_CALLS: Duration = Duration::from_millis(1500);

/// What a server takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The device's number; P4Runtime has no device 0.
    pub device_id: u64,
    /// Bytes of a request at most.
    pub request_bytes: usize,
    /// Streams at most, over all connections.
    pub streams: usize,
    /// Calls of a connection at once, its streams among them.
    pub calls: u32,
    /// May it be reached from other machines without TLS?
    pub open: bool,
    /// Who it is, and whom it answers; without it, all is plain text.
    pub tls: Option<Tls>,
    /// How long a client may take until it has said as much as HTTP/2 or TLS begins with.
    pub handshake: Duration,
    /// How long a connection may be silent after that; live clients answer a ping every 30 s.
    pub silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device_id: 1,
            request_bytes: 64 << 20,
            streams: 4096,
            calls: 256,
            open: false,
            tls: None,
            handshake: HANDSHAKE,
            silence: Duration::from_secs(60),
        }
    }
}

impl Options {
    /// May a server listen there?
    ///
    /// # Errors
    /// [`ListenError::Open`], [`ListenError::TlsOnUnix`].
    pub fn check(&self, address: &Address) -> Result<(), ListenError> {
        match (address, &self.tls) {
            (Address::Tcp(at), None) if !at.ip().is_loopback() && !self.open => Err(ListenError::Open(*at)),
            (Address::Unix(path), Some(_)) => Err(ListenError::TlsOnUnix(path.clone())),
            _ => Ok(()),
        }
    }
}

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    limits: Limits,
    router: Router,
    sessions: Arc<Sessions>,
    watch: Watch,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Socket),
}

/// What looks after entries, as long as there is a server.
#[derive(Debug)]
struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A socket's file, which goes with the server.
#[derive(Debug)]
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

impl Server {
    /// Listens; clients wait until [`serve`](Self::serve) answers them. Called from within a Tokio runtime.
    ///
    /// # Errors
    /// The address can't be had, or is one that others reach without TLS; TLS can't be had.
    pub async fn bind<H: Host>(
        address: &Address,
        device: Arc<Mutex<Device<H>>>,
        options: &Options,
    ) -> Result<Self, ListenError> {
        let failed = |error| ListenError::Bind { address: address.to_string(), error };
        options.check(address)?;
        let mut transport = transport(options)?;
        let listener = match address {
            Address::Tcp(at) => Listener::Tcp(TcpListener::bind(at).await.map_err(failed)?),
            Address::Unix(path) => {
                forget(path).map_err(failed)?;
                Listener::Unix(UnixListener::bind(path).map_err(failed)?, Socket(path.clone()))
            }
        };
        let watched = Arc::downgrade(&device);
        let current = device.lock().await.current();
        let service = Service::new(options.device_id, Arc::clone(&device), current, options.streams);
        let sessions = service.sessions();
        packets::start(&device, &sessions).await.map_err(failed)?;
        let watch = Watch(tokio::spawn(watch::idle(watched, Arc::clone(&sessions))));
        let service = Calls::new(service, options.request_bytes);
        let limits = Limits { handshake: options.handshake, silence: options.silence };
        Ok(Self { listener, limits, router: transport.add_service(service), sessions, watch })
    }

    /// The TCP address, with the port that the system chose if none was asked for.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.listener {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(..) => None,
        }
    }

    /// Serves until `end`. Streams end with UNAVAILABLE then, and calls that have begun are answered, for which there are
    /// 1.5 s.
    ///
    /// # Errors
    /// [`ListenError::Stopped`].
    pub async fn serve(self, end: impl Future<Output = ()>) -> Result<(), ListenError> {
        let Self { listener, limits, router, sessions, watch: _watch } = self;
        match listener {
            Listener::Tcp(listener) => run(router, Incoming::new(listener, limits), sessions, end).await,
            Listener::Unix(listener, _socket) => {
                run(router, Incoming::new(listener, limits), sessions, end).await
            }
        }
    }
}

fn transport(options: &Options) -> Result<Transport, ListenError> {
    let transport = Transport::builder()
        .max_concurrent_streams(options.calls)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .initial_stream_window_size(4 << 20)
        .max_frame_size(1 << 18)
        .initial_connection_window_size(16 << 20);
    match &options.tls {
        None => Ok(transport),
        Some(tls) => Ok(tls.on(transport)?),
    }
}

async fn run<L: Accept>(
    router: Router,
    incoming: Incoming<L>,
    sessions: Arc<Sessions>,
    end: impl Future<Output = ()>,
) -> Result<(), ListenError>
where
    L::Io: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let (ending, ends) = oneshot::channel();
    let end = async {
        end.await;
        sessions.end();
        let _gone = ending.send(());
    };
    let late = async {
        match ends.await {
            Ok(()) => tokio::time::sleep(LAST_CALLS).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        done = router.serve_with_incoming_shutdown(incoming, end) => Ok(done?),
        () = late => Ok(()),
    }
}

/// Removes a socket that nobody listens to.
fn forget(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there")),
            Err(_) => std::fs::remove_file(path),
        },
        _ => Ok(()),
    }
}

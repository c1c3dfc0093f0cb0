//! Where clients come from: TCP and Unix sockets.

use crate::device::Device;
use crate::host::Host;
use crate::service::Service;
use p4runtime_proto::p4::v1::p4_runtime_server::P4RuntimeServer;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Mutex;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::Server as Transport;

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
        "{0} can be reached from other machines, and nothing says who may write; listen on 127.0.0.1 or unix:PATH"
    )]
    Open(SocketAddr),
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
}

impl Default for Options {
    fn default() -> Self {
        Self { device_id: 1, request_bytes: 64 << 20, streams: 4096, calls: 256, open: false }
    }
}

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub struct Server<H> {
    listener: Listener,
    service: P4RuntimeServer<Service<H>>,
    calls: u32,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Socket),
}

/// A socket's file, which goes with the server.
#[derive(Debug)]
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

impl<H: Host> Server<H> {
    /// Listens; clients wait until [`serve`](Self::serve) answers them. Called from within a Tokio runtime.
    ///
    /// # Errors
    /// The address can't be had, or is one that others reach.
    pub async fn bind(
        address: &Address,
        device: Arc<Mutex<Device<H>>>,
        options: &Options,
    ) -> Result<Self, ListenError> {
        let failed = |error| ListenError::Bind { address: address.to_string(), error };
        let listener = match address {
            Address::Tcp(at) if !at.ip().is_loopback() && !options.open => {
                return Err(ListenError::Open(*at));
            }
            Address::Tcp(at) => Listener::Tcp(TcpListener::bind(at).await.map_err(failed)?),
            Address::Unix(path) => {
                forget(path).map_err(failed)?;
                Listener::Unix(UnixListener::bind(path).map_err(failed)?, Socket(path.clone()))
            }
        };
        let service = P4RuntimeServer::new(Service::new(options.device_id, device, options.streams))
            .max_decoding_message_size(options.request_bytes)
            .max_encoding_message_size(usize::MAX);
        Ok(Self { listener, service, calls: options.calls })
    }

    /// The TCP address, with the port that the system chose if none was asked for.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.listener {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(..) => None,
        }
    }

    /// Serves until `end`, then ends every call.
    ///
    /// # Errors
    /// [`ListenError::Stopped`].
    pub async fn serve(self, end: impl Future<Output = ()>) -> Result<(), ListenError> {
        let router = Transport::builder()
            .max_concurrent_streams(self.calls)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(16 << 20)
            .tcp_nodelay(true)
            .add_service(self.service);
        let serving = async {
            match self.listener {
                Listener::Tcp(listener) => router.serve_with_incoming(TcpListenerStream::new(listener)).await,
                Listener::Unix(listener, _socket) => {
                    router.serve_with_incoming(UnixListenerStream::new(listener)).await
                }
            }
        };
        tokio::select! {
            done = serving => Ok(done?),
            () = end => Ok(()),
        }
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

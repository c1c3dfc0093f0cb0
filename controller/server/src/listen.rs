//! Where gRPC is served.

use crate::calls::Calls;
use crate::{Controller, Shared};
pub use p4runtime_proto::tls::ServerTls as Tls;
use p4runtime_proto::tls::TlsError;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server as Transport;

/// Why a controller can't listen or stopped.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Everybody who reaches it could write.
    #[error(
        "{0} can be reached from other machines, and nothing says who may write: serve it by TLS with --tls-client-ca, or \
         listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// TLS can't be had.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system refuses.
    #[error("can't listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The connections failed all together.
    #[error("the server stopped: {0}")]
    Stopped(#[from] tonic::transport::Error),
}

/// Bytes of a request at most: a node's tables are the largest.
const REQUEST: usize = 64 << 20;

/// A controller that listens and does not serve yet.
pub struct Server {
    listener: TcpListener,
    transport: Transport,
    shared: Arc<Shared>,
}

impl Server {
    /// Serves on this listener. `open`: also where other machines reach it, without knowing who they are. Called from within a
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address is one that others reach, or TLS can't be had.
    pub fn on(
        controller: &Controller,
        listener: std::net::TcpListener,
        tls: Option<&Tls>,
        open: bool,
    ) -> Result<Self, ListenError> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() && !open && !tls.is_some_and(Tls::knows_clients) {
            return Err(ListenError::Open(address));
        }
        let transport = Transport::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(10)))
            .http2_keepalive_timeout(Some(Duration::from_secs(10)))
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20)
            .tcp_nodelay(true);
        let transport = match tls {
            None => transport,
            Some(tls) => tls.on(transport)?,
        };
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        Ok(Self { listener, transport, shared: Arc::clone(&controller.shared) })
    }

    /// The address, with the port that the system chose if none was asked for.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Serves until `end`.
    ///
    /// # Errors
    /// [`ListenError::Stopped`].
    pub async fn serve(mut self, end: impl Future<Output = ()>) -> Result<(), ListenError> {
        let service = Calls::new(self.shared, REQUEST);
        let connections = tokio_stream::StreamExt::map(TcpListenerStream::new(self.listener), |connection| {
            connection.inspect(|stream| drop(stream.set_nodelay(true)))
        });
        let serving = self.transport.add_service(service).serve_with_incoming(connections);
        tokio::select! {
            done = serving => Ok(done?),
            // Streams have no end of their own: they are cut.
            () = end => Ok(()),
        }
    }
}

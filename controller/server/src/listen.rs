//! Where gRPC is served.

use crate::service::Service;
use crate::{Controller, Shared};
use control_proto::v1::lb_control_plane_server::LbControlPlaneServer;
use p4runtime_proto::pem::{self, Identity, PemError};
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Certificate, Server as Transport, ServerTlsConfig};

/// Why a controller can't listen or stopped.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Everybody who reaches it could write.
    #[error(
        "{0} can be reached from other machines, and nothing says who may write: serve it by TLS with --tls-client-ca, or \
         listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// TLS can't be had with these files.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// TLS can't be had with what is in these files.
    #[error("{0}")]
    Tls(String),
    /// The system refuses.
    #[error("can't listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The connections failed all together.
    #[error("the server stopped: {0}")]
    Stopped(#[from] tonic::transport::Error),
}

/// Who the controller is, and whom it answers (TLS 1.2 and 1.3).
#[derive(Clone, Debug)]
pub struct Tls {
    identity: Identity,
    client_ca: Option<(PathBuf, Vec<u8>)>,
}

impl Tls {
    /// Reads PEM files: certificate and key, and the authorities of clients if only those that show a certificate of
    /// theirs are to be answered.
    ///
    /// # Errors
    /// [`ListenError::Pem`] and [`ListenError::Tls`].
    pub fn read(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<Self, ListenError> {
        let identity = Identity::read(certificate, key)?;
        let client_ca = client_ca.map(|path| pem::certificates(path).map(|text| (path.to_owned(), text)));
        let tls = Self { identity, client_ca: client_ca.transpose()? };
        tls.on(Transport::builder())?;
        Ok(tls)
    }

    fn on(&self, transport: Transport) -> Result<Transport, ListenError> {
        let Identity { certificate, key, .. } = &self.identity;
        let config = ServerTlsConfig::new()
            .identity(tonic::transport::Identity::from_pem(certificate, key))
            .timeout(Duration::from_secs(10));
        let config = match &self.client_ca {
            None => config,
            Some((_, text)) => config.client_ca_root(Certificate::from_pem(text)),
        };
        transport.tls_config(config).map_err(|error| {
            let cause = std::error::Error::source(&error);
            let why = cause.map_or_else(|| error.to_string(), ToString::to_string);
            ListenError::Tls(match &self.client_ca {
                Some((path, _)) if why.contains("root") => {
                    format!("{} has no certificate that can be used: {why}", path.display())
                }
                _ => self.identity.unusable(&why),
            })
        })
    }
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
        if !address.ip().is_loopback() && !open && tls.is_none_or(|tls| tls.client_ca.is_none()) {
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
        let service = LbControlPlaneServer::new(Service(self.shared)).max_decoding_message_size(REQUEST);
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

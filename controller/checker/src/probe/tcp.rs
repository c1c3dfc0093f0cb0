//! The TCP probe: a connection, no byte.

use super::{Found, blame};
use std::net::SocketAddr;
use tokio::net::{TcpSocket, TcpStream};

/// Connects. The connection ends by a reset when it is dropped (`SO_LINGER` 0): a close in order would leave `TIME_WAIT` for a
/// minute with whoever closes first, and at one probe a second and backend that is the checker's ports and memory, or
/// the backend's. A server that accepts such a connection reads a reset, or nothing.
pub(super) async fn connect(to: SocketAddr) -> Result<TcpStream, Found> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|e| blame("open a socket", &e))?;
    socket.set_zero_linger().map_err(|e| blame("set up a socket", &e))?;
    socket.connect(to).await.map_err(|e| blame("connect", &e))
}

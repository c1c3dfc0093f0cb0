//! The client: one TCP connection, any number of requests on it.

use super::message::{Head, read_body, read_head, write_body};
use crate::sys::{self, TcpPath};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection or a read that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an answer says about the server's end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The backend's name.
    pub backend: String,
    /// The client's address as the backend saw it.
    pub client: SocketAddr,
    /// The address on which the backend served: the VIP.
    pub served_on: SocketAddr,
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    to: TcpStream,
    from: BufReader<TcpStream>,
}

impl Connection {
    /// Connects from `source` (port 0: any) to `target`, in the calling thread's network namespace.
    ///
    /// # Errors
    /// The address is taken, or the connection is refused or times out.
    pub fn open(source: SocketAddr, target: SocketAddr) -> Result<Self> {
        let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&source.into())?;
        socket.connect_timeout(&target.into(), PATIENCE)?;
        let to = TcpStream::from(socket);
        to.set_nodelay(true)?;
        to.set_read_timeout(Some(PATIENCE))?;
        to.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { from: BufReader::new(to.try_clone()?), to })
    }

    /// Asks for `path` and reads the answer's head; `started` gets what it says before the body is read.
    ///
    /// # Errors
    /// The connection breaks, the answer is no success, or its body is not the pattern.
    pub fn get(&mut self, path: &str, started: impl FnOnce(&Seen)) -> Result<Seen> {
        self.to.write_all(format!("GET {path} HTTP/1.1\r\nHost: vip\r\n\r\n").as_bytes())?;
        self.answer(started)
    }

    /// Uploads `length` bytes, spread over `duration`.
    ///
    /// # Errors
    /// The connection breaks, or the server got something else.
    pub fn put(&mut self, length: u64, duration: Duration) -> Result<Seen> {
        let head = format!("PUT /upload HTTP/1.1\r\nHost: vip\r\nContent-Length: {length}\r\n\r\n");
        self.to.write_all(head.as_bytes())?;
        write_body(&mut self.to, length, duration)?;
        self.answer(|_| ())
    }

    fn answer(&mut self, started: impl FnOnce(&Seen)) -> Result<Seen> {
        let head = read_head(&mut self.from)?
            .ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "closed before the answer"))?;
        if !head.first.starts_with("HTTP/1.1 200 ") {
            return Err(Error::new(ErrorKind::InvalidData, format!("answer: {}", head.first)));
        }
        let seen = seen_in(&head)?;
        started(&seen);
        if !read_body(&mut self.from, head.length())? {
            return Err(Error::new(ErrorKind::InvalidData, "the body is not what the server sent"));
        }
        Ok(seen)
    }

    /// Compares both ends: the backend saw this socket's address, and it served on `vip`.
    ///
    /// # Errors
    /// They differ; the error says how.
    pub fn check(&self, seen: &Seen, vip: IpAddr) -> Result<()> {
        let own = self.to.local_addr()?;
        if seen.client != own {
            return Err(Error::other(format!("{} saw client {}, which is {own}", seen.backend, seen.client)));
        }
        if seen.served_on.ip() != vip || self.to.peer_addr()?.ip() != vip {
            return Err(Error::other(format!("{} served on {}, not on {vip}", seen.backend, seen.served_on)));
        }
        Ok(())
    }

    /// What the kernel learned about the path.
    ///
    /// # Errors
    /// The kernel doesn't tell.
    pub fn path(&self) -> Result<TcpPath> {
        sys::tcp_path(&self.to)
    }

    /// Asks for `/`, after which the server closes; then closes too, and waits until the server has heard it: nothing of the
    /// connection is left here, and its port can be used again at once. (An RST would do that without waiting; but nobody
    /// sends one again that is lost.)
    ///
    /// # Errors
    /// As [`Connection::get`]; or the server doesn't close, or doesn't hear that we do.
    pub fn get_last(
        mut self,
        started: impl FnOnce(&Seen),
        check: impl FnOnce(&Self, &Seen) -> Result<()>,
    ) -> Result<()> {
        self.to.write_all(b"GET / HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n")?;
        let seen = self.answer(started)?;
        check(&self, &seen)?;
        if self.from.read(&mut [0])? != 0 {
            return Err(Error::new(ErrorKind::InvalidData, "the server goes on after the last answer"));
        }
        self.to.shutdown(Shutdown::Write)?;
        let start = Instant::now();
        while !sys::tcp_is_closed(&self.to)? {
            if start.elapsed() > PATIENCE {
                return Err(Error::new(ErrorKind::TimedOut, "the server does not hear that we close"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

fn seen_in(head: &Head) -> Result<Seen> {
    let header = |name: &str| {
        let missing = || Error::new(ErrorKind::InvalidData, format!("the answer has no good header {name}"));
        head.get(name).ok_or_else(missing)
    };
    let address = |name| header(name)?.parse().map_err(|e| Error::new(ErrorKind::InvalidData, e));
    Ok(Seen {
        backend: header("x-backend")?.to_owned(),
        client: address("x-client")?,
        served_on: address("x-served-on")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::serve_one;
    use std::net::TcpListener;

    fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            serve_one("b1", stream)
        });
        address
    }

    #[test]
    fn several_requests_on_one_connection() {
        let address = server();
        let mut connection = Connection::open("127.0.0.1:0".parse().unwrap(), address).unwrap();
        let mut early = None;
        let seen = connection.get("/bytes/300000", |seen| early = Some(seen.clone())).unwrap();
        assert_eq!((early.as_ref(), seen.backend.as_str()), (Some(&seen), "b1"));
        connection.check(&seen, address.ip()).unwrap();
        connection.put(300_000, Duration::ZERO).unwrap();
        assert!(connection.check(&seen, "127.0.0.2".parse().unwrap()).is_err());
        assert!(connection.path().unwrap().path_mtu > 1000);
        let wrong = Seen { client: "127.0.0.1:1".parse().unwrap(), ..seen };
        assert!(connection.check(&wrong, address.ip()).unwrap_err().to_string().contains("saw client"));
        let mut closed = false;
        let end = |connection: &Connection, seen: &Seen| {
            closed = true;
            connection.check(seen, address.ip())
        };
        connection.get_last(|_| (), end).unwrap();
        assert!(closed);
    }

    #[test]
    fn a_bad_request_is_an_error() {
        let mut connection = Connection::open("127.0.0.1:0".parse().unwrap(), server()).unwrap();
        assert!(connection.get("/nothing", |_| ()).unwrap_err().to_string().contains("400"));
    }
}

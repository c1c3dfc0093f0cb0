//! The backend's server.

use super::message::{read_body, read_head, write_body};
use anyhow::{Context, Result};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A connection on which nothing comes or goes for this long is given up.
const PATIENCE: Duration = Duration::from_secs(90);
/// Largest body that is sent on request, in bytes.
const LARGEST: u64 = 1 << 30;

/// Serves on every address of `listen`, with one thread a connection, until the process ends.
/// Says `ready` on standard output once all are bound.
///
/// # Errors
/// An address can't be bound.
pub fn serve(name: &str, listen: &[SocketAddr]) -> Result<()> {
    let bound = listen
        .iter()
        .map(|address| TcpListener::bind(address).with_context(|| format!("can't listen on {address}")));
    let listeners: Vec<TcpListener> = bound.collect::<Result<_>>()?;
    println!("ready");
    std::thread::scope(|scope| {
        for listener in &listeners {
            scope.spawn(move || accept(name, listener));
        }
    });
    Ok(())
}

fn accept(name: &str, listener: &TcpListener) {
    for stream in listener.incoming() {
        let name = name.to_owned();
        match stream {
            // A broken connection is the client's to report.
            Ok(stream) => drop(std::thread::spawn(move || serve_one(&name, stream))),
            Err(error) => {
                eprintln!("accept: {error}");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Serves the requests of one connection until the client closes it or asks for the last one.
///
/// # Errors
/// The connection breaks, or what comes is no HTTP.
pub fn serve_one(name: &str, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (client, local) = (stream.peer_addr()?, stream.local_addr()?);
    let mut to = stream.try_clone()?;
    let mut from = BufReader::new(stream);
    while let Some(head) = read_head(&mut from)? {
        let good = read_body(&mut from, head.length())?;
        let last = head.get("connection") == Some("close");
        let answer = if good { answer_to(&head.first) } else { None };
        let status = if answer.is_some() { "200 OK" } else { "400 Bad Request" };
        let (length, duration) = answer.unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nX-Backend: {name}\r\n\
             X-Client: {client}\r\nX-Served-On: {local}\r\n\r\n"
        );
        to.write_all(head.as_bytes())?;
        write_body(&mut to, length, duration)?;
        if last {
            break;
        }
    }
    Ok(())
}

/// Length of the answer's body, and the time over which it is spread; `None` for a bad request.
fn answer_to(request: &str) -> Option<(u64, Duration)> {
    let mut words = request.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let mut parts = path.strip_prefix('/')?.split('/');
    let number = |text: Option<&str>| text?.parse::<u64>().ok().filter(|n| *n <= LARGEST);
    match (method, parts.next()?) {
        ("GET", "") => Some((16, Duration::ZERO)),
        ("GET", "bytes") => Some((number(parts.next())?, Duration::ZERO)),
        ("GET", "slow") => Some((number(parts.next())?, Duration::from_millis(number(parts.next())?))),
        ("PUT", "upload") => Some((0, Duration::ZERO)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let ms = Duration::from_millis;
        for (request, want) in [
            ("GET / HTTP/1.1", Some((16, ms(0)))),
            ("GET /bytes/1000 HTTP/1.1", Some((1000, ms(0)))),
            ("GET /bytes/99999999999999 HTTP/1.1", None),
            ("GET /slow/10/20 HTTP/1.1", Some((10, ms(20)))),
            ("GET /slow/10 HTTP/1.1", None),
            ("PUT /upload HTTP/1.1", Some((0, ms(0)))),
            ("DELETE / HTTP/1.1", None),
            ("", None),
        ] {
            assert_eq!(answer_to(request), want, "{request:?}");
        }
    }
}

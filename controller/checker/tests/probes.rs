//! Probes of real servers on the loopback: each file in `tests/probes` is a case.
//!
//! - `server none` (the port is closed), `full` (its backlog is full: no SYN is answered), `plain`, `tls`;
//! - what the server does with a connection, in order: `read` (to the end of a request's head), `send TEXT`, `fill N` (bytes),
//!   `pause MS`, `close`, `reset`; at the end it keeps the connection open. `TEXT` knows `\r`, `\n`;
//! - `probe tcp|http|https [path=] [host=] [status=,] [body=] [timeout=MS] [ca=own|other]`;
//! - `expect pass`, `expect fail WORDS` or `expect trouble WORDS`: the reason has these words;
//! - `within MS`: the probe takes no longer (500 ms and some unless it says so).
#![allow(clippy::unwrap_used)]

use control_checker::probe::{Found, Means, probe, tls};
use control_checker::target::Plan;
use control_proto::v1::{HttpProbe, Probe, TcpProbe, probe::How};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Authority {
    acceptor: TlsAcceptor,
    own: tempfile::NamedTempFile,
    other: tempfile::NamedTempFile,
}

#[tokio::test]
async fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probes");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 15, "cases are missing");
    let authority = authority();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        check(&name, &std::fs::read_to_string(&file).unwrap(), &authority).await;
    }
}

/// A case does fail when the probe finds something else.
#[tokio::test]
#[should_panic(expected = "x: Pass")]
async fn a_wrong_expectation_is_seen() {
    check("x", "server plain\nprobe tcp\nexpect fail refused", &authority()).await;
}

async fn check(name: &str, text: &str, authority: &Authority) {
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).collect();
    let find = |verb: &str| lines.iter().find_map(|l| l.strip_prefix(verb)).map(str::trim);
    let kind = find("server ").unwrap_or_else(|| panic!("{name}: no server"));
    let steps: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
    let acceptor = (kind == "tls").then(|| authority.acceptor.clone());
    let (listener, others) = listen(kind).await;
    let port = match &listener {
        Ok(listener) => listener.local_addr().unwrap().port(),
        Err(port) => *port,
    };
    let server = async {
        let Ok(listener) = listener else { return std::future::pending().await };
        if kind == "full" {
            return std::future::pending().await;
        }
        let (stream, _) = listener.accept().await.unwrap();
        match acceptor {
            None => serve(stream, &steps).await,
            Some(acceptor) => match acceptor.accept(stream).await {
                Ok(stream) => serve(stream, &steps).await,
                Err(_) => std::future::pending().await,
            },
        }
    };
    let (asked, ca) = asked(find("probe ").unwrap(), port);
    let ca = ca.map(|ca| if ca == "own" { authority.own.path() } else { authority.other.path() });
    let means = Means { tls: tls::connector(ca).unwrap(), through: Err("not here".into()) };
    let plan = Plan::new(&asked, LOCAL).unwrap();
    let begin = Instant::now();
    let outcome = tokio::select! {
        outcome = probe(&plan, &means) => outcome,
        () = server => unreachable!("a server does not end"),
    };
    drop(others);
    let limit = find("within ").map_or(700, |ms| ms.parse().unwrap());
    assert!(begin.elapsed() < Duration::from_millis(limit), "{name}: took {:?}", begin.elapsed());
    let expect = find("expect ").unwrap_or_else(|| panic!("{name}: expects nothing"));
    let (verdict, words) = expect.split_once(' ').unwrap_or((expect, ""));
    let fits = match (&outcome.found, verdict) {
        (Found::Pass, "pass") => true,
        (Found::Fail(why), "fail") | (Found::Trouble(why), "trouble") => {
            why.contains(words) && !words.is_empty()
        }
        _ => false,
    };
    assert!(fits, "{name}: {:?}, expected {expect}", outcome.found);
}

/// A listener, or a port that is closed; and connections that fill a backlog.
async fn listen(kind: &str) -> (Result<TcpListener, u16>, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((LOCAL, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    if kind == "none" {
        return (Err(address.port()), Vec::new());
    }
    let listener = socket.listen(if kind == "full" { 1 } else { 16 }).unwrap();
    let mut others = Vec::new();
    let connect = || tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address));
    if kind == "full" {
        while let Ok(stream) = connect().await {
            others.push(stream.unwrap());
        }
    }
    (Ok(listener), others)
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, steps: &[String]) {
    for step in steps {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "read" => {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                assert!(rest.is_empty() || head.contains(rest), "{head}");
            }
            "send" => {
                let text = rest.replace("\\r", "\r").replace("\\n", "\n");
                stream.write_all(text.as_bytes()).await.ok();
            }
            "fill" => {
                stream.write_all(&vec![b'x'; rest.parse().unwrap()]).await.ok();
            }
            "pause" => tokio::time::sleep(Duration::from_millis(rest.parse().unwrap())).await,
            "close" => {
                stream.shutdown().await.ok();
            }
            "server" | "probe" | "expect" | "within" => {}
            other => panic!("`{other}`?"),
        }
        stream.flush().await.ok();
    }
    std::future::pending::<()>().await;
}

fn asked(words: &str, port: u16) -> (Probe, Option<String>) {
    let mut words = words.split_whitespace();
    let kind = words.next().unwrap();
    let mut http = HttpProbe { tls: kind == "https", ..HttpProbe::default() };
    let mut probe = Probe { port: port.into(), ..Probe::default() };
    let mut ca = None;
    for word in words {
        match word.split_once('=').unwrap() {
            ("path", v) => http.path = v.into(),
            ("host", v) => http.host = v.into(),
            ("status", v) => http.expected_status = v.split(',').map(|s| s.parse().unwrap()).collect(),
            ("body", v) => http.body_contains = v.into(),
            ("timeout", v) => probe.timeout_ms = v.parse().unwrap(),
            ("ca", v) => ca = Some(v.to_owned()),
            (other, _) => panic!("{other}?"),
        }
    }
    probe.how = Some(if kind == "tcp" { How::Tcp(TcpProbe {}) } else { How::Http(http) });
    (probe, ca)
}

/// A server's certificate, for 127.0.0.1 and backend.test, and that of a stranger.
fn authority() -> Authority {
    let signed =
        || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "backend.test".to_owned()]).unwrap();
    let (own, other) = (signed(), signed());
    let file = |pem: String| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), pem).unwrap();
        file
    };
    let key = own.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    Authority {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        own: file(own.cert.pem()),
        other: file(other.cert.pem()),
    }
}

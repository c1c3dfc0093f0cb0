//! Who connects and never speaks HTTP/2 doesn't keep the connection.

use crate::common::lab_with;
use p4runtime_proto::p4::v1::CapabilitiesRequest;
use p4runtime_server::Options;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HANDSHAKE: Duration = Duration::from_millis(400);
const SILENCE: Duration = Duration::from_secs(10);

/// Says this, with 50 ms between the parts, and then nothing; how long the connection stood.
async fn stands(address: &str, parts: &[&[u8]]) -> Duration {
    // The server counts from when it has the connection, which may be before we know of it.
    let since = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    for part in parts {
        if stream.write_all(part).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut rest = Vec::new();
    // The server may say its settings; how it ends is its own affair.
    let end = tokio::time::timeout(Duration::from_secs(120), stream.read_to_end(&mut rest)).await;
    let _closed = end.expect("it ends");
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_nothing_ends() {
    let options = Options { handshake: HANDSHAKE, silence: SILENCE, ..Options::default() };
    let lab = lab_with("kinds", &options).await;
    let mut client = lab.client().await;
    client.capabilities(CapabilitiesRequest { device_id: 1 }).await.unwrap();
    let address = lab.address.trim_start_matches("http://");
    let slow: Vec<&[u8]> = b"PRI * HTTP/2.0".chunks(1).collect();
    let nothing: Vec<&[u8]> = Vec::new();
    for said in [nothing, vec![b"PRI * HTTP"], slow] {
        let stood = stands(address, &said).await;
        assert!(stood >= HANDSHAKE && stood < SILENCE, "{stood:?}");
    }
    // Who has begun has longer.
    let stood = stands(address, &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]).await;
    assert!(stood >= SILENCE, "{stood:?}");
    client.capabilities(CapabilitiesRequest { device_id: 1 }).await.unwrap();
}

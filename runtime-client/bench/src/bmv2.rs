//! Our client beside the least that can send to BMv2: what `simple_switch_grpc` takes at its best.

use crate::entries::{Forms, SLOTS};
use crate::writes::Spread;
use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::{BufMut as _, Bytes};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::{Uint128, Update, WriteRequest, WriteResponse};
use prost::Message as _;
use runtime_client::{Atomicity, Names, Options, Profile, Push, Session, delete, insert};
use serde::Serialize;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

const PROGRAMS: [&str; 2] = ["p4c-bm2-ss", "simple_switch_grpc"];
/// What the plain sender is tried with: updates of a write, writes at once.
const SHAPES: [(usize, usize); 6] = [(500, 4), (1000, 1), (1000, 4), (2000, 4), (4000, 2), (8000, 4)];
/// The pool whose ring is written.
const POOL: u32 = 1;

/// Entries per second into BMv2.
#[derive(Clone, Debug, Serialize)]
pub struct Beside {
    /// The plain sender's, by updates of a write and writes at once.
    pub plain: Vec<(usize, usize, Spread)>,
    /// Our client's.
    pub ours: Spread,
    /// Ours to the best of the plain ones, by their medians.
    pub ratio: f64,
}

/// What is not on PATH.
#[must_use]
pub fn missing() -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = |name: &&str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    PROGRAMS.into_iter().find(|name| !there(name))
}

/// INSERTs of a ring of 65,537, in turn by the plain sender and by our client.
///
/// # Errors
/// BMv2 doesn't start, or refuses.
pub async fn beside(rounds: usize, tick: &mut dyn FnMut(&str)) -> Result<Beside> {
    tick("compiling for BMv2");
    let dir = tempfile::tempdir()?;
    let (info, json) = compile(dir.path())?;
    let switch = Bmv2::start()?;
    let mut options = Options::new(&format!("127.0.0.1:{}", switch.port), Profile::named("bmv2")?);
    options.patience = Duration::from_secs(60);
    let session = Session::connect(options).await?;
    session.primary().await?;
    session.push(&info, json.into(), Push::Always).await?;
    let names = Names::new(&info)?;
    let forms = Forms::new(&names)?;
    let entries: Vec<_> = forms.ring(POOL, 1, 1).collect();
    let inserts: Vec<Update> = entries.iter().cloned().map(insert).collect();
    let deletes: Vec<Update> = entries.into_iter().map(delete).collect();
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", switch.port))?;
    let plain = endpoint.initial_stream_window_size(8 << 20).connect().await?;
    let (mut of_plain, mut ours) = (vec![Vec::new(); SHAPES.len()], Vec::new());
    for _ in 0..rounds {
        for ((updates, at_once), rates) in SHAPES.into_iter().zip(&mut of_plain) {
            tick(&format!("BMv2, {at_once} writes of {updates}"));
            rates.push(send(&plain, encoded(&inserts, updates), at_once).await?);
            send(&plain, encoded(&deletes, 1000), 4).await?;
        }
        tick("BMv2, our client");
        let start = Instant::now();
        let written = session.write(&inserts, Atomicity::ContinueOnError, Some(&names)).await?;
        ours.push(f64::from(SLOTS) / start.elapsed().as_secs_f64());
        written.ok()?;
        send(&plain, encoded(&deletes, 1000), 4).await?;
    }
    let of_plain = SHAPES.into_iter().zip(of_plain);
    let plain: Vec<_> = of_plain.map(|((u, n), rates)| (u, n, Spread::of(rates))).collect();
    let best = plain.iter().map(|p| p.2.median).fold(0.0, f64::max);
    let ours = Spread::of(ours);
    Ok(Beside { plain, ratio: ours.median / best, ours })
}

/// l4lb's P4Info, and what p4c makes of its P4.
fn compile(dir: &Path) -> Result<(P4Info, Vec<u8>)> {
    let pipeline = pipeline_syntax::compile_source("l4lb.rs", guideway::builtin::L4LB, &[]);
    let verified = pipeline_ir::verify::verify(pipeline.map_err(|d| anyhow!("{d}"))?);
    let verified = verified.map_err(|d| anyhow!("{d}"))?;
    let fitted = codegen::fit(&verified, &hw_targets::target("bmv2")?).map_err(|d| anyhow!("{d}"))?;
    let files = codegen::p4::emit(&fitted);
    let file = |name: &str| files.get(name).with_context(|| format!("no {name}"));
    let (source, json) = (dir.join("l4lb.p4"), dir.join("l4lb.json"));
    std::fs::write(&source, file("l4lb.p4")?)?;
    let out = Command::new(PROGRAMS[0])
        .args(["--arch", "v1model", "-o"])
        .args([&json, &source])
        .output()
        .context(PROGRAMS[0])?;
    ensure!(out.status.success(), "{}: {}", PROGRAMS[0], String::from_utf8_lossy(&out.stderr));
    Ok((P4Info::decode(file("l4lb.p4info.bin")?)?, std::fs::read(json)?))
}

/// `simple_switch_grpc`, without ports. It ends with this.
struct Bmv2 {
    child: Child,
    port: u16,
}

impl Bmv2 {
    fn start() -> Result<Self> {
        // Nobody else is in this network.
        let free = || anyhow::Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let (port, thrift) = (free()?, free()?);
        let help = Command::new(PROGRAMS[1]).arg("--help").output().context(PROGRAMS[1])?;
        let mut command = Command::new(PROGRAMS[1]);
        command.args(["--no-p4", "--device-id", "1"]);
        if String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains("--thrift-port") {
            command.args(["--thrift-port", &thrift.to_string()]);
        }
        command.args(["--", "--grpc-server-addr", &format!("127.0.0.1:{port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { child: command.spawn().context(PROGRAMS[1])?, port })
    }
}

impl Drop for Bmv2 {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Whole requests, made before the clock runs.
fn encoded(updates: &[Update], size: usize) -> Vec<Bytes> {
    let request = |updates: &[Update]| WriteRequest {
        device_id: 1,
        election_id: Some(Uint128 { high: 0, low: 1 }),
        updates: updates.to_vec(),
        ..WriteRequest::default()
    };
    updates.chunks(size).map(|part| request(part).encode_to_vec().into()).collect()
}

/// Sends requests, so many at once; entries per second of a whole ring.
async fn send(channel: &Channel, requests: Vec<Bytes>, at_once: usize) -> Result<f64> {
    let start = Instant::now();
    let mut flying = JoinSet::new();
    for bytes in requests {
        if flying.len() >= at_once {
            flying.join_next().await.context("a call")???;
        }
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        flying.spawn(async move {
            grpc.ready().await.map_err(|e| Status::unavailable(e.to_string()))?;
            let path = PathAndQuery::from_static("/p4.v1.P4Runtime/Write");
            grpc.unary(Request::new(bytes), path, AsItIs).await.map(drop)
        });
    }
    while let Some(done) = flying.join_next().await {
        done??;
    }
    Ok(f64::from(SLOTS) / start.elapsed().as_secs_f64())
}

/// Sends bytes that are a message already.
#[derive(Clone, Copy, Debug)]
struct AsItIs;

impl Codec for AsItIs {
    type Encode = Bytes;
    type Decode = WriteResponse;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsItIs {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, bytes: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(bytes);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = WriteResponse;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<WriteResponse>, Status> {
        WriteResponse::decode(from).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}

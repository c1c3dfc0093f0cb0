//! `simple_switch_grpc`: entries over P4Runtime, packets over gRPC.

use super::front::{Front, Out};
use super::stream::Packets;
use super::switch::{PATIENCE, Switch};
use anyhow::{Context, Result, ensure};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::entity::Entity as Kind;
use p4runtime_proto::p4::v1::{CounterData, TableEntry as Wire, Update};
use pipeline_ir::entry::WriteError;
use runtime_client::{Atomicity, Counted, Names, Options, Profile, Push, Session};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};

/// The port that stands for the host.
const HOST: u32 = 510;

#[derive(Debug)]
pub(super) struct Grpc {
    info: P4Info,
    session: Session,
    packets: Packets,
    rt: Runtime,
    _switch: Switch,
}

impl Grpc {
    /// Starts it, with a program.
    pub(super) fn start(info: &P4Info, json: &[u8]) -> Result<Self> {
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut switch = Switch::start()?;
        let (session, packets) = rt.block_on(async {
            let address = format!("127.0.0.1:{}", switch.p4runtime);
            let mut options = Options::new(&address, Profile::named("bmv2")?);
            options.connect_within = PATIENCE;
            let session = Session::connect(options).await?;
            session.primary().await?;
            session.push(info, json.to_vec().into(), Push::Always).await?;
            let channel = connect(&mut switch, |s| s.packets).await?;
            anyhow::Ok((session, Packets::open(channel).await?))
        })?;
        Ok(Self { info: info.clone(), session, packets, rt, _switch: switch })
    }
}

impl Front for Grpc {
    fn host(&self) -> u32 {
        HOST
    }

    fn load(&mut self, json: &[u8]) -> Result<()> {
        self.rt.block_on(self.session.push(&self.info, json.to_vec().into(), Push::Always))?;
        Ok(())
    }

    fn write(&mut self, names: &Names, updates: &[Update]) -> Result<(), WriteError> {
        let all = self.session.write(updates, Atomicity::ContinueOnError, Some(names));
        let failed = |e: &dyn std::error::Error| WriteError::Failed(e.to_string());
        self.rt.block_on(all).map_err(|e| failed(&e))?.ok().map_err(|e| failed(&e))
    }

    fn entries(&self, _: &Names, table: u32) -> Result<Vec<Wire>> {
        let ask = Wire { table_id: table, counter_data: Some(CounterData::default()), ..Wire::default() };
        let held = self.rt.block_on(async {
            anyhow::Ok(self.session.read(vec![Kind::TableEntry(ask)]).await?.all().await?)
        })?;
        let entry = |k| if let Kind::TableEntry(wire) = k { Some(wire) } else { None };
        Ok(held.into_iter().filter_map(entry).collect())
    }

    fn counters(&self, names: &Names, begins: &str) -> Result<Vec<Counted>> {
        let mut cells = self.rt.block_on(self.session.counters(names, &[]))?;
        cells.retain(|cell| cell.counter.starts_with(begins));
        Ok(cells)
    }

    fn send(&mut self, port: u32, frame: &[u8]) -> Result<()> {
        self.rt.block_on(self.packets.send(port, frame))
    }

    fn next(&mut self, wait: Duration) -> Result<Option<Out>> {
        let out = self.rt.block_on(self.packets.next(wait))?;
        Ok(out.map(|out| (out.port, out.packet)))
    }
}

/// Connects as soon as the switch listens.
async fn connect(switch: &mut Switch, port: fn(&Switch) -> u16) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", port(switch)))?;
    let end = Instant::now() + PATIENCE;
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(e) if Instant::now() > end => return Err(e).context("simple_switch_grpc doesn't listen"),
            Err(_) => ensure!(!switch.ended(), "simple_switch_grpc has ended"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

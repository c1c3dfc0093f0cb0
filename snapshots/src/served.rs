//! A data plane as its controller has it: our P4Runtime server in front of it, our client, gRPC between them.
//!
//! Entries, rings and changes between packets go over the connection, and so do the reset before a story, counters, direct
//! counts and what tables hold. Packets go to the plane itself, and their times with them. Flows are read twice: from the
//! plane, which knows buckets, and over P4Runtime, which must show the same flows.

use crate::reads::{self, Read};
use anyhow::{Context as _, Result, anyhow, ensure};
use codegen::p4::Sizes;
use p4runtime_proto::guideway::v1::{Bundle, File};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::{ForwardingPipelineConfig, TableEntry as Message, Update};
use p4runtime_server::{Device, Host, HostError, Options as Limits, Prepared, Server, hold};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::flow::{TICK_BITS, ticks};
use pipeline_ir::verify::Verified;
use pipeline_ir::{FlowTableId, Pipeline, TableId};
use prost::Message as _;
use runtime_client::{
    Atomicity, Flow, FlowFilter, Names, Options, Profile, Push, Session, delete, insert, modify,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use sw_fallback::plane::{Count, DataPlane, FlowRecord, Outcome, ReadBack, TestPlane};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio_stream::StreamExt as _;
use tonic::Code;

/// The one file of the device config: the pipeline's name.
const NAME: &str = "name";

/// What a test gives packets to and a controller reads.
pub trait Plane: TestPlane + ReadBack + Send + 'static {}
impl<P: TestPlane + ReadBack + Send + 'static> Plane for P {}

/// Makes a plane as it was at first.
type Renew<P> = Box<dyn FnMut(&mut P) -> Result<()> + Send>;

/// The server's side of a test.
struct Bench<P> {
    plane: P,
    renew: Renew<P>,
}

/// A data plane behind its server, for as many stories as there are.
pub struct Served<P> {
    verified: Verified,
    info: P4Info,
    config: Vec<u8>,
    names: Names,
    session: Session,
    device: Arc<Mutex<Device<Bench<P>>>>,
    /// Server and client run while a call of the test's does.
    rt: Runtime,
}

impl<P: Plane> Host for Bench<P> {
    fn plane(&mut self) -> &mut dyn ReadBack {
        &mut self.plane
    }

    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        let pipeline = self.plane.pipeline().clone();
        if bundle.files.iter().all(|f| f.path != NAME || f.content != pipeline.name.as_bytes()) {
            return Err(HostError::Invalid(format!("this switch runs `{}` only", pipeline.name)));
        }
        Ok(Prepared { pipeline, program: Box::new(()) })
    }

    fn commit(&mut self, _: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        (self.renew)(&mut self.plane).map_err(|e| HostError::Failed(format!("{e:#}")))?;
        if entries.is_empty() {
            return Ok(());
        }
        hold(&mut self.plane, entries).map_err(|(table, e)| HostError::Failed(format!("{table}: {e}")))
    }
}

impl<P: Plane> Served<P> {
    /// A server on a free port of this machine, and a session with it. `renew` makes the plane as it was at first.
    ///
    /// # Errors
    /// There is no such target, no port is free, or server and client don't come together.
    pub fn start(
        verified: &Verified,
        target: &str,
        plane: P,
        renew: impl FnMut(&mut P) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        // One thread for all three: nobody waits until the system lets another thread run.
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sizes = Sizes::of(&hw_targets::target(target)?);
        let info = P4Info::decode(codegen::p4::info(verified.pipeline(), &sizes).to_bytes().as_slice())?;
        let name = verified.pipeline().name.clone().into_bytes();
        let config = Bundle { files: vec![File { path: NAME.into(), content: name.into() }] }.encode_to_vec();
        let first = ForwardingPipelineConfig { p4info: Some(info.clone()), ..Default::default() };
        let device =
            Device::new(Bench { plane, renew: Box::new(renew) }, first).map_err(|(_, e)| anyhow!(e))?;
        let device = Arc::new(Mutex::new(device));
        let session = rt.block_on(async {
            let server = Server::bind(&"127.0.0.1:0".parse()?, device.clone(), &Limits::default()).await?;
            let address = server.local_addr().context("a port")?.to_string();
            tokio::spawn(server.serve(std::future::pending()));
            let session = Session::connect(Options::new(&address, Profile::named("guideway")?)).await?;
            session.primary().await?;
            anyhow::Ok(session)
        })?;
        let names = Names::new(&info)?;
        Ok(Self { verified: verified.clone(), info, config, names, session, device, rt })
    }

    /// Pushes the pipeline: nothing is left of entries, counters and flows.
    ///
    /// # Errors
    /// The server refuses.
    pub fn renew(&mut self) -> Result<()> {
        self.rt.block_on(self.session.push(&self.info, self.config.clone().into(), Push::Always))?;
        Ok(())
    }

    /// One result for each update.
    fn send(&self, updates: &[Update]) -> Vec<Result<(), WriteError>> {
        let all = self.session.write(updates, Atomicity::ContinueOnError, Some(&self.names));
        match self.rt.block_on(all) {
            Err(error) => vec![Err(WriteError::Failed(error.to_string())); updates.len()],
            Ok(written) => {
                let mut results = vec![Ok(()); updates.len()];
                for failed in written.failed {
                    results[failed.index] = Err(match failed.code {
                        Code::AlreadyExists => WriteError::Exists,
                        Code::NotFound => WriteError::NotFound,
                        Code::ResourceExhausted => WriteError::Full,
                        Code::PermissionDenied => WriteError::Const,
                        _ => WriteError::Failed(failed.to_string()),
                    });
                }
                results
            }
        }
    }

    fn message(&self, entry: &CheckedEntry) -> Result<Message, WriteError> {
        self.names.checked(self.pipeline(), entry).map_err(|e| WriteError::Failed(e.to_string()))
    }

    fn read_counters(&self) -> Result<BTreeMap<String, Count>> {
        let cells = self.rt.block_on(self.session.counters(&self.names, &[]))?;
        Ok(reads::counters(self.pipeline(), cells))
    }

    fn read_entries(&self, table: TableId) -> Result<Vec<(TableEntry, Count)>> {
        let name = &self.pipeline().tables[table.index()].name;
        let all = self.rt.block_on(self.session.entries(name, &self.names))?;
        let read = Read { verified: &self.verified, names: &self.names };
        all.iter().map(|message| read.entry(table, message)).collect()
    }

    fn read_flows(&self, table: &str) -> Result<Vec<Flow>> {
        self.rt.block_on(async {
            let mut flows = self.session.flows(table, &FlowFilter::default(), &self.names).await?;
            let mut all = Vec::new();
            while let Some(flow) = flows.next().await {
                all.push(flow?);
            }
            Ok(all)
        })
    }

    /// Are the flows that P4Runtime shows those of the plane that have not expired?
    fn flows_agree(&self, table: FlowTableId) -> Result<()> {
        let declared = &self.pipeline().flow_tables[table.index()];
        let (records, reader) = {
            let device = self.device.blocking_lock();
            (device.host.plane.flows(table), device.host.plane.flow_reader(table))
        };
        let Some(reader) = reader else {
            ensure!(records.is_empty(), "{}: flows, but no reader", declared.name);
            return Ok(());
        };
        let (now, tick_ns) = (reader.now(), reader.tick_ns());
        let shown = |r: &FlowRecord| {
            let timeout = declared.idle_ms(r.class, r.state);
            // A plane that is given the time may not know it between packets.
            let age = now.map(|now| (now + 1).wrapping_sub(r.tick) & ((1 << TICK_BITS) - 1));
            let lives = age.is_none_or(|age| age <= ticks(timeout, tick_ns));
            lives.then(|| {
                let key = declared.keys.iter().map(|k| k.name.clone()).zip(r.key.iter().copied());
                let age = age.map(|age| Duration::from_nanos(u64::from(age.max(1) - 1) * tick_ns));
                (key.collect::<Vec<_>>(), r.id, r.state, r.class, age, Duration::from_millis(timeout))
            })
        };
        let expected: Vec<_> = records.iter().filter_map(shown).collect();
        let read = self.read_flows(&declared.name)?.into_iter();
        let read: Vec<_> = read.map(|f| (f.key, f.id, f.state.number(), f.class, f.age, f.timeout)).collect();
        ensure!(read == expected, "{}\n  P4Runtime {read:?}\n  the plane {expected:?}", declared.name);
        Ok(())
    }
}

fn update(message: Message, kind: WriteKind) -> Update {
    match kind {
        WriteKind::Insert => insert(message),
        WriteKind::Modify => modify(message),
        WriteKind::Delete => delete(message),
    }
}

impl<P: Plane> DataPlane for Served<P> {
    fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        self.send(&[update(self.message(entry)?, kind)]).remove(0)
    }

    /// One call of the session.
    fn write_all(&mut self, batch: &[(CheckedEntry, WriteKind)]) -> Vec<Result<(), WriteError>> {
        let updates = batch.iter().map(|(entry, kind)| Ok(update(self.message(entry)?, *kind)));
        match updates.collect::<Result<Vec<_>, WriteError>>() {
            Ok(updates) => self.send(&updates),
            Err(error) => vec![Err(error); batch.len()],
        }
    }

    /// Slots are inserted; those that are there of this generation are modified.
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        let slots = self.names.checked_ring(self.pipeline(), fill);
        let slots = slots.map_err(|e| WriteError::Failed(e.to_string()))?;
        let inserted = self.send(&slots.iter().cloned().map(insert).collect::<Vec<_>>());
        let mut there = Vec::new();
        for (result, slot) in inserted.into_iter().zip(slots) {
            match result {
                Err(WriteError::Exists) => there.push(modify(slot)),
                other => other?,
            }
        }
        self.send(&there).into_iter().collect()
    }

    /// What can't be read, and flows that P4Runtime shows otherwise than the plane, are counters that no pipeline has.
    fn counters(&self) -> BTreeMap<String, Count> {
        let mut all = match self.read_counters() {
            Ok(all) => all,
            Err(e) => BTreeMap::from([(format!("! {e:#}"), Count::default())]),
        };
        for table in (0..).map(FlowTableId).take(self.pipeline().flow_tables.len()) {
            if let Err(e) = self.flows_agree(table) {
                all.insert(format!("! {e:#}"), Count::default());
            }
        }
        all
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.read_entries(table).unwrap_or_default()
    }

    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.device.blocking_lock().host.plane.flows(table)
    }
}

impl<P: Plane> TestPlane for Served<P> {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        self.device.blocking_lock().host.plane.process(port, now, frame)
    }
}

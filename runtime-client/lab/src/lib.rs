//! A switch in this process, for the examples in `runtime-client`'s documentation: our P4Runtime server over the native
//! program of `count`, the smallest pipeline of `snapshots`.

#[rustfmt::skip]
#[path = "../../../snapshots/count/pipeline.rs"]
mod pipeline;

mod fake;

use guideway::plane::{DataPlane as _, NativePlane, ReadBack};
use guideway::rt::Packet;
use p4runtime_proto::guideway::v1::{Bundle, File};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::ForwardingPipelineConfig;
use p4runtime_server::{Address, Device, Host, HostError, Options, Prepared, Server, hold};
use pipeline_ir::entry::CheckedEntry;
use prost::Message as _;
use std::error::Error;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

pub use fake::{FAKES, Fake};
pub use pipeline::count;

/// What an example ends with.
pub type Outcome = Result<(), Box<dyn Error>>;

/// The file in a device config that says which pipeline is meant.
const SOURCE: &str = "source/pipeline.rs";
const TEXT: &str = include_str!("../../../snapshots/count/pipeline.rs");

struct Native(NativePlane);

fn plane() -> Result<NativePlane, HostError> {
    guideway::plane::<count::Pipeline>().map_err(|e| HostError::Failed(format!("{e:?}")))
}

impl Host for Native {
    fn plane(&mut self) -> &mut dyn ReadBack {
        &mut self.0
    }

    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        if !bundle.files.iter().any(|file| file.path == SOURCE) {
            return Err(HostError::Invalid("this switch runs `count` only".into()));
        }
        let plane = plane()?;
        Ok(Prepared { pipeline: plane.pipeline().clone(), program: Box::new(plane) })
    }

    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        let plane = prepared.program.downcast::<NativePlane>();
        self.0 = *plane.map_err(|_| HostError::Failed("no plane".into()))?;
        hold(&mut self.0, entries).map_err(|(table, e)| HostError::Failed(format!("{table}: {e}")))
    }
}

/// A running switch: device 1 at [`address`](Self::address).
pub struct Switch {
    /// `127.0.0.1` and a free port.
    pub address: String,
    /// The P4Info of `count`.
    pub info: P4Info,
    /// A device config that the switch takes for `count`.
    pub config: Vec<u8>,
    device: Arc<Mutex<Device<Native>>>,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Switch {
    /// Starts one.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let plane = plane()?;
        let sizes = codegen::p4::Sizes::of(&hw_targets::target("native")?);
        let info = codegen::p4::info(plane.pipeline(), &sizes).to_bytes();
        let info = P4Info::decode(info.as_slice())?;
        let file = File { path: SOURCE.into(), content: TEXT.as_bytes().into() };
        let config = Bundle { files: vec![file] }.encode_to_vec();
        let first = ForwardingPipelineConfig {
            p4info: Some(info.clone()),
            p4_device_config: Bundle::default().encode_to_vec().into(),
            cookie: None,
        };
        let device = Device::new(Native(plane), first).map_err(|(_, why)| why)?;
        let device = Arc::new(Mutex::new(device));
        let mut switch = Self { address: loopback::any_port(), info, config, device, serving: None };
        switch.serve().await?;
        Ok(switch)
    }

    async fn serve(&mut self) -> Outcome {
        let address: Address = self.address.parse()?;
        let server = Server::bind(&address, Arc::clone(&self.device), &Options::default()).await?;
        if let Some(at) = server.local_addr() {
            self.address = at.to_string();
        }
        let (end, ended) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let served = server.serve(async {
                // An example may drop the switch that it has the address of.
                if ended.await.is_err() {
                    std::future::pending::<()>().await;
                }
            });
            if let Err(error) = served.await {
                eprintln!("{error}");
            }
        });
        self.serving = Some((end, task));
        Ok(())
    }

    /// Ends the server, and starts it again at the same address; what was written stays.
    ///
    /// # Errors
    /// The port is taken meanwhile.
    pub async fn restart(&mut self) -> Outcome {
        if let Some((end, task)) = self.serving.take() {
            let _gone = end.send(());
            task.await?;
        }
        self.serve().await
    }

    /// A TCP packet of an IPv4 host comes in at port 1.
    pub async fn receives(&self, src: [u8; 4]) {
        let mut frame = vec![0; 60];
        frame[12..14].copy_from_slice(&[0x08, 0x00]);
        frame[14..34].copy_from_slice(&[0x45, 0, 0, 46, 0, 0, 0, 0, 64, 6, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]);
        frame[26..30].copy_from_slice(&src);
        let mut packet = Packet::new();
        packet.fill(&frame);
        self.device.lock().await.host.0.run(1, 0, &mut packet);
    }
}

/// Runs an example with a switch of its own.
///
/// # Errors
/// What the example meets.
pub fn run<F: Future<Output = Outcome>>(example: impl FnOnce(Switch) -> F) -> Outcome {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    rt.block_on(async { example(Switch::start().await?).await })
}

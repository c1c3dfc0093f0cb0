//! Servers to talk to: our own over the native `l4lb` in this process, and BMv2 where it is on PATH.

use guideway::builtin;
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::ForwardingPipelineConfig;
use p4runtime_server::{Device, Host, HostError, Options, Prepared, Server, hold};
use pipeline_ir::entry::CheckedEntry;
use prost::Message as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sw_fallback::native::NativePlane;
use sw_fallback::plane::{DataPlane as _, ReadBack};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// Runs the built-in `l4lb` on no ports.
struct Native(NativePlane);

fn l4lb() -> NativePlane {
    let pipeline = pipeline_syntax::compile_source("l4lb.rs", builtin::L4LB, &[]).unwrap();
    NativePlane::new(&pipeline_ir::verify::verify(pipeline).unwrap(), builtin::l4lb::Pipeline::new())
}

impl Host for Native {
    fn plane(&mut self) -> &mut dyn ReadBack {
        &mut self.0
    }
    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        if !bundle.files.iter().any(|f| f.path == "source/l4lb.rs") {
            return Err(HostError::Invalid("this test runs l4lb only".into()));
        }
        let plane = l4lb();
        Ok(Prepared { pipeline: plane.pipeline().clone(), program: Box::new(plane) })
    }
    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        let plane = prepared.program.downcast::<NativePlane>();
        let mut plane = *plane.map_err(|_| HostError::Failed("no plane".into()))?;
        hold(&mut plane, entries).map_err(|(table, e)| HostError::Failed(format!("{table}: {e}")))?;
        self.0 = plane;
        Ok(())
    }
}

/// Our own server; it ends with the runtime.
pub(crate) fn native() -> (String, Runtime) {
    native_with(&Options::default())
}

pub(crate) fn native_with(options: &Options) -> (String, Runtime) {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let plane = l4lb();
    let sizes = codegen::p4::Sizes::of(&hw_targets::target("native").unwrap());
    let info = codegen::p4::info(plane.pipeline(), &sizes).to_bytes();
    let config = ForwardingPipelineConfig {
        p4info: Some(P4Info::decode(info.as_slice()).unwrap()),
        p4_device_config: Bundle::default().encode_to_vec().into(),
        cookie: None,
    };
    let device = Device::new(Native(plane), config).map_err(|(_, why)| why).unwrap();
    let device = Arc::new(Mutex::new(device));
    let address = "127.0.0.1:0".parse().unwrap();
    let server = rt.block_on(Server::bind(&address, device, options)).unwrap();
    let address = server.local_addr().unwrap().to_string();
    rt.spawn(server.serve(std::future::pending()));
    (address, rt)
}

/// BMv2, which listens; none where it is not on PATH.
pub(crate) fn bmv2() -> Option<(String, snapshots::bmv2::Switch)> {
    if needed::skip("BMv2", "bmv2", needed::missing(&[snapshots::bmv2::P4C, snapshots::bmv2::SWITCH])) {
        return None;
    }
    let switch = snapshots::bmv2::Switch::start().unwrap();
    let address = format!("127.0.0.1:{}", switch.p4runtime);
    let end = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < end, "simple_switch_grpc doesn't listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((address, switch))
}

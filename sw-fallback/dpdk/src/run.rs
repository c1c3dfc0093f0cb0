//! A pipeline at work on devices: one thread for all ports, until it is told to stop.

use crate::plane::DpdkPlane;
use crate::shared::{Cell, SharedPlane};
use crate::worker::{Out, Verdicts, Worker};
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use sw_fallback::devices::hush::Hush;
use sw_fallback::devices::out::{self, SendError};
use sw_fallback::devices::{Counts, Device, DeviceError};
use sw_fallback::native::{Event, HostPort, Port, PortCounts};
use sw_fallback::plane::DataPlane as _;
use sw_fallback::punt::Punt;

/// A pipeline at work. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    plane: SharedPlane,
    thread: Option<JoinHandle<()>>,
    events: Receiver<Event>,
    stop: Arc<AtomicBool>,
    verdicts: Arc<Verdicts>,
    devices: Vec<(Option<u32>, String, Arc<Counts>)>,
    outs: Arc<Vec<Out>>,
    punt: Arc<OnceLock<Arc<Punt>>>,
    /// The host's stack stays silent about tunnels as long as this runs.
    _hush: Option<Hush>,
}

impl Running {
    /// Starts the thread. `plane` has its entries already, so that the first packet finds them; `tick_ns`: nanoseconds of a
    /// tick of its clock.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(
        plane: DpdkPlane,
        tick_ns: u64,
        ports: Vec<Port>,
        host: Option<HostPort>,
    ) -> io::Result<Self> {
        let (sender, events) = channel();
        let device = |number, d: &Device| (number, d.name.clone(), Arc::clone(&d.counts));
        let mut devices: Vec<_> = ports.iter().map(|p| device(Some(p.number), &p.device)).collect();
        devices.extend(host.iter().map(|h| device(None, &h.device)));
        let (mut outs, mut ins) = (Vec::new(), Vec::new());
        for Port { number, device: d } in ports {
            ins.push(crate::worker::In::new(number, d.mac, d.host_hears, d.receive));
            outs.push(Out {
                number: Some(number),
                mac: None,
                transmit: Mutex::new(d.transmit),
                counts: d.counts,
                mtu: d.mtu,
            });
        }
        let mut quiet = None;
        if let Some(HostPort { device: d, mac, hush }) = host {
            quiet = hush;
            let transmit = Mutex::new(d.transmit);
            outs.push(Out { number: None, mac, transmit, counts: d.counts, mtu: d.mtu });
        }
        let outs = Arc::new(outs);
        let pipeline = plane.pipeline().clone();
        let cell = Arc::new(Cell::new(plane));
        let (stop, verdicts): (Arc<AtomicBool>, Arc<Verdicts>) = (Arc::default(), Arc::default());
        let punt: Arc<OnceLock<Arc<Punt>>> = Arc::default();
        let worker = Worker {
            cell: Arc::clone(&cell),
            ins,
            outs: Arc::clone(&outs),
            verdicts: Arc::clone(&verdicts),
            stop: Arc::clone(&stop),
            events: sender.clone(),
            tick_ns: tick_ns.max(1),
            punt: Arc::clone(&punt),
        };
        let thread = std::thread::Builder::new().name("dpdk".to_owned()).spawn(move || {
            // Without this a bug would look like the end of the input.
            if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                let _gone = sender.send(Event { number: 0, error: Some(DeviceError::Panicked) });
            }
        })?;
        let plane = SharedPlane { cell, pipeline };
        Ok(Self { plane, thread: Some(thread), events, stop, verdicts, devices, outs, punt, _hush: quiet })
    }

    /// The data plane, to be written and read while it works.
    pub fn plane(&mut self) -> &mut SharedPlane {
        &mut self.plane
    }

    /// Runs another pipeline on the same ports, from the next packet on. Flows are those of the new one, counts start at 0.
    pub fn replace(&mut self, plane: DpdkPlane) {
        self.plane.pipeline = plane.pipeline().clone();
        let old = self.plane.cell.with(|it| std::mem::replace(it, plane));
        drop(old);
    }

    /// Sends a frame out of a port, whatever the pipeline says.
    ///
    /// # Errors
    /// [`SendError`]: it was not sent.
    pub fn send(&self, port: u32, frame: &[u8]) -> Result<(), SendError> {
        let out = self.outs.iter().find(|o| o.number == Some(port)).ok_or(SendError::NoPort(port))?;
        let mut transmit = out.transmit.lock().unwrap_or_else(PoisonError::into_inner);
        out::send(port, &mut **transmit, &out.counts, out.mtu, frame)
    }

    /// From now on, packets that are passed to the host are offered there too, once and for all.
    pub fn punt_to(&self, punt: Arc<Punt>) {
        let _kept = self.punt.set(punt);
    }

    /// What has happened since this was last asked.
    pub fn events(&mut self) -> Vec<Event> {
        self.events.try_iter().collect()
    }

    /// True when no port is left to receive from.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Every port's counts, the host port's last.
    #[must_use]
    pub fn ports(&self) -> Vec<PortCounts> {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let one = |(number, device, counts): &(Option<u32>, String, Arc<Counts>)| PortCounts {
            number: *number,
            device: device.clone(),
            received: (read(&counts.received_packets), read(&counts.received_bytes)),
            sent: (read(&counts.sent_packets), read(&counts.sent_bytes)),
            lost: counts.losses(),
        };
        self.devices.iter().map(one).collect()
    }

    /// What became of packets outside the pipeline: `left_to_host`, `to_host_port`, `no_host_port`, `no_port`.
    #[must_use]
    pub fn verdicts(&self) -> BTreeMap<&'static str, u64> {
        self.verdicts.read()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has said so on its own.
            let _panicked = thread.join();
        }
    }
}

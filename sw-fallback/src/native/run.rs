//! A pipeline at work on devices: a thread a port, until it is told to stop.

use super::worker::{Out, Worker};
use super::{NativePlane, SharedPlane};
use crate::devices::hush::Hush;
use crate::devices::out::{self, SendError};
use crate::devices::{Counts, Device, DeviceError};
use crate::punt::Punt;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

/// A port of the pipeline: its number and where its packets come and go.
#[derive(Debug)]
pub struct Port {
    /// The control plane's number.
    pub number: u32,
    /// Its device.
    pub device: Device,
}

/// Where packets enter the host that `pass` has changed, or that came where the host doesn't hear.
#[derive(Debug)]
pub struct HostPort {
    /// What is sent there, the host receives.
    pub device: Device,
    /// The host's Ethernet address at the far end: a frame for the port's own address gets this one instead.
    pub mac: Option<[u8; 6]>,
    /// Keeps the host from complaining of what is taken off; none: it complains.
    pub hush: Option<Hush>,
}

/// What has happened to a port.
#[derive(Debug)]
pub struct Event {
    /// The port's number.
    pub number: u32,
    /// What went wrong; none: its input has ended.
    pub error: Option<DeviceError>,
}

impl Event {
    /// True when the port is lost.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.error.as_ref().is_none_or(|e| !e.passes())
    }
}

/// What the switch itself counts, beside pipeline and devices.
#[derive(Debug, Default)]
pub(super) struct SwitchCounts {
    /// Left to the copy that the host's stack has.
    pub(super) left_to_host: AtomicU64,
    /// Sent to the host port.
    pub(super) to_host_port: AtomicU64,
    /// `pass`, but no host port to send it to.
    pub(super) no_host_port: AtomicU64,
    /// `forward` to a number that is no port.
    pub(super) no_port: AtomicU64,
}

/// A port's counts as they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortCounts {
    /// The port's number; none for the host port.
    pub number: Option<u32>,
    /// Its device.
    pub device: String,
    /// Packets and bytes received.
    pub received: (u64, u64),
    /// Packets and bytes sent.
    pub sent: (u64, u64),
    /// Packets lost on the way in or out, by why.
    pub lost: BTreeMap<&'static str, u64>,
}

/// A pipeline at work. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    plane: SharedPlane,
    threads: Vec<JoinHandle<()>>,
    events: Receiver<Event>,
    stop: Arc<AtomicBool>,
    counts: Arc<SwitchCounts>,
    devices: Vec<(Option<u32>, String, Arc<Counts>)>,
    outs: Arc<Vec<Out>>,
    punt: Arc<OnceLock<Arc<Punt>>>,
    _hush: Option<Hush>,
}

impl Running {
    /// Starts a thread for each port. `plane` has its entries already, so that the first packet finds them.
    ///
    /// # Errors
    /// No thread can be started; those that were are stopped.
    pub fn start(plane: NativePlane, ports: Vec<Port>, mut host: Option<HostPort>) -> io::Result<Self> {
        plane.use_huge_pages();
        let plane = SharedPlane::new(plane, ports.len().max(1));
        let (sender, events) = channel();
        let device = |number, d: &Device| (number, d.name.clone(), Arc::clone(&d.counts));
        let mut devices: Vec<_> = ports.iter().map(|p| device(Some(p.number), &p.device)).collect();
        devices.extend(host.iter().map(|h| device(None, &h.device)));
        let mut running = Self {
            plane,
            threads: Vec::new(),
            events,
            stop: Arc::default(),
            counts: Arc::default(),
            devices,
            outs: Arc::default(),
            punt: Arc::default(),
            _hush: host.as_mut().and_then(|h| h.hush.take()),
        };
        let (mut outs, mut halves) = (Vec::new(), Vec::new());
        for Port { number, device } in ports {
            let (counts, mtu) = (device.counts, device.mtu);
            let transmit = Mutex::new(device.transmit);
            outs.push(Out { number: Some(number), mac: None, transmit, counts, mtu });
            halves.push((number, device.mac, device.host_hears, device.receive));
        }
        let with_host = host.is_some();
        if let Some(HostPort { device, mac, .. }) = host {
            let (counts, mtu) = (device.counts, device.mtu);
            outs.push(Out { number: None, mac, transmit: Mutex::new(device.transmit), counts, mtu });
        }
        let outs = Arc::new(outs);
        running.outs = Arc::clone(&outs);
        let (since, tick_ns) = (running.plane.since(), running.plane.tick_ns().max(1));
        for (cell, (number, mac, host_hears, receive)) in running.plane.cells().iter().zip(halves) {
            let worker = Worker {
                number,
                mac,
                host_hears,
                with_host,
                receive,
                cell: Arc::clone(cell),
                outs: Arc::clone(&outs),
                counts: Arc::clone(&running.counts),
                stop: Arc::clone(&running.stop),
                events: sender.clone(),
                since,
                tick_ns,
                punt: Arc::clone(&running.punt),
            };
            let named = std::thread::Builder::new().name(format!("port-{number}"));
            let told = sender.clone();
            running.threads.push(named.spawn(move || {
                // Without this a bug would look like the end of the input.
                if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                    let _gone = told.send(Event { number, error: Some(DeviceError::Panicked) });
                }
            })?);
        }
        Ok(running)
    }

    /// The data plane, to be written and read while it works.
    pub fn plane(&mut self) -> &mut SharedPlane {
        &mut self.plane
    }

    /// Runs another pipeline on the same ports; see [`SharedPlane::replace`].
    pub fn replace(&mut self, plane: &NativePlane) {
        plane.use_huge_pages();
        self.plane.replace(plane);
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
        self.threads.iter().all(JoinHandle::is_finished)
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
        let c = &self.counts;
        let all = [
            ("left_to_host", &c.left_to_host),
            ("to_host_port", &c.to_host_port),
            ("no_host_port", &c.no_host_port),
            ("no_port", &c.no_port),
        ];
        all.into_iter().map(|(name, n)| (name, n.load(Ordering::Relaxed))).collect()
    }

    /// Stops: every thread ends after the batch at hand.
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that has panicked has said so on its own.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.halt();
    }
}

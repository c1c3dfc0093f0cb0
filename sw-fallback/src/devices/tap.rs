//! A tap: an interface of the host whose other end is this process.

use super::{BATCH, Counts, Device, DeviceError, Receive, Transmit, sys};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

/// Longest frame, in bytes.
const FRAME: usize = 1 << 16;

/// Makes the tap `name` and brings it up, or takes over one that `ip tuntap` made. `mtu`: of the interface that is
/// made. One that is made here goes with the device.
///
/// # Errors
/// [`DeviceError`]: each says what helps.
pub fn open(name: &str, mtu: Option<u32>) -> Result<Device, DeviceError> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun");
    let file = file.map_err(no_tun)?;
    sys::tap(&file, name).map_err(|error| match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => DeviceError::admin(name, "tap", error),
        Some(libc::EBUSY) => DeviceError::TapBusy { interface: name.to_owned() },
        _ => DeviceError::NoTap { interface: name.to_owned(), error },
    })?;
    if let Some(mtu) = mtu {
        sys::set_mtu(name, mtu).map_err(|e| DeviceError::admin(name, "the MTU of tap", e))?;
    }
    sys::set_up(name).map_err(|e| DeviceError::admin(name, "bringing up tap", e))?;
    let mac = sys::mac(name).map_err(DeviceError::system(name, "the address"))?;
    let mtu = sys::mtu(name).map_err(DeviceError::system(name, "the MTU"))?;
    let counts = Arc::new(Counts::default());
    let other = file.try_clone().map_err(DeviceError::system(name, "the descriptor"))?;
    Ok(Device {
        name: name.to_owned(),
        mac,
        mtu: Some(mtu),
        host_hears: false,
        counts: Arc::clone(&counts),
        receive: Box::new(Receiver {
            name: name.to_owned(),
            file,
            frame: vec![0; FRAME],
            counts: Arc::clone(&counts),
        }),
        transmit: Box::new(Sender { file: other, counts }),
    })
}

fn no_tun(error: io::Error) -> DeviceError {
    let help = match error.kind() {
        ErrorKind::NotFound => "load it: `modprobe tun`; in a container, give it the device /dev/net/tun",
        ErrorKind::PermissionDenied => "run it as root, or let this user open it: `chmod 0666 /dev/net/tun`",
        _ => "is the module `tun` loaded?",
    };
    DeviceError::NoTun { error, help }
}

#[derive(Debug)]
struct Receiver {
    name: String,
    file: File,
    frame: Vec<u8>,
    counts: Arc<Counts>,
}

impl Receive for Receiver {
    fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<usize, DeviceError> {
        for seen in 0..BATCH {
            match (&self.file).read(&mut self.frame) {
                Ok(n) => {
                    self.counts.received(n);
                    take(&self.frame[..n]);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(seen),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // The other end was deleted.
                Err(e) if e.raw_os_error() == Some(libc::EBADFD) => {
                    return Err(DeviceError::Gone { interface: self.name.clone() });
                }
                Err(e) => return Err(DeviceError::system(&self.name, "reading")(e)),
            }
        }
        Ok(BATCH)
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

#[derive(Debug)]
struct Sender {
    file: File,
    counts: Arc<Counts>,
}

impl Transmit for Sender {
    fn send(&mut self, frames: &[&[u8]]) -> Result<(), DeviceError> {
        for frame in frames {
            match self.file.write_all(frame) {
                Ok(()) => self.counts.sent(&[frame]),
                Err(_) => Counts::add(&self.counts.not_sent, 1),
            }
        }
        Ok(())
    }
}

/// Is this interface a tap?
#[must_use]
pub fn is_tap(name: &str) -> bool {
    sys::driver(name).is_ok_and(|driver| driver == "tun")
}

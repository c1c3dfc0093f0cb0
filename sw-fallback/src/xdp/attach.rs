//! Interfaces: whose program runs there, putting ours there, taking it off.

use super::error::XdpError;
use super::holder::{Running, way_out};
use super::pins::{self, Pins};
use super::sys;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A port of the pipeline: its number and its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The control plane's number.
    pub number: u32,
    /// The interface's name.
    pub interface: String,
}

/// How a program runs on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver.
    Native,
    /// In the kernel's stack, after a copy: slow.
    Generic,
}

/// A port with its interface as the kernel knows it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) port: Port,
    pub(super) index: u32,
}

/// Our program on an interface.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) interface: String,
    fd: OwnedFd,
    /// New with this process, not adopted.
    new: bool,
}

const DRIVER: u32 = 1 << 2;
const GENERIC: u32 = 1 << 1;

/// Looks the interfaces up.
pub(super) fn places(ports: &[Port], limit: u32) -> Result<Vec<Place>, XdpError> {
    let mut places: Vec<Place> = Vec::new();
    for port in ports {
        if port.number >= limit || places.len() == 16 {
            return Err(XdpError::PortRange { port: port.number, limit });
        }
        let same = |p: &Place| p.port.number == port.number || p.port.interface == port.interface;
        if places.iter().any(same) {
            let port = format!("{}@{}", port.number, port.interface);
            return Err(XdpError::PortTwice { port });
        }
        let index = sys::interface_index(&port.interface)
            .map_err(|_| XdpError::Interface { interface: port.interface.clone() })?;
        places.push(Place { port: port.clone(), index });
    }
    Ok(places)
}

/// The pinned link of an interface, if it still holds that interface.
fn pinned_link(pins: Option<&Pins>, place: &Place) -> Option<(OwnedFd, u32)> {
    let link = sys::pinned(&pins?.path(&pins::link_name(&place.port.interface))).ok()?;
    let info = sys::link_info(link.as_fd()).ok()?;
    (info.interface == place.index).then_some((link, info.program))
}

/// Refuses interfaces that run a program which is not ours.
pub(super) fn check_free(places: &[Place], pins: Option<&Pins>) -> Result<(), XdpError> {
    for place in places {
        let interface = &place.port.interface;
        let running =
            programs(place.index).map_err(|_| XdpError::Interface { interface: interface.clone() })?;
        let ours = pinned_link(pins, place).map(|l| l.1);
        if let Some(&it) = running.iter().find(|r| Some(r.program) != ours) {
            let id = it.program;
            let name = sys::program(id).and_then(|p| sys::program_name(p.as_fd())).map(|n| n.1);
            let name = match name {
                Ok(name) if !name.is_empty() => format!("`{name}`"),
                _ => "one without a name".into(),
            };
            let help = way_out(interface, place.index, it);
            return Err(XdpError::Occupied { interface: interface.clone(), name, id, help });
        }
    }
    Ok(())
}

/// Puts the program on every interface, or on none. Returns notes for the user.
pub(super) fn attach(
    program: BorrowedFd<'_>,
    places: &[Place],
    pins: Option<&Pins>,
) -> Result<(Vec<Link>, Vec<String>), XdpError> {
    check_free(places, pins)?;
    let old = pins.and_then(Pins::program);
    let mut links = Vec::new();
    let mut notes = Vec::new();
    for place in places {
        let interface = place.port.interface.clone();
        let one = match pinned_link(pins, place) {
            Some((fd, _)) => sys::link_update(fd.as_fd(), program).map(|()| (fd, false)),
            None => create(program, place, &mut notes).map(|fd| (fd, true)),
        };
        match one {
            Ok((fd, new)) => {
                tracing::debug!(interface, port = place.port.number, adopted = !new, "attached");
                links.push(Link { interface, fd, new });
            }
            Err(error) => {
                undo(&links, old.as_ref());
                return Err(refusal(interface, error));
            }
        }
    }
    if let Some(pins) = pins {
        for (i, link) in links.iter().enumerate().filter(|(_, l)| l.new) {
            if let Err(error) = pins.put(&pins::link_name(&link.interface), link.fd.as_fd()) {
                unpin(pins, &links[..i]);
                undo(&links, old.as_ref());
                return Err(error);
            }
        }
    }
    Ok((links, notes))
}

/// The driver's own XDP if it can, else the generic one.
fn create(program: BorrowedFd<'_>, place: &Place, notes: &mut Vec<String>) -> io::Result<OwnedFd> {
    let error = match sys::link_create(program, place.index, DRIVER) {
        Ok(fd) => return Ok(fd),
        Err(e)
            if matches!(e.raw_os_error(), Some(libc::EBUSY | libc::EEXIST | libc::EPERM | libc::ENODEV)) =>
        {
            return Err(e);
        }
        Err(e) => e,
    };
    let fd = sys::link_create(program, place.index, GENERIC)?;
    notes.push(format!(
        "{}: its driver can't run XDP ({error}); the program runs in generic mode, which is slow",
        place.port.interface
    ));
    Ok(fd)
}

fn refusal(interface: String, error: io::Error) -> XdpError {
    let help = match error.raw_os_error() {
        Some(libc::ENODEV) => return XdpError::Interface { interface },
        Some(libc::EBUSY | libc::EEXIST) => "it has got another XDP program meanwhile; see `ip link show`",
        Some(libc::EINVAL | libc::EOPNOTSUPP) => "XDP links need Linux 5.9; or use `--target native`",
        _ => "see the kernel's log (`dmesg`); or use `--target native`",
    };
    XdpError::Attach { interface, error, help }
}

/// Gives adopted links their program back. New ones end when they are closed.
fn undo(links: &[Link], old: Option<&OwnedFd>) {
    for link in links.iter().filter(|l| !l.new) {
        if let Some(old) = old {
            // The link is ours and the program ran there before: nothing else can be done if this fails.
            let _lost = sys::link_update(link.fd.as_fd(), old.as_fd());
        }
    }
}

fn unpin(pins: &Pins, links: &[Link]) {
    for link in links.iter().filter(|l| l.new) {
        let _left = std::fs::remove_file(pins.path(&pins::link_name(&link.interface)));
    }
}

/// Takes back what [`attach`] has just done.
pub(super) fn revert(links: &[Link], pins: Option<&Pins>, old: Option<&OwnedFd>) {
    if let Some(pins) = pins {
        unpin(pins, links);
    }
    undo(links, old);
}

impl Link {
    /// Has the interface gone?
    pub(super) fn is_gone(&self) -> bool {
        sys::link_info(self.fd.as_fd()).is_ok_and(|info| info.interface == 0)
    }
}

/// The XDP programs that run on an interface.
pub(super) fn programs(interface: u32) -> io::Result<Vec<Running>> {
    const XDP: u16 = 43;
    /// The program of the only mode; those of each mode, which the kernel writes first.
    const MODES: [(u16, &str); 4] = [(4, "xdp"), (5, "xdp"), (6, "xdpgeneric"), (7, "xdpoffload")];
    let mut found: Vec<Running> = Vec::new();
    for (kind, value) in attributes(&sys::link_attributes(interface)?) {
        if kind != XDP {
            continue;
        }
        for (kind, value) in attributes(value) {
            if let Some((_, mode)) = MODES.iter().find(|m| m.0 == kind)
                && let Ok(bytes) = value.try_into()
            {
                let program = u32::from_ne_bytes(bytes);
                // What stands under its mode stands under the only mode again.
                if found.iter().all(|r| r.program != program) {
                    found.push(Running { program, mode });
                }
            }
        }
    }
    found.sort_unstable();
    found.retain(|r| r.program != 0);
    Ok(found)
}

/// Netlink attributes: kind and value.
fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let [a, b, c, d, ..] = *bytes {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let kind = u16::from_ne_bytes([c, d]) & 0x3fff;
        let Some(value) = bytes.get(4..length) else { break };
        found.push((kind, value));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_end_where_the_bytes_do() {
        let bytes = [&[6, 0, 2, 0, 9, 8, 0, 0][..], &[8, 0, 43, 0x80, 1, 2, 3, 4], &[99, 0, 1, 0]].concat();
        assert_eq!(attributes(&bytes), [(2, &[9u8, 8][..]), (43, &[1, 2, 3, 4])]);
        assert!(attributes(&[3, 0, 1, 0]).is_empty());
    }
}

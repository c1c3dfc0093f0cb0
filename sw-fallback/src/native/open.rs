//! Devices from what a user writes: `eth0`, `tap:NAME`, `pcap:IN[:OUT]`.

use super::{HostPort, Port};
use crate::devices::hush::Hush;
use crate::devices::{DeviceError, packet, pcap, ring, tap};
use std::path::Path;

/// Opens a port's device: the name of an interface, `tap:NAME`, or `pcap:IN` or `pcap:IN:OUT`. Notes for the user come
/// along.
///
/// # Errors
/// [`DeviceError`]: each says what helps.
pub fn open_port(
    number: u32,
    device: &str,
    options: &packet::Options,
) -> Result<(Port, Vec<String>), DeviceError> {
    let (device, notes) = match device.split_once(':') {
        Some(("tap", name)) => (tap::open(name, None)?, Vec::new()),
        Some(("ring", path)) => (ring::open(Path::new(path))?, Vec::new()),
        Some(("pcap", files)) => {
            let (input, output) = match files.split_once(':') {
                Some((input, output)) => (input, Some(Path::new(output))),
                None => (files, None),
            };
            (pcap::open(Path::new(input), output)?, Vec::new())
        }
        _ => {
            let (device, mut notes) = packet::open(device, options)?;
            notes.extend(forwarding(&device.name));
            (device, notes)
        }
    };
    Ok((Port { number, device }, notes))
}

/// Opens the way into the host: an interface that is there (what leaves by it must reach the host: one end of a veth),
/// else a tap of that name, made for as long as the switch runs. `mtu`: the longest IP packet of the ports. The host doesn't
/// complain of tunnels meanwhile, whose outer packets it hears.
///
/// # Errors
/// [`DeviceError`]: each says what helps.
pub fn open_host_port(name: &str, mtu: Option<u32>) -> Result<(HostPort, Vec<String>), DeviceError> {
    let setting = |what: &str| format!("/proc/sys/net/{what}");
    let is_other = Path::new(&setting(&format!("ipv4/conf/{name}"))).exists() && !tap::is_tap(name);
    let (hush, note) = match Hush::new() {
        Ok(hush) => (Some(hush), None),
        Err(error) => (
            None,
            Some(format!("this host will call tunnels to it unreachable, though packets arrive: {error}")),
        ),
    };
    if is_other {
        let (device, mut notes) = packet::open(name, &packet::Options::default())?;
        notes.extend(note);
        return Ok((HostPort { device, mac: None, hush }, notes));
    }
    let device = tap::open(name, mtu)?;
    let mut notes = Vec::from_iter(note);
    // Inner packets come from clients, whose way back is another interface.
    let own = setting(&format!("ipv4/conf/{name}/rp_filter"));
    let _refused = std::fs::write(own, "0");
    let all = std::fs::read_to_string(setting("ipv4/conf/all/rp_filter")).unwrap_or_default();
    if all.trim() == "1" {
        notes.push(format!(
            "net.ipv4.conf.all.rp_filter is 1: the host may drop what comes by {name}; \
             `sysctl -w net.ipv4.conf.all.rp_filter=0`"
        ));
    }
    let mac = device.mac;
    Ok((HostPort { device, mac, hush }, notes))
}

/// A note where the host's stack would forward the frames that it hears too.
fn forwarding(interface: &str) -> Option<String> {
    let on = |family: &str, of: &str| {
        let path = format!("/proc/sys/net/{family}/conf/{of}/forwarding");
        std::fs::read_to_string(path).is_ok_and(|text| text.trim() == "1")
    };
    let names: Vec<&str> = [("ipv4", interface, "IPv4"), ("ipv6", "all", "IPv6")]
        .into_iter()
        .filter(|(family, of, _)| on(family, of))
        .map(|(.., name)| name)
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{interface}: this host forwards {}: its stack hears every frame too and may forward it a second time; \
             turn forwarding off, or see docs/native.md",
            names.join(" and ")
        )
    })
}

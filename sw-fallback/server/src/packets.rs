//! Packets in and out (specification §16.1).

use crate::device::Device;
use crate::host::Host;
use crate::session::Sessions;
use crate::status::Failure;
use p4runtime_proto::p4::config::v1::controller_packet_metadata::Metadata;
use p4runtime_proto::p4::v1::stream_message_response::Update;
use p4runtime_proto::p4::v1::{PacketIn, PacketMetadata, PacketOut};
use p4runtime_proto::schema::{decode, encode};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Weak};
use std::time::Duration;
use sw_fallback::punt::{Inbox, Punted};
use tokio::sync::Mutex;
use tonic::Code;

/// The header of packets to send, and its field that names the port.
const PACKET_OUT: &str = "packet_out";
const EGRESS_PORT: &str = "egress_port";
/// The header of packets that came, and its field.
const PACKET_IN: &str = "packet_in";
const INGRESS_PORT: &str = "ingress_port";

/// The fields of a header of the P4Info in force.
fn fields<'a, H: Host>(device: &'a Device<H>, header: &str) -> &'a [Metadata] {
    let all = device.config.p4info.as_ref().map_or(&[][..], |i| &i.controller_packet_metadata);
    let found = all.iter().find(|h| h.preamble.as_ref().is_some_and(|p| p.name == header));
    found.map_or(&[], |h| &h.metadata)
}

/// Sends a packet to the port that its metadata name.
pub(crate) fn send<H: Host>(device: &mut Device<H>, packet: &PacketOut) -> Result<(), Failure> {
    let fields = fields(device, PACKET_OUT);
    if fields.is_empty() {
        let text = format!(
            "the P4Info has no header `{PACKET_OUT}` with a field `{EGRESS_PORT}`: no port can be named"
        );
        return Err(Failure::new(Code::Unimplemented, text));
    }
    let mut port = None;
    for field in fields {
        let name = &field.name;
        let mut given = packet.metadata.iter().filter(|m| m.metadata_id == field.id);
        let (Some(one), None) = (given.next(), given.next()) else {
            return Err(Failure::invalid(format!("the packet has `{name}` not at all, or several times")));
        };
        let bits = u32::try_from(field.bitwidth).unwrap_or(0);
        let value = decode(&one.value, bits).map_err(|e| Failure::invalid(format!("`{name}`: {e}")))?;
        if name == EGRESS_PORT {
            port = u32::try_from(value).ok();
        }
    }
    if let Some(other) = packet.metadata.iter().find(|m| fields.iter().all(|f| f.id != m.metadata_id)) {
        let text = format!("the P4Info's `{PACKET_OUT}` has no field {}", other.metadata_id);
        return Err(Failure::invalid(text));
    }
    let port = port.ok_or_else(|| Failure::invalid(format!("the packet lacks `{EGRESS_PORT}`")))?;
    Ok(device.host.packet_out(port, &packet.payload)?)
}

/// A packet as clients are told of it; none where the P4Info has no header for it.
fn packet_in<H: Host>(device: &Device<H>, punted: Punted) -> Option<PacketIn> {
    let fields = fields(device, PACKET_IN);
    let field = |f: &Metadata| {
        let value = if f.name == INGRESS_PORT { punted.port } else { 0 };
        PacketMetadata { metadata_id: f.id, value: encode(value.into()) }
    };
    let metadata: Vec<_> = fields.iter().map(field).collect();
    (!metadata.is_empty()).then(|| PacketIn { payload: punted.frame.into(), metadata })
}

/// How soon it is seen that there is no server any more.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells the primaries of packets, on a thread of its own, as long as there are packets, device and server.
pub(crate) fn deliver<H: Host>(inbox: &Inbox, device: &Weak<Mutex<Device<H>>>, sessions: &Weak<Sessions>) {
    loop {
        let punted = match inbox.packets.recv_timeout(PAUSE) {
            Ok(punted) => Some(punted),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let (Some(device), Some(sessions)) = (device.upgrade(), sessions.upgrade()) else { return };
        let packet = punted.and_then(|punted| packet_in(&*device.blocking_lock(), punted));
        if let Some(packet) = packet {
            inbox.counts.unread(sessions.tell_primaries(&Update::Packet(packet)));
        }
    }
}

/// Starts [`deliver`], if the host has packets for the controller.
pub(crate) async fn start<H: Host>(
    device: &Arc<Mutex<Device<H>>>,
    sessions: &Arc<Sessions>,
) -> std::io::Result<()> {
    let Some(inbox) = device.lock().await.host.inbox() else { return Ok(()) };
    let (device, sessions) = (Arc::downgrade(device), Arc::downgrade(sessions));
    let named = std::thread::Builder::new().name("packet-in".into());
    named.spawn(move || deliver(&inbox, &device, &sessions)).map(drop)
}

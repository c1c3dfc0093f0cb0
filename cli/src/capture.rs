//! `guideway capture`.

use crate::remote::{RemoteArgs, block_on};
use crate::{Done, Refused};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::PacketIn;
use p4runtime_proto::schema::decode;
use runtime_client::{Event, Standing};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_stream::StreamExt as _;

/// Shows the packets that a switch gives to its controller, or writes them to a file.
///
/// Our switch gives those that its pipeline passes to the host, if it was started with `--packet-in RATE`. Only a primary
/// hears of them: `--role` with any name makes this one the primary of a role of its own, beside the controller.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway capture --role capture --count 10\n  guideway capture --role capture --out passed.pcap"
)]
pub(crate) struct Args {
    /// Writes a capture (pcap) in place of lines.
    #[arg(long, value_name = "FILE.pcap")]
    out: Option<PathBuf>,
    /// Ends after so many.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(crate) fn run(args: &Args) -> Done {
    let mut out = args.out.as_ref().map(Capture::new).transpose()?;
    block_on(async {
        let session = args.remote.writer().await?;
        let mut events = session.events();
        let info = session.info().await?;
        if ingress_port(&info).is_none() {
            return Err(Refused(
                "error: this switch gives no packets to a controller: its P4Info has no header `packet_in`"
                    .into(),
            ));
        }
        let (mut heard, mut missed) = (0u64, 0u64);
        while args.count.is_none_or(|count| heard < count) {
            match events.next().await {
                Some(Event::PacketIn(packet)) => {
                    heard += 1;
                    match &mut out {
                        Some(out) => out.write(&packet.payload)?,
                        None => show(&info, &packet),
                    }
                }
                Some(Event::Missed(n)) => missed += n,
                Some(Event::Standing(Standing::Backup { primary })) => {
                    let primary = primary.map_or("none".to_owned(), |p| p.to_string());
                    return Err(Refused(format!("error: another client is the primary now: {primary}")));
                }
                Some(_) => {}
                None => break,
            }
        }
        if missed > 0 {
            eprintln!("{missed} were lost: they came too fast to be written");
        }
        Ok(())
    })
}

/// Id and bits of the field that names the port.
fn ingress_port(info: &P4Info) -> Option<(u32, u32)> {
    let headers = &info.controller_packet_metadata;
    let header = headers.iter().find(|h| h.preamble.as_ref().is_some_and(|p| p.name == "packet_in"))?;
    let field = header.metadata.iter().find(|m| m.name == "ingress_port")?;
    Some((field.id, u32::try_from(field.bitwidth).ok()?))
}

fn show(info: &P4Info, packet: &PacketIn) {
    let port = ingress_port(info).and_then(|(id, bits)| {
        let given = packet.metadata.iter().find(|m| m.metadata_id == id)?;
        decode(&given.value, bits).ok()
    });
    let port = port.map_or("?".to_owned(), |p| p.to_string());
    let hex: String = packet.payload.iter().map(|b| format!("{b:02x}")).collect();
    println!("port {port}, {} bytes: {hex}", packet.payload.len());
}

/// A capture file that is being written: complete after each packet.
struct Capture(BufWriter<File>);

impl Capture {
    fn new(path: &PathBuf) -> Result<Self, Refused> {
        let file =
            File::create(path).map_err(|e| Refused(format!("error: can't write {}: {e}", path.display())))?;
        let mut it = Self(BufWriter::new(file));
        // Magic (microseconds), version 2.4, zone, accuracy, longest packet, Ethernet.
        it.words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1])?;
        Ok(it)
    }

    fn words(&mut self, words: &[u32]) -> Result<(), Refused> {
        for word in words {
            self.0.write_all(&word.to_le_bytes())?;
        }
        Ok(self.0.flush()?)
    }

    fn write(&mut self, frame: &[u8]) -> Result<(), Refused> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let length = frame.len() as u32;
        self.words(&[now.as_secs() as u32, now.subsec_micros(), length, length])?;
        self.0.write_all(frame)?;
        Ok(self.0.flush()?)
    }
}

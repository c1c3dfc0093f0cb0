//! `guideway packet-out`.

use crate::remote::{RemoteArgs, block_on};
use crate::{Done, Refused, frames};
use p4runtime_proto::p4::v1::{PacketMetadata, PacketOut};
use p4runtime_proto::schema::encode;
use runtime_client::Event;
use std::time::Duration;
use tokio_stream::StreamExt as _;

/// Sends frames out of a port of a switch, past its pipeline.
///
/// It stands for election: a role of its own leaves the primary of the others alone.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway packet-out --port 1 --packet frames.pcap\n  guideway packet-out --port 1 --role tests --packet ffffffffffff0200000000010806..."
)]
pub(crate) struct Args {
    /// The port's number.
    #[arg(long)]
    port: u32,
    /// A frame in hexadecimal, or a file of frames: a capture (pcap), or hexadecimal, a frame a line.
    #[arg(long, value_name = "HEX|FILE")]
    packet: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// How long a refusal is waited for: the protocol has no word for success.
const REFUSALS: Duration = Duration::from_millis(300);

pub(crate) fn run(args: &Args) -> Done {
    let frames = frames::frames(&args.packet)?;
    block_on(async {
        let session = args.remote.writer().await?;
        let info = session.info().await?;
        let headers = &info.controller_packet_metadata;
        let header = headers.iter().find(|h| h.preamble.as_ref().is_some_and(|p| p.name == "packet_out"));
        let Some(header) = header else {
            return Err(Refused(
                "error: this switch sends no packets for a controller: its P4Info has no header `packet_out`"
                    .into(),
            ));
        };
        let field = |id: u32, name: &str| {
            let value = if name == "egress_port" { args.port } else { 0 };
            PacketMetadata { metadata_id: id, value: encode(value.into()) }
        };
        let metadata: Vec<_> = header.metadata.iter().map(|m| field(m.id, &m.name)).collect();
        let (mut events, count) = (session.events(), frames.len());
        for frame in frames {
            session.packet_out(PacketOut { payload: frame.into(), metadata: metadata.clone() }).await?;
        }
        let mut refused: Option<(u64, String)> = None;
        while let Ok(Some(event)) = tokio::time::timeout(REFUSALS, events.next()).await {
            if let Event::Error(error) = event {
                let all = refused.map_or(0, |(n, _)| n) + 1;
                refused = Some((all, error.message));
            }
        }
        match refused {
            None => println!("{count} sent out of port {}", args.port),
            Some((n, why)) => return Err(Refused(format!("error: {n} of {count} were refused: {why}"))),
        }
        Ok(())
    })
}

//! Packets in and out of BMv2: the service `p4.bm.DataplaneInterface`.

use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming};

/// A packet on its way in or out of a port; both messages have the same fields.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Packet {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(uint64, tag = "2")]
    pub(super) device_id: u64,
    #[prost(uint32, tag = "3")]
    pub(super) port: u32,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) packet: Vec<u8>,
}

/// Both directions.
#[derive(Debug)]
pub(super) struct Packets {
    to: Sender<Packet>,
    from: Receiver<Result<Packet, tonic::Status>>,
}

impl Packets {
    /// Opens the stream as soon as the switch takes packets, which is a moment after it has its program. It answers
    /// nothing before the first packet comes out, so a task waits for that.
    pub(super) async fn open(channel_to: Channel) -> Result<Self> {
        let mut tries = 0;
        while let Err(status) = call(channel_to.clone(), tokio_stream::empty()).await {
            tries += 1;
            ensure!(tries < 500 && status.code() == Code::Unavailable, "{status}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (to, queue) = channel(64);
        let (out, from) = channel(64);
        tokio::spawn(async move {
            if let Err(status) = forward(channel_to, queue, &out).await {
                let _ = out.send(Err(status)).await;
            }
        });
        Ok(Self { to, from })
    }

    /// Sends a packet into a port.
    pub(super) async fn send(&mut self, port: u32, packet: &[u8]) -> Result<()> {
        let packet = Packet { id: 0, device_id: 1, port, packet: packet.to_vec() };
        if self.to.send(packet).await.is_err() {
            // Why is what the task said last.
            while let Some(last) = self.from.recv().await {
                last.context("the packet stream has failed")?;
            }
            bail!("the packet stream has ended");
        }
        Ok(())
    }

    /// The next packet that comes out, if one comes in time.
    pub(super) async fn next(&mut self, wait: Duration) -> Result<Option<Packet>> {
        match tokio::time::timeout(wait, self.from.recv()).await {
            Ok(packet) => Ok(Some(packet.context("the packet stream has ended")??)),
            Err(_) => Ok(None),
        }
    }
}

/// Hands on what comes out of the switch.
async fn forward(
    channel_to: Channel,
    queue: Receiver<Packet>,
    out: &Sender<Result<Packet, tonic::Status>>,
) -> Result<(), tonic::Status> {
    let mut from = call(channel_to, ReceiverStream::new(queue)).await?;
    while let Some(packet) = from.message().await? {
        if out.send(Ok(packet)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Asks for a stream of packets.
async fn call(
    channel_to: Channel,
    packets: impl Stream<Item = Packet> + Send + 'static,
) -> Result<Streaming<Packet>, tonic::Status> {
    let mut grpc = tonic::client::Grpc::new(channel_to);
    grpc.ready().await.map_err(|e| tonic::Status::unavailable(e.to_string()))?;
    let path = PathAndQuery::from_static("/p4.bm.DataplaneInterface/PacketStream");
    let codec: tonic_prost::ProstCodec<Packet, Packet> = tonic_prost::ProstCodec::default();
    Ok(grpc.streaming(Request::new(packets), path, codec).await?.into_inner())
}

//! Packets in and out of BMv2: the service `p4.bm.DataplaneInterface`.

use anyhow::{Context, Result};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

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
    from: Streaming<Packet>,
}

impl Packets {
    /// Opens the stream.
    pub(super) async fn open(channel_to: Channel) -> Result<Self> {
        let mut grpc = tonic::client::Grpc::new(channel_to);
        grpc.ready().await?;
        let (to, queue) = channel(64);
        let path = PathAndQuery::from_static("/p4.bm.DataplaneInterface/PacketStream");
        let codec: tonic_prost::ProstCodec<Packet, Packet> = tonic_prost::ProstCodec::default();
        let from = grpc.streaming(Request::new(ReceiverStream::new(queue)), path, codec).await?.into_inner();
        Ok(Self { to, from })
    }

    /// Sends a packet into a port.
    pub(super) async fn send(&self, port: u32, packet: &[u8]) -> Result<()> {
        let packet = Packet { id: 0, device_id: 1, port, packet: packet.to_vec() };
        self.to.send(packet).await.context("the packet stream has ended")
    }

    /// The next packet that comes out, if one comes in time.
    pub(super) async fn next(&mut self, wait: Duration) -> Result<Option<Packet>> {
        match tokio::time::timeout(wait, self.from.message()).await {
            Ok(packet) => Ok(Some(packet?.context("the packet stream has ended")?)),
            Err(_) => Ok(None),
        }
    }
}

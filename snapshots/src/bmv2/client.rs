//! As much P4Runtime as a judge needs.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::p4_runtime_client::P4RuntimeClient;
use p4runtime_proto::p4::v1::set_forwarding_pipeline_config_request::Action;
use p4runtime_proto::p4::v1::stream_message_request::Update as Asked;
use p4runtime_proto::p4::v1::{
    Entity, Error, ForwardingPipelineConfig, MasterArbitrationUpdate, ReadRequest,
    SetForwardingPipelineConfigRequest, StreamMessageRequest, StreamMessageResponse, Uint128, Update,
    WriteRequest, entity,
};
use prost::Message as _;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

/// Updates in one write.
const BATCH: usize = 1000;
/// A read of 65,537 entries comes in one message.
const MESSAGE: usize = 64 << 20;
const DEVICE: u64 = 1;

/// A session as the primary controller.
#[derive(Debug)]
pub(super) struct Client {
    rpc: P4RuntimeClient<Channel>,
    /// Open as long as the session.
    _to: Sender<StreamMessageRequest>,
    _from: Streaming<StreamMessageResponse>,
}

fn election() -> Option<Uint128> {
    Some(Uint128 { high: 0, low: 1 })
}

impl Client {
    /// Becomes the primary controller.
    pub(super) async fn open(channel_to: Channel) -> Result<Self> {
        let mut rpc = P4RuntimeClient::new(channel_to).max_decoding_message_size(MESSAGE);
        let (to, queue) = channel(8);
        let arbitration = MasterArbitrationUpdate {
            device_id: DEVICE,
            election_id: election(),
            ..MasterArbitrationUpdate::default()
        };
        to.send(StreamMessageRequest { update: Some(Asked::Arbitration(arbitration)) }).await?;
        let mut from = rpc.stream_channel(ReceiverStream::new(queue)).await?.into_inner();
        from.message().await?.context("no answer to arbitration")?;
        Ok(Self { rpc, _to: to, _from: from })
    }

    /// Loads a program.
    pub(super) async fn load(&mut self, info: P4Info, json: &[u8]) -> Result<()> {
        let config = ForwardingPipelineConfig {
            p4info: Some(info),
            p4_device_config: Bytes::copy_from_slice(json),
            ..ForwardingPipelineConfig::default()
        };
        let request = SetForwardingPipelineConfigRequest {
            device_id: DEVICE,
            election_id: election(),
            action: Action::VerifyAndCommit.into(),
            config: Some(config),
            ..SetForwardingPipelineConfigRequest::default()
        };
        self.rpc
            .set_forwarding_pipeline_config(request)
            .await
            .map_err(|s| anyhow::anyhow!("{}", reason(&s)))?;
        Ok(())
    }

    /// Writes in batches.
    pub(super) async fn write(&mut self, updates: &[Update]) -> Result<()> {
        for batch in updates.chunks(BATCH) {
            let request = WriteRequest {
                device_id: DEVICE,
                election_id: election(),
                updates: batch.to_vec(),
                ..WriteRequest::default()
            };
            if let Err(status) = self.rpc.write(request).await {
                bail!("{}", reason(&status));
            }
        }
        Ok(())
    }

    /// Reads all that matches.
    pub(super) async fn read(&self, entities: Vec<entity::Entity>) -> Result<Vec<entity::Entity>> {
        let entities = entities.into_iter().map(|e| Entity { entity: Some(e) }).collect();
        let request = ReadRequest { device_id: DEVICE, entities, ..ReadRequest::default() };
        let mut answers = self.rpc.clone().read(request).await?.into_inner();
        let mut found = Vec::new();
        while let Some(answer) = answers.message().await? {
            found.extend(answer.entities.into_iter().filter_map(|e| e.entity));
        }
        Ok(found)
    }
}

/// What a status says, its details too.
fn reason(status: &tonic::Status) -> String {
    let mut text = format!("{:?}: {}", status.code(), status.message());
    if let Ok(details) = p4runtime_proto::google::rpc::Status::decode(status.details()) {
        for any in details.details {
            if let Ok(error) = Error::decode(any.value.as_ref())
                && error.canonical_code != 0
            {
                text.push_str(&format!("; {} {}", error.canonical_code, error.message));
            }
        }
    }
    text
}

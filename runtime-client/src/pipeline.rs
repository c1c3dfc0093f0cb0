//! The program that a server runs.

use crate::{ClientError, Names, Session};
use bytes::Bytes;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1 as proto;
use prost::Message as _;
use proto::forwarding_pipeline_config::Cookie;
use proto::get_forwarding_pipeline_config_request::ResponseType;
use proto::set_forwarding_pipeline_config_request::Action;
use proto::{
    ForwardingPipelineConfig, GetForwardingPipelineConfigRequest, SetForwardingPipelineConfigRequest,
};
use tonic::Code;

/// How a program is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// Not if the server runs it already, by its cookie: entries and counters stay.
    IfOther,
    /// In any case: the tables begin empty.
    Always,
    /// In any case; entries that are still legal stay.
    Reconcile,
}

/// What a push did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The server runs it now.
    Loaded,
    /// The server ran it already.
    Kept,
}

/// The cookie of a program: FNV-1a over P4Info and device config, the same everywhere; never 0.
///
/// ```
/// use p4runtime_proto::p4::config::v1::P4Info;
/// let info = P4Info::default();
/// assert_eq!(runtime_client::cookie(&info, b"{}"), runtime_client::cookie(&info, b"{}"));
/// assert_ne!(runtime_client::cookie(&info, b"{}"), runtime_client::cookie(&info, b"[]"));
/// ```
#[must_use]
pub fn cookie(info: &P4Info, device_config: &[u8]) -> u64 {
    let info = info.encode_to_vec();
    let length = (info.len() as u64).to_be_bytes();
    let all = length.iter().chain(&info).chain(device_config);
    let hash =
        all.fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    hash.max(1)
}

impl Session {
    /// Makes the server run a program.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use runtime_client::{Options, Profile, Push, Pushed, Session, cookie};
    /// # let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
    /// let (info, config) = (&switch.info, &switch.config);
    /// assert_eq!(session.push(info, config.clone().into(), Push::IfOther).await?, Pushed::Loaded);
    /// assert_eq!(session.running().await?, Some(cookie(info, config)));
    /// assert_eq!(session.push(info, config.clone().into(), Push::IfOther).await?, Pushed::Kept);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The server refuses it, or this client is not the primary one.
    pub async fn push(&self, info: &P4Info, device_config: Bytes, how: Push) -> Result<Pushed, ClientError> {
        if how == Push::Reconcile && !self.shared.options.profile.reconcile {
            return Err(
                self.unsupported("it has no RECONCILE_AND_COMMIT: its entries go with the old program")
            );
        }
        let cookie = cookie(info, &device_config);
        if how == Push::IfOther && self.running().await? == Some(cookie) {
            return Ok(Pushed::Kept);
        }
        let config = ForwardingPipelineConfig {
            p4info: Some(info.clone()),
            p4_device_config: device_config,
            cookie: Some(Cookie { cookie }),
        };
        let action = match how {
            Push::Reconcile => Action::ReconcileAndCommit,
            Push::IfOther | Push::Always => Action::VerifyAndCommit,
        };
        let request = SetForwardingPipelineConfigRequest {
            device_id: self.shared.options.device_id,
            election_id: self.election(),
            action: action.into(),
            config: Some(config),
            role: self.role(),
            ..SetForwardingPipelineConfigRequest::default()
        };
        let mut rpc = self.rpc(true).await?;
        let call = "SetForwardingPipelineConfig";
        self.timed(call, rpc.set_forwarding_pipeline_config(request)).await?;
        Ok(Pushed::Loaded)
    }

    /// The cookie of what the server runs; none if it runs nothing, or something without a cookie.
    ///
    /// # Errors
    /// The server can't be reached, or refuses.
    pub async fn running(&self) -> Result<Option<u64>, ClientError> {
        let config = self.get(ResponseType::CookieOnly).await?;
        Ok(config.and_then(|c| c.cookie).map(|c| c.cookie))
    }

    /// The P4Info of what the server runs.
    ///
    /// # Errors
    /// It runs nothing, or can't be reached.
    pub async fn info(&self) -> Result<P4Info, ClientError> {
        let config = self.get(ResponseType::P4infoAndCookie).await?;
        config.and_then(|c| c.p4info).ok_or_else(|| {
            ClientError::Pipeline("it runs none yet; load one, as with `guideway load`".into())
        })
    }

    /// The names of what the server runs.
    ///
    /// # Errors
    /// As [`Self::info`], or the P4Info is not sound.
    pub async fn names(&self) -> Result<Names, ClientError> {
        Names::new(&self.info().await?).map_err(|e| ClientError::Pipeline(e.to_string()))
    }

    /// What the server runs; none if nothing.
    async fn get(&self, what: ResponseType) -> Result<Option<ForwardingPipelineConfig>, ClientError> {
        let request = GetForwardingPipelineConfigRequest {
            device_id: self.shared.options.device_id,
            response_type: what.into(),
        };
        let mut rpc = self.rpc(false).await?;
        let call = "GetForwardingPipelineConfig";
        match self.timed(call, rpc.get_forwarding_pipeline_config(request)).await {
            Ok(answer) => Ok(answer.config),
            // What servers say before there is one; the specification's example and BMv2.
            Err(ClientError::Refused { code: Code::FailedPrecondition, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

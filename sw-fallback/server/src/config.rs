//! The forwarding-pipeline config (specification §14, §15).

use crate::device::Device;
use crate::host::Host;
use crate::status::Failure;
use p4runtime_proto::p4::v1;
use v1::ForwardingPipelineConfig;
use v1::get_forwarding_pipeline_config_request::ResponseType;
use v1::set_forwarding_pipeline_config_request::Action;

impl<H: Host> Device<H> {
    /// Verifies, saves, puts in force: as is asked for.
    pub(crate) fn set(&mut self, asked: v1::SetForwardingPipelineConfigRequest) -> Result<(), Failure> {
        let action = asked.action();
        let config = |config: Option<ForwardingPipelineConfig>| {
            config.ok_or_else(|| Failure::invalid("the request has no config"))
        };
        match action {
            Action::Unspecified => Err(Failure::invalid("the request's action is not set")),
            Action::Verify => {
                let verified = self.verify(config(asked.config)?)?;
                self.judge(&verified)
            }
            Action::VerifyAndSave => {
                let verified = self.verify(config(asked.config)?)?;
                self.judge(&verified)?;
                self.saved = Some(verified);
                Ok(())
            }
            Action::VerifyAndCommit => {
                let verified = self.verify(config(asked.config)?)?;
                self.commit(verified, false)
            }
            Action::ReconcileAndCommit => {
                let verified = self.verify(config(asked.config)?)?;
                self.commit(verified, true)
            }
            Action::Commit if asked.config.is_some() => {
                Err(Failure::invalid("COMMIT takes the saved config, and no other"))
            }
            Action::Commit => self.commit_saved(),
        }
    }

    /// The config in force, as much of it as is asked for.
    pub(crate) fn get(&self, what: i32) -> Result<ForwardingPipelineConfig, Failure> {
        let Ok(what) = ResponseType::try_from(what) else {
            return Err(Failure::invalid(format!("there is no response type {what}")));
        };
        let (info, device) = match what {
            ResponseType::All => (true, true),
            ResponseType::CookieOnly => (false, false),
            ResponseType::P4infoAndCookie => (true, false),
            ResponseType::DeviceConfigAndCookie => (false, true),
        };
        Ok(ForwardingPipelineConfig {
            p4info: self.config.p4info.clone().filter(|_| info),
            p4_device_config: if device { self.config.p4_device_config.clone() } else { bytes::Bytes::new() },
            cookie: self.config.cookie,
        })
    }
}

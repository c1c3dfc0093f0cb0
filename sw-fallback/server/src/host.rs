//! What runs the pipelines that the server configures.

use p4runtime_proto::guideway::v1::Bundle;
use pipeline_ir::Pipeline;
use pipeline_ir::entry::CheckedEntry;
use std::any::Any;
use sw_fallback::plane::ReadBack;
use sw_fallback::punt::Inbox;
use thiserror::Error;

/// A data plane, and the way to put another pipeline in its place.
pub trait Host: Send + 'static {
    /// The data plane that runs.
    fn plane(&mut self) -> &mut dyn ReadBack;

    /// Reads a device config and makes sure, as far as that is possible beside the one that runs, that it can run.
    /// Nothing changes for packets.
    ///
    /// # Errors
    /// [`HostError`]: what is wrong with it.
    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError>;

    /// Asks whoever else has a say, such as the kernel's verifier, whether it would run. Nothing changes for packets.
    ///
    /// # Errors
    /// [`HostError`]: why not.
    fn judge(&mut self, prepared: &Prepared) -> Result<(), HostError> {
        let _ = prepared;
        Ok(())
    }

    /// Runs a pipeline in place of the one that runs, holding exactly these entries from its first packet on (see
    /// [`hold`](crate::hold)): those of the one that runs, as far as they are legal in both.
    ///
    /// # Errors
    /// [`HostError`]; the one that ran before still does then, with all that it held.
    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError>;

    /// As [`commit`](Self::commit), with entries of which none need be held already.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    fn commit_other(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        self.commit(prepared, entries)
    }

    /// Sends a frame out of a port.
    ///
    /// # Errors
    /// [`HostError::Unsupported`] unless the data plane can.
    fn packet_out(&mut self, port: u32, frame: &[u8]) -> Result<(), HostError> {
        let _ = (port, frame);
        Err(HostError::Unsupported("this data plane sends no packets for a controller".to_owned()))
    }

    /// Where packets for the controller come out, once; none where nobody asked for them.
    fn inbox(&mut self) -> Option<Inbox> {
        None
    }
}

/// A pipeline that can run.
#[derive(Debug)]
pub struct Prepared {
    /// The pipeline, which the P4Info must describe.
    pub pipeline: Pipeline,
    /// What the host needs to run it.
    pub program: Box<dyn Any + Send>,
}

/// Why a host did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// The device config is none that can run here.
    #[error("{0}")]
    Invalid(String),
    /// No data plane of this kind does that.
    #[error("{0}")]
    Unsupported(String),
    /// It should have worked.
    #[error("{0}")]
    Failed(String),
}

/// A host that runs one pipeline for good: it refuses every other.
#[derive(Debug)]
pub struct Fixed<P>(pub P);

impl<P: ReadBack + Send + 'static> Host for Fixed<P> {
    fn plane(&mut self) -> &mut dyn ReadBack {
        &mut self.0
    }

    fn verify(&mut self, _: &Bundle) -> Result<Prepared, HostError> {
        let name = &self.0.pipeline().name;
        Err(HostError::Unsupported(format!("this switch runs {name}, and nothing else")))
    }

    fn commit(&mut self, _: Prepared, _: &[CheckedEntry]) -> Result<(), HostError> {
        let name = &self.0.pipeline().name;
        Err(HostError::Unsupported(format!("this switch runs {name}, and nothing else")))
    }
}

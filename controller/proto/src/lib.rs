//! What speaks with the controller speaks `guideway.v1.LBControlPlane`: operators (`guideway ctl`), checkers, agents.
//!
//! `proto/guideway/v1/control.proto` is the contract; each field says its unit.

pub mod trouble;

/// The package `guideway.v1`.
#[allow(missing_docs, clippy::all, reason = "generated; the documentation is in the .proto file")]
pub mod v1 {
    tonic::include_proto!("guideway.v1");
}

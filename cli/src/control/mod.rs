//! The control plane's commands.

pub(crate) mod agent;
pub(crate) mod checker;
pub(crate) mod controller;
pub(crate) mod ctl;
pub(crate) mod registry;
pub(crate) mod registry_args;
mod remote;

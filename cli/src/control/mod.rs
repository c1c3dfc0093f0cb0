//! The control plane's commands.

pub(crate) mod checker;

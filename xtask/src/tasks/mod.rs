//! The small commands.

//! P4Runtime and P4Info messages.

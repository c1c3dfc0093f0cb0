//! What the control plane knows and decides, without I/O: no clock, no socket, no file. Time comes in as milliseconds.

//! BMv2 as one more data plane: the real `simple_switch_grpc`, driven over P4Runtime, its packets over gRPC.
//!
//! It needs no root and no interfaces. Its clock runs by itself: a story that waits is told to it in real time, and
//! then compared with the oracle at the times that it can have read. What is in its flow tables it doesn't show.

mod plane;
mod stream;
mod switch;
mod ticks;

pub use plane::{Bmv2, Program, Span};
pub use switch::{P4C, SWITCH, Switch, available, compile, has_p4c, masked};
pub use ticks::timings;

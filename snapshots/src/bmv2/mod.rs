//! BMv2 as one more data plane: the real `simple_switch_grpc`, driven over P4Runtime, its packets over gRPC; and
//! `psa_switch`, driven over Thrift, its packets over a socket.
//!
//! It needs no root and no interfaces. Its clock runs by itself: a story that waits is told to it in real time, and
//! then compared with the oracle at the times that it can have read. What is in its flow tables it doesn't show.

mod beside;
mod front;
mod grpc;
mod pair;
mod plane;
mod psa;
mod stream;
mod switch;
mod thrift;
mod ticks;

pub use beside::Beside;
pub use plane::{Bmv2, Program};
pub use switch::{P4C, PSA_SWITCH, SWITCH, Switch, compile, has_p4c, masked};

//! BMv2 as one more data plane: the real `simple_switch_grpc`, driven over P4Runtime, its packets over gRPC.
//!
//! It needs no root and no interfaces. Its clock runs by itself: the tick that a test gives is not heard, so
//! sequences that wait are not for it. What is in its flow tables it doesn't show.

mod client;
mod convert;
mod plane;
mod stream;
mod switch;

pub use plane::{Bmv2, Program};
pub use switch::{available, compile, has_p4c};

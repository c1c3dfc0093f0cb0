//! A small HTTP/1.1 server and client over the kernel's own TCP sockets.
//!
//! The server runs on a backend, bound to the VIP, and says in each answer which backend it is and which
//! addresses its socket has. The client compares these with its own. Bodies are a fixed pattern, checked
//! byte for byte at both ends.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /` | a few bytes |
//! | `GET /bytes/N` | N bytes |
//! | `GET /slow/N/MS` | N bytes spread over MS milliseconds |
//! | `PUT /upload` | 200 if the body is the pattern, 400 if not |

mod client;
mod message;
mod pattern;
mod server;

pub use client::{Connection, Seen};
pub use server::{serve, serve_one};

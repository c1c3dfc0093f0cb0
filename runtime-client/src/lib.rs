//! One P4Runtime client for every target: BMv2, `guideway switch`, and whatever else speaks P4Runtime.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`Session`] | connects, takes part in the election, comes back after a break; push, write, read, counters, events |
//! | [`Profile`] | what a kind of server can do, as a data file |
//! | [`Names`] | entries by name ([`pipeline_ir::entry::Entry`], which typed bindings convert to) to messages and back |
//! | [`reconcile()`] | what must be written so that what is there becomes what is wanted: a pure function |
//!
//! ```
//! # client_lab::run(|switch| async move {
//! use client_lab::count::host::{Action, Entry, Key}; // typed entries of a `#[guideway::pipeline] mod count`
//! use runtime_client::{Names, Options, Profile, Push, Session};
//!
//! let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
//! session.push(&switch.info, switch.config.clone().into(), Push::IfOther).await?;
//!
//! let names = session.names().await?;
//! let entry = Entry { key: Key { src: 0x0a00_0001 }, action: Action::Out { port: 3 } };
//! session.insert([names.message(entry.clone())?], &names).await?.ok()?;
//!
//! # switch.receives([10, 0, 0, 1]).await;
//! let held = session.entries("host", &names).await?;
//! assert_eq!(names.typed::<Entry>(&held[0])?, entry);
//! assert_eq!(held[0].counter_data.map(|c| c.packet_count), Some(1), "a packet came meanwhile");
//! # Ok(()) }).unwrap();
//! ```
//!
//! A write sends its updates in batches, several at a time where their order can't matter, and tells the fate of each
//! update that failed, with table, entry and cause ([`UpdateError`]).

mod batch;
mod checked;
mod counters;
mod encode;
mod error;
mod events;
mod flows;
mod link;
mod names;
mod pipeline;
pub mod profile;
mod read;
mod reconcile;
mod session;
mod tls;
mod typed;
mod write;

pub use counters::Counted;
pub use error::{ClientError, UpdateError};
pub use events::{Event, Events, Idle};
pub use flows::{Flow, FlowFilter, FlowState, Flows};
pub use link::Standing;
pub use names::{NameError, Names, Shape};
pub use p4runtime_proto::p4::v1::write_request::Atomicity;
pub use pipeline::{Push, Pushed, cookie};
pub use profile::{BUILT_IN, Profile};
pub use read::Reader;
pub use reconcile::{Key, Plan, reconcile};
pub use session::{Options, Session};
pub use tls::Tls;
pub use write::{Written, delete, insert, modify};

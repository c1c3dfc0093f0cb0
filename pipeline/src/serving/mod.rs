//! A data plane in service: brought to what an entry file asks for, again at SIGHUP, with a status file at SIGUSR1 and at
//! the end. `guideway switch` and [`switch`](crate::switch()) are made of it.

pub mod apply;
pub mod native;
pub mod rings;
pub mod serve;
pub mod status;

pub use apply::{Applied, Changes};
pub use native::Native;
pub use rings::Rings;
pub use serve::{Job, Runs, State, serve, signals};

/// Why something was refused, as it is shown: lines that start with `error: `, with what helps.
#[derive(Debug)]
pub struct Refused(pub String);

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        let mut text = format!("error: {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(&format!("\n  because: {inner}"));
            cause = inner.source();
        }
        Self(text)
    }
}

//! A probe is a file descriptor: there have to be enough.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept for all else: the controller's connection, the runtime, standard streams.
const OTHERS: u64 = 64;
/// More probes at once than this are not made, however many descriptors there may be.
const MOST: u64 = 16_384;

/// How many probes may be under way at once, after the soft limit of open files was raised to the hard one.
///
/// # Errors
/// There is no room for a single probe; the text says what to do.
pub fn room() -> Result<usize, String> {
    let limits = getrlimit(Resource::Nofile);
    let mut soft = limits.current;
    if soft != limits.maximum {
        let raised = Rlimit { current: limits.maximum, maximum: limits.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            soft = limits.maximum;
        }
    }
    let files = soft.unwrap_or(u64::MAX);
    let room = files.saturating_sub(OTHERS).min(MOST);
    if room < 16 {
        return Err(format!(
            "the limit of open files is {files}: too few for probes. Raise it: `ulimit -n 20000`, or LimitNOFILE=20000 in the unit"
        ));
    }
    Ok(usize::try_from(room).unwrap_or(usize::MAX))
}

//! One probe: what is asked of a backend, and what came of it.

mod body;
mod http;
mod tcp;
pub mod tls;

use crate::target::{How, Plan};
use crate::vip::{Stream, Through};
use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// As it should be.
    Pass,
    /// The backend failed; why, in words.
    Fail(Cow<'static, str>),
    /// This checker failed: nothing is known of the backend.
    Trouble(Cow<'static, str>),
}

/// What a probe found, and how long that took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What.
    pub found: Found,
    /// From its first packet to the last answer.
    pub latency: Duration,
}

/// What all probes of a checker share.
#[derive(Clone)]
pub struct Means {
    /// For HTTPS.
    pub tls: tokio_rustls::TlsConnector,
    /// For probes through a VIP; why there are none.
    pub through: Result<std::sync::Arc<Through>, String>,
}

/// Probes once.
pub async fn probe(plan: &Plan, means: &Means) -> Outcome {
    let begin = Instant::now();
    let work = async {
        match (&plan.how, plan.vip) {
            (How::Tcp, None) => tcp::connect(plan.to).await.map(drop),
            (How::Tcp, Some(vip)) => through(plan, vip, means).await.map(drop),
            (How::Http(http), None) => http::ask(http, tcp::connect(plan.to).await?, means).await,
            (How::Http(http), Some(vip)) => http::ask(http, through(plan, vip, means).await?, means).await,
        }
    };
    let found = match tokio::time::timeout(plan.timeout, work).await {
        Ok(Ok(())) => Found::Pass,
        Ok(Err(found)) => found,
        Err(_) => Found::Fail(format!("no answer within {} ms", plan.timeout.as_millis()).into()),
    };
    Outcome { found, latency: begin.elapsed() }
}

async fn through(plan: &Plan, vip: SocketAddr, means: &Means) -> Result<Stream, Found> {
    let through = means.through.as_ref().map_err(|why| Found::Trouble(why.clone().into()))?;
    Stream::connect(through, plan.to.ip(), vip).await
}

/// Whose fault an error of a socket is: the checker's own ones are no failure of a backend.
pub(crate) fn blame(doing: &'static str, error: &io::Error) -> Found {
    use rustix::io::Errno;
    let own = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        Errno::ADDRNOTAVAIL,
        Errno::PERM,
        Errno::ACCESS,
    ];
    let errno = Errno::from_io_error(error);
    if errno.is_some_and(|e| own.contains(&e)) {
        return Found::Trouble(format!("this checker can't {doing}: {error}").into());
    }
    match errno {
        Some(Errno::CONNREFUSED) => Found::Fail(Cow::Borrowed("connection refused")),
        Some(Errno::CONNRESET) => Found::Fail(Cow::Borrowed("connection reset")),
        Some(Errno::HOSTUNREACH) => Found::Fail(Cow::Borrowed("host unreachable")),
        Some(Errno::NETUNREACH) => Found::Fail(Cow::Borrowed("network unreachable")),
        _ => Found::Fail(format!("can't {doing}: {error}").into()),
    }
}

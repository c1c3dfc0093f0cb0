//! The traffic: many connections, some at a time, by the kernel's own sockets inside the clients'
//! namespaces.

use super::interrupt;
use crate::http::{Connection, Seen};
use crate::lab::{Lab, Plan, VIP_PORT, VIP4, VIP6};
use crate::sys::TcpPath;
use anyhow::{Result, bail};
use indicatif::ProgressBar;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of a download or an upload.
pub const LARGE: u64 = 1_000_000;
/// The whole load is given up after this time.
const LIMIT: Duration = Duration::from_secs(240);

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One small answer.
    Small,
    /// The same; then both ends close, and the port is free again.
    Last,
    /// [`LARGE`] bytes to the client.
    Download,
    /// [`LARGE`] bytes to the backend.
    Upload,
    /// [`LARGE`] bytes to the client over that time.
    LongDownload(Duration),
    /// [`LARGE`] bytes to the backend over that time.
    LongUpload(Duration),
}

/// One connection to make.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The client's node.
    pub client: &'static str,
    /// Its address, and its port or 0.
    pub source: SocketAddr,
    /// What to do on it.
    pub kind: Kind,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The job.
    pub job: Job,
    /// The backend that answered, as far as it came to that.
    pub backend: Option<String>,
    /// What the kernel learned about the path; unknown when the connection failed.
    pub path: Option<TcpPath>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Something that the workers report.
enum Report {
    Started,
    Done(Box<Outcome>),
}

/// Connections under way.
pub struct Running {
    reports: std::sync::mpsc::Receiver<Report>,
    jobs: usize,
    started: usize,
    outcomes: Vec<Outcome>,
    since: Instant,
}

/// Starts `jobs`, at most `at_once` of each client at the same time.
///
/// # Errors
/// A job names no client of the lab.
pub fn start(lab: &Lab, jobs: &[Job], at_once: usize) -> Result<Running> {
    let (sender, reports) = channel();
    let mut clients: Vec<&'static str> = jobs.iter().map(|job| job.client).collect();
    clients.sort_unstable();
    clients.dedup();
    for client in clients {
        let own: VecDeque<Job> = jobs.iter().filter(|job| job.client == client).copied().collect();
        let workers = at_once.min(own.len());
        let queue = Arc::new(Mutex::new(own));
        for _ in 0..workers {
            let (space, queue, sender) = (lab.space(client)?.clone(), Arc::clone(&queue), sender.clone());
            // The threads are never joined: on Ctrl-C they end with the process.
            std::thread::spawn(move || {
                let entered = space.enter();
                while let Some(job) = next(&queue) {
                    let outcome = match &entered {
                        Ok(()) => work(job, &sender),
                        Err(error) => failed(job, None, &format!("{error:#}")),
                    };
                    if sender.send(Report::Done(Box::new(outcome))).is_err() {
                        return;
                    }
                }
            });
        }
    }
    Ok(Running { reports, jobs: jobs.len(), started: 0, outcomes: Vec::new(), since: Instant::now() })
}

fn next(queue: &Mutex<VecDeque<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

impl Running {
    /// Waits until every connection has got its first answer or has ended.
    ///
    /// # Errors
    /// Interrupted, or the time is up.
    pub fn all_started(&mut self) -> Result<()> {
        while self.started.max(self.outcomes.len()) < self.jobs {
            self.step()?;
        }
        Ok(())
    }

    /// Leaves out those that have ended well already: whatever happens now doesn't concern them.
    pub fn forget_ended(&mut self) {
        self.catch_up();
        let before = self.outcomes.len();
        self.outcomes.retain(|outcome| outcome.error.is_some());
        self.jobs -= before - self.outcomes.len();
    }

    /// Takes in what has been reported until now, without waiting.
    pub fn catch_up(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            self.take(report);
        }
    }

    /// Waits for the end of all.
    ///
    /// # Errors
    /// Interrupted, or the time is up.
    pub fn finish(mut self, bar: &ProgressBar) -> Result<Vec<Outcome>> {
        while self.outcomes.len() < self.jobs {
            self.step()?;
            bar.set_position(self.outcomes.len() as u64);
        }
        bar.finish_and_clear();
        Ok(self.outcomes)
    }

    fn step(&mut self) -> Result<()> {
        interrupt::check()?;
        if self.since.elapsed() > LIMIT {
            bail!(
                "{} of {} connections have not ended within {LIMIT:?}",
                self.jobs - self.outcomes.len(),
                self.jobs
            );
        }
        match self.reports.recv_timeout(Duration::from_millis(50)) {
            Ok(report) => self.take(report),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("the clients' threads are gone"),
        }
        Ok(())
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Started => self.started += 1,
            Report::Done(outcome) => self.outcomes.push(*outcome),
        }
    }
}

/// The VIP of an address's family.
#[must_use]
pub fn vip_for(source: IpAddr) -> SocketAddr {
    match source {
        IpAddr::V4(_) => SocketAddr::new(VIP4.into(), VIP_PORT),
        IpAddr::V6(_) => SocketAddr::new(VIP6.into(), VIP_PORT),
    }
}

fn failed(job: Job, backend: Option<String>, error: &str) -> Outcome {
    let error = format!("{:?} from {}: {error}", job.kind, job.source);
    Outcome { job, backend, path: None, error: Some(error) }
}

fn work(job: Job, sender: &Sender<Report>) -> Outcome {
    let mut backend = None;
    let result = exchange(job, |seen| {
        backend = Some(seen.backend.clone());
        // Nobody listens any more after an interrupt.
        let _gone = sender.send(Report::Started);
    });
    match result {
        Ok(path) => Outcome { job, backend, path: Some(path), error: None },
        Err(error) => failed(job, backend, &error.to_string()),
    }
}

fn exchange(job: Job, started: impl FnOnce(&Seen)) -> std::io::Result<TcpPath> {
    let vip = vip_for(job.source.ip());
    let mut connection = Connection::open(job.source, vip)?;
    // For an upload a small request comes first: its answer says which backend will get the bytes.
    let seen = match job.kind {
        Kind::Small => connection.get("/", started)?,
        Kind::Last => {
            let path = connection.path()?;
            connection.get_last(started, |connection, seen| connection.check(seen, vip.ip()))?;
            return Ok(path);
        }
        Kind::Download => connection.get(&format!("/bytes/{LARGE}"), started)?,
        Kind::LongDownload(over) => {
            connection.get(&format!("/slow/{LARGE}/{}", over.as_millis()), started)?
        }
        Kind::Upload => {
            connection.get("/", started)?;
            connection.put(LARGE, Duration::ZERO)?
        }
        Kind::LongUpload(over) => {
            connection.get("/", started)?;
            connection.put(LARGE, over)?
        }
    };
    connection.check(&seen, vip.ip())?;
    connection.path()
}

/// `total` connections of mixed kinds, half from the IPv4 and half from the IPv6 client: of eight, one is
/// a download, one an upload, six are small.
#[must_use]
pub fn mixed(plan: &Plan, total: usize) -> Vec<Job> {
    let clients = ["c4", "c6"].map(|name| (name, plan.node(name).sources()));
    let job = |i: usize| {
        let (client, sources) = &clients[i % 2];
        let turn = i / 2;
        let kind = match turn % 8 {
            2 => Kind::Download,
            6 => Kind::Upload,
            _ => Kind::Small,
        };
        Job { client, source: SocketAddr::new(sources[turn / 8 % sources.len()], 0), kind }
    };
    (0..total).map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_has_every_kind_on_both_families() {
        let jobs = mixed(&Plan::default(), 2400);
        let count =
            |v4: bool, kind| jobs.iter().filter(|j| j.source.is_ipv4() == v4 && j.kind == kind).count();
        for v4 in [true, false] {
            assert_eq!(
                (count(v4, Kind::Small), count(v4, Kind::Download), count(v4, Kind::Upload)),
                (900, 150, 150)
            );
        }
    }
}

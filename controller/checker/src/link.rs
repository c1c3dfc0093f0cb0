//! A checker in service: finds the controller that leads, and stays with it.

use crate::board::Board;
use crate::probe::{Means, Outcome, probe};
use crate::session::{Ended, Session};
use crate::target::Target;
use crate::workers::Workers;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::time::sleep;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;

/// The first pause before another try, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A session of this length was a good one: what ends it is no reason to wait longer than the first pause.
const GOOD: Duration = Duration::from_secs(10);

/// Makes the way to a controller (`HOST:PORT`), with or without TLS; or says why there is none.
pub type Dial = Arc<dyn Fn(&str) -> Result<Endpoint, String> + Send + Sync>;

/// What a checker is told at its start.
#[derive(Clone)]
pub struct Options {
    /// Its id: 1 to 63 of `[A-Za-z0-9._-]`; no two checkers have the same.
    pub id: String,
    /// The controllers, one of which leads. At least one.
    pub controllers: Vec<String>,
    /// How they are reached.
    pub dial: Dial,
    /// Shown to the controller: `Bearer TOKEN`.
    pub token: Option<MetadataValue<Ascii>>,
    /// What probes need.
    pub means: Means,
    /// How many probes may be under way at once; see [`crate::files::room`].
    pub room: usize,
}

/// Why a checker can't go on.
#[derive(Debug, Error)]
pub enum Stopped {
    /// The controller won't ever hear it.
    #[error("{0}")]
    Refused(String),
}

/// One target, probed once.
pub struct Probed {
    /// What was probed.
    pub target: Target,
    /// Liveness; why it can't be probed.
    pub live: Result<Outcome, String>,
    /// Readiness, if it is asked for.
    pub ready: Option<Result<Outcome, String>>,
}

/// A checker.
pub struct Checker {
    options: Options,
    board: Arc<Board>,
}

impl Checker {
    /// A checker that has not begun.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, board: Arc::default() }
    }
    /// What it finds.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }
    /// Probes and reports until it is dropped. While no controller answers it goes on probing what it was last told to.
    ///
    /// # Errors
    /// [`Stopped`]; nothing that may pass is one.
    pub async fn run(&self) -> Result<(), Stopped> {
        let Options { id, controllers, means, room, .. } = &self.options;
        let mut workers = Workers::new(Arc::clone(&self.board), means.clone(), *room, id);
        let (mut turn, mut pause, mut leader) = (0, PAUSES.0, None::<String>);
        loop {
            let address = leader.take().unwrap_or_else(|| controllers[turn % controllers.len()].clone());
            let begin = Instant::now();
            let session = Session { options: &self.options, board: &self.board, workers: &mut workers };
            let ended = session.run(&address).await;
            if begin.elapsed() >= GOOD {
                pause = PAUSES.0;
            }
            match ended {
                Ended::Refused(why) => return Err(Stopped::Refused(format!("{address}: {why}"))),
                Ended::Leader(other) if other != address => {
                    tracing::info!("{address} does not lead: going to {other}");
                    leader = Some(other);
                }
                Ended::Leader(_) => turn += 1,
                Ended::Lost(why) => {
                    tracing::warn!("{address}: {why}; trying again, and probing on");
                    turn += 1;
                }
            }
            // Everybody lost the same controller: half of the pause is by chance.
            let chance = f64::from(begin.elapsed().subsec_nanos() % 1_000) / 1_000.0;
            sleep(pause.mul_f64(0.5 + 0.5 * chance)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
    /// Asks a controller for the targets and probes each of them once.
    ///
    /// # Errors
    /// No controller tells them.
    pub async fn once(&self) -> Result<Vec<Probed>, Stopped> {
        let mut why = String::new();
        let mut addresses = self.options.controllers.clone();
        let mut at = 0;
        while at < addresses.len() {
            match crate::session::targets(&addresses[at], &self.options).await {
                Ok(targets) => return Ok(self.probe_all(targets).await),
                Err(Ended::Leader(other)) if !addresses.contains(&other) => addresses.push(other),
                Err(Ended::Leader(other)) => why = format!("{}: {other} leads", addresses[at]),
                Err(Ended::Refused(text) | Ended::Lost(text)) => why = format!("{}: {text}", addresses[at]),
            }
            at += 1;
        }
        Err(Stopped::Refused(why))
    }
    async fn probe_all(&self, targets: Vec<Target>) -> Vec<Probed> {
        let room = Arc::new(tokio::sync::Semaphore::new(self.options.room));
        let tasks: Vec<_> = targets
            .into_iter()
            .map(|target| {
                let (room, means) = (Arc::clone(&room), self.options.means.clone());
                tokio::spawn(async move {
                    let _permit = room.acquire().await;
                    let live = match &target.live {
                        Ok(plan) => Ok(probe(plan, &means).await),
                        Err(why) => Err(why.clone()),
                    };
                    let ready = match &target.ready {
                        Some(Ok(plan)) => Some(Ok(probe(plan, &means).await)),
                        Some(Err(why)) => Some(Err(why.clone())),
                        None => None,
                    };
                    Probed { target, live, ready }
                })
            })
            .collect();
        let mut probed = Vec::with_capacity(tasks.len());
        for task in tasks {
            if let Ok(one) = task.await {
                probed.push(one);
            }
        }
        probed
    }
}

//! Streams to watchers. A watcher that is slow gets what is in force when it has taken what it was sent: nothing queues up.

use crate::checkers::{Checkers, Claim};
use crate::published::Published;
use crate::{Shared, status};
use bytes::Bytes;
use control_core::NodeView;
use control_core::health::CheckerRefused;
use control_proto::v1::*;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::Status;

pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Runs `work`, which sends, until it or the receiver ends.
fn sending<T, F>(work: impl FnOnce(mpsc::Sender<Result<T, Status>>) -> F) -> Answers<T>
where
    T: Send + 'static,
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(1);
    let last = sender.clone();
    let work = work(sender);
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = work => ended,
            () = last.closed() => Ok(()),
        };
        if let Err(status) = ended {
            // Whoever watched may be gone.
            drop(last.send(Err(status)).await);
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}

/// Waits for news; only as long as this controller leads, if `leader` says so.
async fn news(published: &mut watch::Receiver<Published>, leader: bool) -> Result<Published, Status> {
    let ended = |_| status::unavailable(&crate::Role::Follows(None));
    published.changed().await.map_err(ended)?;
    let now = published.borrow_and_update().clone();
    if leader && !now.role.leads() {
        return Err(status::unavailable(&now.role));
    }
    Ok(now)
}

async fn send<T>(to: &mpsc::Sender<Result<T, Status>>, message: T) -> Result<(), Status> {
    to.send(Ok(message)).await.map_err(|_| Status::cancelled("nobody listens"))
}

impl Shared {
    /// What a node needs: all, then what changes. Each message is an encoded NodeSnapshot.
    pub(crate) fn watch_node(self: &Arc<Self>) -> Result<Answers<Bytes>, Status> {
        self.leads()?;
        let mut published = self.published.subscribe();
        published.mark_changed();
        Ok(sending(|to| async move {
            let mut sent: Option<(Arc<NodeView>, Instant)> = None;
            loop {
                let mut now = news(&mut published, true).await?;
                if let Some((view, at)) = &sent {
                    // What only a lost registry needs can wait for what all need.
                    while now.nodes.view.tables_version == view.tables_version
                        && now.nodes.view.version != view.version
                    {
                        match timeout_at(*at + RECORDS_PAUSE, news(&mut published, true)).await {
                            Ok(news) => now = news?,
                            Err(_) => break,
                        }
                    }
                }
                let same = sent.as_ref().is_some_and(|(view, _)| view.version == now.nodes.view.version);
                // An empty registry may be a lost one: nobody is told to forget everything.
                if now.state.is_new() || same {
                    continue;
                }
                send(&to, now.nodes.since(sent.as_ref().map(|(view, _)| &**view))).await?;
                sent = Some((Arc::clone(&now.nodes.view), Instant::now()));
            }
        }))
    }

    /// What a checker is to probe.
    pub(crate) fn watch_targets(self: &Arc<Self>) -> Result<Answers<ProbeTargets>, Status> {
        self.leads()?;
        let mut published = self.published.subscribe();
        published.mark_changed();
        Ok(sending(|to| async move {
            let mut sent: Option<Arc<ProbeTargets>> = None;
            loop {
                let now = news(&mut published, true).await?;
                if sent.as_ref().is_some_and(|sent| Arc::ptr_eq(sent, &now.targets)) {
                    continue;
                }
                send(&to, (*now.targets).clone()).await?;
                sent = Some(now.targets);
            }
        }))
    }

    /// One pool, whole, whenever it changes. It ends with NOT_FOUND when the pool goes.
    pub(crate) fn watch_pool(self: &Arc<Self>, name: String) -> Result<Answers<PoolSnapshot>, Status> {
        self.snapshot(&name)?;
        let mut published = self.published.subscribe();
        published.mark_changed();
        let shared = Arc::clone(self);
        Ok(sending(|to| async move {
            let mut sent: Option<(u64, Vec<Vip>)> = None;
            loop {
                news(&mut published, false).await?;
                let snapshot = shared.snapshot(&name)?;
                let is = (snapshot.version, snapshot.vips.clone());
                if sent.as_ref() == Some(&is) {
                    continue;
                }
                send(&to, snapshot).await?;
                sent = Some(is);
            }
        }))
    }

    /// A checker's reports, each message answered. The first message names the checker, for all of the stream.
    pub(crate) fn report_health(
        self: &Arc<Self>,
        reports: impl Stream<Item = Result<HealthReports, Status>> + Send + 'static,
        from: Option<SocketAddr>,
    ) -> Result<Answers<HealthReply>, Status> {
        self.leads()?;
        let shared = Arc::clone(self);
        Ok(sending(move |to| async move {
            tokio::pin!(reports);
            let mut published = shared.published.subscribe();
            let mut taken = 0;
            let mut place: Option<Place> = None;
            loop {
                let message = tokio::select! {
                    message = reports.next() => message,
                    role = published.wait_for(|p| !p.role.leads()) => {
                        return Err(match role {
                            Ok(now) => status::unavailable(&now.role),
                            Err(_) => status::unavailable(&crate::Role::Follows(None)),
                        });
                    }
                };
                let Some(message) = message else { return Ok(()) };
                let message = message?;
                match &place {
                    None => place = Some(Place::take(&shared, &message.checker, from)?),
                    Some(place) => place.speaks(&message.checker)?,
                }
                let reply = shared.reported(message, &mut taken, &to).await?;
                send(&to, reply).await?;
            }
        }))
    }

    async fn reported(
        &self,
        message: HealthReports,
        taken: &mut u64,
        to: &mpsc::Sender<Result<HealthReply, Status>>,
    ) -> Result<HealthReply, Status> {
        if self.jobs.capacity() == 0 {
            // It is taken all the same, as soon as there is room: nothing is lost, and no more is read meanwhile.
            send(to, HealthReply { taken: *taken, back_off_ms: BACK_OFF }).await?;
        }
        let count = message.reports.len() as u64;
        let HealthReports { checker, reports } = message;
        match self.ask(|answer| crate::Job::Reports(checker, reports, answer)).await? {
            Ok(intake) => self.metrics.reports(&intake),
            Err(refused @ CheckerRefused::Name) => return Err(Status::invalid_argument(refused.to_string())),
            Err(refused @ CheckerRefused::TooMany(_)) => {
                return Err(Status::resource_exhausted(refused.to_string()));
            }
        }
        *taken += count;
        // A queue that is half full asks checkers to send larger messages, less often.
        let back_off_ms = if self.jobs.capacity() < crate::QUEUE / 2 { BACK_OFF } else { 0 };
        Ok(HealthReply { taken: *taken, back_off_ms })
    }
}

/// A checker's name that a stream has, until it ends.
struct Place {
    shared: Arc<Shared>,
    name: String,
    claim: Claim,
}

impl Place {
    fn take(shared: &Arc<Shared>, name: &str, from: Option<SocketAddr>) -> Result<Self, Status> {
        if name.is_empty() || name.len() > 253 {
            return Err(Status::invalid_argument("a checker's name: 1 to 253 bytes"));
        }
        let silence = shared.options.checker_silence.as_millis() as u64;
        let claimed = shared.checkers().claim(name, from, shared.clock.now(), silence);
        let claim = claimed.map_err(|why| {
            tracing::warn!("{why}");
            Status::already_exists(why)
        })?;
        Ok(Self { shared: Arc::clone(shared), name: name.to_owned(), claim })
    }

    fn speaks(&self, name: &str) -> Result<(), Status> {
        if name != self.name {
            return Err(Status::invalid_argument("one stream, one checker: the name is another one"));
        }
        let now = self.shared.clock.now();
        self.shared.checkers().heard(&self.claim, now).map_err(Status::already_exists)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.checkers().leave(&self.claim);
    }
}

impl Shared {
    pub(crate) fn checkers(&self) -> MutexGuard<'_, Checkers> {
        self.checkers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What no node forwards by is told at most so often.
const RECORDS_PAUSE: Duration = Duration::from_secs(1);

/// Milliseconds that a checker is asked to wait when reports come faster than they are taken.
const BACK_OFF: u32 = 250;

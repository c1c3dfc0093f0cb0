//! The streams to one controller.

use crate::board::Board;
use crate::link::{Dial, Options};
use crate::target::Target;
use crate::workers::Workers;
use control_proto::trouble::words;
use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::{HealthReply, HealthReports, ProbeTargets, WatchTargetsRequest};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

/// Reports are sent this often.
const BATCH: Duration = Duration::from_millis(100);
/// Reports in one message, and messages that wait for the network: what is not sent yet is told later, as it is then.
const REPORTS: usize = 1_000;
const MESSAGES: usize = 4;
/// How long a controller may take to say what is to be probed.
const FIRST: Duration = Duration::from_secs(5);
/// How often the state of things is told to people.
const PROGRESS: Duration = Duration::from_secs(60);
/// The largest message that is taken.
const LARGEST: usize = 64 << 20;
/// Where a controller that doesn't lead says who does.
const LEADER: &str = "guideway-leader";

/// How a session ends.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Another one leads, there.
    Leader(String),
    /// It may be better later.
    Lost(String),
    /// It won't be better.
    Refused(String),
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        let leader = status.metadata().get(LEADER).and_then(|v| v.to_str().ok()).filter(|l| !l.is_empty());
        match (leader, status.code()) {
            (Some(leader), _) => Self::Leader(leader.to_owned()),
            (
                None,
                Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied | Code::InvalidArgument,
            ) => Self::Refused(status.message().to_owned()),
            _ => Self::Lost(words(&status)),
        }
    }
}

type Client = LbControlPlaneClient<Channel>;

async fn client(address: &str, dial: &Dial) -> Result<Client, Ended> {
    let endpoint = dial(address).map_err(Ended::Refused)?;
    let endpoint = endpoint
        .connect_timeout(Duration::from_secs(2))
        .http2_keep_alive_interval(Duration::from_secs(2))
        .keep_alive_timeout(Duration::from_secs(3))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    let channel = endpoint.connect().await.map_err(|e| {
        let cause = std::error::Error::source(&e).map(|c| format!(": {c}")).unwrap_or_default();
        Ended::Lost(format!("{e}{cause}"))
    })?;
    Ok(LbControlPlaneClient::new(channel).max_decoding_message_size(LARGEST))
}

/// A request that shows the token, if there is one.
fn asked<T>(message: T, options: &Options) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = &options.token {
        request.metadata_mut().insert("authorization", token.clone());
    }
    request
}

async fn watch(
    client: &mut Client,
    options: &Options,
) -> Result<(Streaming<ProbeTargets>, ProbeTargets), Ended> {
    let first = async {
        let request = asked(WatchTargetsRequest { checker: options.id.clone() }, options);
        let mut targets = client.watch_targets(request).await?.into_inner();
        let first = targets.message().await?;
        Ok::<_, Status>((targets, first))
    };
    let late = || Ended::Lost(format!("no targets within {} s", FIRST.as_secs()));
    let (targets, first) = timeout(FIRST, first).await.map_err(|_| late())??;
    let first = first.ok_or_else(|| Ended::Lost("the stream of targets ended".to_owned()))?;
    Ok((targets, first))
}

/// What is to be probed, asked once.
pub(crate) async fn targets(address: &str, options: &Options) -> Result<Vec<Target>, Ended> {
    let mut client = client(address, &options.dial).await?;
    let (_, first) = watch(&mut client, options).await?;
    Ok(first.targets.iter().map(Target::new).collect())
}

/// One connection to one controller.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    pub(crate) board: &'a Board,
    pub(crate) workers: &'a mut Workers,
}

impl Session<'_> {
    /// Until it ends.
    pub(crate) async fn run(mut self, address: &str) -> Ended {
        match self.serve(address).await {
            Ok(()) => Ended::Lost("the controller ended the stream".to_owned()),
            Err(ended) => ended,
        }
    }
    async fn serve(&mut self, address: &str) -> Result<(), Ended> {
        let mut client = client(address, &self.options.dial).await?;
        let (mut targets, first) = watch(&mut client, self.options).await?;
        tracing::info!("{address}: {} backends to probe", first.targets.len());
        self.take(&first);
        let (out, replies) = self.report(&mut client).await?;
        let mut replies = replies;
        self.board.tell_all();
        let mut batch = interval(BATCH);
        batch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = interval(PROGRESS);
        progress.tick().await;
        let mut not_before = Instant::now();
        loop {
            tokio::select! {
                changed = targets.message() => match changed? {
                    Some(changed) => self.take(&changed),
                    None => return Ok(()),
                },
                reply = replies.message() => match reply? {
                    Some(reply) => not_before = self.obey(&reply, not_before),
                    None => return Ok(()),
                },
                _ = batch.tick() => if Instant::now() >= not_before {
                    self.send(&out);
                },
                _ = progress.tick() => {
                    let t = self.board.tally();
                    tracing::info!("{address}: {} backends, {} failing, {} unknown; {} probes so far", t.all, t.failing, t.unknown, t.probes);
                }
            }
        }
    }
    /// Opens the stream of reports. Its first message says who reports, and nothing else.
    async fn report(
        &self,
        client: &mut Client,
    ) -> Result<(mpsc::Sender<HealthReports>, Streaming<HealthReply>), Ended> {
        let (out, queue) = mpsc::channel(MESSAGES);
        let hello = HealthReports { checker: self.options.id.clone(), reports: Vec::new() };
        out.try_send(hello).map_err(|_| Ended::Lost("no room for a first message".to_owned()))?;
        let opened =
            timeout(FIRST, client.report_health(asked(ReceiverStream::new(queue), self.options))).await;
        let opened = opened.map_err(|_| Ended::Lost("the controller takes no reports".to_owned()))??;
        Ok((out, opened.into_inner()))
    }
    fn take(&mut self, targets: &ProbeTargets) {
        tracing::debug!("version {} of the targets: {}", targets.version, targets.targets.len());
        self.workers.set(targets.targets.iter().map(Target::new).collect());
    }
    /// Sends what is due, as long as the network takes it.
    fn send(&self, out: &mpsc::Sender<HealthReports>) {
        while let Ok(place) = out.try_reserve() {
            let reports = self.board.take(REPORTS);
            if reports.is_empty() {
                return;
            }
            place.send(HealthReports { checker: self.options.id.clone(), reports });
        }
    }
    fn obey(&self, reply: &HealthReply, not_before: Instant) -> Instant {
        if reply.back_off_ms == 0 {
            return not_before;
        }
        tracing::debug!("the controller asks for {} ms of silence", reply.back_off_ms);
        // Reports expire after 15 s; nobody who wants them asks for more silence than this.
        not_before.max(Instant::now() + Duration::from_millis(reply.back_off_ms.min(10_000).into()))
    }
}

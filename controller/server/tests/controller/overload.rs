//! More than is taken: reports that come too fast, and too many checkers or two by one name.

use crate::lab::{Client, Running, SOON, register, until};
use async_trait::async_trait;
use control_proto::v1::*;
use control_registry::{Change, Records, Redb, Registry, RegistryError, Revision, Term};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Code, Status, Streaming};

/// A registry that keeps nothing while it is shut.
struct Gate {
    inner: Redb,
    open: watch::Receiver<bool>,
}

#[async_trait]
impl Registry for Gate {
    async fn lead(&self, address: &str) -> Result<Term, RegistryError> {
        self.inner.lead(address).await
    }
    async fn ended(&self, term: Term) {
        self.inner.ended(term).await;
    }
    async fn resign(&self, term: Term) {
        self.inner.resign(term).await;
    }
    async fn leader(&self) -> Result<Option<String>, RegistryError> {
        self.inner.leader().await
    }
    async fn load(&self) -> Result<Records, RegistryError> {
        self.inner.load().await
    }
    async fn commit(
        &self,
        term: Term,
        after: Revision,
        changes: Vec<Change>,
    ) -> Result<Revision, RegistryError> {
        self.open.clone().wait_for(|open| *open).await.unwrap();
        self.inner.commit(term, after, changes).await
    }
    async fn changed(&self, after: Revision) -> Result<Revision, RegistryError> {
        self.inner.changed(after).await
    }
}

/// A checker's stream that says what it likes.
struct Stream {
    sender: mpsc::Sender<HealthReports>,
    replies: Streaming<HealthReply>,
}

impl Stream {
    async fn open(client: &Client) -> Self {
        let (sender, receiver) = mpsc::channel(4);
        let replies = client.clone().report_health(ReceiverStream::new(receiver)).await.unwrap().into_inner();
        Self { sender, replies }
    }

    async fn say(&self, checker: &str, reports: u64) {
        let report = |n| HealthReport {
            pool: "web".into(),
            backend: "a".into(),
            state: Health::Healthy.into(),
            checked_at_ms: n,
            consecutive_passes: 3,
            ..Default::default()
        };
        let message = HealthReports { checker: checker.into(), reports: (1..=reports).map(report).collect() };
        self.sender.send(message).await.unwrap();
    }

    async fn reply(&mut self) -> Result<HealthReply, Status> {
        Ok(tokio::time::timeout(SOON, self.replies.message()).await.unwrap()?.unwrap())
    }

    async fn hello(client: &Client, checker: &str) -> Result<Self, Status> {
        let mut stream = Self::open(client).await;
        stream.say(checker, 0).await;
        stream.reply().await.map(|_| stream)
    }
}

/// So many calls at once that the queue is full; they wait for an answer.
async fn fill(it: &Running, calls: usize) -> tokio::task::JoinSet<Result<(), Status>> {
    let mut waiting = tokio::task::JoinSet::new();
    let mut client = it.client.clone();
    for n in 0..calls {
        if n % 100 == 0 {
            // A connection has room for so many calls at once only.
            let channel = Endpoint::from_shared(format!("http://{}", it.address)).unwrap();
            client = Client::new(channel.connect_lazy());
        }
        let mut client = client.clone();
        waiting.spawn(async move {
            client.report_node(NodeReport { node: "n1".into(), ..Default::default() }).await.map(drop)
        });
    }
    waiting
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_are_not_taken_fast_enough_are_asked_to_wait_and_none_is_lost() {
    let (gate, open) = watch::channel(true);
    let mut it = Running::start(Gate { inner: Redb::in_memory().unwrap(), open }, |_| {});
    it.leads().await;
    let _checkers = it.web(&["a"]).await;
    let mut stream = Stream::hello(&it.client, "c3").await.unwrap();
    stream.say("c3", 10).await;
    let calm = stream.reply().await.unwrap();
    assert_eq!((calm.taken, calm.back_off_ms), (10, 0));

    // The leading task waits for the registry, and everybody for the leading task.
    gate.send_replace(false);
    let mut stuck = it.client.clone();
    let stuck = tokio::spawn(async move { stuck.register_backend(register("b", "10.0.0.2")).await });
    let mut waiting = fill(&it, 1_500).await;
    // A message that comes before the queue is full waits in it like all else, and is answered when the gate opens.
    let mut streams = Vec::new();
    loop {
        assert!(streams.len() < 60, "the queue is never full");
        let name = format!("d{}", streams.len());
        let mut stream = Stream::open(&it.client).await;
        stream.say(&name, 10).await;
        let told = tokio::time::timeout(Duration::from_secs(2), stream.replies.message()).await;
        streams.push(stream);
        if let Ok(told) = told {
            let told = told.unwrap().unwrap();
            assert!(told.taken == 0 && told.back_off_ms > 0, "{told:?}");
            break;
        }
    }
    gate.send_replace(true);
    for stream in &mut streams {
        while stream.reply().await.unwrap().taken < 10 {}
    }
    while let Some(done) = waiting.join_next().await {
        done.unwrap().unwrap();
    }
    stuck.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_checkers_are_refused_and_the_others_go_on() {
    let mut it = Running::start(Redb::in_memory().unwrap(), |o| o.health.max_checkers = 2);
    it.leads().await;
    let mut checkers = it.web(&["a"]).await;
    let refused = Stream::hello(&it.client, "c3").await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    checkers.find("a", Health::Unhealthy).await;
    it.state("a", BackendState::Unhealthy).await;
    let refused = Stream::hello(&it.client, "not a name").await.err().unwrap();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}

/// Two that run by one name would look like one that changes its mind: the one that is there stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_checkers() {
    let mut it = Running::alone().await;
    let mut checkers = it.web(&["a"]).await;
    let refused = Stream::hello(&it.client, "c1").await.err().unwrap();
    assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    assert!(refused.message().contains("from 127.0.0.1"), "{refused}");
    let status = it.client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    assert!(status.alarms.iter().any(|alarm| alarm.contains("checker c1")), "{:?}", status.alarms);
    // The first one is heard as before, and counts.
    checkers.find("a", Health::Unhealthy).await;
    it.state("a", BackendState::Unhealthy).await;
    // One that restarts: its old stream is gone, and the name is free.
    drop(checkers);
    until(async || Stream::hello(&it.client, "c1").await.is_ok()).await;
    let mut stream = Stream::hello(&it.client, "c9").await.unwrap();
    stream.say("c8", 1).await;
    assert_eq!(stream.reply().await.unwrap_err().code(), Code::InvalidArgument);
}

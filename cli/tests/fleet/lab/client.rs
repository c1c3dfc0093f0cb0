//! Whoever asks controllers, of which one leads.

use control_proto::v1::lb_control_plane_client::LbControlPlaneClient;
use control_proto::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};

pub(crate) type Stub = LbControlPlaneClient<Channel>;

/// How long an answer may take: what comes later is as good as none.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Client {
    stubs: Vec<Stub>,
    /// Who answered last.
    at: Arc<AtomicUsize>,
}

impl Client {
    pub(crate) fn new(addresses: &[&str]) -> Self {
        let stub = |address: &&str| {
            let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
            Stub::new(endpoint.connect_timeout(Duration::from_secs(2)).connect_lazy())
                .max_decoding_message_size(64 << 20)
        };
        Self { stubs: addresses.iter().map(stub).collect(), at: Arc::default() }
    }

    /// Asks one after the other, once each; the last refusal if nobody leads.
    pub(crate) async fn once<T: Clone, R, F>(
        &self,
        message: T,
        ask: impl Fn(Stub, T) -> F,
    ) -> Result<R, Status>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let mut last = Status::unavailable("nobody was asked");
        let first = self.at.load(Ordering::Relaxed);
        for turn in 0..self.stubs.len() {
            let at = (first + turn) % self.stubs.len();
            let stub = &self.stubs[at];
            match tokio::time::timeout(ANSWER, ask(stub.clone(), message.clone())).await {
                Err(_) => last = Status::deadline_exceeded(format!("no answer within {ANSWER:?}")),
                Ok(Ok(answer)) => {
                    self.at.store(at, Ordering::Relaxed);
                    return Ok(answer.into_inner());
                }
                Ok(Err(status)) if status.code() == Code::Unavailable => last = status,
                Ok(Err(status)) => return Err(status),
            }
        }
        Err(last)
    }

    /// Asks until one answers.
    pub(crate) async fn ask<T: Clone, R, F>(&self, message: T, ask: impl Fn(Stub, T) -> F) -> R
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let end = Instant::now() + super::LONG;
        loop {
            match self.once(message.clone(), &ask).await {
                Ok(answer) => return answer,
                Err(status) => {
                    let again = matches!(
                        status.code(),
                        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown
                    );
                    assert!(again && Instant::now() < end, "{status}");
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn pool(&self, name: &str) -> PoolSnapshot {
        let request = GetPoolRequest { name: name.into() };
        self.ask(request, async |mut c: Stub, r| c.get_pool(r).await).await
    }

    pub(crate) async fn backend(&self, pool: &str, name: &str) -> Backend {
        let pool = self.pool(pool).await;
        pool.backends.into_iter().find(|b| b.spec.as_ref().unwrap().name == name).unwrap()
    }

    /// What the leader says; a follower's status is no answer.
    pub(crate) async fn status(&self) -> Status1 {
        self.ask(GetStatusRequest {}, async |mut c: Stub, r| {
            let answer = c.get_status(r).await?;
            if answer.get_ref().leads { Ok(answer) } else { Err(Status::unavailable("a follower")) }
        })
        .await
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        let all = ListEventsRequest { limit: 10_000, ..Default::default() };
        self.ask(all, async |mut c: Stub, r| c.list_events(r).await).await.events
    }

    /// Waits until a backend is in this state.
    pub(crate) async fn state(&self, pool: &str, name: &str, state: BackendState) -> Backend {
        super::until(&format!("{name} is {state:?}"), async || match self.backend(pool, name).await {
            b if b.state() == state => Ok(b),
            b => Err(format!("{:?}: {}", b.state(), b.reason)),
        })
        .await
    }
}

pub(crate) type Status1 = control_proto::v1::Status;

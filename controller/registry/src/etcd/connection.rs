//! Calls to whichever member answers.
//!
//! One member is asked until it fails; then the next one. A call is tried again for as long as patience lasts, so every
//! call here is safe to make twice: reads, and transactions that compare before they write.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use super::options::{EtcdOptions, Login};
use super::wire::{AuthenticateRequest, auth_client::AuthClient};
use crate::RegistryError;

/// The longest answer that is taken: a page of records.
pub(super) const LONGEST_ANSWER: usize = 128 << 20;

#[derive(Debug)]
pub(super) struct Connection {
    members: Vec<(String, Channel)>,
    /// Index of the member that is asked; counted up at each failure.
    asked: AtomicUsize,
    login: Option<Login>,
    token: Mutex<Option<MetadataValue<Ascii>>>,
    patience: Duration,
    attempt: Duration,
}

/// A call that failed for good.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was to be read at an older revision is not kept any more.
    Compacted,
    Registry(RegistryError),
}

impl From<Failure> for RegistryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Registry(error) => error,
            Failure::Compacted => Self::Unavailable("it was compacted while it was read".into()),
        }
    }
}

/// One member, and what a request to it carries.
pub(super) struct Member {
    pub(super) channel: Channel,
    token: Option<MetadataValue<Ascii>>,
}

impl Member {
    /// A request that is refused by a member without a leader, instead of waiting for one.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("hasleader", MetadataValue::from_static("true"));
        if let Some(token) = &self.token {
            metadata.insert("token", token.clone());
        }
        request
    }
}

enum Then {
    /// Another member may know better.
    Again,
    /// Log in anew.
    Login,
    Fail(Failure),
}

impl Connection {
    pub(super) fn new(members: &[String], options: &EtcdOptions) -> Result<Self, RegistryError> {
        if members.is_empty() {
            return Err(RegistryError::Unusable("no member of etcd is named".into()));
        }
        let members = members.iter().map(|member| Ok((member.clone(), channel(member, options)?)));
        Ok(Self {
            members: members.collect::<Result<_, RegistryError>>()?,
            asked: AtomicUsize::new(0),
            login: options.login.clone(),
            token: Mutex::new(None),
            patience: options.patience,
            attempt: options.attempt,
        })
    }

    /// Calls until it is answered, within the patience that there is.
    pub(super) async fn call<T, F>(&self, call: impl Fn(Member) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_within(self.patience, self.attempt, call).await
    }

    /// Calls until it is answered, for no longer than `patience`, each member for no longer than `attempt`.
    pub(super) async fn call_within<T, F>(
        &self,
        patience: Duration,
        attempt: Duration,
        call: impl Fn(Member) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let end = Instant::now() + patience;
        let mut pause = Duration::from_millis(10);
        let mut last = String::new();
        loop {
            let asked = self.asked.load(Ordering::Relaxed);
            let (name, channel) = &self.members[asked % self.members.len()];
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let why = format!("tried for {patience:?}; {last}");
                return Err(Failure::Registry(RegistryError::Unavailable(why)));
            }
            let answered = timeout(attempt.min(left), self.ask(channel, &call)).await;
            let status = match answered {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("no answer in time"),
            };
            last = format!("{name}: {}", said(&status));
            match self.judge(name, &status) {
                Then::Fail(failure) => return Err(failure),
                Then::Login => *self.token() = None,
                Then::Again => self.leave(asked),
            }
            sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    async fn ask<T, F>(&self, channel: &Channel, call: &impl Fn(Member) -> F) -> Result<Response<T>, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let token = self.logged_in(channel).await?;
        call(Member { channel: channel.clone(), token }).await
    }

    async fn logged_in(&self, channel: &Channel) -> Result<Option<MetadataValue<Ascii>>, Status> {
        let held = self.token().clone();
        let (None, Some(Login { user, password })) = (&held, &self.login) else { return Ok(held) };
        let request = AuthenticateRequest { name: user.clone(), password: password.clone() };
        let token = match AuthClient::new(channel.clone()).authenticate(request).await {
            Ok(answer) => answer.into_inner().token,
            // Nobody has to log in yet.
            Err(status) if status.message().contains("authentication is not enabled") => return Ok(None),
            Err(status) => return Err(status),
        };
        let token: MetadataValue<Ascii> =
            token.parse().map_err(|_| Status::internal("etcd's token is no text"))?;
        *self.token() = Some(token.clone());
        Ok(Some(token))
    }

    fn token(&self) -> std::sync::MutexGuard<'_, Option<MetadataValue<Ascii>>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the next member from now on, unless another call came to that before.
    pub(super) fn leave(&self, asked: usize) {
        let next = asked.wrapping_add(1);
        let _ = self.asked.compare_exchange(asked, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn judge(&self, name: &str, status: &Status) -> Then {
        let said = said(status);
        let unusable = || Then::Fail(Failure::Registry(RegistryError::Unusable(format!("{name}: {said}"))));
        let stale_token = ["invalid auth token", "revision of auth store is old", "user name is empty"];
        if self.login.is_some() && stale_token.iter().any(|text| said.contains(text)) {
            return Then::Login;
        }
        match status.code() {
            Code::OutOfRange if said.contains("compacted") => Then::Fail(Failure::Compacted),
            Code::ResourceExhausted if !said.contains("too many requests") => {
                Then::Fail(Failure::Registry(RegistryError::Unavailable(format!("{name}: {said}"))))
            }
            Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::Unimplemented
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition => unusable(),
            _ if is_tls(&said) => unusable(),
            _ => Then::Again,
        }
    }
}

/// Certificates don't get better by waiting.
fn is_tls(said: &str) -> bool {
    said.contains("invalid peer certificate") || said.contains("received fatal alert")
}

/// A status with its causes.
fn said(status: &Status) -> String {
    let mut said = status.message().to_owned();
    let mut cause = status.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    said
}

fn channel(member: &str, options: &EtcdOptions) -> Result<Channel, RegistryError> {
    let unusable = |error: &dyn Error| {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        RegistryError::Unusable(format!("`{member}`: {cause}"))
    };
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let mut endpoint =
        Endpoint::from_shared(format!("{scheme}://{member}")).map_err(|error| unusable(&error))?;
    if let Some(tls) = &options.tls {
        endpoint = endpoint.tls_config(tls.clone()).map_err(|error| unusable(&error))?;
    }
    // etcd hangs up on who pings more often than every five seconds.
    let endpoint = endpoint
        .connect_timeout(options.attempt)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(3))
        .keep_alive_while_idle(true);
    Ok(endpoint.connect_lazy())
}

//! What is asked of the leading task.

use crate::status;
use control_core::health::{CheckerRefused, Intake};
use control_core::{Command, Reply};
use control_proto::v1::{HealthReport, NodeReport, NodeReportReply, NodeSnapshot};
use tokio::sync::oneshot;
use tonic::Status;

/// An answer that is waited for.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, Status>>;

pub(crate) enum Job {
    Command(Box<Command>, Answer<Reply>),
    Reports(String, Vec<HealthReport>, Answer<Result<Intake, CheckerRefused>>),
    Node(Box<NodeReport>, Answer<NodeReportReply>),
    Offer(Box<NodeSnapshot>, Answer<bool>),
}

impl Job {
    /// Answers all in one way: nobody here leads.
    pub(crate) fn refuse(self, status: Status) {
        // Whoever asked may be gone.
        match self {
            Self::Command(_, answer) => drop(answer.send(Err(status))),
            Self::Reports(_, _, answer) => drop(answer.send(Err(status))),
            Self::Node(_, answer) => drop(answer.send(Err(status))),
            Self::Offer(_, answer) => drop(answer.send(Err(status))),
        }
    }
}

impl crate::Shared {
    /// Has the leading task do something.
    pub(crate) async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, Status> {
        self.leads()?;
        let (sender, answer) = oneshot::channel();
        let sent = self.jobs.send(job(sender)).await;
        sent.map_err(|_| status::unavailable(&crate::Role::Follows(None)))?;
        // What waits is answered; what is dropped was at work.
        answer.await.map_err(|_| status::open("this controller's term ended while it was committed"))?
    }

    /// Only who leads does that.
    pub(crate) fn leads(&self) -> Result<(), Status> {
        let published = self.published.borrow();
        if published.role.leads() { Ok(()) } else { Err(status::unavailable(&published.role)) }
    }
}

//! Commits: one transaction, or a journal and those that carry it out.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Etcd;
use super::connection::Failure;
use super::keys::{Head, behind};
use super::plan::{Outcome, journal, transactions};
use super::tenure::Tenure;
use super::wire::{self, Op, TxnRequest, TxnResponse};
use crate::{RegistryError, Revision};

/// A write that was not made.
enum Refused {
    /// Another leads.
    Fenced,
    /// The head is this one.
    Moved(Head),
    Failed(RegistryError),
}

impl Etcd {
    pub(super) async fn commit_in(
        &self,
        tenure: &Tenure,
        after: Revision,
        outcome: &Outcome,
    ) -> Result<Revision, RegistryError> {
        let mut held = self.head.lock().await;
        // It is not what it was, until it is known again.
        let last = held.take();
        let committed = self.commit_after(tenure, last, after, outcome).await;
        match committed {
            Ok(head) => {
                let revision = head.revision;
                *held = Some(head);
                Ok(revision)
            }
            Err(Refused::Fenced) => Err(RegistryError::Fenced(tenure.term)),
            Err(Refused::Moved(head)) => {
                let at = head.revision;
                *held = Some(head);
                Err(RegistryError::Moved { at, expected: after })
            }
            Err(Refused::Failed(error)) => Err(error),
        }
    }

    async fn commit_after(
        &self,
        tenure: &Tenure,
        last: Option<Head>,
        after: Revision,
        outcome: &Outcome,
    ) -> Result<Head, Refused> {
        let mut last = match last {
            Some(head) if head.revision == after => head,
            _ => self.fenced_head(tenure).await?,
        };
        if last.revision != after {
            return Err(Refused::Moved(last));
        }
        if last.parts > 0 {
            let pending = self.pending(&last).await?;
            last = self.carry_out(tenure, last, &pending).await?;
        }
        let next = Head {
            revision: Revision(after.0 + 1),
            commit: RandomState::new().build_hasher().finish(),
            ..Head::default()
        };
        let mut groups = transactions(&self.keys, outcome);
        if groups.len() <= 1 {
            return self.write(tenure, &last, next, groups.pop().unwrap_or_default()).await;
        }
        let parts = journal(outcome);
        for (i, part) in parts.iter().enumerate() {
            self.write_beside(tenure, &last, vec![wire::put(self.keys.journal_part(i), part.clone())])
                .await?;
        }
        let head = self.write(tenure, &last, Head { parts: parts.len(), ..next }, Vec::new()).await?;
        // It is kept. What is not carried out now is before the next commit.
        Ok(self.carry_out(tenure, head.clone(), outcome).await.unwrap_or(head))
    }

    /// The head, if we lead.
    async fn fenced_head(&self, tenure: &Tenure) -> Result<Head, Refused> {
        let read = wire::ops([wire::get(&self.keys.head)]);
        let request = TxnRequest { compare: tenure.fence(), success: read, failure: Vec::new() };
        let answer = self.transaction(&request).await.map_err(failed)?;
        if !answer.succeeded {
            return Err(Refused::Fenced);
        }
        Head::read(wire::found(answer).next().flatten().as_ref()).map_err(Refused::Failed)
    }

    async fn pending(&self, head: &Head) -> Result<Outcome, Refused> {
        // Only who leads touches the journal; 0 is etcd's newest revision.
        self.open_journal(head, 0).await.map_err(failed)
    }

    /// Does what the journal says, and clears it.
    async fn carry_out(&self, tenure: &Tenure, head: Head, outcome: &Outcome) -> Result<Head, Refused> {
        for group in transactions(&self.keys, outcome) {
            self.write_beside(tenure, &head, group).await?;
        }
        let clear = wire::delete(self.keys.journal.clone(), behind(&self.keys.journal));
        self.write(tenure, &head, Head { parts: 0, ..head.clone() }, vec![clear]).await
    }

    /// Writes what may be written twice, while the head is `last`.
    async fn write_beside(&self, tenure: &Tenure, last: &Head, operations: Vec<Op>) -> Result<(), Refused> {
        let answer = self.fenced(tenure, last, operations).await?;
        if answer.succeeded {
            return Ok(());
        }
        let (head, ours) = found(tenure, answer)?;
        Err(if ours { Refused::Moved(head) } else { Refused::Fenced })
    }

    /// Writes, and makes the head `next`, if it is `last`.
    async fn write(
        &self,
        tenure: &Tenure,
        last: &Head,
        next: Head,
        mut operations: Vec<Op>,
    ) -> Result<Head, Refused> {
        operations.push(wire::put(self.keys.head.clone(), next.value()));
        let answer = self.fenced(tenure, last, operations).await?;
        if answer.succeeded {
            return Ok(Head { written: answer.header.as_ref().map_or(0, |header| header.revision), ..next });
        }
        let (head, ours) = found(tenure, answer)?;
        // It was tried before, took effect, and the answer was lost.
        if head.value() == next.value() {
            return Ok(head);
        }
        Err(if ours { Refused::Moved(head) } else { Refused::Fenced })
    }

    /// A transaction that does nothing unless we lead and the head is `last`; then it reads both.
    async fn fenced(
        &self,
        tenure: &Tenure,
        last: &Head,
        operations: Vec<Op>,
    ) -> Result<TxnResponse, Refused> {
        let mut compare = tenure.fence();
        compare.push(wire::written_at(&self.keys.head, last.written));
        let reads = [wire::get(&self.keys.head), wire::get(&self.keys.leader)];
        let request = TxnRequest { compare, success: wire::ops(operations), failure: wire::ops(reads) };
        self.transaction(&request).await.map_err(failed)
    }
}

/// What a transaction that did nothing read: the head, and whether we lead.
fn found(tenure: &Tenure, answer: TxnResponse) -> Result<(Head, bool), Refused> {
    let mut found = wire::found(answer);
    let head = found.next().flatten();
    let leader = found.next().flatten();
    let ours = leader.is_some_and(|leader| tenure.owns(&leader));
    Ok((Head::read(head.as_ref()).map_err(Refused::Failed)?, ours))
}

fn failed(failure: Failure) -> Refused {
    Refused::Failed(failure.into())
}

//! Rings that take each other's place while frames come.

use crate::entries::{Forms, POOL, address, vip};
use crate::judge::{Epoch, Verdict, first_to, judge};
use crate::lab::{OUTSIDE, Switch};
use crate::traffic::{Load, Traffic};
use anyhow::{Context as _, Result};
use p4runtime_proto::p4::v1::Update;
use runtime_client::{Atomicity, Names, Session, insert, modify};
use serde::Serialize;
use std::time::Duration;

/// How often, and under what traffic.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Whole rings, one after the other; 254 at most.
    pub swaps: u8,
    /// The traffic.
    pub load: Load,
}

/// Milliseconds of one swap, each from the call's beginning.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Times {
    /// Until every slot is written and acknowledged.
    pub written: f64,
    /// From there, until the generation's change is acknowledged.
    pub flipped: f64,
    /// Until the first frame that went to the new ring's backend had come back.
    pub effect: f64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Swaps {
    /// Each swap.
    pub times: Vec<Times>,
    /// All frames.
    pub frames: Verdict,
    /// Frames per second.
    pub pace: f64,
}

struct Call {
    began: u64,
    written: u64,
    flipped: u64,
    to: u32,
}

/// Swaps rings on a switch that holds nothing yet.
///
/// # Errors
/// The server refuses, or no frames can be sent.
pub async fn swaps(switch: &Switch, effort: Effort) -> Result<Swaps> {
    let (session, names) = switch.session().await?;
    let forms = Forms::new(&names)?;
    let mut first: Vec<Update> =
        (1..=u32::from(effort.swaps) + 1).map(|n| insert(forms.backend(n))).collect();
    first.extend(forms.ring(POOL, 1, 1).map(insert));
    first.extend([insert(forms.pool(POOL, 1)), vip(&names)?]);
    write(&session, &first, &names).await?;
    let traffic = Traffic::start(OUTSIDE, effort.load)?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut calls = Vec::new();
    for number in 2..=effort.swaps + 1 {
        // Made before the clock runs: what a controller's own arithmetic takes is not the server's affair.
        let ring: Vec<Update> = forms.ring(POOL, number, number.into()).map(insert).collect();
        let began = traffic.now();
        write(&session, &ring, &names).await?;
        let written = traffic.now();
        write(&session, &[modify(forms.pool(POOL, number))], &names).await?;
        calls.push(Call { began, written, flipped: traffic.now(), to: address(number.into()) });
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seconds = traffic.now() as f64 / 1e9;
    let record = tokio::task::spawn_blocking(|| traffic.end()).await??;
    let starts = std::iter::once((address(1), 0)).chain(calls.iter().map(|c| (c.to, c.written)));
    let ends = calls.iter().map(|c| c.flipped).chain([u64::MAX]);
    let epochs: Vec<Epoch> = starts.zip(ends).map(|((to, from), until)| Epoch { to, from, until }).collect();
    let ms = |ns: u64| ns as f64 / 1e6;
    let times = calls.iter().map(|c| {
        let effect = first_to(&record, c.to, c.written).context("no frame went to a ring's backend")?;
        let (written, flipped) = (ms(c.written - c.began), ms(c.flipped - c.written));
        Ok(Times { written, flipped, effect: ms(effect - c.began) })
    });
    let times = times.collect::<Result<_>>()?;
    let pace = record.frames.len() as f64 / seconds;
    Ok(Swaps { times, frames: judge(&record, &epochs), pace })
}

async fn write(session: &Session, updates: &[Update], names: &Names) -> Result<()> {
    session.write(updates, Atomicity::ContinueOnError, Some(names)).await?.ok()?;
    Ok(())
}

//! What the checkers' reports mean, together.
//!
//! Each checker says what its own last probe found and how often in a row. Here that becomes one [`Verdict`] per backend.
//!
//! - **A checker's opinion** turns after [`Settings::failures_down`] failures or [`Settings::passes_up`] passes in a row;
//!   in between it is what it was. How often in a row is what the checker says: reports are fewer than probes, and two
//!   reports may tell of the same one. A report that has not been renewed for [`Settings::expiry_ms`] is gone, and the opinion with it.
//! - **Quorum.** A value holds if a majority of all unexpired reports, and at least [`Settings::min_agree`], have that
//!   opinion. A report without an opinion counts among "all". Otherwise the value stays as it was: frozen; and
//!   *unknown* once no agreement has had its support for [`Settings::expiry_ms`].
//! - **Time** is the receiver's: a checker's clock says only in which order its own reports were made.
//! - **Readiness** is the same once more, apart from liveness, over the reports of checkers that probe it.
//! - **Flap damping** delays the way up, never the way down: see [`Damping`].
//! - **Passive signals** make a backend suspect, nothing else: see [`Suspicion`].
//!
//! Nothing here looks at a clock: `now` is handed in, in milliseconds, and a `now` that is lower than one before counts as that
//! one.

mod aggregate;
mod backend;
mod checkers;
mod damping;
mod opinion;
mod settings;
mod suspect;
mod verdict;

pub use aggregate::{Changed, Health, Intake};
pub use checkers::CheckerRefused;
pub use settings::{Damping, Settings, Suspicion};
pub use verdict::{Certainty, Liveness, Readiness, Verdict, panics};

/// The name of a backend: its pool's, and its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Of the pool.
    pub pool: String,
    /// Of the backend in the pool.
    pub backend: String,
}

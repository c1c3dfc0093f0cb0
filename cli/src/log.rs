//! What is told beside the result: notes, and on request (`GUIDEWAY_LOG`) the steps of the way there. All of it goes to
//! standard error.

use crate::Refused;
use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, fmt};
use tracing_subscriber::registry::LookupSpan;

/// The variable that chooses what is told: a level, or `CRATE=LEVEL` with commas between.
const VARIABLE: &str = "GUIDEWAY_LOG";

/// Starts telling. Without the variable, notes and what is worse.
pub(crate) fn start() -> Result<(), Refused> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).with_env_var(VARIABLE);
    let filter = filter.try_from_env();
    let filter = match (std::env::var_os(VARIABLE), filter) {
        (_, Ok(filter)) => filter,
        (None, Err(_)) => EnvFilter::default().add_directive(LevelFilter::INFO.into()),
        (Some(_), Err(error)) => {
            return Err(Refused(format!(
                "error: {VARIABLE}: {error}; write a level (`debug`), or crates with theirs (`sw_fallback=trace,info`)"
            )));
        }
    };
    fmt().with_env_filter(filter).with_writer(std::io::stderr).event_format(Lines).init();
    Ok(())
}

/// `note: text` for what everyone is told; with the crate for the rest.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let about = event.metadata();
        match *about.level() {
            Level::ERROR => write!(writer, "error: ")?,
            Level::WARN | Level::INFO => write!(writer, "note: ")?,
            Level::DEBUG => write!(writer, "debug: {}: ", about.target())?,
            Level::TRACE => write!(writer, "trace: {}: ", about.target())?,
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

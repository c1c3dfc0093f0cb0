//! What went wrong between a client and a controller, in words.

use std::error::Error;
use tonic::{Code, Status};

/// Whether a status was made on this side: nobody answered, or the answer broke off.
#[must_use]
pub fn on_the_way(status: &Status) -> bool {
    let codes = [Code::Unknown, Code::Unavailable, Code::Internal, Code::Cancelled];
    status.source().is_some() && codes.contains(&status.code())
}

/// A status in words: of one that was made on this side all causes, of a controller's answer its code and text.
///
/// ```
/// use control_proto::trouble::words;
/// assert_eq!(words(&tonic::Status::not_found("no pool")), "NotFound: no pool");
/// let broken = std::io::Error::other("received fatal alert");
/// assert_eq!(words(&tonic::Status::from_error(Box::new(broken))), "received fatal alert");
/// ```
#[must_use]
pub fn words(status: &Status) -> String {
    if !on_the_way(status) {
        return format!("{:?}: {}", status.code(), status.message());
    }
    let mut words = vec![status.message().to_owned()];
    let mut cause = status.source();
    while let Some(next) = cause {
        words.push(next.to_string());
        cause = next.source();
    }
    // It says only that there are causes.
    words.retain(|text| text != "transport error");
    words.dedup_by(|next, before| before.contains(next.as_str()));
    words.join(": ")
}

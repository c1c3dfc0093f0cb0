//! What gRPC answers.

use crate::published::Role;
use control_core::{Code, Refusal};
use control_registry::RegistryError;
use tonic::Status;
use tonic::metadata::MetadataValue;

/// The metadata of UNAVAILABLE that names the leader's address.
const LEADER: &str = "guideway-leader";

pub(crate) fn refused(refusal: &Refusal) -> Status {
    let text = refusal.text.clone();
    match refusal.code {
        Code::InvalidArgument => Status::invalid_argument(text),
        Code::NotFound => Status::not_found(text),
        Code::AlreadyExists => Status::already_exists(text),
        Code::FailedPrecondition => Status::failed_precondition(text),
        Code::ResourceExhausted => Status::resource_exhausted(text),
    }
}

/// This controller does not lead; who does is said in the text and in the metadata.
pub(crate) fn unavailable(role: &Role) -> Status {
    let Role::Follows(Some(leader)) = role else {
        return Status::unavailable("nobody leads at present: an election is under way, try again");
    };
    let mut status = Status::unavailable(format!("this controller follows; the leader is at {leader}"));
    if let Ok(value) = MetadataValue::try_from(leader.as_str()) {
        status.metadata_mut().insert(LEADER, value);
    }
    status
}

/// A change that was begun, and nobody here knows how it ended.
pub(crate) fn open(why: impl std::fmt::Display) -> Status {
    Status::deadline_exceeded(format!("{why}; whether the change took effect is open: ask, or try again"))
}

/// What a commit that failed is answered with.
pub(crate) fn not_kept(error: &RegistryError) -> Status {
    match error {
        RegistryError::Fenced(_) | RegistryError::Moved { .. } => {
            Status::unavailable(format!("{error}: nothing was changed, try again"))
        }
        RegistryError::Unavailable(_) => open(error),
        RegistryError::Unusable(_) => Status::internal(error.to_string()),
    }
}

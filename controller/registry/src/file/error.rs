//! redb's errors in our words.

use std::io::ErrorKind;
use std::path::Path;

use crate::RegistryError;

/// What an error means for who called.
pub(super) fn explain(path: &Path, error: impl Into<redb::Error>) -> RegistryError {
    let path = path.display();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => RegistryError::Unavailable(
            format!("{path} is open in another process; a file has one controller, several share an etcd"),
        ),
        redb::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            RegistryError::Unusable(format!("{path} is no registry: {error}"))
        }
        redb::Error::Io(error) if is_final(error.kind()) => {
            RegistryError::Unusable(format!("{path}: {error}"))
        }
        error if is_over(&error) => RegistryError::Unavailable(format!("{path}: {error}")),
        error => RegistryError::Unusable(format!("{path}: {error}")),
    }
}

/// Trying again does not help.
fn is_final(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::ReadOnlyFilesystem
    )
}

/// The open file gives nothing but errors from now on; it has to be opened again.
pub(super) fn is_over(error: &redb::Error) -> bool {
    matches!(
        error,
        redb::Error::Io(_)
            | redb::Error::PreviousIo
            | redb::Error::DatabaseClosed
            | redb::Error::LockPoisoned(_)
    )
}

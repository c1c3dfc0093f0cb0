//! How an etcd is reached.

use std::time::Duration;

use tonic::transport::ClientTlsConfig;

/// What there is to choose.
#[derive(Clone, Debug)]
pub struct EtcdOptions {
    /// For how long a leader that is not heard of still leads; rounded up to seconds. etcd takes no less than one and a
    /// half of its election time-outs, 2 s as it comes.
    pub lease: Duration,
    /// How long a call may try, over all members, before it is [`crate::RegistryError::Unavailable`].
    pub patience: Duration,
    /// How long one member may take to answer.
    pub attempt: Duration,
    /// TLS; none: plain TCP.
    pub tls: Option<ClientTlsConfig>,
    /// User and password.
    pub login: Option<Login>,
}

/// A user of etcd's own.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Default for EtcdOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            patience: Duration::from_secs(5),
            attempt: Duration::from_secs(2),
            tls: None,
            login: None,
        }
    }
}

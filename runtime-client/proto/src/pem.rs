//! Files of certificates and keys for TLS, which both sides read: what is wrong with one is said before it is used.

use std::path::{Path, PathBuf};
use thiserror::Error;

/// A certificate with its private key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and the authority's.
    pub certificate: Vec<u8>,
    /// Its key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: Vec<u8>,
    /// Where they were read.
    files: (PathBuf, PathBuf),
}

impl std::fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("files", &self.files).finish_non_exhaustive()
    }
}

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum PemError {
    /// It can't be read.
    #[error("can't read {}: {error}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It is something else.
    #[error("{} has no {what} in PEM form: a line `-----BEGIN {begins}-----` is where one begins{help}", .path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
        /// What it should have.
        what: &'static str,
        /// The words of the line that begins it.
        begins: &'static str,
        /// What may help.
        help: &'static str,
    },
    /// A key that asks for a password.
    #[error(
        "the key in {} is encrypted; `openssl pkey -in {} -out key.pem` writes it without a password", .0.display(), .0.display()
    )]
    Encrypted(PathBuf),
}

impl Identity {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    /// [`PemError`].
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, PemError> {
        let files = (certificate.to_owned(), key.to_owned());
        let certificate = certificates(certificate)?;
        let text = read(key)?;
        if has(&text, b"BEGIN ENCRYPTED PRIVATE KEY") || has(&text, b"Proc-Type: 4,ENCRYPTED") {
            return Err(PemError::Encrypted(files.1));
        }
        if !has(&text, b"PRIVATE KEY-----") {
            let help = if has(&text, b"BEGIN CERTIFICATE") {
                " (it has a certificate: the wrong file?)"
            } else {
                ""
            };
            let (what, begins) = ("private key", "PRIVATE KEY");
            return Err(PemError::Missing { path: files.1, what, begins, help });
        }
        Ok(Self { certificate, key: text, files })
    }

    /// Says which files can't be used together, and why not.
    #[must_use]
    pub fn unusable(&self, why: &str) -> String {
        let (certificate, key) = (self.files.0.display(), self.files.1.display());
        if why.contains("KeyMismatch") {
            return format!(
                "{key} is not the key of the certificate in {certificate}; give the two that were made together"
            );
        }
        format!("the certificate in {certificate} and the key in {key} can't be used: {why}")
    }
}

/// Reads a file of certificates.
///
/// # Errors
/// [`PemError`].
pub fn certificates(path: &Path) -> Result<Vec<u8>, PemError> {
    let text = read(path)?;
    if has(&text, b"-----BEGIN CERTIFICATE-----") {
        return Ok(text);
    }
    let help = if has(&text, b"PRIVATE KEY-----") { " (it has a key: the wrong file?)" } else { "" };
    Err(PemError::Missing { path: path.to_owned(), what: "certificate", begins: "CERTIFICATE", help })
}

fn read(path: &Path) -> Result<Vec<u8>, PemError> {
    std::fs::read(path).map_err(|error| PemError::Read { path: path.to_owned(), error })
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|w| w == part)
}

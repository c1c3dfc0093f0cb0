//! The word that operators' calls have to show.

use std::path::{Path, PathBuf};
use thiserror::Error;
use tonic::{Request, Status};

/// A bearer token (RFC 6750).
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    /// Without the word.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// What is wrong with a token's file.
#[derive(Debug, Error)]
pub enum TokenError {
    /// It can't be read.
    #[error("can't read {}: {error}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It is too short, or holds blanks.
    #[error("{} has to hold one word of 16 to 1024 characters; `openssl rand -hex 32` makes one", .0.display())]
    Word(PathBuf),
}

impl Token {
    /// Reads the file that holds it.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| TokenError::Read { path: path.to_owned(), error })?;
        let word = text.trim();
        if (16..=1024).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(word.to_owned()))
        } else {
            Err(TokenError::Word(path.to_owned()))
        }
    }

    /// The header's value that shows it.
    #[must_use]
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether a header's value shows it. How long that takes does not tell how much of it is right.
    pub(crate) fn shown(&self, header: Option<&str>) -> bool {
        let Some(word) = header.and_then(|h| h.strip_prefix("Bearer ")) else { return false };
        let (word, own) = (word.as_bytes(), self.0.as_bytes());
        word.len() == own.len() && word.iter().zip(own).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

/// Whether a call may change the state.
pub(crate) fn allow<T>(token: Option<&Token>, request: &Request<T>) -> Result<(), Status> {
    let shown = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
    match token {
        Some(token) if !token.shown(shown) => Err(Status::unauthenticated(
            "what changes the state has to show the token: `ctl --token-file FILE`",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for bad in ["", "short", "with a blank in it, but long"] {
            std::fs::write(file.path(), bad).unwrap();
            assert!(matches!(Token::read(file.path()), Err(TokenError::Word(_))), "{bad}");
        }
        std::fs::write(file.path(), "0123456789abcdef\n").unwrap();
        let token = Token::read(file.path()).unwrap();
        assert!(token.shown(Some(&token.header())));
        for wrong in
            [None, Some("0123456789abcdef"), Some("Bearer 0123456789abcdeg"), Some("Bearer "), Some("")]
        {
            assert!(!token.shown(wrong), "{wrong:?}");
        }
    }
}

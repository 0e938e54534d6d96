//! Where a command has the token from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Error;
use super::arguments::{Given, Name};
use super::usage::UsageError;
use crate::account::Token;

// Its variable is the token, not a file's name.
pub(super) const TOKEN_FILE: Name = Name {
    flag: "--token-file",
    variable: None,
};

/// Where the token comes from. There is no flag that is the token itself: everybody on a machine
/// can read its command lines.
#[derive(Debug)]
pub enum TokenSource {
    /// A file that must be there.
    File(PathBuf),
    /// A file of `$CREDENTIALS_DIRECTORY` (systemd.exec(5), `LoadCredential=`) that may be there.
    Credential(PathBuf),
    /// `WECHAT_TOKEN`.
    Environment(Token),
    /// Nobody said.
    Nowhere,
}

impl TokenSource {
    /// The flag, else the variable, else the credential.
    pub(super) fn of(given: &Given<'_>) -> Result<Self, UsageError> {
        const VARIABLE: &str = "WECHAT_TOKEN";
        if let Some(file) = given.path(&TOKEN_FILE)? {
            return Ok(Self::File(file));
        }
        if let Some(value) = given.variable(VARIABLE) {
            return parse_token(value.as_encoded_bytes(), VARIABLE).map(Self::Environment);
        }
        Ok(match given.variable("CREDENTIALS_DIRECTORY") {
            Some(directory) => Self::Credential(PathBuf::from(directory).join("token")),
            None => Self::Nowhere,
        })
    }

    /// The token, if there is one.
    pub(super) fn read(self) -> Result<Option<Token>, Error> {
        let path = match self {
            Self::File(path) => path,
            // Only where there is no such file; one that cannot be read is a failure.
            Self::Credential(path) if path.try_exists().unwrap_or(true) => path,
            Self::Environment(token) => return Ok(Some(token)),
            Self::Credential(_) | Self::Nowhere => return Ok(None),
        };
        match read_front(&path) {
            Ok(bytes) => Ok(Some(parse_token(&bytes, &format!("{path:?}"))?)),
            Err(error) => Err(Error::File {
                what: "the token file",
                path,
                error,
            }),
        }
    }
}

/// As much of a file as could be a token, and a little more, so that what is none is seen to be.
fn read_front(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A token from a file or variable. A final newline is cut, because `echo` writes one; anything
/// else stays and is refused.
pub(super) fn parse_token(bytes: &[u8], from: &str) -> Result<Token, UsageError> {
    let text = str::from_utf8(bytes).map_err(|_| UsageError::TokenText {
        from: from.to_owned(),
    })?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Token::parse(text).map_err(|error| UsageError::Token {
        from: from.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn one_final_newline_of_a_token_is_cut_and_nothing_else() {
        for text in ["hello2021", "hello2021\n", "hello2021\r\n"] {
            assert!(parse_token(text.as_bytes(), "f").is_ok(), "{text:?}");
        }
        for text in [
            "hello2021\n\n",
            " hello2021",
            "hello2021 ",
            "hello2021\r",
            "\u{FEFF}hello2021",
        ] {
            assert!(
                matches!(
                    parse_token(text.as_bytes(), "f"),
                    Err(UsageError::Token { .. })
                ),
                "{text:?}"
            );
        }
        assert_eq!(
            parse_token(b"hello\xFF", "f").unwrap_err().to_string(),
            "f: token is not text, only A-Z a-z 0-9 allowed"
        );
    }
}

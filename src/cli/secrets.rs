//! Where a command has its secrets from: the token, the EncodingAESKey, and those of before.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Error;
use super::arguments::{Args, Flag};
use super::usage::UsageError;
use crate::service;
use crate::wechat::{AesKey, AppId, Cipher, SECURE, Token};

// Its variable is the token, not a file's name.
pub(super) const TOKEN_FILE: Flag = Flag {
    flag: "--token-file",
    variable: None,
};
pub(super) const APP_ID: Flag = Flag {
    flag: "--app-id",
    variable: Some("WECHAT_APP_ID"),
};

/// Where a secret comes from. There is no flag that is one itself: everybody on a machine can read its
/// command lines.
#[derive(Debug)]
pub enum Source<T> {
    /// A file that must be there.
    File(PathBuf),
    /// A file of `$CREDENTIALS_DIRECTORY` (systemd.exec(5), `LoadCredential=`) that may be there.
    Credential(PathBuf),
    /// The secret itself, as a variable held it.
    Environment(T),
    /// Nobody said.
    Nowhere,
}

/// What a secret is called, as a variable and as a credential too, and what makes it of text.
struct Secret<T> {
    what: &'static str,
    variable: &'static str,
    credential: &'static str,
    parse: fn(&str, &str) -> Result<T, UsageError>,
}

const TOKEN: Secret<Token> = Secret {
    what: "the token file",
    variable: "WECHAT_TOKEN",
    credential: "token",
    parse: parse_token,
};
const PREVIOUS_TOKEN: Secret<Token> = Secret {
    what: "the token file",
    variable: "WECHAT_TOKEN_PREVIOUS",
    credential: "token-previous",
    parse: parse_token,
};
const AES_KEY: Secret<AesKey> = Secret {
    what: "the EncodingAESKey",
    variable: "WECHAT_AES_KEY",
    credential: "aes-key",
    parse: parse_aes_key,
};
const PREVIOUS_AES_KEY: Secret<AesKey> = Secret {
    what: "the EncodingAESKey of before",
    variable: "WECHAT_AES_KEY_PREVIOUS",
    credential: "aes-key-previous",
    parse: parse_aes_key,
};

impl<T> Secret<T> {
    fn source(&self, given: &Args<'_>) -> Result<Source<T>, UsageError> {
        if let Some(value) = given.variable(self.variable) {
            let parsed = parse(value.as_encoded_bytes(), self.variable, self.parse);
            return parsed.map(Source::Environment);
        }
        Ok(match given.variable("CREDENTIALS_DIRECTORY") {
            Some(directory) => Source::Credential(PathBuf::from(directory).join(self.credential)),
            None => Source::Nowhere,
        })
    }

    /// The secret from there, if there is one.
    fn read(&self, source: Source<T>) -> Result<Option<T>, Error> {
        let path = match source {
            Source::File(path) => path,
            // Only where there is no such file; one that cannot be read is a failure.
            Source::Credential(path) if path.try_exists().unwrap_or(true) => path,
            Source::Environment(secret) => return Ok(Some(secret)),
            Source::Credential(_) | Source::Nowhere => return Ok(None),
        };
        match read_front(&path) {
            Ok(bytes) => Ok(Some(parse(&bytes, &format!("{path:?}"), self.parse)?)),
            Err(error) => Err(Error::File {
                what: self.what,
                path,
                error,
            }),
        }
    }
}

/// Where the token comes from: its flag, else its variable, else its credential.
pub(super) fn token(given: &Args<'_>) -> Result<Source<Token>, UsageError> {
    match given.path(&TOKEN_FILE)? {
        Some(file) => Ok(Source::File(file)),
        None => TOKEN.source(given),
    }
}

/// Where the token of before comes from.
pub(super) fn previous_token(given: &Args<'_>) -> Result<Source<Token>, UsageError> {
    PREVIOUS_TOKEN.source(given)
}

impl Source<Token> {
    /// The token, if there is one.
    pub(super) fn read(self) -> Result<Option<Token>, Error> {
        TOKEN.read(self)
    }
}

/// What encrypted messages take.
#[derive(Debug)]
pub struct Keys {
    key: Source<AesKey>,
    previous: Source<AesKey>,
    app_id: Option<AppId>,
}

impl Keys {
    pub(super) fn of(given: &Args<'_>) -> Result<Self, UsageError> {
        Ok(Self {
            previous: PREVIOUS_AES_KEY.source(given)?,
            ..Self::of_wechat(given)?
        })
    }

    /// Those that WeChat has: it reads no answer under another key than its message had.
    pub(super) fn of_wechat(given: &Args<'_>) -> Result<Self, UsageError> {
        Ok(Self {
            key: AES_KEY.source(given)?,
            previous: Source::Nowhere,
            app_id: given.value(
                &APP_ID,
                "an appid such as wx5823bf96d3bd56c7 (gh_… is the original id)",
                AppId::parse,
            )?,
        })
    }

    /// The account's appid, if it was given.
    pub(super) fn app_id(&self) -> Option<AppId> {
        self.app_id.clone()
    }

    /// The cipher, if there is a key.
    pub(super) fn cipher(self) -> Result<Option<Cipher>, Error> {
        let (key, previous) = (
            AES_KEY.read(self.key)?,
            PREVIOUS_AES_KEY.read(self.previous)?,
        );
        let Some(key) = key else {
            return match previous {
                Some(_) => Err(UsageError::NoAesKey(PREVIOUS_AES_KEY.what).into()),
                None => Ok(None),
            };
        };
        let app_id = self.app_id.ok_or(UsageError::NoAppId)?;
        let cipher = service::random().map(|random| Cipher::new(key, previous, app_id, random));
        cipher.map(Some).map_err(Error::Random)
    }

    /// The cipher, which the flag or variable of this name cannot do without.
    pub(super) fn required_by(self, name: &'static str) -> Result<Cipher, Error> {
        if !SECURE {
            return Err(UsageError::Feature(name).into());
        }
        Ok(self.cipher()?.ok_or(UsageError::NoAesKey(name))?)
    }
}

/// As much of a file as could be a secret, and a little more, so that what is none is seen to be.
fn read_front(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A secret from a file or variable. A final newline is cut, because `echo` writes one; anything else
/// stays and is refused.
fn parse<T>(
    bytes: &[u8],
    from: &str,
    parse_text: fn(&str, &str) -> Result<T, UsageError>,
) -> Result<T, UsageError> {
    let text = str::from_utf8(bytes).map_err(|_| UsageError::SecretText {
        from: from.to_owned(),
    })?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    parse_text(text, from)
}

pub(super) fn parse_token(text: &str, from: &str) -> Result<Token, UsageError> {
    Token::parse(text).map_err(|error| UsageError::Token {
        from: from.to_owned(),
        error,
    })
}

fn parse_aes_key(text: &str, from: &str) -> Result<AesKey, UsageError> {
    AesKey::parse(text).map_err(|error| UsageError::AesKey {
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
            assert!(parse(text.as_bytes(), "f", parse_token).is_ok(), "{text:?}");
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
                    parse(text.as_bytes(), "f", parse_token),
                    Err(UsageError::Token { .. })
                ),
                "{text:?}"
            );
        }
        assert_eq!(
            parse(b"hello\xFF", "f", parse_token)
                .unwrap_err()
                .to_string(),
            "f: not text, letters and digits expected"
        );
    }
}

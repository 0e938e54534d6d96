//! Reads the secrets: the token and the EncodingAESKey, each current and previous.
//!
//! No flag takes a secret as its value, because every user of a machine can see the command lines of all processes.

use std::path::PathBuf;

use super::arguments::Args;
use super::error::{Error, SecretFlaw, UsageError};
use super::flags::{APP_ID, TOKEN_FILE};
use crate::service;
use crate::text::file::read_file;
use crate::wechat::{AesKey, AppId, Cipher, SECURE, Token};

/// Maximum bytes of a secret file. Every valid secret is shorter.
const FILE_MAX: u64 = 256;

/// A kind of secret.
struct Secret<T> {
    /// The environment variable that contains the secret.
    variable: &'static str,
    /// The name of the systemd credential (systemd.exec(5), `LoadCredential=`).
    credential: &'static str,
    /// Parses the secret. The second argument names the variable or file that it is from, for the error.
    parse: fn(&str, String) -> Result<T, UsageError>,
}

const TOKEN: Secret<Token> = Secret {
    variable: "WECHAT_TOKEN",
    credential: "token",
    parse: |text, origin| Token::parse(text).map_err(|error| UsageError::Token { origin, error }),
};
const PREVIOUS_TOKEN: Secret<Token> =
    Secret { variable: "WECHAT_TOKEN_PREVIOUS", credential: "token-previous", ..TOKEN };
const AES_KEY: Secret<AesKey> = Secret {
    variable: "WECHAT_AES_KEY",
    credential: "aes-key",
    parse: |text, origin| AesKey::parse(text).map_err(|error| UsageError::AesKey { origin, error }),
};
const PREVIOUS_AES_KEY: Secret<AesKey> =
    Secret { variable: "WECHAT_AES_KEY_PREVIOUS", credential: "aes-key-previous", ..AES_KEY };

/// The environment variables that contain secrets.
pub(super) const VARIABLES: [&str; 4] =
    [TOKEN.variable, PREVIOUS_TOKEN.variable, AES_KEY.variable, PREVIOUS_AES_KEY.variable];

impl SecretFlaw {
    /// Finds a mistake in how the secret was saved. It does not depend on the kind of the secret.
    fn find(bytes: &[u8]) -> Option<Self> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line {
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::ByteOrderMark),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(Self::Utf16),
            _ if line.contains(&0) => Some(Self::Utf16),
            [b'"' | b'\'', .., b'"' | b'\''] => Some(Self::Quotes),
            [first, ..] if first.is_ascii_whitespace() => Some(Self::Space),
            [.., last] if last.is_ascii_whitespace() => Some(Self::Space),
            // An `=` at the end may be the padding of base64.
            [rest @ .., _] if rest.contains(&b'=') => Some(Self::Assignment),
            _ => None,
        }
    }
}

impl<T> Secret<T> {
    /// Reads the secret from its variable, else from its credential; `None` if neither exists.
    fn read(&self, args: &Args<'_>) -> Result<Option<T>, Error> {
        if let Some(value) = args.variable(self.variable) {
            let secret = self.parse_bytes(value.as_encoded_bytes(), self.variable.to_owned());
            return Ok(Some(secret?));
        }
        let Some(path) = self.credential_path(args) else {
            return Ok(None);
        };
        // Only a missing file means that there is no secret; a file that cannot be read is an error.
        match path.try_exists() {
            Ok(false) => Ok(None),
            Ok(true) | Err(_) => self.read_file(path).map(Some),
        }
    }

    /// The path of the credential; `None` if no service manager passes credentials.
    fn credential_path(&self, args: &Args<'_>) -> Option<PathBuf> {
        let folder = args.variable("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty())?;
        Some(PathBuf::from(folder).join(self.credential))
    }

    /// Reads the secret from a file. A missing file is an error.
    fn read_file(&self, path: PathBuf) -> Result<T, Error> {
        match read_file(&path, FILE_MAX) {
            Ok(bytes) => Ok(self.parse_bytes(&bytes, format!("{path:?}"))?),
            Err(error) => Err(Error::File { path, error }),
        }
    }

    /// Parses the bytes of a file or variable. One final newline, which `echo` writes, is removed. Invalid UTF-8 becomes
    /// U+FFFD, which no secret may contain.
    fn parse_bytes(&self, bytes: &[u8], origin: String) -> Result<T, UsageError> {
        if let Some(flaw) = SecretFlaw::find(bytes) {
            return Err(UsageError::Secret { origin, flaw });
        }
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        (self.parse)(line.unwrap_or(&text), origin)
    }
}

/// The file of the credential `token`; `None` if no service manager passes credentials.
pub(super) fn token_credential(args: &Args<'_>) -> Option<PathBuf> {
    TOKEN.credential_path(args)
}

/// The token from the file that `--token-file` names, else from `WECHAT_TOKEN`, else from the credential; `None` if
/// none of these is given.
pub(super) fn token(args: &Args<'_>) -> Result<Option<Token>, Error> {
    match args.path(&TOKEN_FILE)? {
        Some(path) => TOKEN.read_file(path).map(Some),
        None => TOKEN.read(args),
    }
}

/// The previous token, if it is given.
pub(super) fn previous_token(args: &Args<'_>) -> Result<Option<Token>, Error> {
    PREVIOUS_TOKEN.read(args)
}

/// The appid, if it is given.
pub(super) fn app_id(args: &Args<'_>) -> Result<Option<AppId>, UsageError> {
    args.value(&APP_ID, AppId::parse)
}

/// The cipher of a server, if an EncodingAESKey is given. It also decrypts messages that were encrypted with the previous
/// EncodingAESKey.
pub(super) fn server_cipher(args: &Args<'_>) -> Result<Option<Cipher>, Error> {
    let previous = PREVIOUS_AES_KEY.read(args)?;
    cipher(args, previous)
}

/// The cipher of WeChat, if an EncodingAESKey is given. It ignores the previous EncodingAESKey, because WeChat does not
/// decrypt answers with it.
pub(super) fn wechat_cipher(args: &Args<'_>) -> Result<Option<Cipher>, Error> {
    cipher(args, None)
}

fn cipher(args: &Args<'_>, previous: Option<AesKey>) -> Result<Option<Cipher>, Error> {
    let Some(key) = AES_KEY.read(args)? else {
        return match previous {
            Some(_) => Err(UsageError::PreviousAesKeyAlone.into()),
            None => Ok(None),
        };
    };
    let app_id = app_id(args)?.ok_or(UsageError::NoAppId)?;
    let cipher = service::random().map(|fill| Cipher::new(key, previous, app_id, fill));
    cipher.map(Some).map_err(Error::Random)
}

/// Returns the cipher that `read` reads.
///
/// # Errors
/// `NoAesKey` or `NotSecure` if there is no cipher. `name` is the flag or variable that needs the cipher.
pub(super) fn require_cipher(
    name: &'static str,
    read: impl FnOnce() -> Result<Option<Cipher>, Error>,
) -> Result<Cipher, Error> {
    match SECURE {
        true => Ok(read()?.ok_or(UsageError::NoAesKey(name))?),
        false => Err(UsageError::NotSecure(name).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Token, UsageError> {
        TOKEN.parse_bytes(bytes, "f".to_owned())
    }

    #[test]
    fn one_final_newline_is_removed_and_nothing_else() {
        for text in ["hello2021", "hello2021\n", "hello2021\r\n"] {
            assert!(parse(text.as_bytes()).is_ok(), "{text:?}");
        }
        for bytes in [
            "hello2021\n\n".as_bytes(),
            b" hello2021",
            b"hello2021 ",
            b"hello2021\r",
            "\u{FEFF}hello2021".as_bytes(),
            b"hello2021\xFF",
        ] {
            let error = parse(bytes).expect_err("it is no token");
            assert!(error.to_string().starts_with("f: "), "{error}");
        }
    }

    #[test]
    fn names_what_an_editor_or_a_shell_did_to_a_secret() {
        use SecretFlaw::*;
        for (bytes, flaw) in [
            (&b"\xEF\xBB\xBFhello2021\n"[..], Some(ByteOrderMark)),
            (b"\xFF\xFEh\0e\0l\0", Some(Utf16)),
            (b"\0h\0e\0l", Some(Utf16)),
            (b"\"hello2021\"\n", Some(Quotes)),
            (b"'hello2021'", Some(Quotes)),
            (b" hello2021", Some(Space)),
            (b"hello2021 \r\n", Some(Space)),
            (b"hello2021\n\n", Some(Space)),
            (b"\nhello2021", Some(Space)),
            (b"WECHAT_TOKEN=hello2021\n", Some(Assignment)),
            (b"token = hello2021", Some(Assignment)),
            (b"hello2021=", None),
            (b"hello2021\r\n", None),
            (b"hello 2021", None),
            (b"\"hello", None),
            (b"\n", None),
            (b"", None),
        ] {
            assert_eq!(SecretFlaw::find(bytes), flaw, "{}", bytes.escape_ascii());
        }
    }
}

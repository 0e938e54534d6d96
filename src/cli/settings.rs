//! The settings of `wechat serve`: each from its flag, else from its environment variable, else by
//! default.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;

use super::usage::UsageError;
use crate::account::{Age, Token};
use crate::answer::ServedPath;

/// The most threads that Linux gives a process without being told to: each has four of the 65,530
/// memory mappings.
const CONNECTIONS_MAX: usize = 16_000;

/// What `wechat serve` goes by.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The rules file, if not the embedded rules.
    pub rules: Option<PathBuf>,
    /// Where the token comes from.
    pub token: TokenSource,
    /// The path that is served, if not any.
    pub path: Option<String>,
    /// How far a timestamp may be off.
    pub max_age: Age,
    /// Connections at once.
    pub max_connections: usize,
}

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
    /// One is made up for this run.
    Random,
}

/// A flag and the variable that stands in for it.
struct Name {
    flag: &'static str,
    variable: Option<&'static str>,
}

const LISTEN: Name = Name {
    flag: "--listen",
    variable: Some("WECHAT_LISTEN"),
};
const RULES: Name = Name {
    flag: "--rules",
    variable: Some("WECHAT_RULES"),
};
// Its variable is the token, not a file's name.
const TOKEN_FILE: Name = Name {
    flag: "--token-file",
    variable: None,
};
const PATH: Name = Name {
    flag: "--path",
    variable: Some("WECHAT_PATH"),
};
const MAX_AGE: Name = Name {
    flag: "--max-age",
    variable: Some("WECHAT_MAX_AGE"),
};
const MAX_CONNECTIONS: Name = Name {
    flag: "--max-connections",
    variable: Some("WECHAT_MAX_CONNECTIONS"),
};
const NAMES: [&Name; 6] = [
    &RULES,
    &LISTEN,
    &TOKEN_FILE,
    &PATH,
    &MAX_AGE,
    &MAX_CONNECTIONS,
];

impl Settings {
    /// Reads `--flag VALUE` and `--flag=VALUE` to the end, then fills in from the environment.
    ///
    /// # Errors
    /// The first thing that cannot be meant. A variable that is set but empty is such a thing too:
    /// it is mostly a secret that did not arrive.
    pub fn read(
        arguments: impl Iterator<Item = OsString>,
        environment: &impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, UsageError> {
        let given = Given {
            flags: read_flags(arguments)?,
            environment,
        };
        Ok(Self {
            listen: given
                .value(
                    &LISTEN,
                    "ADDR:PORT such as 0.0.0.0:80 or [::1]:8000",
                    |text| text.parse().ok(),
                )?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000))),
            rules: given.path(&RULES)?,
            path: given.value(&PATH, "/ and a percent-encoded path", |text| {
                ServedPath::parse(text).map(|_| text.to_owned())
            })?,
            max_age: given
                .value(&MAX_AGE, "a whole number of seconds", |text| {
                    number(text).map(|seconds| {
                        if seconds == 0 {
                            Age::Any
                        } else {
                            Age::AtMost(seconds)
                        }
                    })
                })?
                .unwrap_or(Age::AtMost(600)),
            max_connections: given
                .value(&MAX_CONNECTIONS, "1 to 16000", |text| {
                    let number = usize::try_from(number(text)?).ok()?;
                    (1..=CONNECTIONS_MAX).contains(&number).then_some(number)
                })?
                .unwrap_or(1024),
            token: given.token()?,
        })
    }
}

/// `str::parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|octet| octet.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

type Flags = Vec<(&'static str, OsString)>;

fn read_flags(mut arguments: impl Iterator<Item = OsString>) -> Result<Flags, UsageError> {
    let mut flags: Flags = Vec::new();
    while let Some(argument) = arguments.next() {
        if !argument.as_encoded_bytes().starts_with(b"-") {
            return Err(UsageError::Argument(argument));
        }
        let (name, value) = match argument.to_str().and_then(|text| text.split_once('=')) {
            Some((name, value)) => (OsStr::new(name), Some(OsString::from(value))),
            None => (argument.as_os_str(), None),
        };
        let Some(flag) = NAMES
            .iter()
            .map(|known| known.flag)
            .find(|flag| name == *flag)
        else {
            return Err(UsageError::Flag(name.to_owned()));
        };
        if flags.iter().any(|(given, _)| *given == flag) {
            return Err(UsageError::Repeated(flag));
        }
        flags.push((
            flag,
            value
                .or_else(|| arguments.next())
                .ok_or(UsageError::NoValue(flag))?,
        ));
    }
    Ok(flags)
}

struct Given<'e, E> {
    flags: Flags,
    environment: &'e E,
}

impl<E: Fn(&str) -> Option<OsString>> Given<'_, E> {
    /// The value of a setting and the name that it was given by.
    fn raw(&self, name: &Name) -> Option<(&'static str, OsString)> {
        let flag = self.flags.iter().find(|(flag, _)| *flag == name.flag);
        flag.cloned().or_else(|| {
            let variable = name.variable?;
            Some((variable, (self.environment)(variable)?))
        })
    }

    fn value<T>(
        &self,
        name: &Name,
        allowed: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        let Some((name, value)) = self.raw(name) else {
            return Ok(None);
        };
        match value.to_str().and_then(parse) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(UsageError::Value {
                name,
                value,
                allowed,
            }),
        }
    }

    /// A file's path, which may be any bytes, but not none.
    fn path(&self, name: &Name) -> Result<Option<PathBuf>, UsageError> {
        match self.raw(name) {
            None => Ok(None),
            Some((name, value)) if value.is_empty() => Err(UsageError::Value {
                name,
                value,
                allowed: "a file's path",
            }),
            Some((_, value)) => Ok(Some(value.into())),
        }
    }

    fn token(&self) -> Result<TokenSource, UsageError> {
        const VARIABLE: &str = "WECHAT_TOKEN";
        if let Some(file) = self.path(&TOKEN_FILE)? {
            return Ok(TokenSource::File(file));
        }
        if let Some(value) = (self.environment)(VARIABLE) {
            return parse_token(value.as_encoded_bytes(), VARIABLE).map(TokenSource::Environment);
        }
        Ok(match (self.environment)("CREDENTIALS_DIRECTORY") {
            Some(directory) => TokenSource::Credential(PathBuf::from(directory).join("token")),
            None => TokenSource::Random,
        })
    }
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
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test fails by panicking"
    )]
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| OsString::from(value))
        };
        Settings::read(arguments.iter().map(OsString::from), &lookup)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_hold_where_nothing_is_given() {
        let settings = read(&[], &[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
        assert!(matches!(settings.token, TokenSource::Random));
        assert_eq!(
            (settings.path, settings.max_age, settings.max_connections),
            (None, Age::AtMost(600), 1024)
        );
    }

    #[test]
    fn a_flag_wins_over_its_variable_and_that_over_the_default() {
        let environment = [
            ("WECHAT_LISTEN", "[::1]:81"),
            ("WECHAT_MAX_AGE", "0"),
            ("WECHAT_PATH", "/wx"),
        ];
        let settings = read(
            &["--listen=[::1]:82", "--max-connections", "7"],
            &environment,
        )
        .unwrap();
        assert_eq!(settings.listen.to_string(), "[::1]:82");
        assert_eq!(settings.path.as_deref(), Some("/wx"));
        assert_eq!((settings.max_age, settings.max_connections), (Age::Any, 7));
    }

    #[test]
    fn the_token_is_looked_for_in_order() {
        let file = read(
            &["--token-file", "/t"],
            &[("WECHAT_TOKEN", "abc"), ("CREDENTIALS_DIRECTORY", "/c")],
        )
        .unwrap();
        assert!(
            matches!(file.token, TokenSource::File(path) if path == std::path::Path::new("/t"))
        );
        let variable = read(
            &[],
            &[("WECHAT_TOKEN", "abc"), ("CREDENTIALS_DIRECTORY", "/c")],
        )
        .unwrap();
        assert!(matches!(variable.token, TokenSource::Environment(_)));
        let credential = read(&[], &[("CREDENTIALS_DIRECTORY", "/c")]).unwrap();
        assert!(
            matches!(credential.token, TokenSource::Credential(path) if path == std::path::Path::new("/c/token"))
        );
    }

    #[track_caller]
    fn assert_refused(arguments: &[&str], environment: &[(&str, &str)], message: &str) {
        assert_eq!(read(arguments, environment).unwrap_err(), message);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        assert_refused(
            &["--lisen", "x"],
            &[],
            r#"unknown flag "--lisen", see wechat --help"#,
        );
        assert_refused(
            &["--token=abc"],
            &[],
            r#"unknown flag "--token", see wechat --help"#,
        );
        assert_refused(&["x"], &[], r#"unexpected argument "x", see wechat --help"#);
        assert_refused(&["--listen"], &[], "--listen without a value");
        assert_refused(&["--path", "/a", "--path", "/a"], &[], "--path given twice");
        let addresses = "ADDR:PORT such as 0.0.0.0:80 or [::1]:8000 allowed";
        for address in ["8000", "localhost:8000", "127.0.0.1:65536", "", "::1:8000"] {
            assert_refused(
                &["--listen", address],
                &[],
                &format!("--listen is {address:?}, {addresses}"),
            );
        }
        assert_refused(
            &[],
            &[("WECHAT_LISTEN", "")],
            &format!(r#"WECHAT_LISTEN is "", {addresses}"#),
        );
        assert_refused(
            &["--path", "wx"],
            &[],
            r#"--path is "wx", / and a percent-encoded path allowed"#,
        );
        for age in ["-1", "+1", "1s", "", "99999999999999999999"] {
            let message = format!("--max-age is {age:?}, a whole number of seconds allowed");
            assert_refused(&["--max-age", age], &[], &message);
        }
        for count in ["0", "16001", "+1"] {
            assert_refused(
                &["--max-connections", count],
                &[],
                &format!("--max-connections is {count:?}, 1 to 16000 allowed"),
            );
        }
        assert_refused(
            &[],
            &[("WECHAT_TOKEN", "")],
            "WECHAT_TOKEN: token of 0 characters, 3 to 32 allowed",
        );
    }

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

//! The settings of `wechat serve`: each from its flag, else from its environment variable, else by
//! default.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use super::arguments::{Args, CommandSpec, Flag};
use super::control::{CONTROL, ControlPath};
use super::secrets::{self, APP_ID, Keys, Source, TOKEN_FILE};
use super::usage::UsageError;
use crate::callback::ServedPath;
use crate::text::digits;
use crate::wechat::{Age, Token};

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
    pub token: Source<Token>,
    /// Where the token of before comes from.
    pub previous_token: Source<Token>,
    /// What encrypted messages take.
    pub keys: Keys,
    /// The flag or variable by which plain messages are refused.
    pub encryption_required_by: Option<&'static str>,
    /// The path that is served, if not any.
    pub path: Option<String>,
    /// How far a timestamp may be off.
    pub max_age: Age,
    /// Connections at once.
    pub max_connections: usize,
    /// The socket of a service manager that waits to hear that the server is ready
    /// (`NOTIFY_SOCKET`, sd_notify(3)).
    pub notify_socket: Option<OsString>,
    /// Within what time it wants to hear again and again that the server is not stuck (`WATCHDOG_USEC`,
    /// sd_watchdog_enabled(3)).
    pub watchdog: Option<Duration>,
    /// Where to make the control socket.
    pub control: ControlPath,
}

const LISTEN: Flag = Flag {
    flag: "--listen",
    variable: Some("WECHAT_LISTEN"),
};
pub(super) const RULES: Flag = Flag {
    flag: "--rules",
    variable: Some("WECHAT_RULES"),
};
const PATH: Flag = Flag {
    flag: "--path",
    variable: Some("WECHAT_PATH"),
};
const MAX_AGE: Flag = Flag {
    flag: "--max-age",
    variable: Some("WECHAT_MAX_AGE"),
};
const MAX_CONNECTIONS: Flag = Flag {
    flag: "--max-connections",
    variable: Some("WECHAT_MAX_CONNECTIONS"),
};
const REQUIRE_ENCRYPTION: Flag = Flag {
    flag: "--require-encryption",
    variable: Some("WECHAT_REQUIRE_ENCRYPTION"),
};
const SPEC: CommandSpec = CommandSpec {
    flags: &[
        &LISTEN,
        &RULES,
        &TOKEN_FILE,
        &APP_ID,
        &PATH,
        &MAX_AGE,
        &MAX_CONNECTIONS,
        &CONTROL,
    ],
    switches: &[REQUIRE_ENCRYPTION.flag],
    operands: 0,
};

impl Settings {
    /// Reads the flags, then fills in from the environment.
    ///
    /// # Errors
    /// The first thing that cannot be meant.
    pub fn read(
        arguments: &[OsString],
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, UsageError> {
        let given = Args::read(arguments, &SPEC, environment)?;
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
                    digits::parse_decimal(text).ok().map(|seconds| {
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
                    let number = usize::try_from(digits::parse_decimal(text).ok()?).ok()?;
                    (1..=CONNECTIONS_MAX).contains(&number).then_some(number)
                })?
                .unwrap_or(1024),
            token: secrets::token(&given)?,
            previous_token: secrets::previous_token(&given)?,
            keys: Keys::of(&given)?,
            encryption_required_by: given.turned_on(&REQUIRE_ENCRYPTION)?,
            notify_socket: given
                .variable("NOTIFY_SOCKET")
                .filter(|socket| !socket.is_empty()),
            watchdog: watchdog(&given),
            control: ControlPath::of(&given)?,
        })
    }
}

/// The time that is meant for this process, if one is.
fn watchdog(given: &Args<'_>) -> Option<Duration> {
    let read = |name| digits::parse_decimal(given.variable(name)?.to_str()?).ok();
    let is_ours = read("WATCHDOG_PID").is_none_or(|id| id == u64::from(process::id()));
    read("WATCHDOG_USEC")
        .filter(|micros| is_ours && *micros > 0)
        .map(Duration::from_micros)
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
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        Settings::read(&arguments, &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_hold_where_nothing_is_given() {
        let settings = read(&[], &[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
        assert!(matches!(settings.token, Source::Nowhere));
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
        assert!(matches!(file.token, Source::File(path) if path == std::path::Path::new("/t")));
        let variable = read(
            &[],
            &[("WECHAT_TOKEN", "abc"), ("CREDENTIALS_DIRECTORY", "/c")],
        )
        .unwrap();
        assert!(matches!(variable.token, Source::Environment(_)));
        let credential = read(&[], &[("CREDENTIALS_DIRECTORY", "/c")]).unwrap();
        assert!(
            matches!(credential.token, Source::Credential(path) if path == std::path::Path::new("/c/token"))
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
            "WECHAT_TOKEN: token: 0 characters, 3 to 32 allowed",
        );
    }
}

//! The settings of `wechat serve` except its secrets. Each setting is the value of its flag, else of its environment
//! variable, else its default.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use std::time::Duration;

use super::arguments::Args;
use super::control::ControlPath;
use super::error::UsageError;
use super::flags::{LISTEN, MAX_AGE, MAX_CONNECTIONS, PATH, REQUIRE_ENCRYPTION, RULES};
use crate::callback::ServedPath;
use crate::text::digits::parse_decimal;
use crate::wechat::Age;

/// The maximum of `--max-connections`. By default, Linux allows 65,530 memory mappings per process, and the thread of a
/// connection uses four.
const CONNECTIONS_MAX: usize = 16_000;

/// The settings of `wechat serve` except its secrets.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    /// The rules file; `None` for the embedded rules.
    pub(super) rules: Option<PathBuf>,
    /// The name of the flag or variable by which plain messages are refused; `None` if they are accepted.
    pub(super) encryption_required_by: Option<&'static str>,
    /// The only path that is served; `None` for any path.
    pub(super) path: Option<String>,
    /// The maximum difference between a request's timestamp and the clock.
    pub(super) max_age: Age,
    pub(super) max_connections: usize,
    /// The socket on which the service manager is notified of the server's state (`NOTIFY_SOCKET`, sd_notify(3)).
    pub(super) notify_socket: Option<OsString>,
    /// The maximum time between two pings to the service manager (`WATCHDOG_USEC`, sd_watchdog_enabled(3)).
    pub(super) watchdog: Option<Duration>,
    pub(super) control: ControlPath,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// The first setting that is invalid.
    pub(super) fn from_args(args: &Args<'_>) -> Result<Self, UsageError> {
        Ok(Self {
            listen: args.value_or_default(&LISTEN, |text| text.parse().ok())?,
            rules: args.path(&RULES)?,
            path: args.value(&PATH, |text| ServedPath::parse(text).map(|_| text.to_owned()))?,
            max_age: args.value_or_default(&MAX_AGE, |text| {
                Some(match parse_decimal(text).ok()? {
                    0 => Age::Any,
                    seconds => Age::AtMost(seconds),
                })
            })?,
            max_connections: args.value_or_default(&MAX_CONNECTIONS, |text| {
                let count = usize::try_from(parse_decimal(text).ok()?).ok()?;
                (1..=CONNECTIONS_MAX).contains(&count).then_some(count)
            })?,
            encryption_required_by: args.turned_on_by(&REQUIRE_ENCRYPTION),
            notify_socket: args.variable("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()),
            watchdog: watchdog(args),
            control: ControlPath::from_args(args)?,
        })
    }
}

/// The watchdog interval, if it is set for this process.
fn watchdog(args: &Args<'_>) -> Option<Duration> {
    let read = |name| parse_decimal(args.variable(name)?.to_str()?).ok();
    let is_ours = read("WATCHDOG_PID").is_none_or(|id| id == u64::from(process::id()));
    read("WATCHDOG_USEC").filter(|micros| is_ours && *micros > 0).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::super::serve::COMMAND;
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup = |name: &str| {
            let mut variables = environment.iter();
            let found = variables.find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        Args::parse("wechat".as_ref(), &COMMAND, &arguments, &lookup)
            .and_then(|args| Settings::from_args(&args))
            .map_err(|error| error.to_string())
    }

    #[track_caller]
    fn settings(arguments: &[&str], environment: &[(&str, &str)]) -> Settings {
        read(arguments, environment).expect("valid settings")
    }

    #[test]
    fn defaults_are_used_when_nothing_is_given() {
        let settings = settings(&[], &[]);
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(
            (settings.path, settings.max_age, settings.max_connections),
            (None, Age::AtMost(600), 1024)
        );
    }

    #[test]
    fn flag_wins_over_variable_and_variable_over_default() {
        let environment =
            [("WECHAT_LISTEN", "[::1]:81"), ("WECHAT_MAX_AGE", "0"), ("WECHAT_PATH", "/wx")];
        let arguments = ["--listen=[::1]:82", "--max-connections", "7"];
        let settings = settings(&arguments, &environment);
        assert_eq!(settings.listen.to_string(), "[::1]:82");
        assert_eq!(settings.path.as_deref(), Some("/wx"));
        assert_eq!((settings.max_age, settings.max_connections), (Age::Any, 7));
    }

    #[test]
    fn invalid_settings_are_refused_by_name() {
        let refused = |arguments: &[&str], message: &str| {
            assert_eq!(read(arguments, &[]).expect_err("invalid settings"), message);
        };
        refused(&["--lisen", "x"], r#"unknown flag "--lisen"; did you mean --listen?"#);
        refused(&["x"], r#"unexpected argument "x"; see wechat help serve"#);
        refused(&["--listen"], "--listen has no value; expected --listen ADDR:PORT");
        refused(&["--require-encryption=1"], "--require-encryption takes no value");
        refused(&["--path", "/a", "--path", "/a"], "--path is given twice; pass it once");
        refused(
            &["--path", "wx"],
            r#"--path is "wx"; expected a percent-encoded path such as /wx"#,
        );
        let expected = "expected ADDR:PORT such as 0.0.0.0:80 or [::1]:8000";
        for address in ["8000", "localhost:8000", "127.0.0.1:65536", "", "::1:8000"] {
            refused(&["--listen", address], &format!("--listen is {address:?}; {expected}"));
        }
        assert_eq!(
            read(&[], &[("WECHAT_LISTEN", "")]).expect_err("invalid settings"),
            format!(r#"WECHAT_LISTEN is ""; {expected}"#)
        );
        for age in ["-1", "+1", "1s", "", "99999999999999999999"] {
            refused(
                &["--max-age", age],
                &format!("--max-age is {age:?}; expected a whole number of seconds"),
            );
        }
        for count in ["0", "16001", "+1"] {
            refused(
                &["--max-connections", count],
                &format!("--max-connections is {count:?}; expected 1 to 16000"),
            );
        }
    }
}

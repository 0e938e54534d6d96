//! The table of all flags. Parsing, environment variables, default values and help all use this table. To add a flag,
//! add an entry.

/// A flag: its names, its value, its default and its help.
#[derive(Debug)]
pub(super) struct Flag {
    /// The flag as it is typed, with its dashes.
    pub(super) name: &'static str,
    /// The placeholder for the value in help; `None` for a switch, which has no value.
    pub(super) value: Option<&'static str>,
    /// The valid values of the flag and its variable. An error shows this text after "expected".
    pub(super) expected: &'static str,
    /// The environment variable that is read if the flag is not given.
    pub(super) variable: Option<&'static str>,
    pub(super) default: DefaultValue,
    /// The names of the commands that accept the flag.
    pub(super) commands: &'static [&'static str],
    /// The description in help.
    pub(super) help: &'static str,
}

/// The default of a flag, used if neither the flag nor its variable is given.
#[derive(Debug)]
pub(super) enum DefaultValue {
    /// A value, which is parsed like a given value.
    Value(&'static str),
    /// The default is not a constant value; help shows this description.
    Described(&'static str),
}

use DefaultValue::{Described, Value};

/// The flags that the command with this name accepts.
pub(super) fn flags_of(command: &'static str) -> impl Iterator<Item = &'static Flag> {
    let is_accepted = move |flag: &&Flag| flag.commands.contains(&command);
    FLAGS.iter().copied().filter(is_accepted)
}

/// A flag without a value and without a variable.
const fn switch(name: &'static str, commands: &'static [&'static str], help: &'static str) -> Flag {
    Flag {
        name,
        value: None,
        expected: "",
        variable: None,
        default: Described("off"),
        commands,
        help,
    }
}

/// Declares each flag as a constant and lists all of them in `FLAGS`.
macro_rules! flags {
    ($($name:ident = $flag:expr;)*) => {
        $(pub(super) const $name: Flag = $flag;)*
        /// All flags, in the order in which help lists them.
        const FLAGS: &[&Flag] = &[$(&$name),*];
    };
}

/// The default URL of the backend for `verify`, `send` and `replay`. `serve` listens there by default.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8000/";

flags! {
    LISTEN = Flag { name: "--listen", value: Some("ADDR:PORT"), variable: Some("WECHAT_LISTEN"), commands: &["serve"],
        default: Value("127.0.0.1:8000"), expected: "ADDR:PORT such as 0.0.0.0:80 or [::1]:8000",
        help: "address to listen on; ignored if standard input is a listening socket" };
    RULES = Flag { name: "--rules", value: Some("FILE"), variable: Some("WECHAT_RULES"), commands: &["serve"],
        default: Described("embedded rules, which echo text"), expected: "a file path",
        help: "rules file; a change takes effect within a second" };
    URL = Flag { name: "--url", value: Some("URL"), variable: Some("WECHAT_URL"), commands: &["verify", "send", "replay"],
        default: Value(DEFAULT_URL), expected: "an http:// URL",
        help: "backend to send requests to" };
    // `WECHAT_TOKEN` contains the token itself and not a file path, so `secrets.rs` reads it.
    TOKEN_FILE = Flag { name: "--token-file", value: Some("FILE"), variable: None, commands: &["serve", "verify", "send", "replay"],
        default: Described("$WECHAT_TOKEN, else $CREDENTIALS_DIRECTORY/token"), expected: "a file path",
        help: "file that holds the token; without any token, serve generates one for this run" };
    APP_ID = Flag { name: "--app-id", value: Some("APPID"), variable: Some("WECHAT_APP_ID"), commands: &["serve", "send"],
        default: Described("none"), expected: "an appid such as wx5823bf96d3bd56c7 (gh_… is the original id)",
        help: "appid of the account, required for encrypted messages" };
    REQUIRE_ENCRYPTION = Flag { name: "--require-encryption", value: None, variable: Some("WECHAT_REQUIRE_ENCRYPTION"), commands: &["serve"],
        default: Described("off"), expected: "1 or 0",
        help: "refuse messages in plain mode (明文模式)" };
    PATH = Flag { name: "--path", value: Some("PATH"), variable: Some("WECHAT_PATH"), commands: &["serve"],
        default: Described("any path"), expected: "a percent-encoded path such as /wx",
        help: "serve only this path; other paths get 404" };
    MAX_AGE = Flag { name: "--max-age", value: Some("SECONDS"), variable: Some("WECHAT_MAX_AGE"), commands: &["serve"],
        default: Value("600"), expected: "a whole number of seconds",
        help: "maximum difference between a request's timestamp and the clock; 0 accepts any" };
    MAX_CONNECTIONS = Flag { name: "--max-connections", value: Some("N"), variable: Some("WECHAT_MAX_CONNECTIONS"), commands: &["serve"],
        default: Value("1024"), expected: "1 to 16000",
        help: "maximum number of connections at once" };
    CONTROL = Flag { name: "--control", value: Some("PATH"), variable: Some("WECHAT_CONTROL"), commands: &["serve", "status", "stop"],
        default: Described("$RUNTIME_DIRECTORY/control, else /run/wechat/control"), expected: "a file path",
        help: "control socket through which status and stop reach the server" };
    FROM = Flag { name: "--from", value: Some("OPENID"), variable: None, commands: &["send"],
        default: Described("oUser1"), expected: "an openid",
        help: "user who sends the message" };
    TRIES = switch("--tries", &["send"],
        "send up to three times, waiting 5 s for an answer each time, as WeChat does");
    RAW = switch("--raw", &["send"],
        "also print the XML, as sent and as received");
    ENCRYPTED = switch("--encrypted", &["send"],
        "send in safe mode (安全模式) and decrypt the answer");
    COMPATIBLE = switch("--compatible", &["send"],
        "send in compatible mode (兼容模式) and decrypt the answer");
    RESIGN = switch("--resign", &["replay"],
        "sign each request again with the token and the current time");
    JSON = switch("--json", &["status"],
        "print one line of JSON; the name of a duration ends in its unit");
}

#[cfg(test)]
mod tests {
    use super::FLAGS;
    use crate::cli::commands::COMMANDS;

    #[test]
    fn flags_name_commands_that_exist() {
        for flag in FLAGS {
            for name in flag.commands {
                assert!(
                    COMMANDS.iter().any(|command| command.name == *name),
                    "{} {name}",
                    flag.name
                );
            }
        }
    }
}

//! All flags. Parsing, environment variables, default values and help all use these constants. To add a flag, add it
//! here and to `flags` of each command that accepts it.

/// A flag: its names, its value, its default and its help.
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
    /// The description in help.
    pub(super) help: &'static str,
}

/// The default of a flag, used if neither the flag nor its variable is given.
pub(super) enum DefaultValue {
    /// A value, which is parsed like a given value.
    Value(&'static str),
    /// The default is not a constant value; help shows this description.
    Described(&'static str),
}

use DefaultValue::{Described, Value};

/// A switch: a flag without a value. If a switch has a variable, 1 turns the switch on and 0 leaves it off.
const fn switch(name: &'static str, help: &'static str) -> Flag {
    Flag { name, value: None, expected: "1 or 0", variable: None, default: Described("off"), help }
}

/// The default URL of the backend for `verify`, `send` and `replay`. `serve` listens there by default.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:8000/";

/// Defines the flags, and the list of them all.
macro_rules! flags {
    ($($name:ident: Flag = $flag:expr;)+) => {
        $(pub(super) const $name: Flag = $flag;)+
        const ALL: &[Flag] = &[$($name),+];
    };
}

/// The environment variables of all flags.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter_map(|flag| flag.variable)
}

flags! {
LISTEN: Flag = Flag { name: "--listen", value: Some("ADDR:PORT"), variable: Some("WECHAT_LISTEN"),
    default: Value("127.0.0.1:8000"), expected: "ADDR:PORT such as 0.0.0.0:80 or [::1]:8000",
    help: "address, for IPv6 [::1]:8000; not used if standard input is a listening socket" };
RULES: Flag = Flag { name: "--rules", value: Some("FILE"), variable: Some("WECHAT_RULES"),
    default: Described("embedded rules, which echo text"), expected: "a file path",
    help: "rules file; a change takes effect within a second" };
URL: Flag = Flag { name: "--url", value: Some("URL"), variable: Some("WECHAT_CALLBACK_URL"),
    default: Value(DEFAULT_URL), expected: "an http:// URL",
    help: "backend to send requests to" };
// `WECHAT_TOKEN` contains the token itself and not a file path, so `secrets.rs` reads it.
TOKEN_FILE: Flag = Flag { name: "--token-file", value: Some("FILE"), variable: None,
    default: Described("$WECHAT_TOKEN, else $CREDENTIALS_DIRECTORY/token"), expected: "a file path",
    help: "file that holds the token; without any, serve generates one on loopback" };
APP_ID: Flag = Flag { name: "--app-id", value: Some("APPID"), variable: Some("WECHAT_APP_ID"),
    default: Described("none"), expected: "an appid such as wx5823bf96d3bd56c7 (gh_… is the original id)",
    help: "appid of the account, required for encrypted messages" };
REQUIRE_ENCRYPTION: Flag = Flag { variable: Some("WECHAT_REQUIRE_ENCRYPTION"),
    ..switch("--require-encryption", "refuse messages in plain mode (明文模式)") };
PATH: Flag = Flag { name: "--path", value: Some("PATH"), variable: Some("WECHAT_PATH"),
    default: Described("any path"), expected: "a percent-encoded path such as /wx",
    help: "serve only this path, with or without a final slash; other paths get 404" };
MAX_AGE: Flag = Flag { name: "--max-age", value: Some("SECONDS"), variable: Some("WECHAT_MAX_AGE"),
    default: Value("600"), expected: "a whole number of seconds",
    help: "maximum difference between a request's timestamp and the clock; 0 accepts any" };
MAX_CONNECTIONS: Flag = Flag { name: "--max-connections", value: Some("N"), variable: Some("WECHAT_MAX_CONNECTIONS"),
    default: Value("1024"), expected: "1 to 16000",
    help: "maximum number of connections at once" };
CONTROL: Flag = Flag { name: "--control", value: Some("PATH"), variable: Some("WECHAT_CONTROL"),
    default: Described("$RUNTIME_DIRECTORY/control, else /run/wechat/control"), expected: "a file path",
    help: "control socket through which status and stop reach the server" };
FROM: Flag = Flag { name: "--from", value: Some("OPENID"), variable: None,
    default: Described("oUser1"), expected: "an openid",
    help: "user who sends the message" };
TRIES: Flag = switch("--tries",
    "send up to three times, waiting 5 s for an answer each time, as WeChat does");
RAW: Flag = switch("--raw", "also print the XML, as sent and as received");
ENCRYPTED: Flag = switch("--encrypted", "send in safe mode (安全模式) and decrypt the answer");
COMPATIBLE: Flag = switch("--compatible", "send in compatible mode (兼容模式) and decrypt the answer");
RESIGN: Flag = switch("--resign", "sign each request again with the token and the current time");
ALL_ELEMENTS: Flag = switch("--all", "print a sample of every element instead");
JSON: Flag = switch("--json", "print one line of JSON; the name of a duration ends in its unit");
}

//! All flags. Parsing, environment variables, default values and help all use these constants. To add a flag, add it
//! here and to `flags` of each command that accepts it.

use crate::text::language::Text;

/// A flag: its names, its value, its default and its help.
pub(super) struct Flag {
    /// The flag as it is typed, with its dashes.
    pub(super) name: &'static str,
    /// The placeholder for the value in help; `None` for a switch, which has no value.
    pub(super) value: Option<&'static str>,
    /// The valid values of the flag and its variable. An error shows this text after "expected".
    pub(super) expected: Text,
    /// The environment variable that is read if the flag is not given.
    pub(super) variable: Option<&'static str>,
    pub(super) default: DefaultValue,
    /// The description in help.
    pub(super) help: Text,
}

/// The default of a flag, used if neither the flag nor its variable is given.
pub(super) enum DefaultValue {
    /// A value, which is parsed like a given value.
    Value(&'static str),
    /// The default is not a constant value; help shows this description.
    Described(Text),
}

use DefaultValue::{Described, Value};

/// A switch: a flag without a value. If a switch has a variable, 1 turns the switch on and 0 leaves it off.
const fn switch(name: &'static str, help: Text) -> Flag {
    let default = Described(Text { en: "off", zh: "关闭" });
    Flag { name, value: None, expected: Text { en: "1 or 0", zh: "1 或 0" }, variable: None, default, help }
}

const FILE_PATH: Text = Text { en: "a file path", zh: "文件路径" };

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
    default: Value("127.0.0.1:8000"),
    expected: Text { en: "ADDR:PORT such as 0.0.0.0:80 or [::1]:8000", zh: "ADDR:PORT，例如 0.0.0.0:80 或 [::1]:8000" },
    help: Text { en: "address, for IPv6 [::1]:8000; not used if standard input is a listening socket",
        zh: "监听地址，IPv6 写作 [::1]:8000；标准输入是监听套接字时不用" } };
RULES: Flag = Flag { name: "--rules", value: Some("FILE"), variable: Some("WECHAT_RULES"),
    default: Described(Text { en: "embedded rules, which echo text", zh: "内置规则：原样回复文本" }),
    expected: FILE_PATH,
    help: Text { en: "rules file; a change takes effect within a second", zh: "规则文件；修改后一秒内生效" } };
URL: Flag = Flag { name: "--url", value: Some("URL"), variable: Some("WECHAT_CALLBACK_URL"),
    default: Value(DEFAULT_URL), expected: Text { en: "an http:// URL", zh: "http:// 开头的 URL" },
    help: Text { en: "backend to send requests to", zh: "请求发往的后端" } };
// `WECHAT_TOKEN` contains the token itself and not a file path, so `secrets.rs` reads it.
TOKEN_FILE: Flag = Flag { name: "--token-file", value: Some("FILE"), variable: None,
    default: Described(Text { en: "$WECHAT_TOKEN, else $CREDENTIALS_DIRECTORY/token",
        zh: "$WECHAT_TOKEN，否则 $CREDENTIALS_DIRECTORY/token" }), expected: FILE_PATH,
    help: Text { en: "file that holds the token; without any, serve generates one on loopback",
        zh: "存放令牌的文件；若都没有，只监听本机的 serve 会生成一个令牌" } };
APP_ID: Flag = Flag { name: "--app-id", value: Some("APPID"), variable: Some("WECHAT_APP_ID"),
    default: Described(Text { en: "none", zh: "无" }),
    expected: Text { en: "an appid such as wx5823bf96d3bd56c7 (gh_… is the original id)",
        zh: "AppID，例如 wx5823bf96d3bd56c7（gh_… 是原始 ID）" },
    help: Text { en: "appid of the account, required for encrypted messages", zh: "公众号的 AppID；加密消息需要" } };
REQUIRE_ENCRYPTION: Flag = Flag { variable: Some("WECHAT_REQUIRE_ENCRYPTION"), ..switch("--require-encryption",
    Text { en: "refuse messages in plain mode (明文模式)", zh: "拒绝明文模式的消息" }) };
PATH: Flag = Flag { name: "--path", value: Some("PATH"), variable: Some("WECHAT_PATH"),
    default: Described(Text { en: "any path", zh: "任意路径" }),
    expected: Text { en: "a percent-encoded path such as /wx", zh: "百分号编码的路径，例如 /wx" },
    help: Text { en: "serve only this path, with or without a final slash; other paths get 404",
        zh: "只服务这个路径，末尾有没有斜杠都可以；其他路径返回 404" } };
MAX_AGE: Flag = Flag { name: "--max-age", value: Some("SECONDS"), variable: Some("WECHAT_MAX_AGE"),
    default: Value("600"), expected: Text { en: "a whole number of seconds", zh: "整数秒" },
    help: Text { en: "maximum difference between a request's timestamp and the clock; 0 accepts any",
        zh: "请求的 timestamp 与本机时钟的最大偏差；0 表示不限" } };
MAX_CONNECTIONS: Flag = Flag { name: "--max-connections", value: Some("N"), variable: Some("WECHAT_MAX_CONNECTIONS"),
    default: Value("1024"), expected: Text { en: "1 to 16000", zh: "1 到 16000" },
    help: Text { en: "maximum number of connections at once", zh: "同时连接数的上限" } };
CONTROL: Flag = Flag { name: "--control", value: Some("PATH"), variable: Some("WECHAT_CONTROL"),
    default: Described(Text { en: "$RUNTIME_DIRECTORY/control, else /run/wechat/control",
        zh: "$RUNTIME_DIRECTORY/control，否则 /run/wechat/control" }), expected: FILE_PATH,
    help: Text { en: "control socket through which status and stop reach the server",
        zh: "控制套接字；status 和 stop 通过它连接服务器" } };
FROM: Flag = Flag { name: "--from", value: Some("OPENID"), variable: None,
    default: Described(Text { en: "oUser1", zh: "oUser1" }), expected: Text { en: "an openid", zh: "一个 openid" },
    help: Text { en: "user who sends the message", zh: "发送消息的用户" } };
TRIES: Flag = switch("--tries",
    Text { en: "send up to three times, waiting 5 s for an answer each time, as WeChat does",
        zh: "像微信一样最多发送三次，每次等待响应 5 秒" });
RAW: Flag = switch("--raw",
    Text { en: "also print the XML, as sent and as received", zh: "同时显示发送和收到的 XML 原文" });
ENCRYPTED: Flag = switch("--encrypted",
    Text { en: "send in safe mode (安全模式) and decrypt the answer", zh: "以安全模式发送，并解密响应" });
COMPATIBLE: Flag = switch("--compatible",
    Text { en: "send in compatible mode (兼容模式) and decrypt the answer", zh: "以兼容模式发送，并解密响应" });
RESIGN: Flag = switch("--resign",
    Text { en: "sign each request again with the token and the current time", zh: "用令牌和当前时间为每个请求重新签名" });
ALL_ELEMENTS: Flag = switch("--all",
    Text { en: "print a sample of every element instead", zh: "改为输出包含所有元素的示例" });
JSON: Flag = switch("--json",
    Text { en: "print one line of JSON; the name of a duration ends in its unit", zh: "输出一行 JSON；时长的名称以单位结尾" });
}

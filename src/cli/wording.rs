//! The texts of the command line, each once: headings of help, errors, the greeting of the server, log lines, and the
//! output of `verify`, `send` and `replay`.

use std::fmt::{self, Display, Formatter};
use std::io::{
    self,
    ErrorKind::{
        self, ConnectionRefused, FileTooLarge, NotFound, PermissionDenied, TimedOut, WouldBlock,
    },
};
use std::net::SocketAddr;
use std::panic::Location;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{Error, SecretFlaw, ServiceSign, UsageError};
use crate::callback::{Callback, EncryptionPolicy};
use crate::control::RESPONSE_MAX;
use crate::http::Url;
use crate::server::NotListening;
use crate::service::version;
use crate::simulator::{FAULT_PROMPT, Severity};
use crate::text::display::format_duration;
use crate::text::language::Text;
use crate::text::log_note::LogNote;
use crate::text::system_error::SystemError;
use crate::text::wording::{said, say, wording};
use crate::wechat::{AesKeyError, AppId, Cipher};

pub(super) const TITLE: Text = Text {
    en: "wechat: the whole backend of a WeChat Official Account (公众号)",
    zh: "wechat：微信公众号的完整后端",
};
pub(super) const USAGE: Text = Text { en: "usage: ", zh: "用法：" };

/// The end of the usage of a command that has flags.
pub(super) const FLAGS: Text = Text { en: " [FLAG]...", zh: " [选项]..." };
pub(super) const FLAG: Text = Text { en: "flag", zh: "选项" };
pub(super) const ENVIRONMENT: Text = Text { en: "environment", zh: "环境变量" };
pub(super) const DEFAULT: Text = Text { en: "default", zh: "默认值" };

/// Separates the commands in the heading of flags that they share.
pub(super) const SEPARATOR: Text = Text { en: ", ", zh: "、" };

/// The last lines of the list of all commands.
pub(super) const EPILOGUE: Text = Text {
    en: "\
exit status: 0 success, 1 failure, 2 invalid arguments or settings
colour: on a terminal, unless NO_COLOR is set
language: 中文 if WECHAT_LANG, else LC_ALL, LC_MESSAGES or LANG begins with zh
",
    zh: "\
退出码：0 成功，1 失败，2 参数或设置无效
颜色：在终端上使用，设置了 NO_COLOR 时除外
语言：WECHAT_LANG（其次 LC_ALL、LC_MESSAGES、LANG）以 zh 开头时为中文，否则为英文
",
};

/// The heading of the commands.
pub(super) const COMMANDS: Text = Text {
    en: "usage: wechat [COMMAND]; the default is serve",
    zh: "用法：wechat [COMMAND]；默认命令是 serve",
};

/// The heading of the chapters of the manual.
pub(super) const MANUAL: Text = Text { en: "manual: wechat help CHAPTER", zh: "手册：wechat help CHAPTER" };

/// The heading of the flags of a command.
pub(super) fn flags_of(command: &str) -> String {
    said!(en: "flags of {command}", zh: "{command} 的选项")
}

/// The last line of a list of sections if there are more.
pub(super) fn more_sections(count: usize) -> String {
    said!(en: "… {count} more; search for a longer word\n", zh: "……还有 {count} 节；请搜索更长的词\n")
}

/// Shown instead of the path of the rules file if there is none.
pub(super) const EMBEDDED_RULES: Text = Text { en: "the embedded rules", zh: "内置规则" };

wording! { Error {
    Self::Usage(error) => en: "{error}", zh: "{error}";
    Self::File { path, error } => en: "cannot read {path:?}: {error}", zh: "无法读取 {path:?}：{error}";
    Self::CaptureEmpty(path) => en: "{path:?} is empty; expected an HTTP request",
        zh: "{path:?} 是空文件；应为一个 HTTP 请求";
    Self::Capture { path, error } => en: "{path:?}: {error}", zh: "{path:?}：{error}";
    Self::NoRequest(path) => en: "no .request file in {path:?}", zh: "{path:?} 中没有 .request 文件";
    Self::Replay { failed, all } => en: "{failed} of {all} failed", zh: "{all} 个请求中有 {failed} 个失败";
    Self::Random(error) => en: "cannot read /dev/urandom: {}", zh: "无法读取 /dev/urandom：{}",
        SystemError(error);
    Self::Listen { address, error } => en: "cannot listen on {address}: {}", zh: "无法监听 {address}：{}",
        SystemError(error);
    Self::Serve(error) => en: "cannot serve: {}", zh: "无法提供服务：{}", SystemError(error);
    Self::ControlSocket { path, error } => en: "cannot create the control socket {path:?}: {}",
        zh: "无法创建控制套接字 {path:?}：{}", SystemError(error);
    Self::Control { path, error } if is(error, &[NotFound, ConnectionRefused]) =>
        en: "no server at {path:?}; if it is at another path, pass --control PATH; \
            if the service has failed, journalctl -u wechat -e says why",
        zh: "{path:?} 处没有服务器；如果在别的路径，请用 --control PATH 指定；\
            如果服务启动失败，原因见 journalctl -u wechat -e";
    Self::Control { path, error } if is(error, &[PermissionDenied]) =>
        en: "cannot open {path:?}; only root and the server's own user can",
        zh: "无法打开 {path:?}；只有 root 和运行服务器的用户可以打开";
    Self::Control { path, error } if is(error, &[WouldBlock, TimedOut]) =>
        en: "the server at {path:?} does not answer; it may be stuck or suspended",
        zh: "{path:?} 处的服务器没有回应；它可能卡住了，或被挂起";
    Self::Control { path, error } if is(error, &[FileTooLarge]) =>
        en: "the answer at {path:?} has more than {RESPONSE_MAX} bytes, so it is not from wechat serve",
        zh: "{path:?} 处的回应超过 {RESPONSE_MAX} 字节，所以它不是来自 wechat serve";
    Self::Control { path, error } => en: "cannot reach the server at {path:?}: {}",
        zh: "无法连接 {path:?} 处的服务器：{}", SystemError(error);
    Self::ControlClosed(path) => en: "the server at {path:?} ended without an answer",
        zh: "{path:?} 处的服务器没有回应就结束了";
    Self::ControlAnswer { path, answer } => en: "the server at {path:?} answered: {answer}",
        zh: "{path:?} 处的服务器回应：{answer}";
    Self::NotReady(url) => en: "{url} is not ready for WeChat", zh: "{url} 还不能接入微信";
    Self::NotChecked(url) => en: "{url:?} is not checked yet; run the command above",
        zh: "{url:?} 还没有验证；请运行上面的命令";
    Self::NotDelivered => en: "WeChat would not deliver this answer; the user may see {FAULT_PROMPT}",
        zh: "微信不会把这个响应发给用户；用户可能看到“{FAULT_PROMPT}”";
    Self::NotInTime => en: "no answer in time; WeChat would try twice more, as --tries does",
        zh: "没有按时收到响应；微信还会再试两次，用 --tries 可以模拟";
    Self::Output(error) => en: "cannot print: {}", zh: "无法输出：{}", SystemError(error);
    Self::Rules { path, error } => en: "{}", zh: "{}", error.summary(path);
} }

fn is(error: &io::Error, kinds: &[ErrorKind]) -> bool {
    kinds.contains(&error.kind())
}

wording! { UsageError {
    Self::UnknownCommand { name, similar: Some(similar) } => en: "unknown command {name:?}; did you mean {similar}?",
        zh: "未知命令 {name:?}；是不是想用 {similar}？";
    Self::UnknownCommand { name, similar: None } => en: "unknown command {name:?}; see wechat help",
        zh: "未知命令 {name:?}；请看 wechat help";
    Self::NoHelp { name, similar: Some(similar) } => en: "no help on {name:?}; did you mean {similar}?",
        zh: "没有关于 {name:?} 的帮助；是不是想看 {similar}？";
    Self::NoHelp { name, similar: None } => en: "no help on {name:?}; see wechat help",
        zh: "没有关于 {name:?} 的帮助；请看 wechat help";
    Self::UnknownFlag { name, similar: Some(similar), .. } => en: "unknown flag {name:?}; did you mean {similar}?",
        zh: "未知选项 {name:?}；是不是想用 {similar}？";
    Self::UnknownFlag { name, similar: None, command } => en: "unknown flag {name:?}; see wechat help {command}",
        zh: "未知选项 {name:?}；请看 wechat help {command}";
    Self::SecretFlag { name, variable: "WECHAT_TOKEN" } =>
        en: "unknown flag {name:?}; secrets are never flags, because every user of a machine can read them: \
            pass --token-file FILE or set WECHAT_TOKEN",
        zh: "未知选项 {name:?}；令牌和密钥不能写在选项里，因为本机的所有用户都能看到；\
            请使用 --token-file FILE，或设置 WECHAT_TOKEN";
    Self::SecretFlag { name, variable } =>
        en: "unknown flag {name:?}; secrets are never flags, because every user of a machine can read them: \
            set {variable}",
        zh: "未知选项 {name:?}；令牌和密钥不能写在选项里，因为本机的所有用户都能看到；请设置 {variable}";
    Self::UnexpectedArgument { argument, command } => en: "unexpected argument {argument:?}; see wechat help {command}",
        zh: "多余的参数 {argument:?}；请看 wechat help {command}";
    Self::MissingValue { flag, placeholder } => en: "{flag} has no value; expected {flag} {placeholder}",
        zh: "{flag} 缺少值；应为 {flag} {placeholder}";
    Self::UnexpectedValue(flag) => en: "{flag} takes no value", zh: "{flag} 不带值";
    Self::Repeated(flag) => en: "{flag} is given twice; pass it once", zh: "{flag} 写了两次；请只写一次";
    Self::Conflict(one, other) => en: "{one} and {other} exclude each other; pass one of them",
        zh: "{one} 和 {other} 不能同时使用；请只用其中一个";
    Self::Value { name, value, expected } => en: "{name} is {value:?}; expected {expected}",
        zh: "{name} 是 {value:?}；应为：{expected}";
    Self::Url { name, value, error } => en: "{name} is {value:?}: {error}", zh: "{name} 是 {value:?}：{error}";
    Self::TestMessage(error) => en: "{error}", zh: "{error}";
    Self::NotUtf8(text) => en: "{text:?} is not UTF-8", zh: "{text:?} 不是 UTF-8";
    Self::NothingToReplay => en: "nothing to replay; expected a .request file or a folder of them",
        zh: "没有要发送的请求；请指定 .request 文件，或含有这种文件的目录";
    Self::StandardInput(NotListening::Tcp) =>
        en: "standard input is a TCP socket that does not listen; expected a listening TCP socket or no socket",
        zh: "标准输入是没有监听的 TCP 套接字；应为正在监听的 TCP 套接字，或者不是套接字";
    Self::StandardInput(NotListening::OtherProtocol) =>
        en: "standard input is a socket of another protocol than TCP, such as UDP; \
            expected a listening TCP socket or no socket",
        zh: "标准输入是 UDP 等其他协议的套接字；应为正在监听的 TCP 套接字，或者不是套接字";
    Self::NoToken => en: "no token; set WECHAT_TOKEN or pass --token-file FILE",
        zh: "没有令牌(Token)；请设置 WECHAT_TOKEN，或使用 --token-file FILE";
    Self::NoTokenForService { credential: Some(file), reason } =>
        en: "no token; set WECHAT_TOKEN or pass --token-file FILE; looked for WECHAT_TOKEN and the file {file:?}, \
            which does not exist (systemd before 247 ignores LoadCredential=); {reason}",
        zh: "没有令牌(Token)；请设置 WECHAT_TOKEN，或使用 --token-file FILE；已查找 WECHAT_TOKEN 和文件 {file:?}，\
            都不存在（低于 247 的 systemd 会忽略 LoadCredential=）；{reason}";
    Self::NoTokenForService { credential: None, reason } =>
        en: "no token; set WECHAT_TOKEN or pass --token-file FILE; looked for WECHAT_TOKEN and \
            $CREDENTIALS_DIRECTORY/token, but CREDENTIALS_DIRECTORY is not set \
            (systemd before 247 ignores LoadCredential=); {reason}",
        zh: "没有令牌(Token)；请设置 WECHAT_TOKEN，或使用 --token-file FILE；已查找 WECHAT_TOKEN 和 \
            $CREDENTIALS_DIRECTORY/token，但没有设置 CREDENTIALS_DIRECTORY\
            （低于 247 的 systemd 会忽略 LoadCredential=）；{reason}";
    Self::Secret { origin, flaw } => en: "{origin}: {flaw}", zh: "{origin}：{flaw}";
    Self::Token { origin, error } => en: "{origin}: {error}", zh: "{origin}：{error}";
    Self::AesKey { origin, error } => en: "{origin}: {error}", zh: "{origin}：{error}";
    Self::NoAesKey(name) => en: "{name} needs the EncodingAESKey; set WECHAT_AES_KEY or the credential aes-key",
        zh: "{name} 需要消息加解密密钥(EncodingAESKey)；请设置 WECHAT_AES_KEY，或提供凭据 aes-key";
    Self::PreviousAesKeyAlone =>
        en: "the previous EncodingAESKey needs the current one; set WECHAT_AES_KEY or the credential aes-key",
        zh: "只有旧的 EncodingAESKey，没有当前的；请设置 WECHAT_AES_KEY，或提供凭据 aes-key";
    Self::NoAppId => en: "the EncodingAESKey needs the appid of the account; pass --app-id APPID or set WECHAT_APP_ID",
        zh: "使用 EncodingAESKey 还需要公众号的 AppID；请使用 --app-id APPID，或设置 WECHAT_APP_ID";
    Self::NotSecure(name) => en: "{name}: {}", zh: "{name}：{}", AesKeyError::FeatureMissing;
} }

wording! { ServiceSign {
    Self::Variable(name) => en: "a server generates a token only for a trial, and {name} is set, as in a service",
        zh: "只有试用的服务器才会生成令牌，而这里设置了 {name}，说明是正式服务";
    Self::Address(address) => en: "a server generates a token only for a trial, and other machines can reach {address}",
        zh: "只有试用的服务器才会生成令牌，而别的机器可以访问 {address}";
    Self::Socket =>
        en: "a server generates a token only for a trial, and a listening socket was passed as standard input",
        zh: "只有试用的服务器才会生成令牌，而这里的标准输入是一个监听套接字";
} }

wording! { SecretFlaw {
    Self::ByteOrderMark => en: "begins with a byte order mark (EF BB BF); save it as UTF-8 without BOM",
        zh: "以字节顺序标记（EF BB BF）开头；请保存为不带 BOM 的 UTF-8";
    Self::Utf16 => en: "is UTF-16; save it as UTF-8 without BOM", zh: "是 UTF-16；请保存为不带 BOM 的 UTF-8";
    Self::Quotes => en: "the secret is in quotes; write it without quotes", zh: "内容带了引号；请去掉引号";
    Self::Space => en: "white space or an empty line before or after the secret; write one line with the secret alone",
        zh: "内容前后有空白或空行；请只写一行，不加别的内容";
    Self::Assignment => en: "a name and = before the secret; write the secret alone",
        zh: "内容前面有名称和 =；请只写内容本身";
} }

/// The text that the server prints when it starts. Scripts read the address from the end of the first line.
pub(super) struct Greeting<'g> {
    pub(super) address: SocketAddr,
    pub(super) callback: &'g Callback,
    pub(super) app_id: Option<AppId>,
    pub(super) generated_token: Option<GeneratedToken>,
    /// The default path of the control socket and the error, if the socket could not be created.
    pub(super) no_control_socket: Option<&'g (PathBuf, io::Error)>,
}

/// A token that the server generated because there was none.
pub(super) struct GeneratedToken {
    pub(super) token: String,
    /// The name or path of this program, to be typed in a shell.
    pub(super) program: String,
    /// The URL of the server; `None` if it is the default of `--url`.
    pub(super) url: Option<String>,
}

impl Display for Greeting<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "wechat {} listening on {}", version(), self.address)?;
        let encryption = &self.callback.encryption;
        if let Some(id) = self.app_id.as_ref().map(AppId::as_str) {
            match encryption {
                EncryptionPolicy::NoKey => say!(f,
                    en: "note: no EncodingAESKey; cannot read encrypted messages of {id}\n",
                    zh: "注意：没有 EncodingAESKey，无法读取 {id} 的加密消息\n"),
                EncryptionPolicy::Allowed(_) => f.write_str(&accepting_all(id)),
                EncryptionPolicy::Required(_) => f.write_str(&accepting_encrypted(id)),
            }?;
        }
        if self.callback.previous_token.is_some() {
            say!(f, en: "also accepting the previous token\n", zh: "同时接受旧的令牌\n")?;
        }
        if encryption.cipher().is_some_and(Cipher::has_previous) {
            f.write_str(PREVIOUS_AES_KEY.get())?;
        }
        if let Some(GeneratedToken { token, program, url }) = &self.generated_token {
            let url = url.as_ref().map_or(String::new(), |url| format!(" --url '{url}'"));
            say!(f, en: "no token given; generated one for this run: {token}\ntry it in another terminal:\n",
                zh: "没有设置令牌(Token)；已为本次运行生成一个：{token}\n请在另一个终端试用：\n")?;
            writeln!(f, "  WECHAT_TOKEN={token} {program} verify{url}")?;
            writeln!(f, "  WECHAT_TOKEN={token} {program} send{url} 你好")?;
        }
        match self.no_control_socket {
            Some((path, error)) if error.kind() == NotFound => say!(f,
                en: "note: no control socket ({} does not exist); for status and stop, pass --control PATH\n",
                zh: "注意：没有控制套接字（{} 不存在）；如需使用 status 和 stop，请指定 --control PATH\n",
                path.parent().unwrap_or(path).display()),
            Some((path, error)) => say!(f,
                en: "note: no control socket ({}: {}); for status and stop, pass --control PATH\n",
                zh: "注意：没有控制套接字（{}：{}）；如需使用 status 和 stop，请指定 --control PATH\n",
                path.display(), SystemError(error)),
            None => Ok(()),
        }
    }
}

fn accepting_all(id: &str) -> String {
    said!(en: "accepting encrypted and plain messages of {id}\n", zh: "接受 {id} 的加密消息和明文消息\n")
}

fn accepting_encrypted(id: &str) -> String {
    said!(en: "accepting only encrypted messages of {id}\n", zh: "只接受 {id} 的加密消息\n")
}

const PREVIOUS_AES_KEY: Text =
    Text { en: "also accepting the previous EncodingAESKey\n", zh: "同时接受旧的 EncodingAESKey\n" };

/// The log line if the service manager cannot be notified that the server is ready or stopping.
pub(super) fn notify_failed(error: &io::Error) -> LogNote {
    let hint = Text {
        en: "NOTIFY_SOCKET must be the socket of the service manager",
        zh: "NOTIFY_SOCKET 必须是服务管理器的套接字",
    };
    LogNote { cause: "notify", reason: SystemError(error).to_string().into(), hint: hint.get() }
}

/// The log line of a panic in any thread: where it happened. If the handler panicked, a second line with this cause
/// follows, in which the server states that it closed the connection. The text of the panic is left out, because it may
/// contain what a user wrote.
pub(super) fn panicked(location: Option<&Location<'_>>) -> LogNote {
    let place = location.map_or_else(String::new, ToString::to_string);
    let reason = said!(en: "at {place}", zh: "位于 {place}");
    LogNote { cause: "panic", reason: reason.into(), hint: "" }
}

/// A line that begins with the word for its severity. `paint` colours the word.
pub(super) fn with_severity(
    severity: Severity,
    text: &dyn Display,
    paint: impl Fn(&str) -> String,
) -> String {
    let word = match severity {
        Severity::Ok => Text { en: "ok", zh: "通过" },
        Severity::Warning => Text { en: "warning", zh: "警告" },
        Severity::Error => Text { en: "failed", zh: "失败" },
    };
    let word = paint(word.get());
    said!(en: "{word}: {text}\n", zh: "{word}：{text}\n")
}

/// The finding about a captured request.
pub(super) fn replayed(path: &str, finding: &dyn Display) -> String {
    said!(en: "{path}: {finding}", zh: "{path}：{finding}")
}

/// The last line of `verify` if the backend passes the token check.
pub(super) fn accepted(url: &Url) -> String {
    said!(en: "WeChat would accept {url} with this token\n", zh: "使用此令牌，微信会接受 {url}\n")
}

/// The output of `verify` for an https URL. `signed` can be pasted between single quotes.
pub(super) fn curl_check(signed: &str, echostr: &str) -> String {
    said!(
        en: "\
wechat does not speak https. Let curl send the token check:

  curl -i '{signed}'

WeChat accepts the URL if the status is 200 and the content is this and nothing else:

  {echostr}

Other answers:
  301, 302, 307, 308    WeChat follows no redirects; enter the other URL in the console
  403                   the tokens differ, or the signature is older than 10 minutes; print it again
  404                   no location of the proxy passes this URL on; check server_name and location
  502, 504              the proxy does not reach the program; check that it runs, and its address
  curl: (60)            the certificate; WeChat needs the whole chain (fullchain.pem)
  curl: (6), (7), (28)  the DNS record, the port or the firewall

",
        zh: "\
wechat 不支持 https。请用 curl 验证令牌：

  curl -i '{signed}'

状态码为 200，并且正文正好是下面的内容、没有别的，微信就会接受这个 URL：

  {echostr}

其他结果：
  301, 302, 307, 308    微信不跟随重定向；请在公众平台填写重定向后的 URL
  403                   两边的令牌不同，或签名已超过 10 分钟；请重新运行本命令
  404                   反向代理没有转发这个 URL；请检查 server_name 和 location
  502, 504              反向代理连不上程序；请检查程序是否在运行，地址是否正确
  curl: (60)            证书有问题；微信需要完整的证书链（fullchain.pem）
  curl: (6), (7), (28)  DNS 记录、端口或防火墙有问题

"
    )
}

/// The last line of `send` if the user would see the answer.
pub(super) const DELIVERED: Text = Text { en: "WeChat would deliver this\n", zh: "微信会把它发给用户\n" };

/// The last line of `send` if the answer asks for no reply.
pub(super) const SHOWN_NOTHING: Text = Text { en: "WeChat would show the user nothing\n", zh: "微信不会向用户显示任何内容\n" };

/// The beginning of the line about a try.
pub(super) fn try_number(number: usize) -> String {
    said!(en: "try {number}: ", zh: "第 {number} 次：")
}

/// The end of the line about a try that got no answer within this time.
pub(super) fn no_answer(within: Duration) -> String {
    said!(en: "no answer within {}\n", zh: "{} 内没有响应\n", format_duration(within))
}

/// The first line about an answer to `send`: its kind, and how long it took.
pub(super) fn answer(kind: &str, took: Duration) -> String {
    said!(en: "{kind} after {}\n", zh: "{kind}，用时 {}\n", format_duration(took))
}

/// The line after the content of an answer that was not received completely.
pub(super) fn raw_is_incomplete(length: usize) -> String {
    said!(
        en: "--raw shows the first {length} bytes of the content; the rest was not received\n",
        zh: "--raw 显示的是正文的前 {length} 字节；其余部分没有收到\n"
    )
}

/// The last line of a difference: the first byte that differs, counted from 1.
pub(super) fn first_difference(position: usize, byte: &dyn Display) -> String {
    said!(en: "  byte {position}: {byte}\n", zh: "  第 {position} 字节：{byte}\n")
}

#[cfg(test)]
mod samples;

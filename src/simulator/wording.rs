//! The texts of the simulator. They say what is wrong, what WeChat expects, and what to do.
//!
//! Each row of a table has a pattern and the text in both languages. Each table is an exhaustive `match`.

use std::io::ErrorKind::{
    AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable,
};

use super::capture::CaptureError;
use super::check::Finding;
use super::difference::{ByteDifference, Line};
use super::fault::{Fault, StatusHint, is_tls};
use super::test_message::{TestMessageError, TestMessageWarning};
use super::timing::WECHAT_TIMEOUT;
use super::verdict::AnswerKind;
use crate::client::ExchangeError::*;
use crate::http::ResponseError;
use crate::text::display::{excerpt, format_duration};
use crate::text::language::Text;
use crate::text::system_error::SystemError;
use crate::text::wording::wording;
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, DecryptError, TEXT_MAX};
use crate::xml::XmlError;

const SECONDS: u64 = WECHAT_TIMEOUT.as_secs();

wording! { Finding {
    Self::Fault(fault) => en: "{fault}", zh: "{fault}";
    Self::ByteOrderMark => en: "the content begins with a byte order mark (EF BB BF); \
        save the program's files as UTF-8 without BOM",
        zh: "正文以字节顺序标记（EF BB BF）开头；请把程序的文件保存为不带 BOM 的 UTF-8";
    Self::Gzip => en: "the content is compressed with gzip, which WeChat does not ask for; \
        switch compression off for this URL",
        zh: "正文经过 gzip 压缩，但微信没有要求压缩；请对此 URL 关闭压缩";
    Self::Utf16 => en: "the content is UTF-16; send UTF-8 without a byte order mark",
        zh: "正文是 UTF-16；请发送不带 BOM 的 UTF-8";
    Self::Html { excerpt } => en: "the content is an HTML page: {excerpt}; \
        check for an error page, and that this is the URL of the program",
        zh: "正文是 HTML 页面：{excerpt}；请检查是否为错误页面，以及此 URL 是否属于该程序";
    Self::WelcomePage { server } => en: "the content is the welcome page of {server}, so no location in its \
        configuration passes this URL on; check its server_name and location",
        zh: "正文是 {server} 的欢迎页面，说明它的配置中没有 location 转发此 URL；请检查 server_name 和 location";

    Self::PortNotCalled { port } => en: "WeChat calls only ports 80 and 443, so it does not reach port {port}; \
        in the console, enter a URL without a port",
        zh: "微信只访问 80 和 443 端口，访问不到端口 {port}；请在公众平台填写不带端口的服务器地址(URL)";
    Self::NoIpv4 => en: "the host has only an IPv6 address, and WeChat calls only IPv4 addresses; \
        give the domain an IPv4 address (DNS record A)",
        zh: "主机只有 IPv6 地址，而微信只访问 IPv4 地址；请为域名设置 IPv4 地址（DNS 的 A 记录）";
    Self::StatusOk { took } => en: "status 200 after {}", zh: "状态码 200，用时 {}", format_duration(*took);
    Self::EchostrReturned => en: "the content is the echostr and nothing else", zh: "正文就是 echostr，没有多余内容";
    Self::EchostrMissing => en: "the content is empty; it must be the value of the query parameter echostr",
        zh: "正文为空；应为查询参数 echostr 的值";
    Self::EchostrQuoted => en: "the echostr is in quotes, as frameworks write a string in JSON; \
        send it as plain text (text/plain)",
        zh: "echostr 带有引号，像是框架把它写成了 JSON 字符串；请以纯文本（text/plain）发送";
    Self::EchostrAfterSpace => en: "white space precedes the echostr; \
        remove blank lines at the start of the program's files",
        zh: "echostr 前面有空白；请删除程序文件开头的空行";
    Self::EchostrBeforeSpace => en: "white space follows the echostr; \
        print it without a line end, and remove blank lines at the end of the program's files",
        zh: "echostr 后面有空白；输出时请不要带换行，并删除程序文件末尾的空行";
    Self::EchostrInHtml { before } =>
        en: "the echostr is in an HTML page, after {before}; send it alone, as plain text",
        zh: "echostr 在 HTML 页面中，位于 {before} 之后；请以纯文本单独发送";
    Self::EchostrSurrounded { before, after } =>
        en: "the echostr is not alone: {before} before it, {after} after it; send nothing else",
        zh: "除 echostr 外还有多余内容：前面是 {before}，后面是 {after}；请只发送 echostr";
    Self::EchostrTruncated { received, sent } =>
        en: "only the first {received} of {sent} bytes of the echostr came back; check Content-Length",
        zh: "只收到 echostr 的前 {received} 字节，应为 {sent} 字节；请检查 Content-Length";
    Self::EchostrReplaced { excerpt } => en: "the content is {excerpt} instead of the echostr; check that \
        both sides have the same token, and that the query (?signature=…) reaches the program",
        zh: "正文是 {excerpt}，不是 echostr；请检查两边的令牌(Token)是否一致，以及查询参数（?signature=…）是否传到了程序";
    Self::EchostrChunked => en: "the content is chunked, and some report that the token check then fails; \
        send Content-Length",
        zh: "正文为分块（chunked）传输，有人反映这会使令牌(Token)验证失败；请发送 Content-Length";
    Self::WrongSignatureAccepted => en: "a wrong signature is accepted too, so the program does not check \
        signatures, and anyone can send it messages; compare signature with the SHA-1 of token, \
        timestamp and nonce, sorted",
        zh: "错误的签名也被接受，说明程序没有检查签名，任何人都能向它发送消息；\
        请把 token、timestamp、nonce 排序后计算 SHA-1，再与 signature 比较";
    Self::WrongSignatureRefused { status } => en: "a wrong signature is refused with status {status}",
        zh: "错误的签名被拒绝，状态码 {status}";
    Self::WrongSignatureNotJudged => en: "a wrong signature is not judged, because it gets the same kind of answer as \
        the right one; correct the failure above and check again",
        zh: "无法判断错误的签名是否被拒绝，因为它与正确的签名得到同一种响应；请先修正上面的错误，再检查一次";
    Self::WrongSignatureUnanswered { fault } => en: "a wrong signature gets no answer: {fault}",
        zh: "发送错误的签名后没有收到响应：{fault}";

    Self::OnlySpace => en: "the content is only white space; for no reply send the 7 bytes success, or nothing",
        zh: "正文只有空白；不回复时，请只发送 success 这 7 个字节，或空正文";
    Self::SuccessNotExact { excerpt } =>
        en: "the content is {excerpt}; for no reply send exactly the 7 bytes success, or nothing",
        zh: "正文是 {excerpt}；不回复时，请只发送 success 这 7 个字节，或空正文";
    Self::Json { excerpt } => en: "the content is JSON: {excerpt}; a reply is XML",
        zh: "正文是 JSON：{excerpt}；回复应为 XML";
    Self::NotXml { excerpt } =>
        en: "the content is {excerpt}; expected XML for a reply, or success or nothing for no reply",
        zh: "正文是 {excerpt}；回复应为 XML，不回复时应为 success 或空正文";
    Self::DeclarationAfterSpace => en: "white space precedes the XML declaration, where XML allows none; \
        remove blank lines at the start of the program's files",
        zh: "XML 声明前面有空白，而 XML 不允许；请删除程序文件开头的空行";
    Self::TextAfterRoot { excerpt } => en: "{excerpt} follows </xml>; send nothing after the end of the reply",
        zh: "</xml> 后面还有 {excerpt}；回复结束后请不要再发送内容";
    Self::BrokenXml { error: error @ XmlError::Utf8(_) } => en: "{error}; send UTF-8", zh: "{error}；请发送 UTF-8";
    Self::BrokenXml { error: error @ XmlError::Open } => en: "{error}; check that Content-Length counts bytes",
        zh: "{error}；请检查 Content-Length 是否按字节计算";
    Self::BrokenXml { error: error @ XmlError::TooManyElements } => en: "{error}", zh: "{error}";
    Self::BrokenXml { error: error @ (XmlError::Attribute | XmlError::Markup | XmlError::NoName { .. }
        | XmlError::Syntax { .. }) } =>
        en: "{error}; in a text write &amp; and &lt; for & and <, or use CDATA, and close each tag",
        zh: "{error}；在文本中，请把 & 和 < 写成 &amp; 和 &lt;，或使用 CDATA；每个标签都要结束";
    Self::NotWellFormed { error } => en: "not well-formed XML at line {} column {}: {error}",
        zh: "XML 在第 {} 行第 {} 列格式错误：{error}", error.position.line, error.position.column;
    Self::UnusualXml { error: XmlError::Attribute } =>
        en: "a tag has an attribute, which WeChat's own XML never has; remove it",
        zh: "标签带有属性，而微信自己的 XML 从不使用属性；请删除";
    Self::UnusualXml { .. } =>
        en: "the XML has a comment or an instruction, which WeChat's own XML never has; remove it",
        zh: "XML 中有注释或处理指令，而微信自己的 XML 从不使用它们；请删除";
    Self::NonXmlCharacter { character } => en: "the content has the character U+{:04X}, which XML does not \
        allow; remove control characters",
        zh: "正文中有 XML 不允许的字符 U+{:04X}；请删除控制字符", u32::from(*character);
    Self::WrongRoot { name } => en: "the root element is <{name}>, expected <xml>",
        zh: "根元素是 <{name}>，应为 <xml>";

    Self::UnexpectedEncryption => en: "the reply is encrypted although the message was plain, or it is \
        encrypted twice; give the program the EncodingAESKey only for the encrypted modes, and encrypt once",
        zh: "消息是明文，回复却已加密，或者回复加密了两次；只在加密的模式下才给程序设置 EncodingAESKey，并且只加密一次";
    Self::PlainInSafeMode => en: "the reply is plain, but safe mode (安全模式) accepts only encrypted replies; \
        give the program the EncodingAESKey, or choose 兼容模式 in the console",
        zh: "回复是明文，但安全模式只接受加密的回复；请给程序设置 EncodingAESKey，或在公众平台选择兼容模式";
    Self::ReplyToUnsubscribe => en: "the user has unsubscribed and cannot receive a reply; answer success",
        zh: "用户已取消关注，收不到回复；请返回 success";
    Self::NamesNotSwapped => en: "ToUserName and FromUserName are not swapped; \
        in a reply ToUserName is the user's openid, and FromUserName is the account",
        zh: "ToUserName 和 FromUserName 没有对调；回复中 ToUserName 是用户的 openid，FromUserName 是公众号";
    Self::NameMissing { name, expected } => en: "{name} is missing, expected {expected}",
        zh: "缺少 {name}，应为 {expected}";
    Self::NameWrong { name, found, expected } => en: "{name} is {found}, expected {expected}",
        zh: "{name} 是 {found}，应为 {expected}";
    Self::TimeMissing { name } => en: "{name} is missing, expected seconds since 1970",
        zh: "缺少 {name}，应为 1970 年以来的秒数";
    Self::TimeInMilliseconds { name, time } =>
        en: "{name} is {time}, apparently milliseconds, expected seconds since 1970",
        zh: "{name} 是 {time}，像是毫秒，应为 1970 年以来的秒数";
    Self::TimeNotNumber { name, found } => en: "{name} is {found}, expected whole seconds since 1970",
        zh: "{name} 是 {found}，应为 1970 年以来的整数秒数";
    Self::MsgTypeMissing { known } => en: "MsgType is missing; there are {known}",
        zh: "缺少 MsgType；可用的有 {known}";
    Self::MsgTypeUnknown { found, known } => en: "MsgType is {found}; there are {known}",
        zh: "MsgType 是 {found}；可用的有 {known}";
    Self::ElementMissing { path, msg_type } =>
        en: "{path} is missing or empty, and {msg_type} cannot do without",
        zh: "{path} 缺失或为空，而 {msg_type} 必须有它";
    Self::ElementOmitted { path } => en: "{path} is missing, and the manual requires it",
        zh: "缺少 {path}，而微信文档要求必填";
    Self::ThumbMediaIdEmpty => en: "Music/ThumbMediaId is empty, for which WeChat shows the fault prompt; \
        leave the element out, or give it a MediaId",
        zh: "Music/ThumbMediaId 为空，微信会提示服务出现故障；请去掉此元素，或填入 MediaId";
    Self::ContentEmpty =>
        en: "Content is empty, for which WeChat shows the fault prompt; for no reply send success",
        zh: "Content 为空，微信会提示服务出现故障；不回复时请返回 success";
    Self::ContentTooLong { length } => en: "Content has {length} bytes of UTF-8, at most {TEXT_MAX} allowed",
        zh: "Content 按 UTF-8 计有 {length} 字节，最多 {TEXT_MAX} 字节";
    Self::NoArticles => en: "news without articles, expected Articles/item",
        zh: "news 中没有图文，应有 Articles/item";
    Self::TooManyArticlesToEvent { count } => en: "{count} articles, at most {ARTICLES_MAX} allowed in a reply to \
        an event; WeChat drops the other articles",
        zh: "有 {count} 条图文，回复事件时最多 {ARTICLES_MAX} 条；微信会丢弃其余的图文";
    Self::TooManyArticlesToMessage { count } => en: "{count} articles, at most {ARTICLES_MAX_TO_MESSAGE} \
        allowed in a reply to a message; WeChat drops the other articles",
        zh: "有 {count} 条图文，回复消息时最多 {ARTICLES_MAX_TO_MESSAGE} 条；微信会丢弃其余的图文";
    Self::ArticleCountMissing => en: "ArticleCount is missing, expected the number of articles",
        zh: "缺少 ArticleCount，应为图文的条数";
    Self::ArticleCountWrong { found, count } => en: "ArticleCount is {found}, expected {count}, the number of \
        items in Articles",
        zh: "ArticleCount 是 {found}，应为 {count}，即 Articles 中 item 的个数";
    Self::ArticlesUntitled { count } => en: "articles without a Title: {count}; every article requires one",
        zh: "有 {count} 条图文缺少 Title；每条图文都必须有 Title";

    Self::Repeated { name } => en: "{name} occurs more than once, at most once allowed",
        zh: "{name} 出现多次，最多一次";
    Self::EnvelopeElementMissing { name } => en: "{name} is missing, and an encrypted reply requires it",
        zh: "缺少 {name}，而加密的回复必须有它";
    Self::NotSigned { error } => en: "{error}", zh: "{error}";
    Self::MsgSignatureWrong { found } => en: "MsgSignature is {found}, \
        expected the SHA-1 of token, TimeStamp, Nonce and Encrypt, sorted",
        zh: "MsgSignature 是 {found}，应为 token、TimeStamp、Nonce、Encrypt 排序后的 SHA-1";
    Self::NotOpened { error: error @ (DecryptError::Padding | DecryptError::TooShort { .. } | DecryptError::Length { .. }) } =>
        en: "{error}; check that both sides have the same EncodingAESKey",
        zh: "{error}；请检查两边的消息加解密密钥(EncodingAESKey)是否一致";
    Self::NotOpened { error: error @ DecryptError::AppId } =>
        en: "{error}; check that both sides have the same appid", zh: "{error}；请检查两边的 AppID 是否一致";
    Self::NotOpened { error: error @ DecryptError::Empty } =>
        en: "{error}; for no reply send success or nothing, unencrypted",
        zh: "{error}；不回复时，请返回不加密的 success 或空正文";
    Self::NotOpened { error: error @ (DecryptError::Base64 | DecryptError::Blocks { .. }) } =>
        en: "{error}", zh: "{error}";

    Self::AsCaptured { took } => en: "as captured, after {}", zh: "与保存的响应一致，用时 {}", format_duration(*took);
    Self::NotAsCaptured => en: "not as captured", zh: "与保存的响应不一致";
    Self::NothingCaptured { took } => en: "status 200 after {}; no captured response to compare with",
        zh: "状态码 200，用时 {}；没有保存的响应可以比较", format_duration(*took);
} }

wording! { Fault {
    Self::NoAnswer { error: Resolve { error }, host, .. } =>
        en: "cannot resolve the host name {host}: {error}; check its spelling and its DNS record",
        zh: "无法解析主机名 {host}：{error}；请检查拼写和 DNS 记录";
    Self::NoAnswer { error: Connect { address, error }, port, .. } if error.kind() == ConnectionRefused =>
        en: "nothing listens at {address}; check that the program runs, and that {port} is its port",
        zh: "{address} 没有程序监听；请检查程序是否在运行，端口是否为 {port}";
    Self::NoAnswer { error: Connect { address, error }, .. }
        if [HostUnreachable, NetworkUnreachable, AddrNotAvailable].contains(&error.kind()) =>
        en: "cannot connect to {address}: {}; check the address", zh: "无法连接 {address}：{}；请检查地址",
        SystemError(error);
    Self::NoAnswer { error: Connect { address, error }, .. } =>
        en: "cannot connect to {address}: {}", zh: "无法连接 {address}：{}", SystemError(error);
    Self::NoAnswer { error: ConnectTimeout { address }, port, .. } => en: "the connection to {address} timed out; \
        check that the firewall and the cloud's security group allow port {port}",
        zh: "连接 {address} 超时；请检查防火墙和云服务器的安全组是否放行端口 {port}";
    Self::NoAnswer { error: Closed, .. } => en: "the connection was closed without an answer; \
        read the log of the program, and check that this port is not for HTTPS",
        zh: "连接被关闭，没有收到响应；请查看程序的日志，并检查此端口是否为 HTTPS 端口";
    Self::NoAnswer { error: Timeout, .. } => en: "connected, but no answer within the {SECONDS} s that WeChat \
        waits; check whether the program is busy or waits for something",
        zh: "已连接，但在微信等待的 {SECONDS} 秒内没有收到响应；请检查程序是否繁忙，或在等待什么";
    Self::NoAnswer { error: Head { error: ResponseError::NotHttp, excerpt: start }, .. } if is_tls(start) =>
        en: "the answer is TLS, not HTTP; this port is for HTTPS, give the port for plain HTTP",
        zh: "收到的是 TLS，不是 HTTP；此端口用于 HTTPS，请指定明文 HTTP 的端口";
    Self::NoAnswer { error: Head { error: ResponseError::NotHttp, excerpt: start }, .. } =>
        en: "the answer is not HTTP, it begins with {}; check which program listens at this port",
        zh: "响应不是 HTTP，它以 {} 开头；请检查是哪个程序在监听此端口", excerpt(start);
    Self::NoAnswer { error: Head { error, .. }, .. } =>
        en: "the head of the answer is not valid HTTP: {error}; correct the program that writes it",
        zh: "响应头不是有效的 HTTP：{error}；请修正输出它的程序";
    Self::NoAnswer { error: HeadClosed, .. } => en: "the connection was closed in the middle of the head of the \
        answer; end the head with an empty line",
        zh: "响应头未发完，连接就已关闭；响应头须以空行结束";
    Self::NoAnswer { error: HeadTimeout, .. } => en: "the head of the answer is incomplete after {SECONDS} s; \
        send it faster, and end it with an empty line",
        zh: "过了 {SECONDS} 秒，响应头仍不完整；请更快地发送，并以空行结束";

    Self::Redirect { status, location } => en: "status {status} redirects to {location}, but WeChat follows no \
        redirects; answer at this URL, or enter the other URL in the console",
        zh: "状态码 {status} 重定向到 {location}，但微信不跟随重定向；请直接在此 URL 响应，或在公众平台填写另一个 URL";
    Self::Status { status, error_text: Some(text), hint } =>
        en: "status {status} with the message {text}; {hint}", zh: "状态码 {status}，错误信息为 {text}；{hint}";
    Self::Status { status, error_text: None, hint } => en: "status {status}; {hint}", zh: "状态码 {status}；{hint}";
    Self::ContentTooLong => en: "the content is longer than 64 KiB, and no answer to WeChat is that long; \
        check that this is the URL of the program",
        zh: "正文超过 64 KiB，给微信的响应不会这么长；请检查此 URL 是否属于该程序";
    Self::LengthNotReached { length, received } => en: "Content-Length is {length}, but the connection was \
        closed after {received} bytes; send the whole content",
        zh: "Content-Length 是 {length}，但连接在收到 {received} 字节后就关闭了；请发送完整的正文";
    Self::LengthNotInTime { length, received } => en: "Content-Length is {length}, but only {received} bytes \
        arrived within {SECONDS} s; send the whole content",
        zh: "Content-Length 是 {length}，但 {SECONDS} 秒内只收到 {received} 字节；请发送完整的正文";
    Self::LengthExceeded { length, surplus } => en: "Content-Length is {length}, but {surplus} more bytes follow; \
        it must count bytes, not characters",
        zh: "Content-Length 是 {length}，但后面还多出 {surplus} 字节；它须按字节计算，而不是按字符";
    Self::Chunk { error } =>
        en: "the chunks of the content are not valid HTTP: {error}; correct the program that writes them",
        zh: "正文的分块不是有效的 HTTP：{error}；请修正输出它的程序";
    Self::LastChunkMissing =>
        en: "the connection was closed in the middle of chunked content; end it with a chunk of size 0",
        zh: "分块的正文未发完，连接就已关闭；须以大小为 0 的分块结束";
    Self::LastChunkNotInTime =>
        en: "the chunked content is incomplete after {SECONDS} s; end it with a chunk of size 0",
        zh: "过了 {SECONDS} 秒，分块的正文仍不完整；须以大小为 0 的分块结束";
    Self::Reset => en: "the connection was reset in the middle of the content; read the log of the program",
        zh: "正文未发完，连接就被重置；请查看程序的日志";
    Self::NotClosed => en: "the content has no end after {SECONDS} s, because there is no Content-Length and the \
        connection stays open; send Content-Length, or close the connection",
        zh: "过了 {SECONDS} 秒，正文仍未结束，因为没有 Content-Length，连接也没有关闭；请发送 Content-Length，或关闭连接";
} }

wording! { StatusHint {
    Self::Https => en: "this port is for HTTPS, give the port for plain HTTP",
        zh: "此端口用于 HTTPS，请指定明文 HTTP 的端口";
    Self::PlainRefused => en: "to send an encrypted message, use wechat send --encrypted",
        zh: "发送加密的消息请用 wechat send --encrypted";
    Self::Timestamp => en: "check both clocks; to sign a captured request again, use wechat replay --resign",
        zh: "请检查两边的时钟；要为保存的请求重新签名，请用 wechat replay --resign";
    Self::OwnPage { server, status: 404 | 405 } => en: "this is {server}'s own page, so no location in the \
        configuration of {server} passes this URL on; check its server_name and location",
        zh: "这是 {server} 自己的页面，说明它的配置中没有 location 转发此 URL；请检查 server_name 和 location";
    Self::OwnPage { server, .. } => en: "this is {server}'s own page, so {server} has not passed the request on; \
        read the error log of {server}",
        zh: "这是 {server} 自己的页面，说明它没有转发请求；请查看 {server} 的错误日志";
    Self::Status { status: 401 | 403 } =>
        en: "check that both sides have the same token (in the encrypted modes also the same \
        EncodingAESKey and appid), and that nothing else refuses requests to this URL",
        zh: "请检查两边的令牌(Token)是否一致（在加密的模式下还有 EncodingAESKey 和 AppID），\
        以及是否有别的设置拒绝了对此 URL 的请求";
    Self::Status { status: 404 } => en: "check that the program serves this path", zh: "请检查程序是否提供此路径";
    Self::Status { status: 405 } =>
        en: "the program must accept GET (token check) and POST (messages) at the same URL",
        zh: "程序须在同一个 URL 接受 GET（令牌验证）和 POST（消息）";
    Self::Status { status: 502 | 504 } => en: "the proxy does not reach the program; \
        check that the program runs, and its address in the configuration of the proxy",
        zh: "反向代理连不上程序；请检查程序是否在运行，以及反向代理配置中的程序地址";
    Self::Status { status: 500..=599 } => en: "the program failed; read its log", zh: "程序出错；请查看它的日志";
    Self::Status { .. } => en: "WeChat accepts only 200", zh: "微信只接受 200";
} }

wording! { AnswerKind {
    Self::Unusable => en: "unusable answer", zh: "无法使用的响应";
    Self::Empty => en: "no reply (empty)", zh: "不回复（空正文）";
    Self::Success => en: "no reply (success)", zh: "不回复（success）";
    Self::NoMsgType => en: "reply without MsgType", zh: "没有 MsgType 的回复";
    Self::Reply { msg_type } => en: "{msg_type}", zh: "{msg_type}";
    Self::Encrypted { inside: Some(kind) } => en: "{kind}, encrypted", zh: "{kind}，已加密";
    Self::Encrypted { inside: None } => en: "encrypted reply", zh: "加密的回复";
} }

wording! { Line {
    Self::Text { text } => en: "{text}", zh: "{text}";
    Self::Omitted { count } => en: "… {count} more lines", zh: "… 还有 {count} 行";
} }

wording! { ByteDifference {
    Self::Changed { captured, received } => en: "captured {}, received {}", zh: "保存的是 {}，收到的是 {}",
        byte(*captured), byte(*received);
    Self::Missing { captured } => en: "captured {}, but the answer ends here", zh: "保存的是 {}，但收到的响应在此结束",
        byte(*captured);
    Self::Added { received } => en: "received {}, but the captured response ends here",
        zh: "收到的是 {}，但保存的响应在此结束", byte(*received);
} }

fn byte(byte: u8) -> String {
    format!("'{}' (0x{byte:02x})", byte.escape_ascii())
}

wording! { TestMessageError {
    Self::Empty => en: "nothing to send, expected a text or Field=Value", zh: "没有要发送的内容，应为文本或 Field=Value";
    Self::Repeated { path } => en: "{path} is given more than once, at most once allowed",
        zh: "{path} 指定了多次，最多一次";
    Self::NoMsgType { field } => en: "{field:?} is given without MsgType; add for example MsgType=image or \
        Event=CLICK; for a text that contains = write Content=…",
        zh: "指定了 {field:?}，但没有 MsgType；请加上它，例如 MsgType=image 或 Event=CLICK；文本中含有 = 时，请写成 Content=…";
} }

wording! { TestMessageWarning {
    Self::EventWithMsgType { msg_type } =>
        en: "Event with MsgType {msg_type:?}; WeChat's events have MsgType event, so leave MsgType out",
        zh: "有 Event，但 MsgType 是 {msg_type:?}；微信事件的 MsgType 是 event，请去掉 MsgType";
    Self::UnknownMsgType { msg_type, similar: Some(similar) } =>
        en: "WeChat has no MsgType {msg_type:?}, did you mean {similar}?",
        zh: "微信没有 MsgType {msg_type:?}；是不是想写 {similar}？";
    Self::UnknownMsgType { msg_type, similar: None } =>
        en: "MsgType is {msg_type:?}, which WeChat's manual does not have",
        zh: "MsgType 是 {msg_type:?}，微信文档中没有";
    Self::MisspeltEvent { event, similar } => en: "WeChat has no Event {event:?}, did you mean {similar}?",
        zh: "微信没有 Event {event:?}；是不是想写 {similar}？";
    Self::FieldsMissing { is_event: false, kind, names } =>
        en: "WeChat never sends MsgType {kind} without {}; add {}",
        zh: "微信发送的 MsgType {kind} 总是带有 {}；请加上 {}", list(names), arguments(names);
    Self::FieldsMissing { is_event: true, kind, names } =>
        en: "WeChat never sends Event {kind} without {}; add {}",
        zh: "微信发送的 Event {kind} 总是带有 {}；请加上 {}", list(names), arguments(names);
} }

/// The names as a list.
fn list(names: &[&str]) -> String {
    names.join(Text { en: ", ", zh: "、" }.get())
}

/// The arguments that add these fields.
fn arguments(names: &[&str]) -> String {
    let arguments: Vec<String> = names.iter().map(|name| format!("{name}=…")).collect();
    arguments.join(" ")
}

wording! { CaptureError {
    Self::Surplus { count } => en: "{count} bytes after the request, none allowed",
        zh: "请求后面还有 {count} 字节，不允许有多余内容";
    Self::Short { missing } => en: "the content is {missing} bytes shorter than Content-Length says",
        zh: "正文比 Content-Length 少 {missing} 字节";
    Self::RequestLine => en: "no request line, which --resign needs", zh: "没有请求行，--resign 需要它";
    Self::ParameterMissing { name } => en: "no query parameter {name}, which --resign needs",
        zh: "没有查询参数 {name}，--resign 需要它";
    Self::EncryptMissing =>
        en: "msg_signature in the query, but no element Encrypt in the content, which --resign needs",
        zh: "查询参数中有 msg_signature，但正文中没有元素 Encrypt，--resign 需要它";
} }

#[cfg(test)]
mod samples;

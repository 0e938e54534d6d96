//! All texts about a rules file that are shown to people.

use std::fmt::{self, Display, Formatter, Write as _};
use std::path::Path;

use super::condition::Condition;
use super::fields::Hint;
use super::parser::PROBLEMS_MAX;
use super::problem::{Diagnostic, EarlierRule, Finding, Problem, RulesError, Warning};
use super::reload::ReloadEvent;
use super::rule_set::{ActionTemplate, Rule};
use crate::text::display::is_printable;
use crate::text::file::{ClosedToOthers, ReadError, is_home};
use crate::text::language::Text;
use crate::text::log_note::LogNote;
use crate::text::wording::{said, wording};
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, TEXT_MAX};
use crate::xml::{ESCAPE_TEXT, XmlError};

/// Maximum bytes of the text of an error. Only an error that quotes a very long name is longer; the rest is cut off.
const ERROR_MAX: usize = 512;

impl RulesError {
    /// One line for each error and warning: `file:line:column: message`. If the file was not read, the only line is
    /// [`RulesError::summary`].
    pub fn lines(&self, path: &Path) -> Vec<String> {
        self.lines_up_to(usize::MAX, path)
    }

    /// The first `max` lines of [`RulesError::lines`], and the number of omitted lines.
    pub(super) fn lines_up_to(&self, max: usize, path: &Path) -> Vec<String> {
        let Self::Invalid(diagnostics) = self else {
            return vec![self.summary(path)];
        };
        let shown = diagnostics.iter().take(max);
        let mut lines: Vec<String> = shown.map(|diagnostic| diagnostic.line_of(path)).collect();
        if diagnostics.len() > max {
            let (path, more) = (path.display(), diagnostics.len() - max);
            lines.push(said!(
                en: "{path}: and {more} more; run wechat check to see all",
                zh: "{path}：还有 {more} 个；请运行 wechat check 查看全部"
            ));
        }
        lines
    }

    /// One line about the file as a whole.
    pub fn summary(&self, path: &Path) -> String {
        match self {
            Self::Unreadable(error) => {
                let remedy = match error {
                    ReadError::NoPermission { closed, is_folder, .. } => {
                        open_up(closed, *is_folder)
                    }
                    ReadError::System(_)
                    | ReadError::NotRegularFile
                    | ReadError::TooLong { .. } => String::new(),
                };
                said!(
                    en: "cannot read rules file {path:?}: {error}{remedy}",
                    zh: "无法读取规则文件 {path:?}：{error}{remedy}"
                )
            }
            Self::Invalid(diagnostics) => {
                let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
                match errors {
                    1 => said!(en: "1 error in {path:?}", zh: "{path:?} 中有 1 个错误"),
                    ..=PROBLEMS_MAX => {
                        said!(en: "{errors} errors in {path:?}", zh: "{path:?} 中有 {errors} 个错误")
                    }
                    _ => said!(
                        en: "at least {PROBLEMS_MAX} errors in {path:?}",
                        zh: "{path:?} 中至少有 {PROBLEMS_MAX} 个错误"
                    ),
                }
            }
        }
    }
}

/// How to let every user read a rules file. `closed` is the file, or the folder above it that is closed.
fn open_up(closed: &Path, is_folder: bool) -> String {
    let shown = closed.display();
    match is_folder {
        true if is_home(closed) => said!(
            en: "; move the file out of the home folder, for example to /etc/wechat",
            zh: "；请把文件移出用户主目录，例如放到 /etc/wechat"
        ),
        true => said!(en: "; chmod o+x {shown}", zh: "；请运行 chmod o+x {shown}"),
        false => said!(en: "; chmod o+r {shown}", zh: "；请运行 chmod o+r {shown}"),
    }
}

// The warning about a rules file that only some users can read.
wording! { ClosedToOthers {
    Self { closed, mode, is_folder: true } =>
        en: "folder {closed:?} has mode {mode:04o}, so the user of the service may not be able to read the rules{}",
        zh: "目录 {closed:?} 的权限是 {mode:04o}，运行服务的用户可能无法读取规则文件{}", open_up(closed, true);
    Self { closed, mode, is_folder: false } =>
        en: "file {closed:?} has mode {mode:04o}, so the user of the service may not be able to read the rules{}",
        zh: "文件 {closed:?} 的权限是 {mode:04o}，运行服务的用户可能无法读取规则文件{}", open_up(closed, false);
} }

impl Diagnostic {
    /// The line about this file: `file:line:column: error` or `file:line:column: warning: warning`.
    pub fn line_of(&self, path: &Path) -> String {
        let (path, text) = (path.display(), self.to_string());
        match text.split_at(text.floor_char_boundary(ERROR_MAX)) {
            (text, "") => format!("{path}:{text}"),
            (start, _) => format!("{path}:{start}…"),
        }
    }
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { line, column, finding } = self;
        match finding {
            Finding::Error(problem) => write!(f, "{line}:{column}: {problem}"),
            Finding::Warning(warning) => write!(f, "{line}:{column}: warning: {warning}"),
        }
    }
}

wording! { Warning {
    Self::UnknownField { name } => en: "unknown field {name}, not in WeChat's manual",
        zh: "未知的字段 {name}，微信文档中没有";
    Self::UnknownPlaceholder { placeholder } =>
        en: "unknown field in placeholder {placeholder}, not in WeChat's manual; write {{{{ for a literal {{",
        zh: "占位符 {placeholder} 中有未知的字段，微信文档中没有；要写左花括号本身，请写 {{{{";
    Self::Unreachable { line, by: EarlierRule::Same } =>
        en: "this rule never matches: the rule in line {line} matches the same messages; remove one of the two",
        zh: "这条规则永远不会匹配：第 {line} 行的规则匹配同样的消息；请删除其中一条";
    Self::Unreachable { line, by: EarlierRule::All } =>
        en: "this rule never matches: the rule in line {line} matches every message and every event; \
            move this rule above it",
        zh: "这条规则永远不会匹配：第 {line} 行的规则匹配所有消息和事件；请把这条规则移到它前面";
    Self::Unreachable { line, by: EarlierRule::AllEvents } =>
        en: "this rule never matches: the rule in line {line} matches every event; move this rule above it",
        zh: "这条规则永远不会匹配：第 {line} 行的规则匹配所有事件；请把这条规则移到它前面";
    Self::Unreachable { line, by: EarlierRule::AllTexts } =>
        en: "this rule never matches: the rule in line {line} matches every text; move this rule above it",
        zh: "这条规则永远不会匹配：第 {line} 行的规则匹配所有文本；请把这条规则移到它前面";
    Self::Unreachable { line, by: EarlierRule::Other } =>
        en: "this rule never matches: the rule in line {line} matches all that this rule matches; \
            move this rule above it",
        zh: "这条规则永远不会匹配：它能匹配的，第 {line} 行的规则都匹配；请把这条规则移到它前面";
    Self::AnswersQuietEvents { events } =>
        en: "this rule also answers {}, which users do not expect; \
            write <on Event=\"{}\"> <success/> </on> above it",
        zh: "这条规则也会回复 {} 事件，用户会觉得突然；请在它前面写 <on Event=\"{}\"> <success/> </on>",
        enumerate(events), events.join("|");
    Self::OrdinaryCharacter { found, meant } =>
        en: "'{found}' has no meaning in a pattern; write '{meant}', or '\\{found}' if it is part of the text",
        zh: "“{found}”在匹配式中没有特殊含义；请写“{meant}”；如果它就是文本的一部分，请写“\\{found}”";
    Self::Regex { part } =>
        en: "{part} looks like a regular expression; patterns have only * (any characters), \
            | (or) and \\ (the next character as it is)",
        zh: "{part} 像是正则表达式；匹配式中只有 *（任意字符）、|（或）和 \\（下一个字符按字面理解）";
    Self::UnknownEvent { name, similar: Some(similar) } => en: "WeChat has no event {name}, did you mean {similar}?",
        zh: "微信没有事件 {name}；是不是想写 {similar}？";
    Self::UnknownEvent { name, similar: None } =>
        en: "WeChat's manual has no event {name}; users cause subscribe unsubscribe SCAN LOCATION CLICK VIEW",
        zh: "微信文档中没有事件 {name}；用户会触发 subscribe unsubscribe SCAN LOCATION CLICK VIEW";
    Self::NotAnEvent { name } => en: "WeChat has no event {name}; write MsgType=\"{name}\"",
        zh: "微信没有事件 {name}；请写 MsgType=\"{name}\"";
    Self::UnknownMessageType { name, similar: Some(similar) } =>
        en: "WeChat has no message of type {name}, did you mean {similar}?",
        zh: "微信没有 {name} 类型的消息；是不是想写 {similar}？";
    Self::UnknownMessageType { name, similar: None } =>
        en: "WeChat's manual has no message of type {name}; \
            users send text image voice video shortvideo location link file",
        zh: "微信文档中没有 {name} 类型的消息；用户会发送 text image voice video shortvideo location link file";
    Self::NotAMessageType { name } => en: "WeChat has no message of type {name}; write Event=\"{name}\"",
        zh: "微信没有 {name} 类型的消息；请写 Event=\"{name}\"";
    Self::Placeholder { value } => en: "{value} is a placeholder of the sample; write your own value",
        zh: "{value} 是示例中的值；请换成自己的值";
    Self::EscapedLineEnd => en: "\\n in a text is a backslash and an n; for a new line write a line end",
        zh: "文本中的 \\n 就是反斜杠和字母 n；要换行，请在文件中直接换行";
    Self::LateWithoutPickup =>
        en: "late without pickup: the user cannot ask for the late reply, but gets it with the next message; \
            add for example pickup=\"1\" and say so in late",
        zh: "有 late 而没有 pickup：用户不能主动取迟到的回复，要等到发下一条消息时才能得到；\
            请加上这个属性，例如 pickup=\"1\"，并在 late 中告诉用户";
    Self::ShellWord { word } =>
        en: "{word} has a meaning only in a shell, and no shell runs this command; \
            write /bin/sh -c <arg>…</arg>, or remove it",
        zh: "{word} 只在 shell 中有特殊含义，而这条命令不经过 shell；请写 /bin/sh -c <arg>…</arg>，或去掉它";
    Self::Program(fault) => en: "program cannot be started: {fault}", zh: "程序无法启动：{fault}";
    Self::TooMany => en: "{PROBLEMS_MAX} warnings reported; there may be more",
        zh: "已报告 {PROBLEMS_MAX} 个警告；可能还有更多";
} }

/// Joins words as in `a, b and c`.
fn enumerate(words: &[&str]) -> String {
    let (comma, and) = (Text { en: ", ", zh: "、" }, Text { en: " and ", zh: " 和 " });
    match words {
        [words @ .., last] if !words.is_empty() => {
            [&words.join(comma.get()), and.get(), last].concat()
        }
        _ => words.concat(),
    }
}

wording! { Problem {
    Self::NotUtf8 => en: "not UTF-8 from here on; save the file as UTF-8", zh: "从这里起不是 UTF-8；请把文件保存为 UTF-8";
    Self::Utf16 => en: "UTF-16; save the file as UTF-8", zh: "文件是 UTF-16；请保存为 UTF-8";
    Self::NotWellFormed(error) => en: "{error}", zh: "{error}";
    Self::Printed(error @ (XmlError::Utf8(_) | XmlError::Open | XmlError::TooManyElements)) =>
        en: "{error}", zh: "{error}";
    Self::Printed(error) => en: "{error}; in a text {ESCAPE_TEXT}", zh: "{error}；在文本中，{ESCAPE_TEXT}";
    Self::NoRules => en: "expected <rules>; a rules file is <rules>, then <on> elements, then </rules>",
        zh: "应为 <rules>；规则文件依次是 <rules>、若干 <on> 元素、</rules>";
    Self::UnexpectedRoot { name } if name == "on" =>
        en: "no <rules> around the <on> elements; write <rules> before the first and </rules> after the last",
        zh: "<on> 元素外面没有 <rules>；请在第一个之前写 <rules>，在最后一个之后写 </rules>";
    Self::UnexpectedRoot { name } => en: "root element is <{name}>, expected <rules>", zh: "根元素是 <{name}>，应为 <rules>";
    Self::UtcOffset { value } => en: "utc-offset is {}, expected -14:00 to +14:00",
        zh: "utc-offset 是 {}，应为 -14:00 到 +14:00", Attribute(value);
    Self::Time { value } => en: "time is {value:?}, expected HH:MM-HH:MM, such as 09:00-18:00 or 22:00-02:00",
        zh: "time 是 {value:?}，应为 HH:MM-HH:MM，例如 09:00-18:00 或 22:00-02:00";
    Self::EmptyTimeRange { value } =>
        en: "time is {value:?}, a range without a minute; for the whole day, remove the attribute",
        zh: "time 是 {value:?}，这个时间段是空的；要全天有效，请去掉这个属性";
    Self::Weekday { value } =>
        en: "weekday is {value:?}, expected days from 1 (Monday) to 7 (Sunday), such as 1-5 or 6|7",
        zh: "weekday 是 {value:?}，应为 1（星期一）到 7（星期日），例如 1-5 或 6|7";
    Self::UnknownElement { name, parent, hint } => en: "unknown element <{name}> in <{parent}>{hint}",
        zh: "<{parent}> 中有未知的元素 <{name}>{hint}";
    Self::UnknownAttribute { name, element, hint } => en: "unknown attribute {name} on <{element}>{hint}",
        zh: "<{element}> 有未知的属性 {name}{hint}";
    Self::UnknownField { name, hint } => en: "unknown field {name}{hint}", zh: "未知的字段 {name}{hint}";
    Self::UnknownMsgType { msg_type } => en: "<MsgType> is {msg_type:?}, which no reply has",
        zh: "<MsgType> 是 {msg_type:?}，没有这种回复";
    Self::UnknownReply { name, hint } => en: "unknown reply <{name}>{hint}", zh: "未知的回复 <{name}>{hint}";
    Self::FinalBackslash => en: r"pattern ends with a single \; write \\ for a literal backslash",
        zh: r"匹配式以单个 \ 结尾；要写反斜杠本身，请写 \\";
    Self::EmptyAlternative =>
        en: "empty alternative before or after |, which would match every message without this field",
        zh: "| 的前面或后面是空的，这样会匹配没有这个字段的所有消息";
    Self::UnknownPlaceholder { placeholder, hint } => en: "unknown field in placeholder {placeholder}{hint}",
        zh: "占位符 {placeholder} 中有未知的字段{hint}";
    Self::UnclosedPlaceholder { name } => en: "{{{name} has no closing }}; write {{{{ for a literal {{",
        zh: "{{{name} 缺少右花括号 }}；要写左花括号本身，请写 {{{{";
    Self::NoSuchStar { placeholder, stars: 0 } =>
        en: "{placeholder} refers to a * that does not exist; this rule has no *",
        zh: "{placeholder} 对应的 * 不存在；这条规则没有 *";
    Self::NoSuchStar { placeholder, stars: 1 } =>
        en: "{placeholder} refers to a * that does not exist; this rule has one *, so only {{1}} is allowed",
        zh: "{placeholder} 对应的 * 不存在；这条规则有一个 *，只能写 {{1}}";
    Self::NoSuchStar { placeholder, stars } =>
        en: "{placeholder} refers to a * that does not exist; this rule has {stars} stars, \
            so {{1}} to {{{stars}}} are allowed",
        zh: "{placeholder} 对应的 * 不存在；这条规则有 {stars} 个 *，只能写 {{1}} 到 {{{stars}}}";
    Self::UnexpectedText { element } if element == "rules" =>
        en: "text between the <on> elements; a reply is written <on> <text>…</text> </on>",
        zh: "<on> 元素之间有文本；回复要写成 <on> <text>…</text> </on>";
    Self::UnexpectedText { element } if element == "success" => en: "text in <success>; write <success/>",
        zh: "<success> 中有文本；请写 <success/>";
    Self::UnexpectedText { element } if !child_for_text(element).is_empty() =>
        en: "text in <{element}>; write <{0}>…</{0}> around it",
        zh: "<{element}> 中直接写了文本；请把文本写在 <{0}>…</{0}> 中", child_for_text(element);
    Self::UnexpectedText { element } => en: "text in <{element}>, outside of the elements in it",
        zh: "<{element}> 中有文本不在它的子元素中";
    Self::ElementInText { name, parent } if name.eq_ignore_ascii_case("br") =>
        en: "<{name}> in <{parent}>, which must contain only text; for a new line write a line end; \
            for the tag itself {ESCAPE_TEXT}",
        zh: "<{parent}> 中有 <{name}>，但它只能包含文本；要换行，请在文件中直接换行；要写标签本身，{ESCAPE_TEXT}";
    Self::ElementInText { name, parent } => en: "<{name}> in <{parent}>, which must contain only text; {ESCAPE_TEXT}",
        zh: "<{parent}> 中有 <{name}>，但它只能包含文本；{ESCAPE_TEXT}";
    Self::RepeatedElement { name, parent } => en: "more than one <{name}> in <{parent}>",
        zh: "<{parent}> 中有不止一个 <{name}>";
    Self::MissingElement { name, parent } => en: "<{parent}> has no <{name}>", zh: "<{parent}> 中没有 <{name}>";
    Self::EmptyElement { name } => en: "<{name}> is empty", zh: "<{name}> 是空的";
    Self::NoReply => en: "<on> has no reply; write <success/> to send none", zh: "<on> 中没有回复；如果不想回复，请写 <success/>";
    Self::EmptyText => en: "text is empty; write <success/> for no reply", zh: "文本是空的；如果不想回复，请写 <success/>";
    Self::TextTooLong { bytes } => en: "text of {bytes} bytes, at most {TEXT_MAX} allowed",
        zh: "文本有 {bytes} 字节，最多 {TEXT_MAX} 字节";
    Self::NoArticle => en: "<news> has no <item>", zh: "<news> 中没有 <item>";
    Self::TooManyArticles { count } => en: "{count} articles, at most {ARTICLES_MAX} allowed",
        zh: "有 {count} 条图文，最多 {ARTICLES_MAX} 条";
    Self::TooManyArticlesToMessage { count } =>
        en: "{count} articles in a reply to a message, at most {ARTICLES_MAX_TO_MESSAGE} allowed \
            ({ARTICLES_MAX} in a reply to an event)",
        zh: "对消息的回复中有 {count} 条图文，最多 {ARTICLES_MAX_TO_MESSAGE} 条（对事件的回复最多 {ARTICLES_MAX} 条）";
    Self::NoProgram => en: "<run> has no program", zh: "<run> 中没有程序";
    Self::PlaceholderInProgram =>
        en: "placeholder in the name of a program; placeholders are allowed only in arguments",
        zh: "程序的名称中有占位符；占位符只能用在参数中";
    Self::QuotedWord =>
        en: "word begins with a quote, but the command is not run by a shell; \
            write <arg>…</arg> for a word with white space",
        zh: "这个词以引号开头，但命令不经过 shell；含有空白的参数请写成 <arg>…</arg>";
    Self::TextAfterArg => en: "text after an <arg>; write words before the first <arg>",
        zh: "<arg> 后面有文本；请把它写在第一个 <arg> 之前";
    Self::Timeout { value } => en: "timeout is {}, expected 1s to 1h, such as 90s or 5m",
        zh: "timeout 是 {}，应为 1s 到 1h，例如 90s 或 5m", Attribute(value);
    Self::Limit { value } => en: "limit is {}, expected COUNT/PERIOD from 1/1s to 1000/1d, such as 20/1h",
        zh: "limit 是 {}，应为“次数/时间”，从 1/1s 到 1000/1d，例如 20/1h", Attribute(value);
    Self::LimitedWithoutLimit => en: "attribute limited needs attribute limit; add for example limit=\"20/1h\"",
        zh: "属性 limited 需要属性 limit；请加上它，例如 limit=\"20/1h\"";
    Self::TooMany => en: "{PROBLEMS_MAX} errors reported; the rest of the file was not checked",
        zh: "已报告 {PROBLEMS_MAX} 个错误；没有检查文件的其余部分";
    Self::EmptyPickup => en: "pickup is empty; remove the attribute to let the next message get the late reply",
        zh: "pickup 是空的；要让下一条消息得到迟到的回复，请去掉这个属性";
} }

/// The element that is missing around a text in this element; empty if there is none.
fn child_for_text(element: &str) -> &'static str {
    match element {
        "on" => "text",
        "image" | "voice" => "MediaId",
        "transfer_customer_service" => "KfAccount",
        _ => "",
    }
}

// The end of a sentence about an unknown name.
wording! { Hint {
    Self::DidYouMean(name) => en: ", did you mean {name}?", zh: "；是不是想写 {name}？";
    Self::Allowed(names) => en: ", allowed: {}", zh: "；可以写：{}", names.join(" ");
    Self::NoneAllowed => en: ", none allowed", zh: "；请去掉它";
    Self::Nothing => en: "", zh: "";
} }

impl Rule {
    /// One line about the rule, such as `line 16: on Event="subscribe": text`.
    pub(super) fn summary(&self) -> String {
        let mut conditions = String::new();
        for Condition { field, source, .. } in &self.conditions {
            conditions.push_str(&format!(" {field}={}", Attribute(source)));
        }
        for (name, source) in self.schedule.iter().flat_map(|schedule| &schedule.sources) {
            conditions.push_str(&format!(" {name}={source:?}"));
        }
        let name = |action: &ActionTemplate| match action {
            ActionTemplate::Reply { name, .. } => *name,
            ActionTemplate::Run(_) => "run",
        };
        let replies: Vec<&str> = self.actions.iter().map(name).collect();
        let replies = replies.join(Text { en: " or ", zh: " 或 " }.get());
        let line = self.line;
        said!(en: "line {line}: on{conditions}: {replies}", zh: "第 {line} 行：on{conditions}：{replies}")
    }
}

/// The value of an attribute as it is written in the file, with its quotes.
struct Attribute<'a>(&'a str);

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("&quot;"),
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                _ if is_printable(character) && character != '\t' => f.write_char(character),
                _ => write!(f, "&#x{:X};", u32::from(character)),
            }?;
        }
        f.write_char('"')
    }
}

impl ReloadEvent<'_> {
    pub(super) fn note(&self) -> LogNote {
        let (cause, reason) = match self {
            Self::Reloaded { file, rules: 1 } => (
                "rules-changed",
                said!(en: "reloaded {file}: 1 rule", zh: "已重新读取 {file}：1 条规则"),
            ),
            Self::Reloaded { file, rules } => (
                "rules-changed",
                said!(en: "reloaded {file}: {rules} rules", zh: "已重新读取 {file}：{rules} 条规则"),
            ),
            Self::Failed { file } => (
                "rules-kept",
                said!(
                    en: "reload of {file} failed; keeping the previous rules",
                    zh: "重新读取 {file} 失败；继续使用原来的规则"
                ),
            ),
            Self::Detached { file } => (
                "rules-kept",
                said!(
                    en: "{file} was replaced or deleted outside of its mount; its old content is still mounted",
                    zh: "{file} 在挂载之外被替换或删除；挂载的仍是旧内容"
                ),
            ),
        };
        let hint = match self {
            Self::Detached { .. } => Text {
                en: "mount the folder of the rules file, not the file alone",
                zh: "请挂载规则文件所在的目录，不要只挂载文件本身",
            },
            Self::Reloaded { .. } | Self::Failed { .. } => Text::EMPTY,
        };
        LogNote { cause, reason: reason.into(), hint: hint.get() }
    }
}

#[cfg(test)]
mod samples;

//! The texts of the errors of this module.

use std::fmt::{self, Display, Formatter};

use super::error::{Position, XmlError};
use super::fault::{AfterRoot, Expected, Fault, OpenElement, Root};
use super::file_reader::{ATTRIBUTES_MAX, FileError, NAMESPACES_MAX};
use crate::text::language::Text;
use crate::text::wording::{said, wording};

wording! { XmlError {
    Self::Utf8(offset) => en: "not UTF-8 from byte {offset} on", zh: "从第 {offset} 字节起不是 UTF-8";
    Self::Attribute => en: "XML tag with an attribute, none allowed", zh: "XML 标签带有属性，不允许属性";
    Self::Markup => en: "XML with a comment, a document type or an instruction, none allowed",
        zh: "XML 中有注释、文档类型声明或处理指令，均不允许";
    Self::Open => en: "XML with a tag or a CDATA section left open", zh: "XML 中有未结束的标签或 CDATA 段";
    Self::TooManyElements => en: "XML with over 256 elements", zh: "XML 的元素超过 256 个";
    Self::NoName { line, column } =>
        en: "not well-formed XML: < without a name directly after it at line {line} column {column}",
        zh: "XML 格式错误：第 {line} 行第 {column} 列的 < 后面没有紧跟名称";
    Self::Syntax { line, column } => en: "not well-formed XML at line {line} column {column}",
        zh: "XML 在第 {line} 行第 {column} 列格式错误";
} }

/// How to write a text in which `<` is no markup.
pub(crate) const ESCAPE_TEXT: Text = Text {
    en: "write &lt; for <, or put the text in <![CDATA[…]]>",
    zh: "请把 < 写成 &lt;，或把文本放在 <![CDATA[…]]> 中",
};

/// Displays the error without its position.
impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

wording! { Fault {
    Self::NoRoot => en: "no element in the file", zh: "文件中没有元素";
    Self::TextBeforeRoot => en: "text before the first element, none allowed", zh: "第一个元素前面不允许有文本";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::Element { name: found } } if name == found =>
        en: "second <{name}>; write the content of both in one <{name}>",
        zh: "出现第二个 <{name}>；请把两者的内容写在同一个 <{name}> 中";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::Element { name: found } } =>
        en: "<{found}> after the end of <{name}>; move it before </{name}>",
        zh: "<{found}> 在 <{name}> 结束之后；请移到 </{name}> 前面";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::EndTag { name: found } } if name == found =>
        en: "second </{name}>; remove one of the two", zh: "出现第二个 </{name}>；请删除其中一个";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::EndTag { name: found } } =>
        en: "</{found}> after the end of <{name}>; remove it", zh: "</{found}> 在 <{name}> 结束之后；请删除";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::Text } =>
        en: "text after the end of <{name}>, none allowed", zh: "<{name}> 结束之后不允许有文本";
    Self::NoName => en: "< without a name directly after it; in a text {ESCAPE_TEXT}",
        zh: "< 后面没有紧跟名称；在文本中，{ESCAPE_TEXT}";
    Self::Markup => en: "<! begins neither a comment <!-- nor a text <![CDATA[; {ESCAPE_TEXT}",
        zh: "<! 既不是注释 <!-- 的开头，也不是文本 <![CDATA[ 的开头；{ESCAPE_TEXT}";
    Self::CdataStart => en: "a CDATA section begins with exactly <![CDATA[ and ends with ]]>",
        zh: "CDATA 段的开头必须正好是 <![CDATA[，结尾必须是 ]]>";
    Self::OpenSection { start, end } => en: "{start} without an end; write {end} after it",
        zh: "{start} 没有结束；请在后面写上 {end}";
    Self::HyphensInComment =>
        en: "-- in a comment, none allowed; a comment begins with <!-- and ends with -->",
        zh: "注释中不允许出现 --；注释以 <!-- 开头，以 --> 结尾";
    Self::DocumentType => en: "document type, none allowed", zh: "不允许文档类型声明";
    Self::LateDeclaration => en: "XML declaration, allowed only at the start of the file",
        zh: "XML 声明只能在文件开头";
    Self::Declaration =>
        en: "invalid XML declaration; write <?xml version=\"1.0\" encoding=\"UTF-8\"?>, or none",
        zh: "XML 声明无效；请写成 <?xml version=\"1.0\" encoding=\"UTF-8\"?>，或去掉声明";
    Self::OpenElement { name, line } =>
        en: "the file ends, but <{name}> in line {line} has no end tag; add </{name}>",
        zh: "文件已结束，但第 {line} 行的 <{name}> 没有结束标签；请加上 </{name}>";
    Self::OpenTag { name } => en: "the tag <{name} has no >; in a text {ESCAPE_TEXT}",
        zh: "标签 <{name} 没有 >；在文本中，{ESCAPE_TEXT}";
    Self::NoStartTag { name } => en: "end tag </{name}> without a start tag; add <{name}> before it",
        zh: "结束标签 </{name}> 没有对应的开始标签；请在前面加上 <{name}>";
    Self::OtherEndTag { found, expected: OpenElement { name, position: Position { line, .. }, .. } } =>
        en: "end tag </{found}>, expected </{name}> for <{name}> in line {line}",
        zh: "结束标签是 </{found}>，应为 </{name}>，与第 {line} 行的 <{name}> 对应";
    Self::FullWidthTag => en: "full-width ＜; write <", zh: "全角的 ＜；请写成 <";
    Self::InTag { tag, found, expected: expected @ (Expected::Attribute | Expected::Equals) } =>
        en: "in the tag <{tag}: {}", zh: "在标签 <{tag} 中：{}", unexpected(*found, *expected);
    Self::InTag { found, expected, .. } => en: "{}", zh: "{}", unexpected(*found, *expected);
    Self::LessThanInValue { quote } =>
        en: "< in the value of an attribute; if the value ends before it, add the closing {quote}, else write &lt; for <",
        zh: "属性值中有 <；若属性值在它前面结束，请补上右引号 {quote}，否则把 < 写成 &lt;";
    Self::OpenValue { quote } => en: "the value of this attribute has no closing {quote}",
        zh: "此属性的值缺少右引号 {quote}";
    Self::RepeatedAttribute { name } => en: "attribute {name} occurs twice", zh: "属性 {name} 出现两次";
    Self::Ampersand => en: "& begins no reference; write &amp; for &", zh: "& 不是转义的开头；请把 & 写成 &amp;";
    Self::UnknownReference { name } =>
        en: "unknown reference &{name};, expected &amp; &lt; &gt; &apos; or &quot;; write other characters as they are",
        zh: "未知的转义 &{name};，只能用 &amp; &lt; &gt; &apos; &quot;；其他字符请直接书写";
    Self::EndOfCdata => en: "]]> without <![CDATA[ before it; write ]]&gt; for ]]> in a text",
        zh: "]]> 前面没有 <![CDATA[；在文本中，请把 ]]> 写成 ]]&gt;";
    Self::NonCharacter { character } => en: "character U+{:04X}, which XML does not allow; remove it",
        zh: "XML 不允许字符 U+{:04X}；请删除", u32::from(*character);
    Self::TooManyAttributes => en: "more than {ATTRIBUTES_MAX} attributes in a tag",
        zh: "一个标签的属性超过 {ATTRIBUTES_MAX} 个";
    Self::TooManyNamespaces =>
        en: "more than {NAMESPACES_MAX} namespace declarations; write names without a prefix",
        zh: "命名空间声明超过 {NAMESPACES_MAX} 个；名称请不要带前缀";
    Self::Namespace => en: "invalid namespace; write names without a prefix", zh: "命名空间无效；名称请不要带前缀";
    Self::Other => en: "not well-formed XML", zh: "XML 格式错误";
} }

/// What was found in a tag, and what is expected.
fn unexpected(found: Option<char>, expected: Expected) -> String {
    let expected = match expected {
        Expected::TagEnd => Text { en: ">", zh: ">" },
        Expected::Space => Text { en: "white space", zh: "空白" },
        Expected::SpaceAfterValue => Text {
            en: "white space after the value; in a value write &quot; for \"",
            zh: "属性值后面的空白；在属性值中，请把 \" 写成 &quot;",
        },
        Expected::Attribute => {
            Text { en: "an attribute, NAME=\"VALUE\"", zh: "属性，即 NAME=\"VALUE\"" }
        }
        Expected::Equals => Text { en: "= and a value in quotes", zh: "= 和带引号的值" },
        Expected::Quote => Text { en: "a quote (\" or ')", zh: "引号（\" 或 '）" },
    };
    match (found, found.and_then(ascii_of)) {
        (Some(found), Some(ascii)) => said!(
            en: "found {}, expected {expected}; write {}",
            zh: "此处是：{}；应为：{expected}；请写成：{}", name_of(found), name_of(ascii)
        ),
        (Some(found), None) => {
            said!(en: "found {}, expected {expected}", zh: "此处是：{}；应为：{expected}", name_of(found))
        }
        (None, _) => {
            said!(en: "found the end of the file, expected {expected}", zh: "文件在此结束；应为：{expected}")
        }
    }
}

fn name_of(character: char) -> String {
    match character {
        ' ' => Text { en: "a space", zh: "空格" }.to_string(),
        '\n' | '\r' => Text { en: "the end of the line", zh: "行尾" }.to_string(),
        '\u{3000}' => Text { en: "a full-width space", zh: "全角空格" }.to_string(),
        _ if character.is_control() || character.is_whitespace() => {
            format!("U+{:04X}", u32::from(character))
        }
        '\'' | '"' => character.to_string(),
        _ => format!("'{character}'"),
    }
}

/// The ASCII character that is meant by a full-width character or a typographic quote.
fn ascii_of(character: char) -> Option<char> {
    match character {
        '\u{3000}' => Some(' '),
        '“' | '”' | '„' | '«' | '»' => Some('"'),
        '‘' | '’' => Some('\''),
        '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0),
        _ => None,
    }
}

#[cfg(test)]
mod samples;

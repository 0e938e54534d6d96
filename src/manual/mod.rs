//! The manual. `wechat help CHAPTER` prints a chapter, and `wechat help WORD` searches all chapters. The modules below
//! show the same text, and each has a module `zh` with the Chinese text.

use crate::text::language::Text;

/// A chapter of the manual.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    /// What the chapter is about, in a few words.
    pub(crate) summary: Text,
    markdown: Text,
}

impl Chapter {
    /// The text for a terminal: a link to another chapter becomes the command that prints the chapter.
    pub(crate) fn text(&self) -> String {
        let is_link_target = |line: &&str| line.starts_with('[') && line.contains("]: ");
        let lines = self.markdown.get().lines().filter(|line| !is_link_target(line));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let linked = CHAPTERS.iter().fold(text, |text, chapter| {
            let link = format!("[{}][]", chapter.name);
            text.replace(&link, &format!("`wechat help {}`", chapter.name))
        });
        format!("{}\n", linked.trim_end())
    }
}

/// A section of a chapter: a heading and the text until the next heading.
pub(crate) struct Section {
    pub(crate) chapter: &'static str,
    pub(crate) heading: &'static str,
    /// Heading and text, as `searched` returns them.
    text: String,
}

/// The words of a text in lower case (ASCII), each followed by a space. In Chinese without spaces, so that a word is also
/// found where a line ends in it.
fn searched(text: &str) -> String {
    let space = Text { en: " ", zh: "" }.get();
    text.split_whitespace().flat_map(|word| [word.to_ascii_lowercase(), space.to_owned()]).collect()
}

/// The sections that contain these words, in upper or lower case (ASCII). Those whose heading contains them come first.
pub(crate) fn search(words: &str) -> Vec<Section> {
    let words = searched(words);
    let words = words.trim_end();
    if words.is_empty() {
        return Vec::new();
    }
    let found = CHAPTERS.iter().flat_map(sections).filter(|section| section.text.contains(words));
    let (mut first, others): (Vec<_>, Vec<_>) =
        found.partition(|section| searched(section.heading).contains(words));
    first.extend(others);
    first
}

/// The sections of a chapter. The first one begins with the title of the chapter.
fn sections(chapter: &Chapter) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut is_code = false;
    for line in chapter.markdown.get().lines() {
        is_code ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        match heading.strip_prefix(' ') {
            // In code, `#` begins a comment.
            Some(heading) if !is_code && line.starts_with('#') => {
                sections.push(Section { chapter: chapter.name, heading, text: String::new() });
            }
            _ => {}
        }
        if let Some(section) = sections.last_mut() {
            section.text.push_str(&searched(line));
        }
    }
    sections
}

/// The documentation of a chapter in one language. Links lead to chapters in this language. The first definition of a
/// link counts: these lead to modules, those of the file to files.
macro_rules! documented {
    ($file:expr, $suffix:literal, $($item:tt)+) => {
        #[doc = concat!("[rules]: crate::manual::rules", $suffix)]
        #[doc = concat!("[programs]: crate::manual::programs", $suffix)]
        #[doc = concat!("[deploy]: crate::manual::deploy", $suffix)]
        #[doc = concat!("[encryption]: crate::manual::encryption", $suffix)]
        #[doc = concat!("[troubleshooting]: crate::manual::troubleshooting", $suffix)]
        #[doc = concat!("[limits]: crate::manual::limits", $suffix)]
        #[doc = concat!("[security]: crate::manual::security", $suffix)]
        #[doc = ""]
        #[doc = include_str!($file)]
        $($item)+
    };
}

macro_rules! chapters {
    ($($name:ident en: $en:literal, zh: $zh:literal;)+) => {
        /// All chapters, in the order in which `wechat help` lists them.
        pub(crate) const CHAPTERS: &[Chapter] = &[$(Chapter {
            name: stringify!($name),
            summary: Text { en: $en, zh: $zh },
            markdown: Text {
                en: include_str!(concat!("en/", stringify!($name), ".md")),
                zh: include_str!(concat!("zh/", stringify!($name), ".md")),
            },
        },)+];

        $(documented! {
            concat!("en/", stringify!($name), ".md"), "",
            pub mod $name {
                documented! {
                    concat!("zh/", stringify!($name), ".md"), "::zh",
                    pub mod zh {}
                }
            }
        })+
    };
}

chapters! {
    rules en: "the rules file: conditions, replies, templates",
        zh: "规则文件：条件、回复、模板";
    programs en: "programs as replies, and the 14 seconds",
        zh: "用程序回复，以及 14 秒的时限";
    deploy en: "systemd, nginx, port 80, update, status, Docker",
        zh: "systemd、nginx、80 端口、更新、状态、Docker";
    encryption en: "安全模式 and 兼容模式, and how to change the key",
        zh: "安全模式和兼容模式，以及如何更换密钥";
    troubleshooting en: "token 验证失败 and other words to search for",
        zh: "token 验证失败等各种问题的原因和解决办法";
    limits en: "statuses, the log, account types, all numbers",
        zh: "状态码、日志、账号类型，以及所有数值";
    security en: "what is protected, what is not, and the tests",
        zh: "防护了什么、没有防护什么，以及相应的测试";
}

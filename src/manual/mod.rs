//! The manual. `wechat help CHAPTER` prints a chapter; the modules below show the same text.

/// A chapter of the manual.
pub(crate) struct Chapter {
    pub(crate) name: &'static str,
    /// What the chapter is about, in a few words.
    pub(crate) summary: &'static str,
    markdown: &'static str,
}

impl Chapter {
    /// The text for a terminal: a link to another chapter becomes the command that prints the chapter.
    pub(crate) fn text(&self) -> String {
        let is_link_target = |line: &&str| line.starts_with('[') && line.contains("]: ");
        let lines = self.markdown.lines().filter(|line| !is_link_target(line));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let linked = CHAPTERS.iter().fold(text, |text, chapter| {
            let link = format!("[{}][]", chapter.name);
            text.replace(&link, &format!("`wechat help {}`", chapter.name))
        });
        format!("{}\n", linked.trim_end())
    }
}

macro_rules! chapters {
    ($($name:ident $summary:literal;)+) => {
        /// All chapters, in the order in which `wechat help` lists them.
        pub(crate) const CHAPTERS: &[Chapter] = &[$(Chapter {
            name: stringify!($name),
            summary: $summary,
            markdown: include_str!(concat!("en/", stringify!($name), ".md")),
        },)+];

        $(
            // The first definition of a link counts: these lead to modules, those of the file to files.
            #[doc = "[rules]: crate::manual::rules"]
            #[doc = "[programs]: crate::manual::programs"]
            #[doc = "[deploy]: crate::manual::deploy"]
            #[doc = "[encryption]: crate::manual::encryption"]
            #[doc = "[troubleshooting]: crate::manual::troubleshooting"]
            #[doc = "[limits]: crate::manual::limits"]
            #[doc = "[security]: crate::manual::security"]
            #[doc = ""]
            #[doc = include_str!(concat!("en/", stringify!($name), ".md"))]
            pub mod $name {}
        )+
    };
}

chapters! {
    rules "the rules file: conditions, replies, templates";
    programs "programs as replies, and the 14 seconds";
    deploy "systemd, nginx, port 80, update, status, Docker";
    encryption "安全模式 and 兼容模式, and how to change the key";
    troubleshooting "token 验证失败 and other words to search for";
    limits "what the server answers, its log, all numbers";
    security "what is protected, what is not, and the tests";
}

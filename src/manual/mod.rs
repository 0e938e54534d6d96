//! The manual. `wechat help CHAPTER` prints a chapter, and `wechat help WORD` searches all chapters. The modules below
//! show the same text.

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

/// A section of a chapter: a heading and the text until the next heading.
pub(crate) struct Section {
    pub(crate) chapter: &'static str,
    pub(crate) heading: &'static str,
    /// Heading and text in lower case (ASCII), in one line.
    text: String,
}

impl Section {
    fn push(&mut self, line: &str) {
        for word in line.split_whitespace() {
            self.text.push_str(&word.to_ascii_lowercase());
            self.text.push(' ');
        }
    }
}

/// The sections that contain these words, in upper or lower case (ASCII). Those whose heading contains them come first.
pub(crate) fn search(words: &str) -> Vec<Section> {
    let words = words.trim().to_ascii_lowercase();
    let mut found: Vec<Section> = CHAPTERS.iter().flat_map(sections).collect();
    found.retain(|section| !words.is_empty() && section.text.contains(&words));
    found.sort_by_key(|section| !section.heading.to_ascii_lowercase().contains(&words));
    found
}

/// The sections of a chapter. The first one begins with the title of the chapter.
fn sections(chapter: &Chapter) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut is_code = false;
    for line in chapter.markdown.lines() {
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
            section.push(line);
        }
    }
    sections
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
    limits "statuses, the log, account types, all numbers";
    security "what is protected, what is not, and the tests";
}

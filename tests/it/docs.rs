//! README and manual: their shape, and their blocks. Rules files are checked, transcripts are run and compared, shell
//! blocks are run here or by the real run that `SHELL_BLOCKS` names. Each page exists in two languages with the same
//! parts.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::control_socket::{self, ShortFolder};
use crate::support::tools::finish;
use crate::support::*;

/// The chapters of the manual, in the order of `wechat help`.
pub const CHAPTERS: [&str; 7] =
    ["rules", "programs", "deploy", "encryption", "troubleshooting", "limits", "security"];

/// A language of the pages, and the value of `WECHAT_LANG` for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    En,
    Zh,
}

use Language::{En, Zh};

/// The first line of the Chinese half of the README.
const CHINESE_HALF: &str = "# 中文说明";

/// A chapter, or the half of the README in one language.
struct Page {
    path: String,
    language: Language,
    /// The number of lines before the text in its file.
    offset: usize,
    text: String,
}

/// A fenced block: its language, its place, and its text without the indentation of the fence.
struct Block {
    language: String,
    page: Language,
    place: String,
    text: String,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            En => "en",
            Zh => "zh",
        }
    }

    /// The pages in this language, in the same order as those in the other one.
    fn pages(self) -> Vec<Page> {
        let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
        let readme = read("README.md");
        let (english, _) = readme.split_once(&format!("\n{CHINESE_HALF}\n")).unwrap();
        let chinese = readme.get(english.len() + 1..).unwrap();
        let (offset, half) = match self {
            En => (0, english),
            Zh => (english.lines().count(), chinese),
        };
        let half = Page {
            path: "README.md".to_owned(),
            language: self,
            offset,
            text: format!("{}\n", half.trim_end()),
        };
        let chapters = CHAPTERS.map(|chapter| {
            let path = format!("src/manual/{}/{chapter}.md", self.name());
            Page { text: read(&path), language: self, offset: 0, path }
        });
        chapters.into_iter().chain([half]).collect()
    }
}

fn pages() -> Vec<Page> {
    [En, Zh].into_iter().flat_map(Language::pages).collect()
}

impl Page {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(Block, usize)> = None;
        for (number, line) in self.text.lines().enumerate() {
            let bare = line.trim_start();
            match (&mut open, bare.strip_prefix("```")) {
                (None, Some(language)) => {
                    assert!(
                        !language.is_empty(),
                        "{}:{}: block without a language",
                        self.path,
                        self.offset + number + 1
                    );
                    let block = Block {
                        language: language.to_owned(),
                        page: self.language,
                        place: format!("{}:{}", self.path, self.offset + number + 1),
                        text: String::new(),
                    };
                    open = Some((block, line.len() - bare.len()));
                }
                (Some(_), Some(_)) => blocks.push(open.take().unwrap().0),
                (Some((block, indent)), None) => {
                    block.text.push_str(line.get(*indent..).unwrap_or(""));
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: block without an end", self.path);
        blocks
    }
}

/// The blocks of all pages. Blocks of Chinese pages that are equal to a block of an English page are left out.
fn blocks(language: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> =
        pages().iter().flat_map(Page::blocks).filter(|block| block.language == language).collect();
    let english: Vec<String> =
        blocks.iter().filter(|block| block.page == En).map(|block| block.text.clone()).collect();
    blocks.retain(|block| block.page == En || !english.contains(&block.text));
    assert!(!blocks.is_empty(), "no {language} block");
    blocks
}

/// A part of a page that both languages have.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Heading {
        level: usize,
    },
    /// An item of a list. The name is the whole text if this is code, such as the name of a test.
    Item {
        mark: String,
        name: String,
    },
    /// A row of a table.
    Row {
        columns: usize,
    },
    Block {
        language: String,
        text: String,
    },
    /// The code in the paragraphs and items of a section.
    Code(BTreeSet<String>),
}

/// Whether code in a text is the same in both languages. Words that the program prints, such as `no reply`, are not.
fn is_untranslated(code: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " ()".contains(c);
    code.is_ascii() && !code.chars().all(is_word)
}

/// The parts of a page in their order. Of a transcript, only the commands and the number of lines are compared.
fn parts(page: &Page) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut blocks = page.blocks().into_iter();
    let mut is_block = false;
    let mut section = String::new();
    let code = |section: &mut String| {
        let text: Vec<&str> = section.split_whitespace().collect();
        let text = text.join(" ");
        let code = text.split('`').skip(1).step_by(2).filter(|code| is_untranslated(code));
        let code = Part::Code(code.map(str::to_owned).collect());
        section.clear();
        code
    };
    for line in page.text.lines() {
        let bare = line.trim_start();
        if bare.starts_with("```") {
            is_block = !is_block;
            if is_block {
                let Block { language, text, .. } = blocks.next().unwrap();
                let text = match language.as_str() {
                    "text" => text
                        .lines()
                        .map(|line| if line.starts_with("$ ") { line } else { "" })
                        .collect::<Vec<&str>>()
                        .join("\n"),
                    _ => text,
                };
                parts.push(Part::Block { language, text });
            }
            continue;
        }
        if is_block {
            continue;
        }
        let mark = bare.split(' ').next().unwrap();
        if bare.starts_with('#') {
            parts.push(code(&mut section));
            parts.push(Part::Heading { level: mark.len() });
            continue;
        } else if bare.starts_with("| ") {
            parts.push(Part::Row { columns: bare.matches('|').count() - 1 });
        } else if mark == "-"
            || mark.strip_suffix('.').is_some_and(|mark| mark.parse::<u8>().is_ok())
        {
            let text = bare[mark.len()..].trim_start();
            let is_code = text.starts_with('`') && text[1..].find('`') == Some(text.len() - 2);
            let name = if is_code { text } else { "" };
            parts.push(Part::Item { mark: mark.to_owned(), name: name.to_owned() });
        }
        section.push_str(line);
        section.push('\n');
    }
    parts.push(code(&mut section));
    parts
}

/// Headings, items of lists, rows of tables, blocks and the code in the text are the same. Only the output in transcripts
/// is in the language of the page.
#[test]
fn both_languages_have_the_same_parts() {
    for (english, chinese) in En.pages().iter().zip(&Zh.pages()) {
        let (english, found) = (parts(english), parts(chinese));
        assert!(english.len() > 10);
        let place = |index: usize| {
            let before = found.iter().take(index);
            before.filter(|part| matches!(part, Part::Heading { .. })).count()
        };
        for (index, (expected, found)) in english.iter().zip(&found).enumerate() {
            assert_eq!(found, expected, "{}, section {}", chinese.path, place(index));
        }
        assert_eq!(found.len(), english.len(), "{}", chinese.path);
    }
    // Output that is the same in both languages has not been translated.
    let count = |language| blocks("text").iter().filter(|block| block.page == language).count();
    assert_eq!(count(Zh), count(En));
}

/// A text refers to a section by the beginning of its heading.
#[test]
fn references_lead_to_sections() {
    for (language, starts, end, least) in
        [(En, &["see \"", "of \""][..], '"', 10), (Zh, &["见“", "][]的“", "][]的“"][..], '”', 10)]
    {
        let pages = language.pages();
        let words = |text: &str| match language {
            En => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Zh => text.split_whitespace().collect(),
        };
        let headings: Vec<String> = pages
            .iter()
            .flat_map(|page| page.text.lines())
            .filter(|line| line.starts_with('#'))
            .map(|line| words(line.trim_start_matches('#')))
            .collect();
        let mut count = 0;
        for page in &pages {
            let text = words(&page.text);
            let found = starts.iter().flat_map(|start| text.split(start).skip(1));
            for name in found.map(|rest| rest.split(end).next().unwrap()) {
                let is_heading = headings.iter().any(|heading| heading.starts_with(name));
                assert!(is_heading, "{}: there is no section {name:?}", page.path);
                count += 1;
            }
        }
        assert!(count >= least, "only {count} references in {language:?}");
    }
}

/// In a Chinese text, no line begins with punctuation that closes or separates.
#[test]
fn no_line_begins_with_closing_punctuation() {
    for page in Zh.pages() {
        for line in page.text.lines() {
            let first = line.trim_start().chars().next().unwrap_or(' ');
            assert!(!"，。；：、？！）”’…".contains(first), "{}: {line}", page.path);
        }
    }
}

/// The columns of a text on a terminal: East Asian wide characters take two.
pub fn columns(line: &str) -> usize {
    let width = |character: char| match character {
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' => 2,
        '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' => 2,
        '\u{1F300}'..='\u{1FAFF}' => 2,
        _ => 1,
    };
    line.chars().map(width).sum()
}

#[test]
fn readme_and_manual_keep_their_size() {
    for language in [En, Zh] {
        let mut manual = 0;
        for page in language.pages() {
            let is_readme = page.path == "README.md";
            for (number, line) in page.text.lines().enumerate() {
                // The line of a log is longer than a terminal is wide.
                let is_fixed = line.starts_with("403 ");
                let most = if is_readme { 120 } else { 80 };
                assert!(
                    columns(line) <= most || is_fixed,
                    "{}:{}: over {most} columns",
                    page.path,
                    page.offset + number + 1
                );
            }
            if is_readme {
                let count = page.text.lines().count();
                assert!(count <= 120, "{count} lines in the README ({language:?})");
            } else {
                manual += page.text.len();
            }
        }
        assert!(manual <= 60 * 1024, "{manual} bytes of manual ({language:?})");
    }
}

#[test]
fn links_lead_to_files() {
    let mut count = 0;
    let others = [
        ".github/CONTRIBUTING.md",
        ".github/SECURITY.md",
        "tests/README.md",
        "tests/bench/README.md",
    ];
    let others = others.map(|path| Page {
        path: path.to_owned(),
        language: En,
        offset: 0,
        text: fs::read_to_string(root().join(path)).unwrap(),
    });
    for page in pages().iter().chain(&others) {
        let links = page.text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let definitions = page.text.lines().filter_map(|line| {
            let (name, target) = line.split_once("]: ")?;
            name.starts_with('[').then_some(target)
        });
        for link in links.chain(definitions) {
            if link.starts_with("http") || link.starts_with('#') {
                continue;
            }
            count += 1;
            let path = root().join(Path::new(&page.path).parent().unwrap()).join(link);
            assert!(path.exists(), "{} links to {link}", page.path);
        }
    }
    assert!(count > 5, "only {count} links");
}

#[test]
fn rules_files_are_valid() {
    for block in blocks("xml") {
        let text = match block.text.starts_with("<on ") {
            true => format!("<rules>{}</rules>", block.text),
            false => block.text.clone(),
        };
        if let Err(errors) = wechat::rules::Rules::parse(text.as_bytes()) {
            panic!("{}: {errors:?}", block.place);
        }
    }
}

/// Where each shell block is run: words that the block contains, and the run. A script contains the same words, by which
/// it takes the block out of the page. `here` is a test of this file.
const SHELL_BLOCKS: &[(&str, &str)] = &[
    ("wechat unit >", "tests/systemd/run"),
    ("socket.conf <<", "tests/systemd/run"),
    ("systemctl stop 'wechat.*'", "tests/systemd/run"),
    ("port-80.conf <<", "tests/systemd/run"),
    ("programs.conf <<", "tests/systemd/run"),
    ("/encryption.conf <<", "tests/systemd/run"),
    ("require-encryption.conf <<", "tests/systemd/run"),
    ("previous.conf", "tests/systemd/run"),
    ("token.conf <<", "tests/systemd/run"),
    ("send --encrypted", "tests/systemd/run"),
    (r"install wechat /usr/local/bin/wechat\nsystemctl restart", "tests/systemd/run"),
    ("cargo build --release --features secure", "tests/systemd/run"),
    ("rustup target add", ".ci/run"),
    ("docker run", "tests/docker/run"),
    ("API_URL", "tests/it/programs.rs"),
    ("sleep 7", "here"),
    ("wechat verify --url", "here"),
    ("wechat send", "here"),
    ("sha1sum", "here"),
];

/// The run of a shell block, if [`SHELL_BLOCKS`] names one.
fn run_of(block: &Block) -> Option<(&'static str, &'static str)> {
    let contains = |words: &str| block.text.contains(&words.replace(r"\n", "\n"));
    SHELL_BLOCKS.iter().copied().find(|(words, _)| contains(words))
}

#[test]
fn every_shell_block_is_run_somewhere() {
    for block in blocks("sh") {
        let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(block.text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success(), "{}: syntax error", block.place);
        let (words, run) = run_of(&block)
            .unwrap_or_else(|| panic!("{}: SHELL_BLOCKS names no run of this block", block.place));
        assert!(
            run == "here" || fs::read_to_string(root().join(run)).unwrap().contains(words),
            "{}: {run} does not contain {words}",
            block.place
        );
    }
}

/// The commands of a block. `&&` separates them like the end of a line.
fn commands(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split(" && ")).collect()
}

/// `tests/systemd/run` takes the block from the chapter, so that of the README is run too.
#[test]
fn the_readme_installs_with_commands_of_the_chapter_deploy() {
    let (chapter, readme): (Vec<Block>, Vec<Block>) = blocks("sh")
        .into_iter()
        .filter(|block| block.text.contains("/etc/systemd/"))
        .partition(|block| block.place.starts_with("src/manual/"));
    assert_eq!(readme.len(), 1);
    for block in readme {
        assert!(
            chapter.iter().any(|shown| commands(&shown.text) == commands(&block.text)),
            "{}: no block of the chapter has these commands",
            block.place
        );
    }
}

/// `tests/nginx/run` runs this file.
#[test]
fn the_readme_shows_the_nginx_line_that_is_tested() {
    let tested = fs::read_to_string(root().join("tests/nginx/plain.conf")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines = readme.split('`').filter(|code| code.starts_with("location "));
    assert_eq!(lines.inspect(|line| assert!(tested.contains(*line), "{line}")).count(), 2);
}

#[test]
fn the_manual_explains_lines_that_wechat_status_prints() {
    let folder = ShortFolder::new("docs");
    let control = folder.path("control");
    let _program = control_socket::start(&control, &[]);
    for (language, heading, separator, end) in
        [(En, "\n## Status\n", ", ", ":"), (Zh, "\n## 状态：wechat status\n", "、", "：")]
    {
        let mut command = command();
        command.env("WECHAT_CONTROL", &control).env("WECHAT_LANG", language.name()).arg("status");
        let output = finish(&mut command);
        assert_eq!(output.code, 0, "{}", output.err);
        let status = output.out;
        let path = format!("src/manual/{}/deploy.md", language.name());
        let chapter = fs::read_to_string(root().join(path)).unwrap();
        let (_, section) = chapter.split_once(heading).unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let mut count = 0;
        for item in section.lines().filter_map(|line| line.strip_prefix("- ")) {
            let (names, _) = item.split_once(end).unwrap_or((item, ""));
            for name in names.split(separator).map(|name| name.trim_matches('`')) {
                assert!(status.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
                count += 1;
            }
        }
        assert!(count > 10, "only {count} names");
    }
}

#[test]
fn the_manual_shows_a_line_of_the_log_as_it_is_printed() {
    let without_address = |line: &str| {
        let (start, rest) = line.split_once("peer=").unwrap();
        format!("{start}{}", rest.split_once(' ').unwrap().1)
    };
    for language in [En, Zh] {
        let mut server = command();
        server.env("WECHAT_TOKEN", TOKEN).env("WECHAT_LANG", language.name());
        let program = Program::spawn(server.args(["--listen", "127.0.0.1:0"]));
        let query = signed(&now().to_string(), "2").replace("nonce=2", "nonce=3");
        let post = post_to(&format!("/wx?{query}"), "HTTP/1.1", "", "x");
        ask(&mut connect(program.address), &post);
        let printed: Vec<String> =
            program.stop().iter().map(|line| without_address(line)).collect();
        let shown: Vec<String> = blocks("text")
            .iter()
            .filter(|block| block.page == language && block.text.contains(" cause="))
            .map(|block| without_address(block.text.trim_end()))
            .collect();
        assert_eq!(shown.len(), 1);
        assert!(printed.contains(&shown[0]), "{printed:#?}");
    }
}

/// A cause word is a literal after `cause:`, after a status, or at the start of a pair. The words of `src/http/error.rs`
/// are not in the list, because their lines have the reason.
#[test]
fn the_manual_lists_the_cause_words_of_the_log() {
    let listed =
        [("en", "\n## The log\n"), ("zh", "\n## 日志和 cause\n")].map(|(language, heading)| {
            let path = root().join(format!("src/manual/{language}/limits.md"));
            let chapter = fs::read_to_string(path).unwrap();
            let (_, section) = chapter.split_once(heading).unwrap();
            let (section, _) = section.split_once("\n## ").unwrap();
            section.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<String>>()
        });
    let starts = ["cause:", "Forbidden,", "BadRequest,", "NotFound,", "MethodNotAllowed,", "("];
    let is_in_word = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    let mut count = 0;
    for path in files_below(&root().join("src")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !["wording.rs", "rejection.rs"].contains(&name) {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let parts: Vec<&str> = source.split('"').collect();
        for [before, word, after] in parts.windows(3).map(|parts| [parts[0], parts[1], parts[2]]) {
            let is_cause = starts.iter().any(|start| before.trim_end().ends_with(start))
                && after.starts_with(',')
                && !word.is_empty()
                && word.chars().all(is_in_word);
            if is_cause {
                count += 1;
                for listed in &listed {
                    assert!(listed.iter().any(|known| known == word), "{}: {word}", path.display());
                }
            }
        }
    }
    assert!(count > 20, "only {count} words were found");
}

/// The shell blocks that this machine can run: a server listens where the block expects one.
#[test]
fn shell_blocks_that_play_wechat_work_as_printed() {
    let rules = folder("docs-shell").join("rules.xml");
    fs::write(&rules, wechat::rules::STARTER).unwrap();
    let program = Program::start(&["--rules", rules.to_str().unwrap()]);
    let bin = Path::new(env!("CARGO_BIN_EXE_wechat")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let token_file = folder("docs-token").join("token");
    fs::write(&token_file, TOKEN).unwrap();
    let mut count = 0;
    for block in blocks("sh") {
        let is_here = run_of(&block).is_some_and(|(_, run)| run == "here");
        if !is_here || block.text.starts_with("#!") {
            continue;
        }
        count += 1;
        let address = program.address.to_string();
        let script = block
            .text
            .replace("你的令牌", TOKEN)
            .replace("https://你的域名/wx", &format!("http://{address}/wx"))
            .replace("http://你的域名/wx", &format!("http://{address}/wx"))
            .replace("http://127.0.0.1:8000/", &format!("http://{address}/"))
            .replace("/etc/wechat/token", token_file.to_str().unwrap());
        let mut shell = Command::new("sh");
        shell
            .args(["-euc", &script])
            .env("PATH", &path)
            .env("WECHAT_CALLBACK_URL", format!("http://{address}/"))
            .stdin(Stdio::null());
        let output = finish(&mut shell);
        assert_eq!(output.code, 0, "{}: {}{}", block.place, output.out, output.err);
    }
    assert!(count >= 3, "only {count} blocks");
}

/// The text with numbers of times, ports and tokens replaced, so that two runs can be compared.
fn normalized(text: &str) -> String {
    let mut words = Vec::new();
    for line in text.trim_end().lines() {
        let mut line: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for index in 1..line.len() {
            let is_unit = ["ms", "µs", "s"]
                .iter()
                .any(|unit| line[index].trim_end_matches([',', ';']) == *unit);
            let is_number = line[index - 1].starts_with(|first: char| first.is_ascii_digit());
            if is_unit && is_number {
                line[index - 1] = "N".to_owned();
                line[index] = "ms".to_owned();
            }
        }
        words.push(line.join(" "));
    }
    words.join("\n")
}

/// The commands of a transcript, each with the output that follows it.
fn transcript(block: &Block) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    commands
}

/// `fifteen_seconds.rs` runs this case.
pub fn transcripts_show_what_the_program_prints() {
    let secrets: &[(&str, &str)] = match wechat::wechat::SECURE {
        true => &[
            ("WECHAT_AES_KEY", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
            ("WECHAT_APP_ID", "wx2c2769f8efd9abc2"),
        ],
        false => &[],
    };
    let folder = folder("docs-transcripts");
    fs::write(
        folder.join("rules.xml"),
        "<rules>\n  <on Contnet=\"a\"> <text>a</text> </on>\n  <on Content=\"b\"> <txt>b</txt> </on>\n</rules>\n",
    )
    .unwrap();
    let slow = blocks("sh").into_iter().find(|block| block.text.contains("sleep 7")).unwrap();
    let script = folder.join("slow");
    fs::write(&script, slow.text).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let run = format!("<on Text=\"在吗\"><run>{} {{Text}}</run></on>", script.display());
    let rules = folder.join("served.xml");
    fs::write(&rules, format!("<rules>{run}<on><text>{{Content}}</text></on></rules>")).unwrap();
    let mut server = command();
    server.env("WECHAT_TOKEN", TOKEN).envs(secrets.iter().copied());
    server.args(["--listen", "127.0.0.1:0", "--rules", rules.to_str().unwrap()]);
    let program = Program::spawn(&mut server);
    let mut count = 0;
    for block in blocks("text") {
        let language = block.page;
        for (command, expected) in transcript(&block) {
            let (variables, arguments): (Vec<&str>, Vec<&str>) =
                command.split(' ').partition(|word| word.starts_with("WECHAT_"));
            let arguments = &arguments[1..];
            if arguments.contains(&"--encrypted") && !wechat::wechat::SECURE {
                continue;
            }
            count += 1;
            let is_greeting = arguments.is_empty();
            let found = if is_greeting {
                greeting(&command, &expected, language)
            } else {
                let mut process = crate::support::command();
                process
                    .args(arguments)
                    .current_dir(&folder)
                    .env("WECHAT_TOKEN", TOKEN)
                    .env("WECHAT_LANG", language.name())
                    .envs(secrets.iter().copied())
                    .env("WECHAT_CALLBACK_URL", format!("http://{}/", program.address));
                assert!(variables.len() <= 1);
                let output = finish(&mut process);
                let url = format!("http://{}/", program.address);
                format!("{}{}", output.out, output.err).replace(&url, "http://127.0.0.1:8000/")
            };
            assert_eq!(normalized(&found), normalized(&expected), "{}: {command}", block.place);
        }
    }
    assert!(count >= 8, "only {count} commands");
}

/// The greeting of a server without a token, with the made-up token and the address of the page.
fn greeting(program: &str, expected: &str, language: Language) -> String {
    let mut command = command();
    command.env("WECHAT_LANG", language.name()).args(["--listen", "127.0.0.1:0"]);
    let mut server = Program::spawn(&mut command);
    let address = server.address.to_string();
    let lines = expected.trim_end().lines().count();
    let mut text = format!("wechat {} listening on {address}\n", env!("CARGO_PKG_VERSION"));
    for _ in 1..lines {
        text.push_str(&server.next_line());
    }
    let token_in = |text: &str| {
        let (_, rest) = text.split_once("WECHAT_TOKEN=").unwrap();
        rest.split(' ').next().unwrap().to_owned()
    };
    text.replace(&token_in(&text), &token_in(expected))
        .replace(&format!(" --url 'http://{address}/'"), "")
        .replace(env!("CARGO_BIN_EXE_wechat"), program)
        .replace(&address, "127.0.0.1:8000")
        .replace("/nonexistent", "/run/wechat")
}

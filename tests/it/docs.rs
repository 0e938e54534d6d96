//! README and manual: their shape, and their blocks. Rules files are checked, transcripts are run and compared, shell
//! blocks are run here or by the real run that `SHELL_BLOCKS` names.

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

/// A page, by its path below the repository.
struct Page {
    path: String,
    text: String,
}

/// A fenced block: its language, its line, and its text without the indentation of the fence.
struct Block {
    language: String,
    place: String,
    text: String,
}

fn pages() -> Vec<Page> {
    let chapters = CHAPTERS.map(|chapter| format!("src/manual/en/{chapter}.md"));
    let paths = chapters.into_iter().chain(["README.md".to_owned()]);
    paths.map(|path| Page { text: fs::read_to_string(root().join(&path)).unwrap(), path }).collect()
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
                        number + 1
                    );
                    let block = Block {
                        language: language.to_owned(),
                        place: format!("{}:{}", self.path, number + 1),
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

fn blocks(language: &str) -> Vec<Block> {
    let blocks: Vec<Block> =
        pages().iter().flat_map(Page::blocks).filter(|block| block.language == language).collect();
    assert!(!blocks.is_empty(), "no {language} block");
    blocks
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
    let mut manual = 0;
    for page in pages() {
        let lines: Vec<&str> = page.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            // The line of a log is longer than a terminal is wide.
            let is_fixed = line.starts_with("403 ");
            let most = if page.path == "README.md" { 120 } else { 80 };
            assert!(
                columns(line) <= most || is_fixed,
                "{}:{}: over {most} columns",
                page.path,
                number + 1
            );
        }
        if page.path == "README.md" {
            let english = lines.iter().position(|line| *line == "## 中文快速开始").unwrap();
            assert!(english <= 120, "{english} lines in English");
            assert!(lines.len() <= 200, "{} lines", lines.len());
        } else {
            manual += page.text.len();
        }
    }
    assert!(manual <= 60 * 1024, "{manual} bytes of manual");
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
    ("install target/", "tests/systemd/run"),
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

/// `tests/systemd/run` takes these blocks from the chapter, so those of the README are run too.
#[test]
fn the_readme_installs_with_commands_of_the_chapter_deploy() {
    let (chapter, readme): (Vec<Block>, Vec<Block>) = blocks("sh")
        .into_iter()
        .filter(|block| block.text.contains("/etc/systemd/"))
        .partition(|block| !block.place.starts_with("README.md"));
    assert_eq!(readme.len(), 3);
    for block in readme {
        let shown = commands(&block.text);
        assert!(
            chapter.iter().any(|block| {
                let all = commands(&block.text);
                // In Chinese, an earlier block has installed the program.
                all == shown
                    || all.split_first() == Some((&"install wechat /usr/local/bin/wechat", &shown))
            }),
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
    for (language, heading, colon, comma) in
        [("en", "\n## Status\n", ": ", ", "), ("zh", "\n`wechat status` 显示", "：", "、")]
    {
        let mut status = command();
        status.env("WECHAT_CONTROL", &control).env("WECHAT_LANG", language).arg("status");
        let status = finish(&mut status).out;
        let path = root().join(format!("src/manual/{language}/deploy.md"));
        let chapter = fs::read_to_string(path).unwrap();
        let (_, section) = chapter.split_once(heading).unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let mut count = 0;
        for item in section.lines().filter_map(|line| line.strip_prefix("- ")) {
            let (names, _) = item.split_once(colon).unwrap_or((item, ""));
            for name in names.split(comma).map(|name| name.trim_matches(['`', ':'])) {
                assert!(status.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
                count += 1;
            }
        }
        assert!(count > 10, "only {count} names");
    }
}

#[test]
fn the_manual_shows_a_line_of_the_log_as_it_is_printed() {
    let program = Program::start(&[]);
    let query = signed(&now().to_string(), "1").replace("signature=", "signature=0");
    ask(&mut connect(program.address), &get(&format!("/wx?{}&echostr=1", query)));
    let query = signed(&now().to_string(), "2").replace("nonce=2", "nonce=3");
    let post = post_to(&format!("/wx?{query}"), "HTTP/1.1", "", "x");
    ask(&mut connect(program.address), &post);
    let without_address = |line: &str| {
        let (start, rest) = line.split_once("peer=").unwrap();
        format!("{start}{}", rest.split_once(' ').unwrap().1)
    };
    let printed: Vec<String> = program.stop().iter().map(|line| without_address(line)).collect();
    let shown: Vec<String> = blocks("text")
        .iter()
        .filter(|block| block.text.contains(" cause="))
        .map(|block| without_address(block.text.trim_end()))
        .collect();
    assert_eq!(shown.len(), 1);
    assert!(printed.contains(&shown[0]), "{printed:#?}");
}

/// A cause word is a literal after `cause:`, after a status, or at the start of a pair. The words of `src/http/error.rs`
/// are not in the list, because their lines have the reason.
#[test]
fn the_manual_lists_the_cause_words_of_the_log() {
    let chapter = fs::read_to_string(root().join("src/manual/en/limits.md")).unwrap();
    let (_, section) = chapter.split_once("\n## The log\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let listed: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
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
                assert!(listed.contains(&word), "{}: {word}", path.display());
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
    assert!(count >= 4, "only {count} blocks");
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

#[test]
fn transcripts_show_what_the_program_prints() {
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
    let program = Program::start(&["--rules", rules.to_str().unwrap()]);
    let mut count = 0;
    for block in blocks("text") {
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
                greeting(&command, &expected)
            } else {
                let mut process = crate::support::command();
                process
                    .args(arguments)
                    .current_dir(&folder)
                    .env("WECHAT_TOKEN", TOKEN)
                    .env("WECHAT_CALLBACK_URL", format!("http://{}/", program.address));
                assert!(variables.len() <= 1);
                let output = finish(&mut process);
                let url = format!("http://{}/", program.address);
                format!("{}{}", output.out, output.err).replace(&url, "http://127.0.0.1:8000/")
            };
            assert_eq!(normalized(&found), normalized(&expected), "{}: {command}", block.place);
        }
    }
    assert!(count >= 3, "only {count} commands");
}

/// The greeting of a server without a token, with the made-up token and the address of the page.
fn greeting(program: &str, expected: &str) -> String {
    let server = Program::spawn(command().args(["--listen", "127.0.0.1:0"]));
    let address = server.address.to_string();
    let mut server = server;
    let lines = expected.trim_end().lines().count();
    let mut text = format!("wechat {} listening on {address}\n", version());
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
        .replace("(/nonexistent does", "(/run/wechat does")
}

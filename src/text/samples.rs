//! Compares samples of all texts with `fixtures/wording/en.txt` and `zh.txt`. Each module with texts has a test module
//! `samples`, which makes every text once. `tests/it/wording.rs` finds texts of the source that have no sample.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Display;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::{env, io, iter};

use super::language::{Language, set_language};
use super::log_note::LogNote;

/// The variable that tells a test process to write the samples to the files instead of comparing them.
const WRITE: &str = "WECHAT_TEST_WRITE_WORDING";

/// The variable that tells a test process to compare the Chinese samples.
const CHINESE: &str = "WECHAT_TEST_CHINESE";

/// The sections of the files, in their order.
const SECTIONS: [&str; 18] = [
    "cli",
    "cli: help",
    "simulator",
    "rules",
    "program",
    "text: files",
    "text: programs",
    "text: errors of the system",
    "xml",
    "http",
    "wechat",
    "callback",
    "callback: rejections",
    "session",
    "service",
    "server",
    "control",
    "control: status",
];

/// The samples of a module.
#[derive(Default)]
pub(crate) struct Samples(String);

impl Samples {
    /// Adds texts under a heading.
    pub(crate) fn add(&mut self, heading: &str, texts: &[&dyn Display]) {
        self.0.push_str(&format!("\n## {heading}\n\n"));
        for text in texts {
            self.0.push_str(&format!("{}\n", text.to_string().trim_end_matches('\n')));
        }
    }

    /// Adds notes for the log under a heading.
    pub(crate) fn add_notes(&mut self, heading: &str, notes: &[LogNote]) {
        let notes: Vec<&dyn Display> = notes.iter().map(|note| note as &dyn Display).collect();
        self.add(heading, &notes);
    }
}

/// An error of the system with this number (errno(3)).
pub(crate) fn system_error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// Compares the samples with a section of both files. A process has one language, so another process compares the Chinese
/// samples: it runs the test with the name `samples_are_as_reviewed` in `module`.
pub(crate) fn compare(module: &str, section: &str, collect: fn(&mut Samples)) {
    let is_chinese = env::var_os(CHINESE).is_some();
    if is_chinese {
        set_language(Language::Chinese);
    }
    let mut samples = Samples::default();
    collect(&mut samples);
    compare_section(if is_chinese { "zh.txt" } else { "en.txt" }, section, &samples.0);
    if !is_chinese {
        let (_, module) = module.split_once("::").unwrap();
        let test = format!("{module}::samples_are_as_reviewed");
        let mut command = Command::new(env::current_exe().unwrap());
        let output = command.args([&test, "--exact"]).env(CHINESE, "1").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "in Chinese: {text}");
    }
}

fn compare_section(name: &str, section: &str, samples: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wording").join(name);
    let heading = format!("# {section}\n");
    let text = format!("{heading}{samples}");
    if env::var_os(WRITE).is_some() {
        return write_section(&path, &heading, &text);
    }
    let file = fs::read_to_string(&path).unwrap();
    let parts = sections(&file);
    assert!(parts.join("\n\n") + "\n" == file, "{name}: one empty line between sections");
    let headings: Vec<&str> = parts.iter().filter_map(|part| part.lines().next()).collect();
    assert_eq!(headings, SECTIONS.map(|section| format!("# {section}")), "sections of {name}");
    let reviewed = parts.into_iter().find(|part| part.starts_with(&heading)).unwrap();
    if reviewed == text.trim_end() {
        return;
    }
    let (mut texts, mut lines) = (text.trim_end().split('\n'), reviewed.split('\n'));
    let pairs = iter::from_fn(|| Some((texts.next(), lines.next())));
    let (text, line) = pairs.into_iter().find(|(text, line)| text != line).unwrap();
    panic!(
        "fixtures/wording/{name}, section {section}: the line is {line:?}, but the text is {text:?}. \
         To write all new texts, run {WRITE}=1 cargo test --lib samples_are_as_reviewed; then review the differences."
    );
}

/// The sections of a file, each with its heading, and without the empty line at its end.
fn sections(file: &str) -> Vec<&str> {
    let starts = file.match_indices("\n# ").map(|(index, _)| index + 1);
    let starts: Vec<usize> = iter::once(0).chain(starts).chain([file.len()]).collect();
    let parts = starts.windows(2).map(|pair| file[pair[0]..pair[1]].trim_end());
    parts.filter(|part| !part.is_empty()).collect()
}

/// Replaces a section. Other tests may replace other sections at the same time.
fn write_section(path: &Path, heading: &str, text: &str) {
    let lock = File::open(path.parent().unwrap()).unwrap();
    lock.lock().unwrap();
    let file = fs::read_to_string(path).unwrap_or_default();
    let old = sections(&file);
    let parts = SECTIONS.iter().filter_map(|section| {
        let own = format!("# {section}\n");
        let kept = || old.iter().copied().find(|part| part.starts_with(&own));
        if own == heading { Some(text.trim_end()) } else { kept() }
    });
    let parts: Vec<&str> = parts.collect();
    fs::write(path, parts.join("\n\n") + "\n").unwrap();
}

//! The house rules that a compiler does not know: what each room may name, and that nothing is
//! undescribed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}

/// A source file's path below `src`, and its code: comments, doc tests and unit tests left out.
fn sources() -> Vec<(String, String)> {
    let folder = root().join("src");
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let name = path
            .strip_prefix(&folder)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    files(&folder).into_iter().map(source).collect()
}

#[test]
fn rooms_know_only_the_rooms_they_may() {
    let rooms = ["account", "answer", "bot", "cli", "http", "net", "server"];
    let arrows: [(&str, &[&str]); 9] = [
        ("account", &[]),
        ("http", &[]),
        ("bot", &["account"]),
        ("answer", &["http", "account", "bot"]),
        ("net", &["http"]),
        ("server", &["account", "answer", "net"]),
        ("cli", &["account", "answer", "bot", "net", "server"]),
        ("lib", &["server"]),
        ("main", &["cli"]),
    ];
    for (name, code) in sources() {
        let room = name.split(['/', '.']).next().unwrap();
        let (_, allowed) = arrows
            .iter()
            .find(|(from, _)| *from == room)
            .unwrap_or_else(|| panic!("a new room: {name}"));
        for other in rooms
            .iter()
            .filter(|other| **other != room && !allowed.contains(other))
        {
            let named = format!("{other}::");
            let nested = |line: &str| line.contains("use crate::{") && line.contains(other);
            for line in code
                .lines()
                .filter(|line| line.contains("crate::") || line.contains("wechat::"))
            {
                assert!(
                    !line.contains(&named) && !nested(line),
                    "{name} knows {other}: {line}"
                );
            }
        }
    }
}

#[test]
fn what_a_room_does_not_know_it_does_not_name() {
    for (name, code) in sources() {
        let room = name.split(['/', '.']).next().unwrap();
        let mut foreign = vec!["unsafe"];
        if name != "account/xml.rs" {
            foreign.push("roxmltree");
        }
        if name != "account/signature.rs" {
            foreign.push("sha1_smol");
        }
        if !["net", "server", "cli"].contains(&room) {
            // An address that is only parsed is no socket.
            foreign.extend(["TcpStream", "TcpListener", "std::io::stderr", "std::fs"]);
        }
        if !["net", "cli"].contains(&room) {
            foreign.extend(["SystemTime", "Instant"]);
        }
        if ["net", "http"].contains(&room) {
            foreign.extend(["echostr", "Token", "Message", "WeChat Official"]);
        }
        for word in foreign {
            let allowed = word == "unsafe" && name == "lib.rs";
            assert!(allowed || !code.contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn nothing_panics_outside_tests() {
    for (name, code) in sources() {
        for word in [
            ".unwrap()",
            ".expect(",
            "panic!(",
            "unreachable!(",
            "todo!(",
            "#[ignore",
        ] {
            assert!(!code.contains(word), "{name} holds {word}");
        }
    }
}

#[test]
fn each_file_opens_with_what_it_holds_and_is_short_enough_to_read() {
    for path in files(&root().join("src"))
        .into_iter()
        .chain(files(&root().join("tests")))
    {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{}", path.display());
        if path.starts_with(root().join("src")) {
            assert!(text.lines().count() <= 450, "{}", path.display());
        }
    }
}

#[test]
fn each_fixture_has_a_line_that_says_what_it_shows_and_where_it_comes_from() {
    let folder = root().join("fixtures");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut names: Vec<String> = files(&folder)
        .iter()
        .filter(|path| path.parent() != Some(&folder))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.dedup();
    for name in &names {
        let line = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let cells = line.map(|line| {
            line.split(" | ")
                .filter(|cell| !cell.trim_matches(['|', ' ']).is_empty())
                .count()
        });
        assert_eq!(cells, Some(3), "{name}");
    }
    for line in readme.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = line.split('`').next().unwrap();
        assert!(
            names.iter().any(|found| found == name),
            "described, but not there: {name}"
        );
    }
}

#[test]
fn the_top_level_is_the_agreed_one() {
    let allowed =
        "Cargo.toml Cargo.lock LICENSE README.md wechat.service src tests fixtures target";
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || allowed.split(' ').any(|known| known == name),
            "{name}"
        );
    }
}

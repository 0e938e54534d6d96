//! The house rules that a compiler does not know: what each room may name, and that nothing is
//! undescribed.

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

/// The first names behind each `crate::`, those of a group in braces too.
fn named_rooms(code: &str) -> Vec<String> {
    let code: String = code.split_whitespace().collect();
    let mut names = Vec::new();
    for behind in code.split("crate::").skip(1) {
        let mut depth = 0;
        let mut name = String::new();
        for character in behind.chars() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                letter if letter.is_alphanumeric() || letter == '_' => name.push(letter),
                _ if depth == 1 && character == ',' => names.push(std::mem::take(&mut name)),
                // The rest of a path inside the braces: only its first name counts.
                ':' if depth == 1 && !name.ends_with(':') => name.push(':'),
                _ => {}
            }
            if depth == 0 && !(letter_or_brace(character)) {
                break;
            }
        }
        names.push(name);
    }
    names
        .iter()
        .map(|name| name.split(':').next().unwrap().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn letter_or_brace(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '{')
}

#[test]
fn rooms_know_only_the_rooms_they_may() {
    let arrows: [(&str, &[&str]); 18] = [
        ("text", &[]),
        ("deadline", &[]),
        ("http", &["text"]),
        ("xml", &["text"]),
        ("wechat", &["text", "xml"]),
        ("rules", &["text", "xml", "wechat"]),
        ("session", &["text", "xml", "wechat", "rules"]),
        ("program", &["text", "xml", "wechat", "rules", "session"]),
        ("client", &["deadline", "http"]),
        ("callback", &["text", "http", "xml", "wechat", "session"]),
        ("server", &["deadline", "text", "http"]),
        (
            "service",
            &["wechat", "rules", "session", "callback", "server"],
        ),
        (
            "control",
            &[
                "deadline", "text", "program", "session", "callback", "server", "service",
            ],
        ),
        ("simulator", &["text", "http", "xml", "wechat", "client"]),
        (
            "cli",
            &[
                "callback",
                "client",
                "control",
                "http",
                "program",
                "rules",
                "server",
                "service",
                "session",
                "simulator",
                "text",
                "wechat",
            ],
        ),
        ("lib", &["service"]),
        ("main", &["cli"]),
        ("manual", &[]),
    ];
    let rooms = arrows.map(|(room, _)| room);
    assert_eq!(
        named_rooms("use crate::{a, b::{c, d}, e}; x(crate::f::g, crate::h)"),
        ["a", "b", "e", "f", "h"]
    );
    assert_eq!(named_rooms("use crate::{\n  a,\n  b,\n};"), ["a", "b"]);
    let mut found = 0;
    for (name, code) in sources() {
        let room = name.split(['/', '.']).next().unwrap();
        let (_, allowed) = arrows
            .iter()
            .find(|(from, _)| *from == room)
            .unwrap_or_else(|| panic!("a new room: {name}"));
        for other in named_rooms(&code) {
            found += 1;
            let is_room = rooms.contains(&other.as_str()) && other != room;
            assert!(
                !is_room || allowed.contains(&other.as_str()),
                "{name} knows {other}"
            );
        }
        // The other ways out of a room.
        assert!(!code.contains("super::super::"), "{name}");
        let is_at_the_door = name.ends_with("/mod.rs") || !name.contains('/');
        assert!(!(is_at_the_door && code.contains("super::")), "{name}");
    }
    assert!(found > 20, "only {found} arrows were seen");
}

#[test]
fn what_a_room_does_not_know_it_does_not_name() {
    for (name, code) in sources() {
        let room = name.split(['/', '.']).next().unwrap();
        let mut foreign = vec!["unsafe"];
        if name != "xml/file.rs" {
            foreign.push("roxmltree");
        }
        if name != "wechat/signature.rs" {
            foreign.push("sha1_smol");
        }
        if name != "wechat/cipher.rs" {
            foreign.extend(["aes::", "cbc::", "base64::"]);
        }
        // What a build has of the encrypted modes is settled at one door.
        if name != "wechat/mod.rs" {
            foreign.push("cfg(feature");
        }
        if !["client", "control", "server", "service", "cli", "program"].contains(&room) {
            // An address that is only parsed is no socket.
            foreign.extend(["TcpStream", "TcpListener", "io::stderr", "io::stdout"]);
        }
        if !["rules", "program", "control", "server", "service", "cli"].contains(&room) {
            foreign.push("std::fs");
        }
        if !["deadline", "client", "program", "control", "server", "cli"].contains(&room) {
            foreign.extend(["SystemTime", "Instant"]);
        }
        if ["server", "client", "http"].contains(&room) {
            foreign.extend(["echostr", "Token", "Message", "WeChat Official"]);
        }
        for word in foreign {
            let allowed = word == "unsafe" && name == "lib.rs";
            assert!(allowed || !code.contains(word), "{name} names {word}");
        }
    }
}

/// What comes from outside is parsed and refused with a typed error. Our own invariants may be asserted, but not
/// where input is parsed.
#[test]
fn parsers_assert_nothing_about_their_input() {
    let parsers = [
        "http/",
        "xml/",
        "callback/query.rs",
        "client/",
        "wechat/message.rs",
        "wechat/event.rs",
        "wechat/envelope.rs",
        "wechat/signature.rs",
        "wechat/token.rs",
        "rules/parser.rs",
        "rules/reply_parser.rs",
        "rules/pattern.rs",
        "rules/template.rs",
        "text/digits.rs",
    ];
    for (name, code) in sources() {
        for word in [
            ".unwrap()",
            "panic!(",
            "unreachable!(",
            "todo!(",
            "#[ignore",
        ] {
            assert!(!code.contains(word), "{name} contains {word}");
        }
        let is_parser = parsers.iter().any(|parser| name.starts_with(parser));
        assert!(
            !(is_parser && code.contains(".expect(")),
            "{name} contains an expect"
        );
    }
    for parser in parsers {
        let mut files = sources().into_iter();
        assert!(
            files.any(|(name, _)| name.starts_with(parser)),
            "no file {parser}"
        );
    }
}

#[test]
fn each_file_opens_with_what_it_holds_and_is_short_enough_to_read() {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    for path in files(&root().join("src"))
        .into_iter()
        .chain(files(&root().join("tests")))
    {
        if !is_rust(&path) {
            continue;
        }
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
        // The exchanges of a bot stand in a folder of its name, which the bot's line describes.
        .filter(|path| {
            path.strip_prefix(folder.join("bots"))
                .is_ok_and(|rest| rest.iter().count() == 1)
                || !path.starts_with(folder.join("bots"))
        })
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

#[test]
fn the_readme_shows_the_nginx_files_that_are_tested() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut shown = 0;
    for path in files(&root().join("tests/nginx")) {
        if path
            .extension()
            .is_some_and(|extension| extension == "conf")
        {
            let block = format!("```nginx\n{}```\n", fs::read_to_string(&path).unwrap());
            assert!(readme.contains(&block), "{}", path.display());
            shown += 1;
        }
    }
    assert_eq!(readme.matches("```nginx\n").count(), shown);
}

/// A claim stands there with the test that shows it, so that has to be one.
#[test]
fn each_claim_of_the_security_section_names_tests_that_are_there() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("## Security\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let tests: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(&root().join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut claims = 0;
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let Ok(number) = cells[0].parse::<usize>() else {
            continue;
        };
        claims += 1;
        assert_eq!(number, claims, "{row}");
        for name in cells[2].split(", ").map(|name| name.trim_matches('`')) {
            let is_test = tests.contains(&format!("#[test]\nfn {name}()"))
                || tests.contains(&format!("#[test]\n    fn {name}()"));
            let is_run = name.starts_with("tests/") && root().join(name).is_file();
            assert!(is_test || is_run, "{name} of claim {number}");
        }
    }
    assert_eq!(claims, 17);
}

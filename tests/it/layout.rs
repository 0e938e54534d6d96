//! The layout of `src`: which room may import which, no cycles between files, and what only one file may name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::{files_below, root};

/// The rooms of `src`, and the rooms that each may import. `lib.rs` and `main.rs` are rooms of one file.
const ROOMS: [(&str, &[&str]); 18] = [
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
    ("service", &["text", "http", "wechat", "rules", "session", "callback", "server"]),
    ("control", &["deadline", "text", "program", "session", "callback", "server", "service"]),
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
    ("lib", &["service", "wechat"]),
    ("main", &["cli"]),
    ("manual", &[]),
];

/// The source files by their path below `src`, each without comments and unit tests.
pub fn sources() -> BTreeMap<String, String> {
    let folder = root().join("src");
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let lines: Vec<&str> =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        lines.join("\n")
    };
    let rust_files = files_below(&folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust_files
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            (name.to_owned(), code(&path))
        })
        .collect()
}

/// The module that a file is: `http/head.rs` is `[http, head]`, `http/mod.rs` is `[http]`, `lib.rs` is the root.
fn module(file: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(parts.last().unwrap().as_str(), "mod" | "lib") {
        parts.pop();
    }
    parts
}

/// The single paths of a `use` tree without white space: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().to_owned()];
    };
    let inner = rest.strip_suffix('}').unwrap();
    let (mut paths, mut depth, mut branch) = (Vec::new(), 0, String::new());
    for character in inner.chars().chain([',']) {
        match character {
            ',' if depth == 0 => {
                if !branch.trim().is_empty() {
                    paths.extend(expand(&format!("{prefix}{}", branch.trim())));
                }
                branch.clear();
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        branch.push(character);
    }
    paths
}

/// An import: the path as written, and whether other files see it through a `pub use`.
struct Import {
    path: String,
    is_public: bool,
}

/// What a file imports by `use`, and the paths that it writes out elsewhere.
fn imports(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut other_code = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("use ") {
        let line = before.rsplit('\n').next().unwrap().trim();
        let is_use = line.is_empty() || (line.starts_with("pub") && !line.contains(' '));
        other_code.push_str(before);
        rest = after;
        if is_use && let Some((tree, after)) = after.split_once(';') {
            let tree: Vec<&str> = tree.split_whitespace().collect();
            imports.extend(
                expand(&tree.join(" "))
                    .into_iter()
                    .map(|path| Import { path, is_public: line.starts_with("pub") }),
            );
            rest = after;
        }
    }
    other_code.push_str(rest);
    for root in ["crate::", "super::"] {
        for after in other_code.split(root).skip(1) {
            let is_path =
                |character: char| character.is_alphanumeric() || matches!(character, '_' | ':');
            let path = after.split(|character| !is_path(character)).next().unwrap();
            imports.push(Import {
                path: format!("{root}{}", path.trim_end_matches(':')),
                is_public: false,
            });
        }
    }
    imports
}

/// The arrows between files: which file imports something that which other file defines. A re-export is followed
/// to the file that defines the name, so that a `mod.rs` which only re-exports joins no cycle.
fn arrows(sources: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<Vec<String>, &String> =
        sources.keys().map(|file| (module(file), file)).collect();
    // The file that a path leads to, and the rest of the path.
    let resolve = |file: &str, path: &str| -> Option<(String, Vec<String>)> {
        let own = module(file);
        let mut parts: Vec<String> = path.split("::").map(str::to_owned).collect();
        let full = match parts[0].as_str() {
            "crate" => parts.split_off(1),
            "self" => [own, parts.split_off(1)].concat(),
            "super" => [own[..own.len() - 1].to_vec(), parts.split_off(1)].concat(),
            _ => [own, parts].concat(),
        };
        (1..=full.len()).rev().find_map(|length| {
            let found = modules.get(&full[..length])?;
            Some(((*found).clone(), full[length..].to_vec()))
        })
    };
    let mut exports: BTreeMap<(String, String), String> = BTreeMap::new();
    for (file, code) in sources {
        for import in imports(code).iter().filter(|import| import.is_public) {
            if let Some((target, _)) = resolve(file, &import.path)
                && target != *file
            {
                let name = import.path.rsplit("::").next().unwrap();
                exports.insert((file.clone(), name.to_owned()), target);
            }
        }
    }
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in sources {
        let targets = arrows.entry(file.clone()).or_default();
        for import in imports(code) {
            let Some((mut target, rest)) = resolve(file, &import.path) else {
                continue;
            };
            if let Some(name) = rest.first()
                && let Some(definer) = exports.get(&(target.clone(), name.clone()))
            {
                target.clone_from(definer);
            }
            if target != *file {
                targets.insert(target);
            }
        }
    }
    arrows
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

#[test]
fn use_trees_are_expanded() {
    let code =
        "use std::io;\npub use a::{B, c::{D, E as F}};\nfn f() { crate::g::h(); super::i::J }";
    let found: Vec<(String, bool)> =
        imports(code).into_iter().map(|import| (import.path, import.is_public)).collect();
    let expected = [
        ("std::io", false),
        ("a::B", true),
        ("a::c::D", true),
        ("a::c::E", true),
        ("crate::g::h", false),
        ("super::i::J", false),
    ];
    assert_eq!(found, expected.map(|(path, is_public)| (path.to_owned(), is_public)));
}

#[test]
fn rooms_import_only_the_rooms_they_may() {
    let mut count = 0;
    for (file, targets) in arrows(&sources()) {
        let allowed = ROOMS.iter().find(|(name, _)| *name == room(&file));
        let (_, allowed) = allowed
            .unwrap_or_else(|| panic!("{file} is in a room that tests/it/layout.rs does not list"));
        for target in targets {
            count += 1;
            let is_allowed = room(&target) == room(&file) || allowed.contains(&room(&target));
            assert!(is_allowed, "{file} imports {target}");
        }
    }
    assert!(count > 200, "only {count} imports were found");
}

#[test]
fn source_files_have_no_import_cycle() {
    let mut arrows = arrows(&sources());
    // A file that imports nothing, or that nothing imports, is part of no cycle.
    loop {
        let imported: BTreeSet<String> = arrows.values().flatten().cloned().collect();
        let before = arrows.len();
        arrows.retain(|file, targets| !targets.is_empty() && imported.contains(file));
        if arrows.len() == before {
            break;
        }
        let left: BTreeSet<String> = arrows.keys().cloned().collect();
        for targets in arrows.values_mut() {
            targets.retain(|target| left.contains(target));
        }
    }
    assert!(arrows.is_empty(), "these files import each other: {arrows:#?}");
}

#[test]
fn packages_and_system_interfaces_are_named_in_few_places() {
    // A word, and the files (or rooms, with a slash) that may name it.
    let rules: [(&str, &[&str]); 15] = [
        ("unsafe", &["lib.rs"]),
        ("roxmltree", &["xml/file_reader.rs", "xml/wording.rs"]),
        ("sha1_smol", &["wechat/signature.rs"]),
        ("aes::", &["wechat/aes_key.rs"]),
        ("cbc::", &["wechat/aes_key.rs"]),
        ("base64::", &["wechat/aes_key.rs"]),
        ("cfg(feature", &["wechat/mod.rs"]),
        // An address that is only parsed is no socket.
        ("TcpStream", &["client/", "server/", "service/", "cli/"]),
        ("TcpListener", &["server/", "service/", "cli/"]),
        ("io::stderr", &["server/", "cli/"]),
        ("io::stdout", &["program/supervisor.rs", "cli/"]),
        ("std::fs", &["rules/reload.rs", "program/", "control/", "service/", "cli/"]),
        ("SystemTime", &["server/", "program/", "cli/"]),
        (
            "Instant",
            &["deadline.rs", "client/", "server/", "session/", "program/", "control/", "cli/"],
        ),
        ("echostr", &["callback/", "simulator/", "cli/"]),
    ];
    let sources = sources();
    for (word, allowed) in rules {
        let is_allowed = |file: &str| {
            allowed.iter().any(|place| match place.ends_with('/') {
                true => file.starts_with(place),
                false => file == *place,
            })
        };
        let naming: Vec<&String> =
            sources.iter().filter(|(_, code)| code.contains(word)).map(|(file, _)| file).collect();
        assert!(!naming.is_empty(), "no file names {word}");
        for file in naming {
            assert!(is_allowed(file), "{file} names {word}");
        }
    }
    // The rooms of HTTP know nothing of WeChat.
    for (file, code) in &sources {
        for word in ["Token", "Message<", "WeChat"] {
            let is_http = matches!(room(file), "http" | "client" | "server");
            assert!(!(is_http && code.contains(word)), "{file} names {word}");
        }
    }
}

/// Input is refused with a typed error. What our own code guarantees may be asserted, but not where input is parsed.
#[test]
fn parsers_assert_nothing_about_their_input() {
    let parsers = [
        "http/",
        "xml/",
        "client/",
        "callback/query.rs",
        "wechat/message.rs",
        "wechat/kind.rs",
        "wechat/envelope.rs",
        "wechat/signature.rs",
        "wechat/token.rs",
        "wechat/verified.rs",
        "wechat/app_id.rs",
        "rules/parser.rs",
        "rules/element_parser.rs",
        "rules/reply_parser.rs",
        "rules/run_parser.rs",
        "rules/printed.rs",
        "rules/pattern.rs",
        "rules/template.rs",
        "text/digits.rs",
    ];
    let sources = sources();
    for (file, code) in &sources {
        for word in [".unwrap()", "panic!(", "unreachable!(", "todo!(", "#[ignore"] {
            assert!(!code.contains(word), "{file} contains {word}");
        }
        let is_parser = parsers.iter().any(|parser| file.starts_with(parser));
        assert!(!(is_parser && code.contains(".expect(")), "{file} contains an expect");
    }
    for parser in parsers {
        assert!(sources.keys().any(|file| file.starts_with(parser)), "no file {parser}");
    }
}

#[test]
fn files_open_with_what_they_hold_and_stay_short() {
    let mut count = 0;
    for folder in ["src", "tests"] {
        for path in files_below(&root().join(folder)) {
            if path.extension().is_none_or(|extension| extension != "rs")
                || path.components().any(|part| part.as_os_str() == "target")
            {
                continue;
            }
            count += 1;
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//! "), "{}", path.display());
            let is_short = folder == "tests" || text.lines().count() <= 450;
            assert!(is_short, "{} has over 450 lines", path.display());
        }
    }
    assert!(count > 100, "only {count} files were found");
}

/// So that the budget of the design is kept: blank lines, comments and unit tests do not count.
#[test]
fn source_code_stays_within_its_budget() {
    const LINES_MAX: usize = 11_500;
    let count: usize = sources()
        .values()
        .map(|code| code.lines().filter(|line| !line.trim().is_empty()).count())
        .sum();
    assert!(count <= LINES_MAX, "{count} lines of code, at most {LINES_MAX} allowed");
}

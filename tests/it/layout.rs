//! The layout of `src`: which top-level module may import which, no import cycles between files, words that only
//! certain files may contain, and flags that commands accept but do not read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::{files_below, root};

/// The top-level modules of `src`, and the modules that each of them may import.
const MODULES: [(&str, &[&str]); 18] = [
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
            "manual",
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
    ("manual", &["text"]),
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
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        // Each file of this name is a unit test.
        .filter(|path| path.file_name().is_some_and(|name| name != "samples.rs"));
    rust_files
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            (name.to_owned(), code(&path))
        })
        .collect()
}

/// The module path of a file: `[http, head]` for `http/head.rs`, `[http]` for `http/mod.rs`, empty for `lib.rs`.
fn module(file: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(parts.last().unwrap().as_str(), "mod" | "lib") {
        parts.pop();
    }
    parts
}

/// Expands a `use` tree into single paths. `a::{b, c::{d, e}}` gives `a::b`, `a::c::d` and `a::c::e`.
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

/// The imports of a file: its `use` items, and all other paths that begin with `crate::` or `super::`.
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

/// For each file, the files that define what it imports. A re-export is followed to the file that defines the name, so
/// that a `mod.rs` that only re-exports is not part of a cycle.
fn imported_files(sources: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<Vec<String>, &String> =
        sources.keys().map(|file| (module(file), file)).collect();
    // Returns the file of a path, and the rest of the path.
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
    let mut imported_files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in sources {
        let targets = imported_files.entry(file.clone()).or_default();
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
    imported_files
}

fn top_module(file: &str) -> &str {
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
fn modules_import_only_allowed_modules() {
    let mut count = 0;
    for (file, targets) in imported_files(&sources()) {
        let allowed = MODULES.iter().find(|(name, _)| *name == top_module(&file));
        let (_, allowed) = allowed.unwrap_or_else(|| {
            panic!("{file} is in a module that tests/it/layout.rs does not list")
        });
        for target in targets {
            count += 1;
            let is_allowed =
                top_module(&target) == top_module(&file) || allowed.contains(&top_module(&target));
            assert!(is_allowed, "{file} imports {target}");
        }
    }
    assert!(count > 200, "only {count} imports were found");
}

#[test]
fn source_files_have_no_import_cycle() {
    let mut imported_files = imported_files(&sources());
    // A file that imports nothing, or that nothing imports, is part of no cycle.
    loop {
        let imported: BTreeSet<String> = imported_files.values().flatten().cloned().collect();
        let before = imported_files.len();
        imported_files.retain(|file, targets| !targets.is_empty() && imported.contains(file));
        if imported_files.len() == before {
            break;
        }
        let left: BTreeSet<String> = imported_files.keys().cloned().collect();
        for targets in imported_files.values_mut() {
            targets.retain(|target| left.contains(target));
        }
    }
    assert!(imported_files.is_empty(), "these files import each other: {imported_files:#?}");
}

#[test]
fn packages_and_system_interfaces_are_used_only_in_certain_files() {
    // A word, and the files that may contain it. An entry with a slash at its end is a folder.
    let rules: [(&str, &[&str]); 15] = [
        ("unsafe", &["lib.rs"]),
        ("roxmltree", &["xml/file_reader.rs", "xml/wording.rs"]),
        ("sha1_smol", &["wechat/signature.rs"]),
        ("aes::", &["wechat/aes_key.rs"]),
        ("cbc::", &["wechat/aes_key.rs"]),
        ("base64::", &["wechat/aes_key.rs"]),
        ("cfg(feature", &["wechat/mod.rs"]),
        // `SocketAddr` is not listed, because parsing an address opens no socket.
        ("TcpStream", &["client/", "server/", "service/", "cli/"]),
        ("TcpListener", &["server/", "service/", "cli/"]),
        ("io::stderr", &["server/", "program/supervisor.rs", "cli/"]),
        ("io::stdout", &["program/supervisor.rs", "cli/"]),
        (
            "std::fs",
            &[
                "text/file.rs",
                "text/executable.rs",
                "rules/reload.rs",
                "program/",
                "control/",
                "service/",
                "cli/",
            ],
        ),
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
    // The HTTP modules do not depend on WeChat.
    for (file, code) in &sources {
        for word in ["Token", "Message<", "WeChat"] {
            let is_http = matches!(top_module(file), "http" | "client" | "server");
            assert!(!(is_http && code.contains(word)), "{file} names {word}");
        }
    }
}

/// A flag is read by passing it to a function, as in `args.path(&RULES)`, in the file of the command or in a file that
/// it imports, directly or not.
#[test]
fn commands_read_each_flag_that_they_accept() {
    let mut sources = sources();
    sources.retain(|file, _| file.starts_with("cli/"));
    let imported_files = imported_files(&sources);
    let mut unaccepted: BTreeSet<&str> = sources["cli/flags.rs"]
        .lines()
        .filter_map(|line| Some(line.split_once(": Flag = ")?.0))
        .filter(|name| !name.starts_with(' '))
        .collect();
    assert!(unaccepted.len() > 10, "only {unaccepted:?} were found");
    for (file, code) in &sources {
        let mut files = vec![file];
        let mut next = 0;
        while next < files.len() {
            for imported in &imported_files[files[next]] {
                if !files.contains(&imported) {
                    files.push(imported);
                }
            }
            next += 1;
        }
        let read: String =
            files.iter().flat_map(|file| sources[*file].split_whitespace()).collect();
        for rest in code.split("\n    flags: &[").skip(1) {
            let (list, _) = rest.split_once(']').unwrap();
            for flag in list.split(',').filter_map(|flag| flag.trim().strip_prefix('&')) {
                unaccepted.remove(flag);
                let is_read = [",", ")"].iter().any(|end| read.contains(&format!("(&{flag}{end}")));
                assert!(is_read, "{file} accepts {flag}, but does not read it");
            }
        }
    }
    assert!(unaccepted.is_empty(), "no command accepts {unaccepted:?}");
}

/// Parsers refuse invalid input with a typed error, so they contain no `expect`. Other code may use `expect` for what
/// our own code guarantees.
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
        "rules/file_parser.rs",
        "rules/parser.rs",
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
fn files_begin_with_a_doc_comment_and_stay_short() {
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

/// Blank lines, comments, unit tests, and lines with only the Chinese of a text are not counted.
#[test]
fn source_code_stays_within_its_budget() {
    const LINES_MAX: usize = 16_900;
    let count: usize = sources()
        .values()
        .flat_map(|code| code.lines().map(str::trim))
        .filter(|line| !line.is_empty() && !line.starts_with("zh: "))
        .count();
    assert!(count <= LINES_MAX, "{count} lines of code, at most {LINES_MAX} allowed");
}

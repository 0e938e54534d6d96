//! Checks of files other than code: each fixture is described, the top level has only the agreed files, and the manual
//! shows tested files and names existing tests.

use std::fs;

use crate::support::{files_below, root};

#[test]
fn each_fixture_is_described_once() {
    let folder = root().join("fixtures");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let bots = folder.join("bots");
    let mut names: Vec<String> = files_below(&folder)
        .iter()
        .filter(|path| path.parent() != Some(&folder))
        // The row of a bot describes the folder with its exchanges.
        .filter(|path| path.strip_prefix(&bots).map_or(true, |rest| rest.iter().count() == 1))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.dedup();
    assert!(names.len() > 300, "only {} fixtures were found", names.len());
    for name in &names {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .unwrap_or_else(|| panic!("fixtures/README.md does not describe {name}"));
        let cells = row.split(" | ").filter(|cell| !cell.trim_matches(['|', ' ']).is_empty());
        assert_eq!(cells.count(), 3, "{row}");
    }
    for row in readme.lines().filter_map(|line| line.strip_prefix("| `")) {
        let name = row.split('`').next().unwrap();
        assert!(
            names.iter().any(|found| found == name),
            "fixtures/README.md describes {name}, which does not exist"
        );
    }
}

#[test]
fn top_level_holds_only_the_agreed_files() {
    let allowed =
        "Cargo.toml Cargo.lock LICENSE README.md wechat.service src tests fixtures target";
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.split(' ').any(|known| known == name), "{name}");
    }
}

#[test]
fn the_manual_shows_the_nginx_files_that_are_tested() {
    let manual = fs::read_to_string(root().join("src/manual/en/deploy.md")).unwrap();
    let mut shown = 0;
    for path in files_below(&root().join("tests/nginx")) {
        if path.extension().is_some_and(|extension| extension == "conf") {
            let block = format!("```nginx\n{}```\n", fs::read_to_string(&path).unwrap());
            assert!(manual.contains(&block), "{}", path.display());
            shown += 1;
        }
    }
    assert!(shown > 0, "no nginx file was found");
    assert_eq!(manual.matches("```nginx\n").count(), shown);
}

/// Each claim is a numbered item of the chapter, followed by the tests and runs that show it.
#[test]
fn security_claims_name_real_tests() {
    let chapter = fs::read_to_string(root().join("src/manual/en/security.md")).unwrap();
    let (chapter, _) = chapter.split_once("\n## ").unwrap();
    let tests: String = ["src", "tests"]
        .iter()
        .flat_map(|folder| files_below(&root().join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut claims = 0;
    let mut names = 0;
    for line in chapter.lines() {
        if let Some((number, _)) = line.split_once(". ")
            && let Ok(number) = number.parse::<usize>()
        {
            assert!(claims == 0 || names > 0, "claim {claims} names no test");
            claims += 1;
            names = 0;
            assert_eq!(number, claims, "{line}");
        }
        let Some(name) = line.strip_prefix("   - ") else {
            continue;
        };
        names += 1;
        let name = name.trim_matches('`');
        let is_test = tests.contains(&format!("#[test]\nfn {name}()"))
            || tests.contains(&format!("#[test]\n    fn {name}()"));
        let is_run = name.starts_with("tests/") && root().join(name).is_file();
        assert!(is_test || is_run, "claim {claims} names {name}, which is no test");
    }
    assert!(claims >= 17 && names > 0, "{claims} claims");
}

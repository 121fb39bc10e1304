//! The house rules as a test: sizes, header cards, names that may not be said where, licences, and the list of error codes.
//!
//! Functions of more than 70 lines are clippy's business (`too_many_lines`), edges between crates that of `edges.rs`.
//! A rule names every place that breaks it, so that one run shows the whole work.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
/// Plays and tables are read one at a time, so a file of them may be longer.
const TEST_FILE_LINES_MAX: usize = 600;
const PRODUCT: [&str; 5] = ["src", "engine/src", "wire/src", "relay/src", "sim/src"];
const PURE: [&str; 2] = ["engine/src", "wire/src"];
const SCRIPTS: [&str; 3] = ["www", "scripts", "tests"];
const LICENCE: &str = "AGPL-3.0-only";
/// What is made, fetched or not ours to write.
const NOT_OURS: [&str; 8] = [
    ".git",
    ".lockstep",
    "node_modules",
    "package-lock.json",
    "pkg",
    "target",
    "test-results",
    "vendor",
];

type Checked = Result<(), Broken>;

/// Which rule is broken, and where; shown as it is written.
struct Broken(String);

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// What ships: everything above a test module at the end of the file.
    fn product(&self) -> &str {
        match self.text.rfind("\n#[cfg(test)]\nmod ") {
            Some(at) => self.text.get(..at).unwrap_or(&self.text),
            None => &self.text,
        }
    }

    fn is_test(&self) -> bool {
        let folder = self.path.split('/').any(|part| part == "tests");
        folder || self.path.ends_with("/tests.rs")
    }

    /// Lines of the product that are not comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.product().lines().enumerate();
        lines
            .map(|(at, line)| (at + 1, line.split_once("//").map_or(line, |(code, _)| code)))
            .filter(|(_, code)| !code.trim().is_empty())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Result<String, Broken> {
    fs::read_to_string(root().join(path)).map_err(|error| Broken(format!("{path}: {error}")))
}

/// Every text file of ours under a folder that need not be there. Files that are not text are left out.
fn sources(folder: &str, extensions: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if NOT_OURS.iter().any(|not_ours| name == *not_ours) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if extensions.is_empty()
                || extensions.iter().any(|wanted| has_extension(&path, wanted))
            {
                let shown = path
                    .strip_prefix(root())
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                found.extend(
                    fs::read_to_string(&path)
                        .ok()
                        .map(|text| Source { path: shown, text }),
                );
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension == wanted)
}

fn all(folders: &[&str], extensions: &[&str]) -> Vec<Source> {
    folders
        .iter()
        .flat_map(|folder| sources(folder, extensions))
        .collect()
}

fn none(broken: &[String], rule: &str) -> Checked {
    if broken.is_empty() {
        return Ok(());
    }
    Err(Broken(format!("{rule}\n  {}\n", broken.join("\n  "))))
}

#[test]
fn a_file_can_be_read_in_one_sitting() -> Checked {
    let mut files = sources("", &["rs"]);
    files.extend(all(&SCRIPTS, &["js", "mjs"]));
    let mut long = Vec::new();
    for file in &files {
        let lines = file.product().lines().count();
        let lines_max = if file.is_test() {
            TEST_FILE_LINES_MAX
        } else {
            FILE_LINES_MAX
        };
        if lines > lines_max {
            long.push(format!("{}: {lines} lines, at most {lines_max}", file.path));
        }
    }
    none(&long, "a file is split where its second noun appears")
}

#[test]
fn every_rust_file_begins_with_a_header_card() -> Checked {
    let mut files = sources("", &["rs"]);
    files.retain(|file| {
        let lines_min = if file.is_test() { 1 } else { 2 };
        let lines = file.text.lines().filter(|line| !line.starts_with("#!["));
        lines.take_while(|line| line.starts_with("//!")).count() < lines_min
    });
    let bare: Vec<String> = files.into_iter().map(|file| file.path).collect();
    none(
        &bare,
        "a file says in at least two lines (//!; a test in one) what it is and what it does not know",
    )
}

#[test]
fn every_script_begins_with_a_comment() -> Checked {
    let mut files = all(&SCRIPTS, &["js", "mjs", "sh"]);
    files.retain(|file| {
        !["//", "/*", "#!", "# "]
            .iter()
            .any(|start| file.text.starts_with(start))
    });
    let bare: Vec<String> = files.into_iter().map(|file| file.path).collect();
    none(&bare, "a script says in its first line what it is")
}

#[test]
fn pure_crates_name_no_browser_and_no_runtime() -> Checked {
    let outside = ["js_sys", "tokio", "wasm_bindgen", "web_sys"];
    let mut broken = Vec::new();
    for file in all(&PURE, &["rs"]) {
        for (number, code) in file.code() {
            let named = outside.iter().filter(|name| code.contains(**name));
            broken.extend(named.map(|name| format!("{}:{number}: {name}", file.path)));
        }
    }
    none(
        &broken,
        "engine and wire are pure: what they need from outside comes in as an argument",
    )
}

#[test]
fn product_code_holds_nothing_unfinished() -> Checked {
    let marks = ["TODO", "FIXME", "todo!(", "unimplemented!("];
    let mut files = all(&PRODUCT, &["rs"]);
    files.extend(all(
        &["www", "scripts"],
        &["js", "mjs", "sh", "css", "html"],
    ));
    let mut broken = Vec::new();
    for file in &files {
        for (at, line) in file.product().lines().enumerate() {
            let left = marks.iter().filter(|mark| line.contains(**mark));
            broken.extend(left.map(|mark| format!("{}:{}: {mark}", file.path, at + 1)));
        }
    }
    none(&broken, "finish it, or file an issue")
}

#[test]
fn tests_are_named_for_what_holds() -> Checked {
    let mut broken = Vec::new();
    for file in sources("", &["rs"]) {
        let names = file
            .text
            .lines()
            .filter(|line| line.trim_start().starts_with(concat!("fn te", "st_")));
        broken.extend(names.map(|line| format!("{}: {}", file.path, line.trim())));
    }
    none(&broken, "a test is named for what holds, without test_")
}

#[test]
fn every_package_has_the_licence_of_the_project() -> Checked {
    let workspace = format!("license = \"{LICENCE}\"");
    let mut broken = Vec::new();
    for file in sources("", &["toml"])
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
    {
        let mut lines = file.text.lines().map(str::trim);
        if !lines.any(|line| line == "license.workspace = true" || line == workspace) {
            broken.push(file.path.clone());
        }
    }
    if !read("Cargo.toml")?.contains(&workspace) {
        broken.push("Cargo.toml, for the workspace".to_owned());
    }
    if !read("package.json")?.contains(&format!("\"license\": \"{LICENCE}\"")) {
        broken.push("package.json".to_owned());
    }
    if !read("LICENSE")?.contains("GNU AFFERO GENERAL PUBLIC LICENSE") {
        broken.push("LICENSE".to_owned());
    }
    none(
        &broken,
        &format!("the licence is {LICENCE}: libsignal's is"),
    )
}

#[test]
fn no_file_names_a_folder_of_one_machine() -> Checked {
    let private = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
    ];
    let mut broken = Vec::new();
    for file in sources("", &[]) {
        for (at, line) in file.text.lines().enumerate() {
            let named = private.iter().filter(|path| names_folder(line, path));
            broken.extend(named.map(|path| format!("{}:{}: {path}", file.path, at + 1)));
        }
    }
    none(&broken, "a stranger's machine has none of these folders")
}

/// A path that starts here: not the middle of a longer one, and not part of a web address.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-}~)*".contains(c)))
    })
}

#[test]
fn the_docs_list_exactly_the_error_codes_of_the_code() -> Checked {
    let in_code = codes_in_code();
    let page = root().join("docs/errors.md");
    if in_code.is_empty() && !page.exists() {
        return Ok(());
    }
    let in_docs = codes_in_docs(&read("docs/errors.md")?);
    let undocumented = in_code
        .difference(&in_docs)
        .map(|code| format!("{code}: not in docs/errors.md"));
    let unknown = in_docs
        .difference(&in_code)
        .map(|code| format!("{code}: in docs/errors.md, nowhere in the code"));
    none(
        &undocumented.chain(unknown).collect::<Vec<_>>(),
        "docs/errors.md has one line for each code",
    )
}

/// The texts that functions named `code` in the engine and the browser module return.
fn codes_in_code() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for file in all(&["src", "engine/src"], &["rs"]) {
        let code: String = file.code().map(|(_, line)| format!("{line}\n")).collect();
        let functions = code.split("fn code(").skip(1);
        for body in functions.map(first_block) {
            let texts = body.split('"').skip(1).step_by(2);
            codes.extend(texts.filter(|text| is_code(text)).map(str::to_owned));
        }
    }
    codes
}

/// From a function's parameters to the brace that closes its body.
fn first_block(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return text.get(..at).unwrap_or(text),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}

/// The first thing in backquotes of each row of a table, and of each heading.
fn codes_in_docs(text: &str) -> BTreeSet<String> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with('|') || line.starts_with('#'));
    let starts = rows.filter_map(|line| line.trim_start_matches(['|', '#', ' ']).strip_prefix('`'));
    let codes = starts
        .filter_map(|rest| rest.split_once('`'))
        .map(|(code, _)| code);
    codes
        .filter(|code| is_code(code))
        .map(str::to_owned)
        .collect()
}

fn is_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn codes_are_found_in_functions_and_in_tables() {
    let body = first_block(
        "self) -> &str { match self { A => \"one\", B { .. } => \"two\" } } fn other() { \"three\" }",
    );
    assert!(body.contains("two") && !body.contains("three"));
    let docs = "# Errors\n\n| code | retry |\n|---|---|\n| `not_ready` | no, see `open` |\n\n## `closed`\n`prose` is none\n";
    let expected = ["closed", "not_ready"].map(str::to_owned);
    assert_eq!(codes_in_docs(docs), BTreeSet::from(expected));
    assert!(
        codes_in_code().is_empty() || PathBuf::from(root()).join("engine/src/error.rs").exists()
    );
}

#[test]
fn paths_of_a_machine_are_told_from_other_paths() {
    let folder = concat!("/ho", "me/");
    assert!(names_folder(&format!("cd {folder}me"), folder));
    assert!(names_folder(&format!("\"{folder}me\""), folder));
    assert!(!names_folder(
        &format!("https://example.org{folder}page"),
        folder
    ));
}

/// A rule without its test is a promise that nobody keeps.
#[test]
fn every_test_that_the_protocol_names_exists() -> Checked {
    let protocol = read("docs/protocol.md")?;
    let table = protocol.split("## 18. Rules and their tests").nth(1);
    let table = table.ok_or_else(|| Broken("docs/protocol.md: section 18 is gone".to_owned()))?;
    let is_test = |name: &&str| name.matches('_').count() > 2;
    let named: BTreeSet<&str> = table
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_test)
        .collect();
    if named.len() < 40 {
        return Err(Broken(format!(
            "docs/protocol.md: only {} tests",
            named.len()
        )));
    }
    let folders = [
        "engine/src",
        "sim/tests",
        "relay/src",
        "relay/tests",
        "tests",
    ];
    let all: Vec<Source> = folders.iter().flat_map(|at| sources(at, &["rs"])).collect();
    let exists = |name: &str| {
        let function = format!("fn {name}(");
        all.iter().any(|source| source.text.contains(&function))
    };
    let missing: Vec<&str> = named.into_iter().filter(|name| !exists(name)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Broken(format!(
            "docs/protocol.md names tests that do not exist: {missing:?}"
        )))
    }
}

/// What TypeScript promises, what `on` takes, and what is told.
#[test]
fn events_have_the_same_names_in_all_three_places() -> Checked {
    let code = read("src/api/event.rs")?;
    let after = |start: &str| {
        let rest = code.split_once(start).map(|(_, rest)| first_block(rest));
        rest.ok_or_else(|| Broken(format!("src/api/event.rs: no {start}")))
    };
    let fields = |line: &str| {
        Some(
            line.trim()
                .strip_prefix("pub ")?
                .split_once(':')?
                .0
                .to_owned(),
        )
    };
    let promised: BTreeSet<String> = after("pub struct EventMap ")?
        .lines()
        .filter_map(fields)
        .collect();
    let quoted = |text: &str| -> BTreeSet<String> {
        let inside = text.split('"').skip(1).step_by(2);
        inside.map(str::to_owned).collect()
    };
    let list = code
        .split_once("const NAMES: ")
        .and_then(|(_, rest)| rest.split_once("];"));
    let taken = quoted(list.map_or("", |(list, _)| list));
    let told = quoted(after("const fn name(&self) ")?);
    if promised.len() >= 10 && promised == taken && taken == told {
        return Ok(());
    }
    Err(Broken(format!(
        "src/api/event.rs: EventMap has {promised:?}, NAMES {taken:?}, Notice::name {told:?}"
    )))
}

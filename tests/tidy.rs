//! What the design asks of the source as text. Each rule is a function from files to offences, `file:line: what`, with
//! a test on this repository and a test on a made-up one that breaks it.

#![expect(clippy::disallowed_methods, reason = "a test that reads the repository")]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/source.rs"]
mod source;

use source::{File, code_only, line_of, repository, test_files, without_tests};

#[track_caller]
fn none(rule: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{rule}\n  {}", offences.join("\n  "));
}

/// Every place of one of `words`, where `before` and `after` it (a space at the ends of the text) let it count.
fn places(path: &str, text: &str, word: &str, counts: impl Fn(char, char) -> bool) -> Vec<String> {
    text.match_indices(word)
        .filter(|(at, _)| {
            let before = text[..*at].chars().next_back().unwrap_or(' ');
            let after = text[at + word.len()..].chars().next().unwrap_or(' ');
            counts(before, after)
        })
        .map(|(at, _)| format!("{path}:{}: `{word}`", line_of(text, at)))
        .collect()
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn modules_import_only_from_above() {
    let rule = "A module imports only from above itself in the list of layers (src/lib.rs).";
    none(rule, layers::offences(&repository()));
}

const NO_DUTY: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "error", "errors", "misc"];

fn modules_without_duty(files: &[File]) -> Vec<String> {
    let named = |f: &&File| {
        f.is_rust()
            && (NO_DUTY.contains(&f.module()) || f.path.split('/').any(|p| NO_DUTY.contains(&p)))
    };
    files.iter().filter(named).map(|f| format!("{}:1: a name without a duty", f.path)).collect()
}

#[test]
fn every_module_is_named_by_its_duty() {
    none("A file's name says its one duty.", modules_without_duty(&repository()));
    let bad = [
        File::new("src/core/util.rs", ""),
        File::new("src/helpers/mod.rs", ""),
        File::new("src/core/night.rs", ""),
    ];
    assert_eq!(modules_without_duty(&bad).len(), 2);
}

const LONGEST: usize = 500;

fn long_files(files: &[File]) -> Vec<String> {
    let long = |f: &&File| f.is_rust() && f.text.lines().count() > LONGEST;
    let lines = |f: &File| f.text.lines().count();
    let told = |f: &File| format!("{}:{}: more than {LONGEST} lines", f.path, lines(f));
    files.iter().filter(long).map(told).collect()
}

#[test]
fn no_file_is_longer_than_500_lines() {
    none("Look for the second duty in a long file.", long_files(&repository()));
    let files = [
        File::new("a.rs", &"\n".repeat(501)),
        File::new("b.rs", &"\n".repeat(500)),
        File::new("c.md", &"\n".repeat(900)),
    ];
    assert_eq!(long_files(&files), ["a.rs:501: more than 500 lines"]);
}

// In two halves, so that this file does not break its own rule.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const UNFINISHED_CODE: [&str; 3] =
    [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("db", "g!")];

fn unfinished(files: &[File]) -> Vec<String> {
    let whole = |before, after| !in_name(before) && !in_name(after);
    let mut found = Vec::new();
    for file in files {
        for word in UNFINISHED {
            found.extend(places(&file.path, &file.text, word, whole));
        }
        if file.is_rust() {
            let code = code_only(&file.text);
            for word in UNFINISHED_CODE {
                found.extend(places(&file.path, &code, word, |before, _| !in_name(before)));
            }
        }
    }
    found
}

#[test]
fn nothing_is_left_unfinished() {
    none("Finish it, or write an issue.", unfinished(&repository()));
    for word in UNFINISHED {
        assert_eq!(
            unfinished(&[File::new("a.sql", &format!("-- x\n-- {word}: y"))]).len(),
            1,
            "{word}"
        );
        assert_eq!(unfinished(&[File::new("a.md", &format!("MAS{word}N"))]).len(), 0, "{word}");
    }
    for word in UNFINISHED_CODE {
        assert_eq!(
            unfinished(&[File::new("a.rs", &format!("fn a() {{ {word}(x) }}"))]).len(),
            1,
            "{word}"
        );
        assert_eq!(
            unfinished(&[File::new("a.rs", &format!("// no {word} here"))]).len(),
            0,
            "{word}"
        );
    }
}

fn ignored_tests(files: &[File]) -> Vec<String> {
    let rust = files.iter().filter(|f| f.is_rust());
    rust.flat_map(|file| {
        let code = code_only(&file.text);
        let mut found = places(&file.path, &code, "#[ignore", |_, after| !in_name(after));
        found
            .extend(places(&file.path, &code, ", ignore", |_, after| after == ')' || after == ' '));
        found
    })
    .collect()
}

#[test]
fn no_test_is_ignored() {
    none("A test runs, or it is not there.", ignored_tests(&repository()));
    for bad in ["#[ignore]\nfn a() {}", "#[ignore = \"slow\"]", "#[cfg_attr(unix, ignore)]"] {
        assert_eq!(ignored_tests(&[File::new("a.rs", bad)]).len(), 1, "{bad}");
    }
    assert_eq!(ignored_tests(&[File::new("a.rs", "// #[ignore]\n#[ignored_by_us]")]).len(), 0);
}

fn unwraps(files: &[File]) -> Vec<String> {
    let for_tests = test_files(files);
    files
        .iter()
        .filter(|f| f.is_rust() && f.path.starts_with("src/") && !for_tests.contains(&f.path))
        .flat_map(|f| {
            places(&f.path, &without_tests(&code_only(&f.text)), ".unwrap()", |_, _| true)
        })
        .collect()
}

#[test]
fn nothing_unwraps_outside_tests() {
    none("Say what went wrong instead.", unwraps(&repository()));
    let bad = File::new("src/core/a.rs", "fn a() {\n    b().unwrap()\n}");
    assert_eq!(unwraps(&[bad]), ["src/core/a.rs:2: `.unwrap()`"]);
    let good = [
        File::new(
            "src/core/a.rs",
            "// .unwrap()\n#[cfg(test)]\nmod tests { fn b() { c().unwrap() } }\n#[cfg(test)]\nmod d;",
        ),
        File::new("src/core/a/d.rs", "fn b() { c().unwrap() }"),
        File::new("tests/it/e.rs", "fn b() { c().unwrap() }"),
    ];
    assert_eq!(unwraps(&good).len(), 0);
}

fn unlisted_tests(files: &[File]) -> Vec<String> {
    let main = files.iter().find(|f| f.path == "tests/it/main.rs");
    let code = main.map(|f| code_only(&f.text)).unwrap_or_default();
    let listed: Vec<&str> =
        code.lines().filter_map(|l| l.trim().strip_prefix("mod ")?.strip_suffix(';')).collect();
    let mut found: Vec<String> = files
        .iter()
        .filter_map(|f| f.path.strip_prefix("tests/it/").filter(|_| f.is_rust()))
        .map(|inner| inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs"))
        .filter(|name| *name != "main" && !listed.contains(name))
        .map(|name| format!("tests/it/main.rs:1: no `mod {name};`"))
        .collect();
    found.dedup();
    found
}

#[test]
fn every_integration_test_is_a_module_of_the_one_binary() {
    none("What main.rs does not name never runs.", unlisted_tests(&repository()));
    let files = [
        File::new("tests/it/main.rs", "mod a;\n// mod b;\n"),
        File::new("tests/it/a.rs", ""),
        File::new("tests/it/b.rs", ""),
    ];
    assert_eq!(unlisted_tests(&files), ["tests/it/main.rs:1: no `mod b;`"]);
}

fn loose_migrations(files: &[File]) -> Vec<String> {
    let rust: Vec<&File> =
        files.iter().filter(|f| f.is_rust() && f.path.starts_with("src/")).collect();
    let whole_folder = rust.iter().any(|f| code_only(&f.text).contains("migrate!("));
    files
        .iter()
        .filter(|f| f.path.starts_with("migrations/") && f.path.ends_with(".sql"))
        .filter(|sql| {
            let embeds = |f: &&File| {
                f.text
                    .lines()
                    .any(|l| l.contains("include_str!(") && l.contains(&format!("{}\"", sql.path)))
            };
            !whole_folder && !rust.iter().any(embeds)
        })
        .map(|sql| format!("{}:1: not embedded in the program", sql.path))
        .collect()
}

#[test]
fn every_migration_is_in_the_program() {
    none("A migration that is not embedded is never applied.", loose_migrations(&repository()));
    let mut files =
        vec![File::new("migrations/0001_a.sql", ""), File::new("migrations/0002_b.sql", "")];
    files.push(File::new(
        "src/driver/store.rs",
        "const A: &str = include_str!(\"../../migrations/0001_a.sql\");",
    ));
    assert_eq!(loose_migrations(&files), ["migrations/0002_b.sql:1: not embedded in the program"]);
    files
        .push(File::new("src/driver/b.rs", "static M: Migrator = sqlx::migrate!(\"migrations\");"));
    assert_eq!(loose_migrations(&files).len(), 0);
}

fn lost_docs(files: &[File]) -> Vec<String> {
    let entries: Vec<&File> =
        files.iter().filter(|f| ["README.md", "src/lib.rs"].contains(&f.path.as_str())).collect();
    let linked = |doc: &File| {
        let name = doc.path.trim_start_matches("src/");
        entries.iter().any(|entry| {
            !places(&entry.path, &entry.text, name, |before, _| !in_name(before)).is_empty()
        })
    };
    files
        .iter()
        .filter(|f| f.path.starts_with("src/docs/") && f.path.ends_with(".md") && !linked(f))
        .map(|f| format!("{}:1: neither README.md nor src/lib.rs leads here", f.path))
        .collect()
}

#[test]
fn every_document_can_be_found() {
    none("A document that nothing leads to is not read.", lost_docs(&repository()));
    let files = [
        File::new("README.md", "See [the job files](src/docs/format.md)."),
        File::new("src/docs/format.md", ""),
        File::new("src/docs/other.md", "See src/docs/lost.md"),
        File::new("src/docs/lost.md", ""),
        File::new("src/lib.rs", "#[doc = include_str!(\"docs/other.md\")]"),
    ];
    assert_eq!(
        lost_docs(&files),
        ["src/docs/lost.md:1: neither README.md nor src/lib.rs leads here"]
    );
}

/// Files and folders that a page names and that are not there.
fn stale_paths(files: &[File]) -> Vec<String> {
    const TOPS: [&str; 7] =
        ["src/", "tests/", "jobs/", "migrations/", "deploy/", "benches/", "docs/"];
    let there = |path: &str| {
        let folder = format!("{}/", path.trim_end_matches('/'));
        files.iter().any(|f| f.path == path || f.path.starts_with(&folder))
    };
    let is_page = |f: &&File| {
        f.path.ends_with(".md") && (!f.path.contains('/') || f.path.starts_with("src/docs/"))
    };
    let mut found = Vec::new();
    for page in files.iter().filter(is_page) {
        for (n, line) in page.text.lines().enumerate() {
            let words = line.split(|c: char| !(c.is_alphanumeric() || "/._-".contains(c)));
            let paths = words.map(|word| word.trim_end_matches('.'));
            let named = paths.filter(|path| TOPS.iter().any(|top| path.starts_with(top)));
            found.extend(
                named
                    .filter(|path| !there(path))
                    .map(|path| format!("{}:{}: no `{path}`", page.path, n + 1)),
            );
        }
    }
    found
}

#[test]
fn what_a_page_names_is_there() {
    none("A page that names what is gone is not believed.", stale_paths(&repository()));
    let page = "In `src/core/night.rs` and src/core. Not src/core/nigh.rs,\nnor (tests/gone).";
    let files = [File::new("src/core/night.rs", ""), File::new("src/docs/a.md", page)];
    assert_eq!(
        stale_paths(&files),
        ["src/docs/a.md:1: no `src/core/nigh.rs`", "src/docs/a.md:2: no `tests/gone`"]
    );
}

// In two halves, so that this file does not break its own rule.
const SOMEBODYS_FOLDERS: [&str; 3] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

fn machine_paths(files: &[File]) -> Vec<String> {
    // `{state}/…`, `$STATE/…`, `<state>/…`, `./…` and `a/…` are no absolute paths.
    let absolute = |before: char, _| !in_name(before) && !"}>).-~*/".contains(before);
    files
        .iter()
        .flat_map(|f| {
            SOMEBODYS_FOLDERS.iter().flat_map(|folder| places(&f.path, &f.text, folder, absolute))
        })
        .collect()
}

#[test]
fn no_path_of_somebodys_machine_is_committed() {
    none("The repository works wherever it is cloned.", machine_paths(&repository()));
    let [work, root, home] = SOMEBODYS_FOLDERS;
    for bad in [format!("cd {work}main"), format!("\"{root}.cargo\""), format!("path={home}li/x")] {
        assert_eq!(machine_paths(&[File::new("a.sh", &bad)]).len(), 1, "{bad}");
    }
    for good in
        [format!("$STATE{work}bank.db"), format!("{{state}}{work}bank.db"), format!("state{work}x")]
    {
        assert_eq!(machine_paths(&[File::new("a.sh", &good)]).len(), 0, "{good}");
    }
}

const SECOND_CRYPTOGRAPHY: [&str; 4] = ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys"];

fn unwanted_crates(files: &[File]) -> Vec<String> {
    let unwanted =
        |line: &str| SECOND_CRYPTOGRAPHY.iter().any(|name| line == format!("name = \"{name}\""));
    let lock = files.iter().filter(|f| f.path == "Cargo.lock");
    lock.flat_map(|f| f.text.lines().enumerate().filter(|(_, line)| unwanted(line)))
        .map(|(n, line)| format!("Cargo.lock:{}: {line}", n + 1))
        .collect()
}

#[test]
fn one_cryptographic_library_is_enough() {
    let files = repository();
    assert!(files.iter().any(|f| f.path == "Cargo.lock"), "Cargo.lock is committed");
    none(
        "rustls uses ring here; find the feature that brought the other one.",
        unwanted_crates(&files),
    );
    let bad = File::new("Cargo.lock", "[[package]]\nname = \"aws-lc-rs\"\nversion = \"1\"");
    assert_eq!(unwanted_crates(&[bad]), ["Cargo.lock:2: name = \"aws-lc-rs\""]);
}

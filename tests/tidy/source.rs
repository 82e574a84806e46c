//! The repository's files as text, and Rust source without its comments, literals and tests.

use std::fs;
use std::path::Path;

/// A file by its path from the repository's top, with `/` between its parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// `night` of `src/core/night.rs`, `core` of `src/core/mod.rs`.
    pub(crate) fn module(&self) -> &str {
        let path = self.path.strip_suffix("/mod.rs").unwrap_or(&self.path);
        let name = path.rsplit('/').next().unwrap_or(path);
        name.strip_suffix(".rs").unwrap_or(name)
    }
}

/// Every text file of the repository, except what git ignores and git itself.
pub(crate) fn repository() -> Vec<File> {
    let mut files = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    assert!(files.iter().any(|f| f.path == "src/lib.rs"), "the repository was not found");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let entry = entry.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if [".git", "target", "state"].contains(&path.as_str()) || name.ends_with(".snap.new") {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push(File { path, text });
        }
    }
}

/// Rust source with every comment and every literal blanked; every other byte stays where it is.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => comment_end(&chars, at),
            '"' => string_end(&chars, at),
            'r' if !follows_name(&chars, at) => raw_string_end(&chars, at).unwrap_or(at),
            '\'' => char_end(&chars, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            for c in &chars[at..end] {
                code.push_str(if *c == '\n' { "\n" } else { &"    "[..c.len_utf8()] });
            }
            at = end;
        }
    }
    code
}

/// `r` is the end of a longer name, such as the one of `for`; of `br"…"` it is not.
fn follows_name(chars: &[char], at: usize) -> bool {
    let name = |i: usize| chars[i].is_alphanumeric() || chars[i] == '_';
    match at {
        0 => false,
        _ if !name(at - 1) => false,
        1 => chars[0] != 'b',
        _ => chars[at - 1] != 'b' || name(at - 2),
    }
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n)
}

fn comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while end < chars.len() {
        match chars[end] {
            '\\' => end += 2,
            '"' => return end + 1,
            _ => end += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |i: &usize| {
        chars[*i] == '"'
            && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    Some((open + 1..chars.len()).find(closes).map_or(chars.len(), |i| i + 1 + hashes))
}

/// A character, and `None` for a lifetime.
fn char_end(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars[at + 3..].iter().position(|c| *c == '\'')?;
        return Some(at + 3 + close + 1);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

const TEST_ONLY: &str = "#[cfg(test)]";

/// [`code_only`] with every item blanked that is compiled for tests only.
pub(crate) fn without_tests(code: &str) -> String {
    let mut rest = code;
    let mut kept = String::with_capacity(code.len());
    while let Some(start) = rest.find(TEST_ONLY) {
        let item = &rest[start + TEST_ONLY.len()..];
        let end = start + TEST_ONLY.len() + item_end(item);
        kept.push_str(&rest[..start]);
        kept.extend(rest[start..end].chars().filter(|c| *c == '\n'));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// Where the first item ends: at its `;`, or at the brace that closes its body.
fn item_end(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => continue,
        }
        if c == '}' && depth == 0 {
            return at + 1;
        }
    }
    item.len()
}

/// The paths under `src/` of files that are compiled for tests only: modules declared so, with all beneath them.
/// `#[path = "…"]` beside the declaration is followed.
pub(crate) fn test_files(files: &[File]) -> Vec<String> {
    let src = || files.iter().filter(|f| f.is_rust() && f.path.starts_with("src/"));
    let roots: Vec<String> = src().flat_map(test_modules).collect();
    let beneath = |f: &&File| {
        let module = f.path.trim_end_matches(".rs").trim_end_matches("/mod");
        roots.iter().any(|root| module == root || module.starts_with(&format!("{root}/")))
    };
    src().filter(beneath).map(|f| f.path.clone()).collect()
}

/// Where the modules live that a file declares for tests only, without `.rs`.
fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let own = match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => file.path.trim_end_matches(".rs").to_owned(),
    };
    let code = code_only(&file.text);
    let mut modules = Vec::new();
    for (at, _) in code.match_indices(TEST_ONLY) {
        let start = at + TEST_ONLY.len();
        let end = start + item_end(&code[start..]);
        let declared = code[start..end].strip_suffix(';').and_then(|d| d.rsplit_once("mod "));
        let Some((_, name)) = declared else { continue };
        // The literal is blanked in `code`, and stands at the same bytes in the text.
        let path =
            file.text[start..end].split("#[path = \"").nth(1).and_then(|p| p.split('"').next());
        modules.push(match path {
            Some(path) => format!("{folder}/{}", path.trim_end_matches(".rs")),
            None => format!("{own}/{}", name.trim()),
        });
    }
    modules
}

/// The number of the line that a byte stands on, counted from 1.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    text[..byte].matches('\n').count() + 1
}

#[test]
fn comments_and_literals_are_blanked_and_lines_kept() {
    let text = "a /* x /* y */ \n z */ b // c\n\"s \\\" t\" r#\"u \" v\"# 'w' '\\'' br\"q\" <'k> for\"m\"\n";
    let code = code_only(text);
    assert_eq!(code.lines().count(), text.lines().count());
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "b", "b", "<'k>", "for"]);
}

#[test]
fn items_for_tests_are_blanked() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { if c {} }\n}\nfn d() {}\n#[cfg(test)]\nmod made_up;\nfn e() {}";
    let kept = without_tests(code);
    assert!(kept.contains("fn a") && kept.contains("fn d") && kept.contains("fn e"), "{kept}");
    assert!(!kept.contains("fn b") && !kept.contains("made_up"), "{kept}");
    assert_eq!(kept.lines().count(), code.lines().count());
}

#[test]
fn files_for_tests_are_found_by_their_declarations() {
    let files = [
        File::new("src/core/mod.rs", "// 日终\nmod graph;\n#[cfg(test)]\nmod made_up;"),
        File::new(
            "src/core/graph.rs",
            "// 日终\n#[cfg(test)]\n#[path = \"graph_tests.rs\"]\npub(super) mod tests;",
        ),
        File::new("src/core/graph_tests.rs", ""),
        File::new("src/core/made_up.rs", ""),
        File::new("src/core/made_up/night.rs", ""),
        File::new("src/core/made_upon.rs", "#[cfg(test)]\nmod tests { mod x {} }"),
    ];
    let expected = ["src/core/graph_tests.rs", "src/core/made_up.rs", "src/core/made_up/night.rs"];
    assert_eq!(test_files(&files), expected);
}

//! The layers: who may import whom.

use crate::source::{File, code_only, line_of, test_files, without_tests};

/// From the bottom. A module imports only from rows before its own, never from its own row's other module.
const ROWS: [&[&str]; 12] = [
    &["types", "fault"],
    &["sql"],
    &["definition", "config"],
    &["wire"],
    &["core"],
    &["journal", "view"],
    &["port", "render"],
    &["driver", "agent"],
    &["supervisor", "simulate"],
    &["http"],
    &["app"],
    &["cli"],
];

/// Modules whose list is shorter than "everything before": the outside of the system never reaches into the core.
const ONLY: [(&str, &[&str]); 2] = [("driver", OUTSIDE), ("agent", OUTSIDE)];
const OUTSIDE: &[&str] =
    &["types", "fault", "definition", "config", "sql", "wire", "journal", "view", "port"];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn may_import(from: &str, to: &str) -> bool {
    if from == to {
        return true;
    }
    if let Some((_, only)) = ONLY.iter().find(|(module, _)| *module == from) {
        return only.contains(&to);
    }
    matches!((row(from), row(to)), (Some(from), Some(to)) if to < from)
}

/// The top module that a file of `src/` belongs to; `None` for `lib.rs` and `main.rs`, which tie the modules together.
fn top_module(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("src/")?;
    match inner.split_once('/') {
        Some((module, _)) => Some(module),
        None => inner.strip_suffix(".rs").filter(|name| !["lib", "main"].contains(name)),
    }
}

/// How many modules deep a file of `src/` is: 1 for `src/core/mod.rs`, 2 for `src/core/night.rs`.
fn depth(path: &str) -> usize {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let inner = inner.strip_suffix("/mod.rs").or(inner.strip_suffix(".rs")).unwrap_or(inner);
    inner.split('/').count()
}

/// What `src/` breaks of the list, each as `file:line: what`.
pub(crate) fn offences(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let for_tests = test_files(files);
    for file in files.iter().filter(|f| f.is_rust()) {
        let Some(module) = top_module(&file.path) else { continue };
        if row(module).is_none() {
            found
                .push(format!("{}:1: `{module}` is not a module of the list of layers", file.path));
            continue;
        }
        let code = code_only(&file.text);
        let mut imports = after(&code, "crate::");
        // In a module for tests, `super` is the file's own module.
        let ups = "super::".repeat(depth(&file.path));
        if !for_tests.contains(&file.path) {
            imports.extend(after(&without_tests(&code), &ups));
        }
        for (line, to) in imports {
            if !may_import(module, &to) {
                found.push(format!("{}:{line}: `{module}` imports `{to}`", file.path));
            }
        }
    }
    found
}

/// The names that come right after `root`, with their lines: of `root{a::b, c}` both `a` and `c`.
fn after(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(root) {
        // `a::super::b` or `my_crate::b` is another path.
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let start = at + root.len();
        for (offset, name) in first_names(&code[start..]) {
            names.push((line_of(code, start + offset), name));
        }
    }
    names
}

fn first_names(path: &str) -> Vec<(usize, String)> {
    let name_at = |at: usize| {
        let rest = &path[at..];
        let skip = rest.len() - rest.trim_start().len();
        let name: String =
            rest[skip..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (at + skip, name)
    };
    if !path.starts_with('{') {
        return vec![name_at(0)].into_iter().filter(|(_, name)| is_module(name)).collect();
    }
    let mut names = Vec::new();
    let mut depth = 0;
    for (at, c) in path.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && (c == '{' || c == ',') {
            names.push(name_at(at + 1));
        }
    }
    names.retain(|(_, name)| is_module(name));
    names
}

/// Not a macro-exported or re-exported item of the root, and not nothing (a glob, a trailing comma).
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "self"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        offences(&[File::new(path, text)])
    }

    #[test]
    fn an_import_from_below_is_named_with_its_line() {
        let text = "use std::fs;\nuse crate::driver::Clock;\n";
        assert_eq!(
            found("src/core/night.rs", text),
            ["src/core/night.rs:2: `core` imports `driver`"]
        );
        let group = "use crate::{\n    types::Now,\n    cli::{self, http},\n    core::x,\n};\n";
        assert_eq!(found("src/core/a.rs", group), ["src/core/a.rs:3: `core` imports `cli`"]);
        assert_eq!(found("src/view/mod.rs", "fn f() { crate::journal::x() }").len(), 1);
        assert_eq!(found("src/types/id.rs", "use super::super::core::fact;").len(), 1);
        assert_eq!(found("src/core/mod.rs", "#[cfg(test)]\nmod t { use crate::app::X; }").len(), 1);
        assert_eq!(found("src/helper.rs", "").len(), 1);
    }

    #[test]
    fn drivers_and_agent_know_neither_core_nor_render_nor_each_other() {
        for to in ["core", "render", "agent", "supervisor"] {
            assert_eq!(
                found("src/driver/store.rs", &format!("use crate::{to}::X;")).len(),
                1,
                "{to}"
            );
        }
        for to in ["core", "render", "driver"] {
            assert_eq!(found("src/agent/mod.rs", &format!("use crate::{to}::X;")).len(), 1, "{to}");
        }
        for to in ["types", "definition", "wire", "sql", "journal", "view", "port", "driver"] {
            assert_eq!(
                found("src/driver/store.rs", &format!("use crate::{to}::X;")).len(),
                0,
                "{to}"
            );
        }
    }

    #[test]
    fn what_the_list_allows_passes() {
        let text = "//! [`crate::cli`]\nuse crate::{types::Now, wire};\nuse super::fact;\nconst S: &str = \"crate::app::X\";\n\
                    #[cfg(test)]\nmod tests { use super::super::fact; }\n";
        assert_eq!(found("src/core/night.rs", text), Vec::<String>::new());
        assert_eq!(found("src/lib.rs", "pub use crate::cli::main;"), Vec::<String>::new());
    }
}

//! Run-date words in arguments and environment: `{business_date}` and its kin, and the batch's parameters. No template
//! language: a word is replaced by its value, `{{` is a brace, the shell's `${…}` is left alone, and that is all.

/// A word that has no value here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    #[error("`{{{0}}}` has no value here")]
    Unknown(String),
    #[error("a `{{` is not closed (write `{{{{` for a brace)")]
    Open,
}

/// Replaces the words of a text.
pub fn replace(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, BadWord> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..at + 1];
        let of_shell = brace == "{" && rest[..at].ends_with('$');
        rest = &rest[at + 1..];
        if of_shell {
            out.push('{');
        } else if rest.starts_with(brace) {
            out.push_str(brace);
            rest = &rest[1..];
        } else if brace == "{" {
            let end = rest.find('}').ok_or(BadWord::Open)?;
            let word = &rest[..end];
            out.push_str(&value(word).ok_or_else(|| BadWord::Unknown(word.to_owned()))?);
            rest = &rest[end + 1..];
        } else {
            // A closing brace by itself is common in shell text and means nothing here.
            out.push('}');
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_and_doubled_braces_are_braces() {
        let value = |word: &str| (word == "d").then(|| "2026-10-30".to_owned());
        let ok = |text: &str| replace(text, value).unwrap();
        assert_eq!(ok("in-{d}.csv"), "in-2026-10-30.csv");
        assert_eq!(ok("awk '{{print}}' {d}"), "awk '{print}' 2026-10-30");
        assert_eq!(ok("日{d}日"), "日2026-10-30日");
        assert_eq!(ok("a } b"), "a } b");
        assert_eq!(ok("echo ${HOME:-x} {d}"), "echo ${HOME:-x} 2026-10-30");
        assert_eq!(replace("{x}", value), Err(BadWord::Unknown("x".into())));
        assert_eq!(replace("{x", value), Err(BadWord::Open));
    }
}

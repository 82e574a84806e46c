//! What a job hands on to its successors: `KEY=VALUE` lines in the file that `NIGHTRUN_OUT` names.

use std::collections::BTreeMap;

/// Values that one attempt may hand on.
const MOST: usize = 64;
/// Bytes of one value.
const LONGEST: usize = 4 * 1024;
/// Bytes of the file that are looked at.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024;
/// Refusals that are told one by one.
const NOTES: usize = 5;

/// The values, and what was refused in words. A key that comes twice has its last value.
pub(super) fn parse(file: &[u8]) -> (BTreeMap<String, String>, Vec<String>) {
    let mut values = BTreeMap::new();
    let mut refused = Vec::new();
    for (index, line) in file.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match entry(line) {
            Ok((key, _)) if values.len() == MOST && !values.contains_key(key) => {
                refused.push(format!("line {}: more than {MOST} values", index + 1));
            }
            Ok((key, value)) => {
                values.insert(key.to_owned(), value.to_owned());
            }
            Err(why) => refused.push(format!("line {}: {why}", index + 1)),
        }
    }
    let more = refused.len().saturating_sub(NOTES);
    let mut notes: Vec<String> =
        refused.into_iter().take(NOTES).map(|why| format!("value refused, {why}")).collect();
    if more > 0 {
        notes.push(format!("{more} more values refused"));
    }
    (values, notes)
}

fn entry(line: &[u8]) -> Result<(&str, &str), String> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let (key, value) =
        line.split_once('=').ok_or_else(|| "not of the form KEY=VALUE".to_owned())?;
    let first = key.bytes().next().is_some_and(|b| b.is_ascii_uppercase() || b == b'_');
    let rest = key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !first || !rest {
        return Err("a key has A-Z, 0-9 and `_`, and begins with no digit".to_owned());
    }
    if key.starts_with("NIGHTRUN_") {
        return Err(format!("`{key}`: NIGHTRUN_ is reserved"));
    }
    if value.len() > LONGEST {
        return Err(format!("`{key}` has {} bytes, {LONGEST} are allowed", value.len()));
    }
    if value.contains('\0') {
        return Err(format!("`{key}` has a NUL byte"));
    }
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_are_taken_and_others_noted() {
        let (values, notes) =
            parse(b"A=1\n\nB_2=x=y\nA=2\nlow=1\nnonsense\nNIGHTRUN_X=1\nC=\n=1\n9A=1\nD=\xff\n_=1");
        let expect = [("A", "2"), ("B_2", "x=y"), ("C", ""), ("_", "1")];
        assert_eq!(values, expect.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        assert_eq!(notes.len(), 6, "{notes:?}");
        assert_eq!(
            notes[0],
            "value refused, line 5: a key has A-Z, 0-9 and `_`, and begins with no digit"
        );
        assert_eq!(notes[5], "1 more values refused");
    }

    #[test]
    fn number_and_length_are_limited() {
        let many: String = (0..70).map(|i| format!("K{i}=v\n")).collect();
        let (values, notes) = parse(format!("{many}K0=again\n").as_bytes());
        assert_eq!((values.len(), values["K0"].as_str()), (64, "again"));
        assert!(
            notes[0].contains("more than 64") && notes[5] == "1 more values refused",
            "{notes:?}"
        );
        let (values, _) =
            parse(format!("A={}\nB={}", "x".repeat(4096), "x".repeat(4097)).as_bytes());
        assert_eq!(values.into_keys().collect::<Vec<_>>(), ["A"]);
    }
}

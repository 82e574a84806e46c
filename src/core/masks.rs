//! What a job's log may not show: a job declares texts (`log_masks: ["password="]`), and what follows one of them up to the
//! next white space is shown as `***`, wherever the log is shown.

/// What is shown in its place.
const MASK: &[u8] = b"***";

/// Bytes of the longest line that is masked; the rest of a longer one is not shown.
const LONGEST: usize = 1024 * 1024;

/// A line, or lines, with everything that may not be shown left out.
pub fn masked(text: &str, masks: &[String]) -> String {
    String::from_utf8_lossy(&masked_bytes(text.as_bytes(), masks)).into_owned()
}

fn masked_bytes(text: &[u8], masks: &[String]) -> Vec<u8> {
    let masks: Vec<&[u8]> = masks.iter().map(String::as_bytes).filter(|m| !m.is_empty()).collect();
    let mut shown = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        let Some(mask) = masks.iter().find(|mask| rest.starts_with(mask)) else {
            shown.push(*first);
            rest = rest.get(1..).unwrap_or_default();
            continue;
        };
        let (_, after) = rest.split_at(mask.len());
        shown.extend_from_slice(mask);
        let secret = after.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        if secret > 0 {
            shown.extend_from_slice(MASK);
        }
        rest = after.get(secret..).unwrap_or_default();
    }
    shown
}

/// A log that comes in pieces. Where a job declares masks, a line is shown once it is whole.
#[derive(Debug)]
pub struct Masking {
    masks: Vec<String>,
    held: Vec<u8>,
    /// The line was too long: nothing of it is shown any more.
    cut: bool,
}

impl Masking {
    pub fn new(masks: &[String]) -> Self {
        Self { masks: masks.to_vec(), held: Vec::new(), cut: false }
    }

    /// What may be shown now.
    pub fn show(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.masks.is_empty() {
            return piece.to_vec();
        }
        let mut shown = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if !self.cut {
                self.held.extend_from_slice(part);
            }
            let whole = part.ends_with(b"\n");
            if whole && self.cut {
                shown.push(b'\n');
            } else if whole {
                shown.append(&mut self.end());
            } else if self.held.len() > LONGEST {
                shown.append(&mut self.end());
                shown.extend_from_slice(MASK);
                self.cut = true;
                continue;
            } else {
                continue;
            }
            self.cut = false;
        }
        shown
    }

    /// What was held back for want of its line's end.
    pub fn end(&mut self) -> Vec<u8> {
        masked_bytes(&std::mem::take(&mut self.held), &self.masks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Vec<String> {
        vec!["password=".to_owned(), "Bearer ".to_owned(), "密码：".to_owned()]
    }

    #[test]
    fn what_follows_a_mask_is_not_shown_up_to_the_next_white_space() {
        for (line, shown) in [
            ("login password=hunter2 as x", "login password=*** as x"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("password=a password=b", "password=*** password=***"),
            ("密码：秘密 其他", "密码：*** 其他"),
            ("password= none", "password= none"),
            ("password=password=x", "password=***"),
            ("passwort=x", "passwort=x"),
            ("ends with password=", "ends with password="),
        ] {
            assert_eq!(masked(line, &masks()), shown);
        }
        assert_eq!(masked("password=x", &[]), "password=x");
        assert_eq!(masked("a", &[String::new()]), "a");
    }

    #[test]
    fn wherever_a_log_is_cut_into_pieces_the_same_is_shown() {
        let log = "one\nlogin password=hunter2 as x\nBearer abc\nlast password=tail";
        let whole = masked(log, &masks());
        assert!(!whole.contains("hunter2") && !whole.contains("abc") && !whole.contains("tail"));
        for at in 0..=log.len() {
            let mut masking = Masking::new(&masks());
            let (before, after) = log.as_bytes().split_at(at);
            let mut shown = masking.show(before);
            shown.extend(masking.show(after));
            shown.extend(masking.end());
            assert_eq!(String::from_utf8(shown).unwrap(), whole, "cut at {at}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_takes_a_bounded_place() {
        let mut masking = Masking::new(&masks());
        let mut shown = masking.show("x".repeat(LONGEST).as_bytes());
        shown.extend(masking.show(b"x password=hunter2 "));
        for _ in 0..100 {
            shown.extend(masking.show("password=hunter2 ".repeat(1_000).as_bytes()));
        }
        assert!(masking.held.len() <= LONGEST);
        shown.extend(masking.show(b"\nnext password=hunter2\n"));
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains("hunter2"));
        assert!(shown.ends_with("\nnext password=***\n"));
    }
}

//! What a job wrote, for a terminal: no byte of it moves the cursor, sets a title or answers for the reader.

use crate::types::turns_text;

/// Translates one stream, piece by piece. Text, line ends and tabs stay; colours are left out; every other control
/// character is shown as `^[`, what is no UTF-8 as `�`. A carriage return ends the line, so that nothing is overwritten.
#[derive(Debug, Default)]
pub struct Harmless {
    /// What cannot be told without the bytes that follow.
    kept: Vec<u8>,
}

const ESC: u8 = 0x1b;
/// Bytes of the longest colour sequence that is recognised.
const COLOUR: usize = 32;

impl Harmless {
    pub fn show(&mut self, piece: &[u8]) -> String {
        self.kept.extend_from_slice(piece);
        let whole = self.kept.len() - unfinished(&self.kept);
        let shown = translated(&self.kept[..whole]);
        self.kept.drain(..whole);
        shown
    }

    /// What was kept, when nothing follows any more.
    pub fn end(&mut self) -> String {
        translated(&std::mem::take(&mut self.kept))
    }
}

/// Bytes at the end that belong to what follows: a character, a line end or a colour that is not whole.
fn unfinished(bytes: &[u8]) -> usize {
    if bytes.last() == Some(&b'\r') {
        return 1;
    }
    let from = bytes.len().saturating_sub(COLOUR);
    if let Some(at) = bytes[from..].iter().rposition(|byte| *byte == ESC)
        && colour(&bytes[from + at..]).is_err()
    {
        return bytes.len() - from - at;
    }
    let from = bytes.len().saturating_sub(3);
    let lead = bytes[from..].iter().rposition(|byte| *byte >= 0xc0).map(|at| from + at);
    let Some(at) = lead else { return 0 };
    let needs = match bytes[at] {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    if bytes.len() - at < needs { bytes.len() - at } else { 0 }
}

/// The length of the colour sequence (`ESC [ 1 ; 31 m`) that this begins with, 0 where it is none; an error where more
/// must follow.
fn colour(bytes: &[u8]) -> Result<usize, ()> {
    if bytes.get(1).is_some_and(|byte| *byte != b'[') {
        return Ok(0);
    }
    let rest = bytes.get(2..).unwrap_or_default();
    match rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) {
        Some(end) => Ok(if rest[end] == b'm' { end + 3 } else { 0 }),
        None if bytes.len() < COLOUR => Err(()),
        None => Ok(0),
    }
}

fn translated(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut text = chunk.valid();
        while let Some(c) = text.chars().next() {
            let mut used = c.len_utf8();
            match c {
                '\n' | '\t' => shown.push(c),
                '\r' if text[1..].starts_with('\n') => {}
                '\r' => shown.push('\n'),
                '\u{1b}' => match colour(text.as_bytes()) {
                    Ok(length @ 1..) => used = length,
                    _ => shown.push_str("^["),
                },
                '\0'..' ' => shown.extend(['^', char::from(c as u8 + b'@')]),
                '\u{7f}' => shown.push_str("^?"),
                c if c.is_control() || turns_text(c) => shown.push('\u{fffd}'),
                c => shown.push(c),
            }
            text = &text[used..];
        }
        if !chunk.invalid().is_empty() {
            shown.push('\u{fffd}');
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut harmless = Harmless::default();
        let mut shown: String = pieces.iter().map(|piece| harmless.show(piece)).collect();
        shown.push_str(&harmless.end());
        shown
    }

    const BYTES: &[u8] = "a\tb\r\n10%\r20%\n\u{1b}[1;31mred\u{1b}[0m \u{1b}[2J\u{1b}]0;t\u{7}\0\u{7f}载入\u{9b}\u{202e}"
        .as_bytes();

    #[test]
    fn text_stays_and_nothing_moves_the_cursor() {
        assert_eq!(shown(&[BYTES]), "a\tb\n10%\n20%\nred ^[[2J^[]0;t^G^@^?载入\u{fffd}\u{fffd}");
        assert_eq!(shown(&[b"\xff\xfeok\xe8\xbd"]), "\u{fffd}\u{fffd}ok\u{fffd}");
        assert_eq!(shown(&[b"\x1b", b"["]), "^[[");
    }

    #[test]
    fn how_it_is_cut_into_pieces_makes_no_difference() {
        for at in 0..BYTES.len() {
            let (one, other) = BYTES.split_at(at);
            assert_eq!(shown(&[one, other]), shown(&[BYTES]), "{at}");
        }
        let bytes: Vec<&[u8]> = BYTES.chunks(1).collect();
        assert_eq!(shown(&bytes), shown(&[BYTES]));
    }

    #[test]
    fn what_is_kept_back_is_bounded() {
        let mut harmless = Harmless::default();
        harmless.show(&[b"\x1b[".as_slice(), &[b'1'; 10_000]].concat());
        assert!(harmless.kept.len() <= COLOUR, "{}", harmless.kept.len());
    }
}

//! Scripts and tasks as text.

use std::path::Path;

/// A file that is not text as nightrun reads it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error("{file} cannot be read: {error}")]
    Read { file: String, error: std::io::Error },
    #[error("{file} is not UTF-8: byte 0x{byte:02X} on line {line}; save it as UTF-8")]
    NotUtf8 { file: String, byte: u8, line: usize },
    #[error("{file} is UTF-16: save it as UTF-8")]
    Utf16 { file: String },
}

/// The name that messages call a file by.
pub(super) fn short_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[expect(clippy::disallowed_methods, reason = "the worker reads its task and its scripts")]
pub(super) fn read(path: &Path) -> Result<String, SourceError> {
    let file = short_name(path);
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Err(SourceError::Read { file, error }),
    };
    decode(file, bytes)
}

fn decode(file: String, bytes: Vec<u8>) -> Result<String, SourceError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SourceError::Utf16 { file });
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = 1 + bytes[..at].iter().filter(|b| **b == b'\n').count();
        SourceError::NotUtf8 { file, byte: bytes[at], line }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf8_is_told_with_its_line() {
        let words = |bytes: &[u8]| decode("x.sql".into(), bytes.to_vec()).unwrap_err().to_string();
        assert_eq!(
            words(b"select 1;\nselect '\xc4rger'"),
            "x.sql is not UTF-8: byte 0xC4 on line 2; save it as UTF-8"
        );
        assert_eq!(words(b"\xff\xfes\0"), "x.sql is UTF-16: save it as UTF-8");
        assert_eq!(decode("x".into(), "中\r\n".into()).unwrap(), "中\r\n");
    }
}

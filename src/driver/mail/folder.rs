//! Mail as files: `<folder>/000001-<message id>.eml`, in the order it was sent. What works before there is a server.

#![expect(clippy::disallowed_methods, reason = "driver: it writes the mail folder")]

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::journal::{OutgoingMail, address};
use crate::port::{Mailer, SendError};

/// Writes each message once: the same Message-ID again finds its file there.
#[derive(Debug)]
pub struct FolderMailer {
    folder: PathBuf,
    /// One writer at a time, so that no two messages get one number.
    writing: Mutex<()>,
}

impl FolderMailer {
    /// The folder is made with the first message.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, writing: Mutex::new(()) }
    }

    /// Whether a message could be kept: a file is made and taken away again, where the folder is not there yet in the
    /// one that it would be made in.
    pub fn try_out(&self) -> io::Result<()> {
        let there = self.folder.ancestors().find(|folder| folder.exists());
        let probe = there.unwrap_or(&self.folder).join(format!(".doctor-{}", std::process::id()));
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe)?;
        std::fs::remove_file(probe)
    }

    fn keep(&self, name: &str, message: &[u8]) -> io::Result<String> {
        // What a panicked writer left is a file by another name, if anything.
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut last = 0;
        for file in std::fs::read_dir(&self.folder)? {
            let file = file?.file_name();
            let Some((number, rest)) = file.to_str().and_then(|file| file.split_once('-')) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else { continue };
            if rest == name {
                return Ok(format!("250 is in {} already", self.folder.join(&file).display()));
            }
            last = last.max(number);
        }
        let path = self.folder.join(format!("{:06}-{name}", last + 1));
        write_whole(&self.folder, &path, message)?;
        Ok(format!("250 written to {}", path.display()))
    }
}

impl Mailer for FolderMailer {
    async fn send(&self, mail: &OutgoingMail) -> Result<String, SendError> {
        let message = &mail.bytes;
        let Some(id) = message_id(message) else {
            return Err(SendError::Never("the message has no Message-ID".to_owned()));
        };
        self.keep(&file_name(&id), message)
            .map_err(|why| SendError::Later(format!("{}: {why}", self.folder.display())))
    }
}

/// The file is there whole or not at all, also after a power cut.
fn write_whole(folder: &Path, path: &Path, message: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(".unfinished");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(message)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

/// The value of the header, folded or not.
fn message_id(message: &[u8]) -> Option<String> {
    const NAME: &str = "message-id:";
    let text = String::from_utf8_lossy(message);
    let head = text.split("\r\n\r\n").next()?.replace("\r\n ", " ");
    let line = head
        .lines()
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?;
    let id = line[NAME.len()..].trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// A name of its own for each id: letters, digits, `.`, `-`, `_` and `@` as they are, all else as `%` and hex.
fn file_name(id: &str) -> String {
    const LONGEST: usize = 180;
    let id = id.trim_start_matches('<').trim_end_matches('>');
    let mut name = String::new();
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'@' => {
                name.push(char::from(byte));
            }
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    if name.len() > LONGEST {
        name.truncate(LONGEST);
        name.push('~');
        name.push_str(&address(id.as_bytes())[..16]);
    }
    name + ".eml"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_a_file_name_of_its_own() {
        assert_eq!(file_name("<eod.1@bank.example>"), "eod.1@bank.example.eml");
        assert_eq!(file_name("<../a/b@x>"), "..%2fa%2fb@x.eml");
        assert_ne!(file_name("<a/b@x>"), file_name("<a%2fb@x>"));
        let long = |end: &str| file_name(&format!("<{}{end}@x>", "a".repeat(300)));
        assert!(long("1").len() < 255);
        assert_ne!(long("1"), long("2"));
    }

    #[test]
    fn the_id_is_read_from_the_head_alone() {
        let mail = b"Subject: x\r\nMESSAGE-ID:\r\n <a@b>\r\n\r\nMessage-ID: <c@d>\r\n";
        assert_eq!(message_id(mail).as_deref(), Some("<a@b>"));
        assert_eq!(message_id(b"Subject: x\r\n\r\nMessage-ID: <c@d>\r\n"), None);
    }
}

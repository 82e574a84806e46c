//! A run's copy on its way to another host.

use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::types::RunId;

/// Bytes of a file that travel in one line.
const PIECE: usize = 1024 * 1024;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyPiece {
    pub run: RunId,
    /// From the site's folder.
    pub path: PathBuf,
    /// The first byte; 0 begins the file anew.
    pub at: u64,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub bytes: Vec<u8>,
    /// The file goes on in the next one.
    pub more: bool,
}

impl CopyPiece {
    /// The parts of a file, in their order; one for an empty file.
    pub fn of<'a>(
        run: &'a RunId,
        path: &'a Path,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = CopyPiece> + 'a {
        let last = bytes.len().saturating_sub(1) / PIECE;
        (0..=last).map(move |n| Self {
            run: run.clone(),
            path: path.to_owned(),
            at: (n * PIECE) as u64,
            bytes: bytes[n * PIECE..bytes.len().min((n + 1) * PIECE)].to_vec(),
            more: n < last,
        })
    }

    /// Whether its path stays beneath the folder that it is laid in.
    pub fn stays_beneath(&self) -> bool {
        let mut parts = self.path.components().peekable();
        parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
    }
}

fn to_text<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes))
}

fn from_text<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_after_its_way_in_pieces() {
        let run: RunId = "eod@2026-10-30#1".parse().unwrap();
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let mut there = Vec::new();
            let pieces: Vec<CopyPiece> =
                CopyPiece::of(&run, Path::new("eod/a.sh"), &bytes).collect();
            for piece in &pieces {
                let line = serde_json::to_string(piece).unwrap();
                assert!(line.len() < super::super::LINE_LIMIT);
                let piece: CopyPiece = serde_json::from_str(&line).unwrap();
                assert_eq!(piece.at, there.len() as u64);
                there.extend(piece.bytes);
            }
            assert!(there == bytes, "{size}");
            let more: Vec<bool> = pieces.iter().map(|piece| piece.more).collect();
            assert_eq!(more.iter().position(|more| !more), Some(more.len() - 1));
        }
    }

    #[test]
    fn a_path_that_leads_out_of_the_copy_is_told_from_one_that_does_not() {
        let run: RunId = "eod@2026-10-30#1".parse().unwrap();
        for (path, stays) in [
            ("eod/a.sh", true),
            ("", false),
            ("/etc/passwd", false),
            ("eod/../../x", false),
            ("./a", false),
        ] {
            let piece = CopyPiece::of(&run, Path::new(path), b"x").next().unwrap();
            assert_eq!(piece.stays_beneath(), stays, "{path}");
        }
    }
}

//! Bytes that nobody can guess, from the kernel.

use std::io::{self, Read};

#[expect(clippy::disallowed_methods, reason = "driver: the kernel's random numbers are a file")]
pub(super) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

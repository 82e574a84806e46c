//! Lines for whoever reads standard output and standard error. A disk that is full behind them ends no night.

use std::fmt::Arguments;
use std::io::{self, Write};

use super::exit::Failure;

/// A line on standard output: what a command was asked for, so that it fails where it cannot be written.
macro_rules! print_line {
    ($($what:tt)*) => { $crate::cli::output::print(format_args!($($what)*)) };
}

/// A line on standard output of what happens by itself, whether it can be written or not.
macro_rules! told_line {
    ($($what:tt)*) => { $crate::cli::output::tell(format_args!($($what)*)) };
}

/// A line on standard error, whether it can be written or not.
macro_rules! notice_line {
    ($($what:tt)*) => { $crate::cli::output::notice(format_args!($($what)*)) };
}

pub(super) fn print(line: Arguments<'_>) -> Result<(), Failure> {
    match writeln!(anstream::stdout(), "{line}") {
        // Whoever read it has seen enough.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|why| Failure::failed(format!("standard output: {why}"))),
    }
}

/// A file on standard output, as it is: its lines end as its format says.
pub(super) fn whole(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|why| Failure::failed(format!("standard output: {why}"))),
    }
}

pub(super) fn tell(line: Arguments<'_>) {
    // What happened is in the journal; who reads along misses a line.
    let _ = writeln!(anstream::stdout(), "{line}");
}

pub(super) fn notice(line: Arguments<'_>) {
    // Nowhere is left to say it.
    let _ = writeln!(anstream::stderr(), "{line}");
}

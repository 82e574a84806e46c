//! Asking a person for a secret at the terminal, without showing it.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Bytes of a line that are read at the most.
const LONGEST: u64 = 64 * 1024;

/// Whether a person sits at the standard input.
pub fn is_person() -> bool {
    io::stdin().is_terminal()
}

/// One line of the standard input without its end. At a terminal the question is asked on stderr, and what is typed is
/// not shown.
pub fn secret(question: &str) -> io::Result<String> {
    let quiet = is_person().then(Quiet::begin).transpose()?;
    if quiet.is_some() {
        write!(io::stderr(), "{question}: ")?;
    }
    let mut line = String::new();
    let read = io::Read::take(io::stdin().lock(), LONGEST).read_line(&mut line)?;
    if quiet.is_some() {
        // The line's own end was not shown either.
        writeln!(io::stderr())?;
    }
    if read == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "nothing was given"));
    }
    line.truncate(line.trim_end_matches(['\n', '\r']).len());
    Ok(line)
}

/// While it lives the terminal shows nothing of what is typed.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let was = tcgetattr(io::stdin())?;
        let mut quiet = was.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(was))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put right.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

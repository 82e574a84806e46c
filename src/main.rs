use std::path::Path;
use std::process::ExitCode;

use nightrun::agent;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    let mode = arguments.next().unwrap_or_default();
    // Before any runtime or thread: shims are forked from the agent, and a worker is a process of its own kind. What is
    // told to an agent that is there is a command like any other.
    let of_agent = |next: &std::ffi::OsString| next.as_encoded_bytes().starts_with(b"-");
    if mode == "agent" && arguments.peek().is_none_or(of_agent) {
        return agent::main(arguments);
    }
    if mode == "__worker" {
        let task = arguments.next().unwrap_or_default();
        std::process::exit(agent::worker::run(Path::new(&task)));
    }
    nightrun::cli::main()
}

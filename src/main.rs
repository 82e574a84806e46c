use std::path::Path;
use std::process::ExitCode;

use nightrun::agent::{self, AgentSettings};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let mode = arguments.next().unwrap_or_default();
    // Before any runtime or thread: shims are forked from the agent, and a worker is a process of its own kind.
    if mode == "agent" {
        return match AgentSettings::from_arguments(arguments) {
            Ok(settings) => agent::run(&settings),
            Err(error) => {
                eprintln!("nightrun agent: {error}");
                ExitCode::from(2)
            }
        };
    }
    if mode == "__worker" {
        let task = arguments.next().unwrap_or_default();
        std::process::exit(agent::worker::run(Path::new(&task)));
    }
    nightrun::cli::main()
}

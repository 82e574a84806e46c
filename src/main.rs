use std::process::ExitCode;

use nightrun::agent::{self, AgentSettings};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        // Before any runtime or thread: shims are forked from this process.
        Some(mode) if mode == "agent" => match AgentSettings::from_arguments(arguments) {
            Ok(settings) => agent::run(&settings),
            Err(e) => {
                eprintln!("nightrun agent: {e}");
                ExitCode::from(2)
            }
        },
        _ => {
            eprintln!("usage: nightrun agent --dir DIR [--allow-user USER]... [--linger 60s]");
            ExitCode::from(2)
        }
    }
}

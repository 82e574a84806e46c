use std::path::Path;

fn main() {
    let mut args = std::env::args_os().skip(1);
    // Before anything else: a worker is a process of its own kind.
    if args.next().is_some_and(|first| first == "__worker") {
        let task = args.next().unwrap_or_default();
        std::process::exit(nightrun::agent::worker::run(Path::new(&task)));
    }
}

//! What a night of jobs in Slurm takes, beside the same jobs given to `sbatch` by hand.
//!
//! ```text
//! SLURM_CONF=/etc/slurm/slurm.conf cargo bench --bench slurm [-- [JOBS] [ROUNDS]]        20 and 3 by default
//! ```
//!
//! The cluster is the one of the environment; its node must see this host's folder for temporary files. By hand: `sbatch` of
//! each, then `squeue` each tenth of a second until none is left; a chain by `--dependency=afterok`. The time of nightrun is
//! that of the whole `nightrun run`, start and report included.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use site::House;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let (jobs, rounds) = (numbers.next().unwrap_or(20), numbers.next().unwrap_or(3));
    let Some(conf) = std::env::var_os("SLURM_CONF").and_then(|conf| conf.into_string().ok()) else {
        println!("SLURM_CONF names no cluster: nothing was measured");
        return;
    };
    println!("medians of {rounds} rounds");
    println!("{:24} {:>12} {:>12} {:>18}", "", "sbatch, s", "nightrun, s", "nightrun / sbatch");
    measure("at once", jobs, rounds, &conf, false);
    measure("in a chain", jobs.div_ceil(4), rounds, &conf, true);
}

fn measure(shape: &str, jobs: usize, rounds: usize, conf: &str, chain: bool) {
    let mut lines = String::new();
    for n in 0..jobs {
        let needs = if chain && n > 0 { format!("needs: [j{}], ", n - 1) } else { String::new() };
        writeln!(
            lines,
            "  j{n}: {{title: J, run: [\"true\"], engine: slurm, {needs}env: {{SLURM_CONF: \"{conf}\"}}}}"
        )
        .unwrap();
    }
    let house = House::new(jobs, &lines);
    let (mut bare, mut night) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(timed(|| by_hand(jobs, chain)));
        night.push(timed(|| {
            assert!(house.nightrun(&["run", "bench"]).status().unwrap().success());
        }));
        std::fs::remove_dir_all(house.path("state")).unwrap();
    }
    let (bare, night) = (median(bare), median(night));
    println!("{:24} {bare:12.1} {night:12.1} {:18.2}", format!("{jobs} {shape}"), night / bare);
}

fn by_hand(jobs: usize, chain: bool) {
    let mut before: Option<String> = None;
    let name = format!("--job-name=by-hand-{}", std::process::id());
    for _ in 0..jobs {
        let mut command = Command::new("sbatch");
        command.args(["--parsable", "--output=/dev/null", "--wrap=true", &name]);
        if let Some(before) = before.take().filter(|_| chain) {
            command.arg(format!("--dependency=afterok:{before}"));
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        before = Some(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    }
    let name = name.replace("--job-name", "--name");
    while !Command::new("squeue").args(["-h", &name]).output().unwrap().stdout.is_empty() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// In seconds.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

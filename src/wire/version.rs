//! Which programs can talk to each other, and what an agent says of the program that it is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Version of this protocol. Each greeting says which versions its side speaks, and the highest that both do is spoken.
///
/// 1: as `specimens/version-1.jsonl` has it. 2: greetings say their oldest version, the welcome says what program the
/// agent is, and it can be told to go on as another. 3: for agents of other hosts: the welcome says where things lie
/// there, copies of runs are laid, and the host's clock can be asked for.
pub const VERSION: u32 = 3;
/// The oldest version that is still spoken: that of the former release.
pub const OLDEST: u32 = 1;
/// From this version on an agent knows [`ToAgent::Upgrade`].
const UPGRADES: u32 = 2;
/// From this version on an agent lays copies and tells the time.
const LAYS_COPIES: u32 = 3;

/// The version in which this program talks with one that speaks these; `None`: there is none that both speak.
pub fn agreed(oldest: u32, newest: u32) -> Option<u32> {
    let version = newest.min(VERSION);
    (version >= oldest.max(OLDEST)).then_some(version)
}

/// Whether an agent that answered with this version can be told to go on as another program.
pub fn can_upgrade(version: u32) -> bool {
    version >= UPGRADES
}

/// Whether an agent that answered with this version can be that of another host.
pub fn lays_copies(version: u32) -> bool {
    version >= LAYS_COPIES
}

/// This release of nightrun, as greetings and logs name it.
pub fn release() -> &'static str {
    // Never folded into the code around it, so that a test can make another release of a copy of the program.
    std::hint::black_box(RELEASE).trim_start_matches("nightrun release ")
}

static RELEASE: &str = concat!("nightrun release ", env!("CARGO_PKG_VERSION"));

/// Where a program lies, from what the kernel says of a process that runs it: it marks one whose file was replaced.
pub fn program_path(kernel_says: PathBuf) -> PathBuf {
    let text = kernel_says.to_str().and_then(|text| text.strip_suffix(" (deleted)"));
    text.map(PathBuf::from).unwrap_or(kernel_says)
}

/// What a greeting without the word says of its oldest version.
pub(super) fn first_version() -> u32 {
    1
}

/// The program that an agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentProgram {
    pub release: String,
    pub path: PathBuf,
    /// Another file stands there now.
    pub replaced: bool,
}

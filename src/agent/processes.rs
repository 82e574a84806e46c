//! The processes of this host, from `/proc`. Read whole: it is needed only when something must be ended or was left
//! behind, and it needs nothing that a kernel may lack.
#![expect(clippy::disallowed_methods, reason = "reads /proc")]

use std::collections::BTreeMap;
use std::fs;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) session: u32,
    /// Its command's name, as the kernel keeps it (at most 15 bytes).
    pub(super) name: String,
}

/// Every process that lives: no zombies, but for those whose first thread has ended before others of them.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| parse(pid, &fs::read(format!("/proc/{pid}/stat")).ok()?))
        .collect()
}

/// Children, their children, and so on.
pub(super) fn descendants(of: u32) -> Vec<Process> {
    let mut children: BTreeMap<u32, Vec<Process>> = BTreeMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut open = vec![of];
    while let Some(parent) = open.pop() {
        for process in children.remove(&parent).unwrap_or_default() {
            open.push(process.pid);
            found.push(process);
        }
    }
    found
}

/// `pid (name) state parent group session ...`; the name may have blanks and parentheses.
fn parse(pid: u32, stat: &[u8]) -> Option<Process> {
    let stat = String::from_utf8_lossy(stat);
    let (head, rest) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let mut number = || fields.next()?.parse().ok();
    let (parent, group, session) = (number()?, number()?, number()?);
    // Of a process whose first thread has ended the kernel says `Z`, though its other threads work on.
    let threads: u32 = fields.nth(13)?.parse().ok()?;
    if state == "X" || (state == "Z" && threads <= 1) {
        return None;
    }
    Some(Process { pid, parent, group, session, name: name.to_owned() })
}

/// Whether a process was started with this entry in its environment.
pub(super) fn has_in_environment(pid: u32, entry: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|e| e == entry))
}

/// For an operator: `sleep (pid 12), sh (pid 13)`, the first few.
pub(super) fn names(processes: &[Process]) -> String {
    const SHOWN: usize = 5;
    let mut words: Vec<String> =
        processes.iter().take(SHOWN).map(|p| format!("{} (pid {})", p.name, p.pid)).collect();
    if processes.len() > SHOWN {
        words.push(format!("{} more", processes.len() - SHOWN));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_is_read_whole() {
        let rest = "1 6 5 0 -1 4194304 91 0 0 0 0 0 0 0 20 0";
        let process = parse(7, format!("7 (a) (b c) S {rest} 1 0").as_bytes()).unwrap();
        assert_eq!(process.name, "a) (b c");
        assert_eq!((process.parent, process.group, process.session), (1, 6, 5));
        assert_eq!(parse(7, format!("7 (sh) Z {rest} 1 0").as_bytes()), None);
        assert!(parse(7, format!("7 (sh) Z {rest} 2 0").as_bytes()).is_some(), "it has a thread");
    }

    #[test]
    fn this_process_is_a_descendant_of_its_parent() {
        let me = std::process::id();
        let mine = all().into_iter().find(|p| p.pid == me).unwrap();
        assert!(descendants(mine.parent).iter().any(|p| p.pid == me));
        assert!(!descendants(me).iter().any(|p| p.pid == me));
    }
}

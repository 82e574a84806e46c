//! Starts the job's program: a child that shares the shim's memory until it has become the program (as
//! `posix_spawn` does it, which cannot change the account nor say which step failed).

use std::ffi::{CString, c_int, c_void};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::process::Pid;

use super::account::Account;
use super::spool::Places;
use crate::fault;
use crate::wire::{Program, SHELL, Start, spool};

/// Everything that the child needs, made before it exists: between its birth and `exec` it must not allocate.
struct Plan {
    /// Candidates in the order of `PATH`.
    paths: Vec<CString>,
    argv: Vec<*const libc::c_char>,
    env: Vec<*const libc::c_char>,
    dir: CString,
    account: Option<Account>,
    out: c_int,
    err: c_int,
    /// Where and why it failed; written by the child.
    failed: Option<(Step, i32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Session,
    Account,
    Folder,
    Output,
    Exec,
}

/// The program's process, leader of its own session and group; or why there is none, in words.
pub(super) fn launch(
    start: &Start,
    places: &Places,
    account: Option<Account>,
    out: BorrowedFd<'_>,
    err: BorrowedFd<'_>,
) -> Result<Pid, String> {
    let words = words(&start.program, places);
    let program = words.first().cloned().unwrap_or_default();
    let text =
        |what: Vec<u8>| CString::new(what).map_err(|_| "a NUL byte in the command".to_owned());
    let argv: Vec<CString> =
        words.into_iter().map(|word| text(word.into_bytes())).collect::<Result<_, _>>()?;
    let env = environment(start, places);
    let path = env.iter().find_map(|entry| entry.strip_prefix("PATH=")).map(str::to_owned);
    let env: Vec<CString> =
        env.into_iter().map(|entry| text(entry.into_bytes())).collect::<Result<_, _>>()?;
    let paths = match &start.program {
        Program::Worker(_) => vec!["/proc/self/exe".to_owned()],
        _ => candidates(&program, path.as_deref()),
    };
    let mut plan = Plan {
        paths: paths.into_iter().map(|p| text(p.into_bytes())).collect::<Result<_, _>>()?,
        argv: argv.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect(),
        env: env.iter().map(|entry| entry.as_ptr()).chain([std::ptr::null()]).collect(),
        dir: text(start.dir.as_os_str().as_encoded_bytes().to_vec())?,
        account,
        out: out.as_raw_fd(),
        err: err.as_raw_fd(),
        failed: None,
    };
    let pid = spawn(&mut plan).map_err(|e| format!("no process could be made: {e}"))?;
    match plan.failed {
        None => Ok(pid),
        Some((step, errno)) => {
            // The child has left; its status is nobody's ending.
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            Err(reason(step, errno, &program, &start.dir, start.user.as_deref()))
        }
    }
}

fn words(program: &Program, places: &Places) -> Vec<String> {
    match program {
        Program::Argv(argv) => argv.clone(),
        Program::Shell(script) => {
            SHELL.into_iter().chain([script.as_str()]).map(str::to_owned).collect()
        }
        Program::Worker(_) => {
            let task = places.folder.join(spool::TASK);
            vec!["nightrun".to_owned(), "__worker".to_owned(), task.display().to_string()]
        }
    }
}

fn environment(start: &Start, places: &Places) -> Vec<String> {
    let mut all = start.env.clone();
    all.insert("NIGHTRUN_OUT".to_owned(), places.values().display().to_string());
    if matches!(start.program, Program::Worker(_)) {
        for (key, name) in [("NIGHTRUN_WORK_RESULT", spool::WORK), ("NIGHTRUN_STEPS", spool::STEPS)]
        {
            all.insert(key.to_owned(), places.folder.join(name).display().to_string());
        }
        all.extend(fault::handed_on());
    }
    all.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// Where a program's name may be found, by the job's own `PATH`.
fn candidates(program: &str, path: Option<&str>) -> Vec<String> {
    if program.is_empty() || program.contains('/') {
        return vec![program.to_owned()];
    }
    path.unwrap_or("/usr/local/bin:/usr/bin:/bin")
        .split(':')
        .map(|folder| if folder.is_empty() { "." } else { folder })
        .map(|folder| format!("{folder}/{program}"))
        .collect()
}

fn spawn(plan: &mut Plan) -> std::io::Result<Pid> {
    const STACK: usize = 64 * 1024;
    // Not filled: a page that the child does not touch costs nothing.
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / size_of::<u128>());
    #[expect(unsafe_code, reason = "clone is only in libc")]
    // SAFETY: the child runs on its own stack, which outlives it: with CLONE_VFORK this thread stands still until the
    // child has become another program or has left. The shim has one thread and no signal handlers, so nothing else
    // runs in the shared memory. `child` neither allocates nor unwinds.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity()).cast::<c_void>();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        libc::clone(child, top, flags, std::ptr::from_mut(plan).cast())
    };
    if pid < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Pid::from_raw(pid).ok_or_else(|| std::io::Error::other("clone gave no pid"))
}

extern "C" fn child(plan: *mut c_void) -> c_int {
    #[expect(unsafe_code, reason = "plain system calls between clone and exec")]
    // SAFETY: `plan` is the Plan of `spawn`, whose thread stands still; all its pointers are to live, NUL-terminated
    // strings and NULL-terminated lists. The account is changed by the calls themselves, not by libc's wrappers, which
    // would look for other threads.
    unsafe {
        let plan = &mut *plan.cast::<Plan>();
        let step = become_program(plan);
        plan.failed = Some((step, *libc::__errno_location()));
        libc::_exit(127)
    }
}

/// Comes back only when a step failed; `errno` says why.
#[expect(unsafe_code, reason = "plain system calls between clone and exec")]
unsafe fn become_program(plan: &Plan) -> Step {
    // SAFETY: see `child`.
    unsafe {
        if libc::setsid() < 0 {
            return Step::Session;
        }
        if libc::dup2(plan.out, 1) < 0 || libc::dup2(plan.err, 2) < 0 {
            return Step::Output;
        }
        if let Some(account) = &plan.account {
            let groups = account.groups.as_ptr();
            if libc::syscall(libc::SYS_setgroups, account.groups.len(), groups) < 0
                || libc::syscall(libc::SYS_setresgid, account.gid, account.gid, account.gid) < 0
                || libc::syscall(libc::SYS_setresuid, account.uid, account.uid, account.uid) < 0
            {
                return Step::Account;
            }
        }
        if libc::chdir(plan.dir.as_ptr()) < 0 {
            return Step::Folder;
        }
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        let mut refused = false;
        for path in &plan.paths {
            libc::execve(path.as_ptr(), plan.argv.as_ptr(), plan.env.as_ptr());
            match *libc::__errno_location() {
                libc::EACCES => refused = true,
                libc::ENOENT | libc::ENOTDIR => {}
                _ => return Step::Exec,
            }
        }
        // As the shell has it: one that may not be run is the better answer than one that is not there.
        if refused {
            *libc::__errno_location() = libc::EACCES;
        }
        Step::Exec
    }
}

fn reason(step: Step, errno: i32, program: &str, dir: &Path, user: Option<&str>) -> String {
    let system = std::io::Error::from_raw_os_error(errno);
    let there = dir.join(program).exists();
    match (step, errno) {
        (Step::Folder, libc::ENOENT) => format!("no such folder `{}`", dir.display()),
        (Step::Folder, libc::ENOTDIR) => format!("`{}` is not a folder", dir.display()),
        (Step::Folder, _) => format!("folder `{}`: {system}", dir.display()),
        (Step::Exec, _) if program.is_empty() => "the command is empty".to_owned(),
        (Step::Exec, libc::ENOENT | libc::ENOTDIR) if program.contains('/') && there => {
            format!("`{program}`: the interpreter that its first line names is missing")
        }
        (Step::Exec, libc::ENOENT | libc::ENOTDIR) => format!("no such program `{program}`"),
        (Step::Exec, libc::EACCES) => format!("`{program}` is not executable"),
        (Step::Exec, libc::ENOEXEC) => {
            format!(
                "`{program}` is not executable: neither a binary of this machine nor a script that begins with #!"
            )
        }
        (Step::Exec, libc::E2BIG) => "arguments and environment are too long".to_owned(),
        (Step::Exec, _) => format!("`{program}`: {system}"),
        (Step::Account, _) => format!("user `{}`: {system}", user.unwrap_or_default()),
        (Step::Session | Step::Output, _) => format!("no session or output for it: {system}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_looked_for_in_the_path_of_the_job() {
        assert_eq!(candidates("x", Some("/a::b")), ["/a/x", "./x", "b/x"]);
        assert_eq!(candidates("./x", Some("/a")), ["./x"]);
        assert_eq!(candidates("x", None).last().unwrap(), "/bin/x");
    }

    #[test]
    fn a_worker_is_told_its_task_and_where_to_write() {
        let task = crate::wire::Task::WaitFile {
            path: "/in".into(),
            stable: crate::types::Span::seconds(1),
            every: crate::types::Span::seconds(1),
            limit: crate::types::Span::seconds(1),
        };
        let program = Program::Worker(Box::new(task));
        let attempt: crate::types::AttemptId = "a@b#1/c/1".parse().unwrap();
        let places = Places::of(Path::new("/d"), &attempt);
        assert_eq!(
            words(&program, &places),
            ["nightrun", "__worker", "/d/spool/a@b#1~c~1/task.json"]
        );
        let start = Start {
            attempt,
            program,
            env: [("A".to_owned(), "1".to_owned())].into(),
            dir: "/".into(),
            user: None,
            time_limit: None,
            grace: crate::types::Span::seconds(1),
            output_limit: 0,
            success_line: None,
            survivors: crate::definition::site::Survivors::Kill,
            copy: false,
        };
        let folder = "/d/spool/a@b#1~c~1";
        assert_eq!(
            environment(&start, &places),
            [
                "A=1".to_owned(),
                format!("NIGHTRUN_OUT={folder}/values"),
                format!("NIGHTRUN_STEPS={folder}/steps.jsonl"),
                format!("NIGHTRUN_WORK_RESULT={folder}/work.json"),
            ]
        );
    }
}

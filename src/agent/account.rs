//! The account that a job runs as.

use std::ffi::CString;

/// An account to become: only root can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
}

/// The account to become for a job that names `user`; `None` where the agent's own is meant. The error says why it may
/// not be, for an operator.
pub(super) fn resolve(user: Option<&str>, allowed: &[String]) -> Result<Option<Account>, String> {
    let Some(user) = user else { return Ok(None) };
    let own = rustix::process::geteuid();
    let account = look_up(user).ok_or_else(|| format!("no such user `{user}` on this host"))?;
    if account.uid == own.as_raw() {
        return Ok(None);
    }
    if !allowed.iter().any(|name| name == user) {
        return Err(format!(
            "user `{user}` is not allowed on this host: add it to the file `allowed-users` in the agent's folder (`agent` in the state folder)"
        ));
    }
    if !own.is_root() {
        return Err(format!("only an agent that is root can become `{user}`"));
    }
    Ok(Some(account))
}

fn look_up(user: &str) -> Option<Account> {
    let name = CString::new(user).ok()?;
    let mut buffer: Vec<libc::c_char> = vec![0; 64 * 1024];
    #[expect(unsafe_code, reason = "the account database is only in libc")]
    // SAFETY: all pointers are to live locals of the lengths that are given with them; `entry` is read only where the
    // call has set `found`, and its strings are not used after `buffer`.
    unsafe {
        let mut entry: libc::passwd = std::mem::zeroed();
        let mut found: *mut libc::passwd = std::ptr::null_mut();
        let failed = libc::getpwnam_r(
            name.as_ptr(),
            &raw mut entry,
            buffer.as_mut_ptr(),
            buffer.len(),
            &raw mut found,
        );
        if failed != 0 || found.is_null() {
            return None;
        }
        let mut groups: Vec<libc::gid_t> = vec![0; 1024];
        let mut count = groups.len() as libc::c_int;
        let known =
            libc::getgrouplist(name.as_ptr(), entry.pw_gid, groups.as_mut_ptr(), &raw mut count);
        if known < 0 {
            return None;
        }
        groups.truncate(count as usize);
        Some(Account { uid: entry.pw_uid, gid: entry.pw_gid, groups })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_allowed_user_that_exists_is_become() {
        assert_eq!(resolve(None, &[]), Ok(None));
        assert!(resolve(Some("no-such-user"), &[]).unwrap_err().contains("no such user"));
        let root = rustix::process::geteuid().is_root();
        if root {
            assert_eq!(resolve(Some("root"), &[]), Ok(None));
        }
        assert!(resolve(Some("nobody"), &[]).unwrap_err().contains("`nobody` is not allowed"));
        let allowed = resolve(Some("nobody"), &["nobody".to_owned()]);
        assert_eq!(allowed.is_ok(), root, "{allowed:?}");
    }
}

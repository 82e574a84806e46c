//! Accounts of the host.

use std::ffi::CStr;

/// The name of an account, by whatever the host knows accounts from; `uid-N` for one without a name.
pub fn name_of(uid: u32) -> String {
    let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut found: *mut libc::passwd = std::ptr::null_mut();
    #[expect(
        unsafe_code,
        reason = "getpwuid_r has no safe form; directories other than /etc/passwd need it"
    )]
    // SAFETY: every pointer is to memory of ours that outlives the call, with its true length; `entry` is read only when
    // `found` says that it was filled, and the name that it points to lies in `buffer`.
    let name = unsafe {
        let failed = libc::getpwuid_r(
            uid,
            entry.as_mut_ptr(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            &raw mut found,
        );
        (failed == 0 && !found.is_null())
            .then(|| CStr::from_ptr((*found).pw_name).to_string_lossy().into_owned())
    };
    name.unwrap_or_else(|| format!("uid-{uid}"))
}

/// The account that this process runs as.
pub fn own() -> (u32, String) {
    let uid = rustix::process::geteuid().as_raw();
    (uid, name_of(uid))
}

#[cfg(test)]
mod tests {
    #[test]
    fn root_has_its_name_and_nobody_else_has_none() {
        assert_eq!(super::name_of(0), "root");
        assert_eq!(super::name_of(3_999_999_999), "uid-3999999999");
    }
}

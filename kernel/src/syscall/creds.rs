//! User and group ids (`credentials(7)`).

use core::sync::atomic::Ordering;

use super::Cx;
use crate::error::*;
use crate::task::user_ns::UserNamespace;
use crate::task::{Capability, Credentials};
use crate::user;

/// "Leave it as it is."
const KEEP: u32 = u32::MAX;

/// getuid(2)
pub fn sys_getuid(cx: &Cx<'_>) -> Result<usize> {
    let c = cx.thread.creds();
    Ok(c.user.uid_out(c.uid) as usize)
}

/// geteuid(2)
pub fn sys_geteuid(cx: &Cx<'_>) -> Result<usize> {
    let c = cx.thread.creds();
    Ok(c.user.uid_out(c.euid) as usize)
}

/// getgid(2)
pub fn sys_getgid(cx: &Cx<'_>) -> Result<usize> {
    let c = cx.thread.creds();
    Ok(c.user.gid_out(c.gid) as usize)
}

/// getegid(2)
pub fn sys_getegid(cx: &Cx<'_>) -> Result<usize> {
    let c = cx.thread.creds();
    Ok(c.user.gid_out(c.egid) as usize)
}

/// Changes the caller's credentials. Where its ids of file access change, or it may do more than before, it is no longer open to others (`PR_SET_DUMPABLE`)
/// and its parent's death is no longer told.
pub(super) fn change(cx: &Cx<'_>, f: impl FnOnce(&mut Credentials) -> Result) -> Result<usize> {
    let before = cx.thread.creds();
    let mut creds = (*before).clone();
    f(&mut creds)?;
    let ids = |c: &Credentials| (c.euid, c.egid, c.fsuid, c.fsgid);
    if ids(&creds) != ids(&before) || !creds.caps.permitted.is_subset(before.caps.permitted) {
        cx.process.dumpable.store(false, Ordering::Relaxed);
        cx.process.parent_death_signal.store(0, Ordering::Relaxed);
    }
    cx.thread.set_creds(creds);
    Ok(0)
}

/// As [`change`], of user ids: with what that means for the capabilities.
fn change_user(cx: &Cx<'_>, f: impl FnOnce(&mut Credentials) -> Result) -> Result<usize> {
    change(cx, |c| {
        let before = c.ids();
        f(c)?;
        c.caps = c.caps.after_ids(before, c.ids());
        Ok(())
    })
}

/// setuid(2)
pub fn sys_setuid(cx: &Cx<'_>, uid: u32) -> Result<usize> {
    let uid = cx.thread.creds().user.uid_in(uid).ok_or(EINVAL)?;
    change_user(cx, |c| {
        if c.has_own(Capability::SETUID) {
            c.uid = uid;
            c.suid = uid;
        } else if uid != c.uid && uid != c.suid {
            return Err(EPERM);
        }
        c.euid = uid;
        c.fsuid = uid;
        Ok(())
    })
}

/// setgid(2)
pub fn sys_setgid(cx: &Cx<'_>, gid: u32) -> Result<usize> {
    let gid = cx.thread.creds().user.gid_in(gid).ok_or(EINVAL)?;
    change(cx, |c| {
        if c.has_own(Capability::SETGID) {
            c.gid = gid;
            c.sgid = gid;
        } else if gid != c.gid && gid != c.sgid {
            return Err(EPERM);
        }
        c.egid = gid;
        c.fsgid = gid;
        Ok(())
    })
}

/// Ids that were given, as the kernel knows them.
///
/// # Errors
/// `EINVAL` for what stands for nothing in the caller's user namespace.
fn given<const N: usize>(cx: &Cx<'_>, ids: [u32; N], known: fn(&UserNamespace, u32) -> Option<u32>) -> Result<[u32; N]> {
    let user = cx.thread.creds().user.clone();
    let mut given = [KEEP; N];
    for (to, id) in given.iter_mut().zip(ids).filter(|(_, id)| *id != KEEP) {
        *to = known(&user, id).ok_or(EINVAL)?;
    }
    Ok(given)
}

/// setreuid(2)
pub fn sys_setreuid(cx: &Cx<'_>, real: u32, effective: u32) -> Result<usize> {
    let [real, effective] = given(cx, [real, effective], UserNamespace::uid_in)?;
    change_user(cx, |c| {
        let old = c.clone();
        if real != KEEP {
            if !old.has_own(Capability::SETUID) && real != old.uid && real != old.euid {
                return Err(EPERM);
            }
            c.uid = real;
        }
        if effective != KEEP {
            if !old.has_own(Capability::SETUID) && ![old.uid, old.euid, old.suid].contains(&effective) {
                return Err(EPERM);
            }
            c.euid = effective;
        }
        if real != KEEP || (effective != KEEP && effective != old.uid) {
            c.suid = c.euid;
        }
        c.fsuid = c.euid;
        Ok(())
    })
}

/// setregid(2)
pub fn sys_setregid(cx: &Cx<'_>, real: u32, effective: u32) -> Result<usize> {
    let [real, effective] = given(cx, [real, effective], UserNamespace::gid_in)?;
    change(cx, |c| {
        let old = c.clone();
        if real != KEEP {
            if !old.has_own(Capability::SETGID) && real != old.gid && real != old.egid {
                return Err(EPERM);
            }
            c.gid = real;
        }
        if effective != KEEP {
            if !old.has_own(Capability::SETGID) && ![old.gid, old.egid, old.sgid].contains(&effective) {
                return Err(EPERM);
            }
            c.egid = effective;
        }
        if real != KEEP || (effective != KEEP && effective != old.gid) {
            c.sgid = c.egid;
        }
        c.fsgid = c.egid;
        Ok(())
    })
}

/// setresuid(2)
pub fn sys_setresuid(cx: &Cx<'_>, real: u32, effective: u32, saved: u32) -> Result<usize> {
    let [real, effective, saved] = given(cx, [real, effective, saved], UserNamespace::uid_in)?;
    change_user(cx, |c| {
        let allowed = [c.uid, c.euid, c.suid];
        let privileged = c.has_own(Capability::SETUID);
        for (slot, id) in [(&mut c.uid, real), (&mut c.euid, effective), (&mut c.suid, saved)] {
            if id != KEEP {
                if !privileged && !allowed.contains(&id) {
                    return Err(EPERM);
                }
                *slot = id;
            }
        }
        c.fsuid = c.euid;
        Ok(())
    })
}

/// setresgid(2)
pub fn sys_setresgid(cx: &Cx<'_>, real: u32, effective: u32, saved: u32) -> Result<usize> {
    let [real, effective, saved] = given(cx, [real, effective, saved], UserNamespace::gid_in)?;
    change(cx, |c| {
        let allowed = [c.gid, c.egid, c.sgid];
        let privileged = c.has_own(Capability::SETGID);
        for (slot, id) in [(&mut c.gid, real), (&mut c.egid, effective), (&mut c.sgid, saved)] {
            if id != KEEP {
                if !privileged && !allowed.contains(&id) {
                    return Err(EPERM);
                }
                *slot = id;
            }
        }
        c.fsgid = c.egid;
        Ok(())
    })
}

/// getresuid(2)
pub fn sys_getresuid(cx: &Cx<'_>, real: usize, effective: usize, saved: usize) -> Result<usize> {
    let c = cx.thread.creds();
    user::write(real, &c.user.uid_out(c.uid))?;
    user::write(effective, &c.user.uid_out(c.euid))?;
    user::write(saved, &c.user.uid_out(c.suid))?;
    Ok(0)
}

/// getresgid(2)
pub fn sys_getresgid(cx: &Cx<'_>, real: usize, effective: usize, saved: usize) -> Result<usize> {
    let c = cx.thread.creds();
    user::write(real, &c.user.gid_out(c.gid))?;
    user::write(effective, &c.user.gid_out(c.egid))?;
    user::write(saved, &c.user.gid_out(c.sgid))?;
    Ok(0)
}

/// setfsuid(2): returns the old id, whether it worked or not.
pub fn sys_setfsuid(cx: &Cx<'_>, uid: u32) -> Result<usize> {
    let before = cx.thread.creds();
    let old = before.user.uid_out(before.fsuid);
    let Some(uid) = before.user.uid_in(uid) else { return Ok(old as usize) };
    change(cx, |c| {
        if c.has_own(Capability::SETUID) || [c.uid, c.euid, c.suid, c.fsuid].contains(&uid) {
            c.caps = c.caps.after_fsuid(c.relabelled(c.fsuid), c.relabelled(uid));
            c.fsuid = uid;
        }
        Ok(())
    })?;
    Ok(old as usize)
}

/// setfsgid(2)
pub fn sys_setfsgid(cx: &Cx<'_>, gid: u32) -> Result<usize> {
    let before = cx.thread.creds();
    let old = before.user.gid_out(before.fsgid);
    let Some(gid) = before.user.gid_in(gid) else { return Ok(old as usize) };
    change(cx, |c| {
        if c.has_own(Capability::SETGID) || [c.gid, c.egid, c.sgid, c.fsgid].contains(&gid) {
            c.fsgid = gid;
        }
        Ok(())
    })?;
    Ok(old as usize)
}

/// Most supplementary groups.
const NGROUPS_MAX: i32 = 65_536;

/// getgroups(2)
pub fn sys_getgroups(cx: &Cx<'_>, size: i32, list: usize) -> Result<usize> {
    let creds = cx.thread.creds();
    let count = creds.groups.len();
    if size < 0 {
        return Err(EINVAL);
    }
    if size == 0 {
        return Ok(count);
    }
    if (size as usize) < count {
        return Err(EINVAL);
    }
    for (i, group) in creds.groups.iter().enumerate() {
        user::write(list.checked_add(i * 4).ok_or(EFAULT)?, &creds.user.gid_out(*group))?;
    }
    Ok(count)
}

/// setgroups(2)
pub fn sys_setgroups(cx: &Cx<'_>, size: i32, list: usize) -> Result<usize> {
    let creds = cx.thread.creds();
    if !creds.has_own(Capability::SETGID) || !creds.user.may_set_groups() {
        return Err(EPERM);
    }
    if !(0..=NGROUPS_MAX).contains(&size) {
        return Err(EINVAL);
    }
    let given = user::read_vec::<u32>(list, size as usize)?;
    let mut groups = given.into_iter().map(|gid| creds.user.gid_in(gid)).collect::<Option<alloc::vec::Vec<_>>>().ok_or(EINVAL)?;
    // getgroups(2) gives them in order.
    groups.sort_unstable();
    change(cx, |c| {
        c.groups = groups;
        Ok(())
    })
}

//! User and group ids (`credentials(7)`).

use core::sync::atomic::Ordering;

use super::Cx;
use crate::error::*;
use crate::task::{Capability, Credentials};
use crate::user;

/// "Leave it as it is."
const KEEP: u32 = u32::MAX;

/// getuid(2)
pub fn sys_getuid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.thread.creds().uid as usize)
}

/// geteuid(2)
pub fn sys_geteuid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.thread.creds().euid as usize)
}

/// getgid(2)
pub fn sys_getgid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.thread.creds().gid as usize)
}

/// getegid(2)
pub fn sys_getegid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.thread.creds().egid as usize)
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
    if uid == KEEP {
        return Err(EINVAL);
    }
    change_user(cx, |c| {
        if c.has(Capability::SETUID) {
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
    if gid == KEEP {
        return Err(EINVAL);
    }
    change(cx, |c| {
        if c.has(Capability::SETGID) {
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

/// setreuid(2)
pub fn sys_setreuid(cx: &Cx<'_>, real: u32, effective: u32) -> Result<usize> {
    change_user(cx, |c| {
        let old = c.clone();
        if real != KEEP {
            if !old.has(Capability::SETUID) && real != old.uid && real != old.euid {
                return Err(EPERM);
            }
            c.uid = real;
        }
        if effective != KEEP {
            if !old.has(Capability::SETUID) && ![old.uid, old.euid, old.suid].contains(&effective) {
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
    change(cx, |c| {
        let old = c.clone();
        if real != KEEP {
            if !old.has(Capability::SETGID) && real != old.gid && real != old.egid {
                return Err(EPERM);
            }
            c.gid = real;
        }
        if effective != KEEP {
            if !old.has(Capability::SETGID) && ![old.gid, old.egid, old.sgid].contains(&effective) {
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
    change_user(cx, |c| {
        let allowed = [c.uid, c.euid, c.suid];
        let privileged = c.has(Capability::SETUID);
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
    change(cx, |c| {
        let allowed = [c.gid, c.egid, c.sgid];
        let privileged = c.has(Capability::SETGID);
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
    user::write(real, &c.uid)?;
    user::write(effective, &c.euid)?;
    user::write(saved, &c.suid)?;
    Ok(0)
}

/// getresgid(2)
pub fn sys_getresgid(cx: &Cx<'_>, real: usize, effective: usize, saved: usize) -> Result<usize> {
    let c = cx.thread.creds();
    user::write(real, &c.gid)?;
    user::write(effective, &c.egid)?;
    user::write(saved, &c.sgid)?;
    Ok(0)
}

/// setfsuid(2): returns the old id, whether it worked or not.
pub fn sys_setfsuid(cx: &Cx<'_>, uid: u32) -> Result<usize> {
    let old = cx.thread.creds().fsuid;
    change(cx, |c| {
        if uid != KEEP && (c.has(Capability::SETUID) || [c.uid, c.euid, c.suid, c.fsuid].contains(&uid)) {
            c.caps = c.caps.after_fsuid(c.fsuid, uid);
            c.fsuid = uid;
        }
        Ok(())
    })?;
    Ok(old as usize)
}

/// setfsgid(2)
pub fn sys_setfsgid(cx: &Cx<'_>, gid: u32) -> Result<usize> {
    let old = cx.thread.creds().fsgid;
    change(cx, |c| {
        if gid != KEEP && (c.has(Capability::SETGID) || [c.gid, c.egid, c.sgid, c.fsgid].contains(&gid)) {
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
        user::write(list + i * 4, group)?;
    }
    Ok(count)
}

/// setgroups(2)
pub fn sys_setgroups(cx: &Cx<'_>, size: i32, list: usize) -> Result<usize> {
    if !cx.thread.has(Capability::SETGID) {
        return Err(EPERM);
    }
    if !(0..=NGROUPS_MAX).contains(&size) {
        return Err(EINVAL);
    }
    let mut groups = user::read_vec::<u32>(list, size as usize)?;
    // getgroups(2) gives them in order.
    groups.sort_unstable();
    change(cx, |c| {
        c.groups = groups;
        Ok(())
    })
}

//! User and group ids (`credentials(7)`), capabilities.

use super::Cx;
use crate::error::*;
use crate::task::Credentials;
use crate::user;

/// "Leave it as it is."
const KEEP: u32 = u32::MAX;

/// getuid(2)
pub fn sys_getuid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.process.creds().uid as usize)
}

/// geteuid(2)
pub fn sys_geteuid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.process.creds().euid as usize)
}

/// getgid(2)
pub fn sys_getgid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.process.creds().gid as usize)
}

/// getegid(2)
pub fn sys_getegid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.process.creds().egid as usize)
}

fn change(cx: &Cx<'_>, f: impl FnOnce(&mut Credentials) -> Result) -> Result<usize> {
    let before = cx.process.creds();
    let mut creds = (*before).clone();
    f(&mut creds)?;
    creds.user_ids_changed(&before);
    cx.process.set_creds(creds);
    Ok(0)
}

/// setuid(2)
pub fn sys_setuid(cx: &Cx<'_>, uid: u32) -> Result<usize> {
    if uid == KEEP {
        return Err(EINVAL);
    }
    change(cx, |c| {
        if c.privileged() {
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
        if c.privileged() {
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
    change(cx, |c| {
        let old = c.clone();
        if real != KEEP {
            if !old.privileged() && real != old.uid && real != old.euid {
                return Err(EPERM);
            }
            c.uid = real;
        }
        if effective != KEEP {
            if !old.privileged() && ![old.uid, old.euid, old.suid].contains(&effective) {
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
            if !old.privileged() && real != old.gid && real != old.egid {
                return Err(EPERM);
            }
            c.gid = real;
        }
        if effective != KEEP {
            if !old.privileged() && ![old.gid, old.egid, old.sgid].contains(&effective) {
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
    change(cx, |c| {
        let allowed = [c.uid, c.euid, c.suid];
        let privileged = c.privileged();
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
        let privileged = c.privileged();
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
    let c = cx.process.creds();
    user::write(real, &c.uid)?;
    user::write(effective, &c.euid)?;
    user::write(saved, &c.suid)?;
    Ok(0)
}

/// getresgid(2)
pub fn sys_getresgid(cx: &Cx<'_>, real: usize, effective: usize, saved: usize) -> Result<usize> {
    let c = cx.process.creds();
    user::write(real, &c.gid)?;
    user::write(effective, &c.egid)?;
    user::write(saved, &c.sgid)?;
    Ok(0)
}

/// setfsuid(2): returns the old id, whether it worked or not.
pub fn sys_setfsuid(cx: &Cx<'_>, uid: u32) -> Result<usize> {
    let old = cx.process.creds().fsuid;
    change(cx, |c| {
        if uid != KEEP && (c.privileged() || [c.uid, c.euid, c.suid, c.fsuid].contains(&uid)) {
            c.fsuid = uid;
        }
        Ok(())
    })?;
    Ok(old as usize)
}

/// setfsgid(2)
pub fn sys_setfsgid(cx: &Cx<'_>, gid: u32) -> Result<usize> {
    let old = cx.process.creds().fsgid;
    change(cx, |c| {
        if gid != KEEP && (c.privileged() || [c.gid, c.egid, c.sgid, c.fsgid].contains(&gid)) {
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
    let creds = cx.process.creds();
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
    if !cx.process.creds().privileged() {
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

/// _LINUX_CAPABILITY_VERSION_3
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;
/// All 41 capabilities of Linux 6.1.
const ALL_CAPABILITIES: u64 = (1 << 41) - 1;

/// capget(2): the sets follow the user id.
pub fn sys_capget(cx: &Cx<'_>, header: usize, data: usize) -> Result<usize> {
    let [version, pid]: [u32; 2] = user::read(header)?;
    if version != CAPABILITY_VERSION_3 {
        user::write(header, &CAPABILITY_VERSION_3)?;
        return if data == 0 { Ok(0) } else { Err(EINVAL) };
    }
    if data == 0 {
        return Ok(0);
    }
    let creds = if pid == 0 { cx.process.creds() } else { crate::task::process::find(pid).ok_or(ESRCH)?.creds() };
    let set = |has: bool| if has { ALL_CAPABILITIES } else { 0 };
    let permitted = set(creds.uid == 0 || creds.euid == 0 || creds.suid == 0 || creds.permitted_caps);
    let effective = set(creds.privileged());
    user::write(data, &[effective as u32, permitted as u32, 0, (effective >> 32) as u32, (permitted >> 32) as u32, 0u32])?;
    Ok(0)
}

/// capset(2): only what the user id implies can be set.
pub fn sys_capset(cx: &Cx<'_>, header: usize, data: usize) -> Result<usize> {
    let [version, pid]: [u32; 2] = user::read(header)?;
    if version != CAPABILITY_VERSION_3 {
        user::write(header, &CAPABILITY_VERSION_3)?;
        return Err(EINVAL);
    }
    if pid != 0 && pid != cx.process.pid {
        return Err(EPERM);
    }
    let wanted: [u32; 6] = user::read(data)?;
    let creds = cx.process.creds();
    let [effective, permitted, _, effective_high, permitted_high, _] = wanted;
    let has = creds.uid == 0 || creds.euid == 0 || creds.suid == 0 || creds.permitted_caps;
    if wanted.iter().any(|w| *w != 0) && !has {
        return Err(EPERM);
    }
    change(cx, |c| {
        c.permitted_caps = c.permitted_caps && (permitted | permitted_high) != 0;
        c.effective_caps = c.permitted_caps && (effective | effective_high) != 0;
        Ok(())
    })
}

//! `landlock_create_ruleset(2)`, `landlock_add_rule(2)`, `landlock_restrict_self(2)`.

use core::sync::atomic::Ordering;

use call_flags::names;

use super::Cx;
use crate::error::*;
use crate::fs::landlock::{ABI, AccessFs, Domain, OF_FILES, Ruleset};
use crate::fs::{FdFlags, OpenFile, OpenFlags};
use crate::mm::PAGE;
use crate::task::{Capability, Credentials};
use crate::user;

const CREATE_RULESET_VERSION: u32 = 1;

fn access(bits: u64) -> Result<AccessFs> {
    names::LANDLOCK_ACCESS.check(bits)?;
    Ok(AccessFs::from_bits_truncate(bits))
}

/// landlock_create_ruleset(2)
pub fn sys_landlock_create_ruleset(cx: &Cx<'_>, attr: usize, size: usize, flags: u32) -> Result<usize> {
    names::LANDLOCK_CREATE_RULESET.check(flags)?;
    if flags & CREATE_RULESET_VERSION != 0 {
        return if attr == 0 && size == 0 { Ok(ABI) } else { Err(EINVAL) };
    }
    // struct landlock_ruleset_attr; later versions have more, which must be zero.
    if attr == 0 {
        return Err(EFAULT);
    }
    if size < 8 {
        return Err(EINVAL);
    }
    if size > PAGE || user::read_vec::<u8>(attr + 8, size - 8)?.iter().any(|byte| *byte != 0) {
        return Err(E2BIG);
    }
    let handled = access(user::read(attr)?)?;
    if handled.is_empty() {
        return Err(ENOMSG);
    }
    let file = OpenFile::new(Ruleset::new(handled), OpenFlags::RDWR);
    cx.process.files().insert(file, FdFlags::CLOEXEC).map(|fd| fd as usize)
}

/// landlock_add_rule(2)
pub fn sys_landlock_add_rule(cx: &Cx<'_>, ruleset: i32, kind: u32, attr: usize, flags: u32) -> Result<usize> {
    names::LANDLOCK_ADD_RULE.check(flags)?;
    let file = cx.process.files().get_real(ruleset)?;
    let ruleset = file.downcast::<Ruleset>().ok_or(EBADFD)?;
    names::LANDLOCK_RULE.check(kind)?;
    // struct landlock_path_beneath_attr, packed.
    let bits: u64 = user::read(attr)?;
    let parent: i32 = user::read(attr + 8)?;
    if bits == 0 {
        return Err(ENOMSG);
    }
    let allowed = AccessFs::from_bits(bits).filter(|allowed| ruleset.handled().contains(*allowed)).ok_or(EINVAL)?;
    let place = cx.process.files().get(parent)?;
    // What is in no tree has no place.
    let place = place.path.clone().filter(|place| place.dentry.parent().is_some() || alloc::sync::Arc::ptr_eq(&place.dentry, &place.mount.root)).ok_or(EBADFD)?;
    if !place.dentry.is_dir() && !OF_FILES.contains(allowed) {
        return Err(EINVAL);
    }
    ruleset.allow(&place, allowed);
    Ok(0)
}

/// landlock_restrict_self(2)
pub fn sys_landlock_restrict_self(cx: &Cx<'_>, ruleset: i32, flags: u32) -> Result<usize> {
    if !cx.process.no_new_privs.load(Ordering::Relaxed) && !cx.thread.has_own(Capability::SYS_ADMIN) {
        return Err(EPERM);
    }
    names::LANDLOCK_RESTRICT_SELF.check(flags)?;
    let file = cx.process.files().get_real(ruleset)?;
    let ruleset = file.downcast::<Ruleset>().ok_or(EBADFD)?;
    let creds = cx.thread.creds();
    let domain = Some(Domain::with(creds.domain.as_deref(), ruleset)?);
    cx.thread.set_creds(Credentials { domain, ..(*creds).clone() });
    Ok(0)
}

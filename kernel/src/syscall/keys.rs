//! `add_key(2)`, `request_key(2)`, `keyctl(2)`: keys and rings.

use alloc::sync::Arc;
use alloc::vec::Vec;

use call_flags::keys as sets;

use super::Cx;
use crate::error::*;
use crate::mm::PAGE;
use crate::task::keys::quota::Quota;
use crate::task::keys::{self, Asker, Found, Index, Key, Kind, Need, Permissions, search, users};
use crate::task::Capability;
use crate::task::user_ns::OVERFLOW_ID;
use crate::user;

/// Longest name of a kind, with the NUL.
const KIND_MAX: usize = 32;
/// Longest name of a key, with the NUL.
const NAME_MAX: usize = 4096;
/// Longest content.
const CONTENT_MAX: usize = (1 << 20) - 1;
/// Longest content for KEYCTL_UPDATE.
const UPDATE_MAX: usize = PAGE;

/// The name of a kind of key.
fn kind_name(addr: usize) -> Result<Vec<u8>> {
    let too_long = |error| if error == ENAMETOOLONG { EINVAL } else { error };
    let name = user::read_cstr(addr, KIND_MAX).map_err(too_long)?;
    match name.first() {
        None => Err(EINVAL),
        // The kernel's own.
        Some(b'.') => Err(EPERM),
        Some(_) => Ok(name),
    }
}

/// A string of at most a page.
fn text(addr: usize) -> Result<Vec<u8>> {
    user::read_cstr(addr, NAME_MAX).map_err(|error| if error == ENAMETOOLONG { EINVAL } else { error })
}

/// What is looked for: kinds that are not there give this error.
fn index(kind: &[u8], name: Vec<u8>, unknown: Errno) -> Result<Index> {
    Ok(Index { kind: Kind::named(kind).ok_or(unknown)?, name: name.into() })
}

/// Gives `bytes` where there is room for all of them.
fn give(bytes: &[u8], buf: usize, len: usize) -> Result<usize> {
    if buf != 0 && len >= bytes.len() {
        frame::user::copy_to_user(buf as u64, bytes)?;
    }
    Ok(bytes.len())
}

/// add_key(2)
pub fn sys_add_key(cx: &Cx<'_>, kind: usize, name: usize, content: usize, len: usize, ring: i32) -> Result<usize> {
    if len > CONTENT_MAX {
        return Err(EINVAL);
    }
    let kind = kind_name(kind)?;
    let name = if name == 0 { Vec::new() } else { text(name)? };
    if name.first() == Some(&b'.') && kind.starts_with(b"keyring") {
        return Err(EPERM);
    }
    let content = user::read_bytes(content, len)?;
    keys::collect();
    let asker = Asker::new(cx.thread);
    let ring = asker.with(ring, true, Permissions::WRITE)?;
    let index = index(&kind, name, ENODEV)?;
    if !ring.key.is_ring() {
        return Err(ENOTDIR);
    }
    index.kind.check_content(&content)?;
    index.kind.check_name(&index.name)?;
    ring.key.check_takes_links()?;
    if let Some(there) = ring.key.link(&index).filter(|key| !key.is_ring() && !matches!(key.check(), Err(ENOKEY | EKEYREVOKED))) {
        let there = Found { key: there, is_possessed: ring.is_possessed };
        there.check(&asker.creds, Permissions::WRITE)?;
        there.key.set_bytes(content)?;
        return Ok(there.key.serial as usize);
    }
    let (kind, owner) = (index.kind, (asker.creds.fsuid, Some(asker.creds.fsgid)));
    let key = Key::new(index, &asker.creds, owner, kind.permissions(), content, Quota::Counted)?;
    ring.key.add_link(&key)?;
    Ok(key.serial as usize)
}

/// request_key(2): what is not there is not asked for.
pub fn sys_request_key(cx: &Cx<'_>, kind: usize, name: usize, callout: usize, ring: i32) -> Result<usize> {
    let kind = kind_name(kind)?;
    let name = text(name)?;
    if callout != 0 {
        text(callout)?;
    }
    let asker = Asker::new(cx.thread);
    let to = if ring == 0 { None } else { Some(asker.with(ring, true, Permissions::WRITE)?) };
    let index = index(&kind, name, ENOKEY)?;
    let found = asker.request(&index).map_err(|error| if error == EAGAIN { ENOKEY } else { error })?;
    link_to(&asker, &found, to)
}

/// Links a key that was found to the ring that it is wanted in; its number.
fn link_to(asker: &Asker<'_>, found: &Found, to: Option<Found>) -> Result<usize> {
    if let Some(to) = to {
        found.check(&asker.creds, Permissions::LINK)?;
        to.key.add_link(&found.key)?;
    }
    Ok(found.key.serial as usize)
}

/// keyctl(2)
pub fn sys_keyctl(cx: &Cx<'_>, operation: u32, a: usize, b: usize, c: usize, d: usize) -> Result<usize> {
    sets::KEYCTL.check(operation)?;
    let asker = &Asker::new(cx.thread);
    // Numbers of keys are `int`s.
    let (id, second, third) = (a as i32, b as i32, c as i32);
    match operation {
        0 => Ok(asker.with(id, second != 0, Permissions::SEARCH)?.key.serial as usize),
        1 => join(asker, a),
        2 => update(asker, id, b, c),
        3 => revoke(asker, id),
        4 => set_owners(asker, id, b as u32, c as u32),
        5 => set_permissions(asker, id, b as u32),
        6 => describe(asker, id, b, c),
        7 => asker.with(id, true, Permissions::WRITE)?.key.remove_links(|_| true).map(|_| 0),
        8 => link(asker, id, second),
        9 => unlink(asker, id, second),
        10 => search(asker, id, b, c, d as i32),
        11 => read(asker, id, b, c),
        14 => set_requests_go_to(asker, id),
        15 => set_timeout(asker, id, b as u32),
        16 => assume_authority(id),
        17 => security_label(asker, id, b, c),
        18 => keys::session_to_parent(asker).map(|()| 0),
        // Nobody has the authority to make a key that another asked for, because nobody is asked.
        19 if !(1..4095).contains(&third) => Err(EINVAL),
        12 | 13 | 19 | 20 => Err(EPERM),
        21 => {
            keys::invalidate(&asker.with(id, false, Permissions::SEARCH)?.key);
            Ok(0)
        }
        22 => persistent(asker, a as u32, second),
        29 => restrict(asker, id, b, c),
        30 => move_link(asker, (id, second, third), d as u32),
        // KEYCTL_CAPABILITIES, as the set has no other.
        _ => capabilities(a, b),
    }
}

fn join(asker: &Asker<'_>, name: usize) -> Result<usize> {
    let name = if name == 0 { None } else { Some(text(name)?) };
    if name.as_ref().is_some_and(|name| name.first() == Some(&b'.')) {
        return Err(EPERM);
    }
    Ok(keys::join_session(asker, name.as_deref())?.serial as usize)
}

fn update(asker: &Asker<'_>, id: i32, content: usize, len: usize) -> Result<usize> {
    if len > UPDATE_MAX {
        return Err(EINVAL);
    }
    let content = user::read_bytes(content, len)?;
    let key = asker.with(id, false, Permissions::WRITE)?.key;
    if key.is_ring() {
        return Err(EOPNOTSUPP);
    }
    key.index.kind.check_content(&content)?;
    key.set_bytes(content)?;
    Ok(0)
}

fn revoke(asker: &Asker<'_>, id: i32) -> Result<usize> {
    let found = match asker.with(id, false, Permissions::WRITE) {
        Err(EACCES) => asker.with(id, false, Permissions::SET_ATTRIBUTES),
        found => found,
    }?;
    found.key.revoke();
    Ok(0)
}

fn set_owners(asker: &Asker<'_>, id: i32, uid: u32, gid: u32) -> Result<usize> {
    const KEEP: u32 = u32::MAX;
    if (uid, gid) == (KEEP, KEEP) {
        return Ok(0);
    }
    let given = |id: u32, known: Option<u32>| if id == KEEP { Ok(None) } else { known.ok_or(EINVAL).map(Some) };
    let new_uid = given(uid, asker.creds.user.uid_in(uid))?;
    let new_gid = given(gid, asker.creds.user.gid_in(gid))?;
    let key = asker.with(id, true, Permissions::SET_ATTRIBUTES)?.key;
    let (old_uid, old_gid, _) = key.attributes();
    let others_user = new_uid.is_some_and(|uid| uid != old_uid);
    let others_group = new_gid.is_some_and(|gid| Some(gid) != old_gid && !asker.creds.in_group(gid));
    if (others_user || others_group) && !asker.creds.has(Capability::SYS_ADMIN) {
        return Err(EACCES);
    }
    key.set_owners(new_uid, new_gid)?;
    Ok(0)
}

fn set_permissions(asker: &Asker<'_>, id: i32, permissions: u32) -> Result<usize> {
    sets::PERMISSIONS.check(permissions)?;
    let key = asker.with(id, true, Permissions::SET_ATTRIBUTES)?.key;
    if key.attributes().0 != asker.creds.fsuid && !asker.creds.has(Capability::SYS_ADMIN) {
        return Err(EACCES);
    }
    key.set_permissions(Permissions::from_bits_retain(permissions));
    Ok(0)
}

fn describe(asker: &Asker<'_>, id: i32, buf: usize, len: usize) -> Result<usize> {
    let key = asker.with(id, false, Permissions::VIEW)?.key;
    let (uid, gid, permissions) = key.attributes();
    let namespace = &asker.creds.user;
    let (uid, gid) = (namespace.uid_out(uid), gid.map_or(OVERFLOW_ID, |gid| namespace.gid_out(gid)));
    let mut text = alloc::format!("{};{uid};{gid};{:08x};", key.index.kind.name(), permissions.bits()).into_bytes();
    text.extend_from_slice(&key.index.name);
    text.push(0);
    give(&text, buf, len)
}

fn link(asker: &Asker<'_>, id: i32, ring: i32) -> Result<usize> {
    let ring = asker.with(ring, true, Permissions::WRITE)?.key;
    let key = asker.with(id, true, Permissions::LINK)?.key;
    ring.add_link(&key)?;
    Ok(0)
}

fn unlink(asker: &Asker<'_>, id: i32, ring: i32) -> Result<usize> {
    let ring = asker.with(ring, false, Permissions::WRITE)?.key;
    let key = asker.find(id, false, Need::Nothing)?.key;
    ring.remove_link(&key)?;
    Ok(0)
}

fn search(asker: &Asker<'_>, ring: i32, kind: usize, name: usize, to: i32) -> Result<usize> {
    let kind = kind_name(kind)?;
    let name = text(name)?;
    let ring = asker.with(ring, false, Permissions::SEARCH)?;
    let to = if to == 0 { None } else { Some(asker.with(to, true, Permissions::WRITE)?) };
    let index = index(&kind, name, ENOKEY)?;
    let found = search::below(&ring, &asker.creds, search::Wanted::Named(&index)).map_err(|error| if error == EAGAIN { ENOKEY } else { error })?;
    link_to(asker, &found, to)
}

fn read(asker: &Asker<'_>, id: i32, buf: usize, len: usize) -> Result<usize> {
    let found = asker.find(id, false, Need::Nothing).map_err(|_| ENOKEY)?;
    if !found.is_possessed {
        found.check(&asker.creds, Permissions::READ)?;
    }
    if found.key.index.kind == Kind::Logon {
        return Err(EOPNOTSUPP);
    }
    found.key.check()?;
    if let Some(bytes) = found.key.bytes() {
        return give(&bytes, buf, len);
    }
    if len % size_of::<i32>() != 0 {
        return Err(EINVAL);
    }
    let serials: Vec<u8> = found.key.links().iter().flat_map(|key| key.serial.to_ne_bytes()).collect();
    give(&serials, buf, len)
}

fn set_requests_go_to(asker: &Asker<'_>, to: i32) -> Result<usize> {
    const NO_CHANGE: i32 = -1;
    sets::REQUESTS_GO_TO.check(to as u32)?;
    if to == 1 || to == 2 {
        asker.find(-to, true, Need::Nothing)?;
    }
    Ok(asker.thread.change_rings(|rings| {
        let old = rings.requests_go_to;
        if to != NO_CHANGE {
            rings.requests_go_to = to;
        }
        old as usize
    }))
}

fn set_timeout(asker: &Asker<'_>, id: i32, seconds: u32) -> Result<usize> {
    asker.with(id, true, Permissions::SET_ATTRIBUTES)?.key.set_timeout(seconds);
    Ok(0)
}

fn assume_authority(id: i32) -> Result<usize> {
    match id {
        0 => Ok(0),
        ..0 => Err(EINVAL),
        _ => Err(ENOKEY),
    }
}

/// There are no labels: an empty string.
fn security_label(asker: &Asker<'_>, id: i32, buf: usize, len: usize) -> Result<usize> {
    asker.with(id, false, Permissions::VIEW)?;
    give(&[0], buf, len)
}

fn persistent(asker: &Asker<'_>, uid: u32, to: i32) -> Result<usize> {
    let creds = &asker.creds;
    let uid = if uid == u32::MAX { creds.uid } else { creds.user.uid_in(uid).ok_or(EINVAL)? };
    if uid != creds.uid && uid != creds.euid && !creds.has_own(Capability::SETUID) {
        return Err(EPERM);
    }
    let to = asker.with(to, true, Permissions::WRITE)?;
    let found = Found { key: users::persistent(creds, uid)?, is_possessed: true };
    link_to(asker, &found, Some(to))
}

fn restrict(asker: &Asker<'_>, id: i32, kind: usize, restriction: usize) -> Result<usize> {
    let ring = asker.with(id, false, Permissions::SET_ATTRIBUTES)?.key;
    match (kind, restriction) {
        (0, 0) => ring.take_no_links().map(|()| 0),
        (0, _) | (_, 0) => Err(EINVAL),
        _ => {
            let kind = kind_name(kind)?;
            text(restriction)?;
            // No kind that there is can tell which keys may be linked.
            Err(if !ring.is_ring() { ENOTDIR } else if Kind::named(&kind).is_some() { ENOENT } else { ENOKEY })
        }
    }
}

fn move_link(asker: &Asker<'_>, (id, from, to): (i32, i32, i32), flags: u32) -> Result<usize> {
    const ONLY_WHERE_THERE_IS_NONE: u32 = 1;
    sets::MOVE.check(flags)?;
    let key = asker.with(id, true, Permissions::LINK)?.key;
    let from = asker.with(from, false, Permissions::WRITE)?.key;
    let to = asker.with(to, true, Permissions::WRITE)?.key;
    if Arc::ptr_eq(&from, &to) {
        return Ok(0);
    }
    if !from.is_ring() || !to.is_ring() {
        return Err(ENOTDIR);
    }
    if !from.link(&key.index).is_some_and(|there| Arc::ptr_eq(&there, &key)) {
        return Err(ENOENT);
    }
    if flags & ONLY_WHERE_THERE_IS_NONE != 0 && to.link(&key.index).is_some() {
        return Err(EEXIST);
    }
    to.add_link(&key)?;
    from.remove_link(&key)?;
    Ok(0)
}

/// What there is besides the operations of the beginning: persistent rings, large keys, KEYCTL_INVALIDATE, _RESTRICT_KEYRING and _MOVE; names of rings count in their user namespace.
const CAPABILITIES: [u8; 2] = [0x01 | 0x02 | 0x10 | 0x20 | 0x40 | 0x80, 0x01];

fn capabilities(buf: usize, len: usize) -> Result<usize> {
    let shown = len.min(CAPABILITIES.len());
    frame::user::copy_to_user(buf as u64, &CAPABILITIES[..shown])?;
    // The rest is what later versions tell.
    let mut at = shown;
    while at < len {
        let part = (len - at).min(PAGE);
        frame::user::copy_to_user(buf.checked_add(at).ok_or(EFAULT)? as u64, &[0; PAGE][..part])?;
        at += part;
    }
    Ok(CAPABILITIES.len())
}

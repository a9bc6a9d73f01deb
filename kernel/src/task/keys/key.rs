//! A key: what it is, who may do what with it, and, where it is a ring, what it links to.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;

use bitflags::bitflags;

use super::quota::{self, Quota};
use super::{MAX_DEPTH, search, table};
use crate::error::*;
use crate::sync::{Mutex, Once, SpinLock};
use crate::task::Credentials;
use crate::task::user_ns::OVERFLOW_ID;

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Links to others.
    Ring,
    /// Bytes.
    User,
    /// Bytes that only the kernel may read, for what it does itself.
    Logon,
    /// More bytes.
    Big,
}

impl Kind {
    /// By its name.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"keyring" => Some(Self::Ring),
            b"user" => Some(Self::User),
            b"logon" => Some(Self::Logon),
            b"big_key" => Some(Self::Big),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "keyring",
            Self::User => "user",
            Self::Logon => "logon",
            Self::Big => "big_key",
        }
    }

    /// Whether this can be the content of one.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn check_content(self, bytes: &[u8]) -> Result {
        let fits = match self {
            Self::Ring => bytes.is_empty(),
            Self::User | Self::Logon => (1..=32_767).contains(&bytes.len()),
            Self::Big => (1..=1 << 20).contains(&bytes.len()),
        };
        if fits { Ok(()) } else { Err(EINVAL) }
    }

    /// Whether this can be the name of one.
    ///
    /// # Errors
    /// `EINVAL`: those of `logon` say for whom they are, up to a colon.
    pub fn check_name(self, name: &[u8]) -> Result {
        let is_good = !name.is_empty() && (self != Self::Logon || name.iter().position(|b| *b == b':').is_some_and(|at| at > 0));
        if is_good { Ok(()) } else { Err(EINVAL) }
    }

    /// What may be done at first: everything sensible by who possesses it, looking by its owner.
    pub fn permissions(self) -> Permissions {
        let without = if self == Self::Logon { Permissions::READ } else { Permissions::empty() };
        Permissions::of_possessor(Permissions::all_rights().difference(without)) | Permissions::of_owner(Permissions::VIEW)
    }
}

bitflags! {
    /// Six rights for each of: who possesses the key, its owner, its group, others. The named ones are others'.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Permissions: u32 {
        /// To see its name and owners.
        const VIEW = 0x01;
        /// To read the content.
        const READ = 0x02;
        /// To change the content.
        const WRITE = 0x04;
        /// To find it.
        const SEARCH = 0x08;
        /// To link to it.
        const LINK = 0x10;
        /// To change owners, rights and time.
        const SET_ATTRIBUTES = 0x20;
        /// The others.
        const OTHERS = 0x3f3f_3f00;
    }
}

impl Permissions {
    /// All six.
    pub const fn all_rights() -> Self {
        Self::from_bits_retain(0x3f)
    }

    /// These rights for who possesses it.
    pub const fn of_possessor(rights: Self) -> Self {
        Self::from_bits_retain(rights.bits() << 24)
    }

    /// These rights for its owner.
    pub const fn of_owner(rights: Self) -> Self {
        Self::from_bits_retain(rights.bits() << 16)
    }
}

/// By what a ring knows a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index {
    /// What it is.
    pub kind: Kind,
    /// Its name, or description.
    pub name: Arc<[u8]>,
}

enum Content {
    Bytes(Vec<u8>),
    Links(BTreeMap<Index, Arc<Key>>),
}

impl Content {
    /// What it counts for, bytes.
    fn cost(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Links(links) => links.len() * LINK_COST,
        }
    }
}

/// What a link counts for, bytes.
const LINK_COST: usize = 4;

struct State {
    uid: u32,
    /// Rings of users have no group.
    gid: Option<u32>,
    permissions: Permissions,
    /// When it runs out, on the monotonic clock.
    expires_ns: Option<u64>,
    revoked_ns: Option<u64>,
    is_invalid: bool,
    takes_no_links: bool,
    content: Content,
}

/// A key.
pub struct Key {
    /// Its number.
    pub serial: i32,
    #[allow(missing_docs)]
    pub index: Index,
    /// The user namespace in which its name counts.
    pub namespace: u64,
    is_counted: bool,
    state: SpinLock<State>,
}

/// A key as somebody found it.
#[derive(Clone)]
pub struct Found {
    #[allow(missing_docs)]
    pub key: Arc<Key>,
    /// By way of its own rings.
    pub is_possessed: bool,
}

impl Found {
    /// Whether these rights are given.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn check(&self, creds: &Credentials, rights: Permissions) -> Result {
        if self.key.gives(creds, self.is_possessed, rights) { Ok(()) } else { Err(EACCES) }
    }
}

/// Held while a ring is linked to another, so that two at once do not close a circle.
fn linking() -> &'static Mutex<()> {
    static LINKING: Once<Mutex<()>> = Once::new();
    LINKING.get_or_init(Mutex::default)
}

impl Key {
    /// A new one, which belongs to the caller.
    ///
    /// # Errors
    /// `EDQUOT` where its owner has too many.
    pub fn new(index: Index, creds: &Credentials, owner: (u32, Option<u32>), permissions: Permissions, bytes: Vec<u8>, quota: Quota) -> Result<Arc<Self>> {
        let content = if index.kind == Kind::Ring { Content::Links(BTreeMap::new()) } else { Content::Bytes(bytes) };
        let is_counted = quota != Quota::Free;
        quota::take(owner.0, index.name.len() + 1 + content.cost(), quota)?;
        let (uid, gid) = owner;
        let state = State { uid, gid, permissions, expires_ns: None, revoked_ns: None, is_invalid: false, takes_no_links: false, content };
        Ok(table::enter(|serial| Self { serial, index, namespace: creds.user.ino, is_counted, state: SpinLock::new(state) }))
    }

    /// A ring.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn ring(name: &[u8], creds: &Credentials, owner: (u32, Option<u32>), permissions: Permissions, quota: Quota) -> Result<Arc<Self>> {
        Self::new(Index { kind: Kind::Ring, name: name.into() }, creds, owner, permissions, Vec::new(), quota)
    }

    /// Whether it is a ring.
    pub fn is_ring(&self) -> bool {
        self.index.kind == Kind::Ring
    }

    /// Whether somebody with these credentials has all of these rights.
    pub fn gives(&self, creds: &Credentials, is_possessed: bool, rights: Permissions) -> bool {
        let state = self.state.lock();
        let all = state.permissions.bits();
        let of_group = all >> 8 & 0x3f;
        let mut given = if state.uid == creds.fsuid {
            all >> 16
        } else if of_group != 0 && state.gid.is_some_and(|gid| creds.in_group(gid)) {
            of_group
        } else {
            all
        };
        if is_possessed {
            given |= all >> 24;
        }
        given & rights.bits() == rights.bits()
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// `ENOKEY` where it has been made invalid, `EKEYREVOKED`, `EKEYEXPIRED`.
    pub fn check(&self) -> Result {
        let state = self.state.lock();
        match () {
            () if state.is_invalid => Err(ENOKEY),
            () if state.revoked_ns.is_some() => Err(EKEYREVOKED),
            () if state.expires_ns.is_some_and(|at| at <= frame::time::now_ns()) => Err(EKEYEXPIRED),
            () => Ok(()),
        }
    }

    /// Whether it has been of no use for this long, ns.
    pub fn is_over(&self, since_ns: u64) -> bool {
        let state = self.state.lock();
        let now = frame::time::now_ns();
        state.is_invalid || [state.revoked_ns, state.expires_ns].into_iter().flatten().any(|at| at.saturating_add(since_ns) <= now)
    }

    /// User and group, and what may be done.
    pub fn attributes(&self) -> (u32, Option<u32>, Permissions) {
        let state = self.state.lock();
        (state.uid, state.gid, state.permissions)
    }

    /// Changes what may be done.
    pub fn set_permissions(&self, permissions: Permissions) {
        self.state.lock().permissions = permissions;
    }

    /// Changes its owner and its group, where they are given.
    ///
    /// # Errors
    /// `EDQUOT` where the new owner has too many.
    pub fn set_owners(&self, uid: Option<u32>, gid: Option<u32>) -> Result {
        let mut state = self.state.lock();
        if let Some(uid) = uid.filter(|uid| *uid != state.uid) {
            if self.is_counted {
                let bytes = self.cost(&state);
                quota::take(uid, bytes, Quota::Counted)?;
                quota::give(state.uid, bytes, true);
            } else {
                quota::take(uid, 0, Quota::Free)?;
                quota::give(state.uid, 0, false);
            }
            state.uid = uid;
        }
        if gid.is_some() {
            state.gid = gid;
        }
        Ok(())
    }

    /// Lets it run out so many seconds from now; never, for 0.
    pub fn set_timeout(&self, seconds: u32) {
        let at = (seconds != 0).then(|| frame::time::now_ns().saturating_add(u64::from(seconds) * 1_000_000_000));
        self.state.lock().expires_ns = at;
    }

    /// Says once for all that it must not be used, and forgets the content.
    pub fn revoke(&self) {
        let empty = if self.is_ring() { Content::Links(BTreeMap::new()) } else { Content::Bytes(Vec::new()) };
        let old = {
            let mut state = self.state.lock();
            state.revoked_ns.get_or_insert_with(frame::time::now_ns);
            quota::give_bytes(state.uid, if self.is_counted { state.content.cost() } else { 0 });
            core::mem::replace(&mut state.content, empty)
        };
        forget(old);
    }

    pub(super) fn set_invalid(&self) {
        self.state.lock().is_invalid = true;
    }

    fn cost(&self, state: &State) -> usize {
        self.index.name.len() + 1 + state.content.cost()
    }

    /// The content, where it is bytes.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match &self.state.lock().content {
            Content::Bytes(bytes) => Some(bytes.clone()),
            Content::Links(_) => None,
        }
    }

    /// Gives it another content; it runs out no more.
    ///
    /// # Errors
    /// `EKEYREVOKED`; `EDQUOT`.
    pub fn set_bytes(&self, bytes: Vec<u8>) -> Result {
        let old = {
            let mut state = self.state.lock();
            if state.revoked_ns.is_some() {
                return Err(EKEYREVOKED);
            }
            let new = Content::Bytes(bytes);
            if self.is_counted {
                quota::change(state.uid, state.content.cost(), new.cost())?;
            }
            state.expires_ns = None;
            core::mem::replace(&mut state.content, new)
        };
        forget(old);
        Ok(())
    }

    /// What a ring links to.
    pub fn links(&self) -> Vec<Arc<Key>> {
        match &self.state.lock().content {
            Content::Links(links) => links.values().cloned().collect(),
            Content::Bytes(_) => Vec::new(),
        }
    }

    /// The rings that a ring links to.
    pub fn inner_rings(&self) -> Vec<Arc<Key>> {
        match &self.state.lock().content {
            Content::Links(links) => links.values().take_while(|key| key.is_ring()).cloned().collect(),
            Content::Bytes(_) => Vec::new(),
        }
    }

    /// What a ring has of this kind and name.
    pub fn link(&self, index: &Index) -> Option<Arc<Key>> {
        match &self.state.lock().content {
            Content::Links(links) => links.get(index).cloned(),
            Content::Bytes(_) => None,
        }
    }

    /// Links a ring to a key, in place of what has its kind and name there.
    ///
    /// # Errors
    /// `ENOTDIR` where this is no ring, `EKEYREVOKED`, `EPERM` where it takes no links, `EDEADLK` where the ring is in the key, `ELOOP` where that is too deep, `EDQUOT`.
    pub fn add_link(self: &Arc<Self>, key: &Arc<Key>) -> Result {
        let _linking = key.is_ring().then(|| linking().lock());
        if !self.is_ring() {
            return Err(ENOTDIR);
        }
        self.check_takes_links()?;
        if key.is_ring() {
            search::check_circle(self, key, MAX_DEPTH)?;
        }
        let _old = {
            let mut state = self.state.lock();
            let (uid, is_revoked) = (state.uid, state.revoked_ns.is_some());
            let Content::Links(links) = &mut state.content else { return Err(ENOTDIR) };
            if is_revoked {
                return Err(EKEYREVOKED);
            }
            if self.is_counted && !links.contains_key(&key.index) {
                quota::change(uid, 0, LINK_COST)?;
            }
            links.insert(key.index.clone(), key.clone())
        };
        Ok(())
    }

    /// Whether links can be added.
    ///
    /// # Errors
    /// `EKEYREVOKED`, `EPERM`.
    pub fn check_takes_links(&self) -> Result {
        let state = self.state.lock();
        match () {
            () if state.revoked_ns.is_some() => Err(EKEYREVOKED),
            () if state.takes_no_links => Err(EPERM),
            () => Ok(()),
        }
    }

    /// Lets a ring take no further links.
    ///
    /// # Errors
    /// `ENOTDIR`; `EEXIST` where that is so already.
    pub fn take_no_links(&self) -> Result {
        if !self.is_ring() {
            return Err(ENOTDIR);
        }
        let mut state = self.state.lock();
        if core::mem::replace(&mut state.takes_no_links, true) { Err(EEXIST) } else { Ok(()) }
    }

    /// Takes a ring's link to this key away.
    ///
    /// # Errors
    /// `ENOTDIR`; `ENOENT`.
    pub fn remove_link(&self, key: &Arc<Key>) -> Result {
        self.remove_links(|other| Arc::ptr_eq(other, key)).and_then(|removed| if removed == 0 { Err(ENOENT) } else { Ok(()) })
    }

    /// Takes those links of a ring away that `which` tells; how many that were.
    ///
    /// # Errors
    /// `ENOTDIR`.
    pub fn remove_links(&self, which: impl Fn(&Arc<Key>) -> bool) -> Result<usize> {
        let gone = {
            let mut state = self.state.lock();
            let uid = state.uid;
            let Content::Links(links) = &mut state.content else { return Err(ENOTDIR) };
            let gone: Vec<_> = links.values().filter(|key| which(key)).cloned().collect();
            for key in &gone {
                links.remove(&key.index);
            }
            quota::give_bytes(uid, if self.is_counted { gone.len() * LINK_COST } else { 0 });
            gone
        };
        Ok(gone.len())
    }

    /// A line of `/proc/keys`, as somebody in this user namespace sees it.
    pub fn show(&self, usage: usize, reader: &Credentials, out: &mut String) {
        let state = self.state.lock();
        let flag = |is: bool, letter: char| if is { letter } else { '-' };
        let lasts = match state.expires_ns {
            None => "perm".into(),
            Some(at) => lasting(at.saturating_sub(frame::time::now_ns()).div_ceil(1_000_000_000)),
        };
        let uid = reader.user.uid_out(state.uid);
        let gid = state.gid.map_or(OVERFLOW_ID, |gid| reader.user.gid_out(gid));
        let (revoked, counted, invalid) = (flag(state.revoked_ns.is_some(), 'R'), flag(self.is_counted, 'Q'), flag(state.is_invalid, 'i'));
        let _ = write!(out, "{:08x} I{revoked}-{counted}--{invalid} {usage:5} {lasts:>4} {:08x} {uid:5} {gid:5} ", self.serial, state.permissions.bits());
        let name = String::from_utf8_lossy(&self.index.name);
        let _ = write!(out, "{:<9} {name}: ", self.index.kind.name());
        let _ = match &state.content {
            Content::Links(links) if links.is_empty() => writeln!(out, "empty"),
            Content::Links(links) => writeln!(out, "{}", links.len()),
            Content::Bytes(bytes) => writeln!(out, "{}", bytes.len()),
        };
    }
}

/// A time to go in its largest unit.
fn lasting(seconds: u64) -> String {
    let units = [(7 * 24 * 3600, 'w'), (24 * 3600, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    match units.into_iter().find(|(unit, _)| seconds >= *unit) {
        None => "expd".into(),
        Some((unit, letter)) => alloc::format!("{}{letter}", seconds / unit),
    }
}

/// Wipes bytes, and drops links without following them: there can be more in a row than a stack has room for.
fn forget(content: Content) {
    let mut left = match content {
        Content::Links(links) => links,
        Content::Bytes(mut bytes) => {
            bytes.fill(0);
            core::hint::black_box(&bytes);
            return;
        }
    };
    let mut keys: Vec<Arc<Key>> = core::mem::take(&mut left).into_values().collect();
    while let Some(key) = keys.pop() {
        if let Some(mut last) = Arc::into_inner(key) {
            if let Content::Links(links) = &mut last.state.get_mut().content {
                keys.extend(core::mem::take(links).into_values());
            }
        }
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        table::leave(self.serial);
        let state = self.state.get_mut();
        let content = core::mem::replace(&mut state.content, Content::Bytes(Vec::new()));
        let bytes = self.index.name.len() + 1 + content.cost();
        quota::give(state.uid, if self.is_counted { bytes } else { 0 }, self.is_counted);
        forget(content);
    }
}

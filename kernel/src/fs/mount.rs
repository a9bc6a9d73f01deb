//! Mounted filesystems and the trees they form, one in each namespace (`mount_namespaces(7)`).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use bitflags::bitflags;

use super::context::{self, FsContext};
use super::dcache;
use super::dentry::Dentry;
use super::inode::InodeRef;
use super::path::Path;
use super::propagation::{self, Propagation};
use crate::error::*;
use crate::task::{Capability, Credentials};
use crate::sync::{Mutex, Once, RwSpinLock, SpinLock, WaitQueue};
use crate::task::user_ns::{self, UserNamespace};
use crate::task::ns_count::{self, Counted};
use crate::task::uts;

bitflags! {
    /// Options of one mount: those bits of `mount(2)`'s flags that stay.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MountFlags: u32 {
        #[allow(missing_docs)] const RDONLY = 1;
        #[allow(missing_docs)] const NOSUID = 2;
        #[allow(missing_docs)] const NODEV = 4;
        #[allow(missing_docs)] const NOEXEC = 8;
        #[allow(missing_docs)] const NOSYMFOLLOW = 256;
        #[allow(missing_docs)] const NOATIME = 1024;
        #[allow(missing_docs)] const NODIRATIME = 2048;
        #[allow(missing_docs)] const RELATIME = 1 << 21;
    }
}

/// A filesystem, mounted any number of times.
pub struct SuperBlock {
    /// Name of its type, as in `/proc/filesystems`.
    pub fs_type: &'static str,
    /// Its root.
    pub root: Arc<Dentry>,
    /// Held while a directory moves to another, so that no directory becomes its own ancestor.
    pub rename: Mutex<()>,
    pub(super) readonly: AtomicBool,
    /// Files open for writing.
    writers: AtomicIsize,
    pub(super) options: SpinLock<Vec<u8>>,
    /// In which it was made.
    user: SpinLock<Arc<UserNamespace>>,
}

impl SuperBlock {
    /// A filesystem with this root. `options` is what `/proc/mounts` shows after the generic ones.
    pub fn new(fs_type: &'static str, root: InodeRef, options: Vec<u8>) -> Arc<Self> {
        Arc::new(Self {
            fs_type,
            root: Dentry::root(root),
            rename: Mutex::new(()),
            readonly: AtomicBool::new(false),
            writers: AtomicIsize::new(0),
            options: SpinLock::new(options),
            user: SpinLock::new(UserNamespace::first()),
        })
    }

    /// The user namespace in which it was made.
    pub fn user(&self) -> Arc<UserNamespace> {
        self.user.lock().clone()
    }
}

/// One place where (a part of) a filesystem is attached.
pub struct Mount {
    /// Unique id, as in `/proc/self/mountinfo`.
    pub id: u64,
    /// The filesystem.
    pub sb: Arc<SuperBlock>,
    /// The directory (or, for a bind mount, any file) that shows.
    pub root: Arc<Dentry>,
    /// What was mounted, in the words of whoever did.
    pub source: Vec<u8>,
    flags: AtomicU32,
    /// Files open for writing through it.
    writers: AtomicIsize,
    parent: SpinLock<Option<Path>>,
    propagation: SpinLock<Propagation>,
    /// Options that cannot be taken back: they come from a namespace with more privileges.
    locked_flags: AtomicU32,
    /// It cannot be moved or taken away alone, so that what it covers stays covered.
    locked: AtomicBool,
}

/// How a filesystem type makes a filesystem: from the source and option strings of `mount(2)`, for whom.
pub type MountFn = fn(source: &[u8], options: &[u8], who: &Credentials) -> Result<Arc<SuperBlock>>;

#[derive(Default)]
struct Table {
    /// By mount and entry they are mounted on.
    at: BTreeMap<(u64, u64), Arc<Mount>>,
    all: Vec<Arc<Mount>>,
}

static TABLE: RwSpinLock<Table> = RwSpinLock::new(Table { at: BTreeMap::new(), all: Vec::new() });
static TYPES: RwSpinLock<Vec<(&'static str, bool, MountFn)>> = RwSpinLock::new(Vec::new());
/// `fs.mount-max`: most mounts of all namespaces together. Shared ones multiply quickly.
pub static MAX_MOUNTS: AtomicUsize = AtomicUsize::new(20_000);
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A tree of mounts. It goes with the last process that sees it.
pub struct Namespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// Whose it is.
    pub user: Arc<UserNamespace>,
    root: RwSpinLock<Option<Arc<Mount>>>,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// The number that Linux gives to the first.
const FIRST_NAMESPACE: u64 = 0xf000_0000;

impl Namespace {
    /// That of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST: Once<Arc<Namespace>> = Once::new();
        FIRST.get_or_init(|| Arc::new(Self { ino: FIRST_NAMESPACE, user: UserNamespace::first(), root: RwSpinLock::new(None), _count: None })).clone()
    }

    /// The root of the tree; `None` before the first one is mounted.
    pub fn root(&self) -> Option<Path> {
        self.root.read().as_ref().map(Path::root_of)
    }

    /// Another namespace with the same mounts, which belongs to the user namespace of `who`; also, which mount is the copy of which (by id). Where that is not this one's,
    /// the mounts keep their options and cover what they cover.
    ///
    /// # Errors
    /// `EINVAL` before there is a root; `ENOSPC` where the user has too many.
    pub fn copied(&self, who: &Credentials) -> Result<(Arc<Self>, Vec<(u64, Arc<Mount>)>)> {
        let (count, user) = (ns_count::take(ns_count::Kind::Mount, who)?, &who.user);
        let root = self.root().ok_or(EINVAL)?;
        let below = submounts(&root);
        let lower = *user != self.user;
        let copy = |of: &Arc<Mount>| {
            let copy = of.again(&of.root);
            let part = of.propagation();
            // What those with less privileges mount is not seen by those with more.
            let in_lower = Propagation { group: 0, master: if part.group != 0 { part.group } else { part.master }, ..part };
            copy.set_propagation(if lower { in_lower } else { part });
            if lower {
                copy.lock_flags();
            }
            copy
        };
        let top = copy(&root.mount);
        TABLE.write().all.push(top.clone());
        let made = Arc::new(Self { ino: uts::next_ino(), user: user.clone(), root: RwSpinLock::new(Some(top.clone())), _count: Some(count) });
        let mut copies = alloc::vec![(root.mount.id, top)];
        for mount in below {
            let Some(point) = mount.mountpoint() else { continue };
            let Some(parent) = copies.iter().find(|c| c.0 == point.mount.id).map(|c| c.1.clone()) else { continue };
            // One whose mount point has been removed meanwhile is left out, with what is on it.
            if let Ok(copy) = add(copy(&mount), &Path { mount: parent, dentry: point.dentry }) {
                copy.locked.store(lower || mount.is_locked(), Ordering::Relaxed);
                copies.push((mount.id, copy));
            }
        }
        Ok((made, copies))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Some(root) = self.root() {
            remove_tree(root);
        }
    }
}

/// Makes a filesystem type known to `mount(2)`. `nodev`: it needs no device (`/proc/filesystems`).
pub fn register_type(name: &'static str, nodev: bool, make: MountFn) {
    TYPES.write().push((name, nodev, make));
}

/// The known types: name, and whether it needs no device.
pub fn types() -> Vec<(&'static str, bool)> {
    TYPES.read().iter().map(|t| (t.0, t.1)).collect()
}

/// Makes a filesystem of a registered type; it belongs to the user namespace of `who`.
///
/// # Errors
/// `ENODEV` for an unknown type; the type's own.
pub fn make_fs(fs_type: &[u8], source: &[u8], options: &[u8], who: &Credentials) -> Result<Arc<SuperBlock>> {
    let make = TYPES.read().iter().find(|t| t.0.as_bytes() == fs_type).map(|t| t.2).ok_or(ENODEV)?;
    let sb = make(source, options, who)?;
    // One that was there already is whose it was.
    if Arc::strong_count(&sb) == 1 {
        *sb.user.lock() = who.user.clone();
    }
    Ok(sb)
}

/// Whether who is not the machine's administrator may mount this type, in a namespace of his own.
pub fn is_for_users(fs_type: &[u8]) -> bool {
    matches!(fs_type, b"proc" | b"sysfs" | b"tmpfs" | b"ramfs" | b"devpts" | b"mqueue")
}

impl Mount {
    fn new(sb: Arc<SuperBlock>, root: Arc<Dentry>, source: &[u8], flags: MountFlags) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            sb,
            root,
            source: source.into(),
            flags: AtomicU32::new(flags.bits()),
            writers: AtomicIsize::new(0),
            parent: SpinLock::new(None),
            propagation: SpinLock::new(Propagation::default()),
            locked_flags: AtomicU32::new(0),
            locked: AtomicBool::new(false),
        })
    }

    /// Another mount of the same, or of a part of it.
    fn again(&self, root: &Arc<Dentry>) -> Arc<Self> {
        let copy = Self::new(self.sb.clone(), root.clone(), &self.source, self.flags());
        copy.locked_flags.store(self.locked_flags.load(Ordering::Relaxed), Ordering::Relaxed);
        copy
    }

    /// How it takes part in what is mounted elsewhere.
    pub fn propagation(&self) -> Propagation {
        *self.propagation.lock()
    }

    /// Sets that; what it was.
    pub fn set_propagation(&self, new: Propagation) -> Propagation {
        core::mem::replace(&mut *self.propagation.lock(), new)
    }

    fn lock_flags(&self) {
        let kinds = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        let times = MountFlags::NOATIME | MountFlags::NODIRATIME | MountFlags::RELATIME;
        self.locked_flags.fetch_or((self.flags() & kinds | times).bits(), Ordering::Relaxed);
    }

    fn is_locked(&self) -> bool {
        self.locked.load(Ordering::Relaxed)
    }

    /// Its options.
    pub fn flags(&self) -> MountFlags {
        MountFlags::from_bits_truncate(self.flags.load(Ordering::Relaxed))
    }

    /// Where it is attached; `None` for the root of the tree and for detached ones.
    pub fn mountpoint(&self) -> Option<Path> {
        self.parent.lock().clone()
    }

    /// Whether the filesystem may be changed through this mount.
    pub fn writable(&self) -> bool {
        !self.flags().contains(MountFlags::RDONLY) && !self.sb.readonly.load(Ordering::Relaxed)
    }

    /// `EROFS` where it may not.
    pub fn check_writable(&self) -> Result {
        if self.writable() { Ok(()) } else { Err(EROFS) }
    }

    /// Counts files open for writing.
    pub fn count_writer(&self, step: isize) {
        self.writers.fetch_add(step, Ordering::SeqCst);
        self.sb.writers.fetch_add(step, Ordering::SeqCst);
    }
}

/// The root of the first tree.
///
/// # Panics
/// Before [`set_first_root`].
pub fn root() -> Path {
    match Namespace::first().root() {
        Some(root) => root,
        None => unreachable!("the first root is mounted before any process exists"),
    }
}

/// Mounts the first root.
pub fn set_first_root(sb: Arc<SuperBlock>, source: &[u8], flags: MountFlags) -> Path {
    let mount = Mount::new(sb.clone(), sb.root.clone(), source, flags);
    TABLE.write().all.push(mount.clone());
    *Namespace::first().root.write() = Some(mount.clone());
    Path::root_of(&mount)
}

/// What is on top of a place: the root of the last mount that covers it.
pub fn top_of(path: Path) -> Path {
    let mut at = path;
    while let Some(above) = covering(&at) {
        at = Path::root_of(&above);
    }
    at
}

/// Whether a filesystem of this type can be seen whole in a namespace: nothing that is not to be seen, or not to be changed,
/// would show in another one of the type with these options.
pub fn shows_whole(fs_type: &[u8], flags: MountFlags, namespace: &Namespace) -> bool {
    let Some(root) = namespace.root() else { return false };
    let here = submounts(&root);
    let is_covered = |mount: &Arc<Mount>| here.iter().any(|other| other.is_locked() && other.mountpoint().is_some_and(|at| Arc::ptr_eq(&at.mount, mount)));
    let keeps = |mount: &Mount| flags.contains(MountFlags::from_bits_truncate(mount.locked_flags.load(Ordering::Relaxed)) & MountFlags::RDONLY);
    here.iter().chain([&root.mount]).any(|mount| {
        mount.sb.fs_type.as_bytes() == fs_type && Arc::ptr_eq(&mount.root, &mount.sb.root) && keeps(mount) && !is_covered(mount)
    })
}

/// The mount on top of `path`, if it is a mount point.
pub fn covering(path: &Path) -> Option<Arc<Mount>> {
    if !path.dentry.is_mountpoint() {
        return None;
    }
    TABLE.read().at.get(&(path.mount.id, path.dentry.id())).cloned()
}

/// How often the trees have changed; those who watch the lists of mounts are told.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// The number of changes of the trees of mounts so far.
pub fn changes() -> u64 {
    CHANGES.load(Ordering::Acquire)
}

/// Woken with each change.
pub fn change_event() -> &'static WaitQueue {
    static QUEUE: Once<WaitQueue> = Once::new();
    QUEUE.get_or_init(WaitQueue::new)
}

fn has_changed() {
    CHANGES.fetch_add(1, Ordering::AcqRel);
    change_event().wake_all();
}

fn attach(mount: &Arc<Mount>, at: &Path) {
    if let Some(parent) = at.dentry.parent() {
        if !parent.caches_children() {
            dcache::pin(&parent, &at.dentry.location().1, &at.dentry);
        }
    }
    at.dentry.add_mount();
    *mount.parent.lock() = Some(at.clone());
    let old = TABLE.write().at.insert((at.mount.id, at.dentry.id()), mount.clone());
    drop(old);
    has_changed();
}

fn detach(mount: &Arc<Mount>) {
    let parent = mount.parent.lock().take();
    if let Some(at) = parent {
        let old = TABLE.write().at.remove(&(at.mount.id, at.dentry.id()));
        at.dentry.remove_mount();
        if let Some(dir) = at.dentry.parent() {
            if !dir.caches_children() && !at.dentry.is_mountpoint() {
                dcache::forget(&dir, &at.dentry.location().1);
            }
        }
        drop(old);
        has_changed();
    }
}

/// Mounts a filesystem on `at`.
///
/// # Errors
/// `ENOTDIR` where one of root and mount point is a directory and the other is not, `ENOENT` for a removed mount point.
pub fn mount_fs(sb: Arc<SuperBlock>, at: &Path, source: &[u8], flags: MountFlags) -> Result<Arc<Mount>> {
    let root = sb.root.clone();
    let mount = add(Mount::new(sb, root, source, flags), at)?;
    propagation::mounted(&mount, at, true);
    Ok(mount)
}

/// Every mount of all namespaces.
pub(super) fn all() -> Vec<Arc<Mount>> {
    TABLE.read().all.clone()
}

/// The mounts below another one, parents before children.
pub(super) fn below(mount: &Mount) -> Vec<Arc<Mount>> {
    let all = TABLE.read().all.clone();
    match all.iter().find(|it| core::ptr::eq(&***it, mount)) {
        Some(mount) => submounts(&Path::root_of(mount)),
        None => Vec::new(),
    }
}

/// Mounts copies of a tree (its top, and the mounts below it, parents before children) on `at`, each with its part in what is mounted elsewhere.
/// What is mounted there already stays on top. Where something cannot be mounted, it and what is on it is left out.
pub(super) fn copy_tree(tree: &[Arc<Mount>], parts: &[Propagation], at: &Path) {
    // Whether it comes from a namespace with more privileges.
    let has_lower = |mount: &Mount| mount.locked_flags.load(Ordering::Relaxed) != 0;
    let lower = has_lower(&at.mount) && tree.first().and_then(|top| top.mountpoint()).is_some_and(|from| !has_lower(&from.mount));
    let mut copies: Vec<(u64, Arc<Mount>)> = Vec::new();
    for (mount, part) in tree.iter().zip(parts) {
        let place = if copies.is_empty() {
            Some(at.clone())
        } else {
            mount.mountpoint().and_then(|point| {
                let parent = copies.iter().find(|it| it.0 == point.mount.id)?.1.clone();
                Some(Path { mount: parent, dentry: point.dentry })
            })
        };
        let Some(place) = place else { continue };
        let covers = covering(&place);
        if let Some(covers) = &covers {
            detach(covers);
        }
        let copy = mount.again(&mount.root);
        copy.set_propagation(*part);
        lower.then(|| copy.lock_flags());
        copy.locked.store(mount.is_locked() || lower && !copies.is_empty(), Ordering::Relaxed);
        let added = add(copy, &place);
        let covered = added.as_ref().map_or(place, Path::root_of);
        if let Some(covers) = &covers {
            attach(covers, &covered);
        }
        match added {
            Ok(copy) => copies.push((mount.id, copy)),
            Err(_) if copies.is_empty() => return,
            Err(_) => {}
        }
    }
}

fn add(mount: Arc<Mount>, at: &Path) -> Result<Arc<Mount>> {
    if mount.root.is_dir() != at.dentry.is_dir() {
        return Err(ENOTDIR);
    }
    if at.dentry.is_gone() {
        return Err(ENOENT);
    }
    {
        let mut table = TABLE.write();
        if table.all.len() >= MAX_MOUNTS.load(Ordering::Relaxed) {
            return Err(ENOSPC);
        }
        table.all.push(mount.clone());
    }
    attach(&mount, at);
    Ok(mount)
}

/// Shows the tree at `source` also at `at` (`MS_BIND`), with the mounts below it where `recursive`.
///
/// # Errors
/// As [`mount_fs`]; `EINVAL` where something below `source` would be uncovered that is not to be seen.
pub fn bind(source: &Path, at: &Path, recursive: bool) -> Result {
    let below: Vec<Arc<Mount>> = if recursive { submounts(source) } else { Vec::new() };
    if !recursive && submounts(source).iter().any(|mount| mount.is_locked()) {
        return Err(EINVAL);
    }
    let part = source.mount.propagation();
    if part.is_unbindable {
        return Err(EINVAL);
    }
    let copy = source.mount.again(&source.dentry);
    copy.set_propagation(part);
    let top = add(copy, at)?;
    let mut copies: Vec<(u64, Arc<Mount>)> = alloc::vec![(source.mount.id, top.clone())];
    for mount in below {
        let part = mount.propagation();
        if part.is_unbindable {
            continue;
        }
        let Some(point) = mount.mountpoint() else { continue };
        let Some(new_parent) = copies.iter().find(|c| c.0 == point.mount.id).map(|c| c.1.clone()) else { continue };
        let copy = mount.again(&mount.root);
        copy.set_propagation(part);
        let copy = add(copy, &Path { mount: new_parent, dentry: point.dentry })?;
        copy.locked.store(mount.is_locked(), Ordering::Relaxed);
        copies.push((mount.id, copy));
    }
    propagation::mounted(&top, at, true);
    Ok(())
}

/// The mounts below `path`, parents before children.
fn submounts(path: &Path) -> Vec<Arc<Mount>> {
    let all = TABLE.read().all.clone();
    let mut found: Vec<Arc<Mount>> = Vec::new();
    // Mounts are listed in the order they were made, but moves can put an older one below a newer one: repeat until nothing is new.
    loop {
        let before = found.len();
        for mount in &all {
            let Some(point) = mount.mountpoint() else { continue };
            if found.iter().any(|f| Arc::ptr_eq(f, mount)) {
                continue;
            }
            let direct = Arc::ptr_eq(&point.mount, &path.mount) && point.dentry.is_within(&path.dentry);
            if direct || found.iter().any(|f| Arc::ptr_eq(f, &point.mount)) {
                found.push(mount.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Moves the mount whose root is `source` to `at` (`MS_MOVE`).
///
/// # Errors
/// `EINVAL` where `source` is no mount's root or the root of the tree, `ELOOP` where `at` lies in the moved tree.
pub fn move_mount(source: &Path, at: &Path) -> Result {
    if !Arc::ptr_eq(&source.dentry, &source.mount.root) || source.mount.mountpoint().is_none() || source.mount.is_locked() {
        return Err(EINVAL);
    }
    if source.dentry.is_dir() != at.dentry.is_dir() {
        return Err(ENOTDIR);
    }
    let mut above = Some(at.clone());
    while let Some(path) = above {
        if Arc::ptr_eq(&path.mount, &source.mount) {
            return Err(ELOOP);
        }
        above = path.mount.mountpoint();
    }
    // It would have to go where the old place is seen as well.
    if source.mount.mountpoint().is_some_and(|old| old.mount.propagation().group != 0) {
        return Err(EINVAL);
    }
    propagation::check(&source.mount, at)?;
    detach(&source.mount);
    attach(&source.mount, at);
    propagation::mounted(&source.mount, at, false);
    Ok(())
}

/// Says how the mount whose root is `path` takes part in what is mounted elsewhere, with `recursive` those below it, too.
///
/// # Errors
/// `EINVAL` where `path` is no mount's root.
pub fn set_kind(path: &Path, kind: propagation::Kind, recursive: bool) -> Result {
    if !Arc::ptr_eq(&path.dentry, &path.mount.root) {
        return Err(EINVAL);
    }
    propagation::change(&path.mount, kind);
    if recursive {
        for mount in submounts(path) {
            propagation::change(&mount, kind);
        }
    }
    has_changed();
    Ok(())
}

/// Changes the options of the mount whose root is `path` (`MS_REMOUNT`); with `whole`, of the filesystem as well.
///
/// # Errors
/// `EINVAL` where `path` is no mount's root, `EBUSY` where it is to be read-only and files are open for writing, `EPERM` for options that are locked.
pub fn remount(path: &Path, flags: MountFlags, whole: bool) -> Result {
    if !Arc::ptr_eq(&path.dentry, &path.mount.root) {
        return Err(EINVAL);
    }
    let (mount, sb) = (&path.mount, &path.mount.sb);
    if whole && !user_ns::capable_in(Capability::SYS_ADMIN, &sb.user()) {
        return Err(EPERM);
    }
    let locked = MountFlags::from_bits_truncate(mount.locked_flags.load(Ordering::Relaxed));
    let times = MountFlags::NOATIME | MountFlags::NODIRATIME | MountFlags::RELATIME;
    let keeps_times = !locked.intersects(times) || flags & times == mount.flags() & times;
    if !flags.contains(locked - times) || !keeps_times {
        return Err(EPERM);
    }
    let is_readonly = flags.contains(MountFlags::RDONLY);
    let (old_flags, was_readonly) = (mount.flags.swap(flags.bits(), Ordering::SeqCst), sb.readonly.load(Ordering::Relaxed));
    if whole {
        sb.readonly.store(is_readonly, Ordering::SeqCst);
    }
    let writers = if whole { &sb.writers } else { &mount.writers };
    let mut outcome = if is_readonly && writers.load(Ordering::SeqCst) > 0 { Err(EBUSY) } else { Ok(()) };
    if whole && is_readonly && outcome.is_ok() {
        outcome = path.inode().sync_fs();
    }
    if outcome.is_err() {
        mount.flags.store(old_flags, Ordering::SeqCst);
        sb.readonly.store(was_readonly, Ordering::SeqCst);
    }
    outcome
}

/// Unmounts the mount whose root is `path`. `lazily`: even if it is in use.
///
/// # Errors
/// `EINVAL` where `path` is no mount's root or the root of the tree, `EBUSY` where it is in use.
pub fn unmount(path: Path, lazily: bool) -> Result {
    if !Arc::ptr_eq(&path.dentry, &path.mount.root) || path.mount.mountpoint().is_none() || path.mount.is_locked() {
        return Err(EINVAL);
    }
    let below = submounts(&path);
    if !lazily {
        // The table's two references and ours.
        if !below.is_empty() || Arc::strong_count(&path.mount) > 3 {
            return Err(EBUSY);
        }
        path.inode().sync_fs()?;
    }
    drop(below);
    // What was mounted with it goes with it, but for what something else is mounted on.
    let mut copies = match path.mount.mountpoint() {
        Some(at) => propagation::copies_at(&at.mount, &at.dentry),
        None => Vec::new(),
    };
    if !lazily {
        copies = can_go(copies, &path.mount);
    }
    if !lazily && copies.iter().any(|it| submounts(&Path::root_of(it)).is_empty() && Arc::strong_count(it) > 3) {
        return Err(EBUSY);
    }
    remove_tree(path);
    for copy in copies {
        let root = Path::root_of(&copy);
        // What was there before is on top of it, and comes into its place.
        let above = covering(&root).filter(|_| !lazily);
        let place = copy.mountpoint();
        if let Some(above) = &above {
            detach(above);
        }
        drop(copy);
        remove_tree(root);
        if let (Some(above), Some(place)) = (&above, &place) {
            attach(above, place);
        }
    }
    Ok(())
}

/// Those of the mounts on which nothing is mounted but what covers all of one, or goes itself, as `first` does.
fn can_go(mut mounts: Vec<Arc<Mount>>, first: &Arc<Mount>) -> Vec<Arc<Mount>> {
    let mut going = alloc::vec![first.clone()];
    let keeps = |mount: &Arc<Mount>, going: &[Arc<Mount>]| {
        let root = Path::root_of(mount);
        let is_on_it = |it: &Arc<Mount>| it.mountpoint().is_some_and(|at| Arc::ptr_eq(&at.mount, mount) && !at.same(&root));
        submounts(&root).iter().any(|it| is_on_it(it) && !going.iter().any(|other| Arc::ptr_eq(it, other)))
    };
    // One may go when others have: until no more can.
    while let Some(at) = mounts.iter().position(|it| !keeps(it, &going)) {
        going.push(mounts.swap_remove(at));
    }
    going.swap_remove(0);
    going
}

/// Takes the mount whose root is `path` away, and all below it.
fn remove_tree(path: Path) {
    let below = submounts(&path);
    let mut gone = Vec::new();
    for mount in below.iter().rev().chain([&path.mount]) {
        detach(mount);
        propagation::leave(mount);
        TABLE.write().all.retain(|m| {
            let keep = !Arc::ptr_eq(m, mount);
            if !keep {
                gone.push(m.clone());
            }
            keep
        });
    }
    drop((gone, below, path));
    // The entries of the filesystem that only the cache holds must not keep it alive.
    dcache::shrink(usize::MAX);
}

/// Makes a filesystem the root of the tree: every process whose root or working directory was the old root moves to the new one. What was
/// mounted on the old root goes out of sight with it.
pub fn replace_root(sb: Arc<SuperBlock>, source: &[u8], flags: MountFlags) -> Path {
    let old = root();
    let mount = Mount::new(sb.clone(), sb.root.clone(), source, flags);
    {
        let mut table = TABLE.write();
        table.all.push(mount.clone());
    }
    *Namespace::first().root.write() = Some(mount.clone());
    let new = Path::root_of(&mount);
    context::replace_everywhere(&old, &new);
    new
}

/// `pivot_root(2)`: `new_root` takes the place of the mount that is the caller's root, which is attached to `put_old`.
///
/// # Errors
/// `EINVAL` where `new_root` or the caller's root is no mount's root or `put_old` is not below `new_root`, `EBUSY` where one of them is on the caller's root.
pub fn pivot_root(context: &FsContext, new_root: &Path, put_old: &Path) -> Result {
    let old = context.root();
    if Arc::ptr_eq(&new_root.mount, &old.mount) || Arc::ptr_eq(&put_old.mount, &old.mount) {
        return Err(EBUSY);
    }
    if !Arc::ptr_eq(&old.dentry, &old.mount.root) || !Arc::ptr_eq(&new_root.dentry, &new_root.mount.root) || new_root.mount.mountpoint().is_none() || new_root.mount.is_locked() {
        return Err(EINVAL);
    }
    let is_shared = |at: Option<Path>| at.is_some_and(|at| at.mount.propagation().group != 0);
    if is_shared(Some(put_old.clone())) || is_shared(new_root.mount.mountpoint()) || is_shared(old.mount.mountpoint()) {
        return Err(EINVAL);
    }
    let mut at = put_old.clone();
    while !Arc::ptr_eq(&at.mount, &new_root.mount) {
        at = at.mount.mountpoint().ok_or(EINVAL)?;
    }
    detach(&new_root.mount);
    match old.mount.mountpoint() {
        Some(place) => {
            detach(&old.mount);
            attach(&new_root.mount, &place);
        }
        None => *context.namespace().root.write() = Some(new_root.mount.clone()),
    }
    new_root.mount.locked.store(old.mount.locked.swap(false, Ordering::Relaxed), Ordering::Relaxed);
    attach(&old.mount, put_old);
    context::replace_everywhere(&old, &Path::root_of(&new_root.mount));
    Ok(())
}

/// The filesystems that are mounted, each once.
pub fn filesystems() -> Vec<Arc<SuperBlock>> {
    let all = TABLE.read().all.clone();
    let mut list: Vec<Arc<SuperBlock>> = Vec::new();
    for mount in all {
        if !list.iter().any(|sb| Arc::ptr_eq(sb, &mount.sb)) {
            list.push(mount.sb.clone());
        }
    }
    list
}

impl MountFlags {
    /// As `/proc/mounts` shows them.
    pub fn options(self) -> alloc::string::String {
        let mut out = alloc::string::String::from(if self.contains(Self::RDONLY) { "ro" } else { "rw" });
        let names = [
            (Self::NOSUID, "nosuid"),
            (Self::NODEV, "nodev"),
            (Self::NOEXEC, "noexec"),
            (Self::NOATIME, "noatime"),
            (Self::RELATIME, "relatime"),
        ];
        for (flag, name) in names {
            if self.contains(flag) {
                out.push(',');
                out.push_str(name);
            }
        }
        out
    }
}

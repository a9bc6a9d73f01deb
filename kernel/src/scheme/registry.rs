//! The names of schemes, and `/scheme`, the directory of them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering};

use scheme_abi::SchemeFlags;

use super::fs::SchemeFs;
use super::handle::SchemeNode;
use super::pseudo::{self, Entries, OpenDir};
use super::socket::SchemeSocket;
use super::user::UserScheme;
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, OpenFlags, SuperBlock};
use crate::sync::{SpinLock, WaitQueue};
use crate::task::{Capability, Credentials};

/// Longest name of a scheme.
const NAME_MAX: usize = 64;

#[derive(Clone)]
enum Entry {
    Kernel(InodeRef),
    User(Arc<UserScheme>, Option<Arc<SchemeFs>>),
}

static SCHEMES: SpinLock<BTreeMap<Vec<u8>, Entry>> = SpinLock::new(BTreeMap::new());

/// Puts a directory or file of the kernel's into `/scheme`.
pub fn add_kernel_scheme(name: &str, root: InodeRef) {
    let old = SCHEMES.lock().insert(name.as_bytes().to_vec(), Entry::Kernel(root));
    drop(old);
}

/// How often silent daemons are looked for.
const WATCH_NS: u64 = 5_000_000_000;

/// The thread that looks after schemes whose daemon is dead or silent; started with the first of them.
fn start_watchdog() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    crate::task::spawn_kernel("schemes", || {
        let never = WaitQueue::new();
        loop {
            let _ = never.wait_deadline(Some(frame::time::now_ns() + WATCH_NS), || None::<()>);
            for scheme in user_schemes() {
                scheme.check();
            }
            forget_dead();
            super::memory::release_kept();
        }
    });
}

/// All schemes that daemons serve.
pub fn user_schemes() -> Vec<Arc<UserScheme>> {
    SCHEMES.lock().values().filter_map(|e| if let Entry::User(scheme, _) = e { Some(scheme.clone()) } else { None }).collect()
}

/// Takes schemes without a daemon out.
pub fn forget_dead() {
    let mut dead = Vec::new();
    let mut schemes = SCHEMES.lock();
    schemes.retain(|_, entry| match entry {
        Entry::User(scheme, _) if !scheme.is_alive() => {
            dead.push(entry.clone());
            false
        }
        _ => true,
    });
    drop(schemes);
    for entry in &dead {
        if let Entry::User(scheme, _) = entry {
            if let Some(disk) = scheme.name.strip_prefix("disk.") {
                crate::fs::devfs::remove(disk.as_bytes());
            }
            if let Some(device) = display_device(&scheme.name) {
                crate::fs::devfs::remove(device.as_bytes());
            }
        }
    }
    drop(dead);
}

/// The path below `/dev` of a display's scheme: `drm.card0` is `dri/card0`.
fn display_device(scheme: &str) -> Option<String> {
    scheme.strip_prefix("drm.").map(|card| alloc::format!("dri/{card}"))
}

fn find(name: &[u8]) -> Option<Entry> {
    let entry = SCHEMES.lock().get(name).cloned()?;
    match &entry {
        Entry::User(scheme, _) if !scheme.is_alive() => {
            forget_dead();
            None
        }
        _ => Some(entry),
    }
}

/// The device number of a handle of the block device scheme whose root a path below `/scheme` goes through.
///
/// # Errors
/// `ENOENT` where there is no such scheme; `EINVAL` where it serves no block devices.
pub fn block_number(path: &[u8], handle: u64) -> Result<u64> {
    let name = path.strip_prefix(b"/scheme/").and_then(|rest| rest.split(|byte| *byte == b'/').next()).ok_or(EINVAL)?;
    match find(name).ok_or(ENOENT)? {
        Entry::User(scheme, _) if scheme.flags().contains(SchemeFlags::BLOCK_DEVICE) => Ok(super::convert::block_number(scheme.dev, handle)),
        _ => Err(EINVAL),
    }
}

/// What is behind a name.
enum Found {
    /// An inode of the kernel's, or the root of an ordinary scheme.
    Plain(InodeRef),
    /// A filesystem.
    Filesystem(Arc<SchemeFs>),
}

fn behind(name: &[u8]) -> Result<Found> {
    let (scheme, fs) = match find(name).ok_or(ENOENT)? {
        Entry::Kernel(root) => return Ok(Found::Plain(root)),
        Entry::User(scheme, fs) => (scheme, fs),
    };
    if !scheme.flags().contains(SchemeFlags::CACHEABLE) {
        return Ok(Found::Plain(SchemeNode::root(scheme)));
    }
    if let Some(fs) = fs {
        return Ok(Found::Filesystem(fs));
    }
    if !scheme.has_daemon() {
        // It died before anyone looked; a successor may take the name.
        return Ok(Found::Plain(SchemeNode::root(scheme)));
    }
    // A request: without the lock. If two come at the same time, the first to be entered counts.
    let made = SchemeFs::new(scheme.clone())?;
    let mut schemes = SCHEMES.lock();
    let fs = match schemes.get_mut(name) {
        Some(Entry::User(now, fs)) if Arc::ptr_eq(now, &scheme) => Some(fs.get_or_insert_with(|| made.clone()).clone()),
        _ => None,
    };
    drop(schemes);
    fs.map(Found::Filesystem).ok_or(ENOENT)
}

/// A scheme as a filesystem to mount.
///
/// # Errors
/// `ENOENT` where there is none; `EIO` where a filesystem's daemon has died before it was mounted; a filesystem's error to its first request.
pub fn super_block(name: &[u8]) -> Result<Arc<SuperBlock>> {
    if let Some(Entry::User(scheme, None)) = find(name) {
        // A name is there before its daemon has said what it serves; that it has once it answers, whatever the answer is.
        let _ = SchemeNode::root(scheme.clone()).attr();
        if scheme.flags().contains(SchemeFlags::CACHEABLE) && !scheme.has_daemon() {
            // What stands for it until a successor comes is no filesystem, and a mount is for good.
            return Err(EIO);
        }
    }
    match behind(name)? {
        Found::Plain(inode) => Ok(SuperBlock::new("scheme", inode, Vec::new())),
        Found::Filesystem(fs) => fs.super_block(),
    }
}

struct Names;

impl Entries for Names {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        match behind(name)? {
            Found::Plain(inode) => Ok(inode),
            Found::Filesystem(fs) => fs.view(),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        forget_dead();
        SCHEMES.lock().keys().map(|name| (name.clone(), FileType::Directory)).collect()
    }
}

/// `/scheme`.
struct SchemeDirectory {
    names: Arc<Names>,
}

/// The root of the `schemefs` filesystem.
pub fn scheme_directory() -> InodeRef {
    Arc::new(SchemeDirectory { names: Arc::new(Names) })
}

fn valid_name(name: &[u8]) -> Option<&str> {
    let good = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
    if name.is_empty() || name.len() > NAME_MAX || !name.iter().all(good) || name[0] == b'.' {
        return None;
    }
    core::str::from_utf8(name).ok()
}

impl Inode for SchemeDirectory {
    fn attr(&self) -> Result<Attr> {
        Ok(Attr { nlink: 2, ..pseudo::attr(FileType::Directory, 0o755, 1) })
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        self.names.find(name)
    }

    fn create(&self, name: &[u8], mode: u32, _rdev: u64, who: &Credentials) -> Result<InodeRef> {
        if !who.has(Capability::SYS_ADMIN) || !matches!(FileType::from_mode(mode), Some(FileType::Regular)) {
            return Err(EPERM);
        }
        let text = valid_name(name).ok_or(EINVAL)?;
        forget_dead();
        start_watchdog();
        let scheme = UserScheme::new(String::from(text));
        let mut schemes = SCHEMES.lock();
        if schemes.contains_key(name) {
            drop(schemes);
            return Err(EEXIST);
        }
        schemes.insert(name.to_vec(), Entry::User(scheme.clone(), None));
        drop(schemes);
        if let Some(disk) = text.strip_prefix("disk.") {
            crate::fs::devfs::add_disk(disk.as_bytes(), alloc::format!("/scheme/{text}").as_bytes());
        }
        if let Some(device) = display_device(text) {
            crate::fs::devfs::add_alias(device.as_bytes(), alloc::format!("/scheme/{text}").as_bytes());
        }
        Ok(Arc::new(NewScheme(scheme)))
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(Arc::new(OpenDir { entries: self.names.clone(), inode: self.clone() }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A scheme that was created just now: opening it gives the socket.
struct NewScheme(Arc<UserScheme>);

impl Inode for NewScheme {
    fn attr(&self) -> Result<Attr> {
        Ok(Attr { dev: self.0.dev, ..pseudo::attr(FileType::Regular, 0o600, 1) })
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(SchemeSocket::open(self.0.clone())?)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

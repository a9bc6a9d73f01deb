//! What path lookup needs to know of a process: root, working directory, file mode creation mask.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use super::mount::{self, Namespace};
use super::path::Path;
use crate::task::Credentials;
use crate::sync::SpinLock;

#[derive(Clone)]
struct Places {
    root: Path,
    cwd: Path,
    /// The tree of mounts that both are in.
    namespace: Arc<Namespace>,
}

/// Root, working directory and umask of a process; threads share it, `fork` copies it (`clone(2)`, CLONE_FS).
pub struct FsContext {
    /// `None`: the kernel's own threads, and processes that have ended; they see the first root.
    places: SpinLock<Option<Places>>,
    umask: AtomicU32,
}

/// All of them, for the replacement of the root; dead ones are swept out as the list grows.
static ALL: SpinLock<(Vec<Weak<FsContext>>, usize)> = SpinLock::new((Vec::new(), 64));

fn register(context: FsContext) -> Arc<FsContext> {
    let context = Arc::new(context);
    let mut all = ALL.lock();
    if all.0.len() >= all.1 {
        all.0.retain(|w| w.strong_count() > 0);
        all.1 = all.0.len() * 2 + 64;
    }
    all.0.push(Arc::downgrade(&context));
    drop(all);
    context
}

impl FsContext {
    /// A context at a root directory, umask 022.
    pub fn new(root: Path) -> Arc<Self> {
        register(Self { places: SpinLock::new(Some(Places { cwd: root.clone(), root, namespace: Namespace::first() })), umask: AtomicU32::new(0o022) })
    }

    /// A context that holds on to no place: of the kernel's own threads and of processes that have ended. It sees the root of the tree.
    pub fn detached() -> Arc<Self> {
        Arc::new(Self { places: SpinLock::new(None), umask: AtomicU32::new(0o022) })
    }

    /// A copy of its own (`fork`).
    pub fn fork(&self) -> Arc<Self> {
        let places = self.places.lock().clone();
        register(Self { places: SpinLock::new(places), umask: AtomicU32::new(self.umask()) })
    }

    /// The root directory.
    pub fn root(&self) -> Path {
        let root = self.places.lock().as_ref().map(|p| p.root.clone());
        root.unwrap_or_else(mount::root)
    }

    /// The working directory.
    pub fn cwd(&self) -> Path {
        let cwd = self.places.lock().as_ref().map(|p| p.cwd.clone());
        cwd.unwrap_or_else(mount::root)
    }

    fn replace(&self, change: impl FnOnce(&mut Places)) {
        let mut places = self.places.lock().clone().unwrap_or_else(|| Places { root: mount::root(), cwd: mount::root(), namespace: Namespace::first() });
        change(&mut places);
        let old = self.places.lock().replace(places);
        drop(old);
    }

    /// The namespace of the mounts that it sees.
    pub fn namespace(&self) -> Arc<Namespace> {
        let namespace = self.places.lock().as_ref().map(|places| places.namespace.clone());
        namespace.unwrap_or_else(Namespace::first)
    }

    /// Goes over to a copy of its namespace, which is that of the user namespace of `who` (`unshare(2)`, CLONE_NEWNS): root and working directory are the same directories, seen through the copies.
    ///
    /// # Errors
    /// `EINVAL` before there is a root.
    pub fn unshare_mounts(&self, who: &Credentials) -> crate::error::Result {
        let (namespace, copies) = self.namespace().copied(who)?;
        let root = namespace.root().unwrap_or_else(mount::root);
        let moved = |place: &Path| match copies.iter().find(|(id, _)| *id == place.mount.id) {
            Some((_, mount)) => Path { mount: mount.clone(), dentry: place.dentry.clone() },
            // On a mount that is in no tree any more.
            None => root.clone(),
        };
        self.replace(|places| {
            places.root = moved(&places.root);
            places.cwd = moved(&places.cwd);
            places.namespace = namespace.clone();
        });
        Ok(())
    }

    /// Whether its root is not that of its namespace (`chroot(2)`).
    pub fn is_chrooted(&self) -> bool {
        let root = self.root();
        !self.namespace().root().is_some_and(|of_all| root.same(&mount::top_of(of_all)))
    }

    /// Goes over to a namespace, to its root (`setns(2)`).
    pub fn join(&self, namespace: &Arc<Namespace>) {
        let root = namespace.root().unwrap_or_else(mount::root);
        self.replace(|places| *places = Places { root: root.clone(), cwd: root, namespace: namespace.clone() });
    }

    /// `chroot(2)`.
    pub fn set_root(&self, root: Path) {
        self.replace(|places| places.root = root);
    }

    /// `chdir(2)`.
    pub fn set_cwd(&self, cwd: Path) {
        self.replace(|places| places.cwd = cwd);
    }

    /// The mode bits that new files do not get.
    pub fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    /// Sets the mask; returns the old one.
    pub fn set_umask(&self, mask: u32) -> u32 {
        self.umask.swap(mask & 0o777, Ordering::Relaxed)
    }
}

/// Moves every process whose root or working directory is `old` to `new`.
pub(super) fn replace_everywhere(old: &Path, new: &Path) {
    // Contexts without a place follow the root by themselves.
    let all: Vec<Arc<FsContext>> = ALL.lock().0.iter().filter_map(Weak::upgrade).collect();
    for context in all {
        let (root, cwd) = (context.root(), context.cwd());
        if root.same(old) {
            context.set_root(new.clone());
        }
        if cwd.same(old) {
            context.set_cwd(new.clone());
        }
    }
}

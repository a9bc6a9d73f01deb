//! Names of the machine (`uname(2)`), of which each UTS namespace has its own (`uts_namespaces(7)`).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use super::ns_count::Counted;
use super::user_ns::UserNamespace;
use crate::sync::{Once, SpinLock};

/// Longest name.
pub const NAME_MAX: usize = 64;

/// A name of at most [`NAME_MAX`] bytes.
#[derive(Clone, Copy)]
pub struct Name {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Name {
    /// `None` where it is too long.
    pub fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; NAME_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self { bytes, len: name.len() })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The names in a namespace.
#[derive(Clone, Copy)]
pub struct Names {
    #[allow(missing_docs)]
    pub host: Name,
    /// The NIS domain.
    pub domain: Name,
}

/// A UTS namespace.
pub struct UtsNamespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// Whose it is.
    pub user: Arc<UserNamespace>,
    names: SpinLock<Names>,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// The number that Linux gives to the first.
const FIRST: u64 = 0xeffffffe;

/// A number for a namespace that is not its kind's first.
pub fn next_ino() -> u64 {
    // As on Linux from where the first ones end.
    static NEXT: AtomicU64 = AtomicU64::new(0xf000_0100);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl UtsNamespace {
    /// That of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST_ONE: Once<Arc<UtsNamespace>> = Once::new();
        let name = |text: &[u8]| Name::new(text).unwrap_or(Name { bytes: [0; NAME_MAX], len: 0 });
        let make = || Arc::new(Self { ino: FIRST, user: UserNamespace::first(), names: SpinLock::new(Names { host: name(b"genai"), domain: name(b"(none)") }), _count: None });
        FIRST_ONE.get_or_init(make).clone()
    }

    /// Another one with the same names.
    pub fn copied(&self, user: &Arc<UserNamespace>, count: Counted) -> Arc<Self> {
        Arc::new(Self { ino: next_ino(), user: user.clone(), names: SpinLock::new(self.names()), _count: Some(count) })
    }

    /// The names now.
    pub fn names(&self) -> Names {
        *self.names.lock()
    }

    /// Changes them.
    pub fn change(&self, change: impl FnOnce(&mut Names)) {
        change(&mut self.names.lock());
    }
}

/// The host name as the calling process sees it.
pub fn host_name() -> Vec<u8> {
    super::with_current(|thread| thread.namespaces()).uts.names().host.as_bytes().to_vec()
}

/// The name of the NIS domain as the calling process sees it.
pub fn domain_name() -> Vec<u8> {
    super::with_current(|thread| thread.namespaces()).uts.names().domain.as_bytes().to_vec()
}

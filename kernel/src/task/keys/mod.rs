//! Keys (`keyrings(7)`): small secrets that the kernel keeps for programs, and the rings that hold them.
//!
//! A key lives as long as something refers to it: a ring that links to it, or a thread, a user or a namespace whose ring it is. What a thread may do
//! with a key depends on its ids and on whether it *possesses* the key, that is, finds it from its own rings (`search.rs`). `lookup.rs`
//! says which key a number means, `users.rs` has the rings that belong to users, `quota.rs` counts what each has, `table.rs` knows all keys by number.
//!
//! Nobody is asked for keys that are not there (`request-key(8)`): a request for one is refused at once.

mod key;
mod lookup;
pub mod quota;
pub mod search;
mod session;
mod table;
pub mod users;

pub use key::{Found, Index, Key, Kind, Permissions};
pub use lookup::{Asker, Need};
pub use session::{join_session, session_to_parent};
pub use table::{all, collect, invalidate};

use alloc::sync::Arc;
use core::sync::atomic::AtomicUsize;

use super::Thread;

/// For how many seconds what is revoked or has run out still tells so, before it goes (`/proc/sys/kernel/keys/gc_delay`).
pub static GC_DELAY_S: AtomicUsize = AtomicUsize::new(300);

/// How deep below a ring others are looked into.
pub const MAX_DEPTH: usize = 6;

/// The rings of a thread.
#[derive(Clone, Default)]
pub struct Rings {
    /// Its own.
    pub thread: Option<Arc<Key>>,
    /// Its process's: of those threads that were begun after it was made.
    pub process: Option<Arc<Key>>,
    /// Of what it was begun in; its user's where there is none.
    pub session: Option<Arc<Key>>,
    /// `KEY_REQKEY_DEFL_...`: where keys would go that are made for a request.
    pub requests_go_to: i32,
}

impl Thread {
    /// Its rings.
    pub fn rings(&self) -> Rings {
        self.rings.lock().clone()
    }

    /// Changes its rings.
    pub fn change_rings<R>(&self, change: impl FnOnce(&mut Rings) -> R) -> R {
        let mut rings = self.rings.lock();
        // What goes thereby may be the last of a ring, and goes without the lock.
        let old = rings.clone();
        let result = change(&mut rings);
        drop(rings);
        drop(old);
        result
    }

    /// What a thread that this one makes begins with.
    pub(super) fn rings_for(&self, same_process: bool) -> Rings {
        let rings = self.rings();
        if same_process { Rings { thread: None, ..rings } } else { Rings { thread: None, process: None, ..rings } }
    }

    /// `execve(2)`: only the session's stays.
    pub(super) fn leave_rings(&self) {
        self.change_rings(|rings| {
            rings.thread = None;
            rings.process = None;
        });
    }
}

//! `inotify(7)`: a queue of events as a file.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::error::*;
use crate::fs::notify::{self, FileKey, Listener};
use crate::fs::{Attr, Events, FileOps, InodeRef, IoSink, OpenFile};
use crate::sync::{PollTable, SpinLock, WaitQueue};

const IN_ALL_EVENTS: u32 = 0xfff;
const IN_UNMOUNT: u32 = 0x2000;
const IN_Q_OVERFLOW: u32 = 0x4000;
const IN_IGNORED: u32 = 0x8000;
/// Not reported of files whose name was removed.
const IN_EXCL_UNLINK: u32 = 0x400_0000;
const IN_MASK_CREATE: u32 = 0x1000_0000;
const IN_MASK_ADD: u32 = 0x2000_0000;
const IN_ONESHOT: u32 = 0x8000_0000;
/// Bytes of an event without its name.
const HEADER: usize = 16;

/// `/proc/sys/fs/inotify/max_queued_events`: of queues made from then on.
pub static MAX_EVENTS: AtomicUsize = AtomicUsize::new(16_384);
/// `/proc/sys/fs/inotify/max_user_instances`.
pub static MAX_INSTANCES: AtomicUsize = AtomicUsize::new(128);
/// `/proc/sys/fs/inotify/max_user_watches`.
pub static MAX_WATCHES: AtomicUsize = AtomicUsize::new(65_536);

/// Queues and watches of each user.
static USED: SpinLock<BTreeMap<u32, (usize, usize)>> = SpinLock::new(BTreeMap::new());

/// Changes a user's counts; `false` where that goes beyond a limit.
fn charge(uid: u32, instances: isize, watches: isize) -> bool {
    let mut used = USED.lock();
    let counts = used.entry(uid).or_default();
    let new = (counts.0.saturating_add_signed(instances), counts.1.saturating_add_signed(watches));
    let over = (instances > 0 && new.0 > MAX_INSTANCES.load(Ordering::Relaxed)) || (watches > 0 && new.1 > MAX_WATCHES.load(Ordering::Relaxed));
    if over {
        return false;
    }
    *counts = new;
    if new == (0, 0) {
        used.remove(&uid);
    }
    true
}

struct Watch {
    key: FileKey,
    mask: u32,
    /// Keeps the number from being used for another file.
    _inode: InodeRef,
}

#[derive(PartialEq, Eq)]
struct Event {
    wd: i32,
    mask: u32,
    cookie: u32,
    name: Vec<u8>,
}

impl Event {
    /// Names are padded with zeroes to a multiple of the header's size, with at least one.
    fn name_len(&self) -> usize {
        if self.name.is_empty() { 0 } else { (self.name.len() + 1).next_multiple_of(HEADER) }
    }

    fn len(&self) -> usize {
        HEADER + self.name_len()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        bytes.extend(self.wd.to_ne_bytes());
        bytes.extend(self.mask.to_ne_bytes());
        bytes.extend(self.cookie.to_ne_bytes());
        bytes.extend((self.name_len() as u32).to_ne_bytes());
        bytes.extend(&self.name);
        bytes.resize(self.len(), 0);
        bytes
    }
}

#[derive(Default)]
struct State {
    watches: BTreeMap<i32, Watch>,
    /// Watches by what they watch.
    by_file: BTreeMap<FileKey, i32>,
    next: i32,
    queue: VecDeque<Event>,
}

impl State {
    /// The watch of a file, with its number.
    fn find(&mut self, key: FileKey) -> Option<(i32, &mut Watch)> {
        let wd = *self.by_file.get(&key)?;
        Some((wd, self.watches.get_mut(&wd)?))
    }
}

/// An inotify instance.
pub struct Inotify {
    state: SpinLock<State>,
    event: WaitQueue,
    max_events: usize,
    uid: u32,
    this: Weak<Inotify>,
}

impl Inotify {
    /// An instance of user `uid`.
    ///
    /// # Errors
    /// `EMFILE` beyond the user's limit.
    pub fn new(uid: u32) -> Result<Arc<Self>> {
        if !charge(uid, 1, 0) {
            return Err(EMFILE);
        }
        Ok(Arc::new_cyclic(|this| Self {
            state: SpinLock::new(State { next: 1, ..State::default() }),
            event: WaitQueue::new(),
            max_events: MAX_EVENTS.load(Ordering::Relaxed),
            uid,
            this: this.clone(),
        }))
    }

    /// `inotify_add_watch(2)`; `mask` has been checked. Returns the watch.
    ///
    /// # Errors
    /// `EEXIST` with `IN_MASK_CREATE`, `ENOSPC` beyond the user's limit.
    pub fn watch(&self, inode: &InodeRef, mask: u32) -> Result<i32> {
        let key = notify::key_of(inode)?;
        let kept = mask & (IN_ALL_EVENTS | IN_UNMOUNT | IN_EXCL_UNLINK | IN_ONESHOT);
        {
            let mut state = self.state.lock();
            if let Some((wd, watch)) = state.find(key) {
                if mask & IN_MASK_CREATE != 0 {
                    return Err(EEXIST);
                }
                watch.mask = if mask & IN_MASK_ADD != 0 { watch.mask | kept } else { kept };
                return Ok(wd);
            }
        }
        if !charge(self.uid, 0, 1) {
            return Err(ENOSPC);
        }
        let wd = {
            let mut state = self.state.lock();
            let wd = state.next;
            state.next += 1;
            state.watches.insert(wd, Watch { key, mask: kept, _inode: inode.clone() });
            state.by_file.insert(key, wd);
            wd
        };
        if let Some(this) = self.this.upgrade() {
            let listener: Arc<dyn Listener> = this;
            notify::add(key, &listener);
        }
        Ok(wd)
    }

    /// `inotify_rm_watch(2)`.
    ///
    /// # Errors
    /// `EINVAL` where there is no such watch.
    pub fn unwatch(&self, wd: i32) -> Result {
        let gone = {
            let mut state = self.state.lock();
            let gone = state.watches.remove(&wd).ok_or(EINVAL)?;
            state.by_file.remove(&gone.key);
            gone
        };
        self.forget(gone);
        self.push(Event { wd, mask: IN_IGNORED, cookie: 0, name: Vec::new() });
        Ok(())
    }

    fn forget(&self, watch: Watch) {
        notify::remove(watch.key, core::ptr::from_ref(self).cast());
        charge(self.uid, 0, -1);
        drop(watch);
    }

    fn push(&self, event: Event) {
        {
            let mut state = self.state.lock();
            if state.queue.back() == Some(&event) {
                return;
            }
            if state.queue.len() >= self.max_events {
                if state.queue.back().is_some_and(|last| last.mask == IN_Q_OVERFLOW) {
                    return;
                }
                state.queue.push_back(Event { wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: Vec::new() });
            } else {
                state.queue.push_back(event);
            }
        }
        self.event.wake_events(Events::IN | Events::RDNORM);
    }
}

impl Listener for Inotify {
    fn event(&self, key: FileKey, mask: u32, cookie: u32, name: &[u8], unlinked: bool) {
        let (wd, ends) = {
            let mut state = self.state.lock();
            let Some((wd, watch)) = state.find(key) else { return };
            let wanted = watch.mask & mask & IN_ALL_EVENTS != 0 && !(unlinked && watch.mask & IN_EXCL_UNLINK != 0);
            let ends = mask & notify::DELETE_SELF != 0 || (wanted && watch.mask & IN_ONESHOT != 0);
            if !wanted && !ends {
                return;
            }
            (wanted.then_some(wd), ends.then_some(wd))
        };
        if let Some(wd) = wd {
            self.push(Event { wd, mask: mask & !notify::RENAMED_WITHIN, cookie, name: name.to_vec() });
        }
        if let Some(wd) = ends {
            let _ = self.unwatch(wd);
        }
    }
}

impl Drop for Inotify {
    fn drop(&mut self) {
        let watches = core::mem::take(&mut self.state.get_mut().watches);
        for (_, watch) in watches {
            self.forget(watch);
        }
        charge(self.uid, -1, 0);
    }
}

impl FileOps for Inotify {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let room = dst.remaining();
        let take = || -> Option<Result<Vec<u8>>> {
            let mut state = self.state.lock();
            let first = state.queue.front()?.len();
            if first > room {
                return Some(Err(EINVAL));
            }
            let mut bytes = Vec::new();
            while state.queue.front().is_some_and(|e| bytes.len() + e.len() <= room) {
                bytes.extend(state.queue.pop_front().map(|e| e.bytes()).unwrap_or_default());
            }
            Some(Ok(bytes))
        };
        let bytes = match take() {
            Some(taken) => taken?,
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.event.wait_until(take)??,
        };
        dst.write(&bytes)
    }

    fn write(&self, _file: &OpenFile, _pos: u64, _src: &mut crate::fs::IoSource<'_>) -> Result<usize> {
        Err(EBADF)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.event);
        if self.state.lock().queue.is_empty() { Events::empty() } else { Events::IN | Events::RDNORM }
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        const FIONREAD: u32 = 0x541b;
        if cmd != FIONREAD {
            return Err(ENOTTY);
        }
        let bytes: usize = self.state.lock().queue.iter().map(Event::len).sum();
        crate::user::write(arg, &(bytes as i32))?;
        Ok(0)
    }

    fn has_no_positions(&self) -> bool {
        true
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:inotify".into()
    }

    fn details(&self) -> String {
        let state = self.state.lock();
        let line = |(wd, watch): (&i32, &Watch)| alloc::format!("inotify wd:{wd:x} ino:{:x} sdev:{:x} mask:{:x} ignored_mask:0 \n", watch.key.1, watch.key.0, watch.mask);
        state.watches.iter().map(line).collect()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

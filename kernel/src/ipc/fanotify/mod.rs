//! `fanotify(7)`: a queue of events of files, mounts and whole filesystems, which gives its reader each file open, and may be asked whether it may be used.
//!
//! * [`marks`]: what a group wants to hear of.
//! * [`asking`]: permission events, for which whoever opens, reads or executes waits.
//!
//! Events name files by descriptors; those that name them by handles (`FAN_REPORT_FID`) are not there.

mod asking;
mod marks;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering};

pub use asking::{Answer, may};
use asking::Question;
pub use marks::{Subject, SubjectKind};
use marks::Marks;

use crate::error::*;
use crate::fs::{Attr, Caller, Events, FdFlags, FileOps, IoSink, IoSource, OpenFile, OpenFlags, Path, notify};
use crate::sync::{PollTable, SpinLock, WaitQueue};
use crate::task::pid_ns;
use crate::{task, user};

/// Beside those of `inotify(7)`, which have the same numbers.
pub const OPEN_EXEC: u64 = 0x1000;
const OVERFLOW: u64 = 0x4000;
/// Who opens, reads or executes waits for an answer.
pub const OPEN_PERM: u64 = 0x1_0000;
#[allow(missing_docs)]
pub const ACCESS_PERM: u64 = 0x2_0000;
#[allow(missing_docs)]
pub const OPEN_EXEC_PERM: u64 = 0x4_0000;
/// Those that wait.
pub const PERMISSIONS: u64 = OPEN_PERM | ACCESS_PERM | OPEN_EXEC_PERM;
/// In a mark: also what happens to the entries of a directory.
pub const ON_CHILD: u64 = 0x800_0000;
/// In a mark: also what happens to directories.
pub const ON_DIRECTORY: u64 = 0x4000_0000;
/// All that can happen.
const HAPPENINGS: u64 = (notify::ACCESS | notify::MODIFY | notify::CLOSE_WRITE | notify::CLOSE_NOWRITE | notify::OPEN) as u64 | OPEN_EXEC;

/// `struct fanotify_event_metadata`.
const METADATA: usize = 24;
const VERSION: u8 = 3;
/// How far back in the queue an event of the same file is looked for, to become one with it.
const MERGE_DEPTH: usize = 128;

/// `/proc/sys/fs/fanotify/max_queued_events`.
pub static MAX_EVENTS: AtomicUsize = AtomicUsize::new(16_384);
/// `/proc/sys/fs/fanotify/max_user_groups`.
pub static MAX_GROUPS: AtomicUsize = AtomicUsize::new(128);
/// `/proc/sys/fs/fanotify/max_user_marks`.
pub static MAX_MARKS: AtomicUsize = AtomicUsize::new(65_536);

/// All groups that have marks.
static GROUPS: SpinLock<Vec<Weak<Group>>> = SpinLock::new(Vec::new());
/// How many these are; and how many of them ask.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// Groups of each user.
static USED: SpinLock<BTreeMap<u32, usize>> = SpinLock::new(BTreeMap::new());

/// How a group was made.
#[derive(Clone, Copy)]
pub struct Settings {
    /// It may be asked (`FAN_CLASS_CONTENT`, `FAN_CLASS_PRE_CONTENT`).
    pub is_asked: bool,
    /// `FAN_UNLIMITED_QUEUE`
    pub unlimited_queue: bool,
    /// `FAN_UNLIMITED_MARKS`
    pub unlimited_marks: bool,
    /// `FAN_REPORT_TID`: events name the thread, not its process.
    pub reports_thread: bool,
    /// The flags as given, for `/proc`.
    pub flags: u32,
    /// How files are opened for the reader.
    pub open_flags: OpenFlags,
    /// Descriptors of files are closed by `execve(2)`.
    pub close_on_exec: bool,
}

struct Event {
    mask: u64,
    /// None where events were lost.
    path: Option<Path>,
    /// Who did it, in the first PID namespace.
    id: u32,
    /// Who waits for an answer.
    question: Option<Arc<Question>>,
}

#[derive(Default)]
struct State {
    marks: Marks,
    queue: VecDeque<Event>,
    /// Asked, by the descriptor that the reader has.
    asked: Vec<(i32, Arc<Question>)>,
    is_closed: bool,
}

/// A group: what `fanotify_init(2)` makes.
pub struct Group {
    settings: Settings,
    state: SpinLock<State>,
    event: WaitQueue,
    uid: u32,
    this: Weak<Group>,
}

/// Groups that want something of a file, with what each wants of it.
fn interested(file: &OpenFile, happened: u64) -> Vec<(Arc<Group>, u64)> {
    let Some(path) = &file.path else { return Vec::new() };
    let groups: Vec<Arc<Group>> = GROUPS.lock().iter().filter_map(Weak::upgrade).collect();
    let place = marks::Place::of(path);
    groups.into_iter().filter_map(|group| Some((group.wanted(&place, happened)?, group)).map(|(mask, group)| (group, mask))).collect()
}

/// Something happened to an open file.
pub fn file(file: &OpenFile, happened: u64) {
    let happened = happened & HAPPENINGS;
    if LISTENING.load(Ordering::Relaxed) == 0 || happened == 0 || file.is_quiet() {
        return;
    }
    for (group, mask) in interested(file, happened) {
        group.push(file, mask, None);
    }
}

impl Group {
    /// A group of user `uid`.
    ///
    /// # Errors
    /// `EMFILE` beyond the user's limit.
    pub fn new(settings: Settings, uid: u32) -> Result<Arc<Self>> {
        let mut used = USED.lock();
        let count = used.entry(uid).or_default();
        if *count >= MAX_GROUPS.load(Ordering::Relaxed) {
            return Err(EMFILE);
        }
        *count += 1;
        Ok(Arc::new_cyclic(|this| Self { settings, state: SpinLock::default(), event: WaitQueue::new(), uid, this: this.clone() }))
    }

    /// Whether it may be asked.
    pub fn is_asked(&self) -> bool {
        self.settings.is_asked
    }

    /// Adds to a mark, or makes it. `ignored`: to what it does not want to hear; `survives`: also after the file was changed.
    ///
    /// # Errors
    /// `ENOSPC` beyond the limit of marks.
    pub fn add_mark(&self, subject: Subject, mask: u64, ignored: bool, survives: bool) -> Result {
        let most = if self.settings.unlimited_marks { usize::MAX } else { MAX_MARKS.load(Ordering::Relaxed) };
        // What a mark held goes without the lock.
        let _spare = self.state.lock().marks.add(subject, mask, ignored, survives, most)?;
        let mut groups = GROUPS.lock();
        if !groups.iter().any(|group| Weak::ptr_eq(group, &self.this)) {
            groups.push(self.this.clone());
            LISTENING.store(groups.len(), Ordering::SeqCst);
        }
        Ok(())
    }

    /// Takes from a mark; without anything left it goes.
    ///
    /// # Errors
    /// `ENOENT` where there is none.
    pub fn remove_mark(&self, subject: &Subject, mask: u64, ignored: bool) -> Result {
        let _gone = self.state.lock().marks.remove(subject, mask, ignored)?;
        Ok(())
    }

    /// Takes all marks of a kind away.
    pub fn flush(&self, kind: SubjectKind) {
        let gone = self.state.lock().marks.flush(kind);
        drop(gone);
    }

    fn wanted(&self, place: &marks::Place, happened: u64) -> Option<u64> {
        let mut state = self.state.lock();
        let wanted = if state.is_closed { 0 } else { state.marks.wanted(place, happened) };
        (wanted != 0).then_some(wanted)
    }

    /// Puts an event into the queue; one that asks nothing becomes one with what the same has done to the same file.
    fn push(&self, file: &OpenFile, mask: u64, question: Option<Arc<Question>>) {
        let Some(path) = file.path.clone() else { return };
        let id = task::with_current(|thread| if self.settings.reports_thread { thread.tid() } else { thread.process.pid });
        let most = if self.settings.unlimited_queue { usize::MAX } else { MAX_EVENTS.load(Ordering::Relaxed) };
        // What is not put in goes without the lock.
        let _unused = {
            let mut state = self.state.lock();
            let is_same = |event: &&mut Event| {
                event.question.is_none() && event.id == id && event.path.as_ref().is_some_and(|it| Arc::ptr_eq(&it.dentry, &path.dentry) && Arc::ptr_eq(&it.mount, &path.mount))
            };
            let known = if question.is_none() { state.queue.iter_mut().rev().take(MERGE_DEPTH).find(is_same) } else { None };
            if let Some(known) = known {
                known.mask |= mask;
                Some(path)
            } else if state.is_closed {
                if let Some(question) = question {
                    question.answer(Answer::Allowed);
                }
                Some(path)
            } else if state.queue.len() < most || question.is_some() {
                state.queue.push_back(Event { mask, path: Some(path), id, question });
                None
            } else {
                if state.queue.back().is_none_or(|last| last.mask != OVERFLOW) {
                    state.queue.push_back(Event { mask: OVERFLOW, path: None, id: 0, question: None });
                }
                Some(path)
            }
        };
        self.event.wake_events(Events::IN | Events::RDNORM);
    }

    /// Opens an event's file for the reader: its descriptor.
    fn open(&self, path: &Path) -> Result<i32> {
        let thread = task::current();
        let files = thread.process.files();
        files.check_room()?;
        let file = Caller::of(&thread.process).open_quietly(path, self.settings.open_flags)?;
        files.insert(file, if self.settings.close_on_exec { FdFlags::CLOEXEC } else { FdFlags::empty() })
    }

    /// The next event as its reader gets it.
    fn take(&self) -> Option<Result<[u8; METADATA]>> {
        let event = self.state.lock().queue.pop_front()?;
        let fd = match event.path.as_ref().map(|path| self.open(path)) {
            None => -1,
            Some(Ok(fd)) => fd,
            Some(Err(error)) => {
                // Who waits must not wait for ever for something that nobody will hear of.
                if let Some(question) = event.question {
                    question.answer(Answer::Denied);
                }
                return Some(Err(error));
            }
        };
        if let Some(question) = event.question {
            let mut state = self.state.lock();
            if state.is_closed {
                question.answer(Answer::Allowed);
            } else {
                state.asked.push((fd, question));
            }
        }
        let mut bytes = [0; METADATA];
        bytes[..4].copy_from_slice(&(METADATA as u32).to_le_bytes());
        bytes[4] = VERSION;
        bytes[6..8].copy_from_slice(&(METADATA as u16).to_le_bytes());
        bytes[8..16].copy_from_slice(&event.mask.to_le_bytes());
        bytes[16..20].copy_from_slice(&fd.to_le_bytes());
        bytes[20..].copy_from_slice(&(if event.id == 0 { 0 } else { pid_ns::seen(event.id) }).to_le_bytes());
        Some(Ok(bytes))
    }
}

impl FileOps for Group {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < METADATA {
            return Err(EINVAL);
        }
        let is_there = || (!self.state.lock().queue.is_empty()).then_some(());
        let mut done = 0;
        while done == 0 {
            match is_there() {
                Some(()) => {}
                None if file.nonblocking() => return Err(EAGAIN),
                None => self.event.wait_until(is_there)?,
            }
            while dst.remaining() >= METADATA {
                match self.take() {
                    None => break,
                    Some(Ok(bytes)) => done += dst.write(&bytes)?,
                    Some(Err(_)) if done > 0 => break,
                    Some(Err(error)) => return Err(error),
                }
            }
        }
        Ok(done)
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        /// `struct fanotify_response`: descriptor, answer.
        const RESPONSE: usize = 8;
        const ALLOW: u32 = 1;
        const DENY: u32 = 2;
        if !self.settings.is_asked {
            return Err(EINVAL);
        }
        if src.remaining() < RESPONSE {
            return Err(EINVAL);
        }
        let mut bytes = [0; RESPONSE];
        src.read(&mut bytes)?;
        let [fd, answer] = [0, 4].map(|at| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
        let answer = match answer {
            ALLOW => Answer::Allowed,
            DENY => Answer::Denied,
            _ => return Err(EINVAL),
        };
        let fd = fd as i32;
        if fd < 0 {
            return Err(EINVAL);
        }
        let question = {
            let mut state = self.state.lock();
            let at = state.asked.iter().position(|(asked, _)| *asked == fd).ok_or(ENOENT)?;
            state.asked.swap_remove(at).1
        };
        question.answer(answer);
        Ok(RESPONSE)
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
        let bytes = self.state.lock().queue.len() * METADATA;
        user::write(arg, &(bytes as i32))?;
        Ok(0)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        "anon_inode:[fanotify]".into()
    }

    fn details(&self) -> String {
        let mut out = alloc::format!("fanotify flags:{:x} event-flags:{:x}\n", self.settings.flags, self.settings.open_flags.bits());
        self.state.lock().marks.show(&mut out);
        out
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        {
            let mut groups = GROUPS.lock();
            groups.retain(|group| group.strong_count() > 0);
            LISTENING.store(groups.len(), Ordering::SeqCst);
        }
        let state = core::mem::take(self.state.get_mut());
        let waiting = state.queue.iter().filter_map(|event| event.question.as_ref()).chain(state.asked.iter().map(|(_, question)| question));
        waiting.for_each(|question| question.answer(Answer::Allowed));
        drop(state);
        let mut used = USED.lock();
        if let Some(count) = used.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                used.remove(&self.uid);
            }
        }
    }
}

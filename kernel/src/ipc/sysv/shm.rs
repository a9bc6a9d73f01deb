//! Shared memory segments (`shmget(2)`).
//!
//! A segment is a memory object. Who has it attached is told by the references to it: each mapping holds one. After `IPC_RMID` the table keeps a weak
//! one only, so the memory goes with the last mapping.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Object, Perm, Table, now_s};
use crate::error::*;
use crate::ipc::limits;
use crate::ipc::namespace::here;
use crate::mm::anon::SharedAnon;
use crate::mm::{AddressSpace, Backing, MapRequest, MemoryObject, PAGE, Placement, Prot};
use crate::sync::SpinLock;
use crate::task::{Capability, Credentials, pid_ns};

/// Set in the mode of a removed segment that is still attached.
const SHM_DEST: u32 = 0o1000;
const SHM_LOCKED: u32 = 0o2000;

/// `shmat(2)` flags.
pub const SHM_RDONLY: u32 = 0o10000;
#[allow(missing_docs)]
pub const SHM_RND: u32 = 0o20000;
#[allow(missing_docs)]
pub const SHM_REMAP: u32 = 0o40000;
#[allow(missing_docs)]
pub const SHM_EXEC: u32 = 0o100000;

enum Memory {
    Kept(Arc<SharedAnon>),
    Removed(Weak<SharedAnon>),
}

/// A segment.
pub struct Segment {
    perm: Perm,
    size: usize,
    memory: Memory,
    attach_s: i64,
    detach_s: i64,
    change_s: i64,
    creator: u32,
    last: u32,
}

impl Segment {
    fn memory(&self) -> Option<Arc<SharedAnon>> {
        match &self.memory {
            Memory::Kept(memory) => Some(memory.clone()),
            Memory::Removed(memory) => memory.upgrade(),
        }
    }

    fn attached(&self) -> usize {
        match &self.memory {
            Memory::Kept(memory) => Arc::strong_count(memory) - 1,
            Memory::Removed(memory) => memory.strong_count(),
        }
    }

    fn is(&self, object: &Arc<dyn MemoryObject>) -> bool {
        let address = match &self.memory {
            Memory::Kept(memory) => Arc::as_ptr(memory),
            Memory::Removed(memory) => memory.as_ptr(),
        };
        core::ptr::addr_eq(address, Arc::as_ptr(object))
    }
}

impl Object for Segment {
    fn limit() -> usize {
        limits::get(|it| &it.shm_segments)
    }

    fn perm(&self) -> Perm {
        self.perm
    }
    fn set_seq(&mut self, seq: u16) {
        self.perm.seq = seq;
    }
    fn alive(&self) -> bool {
        self.attached() > 0 || matches!(self.memory, Memory::Kept(_))
    }
    fn findable(&self) -> bool {
        matches!(self.memory, Memory::Kept(_))
    }
}

/// Those of an IPC namespace.
pub type Segments = SpinLock<Table<Segment>>;

/// `struct shmid64_ds`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Status {
    /// Identity and rights.
    pub perm: Perm,
    /// Bytes.
    pub size: u64,
    times: [i64; 3],
    creator: i32,
    last: i32,
    /// Mappings.
    pub attached: u64,
    unused: [u64; 2],
}

/// shmget(2)
///
/// # Errors
/// As there.
pub fn get(key: i32, size: usize, flags: u32, creds: &Credentials, pid: u32) -> Result<usize> {
    let fits = |s: &Segment| if size > s.size { Err(EINVAL) } else { Ok(()) };
    let (_, _, pages_before) = totals();
    here().shm.lock().get(key, flags, creds, fits, |perm| {
        if size == 0 || size > limits::get(|it| &it.shm_max) {
            return Err(EINVAL);
        }
        if pages_before.saturating_add(size.div_ceil(PAGE)) > limits::get(|it| &it.shm_all) {
            return Err(ENOSPC);
        }
        let memory = Arc::new(SharedAnon::new(size.div_ceil(PAGE) as u64));
        Ok(Segment { perm, size, memory: Memory::Kept(memory), attach_s: 0, detach_s: 0, change_s: now_s(), creator: pid, last: 0 })
    })
}

/// shmat(2)
///
/// # Errors
/// As there.
pub fn attach(mm: &Arc<AddressSpace>, id: i32, addr: usize, flags: u32, creds: &Credentials, pid: u32) -> Result<usize> {
    let mut place = Placement::Hint(0);
    if addr != 0 {
        if addr % PAGE != 0 && flags & SHM_RND == 0 {
            return Err(EINVAL);
        }
        let addr = addr & !(PAGE - 1);
        if addr == 0 && flags & SHM_REMAP != 0 {
            return Err(EINVAL);
        }
        place = if flags & SHM_REMAP != 0 { Placement::Fixed(addr) } else { Placement::FixedNoReplace(addr) };
    } else if flags & SHM_REMAP != 0 {
        return Err(EINVAL);
    }
    let mut prot = Prot::READ;
    let mut want = 4;
    if flags & SHM_RDONLY == 0 {
        prot |= Prot::WRITE;
        want |= 2;
    }
    if flags & SHM_EXEC != 0 {
        prot |= Prot::EXEC;
        want |= 1;
    }
    let (object, len): (Arc<dyn MemoryObject>, usize) = {
        let here = here();
        let table = here.shm.lock();
        let segment = table.find(id)?;
        segment.perm.check(creds, want)?;
        if !segment.findable() && segment.attached() == 0 {
            return Err(EIDRM);
        }
        (segment.memory().ok_or(EIDRM)?, segment.size.div_ceil(PAGE) * PAGE)
    };
    let max_prot = if flags & SHM_RDONLY == 0 { Prot::all() } else { Prot::READ | Prot::EXEC };
    let backing = Backing::Object { object, first: 0, file: None };
    let at = mm
        .map(MapRequest { place, len, prot, max_prot, shared: true, grows_down: false, backing, label: None })
        .map_err(|e| if e == EEXIST { EINVAL } else { e })?;
    if let Ok(segment) = here().shm.lock().find_mut(id) {
        segment.attach_s = now_s();
        segment.last = pid;
    }
    Ok(at)
}

/// shmdt(2)
///
/// # Errors
/// `EINVAL` where no segment is attached there.
pub fn detach(mm: &AddressSpace, addr: usize, pid: u32) -> Result {
    if addr % PAGE != 0 {
        return Err(EINVAL);
    }
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    {
        let areas = mm.list();
        let here = here();
        let mut table = here.shm.lock();
        let first = areas.iter().find(|a| a.start == addr).ok_or(EINVAL)?;
        let Backing::Object { object, first: 0, .. } = &first.backing else { return Err(EINVAL) };
        let segment = table.places.iter_mut().flatten().find(|s| s.is(object)).ok_or(EINVAL)?;
        let end = addr + segment.size.div_ceil(PAGE) * PAGE;
        // mprotect may have cut the mapping into pieces.
        for area in areas.iter().filter(|a| a.start >= addr && a.end <= end) {
            if matches!(&area.backing, Backing::Object { object: other, .. } if Arc::ptr_eq(object, other)) {
                pieces.push((area.start, area.len()));
            }
        }
        segment.detach_s = now_s();
        segment.last = pid;
    }
    for (start, len) in pieces {
        mm.unmap(start, len)?;
    }
    Ok(())
}

/// `IPC_STAT`; with `any` (`SHM_STAT_ANY`) also without the right to read.
///
/// # Errors
/// `EINVAL`, `EACCES`.
pub fn status(id: i32, creds: &Credentials, any: bool) -> Result<Status> {
    let here = here();
    let table = here.shm.lock();
    let s = table.find(id)?;
    if !any {
        s.perm.check(creds, 4)?;
    }
    Ok(Status {
        perm: s.perm.shown(),
        size: s.size as u64,
        times: [s.attach_s, s.detach_s, s.change_s],
        creator: pid_ns::seen(s.creator) as i32,
        last: pid_ns::seen(s.last) as i32,
        attached: s.attached() as u64,
        unused: [0; 2],
    })
}

/// The number of the segment at a place of the table.
///
/// # Errors
/// `EINVAL`.
pub fn at_place(place: i32) -> Result<i32> {
    here().shm.lock().at_place(place)
}

/// Highest place, segments, pages of all, pages in memory (`SHM_INFO`).
pub fn totals() -> (usize, usize, usize) {
    let here = here();
    let table = here.shm.lock();
    let pages = table.iter().map(|(_, s)| s.size.div_ceil(PAGE)).sum();
    (table.highest(), table.iter().count(), pages)
}

/// `IPC_SET`.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn set(id: i32, to: &Perm, creds: &Credentials) -> Result {
    let here = here();
    let mut table = here.shm.lock();
    let segment = table.find_mut(id)?;
    segment.perm.check_owner(creds)?;
    segment.perm.set(to)?;
    segment.change_s = now_s();
    Ok(())
}

/// `IPC_RMID`: new attachments by key end; the memory goes with the last mapping.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn remove(id: i32, creds: &Credentials) -> Result {
    let here = here();
    let mut table = here.shm.lock();
    let segment = table.find_mut(id)?;
    segment.perm.check_owner(creds)?;
    let Memory::Kept(memory) = &segment.memory else { return Ok(()) };
    let weak = Arc::downgrade(memory);
    segment.perm.mode |= SHM_DEST;
    segment.perm.key = super::IPC_PRIVATE;
    let old = core::mem::replace(&mut segment.memory, Memory::Removed(weak));
    drop(table);
    // Frees the pages where nobody has it attached: not under the lock.
    drop(old);
    Ok(())
}

/// `SHM_LOCK`, `SHM_UNLOCK`: a mark only, since nothing is ever swapped out.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub fn lock(id: i32, on: bool, creds: &Credentials) -> Result {
    let here = here();
    let mut table = here.shm.lock();
    let segment = table.find_mut(id)?;
    if !creds.has(Capability::IPC_LOCK) && ![segment.perm.uid, segment.perm.cuid].contains(&creds.euid) {
        return Err(EPERM);
    }
    segment.perm.mode = if on { segment.perm.mode | SHM_LOCKED } else { segment.perm.mode & !SHM_LOCKED };
    Ok(())
}

/// `/proc/sysvipc/shm`.
pub fn listing() -> Vec<u8> {
    let mut text = alloc::string::String::from(
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n",
    );
    for (id, s) in here().shm.lock().iter() {
        let p = s.perm.shown();
        text += &alloc::format!(
            "{:10} {:10}  {:4o} {:21} {:5} {:5}  {:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10} {:21} {:21}\n",
            p.key, id, p.mode, s.size, pid_ns::seen(s.creator), pid_ns::seen(s.last), s.attached(), p.uid, p.gid, p.cuid, p.cgid, s.attach_s, s.detach_s, s.change_s, 0, 0
        );
    }
    text.into_bytes()
}

//! The kernel's side of a scheme, for tests on any Linux host.
//!
//! A [`Harness`] makes a pair of sockets and a transfer area, gives one end to a [`crate::Server`] (usually in a
//! thread of the test), and sends requests from the other.
#![allow(unsafe_code)]

use crate::error::Errno;
use crate::socket::SchemeSocket;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use scheme_abi::area::{AREA_BYTES, SLOT_BYTES, SLOT_COUNT};
use scheme_abi::fs::{
    Change, CreateRequest, FS_BATCH, FS_CREATE, FS_GETATTR, FS_GETXATTR, FS_GRANT, FS_LINK, FS_LISTXATTR, FS_LOOKUP,
    FS_RENAME, FS_SETATTR, FS_SYNC, LinkRequest, LookupAnswer, LookupRequest, LookupStop, NodeAttr, RenameRequest, SetAttr,
    SetXattr, Step, StepAnswer, Time,
};
use scheme_abi::sqe::{self, Buffer, Ids};
use scheme_abi::{CQE_BYTES, Cqe, CqeOpcode, Sqe, TransferArea};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// Memory that stands for the kernel's transfer area.
#[derive(Debug)]
pub struct TestArea(u64, bool);

impl TestArea {
    fn new(is_succession: bool) -> io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no existing memory.
        let start =
            unsafe { mmap_anonymous(core::ptr::null_mut(), AREA_BYTES, protection, flags)? };
        Ok(Self(start as u64, is_succession))
    }

    pub(crate) const fn describe(&self) -> TransferArea {
        TransferArea {
            addr: self.0,
            len: AREA_BYTES as u64,
        }
    }

    pub(crate) const fn is_succession(&self) -> bool {
        self.1
    }

    const fn slot(&self, slot: usize) -> u64 {
        self.0 + (slot * SLOT_BYTES) as u64
    }

    fn put(&self, slot: usize, data: &[u8]) {
        assert!(slot < SLOT_COUNT && data.len() <= SLOT_BYTES);
        // SAFETY: the slot is inside the mapping and the data fits (asserted). The harness uses a slot only
        // while no request in flight names it, so the server's slices do not overlap it.
        unsafe {
            core::ptr::copy_nonoverlapping(data.as_ptr(), self.slot(slot) as *mut u8, data.len());
        }
    }

    fn get(&self, slot: usize, len: usize) -> Vec<u8> {
        assert!(slot < SLOT_COUNT && len <= SLOT_BYTES);
        // SAFETY: as in `put`; the request of this slot was answered.
        unsafe { core::slice::from_raw_parts(self.slot(slot) as *const u8, len) }.to_vec()
    }
}

impl Drop for TestArea {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length; whoever points into it holds an `Arc` of it.
        let _ = unsafe { munmap(self.0 as *mut core::ffi::c_void, AREA_BYTES) };
    }
}

/// A request in flight.
#[derive(Debug)]
#[must_use = "the answer has to be waited for"]
pub struct Ticket {
    tag: u32,
    slot: usize,
    capacity: usize,
}

impl Ticket {
    /// The request's tag.
    pub const fn tag(&self) -> u32 {
        self.tag
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The value of the result.
    pub value: u64,
    /// The whole buffer after the request.
    pub buffer: Vec<u8>,
    /// The descriptor of a `RespondWithFd`.
    pub fd: Option<OwnedFd>,
}

impl Answer {
    /// The part of the buffer that the value counts.
    pub fn data(&self) -> &[u8] {
        &self.buffer[..self.buffer.len().min(self.value as usize)]
    }
}

/// Plays the kernel for one scheme.
#[derive(Debug)]
pub struct Harness {
    stream: UnixStream,
    area: Arc<TestArea>,
    free_slots: Vec<usize>,
    next_tag: u32,
    answers: HashMap<u32, Cqe>,
    /// `SendFevent`s received: handle and events.
    pub events: VecDeque<(u32, u64)>,
}

impl Harness {
    /// A harness and the socket for the scheme's server.
    ///
    /// # Errors
    ///
    /// What `socketpair(2)` and `mmap(2)` return.
    pub fn new() -> io::Result<(Self, SchemeSocket)> {
        Self::with(false)
    }

    /// As [`Self::new`]; the server is told that it succeeds one that died.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn for_successor() -> io::Result<(Self, SchemeSocket)> {
        Self::with(true)
    }

    fn with(is_succession: bool) -> io::Result<(Self, SchemeSocket)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(Duration::from_secs(60)))?;
        let area = Arc::new(TestArea::new(is_succession)?);
        let socket = SchemeSocket::for_test(theirs.into(), area.clone());
        let harness = Self {
            stream: ours,
            area,
            free_slots: (0..SLOT_COUNT).rev().collect(),
            next_tag: 1,
            answers: HashMap::new(),
            events: VecDeque::new(),
        };
        Ok((harness, socket))
    }

    /// Sends one raw request as it is, with no slot and no care.
    ///
    /// # Panics
    ///
    /// If the server is gone, as all methods here.
    pub fn send_raw(&mut self, request: &Sqe) {
        let bytes = sqe::encode(request);
        self.stream
            .write_all(&bytes)
            .expect("the server takes a request");
    }

    /// Address of the transfer area, for raw requests.
    pub fn area_address(&self) -> u64 {
        self.area.0
    }

    /// Sends a request made by `make` for a slot of `capacity` bytes that starts with `input`.
    pub fn submit(
        &mut self,
        input: &[u8],
        capacity: usize,
        make: impl FnOnce(Buffer) -> Sqe,
    ) -> Ticket {
        let slot = self
            .free_slots
            .pop()
            .expect("at most 64 requests in flight");
        self.area.put(slot, input);
        let buffer = Buffer {
            ptr: self.area.slot(slot),
            len: capacity as u64,
        };
        let mut request = make(buffer);
        let tag = self.next_tag;
        self.next_tag = self.next_tag.wrapping_add(1).max(1);
        request.tag = tag;
        request.caller = 1;
        self.send_raw(&request);
        Ticket {
            tag,
            slot,
            capacity,
        }
    }

    /// Receives one completion, of whichever request.
    pub fn receive(&mut self) {
        let mut bytes = [0; CQE_BYTES];
        self.stream
            .read_exact(&mut bytes)
            .expect("the server answers");
        let cqe = sqe::decode_cqe(&bytes);
        if let Some(CqeOpcode::SendFevent) = sqe::cqe_opcode(&cqe) {
            self.events.push_back((cqe.tag, cqe.result));
        } else {
            assert!(
                self.answers.insert(cqe.tag, cqe).is_none(),
                "answered twice: {cqe:?}"
            );
        }
    }

    /// True if the request was answered already, without waiting.
    pub fn is_answered(&self, ticket: &Ticket) -> bool {
        self.answers.contains_key(&ticket.tag)
    }

    /// Waits for the answer to a request.
    ///
    /// # Errors
    ///
    /// The errno of the answer.
    pub fn wait(&mut self, ticket: Ticket) -> Result<Answer, Errno> {
        while !self.answers.contains_key(&ticket.tag) {
            self.receive();
        }
        let cqe = self.answers.remove(&ticket.tag).expect("just checked");
        let buffer = self.area.get(ticket.slot, ticket.capacity);
        self.free_slots.push(ticket.slot);
        let value = sqe::decode_result(cqe.result).map_err(Errno::from_raw_os_error)?;
        let fd = match sqe::cqe_opcode(&cqe).expect("a known completion") {
            CqeOpcode::RespondWithFd => {
                // SAFETY: in tests the outbox gives up its descriptor when it has sent the number, see
                // `SchemeSocket::release`: it is ours now.
                Some(unsafe { OwnedFd::from_raw_fd(value as i32) })
            }
            _ => None,
        };
        Ok(Answer { value, buffer, fd })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    ///
    /// The errno of the answer.
    pub fn call(
        &mut self,
        input: &[u8],
        capacity: usize,
        make: impl FnOnce(Buffer) -> Sqe,
    ) -> Result<Answer, Errno> {
        let ticket = self.submit(input, capacity, make);
        self.wait(ticket)
    }

    /// Opens a path from the scheme's root with Linux's flags; a handle.
    ///
    /// # Errors
    ///
    /// The errno of the answer, as all below.
    pub fn open(&mut self, path: &str, linux_flags: u32) -> Result<u64, Errno> {
        let flags = scheme_abi::flags::from_linux(linux_flags, 0o644);
        let make = |path| sqe::open_at(scheme_abi::ROOT_HANDLE, path, flags, 0, Ids::default());
        Ok(self.call(path.as_bytes(), path.len(), make)?.value)
    }

    /// Reads up to `len` bytes.
    pub fn read(&mut self, handle: u64, len: usize, offset: u64) -> Result<Vec<u8>, Errno> {
        let answer = self.call(&[], len, |buffer| sqe::read(handle, buffer, offset, 0))?;
        Ok(answer.data().to_vec())
    }

    /// Writes `data`.
    pub fn write(&mut self, handle: u64, data: &[u8], offset: u64) -> Result<usize, Errno> {
        let make = |buffer| sqe::write(handle, buffer, offset, 0);
        Ok(self.call(data, data.len(), make)?.value as usize)
    }

    /// Closes a handle, or forgets a node.
    pub fn close(&mut self, handle: u64) {
        let answer = self.call(&[], 0, |_| sqe::close(handle));
        assert!(answer.is_ok(), "{answer:?}");
    }

    /// Bytes of directory records from a cursor on.
    pub fn getdents(&mut self, handle: u64, len: usize, from: u64) -> Result<Vec<u8>, Errno> {
        let answer = self.call(&[], len, |buffer| sqe::getdents(handle, buffer, from))?;
        Ok(answer.data().to_vec())
    }

    /// Removes a name.
    pub fn unlink(&mut self, dir: u64, name: &[u8], flags: u64) -> Result<(), Errno> {
        let make = |name| sqe::unlink_at(dir, name, flags, Ids::default());
        self.call(name, name.len(), make).map(drop)
    }

    fn fs_call(
        &mut self,
        handle: u64,
        number: u64,
        input: &[u8],
        capacity: usize,
    ) -> Result<Answer, Errno> {
        let capacity = capacity.max(input.len());
        self.call(input, capacity, |buffer| {
            sqe::call(handle, buffer, [number, 0, 0])
        })
    }

    fn attr_call(&mut self, handle: u64, number: u64, input: &[u8]) -> Result<NodeAttr, Errno> {
        let answer = self.fs_call(handle, number, input, NodeAttr::BYTES)?;
        Ok(NodeAttr::decode(answer.data()).expect("a whole NodeAttr"))
    }

    /// `FS_LOOKUP` with room for `room` nodes.
    pub fn lookup(
        &mut self,
        dir: u64,
        path: &[u8],
        room: usize,
    ) -> Result<(Vec<NodeAttr>, LookupStop), Errno> {
        let mut input = vec![0; LookupRequest::HEADER_BYTES + path.len()];
        LookupRequest { path }.encode(&mut input).expect("it fits");
        let answer = self.fs_call(dir, FS_LOOKUP, &input, 8 + room * NodeAttr::BYTES)?;
        let found = LookupAnswer::decode(answer.data()).expect("a whole answer");
        Ok((found.attrs().collect(), found.stop))
    }

    /// `FS_CREATE`.
    pub fn create(&mut self, dir: u64, request: &CreateRequest<'_>) -> Result<NodeAttr, Errno> {
        let mut input =
            vec![0; CreateRequest::HEADER_BYTES + request.name.len() + request.target.len()];
        request.encode(&mut input).expect("it fits");
        self.attr_call(dir, FS_CREATE, &input)
    }

    /// `FS_RENAME`.
    pub fn rename(&mut self, old_dir: u64, request: &RenameRequest<'_>) -> Result<(), Errno> {
        let mut input =
            vec![0; RenameRequest::HEADER_BYTES + request.old_name.len() + request.new_name.len()];
        request.encode(&mut input).expect("it fits");
        self.fs_call(old_dir, FS_RENAME, &input, 0).map(drop)
    }

    /// `FS_LINK`.
    pub fn link(&mut self, node: u64, dir: u64, name: &[u8]) -> Result<NodeAttr, Errno> {
        self.link_with(node, LinkRequest { dir, unnamed: false, name })
    }

    /// `FS_LINK` with any request.
    pub fn link_with(&mut self, node: u64, request: LinkRequest<'_>) -> Result<NodeAttr, Errno> {
        let mut input = vec![0; LinkRequest::HEADER_BYTES + request.name.len()];
        request
            .encode(&mut input)
            .expect("it fits");
        self.attr_call(node, FS_LINK, &input)
    }

    /// `FS_SETATTR`.
    pub fn set_attr(&mut self, node: u64, changes: &SetAttr) -> Result<NodeAttr, Errno> {
        let mut input = [0; SetAttr::BYTES];
        changes.encode(&mut input).expect("it fits");
        self.attr_call(node, FS_SETATTR, &input)
    }

    /// `FS_GETATTR`.
    pub fn get_attr(&mut self, node: u64) -> Result<NodeAttr, Errno> {
        self.attr_call(node, FS_GETATTR, &[])
    }

    /// `FS_BATCH`: sends what is left again until everything is answered, as the kernel does.
    pub fn batch(&mut self, steps: &[Step<'_>]) -> Result<Vec<StepAnswer>, Errno> {
        let mut answers = Vec::new();
        while answers.len() < steps.len() {
            let rest = &steps[answers.len()..];
            let mut input = vec![0; rest.iter().map(Step::bytes).sum::<usize>() + 4];
            let mut at = 0;
            for step in rest {
                at += step.encode(&mut input[at..]).expect("it fits");
            }
            let room = StepAnswer::room(rest.len());
            let answer = self.fs_call(scheme_abi::fs::ROOT_NODE, FS_BATCH, &input, room)?;
            let count = StepAnswer::count(answer.data()).expect("a whole answer");
            assert!(0 < count && count <= rest.len(), "{count} answers");
            let read = |index| StepAnswer::decode(answer.data(), index).expect("a whole answer");
            answers.extend((0..count).map(read));
        }
        Ok(answers)
    }

    /// One `SetXattr` or `RemoveXattr` step on a node.
    fn xattr_step(&mut self, node: u64, change: Change<'_>) -> Result<NodeAttr, Errno> {
        let at = Time { seconds: 77, nanoseconds: 7 };
        let answer = self.batch(&[Step { node, at, change }])?[0];
        match answer.errno {
            0 => Ok(answer.attr),
            errno => Err(Errno::from_raw_os_error(errno as i32)),
        }
    }

    /// Sets an extended attribute.
    pub fn set_xattr(&mut self, node: u64, request: SetXattr<'_>) -> Result<NodeAttr, Errno> {
        self.xattr_step(node, Change::SetXattr(request))
    }

    /// Removes an extended attribute.
    pub fn remove_xattr(&mut self, node: u64, name: &[u8]) -> Result<NodeAttr, Errno> {
        self.xattr_step(node, Change::RemoveXattr { name })
    }

    /// `FS_GETXATTR` with room for `room` bytes.
    pub fn get_xattr(&mut self, node: u64, name: &[u8], room: usize) -> Result<Vec<u8>, Errno> {
        let input = [name, &[0]].concat();
        let answer = self.fs_call(node, FS_GETXATTR, &input, room)?;
        Ok(answer.data().to_vec())
    }

    /// `FS_LISTXATTR`: the names.
    pub fn list_xattr(&mut self, node: u64) -> Result<Vec<Vec<u8>>, Errno> {
        let answer = self.fs_call(node, FS_LISTXATTR, &[], scheme_abi::fs::XATTR_BYTES)?;
        let names = answer.data().split(|byte| *byte == 0);
        Ok(names.filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
    }

    /// `FS_GRANT`.
    pub fn grant(&mut self, most: usize) -> Result<Vec<u64>, Errno> {
        let input = (most as u32).to_le_bytes();
        let answer = self.fs_call(
            scheme_abi::fs::ROOT_NODE,
            FS_GRANT,
            &input,
            8 + 8 * most,
        )?;
        let mut words = answer.data().chunks_exact(8);
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let count = words.next().map_or(0, word);
        let ids: Vec<u64> = words.map(word).collect();
        assert_eq!(ids.len() as u64, count);
        Ok(ids)
    }

    /// `FS_SYNC`.
    pub fn sync(&mut self) -> Result<(), Errno> {
        self.fs_call(scheme_abi::fs::ROOT_NODE, FS_SYNC, &[], 0)
            .map(drop)
    }
}

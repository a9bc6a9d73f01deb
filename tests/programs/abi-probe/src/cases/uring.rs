//! Rings of requests (`io_uring_setup(2)`), with nothing between them and the system calls.

use std::sync::atomic::{AtomicU32, Ordering};

use super::util::*;
use crate::{cases, sys};

const NOP: u8 = 0;
const READV: u8 = 1;
const FSYNC: u8 = 3;
const READ_FIXED: u8 = 4;
const WRITE_FIXED: u8 = 5;
const POLL_ADD: u8 = 6;
const POLL_REMOVE: u8 = 7;
const RECVMSG: u8 = 10;
const TIMEOUT: u8 = 11;
const TIMEOUT_REMOVE: u8 = 12;
const ACCEPT: u8 = 13;
const CANCEL: u8 = 14;
const LINK_TIMEOUT: u8 = 15;
const CONNECT: u8 = 16;
const FALLOCATE: u8 = 17;
const OPENAT: u8 = 18;
const CLOSE: u8 = 19;
const STATX: u8 = 21;
const READ: u8 = 22;
const WRITE: u8 = 23;
const SEND: u8 = 26;
const RECV: u8 = 27;
const PROVIDE: u8 = 31;
const RENAMEAT: u8 = 35;
const UNLINKAT: u8 = 36;
const MKDIRAT: u8 = 37;
const MSG_RING: u8 = 40;
const SOCKET: u8 = 45;

const FIXED: u8 = 1;
const DRAIN: u8 = 2;
const LINK: u8 = 4;
const HARD: u8 = 8;
const SELECT: u8 = 0x20;
const SKIP: u8 = 0x40;
const GET: u32 = 1;

/// `struct io_uring_sqe`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Entry {
    opcode: u8,
    flags: u8,
    priority: u16,
    fd: i32,
    offset: u64,
    address: u64,
    len: u32,
    call_flags: u32,
    user_data: u64,
    buffer: u16,
    personality: u16,
    file_index: u32,
    more: [u64; 2],
}

/// `struct io_uring_params` but for its offsets.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    cpu: u32,
    idle: u32,
    features: u32,
    wq: u32,
    reserved: [u32; 3],
    sq: [u32; 10],
    cq: [u32; 10],
}

struct Ring {
    fd: i32,
    sq: usize,
    cq: usize,
    entries: usize,
    params: Params,
}

fn map(fd: i32, offset: i64, len: usize) -> usize {
    sys!(SYS_mmap, 0, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset) as usize
}

impl Ring {
    fn with(entries: u32, flags: u32, results: u32) -> Self {
        let mut params = Params { flags, cq_entries: results, ..Params::default() };
        let fd = sys!(SYS_io_uring_setup, entries, &raw mut params) as i32;
        assert!(fd >= 0, "a ring: {}", error());
        let sq = map(fd, 0, params.sq[6] as usize + params.sq_entries as usize * 4);
        let cq = map(fd, 0x800_0000, params.cq[5] as usize + params.cq_entries as usize * 16);
        let entries = map(fd, 0x1000_0000, params.sq_entries as usize * 64);
        Self { fd, sq, cq, entries, params }
    }
    fn unmap(&self) {
        sys!(SYS_munmap, self.sq, self.params.sq[6] as usize + self.params.sq_entries as usize * 4);
        sys!(SYS_munmap, self.cq, self.params.cq[5] as usize + self.params.cq_entries as usize * 16);
        sys!(SYS_munmap, self.entries, self.params.sq_entries as usize * 64);
    }
    fn new() -> Self {
        Self::with(8, 0, 0)
    }
    fn word(&self, base: usize, offset: u32) -> &AtomicU32 {
        // SAFETY: a word of the rings, which are mapped as long as the process lives.
        unsafe { &*((base + offset as usize) as *const AtomicU32) }
    }
    /// Adds requests.
    fn push(&self, all: &[Entry]) {
        for entry in all {
            let tail = self.word(self.sq, self.params.sq[1]);
            let at = tail.load(Ordering::Relaxed) & (self.params.sq_entries - 1);
            // SAFETY: within the requests.
            unsafe { ((self.entries + at as usize * 64) as *mut Entry).write_volatile(*entry) };
            self.word(self.sq, self.params.sq[6] + at * 4).store(at, Ordering::Relaxed);
            tail.fetch_add(1, Ordering::Release);
        }
    }
    fn enter(&self, submit: u32, least: u32) -> i64 {
        sys!(SYS_io_uring_enter, self.fd, submit, least, if least > 0 { GET } else { 0 }, 0, 0)
    }
    /// Adds and submits.
    fn submit(&self, all: &[Entry]) -> i64 {
        self.push(all);
        self.enter(all.len() as u32, 0)
    }
    /// The next result: `data=result`, and its flags where there are some; waits for it.
    fn next(&self) -> String {
        let (head, tail) = (self.word(self.cq, self.params.cq[0]), self.word(self.cq, self.params.cq[1]));
        if head.load(Ordering::Relaxed) == tail.load(Ordering::Acquire) {
            // No longer than this.
            let (time, arg) = (ms(5000), &mut [0u64; 3]);
            arg[2] = std::ptr::from_ref(&time) as u64;
            if sys!(SYS_io_uring_enter, self.fd, 0, 1, GET | 8, arg.as_mut_ptr(), 24) < 0 {
                return error();
            }
        }
        self.now().unwrap_or_else(|| "none".into())
    }
    fn now(&self) -> Option<String> {
        let (head, tail) = (self.word(self.cq, self.params.cq[0]), self.word(self.cq, self.params.cq[1]));
        let at = head.load(Ordering::Relaxed);
        if at == tail.load(Ordering::Acquire) {
            return None;
        }
        let place = self.params.cq[5] + (at & (self.params.cq_entries - 1)) * 16;
        let word = |n: u32| self.word(self.cq, place + n * 4).load(Ordering::Relaxed);
        let (data, result, flags) = (word(0), word(2) as i32, word(3));
        head.store(at + 1, Ordering::Release);
        let result = if result < 0 { crate::harness::errno_name(-result) } else { result.to_string() };
        // Whether a socket has more is not said here.
        let flags = flags & !4;
        Some(if flags == 0 { format!("{data}={result}") } else { format!("{data}={result}/{flags:x}") })
    }
    fn all(&self, count: usize) -> String {
        (0..count).map(|_| self.next()).collect::<Vec<_>>().join(",")
    }
    /// As [`Ring::all`], in the order of the requests' data.
    fn sorted(&self, count: usize) -> String {
        let mut all: Vec<_> = (0..count).map(|_| self.next()).collect();
        all.sort();
        all.join(",")
    }
    fn register(&self, opcode: u32, arg: usize, count: u32) -> i64 {
        sys!(SYS_io_uring_register, self.fd, opcode, arg, count)
    }
}

fn entry(opcode: u8, data: u64) -> Entry {
    Entry { opcode, user_data: data, ..Entry::default() }
}
fn io(opcode: u8, fd: i32, buf: &mut [u8], offset: u64, data: u64) -> Entry {
    Entry { opcode, fd, address: buf.as_mut_ptr() as u64, len: buf.len() as u32, offset, user_data: data, ..Entry::default() }
}
fn with(entry: Entry, flags: u8) -> Entry {
    Entry { flags, ..entry }
}
fn timeout(time: &timespec, count: u64, flags: u32, data: u64) -> Entry {
    Entry { opcode: TIMEOUT, address: std::ptr::from_ref(time) as u64, len: 1, offset: count, call_flags: flags, user_data: data, ..Entry::default() }
}
fn name(path: &std::ffi::CStr) -> u64 {
    path.as_ptr() as u64
}
fn text(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}
fn pair() -> [i32; 2] {
    let mut fds = [0; 2];
    assert_eq!(sys!(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds.as_mut_ptr()), 0, "a pair");
    fds
}
/// A listener on a port of the loop-back device, and its address.
fn listener() -> (i32, sockaddr_in) {
    let fd = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32;
    let mut address = sockaddr_in { sin_family: AF_INET as u16, sin_port: 0, sin_addr: in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) }, sin_zero: [0; 8] };
    sys!(SYS_bind, fd, &raw const address, 16);
    sys!(SYS_listen, fd, 5);
    let mut len = 16u32;
    sys!(SYS_getsockname, fd, &raw mut address, &raw mut len);
    (fd, address)
}

cases! { "uring";
    "registered-rings" => |o| { let r = Ring::new(); let mut any = [u32::MAX, 0, r.fd as u32, 0]; let register = |op: u32, update: &mut [u32], count: u32| sys!(SYS_io_uring_register, r.fd, op, update.as_mut_ptr(), count); let enter = |number: u32| { r.push(&[Entry { opcode: NOP, user_data: 7, ..Entry::default() }]); sys!(SYS_io_uring_enter, number, 1, 0, 0x10, 0, 0) }; o.v(enter(0)); o.v(register(20, &mut any, 1)); o.s(any[0]); o.v(enter(0)); o.s(r.next()); o.v(enter(1)); o.v(enter(16)); o.v(register(20, &mut [0, 0, r.fd as u32, 0], 1)); o.v(register(20, &mut [16, 0, r.fd as u32, 0], 1)); o.v(register(20, &mut [3, 1, r.fd as u32, 0], 1)); o.v(register(20, &mut [3, 0, 0, 0], 1)); o.v(register(20, &mut [3, 0, 999, 0], 1)); o.v(register(20, &mut [5, 0, r.fd as u32, 0, 5, 0, r.fd as u32, 0], 2)); o.v(register(20, &mut [5, 0, r.fd as u32, 0], 0)); o.v(register(20, &mut [5, 0, r.fd as u32, 0], 17)); o.s(std::thread::scope(|scope| scope.spawn(|| code(sys!(SYS_io_uring_enter, 0, 0, 0, 0x10, 0, 0))).join().unwrap())); o.s(child(|| code(sys!(SYS_io_uring_enter, 0, 0, 0, 0x10, 0, 0)))); o.v(register(21, &mut [5, 0, 0, 0], 1)); o.v(register(21, &mut [5, 0, 0, 0], 1)); o.v(register(21, &mut [5, 0, 1, 0], 1)); o.v(register(21, &mut [16, 0, 0, 0], 1)); o.v(enter(5)); }
    "setup" => |o| { let setup = |n: u32, flags: u32, results: u32| { let mut p = Params { flags, cq_entries: results, ..Params::default() }; let fd = sys!(SYS_io_uring_setup, n, &raw mut p); if fd >= 0 { close(fd as i32); format!("{}/{}", p.sq_entries, p.cq_entries) } else { error() } }; for (n, flags, results) in [(1, 0, 0), (5, 0, 0), (0, 0, 0), (32_768, 0, 0), (40_000, 0, 0), (40_000, 0x10, 0), (8, 8, 3), (8, 8, 20), (8, 8, 0), (8, 1 << 30, 0), (8, 0x200, 0), (8, 0x2000, 0), (8, 0x20, 0)] { o.s(setup(n, flags, results)); } o.v(sys!(SYS_io_uring_setup, 8, BAD)); let f = file(c"f", b""); o.v(sys!(SYS_io_uring_enter, f, 0, 0, 0, 0, 0)); o.v(sys!(SYS_io_uring_enter, 99, 0, 0, 0, 0, 0)); let r = Ring::new(); o.v(sys!(SYS_io_uring_enter, r.fd, 0, 0, 1 << 20, 0, 0)); o.s(sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, r.fd, 0x2000_0000) == -1); o.s(std::fs::read_link(format!("/proc/self/fd/{}", r.fd)).unwrap().display()); }
    "nothing" => |o| { let r = Ring::new(); o.v(r.submit(&[entry(NOP, 1), entry(NOP, 2)])); o.s(r.all(2)); o.v(r.enter(0, 0)); r.push(&[entry(NOP, 3)]); o.v(r.enter(5, 1)); o.s(r.all(1)); o.s(r.now().is_none()); }
    "bad-requests" => |o| { let r = Ring::new(); o.v(r.submit(&[entry(200, 1), entry(NOP, 2)])); o.s(r.all(1)); o.v(r.enter(1, 0)); o.s(r.all(1)); o.v(r.submit(&[with(entry(NOP, 3), 0x80)])); o.s(r.all(1)); o.v(r.submit(&[io(READ, 99, &mut [0; 4], 0, 4)])); o.s(r.all(1)); o.v(r.submit(&[Entry { personality: 7, ..entry(NOP, 5) }])); o.s(r.all(1)); let s = Ring::with(8, 0x80, 0); o.v(s.submit(&[entry(200, 1), entry(NOP, 2)])); o.s(s.all(2)); o.v(r.submit(&[with(entry(NOP, 6), LINK), entry(200, 7)])); o.s(r.all(2)); }
    "read-write" => |o| { let f = file(c"f", b"0123456789"); let r = Ring::new(); let (mut a, mut b) = ([0u8; 4], *b"abc"); o.v(r.submit(&[io(READ, f, &mut a, 3, 1)])); o.s(r.next()); o.s(text(&a)); o.v(r.submit(&[io(WRITE, f, &mut b, 8, 2)])); o.s(r.next()); o.s(pread(f, 0)); o.v(r.submit(&[io(READ, f, &mut a, u64::MAX, 3)])); o.s(r.next()); o.s(text(&a)); o.v(sys!(SYS_lseek, f, 0, SEEK_CUR)); o.v(r.submit(&[io(READ, f, &mut a, 100, 4), Entry { address: BAD as u64, len: 4, fd: f, ..entry(READ, 5) }])); o.s(r.sorted(2)); let v = [[a.as_mut_ptr() as u64, 2], [a.as_mut_ptr() as u64 + 2, 2]]; o.v(r.submit(&[Entry { fd: f, address: v.as_ptr() as u64, len: 2, offset: 1, ..entry(READV, 6) }])); o.s(r.next()); o.s(text(&a)); let w = open(c"f", O_WRONLY); o.v(r.submit(&[io(READ, w, &mut a, 0, 7)])); o.s(r.next()); o.v(r.submit(&[Entry { fd: f, ..entry(FSYNC, 8) }, Entry { fd: f, call_flags: 8, ..entry(FSYNC, 9) }])); o.s(r.sorted(2)); }
    "pipe-waits" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 8]; o.v(r.submit(&[io(READ, p[0], &mut a, 0, 1)])); o.s(r.now().is_none()); write(p[1], b"hello"); o.s(r.next()); o.s(text(&a[..5])); o.v(r.submit(&[io(READ, p[0], &mut a, 0, 2)])); let c = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(50)); write(p[1], b"again"); 0 }); o.v(r.enter(0, 1)); o.s(r.next()); reap(c); close(p[1]); o.v(r.submit(&[io(READ, p[0], &mut a, 0, 3)])); o.s(r.next()); let q = pipe(O_NONBLOCK); o.v(r.submit(&[io(READ, q[0], &mut a, 0, 4)])); o.s(r.next()); }
    "memory-polled" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 8]; r.submit(&[io(READ, p[0], &mut a, 0, 1)]); let c = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(30)); write(p[1], b"hello"); 0 }); let mut seen = None; o.s(eventually(|| { for _ in 0..1000 { seen = seen.take().or_else(|| r.now()); } seen.is_some() })); o.s(seen.unwrap_or_default()); reap(c); }
    "descriptor-polled" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 8]; r.submit(&[io(READ, p[0], &mut a, 0, 1)]); let mut f = [pollfd { fd: r.fd, events: POLLIN | POLLOUT, revents: 0 }]; o.v(sys!(SYS_poll, f.as_mut_ptr(), 1, 0)); o.s(f[0].revents); let c = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(30)); write(p[1], b"hello"); 0 }); f[0].events = POLLIN; let mut n = -1; while n == -1 { n = sys!(SYS_poll, f.as_mut_ptr(), 1, 5000); } o.v(n); o.s(f[0].revents); o.s(r.next()); reap(c); }
    "counter" => |o| { let r = Ring::new(); let e = sys!(SYS_eventfd2, 0, EFD_NONBLOCK) as i32; o.v(r.register(4, &raw const e as usize, 1)); o.v(r.register(4, &raw const e as usize, 1)); r.submit(&[entry(NOP, 1), entry(NOP, 2)]); let mut n = 0u64; o.v(sys!(SYS_read, e, &raw mut n, 8)); o.s(n > 0); o.v(r.register(5, 0, 0)); o.v(r.register(5, 0, 0)); r.submit(&[entry(NOP, 3)]); o.v(sys!(SYS_read, e, &raw mut n, 8)); }
    "links" => |o| { let f = file(c"f", b"0123456789"); let r = Ring::new(); let (mut a, mut b) = ([0u8; 4], [0u8; 100]); o.v(r.submit(&[with(io(READ, f, &mut a, 0, 1), LINK), with(entry(NOP, 2), LINK), entry(NOP, 3)])); o.s(r.all(3)); o.v(r.submit(&[with(io(READ, f, &mut b, 0, 1), LINK), with(entry(NOP, 2), LINK), entry(NOP, 3)])); o.s(r.all(3)); o.v(r.submit(&[with(io(READ, 99, &mut a, 0, 1), HARD), entry(NOP, 2)])); o.s(r.all(2)); o.v(r.submit(&[with(io(READ, 99, &mut a, 0, 1), LINK), with(entry(NOP, 2), SKIP | LINK), with(entry(NOP, 3), SKIP)])); o.s(r.next()); let p = pipe(0); o.v(r.submit(&[with(io(READ, p[0], &mut a, 0, 1), LINK), entry(NOP, 2)])); o.s(r.now().is_none()); write(p[1], b"1234"); o.s(r.all(2)); }
    "drain" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 4]; o.v(r.submit(&[io(READ, p[0], &mut a, 0, 1), entry(NOP, 2), with(entry(NOP, 3), DRAIN), entry(NOP, 4)])); o.s(r.next()); o.s(r.now().is_none()); write(p[1], b"x"); o.s(r.next()); o.s(r.sorted(2)); }
    "skip" => |o| { let r = Ring::new(); o.v(r.submit(&[with(entry(NOP, 1), SKIP), entry(NOP, 2), with(io(READ, 99, &mut [0; 4], 0, 3), SKIP)])); o.s(r.sorted(2)); o.s(r.now().is_none()); }
    "timeouts" => |o| { let r = Ring::new(); let (short, long) = (ms(20), ms(60_000)); o.v(r.submit(&[timeout(&short, 0, 0, 1)])); o.s(r.next()); r.submit(&[timeout(&long, 2, 0, 2)]); o.s(r.now().is_none()); r.submit(&[entry(NOP, 3), entry(NOP, 4)]); o.s(r.all(3)); r.submit(&[timeout(&long, 0, 0, 5)]); o.v(r.submit(&[Entry { address: 5, ..entry(TIMEOUT_REMOVE, 6) }])); o.s(r.sorted(2)); o.v(r.submit(&[Entry { address: 77, ..entry(TIMEOUT_REMOVE, 7) }])); o.s(r.next()); r.submit(&[timeout(&long, 0, 0, 8)]); r.submit(&[Entry { address: 8, offset: std::ptr::from_ref(&short) as u64, call_flags: 2, ..entry(TIMEOUT_REMOVE, 9) }]); o.s(r.all(2)); let mut now = ms(0); sys!(SYS_clock_gettime, CLOCK_MONOTONIC, &raw mut now); o.v(r.submit(&[timeout(&now, 0, 1, 10)])); o.s(r.next()); o.v(r.submit(&[with(timeout(&short, 0, 0x20, 11), LINK), entry(NOP, 12)])); o.s(r.all(2)); o.v(r.submit(&[with(timeout(&short, 0, 0, 13), LINK), entry(NOP, 14)])); o.s(r.all(2)); let bad = timespec { tv_sec: -1, tv_nsec: 0 }; o.v(r.submit(&[timeout(&bad, 0, 0, 15)])); o.s(r.next()); }
    "link-timeout" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 4]; let (short, long) = (ms(20), ms(60_000)); let limit = |t: &timespec, data| Entry { opcode: LINK_TIMEOUT, ..timeout(t, 0, 0, data) }; o.v(r.submit(&[with(io(READ, p[0], &mut a, 0, 1), LINK), limit(&short, 2)])); o.s(r.sorted(2)); o.v(r.submit(&[with(io(READ, p[0], &mut a, 0, 3), LINK), limit(&long, 4)])); write(p[1], b"x"); o.s(r.sorted(2)); o.v(r.submit(&[with(entry(NOP, 5), LINK), limit(&long, 6)])); o.s(r.sorted(2)); o.v(r.submit(&[limit(&long, 7)])); o.s(r.next()); }
    "wait-timeout" => |o| { let r = Ring::new(); let (time, mut arg) = (ms(20), [0u64; 3]); arg[2] = std::ptr::from_ref(&time) as u64; o.v(sys!(SYS_io_uring_enter, r.fd, 0, 1, GET | 8, arg.as_mut_ptr(), 24)); o.v(sys!(SYS_io_uring_enter, r.fd, 0, 1, GET | 8, arg.as_mut_ptr(), 16)); r.push(&[entry(NOP, 1)]); o.v(sys!(SYS_io_uring_enter, r.fd, 1, 2, GET | 8, arg.as_mut_ptr(), 24)); }
    "polls" => |o| { let p = pipe(0); let r = Ring::new(); let poll = |flags: u32, data| Entry { fd: p[0], call_flags: POLLIN as u32, len: flags, ..entry(POLL_ADD, data) }; o.v(r.submit(&[poll(0, 1)])); o.s(r.now().is_none()); write(p[1], b"x"); o.s(r.next()); read(p[0]); r.submit(&[poll(1, 2)]); write(p[1], b"x"); o.s(r.next()); read(p[0]); write(p[1], b"y"); o.s(r.next()); o.v(r.submit(&[Entry { address: 2, ..entry(POLL_REMOVE, 3) }])); o.s(r.sorted(2)); read(p[0]); r.submit(&[poll(0, 4)]); o.v(r.submit(&[Entry { address: 9, ..entry(POLL_REMOVE, 5) }])); o.s(r.next()); close(p[1]); o.s(r.next()); }
    "cancel" => |o| { let p = pipe(0); let r = Ring::new(); let (mut a, mut b) = ([0u8; 4], [0u8; 4]); r.submit(&[io(READ, p[0], &mut a, 0, 1), io(READ, p[0], &mut b, 0, 1), io(READ, p[0], &mut b, 0, 2)]); let cancel = |address, flags, fd, data| Entry { address, call_flags: flags, fd, ..entry(CANCEL, data) }; o.v(r.submit(&[cancel(2, 0, 0, 3)])); o.s(r.sorted(2)); o.v(r.submit(&[cancel(1, 1, 0, 4)])); o.s(r.sorted(3)); o.v(r.submit(&[cancel(1, 0, 0, 5)])); o.s(r.next()); r.submit(&[io(READ, p[0], &mut a, 0, 6)]); r.submit(&[cancel(0, 2, p[0], 7)]); o.s(r.sorted(2)); r.submit(&[io(READ, p[0], &mut a, 0, 8)]); r.submit(&[cancel(0, 4, 0, 9)]); o.s(r.sorted(2)); }
    "stream" => |o| { let s = pair(); let r = Ring::new(); let (mut a, mut b) = ([0u8; 8], *b"hello"); o.v(r.submit(&[io(RECV, s[0], &mut a, 0, 1)])); o.v(r.submit(&[io(SEND, s[1], &mut b, 0, 2)])); o.s(r.sorted(2)); o.s(text(&a[..5])); r.submit(&[Entry { call_flags: MSG_DONTWAIT as u32, ..io(RECV, s[0], &mut a, 0, 3) }]); o.s(r.next()); r.submit(&[Entry { call_flags: MSG_WAITALL as u32, ..io(RECV, s[0], &mut a, 0, 4) }]); write(s[1], b"1234"); o.s(r.now().is_none()); write(s[1], b"5678"); o.s(r.next()); o.s(text(&a)); let f = file(c"f", b""); r.submit(&[io(RECV, f, &mut a, 0, 5)]); o.s(r.next()); close(s[1]); r.submit(&[io(RECV, s[0], &mut a, 0, 6), io(SEND, s[0], &mut b, 0, 7)]); o.s(r.sorted(2)); }
    "connections" => |o| { let (l, address) = listener(); let r = Ring::new(); r.submit(&[Entry { fd: AF_INET, offset: SOCK_STREAM as u64, ..entry(SOCKET, 1) }]); let c: i32 = r.next().trim_start_matches("1=").parse().unwrap_or(-1); o.s(c > 0); r.submit(&[Entry { fd: l, ..entry(ACCEPT, 2) }]); r.submit(&[Entry { fd: c, address: std::ptr::from_ref(&address) as u64, offset: 16, ..entry(CONNECT, 3) }]); let mut both = [r.next(), r.next()]; both.sort(); o.s(&both[1]); let s: i32 = both[0].trim_start_matches("2=").parse().unwrap_or(-1); let (mut a, mut b) = ([0u8; 8], *b"hello"); r.submit(&[io(RECV, s, &mut a, 0, 4), io(SEND, c, &mut b, 0, 5)]); o.s(r.sorted(2)); close(l); let u = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; r.submit(&[Entry { fd: u, address: std::ptr::from_ref(&address) as u64, offset: 16, ..entry(CONNECT, 6) }]); o.s(r.next()); }
    "accept-again" => |o| { let (l, address) = listener(); let r = Ring::new(); r.submit(&[Entry { fd: l, priority: 1, ..entry(ACCEPT, 1) }]); let connect = || { let c = sys!(SYS_socket, AF_INET, SOCK_STREAM, 0) as i32; sys!(SYS_connect, c, &raw const address, 16) }; o.v(connect()); let first = r.next(); o.s(first.ends_with("/2")); o.v(connect()); let second = r.next(); o.s(second.ends_with("/2") && second != first); r.submit(&[Entry { address: 1, ..entry(CANCEL, 2) }]); o.s(r.sorted(2)); }
    "fixed-files" => |o| { let f = file(c"f", b"0123456789"); let g = file(c"g", b"abc"); let r = Ring::new(); let fds = [f, -1]; o.v(r.register(2, fds.as_ptr() as usize, 2)); o.v(r.register(2, fds.as_ptr() as usize, 2)); close(f); let mut a = [0u8; 4]; r.submit(&[with(io(READ, 0, &mut a, 0, 1), FIXED), with(io(READ, 1, &mut a, 0, 2), FIXED), with(io(READ, 5, &mut a, 0, 3), FIXED)]); o.s(r.sorted(3)); let update = [1u64, (&raw const g) as u64]; o.v(r.register(6, update.as_ptr() as usize, 1)); r.submit(&[with(io(READ, 1, &mut a, 0, 4), FIXED)]); o.s(r.next()); r.submit(&[Entry { fd: AT_FDCWD, address: name(c"g"), file_index: 1, ..entry(OPENAT, 5) }]); o.s(r.next()); r.submit(&[with(io(READ, 0, &mut a, 0, 6), FIXED)]); o.s(r.next()); r.submit(&[Entry { file_index: 1, ..entry(CLOSE, 7) }, Entry { file_index: 1, ..entry(CLOSE, 8) }, Entry { file_index: 9, ..entry(CLOSE, 9) }]); o.s(r.sorted(3)); r.submit(&[Entry { fd: AT_FDCWD, address: name(c"g"), file_index: u32::MAX, ..entry(OPENAT, 10) }, Entry { fd: AT_FDCWD, address: name(c"g"), file_index: u32::MAX, ..entry(OPENAT, 11) }]); o.s(r.sorted(2)); o.v(r.register(3, 0, 0)); o.v(r.register(3, 0, 0)); }
    "fixed-buffers" => |o| { let f = file(c"f", b"0123456789"); let r = Ring::new(); let mut memory = vec![0u8; 8192]; let v = [[memory.as_mut_ptr() as u64, 4096u64]]; o.v(r.register(0, v.as_ptr() as usize, 1)); o.v(r.register(0, v.as_ptr() as usize, 1)); r.submit(&[Entry { buffer: 0, ..io(READ_FIXED, f, &mut memory[..4], 2, 1) }]); o.s(r.next()); o.s(text(&memory[..4])); r.submit(&[Entry { buffer: 0, ..io(WRITE_FIXED, f, &mut memory[..4], 8, 2) }]); o.s(r.next()); o.s(pread(f, 0)); r.submit(&[Entry { buffer: 0, ..io(READ_FIXED, f, &mut memory[4094..4100], 0, 3) }, Entry { buffer: 3, ..io(READ_FIXED, f, &mut memory[..4], 0, 4) }]); o.s(r.sorted(2)); o.v(r.register(1, 0, 0)); o.v(r.register(1, 0, 0)); }
    "chosen-buffers" => |o| { let s = pair(); let r = Ring::new(); let mut memory = [0u8; 64]; let provide = Entry { fd: 2, address: memory.as_mut_ptr() as u64, len: 16, offset: 5, buffer: 7, ..entry(PROVIDE, 1) }; r.submit(&[provide]); o.s(r.next()); let receive = |data| with(Entry { fd: s[0], len: 16, buffer: 7, ..entry(RECV, data) }, SELECT); r.submit(&[receive(2)]); write(s[1], b"hello"); o.s(r.next()); o.s(text(&memory[..5])); write(s[1], b"again"); r.submit(&[receive(3)]); o.s(r.next()); o.s(text(&memory[16..21])); write(s[1], b"more"); r.submit(&[receive(4)]); o.s(r.next()); r.submit(&[with(Entry { fd: s[0], ..entry(NOP, 5) }, SELECT)]); o.s(r.next()); }
    "receive-again" => |o| { let s = pair(); let r = Ring::new(); let mut memory = [0u8; 64]; r.submit(&[Entry { fd: 4, address: memory.as_mut_ptr() as u64, len: 16, offset: 0, buffer: 1, ..entry(PROVIDE, 1) }]); o.s(r.next()); r.submit(&[with(Entry { fd: s[0], priority: 2, buffer: 1, ..entry(RECV, 2) }, SELECT)]); write(s[1], b"one"); o.s(r.next()); write(s[1], b"three"); o.s(r.next()); close(s[1]); o.s(r.next()); }
    "buffer-ring" => |o| { let s = pair(); let r = Ring::new(); let ring = sys!(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) as usize; let mut memory = [0u8; 64]; let reg = [ring as u64, 4 | 100 << 32, 0, 0, 0]; o.v(r.register(22, reg.as_ptr() as usize, 1)); o.v(r.register(22, reg.as_ptr() as usize, 1));
        // SAFETY: within the page; the tail lies in the first entry's last two bytes.
        unsafe { (ring as *mut u64).write_volatile(memory.as_mut_ptr() as u64); ((ring + 8) as *mut u32).write_volatile(32); ((ring + 12) as *mut u16).write_volatile(9); ((ring + 14) as *mut u16).write_volatile(1); }
        write(s[1], b"hello"); r.submit(&[with(Entry { fd: s[0], buffer: 100, ..entry(RECV, 1) }, SELECT)]); o.s(r.next()); o.s(text(&memory[..5])); write(s[1], b"x"); r.submit(&[with(Entry { fd: s[0], buffer: 100, ..entry(RECV, 2) }, SELECT)]); o.s(r.next()); o.v(r.register(23, reg.as_ptr() as usize, 1)); o.v(r.register(23, reg.as_ptr() as usize, 1)); }
    "names" => |o| { let r = Ring::new(); r.submit(&[Entry { fd: AT_FDCWD, address: name(c"d"), len: 0o755, ..entry(MKDIRAT, 1) }]); o.s(r.next()); let mut b = *b"data"; r.submit(&[Entry { fd: AT_FDCWD, address: name(c"d/f"), len: 0o600, call_flags: (O_RDWR | O_CREAT) as u32, ..entry(OPENAT, 2) }]); let f: i32 = r.next().trim_start_matches("2=").parse().unwrap_or(-1); r.submit(&[with(io(WRITE, f, &mut b, 0, 3), LINK), with(Entry { fd: f, offset: 0, address: 100, ..entry(FALLOCATE, 4) }, LINK), Entry { fd: f, ..entry(CLOSE, 5) }]); o.s(r.all(3)); o.v(close(f)); r.submit(&[Entry { fd: AT_FDCWD, address: name(c"d/f"), len: AT_FDCWD as u32, offset: name(c"d/g"), ..entry(RENAMEAT, 6) }]); o.s(r.next()); let mut x = [0u64; 32]; r.submit(&[Entry { fd: AT_FDCWD, address: name(c"d/g"), len: 0x7ff, offset: x.as_mut_ptr() as u64, ..entry(STATX, 7) }]); o.s(r.next()); o.s(x[5]); r.submit(&[Entry { fd: AT_FDCWD, address: name(c"d/g"), ..entry(UNLINKAT, 8) }, Entry { fd: AT_FDCWD, address: name(c"d/g"), ..entry(UNLINKAT, 9) }, Entry { fd: AT_FDCWD, address: name(c"d"), call_flags: AT_REMOVEDIR as u32, ..entry(UNLINKAT, 10) }]); o.s(r.sorted(3)); r.submit(&[Entry { fd: 99, ..entry(CLOSE, 11) }]); o.s(r.next()); }
    "messages" => |o| { let (r, s) = (Ring::new(), Ring::new()); r.submit(&[Entry { fd: s.fd, offset: 42, len: 7, ..entry(MSG_RING, 1) }]); o.s(r.next()); o.s(s.next()); let f = file(c"f", b""); r.submit(&[Entry { fd: f, ..entry(MSG_RING, 2) }]); o.s(r.next()); let p = pair(); let mut a = [0u8; 8]; let v = iovec { iov_base: a.as_mut_ptr().cast(), iov_len: 8 };
        // SAFETY: a plain structure.
        let mut m: msghdr = unsafe { std::mem::zeroed() }; m.msg_iov = (&raw const v).cast_mut(); m.msg_iovlen = 1; r.submit(&[Entry { fd: p[0], address: (&raw mut m) as u64, len: 1, ..entry(RECVMSG, 3) }]); write(p[1], b"hello"); o.s(r.next()); o.s(text(&a[..5])); }
    "overflow" => |o| { let r = Ring::with(2, 8, 2); for n in 0..3u64 { r.submit(&[entry(NOP, n * 2 + 1), entry(NOP, n * 2 + 2)]); } o.s(r.word(r.sq, r.params.sq[4]).load(Ordering::Relaxed) & 2); o.s(r.all(2)); o.v(r.enter(0, 1)); o.s(r.all(2)); o.v(r.enter(0, 1)); o.s(r.all(2)); o.s(r.word(r.sq, r.params.sq[4]).load(Ordering::Relaxed) & 2); }
    "disabled" => |o| { let r = Ring::with(4, 0x40, 0); r.push(&[entry(NOP, 1)]); o.v(r.enter(1, 0)); o.v(r.register(12, 0, 0)); o.v(r.enter(1, 0)); o.s(r.next()); o.v(r.register(12, 0, 0)); }
    "probe" => |o| { let r = Ring::new(); let mut b = [0u8; 16 + 8 * 64]; o.v(r.register(8, b.as_mut_ptr() as usize, 64)); o.s(b[0] >= 48); o.s([NOP, READV, POLL_ADD, SEND, OPENAT, SOCKET].iter().all(|op| b[16 + 8 * *op as usize + 2] == 1)); let mut c = [1u8; 16]; o.v(r.register(8, c.as_mut_ptr() as usize, 0)); o.v(r.register(99, 0, 0)); }
    "closed" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 8]; r.submit(&[io(READ, p[0], &mut a, 0, 1)]); r.unmap(); o.v(close(r.fd)); write(p[1], b"kept"); std::thread::sleep(std::time::Duration::from_millis(20)); o.s(read(p[0])); }
    "thread-ends" => |o| { let p = pipe(0); let r = Ring::new(); let mut a = [0u8; 8]; std::thread::scope(|s| { let _ = s.spawn(|| { r.submit(&[io(READ, p[0], &mut a, 0, 1)]); }).join(); }); write(p[1], b"x"); o.s(r.next()); }
    "signal" => |o| { let r = Ring::new(); let c = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(30)); 0 });
        extern "C" fn nothing(_: i32) {}
        // SAFETY: a plain structure, and a handler that does nothing.
        unsafe { let mut action: sigaction = std::mem::zeroed(); action.sa_sigaction = nothing as *const () as usize; libc::sigaction(SIGCHLD, &raw const action, std::ptr::null_mut()); }
        o.v(r.enter(0, 1)); reap(c); }
}

//! Asynchronous input and output, by the system calls that libaio makes.

use super::util::*;
use crate::{cases, sys};

const PREAD: u16 = 0;
const PWRITE: u16 = 1;
const FSYNC: u16 = 2;
const FDSYNC: u16 = 3;
const POLL: u16 = 5;
const PREADV: u16 = 7;
const PWRITEV: u16 = 8;

/// `struct iocb`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Block {
    data: u64,
    key: u32,
    rw_flags: u32,
    operation: u16,
    priority: i16,
    fd: i32,
    buf: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    counter: i32,
}

/// `struct io_event`.
type Event = [i64; 4];

fn setup(count: u32) -> u64 {
    let mut context = 0u64;
    assert_eq!(sys!(SYS_io_setup, count, &raw mut context), 0, "a context");
    context
}
fn transfer(operation: u16, fd: i32, buf: &mut [u8], offset: i64) -> Block {
    Block { data: 5, operation, fd, buf: buf.as_mut_ptr() as u64, bytes: buf.len() as u64, offset, ..Block::default() }
}
fn submit(context: u64, blocks: &[&Block]) -> i64 {
    let list: Vec<*const Block> = blocks.iter().map(|block| std::ptr::from_ref(*block)).collect();
    sys!(SYS_io_submit, context, list.len(), list.as_ptr())
}
/// Waits for an event: its data and result.
fn event(context: u64) -> String {
    let mut e: Event = [0; 4];
    let t = ms(5000);
    let n = sys!(SYS_io_getevents, context, 1, 1, e.as_mut_ptr(), &raw const t);
    if n == 1 { format!("{}={}", e[0], e[2]) } else if n == 0 { "none".into() } else { error() }
}
/// io_pgetevents(2), whose number the crate lacks.
fn pgetevents(context: u64, least: i64, event: &mut Event, timeout: usize, mask: usize) -> i64 {
    // SAFETY: as those of `sys`.
    unsafe { libc::syscall(333, context, least, 1i64, event.as_mut_ptr(), timeout, mask) }
}
/// Whether there is an event now.
fn now(context: u64) -> i64 {
    let mut e: Event = [0; 4];
    let t = ms(0);
    sys!(SYS_io_getevents, context, 1, 1, e.as_mut_ptr(), &raw const t)
}

cases! { "aio";
    "setup" => |o| { let mut c = 0u64; o.v(sys!(SYS_io_setup, 0, &raw mut c)); o.v(sys!(SYS_io_setup, 8, BAD)); c = 1; o.v(sys!(SYS_io_setup, 8, &raw mut c)); c = 0; o.v(sys!(SYS_io_setup, 8, &raw mut c)); o.s(c != 0); o.v(sys!(SYS_io_destroy, c)); o.v(sys!(SYS_io_destroy, c)); o.v(sys!(SYS_io_destroy, 0)); c = 0; o.v(sys!(SYS_io_setup, 70_000, &raw mut c)); o.v(sys!(SYS_io_setup, -1, &raw mut c)); o.s(std::fs::read_to_string("/proc/sys/fs/aio-max-nr").unwrap().trim()); }
    "count" => |o| { let read = || std::fs::read_to_string("/proc/sys/fs/aio-nr").unwrap().trim().parse::<i64>().unwrap(); let before = read(); let c = setup(100); o.s(read() - before); sys!(SYS_io_destroy, c); o.s(eventually(|| read() == before)); o.s(child(|| { setup(50); 0 })); o.s(eventually(|| read() == before)); }
    "read-write" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let mut b = [0u8; 4]; let r = transfer(PREAD, f, &mut b, 3); o.v(submit(c, &[&r])); o.s(event(c)); o.s(String::from_utf8_lossy(&b)); let mut w = *b"abc"; let w = transfer(PWRITE, f, &mut w, 8); o.v(submit(c, &[&w])); o.s(event(c)); o.s(pread(f, 0)); o.v(now(c)); sys!(SYS_io_destroy, c); }
    "vectors" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let (mut a, mut b) = ([0u8; 3], [0u8; 4]); let v = [[a.as_mut_ptr() as u64, 3], [b.as_mut_ptr() as u64, 4]]; let r = Block { operation: PREADV, fd: f, buf: v.as_ptr() as u64, bytes: 2, offset: 1, ..Block::default() }; o.v(submit(c, &[&r])); o.s(event(c)); o.s(String::from_utf8_lossy(&[&a[..], &b[..]].concat())); let w = Block { operation: PWRITEV, offset: 9, ..r }; o.v(submit(c, &[&w])); o.s(event(c)); o.s(pread(f, 0)); let bad = Block { bytes: 5000, ..r }; o.v(submit(c, &[&bad])); }
    "several" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let (mut a, mut b) = ([0u8; 2], [0u8; 20]); let (mut x, mut y) = (transfer(PREAD, f, &mut a, 0), transfer(PREAD, f, &mut b, 5)); x.data = 1; y.data = 2; o.v(submit(c, &[&x, &y])); let mut e = [[0i64; 4]; 4]; let t = ms(5000); o.v(sys!(SYS_io_getevents, c, 2, 4, e.as_mut_ptr(), &raw const t)); o.s(format_args!("{}={} {}={}", e[0][0], e[0][2], e[1][0], e[1][2])); o.s(e[0][1] == &raw const x as i64); let bad = Block { reserved: 1, ..x }; o.v(submit(c, &[&x, &bad, &y])); o.s(event(c)); o.v(now(c)); }
    "submit-errors" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let mut b = [0u8; 4]; let r = transfer(PREAD, f, &mut b, 0); let try_it = |block: Block| submit(c, &[&block]); o.v(try_it(Block { fd: 999, ..r })); o.v(try_it(Block { operation: 4, ..r })); o.v(try_it(Block { operation: 6, ..r })); o.v(try_it(Block { operation: 9, ..r })); o.v(try_it(Block { reserved: 1, ..r })); o.v(try_it(Block { offset: -1, ..r })); o.v(try_it(Block { bytes: u64::MAX, ..r })); o.v(try_it(Block { rw_flags: 1 << 20, ..r })); o.v(try_it(Block { flags: 1, counter: 999, ..r })); o.v(try_it(Block { flags: 1, counter: f, ..r })); o.v(try_it(Block { flags: 2, priority: -1, ..r })); o.v(sys!(SYS_io_submit, c, -1, 0)); o.v(sys!(SYS_io_submit, c, 0, 0)); o.v(sys!(SYS_io_submit, c, 1, BAD)); let null = [BAD]; o.v(sys!(SYS_io_submit, c, 1, null.as_ptr())); o.v(sys!(SYS_io_submit, 0, 1, 0)); o.v(sys!(SYS_io_submit, c + 4096, 1, 0)); let w = open(c"f", O_WRONLY); o.v(try_it(Block { fd: w, ..r })); let ro = open(c"f", O_RDONLY); o.v(try_it(Block { fd: ro, operation: PWRITE, ..r })); let d = open(c".", O_RDONLY); o.v(try_it(Block { fd: d, ..r })); o.v(now(c)); }
    "io-errors" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let mut b = [0u8; 4]; let r = transfer(PREAD, f, &mut b, 0); o.v(submit(c, &[&Block { buf: BAD as u64, ..r }])); o.s(event(c)); o.v(submit(c, &[&Block { offset: 100, ..r }])); o.s(event(c)); let p = pipe(O_NONBLOCK); o.v(submit(c, &[&Block { fd: p[0], ..r }])); o.s(event(c)); write(p[1], b"xy"); o.v(submit(c, &[&Block { fd: p[0], offset: 7, ..r }])); o.s(event(c)); }
    "sync" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); for operation in [FSYNC, FDSYNC] { let s = Block { data: 9, operation, fd: f, ..Block::default() }; o.v(submit(c, &[&s])); o.s(event(c)); o.v(submit(c, &[&Block { bytes: 1, ..s }])); o.v(submit(c, &[&Block { offset: 1, ..s }])); let p = pipe(0); o.v(submit(c, &[&Block { fd: p[0], ..s }])); } }
    "append" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let mut b = *b"end"; let w = transfer(PWRITE, f, &mut b, 0); o.v(submit(c, &[&Block { rw_flags: 16, ..w }])); o.s(event(c)); o.s(pread(f, 0)); o.v(submit(c, &[&Block { rw_flags: 2, ..w }])); o.s(event(c)); o.s(pread(f, 0)); }
    "eventfd" => |o| { let f = file(c"f", b"0123456789"); let c = setup(8); let e = sys!(SYS_eventfd2, 0, O_NONBLOCK) as i32; let mut b = [0u8; 4]; let r = Block { flags: 1, counter: e, ..transfer(PREAD, f, &mut b, 0) }; let s = Block { flags: 1, counter: e, fd: f, operation: FSYNC, ..Block::default() }; o.v(submit(c, &[&r, &r, &s])); let mut p = pollfd { fd: e, events: POLLIN, revents: 0 }; let mut total = 0u64; while total < 3 && sys!(SYS_poll, &raw mut p, 1, 5000) == 1 { let mut n = 0u64; sys!(SYS_read, e, &raw mut n, 8); total += n; } o.s(total); let mut events = [[0i64; 4]; 4]; o.v(sys!(SYS_io_getevents, c, 3, 4, events.as_mut_ptr(), 0)); }
    "poll" => |o| { let c = setup(8); let p = pipe(0); let poll = Block { data: 3, operation: POLL, fd: p[0], buf: POLLIN as u64, ..Block::default() }; o.v(submit(c, &[&poll])); o.v(now(c)); write(p[1], b"x"); o.s(event(c)); o.v(submit(c, &[&poll])); o.s(event(c)); read(p[0]); o.v(submit(c, &[&poll])); close(p[1]); o.s(event(c)); let f = file(c"f", b""); o.v(submit(c, &[&Block { fd: f, ..poll }])); o.s(event(c)); o.v(submit(c, &[&Block { buf: 1 << 16, ..poll }])); o.v(submit(c, &[&Block { bytes: 1, ..poll }])); }
    "poll-from-another" => |o| { let c = setup(8); let p = pipe(0); let e = sys!(SYS_eventfd2, 0, 0) as i32; let poll = Block { data: 3, operation: POLL, fd: p[0], buf: POLLIN as u64, flags: 1, counter: e, ..Block::default() }; o.v(submit(c, &[&poll])); let pid = spawn(|| { std::thread::sleep(std::time::Duration::from_millis(100)); write(p[1], b"x"); 0 }); let mut n = 0u64; o.v(sys!(SYS_read, e, &raw mut n, 8)); o.s(event(c)); o.s(reap(pid)); }
    "cancel" => |o| { let c = setup(8); let p = pipe(0); let poll = Block { data: 3, operation: POLL, fd: p[0], buf: POLLIN as u64, ..Block::default() }; o.v(submit(c, &[&poll])); let mut e: Event = [0; 4]; o.v(sys!(SYS_io_cancel, c, &raw const poll, e.as_mut_ptr())); o.s(event(c)); o.v(sys!(SYS_io_cancel, c, &raw const poll, e.as_mut_ptr())); o.v(sys!(SYS_io_cancel, c, BAD, e.as_mut_ptr())); let other = Block { key: 1, ..poll }; o.v(sys!(SYS_io_cancel, c, &raw const other, e.as_mut_ptr())); o.v(sys!(SYS_io_cancel, 0, &raw const poll, e.as_mut_ptr())); }
    "destroy-with-poll" => |o| { let c = setup(8); let p = pipe(0); let poll = Block { data: 3, operation: POLL, fd: p[0], buf: POLLIN as u64, ..Block::default() }; o.v(submit(c, &[&poll])); o.v(sys!(SYS_io_destroy, c)); write(p[1], b"x"); o.s(read(p[0])); }
    "getevents-errors" => |o| { let c = setup(8); let mut e: Event = [0; 4]; let t = ms(0); let get = |least: i64, most: i64| { let mut e: Event = [0; 4]; sys!(SYS_io_getevents, c, least, most, e.as_mut_ptr(), &raw const t) }; o.v(get(-1, 1)); o.v(get(2, 1)); o.v(get(0, -1)); o.v(get(0, 0)); o.v(get(0, 1)); o.v(get(1, 1)); o.v(sys!(SYS_io_getevents, 0, 0, 1, e.as_mut_ptr(), 0)); o.v(sys!(SYS_io_getevents, c, 0, 1, e.as_mut_ptr(), BAD)); let t = ms(20); o.v(sys!(SYS_io_getevents, c, 1, 1, e.as_mut_ptr(), &raw const t)); }
    "interrupted" => |o| { let c = setup(8); let handle = || { unsafe extern "C" fn nothing(_: i32) {} unsafe { let mut a: sigaction = std::mem::zeroed(); a.sa_sigaction = nothing as *const () as usize; sigaction(SIGALRM, &raw const a, std::ptr::null_mut()); } }; o.s(child(|| { handle(); let c = setup(8); let every = [0i64, 50_000, 0, 50_000]; sys!(SYS_setitimer, 0, every.as_ptr(), 0); let mut e: Event = [0; 4]; code(sys!(SYS_io_getevents, c, 1, 1, e.as_mut_ptr(), 0)) })); o.s(child(|| { handle(); let c = setup(8); block(&[SIGALRM]); sys!(SYS_kill, sys!(SYS_getpid), SIGALRM); let mut e: Event = [0; 4]; let t = ms(50); let plain = pgetevents(c, 1, &mut e, &raw const t as usize, 0); let none = 0u64; let mask = [&raw const none as u64, 8]; let masked = code(pgetevents(c, 1, &mut e, &raw const t as usize, mask.as_ptr() as usize)); plain as i32 * 100 + masked })); let none = 0u64; let bad = [&raw const none as u64, 4]; let mut e: Event = [0; 4]; o.v(pgetevents(c, 0, &mut e, 0, bad.as_ptr() as usize)); o.v(pgetevents(c, 0, &mut e, 0, BAD)); }
    "forked" => |o| { let c = setup(8); o.s(child(|| { let mut e: Event = [0; 4]; code(sys!(SYS_io_getevents, c, 0, 1, e.as_mut_ptr(), 0)) })); o.v(now(c)); }
    "direct" => |o| { let f = open(c"f", O_RDWR | O_CREAT); let c = setup(64); let page = sys!(SYS_mmap, 0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) as u64; let blocks: Vec<Block> = (0..16).map(|i| { unsafe { *((page + i * 4096) as *mut u8) = i as u8 } ; Block { data: i, operation: PWRITE, fd: f, buf: page + i * 4096, bytes: 4096, offset: i as i64 * 4096, ..Block::default() } }).collect(); let list: Vec<&Block> = blocks.iter().collect(); o.v(submit(c, &list)); let mut e = [[0i64; 4]; 16]; o.v(sys!(SYS_io_getevents, c, 16, 16, e.as_mut_ptr(), 0)); o.s(e.iter().all(|e| e[2] == 4096)); o.s(fstat(f).st_size); let mut b = [0u8; 1]; sys!(SYS_pread64, f, b.as_mut_ptr(), 1, 9 * 4096); o.s(b[0]); }
}

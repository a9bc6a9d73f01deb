//! `seccomp(2)`: what a filter answers is what the caller sees.

use std::sync::atomic::{AtomicI32, Ordering};

const ARCH: u32 = 0xc000_003e;
const SET_MODE_FILTER: libc::c_long = 1;
const FLAG_TSYNC: libc::c_long = 1;

fn op(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

fn unless_equal(k: u32, skip: u8) -> libc::sock_filter {
    libc::sock_filter { code: 0x15, jt: 0, jf: skip, k }
}

/// Answers `answer` to the call `number`, and allows the others.
fn answering(number: libc::c_long, answer: u32) -> Vec<libc::sock_filter> {
    vec![op(0x20, 4), unless_equal(ARCH, 3), op(0x20, 0), unless_equal(number as u32, 1), op(0x06, answer), op(0x06, libc::SECCOMP_RET_ALLOW)]
}

/// 0, or the error number.
fn install(filter: &mut [libc::sock_filter], flags: libc::c_long) -> i32 {
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program lives through the calls.
    unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return -1;
        }
        match libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &program) {
            0 => 0,
            _ => *libc::__errno_location(),
        }
    }
}

/// The wait status of a child that runs `body` and exits with its value.
fn in_child(body: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child only makes system calls and ends.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(body());
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child, "waitpid");
        // Whether a core was dumped is up to the limits.
        status & !0x80
    }
}

/// The error number of getppid(2), 0 where it works.
fn call() -> i32 {
    // SAFETY: no arguments.
    unsafe { if libc::syscall(libc::SYS_getppid) >= 0 { 0 } else { *libc::__errno_location() } }
}

static CODE: AtomicI32 = AtomicI32::new(0);
static NUMBER: AtomicI32 = AtomicI32::new(0);
static VALUE: AtomicI32 = AtomicI32::new(0);

extern "C" fn trapped(_signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel's record of 128 bytes; of SIGSYS the call's number is at 24.
    unsafe {
        CODE.store((*info).si_code, Ordering::SeqCst);
        VALUE.store((*info).si_errno, Ordering::SeqCst);
        NUMBER.store(info.cast::<i32>().add(6).read(), Ordering::SeqCst);
    }
}

pub fn seccomp() {
    let number = libc::SYS_getppid;
    println!("errno: {:#x}", in_child(|| if install(&mut answering(number, libc::SECCOMP_RET_ERRNO | 42), 0) == 0 { call() } else { 99 }));
    println!("nobody traces: {:#x}", in_child(|| if install(&mut answering(number, libc::SECCOMP_RET_TRACE), 0) == 0 { call() } else { 99 }));
    println!("kill: {:#x}", in_child(|| install(&mut answering(number, libc::SECCOMP_RET_KILL_PROCESS), 0) + call()));
    println!("unknown answer: {:#x}", in_child(|| install(&mut answering(number, 0x1234_0000), 0) + call()));
    println!(
        "trap: {:#x}",
        in_child(|| {
            // SAFETY: the handler stores to atomics only.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = trapped as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO;
                libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut());
            }
            install(&mut answering(number, libc::SECCOMP_RET_TRAP | 7), 0);
            call();
            let seen = [&CODE, &NUMBER, &VALUE].map(|it| it.load(Ordering::SeqCst));
            if seen == [1, number as i32, 7] { 0 } else { 1 }
        })
    );
    println!("the most severe of several: {:#x}", in_child(|| {
        install(&mut answering(number, libc::SECCOMP_RET_ERRNO | 1), 0);
        install(&mut answering(number, libc::SECCOMP_RET_LOG), 0);
        install(&mut answering(number, libc::SECCOMP_RET_ERRNO | 2), 0);
        call()
    }));
    println!("over fork: {:#x}", in_child(|| {
        install(&mut answering(number, libc::SECCOMP_RET_ERRNO | 9), 0);
        in_child(call) >> 8
    }));
    println!("strict: {:#x}", in_child(|| {
        // SAFETY: no pointers.
        unsafe {
            libc::prctl(libc::PR_SET_SECCOMP, 1, 0, 0, 0);
            libc::syscall(libc::SYS_getppid);
            libc::syscall(libc::SYS_exit, 3) as i32
        }
    }));
    // A remainder, a byte, a word that is not aligned, one beyond the data, a jump out, no return.
    let wrong = [vec![op(0x94, 3), op(0x06, 0)], vec![op(0x30, 0), op(0x06, 0)], vec![op(0x20, 2), op(0x06, 0)], vec![op(0x20, 64), op(0x06, 0)],
        vec![op(0x05, 1), op(0x06, 0)], vec![op(0x00, 0)]];
    for mut program in wrong {
        println!("refused: {:#x}", in_child(|| install(&mut program, 0)));
    }
    println!("flags: {:#x}", in_child(|| install(&mut answering(number, libc::SECCOMP_RET_ALLOW), 1 << 20)));
    println!("all threads: {:#x}", in_child(all_threads));
}

/// A thread that was there before gets the filter too.
fn all_threads() -> i32 {
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || receive.recv().map_or(98, |()| call()));
    if install(&mut answering(libc::SYS_getppid, libc::SECCOMP_RET_ERRNO | 5), FLAG_TSYNC) != 0 {
        return 97;
    }
    let _ = send.send(());
    other.join().unwrap_or(96)
}

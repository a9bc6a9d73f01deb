//! What `./gos bench packages` runs, on this host: the solver against Debian's own, and installing against pacman and dpkg. A JSON object
//! a line. Words say which part: `solver`, `install`; without any it is both.

#[path = "../../tests/debian/mod.rs"]
mod debian;
mod install;
mod verdicts;

use std::time::Duration;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let wanted = |part: &str| words.is_empty() || words.iter().any(|it| it == part);
    if wanted("solver") {
        verdicts::measure();
    }
    if wanted("install") {
        install::measure();
    }
}

/// Prints what was measured; `other` is what the other program needed for the same.
fn print(name: &str, unit: &str, value: f64, other: Option<f64>) {
    println!("{}", serde_json::json!({ "name": name, "unit": unit, "value": value, "linux": other }));
}

/// A clock of the kernel's.
fn clock(which: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a value of ours.
    unsafe { libc::clock_gettime(which, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The processor's time that this thread has taken: other programs do not count.
fn thread_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The processor's time of all processes that this one has started and waited for.
fn children_time() -> Duration {
    // SAFETY: a structure of integers, for which zeros are a value, and a pointer to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    let duration = |it: libc::timeval| Duration::new(it.tv_sec as u64, it.tv_usec as u32 * 1000);
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

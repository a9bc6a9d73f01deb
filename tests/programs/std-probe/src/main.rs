//! Uses of Rust's standard library, whose output is the same on every kernel that is Linux to programs.
//!
//! Each section prints what it found. Nothing printed depends on time, addresses, process numbers or the order of threads.

mod confine;
mod files;
mod misc;
mod panics;
mod process;
mod sockets;
mod threads;

use std::path::PathBuf;

fn main() {
    let mut args = std::env::args().skip(1);
    if let Some(role) = args.next() {
        // Started by another section.
        let rest: Vec<String> = args.collect();
        return process::role(&role, &rest);
    }
    let scratch = PathBuf::from(format!("/tmp/std-probe-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("a scratch directory");
    std::env::set_current_dir(&scratch).expect("the scratch directory");
    let sections: [(&str, fn()); 15] = [
        ("threads", threads::threads),
        ("locks", threads::locks),
        ("channels", threads::channels),
        ("thread-locals", threads::locals),
        ("parking", threads::parking),
        ("files", files::files),
        ("directories", files::directories),
        ("links", files::links),
        ("processes", process::processes),
        ("signals", process::signals),
        ("seccomp", confine::seccomp),
        ("panics", panics::panics),
        ("unix sockets", sockets::sockets),
        ("time", misc::time),
        ("environment", misc::environment),
    ];
    for (name, section) in sections {
        println!("== {name}");
        section();
    }
    std::env::set_current_dir("/").expect("the root directory");
    std::fs::remove_dir_all(&scratch).expect("to remove the scratch directory");
    println!("== end");
}

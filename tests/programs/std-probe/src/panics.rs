//! Panics, unwinding, backtraces.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

static UNWOUND: AtomicU32 = AtomicU32::new(0);

struct Noted;

impl Drop for Noted {
    fn drop(&mut self) {
        UNWOUND.fetch_add(1, Ordering::SeqCst);
    }
}

#[inline(never)]
fn inner(depth: u32) -> u32 {
    let _noted = Noted;
    if depth == 0 {
        let missing: Option<u32> = std::hint::black_box(None);
        return missing.expect("a value");
    }
    inner(depth - 1) + 1
}

/// Panics some calls deep.
#[inline(never)]
pub fn fail() {
    println!("{}", inner(3));
}

pub fn panics() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|info| println!("hook: {}", info.location().map_or("nowhere", |it| it.file()))));
    println!("caught: {:?}", panic::catch_unwind(|| inner(9)).map_err(|cause| cause.downcast_ref::<String>().cloned()));
    println!("destructors: {}", UNWOUND.load(Ordering::SeqCst));
    println!("index: {}", panic::catch_unwind(|| std::hint::black_box(&[1, 2, 3])[std::hint::black_box(7)]).is_err());
    panic::set_hook(hook);
    for (setting, value) in [("none", None), ("short", Some("1")), ("full", Some("full"))] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("panic").env_remove("RUST_BACKTRACE");
        if let Some(value) = value {
            command.env("RUST_BACKTRACE", value);
        }
        let output = command.output().unwrap();
        println!("panic, backtrace {setting}: {:?}", output.status.code());
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            println!("    {}", steady(line));
        }
    }
    let here = Backtrace::force_capture();
    println!("captured: {} {}", here.status() == BacktraceStatus::Captured, here.to_string().contains("std_probe::panics::panics"));
}

/// Without thread numbers and addresses.
fn steady(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let number = word.trim_matches(['(', ')']);
        let is_thread = word.starts_with('(') && number.parse::<u64>().is_ok();
        if is_thread { "(N)" } else if word.starts_with("0x") { "0xN" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

//! Time, environment.

use std::time::{Duration, Instant, SystemTime};

pub fn time() {
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(30));
    let slept = begun.elapsed();
    println!("slept: {} {}", slept >= Duration::from_millis(30), slept < Duration::from_secs(60));
    let samples: Vec<_> = (0..1_000).map(|_| Instant::now()).collect();
    println!("monotonic: {}", samples.is_sorted());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    println!("after 2024: {}", now.as_secs() > 1_704_067_200);
}

pub fn environment() {
    // SAFETY: no other thread runs.
    unsafe {
        std::env::set_var("PROBE_VARIABLE", "value");
        println!("variable: {:?}", std::env::var("PROBE_VARIABLE"));
        std::env::remove_var("PROBE_VARIABLE");
    }
    println!("removed: {:?}", std::env::var("PROBE_VARIABLE"));
    println!("program: {:?}", std::env::current_exe().map(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("std-probe"))));
    println!("temporary: {:?}", std::env::temp_dir());
    println!("arguments: {}", std::env::args().count());
    let big: Vec<u8> = (0..50_000_000u32).step_by(4096).map(|n| n as u8).collect();
    let mut huge = vec![0u8; 50_000_000];
    huge.iter_mut().step_by(4096).zip(&big).for_each(|(to, from)| *to = *from);
    println!("memory: {}", huge.iter().step_by(4096).zip(&big).all(|(a, b)| a == b));
}

//! Batches, and the time of the best.

use std::io;
use std::time::{Duration, Instant};

/// Long against the clock's resolution, short enough to fall between the host's interruptions now and then.
const BATCH: Duration = Duration::from_millis(40);
const BATCHES: u32 = 12;

/// Nanoseconds that one call of `operation` takes, at best.
pub fn nanoseconds(mut operation: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let mut run = |count: u64| -> io::Result<Duration> {
        let begun = Instant::now();
        for _ in 0..count {
            operation()?;
        }
        Ok(begun.elapsed())
    };
    let mut count = 1;
    loop {
        let took = run(count)?;
        if took >= BATCH / 4 {
            let wanted = BATCH.as_secs_f64() / took.as_secs_f64() * count as f64;
            count = (wanted as u64).max(1);
            break;
        }
        count *= 4;
    }
    let mut best = Duration::MAX;
    for _ in 0..BATCHES {
        best = best.min(run(count)?);
    }
    Ok(best.as_nanos() as f64 / count as f64)
}

/// The same in microseconds.
pub fn microseconds(operation: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    Ok(nanoseconds(operation)? / 1e3)
}

/// Megabytes a second, where one call of `operation` moves so many bytes.
pub fn megabytes(bytes: usize, operation: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    Ok(bytes as f64 * 1e3 / nanoseconds(operation)?)
}

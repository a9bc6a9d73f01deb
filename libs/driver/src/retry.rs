//! Waiting for what a dying predecessor has not released yet.

use std::io;
use std::time::{Duration, Instant};

/// Tries `attempt` until it succeeds, fails with something other than "busy" or "exists", or `limit` has passed.
///
/// A driver that was killed frees its device and its scheme name when the kernel closes its descriptors; its successor
/// may be started just before that.
pub fn while_busy<T>(limit: Duration, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        match attempt() {
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EEXIST))
                    && start.elapsed() < limit => {}
            result => return result,
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_retried_and_other_errors_are_not() {
        let mut left = 3;
        let result = while_busy(Duration::from_secs(5), || {
            left -= 1;
            if left > 0 {
                Err(io::Error::from_raw_os_error(libc::EBUSY))
            } else {
                Ok(left)
            }
        });
        assert_eq!(result.unwrap(), 0);
        let mut calls = 0;
        let result: io::Result<()> = while_busy(Duration::from_secs(5), || {
            calls += 1;
            Err(io::Error::from_raw_os_error(libc::ENOENT))
        });
        assert!(result.is_err());
        assert_eq!(calls, 1);
    }
}

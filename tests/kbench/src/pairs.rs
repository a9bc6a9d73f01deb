//! Two processes or threads that talk to each other.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::{megabytes, microseconds, nanoseconds};
use crate::sys::{self, Pinned};

const PIECE: usize = 64 << 10;
/// Large enough that starting and ending the stream does not show.
const STREAM: usize = 4 << 20;

/// Half a round trip between two processes on one CPU: a switch, with the pipe's cost.
pub fn context_switch() -> io::Result<f64> {
    let _pinned = Pinned::new()?;
    Ok(pipe_latency()? / 2.0)
}

pub fn pipe_latency() -> io::Result<f64> {
    let (mut to_read, mut to_write) = io::pipe()?;
    let (mut back_read, mut back_write) = io::pipe()?;
    let _child = sys::fork(|| echo(&mut to_read, &mut back_write))?;
    round_trips(&mut to_write, &mut back_read)
}

pub fn unix_latency() -> io::Result<f64> {
    let (mut near, mut far) = UnixStream::pair()?;
    let mut far_out = far.try_clone()?;
    let mut near_out = near.try_clone()?;
    let _child = sys::fork(|| echo(&mut far, &mut far_out))?;
    round_trips(&mut near_out, &mut near)
}

fn echo(from: &mut impl Read, to: &mut impl Write) {
    let mut byte = [0];
    while from.read_exact(&mut byte).and_then(|()| to.write_all(&byte)).is_ok() {}
}

fn round_trips(to: &mut impl Write, from: &mut impl Read) -> io::Result<f64> {
    let mut byte = [0];
    microseconds(|| {
        to.write_all(&byte)?;
        from.read_exact(&mut byte)
    })
}

pub fn pipe_bandwidth() -> io::Result<f64> {
    let (mut read, mut write) = io::pipe()?;
    let _child = sys::fork(|| pour(&mut write))?;
    drain(&mut read)
}

pub fn unix_bandwidth() -> io::Result<f64> {
    let (mut near, mut far) = UnixStream::pair()?;
    let _child = sys::fork(|| pour(&mut far))?;
    drain(&mut near)
}

fn pour(to: &mut impl Write) {
    let piece = vec![1; PIECE];
    while to.write_all(&piece).is_ok() {}
}

fn drain(from: &mut impl Read) -> io::Result<f64> {
    let mut piece = vec![0; PIECE];
    megabytes(STREAM, || {
        let mut left = STREAM;
        while left > 0 {
            let room = left.min(PIECE);
            match from.read(&mut piece[..room])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => left -= len,
            }
        }
        Ok(())
    })
}

pub fn futex_wake() -> io::Result<f64> {
    let word = AtomicU32::new(0);
    nanoseconds(|| sys::futex(&word, libc::FUTEX_WAKE, 1))
}

/// A thread sets the word to 1 and waits for 0, another the other way round.
pub fn futex_round_trip() -> io::Result<f64> {
    const STOP: u32 = 2;
    let word = Arc::new(AtomicU32::new(0));
    let other = Arc::clone(&word);
    let thread = std::thread::spawn(move || -> io::Result<()> {
        loop {
            match other.load(Ordering::Acquire) {
                0 => sys::futex(&other, libc::FUTEX_WAIT, 0)?,
                STOP => return Ok(()),
                _ => {
                    let _ = other.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed);
                    sys::futex(&other, libc::FUTEX_WAKE, 1)?;
                }
            }
        }
    });
    let time = microseconds(|| {
        word.store(1, Ordering::Release);
        sys::futex(&word, libc::FUTEX_WAKE, 1)?;
        while word.load(Ordering::Acquire) == 1 {
            sys::futex(&word, libc::FUTEX_WAIT, 1)?;
        }
        Ok(())
    });
    word.store(STOP, Ordering::Release);
    sys::futex(&word, libc::FUTEX_WAKE, 1)?;
    thread.join().map_err(|_| io::Error::other("the thread panicked"))??;
    time
}

//! The kernel's messages, shown until a session starts.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

/// The kernel log from its beginning.
pub struct KernelMessages {
    file: File,
    max_level: u8,
}

impl KernelMessages {
    /// Opens the log; only messages up to this level (syslog's numbers) are shown.
    pub fn open(max_level: u8) -> io::Result<Self> {
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        Ok(KernelMessages { file, max_level })
    }

    /// The messages that have come since the last call, as a terminal shows them.
    pub fn read(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut record = [0; 8192];
        // Bounded: whoever writes faster than we draw must not keep us here.
        for _ in 0..256 {
            match self.file.read(&mut record) {
                Ok(0) => break,
                Ok(len) => text.extend(format_record(&record[..len], self.max_level)),
                // EPIPE: records were overwritten before we read them; reading goes on behind the gap.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                Err(_) => break,
            }
        }
        text
    }
}

impl AsRawFd for KernelMessages {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// A record of `/dev/kmsg` (Linux's Documentation/ABI/testing/dev-kmsg), `priority,sequence,microseconds,flags;text`, as lines for a
/// terminal. Nothing where its level is too high, or where it is no record.
fn format_record(record: &[u8], max_level: u8) -> Vec<u8> {
    let parse = || -> Option<Vec<u8>> {
        let split = record.iter().position(|byte| *byte == b';')?;
        let head = std::str::from_utf8(&record[..split]).ok()?;
        let mut fields = head.split(',');
        let level = (fields.next()?.parse::<u32>().ok()? & 7) as u8;
        let microseconds: u64 = fields.nth(1)?.parse().ok()?;
        if level > max_level {
            return Some(Vec::new());
        }
        let (seconds, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
        // Errors in red, warnings in yellow.
        let colour = match level {
            0..=3 => "\x1b[91m",
            4 => "\x1b[93m",
            _ => "",
        };
        let mut text = format!("\x1b[32m[{seconds:5}.{rest:06}]\x1b[0m {colour}").into_bytes();
        // Lines that begin with a blank are fields for machines.
        let message = record[split + 1..].split(|byte| *byte == b'\n').next()?;
        // What looks like an escape sequence of a hostile device name is none of ours.
        text.extend(
            message
                .iter()
                .map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }),
        );
        text.extend_from_slice(b"\x1b[0m\r\n");
        Some(text)
    };
    parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_lines_up_to_the_level() {
        let line = format_record(b"6,12,1500042,-;pcid: 3 functions\n KEY=value\n", 6);
        assert_eq!(
            line,
            b"\x1b[32m[    1.500042]\x1b[0m pcid: 3 functions\x1b[0m\r\n"
        );
        assert_eq!(format_record(b"7,13,1500042,-;detail\n", 6), b"");
        assert_eq!(format_record(b"nonsense", 6), b"");
        assert!(format_record(b"3,1,0,-;a\x1b[2Jb", 6).ends_with(b"a?[2Jb\x1b[0m\r\n"));
    }
}

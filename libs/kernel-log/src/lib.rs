//! Sends what a daemon logs by `tracing` to the kernel log, one record a message, with its level and the daemon's name.
//!
//! Records have the form that `/dev/kmsg` takes (Linux's Documentation/ABI/testing/dev-kmsg): `<3>name: text`. Without
//! `/dev/kmsg`, messages go to standard error.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// The longest record; longer messages are cut. Linux takes somewhat less than 1 KiB.
const MAX_RECORD: usize = 960;

/// Makes all messages of this process, from debug (in debug builds) or info level on, go to the kernel log under `name`.
pub fn init(name: &'static str) {
    let level = if cfg!(debug_assertions) {
        Level::DEBUG
    } else {
        Level::INFO
    };
    let sink = Sink {
        name,
        file: File::options().write(true).open("/dev/kmsg").ok(),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_writer(sink)
        .finish();
    // Fails only where the program has set a subscriber of its own, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Logs why a daemon ends, and hands the reason on for its exit status. `subject` is what it drives or serves.
///
/// # Errors
/// The daemon's own.
pub fn logged<T, E: Display>(subject: impl Display, result: Result<T, E>) -> Result<T, E> {
    result.inspect_err(|error| tracing::error!("{subject}: {error:#}"))
}

struct Sink {
    name: &'static str,
    file: Option<File>,
}

/// syslog's numbers.
fn severity(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Record<'a>;

    fn make_writer(&'a self) -> Record<'a> {
        Record {
            sink: self,
            severity: 6,
            text: Vec::new(),
        }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Record<'a> {
        Record {
            sink: self,
            severity: severity(meta.level()),
            text: Vec::new(),
        }
    }
}

/// One message on its way.
struct Record<'a> {
    sink: &'a Sink,
    severity: u8,
    text: Vec<u8>,
}

impl Record<'_> {
    /// The record's bytes; with `prefix` where it goes to the kernel.
    fn format(&self, to_kernel: bool) -> Vec<u8> {
        let mut record = if to_kernel {
            format!("<{}>", self.severity)
        } else {
            String::new()
        }
        .into_bytes();
        record.extend_from_slice(self.sink.name.as_bytes());
        record.extend_from_slice(b": ");
        // A newline would end the record early.
        let text = self
            .text
            .trim_ascii_end()
            .iter()
            .map(|byte| if *byte == b'\n' { b' ' } else { *byte });
        record.extend(text.take(MAX_RECORD));
        record.push(b'\n');
        record
    }
}

impl Write for Record<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        // Nobody can be told where the log itself fails.
        let _ = match &self.sink.file {
            Some(file) => (&*file).write_all(&self.format(true)),
            None => io::stderr().write_all(&self.format(false)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_level_name_and_one_line() {
        let sink = Sink {
            name: "blkd",
            file: None,
        };
        let mut record = Record {
            sink: &sink,
            severity: severity(&Level::WARN),
            text: Vec::new(),
        };
        record.write_all(b"two\nlines\n").unwrap();
        assert_eq!(record.format(true), b"<4>blkd: two lines\n");
        record.write_all(&[b'x'; 5000]).unwrap();
        assert!(record.format(true).len() < 1000);
        record.text.clear();
    }
}

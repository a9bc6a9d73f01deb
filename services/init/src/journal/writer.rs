//! The thread that writes.

use super::store::{MAX_FILE, Store};
use super::{Record, split_priority};
use crate::{poll, sys};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A line that is longer is cut into several records.
const MAX_LINE: usize = 2048;
/// How many records a unit may write in [`RATE_PERIOD`]; the rest is counted, not kept.
const RATE: u32 = 2000;
const RATE_PERIOD: Duration = Duration::from_secs(5);
/// How long what was written may stay in memory only.
const SYNC_PERIOD: Duration = Duration::from_secs(10);
/// How many messages may wait for the thread.
const QUEUE: usize = 1024;

enum Message {
    Stream { unit: String, reader: OwnedFd, priority: u8 },
    Record { unit: String, priority: u8, text: String },
    Stop(SyncSender<()>),
}

/// The way to the thread.
#[derive(Clone)]
pub struct Journal {
    sender: SyncSender<Message>,
    wake: Arc<UnixStream>,
}

/// What else is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// The kernel's log.
    Included,
    /// Nothing.
    LeftOut,
}

impl Journal {
    /// Starts the thread, with its files in `folder`. That they cannot be written is said in the kernel's log, and what comes is lost.
    ///
    /// # Errors
    /// Where there can be no thread.
    pub fn start(folder: &Path, kernel: Kernel) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE);
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let folder = folder.to_owned();
        let run = move || Writer::new(folder, kernel, woken).run(&receiver);
        std::thread::Builder::new().name("journal".into()).stack_size(128 << 10).spawn(run)?;
        Ok(Journal { sender, wake: Arc::new(wake) })
    }

    fn send(&self, message: Message) -> io::Result<()> {
        self.sender.try_send(message).map_err(|_| io::Error::other("the journal does not keep up"))?;
        // Full: it is awake anyway.
        let _ = (&*self.wake).write(&[1]);
        Ok(())
    }

    /// The writing ends of standard output and standard error for a unit's process.
    pub fn streams(&self, unit: &str) -> io::Result<[OwnedFd; 2]> {
        let make = |priority| {
            let (reader, writer) = sys::pipe()?;
            sys::set_nonblocking(reader.as_raw_fd())?;
            self.send(Message::Stream { unit: unit.to_owned(), reader, priority })?;
            io::Result::Ok(writer)
        };
        Ok([make(6)?, make(5)?])
    }

    /// Writes down a message.
    pub fn record(&self, unit: &str, priority: u8, text: &str) {
        // Where it does not keep up, what process 1 says is in the kernel's log.
        let _ = self.send(Message::Record { unit: unit.to_owned(), priority, text: text.to_owned() });
    }

    /// Makes all that was said durable, and ends.
    pub fn stop(&self, limit: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.send(Message::Stop(done)).is_ok() {
            let _ = is_done.recv_timeout(limit);
        }
    }
}

struct Stream {
    unit: String,
    reader: File,
    priority: u8,
    line: Vec<u8>,
}

struct Writer {
    folder: PathBuf,
    store: Option<Store>,
    boot: String,
    woken: UnixStream,
    kernel: Option<File>,
    /// Microseconds since 1970 at which the kernel's clock was 0.
    kernel_epoch_us: u64,
    streams: Vec<Stream>,
    rates: HashMap<String, (Instant, u32)>,
    records: Vec<Record>,
    dirty_since: Option<Instant>,
    has_complained: bool,
}

fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64)
}

impl Writer {
    fn new(folder: PathBuf, kernel: Kernel, woken: UnixStream) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned());
        let open = || File::options().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg").ok();
        let uptime = std::fs::read_to_string("/proc/uptime").ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        Writer {
            folder,
            store: None,
            boot: boot.unwrap_or_else(|_| now_us().to_string()),
            woken,
            kernel: if kernel == Kernel::Included { open() } else { None },
            kernel_epoch_us: now_us().saturating_sub((uptime.unwrap_or(0.0) * 1e6) as u64),
            streams: Vec::new(),
            rates: HashMap::new(),
            records: Vec::new(),
            dirty_since: None,
            has_complained: false,
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let mut wanted = vec![poll::Wanted::read(self.woken.as_raw_fd())];
            wanted.extend(self.kernel.iter().map(|file| poll::Wanted::read(file.as_raw_fd())));
            wanted.extend(self.streams.iter().map(|stream| poll::Wanted::read(stream.reader.as_raw_fd())));
            let timeout = self.dirty_since.map_or(Duration::from_secs(3600), |since| SYNC_PERIOD.saturating_sub(since.elapsed()));
            poll::wait(&wanted, timeout);
            while self.woken.read(&mut [0; 256]).is_ok_and(|len| len > 0) {}
            let mut stop = None;
            while let Ok(message) = messages.try_recv() {
                match message {
                    Message::Stream { unit, reader, priority } => {
                        self.streams.push(Stream { unit, reader: reader.into(), priority, line: Vec::new() });
                    }
                    Message::Record { unit, priority, text } => self.add(&unit, priority, &text, now_us()),
                    Message::Stop(done) => stop = Some(done),
                }
            }
            self.read_kernel();
            self.read_streams();
            self.write(stop.is_some());
            if let Some(done) = stop {
                let _ = done.send(());
                return;
            }
        }
    }

    fn add(&mut self, unit: &str, priority: u8, text: &str, time_us: u64) {
        let now = Instant::now();
        let (since, count) = self.rates.entry(unit.to_owned()).or_insert((now, 0));
        let mut lost = 0;
        if now.duration_since(*since) >= RATE_PERIOD {
            lost = count.saturating_sub(RATE);
            (*since, *count) = (now, 0);
        }
        *count += 1;
        let is_kept = *count <= RATE;
        if lost > 0 {
            self.push(unit, 4, &format!("{lost} messages of {unit} were not kept: more than {RATE} in {RATE_PERIOD:?}"), time_us);
        }
        if is_kept {
            self.push(unit, priority, text, time_us);
        }
    }

    fn push(&mut self, unit: &str, priority: u8, text: &str, time_us: u64) {
        self.records.push(Record { time_us, boot: self.boot.clone(), unit: unit.to_owned(), priority, message: text.to_owned() });
    }

    /// What the kernel's log has: our daemons write there, too, each with its name before the text.
    fn read_kernel(&mut self) {
        let mut buffer = [0; 8192];
        for _ in 0..256 {
            let Some(file) = &mut self.kernel else { return };
            let len = match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => len,
                // Records were overwritten before they were read: the next ones are there.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock || error.kind() == io::ErrorKind::Interrupted => return,
                Err(_) => {
                    self.kernel = None;
                    return;
                }
            };
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            let Some((head, message)) = text.split_once(';') else { continue };
            let mut fields = head.split(',');
            let priority = fields.next().and_then(|it| it.parse::<u32>().ok()).map_or(6, |it| (it & 7) as u8);
            let time = fields.nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
            let message = message.lines().next().unwrap_or_default();
            let is_name = |name: &&str| !name.is_empty() && name.len() < 40 && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_@.".contains(&it));
            let daemon = message.split_once(": ").map(|(name, _)| name).filter(is_name);
            let unit = daemon.map_or("kernel", |name| if name == "init" { "gci" } else { name }).to_owned();
            self.add(&unit, priority, message, self.kernel_epoch_us + time);
        }
    }

    fn read_streams(&mut self) {
        let mut streams = std::mem::take(&mut self.streams);
        streams.retain_mut(|stream| {
            let mut buffer = [0; 4096];
            // A service that never stops talking must not keep the others waiting.
            for _ in 0..16 {
                match stream.reader.read(&mut buffer) {
                    Ok(0) => {
                        self.flush_line(stream);
                        return false;
                    }
                    Ok(len) => {
                        for byte in &buffer[..len] {
                            if *byte == b'\n' || stream.line.len() >= MAX_LINE {
                                self.flush_line(stream);
                            }
                            if *byte != b'\n' {
                                stream.line.push(*byte);
                            }
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock || error.kind() == io::ErrorKind::Interrupted => return true,
                    Err(_) => return false,
                }
            }
            true
        });
        self.streams = streams;
    }

    fn flush_line(&mut self, stream: &mut Stream) {
        if stream.line.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&stream.line).into_owned();
        stream.line.clear();
        let (priority, text) = split_priority(&text, stream.priority);
        self.add(&stream.unit, priority, text, now_us());
    }

    fn write(&mut self, is_last: bool) {
        let records = std::mem::take(&mut self.records);
        if let Err(error) = self.try_write(&records, is_last) {
            self.store = None;
            // Once: each complaint is a record itself, where it goes to the kernel's log.
            if !std::mem::replace(&mut self.has_complained, true) {
                tracing::error!("the journal in {} cannot be written: {error}; messages are lost", self.folder.display());
            }
        }
    }

    fn try_write(&mut self, records: &[Record], is_last: bool) -> io::Result<()> {
        if self.store.is_none() && !records.is_empty() {
            self.store = Some(Store::open(&self.folder, MAX_FILE)?);
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        if !records.is_empty() {
            store.write(records)?;
            self.dirty_since.get_or_insert_with(Instant::now);
        }
        if self.dirty_since.is_some_and(|since| is_last || since.elapsed() >= SYNC_PERIOD) {
            self.dirty_since = None;
            store.sync()?;
        }
        Ok(())
    }
}

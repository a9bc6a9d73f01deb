//! The scheme's files: the shared region, the two ends of pipes that wake, and what people may read.

use crate::nic::Nic;
use rustix::fs::{OFlags, fcntl_setfl};
use scheme::abi::dirent::{DirentWriter, Entry, kind_of_mode};
use scheme::{Context, Errno, Handles, MapFlags, Opened, Result, Scheme, Stat};
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum File {
    Directory,
    /// The shared region: one client has it.
    Frames,
    /// Texts.
    Mac,
    Link,
    Statistics,
}

const NAMES: [(&str, File); 4] = [("frames", File::Frames), ("mac", File::Mac), ("link", File::Link), ("statistics", File::Statistics)];

/// The pipes of a client.
struct Client {
    handle: u64,
    /// The stack wakes the driver.
    doorbell: PipeReader,
    doorbell_end: Option<PipeWriter>,
    /// The driver wakes the stack.
    wake: PipeWriter,
    wake_end: Option<PipeReader>,
}

impl Client {
    fn new(handle: u64) -> std::io::Result<Self> {
        let (doorbell, doorbell_end) = pipe()?;
        let (wake_end, wake) = pipe()?;
        for end in [doorbell.as_fd(), wake.as_fd()] {
            fcntl_setfl(end, OFlags::NONBLOCK)?;
        }
        Ok(Self { handle, doorbell, doorbell_end: Some(doorbell_end), wake, wake_end: Some(wake_end) })
    }
}

/// The files of an interface.
pub struct Files {
    nic: Nic,
    open: Handles<File>,
    client: Option<Client>,
}

impl Files {
    /// The files of a device.
    pub fn new(nic: Nic) -> Self {
        Self { nic, open: Handles::new(), client: None }
    }

    /// The device.
    pub fn nic(&mut self) -> &mut Nic {
        &mut self.nic
    }

    /// Readable when the stack has something.
    pub fn doorbell(&self) -> Option<BorrowedFd<'_>> {
        // With its other end gone it is always readable; the close of `frames` follows.
        self.client.as_ref().filter(|it| it.doorbell_end.is_none()).map(|it| it.doorbell.as_fd())
    }

    /// Takes the doorbell's rings in.
    pub fn take_doorbell(&mut self) {
        let mut bytes = [0; 64];
        if let Some(client) = &mut self.client
            && matches!(client.doorbell.read(&mut bytes), Ok(0))
        {
            // Nobody holds the other end: the stack is dying.
            let handle = client.handle;
            self.end_client(handle);
        }
    }

    /// Wakes the stack if it sleeps over something.
    pub fn wake_stack(&mut self) {
        if self.nic.take_news()
            && let Some(client) = &mut self.client
        {
            // A full pipe is a wake-up not taken yet.
            let _ = client.wake.write(&[1]);
        }
    }

    fn end_client(&mut self, handle: u64) {
        if self.client.as_ref().is_some_and(|it| it.handle == handle) {
            self.client = None;
            self.nic.set_client(false);
        }
    }

    fn text(&self, file: File) -> Result<String> {
        let interface = self.nic.interface();
        Ok(match file {
            File::Mac => interface.mac.map(|byte| format!("{byte:02x}")).join(":") + "\n",
            File::Link => if interface.is_up { "up\n" } else { "down\n" }.to_owned(),
            File::Statistics => {
                let it = self.nic.statistics();
                format!(
                    "received_packets {}\nreceived_bytes {}\nreceived_dropped {}\nsent_packets {}\nsent_bytes {}\nsent_errors {}\n",
                    it.received_packets, it.received_bytes, it.received_dropped, it.sent_packets, it.sent_bytes, it.sent_errors
                )
            }
            File::Directory => return Err(Errno::ISDIR.into()),
            File::Frames => return Err(Errno::OPNOTSUPP.into()),
        })
    }
}

impl Scheme for Files {
    fn openat(&mut self, _: &mut Context<'_>, _: u64, path: &str, _: u64) -> Result<Opened> {
        let end: Option<OwnedFd> = match path {
            "wake" => self.client.as_mut().and_then(|it| it.doorbell_end.take()).map(Into::into),
            "woken" => self.client.as_mut().and_then(|it| it.wake_end.take()).map(Into::into),
            "" => return Ok(Opened::Handle(self.open.insert(File::Directory))),
            _ => {
                let (_, file) = NAMES.iter().find(|(name, _)| *name == path).ok_or(Errno::NOENT)?;
                if *file == File::Frames && self.client.is_some() {
                    return Err(Errno::BUSY.into());
                }
                let handle = self.open.insert(*file);
                if *file == File::Frames {
                    self.client = Some(Client::new(handle).map_err(|_| Errno::MFILE)?);
                    self.nic.set_client(true);
                }
                return Ok(Opened::Handle(handle));
            }
        };
        // Once for each client.
        end.map(Opened::Fd).ok_or(Errno::BUSY.into())
    }

    fn read(&mut self, _: &mut Context<'_>, handle: u64, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let file = *self.open.get(handle)?;
        let text = self.text(file)?;
        let rest = text.as_bytes().get(offset as usize..).unwrap_or(&[]);
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let file = *self.open.get(handle)?;
        let (mode, size) = match file {
            File::Directory => (0o040_755, 0),
            File::Frames => (0o100_600, self.nic.memory().len()),
            _ => (0o100_444, self.text(file)?.len()),
        };
        Ok(Stat { st_mode: mode, st_nlink: 1, st_size: size as u64, ..Stat::default() })
    }

    fn getdents(&mut self, handle: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        if *self.open.get(handle)? != File::Directory {
            return Err(Errno::NOTDIR.into());
        }
        let names = NAMES.iter().map(|(name, _)| *name).chain(["wake", "woken"]);
        for (next, name) in (1..).zip(names).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            let entry = Entry { inode: next, next, kind: kind_of_mode(0o100_000), name: name.as_bytes() };
            if let Err(full) = entries.push(&entry) {
                return if entries.written() == 0 { Err(full.into()) } else { Ok(()) };
            }
        }
        Ok(())
    }

    fn mmap_prep(&mut self, handle: u64, offset: u64, size: u64, _: MapFlags) -> Result<usize> {
        if *self.open.get(handle)? != File::Frames {
            return Err(Errno::NODEV.into());
        }
        let memory = self.nic.memory();
        let len = memory.len() as u64;
        match offset.checked_add(size) {
            Some(end) if end <= len && offset % 4096 == 0 => Ok(memory.address() + offset as usize),
            _ => Err(Errno::INVAL.into()),
        }
    }

    fn on_close(&mut self, handle: u64) {
        self.end_client(handle);
        self.open.remove(handle);
    }
}

//! The scheme: a device's open files.

use crate::now_ns;
use drm::device::Caller;
use drm::{Backend, CallerMemory, Device, FileId, FileKind, Outcome};
use scheme::abi::{O_STAT, sqe::Ids};
use scheme::{CallerAccess, Context, Errno, EventFlags, Fail, Handles, MapFlags, Opened, Outbox, Result, Scheme, Stat};

const S_IFCHR: u16 = 0o020_000;
/// The group `video`, which may use displays.
const VIDEO: u32 = 44;

/// An open file.
enum Node {
    /// Only looked at.
    Looked,
    Open(Open),
}

struct Open {
    file: FileId,
    /// Reads that wait: tag and length.
    readers: Vec<(u32, usize)>,
    /// What the kernel wants to be told of.
    interest: EventFlags,
}

/// A card as a scheme.
pub(crate) struct Card<B: Backend> {
    device: Device<B>,
    number: u32,
    access: CallerAccess,
    handles: Handles<Node>,
    /// Calls that end at a time: time and tag.
    timed: Vec<(u64, u32)>,
}

/// The memory of the process whose call is being worked on.
struct View<'a> {
    access: &'a CallerAccess,
    tag: u32,
}

impl CallerMemory for View<'_> {
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> std::result::Result<(), Errno> {
        self.access.read(self.tag, address, bytes)
    }
    fn write(&mut self, address: u64, bytes: &[u8]) -> std::result::Result<(), Errno> {
        self.access.write(self.tag, address, bytes)
    }
}

fn caller(pid: u64, ids: Ids) -> Caller {
    Caller { pid, is_root: ids.uid == 0 }
}

impl<B: Backend> Card<B> {
    pub(crate) fn new(device: Device<B>, number: u32, access: CallerAccess) -> Self {
        Self { device, number, access, handles: Handles::new(), timed: Vec::new() }
    }

    pub(crate) fn device(&mut self) -> &mut Device<B> {
        &mut self.device
    }

    /// When [`Card::tick`] has something to do, in nanoseconds.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.timed.iter().map(|(time, _)| *time).chain(self.device.next_deadline()).min()
    }

    /// Ends what is due, and serves who waits for events.
    pub(crate) fn tick(&mut self, now_ns: u64, out: &mut Outbox) {
        self.timed.retain(|(time, tag)| {
            if *time <= now_ns {
                out.answer(*tag, Ok(0));
            }
            *time > now_ns
        });
        self.device.expire(now_ns);
        for (handle, node) in self.handles.iter_mut() {
            let Node::Open(open) = node else { continue };
            while self.device.has_events(open.file) && !open.readers.is_empty() {
                let (tag, len) = open.readers.remove(0);
                if !out.is_waiting(tag) {
                    continue;
                }
                let mut buffer = vec![0; len];
                let count = self.device.read_events(open.file, &mut buffer).unwrap_or(0);
                out.answer_bytes(tag, &buffer[..count]);
            }
            if open.interest.contains(EventFlags::EVENT_READ) && self.device.has_events(open.file) {
                // Told once; the kernel asks again when somebody polls again.
                open.interest.remove(EventFlags::EVENT_READ);
                out.notify(handle, EventFlags::EVENT_READ);
            }
        }
    }

    fn open(&mut self, handle: u64) -> Result<&mut Open> {
        match self.handles.get(handle)? {
            Node::Open(open) => Ok(open),
            Node::Looked => Err(Errno::BADF.into()),
        }
    }
}

impl<B: Backend> Scheme for Card<B> {
    fn openat(&mut self, cx: &mut Context<'_>, _: u64, path: &str, flags: u64) -> Result<Opened> {
        let kind = match path {
            "" => FileKind::Program,
            "console" if cx.ids.uid == 0 => FileKind::Console,
            "console" => return Err(Errno::ACCESS.into()),
            _ => return Err(Errno::NOENT.into()),
        };
        let node = if flags & O_STAT as u64 != 0 {
            Node::Looked
        } else {
            let file = self.device.open(kind, caller(cx.pid, cx.ids));
            Node::Open(Open { file, readers: Vec::new(), interest: EventFlags::empty() })
        };
        Ok(Opened::Handle(self.handles.insert(node)))
    }

    fn read(&mut self, cx: &mut Context<'_>, handle: u64, buffer: &mut [u8], _: u64) -> Result<usize> {
        let open = match self.handles.get(handle)? {
            Node::Open(open) => open,
            Node::Looked => return Err(Errno::BADF.into()),
        };
        self.device.expire(now_ns());
        if self.device.has_events(open.file) {
            return Ok(self.device.read_events(open.file, buffer)?);
        }
        if cx.is_nonblocking {
            return Err(Errno::AGAIN.into());
        }
        open.readers.push((cx.tag, buffer.len()));
        Err(Fail::Later)
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        self.device.expire(now_ns());
        let file = self.open(handle)?.file;
        let has_events = self.device.has_events(file);
        self.open(handle)?.interest = events;
        Ok(if has_events { events & EventFlags::EVENT_READ } else { EventFlags::empty() })
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        self.handles.get(handle)?;
        Ok(Stat {
            // The device number: for files that are devices it stands here (docs, "Contracts").
            st_dev: u64::from(drm::uapi::MAJOR) << 8 | u64::from(self.number),
            st_ino: 1,
            st_mode: S_IFCHR | 0o660,
            st_nlink: 1,
            st_gid: VIDEO,
            ..Stat::default()
        })
    }

    fn mmap_prep(&mut self, handle: u64, offset: u64, size: u64, _: MapFlags) -> Result<usize> {
        let file = self.open(handle)?.file;
        Ok(self.device.mmap(file, offset, size)?)
    }

    fn call(&mut self, cx: &mut Context<'_>, handle: u64, buffer: &mut [u8], metadata: [u64; 3]) -> Result<u64> {
        let file = self.open(handle)?.file;
        let mut memory = View { access: &self.access, tag: cx.tag };
        let who = caller(cx.pid, cx.ids);
        match self.device.ioctl(file, who, metadata[0] as u32, buffer, &mut memory, now_ns())? {
            Outcome::Done => Ok(0),
            Outcome::At(time) => {
                self.timed.push((time, cx.tag));
                Err(Fail::Later)
            }
        }
    }

    fn on_close(&mut self, handle: u64) {
        if let Some(Node::Open(open)) = self.handles.remove(handle) {
            self.device.close(open.file, now_ns());
        }
    }

    fn cancel(&mut self, tag: u32) -> bool {
        self.timed.retain(|(_, timed)| *timed != tag);
        for (_, node) in self.handles.iter_mut() {
            if let Node::Open(open) = node {
                open.readers.retain(|(reader, _)| *reader != tag);
            }
        }
        true
    }
}

/// Tells programs that a card's displays have changed.
pub(crate) fn announce_change(_number: u32) {}

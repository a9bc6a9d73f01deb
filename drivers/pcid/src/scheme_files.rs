//! The tree as a scheme.

use crate::resources::Resources;
use crate::tree::{self, Tree};
use scheme::abi::dirent::{DirentWriter, Entry, kind_of_mode};
use scheme::{Context, Errno, EventFlags, Opened, Result, Scheme, Stat};

fn errno(number: tree::Errno) -> Errno {
    Errno::from_raw_os_error(number)
}

impl<R: Resources> Scheme for Tree<R> {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOSYS.into());
        }
        if flags & scheme::abi::O_STAT as u64 != 0 {
            return Ok(Opened::Handle(self.look(path).map_err(errno)?));
        }
        match self.open(path, cx.pid, cx.ids.uid).map_err(errno)? {
            tree::Opened::Handle(handle) => Ok(Opened::Handle(handle)),
            tree::Opened::Fd(fd) => Ok(Opened::Fd(fd)),
        }
    }

    fn read(
        &mut self,
        _cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize> {
        Ok(Tree::read(self, handle, offset, buffer).map_err(errno)?)
    }

    fn write(
        &mut self,
        _cx: &mut Context<'_>,
        handle: u64,
        data: &[u8],
        offset: u64,
    ) -> Result<usize> {
        Ok(Tree::write(self, handle, offset, data).map_err(errno)?)
    }

    fn fevent(&mut self, _handle: u64, events: EventFlags) -> Result<EventFlags> {
        Ok(events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let (mode, size) = self.stat(handle).map_err(errno)?;
        // File types and permissions fit Redox's 16 bits.
        Ok(Stat {
            st_ino: handle,
            st_mode: mode as u16,
            st_nlink: 1,
            st_size: size,
            ..Stat::default()
        })
    }

    fn getdents(&mut self, handle: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        let list = self.list(handle).map_err(errno)?;
        for (index, (name, is_directory)) in list
            .iter()
            .enumerate()
            .skip(usize::try_from(from).unwrap_or(usize::MAX))
        {
            let mode = if *is_directory {
                libc::S_IFDIR
            } else {
                libc::S_IFREG
            };
            let cursor = index as u64 + 1;
            let entry = Entry {
                inode: cursor,
                next: cursor,
                kind: kind_of_mode(mode),
                name: name.as_bytes(),
            };
            if let Err(full) = entries.push(&entry) {
                // Nothing written at all: the buffer is too small for one entry.
                return if entries.written() == 0 {
                    Err(full.into())
                } else {
                    Ok(())
                };
            }
        }
        Ok(())
    }

    fn on_close(&mut self, handle: u64) {
        if let Err(error) = self.close(handle) {
            tracing::error!("silencing a function whose driver is gone: {error}");
        }
    }
}

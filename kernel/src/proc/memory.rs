//! `/proc/<pid>/mem`: the memory of a process, for those who may trace it.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::{node, process};
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, IoSink, IoSource, OpenFile, OpenFlags};
use crate::mm::{AddressSpace, PAGE};
use crate::syscall::remote;
use crate::task::{self, Process};

/// The file of a process.
pub struct Memory(pub Arc<Process>);

impl Inode for Memory {
    fn attr(&self) -> Result<Attr> {
        Ok(node::attributes(FileType::Regular, 0o600, process::owner(&self.0), 0x5_0000 + u64::from(self.0.pid)))
    }

    fn set_attr(&self, change: &crate::fs::SetAttr) -> Result {
        if change.size.is_some() { Ok(()) } else { Err(EPERM) }
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        if !task::with_current(|thread| remote::may_look(thread, &self.0)) {
            return Err(EACCES);
        }
        // The program that it runs now: after exec the file still shows the old one, which is empty then.
        let space = self.0.mm().ok();
        Ok(Arc::new(OpenMemory { inode: self, space }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OpenMemory {
    inode: Arc<Memory>,
    space: Option<Arc<AddressSpace>>,
}

impl FileOps for OpenMemory {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let Some(space) = &self.space else { return Ok(0) };
        let mut done = 0;
        let mut page = [0; PAGE];
        while dst.remaining() > 0 {
            let at = usize::try_from(pos).ok().and_then(|pos| pos.checked_add(done)).ok_or(EIO)?;
            let len = (PAGE - at % PAGE).min(dst.remaining());
            match space.peek(at, &mut page[..len]) {
                Ok(_) => {}
                Err(_) if done > 0 => break,
                Err(_) => return Err(EIO),
            }
            done += dst.write(&page[..len])?;
        }
        Ok(done)
    }

    fn write(&self, _file: &OpenFile, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let Some(space) = &self.space else { return Ok(0) };
        let mut done = 0;
        let mut page = [0; PAGE];
        while src.remaining() > 0 {
            let at = usize::try_from(pos).ok().and_then(|pos| pos.checked_add(done)).ok_or(EIO)?;
            let len = (PAGE - at % PAGE).min(src.remaining());
            src.read(&mut page[..len])?;
            match space.poke(at, &page[..len]) {
                Ok(_) => done += len,
                Err(_) if done > 0 => break,
                Err(_) => return Err(EIO),
            }
        }
        Ok(done)
    }

    fn attr(&self) -> Result<Attr> {
        self.inode.attr()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.inode.clone())
    }

    fn describe(&self) -> String {
        String::from("proc")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

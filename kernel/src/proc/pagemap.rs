//! `/proc/<pid>/pagemap`: where each page of a process is (Linux's `admin-guide/mm/pagemap.rst`).

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::{node, process};
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, IoSink, OpenFile, OpenFlags};
use crate::mm::{AddressSpace, MAX_ADDRESS, PAGE};
use crate::syscall::remote;
use crate::task::{self, Capability, Process};

/// Bytes of an entry.
const ENTRY: usize = 8;
/// Entries made at a time.
const CHUNK: usize = 512;

/// The file of a process.
pub struct PageMap(pub Arc<Process>);

impl Inode for PageMap {
    fn attr(&self) -> Result<Attr> {
        Ok(node::attributes(FileType::Regular, 0o400, process::owner(&self.0), 0x6_0000 + u64::from(self.0.pid)))
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        if !task::with_current(|thread| remote::may_look(thread, &self.0)) {
            return Err(EACCES);
        }
        // Where pages are in the machine's memory is the administrator's to know.
        let with_places = task::capable(Capability::SYS_ADMIN);
        let space = self.0.mm().ok();
        Ok(Arc::new(OpenMap { inode: self, space, with_places }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OpenMap {
    inode: Arc<PageMap>,
    space: Option<Arc<AddressSpace>>,
    with_places: bool,
}

impl FileOps for OpenMap {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let Some(space) = &self.space else { return Ok(0) };
        if pos % ENTRY as u64 != 0 || dst.remaining() % ENTRY != 0 {
            return Err(EINVAL);
        }
        let mut page = usize::try_from(pos).map_err(|_| EINVAL)? / ENTRY;
        let mut done = 0;
        while dst.remaining() > 0 && page < MAX_ADDRESS / PAGE {
            let count = CHUNK.min(dst.remaining() / ENTRY).min(MAX_ADDRESS / PAGE - page);
            let bytes: alloc::vec::Vec<u8> = space.page_map(page, count, self.with_places).iter().flat_map(|entry| entry.to_le_bytes()).collect();
            done += dst.write(&bytes)?;
            page += count;
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

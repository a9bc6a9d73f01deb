//! Open files and directories of a filesystem behind a scheme. Regular files are the common ones of the page cache.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use scheme_abi::sqe;

use super::node::FsNode;
use crate::error::*;
use crate::fs::generic::CachedInode;
use crate::fs::pagecache::PageCache;
use crate::fs::{Attr, DirSink, FileOps, Inode, InodeRef, IoSink, OpenFile, SetAttr, StatFs};
use crate::scheme::convert;
use crate::scheme::handle::buffer;
use crate::scheme::user::Wait;

/// Room for directory records in one request.
const DIRENTS: usize = 32 << 10;

impl CachedInode for FsNode {
    fn cache(&self) -> &Arc<PageCache> {
        self.pages()
    }

    fn modified(&self, now_ns: i64) {
        let size = self.pages().size();
        self.state.update(|attr| {
            attr.size = size;
            (attr.mtime_ns, attr.ctime_ns) = (now_ns, now_ns);
        });
    }

    fn commit(&self, _data_only: bool) -> Result {
        self.state.commit()
    }

    fn allocate(&self, mode: u32, offset: u64, len: u64) -> Result {
        // Space cannot be reserved; growing is all that can be promised. (mode 0; 1 is FALLOC_FL_KEEP_SIZE.)
        if mode > 1 {
            return Err(EOPNOTSUPP);
        }
        let end = offset.checked_add(len).ok_or(EFBIG)?;
        if mode == 0 && end > self.pages().size() {
            let now = crate::time::realtime_ns() as i64;
            self.set_attr(&SetAttr { size: Some(end), mtime_ns: Some(now), ctime_ns: Some(now), ..SetAttr::default() })?;
        }
        Ok(())
    }
}

/// An open directory.
pub struct FsDirectory {
    node: Arc<FsNode>,
}

impl FsDirectory {
    pub(super) fn new(node: Arc<FsNode>) -> Arc<Self> {
        Arc::new(Self { node })
    }
}

impl FileOps for FsDirectory {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, _pos: u64, _dst: &mut IoSink<'_>) -> Result<usize> {
        Err(EISDIR)
    }

    fn attr(&self) -> Result<Attr> {
        self.node.attr()
    }

    fn getdents(&self, file: &OpenFile, pos: u64, sink: &mut DirSink<'_>) -> Result {
        let state = &self.node.state;
        let scheme = &state.fs.scheme;
        let mut from = pos;
        scheme.changes.settle(scheme, u64::MAX)?;
        loop {
            let slot = scheme.buffer(DIRENTS, Wait::Killable)?;
            let caller = u64::from(crate::task::current().process.pid);
            let reply = scheme.submit(sqe::getdents(state.id, buffer(DIRENTS), from), Some(slot), caller)?.wait(Wait::Killable)?;
            let len = reply.len()?;
            if len == 0 {
                return Ok(());
            }
            let records = reply.slot()?.bytes_at(0, len);
            drop(reply);
            let (room, next) = convert::entries(&records, from, sink)?;
            file.accessed();
            crate::fs::notify::file(file, crate::fs::notify::ACCESS);
            if !room || next == from {
                return Ok(());
            }
            from = next;
        }
    }

    fn sync(&self, _data_only: bool) -> Result {
        self.node.state.sync()
    }

    fn statfs(&self) -> Result<StatFs> {
        self.node.statfs()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.node.clone())
    }

    fn describe(&self) -> String {
        String::from("directory")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

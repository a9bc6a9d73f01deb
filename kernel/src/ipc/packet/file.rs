//! A socket as a file: `read`, `write`, `poll`, `ioctl`, `mmap`.

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::Socket;
use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile};
use crate::mm::MemoryObject;
use crate::sync::PollTable;
use crate::user;

const FIONREAD: u32 = 0x541b;
const SIOCGSTAMP: u32 = 0x8906;
const SIOCGSTAMPNS: u32 = 0x8907;

impl FileOps for Socket {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        Ok(self.receive(dst, file.nonblocking(), false)?.0)
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        self.send(src, None)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.event);
        let state = self.state.lock();
        let mut events = Events::OUT | Events::WRNORM;
        if !state.queue.is_empty() || state.ring.as_ref().is_some_and(super::Ring::has_frames) {
            events |= Events::IN | Events::RDNORM;
        }
        if state.error.is_some() {
            events |= Events::ERR;
        }
        events
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        match cmd {
            FIONREAD => {
                let len = self.state.lock().queue.front().map_or(0, |first| first.bytes.len());
                user::write(arg, &(len as u32))?;
            }
            SIOCGSTAMP | SIOCGSTAMPNS => {
                let ns = self.state.lock().stamp_ns;
                if ns == 0 {
                    return Err(ENOENT);
                }
                let fraction = ns % 1_000_000_000;
                user::write(arg, &[ns / 1_000_000_000, if cmd == SIOCGSTAMP { fraction / 1000 } else { fraction }])?;
            }
            _ => return crate::ipc::netdev::ioctl(&self.net, cmd, arg),
        }
        Ok(0)
    }

    fn mmap(&self, _file: &OpenFile, offset: u64, len: u64, _shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        let state = self.state.lock();
        Ok(state.ring.as_ref().ok_or(EINVAL)?.memory(offset, len)?)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { dev: 8, ino: self.id, mode: 0o140777, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        alloc::format!("socket:[{}]", self.id)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

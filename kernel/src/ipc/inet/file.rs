//! A socket as a file: `read`, `write`, `poll`, `ioctl`.

use alloc::string::String;
use core::any::Any;

use super::{Kind, Link, Socket};
use crate::error::*;
use crate::fs::sigio::Settings;
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile};
use crate::sync::PollTable;

impl FileOps for Socket {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() == 0 {
            return Ok(0);
        }
        Ok(self.receive(dst, file.nonblocking(), false, false)?.copied)
    }

    fn write(&self, file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        self.send(src, None, &super::Extras::default(), file.nonblocking(), false, false)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.event);
        let writable = Events::OUT | Events::WRNORM;
        if self.kind != Kind::Stream {
            let mut events = self.datagrams.poll(table) | writable;
            let state = self.state.lock();
            if state.error.is_some() || !state.reports.is_empty() {
                events |= Events::ERR;
            }
            return events;
        }
        let state = self.state.lock();
        if let Some(listener) = &state.listener {
            return if listener.waiting.is_empty() { Events::empty() } else { Events::IN | Events::RDNORM };
        }
        let broken = if state.error.is_some() { Events::ERR } else { Events::empty() };
        match &state.link {
            Link::None => writable | Events::HUP,
            Link::Connecting => Events::empty(),
            Link::Failed => broken | writable | Events::HUP | Events::IN | Events::RDNORM | Events::RDHUP,
            Link::Connected { incoming, outgoing } => {
                let (incoming, outgoing) = (incoming.clone(), outgoing.clone());
                drop(state);
                let mut events = broken | incoming.poll_read(table) | outgoing.poll_write(table, self.capacity());
                if incoming.is_finished() && outgoing.is_finished() {
                    events |= Events::HUP;
                }
                events
            }
        }
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        const FIONREAD: u32 = 0x541b;
        const TIOCOUTQ: u32 = 0x5411;
        const SIOCATMARK: u32 = 0x8905;
        match cmd {
            FIONREAD if self.is_listening() => return Err(EINVAL),
            SIOCATMARK if self.kind != Kind::Stream => return Err(ENOTTY),
            SIOCATMARK => crate::user::write(arg, &u32::from(self.is_at_mark()))?,
            FIONREAD => crate::user::write(arg, &(self.available() as u32))?,
            TIOCOUTQ => crate::user::write(arg, &(self.unread() as u32))?,
            _ => return crate::ipc::netdev::ioctl(&self.net, cmd, arg),
        }
        Ok(0)
    }

    fn set_signal_owner(&self, owner: Settings) {
        *self.owner.lock() = owner;
        self.settle_stream();
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

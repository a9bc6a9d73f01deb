//! The scheme socket: the daemon's end. `read` gives out requests, `write` takes answers.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use scheme_abi::sqe::{cqe_opcode, decode_cqe};
use scheme_abi::{
    CQE_BYTES, CallerCopy, Cqe, CqeOpcode, MapFlags, Opcode, PhysQuery, SCHEME_AREA, SCHEME_COMMITTED, SCHEME_COMMITTING, SCHEME_COPY, SCHEME_MOUNTED,
    SCHEME_PHYS, SCHEME_SET_FLAGS, SQE_BYTES, SchemeFlags, TransferArea,
};
use scheme_table::Tag;

use super::user::{Answer, UserScheme, may_answer_with_file, socket_events};
use super::{convert, copy, registry};
use crate::error::*;
use crate::fs::{Attr, Events, FileOps, FileType, IoSink, IoSource, OpenFile};
use crate::mm::{ObjectPage, PAGE, Prot};
use crate::sync::PollTable;
use crate::task;
use crate::user;

/// Largest mapping of a daemon's memory at once, in bytes.
const MOST_MAPPED: u64 = 256 << 20;

/// The open socket of a scheme. Dropping it is the end of the daemon.
pub struct SchemeSocket {
    scheme: Arc<UserScheme>,
    epoch: u64,
    area_base: u64,
}

impl SchemeSocket {
    /// Makes the current process the scheme's daemon and maps the transfer area into it.
    ///
    /// # Errors
    /// `ENOMEM`; `EEXIST` where the scheme has a daemon.
    pub fn open(scheme: Arc<UserScheme>) -> Result<Arc<Self>> {
        let mm = task::current().process.mm()?;
        let area: Arc<dyn crate::mm::MemoryObject> = scheme.area().clone();
        let len = scheme_abi::area::AREA_BYTES;
        let base = mm.map_object(None, len, Prot::READ | Prot::WRITE, true, area, 0)?;
        match scheme.daemon_came(base as u64) {
            Ok(epoch) => Ok(Arc::new(Self { scheme, epoch, area_base: base as u64 })),
            Err(error) => {
                mm.unmap(base, len)?;
                Err(error)
            }
        }
    }

    /// Handles one `Cqe`.
    fn take(&self, cqe: &Cqe) -> Result {
        let tag = Tag(cqe.tag);
        match cqe_opcode(cqe).ok_or(EINVAL)? {
            CqeOpcode::RespondRegular | CqeOpcode::RespondAndNotifyOnDetach => {
                let (opcode, args) = self.scheme.asked(tag).ok_or(EINVAL)?;
                let answer = match convert::result(cqe.result) {
                    Err(error) => Answer::Error(error),
                    Ok(address) if opcode == Opcode::MmapPrep as u8 => self.pages(address, args[2], args[3])?,
                    Ok(value) => Answer::Value(value, cqe.extra()),
                };
                self.scheme.answer(tag, answer)
            }
            CqeOpcode::RespondWithFd => {
                let (opcode, _) = self.scheme.asked(tag).ok_or(EINVAL)?;
                if !may_answer_with_file(opcode) {
                    return Err(EINVAL);
                }
                let fd = i32::try_from(cqe.result).map_err(|_| EINVAL)?;
                let file = task::current().process.files().get(fd).map_err(|_| EINVAL)?;
                self.scheme.answer(tag, Answer::File(file))
            }
            CqeOpcode::SendFevent => {
                self.scheme.event(cqe.tag, cqe.result);
                Ok(())
            }
            CqeOpcode::ObtainFd | CqeOpcode::RespondWithMultipleFds => Err(EINVAL),
        }
    }

    /// The daemon's pages at an address, for the client to map.
    fn pages(&self, address: u64, size: u64, flags: u64) -> Result<Answer> {
        if address % PAGE as u64 != 0 || size > MOST_MAPPED {
            return Err(EINVAL);
        }
        let mm = task::current().process.mm()?;
        let write = MapFlags::from_bits_truncate(flags as usize).contains(MapFlags::PROT_WRITE);
        let mut pages = Vec::new();
        for at in (0..size).step_by(PAGE) {
            let at = usize::try_from(address.checked_add(at).ok_or(EINVAL)?).map_err(|_| EINVAL)?;
            let page: ObjectPage = mm.frame_at(at, write).map_err(|_| EINVAL)?;
            pages.push(page);
        }
        Ok(Answer::Pages(pages))
    }
}

impl Drop for SchemeSocket {
    fn drop(&mut self) {
        self.scheme.daemon_gone(self.epoch);
        registry::forget_dead();
    }
}

impl FileOps for SchemeSocket {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let most = dst.remaining() / SQE_BYTES;
        if most == 0 {
            return Err(EINVAL);
        }
        let take = || Some(self.scheme.outgoing(most)).filter(|out| !out.is_empty());
        let out = match take() {
            Some(out) => out,
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.scheme.wait_readable(take)?,
        };
        let mut bytes = Vec::with_capacity(out.len() * SQE_BYTES);
        for (_, sqe) in &out {
            bytes.extend_from_slice(sqe);
        }
        let copied = dst.write(&bytes).unwrap_or(0) / SQE_BYTES;
        if copied < out.len() {
            self.scheme.take_back(out[copied..].iter().filter_map(|(tag, _)| *tag));
        }
        if copied == 0 { Err(EFAULT) } else { Ok(copied * SQE_BYTES) }
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        if src.remaining() < CQE_BYTES {
            return Err(EINVAL);
        }
        let mut done = 0;
        while src.remaining() >= CQE_BYTES {
            let mut bytes = [0; CQE_BYTES];
            let outcome = match src.read(&mut bytes) {
                Ok(CQE_BYTES) => self.take(&decode_cqe(&bytes)),
                Ok(_) => Err(EFAULT),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => done += CQE_BYTES,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(self.scheme.readable());
        socket_events(&self.scheme)
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        match cmd {
            SCHEME_SET_FLAGS => {
                self.scheme.set_flags(SchemeFlags::from_bits(arg as u64).ok_or(EINVAL)?);
                Ok(0)
            }
            SCHEME_AREA => {
                let area = TransferArea { addr: self.area_base, len: scheme_abi::area::AREA_BYTES as u64 };
                let mut bytes = [0; TransferArea::BYTES];
                area.encode(&mut bytes).map_err(|_| EIO)?;
                user::write(arg, &bytes)?;
                Ok(0)
            }
            SCHEME_MOUNTED => Ok(usize::from(self.scheme.mounted(arg as u64))),
            SCHEME_COMMITTING => {
                self.scheme.changes.committing(arg as u64);
                Ok(0)
            }
            SCHEME_COMMITTED => {
                self.scheme.changes.committed();
                Ok(0)
            }
            SCHEME_PHYS => {
                let mut bytes: [u8; PhysQuery::BYTES] = user::read(arg)?;
                let mut query = PhysQuery::decode(&bytes).map_err(|_| EINVAL)?;
                let offset = query.addr.checked_sub(self.area_base).ok_or(EINVAL)?;
                (query.phys, query.contiguous_len) = self.scheme.area().physical(offset, query.len)?;
                query.encode(&mut bytes).map_err(|_| EIO)?;
                user::write(arg, &bytes)?;
                Ok(0)
            }
            SCHEME_COPY => {
                let bytes: [u8; CallerCopy::BYTES] = user::read(arg)?;
                copy::between(&self.scheme, &CallerCopy::decode(&bytes).map_err(|_| EINVAL)?)
            }
            _ => Err(ENOTTY),
        }
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { dev: self.scheme.dev, mode: FileType::Socket as u32 | 0o600, nlink: 1, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        alloc::format!("scheme-socket:[{}]", self.scheme.name)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

//! Changes on their way to the intent log, and changes made again from it.
//!
//! What is logged is what programs asked for, as it was answered: each change with its time and, for a new node, its id. Made again in the same order
//! on the same generation, they give the same nodes. What was refused is not logged; what failed half-way, or does not
//! fit, makes the next sync a commit.

use super::Session;
use crate::attr;
use crate::device::Device;
use crate::intent_log::{Appended, Area, EXTENT_BLOCKS, Log, MOST_CONTENT, RECORD_HEADER};
use crate::space::Need;
use redoxfs::{Allocator, Header, RECORD_LEVEL};
use scheme::abi::fs::{Change, Step, Time};
use scheme::abi::wire::{Malformed, Reader};
use scheme::{Errno, Fail, FsScheme, Result, Server};

/// Kinds of entries: a step as the kernel sends it, and a write: node (u64), offset (u64), when as seconds (i64) and nanoseconds (u32),
/// 1 where a modification time was told (u32), that as seconds (i64) and nanoseconds (u32), zero (u32), data.
const STEP: u32 = 1;
const WRITE: u32 = 2;
/// Bytes before each: kind (u32), bytes that follow (u32).
const ENTRY_HEADER: usize = 8;
const WRITE_HEADER: usize = 48;
/// The kernel is told of generations and of records behind each by one number that grows: so much room is there for the records.
const RECORD_BITS: u32 = 20;

/// A point in the disk's history, as the kernel is told of it: a header, and records of the log behind it.
pub fn position(generation: u64, records: u32) -> u64 {
    generation << RECORD_BITS | u64::from(records)
}

/// A change as it is logged.
pub(super) enum Intent<'a> {
    Step(u64, Change<'a>),
    Write { node: u64, offset: u64, mtime: Option<Time>, data: &'a [u8] },
}

/// What is to be logged.
#[derive(Debug, Default)]
pub struct Intents {
    log: Option<Log>,
    /// Changes since the last record, with room for its header before them; empty where there are none.
    pending: Vec<u8>,
    /// Something was changed that is in neither.
    has_gap: bool,
    /// A sync would have been served by a log.
    missed: bool,
}

impl Intents {
    /// A transaction opens on `header`.
    pub fn begin(&mut self, header: &Header, allocator: &Allocator) {
        if self.log.as_ref().is_some_and(|log| log.is_behind(header)) {
            return;
        }
        self.log = Log::behind(header, allocator);
        self.pending.clear();
        self.has_gap = false;
    }

    /// The point of history that the next record, or the commit in its place, follows.
    pub fn position(&self, generation: u64) -> u64 {
        position(generation, self.log.as_ref().map_or(0, Log::records))
    }

    /// The next sync is to be a commit.
    pub fn give_up(&mut self) {
        self.has_gap = true;
        self.pending.clear();
    }

    /// True if all changes are in the log, on the disk.
    pub const fn is_settled(&self) -> bool {
        self.log.is_some() && !self.has_gap && self.pending.is_empty()
    }

    fn push(&mut self, at: Time, intent: &Intent<'_>) {
        if self.log.is_none() || self.has_gap {
            return;
        }
        if self.pending.is_empty() {
            self.pending.resize(RECORD_HEADER, 0);
        }
        if self.try_push(at, intent).is_err() || self.pending.len() > RECORD_HEADER + MOST_CONTENT {
            self.give_up();
        }
    }

    fn try_push(&mut self, at: Time, intent: &Intent<'_>) -> Result<(), Malformed> {
        let to = &mut self.pending;
        let mut begin = |kind: u32, bytes: usize| {
            let len = u32::try_from(bytes).map_err(|_| Malformed)?;
            if to.len() + ENTRY_HEADER + bytes > RECORD_HEADER + MOST_CONTENT {
                return Err(Malformed);
            }
            to.extend_from_slice(&kind.to_le_bytes());
            to.extend_from_slice(&len.to_le_bytes());
            Ok(())
        };
        match intent {
            Intent::Step(node, change) => {
                let step = Step { node: *node, at, change: *change };
                begin(STEP, step.bytes())?;
                let start = to.len();
                to.resize(start + step.bytes(), 0);
                step.encode(&mut to[start..])?;
            }
            Intent::Write { node, offset, mtime, data } => {
                begin(WRITE, WRITE_HEADER + data.len())?;
                let told = mtime.unwrap_or(Time { seconds: 0, nanoseconds: 0 });
                to.extend_from_slice(&node.to_le_bytes());
                to.extend_from_slice(&offset.to_le_bytes());
                to.extend_from_slice(&at.seconds.to_le_bytes());
                to.extend_from_slice(&at.nanoseconds.to_le_bytes());
                to.extend_from_slice(&u32::from(mtime.is_some()).to_le_bytes());
                to.extend_from_slice(&told.seconds.to_le_bytes());
                to.extend_from_slice(&told.nanoseconds.to_le_bytes());
                to.extend_from_slice(&[0; 4]);
                to.extend_from_slice(data);
            }
        }
        Ok(())
    }
}

/// The entries of a record: when, and what.
fn entries(content: &[u8]) -> Result<Vec<(Time, Intent<'_>)>, Malformed> {
    let mut all = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let mut r = Reader::new(rest);
        let (kind, len) = (r.u32()?, r.u32()? as usize);
        let body = r.bytes(len)?;
        rest = &rest[ENTRY_HEADER + len..];
        match kind {
            STEP => {
                let (step, _) = Step::decode(body)?.ok_or(Malformed)?;
                all.push((step.at, Intent::Step(step.node, step.change)));
            }
            WRITE => {
                let mut r = Reader::new(body);
                let (node, offset) = (r.u64()?, r.u64()?);
                let at = Time { seconds: r.i64()?, nanoseconds: r.u32()? };
                let is_told = r.u32()? != 0;
                let mtime = Time { seconds: r.i64()?, nanoseconds: r.u32()? };
                let mtime = is_told.then_some(mtime);
                let data = body.get(WRITE_HEADER..).ok_or(Malformed)?;
                all.push((at, Intent::Write { node, offset, mtime, data }));
            }
            _ => return Err(Malformed),
        }
    }
    Ok(all)
}

impl<D: Device> Session<'_, '_, D> {
    /// Makes a change, with one time for all of it, and notes it for the log where it was made.
    pub(super) fn logged<'a, T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T>,
        intent: impl FnOnce(&T) -> Intent<'a>,
    ) -> Result<T> {
        let told = self.state.time;
        let at = told.unwrap_or_else(attr::now);
        self.state.time = Some(at);
        let before = self.state.touches();
        let result = change(self);
        self.state.time = told;
        match &result {
            Ok(made) => self.state.intents.push(at, &intent(made)),
            // It was let in, and may have changed something before it failed.
            Err(_) if self.state.touches() != before => self.state.intents.give_up(),
            Err(_) => {}
        }
        result
    }

    /// Answers syncs that wait by writing what is not logged yet, where that is possible; else a commit has to.
    ///
    /// # Errors
    /// Those of the scheme's socket.
    pub fn log<L: Device>(&mut self, server: &mut Server, device: &mut L) -> std::io::Result<()> {
        if !self.state.may_log() {
            return Ok(());
        }
        let position = self.state.intents.position(self.tx.header.generation());
        let intents = &mut self.state.intents;
        let Some(log) = intents.log.as_mut().filter(|_| !intents.has_gap) else {
            intents.missed |= intents.log.is_none();
            return Ok(());
        };
        if !intents.pending.is_empty() {
            // To the kernel, this is a commit: it has all answers to what is logged now, and keeps the rest for a successor, who makes again what is logged.
            server.flush()?;
            server.socket().committing(position);
            let appended = log.append(device, &mut intents.pending);
            intents.pending.clear();
            match appended {
                Ok(Appended::Durable) => server.socket().committed(),
                Ok(Appended::Full) => {
                    intents.give_up();
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!("writing the log of changes: {error}");
                    intents.give_up();
                    return Ok(());
                }
            }
        }
        for tag in self.state.logged() {
            server.outbox().answer(tag, Ok(0));
        }
        Ok(())
    }

    /// Makes an area for the log, where a sync has missed one and there is room.
    pub(super) fn make_log_area(&mut self) {
        if !std::mem::take(&mut self.state.intents.missed) || self.state.is_encrypted || !Area::named(&self.tx.header).is_empty() {
            return;
        }
        let extents = Area::extents_for(self.state.space.available());
        let blocks = extents as u64 * EXTENT_BLOCKS;
        let need = Need { blocks, runs: (RECORD_LEVEL, extents as u64), frees: false, likely: blocks };
        if extents == 0 || self.state.space.admit(need, true).is_err() {
            return;
        }
        if let Err(error) = Area::create(self.tx, extents) {
            let _ = self.lost(error);
        }
    }

    /// Makes the changes again that records of the log hold, in order, as far as that goes; returns how many.
    pub fn replay(&mut self, records: &[Vec<u8>]) -> usize {
        let mut made = 0;
        self.state.is_replaying = true;
        'records: for record in records {
            let Ok(entries) = entries(record) else {
                tracing::error!("a record of the log of changes makes no sense: what it and those after it hold is lost");
                break;
            };
            for (at, intent) in entries {
                self.state.time = Some(at);
                if let Err(error) = self.make_again(&intent) {
                    tracing::error!("change {made} of the log could not be made again, and none after it is: {error:?}");
                    break 'records;
                }
                made += 1;
            }
        }
        self.state.time = None;
        self.state.is_replaying = false;
        made
    }

    fn make_again(&mut self, intent: &Intent<'_>) -> Result<()> {
        match intent {
            Intent::Write { node, offset, mtime, data } => match self.write(*node, data, *offset, *mtime)? {
                written if written == data.len() => Ok(()),
                _ => Err(Fail::Errno(Errno::IO)),
            },
            Intent::Step(node, change) => match change {
                Change::Create { id, request } => self.create_as(*node, Some(*id), request).map(drop),
                Change::Rename(request) => self.rename(*node, request),
                Change::Link(request) => self.link(*node, request).map(drop),
                Change::SetAttr(changes) => self.set_attr(*node, changes).map(drop),
                Change::Unlink { name, remove_dir } => self.unlink(*node, name, *remove_dir),
                Change::Forget => {
                    self.forget(*node);
                    Ok(())
                }
                Change::SetXattr(request) => self.set_xattr(*node, request).map(drop),
                Change::RemoveXattr { name } => self.remove_xattr(*node, name).map(drop),
            },
        }
    }
}

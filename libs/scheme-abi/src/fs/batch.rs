//! Several changes in one request: [`super::FS_BATCH`].

use super::attr::{NodeAttr, Time};
use super::request::{CreateRequest, LinkRequest, RenameRequest, SetAttr, SetXattr};
use crate::wire::{Malformed, Reader, Writer};

/// Most steps in one batch: their answers have to fit into a slot of the transfer area.
pub const MOST_STEPS: usize = 512;

const CREATE: u32 = 1;
const RENAME: u32 = 2;
const LINK: u32 = 3;
const SET_ATTR: u32 = 4;
const UNLINK: u32 = 5;
const REMOVE_DIR: u32 = 6;
const FORGET: u32 = 7;
const SET_XATTR: u32 = 8;
const REMOVE_XATTR: u32 = 9;

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A new node in directory `node`. `id` is its number, or 0 where the daemon is to choose.
    Create {
        /// The number.
        id: u64,
        /// The rest.
        request: CreateRequest<'a>,
    },
    /// A name in directory `node` moves.
    Rename(RenameRequest<'a>),
    /// `node` gets one more name.
    Link(LinkRequest<'a>),
    /// `node`'s attributes change.
    SetAttr(SetAttr),
    /// A name in directory `node` goes.
    Unlink {
        /// The name.
        name: &'a [u8],
        /// Whether it is to be a directory's.
        remove_dir: bool,
    },
    /// The kernel holds `node` no more: without names it is freed.
    Forget,
    /// `node` gets an extended attribute, or a new value for one.
    SetXattr(SetXattr<'a>),
    /// `node` loses an extended attribute.
    RemoveXattr {
        /// Its name.
        name: &'a [u8],
    },
}

/// A change, where, and when it was made as far as programs know: the times of nodes come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The node that the change is asked of.
    pub node: u64,
    /// When.
    pub at: Time,
    /// What.
    pub change: Change<'a>,
}

impl<'a> Step<'a> {
    /// Bytes before what the kind of change adds: kind (u32), length of that (u32), node (u64), seconds (i64), nanoseconds (u32), zero (u32).
    pub const HEADER_BYTES: usize = 32;

    /// Bytes of the encoded step.
    pub const fn bytes(&self) -> usize {
        Self::HEADER_BYTES + self.body_bytes()
    }

    const fn body_bytes(&self) -> usize {
        match &self.change {
            Change::Create { request, .. } => {
                8 + CreateRequest::HEADER_BYTES + request.name.len() + request.target.len()
            }
            Change::Rename(request) => {
                RenameRequest::HEADER_BYTES + request.old_name.len() + request.new_name.len()
            }
            Change::Link(request) => LinkRequest::HEADER_BYTES + request.name.len(),
            Change::SetAttr(_) => SetAttr::BYTES,
            Change::Unlink { name, .. } | Change::RemoveXattr { name } => name.len(),
            Change::Forget => 0,
            Change::SetXattr(request) => {
                SetXattr::HEADER_BYTES + request.name.len() + request.value.len()
            }
        }
    }

    /// Takes the first step off the front of `bytes`; returns it and what follows. `None` at the end.
    ///
    /// # Errors
    /// [`Malformed`] where it does not decode.
    pub fn decode(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Malformed> {
        let mut r = Reader::new(bytes);
        let kind = match r.u32() {
            Ok(0) | Err(Malformed) => return Ok(None),
            Ok(kind) => kind,
        };
        let len = r.u32()? as usize;
        let node = r.u64()?;
        let at = Time { seconds: r.i64()?, nanoseconds: r.u32()? };
        r.u32()?;
        let body = r.bytes(len)?;
        let rest = bytes.get(Self::HEADER_BYTES + len..).ok_or(Malformed)?;
        let change = match kind {
            CREATE => {
                let mut r = Reader::new(body);
                let id = r.u64()?;
                Change::Create { id, request: CreateRequest::decode(body.get(8..).ok_or(Malformed)?)? }
            }
            RENAME => Change::Rename(RenameRequest::decode(body)?),
            LINK => Change::Link(LinkRequest::decode(body)?),
            SET_ATTR => Change::SetAttr(SetAttr::decode(body)?),
            UNLINK | REMOVE_DIR => Change::Unlink { name: body, remove_dir: kind == REMOVE_DIR },
            FORGET => Change::Forget,
            SET_XATTR => Change::SetXattr(SetXattr::decode(body)?),
            REMOVE_XATTR => Change::RemoveXattr { name: body },
            _ => return Err(Malformed),
        };
        Ok(Some((Self { node, at, change }, rest)))
    }

    /// Writes the step to the front of `bytes`; returns its size. A zero word (or the end of the buffer) ends a batch.
    ///
    /// # Errors
    /// [`Malformed`] where it does not fit, or a name is too long.
    pub fn encode(&self, bytes: &mut [u8]) -> Result<usize, Malformed> {
        let body = self.body_bytes();
        let mut w = Writer::new(bytes);
        w.u32(match &self.change {
            Change::Create { .. } => CREATE,
            Change::Rename(_) => RENAME,
            Change::Link(_) => LINK,
            Change::SetAttr(_) => SET_ATTR,
            Change::Unlink { remove_dir: false, .. } => UNLINK,
            Change::Unlink { remove_dir: true, .. } => REMOVE_DIR,
            Change::Forget => FORGET,
            Change::SetXattr(_) => SET_XATTR,
            Change::RemoveXattr { .. } => REMOVE_XATTR,
        })?;
        w.u32(u32::try_from(body).map_err(|_| Malformed)?)?;
        w.u64(self.node)?;
        w.i64(self.at.seconds)?;
        w.u32(self.at.nanoseconds)?;
        w.u32(0)?;
        let end = Self::HEADER_BYTES.checked_add(body).ok_or(Malformed)?;
        let to = bytes.get_mut(Self::HEADER_BYTES..end).ok_or(Malformed)?;
        match &self.change {
            Change::Create { id, request } => {
                let (head, tail) = to.split_first_chunk_mut::<8>().ok_or(Malformed)?;
                *head = id.to_le_bytes();
                request.encode(tail)?;
            }
            Change::Rename(request) => drop(request.encode(to)?),
            Change::Link(request) => drop(request.encode(to)?),
            Change::SetAttr(changes) => drop(changes.encode(to)?),
            Change::Unlink { name, .. } | Change::RemoveXattr { name } => to.copy_from_slice(name),
            Change::Forget => {}
            Change::SetXattr(request) => drop(request.encode(to)?),
        }
        Ok(end)
    }
}

/// What became of one step: 0 or an error number, and the node's attributes where the change has an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepAnswer {
    /// 0, or why it was refused.
    pub errno: u32,
    /// Of `Create`, `Link`, `SetAttr`, `SetXattr` and `RemoveXattr`; zeros for others.
    pub attr: NodeAttr,
}

impl StepAnswer {
    /// Bytes of an answer: error (u32), zero (u32), [`NodeAttr`].
    pub const BYTES: usize = 8 + NodeAttr::BYTES;
    /// Bytes before the answers: their number (u32), zero (u32). Steps beyond that number were not tried; they are sent again.
    pub const HEADER_BYTES: usize = 8;

    /// Room for the answers of `steps` steps.
    pub const fn room(steps: usize) -> usize {
        Self::HEADER_BYTES + steps * Self::BYTES
    }

    /// The number of answers in an answer to a batch.
    ///
    /// # Errors
    /// [`Malformed`] where there is none.
    pub fn count(bytes: &[u8]) -> Result<usize, Malformed> {
        Ok(Reader::new(bytes).u32()? as usize)
    }

    /// The answer to step `index`.
    ///
    /// # Errors
    /// [`Malformed`] where there is none.
    pub fn decode(bytes: &[u8], index: usize) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes.get(Self::room(index)..).ok_or(Malformed)?);
        let errno = r.u32()?;
        r.u32()?;
        let attr = NodeAttr::decode(r.bytes(NodeAttr::BYTES)?)?;
        Ok(Self { errno, attr })
    }

    /// Writes all answers to the front of `bytes`; returns their size.
    ///
    /// # Errors
    /// [`Malformed`] where they do not fit.
    pub fn encode_all(answers: &[Self], bytes: &mut [u8]) -> Result<usize, Malformed> {
        let mut w = Writer::new(bytes);
        w.u32(u32::try_from(answers.len()).map_err(|_| Malformed)?)?;
        w.u32(0)?;
        for answer in answers {
            w.u32(answer.errno)?;
            w.u32(0)?;
            let mut attr = [0; NodeAttr::BYTES];
            answer.attr.encode(&mut attr)?;
            w.bytes(&attr)?;
        }
        Ok(w.written())
    }
}

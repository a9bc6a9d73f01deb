//! Filesystems whose names, attributes and data the kernel caches (CACHEABLE schemes).

use crate::error::{Errno, Fail, Result};
use crate::scheme::{Context, Scheme};
use scheme_abi::dirent::DirentWriter;
use scheme_abi::fs::Time;
use scheme_abi::fs::{
    Change, CreateRequest, FS_BATCH, FS_CREATE, FS_GETATTR, FS_GETXATTR, FS_GRANT, FS_LINK, FS_LISTXATTR, FS_LOOKUP, FS_RENAME, FS_SETATTR, FS_SYNC,
    LinkRequest, LookupRequest, LookupStop, LookupWriter, MOST_STEPS, NodeAttr, ROOT_NODE,
    RenameRequest, SetAttr, SetXattr, Step, StepAnswer,
};
use scheme_abi::{AT_REMOVEDIR, ROOT_HANDLE, Stat, StatVfs};

/// A filesystem. Nodes are named by ids that stay the same across restarts of the daemon; the root is `ROOT_NODE`.
///
/// The kernel asks with any id that it was given and has not forgotten. It checks permissions, and follows symlinks
/// and mounts itself. Names come as bytes, are never `.` or `..`, and hold neither `/` nor NUL: an implementation
/// may rely on the first two only after checking.
pub trait FsScheme {
    /// Resolves the names of `path` one after the other, pushing each one's attributes. See [`LookupStop`].
    fn lookup(&mut self, dir: u64, path: &[u8], found: &mut LookupWriter<'_>)
    -> Result<LookupStop>;
    /// Creates a node of any type; EEXIST where the name is taken. With an empty name: a regular file without one.
    fn create(&mut self, dir: u64, request: &CreateRequest<'_>) -> Result<NodeAttr>;
    /// As [`Self::create`], with a node id that [`Self::grant`] gave, or that the node had before a successor was started (`None`: any).
    fn create_as(
        &mut self,
        dir: u64,
        id: Option<u64>,
        request: &CreateRequest<'_>,
    ) -> Result<NodeAttr>;
    /// Sets aside ids of nodes to come and the room that they need, up to `most`; fewer or none where there is no room.
    fn grant(&mut self, most: usize) -> Result<Vec<u64>>;
    /// A batch was answered in part, as a step asked for a retry: the kernel will send the rest, and that is to be handled before
    /// all other requests.
    fn left_rest(&mut self);
    /// The time of the changes that follow; `None`: the clock's.
    fn set_time(&mut self, at: Option<Time>);
    /// Moves a name, see `rename(2)`.
    fn rename(&mut self, old_dir: u64, request: &RenameRequest<'_>) -> Result<()>;
    /// Gives a node one more name, or the first one to a file that was made without.
    fn link(&mut self, node: u64, request: &LinkRequest<'_>) -> Result<NodeAttr>;
    /// Removes a name; of a directory if `remove_dir` (ENOTDIR for others, EISDIR the other way round).
    fn unlink(&mut self, dir: u64, name: &[u8], remove_dir: bool) -> Result<()>;
    /// Changes attributes.
    fn set_attr(&mut self, node: u64, changes: &SetAttr) -> Result<NodeAttr>;
    /// Sets an extended attribute, see `setxattr(2)`.
    fn set_xattr(&mut self, node: u64, request: &SetXattr<'_>) -> Result<NodeAttr>;
    /// Takes an extended attribute away; ENODATA where there is none.
    fn remove_xattr(&mut self, node: u64, name: &[u8]) -> Result<NodeAttr>;
    /// The value of an extended attribute; ENODATA where there is none.
    fn get_xattr(&mut self, node: u64, name: &[u8]) -> Result<Vec<u8>>;
    /// The names of all extended attributes, each with a NUL behind it.
    fn list_xattr(&mut self, node: u64) -> Result<Vec<u8>>;
    /// Attributes.
    fn get_attr(&mut self, node: u64) -> Result<NodeAttr>;
    /// Reads a file, or a symlink's target.
    fn read(&mut self, node: u64, buffer: &mut [u8], offset: u64) -> Result<usize>;
    /// Writes a file; past its end, it grows. `mtime` is its new modification time; without it, the daemon's clock.
    fn write(&mut self, node: u64, data: &[u8], offset: u64, mtime: Option<Time>) -> Result<usize>;
    /// Writes entries from the cursor `from` on (0 is the start) until they do not fit.
    fn get_dents(&mut self, dir: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()>;
    /// Makes a node's changes durable; `tag` names the request if it is answered later.
    fn fsync(&mut self, tag: u32, node: u64) -> Result<()>;
    /// Makes all changes durable; `tag` names the request if it is answered later.
    fn sync(&mut self, tag: u32) -> Result<()>;
    /// Size and free space.
    fn stat_vfs(&mut self) -> Result<StatVfs>;
    /// The kernel holds the id no more: a node without names is freed now.
    fn forget(&mut self, node: u64);
}

/// Makes a [`Scheme`] of an [`FsScheme`].
#[derive(Debug)]
pub struct Fs<'a, F>(pub &'a mut F);

impl<F: FsScheme> Fs<'_, F> {
    /// Carries out the steps of a batch. Where one has to be tried again after a commit, those before it are answered.
    fn batch(&mut self, buffer: &mut [u8]) -> Result<u64> {
        // The answers overwrite the steps, so these are copied first.
        let steps = buffer.to_vec();
        let mut answers = Vec::new();
        let mut rest = steps.as_slice();
        while let Some((step, after)) = Step::decode(rest)? {
            if answers.len() == MOST_STEPS {
                return Err(Errno::TOOBIG.into());
            }
            self.0.set_time(Some(step.at));
            let outcome = self.step(&step);
            self.0.set_time(None);
            answers.push(match outcome {
                Ok(attr) => StepAnswer { errno: 0, attr },
                Err(Fail::Retry) if answers.is_empty() => return Err(Fail::Retry),
                Err(Fail::Retry) => {
                    self.0.left_rest();
                    break;
                }
                Err(Fail::Errno(errno)) => StepAnswer {
                    errno: errno.raw_os_error() as u32,
                    attr: NodeAttr::default(),
                },
                Err(Fail::Later) => StepAnswer {
                    errno: Errno::IO.raw_os_error() as u32,
                    attr: NodeAttr::default(),
                },
            });
            rest = after;
        }
        Ok(StepAnswer::encode_all(&answers, buffer)? as u64)
    }

    fn step(&mut self, step: &Step<'_>) -> Result<NodeAttr> {
        let node = node_of(step.node);
        let none = |()| NodeAttr::default();
        match &step.change {
            Change::Create { id, request } => {
                let id = Some(*id).filter(|id| *id != 0);
                self.0.create_as(node, id, request)
            }
            Change::Rename(request) => self.0.rename(node, request).map(none),
            Change::Link(request) => self.0.link(node, request),
            Change::SetAttr(changes) => self.0.set_attr(node, changes),
            Change::Unlink { name, remove_dir } => self.0.unlink(node, name, *remove_dir).map(none),
            Change::Forget => {
                self.0.forget(node);
                Ok(NodeAttr::default())
            }
            Change::SetXattr(request) => self.0.set_xattr(node, request),
            Change::RemoveXattr { name } => self.0.remove_xattr(node, name),
        }
    }
}

/// Puts an answer to the front of the buffer; returns its size.
fn give(bytes: &[u8], buffer: &mut [u8]) -> Result<u64> {
    buffer.get_mut(..bytes.len()).ok_or(Errno::RANGE)?.copy_from_slice(bytes);
    Ok(bytes.len() as u64)
}

/// The root as the kernel may call it.
const fn node_of(handle: u64) -> u64 {
    if handle == ROOT_HANDLE {
        ROOT_NODE
    } else {
        handle
    }
}

impl<F: FsScheme> Scheme for Fs<'_, F> {
    fn read(
        &mut self,
        _: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize> {
        self.0.read(node_of(handle), buffer, offset)
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        data: &[u8],
        offset: u64,
    ) -> Result<usize> {
        self.0.write(node_of(handle), data, offset, cx.mtime)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let attr = self.0.get_attr(node_of(handle))?;
        Ok(Stat {
            st_ino: attr.node,
            st_mode: attr.mode as u16,
            st_nlink: attr.nlink,
            st_uid: attr.uid,
            st_gid: attr.gid,
            st_size: attr.size,
            st_blksize: 4096,
            st_blocks: attr.blocks512,
            st_mtime: attr.mtime.seconds.cast_unsigned(),
            st_mtime_nsec: attr.mtime.nanoseconds,
            st_atime: attr.atime.seconds.cast_unsigned(),
            st_atime_nsec: attr.atime.nanoseconds,
            st_ctime: attr.ctime.seconds.cast_unsigned(),
            st_ctime_nsec: attr.ctime.nanoseconds,
            st_dev: 0,
        })
    }

    fn fstatvfs(&mut self, _: u64) -> Result<StatVfs> {
        self.0.stat_vfs()
    }

    fn fsync(&mut self, cx: &mut Context<'_>, handle: u64) -> Result<()> {
        self.0.fsync(cx.tag, node_of(handle))
    }

    fn ftruncate(&mut self, handle: u64, size: u64) -> Result<()> {
        let changes = SetAttr {
            size: Some(size),
            ..SetAttr::default()
        };
        self.0.set_attr(node_of(handle), &changes).map(drop)
    }

    fn getdents(&mut self, handle: u64, entries: &mut DirentWriter<'_>, from: u64) -> Result<()> {
        self.0.get_dents(node_of(handle), entries, from)
    }

    fn unlinkat(&mut self, _: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<()> {
        let remove_dir = match flags {
            0 => false,
            _ if flags == AT_REMOVEDIR as u64 => true,
            _ => return Err(Errno::INVAL.into()),
        };
        self.0.unlink(node_of(dir), path.as_bytes(), remove_dir)
    }

    fn on_close(&mut self, handle: u64) {
        self.0.forget(node_of(handle));
    }

    fn call(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        metadata: [u64; 3],
    ) -> Result<u64> {
        let node = node_of(handle);
        let attr = match metadata[0] {
            FS_LOOKUP => {
                // The answer overwrites the path, so the path is copied first.
                let path = LookupRequest::decode(buffer)?.path.to_vec();
                let mut found = LookupWriter::new(buffer);
                let stop = self.0.lookup(node, &path, &mut found)?;
                return Ok(found.finish(stop)? as u64);
            }
            FS_CREATE => self.0.create(node, &CreateRequest::decode(buffer)?)?,
            FS_RENAME => {
                self.0.rename(node, &RenameRequest::decode(buffer)?)?;
                return Ok(0);
            }
            FS_LINK => self.0.link(node, &LinkRequest::decode(buffer)?)?,
            FS_SETATTR => self.0.set_attr(node, &SetAttr::decode(buffer)?)?,
            FS_GETATTR => self.0.get_attr(node)?,
            FS_GETXATTR => {
                // The name is a string with its end, since the buffer is as long as the value may be.
                let name = buffer.split(|byte| *byte == 0).next().unwrap_or_default();
                return give(&self.0.get_xattr(node, name)?, buffer);
            }
            FS_LISTXATTR => return give(&self.0.list_xattr(node)?, buffer),
            FS_BATCH => return self.batch(buffer),
            FS_GRANT => {
                let most = buffer.first_chunk::<4>().ok_or(Errno::INVAL)?;
                let most = u32::from_le_bytes(*most) as usize;
                let room = buffer.len().saturating_sub(8) / 8;
                let ids = self.0.grant(most.min(room))?;
                buffer[..8].copy_from_slice(&(ids.len() as u64).to_le_bytes());
                for (id, to) in ids.iter().zip(buffer[8..].chunks_exact_mut(8)) {
                    to.copy_from_slice(&id.to_le_bytes());
                }
                return Ok(8 + 8 * ids.len() as u64);
            }
            FS_SYNC => {
                self.0.sync(cx.tag)?;
                return Ok(0);
            }
            _ => return Err(Errno::NOTTY.into()),
        };
        Ok(attr.encode(buffer)? as u64)
    }
}

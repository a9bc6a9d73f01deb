//! `uid_map`, `gid_map`, `projid_map` and `setgroups` of a process (`user_namespaces(7)`).

use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use super::node::attributes;
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, IoSink, IoSource, OpenFile, OpenFlags, SetAttr};
use crate::mm::PAGE;
use crate::task::user_ns::{Kind, UserNamespace};
use crate::task::{self, Capability, Credentials, Process};

#[derive(Clone, Copy)]
enum What {
    Map(Kind),
    Groups,
}

struct Node {
    process: Arc<Process>,
    what: What,
}

/// The file of this name.
pub(super) fn file(process: &Arc<Process>, name: &str) -> InodeRef {
    let what = match name {
        "uid_map" => What::Map(Kind::Users),
        "gid_map" => What::Map(Kind::Groups),
        "projid_map" => What::Map(Kind::Projects),
        _ => What::Groups,
    };
    Arc::new(Node { process: process.clone(), what })
}

impl Inode for Node {
    fn attr(&self) -> Result<Attr> {
        let ino = core::ptr::from_ref(self).addr() as u64 >> 4;
        Ok(attributes(FileType::Regular, 0o644, super::process::owner(&self.process), ino))
    }

    fn set_attr(&self, change: &SetAttr) -> Result {
        if change.size.is_some() { Ok(()) } else { Err(EPERM) }
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        let namespace = self.process.creds().user.clone();
        let opener = task::with_current(|thread| thread.creds());
        if matches!(self.what, What::Groups) && flags.writable() && !opener.has_in(Capability::SYS_ADMIN, &namespace) {
            return Err(EACCES);
        }
        Ok(Arc::new(Open { node: self, namespace, opener }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// It is of the namespace that the process was in then, and what is written counts as who has opened it.
struct Open {
    node: Arc<Node>,
    namespace: Arc<UserNamespace>,
    opener: Arc<Credentials>,
}

impl FileOps for Open {
    fn seekable(&self) -> bool {
        true
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let text = match self.node.what {
            What::Map(kind) => self.namespace.show(kind, &self.opener.user),
            What::Groups => alloc::format!("{}\n", self.namespace.groups_word()),
        };
        let from = usize::try_from(pos).unwrap_or(usize::MAX).min(text.len());
        dst.write(&text.as_bytes()[from..])
    }

    fn write(&self, _file: &OpenFile, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let len = src.remaining();
        if pos != 0 || len >= PAGE {
            return Err(EINVAL);
        }
        let mut bytes = alloc::vec![0; len];
        src.read(&mut bytes)?;
        match self.node.what {
            What::Map(kind) => {
                let writer = task::with_current(|thread| thread.creds());
                self.namespace.set_map(kind, &bytes, &self.opener, &writer)?;
            }
            What::Groups => self.namespace.set_groups_word(bytes.trim_ascii_end())?,
        }
        Ok(len)
    }

    fn attr(&self) -> Result<Attr> {
        self.node.attr()
    }

    fn truncate(&self, _len: u64) -> Result {
        Ok(())
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.node.clone())
    }

    fn describe(&self) -> String {
        String::from("proc")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

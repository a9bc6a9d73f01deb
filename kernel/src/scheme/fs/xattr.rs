//! Extended attributes (`xattr(7)`) of a node. The daemon keeps them; whether there are any is known with the node's attributes, so that nodes
//! without them cost no request.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use frame::mm::PAGE_SIZE;
use scheme_abi::fs::{Change, FS_GETXATTR, FS_LISTXATTR, NodeAttr, SetXattr, XATTR_BYTES};

use super::state::NodeState;
use crate::error::*;
use crate::fs::inode::CAPABILITIES;
use crate::scheme::user::Wait;

/// The namespaces that are kept: there are no access control lists (`system.posix_acl_*`).
fn check_namespace(name: &[u8]) -> Result {
    let kept: [&[u8]; 3] = [b"user.", b"trusted.", b"security."];
    match kept.iter().find_map(|namespace| name.strip_prefix(*namespace)) {
        None => Err(EOPNOTSUPP),
        Some([]) => Err(EINVAL),
        Some(_) => Ok(()),
    }
}

impl NodeState {
    fn may_have(&self, name: &[u8]) -> bool {
        let wanted = if name == CAPABILITIES { NodeAttr::CAPABILITIES } else { NodeAttr::XATTRS };
        self.xattrs.load(Ordering::Relaxed) & wanted != 0
    }

    /// Asks the daemon, with little room for the answer first: most are short.
    fn ask(&self, what: u64, payload: &[u8]) -> Result<Vec<u8>> {
        let mut room = PAGE_SIZE;
        loop {
            match self.fs.send(self.id, what, payload, room, Wait::Killable) {
                Err(ERANGE) if room < XATTR_BYTES => room = XATTR_BYTES,
                reply => {
                    let reply = reply?;
                    let len = reply.len()?;
                    return Ok(if len == 0 { Vec::new() } else { reply.slot()?.bytes_at(0, len) });
                }
            }
        }
    }

    /// The value of an extended attribute.
    ///
    /// # Errors
    /// `ENODATA`, `EOPNOTSUPP`; the daemon's.
    pub(super) fn get_xattr(&self, name: &[u8]) -> Result<Vec<u8>> {
        check_namespace(name)?;
        if !self.may_have(name) {
            return Err(ENODATA);
        }
        let mut payload = name.to_vec();
        payload.push(0);
        self.ask(FS_GETXATTR, &payload)
    }

    /// The names of all.
    ///
    /// # Errors
    /// The daemon's.
    pub(super) fn list_xattr(&self) -> Result<Vec<Vec<u8>>> {
        if self.xattrs.load(Ordering::Relaxed) & NodeAttr::XATTRS == 0 {
            return Ok(Vec::new());
        }
        let names = self.ask(FS_LISTXATTR, &[])?;
        Ok(names.split(|b| *b == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
    }

    /// Sets one; `flags`: XATTR_CREATE 1, XATTR_REPLACE 2.
    ///
    /// # Errors
    /// `EEXIST`, `ENODATA` by the flags; `EOPNOTSUPP`; `ENOSPC` and others, the daemon's.
    pub(super) fn set_xattr(&self, name: &[u8], value: &[u8], flags: u32) -> Result {
        check_namespace(name)?;
        let (create, replace) = (flags & 1 != 0, flags & 2 != 0);
        self.change_xattr(Change::SetXattr(SetXattr { create, replace, name, value }))
    }

    /// Takes one away.
    ///
    /// # Errors
    /// `ENODATA`, `EOPNOTSUPP`; the daemon's.
    pub(super) fn remove_xattr(&self, name: &[u8]) -> Result {
        check_namespace(name)?;
        if !self.may_have(name) {
            return Err(ENODATA);
        }
        self.change_xattr(Change::RemoveXattr { name })
    }

    fn change_xattr(&self, change: Change<'_>) -> Result {
        // The answers come in the order of the changes, so what is known afterwards is true.
        let _order = self.order.lock();
        let node = self.fs.change(self.id, change)?;
        self.xattrs.store(node.flags, Ordering::Relaxed);
        self.learn(&node, false)?;
        self.update(|attr| attr.ctime_ns = crate::time::realtime_ns() as i64);
        Ok(())
    }
}

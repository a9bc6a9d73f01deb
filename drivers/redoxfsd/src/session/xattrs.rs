//! Operations on extended attributes. Which names and whose attributes a program may change, the kernel has checked.

use super::{Session, harmless};
use crate::attr;
use crate::device::Device;
use crate::space::Need;
use crate::xattrs::{Xattrs, is_name};
use redoxfs::{Node, TreePtr};
use scheme::abi::fs::{NodeAttr, SetXattr, XATTR_BYTES};
use scheme::{Errno, Result};

/// Blocks to rewrite a node: itself, and the four lists above it.
const NODE: u64 = 5;

impl<D: Device> Session<'_, '_, D> {
    /// All of a node.
    pub(super) fn xattrs(&mut self, ptr: TreePtr<Node>) -> Result<Xattrs> {
        let node = self.read_node(ptr)?;
        Xattrs::load(self.tx, &node).map_err(harmless)
    }

    pub(super) fn change_xattr(&mut self, ptr: TreePtr<Node>, request: &SetXattr<'_>) -> Result<NodeAttr> {
        if !is_name(request.name) {
            return Err(Errno::RANGE.into());
        }
        if request.value.len() > XATTR_BYTES {
            return Err(Errno::TOOBIG.into());
        }
        let mut xattrs = self.xattrs(ptr)?;
        match xattrs.get(request.name) {
            Some(_) if request.create => return Err(Errno::EXIST.into()),
            None if request.replace => return Err(Errno::NODATA.into()),
            _ => {}
        }
        let before = xattrs.bytes();
        xattrs.insert(request.name, request.value);
        if !xattrs.fit() {
            return Err(Errno::NOSPC.into());
        }
        let frees = xattrs.bytes() <= before;
        self.replace_xattrs(ptr, &xattrs, frees)
    }

    pub(super) fn take_xattr(&mut self, ptr: TreePtr<Node>, name: &[u8]) -> Result<NodeAttr> {
        let mut xattrs = self.xattrs(ptr)?;
        if !xattrs.remove(name) {
            return Err(Errno::NODATA.into());
        }
        self.replace_xattrs(ptr, &xattrs, true)
    }

    fn replace_xattrs(&mut self, ptr: TreePtr<Node>, xattrs: &Xattrs, frees: bool) -> Result<NodeAttr> {
        let mut node = self.read_to_change(ptr)?;
        let (level, blocks) = xattrs.blocks();
        let runs = if level > 0 { (level, 1) } else { (0, 0) };
        self.admit(Need { blocks: NODE + blocks, runs, frees, likely: 1 + blocks })?;
        let stored = xattrs.store(self.tx, &mut self.state.nodes, &mut node);
        stored.map_err(|error| self.lost(error))?;
        attr::set_ctime(node.data_mut(), self.now());
        self.store(node)
    }
}

//! Operations on names: find, create, link, unlink, rename, list.

use super::{Session, harmless};
use crate::attr::{self, Extra};
use crate::device::Device;
use crate::directory;
use crate::listing::Listing;
use crate::records;
use crate::space::Need;
use redoxfs::{DIR_ENTRY_MAX_LENGTH, Node, TreePtr};
use scheme::abi::fs::{CreateRequest, LinkRequest, NodeAttr, RenameFlags, RenameRequest};
use scheme::{Errno, Result};

/// What adding or removing one name may allocate: a directory's path to the entry, with splits, and two nodes.
pub(super) const NAME_BLOCKS: u64 = 40;
/// As many names as Linux's ext4 allows.
const MAX_LINKS: u32 = 65_000;

/// A name that the format can hold: UTF-8 without slash and NUL, at most 252 bytes, not `.` or `..`.
pub(super) fn checked(name: &[u8]) -> Result<&str, Errno> {
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') || name.contains(&0)
    {
        return Err(Errno::INVAL);
    }
    if name.len() > DIR_ENTRY_MAX_LENGTH {
        return Err(Errno::NAMETOOLONG);
    }
    core::str::from_utf8(name).map_err(|_| Errno::ILSEQ)
}

impl<D: Device> Session<'_, '_, D> {
    /// The node of a name in a directory.
    pub(super) fn find(&mut self, dir: TreePtr<Node>, name: &str) -> Result<Option<TreePtr<Node>>> {
        if let Some(known) = self.state.name(dir.id(), name) {
            return Ok(known.map(TreePtr::new));
        }
        let found = match self.state.listings.get(dir.id()) {
            Some(listing) => listing.get(name),
            None => {
                let node = self.read_node(dir)?;
                directory::find(self.tx, node.data(), name).map_err(harmless)?
            }
        };
        self.state.learn_name(dir.id(), name, found);
        Ok(found.map(TreePtr::new))
    }

    /// Reads a directory's entries into memory unless they are there.
    pub(super) fn load_listing(&mut self, dir: TreePtr<Node>) -> Result<()> {
        if self.state.listings.get(dir.id()).is_some() {
            return Ok(());
        }
        let node = self.read_node(dir)?;
        let mut listing = Listing::default();
        directory::each(self.tx, node.data(), |name, id| listing.insert(name, id)).map_err(harmless)?;
        self.state.listings.put(dir.id(), listing);
        Ok(())
    }

    /// Checks that names can be added to a directory.
    fn check_dir(&mut self, dir: TreePtr<Node>) -> Result<()> {
        match self.known_dir(dir)?.nlink {
            0 => Err(Errno::NOENT.into()), // removed, and still open somewhere
            _ => Ok(()),
        }
    }

    /// Bookkeeping after a name was added (`node`) or removed (`None`).
    fn named(&mut self, dir: TreePtr<Node>, name: &str, node: Option<TreePtr<Node>>) {
        let now = self.now();
        match node {
            Some(node) => self.state.listings.added(dir.id(), name, node.id()),
            None => self.state.listings.removed(dir.id(), name),
        }
        self.state
            .learn_name(dir.id(), name, node.map(|node| node.id()));
        // The directory's size and blocks may have changed with it; what it is has not.
        self.state.outdate_attr(dir.id());
        self.state.set_times(dir.id(), Some(now), now);
    }

    /// Adds a name for a node that exists. The name must be free, and room admitted.
    fn add_name(&mut self, dir: TreePtr<Node>, name: &str, node: TreePtr<Node>) -> Result<()> {
        let mut parent = self.read_node(dir)?;
        let mut linked = self.read_node(node)?;
        directory::add(self.tx, &mut parent, name, node.id()).map_err(|error| self.lost(error))?;
        // What the disk's list has may still say that it has the name that was removed last.
        let links = if self.state.named(node.id()) { 0 } else { linked.data().links() };
        linked.data_mut().set_links(links + 1);
        self.state.nodes.write(parent);
        self.state.nodes.write(linked);
        self.state.forget_attr(node.id());
        self.named(dir, name, Some(node));
        Ok(())
    }

    /// Removes a name of a node. All checks are made, and room admitted.
    fn remove_name(&mut self, dir: TreePtr<Node>, name: &str, node: NodeAttr) -> Result<()> {
        let ptr = Self::ptr(node.node)?;
        let last = node.nlink <= 1;
        let listed = last && self.state.can_list();
        let mut parent = self.read_node(dir)?;
        // On the disk's list of unlinked nodes, it may keep its link.
        let changed = (!listed).then(|| self.read_to_change(ptr)).transpose()?;
        let removed = directory::remove(self.tx, &mut self.state.nodes, &mut parent, name);
        if !removed.map_err(|error| self.lost(error))? {
            return Err(Errno::NOENT.into());
        }
        self.state.nodes.write(parent);
        match changed {
            None => self.state.nodes.unlinked_changed(),
            Some(mut changed) => {
                let links = changed.data().links();
                changed.data_mut().set_links(if last { 0 } else { links - 1 });
                self.store(changed)?;
            }
        }
        if last {
            // On the disk the node keeps its last link until it is freed; the list, or the line above, says enough.
            self.state.unnamed(ptr.id(), listed);
            self.state.set_times(ptr.id(), None, self.now());
        } else {
            self.state.forget_attr(ptr.id());
            self.state.set_times(ptr.id(), None, self.now());
        }
        self.named(dir, name, None);
        Ok(())
    }

    pub(super) fn create_node(
        &mut self,
        dir: TreePtr<Node>,
        id: Option<u32>,
        request: &CreateRequest<'_>,
    ) -> Result<NodeAttr> {
        let name = match request.name {
            [] if attr::is_file(request.mode) => None,
            name => Some(checked(name)?),
        };
        let mode = request.mode;
        if !attr::is_known_type(mode) || mode > 0o177777 {
            return Err(Errno::INVAL.into());
        }
        self.check_dir(dir)?;
        if let Some(name) = name
            && self.find(dir, name)?.is_some()
        {
            return Err(Errno::EXIST.into());
        }
        if attr::is_symlink(mode) {
            if request.target.is_empty() {
                return Err(Errno::NOENT.into());
            }
            if request.target.len() as u64 > records::INLINE {
                return Err(Errno::NAMETOOLONG.into());
            }
        }
        self.admit_create(id)?;
        let now = self.now();
        let seconds = now.seconds.cast_unsigned();
        let mut node = Node::new(
            mode as u16,
            request.uid,
            request.gid,
            seconds,
            now.nanoseconds,
        );
        let rdev = if attr::is_device(mode) {
            request.rdev
        } else {
            0
        };
        Extra { ctime: now, rdev }.store(&mut node);
        if let (true, Some(data)) = (attr::is_symlink(mode), node.inline_data_mut()) {
            data[..request.target.len()].copy_from_slice(request.target);
            node.set_size(request.target.len() as u64);
        }
        let attr = attr::of_node(0, &node);
        let ptr = self.insert(id, &node)?;
        self.state.freed(ptr.id(), false);
        match name {
            Some(name) => self.add_name(dir, name, ptr)?,
            None => {
                let listed = self.state.can_list();
                self.state.unnamed(ptr.id(), listed);
                self.state.nodes.unlinked_changed();
            }
        }
        if attr::is_dir(mode) {
            self.state.parents.insert(ptr.id(), dir.id());
            self.state.listings.put(ptr.id(), Listing::default());
        }
        let node = u64::from(ptr.id());
        Ok(self.state.learn(
            ptr.id(),
            NodeAttr {
                node,
                nlink: u32::from(name.is_some()),
                ..attr
            },
        ))
    }

    pub(super) fn link_node(
        &mut self,
        node: TreePtr<Node>,
        request: &LinkRequest<'_>,
    ) -> Result<NodeAttr> {
        let name = checked(request.name)?;
        let dir = Self::ptr(request.dir)?;
        let attr = self.attr(node)?;
        if attr::is_dir(attr.mode) {
            return Err(Errno::PERM.into());
        }
        self.check_dir(dir)?;
        match attr.nlink {
            0 if !request.unnamed => return Err(Errno::NOENT.into()),
            MAX_LINKS.. => return Err(Errno::MLINK.into()),
            _ => {}
        }
        if self.find(dir, name)?.is_some() {
            return Err(Errno::EXIST.into());
        }
        self.admit(Need::blocks(NAME_BLOCKS))?;
        self.add_name(dir, name, node)?;
        self.state.set_times(node.id(), None, self.now());
        self.attr(node)
    }

    /// True if a directory has no entries.
    fn is_empty(&mut self, dir: TreePtr<Node>) -> Result<bool> {
        match self.state.listings.get(dir.id()) {
            Some(listing) => Ok(listing.after(0).is_none()),
            None => Ok(self.read_node(dir)?.data().size() == 0),
        }
    }

    pub(super) fn unlink_node(
        &mut self,
        dir: TreePtr<Node>,
        name: &[u8],
        remove_dir: bool,
    ) -> Result<()> {
        let name = checked(name)?;
        self.known_dir(dir)?;
        let node = self.find(dir, name)?.ok_or(Errno::NOENT)?;
        let attr = self.attr(node)?;
        match (attr::is_dir(attr.mode), remove_dir) {
            (true, false) => return Err(Errno::ISDIR.into()),
            (false, true) => return Err(Errno::NOTDIR.into()),
            (true, true) if !self.is_empty(node)? => return Err(Errno::NOTEMPTY.into()),
            _ => {}
        }
        self.admit(Need::to_free(NAME_BLOCKS))?;
        self.remove_name(dir, name, attr)
    }

    /// True if `dir` is `top` or lies below it.
    fn is_below(&mut self, dir: TreePtr<Node>, top: TreePtr<Node>) -> Result<bool> {
        let mut at = dir.id();
        let mut steps = 0;
        loop {
            if at == top.id() {
                return Ok(true);
            }
            if at == TreePtr::<Node>::root().id() {
                return Ok(false);
            }
            steps += 1;
            match self.state.parents.get(&at) {
                Some(parent) if steps < 10_000 => at = *parent,
                // The way up is not known (the daemon was restarted): look at everything below `top`.
                _ => return self.contains(top, dir),
            }
        }
    }

    /// Searches the directories below `top` for `wanted`.
    fn contains(&mut self, top: TreePtr<Node>, wanted: TreePtr<Node>) -> Result<bool> {
        let mut left = vec![top];
        while let Some(dir) = left.pop() {
            let mut entries = Vec::new();
            let node = self.read_node(dir)?;
            directory::each(self.tx, node.data(), |_, id| entries.push(TreePtr::new(id))).map_err(harmless)?;
            for node in entries {
                if attr::is_dir(self.attr(node)?.mode) {
                    if node.id() == wanted.id() {
                        return Ok(true);
                    }
                    left.push(node);
                }
            }
        }
        Ok(false)
    }

    pub(super) fn rename_node(
        &mut self,
        old_dir: TreePtr<Node>,
        request: &RenameRequest<'_>,
    ) -> Result<()> {
        let (old_name, new_name) = (checked(request.old_name)?, checked(request.new_name)?);
        let new_dir = Self::ptr(request.new_dir)?;
        self.known_dir(old_dir)?;
        self.check_dir(new_dir)?;
        let node = self.find(old_dir, old_name)?.ok_or(Errno::NOENT)?;
        let attr = self.attr(node)?;
        let replaced = match self.find(new_dir, new_name)? {
            Some(replaced) => Some((replaced, self.attr(replaced)?)),
            None => None,
        };
        let is_dir = attr::is_dir(attr.mode);
        if is_dir && new_dir.id() != old_dir.id() && self.is_below(new_dir, node)? {
            return Err(Errno::INVAL.into());
        }
        match (request.flags, replaced) {
            (RenameFlags::NoReplace, Some(_)) => return Err(Errno::EXIST.into()),
            (RenameFlags::Exchange, None) => return Err(Errno::NOENT.into()),
            (_, Some((replaced, _))) if replaced.id() == node.id() => return Ok(()),
            (RenameFlags::Exchange, Some((other, other_attr))) => {
                let moves = attr::is_dir(other_attr.mode) && new_dir.id() != old_dir.id();
                if moves && self.is_below(old_dir, other)? {
                    return Err(Errno::INVAL.into());
                }
                return self.exchange((old_dir, old_name, node), (new_dir, new_name, other));
            }
            (_, Some((replaced, replaced_attr))) => {
                match (is_dir, attr::is_dir(replaced_attr.mode)) {
                    (true, false) => return Err(Errno::NOTDIR.into()),
                    (false, true) => return Err(Errno::ISDIR.into()),
                    (true, true) if !self.is_empty(replaced)? => return Err(Errno::NOTEMPTY.into()),
                    _ => {}
                }
                self.admit(Need::blocks(3 * NAME_BLOCKS))?;
                self.remove_name(new_dir, new_name, replaced_attr)?;
            }
            (_, None) => self.admit(Need::blocks(2 * NAME_BLOCKS))?,
        }
        self.move_name(old_dir, old_name, new_dir, new_name, node)
    }

    /// Adds the new name, then removes the old one. Room is admitted.
    fn move_name(
        &mut self,
        old_dir: TreePtr<Node>,
        old_name: &str,
        new_dir: TreePtr<Node>,
        new_name: &str,
        node: TreePtr<Node>,
    ) -> Result<()> {
        self.add_name(new_dir, new_name, node)?;
        let attr = self.attr(node)?;
        self.remove_name(old_dir, old_name, attr)?;
        if attr::is_dir(attr.mode) {
            self.state.parents.insert(node.id(), new_dir.id());
        }
        Ok(())
    }

    /// Swaps two names by way of a third one that nobody sees: all of it is one transaction.
    fn exchange(
        &mut self,
        (dir, name, node): (TreePtr<Node>, &str, TreePtr<Node>),
        (other_dir, other_name, other): (TreePtr<Node>, &str, TreePtr<Node>),
    ) -> Result<()> {
        let mut number = 0;
        let free = loop {
            let free = format!(".exchange-{number}");
            if self.find(dir, &free)?.is_none() {
                break free;
            }
            number += 1;
        };
        self.admit(Need::blocks(6 * NAME_BLOCKS))?;
        self.move_name(other_dir, other_name, dir, &free, other)?;
        self.move_name(dir, name, other_dir, other_name, node)?;
        self.move_name(dir, &free, dir, name, other)
    }
}

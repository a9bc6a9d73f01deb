//! What is known beyond one transaction: caches, unlinked nodes, who waits for a commit.

use super::intents::Intents;
use crate::listing::Listings;
use crate::nodes::Nodes;
use crate::space::Space;
use scheme::abi::fs::{NodeAttr, Time};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

/// Attributes and names kept in memory, each.
const CACHE: usize = 65_536;
/// Blocks changed until a commit: the crate keeps them in memory (32 MiB).
const COMMIT_BLOCKS: u64 = 8192;
/// Nodes that may be on the disk's list of unlinked nodes: one block of it. The crate's code for more is wrong: a mount by Redox's tools would do harm.
const LISTED: usize = 1000;

/// Commits that may be tried to make room for one request.
const MOST_COMMITS: u32 = 4;

/// What a failure takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The open transaction: back to the last commit.
    Transaction,
}

/// What outlives a transaction. See [`super::Session`].
#[derive(Debug, Default)]
pub struct State {
    attrs: HashMap<u32, NodeAttr>,
    /// Those of them whose size and blocks may have changed.
    outdated: HashSet<u32>,
    /// Names found, and found missing.
    names: HashMap<u32, HashMap<Box<str>, Option<u32>>>,
    /// How many those are.
    names_len: usize,
    /// Directories' entries in the order of their cursors.
    pub(super) listings: Listings,
    /// The directory that each directory was found in.
    pub(super) parents: HashMap<u32, u32>,
    /// New modification (of directories) and change times, written at the commit.
    pub(super) times: HashMap<u32, (Option<Time>, Time)>,
    /// Nodes without names that the kernel holds, those on the disk's list first.
    pub(super) listed: HashSet<u32>,
    pub(super) unlisted: HashSet<u32>,
    /// Those of them that it has let go.
    pub(super) to_free: Vec<u32>,
    /// Some were freed since the last commit.
    freed_some: bool,
    /// What else was changed since the last commit took the room to free one.
    free_delayed: bool,
    /// Ids that the kernel may give to nodes.
    pub(super) granted: BTreeSet<u32>,
    /// The time of the changes being made, where the request tells it.
    pub(super) time: Option<Time>,
    /// The rest of a batch is on its way, and comes first.
    pub owes_rest: bool,
    /// Whether there was a daemon before: the kernel may hold nodes without names that nobody here knows of.
    is_successor: bool,
    /// Nodes and lists of the open transaction.
    pub(super) nodes: Nodes,
    /// Free space.
    pub space: Space,
    /// Longest time from a change to its commit.
    commit_after: Duration,
    dirty_since: Option<Instant>,
    dirty_blocks: u64,
    /// How often something was let in to change something.
    touches: u64,
    commit_wanted: bool,
    /// Who waits for a commit.
    waiting: Vec<u32>,
    /// Who waits for a commit, or for a record of the log.
    waiting_for_log: Vec<u32>,
    /// What is to be logged.
    pub intents: Intents,
    /// The changes are those of the log, made again.
    pub(super) is_replaying: bool,
    /// Nothing of the filesystem may stand on the disk as it is.
    pub is_encrypted: bool,
    read_only: bool,
    lost: Option<Lost>,
    /// The request being handled, and how often it was handed in again.
    handling: Option<u32>,
    again: u32,
}

impl State {
    /// Nothing known. Changes are committed `commit_after` at the latest.
    pub fn new(commit_after: Duration) -> Self {
        Self {
            commit_after,
            ..Self::default()
        }
    }

    pub(super) fn attr(&self, id: u32) -> Option<NodeAttr> {
        self.outdated_attr(id)
            .filter(|_| !self.outdated.contains(&id))
    }

    /// Attributes of which size and blocks may be old.
    pub(super) fn outdated_attr(&self, id: u32) -> Option<NodeAttr> {
        self.attrs.get(&id).copied()
    }

    /// Size and blocks of a node may have changed.
    pub(super) fn outdate_attr(&mut self, id: u32) {
        self.outdated.insert(id);
    }

    /// A node has lost its last name.
    pub(super) fn unnamed(&mut self, id: u32, listed: bool) {
        if listed {
            self.listed.insert(id);
        } else {
            self.unlisted.insert(id);
        }
        if let Some(attr) = self.attrs.get_mut(&id) {
            attr.nlink = 0;
        }
    }

    /// A node gets a name; true if it had none.
    pub(super) fn named(&mut self, id: u32) -> bool {
        let was_listed = self.listed.remove(&id);
        if was_listed {
            self.nodes.unlinked_changed();
        }
        let had_none = self.unlisted.remove(&id) || was_listed;
        if had_none {
            self.to_free.retain(|other| *other != id);
        }
        had_none
    }

    /// Remembers attributes read from a node; returns them with the times that are newer in memory.
    pub(super) fn learn(&mut self, id: u32, mut attr: NodeAttr) -> NodeAttr {
        if let Some((mtime, ctime)) = self.times.get(&id) {
            attr.mtime = mtime.unwrap_or(attr.mtime);
            attr.ctime = *ctime;
        }
        if self.listed.contains(&id) {
            attr.nlink = 0;
        }
        self.outdated.remove(&id);
        if self.attrs.len() >= CACHE {
            self.attrs.clear();
            self.outdated.clear();
        }
        self.attrs.insert(id, attr);
        attr
    }

    pub(super) fn forget_attr(&mut self, id: u32) {
        self.outdated.remove(&id);
        self.attrs.remove(&id);
    }

    /// Sets times that go to the disk with the commit.
    pub(super) fn set_times(&mut self, id: u32, mtime: Option<Time>, ctime: Time) {
        let times = self.times.entry(id).or_insert((None, ctime));
        *times = (mtime.or(times.0), ctime);
        if let Some(attr) = self.attrs.get_mut(&id) {
            attr.mtime = mtime.unwrap_or(attr.mtime);
            attr.ctime = ctime;
        }
    }

    pub(super) fn name(&self, dir: u32, name: &str) -> Option<Option<u32>> {
        self.names.get(&dir)?.get(name).copied()
    }

    pub(super) fn learn_name(&mut self, dir: u32, name: &str, node: Option<u32>) {
        if self.names_len >= CACHE {
            self.names.clear();
            self.names_len = 0;
        }
        let names = self.names.entry(dir).or_default();
        if names.insert(name.into(), node).is_none() {
            self.names_len += 1;
        }
    }

    /// There was no room to free a node before the commit.
    pub(super) const fn free_refused(&mut self) {
        self.free_delayed |= self.space.has_used();
    }

    /// True if nodes are about to be freed by commits that nobody has to ask for, and for which a request may still wait.
    pub(super) const fn is_freeing(&self) -> bool {
        self.commit_wanted && self.has_nodes_to_free() && self.again < MOST_COMMITS
    }

    /// Forgets all about a node that is freed.
    pub(super) fn freed(&mut self, id: u32, was_dir: bool) {
        self.freed_some = true;
        self.forget_attr(id);
        self.times.remove(&id);
        self.parents.remove(&id);
        self.listings.forget(id);
        if was_dir {
            // Its missing names must not be found missing in a new directory with its id.
            let names = self.names.remove(&id);
            self.names_len -= names.map_or(0, |names| names.len());
        }
    }

    /// The kernel holds a node no more; true where it is to be freed now.
    pub(super) fn forgotten(&mut self, id: u32) -> bool {
        let is_unnamed = self.listed.contains(&id) || self.unlisted.contains(&id);
        if !is_unnamed || self.to_free.contains(&id) {
            return false;
        }
        self.to_free.push(id);
        self.touch(0);
        true
    }

    /// Takes over the nodes on the disk's list of unlinked ones; from a daemon that died, where the kernel still holds them.
    pub fn adopt(&mut self, unlinked: impl Iterator<Item = u32>, is_successor: bool) {
        self.listed.extend(unlinked);
        self.is_successor = is_successor;
    }

    /// Nodes without names are to be freed: their last users died with the system.
    pub fn orphan_all(&mut self) {
        self.to_free = self.listed.union(&self.unlisted).copied().collect();
    }

    /// The nodes on the disk's list of unlinked ones.
    pub fn unlinked(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.listed.iter().copied()
    }

    pub(super) const fn is_successor(&self) -> bool {
        self.is_successor
    }

    /// True if there is room on the disk's list of unlinked nodes.
    pub(super) fn can_list(&self) -> bool {
        self.listed.len() < LISTED
    }

    /// Something was changed.
    pub(super) fn touch(&mut self, blocks: u64) {
        self.dirty_since.get_or_insert_with(Instant::now);
        self.touches += 1;
        self.dirty_blocks += blocks;
    }

    /// Asks for a commit soon.
    pub(super) const fn want_commit(&mut self) {
        self.commit_wanted = true;
    }

    /// Asks for a commit soon, and for an answer to request `tag` then.
    pub(super) fn wait_for_commit(&mut self, tag: u32) {
        self.waiting.push(tag);
        self.commit_wanted = true;
    }

    /// Asks for an answer to request `tag` when all changes of now are in the log, or committed.
    pub(super) fn wait_for_log(&mut self, tag: u32) {
        self.waiting_for_log.push(tag);
    }

    /// True if there are syncs that the log can serve, and no commit is about to.
    pub(super) const fn may_log(&self) -> bool {
        !self.waiting_for_log.is_empty() && !self.commit_wanted && self.lost.is_none() && !self.read_only
    }

    /// All changes are in the log. Returns the requests that waited for it.
    pub(super) fn logged(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.waiting_for_log)
    }

    /// How often something was let in to change something.
    pub(super) const fn touches(&self) -> u64 {
        self.touches
    }

    /// True if there are changes that are not committed.
    pub const fn is_dirty(&self) -> bool {
        self.dirty_since.is_some()
    }

    /// True if there are nodes without names and users.
    pub const fn has_nodes_to_free(&self) -> bool {
        !self.to_free.is_empty()
    }

    /// True after a failure.
    pub const fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// True if a commit must not wait.
    pub const fn must_commit(&self) -> bool {
        self.commit_wanted || !self.waiting_for_log.is_empty() || self.lost.is_some() || self.dirty_blocks >= COMMIT_BLOCKS
    }

    /// How long the next commit may wait; `None` where nothing is to be committed.
    pub fn commit_within(&self) -> Option<Duration> {
        let since = self.dirty_since?;
        Some((since + self.commit_after).saturating_duration_since(Instant::now()))
    }

    /// A request is about to be handled. If that panics, [`Self::interrupted`] knows it.
    pub const fn handle(&mut self, tag: u32) {
        self.handling = Some(tag);
    }

    /// The request was answered.
    pub const fn handled(&mut self) {
        self.handling = None;
        self.again = 0;
    }

    /// The request has to be handed in again after a commit; false where that was tried often enough.
    pub const fn again(&mut self) -> bool {
        self.handling = None;
        self.again += 1;
        self.again <= MOST_COMMITS
    }

    /// The request that was being handled when its handler panicked.
    pub const fn interrupted(&mut self) -> Option<u32> {
        self.handling.take()
    }

    /// True if blocks were changed since the last commit.
    pub(super) const fn has_changes(&self) -> bool {
        self.dirty_blocks > 0
    }

    /// What was lost in the open transaction.
    pub const fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// The open transaction cannot be committed.
    pub fn lose(&mut self, lost: Lost) {
        self.lost = Some(lost);
        self.read_only = true;
    }

    /// The transaction is closed. Returns the requests that waited for it.
    pub fn closed(&mut self, committed: bool) -> Vec<u32> {
        self.commit_wanted = false;
        self.dirty_since = None;
        self.dirty_blocks = 0;
        self.lost = None;
        if !committed {
            self.read_only = true;
            self.intents.give_up();
            self.nodes = Nodes::default();
            self.attrs.clear();
            self.outdated.clear();
            self.names.clear();
            self.names_len = 0;
            self.listings.clear();
            self.parents.clear();
            self.times.clear();
            self.listed.clear();
            self.unlisted.clear();
            self.to_free.clear();
        }
        if self.has_nodes_to_free() {
            self.touch(0);
            // The commit made room for more; where it did not, the next change will.
            self.commit_wanted = self.freed_some || self.free_delayed;
        }
        if self.freed_some {
            self.again = 0; // who waits for room comes nearer to it
        }
        (self.freed_some, self.free_delayed) = (false, false);
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.append(&mut self.waiting_for_log);
        waiting
    }
}

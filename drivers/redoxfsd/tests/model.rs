//! Random operations, compared with a model in memory, across remounts.

mod common;

use common::{Daemon, TestDisk, fsync};
use proptest::collection::vec;
use proptest::prelude::*;
use scheme::Errno;
use scheme::abi::dirent::DirentReader;
use scheme::abi::fs::{
    CreateRequest, LookupStop, NodeAttr, ROOT_NODE, RenameFlags, RenameRequest, SetAttr,
};
use std::collections::BTreeMap;

const REG: u32 = 0o100644;
const DIR: u32 = 0o040755;
const LNK: u32 = 0o120777;
const AT_REMOVEDIR: u64 = 0x200;

#[derive(Clone, Debug)]
enum Op {
    Create(usize, usize, u32),
    Write(usize, usize, u64, usize, u8),
    Truncate(usize, usize, u64),
    Unlink(usize, usize, bool),
    Rename(usize, usize, usize, usize, RenameFlags),
    Link(usize, usize, usize, usize),
    Sync,
    Remount,
    /// The power goes after an fsync.
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![4 => Just(REG), 3 => Just(DIR), 1 => Just(LNK), 1 => Just(0o010600)];
    let flags = prop_oneof![
        4 => Just(RenameFlags::Replace), 1 => Just(RenameFlags::NoReplace), 1 => Just(RenameFlags::Exchange)
    ];
    let (d, n) = (0usize..6, 0usize..8);
    let offset = prop_oneof![
        4 => Just(0), 3 => 0u64..6000, 2 => 0u64..300_000, 1 => 0u64..100_000_000, 1 => Just(3960), 1 => Just(4096)
    ];
    let len = prop_oneof![3 => 1usize..200, 2 => 1usize..9000, 1 => 1usize..262_144, 1 => Just(4096), 1 => Just(131_072)];
    prop_oneof![
        6 => (d.clone(), n.clone(), kind).prop_map(|(d, n, k)| Op::Create(d, n, k)),
        8 => (d.clone(), n.clone(), offset.clone(), len, any::<u8>())
            .prop_map(|(d, n, o, l, b)| Op::Write(d, n, o, l, b)),
        3 => (d.clone(), n.clone(), offset).prop_map(|(d, n, o)| Op::Truncate(d, n, o)),
        4 => (d.clone(), n.clone(), any::<bool>()).prop_map(|(d, n, r)| Op::Unlink(d, n, r)),
        4 => (d.clone(), n.clone(), d.clone(), n.clone(), flags)
            .prop_map(|(d, n, e, m, f)| Op::Rename(d, n, e, m, f)),
        2 => (d.clone(), n.clone(), d, n).prop_map(|(d, n, e, m)| Op::Link(d, n, e, m)),
        1 => Just(Op::Sync),
        1 => Just(Op::Remount),
        2 => Just(Op::Crash),
    ]
}

#[derive(Clone, Debug, Default)]
struct Node {
    mode: u32,
    nlink: u32,
    /// Chunks of data that were written, for a file; all else reads as zeroes.
    data: Vec<u8>,
    entries: BTreeMap<String, usize>,
}

struct Model {
    nodes: Vec<Node>,
    /// The daemon's id of each.
    ids: Vec<u64>,
    daemon: Option<Daemon>,
    disk: TestDisk,
}

fn name(n: usize) -> String {
    match n {
        0 => "with:colon".to_owned(),
        1 => "ünïcode".to_owned(),
        2 => "x".repeat(252),
        n => format!("name{n}"),
    }
}

/// Content that compresses a little.
fn pattern(len: usize, seed: u8) -> Vec<u8> {
    (0..len)
        .map(|at| seed ^ (at / 7) as u8 ^ (at >> 9) as u8)
        .collect()
}

impl Model {
    fn new() -> Self {
        let disk = TestDisk::formatted(64 << 20);
        let root = Node {
            mode: 0o040755,
            nlink: 1,
            ..Node::default()
        };
        Self {
            nodes: vec![root],
            ids: vec![ROOT_NODE],
            daemon: Some(Daemon::start(&disk)),
            disk,
        }
    }

    fn kernel(&mut self) -> &mut scheme::testing::Harness {
        &mut self.daemon.as_mut().unwrap().kernel
    }

    /// The n-th directory that has a name.
    fn dir(&self, n: usize) -> usize {
        let dirs: Vec<_> = (0..self.nodes.len())
            .filter(|index| {
                self.nodes[*index].mode & 0o170000 == 0o040000 && self.nodes[*index].nlink > 0
            })
            .collect();
        dirs[n % dirs.len()]
    }

    fn is_dir(&self, node: usize) -> bool {
        self.nodes[node].mode & 0o170000 == 0o040000
    }

    fn is_below(&self, node: usize, top: usize) -> bool {
        node == top
            || self.nodes[top]
                .entries
                .values()
                .any(|child| self.is_dir(*child) && self.is_below(node, *child))
    }

    fn drop_name(&mut self, node: usize) {
        self.nodes[node].nlink -= 1;
        if self.nodes[node].nlink == 0 {
            let id = self.ids[node];
            self.kernel().close(id);
        }
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Create(d, n, mode) => {
                let (dir, name) = (self.dir(*d), name(*n));
                let id = self.ids[dir];
                let target: &[u8] = if *mode == LNK { b"over/there" } else { b"" };
                let request = CreateRequest {
                    mode: *mode,
                    uid: 5,
                    gid: 6,
                    rdev: 0,
                    name: name.as_bytes(),
                    target,
                };
                let made = self.kernel().create(id, &request);
                if self.nodes[dir].entries.contains_key(&name) {
                    assert_eq!(made.unwrap_err(), Errno::EXIST);
                    return;
                }
                let attr = made.unwrap();
                assert_eq!(
                    (attr.mode, attr.uid, attr.gid, attr.nlink),
                    (*mode, 5, 6, 1)
                );
                self.nodes.push(Node {
                    mode: *mode,
                    nlink: 1,
                    data: target.to_vec(),
                    ..Node::default()
                });
                self.ids.push(attr.node);
                let index = self.nodes.len() - 1;
                self.nodes[dir].entries.insert(name, index);
            }
            Op::Write(d, n, offset, len, seed) => {
                let dir = self.dir(*d);
                let Some(&node) = self.nodes[dir].entries.get(&name(*n)) else {
                    return;
                };
                let data = pattern(*len, *seed);
                let id = self.ids[node];
                let written = self.kernel().write(id, &data, *offset);
                if self.nodes[node].mode != REG {
                    assert_eq!(written, Err(Errno::INVAL));
                    return;
                }
                assert_eq!(written, Ok(*len));
                let end = *offset as usize + len;
                let content = &mut self.nodes[node].data;
                content.resize(content.len().max(end), 0);
                content[*offset as usize..end].copy_from_slice(&data);
            }
            Op::Truncate(d, n, size) => {
                let dir = self.dir(*d);
                let Some(&node) = self.nodes[dir].entries.get(&name(*n)) else {
                    return;
                };
                let id = self.ids[node];
                let changes = SetAttr {
                    size: Some(*size),
                    ..SetAttr::default()
                };
                let cut = self.kernel().set_attr(id, &changes);
                match self.nodes[node].mode {
                    REG => {
                        assert_eq!(cut.unwrap().size, *size);
                        self.nodes[node].data.resize(*size as usize, 0);
                    }
                    DIR => assert_eq!(cut.unwrap_err(), Errno::ISDIR),
                    _ => assert_eq!(cut.unwrap_err(), Errno::INVAL),
                }
            }
            Op::Unlink(d, n, remove_dir) => {
                let (dir, name) = (self.dir(*d), name(*n));
                let id = self.ids[dir];
                let flags = if *remove_dir { AT_REMOVEDIR } else { 0 };
                let removed = self.kernel().unlink(id, name.as_bytes(), flags);
                let Some(&node) = self.nodes[dir].entries.get(&name) else {
                    assert_eq!(removed, Err(Errno::NOENT));
                    return;
                };
                match (self.is_dir(node), remove_dir) {
                    (true, false) => assert_eq!(removed, Err(Errno::ISDIR)),
                    (false, true) => assert_eq!(removed, Err(Errno::NOTDIR)),
                    (true, true) if !self.nodes[node].entries.is_empty() => {
                        assert_eq!(removed, Err(Errno::NOTEMPTY));
                    }
                    _ => {
                        assert_eq!(removed, Ok(()));
                        self.nodes[dir].entries.remove(&name);
                        self.drop_name(node);
                    }
                }
            }
            Op::Rename(d, n, e, m, flags) => self.rename(*d, &name(*n), *e, &name(*m), *flags),
            Op::Link(d, n, e, m) => {
                let (dir, new_dir, new_name) = (self.dir(*d), self.dir(*e), name(*m));
                let Some(&node) = self.nodes[dir].entries.get(&name(*n)) else {
                    return;
                };
                let (id, new_id) = (self.ids[node], self.ids[new_dir]);
                let linked = self.kernel().link(id, new_id, new_name.as_bytes());
                if self.is_dir(node) {
                    assert_eq!(linked.unwrap_err(), Errno::PERM);
                } else if self.nodes[new_dir].entries.contains_key(&new_name) {
                    assert_eq!(linked.unwrap_err(), Errno::EXIST);
                } else {
                    self.nodes[node].nlink += 1;
                    assert_eq!(linked.unwrap().nlink, self.nodes[node].nlink);
                    self.nodes[new_dir].entries.insert(new_name, node);
                }
            }
            Op::Sync => self.kernel().sync().unwrap(),
            Op::Crash => {
                let known: Vec<u64> = (0..self.nodes.len()).filter(|node| self.nodes[*node].nlink > 0).map(|node| self.ids[node]).collect();
                fsync(self.kernel(), ROOT_NODE).unwrap();
                let before: Vec<NodeAttr> = known.iter().map(|id| self.kernel().get_attr(*id).unwrap()).collect();
                let crashed = TestDisk::from_bytes(self.disk.snapshot());
                self.daemon.take().unwrap().stop();
                self.disk = crashed;
                self.daemon = Some(Daemon::start(&self.disk));
                let after: Vec<NodeAttr> = known.iter().map(|id| self.kernel().get_attr(*id).unwrap()).collect();
                assert_eq!(before, after);
            }
            Op::Remount => {
                self.daemon.take().unwrap().stop();
                self.daemon = Some(Daemon::start(&self.disk));
            }
        }
    }

    fn rename(&mut self, d: usize, name: &str, e: usize, new_name: &str, flags: RenameFlags) {
        let (dir, new_dir) = (self.dir(d), self.dir(e));
        let (id, new_id) = (self.ids[dir], self.ids[new_dir]);
        let request = RenameRequest {
            new_dir: new_id,
            flags,
            old_name: name.as_bytes(),
            new_name: new_name.as_bytes(),
        };
        let renamed = self.kernel().rename(id, &request);
        let Some(&node) = self.nodes[dir].entries.get(name) else {
            assert_eq!(renamed, Err(Errno::NOENT));
            return;
        };
        let target = self.nodes[new_dir].entries.get(new_name).copied();
        if self.is_dir(node) && dir != new_dir && self.is_below(new_dir, node) {
            assert_eq!(renamed, Err(Errno::INVAL));
            return;
        }
        match (flags, target) {
            (RenameFlags::NoReplace, Some(_)) => assert_eq!(renamed, Err(Errno::EXIST)),
            (RenameFlags::Exchange, None) => assert_eq!(renamed, Err(Errno::NOENT)),
            (_, Some(target)) if target == node => assert_eq!(renamed, Ok(())),
            (RenameFlags::Exchange, Some(target)) => {
                if self.is_dir(target) && dir != new_dir && self.is_below(dir, target) {
                    assert_eq!(renamed, Err(Errno::INVAL));
                    return;
                }
                assert_eq!(renamed, Ok(()));
                self.nodes[dir].entries.insert(name.to_owned(), target);
                self.nodes[new_dir]
                    .entries
                    .insert(new_name.to_owned(), node);
            }
            (_, target) => {
                if let Some(target) = target {
                    let error = match (self.is_dir(node), self.is_dir(target)) {
                        (true, false) => Some(Errno::NOTDIR),
                        (false, true) => Some(Errno::ISDIR),
                        (true, true) if !self.nodes[target].entries.is_empty() => {
                            Some(Errno::NOTEMPTY)
                        }
                        _ => None,
                    };
                    if let Some(error) = error {
                        assert_eq!(renamed, Err(error));
                        return;
                    }
                    self.drop_name(target);
                }
                assert_eq!(renamed, Ok(()));
                self.nodes[dir].entries.remove(name);
                self.nodes[new_dir]
                    .entries
                    .insert(new_name.to_owned(), node);
            }
        }
    }

    /// Compares everything.
    fn compare(&mut self) {
        for index in 0..self.nodes.len() {
            let node = self.nodes[index].clone();
            if node.nlink == 0 {
                continue;
            }
            let id = self.ids[index];
            let attr = self.kernel().get_attr(id).unwrap();
            assert_eq!(
                (attr.mode, attr.nlink),
                (node.mode, node.nlink),
                "node {id}"
            );
            match node.mode & 0o170000 {
                0o040000 => self.compare_dir(id, &node),
                0o100000 => {
                    assert_eq!(attr.size, node.data.len() as u64);
                    self.compare_data(id, &node.data);
                }
                0o120000 => assert_eq!(self.kernel().read(id, 4096, 0).unwrap(), node.data),
                _ => assert_eq!(attr.size, 0),
            }
        }
    }

    fn compare_dir(&mut self, id: u64, node: &Node) {
        let mut listed = BTreeMap::new();
        let mut from = 0;
        loop {
            let bytes = self.kernel().getdents(id, 600, from).unwrap();
            if bytes.is_empty() {
                break;
            }
            for entry in DirentReader::new(&bytes) {
                let entry = entry.unwrap();
                from = entry.next;
                let name = String::from_utf8(entry.name.to_vec()).unwrap();
                assert!(listed.insert(name, (entry.inode, entry.kind)).is_none());
            }
        }
        assert_eq!(listed.len(), node.entries.len());
        for (name, child) in &node.entries {
            let (child_id, mode) = (self.ids[*child], self.nodes[*child].mode);
            assert_eq!(listed[name], (child_id, (mode >> 12) as u8));
            let (found, stop) = self.kernel().lookup(id, name.as_bytes(), 4).unwrap();
            assert_eq!(
                (found.len(), stop, found[0].node),
                (1, LookupStop::Complete, child_id)
            );
        }
        let (none, stop) = self.kernel().lookup(id, b"no such name", 4).unwrap();
        assert_eq!((none, stop), (Vec::<NodeAttr>::new(), LookupStop::Missing));
    }

    fn compare_data(&mut self, id: u64, data: &[u8]) {
        // Sparse files are large: compare both ends, and some of what lies between.
        let len = data.len();
        let starts = [0, 3000, 100_000, len / 2, len.saturating_sub(262_144)];
        for start in starts.into_iter().filter(|start| *start < len.max(1)) {
            let end = len.min(start + 262_144);
            let read = self.kernel().read(id, 262_144, start as u64).unwrap();
            assert!(
                read == data[start..end],
                "node {id} differs from {start} on"
            );
        }
        assert_eq!(self.kernel().read(id, 100, len as u64).unwrap(), b"");
    }

    fn finish(mut self) {
        self.compare();
        self.daemon.take().unwrap().stop();
        let report = self.disk.check();
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!(report.lost_blocks, 0);
        self.daemon = Some(Daemon::start(&self.disk));
        self.compare();
        self.daemon.take().unwrap().stop();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(24) })]
    #[test]
    fn behaves_like_the_model(ops in vec(op(), 1..120)) {
        let mut model = Model::new();
        for op in &ops {
            model.run(op);
        }
        model.finish();
    }
}

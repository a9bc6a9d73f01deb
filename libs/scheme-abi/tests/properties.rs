//! Whatever is encoded decodes to itself; any bytes at all decode or fail, and never panic.

use proptest::collection::vec;
use proptest::prelude::*;
use scheme_abi::dirent::{DirentReader, DirentWriter, Entry};
use scheme_abi::fs::*;
use scheme_abi::{FbInfo, MsiMessage, PhysQuery, Stat, StatVfs, TransferArea};
use scheme_abi::{flags, ioctl, sqe, stat};

fn time() -> impl Strategy<Value = Time> {
    (any::<i64>(), any::<u32>()).prop_map(|(seconds, nanoseconds)| Time {
        seconds,
        nanoseconds,
    })
}

fn set_time() -> impl Strategy<Value = Option<SetTime>> {
    prop_oneof![
        Just(None),
        Just(Some(SetTime::Now)),
        time().prop_map(|time| Some(SetTime::To(time))),
    ]
}

prop_compose! {
    fn attr()(
        (node, generation, mode, nlink) in any::<(u64, u32, u32, u32)>(),
        (uid, gid, flags, rdev, size, blocks512) in any::<(u32, u32, u32, u64, u64, u64)>(),
        (atime, mtime, ctime, birth) in (time(), time(), time(), time()),
    ) -> NodeAttr {
        NodeAttr { node, generation, mode, nlink, uid, gid, flags, rdev, size, blocks512, atime, mtime, ctime, birth }
    }
}

prop_compose! {
    fn set_attr()(
        (mode, uid, gid, size) in any::<(Option<u32>, Option<u32>, Option<u32>, Option<u64>)>(),
        (atime, mtime, ctime) in (set_time(), set_time(), proptest::option::of(time())),
    ) -> SetAttr {
        SetAttr { mode, uid, gid, size, atime, mtime, ctime }
    }
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    vec(
        any::<u8>().prop_filter("name byte", |b| *b != 0 && *b != b'/'),
        1..255,
    )
}

proptest! {
    #[test]
    fn attributes_round_trip(attr in attr(), set in set_attr()) {
        let mut bytes = [0xaa; NodeAttr::BYTES];
        prop_assert_eq!(attr.encode(&mut bytes), Ok(NodeAttr::BYTES));
        prop_assert_eq!(NodeAttr::decode(&bytes), Ok(attr));
        prop_assert_eq!(set.encode(&mut bytes), Ok(64));
        prop_assert_eq!(SetAttr::decode(&bytes), Ok(set));
    }

    #[test]
    fn requests_round_trip(
        (mode, uid, gid, rdev, dir) in any::<(u32, u32, u32, u64, u64)>(),
        (one, two) in (vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..300)),
        flags in prop_oneof![
            Just(RenameFlags::Replace), Just(RenameFlags::NoReplace), Just(RenameFlags::Exchange)
        ],
    ) {
        let mut bytes = [0xaa; 1024];
        let create = CreateRequest { mode, uid, gid, rdev, name: &one, target: &two };
        let len = create.encode(&mut bytes).unwrap();
        prop_assert_eq!(CreateRequest::decode(&bytes[..len]), Ok(create));
        prop_assert!(CreateRequest::decode(&bytes[..len - 1]).is_err());
        let rename = RenameRequest { new_dir: dir, flags, old_name: &one, new_name: &two };
        let len = rename.encode(&mut bytes).unwrap();
        prop_assert_eq!(RenameRequest::decode(&bytes[..len]), Ok(rename));
        prop_assert!(RenameRequest::decode(&bytes[..len - 1]).is_err());
        let link = LinkRequest { dir, unnamed: uid & 1 != 0, name: &one };
        let len = link.encode(&mut bytes).unwrap();
        prop_assert_eq!(LinkRequest::decode(&bytes[..len]), Ok(link));
        let set = SetXattr { create: mode & 1 != 0, replace: mode & 2 != 0, name: &one, value: &two };
        let len = set.encode(&mut bytes).unwrap();
        prop_assert_eq!(SetXattr::decode(&bytes[..len]), Ok(set));
        prop_assert!(SetXattr::decode(&bytes[..7 + one.len()]).is_err());
        let steps = [Change::SetXattr(set), Change::RemoveXattr { name: &one }];
        for change in steps {
            let step = Step { node: dir, at: Time { seconds: -1, nanoseconds: 2 }, change };
            let len = step.encode(&mut bytes).unwrap();
            prop_assert_eq!(len, step.bytes());
            let (read, rest) = Step::decode(&bytes[..len]).unwrap().unwrap();
            prop_assert_eq!((read, rest.len()), (step, 0));
        }
        let lookup = LookupRequest { path: &one };
        let len = lookup.encode(&mut bytes).unwrap();
        prop_assert_eq!(LookupRequest::decode(&bytes[..len]), Ok(lookup));
        prop_assert!(lookup.encode(&mut bytes[..len - 1]).is_err());
    }

    #[test]
    fn lookup_answers_round_trip(attrs in vec(attr(), 0..6), room in 0usize..700) {
        let mut bytes = vec![0xaa; room];
        let mut writer = LookupWriter::new(&mut bytes);
        let fitting = attrs.iter().take_while(|attr| writer.push(attr).is_ok()).count();
        prop_assert_eq!(fitting, attrs.len().min(room.saturating_sub(8) / NodeAttr::BYTES));
        let Ok(len) = writer.finish(LookupStop::Missing) else {
            prop_assert!(room < 8);
            return Ok(());
        };
        let answer = LookupAnswer::decode(&bytes[..len]).unwrap();
        prop_assert_eq!(answer.stop, LookupStop::Missing);
        prop_assert_eq!(answer.len(), fitting);
        prop_assert_eq!(answer.attrs().collect::<Vec<_>>(), &attrs[..fitting]);
    }

    #[test]
    fn directory_records_round_trip(
        entries in vec((any::<u64>(), any::<u64>(), any::<u8>(), name()), 0..20),
        room in 0usize..4096,
    ) {
        let mut bytes = vec![0xaa; room];
        let mut writer = DirentWriter::new(&mut bytes);
        let as_entry = |(inode, next, kind, name): &(u64, u64, u8, Vec<u8>)| {
            writer.push(&Entry { inode: *inode, next: *next, kind: *kind, name }).is_ok()
        };
        let fitting = entries.iter().map(as_entry).take_while(|fits| *fits).count();
        let len = writer.written();
        let read: Result<Vec<_>, _> = DirentReader::new(&bytes[..len]).collect();
        let read = read.unwrap();
        prop_assert_eq!(read.len(), fitting);
        for (got, (inode, next, kind, name)) in read.iter().zip(&entries) {
            prop_assert_eq!(*got, Entry { inode: *inode, next: *next, kind: *kind, name });
        }
    }

    #[test]
    fn records_are_those_of_redox_syscall(
        name in "[a-z]{1,40}", inode in any::<u64>(), next in any::<u64>()
    ) {
        use syscall::dirent::{DirEntry, DirentBuf, DirentKind};
        let mut theirs = [0u8; 128];
        let mut buf = DirentBuf::new(&mut theirs[..], 19).unwrap();
        let kind = DirentKind::Regular;
        buf.entry(DirEntry { inode, next_opaque_id: next, name: &name, kind }).unwrap();
        let len = buf.finalize();
        let mut ours = [0u8; 128];
        let mut writer = DirentWriter::new(&mut ours);
        writer.push(&Entry { inode, next, kind: 8, name: name.as_bytes() }).unwrap();
        prop_assert_eq!(writer.written(), len);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn garbage_never_panics(bytes in vec(any::<u8>(), 0..400), number in any::<u32>(), word in any::<u64>()) {
        let _ = NodeAttr::decode(&bytes);
        let _ = SetAttr::decode(&bytes);
        let _ = LookupRequest::decode(&bytes);
        let _ = CreateRequest::decode(&bytes);
        let _ = RenameRequest::decode(&bytes);
        let _ = LinkRequest::decode(&bytes);
        let _ = SetXattr::decode(&bytes);
        if let Ok(answer) = LookupAnswer::decode(&bytes) {
            prop_assert_eq!(answer.attrs().count(), answer.len());
        }
        prop_assert!(DirentReader::new(&bytes).count() <= bytes.len());
        let _ = stat::decode_stat(&bytes);
        let _ = stat::decode_statvfs(&bytes);
        let _ = (PhysQuery::decode(&bytes), MsiMessage::decode(&bytes));
        let _ = (FbInfo::decode(&bytes), TransferArea::decode(&bytes));
        prop_assert!(ioctl::argument(number).len() < 1 << 14);
        let _ = flags::to_linux(word);
        let result = sqe::decode_result(word);
        prop_assert_eq!(sqe::encode_result(result), word);
    }

    #[test]
    fn open_flags_round_trip(bits in any::<u16>(), mode in 0u16..0o10000) {
        // Every mix of access mode and the flags that both systems have.
        let each = [0o100, 0o200, 0o1000, 0o2000, 0o4000, 0o10000, 0o200000, 0o400000, 0o10000000];
        let mut linux = u32::from(bits) % 3;
        for (index, flag) in each.iter().enumerate() {
            if bits >> (index + 2) & 1 != 0 {
                linux |= flag;
            }
        }
        prop_assert_eq!(flags::to_linux(flags::from_linux(linux, mode)), (linux, mode));
    }

    #[test]
    fn stat_round_trips(bytes in vec(any::<u8>(), 104)) {
        let stat: Stat = stat::decode_stat(&bytes).unwrap();
        let mut out = [0; 104];
        stat::encode_stat(&stat, &mut out).unwrap();
        prop_assert_eq!(stat::decode_stat(&out).unwrap(), stat);
        let vfs: StatVfs = stat::decode_statvfs(&bytes).unwrap();
        stat::encode_statvfs(&vfs, &mut out).unwrap();
        prop_assert_eq!(stat::decode_statvfs(&out).unwrap(), vfs);
    }

    #[test]
    fn entries_round_trip(bytes in proptest::array::uniform32(any::<u8>())) {
        let mut raw = [0; 64];
        raw[..32].copy_from_slice(&bytes);
        raw[32..].copy_from_slice(&bytes);
        prop_assert_eq!(sqe::encode(&sqe::decode(&raw)), raw);
        let mut short = [0; 16];
        short.copy_from_slice(&bytes[..16]);
        prop_assert_eq!(sqe::encode_cqe(&sqe::decode_cqe(&short)), short);
    }
}

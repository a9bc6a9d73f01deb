//! The initfs's format, read by a reader written from cpio(5) alone.

use image_builder::cpio;
use image_builder::tree::{Entry, Kind, Tree};

#[derive(Debug, PartialEq, Eq)]
struct Member {
    name: String,
    mode: u32,
    uid: u32,
    nlink: u32,
    mtime: u32,
    data: Vec<u8>,
}

fn members(archive: &[u8]) -> Vec<Member> {
    let mut at = 0;
    let mut found: Vec<Member> = Vec::new();
    let mut inodes = std::collections::BTreeSet::new();
    loop {
        assert_eq!(&archive[at..at + 6], b"070701", "magic at {at}");
        let field = |index: usize| {
            let start = at + 6 + 8 * index;
            let text = std::str::from_utf8(&archive[start..start + 8]).expect("ASCII");
            u32::from_str_radix(text, 16).expect("hexadecimal")
        };
        let (size, name_size) = (field(6) as usize, field(11) as usize);
        let name_end = at + 110 + name_size;
        assert_eq!(archive[name_end - 1], 0, "names end with NUL");
        let name = String::from_utf8(archive[at + 110..name_end - 1].to_vec()).expect("UTF-8");
        let data_start = name_end.next_multiple_of(4);
        let data = archive[data_start..data_start + size].to_vec();
        let next = (data_start + size).next_multiple_of(4);
        if name == "TRAILER!!!" {
            assert_eq!(next, archive.len(), "nothing after the trailer");
            return found;
        }
        assert!(inodes.insert(field(0)), "inode numbers are unique");
        let (mode, uid, nlink, mtime) = (field(1), field(2), field(4), field(5));
        found.push(Member {
            name,
            mode,
            uid,
            nlink,
            mtime,
            data,
        });
        at = next;
    }
}

#[test]
fn members_are_as_in_the_tree() {
    let mut tree = Tree::default();
    for len in 0..9 {
        let entry = Entry {
            kind: Kind::File(vec![b'x'; len].into()),
            mode: 0o4755,
            uid: 12,
            gid: 0,
            mtime: 34,
            xattrs: Default::default(),
        };
        tree.insert(&format!("sbin/{}", "n".repeat(len + 1)), entry)
            .expect("inserts");
    }
    tree.insert("bin", Entry::new(Kind::Symlink("sbin".into()), 0o777, 0))
        .expect("inserts");
    let members = members(&cpio::archive(&tree).expect("archives"));
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names.len(), 11);
    assert_eq!(
        &names[..3],
        ["bin", "sbin", "sbin/n"],
        "directories before what is in them"
    );
    assert_eq!(
        (members[0].mode, members[0].data.as_slice()),
        (0o120777, b"sbin".as_slice())
    );
    assert_eq!((members[1].mode, members[1].nlink), (0o040755, 2));
    for (len, member) in members[2..].iter().enumerate() {
        let expected = (0o104755, 12, 34, len);
        assert_eq!(
            (member.mode, member.uid, member.mtime, member.data.len()),
            expected
        );
    }
}

#[test]
fn hard_links_are_refused() {
    let mut tree = Tree::default();
    tree.insert("a", Entry::new(Kind::File(Vec::new().into()), 0o644, 0))
        .expect("inserts");
    tree.insert("b", Entry::new(Kind::HardLink("a".into()), 0o644, 0))
        .expect("inserts");
    assert!(cpio::archive(&tree).is_err());
}

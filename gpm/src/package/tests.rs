//! Packages: the same bytes for the same inputs, and nothing written from a damaged one.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::strategy::{Strategy, ValueTree};

use super::*;
use crate::keys::SecretKey;
use crate::version::Version;

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::new("hello", Version::new("1.0-1").unwrap(), "Says hello", "MIT");
    manifest.state = BTreeSet::from(["var/lib/hello/weights".to_owned()]);
    manifest.config = BTreeSet::from(["etc/hello.conf".to_owned()]);
    manifest
}

fn regular(path: &str) -> Entry {
    let kind = Kind::Regular { size: 0, sha512: Digest::of(b"") };
    Entry { path: path.into(), mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000, xattrs: crate::xattr::Xattrs::new(), kind }
}

fn builder() -> Builder {
    let mut builder = Builder::new(manifest()).preset(Preset::Quick);
    builder.add(regular("usr/bin/hello"), b"#!/bin/sh\necho hello\n".repeat(40));
    builder.add(regular("etc/hello.conf"), b"greeting=hello\n".to_vec());
    builder.add(regular("var/lib/hello/weights"), (0..5000u32).flat_map(|it| (it.wrapping_mul(2_654_435_761)).to_le_bytes()).collect());
    builder.add(Entry { kind: Kind::Symlink { target: "hello".into() }, ..regular("usr/bin/hi") }, Vec::new());
    builder.add(Entry { kind: Kind::Hardlink { to: "usr/bin/hello".into() }, ..regular("usr/bin/hullo") }, Vec::new());
    builder.add(Entry { kind: Kind::Directory, mode: 0o755, ..regular("usr/bin") }, Vec::new());
    builder
}

fn package() -> Vec<u8> {
    let mut bytes = Vec::new();
    let digest = builder().write(&mut bytes, &[&key(1), &key(2)]).unwrap();
    assert_eq!(digest, Digest::of(&bytes));
    bytes
}

/// Counts what is written.
#[derive(Default)]
struct Count {
    entries: usize,
    bytes: Vec<u8>,
}

impl Sink for Count {
    fn entry(&mut self, _: &Entry, contents: &mut dyn Read) -> io::Result<()> {
        self.entries += 1;
        contents.read_to_end(&mut self.bytes).map(drop)
    }
}

fn read(bytes: &[u8], trust: Trust<'_>) -> Result<(TrustReport, Count), PackageError> {
    let mut package = Package::verify(Cursor::new(bytes), trust)?;
    let mut sink = Count::default();
    package.unpack(&mut sink)?;
    Ok((package.trust().clone(), sink))
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    assert_eq!(package(), package());
}

#[test]
fn round_trip() {
    let bytes = package();
    let keys = [key(2).public()];
    let (trust, sink) = read(&bytes, Trust::Keys(&keys)).unwrap();
    assert_eq!(trust.signers.len(), 2);
    assert_eq!(trust.verified, [key(2).public().id()]);
    // Six, and the folders that they lie in.
    assert_eq!(sink.entries, 11);
    assert_eq!(sink.bytes.len(), 15 + 21 * 40 + 20_000);
    let package = Package::verify(Cursor::new(&bytes), Trust::Anyone).unwrap();
    assert!(package.header().manifest.state_checksum.is_some());
    assert_eq!(package.size(), bytes.len() as u64);
}

#[test]
fn a_tree_gives_the_same_bytes_wherever_and_whenever() {
    let build = || {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc")).unwrap();
        fs::create_dir_all(folder.path().join("var/lib/hello")).unwrap();
        for (name, mode) in [("etc/hello.conf", 0o640), ("var/lib/hello/weights", 0o644), ("etc/tool", 0o755)] {
            fs::write(folder.path().join(name), name).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("tool", folder.path().join("etc/link")).unwrap();
        fs::hard_link(folder.path().join("etc/tool"), folder.path().join("etc/zool")).unwrap();
        let mut builder = Builder::new(manifest()).preset(Preset::Quick);
        builder.add_tree(folder.path(), 1_600_000_000).unwrap();
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &[&key(1)]).unwrap();
        bytes
    };
    let bytes = build();
    assert_eq!(bytes, build());
    let package = Package::verify(Cursor::new(&bytes), Trust::Anyone).unwrap();
    let modes: Vec<(&str, u32)> = package.header().files.iter().map(|entry| (entry.path.as_str(), entry.mode)).collect();
    assert!(modes.contains(&("etc/hello.conf", 0o640)) && modes.contains(&("etc/tool", 0o755)));
    assert!(package.header().files.iter().any(|entry| entry.kind == Kind::Hardlink { to: "etc/tool".into() }));
}

#[test]
fn only_trusted_keys() {
    let bytes = package();
    assert!(matches!(read(&bytes, Trust::Keys(&[key(3).public()])), Err(PackageError::Untrusted(_))));
    let mut unsigned = Vec::new();
    builder().write(&mut unsigned, &[]).unwrap();
    assert!(matches!(read(&unsigned, Trust::Keys(&[key(1).public()])), Err(PackageError::Unsigned)));
    assert!(read(&unsigned, Trust::Anyone).is_ok());
    assert!(matches!(read(&bytes, Trust::Digest(&Digest::of(b"other"))), Err(PackageError::Digest { .. })));
    assert!(read(&bytes, Trust::Digest(&Digest::of(&bytes))).is_ok());
    // The signatures of another package.
    let mut forged = Vec::new();
    let mut other = Builder::new(Manifest::new("other", Version::new("1").unwrap(), "Other", "MIT"));
    other.add(regular("usr/bin/other"), b"x".to_vec());
    other.write(&mut forged, &[&key(1), &key(2)]).unwrap();
    forged[16..16 + 192].copy_from_slice(&bytes[16..16 + 192]);
    assert!(matches!(read(&forged, Trust::Keys(&[key(1).public()])), Err(PackageError::Signature(_))));
}

#[test]
fn truncated_and_extended() {
    let bytes = package();
    for length in [0, 4, 8, 15, 40, 300, bytes.len() / 2, bytes.len() - 64, bytes.len() - 1] {
        assert!(matches!(read(&bytes[..length], Trust::Anyone), Err(PackageError::Truncated(_))), "{length}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(read(&longer, Trust::Anyone), Err(PackageError::TooLong)));
    assert!(matches!(read(b"PK\x03\x04 something else altogether", Trust::Anyone), Err(PackageError::Magic)));
}

#[test]
fn lists_that_lie_are_refused_though_signed() {
    let header = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut files = vec![regular("a"), regular("b/c")];
        change(&mut files);
        let manifest = Manifest::new("liar", Version::new("1").unwrap(), "Lies", "MIT");
        Header { manifest, files, payload: Payload { compressed: 0, size: 0, sha512: Digest::of(b"") } }.check()
    };
    assert!(header(&|_| ()).is_ok());
    assert!(header(&|files| files[1].path = "../etc/passwd".into()).is_err());
    assert!(header(&|files| files[1].path = "/etc/passwd".into()).is_err());
    assert!(header(&|files| files[1].path = "a".into()).is_err());
    assert!(header(&|files| files[1].path = "var/lib/gpm/journal".into()).is_err());
    assert!(header(&|files| files[1].path = "a/below".into()).is_err(), "below a file");
    assert!(header(&|files| files[0].mode = 0o170_644).is_err());
    assert!(header(&|files| files[1].kind = Kind::Hardlink { to: "etc/shadow".into() }).is_err());
    assert!(header(&|files| files[1].kind = Kind::Symlink { target: String::new() }).is_err());
    // A link first, then a file through it.
    assert!(header(&|files| {
        files[0].kind = Kind::Symlink { target: "/etc".into() };
        files[1].path = "a/passwd".into();
    }).is_err());
}

/// Ten thousand packages that differ from a good one in some bytes: each is refused, and not one entry of it reaches the sink.
#[test]
fn ten_thousand_corrupted_packages() {
    let good = package();
    let (keys, digest) = ([key(1).public()], Digest::of(&good));
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let change = (0..good.len(), 1..=255u8, 0..5u8, 1..40usize);
    for number in 0..10_000 {
        let (at, flip, kind, length) = change.new_tree(&mut runner).unwrap().current();
        let mut bad = good.clone();
        match kind {
            0 => bad[at] ^= flip,
            1 => bad.truncate(at),
            2 => drop(bad.drain(at..(at + length).min(good.len()))),
            3 => {
                for byte in bad.iter_mut().skip(at).take(length) {
                    *byte = byte.wrapping_add(flip);
                }
            }
            _ => bad.splice(at..at, std::iter::repeat_n(flip, length)).for_each(drop),
        }
        if bad == good {
            continue;
        }
        // Without a signature too: the checksums alone must do.
        let trust = [Trust::Keys(&keys), Trust::Anyone, Trust::Digest(&digest)][number % 3];
        let mut sink = Count::default();
        let result = Package::verify(Cursor::new(&bad), trust).and_then(|mut package| package.unpack(&mut sink));
        assert!(result.is_err(), "corruption {number}: kind {kind} at {at}");
        assert_eq!(sink.entries, 0);
    }
}

#[test]
fn a_file_that_changes_after_verification_is_noticed() {
    let mut bytes = Vec::new();
    let mut builder = Builder::new(Manifest::new("large", Version::new("1").unwrap(), "Large", "MIT")).preset(Preset::Quick);
    // Larger than what is kept in memory, also when it is compressed.
    let mut random = 1u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 56) as u8
    };
    builder.add(regular("usr/large"), (0..33 << 20).map(|_| next()).collect());
    builder.write(&mut bytes, &[&key(1)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.gcpkg");
    let digest = Digest::of(&bytes);
    for trust in [Trust::Anyone, Trust::Digest(&digest)] {
        fs::write(&path, &bytes).unwrap();
        assert!(Package::open(&path, trust).unwrap().unpack(&mut Count::default()).is_ok());
        let mut package = Package::open(&path, trust).unwrap();
        let mut changed = bytes.clone();
        let middle = bytes.len() - 64 - 20_000;
        changed[middle] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(package.unpack(&mut Count::default()).is_err());
    }
}

/// A package whose list says something else than its payload, with checksums that are right.
fn with_another_list(change: &dyn Fn(&mut serde_json::Value)) -> Vec<u8> {
    let mut bytes = Vec::new();
    builder().write(&mut bytes, &[]).unwrap();
    let end = 16 + u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&zstd::decode_all(&bytes[16..end]).unwrap()).unwrap();
    change(&mut header);
    let packed = zstd::bulk::compress(&serde_json::to_vec(&header).unwrap(), 3).unwrap();
    let mut other = bytes[..8].to_vec();
    other.extend_from_slice(&u32::try_from(packed.len()).unwrap().to_le_bytes());
    other.extend_from_slice(&bytes[12..16]);
    other.extend_from_slice(&packed);
    other.extend_from_slice(&bytes[end..bytes.len() - 64]);
    let trailer = Digest::of(&other);
    other.extend_from_slice(&trailer.0);
    other
}

/// Such a one is not published. Were it all the same, it would be refused before the switch where the lengths differ.
#[test]
fn payloads_must_be_as_long_as_the_list_says() {
    let size = |difference: i64| {
        with_another_list(&move |header| {
            let files = header["files"].as_array_mut().unwrap();
            let size = files.iter_mut().rev().find_map(|it| it.get_mut("size")).unwrap();
            *size = (size.as_i64().unwrap() + difference).into();
            let all = &mut header["payload"]["size"];
            *all = (all.as_i64().unwrap() + difference).into();
        })
    };
    let refused = |bytes: &[u8]| {
        assert!(matches!(read(bytes, Trust::Anyone), Err(PackageError::Checksum(_) | PackageError::Truncated(_) | PackageError::Limit(_))));
        read(bytes, Trust::Digest(&Digest::of(bytes))).map(drop)
    };
    assert!(read(&with_another_list(&|_| ()), Trust::Anyone).is_ok());
    assert!(matches!(refused(&size(1)), Err(PackageError::Truncated(_))));
    assert!(matches!(refused(&size(-1)), Err(PackageError::Limit(_))));
}

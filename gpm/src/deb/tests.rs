//! Debian packages that dpkg-deb has made become ours.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::*;
use crate::package::{Package, Trust};

struct Deb {
    folder: tempfile::TempDir,
}

impl Deb {
    fn new(control: &str) -> Deb {
        let it = Deb { folder: tempfile::tempdir().unwrap() };
        it.file("DEBIAN/control", &format!("Package: demo\nVersion: 1:2-3\nArchitecture: amd64\nMaintainer: M <m@example.org>\n{control}Description: demo\n"));
        it
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.folder.path().join("tree").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn import(&self, unknown: Unknown, compression: &str) -> Result<Imported, DebError> {
        let path = self.folder.path().join("demo.deb");
        let built = Command::new("dpkg-deb")
            .args(["--build", "--root-owner-group", &format!("-Z{compression}")])
            .args([self.folder.path().join("tree"), path.clone()])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        import(&path, unknown)
    }
}

#[test]
fn files_links_and_configuration() {
    let deb = Deb::new("Depends: libc6 (>= 2.30)\n");
    deb.file("usr/bin/zdemo", "program");
    deb.file("etc/demo.conf", "x=1");
    deb.file("DEBIAN/conffiles", "/etc/demo.conf\n");
    deb.file("usr/share/doc/demo/copyright", "Format: https://x\nFiles: *\nLicense: MIT\n\nFiles: y\nLicense: BSD-3-clause\n");
    deb.file("usr/share/applications/demo.desktop", "[Desktop Entry]\nName=Demo App\nKeywords=nice;good;\nCategories=Education;\nIcon=demo\n");
    deb.file("usr/share/pixmaps/demo.png", "png");
    let tree = deb.folder.path().join("tree");
    // The archive has the later name first or last, as it likes.
    fs::hard_link(tree.join("usr/bin/zdemo"), tree.join("usr/bin/ademo")).unwrap();
    symlink("zdemo", tree.join("usr/bin/link")).unwrap();
    for compression in ["xz", "gzip", "zstd", "none"] {
        let imported = match deb.import(Unknown::Refuse, compression) {
            // An older dpkg-deb has no Zstandard.
            Ok(imported) => imported,
            Err(error) => panic!("{compression}: {error}"),
        };
        let mut bytes = Vec::new();
        imported.builder.write(&mut bytes, &[]).unwrap();
        let package = Package::verify(Cursor::new(&bytes), Trust::Anyone).unwrap();
        let header = package.header();
        let kind = |path: &str| header.files.iter().find(|it| it.path == path).map(|it| it.kind.clone()).unwrap();
        assert!(matches!(kind("usr/bin/ademo"), Kind::Regular { size: 7, .. }));
        assert_eq!(kind("usr/bin/zdemo"), Kind::Hardlink { to: "usr/bin/ademo".into() });
        assert_eq!(kind("usr/bin/link"), Kind::Symlink { target: "zdemo".into() });
        assert!(header.manifest.config.contains("etc/demo.conf"));
        assert_eq!(header.manifest.licence, "BSD-3-clause AND MIT");
        assert_eq!(header.manifest.appstream.as_ref().unwrap().keywords, ["nice", "good"]);
        assert_eq!(header.manifest.icon.as_deref(), Some("usr/share/pixmaps/demo.png"));
        assert_eq!(header.manifest.file_name(), "demo_1_2-3_x86_64.gcpkg");
        assert!(header.files.iter().all(|it| it.uid == 0 && it.gid == 0));
    }
}

#[test]
fn scripts_that_are_not_understood_are_refused_or_left_out_aloud() {
    let deb = Deb::new("");
    deb.file("usr/lib/x86_64-linux-gnu/libdemo.so.1", "elf");
    deb.file("DEBIAN/postinst", "#!/bin/sh\nset -e\nadduser --system demo\n");
    deb.file("DEBIAN/triggers", "activate-noawait ldconfig\n");
    match deb.import(Unknown::Refuse, "xz") {
        Err(DebError::Scripts(lines)) => assert_eq!(lines, ["    postinst: adduser --system demo"]),
        other => panic!("{:?}", other.map(|it| it.notes)),
    }
    let imported = deb.import(Unknown::Drop, "xz").unwrap();
    assert_eq!(imported.notes, ["never run: postinst: adduser --system demo"]);
    assert!(imported.manifest.scriptlets.is_empty());
    assert_eq!(imported.manifest.triggers[0].scriptlet.script, "ldconfig");
}

#[test]
fn damaged_ones_are_refused() {
    let deb = Deb::new("");
    deb.file("usr/bin/demo", &"program".repeat(1000));
    deb.import(Unknown::Refuse, "xz").unwrap();
    let path = deb.folder.path().join("demo.deb");
    let good = fs::read(&path).unwrap();
    for length in [0, 10, 70, 200, good.len() / 2, good.len() - 20] {
        fs::write(&path, &good[..length]).unwrap();
        assert!(import(&path, Unknown::Refuse).is_err(), "{length}");
    }
}

#[test]
fn capabilities_of_programs_come_along() {
    // As Debian's iputils-ping does.
    let deb = Deb::new("");
    deb.file("bin/ping", "elf");
    deb.file(
        "DEBIAN/postinst",
        "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n    if command -v setcap > /dev/null; then\n        if setcap cap_net_raw+ep /bin/ping; then\n            chmod u-s /bin/ping\n        \
         else\n            echo \"Setcap failed on /bin/ping, falling back to setuid\" >&2\n            chmod u+s /bin/ping\n        fi\n    else\n        \
         echo \"Setcap is not installed, falling back to setuid\" >&2\n        chmod u+s /bin/ping\n    fi\nfi\nexit 0\n",
    );
    let imported = deb.import(Unknown::Refuse, "xz").unwrap();
    let mut bytes = Vec::new();
    imported.builder.write(&mut bytes, &[]).unwrap();
    let package = Package::verify(Cursor::new(&bytes), Trust::Anyone).unwrap();
    let ping = package.header().files.iter().find(|it| it.path == "bin/ping").unwrap();
    assert_eq!(String::from(ping.xattrs[xattr::CAPABILITY].clone()), "0100000200200000000000000000000000000000");
    // Another program's mode is another matter.
    deb.file("DEBIAN/postinst", "setcap cap_net_raw+ep /bin/ping\nchmod u+s /bin/other\n");
    assert!(matches!(deb.import(Unknown::Refuse, "xz"), Err(DebError::Scripts(lines)) if lines == ["    postinst: chmod u+s /bin/other"]));
}

#[test]
fn extended_attributes_of_an_archive_come_along() {
    let (folder, mut archive) = (tempfile::tempdir().unwrap(), tar::Builder::new(Vec::new()));
    archive.append_pax_extensions([("SCHILY.xattr.user.demo", b"a\0b".as_slice()), ("SCHILY.xattr.security.selinux", b"label")]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    header.set_mode(0o755);
    archive.append_data(&mut header, "usr/bin/demo", b"elf".as_slice()).unwrap();
    let data = archive.into_inner().unwrap();
    let (files, _) = entries(data.as_slice(), Some(folder.path())).unwrap();
    let found = &files["usr/bin/demo"].0.xattrs;
    assert_eq!(found.iter().map(|(name, value)| (name.as_str(), value.0.as_slice())).collect::<Vec<_>>(), [("user.demo", b"a\0b".as_slice())]);
}

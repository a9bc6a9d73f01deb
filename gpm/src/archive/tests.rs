//! An archive that dpkg-deb and gpg have made, and what becomes of it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::*;
use crate::dependency::Dependency;
use crate::digest::to_hex;
use crate::gpm::{Gpm, Reach, Source};
use crate::observer::Silent;
use crate::package::Trust;
use crate::repository::Updated;
use crate::solver::{Request, SolveError};
use crate::transaction::Options;

/// An archive, a tree that uses it, and the key that signs it.
struct World {
    folder: tempfile::TempDir,
}

fn run(command: &mut Command) -> Vec<u8> {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

impl World {
    fn new() -> World {
        let it = World { folder: tempfile::tempdir().unwrap() };
        for folder in ["home", "root", "archive/dists/demo/main/binary-amd64", "archive/pool"] {
            fs::create_dir_all(it.path(folder)).unwrap();
        }
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(it.path("home"), fs::Permissions::from_mode(0o700)).unwrap();
        run(it.gpg().args(["--passphrase", "", "--quick-generate-key", "Archive <a@example.org>", "ed25519", "sign"]));
        fs::write(it.path("root/keys.gpg"), run(it.gpg().arg("--export"))).unwrap();
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn gpg(&self) -> Command {
        let mut gpg = Command::new("gpg");
        gpg.args(["--batch", "--quiet", "--pinentry-mode", "loopback", "--homedir"]).arg(self.path("home"));
        gpg
    }

    /// Makes a package; `fields` are lines of its control file.
    fn package(&self, name: &str, version: &str, fields: &str) {
        let tree = self.path(&format!("trees/{name}"));
        let _ = fs::remove_dir_all(&tree);
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin").join(name), format!("{name} {version}\n").repeat(200_000)).unwrap();
        let control = format!("Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: M <m@example.org>\n{fields}Description: a demo\n");
        fs::write(tree.join("DEBIAN/control"), control).unwrap();
        let deb = self.path("archive/pool").join(format!("{name}_{version}_amd64.deb"));
        run(Command::new("dpkg-deb").args(["--build", "--root-owner-group", "-Zgzip"]).args([tree, deb]));
    }

    /// Lists and signs what there is, as of this day of January 2026; `more` are lines of the release.
    fn publish(&self, day: u32, more: &str) {
        let mut debs: Vec<PathBuf> = fs::read_dir(self.path("archive/pool")).unwrap().map(|it| it.unwrap().path()).collect();
        debs.sort();
        let stanza = |deb: &PathBuf| {
            let bytes = fs::read(deb).unwrap();
            let control = String::from_utf8(run(Command::new("dpkg-deb").arg("-f").arg(deb))).unwrap();
            let name = deb.file_name().unwrap().to_str().unwrap();
            // The list calls it what the file is called.
            let (_, fields) = control.split_once('\n').unwrap();
            let called = name.split('_').next().unwrap();
            format!("Package: {called}\n{fields}Filename: pool/{name}\nSize: {}\nSHA256: {}\nInstalled-Size: 12\n\n", bytes.len(), to_hex(&Sha256::digest(&bytes)))
        };
        let list: String = debs.iter().map(stanza).collect();
        self.compressed("main/binary-amd64/Packages.gz", list.as_bytes());
        let mut list = String::new();
        for file in ["main/binary-amd64/Packages.gz", "main/dep11/Components-amd64.yml.gz", "main/dep11/icons-64x64.tar.gz"] {
            if let Ok(bytes) = fs::read(self.path("archive/dists/demo").join(file)) {
                list += &format!(" {} {} {file}\n", to_hex(&Sha256::digest(&bytes)), bytes.len());
            }
        }
        let release = format!("Codename: demo\nDate: {}\n{more}SHA256:\n{list}", date(day));
        fs::write(self.path("Release"), release).unwrap();
        let signed = run(self.gpg().args(["--clearsign", "--output", "-"]).arg(self.path("Release")));
        fs::write(self.path("archive/dists/demo/InRelease"), signed).unwrap();
    }

    /// A file of the suite.
    fn compressed(&self, path: &str, text: &[u8]) {
        let path = self.path("archive/dists/demo").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut packed = flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, text).unwrap();
        packed.finish().unwrap();
    }

    fn gpm(&self) -> Gpm<'static> {
        let gpm = Gpm::new(&self.path("root"), &Silent).unwrap();
        let debian = Debian { suites: vec!["demo".into()], components: main(), keyring: "/keys.gpg".into() };
        let source = Source { debian: Some(debian), ..Source::new(format!("file://{}", self.path("archive").display())) };
        gpm.add_archive("debian", &source).unwrap();
        gpm
    }

    fn update(&self) -> Result<Updated, String> {
        self.gpm().update().unwrap().remove(0).1.map_err(|it| it.to_string())
    }

    fn install(&self, wanted: &str) -> Result<Vec<String>, crate::Error> {
        let gpm = self.gpm();
        let install: Vec<Dependency> = vec![wanted.parse().unwrap()];
        let proposal = gpm.propose(&Request { install, ..Request::default() }, &[], Trust::Anyone)?;
        gpm.make(&proposal, Trust::Keys(&[]), &Options { what: "test".into(), ..Options::default() })?;
        Ok(proposal.changes.iter().map(|it| it.name().to_owned()).collect())
    }
}

fn date(day: u32) -> String {
    // The 1st of January 2026 was a Thursday; the name of the day is looked at by parsers.
    let names = ["Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue"];
    format!("{}, {day:02} Jan 2026 10:00:00 UTC", names[day as usize % 7])
}

#[test]
fn packages_of_an_archive_are_installed_with_what_they_need_and_undone() {
    let it = World::new();
    it.package("tool", "1.0", "Depends: libtool (>= 2) | other, debconf, virtual\nRecommends: extra\nSuggests: never\n");
    it.package("libtool", "2.1", "");
    it.package("other", "9", "");
    it.package("real", "1", "Provides: virtual (= 3)\n");
    it.package("extra", "1", "Depends: debconf\n");
    it.package("never", "1", "");
    it.package("unrelated", "1", "");
    it.package("extra-thing-gui", "1", "");
    it.publish(2, "");
    assert_eq!(it.update(), Ok(Updated::News));
    assert_eq!(it.update(), Ok(Updated::Same));
    assert_eq!(it.install("tool").unwrap(), ["extra", "libtool", "real", "tool"]);
    let text = fs::read_to_string(it.path("root/usr/bin/tool")).unwrap();
    assert_eq!((text.len(), text.starts_with("tool 1.0\n")), (1_800_000, true));
    let gpm = it.gpm();
    assert!(gpm.verify(&[]).unwrap().is_empty());
    let records = gpm.database().records().unwrap();
    assert_eq!(records["tool"].repository.as_deref(), Some("debian"));
    assert!(records["tool"].manifest.depends.iter().all(|it| !it.to_string().contains("debconf")));
    assert_eq!(gpm.search(&["unrelated".into()]).unwrap().len(), 1);
    for (wanted, like) in [("unrelatde", "unrelated"), ("extra-thing", "extra-thing-gui")] {
        match it.install(wanted) {
            Err(crate::Error::Solve(SolveError::Unknown { similar, .. })) => assert_eq!(similar, [like]),
            other => panic!("{other:?}"),
        }
    }

    // A newer one comes by an upgrade, and goes again.
    it.package("tool", "1.1", "Depends: libtool\n");
    it.publish(3, "");
    assert_eq!(it.update(), Ok(Updated::News));
    let upgrade = Request { upgrade: crate::solver::Upgrade::All, ..Request::default() };
    let proposal = gpm.propose(&upgrade, &[], Trust::Anyone).unwrap();
    assert_eq!(proposal.changes.len(), 1);
    gpm.make(&proposal, Trust::Keys(&[]), &Options::default()).unwrap();
    assert!(fs::read_to_string(it.path("root/usr/bin/tool")).unwrap().starts_with("tool 1.1\n"));
    for id in [2, 1] {
        let undo = gpm.propose_undo(id).unwrap();
        gpm.make(&undo, Trust::Keys(&[]), &Options::default()).unwrap();
    }
    assert!(gpm.database().records().unwrap().is_empty());
    assert!(!it.path("root/usr/bin/tool").exists());
}

#[test]
fn a_package_of_ours_is_not_replaced_by_one_that_is_only_called_so() {
    let it = World::new();
    it.package("tool", "9", "");
    it.package("lib", "2", "");
    it.publish(2, "");
    it.update().unwrap();
    // Ours, older, and one that was made of Debian's.
    let gpm = it.gpm();
    for (name, origin) in [("tool", ""), ("lib", "debian")] {
        let mut manifest = Manifest::new(name, "1".parse().unwrap(), "x", "MIT");
        manifest.origin = origin.into();
        let path = it.path(&manifest.file_name());
        crate::package::Builder::new(manifest).write(&mut fs::File::create(&path).unwrap(), &[]).unwrap();
        let proposal = gpm.propose(&Request::default(), &[path], Trust::Anyone).unwrap();
        gpm.make(&proposal, Trust::Anyone, &Options::default()).unwrap();
    }
    let upgrade = Request { upgrade: crate::solver::Upgrade::All, ..Request::default() };
    let proposal = gpm.propose(&upgrade, &[], Trust::Anyone).unwrap();
    assert_eq!(proposal.changes.iter().map(crate::solver::Change::name).collect::<Vec<_>>(), ["lib"]);
}

#[test]
fn all_alternatives_are_looked_at_where_the_first_cannot_be() {
    let it = World::new();
    it.package("tool", "1", "Depends: first | second\n");
    it.package("first", "1", "Depends: missing\n");
    it.package("second", "1", "");
    it.publish(2, "");
    it.update().unwrap();
    assert_eq!(it.install("tool").unwrap(), ["second", "tool"]);
}

#[test]
fn what_is_not_signed_old_expired_or_spoilt_is_refused() {
    let it = World::new();
    it.package("tool", "1", "");
    it.publish(10, "");
    it.update().unwrap();
    let release = it.path("archive/dists/demo/InRelease");
    let good = fs::read_to_string(&release).unwrap();
    let refused = |text: &str, words: &str| {
        fs::write(&release, text).unwrap();
        let error = it.update().unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(&good.replace(&date(10), &date(11)), "a signature is wrong");
    refused(&fs::read_to_string(it.path("Release")).unwrap(), "not signed");
    refused("", "not signed");
    // Somebody else's signature.
    let stranger = World::new();
    stranger.package("tool", "1", "");
    stranger.publish(12, "");
    refused(&fs::read_to_string(stranger.path("archive/dists/demo/InRelease")).unwrap(), "NO_PUBKEY");
    it.publish(9, "");
    assert!(it.update().unwrap_err().contains("rollback refused"));
    it.publish(12, &format!("Valid-Until: {}\n", date(13)));
    assert!(it.update().unwrap_err().contains("valid until 2026-01-13"));

    // A list, and then a package, that is not what was signed.
    it.package("tool", "2", "");
    it.publish(14, "");
    let list = it.path("archive/dists/demo/main/binary-amd64/Packages.gz");
    let packed = fs::read(&list).unwrap();
    let mut spoilt = packed.clone();
    spoilt[20] ^= 1;
    fs::write(&list, &spoilt).unwrap();
    assert!(it.update().unwrap_err().contains("its SHA-256 differs"));
    fs::write(&list, &packed[..packed.len() - 1]).unwrap();
    assert!(it.update().unwrap_err().contains("truncated"));
    fs::write(&list, packed).unwrap();
    it.update().unwrap();
    let deb = it.path("archive/pool/tool_2_amd64.deb");
    let mut bytes = fs::read(&deb).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&deb, bytes).unwrap();
    let error = it.install("tool").unwrap_err().to_string();
    assert!(error.contains("its SHA-256 differs"), "{error}");
    assert!(it.gpm().database().records().unwrap().is_empty());
    assert!(!it.path("root/usr/bin/tool").exists());
}

#[test]
fn a_package_that_is_another_than_its_list_says_is_refused() {
    let it = World::new();
    it.package("evil", "1", "");
    fs::rename(it.path("archive/pool/evil_1_amd64.deb"), it.path("archive/pool/tool_1_amd64.deb")).unwrap();
    it.publish(2, "");
    it.update().unwrap();
    let error = it.install("tool").unwrap_err();
    let words = std::iter::successors(Some(&error as &dyn std::error::Error), |it| it.source()).map(ToString::to_string).collect::<String>();
    assert!(words.contains("it is evil 1, not what the archive's list calls it"), "{words}");
    assert!(it.gpm().database().records().unwrap().is_empty());
}

#[test]
fn programs_are_told_in_words_for_people() {
    let it = World::new();
    it.package("draw", "1", "");
    it.package("part", "1", "");
    it.package("fox", "1", "Provides: gnome-www-browser\n");
    let document = "---\nFile: DEP-11\n---\nType: desktop-application\nID: org.example.Draw\nPackage: draw\nName:\n  C: Draw & Paint\nSummary:\n  C: Draws\n\
                    Icon:\n  cached:\n  - name: draw.png\n    width: 64\n    height: 64\n";
    it.compressed("main/dep11/Components-amd64.yml.gz", document.as_bytes());
    let mut icons = tar::Builder::new(Vec::new());
    for (name, text) in [("./draw.png", "a picture"), ("../../evil.png", "x"), ("other.png", "x")] {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        icons.append(&header, text.as_bytes()).unwrap();
    }
    it.compressed("main/dep11/icons-64x64.tar.gz", &icons.into_inner().unwrap());
    it.publish(2, "");
    it.update().unwrap();
    let known = it.gpm().known(&[], Trust::Anyone, Reach::Programs).unwrap();
    let mut told: Vec<_> = known.iter().map(|it| (it.available.manifest.name.as_str(), it.available.manifest.appstream.as_ref().unwrap().name.as_str())).collect();
    told.sort_unstable();
    assert_eq!(told, [("draw", "Draw & Paint"), ("fox", "")]);
    let picture = known.iter().find_map(|it| it.picture.clone()).unwrap();
    assert_eq!(fs::read_to_string(&picture).unwrap(), "a picture");
    assert_eq!(fs::read_dir(picture.parent().unwrap()).unwrap().count(), 1);
    assert!(!it.path("root/var/lib/gpm/repositories/evil.png").exists());

    // A mirror that has all but these words is as good for packages, and what was known of them stays.
    it.package("part", "2", "");
    it.compressed("main/dep11/Components-amd64.yml.gz", b"---\nother\n");
    it.publish(3, "");
    fs::remove_file(it.path("archive/dists/demo/main/dep11/Components-amd64.yml.gz")).unwrap();
    assert_eq!(it.update(), Ok(Updated::News));
    it.install("part (= 2)").unwrap();
    assert_eq!(fs::read_to_string(&picture).unwrap(), "a picture");
}

#[test]
fn damaged_indexes_say_so() {
    let it = World::new();
    it.package("tool", "1", "");
    it.publish(2, "");
    it.update().unwrap();
    let path = it.path("root/var/lib/gpm/repositories/debian/packages.index");
    let good = fs::read(&path).unwrap();
    for length in [0, 7, 24, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        let error = it.install("tool").unwrap_err().to_string();
        assert!(error.contains("damaged") && error.contains("gpm update"), "{error}");
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        fs::write(&path, bad).unwrap();
        // Whatever it says, it never panics.
        let _ = it.gpm().known(&[], Trust::Anyone, Reach::All);
    }
}

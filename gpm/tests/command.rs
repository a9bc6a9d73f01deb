//! The command over a whole life: packages are built, published, installed, upgraded, removed and undone.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

struct World {
    folder: tempfile::TempDir,
    server: Child,
    url: String,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn command(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpm")).args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn good(folder: &Path, args: &[&str]) -> String {
    let output = command(folder, args);
    assert!(output.status.success(), "gpm {args:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn bad(folder: &Path, args: &[&str]) -> String {
    let output = command(folder, args);
    assert_eq!(output.status.code(), Some(1), "gpm {args:?}: {}", text(&output));
    text(&output)
}

/// Builds a package of shell programs; `extra` are further lines of its manifest.
fn build(folder: &Path, name: &str, version: &str, extra: &str, files: &[(&str, &str)]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let tree = folder.join(format!("tree-{name}-{version}"));
    fs::create_dir_all(&tree).unwrap();
    for (path, contents) in files {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let manifest = folder.join(format!("{name}-{version}.toml"));
    let head = format!("name = \"{name}\"\nversion = \"{version}\"\narchitecture = \"all\"\nsummary = \"The package {name}\"\nlicence = \"MIT\"\n");
    fs::write(&manifest, head + extra).unwrap();
    let path = good(folder, &["build", manifest.to_str().unwrap(), tree.to_str().unwrap(), "--key", "keys/package.key", "--preset", "quick"]);
    folder.join(path.trim())
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::create_dir(at.join("root")).unwrap();
        good(at, &["repo", "init", "repo", "--keys", "keys", "--root-keys", "2", "--threshold", "2"]);
        let mut server = Command::new(env!("CARGO_BIN_EXE_gpm"))
            .args(["--json", "repo", "serve", "repo", "--listen", "127.0.0.1:0"])
            .current_dir(at)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = serde_json::from_str::<Value>(&line).unwrap()["url"].as_str().unwrap().to_owned();
        let world = World { folder, server, url };
        world.gpm(&["repo", "trust", "stable", &world.url, "--root-file", "repo/metadata/1.root.json"]);
        world
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn gpm(&self, args: &[&str]) -> String {
        good(self.at(), &[&["--root", "root"], args].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.gpm(&[&["--json"], args].concat())).unwrap()
    }

    fn fails(&self, args: &[&str]) -> String {
        bad(self.at(), &[&["--root", "root"], args].concat())
    }

    fn publish(&self, name: &str, version: &str, extra: &str, files: &[(&str, &str)]) {
        let package = build(self.at(), name, version, extra, files);
        good(self.at(), &["repo", "add", "repo", package.to_str().unwrap(), "--keys", "keys"]);
        self.gpm(&["update"]);
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.at().join("root").join(path)).ok()
    }
}

#[test]
fn a_whole_life() {
    let it = World::new();
    it.publish("libhello", "1", "", &[("usr/lib/hello", "lib one")]);
    let appstream = "depends = [\"libhello (>= 1)\"]\n[appstream]\nname = \"Greeter\"\nkeywords = [\"welcome\"]\n";
    it.publish("hello", "1.0", appstream, &[("usr/bin/hello", "#!/bin/sh\necho one\n")]);

    assert!(it.gpm(&["search", "welcome"]).starts_with("hello 1.0"));
    assert!(it.gpm(&["install", "hello", "--dry-run"]).contains("install   libhello 1 (as a dependency)"));
    assert!(it.read("usr/bin/hello").is_none());
    assert!(it.fails(&["install", "hello"]).contains("--yes"));
    it.gpm(&["install", "hello", "--yes"]);
    assert!(it.read("usr/bin/hello").unwrap().contains("one"));
    assert_eq!(it.gpm(&["owns", "/usr/bin/hello"]).trim(), "hello");
    assert_eq!(it.gpm(&["why", "libhello"]).trim(), "hello needs libhello");
    assert!(it.gpm(&["files", "hello"]).contains("/usr/bin/hello\n"));
    assert!(it.gpm(&["verify"]).contains("as they were delivered"));

    it.publish("libhello", "2", "", &[("usr/lib/hello", "lib two")]);
    it.publish("hello", "2.0", "depends = [\"libhello (>= 2)\"]\n", &[("usr/bin/hello", "#!/bin/sh\necho two\n")]);
    it.gpm(&["hold", "libhello"]);
    let conflict = it.fails(&["install", "hello (>= 2)", "--yes"]);
    assert!(conflict.contains("libhello is held at 1") && conflict.contains("1. let libhello change its version"), "{conflict}");
    it.gpm(&["unhold", "libhello"]);
    let upgraded = it.json(&["upgrade", "--yes"]);
    assert_eq!(upgraded["changes"].as_array().unwrap().len(), 2);
    assert!(it.read("usr/bin/hello").unwrap().contains("two"));

    it.gpm(&["undo", "--yes"]);
    assert!(it.read("usr/bin/hello").unwrap().contains("one") && it.read("usr/lib/hello").unwrap() == "lib one");
    it.gpm(&["undo", "--yes"]);
    assert!(it.read("usr/bin/hello").unwrap().contains("two"));
    it.gpm(&["downgrade", "hello", "--yes"]);
    assert!(it.read("usr/bin/hello").unwrap().contains("one"));
    assert!(it.fails(&["remove", "libhello", "--yes"]).contains("hello 1.0 needs libhello"));
    it.gpm(&["remove", "hello", "--yes"]);
    it.gpm(&["autoremove", "--yes"]);
    assert!(it.read("usr/lib/hello").is_none());
    assert_eq!(it.json(&["list"]), serde_json::json!([]));
    // Back to the first state in which something was installed.
    it.gpm(&["rollback", "2", "--yes"]);
    assert_eq!((it.read("usr/lib/hello").unwrap().as_str(), it.read("usr/bin/hello").unwrap().contains("one")), ("lib one", true));
    assert_eq!(it.json(&["list"])[0]["manual"], true);
    let history = it.json(&["history"]);
    assert_eq!(history.as_array().unwrap().len(), 8);
    assert_eq!(history[0]["what"], "--root root install hello --yes");

    fs::write(it.at().join("root/usr/lib/hello"), "spoilt!").unwrap();
    assert!(it.fails(&["verify"]).contains("libhello: /usr/lib/hello has other contents"));
    it.gpm(&["pin", "hello (<< 2)"]);
    assert_eq!(it.gpm(&["upgrade", "--yes", "hello"]).trim(), "nothing to do");
    it.gpm(&["unpin", "hello"]);
    it.gpm(&["clean", "--all"]);
    assert!(it.fails(&["undo", "99", "--yes"]).contains("no transaction 99"));
}

#[test]
fn files_need_a_trusted_signature() {
    let it = World::new();
    let package = build(it.at(), "local", "1", "", &[("usr/bin/local", "x")]);
    let package = package.to_str().unwrap();
    assert!(it.fails(&["install", package, "--yes"]).contains("none of the keys that signed it is trusted"));
    fs::create_dir_all(it.at().join("root/etc/gpm/keys")).unwrap();
    fs::copy(it.at().join("keys/package.key.pub"), it.at().join("root/etc/gpm/keys/package.pub")).unwrap();
    it.gpm(&["install", package, "--yes"]);
    assert!(it.read("usr/bin/local").is_some());
    assert!(it.gpm(&["info", package]).contains("signed by a trusted key"));
    it.gpm(&["remove", "local", "--yes"]);
    // The file is gone, the cache has it.
    fs::remove_file(package).unwrap();
    it.gpm(&["undo", "--yes"]);
    assert!(it.read("usr/bin/local").is_some());
}

#[test]
fn state_files_are_verified_by_their_checksum() {
    let it = World::new();
    let extra = "state = [\"var/lib/mind/weights\"]\n[consciousness]\nrequired_level = 0.3\noptimal_level = 0.8\n[ai]\nrequired = true\nmodes = [\"local\", \"hybrid\"]\n";
    it.publish("mind", "1", extra, &[("var/lib/mind/weights", "0.1 0.2")]);
    it.gpm(&["install", "mind", "--yes"]);
    let info = it.gpm(&["info", "mind"]);
    assert!(info.contains("level 0.3 or more, best at 0.8") && info.contains("required: local, hybrid") && info.contains("state checksum"), "{info}");
    it.gpm(&["verify", "mind"]);
    fs::write(it.at().join("root/var/lib/mind/weights"), "0.1 0.3").unwrap();
    assert!(it.fails(&["verify", "mind"]).contains("consciousness state differs"));
}

/// A world with a program in two versions of which the first is installed, and the delta between them; how many bytes it has.
fn with_a_delta() -> (World, u64) {
    let it = World::new();
    let program = |word: &str| (0..4000).map(|number| format!("line {} of {word}\n", number * 7919 % 4001)).collect::<String>();
    let (one, mut two) = (program("the program"), program("the program"));
    two.replace_range(500..510, "*another**");
    it.publish("tool", "1", "config = [\"etc/tool.conf\"]\n", &[("usr/bin/tool", &one), ("usr/share/tool/data", &one), ("etc/tool.conf", "x")]);
    it.gpm(&["install", "tool", "--yes"]);
    it.publish("tool", "2", "config = [\"etc/tool.conf\"]\n", &[("usr/bin/tool", &two), ("usr/share/tool/data", &one), ("etc/tool.conf", "x")]);
    let made = good(it.at(), &["--json", "repo", "delta", "repo", "--keys", "keys"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let (length, whole) = (made[0]["length"].as_u64().unwrap(), made[0]["whole"].as_u64().unwrap());
    assert!(length < whole / 2, "{made}");
    // Those that are there are not made again.
    assert_eq!(good(it.at(), &["--json", "repo", "delta", "repo", "--keys", "keys"]).trim(), "[]");
    it.gpm(&["update"]);
    (it, length)
}

impl World {
    fn file(&self, end: &str) -> PathBuf {
        let mut paths = fs::read_dir(self.at().join("repo/packages")).unwrap().map(|it| it.unwrap().path());
        paths.find(|it| it.to_str().unwrap().ends_with(end)).unwrap()
    }

    /// Upgrades where the whole package can be had; what is said on the way.
    fn upgrade(&self) -> String {
        let output = command(self.at(), &["--root", "root", "upgrade", "--yes"]);
        assert!(output.status.success(), "{}", text(&output));
        assert!(self.read("usr/bin/tool").unwrap().contains("*another**"));
        assert!(self.gpm(&["verify"]).contains("as they were delivered"));
        text(&output)
    }
}

#[test]
fn a_delta_is_enough_where_the_older_version_is_here() {
    // In the cache, and only as installed files, of which one that may be changed is as it was.
    for cached in [true, false] {
        let (it, length) = with_a_delta();
        if !cached {
            it.gpm(&["clean", "--all"]);
        }
        assert_eq!(it.json(&["upgrade", "--dry-run"])["download"], length);
        let package = it.file("tool_2_all.gcpkg");
        let whole = fs::read(&package).unwrap();
        fs::remove_file(&package).unwrap();
        let said = it.upgrade();
        assert!(!said.contains("whole package"), "{said}");
        let mut cache = fs::read_dir(it.at().join("root/var/cache/gpm")).unwrap().map(|it| it.unwrap().path());
        let made = cache.find(|it| it.to_str().unwrap().ends_with("tool_2_all.gcpkg")).unwrap();
        assert_eq!(fs::read(made).unwrap(), whole);
        assert!(!fs::read_dir(it.at().join("root/var/cache/gpm")).unwrap().any(|it| it.unwrap().path().to_str().unwrap().contains(".part")));
    }
}

#[test]
fn a_delta_that_is_of_no_use_is_no_harm() {
    let spoil: [(&str, &dyn Fn(&mut Vec<u8>)); 4] = [
        ("SHA-512 differs", &|delta| {
            let middle = delta.len() / 2;
            delta[middle] ^= 1;
        }),
        ("truncated", &|delta| delta.truncate(delta.len() / 2)),
        ("does not end", &|delta| delta.resize(delta.len() + (1 << 20), 0)),
        ("is missing", &|delta| delta.clear()),
    ];
    for (why, change) in spoil {
        let (it, _) = with_a_delta();
        let path = it.file(".gcdelta");
        let mut delta = fs::read(&path).unwrap();
        change(&mut delta);
        if delta.is_empty() { fs::remove_file(&path).unwrap() } else { fs::write(&path, &delta).unwrap() }
        let said = it.upgrade();
        assert!(said.contains("the delta of tool 2 is of no use") && said.contains(why), "{why}: {said}");
    }
}

#[test]
fn changed_files_are_no_base_for_a_delta() {
    let (it, _) = with_a_delta();
    it.gpm(&["clean", "--all"]);
    fs::write(it.at().join("root/etc/tool.conf"), "y").unwrap();
    fs::remove_file(it.file(".gcdelta")).unwrap();
    // It is not even asked for.
    let said = it.upgrade();
    assert!(!said.contains("delta"), "{said}");
    assert_eq!(it.read("etc/tool.conf").unwrap(), "y");
}

#[test]
fn a_dead_server_changes_nothing() {
    let mut it = World::new();
    it.publish("hello", "1.0", "", &[("usr/bin/hello", "x")]);
    let _ = it.server.kill();
    let _ = it.server.wait();
    assert!(it.fails(&["update"]).contains("cannot fetch"));
    assert!(it.fails(&["install", "hello", "--yes"]).contains("repository stable"));
    assert!(it.read("usr/bin/hello").is_none());
    assert_eq!(it.json(&["list"]), serde_json::json!([]));
}

#[test]
fn the_shell_completes_commands_and_each_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path(), &["documents", "tree"]);
    let tree = folder.path().join("tree/usr/share");
    for name in ["gpm", "gpm-install", "gpm-repo-serve"] {
        let page = fs::read_to_string(tree.join(format!("man/man1/{name}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{name}: {page}");
    }
    let script = format!("source {}; COMP_WORDS=(gpm inst); COMP_CWORD=1; _gpm gpm inst gpm; echo \"${{COMPREPLY[*]}}\"", tree.join("bash-completion/completions/gpm").display());
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "install\n", "{}", text(&output));
}

#[test]
fn extended_attributes_and_other_names_of_files_come_along() {
    use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir_all(at.join("keys")).unwrap();
    fs::create_dir_all(at.join("root")).unwrap();
    good(at, &["key", "keys/package.key"]);
    let tree = at.join("tree-demo-1");
    fs::create_dir_all(tree.join("usr/bin")).unwrap();
    fs::write(tree.join("usr/bin/demo"), "elf").unwrap();
    if setxattr(tree.join("usr/bin/demo"), "user.demo", b"a\0b", XattrFlags::empty()).is_err() {
        eprintln!("this filesystem has no extended attributes: not tested");
        return;
    }
    // Only root can give a program capabilities.
    let capabilities = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let has_capabilities = setxattr(tree.join("usr/bin/demo"), "security.capability", &capabilities, XattrFlags::empty()).is_ok();
    fs::hard_link(tree.join("usr/bin/demo"), tree.join("usr/bin/other")).unwrap();
    let (first, second) = (build(at, "demo", "1", "", &[]), {
        fs::rename(&tree, at.join("tree-demo-2")).unwrap();
        build(at, "demo", "2", "", &[])
    });
    let value = |path: &str, name: &str| {
        let mut bytes = [0; 64];
        getxattr(at.join(path), name, &mut bytes).map(|length| bytes[..length].to_vec())
    };
    for package in [first, second] {
        good(at, &["--root", "root", "install", package.to_str().unwrap(), "--allow-unsigned", "--yes"]);
        for name in ["root/usr/bin/demo", "root/usr/bin/other"] {
            assert_eq!(value(name, "user.demo").unwrap(), b"a\0b");
            assert!(!has_capabilities || value(name, "security.capability").unwrap() == capabilities);
        }
        let inode = |path: &str| fs::metadata(at.join(path)).unwrap().ino();
        assert_eq!(inode("root/usr/bin/demo"), inode("root/usr/bin/other"));
        good(at, &["--root", "root", "verify"]);
    }
    removexattr(at.join("root/usr/bin/demo"), "user.demo").unwrap();
    assert!(bad(at, &["--root", "root", "verify"]).contains("has not the extended attribute user.demo"));
    setxattr(at.join("root/usr/bin/demo"), "user.demo", b"a\0b", XattrFlags::empty()).unwrap();
    good(at, &["--root", "root", "verify"]);
    // Another file under the second name is no longer what was delivered.
    fs::remove_file(at.join("root/usr/bin/other")).unwrap();
    fs::write(at.join("root/usr/bin/other"), "evil").unwrap();
    assert!(bad(at, &["--root", "root", "verify"]).contains("usr/bin/other"));
}

//! Transactions: what they do, and that a crash at any moment leaves the old or the new system.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::digest::Digest;
use crate::observer::Silent;
use crate::package::{Builder, Kind, Preset, Trust};
use crate::version::Version;

struct Fixture {
    folder: tempfile::TempDir,
}

fn entry(path: &str, mode: u32, kind: Kind) -> Entry {
    Entry { path: path.into(), mode, uid: 0, gid: 0, mtime: 1_700_000_000, xattrs: BTreeMap::new(), kind }
}

/// Lines such as `usr/bin/a=text`, `usr/share/`, `usr/bin/b->a`, `usr/bin/c==usr/bin/a`.
fn build(at: &Path, manifest: Manifest, files: &[&str]) -> PathBuf {
    let mut builder = Builder::new(manifest.clone()).preset(Preset::Quick);
    for file in files {
        if let Some(path) = file.strip_suffix('/') {
            builder.add(entry(path, 0o755, Kind::Directory), Vec::new());
        } else if let Some((path, target)) = file.split_once("->") {
            builder.add(entry(path, 0o777, Kind::Symlink { target: target.into() }), Vec::new());
        } else if let Some((path, to)) = file.split_once("==") {
            builder.add(entry(path, 0o755, Kind::Hardlink { to: to.into() }), Vec::new());
        } else {
            let (path, text) = file.split_once('=').unwrap();
            builder.add(entry(path, 0o755, Kind::Regular { size: 0, sha512: Digest::of(b"") }), text.as_bytes().to_vec());
        }
    }
    let path = at.join(manifest.file_name());
    builder.write(&mut File::create(&path).unwrap(), &[]).unwrap();
    path
}

fn manifest(name: &str, version: &str) -> Manifest {
    Manifest::new(name, Version::new(version).unwrap(), "Test", "MIT")
}

fn open(path: &Path) -> Incoming {
    Incoming { package: Package::open(path, Trust::Anyone).unwrap(), repository: None }
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        Fixture { folder }
    }

    fn root(&self) -> Root {
        Root::new(&self.folder.path().join("root")).unwrap()
    }

    fn package(&self, manifest: Manifest, files: &[&str]) -> Incoming {
        open(&build(self.folder.path(), manifest, files))
    }

    fn change(&self, incoming: Vec<Incoming>, gone: &[&str]) -> Result<Past, TransactionError> {
        self.change_with(incoming, gone, &Options::default(), &Silent)
    }

    fn change_with(&self, incoming: Vec<Incoming>, gone: &[&str], options: &Options, observer: &dyn Observer) -> Result<Past, TransactionError> {
        let root = self.root();
        let (tree, recovered) = Tree::open(&root, observer).unwrap();
        assert_eq!(recovered, Recovered::Nothing);
        tree.change(incoming, &gone.iter().map(|it| (*it).to_owned()).collect(), &Policy::default(), options)
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root().join(path)).ok()
    }
}

/// All of a tree but the times in gpm's own records.
fn snapshot(root: &Root) -> BTreeMap<String, String> {
    fn walk(root: &Path, at: &Path, found: &mut BTreeMap<String, String>) {
        for item in fs::read_dir(at).unwrap() {
            let path = item.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if matches!(name.as_str(), "var/lib/gpm/lock" | "var/lib/gpm/history") {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let text = if metadata.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if metadata.is_dir() {
                walk(root, &path, found);
                format!("folder {:o}", metadata.permissions().mode())
            } else if name.starts_with("var/lib/gpm/installed/") && name.ends_with(".json") {
                let record: Record = crate::database::read(&path).unwrap().unwrap();
                format!("{} {}", record.manifest.id(), record.sha512)
            } else {
                format!("{:o} {} {:?}", metadata.permissions().mode(), metadata.mtime(), Digest::of(&fs::read(&path).unwrap()))
            };
            found.insert(name, text);
        }
    }
    let mut found = BTreeMap::new();
    walk(root.path(), root.path(), &mut found);
    // Its time is that of its writing.
    found.remove("var/lib/gpm/policy.json");
    found.iter_mut().filter(|(name, _)| name.ends_with(".files")).for_each(|(_, text)| *text = text.rsplit(' ').next().unwrap_or_default().to_owned());
    found
}

#[test]
fn install_upgrade_remove() {
    let it = Fixture::new();
    let first = it.package(manifest("hello", "1"), &["usr/", "usr/bin/", "usr/bin/hello=one", "usr/bin/hi->hello", "usr/bin/hey==usr/bin/hello", "usr/share/hello/old=x"]);
    let past = it.change(vec![first], &[]).unwrap();
    assert_eq!((past.id, past.changes.len()), (1, 1));
    assert_eq!(it.read("usr/bin/hi").unwrap(), "one");
    let metadata = |path: &str| fs::metadata(it.root().join(path)).unwrap();
    assert_eq!(metadata("usr/bin/hey").ino(), metadata("usr/bin/hello").ino());
    assert_eq!((metadata("usr/bin/hello").mode() & 0o7777, metadata("usr/bin/hello").mtime()), (0o755, 1_700_000_000));
    let second = it.package(manifest("hello", "2"), &["usr/", "usr/bin/", "usr/bin/hello=two", "usr/bin/hi->hello"]);
    it.change(vec![second], &[]).unwrap();
    assert_eq!(it.read("usr/bin/hello").unwrap(), "two");
    assert!(it.read("usr/share/hello/old").is_none());
    let database = Database::new(&it.root());
    assert_eq!(database.records().unwrap()["hello"].manifest.version.as_str(), "2");
    fs::write(it.root().join("usr/bin/mine"), "mine").unwrap();
    it.change(vec![], &["hello"]).unwrap();
    assert!(database.records().unwrap().is_empty());
    assert!(it.read("usr/bin/hello").is_none() && it.read("usr/bin/hi").is_none());
    assert_eq!(it.read("usr/bin/mine").unwrap(), "mine");
    assert_eq!(database.history().unwrap().len(), 3);
    assert!(!it.root().join("var/lib/gpm/transaction").exists());
}

#[test]
fn changed_configuration_is_kept() {
    let it = Fixture::new();
    let package = |version: &str, text: &str| {
        let mut manifest = manifest("daemon", version);
        manifest.config.insert("etc/daemon.conf".into());
        it.package(manifest, &[text])
    };
    it.change(vec![package("1", "etc/daemon.conf=one")], &[]).unwrap();
    it.change(vec![package("2", "etc/daemon.conf=two")], &[]).unwrap();
    assert_eq!(it.read("etc/daemon.conf").unwrap(), "two");
    fs::write(it.root().join("etc/daemon.conf"), "mine").unwrap();
    it.change(vec![package("3", "etc/daemon.conf=two")], &[]).unwrap();
    assert_eq!((it.read("etc/daemon.conf").unwrap().as_str(), it.read("etc/daemon.conf.gpm-new")), ("mine", None));
    it.change(vec![package("4", "etc/daemon.conf=four")], &[]).unwrap();
    assert_eq!((it.read("etc/daemon.conf").unwrap().as_str(), it.read("etc/daemon.conf.gpm-new").unwrap().as_str()), ("mine", "four"));
    it.change(vec![], &["daemon"]).unwrap();
    assert_eq!(it.read("etc/daemon.conf").unwrap(), "mine");
}

#[test]
fn files_of_others_are_respected() {
    let it = Fixture::new();
    fs::create_dir(it.root().join("usr")).unwrap();
    fs::write(it.root().join("usr/mine"), "mine").unwrap();
    let before = snapshot(&it.root());
    let error = it.change(vec![it.package(manifest("aa", "1"), &["usr/mine=other", "usr/new=x"])], &[]).unwrap_err();
    assert!(matches!(&error, TransactionError::Exists { paths, .. } if *paths == ["usr/mine"]), "{error}");
    let after = snapshot(&it.root());
    assert!(before.iter().all(|(path, text)| after.get(path) == Some(text)) && !after.contains_key("usr/new"));
    // The same contents are taken over.
    it.change(vec![it.package(manifest("aa", "1"), &["usr/mine=mine"])], &[]).unwrap();
    let clash = it.change(vec![it.package(manifest("bb", "1"), &["usr/mine=b"])], &[]).unwrap_err();
    assert!(matches!(clash, TransactionError::Clash { .. }), "{clash}");
    let mut replacing = manifest("bb", "1");
    replacing.replaces.push("aa".parse().unwrap());
    it.change(vec![it.package(replacing, &["usr/mine=b"])], &[]).unwrap();
    assert_eq!(it.read("usr/mine").unwrap(), "b");
    assert!(Database::new(&it.root()).files("aa").unwrap().iter().all(|it| it.kind == Kind::Directory));
    it.change(vec![], &["aa"]).unwrap();
    assert_eq!(it.read("usr/mine").unwrap(), "b");
    // Two that come together.
    let together = vec![it.package(manifest("cc", "1"), &["usr/both=c"]), it.package(manifest("dd", "1"), &["usr/both=d"])];
    assert!(matches!(it.change(together, &[]), Err(TransactionError::Clash { .. })));
    let mut replacing = manifest("dd", "1");
    replacing.replaces.push("cc".parse().unwrap());
    let together = vec![it.package(manifest("cc", "1"), &["usr/both=c", "usr/cc=c"]), it.package(replacing, &["usr/both=d"])];
    it.change(together, &[]).unwrap();
    assert_eq!(it.read("usr/both").unwrap(), "d");
    it.change(vec![], &["cc", "dd"]).unwrap();
    assert!(it.read("usr/both").is_none() && it.read("usr/cc").is_none());
}

#[test]
fn links_of_one_package_carry_the_files_of_another() {
    let it = Fixture::new();
    let base = it.package(manifest("base", "1"), &["usr/", "usr/lib/", "lib->usr/lib"]);
    let libc = it.package(manifest("libc", "1"), &["lib/", "lib/x/", "lib/x/libc.so=1"]);
    it.change(vec![libc, base], &[]).unwrap();
    assert_eq!(it.read("usr/lib/x/libc.so").unwrap(), "1");
    // The file moves to where the link leads: it is not removed after that.
    let moved = it.package(manifest("libc", "2"), &["usr/lib/x/libc.so=2"]);
    it.change(vec![moved], &[]).unwrap();
    assert_eq!(it.read("lib/x/libc.so").unwrap(), "2");
    // A link that leads out of the tree does not.
    symlink("/", it.root().join("out")).unwrap();
    it.change(vec![it.package(manifest("evil", "1"), &["out/gpm-test-file=x"])], &[]).unwrap();
    assert_eq!(it.read("gpm-test-file").unwrap(), "x");
}

/// Makes a folder where the last file of the transaction must go, once the switch has begun.
struct Saboteur<'a>(&'a Path);

impl Observer for Saboteur<'_> {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Step { what: "place usr/z", .. }) {
            fs::remove_file(self.0).unwrap();
            fs::create_dir_all(self.0.join("full")).unwrap();
        }
    }
}

#[test]
fn a_failure_in_the_middle_is_taken_back() {
    let it = Fixture::new();
    it.change(vec![it.package(manifest("aa", "1"), &["usr/a=1", "usr/gone/b=1", "usr/z=1"])], &[]).unwrap();
    let target = it.root().join("usr/z");
    let next = it.package(manifest("aa", "2"), &["usr/a=2", "usr/fresh/c=2", "usr/z=2"]);
    let error = it.change_with(vec![next], &[], &Options::default(), &Saboteur(&target)).unwrap_err();
    assert!(error.to_string().contains("usr/z"), "{error}");
    assert_eq!((it.read("usr/a").unwrap().as_str(), it.read("usr/gone/b").unwrap().as_str()), ("1", "1"));
    assert!(!it.root().join("usr/fresh").exists());
    assert_eq!(Database::new(&it.root()).records().unwrap()["aa"].manifest.version.as_str(), "1");
}

#[test]
fn a_scriptlet_that_fails_takes_the_transaction_back() {
    let Ok(root) = Root::new(Path::new("/")) else { return };
    assert!(root.is_system());
    for moment in [Moment::BeforeInstall, Moment::AfterInstall] {
        let it = Fixture::new();
        it.change(vec![it.package(manifest("aa", "1"), &["usr/a=1"])], &[]).unwrap();
        let before = snapshot(&it.root());
        let mut next = manifest("aa", "2");
        // In a tree without programs nothing can be run: that fails too.
        next.scriptlets.insert(moment, Scriptlet { interpreter: "/bin/sh".into(), script: "exit 1".into(), rights: BTreeSet::new() });
        let error = it.change(vec![it.package(next, &["usr/a=2", "usr/b=2"])], &[]).unwrap_err();
        assert!(matches!(&error, TransactionError::Script { moment: failed, .. } if *failed == moment), "{error}");
        assert_eq!(snapshot(&it.root()), before);
    }
}

#[test]
fn one_at_a_time_and_cancellable() {
    struct Impatient;
    impl Observer for Impatient {
        fn cancelled(&self) -> bool {
            true
        }
    }
    let it = Fixture::new();
    let root = it.root();
    {
        let _tree = Tree::open(&root, &Silent).unwrap();
        match Tree::open(&root, &Silent).map(|_| ()) {
            Err(TransactionError::Database(DatabaseError::Locked { pid })) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
    }
    let result = it.change_with(vec![it.package(manifest("aa", "1"), &["usr/a=1"])], &[], &Options::default(), &Impatient);
    assert!(matches!(result, Err(TransactionError::Cancelled)), "{result:?}");
    assert!(it.read("usr/a").is_none());
}

// ---- crashes ----

/// Kills its own process at a certain step.
struct Killer {
    at: Option<usize>,
    steps: AtomicUsize,
}

impl Observer for Killer {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Step { .. }) && Some(self.steps.fetch_add(1, Ordering::Relaxed)) == self.at {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::thread::sleep(Duration::from_secs(60));
        }
    }
}

const OLD: &str = "old";
const NEW: &str = "new";

/// Two sets of packages: files change, come, go, move from one package to another, and folders with them.
fn worlds(at: &Path) -> [Vec<PathBuf>; 2] {
    let set = |name: &str| {
        let folder = at.join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    let (old, new) = (set(OLD), set(NEW));
    let takes_over = || {
        let mut it = manifest("second", "2");
        it.replaces.push("first".parse().unwrap());
        it
    };
    let many: Vec<String> = (0..12).map(|it| format!("usr/share/data/{it}=")).collect();
    let data = |text: &str| many.iter().map(|it| format!("{it}{}", text.repeat(2000))).collect::<Vec<_>>();
    let (one, two) = (data("1"), data("2"));
    let with = |list: &[&'static str], data: &[String]| list.iter().map(|it| (*it).to_owned()).chain(data.iter().cloned()).collect::<Vec<_>>();
    let pack = |at: &Path, manifest: Manifest, files: Vec<String>| build(at, manifest, &files.iter().map(String::as_str).collect::<Vec<_>>());
    [
        vec![
            pack(&old, manifest("first", "1"), with(&["usr/", "usr/bin/", "usr/bin/a=1", "usr/bin/b->a", "usr/moves=1", "usr/only/old/x=1"], &one)),
            pack(&old, manifest("second", "1"), with(&["usr/", "usr/s=1", "usr/t==usr/s"], &[])),
            pack(&old, manifest("third", "1"), with(&["opt/third/x=1", "opt/third/y=1"], &[])),
        ],
        vec![
            pack(&new, manifest("first", "2"), with(&["usr/", "usr/bin/", "usr/bin/a=2", "usr/bin/b->/usr/bin/a", "usr/only/new/x=2"], &two)),
            pack(&new, takes_over(), with(&["usr/", "usr/s=2", "usr/t=2", "usr/moves=2"], &[])),
            pack(&new, manifest("fourth", "1"), with(&["opt/fourth/x=1", "opt/fourth/y->x"], &[])),
        ],
    ]
}

fn switch(at: &Path, to: &str, observer: &dyn Observer) -> Result<(), TransactionError> {
    let root = Root::new(&at.join("root")).unwrap();
    let (tree, _) = Tree::open(&root, observer)?;
    let incoming: Vec<PathBuf> = fs::read_dir(at.join(to)).unwrap().map(|it| it.unwrap().path()).collect();
    let gone = BTreeSet::from([if to == NEW { "third" } else { "fourth" }.to_owned()]);
    let mut incoming: Vec<Incoming> = incoming.iter().map(|it| open(it)).collect();
    incoming.sort_by_key(|it| it.package.header().manifest.name.clone());
    tree.change(incoming, &gone, &Policy::default(), &Options::default()).map(drop)
}

/// Not a test of its own: the process that is killed.
#[test]
fn crash_child() {
    let Ok(at) = std::env::var("GPM_TEST_AT") else { return };
    let step = std::env::var("GPM_TEST_STEP").ok().and_then(|it| it.parse().ok());
    let killer = Killer { at: step, steps: AtomicUsize::new(0) };
    if let Err(error) = switch(Path::new(&at), &std::env::var("GPM_TEST_TO").unwrap(), &killer) {
        eprintln!("{error}");
        std::process::exit(3);
    }
}

fn child(at: &Path, to: &str, step: Option<usize>) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "transaction::tests::crash_child", "--nocapture", "--test-threads=1"]).stdout(Stdio::null());
    command.env("GPM_TEST_AT", at).env("GPM_TEST_TO", to);
    if let Some(step) = step {
        command.env("GPM_TEST_STEP", step.to_string());
    }
    command.spawn().unwrap()
}

/// The snapshots of both worlds, and a tree that is the old one.
fn prepare(at: &Path) -> [BTreeMap<String, String>; 2] {
    fs::create_dir_all(at.join("root")).unwrap();
    worlds(at);
    let root = Root::new(&at.join("root")).unwrap();
    let seen = |to| {
        switch(at, to, &Silent).unwrap();
        snapshot(&root)
    };
    let first = seen(OLD);
    let new = seen(NEW);
    let old = seen(OLD);
    assert!(first == old && old != new);
    [old, new]
}

/// Recovers, and tells which of the two the tree is.
fn recovered(at: &Path, worlds: &[BTreeMap<String, String>; 2]) -> usize {
    let root = Root::new(&at.join("root")).unwrap();
    drop(Tree::open(&root, &Silent).unwrap());
    let now = snapshot(&root);
    if let Some(which) = worlds.iter().position(|it| *it == now) {
        return which;
    }
    let differences: Vec<String> = worlds.iter().map(|it| {
        let keys: BTreeSet<&String> = it.keys().chain(now.keys()).collect();
        format!("{:?}", keys.into_iter().filter(|key| it.get(*key) != now.get(*key)).collect::<Vec<_>>())
    }).collect();
    panic!("neither the old system nor the new one; differences: {differences:#?}");
}

#[test]
fn a_kill_at_each_step_leaves_the_old_or_the_new_system() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let worlds = prepare(at);
    let (mut step, mut seen) = (0, [0, 0]);
    loop {
        let status = child(at, NEW, Some(step)).wait().unwrap();
        let which = recovered(at, &worlds);
        seen[which] += 1;
        if status.success() {
            assert_eq!(which, 1);
            break;
        }
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
        if which == 1 {
            switch(at, OLD, &Silent).unwrap();
        }
        step += 1;
    }
    assert!(step > 60 && seen[0] > 20 && seen[1] > 20, "{step} steps, {seen:?}");
}

/// `GPM_KILLS` of them, 200 where it is not set. Only those count that hit the process before its end, at work or just begun.
#[test]
fn random_kills_leave_the_old_or_the_new_system() {
    let wanted = std::env::var("GPM_KILLS").ok().map_or(200, |it| it.parse::<usize>().expect("GPM_KILLS is a number"));
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let worlds = prepare(at);
    let begin = Instant::now();
    assert!(child(at, NEW, None).wait().unwrap().success());
    let whole = begin.elapsed();
    let (mut state, mut random, mut tried) = (1, 0x9e37_79b9_7f4a_7c15u64, 0);
    let (mut killed, mut left) = (0, [0, 0]);
    while killed < wanted {
        tried += 1;
        assert!(tried <= 20 * wanted + 100, "{killed} of {tried} were killed");
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let to = if state == 1 { OLD } else { NEW };
        let mut running = child(at, to, None);
        std::thread::sleep(whole.mul_f64((random % 1000) as f64 / 1000.0));
        let _ = running.kill();
        let is_killed = running.wait().unwrap().code().is_none();
        // Now and then the recovery is killed too.
        if random % 3 == 0 {
            let mut again = child(at, to, Some((random >> 20) as usize % 40));
            again.wait().unwrap();
        }
        let before = state;
        state = recovered(at, &worlds);
        if is_killed {
            killed += 1;
            left[usize::from(state != before)] += 1;
        }
    }
    eprintln!("{killed} of {tried} were killed; {} left the system that was, {} the one that was to be", left[0], left[1]);
    assert!(wanted < 50 || left.iter().all(|it| *it > 0), "all kills came at the same time: {left:?}");
}

/// Runs the child on a filesystem of its own that is too small, or read-only. Needs user namespaces.
#[test]
fn a_full_disk_and_a_read_only_one_lose_nothing() {
    let probe = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|it| it.success()) {
        eprintln!("no user namespaces here: not tested");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    prepare(at);
    let run = |options: &str, after: &str| {
        let exe = std::env::current_exe().unwrap();
        let script = format!(
            "set -e; cp -a root keep; mount -t tmpfs -o size=700k,{options} none root; cp -a keep/. root/; {after}; \
             {} --exact transaction::tests::crash_child --nocapture 2>&1 >/dev/null || true; diff -r --no-dereference -x lock keep root && echo same",
            exe.display()
        );
        let output = Command::new("unshare").args(["-rm", "sh", "-c", &script]).current_dir(at).env("GPM_TEST_AT", at).env("GPM_TEST_TO", NEW).output();
        let output = output.unwrap();
        fs::remove_dir_all(at.join("keep")).unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let full = run("mode=755", "head -c 10m /dev/zero > root/filler 2>/dev/null || true; cp root/filler keep/");
    assert!(full.contains("the disk is full") && full.ends_with("same\n"), "{full}");
    // The check beforehand is passed, and the room ends in the middle: folders and links count too.
    let inodes = run("mode=755,nr_inodes=75", "true");
    assert!(inodes.contains("No space left on device") && inodes.ends_with("same\n"), "{inodes}");
    let read_only = run("mode=755", "mount -o remount,ro none root");
    assert!(read_only.contains("Read-only file system") && read_only.ends_with("same\n"), "{read_only}");
}

#[test]
fn triggers_run_once_after_all_changes() {
    struct Listener(Mutex<Vec<String>>);
    impl Observer for Listener {
        fn event(&self, event: &Event<'_>) {
            if let Event::Script { package, moment: None } = event {
                self.0.lock().unwrap().push((*package).to_owned());
            }
        }
    }
    let it = Fixture::new();
    let mut owner = manifest("owner", "1");
    owner.triggers.push(crate::manifest::Trigger { paths: vec!["/usr/lib".into()], scriptlet: sandbox::known("ldconfig").unwrap() });
    it.change(vec![it.package(owner, &["usr/owner=1"])], &[]).unwrap();
    let listener = Listener(Mutex::default());
    let both = vec![it.package(manifest("aa", "1"), &["usr/lib/a.so=1"]), it.package(manifest("bb", "1"), &["usr/lib/b.so=1"])];
    it.change_with(both, &[], &Options::default(), &listener).unwrap();
    it.change_with(vec![it.package(manifest("cc", "1"), &["usr/libexec=1"])], &[], &Options::default(), &listener).unwrap();
    assert_eq!(*listener.0.lock().unwrap(), ["owner"]);
}

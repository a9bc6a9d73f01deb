//! Installing twenty packages into an empty tree: gpm, pacman and dpkg, with the same files, one after the other, several times.
//!
//! No package has scripts or needs another, so that what is measured is the same work: reading packages that are there already, checking
//! them, laying out their files, writing down what is installed. What each does beyond that is its own: gpm checks a SHA-512 of each package
//! and makes the whole a transaction, for which it waits for the disk before the switch (not with `--no-sync`); dpkg waits for the disk for the files of
//! each package (not with `--force-unsafe-io`) and for its database (always); pacman checks a SHA-256 of each package and waits for nothing.
//! So the time until all is on the disk is measured too.
//!
//! Each runs on a new filesystem: on an old one a file's making would also pay for what an earlier run has deleted. And each runs with a
//! priority above all ordinary processes, so that what else the machine has to do counts little.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gpm::digest::Digest;

use crate::{children_time, print};

/// What a person may want on a new machine: programs, small and large files, many and few.
const PACKAGES: [&str; 20] = [
    "bash-completion", "cmake-data", "curl", "fonts-dejavu-core", "gdb", "git", "htop", "jq", "less", "libnode108", "libpython3.11-stdlib",
    "nano", "openssh-client", "python3-pip", "python3.11-minimal", "rsync", "tmux", "vim", "vim-runtime", "wget",
];
const VERSION: &str = "1-1";
/// How hard Zstandard tries, for all; gpm's own level.
const LEVEL: &str = "12";
const ROUNDS: usize = 5;
/// Of the disk.
const DISK: u64 = 2 << 30;

/// Who installs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Program {
    Gpm,
    GpmNoSync,
    Pacman,
    Dpkg,
    DpkgUnsafe,
    DpkgZstdUnsafe,
}

use Program::{Dpkg, DpkgUnsafe, DpkgZstdUnsafe, Gpm, GpmNoSync, Pacman};

impl Program {
    const ALL: [Program; 6] = [Gpm, Pacman, Dpkg, GpmNoSync, DpkgUnsafe, DpkgZstdUnsafe];

    fn name(self) -> &'static str {
        match self {
            Gpm => "gpm",
            GpmNoSync => "gpm --no-sync",
            Pacman => "pacman",
            Dpkg => "dpkg",
            DpkgUnsafe => "dpkg --force-unsafe-io",
            DpkgZstdUnsafe => "dpkg --force-unsafe-io, packages by zstd",
        }
    }

    /// The tree that it begins with.
    fn template(self) -> &'static str {
        match self {
            Gpm | GpmNoSync => "template-gpm",
            Pacman => "template-pacman",
            _ => "template-dpkg",
        }
    }
}

/// What one run took.
#[derive(Clone, Copy)]
struct Took {
    /// Processor time of it and its children.
    processor: Duration,
    /// Until it had ended.
    passed: Duration,
    /// Until all was on the disk.
    durable: Duration,
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}

fn shell(folder: &Path, script: &str, words: &[&str]) -> String {
    run(Command::new("bash").args(["-euo", "pipefail", "-c", script, "bash"]).args(words).current_dir(folder))
}

fn gpm(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpm"));
    command.current_dir(folder);
    command
}

/// Writes what is on its way to a folder's disk.
fn sync(folder: &Path) {
    run(Command::new("sync").arg("--file-system").arg(folder));
}

/// The packages' files, each in a folder of its own.
fn fetch(folder: &Path) {
    for name in PACKAGES {
        let tree = folder.join("trees").join(name);
        if !tree.exists() {
            let part = folder.join("part");
            let _ = fs::remove_dir_all(&part);
            fs::create_dir_all(part.join("tree")).unwrap();
            fs::create_dir_all(folder.join("trees")).unwrap();
            eprintln!("fetching {name}");
            shell(&part, "apt-get -qq download \"$1\" >&2; dpkg-deb --extract ./*.deb tree", &[name]);
            fs::rename(part.join("tree"), tree).unwrap();
        }
    }
}

/// Packages of all three kinds, of the same files and with the same modes, and the trees that installing begins with.
fn build(folder: &Path) {
    for name in ["gpm", "pacman", "deb-xz", "deb-zstd", "template-gpm", "template-pacman/var/lib/pacman", "template-dpkg/var/lib/dpkg"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let mut packages = Vec::new();
    for name in PACKAGES {
        let tree = folder.join("trees").join(name);
        let manifest = format!("name = \"{name}\"\nversion = \"{VERSION}\"\narchitecture = \"x86_64\"\nsummary = \"{name}\"\nlicence = \"MIT\"\n");
        fs::write(folder.join("gpm/package.toml"), manifest).unwrap();
        if packages.is_empty() {
            run(gpm(folder).args(["repo", "init", "gpm/repo", "--keys", "gpm/keys"]));
        }
        let built = run(gpm(&folder.join("gpm")).args(["build", "package.toml"]).arg(&tree).args(["--key", "keys/package.key", "--source-date", "4102444800"]));
        packages.push(folder.join("gpm").join(built.trim()));

        let info = format!("pkgname = {name}\npkgbase = {name}\npkgver = {VERSION}\npkgdesc = {name}\nurl = https://example.org\nbuilddate = 1700000000\npackager = Nobody\nsize = $size\narch = x86_64\nlicense = MIT\n");
        let archive = r#"
            cp --archive --reflink=auto "$1" tree; cd tree
            size=$(du --summarize --bytes . | cut -f1); printf '%s' "${2/\$size/$size}" >.PKGINFO
            LANG=C bsdtar -czf .MTREE --format=mtree --options='!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link' --uid 0 --gid 0 .PKGINFO *
            LANG=C bsdtar -cf - --uid 0 --gid 0 --uname root --gname root .MTREE .PKGINFO * | zstd -q -"$3" -o "../$4"
            cd ..; rm -r tree"#;
        let file = format!("{name}-{VERSION}-x86_64.pkg.tar.zst");
        shell(&folder.join("pacman"), archive, &[tree.to_str().unwrap(), &info, LEVEL, &file]);

        let control = format!("Package: {name}\nVersion: {VERSION}\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: {name}\n");
        let debian = r#"
            cp --archive --reflink=auto "$1" tree; cd tree
            mkdir DEBIAN.new; find . -path ./DEBIAN.new -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN.new/md5sums
            printf '%s' "$2" >DEBIAN.new/control; mv DEBIAN.new DEBIAN; cd ..
            dpkg-deb --root-owner-group -Zxz --build tree "deb-xz/$4" >/dev/null
            dpkg-deb --root-owner-group -Zzstd -z"$3" --build tree "deb-zstd/$4" >/dev/null
            rm -r tree"#;
        shell(folder, debian, &[tree.to_str().unwrap(), &control, LEVEL, &format!("{name}_{VERSION}_amd64.deb")]);
    }
    run(gpm(folder).args(["repo", "add", "gpm/repo", "--keys", "gpm/keys"]).args(&packages));
    let template = folder.join("template-gpm");
    let url = format!("file://{}", folder.join("gpm/repo").display());
    run(gpm(folder).arg("--root").arg(&template).args(["repo", "trust", "stable", &url, "--root-file", "gpm/repo/metadata/1.root.json"]));
    run(gpm(folder).arg("--root").arg(&template).arg("update"));
    // As others have their packages in a cache, so has gpm.
    let first = folder.join("first");
    run(Command::new("cp").arg("--archive").arg(&template).arg(&first));
    run(gpm(folder).arg("--root").arg(&first).args(["install", "--yes"]).args(PACKAGES));
    fs::create_dir_all(template.join("var/cache")).unwrap();
    fs::rename(first.join("var/cache/gpm"), template.join("var/cache/gpm")).unwrap();
    fs::remove_dir_all(first).unwrap();

    shell(&folder.join("pacman"), "repo-add --quiet bench.db.tar.gz ./*.pkg.tar.zst >/dev/null 2>&1", &[]);
    let server = folder.join("pacman");
    let configuration = format!("[options]\nArchitecture = x86_64\nSigLevel = Never\n[bench]\nServer = file://{}\n", server.display());
    fs::write(server.join("pacman.conf"), configuration).unwrap();
    run(pacman(folder, &folder.join("template-pacman")).arg("-Sy"));
    shell(&folder.join("template-dpkg/var/lib/dpkg"), "mkdir info updates triggers parts; touch status available", &[]);
}

fn pacman(folder: &Path, root: &Path) -> Command {
    let mut command = Command::new("pacman");
    command.args(["--noconfirm", "--noprogressbar", "--disable-download-timeout", "--root"]).arg(root);
    command.arg("--config").arg(folder.join("pacman/pacman.conf")).arg("--cachedir").arg(folder.join("pacman")).arg("--dbpath").arg(root.join("var/lib/pacman"));
    command.arg("--logfile").arg(root.join("var/lib/pacman/log"));
    command
}

fn installation(program: Program, folder: &Path, root: &Path) -> Command {
    match program {
        Gpm | GpmNoSync => {
            let mut command = gpm(folder);
            command.arg("--root").arg(root).args(["install", "--yes"]).args((program == GpmNoSync).then_some("--no-sync")).args(PACKAGES);
            command
        }
        Pacman => {
            let mut command = pacman(folder, root);
            command.arg("-S").args(PACKAGES);
            command
        }
        _ => {
            let debs = folder.join(if matches!(program, Dpkg | DpkgUnsafe) { "deb-xz" } else { "deb-zstd" });
            let mut command = Command::new("dpkg");
            command.arg(format!("--root={}", root.display())).args(matches!(program, DpkgUnsafe | DpkgZstdUnsafe).then_some("--force-unsafe-io"));
            command.arg("--install").args(PACKAGES.map(|name| debs.join(format!("{name}_{VERSION}_amd64.deb"))));
            command
        }
    }
}

/// All files of a tree but what the programs keep for themselves.
fn files(root: &Path, contents: bool) -> BTreeMap<PathBuf, String> {
    fn walk(root: &Path, at: &Path, contents: bool, found: &mut BTreeMap<PathBuf, String>) {
        for item in fs::read_dir(at).unwrap() {
            let path = item.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            let is_in = |list: &[&str]| list.iter().any(|it| name == Path::new(it));
            if is_in(&["var/lib/gpm", "var/cache/gpm", "etc/gpm", "var/lib/pacman", "var/lib/dpkg"]) {
                continue;
            }
            // Folders of the templates may be there without any package that has them.
            if is_in(&["etc", "var", "var/lib", "var/cache", "var/log"]) {
                walk(root, &path, contents, found);
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            let (mode, owner) = (metadata.mode(), (metadata.uid(), metadata.gid()));
            let what = if metadata.is_symlink() {
                format!("{owner:?} -> {}", fs::read_link(&path).unwrap().display())
            } else if metadata.is_dir() {
                walk(root, &path, contents, found);
                format!("{owner:?} {mode:o}")
            } else {
                let digest = contents.then(|| Digest::of(&fs::read(&path).unwrap()).to_string()).unwrap_or_default();
                format!("{owner:?} {mode:o} {} {} {digest}", metadata.len(), metadata.mtime())
            };
            found.insert(name, what);
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, contents, &mut found);
    found
}

/// A new filesystem in a file, mounted.
struct Disk(PathBuf);

impl Disk {
    fn new(folder: &Path) -> Disk {
        let (image, place) = (folder.join("disk.img"), folder.join("root"));
        let _ = fs::remove_file(&image);
        fs::File::create(&image).and_then(|file| file.set_len(DISK)).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"]).arg(&image));
        fs::create_dir_all(&place).unwrap();
        run(Command::new("mount").args(["-o", "loop"]).args([&image, &place]));
        Disk(place)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Installs on a new disk, and has the result looked at.
fn once(program: Program, folder: &Path, look: impl FnOnce(&Path)) -> Took {
    let disk = Disk::new(folder);
    let root = &disk.0;
    run(Command::new("cp").arg("--archive").arg(folder.join(program.template()).join(".")).arg(root));
    fs::remove_dir(root.join("lost+found")).unwrap();
    sync(root);
    let (processor, watch) = (children_time(), Instant::now());
    let installation = installation(program, folder, root);
    run(Command::new("chrt").args(["--fifo", "1"]).arg(installation.get_program()).args(installation.get_args()).current_dir(folder));
    let passed = watch.elapsed();
    let processor = children_time() - processor;
    sync(root);
    let durable = watch.elapsed();
    look(root);
    Took { processor, passed, durable }
}

fn median(mut list: Vec<f64>) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

/// Panics where the programs leave other files than each other.
pub fn measure() {
    // SAFETY: no memory.
    assert!(unsafe { libc::geteuid() } == 0, "packages are installed with their owners: this needs root");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
    fs::create_dir_all(&folder).unwrap();
    fetch(&folder);
    let work = folder.join("work");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).unwrap();
    symlink(folder.join("trees"), work.join("trees")).unwrap();
    eprintln!("building the packages");
    build(&work);
    let (mut expected, mut bytes) = (None, 0);
    for program in Program::ALL {
        let mut found = BTreeMap::new();
        once(program, &work, |root| {
            found = files(root, true);
            bytes = found.keys().filter_map(|it| fs::symlink_metadata(root.join(it)).ok()).filter(|it| it.is_file()).map(|it| it.len()).sum::<u64>();
        });
        assert!(found.len() > 1000, "{} has left {} files", program.name(), found.len());
        let expected = expected.get_or_insert_with(|| found.clone());
        let names: std::collections::BTreeSet<&PathBuf> = expected.keys().chain(found.keys()).collect();
        let other: Vec<_> = names.into_iter().filter(|it| expected.get(*it) != found.get(*it)).map(|it| (it, expected.get(it), found.get(it))).collect();
        assert!(other.is_empty(), "{} leaves other files than gpm: {:#?}", program.name(), &other[..other.len().min(20)]);
    }
    let expected = expected.unwrap_or_default();
    let mut took: BTreeMap<Program, Vec<Took>> = BTreeMap::new();
    for round in 0..ROUNDS {
        // Each is the first now and then.
        let turn = Program::ALL.iter().cycle().skip(round).take(Program::ALL.len());
        for &program in turn {
            let check = |root: &Path| assert_eq!(files(root, false).len(), expected.len(), "{}", program.name());
            took.entry(program).or_default().push(once(program, &work, check));
        }
        eprintln!("round {} of {ROUNDS}", round + 1);
    }
    fs::remove_dir_all(&work).unwrap();
    print("install: files", "files", expected.len() as f64, None);
    print("install: their size", "MB", bytes as f64 / 1e6, None);
    type Measure = fn(&Took) -> Duration;
    let measures: [(&str, Measure); 3] = [("processor time", |it| it.processor), ("passed", |it| it.passed), ("until all is on the disk", |it| it.durable)];
    let pairs = [(Gpm, Pacman), (Gpm, Dpkg), (GpmNoSync, Pacman), (GpmNoSync, DpkgUnsafe), (GpmNoSync, DpkgZstdUnsafe)];
    for (ours, theirs) in pairs {
        for (what, measure) in measures {
            let seconds = |program: Program| took[&program].iter().map(|it| measure(it).as_secs_f64()).collect::<Vec<_>>();
            let (ours_list, theirs_list) = (seconds(ours), seconds(theirs));
            let mut ratios: Vec<f64> = theirs_list.iter().zip(&ours_list).map(|(theirs, ours)| theirs / ours).collect();
            ratios.sort_by(f64::total_cmp);
            let name = format!("install: {}, by {}: {what}", ours.name(), theirs.name());
            eprintln!("{name}: {:.2} times as fast ({:.2} to {:.2})", median(ratios.clone()), ratios[0], ratios[ratios.len() - 1]);
            print(&name, "s", median(ours_list), Some(median(theirs_list)));
        }
    }
}

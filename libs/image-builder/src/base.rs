//! The root tree: Debian's packages, what their maintainer scripts would do, and our own files and programs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use glob::Pattern;
use gpm::xattr::Xattrs;

use crate::certificates;
use crate::debian::fetch::Fetched;
use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::packages::{self, Descriptions};
use crate::recipe::{Generated, Program, Recipe, Target, Trim};
use crate::report::Report;
use crate::tree::{Content, Entry, Kind, Tree};

/// Links that are there before the packages, which ship files below both names: Debian 12's merged `/usr`, and `/run`.
const LINKS: [(&str, &str, &str); 6] = [
    ("bin", "usr/bin", "usr/bin"),
    ("sbin", "usr/sbin", "usr/sbin"),
    ("lib", "usr/lib", "usr/lib"),
    ("lib64", "usr/lib64", "usr/lib64"),
    ("var/run", "run", "../run"),
    ("var/lock", "run/lock", "../run/lock"),
];

/// Unpacks packages, trims them and adds the recipes' files: everything of the root but our own programs.
pub(crate) fn assemble(
    fetched: &[Fetched],
    recipes: &[Recipe],
    trim: &Trim,
    report: &Report,
) -> Result<Tree> {
    let mut tree = Tree::default();
    report.step(format!("unpacking {} Debian packages", fetched.len()));
    if recipes.iter().any(|recipe| recipe.name == packages::BASE) {
        tree.own(packages::BASE);
    }
    for (link, directory, target) in LINKS {
        tree.insert(directory, Entry::new(Kind::Directory, 0o755, 0))?;
        tree.insert(link, Entry::new(Kind::Symlink(target.into()), 0o777, 0))?;
    }
    let trim = Filter::new(trim)?;
    for Fetched { package, path } in fetched {
        tree.own(&package.name);
        unpack(path, &mut tree, |_| true)?;
    }
    tree.retain(|path| trim.keeps(path));
    let time = tree
        .iter()
        .map(|(_, entry)| entry.mtime)
        .max()
        .unwrap_or_default();
    for (link, directory, _) in LINKS {
        for path in [link, directory] {
            if let Some(entry) = tree.get_mut(path) {
                entry.mtime = time;
            }
        }
    }
    for recipe in recipes {
        tree.own(&recipe.name);
        install(recipe, time, &mut tree)?;
    }
    // What is made from all packages is the edition's own.
    tree.owners.current = None;
    cache_libraries(&mut tree, time)?;
    certificates::bundle(&mut tree, time)?;
    Ok(tree)
}

/// Unpacks the members of a .deb that `wanted` says (by path without leading `./`) into the tree.
pub(crate) fn unpack(deb: &Path, tree: &mut Tree, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let fail = |reason: String| Error::Command {
        command: format!("dpkg-deb --fsys-tarfile {}", deb.display()),
        reason,
    };
    let mut child = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| fail(error.to_string()))?;
    let Some(output) = child.stdout.take() else {
        return Err(fail("no output".into()));
    };
    let mut archive = tar::Archive::new(std::io::BufReader::with_capacity(1 << 17, output));
    for member in archive.entries().on("read", deb)? {
        let mut member = member.on("read", deb)?;
        let path = String::from_utf8_lossy(&member.path_bytes())
            .trim_start_matches("./")
            .to_owned();
        if !wanted(&path) {
            continue;
        }
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut member, &mut bytes).on("read", deb)?;
        tree.insert_member(&mut member, Content::from(bytes), deb)?;
    }
    drop(archive);
    let status = child.wait().map_err(|error| fail(error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(fail(status.to_string()))
    }
}

/// Puts one file of a .deb at another path of the tree, with its mode and time.
pub(crate) fn extract(deb: &Path, file: &str, path: &str, tree: &mut Tree) -> Result<()> {
    let file = file.trim_start_matches('/');
    let mut found = Tree::default();
    unpack(deb, &mut found, |inside| inside == file)?;
    match found.get(file) {
        Some(
            entry @ Entry {
                kind: Kind::File(_),
                ..
            },
        ) => tree.insert(path, entry.clone()),
        _ => Err(Error::Packages(format!(
            "{} holds no file /{file}",
            deb.display()
        ))),
    }
}

/// What of the packages stays.
struct Filter {
    remove: Vec<Pattern>,
    keep: Vec<Pattern>,
}

impl Filter {
    fn new(trim: &Trim) -> Result<Self> {
        let compile = |patterns: &[String]| {
            let pattern = |text: &String| {
                Pattern::new(text)
                    .map_err(|error| Error::config("filesystem.toml", format!("{text}: {error}")))
            };
            patterns.iter().map(pattern).collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            remove: compile(&trim.remove)?,
            keep: compile(&trim.keep)?,
        })
    }

    fn keeps(&self, path: &str) -> bool {
        let options = glob::MatchOptions {
            require_literal_separator: true,
            ..Default::default()
        };
        let hit = |patterns: &[Pattern], path: &str| {
            patterns
                .iter()
                .any(|pattern| pattern.matches_with(path, options))
        };
        // A pattern that hits a directory takes what is below it.
        let parents = path
            .match_indices('/')
            .map(|(end, _)| &path[..end])
            .chain([path]);
        !parents.clone().any(|parent| hit(&self.remove, parent)) || hit(&self.keep, path)
    }
}

/// Puts a recipe's own files for the initfs into its tree.
pub(crate) fn add_initfs_files(recipe: &Recipe, target: Target, tree: &mut Tree) -> Result<()> {
    let files = recipe.folder.join(target.to_string());
    if files.is_dir() { copy_folder(&files, "", 0, tree) } else { Ok(()) }
}

/// Puts a recipe's own files, directories, links and permissions into the tree.
fn install(recipe: &Recipe, time: u64, tree: &mut Tree) -> Result<()> {
    for directory in &recipe.directory {
        let entry = Entry {
            kind: Kind::Directory,
            mode: directory.mode.0,
            uid: directory.uid,
            gid: directory.gid,
            mtime: time,
            xattrs: Xattrs::new(),
        };
        tree.insert(&directory.path, entry)?;
    }
    let files = recipe.folder.join("files");
    if files.is_dir() {
        copy_folder(&files, "", time, tree)?;
    }
    for symlink in &recipe.symlink {
        tree.insert(
            &symlink.path,
            Entry::new(Kind::Symlink(symlink.target.clone()), 0o777, time),
        )?;
    }
    for permission in &recipe.permission {
        let path = permission.path.trim_start_matches('/');
        let Some(entry) = tree.get_mut(path) else {
            let file = recipe.folder.join("recipe.toml");
            return Err(Error::config(
                file,
                format!(
                    "sets permissions of {}, which is not there",
                    permission.path
                ),
            ));
        };
        (entry.mode, entry.uid, entry.gid) = (permission.mode.0, permission.uid, permission.gid);
        if let Some(text) = &permission.capabilities {
            let is_file = matches!(entry.kind, Kind::File(_));
            let Some(value) = gpm::capabilities::parse(text).filter(|_| is_file) else {
                let file = recipe.folder.join("recipe.toml");
                let why = if is_file { "are none that setcap(8) would take" } else { "are for files" };
                return Err(Error::config(file, format!("the capabilities {text:?} of {} {why}", permission.path)));
            };
            entry.xattrs.insert(gpm::xattr::CAPABILITY.to_owned(), value);
        }
    }
    Ok(())
}

/// Copies a folder of the repository: root's, mode 755 where the owner may execute, else 644 (git keeps no more).
fn copy_folder(folder: &Path, prefix: &str, time: u64, tree: &mut Tree) -> Result<()> {
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).on("read", folder)? {
        names.push(entry.on("read", folder)?.path());
    }
    names.sort();
    for path in names {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(Error::config(path, "the name is not UTF-8"));
        };
        let inside = format!("{prefix}/{name}");
        let metadata = fs::symlink_metadata(&path).on("examine", &path)?;
        if metadata.is_dir() {
            // One that is there keeps its owner and mode.
            if !matches!(
                tree.get(inside.trim_start_matches('/')),
                Some(Entry {
                    kind: Kind::Directory,
                    ..
                })
            ) {
                tree.insert(&inside, Entry::new(Kind::Directory, 0o755, time))?;
            }
            copy_folder(&path, &inside, time, tree)?;
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).on("read", &path)?;
            tree.insert(
                &inside,
                Entry::new(
                    Kind::Symlink(target.to_string_lossy().into_owned()),
                    0o777,
                    time,
                ),
            )?;
        } else {
            let mode = if metadata.permissions().mode() & 0o100 == 0 {
                0o644
            } else {
                0o755
            };
            let bytes = fs::read(&path).on("read", &path)?;
            tree.insert(&inside, Entry::new(Kind::File(bytes.into()), mode, time))?;
        }
    }
    Ok(())
}

/// Puts the workspace's programs into the tree, without debug information (their symbols stay, for backtraces). `built` maps
/// binary names to host files; a program that it lacks is left out, and said. Stripped copies are kept in `stripped`. They have the time of
/// their building where none is given.
pub(crate) fn add_programs<'p>(
    programs: impl Iterator<Item = &'p Program>,
    built: &BTreeMap<String, PathBuf>,
    stripped: &Path,
    time: Option<u64>,
    tree: &mut Tree,
    report: &Report,
) -> Result<()> {
    for program in programs {
        let Some(path) = built.get(program.binary()) else {
            report.notice(format!(
                "{} is not built: the image goes without {}",
                program.binary(),
                program.path
            ));
            continue;
        };
        let metadata = fs::metadata(path).on("examine", path)?;
        let modified = metadata.modified().on("examine", path)?;
        let mtime = time.unwrap_or_else(|| {
            modified
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        });
        let copy = stripped.join(program.binary());
        let mut key = host::Key::new("strip");
        key.add_file(path)?;
        host::make_once(&copy, &key.finish(), |temporary| {
            let mut command = Command::new("strip");
            host::run(
                command
                    .arg("--strip-debug")
                    .arg("-o")
                    .arg(temporary)
                    .arg(path),
            )
            .map(|_| ())
        })?;
        tree.insert(
            &program.path,
            Entry::new(Kind::File(Content::Host(copy)), program.mode(), mtime),
        )?;
    }
    Ok(())
}

/// Runs a program that writes files about itself; one that is not built has none.
pub(crate) fn generate(generated: &Generated, built: &BTreeMap<String, PathBuf>, time: u64, tree: &mut Tree) -> Result<()> {
    let Some(program) = built.get(&generated.program) else { return Ok(()) };
    let folder = tempfile::tempdir().on("create", Path::new("a temporary directory"))?;
    host::run(Command::new(program).args(&generated.arguments).arg(folder.path()))?;
    copy_folder(folder.path(), "", time, tree)
}

/// Makes `/etc/ld.so.cache`, as libc-bin's trigger does, by the host's ldconfig (of the same release). It changes its root,
/// which a user may do in a user namespace of their own. Without the cache programs start too, a little slower.
fn cache_libraries(tree: &mut Tree, time: u64) -> Result<()> {
    if tree.get("usr/lib/x86_64-linux-gnu").is_none() || tree.get("etc").is_none() {
        return Ok(());
    }
    let scratch = tempfile::tempdir().on("create", Path::new("a temporary directory"))?;
    let root = scratch.path();
    for (path, entry) in tree.iter() {
        let wanted = path.starts_with("usr/lib/x86_64-linux-gnu/")
            || path.starts_with("etc/ld.so.conf")
            || [
                "etc",
                "usr",
                "usr/lib",
                "usr/lib64",
                "usr/lib/x86_64-linux-gnu",
                "lib",
                "lib64",
            ]
            .contains(&path)
            || path.starts_with("usr/lib64/");
        // ldconfig looks at names with `.so`, and into no subfolders.
        let is_library = path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains(".so"));
        let host_path = root.join(path);
        match &entry.kind {
            Kind::Directory if wanted => fs::create_dir_all(&host_path).on("create", &host_path)?,
            Kind::File(content) if wanted && is_library => {
                fs::write(&host_path, content.read()?).on("write", &host_path)?
            }
            Kind::Symlink(target) if wanted => {
                std::os::unix::fs::symlink(target, &host_path).on("create", &host_path)?
            }
            _ => {}
        }
    }
    let ldconfig = host::program("ldconfig");
    let chroot = |command: &mut Command| host::run(command.arg("-X").arg("-r").arg(root));
    if chroot(&mut Command::new(&ldconfig)).is_err() {
        chroot(
            Command::new("unshare")
                .arg("--map-root-user")
                .arg(&ldconfig),
        )?;
    }
    let made = root.join("etc/ld.so.cache");
    let bytes = fs::read(&made).on("read", &made)?;
    tree.insert(
        "etc/ld.so.cache",
        Entry::new(Kind::File(bytes.into()), 0o644, time),
    )
}

/// A tree as kept in an archive made by an earlier run, or assembled now.
pub(crate) fn cached(
    archive: &Path,
    key: &str,
    assemble: impl FnOnce() -> Result<Tree>,
) -> Result<Tree> {
    host::make_once(archive, key, |temporary| assemble()?.write_tar(temporary))?;
    Tree::from_tar(File::open(archive).on("open", archive)?, archive)
}

/// A tree as by [`cached`] with whose each entry is, and the manifests of Debian's packages: these are kept in a file beside the archive.
pub(crate) fn cached_with_owners(
    archive: &Path,
    key: &str,
    assemble: impl FnOnce() -> Result<(Tree, Descriptions)>,
) -> Result<(Tree, Descriptions)> {
    let beside = host::with_suffix(archive, ".packages.json");
    let malformed = |error| Error::config(&beside, error);
    if !beside.exists() {
        let _ = fs::remove_file(host::with_suffix(archive, ".key"));
    }
    let mut tree = cached(archive, key, || {
        let (tree, manifests) = assemble()?;
        let kept = (&tree.owners.paths, &tree.owners.taken, manifests);
        let text = serde_json::to_vec(&kept).map_err(malformed)?;
        fs::write(&beside, text).on("write", &beside)?;
        Ok(tree)
    })?;
    let text = fs::read(&beside).on("read", &beside)?;
    let manifests;
    (tree.owners.paths, tree.owners.taken, manifests) = serde_json::from_slice(&text).map_err(malformed)?;
    Ok((tree, manifests))
}

/// Adds what the recipes' own files look like to a key.
pub(crate) fn key_of_recipes(recipes: &[Recipe], key: &mut host::Key) -> Result<()> {
    fn folder(path: &Path, key: &mut host::Key) -> Result<()> {
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(path).on("read", path)? {
            entries.push(entry.on("read", path)?.path());
        }
        entries.sort();
        for entry in entries {
            let metadata = fs::symlink_metadata(&entry).on("examine", &entry)?;
            key.add(entry.as_os_str().as_encoded_bytes());
            if metadata.is_dir() {
                folder(&entry, key)?;
            } else if metadata.is_symlink() {
                key.add(
                    fs::read_link(&entry)
                        .on("read", &entry)?
                        .as_os_str()
                        .as_encoded_bytes(),
                );
            } else {
                key.add(metadata.permissions().mode().to_le_bytes())
                    .add(fs::read(&entry).on("read", &entry)?);
            }
        }
        Ok(())
    }
    recipes
        .iter()
        .try_for_each(|recipe| folder(&recipe.folder, key))
}

/// The target names as in recipes, for messages.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Initfs => "initfs",
            Self::Initramfs => "initramfs",
            Self::Live => "live",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_takes_what_is_below_and_spares_what_is_kept() {
        let filter = Filter::new(&Trim {
            remove: vec!["usr/share/doc".into(), "etc/cron.*".into()],
            keep: vec![
                "usr/share/doc".into(),
                "usr/share/doc/*".into(),
                "usr/share/doc/*/copyright".into(),
            ],
        })
        .expect("valid patterns");
        for kept in [
            "usr/share/docs",
            "usr/share/doc/bash",
            "usr/share/doc/bash/copyright",
            "etc/crontab",
            "usr/share",
        ] {
            assert!(filter.keeps(kept), "{kept}");
        }
        for gone in [
            "usr/share/doc/bash/README",
            "usr/share/doc/bash/x/copyright",
            "etc/cron.d",
            "etc/cron.d/x",
        ] {
            assert!(!filter.keeps(gone), "{gone}");
        }
        assert!(
            Filter::new(&Trim {
                remove: vec!["a[".into()],
                keep: vec![]
            })
            .is_err()
        );
    }

    #[test]
    fn a_recipe_sets_owners_of_its_files() {
        let scratch = tempfile::tempdir().expect("temporary directory");
        let recipe = "summary = \"x\"\nlicense = \"MIT\"\n[[directory]]\npath = \"/home/u\"\nmode = \"0750\"\nuid = 7\ngid = 8\n\
                      [[permission]]\npath = \"/home/u/f\"\nmode = \"4711\"\nuid = 7\n[[symlink]]\npath = \"/l\"\ntarget = \"home\"\n";
        let mut recipe: Recipe = toml::from_str(recipe).expect("a valid recipe");
        recipe.folder = scratch.path().to_path_buf();
        fs::create_dir_all(scratch.path().join("files/home/u")).expect("create");
        fs::write(scratch.path().join("files/home/u/f"), "text").expect("write");
        let mut tree = Tree::default();
        install(&recipe, 5, &mut tree).expect("installs");
        let of = |path: &str| {
            tree.get(path)
                .map(|entry| (entry.mode, entry.uid, entry.gid, entry.mtime))
        };
        assert_eq!(
            of("home/u"),
            Some((0o750, 7, 8, 5)),
            "its own files do not reset it"
        );
        assert_eq!(of("home/u/f"), Some((0o4711, 7, 0, 5)));
        assert!(
            matches!(&tree.get("l").map(|entry| &entry.kind), Some(Kind::Symlink(target)) if target == "home")
        );
        recipe.permission[0].path = "/nosuch".into();
        assert!(
            install(&recipe, 5, &mut tree)
                .expect_err("no such file")
                .to_string()
                .contains("/nosuch")
        );
    }
}

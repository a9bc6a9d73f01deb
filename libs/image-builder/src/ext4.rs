//! The root of the Linux reference: a tree as an ext4 image, with owners that the builder's user need not be.
//!
//! `mke2fs -d` copies a folder of the host; what the host's user may not set there (owners, setuid bits) `debugfs` writes into
//! the image afterwards.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::error::{Error, IoContext, Result};
use crate::host;
use crate::tree::{Entry, Kind, Tree};

/// Makes an ext4 image of `size` bytes at `output` (sparse) that holds `tree`.
pub(crate) fn create(output: &Path, size: u64, tree: &Tree) -> Result<()> {
    let parent = output.parent().unwrap_or(Path::new("."));
    let scratch = tempfile::tempdir_in(parent).on("create", parent)?;
    let staging = scratch.path().join("root");
    fs::create_dir(&staging).on("create", &staging)?;
    let user = fs::metadata(&staging).on("examine", &staging)?;
    stage(tree, &staging)?;
    let file = File::create(output).on("create", output)?;
    file.set_len(size).on("enlarge", output)?;
    let mut command = Command::new(host::program("mke2fs"));
    command.args([
        "-q",
        "-F",
        "-t",
        "ext4",
        "-L",
        crate::disk::ROOT_NAME,
        "-m",
        "0",
        "-E",
        "root_owner=0:0",
        "-d",
    ]);
    host::run(command.arg(&staging).arg(output))?;
    let script = scratch.path().join("debugfs");
    fs::write(&script, fix_commands(tree, user.uid(), user.gid())?).on("write", &script)?;
    // debugfs reports bad commands on standard error and exits with 0.
    let result = Command::new(host::program("debugfs"))
        .arg("-w")
        .arg("-f")
        .arg(&script)
        .arg(output)
        .output();
    let result = result.map_err(|error| Error::Command {
        command: "debugfs".into(),
        reason: error.to_string(),
    })?;
    let said = String::from_utf8_lossy(&result.stderr);
    match said.lines().find(|line| !line.starts_with("debugfs 1.")) {
        Some(line) => Err(Error::image("ext4", format!("debugfs: {line}"))),
        None => Ok(()),
    }
}

/// Writes the tree into a folder, all of it the user's own and accessible.
fn stage(tree: &Tree, folder: &Path) -> Result<()> {
    for (path, entry) in tree.iter() {
        let host_path = folder.join(path);
        match &entry.kind {
            Kind::Directory => fs::create_dir(&host_path).on("create", &host_path)?,
            Kind::File(content) => {
                fs::write(&host_path, content.read()?).on("write", &host_path)?;
                let mode = fs::Permissions::from_mode(u32::from(entry.mode & 0o777 | 0o600));
                fs::set_permissions(&host_path, mode).on("change the mode of", &host_path)?;
                set_time(&host_path, entry)?;
            }
            Kind::Symlink(target) => {
                std::os::unix::fs::symlink(target, &host_path).on("create", &host_path)?
            }
            Kind::HardLink(_) => {}
        }
    }
    for (path, entry) in tree.iter() {
        if let Kind::HardLink(target) = &entry.kind {
            let host_path = folder.join(path);
            fs::hard_link(folder.join(target), &host_path).on("create", &host_path)?;
        }
    }
    // Directories last: filling them changes their times.
    let mut directories = tree
        .iter()
        .filter(|(_, entry)| matches!(entry.kind, Kind::Directory));
    directories.try_for_each(|(path, entry)| set_time(&folder.join(path), entry))
}

fn set_time(path: &Path, entry: &Entry) -> Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(entry.mtime);
    let file = File::open(path).on("open", path)?;
    file.set_times(FileTimes::new().set_modified(time).set_accessed(time))
        .on("set the time of", path)
}

/// The debugfs commands that make every inode as in the tree. `uid` and `gid` own the staged files.
fn fix_commands(tree: &Tree, uid: u32, gid: u32) -> Result<String> {
    // The reference shows the same root as our kernel, which has no such folder.
    let mut script = String::from("rmdir \"/lost+found\"\n");
    for (path, entry) in tree.iter() {
        if path.contains(['"', '\n']) {
            return Err(Error::tree(path, "debugfs cannot name this path"));
        }
        let mut set = |field: &str, value: String| {
            script.push_str(&format!("sif \"/{path}\" {field} {value}\n"))
        };
        match &entry.kind {
            Kind::HardLink(_) => continue,
            Kind::Directory => set("mode", format!("0{:o}", 0o040000 | u32::from(entry.mode))),
            Kind::File(_) => set("mode", format!("0{:o}", 0o100000 | u32::from(entry.mode))),
            Kind::Symlink(_) => set("mtime", format!("@{}", entry.mtime)),
        }
        if entry.uid != uid {
            set("uid", entry.uid.to_string());
        }
        if entry.gid != gid {
            set("gid", entry.gid.to_string());
        }
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What debugfs says on a request.
    fn ask(image: &Path, request: &str) -> String {
        let mut command = Command::new(host::program("debugfs"));
        let output = command
            .env("TZ", "UTC")
            .arg("-R")
            .arg(request)
            .arg(image)
            .output()
            .expect("debugfs runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn owners_and_modes_are_those_of_the_tree() {
        let scratch = tempfile::tempdir().expect("temporary directory");
        let image = scratch.path().join("root.ext4");
        let mut tree = Tree::default();
        let mut add = |path: &str, kind: Kind, mode, uid, gid| {
            tree.insert(
                path,
                Entry {
                    kind,
                    mode,
                    uid,
                    gid,
                    mtime: 86_400,
                    xattrs: Default::default(),
                },
            )
            .expect("inserts");
        };
        add("d x", Kind::Directory, 0o1777, 1, 2);
        add(
            "d x/[",
            Kind::File(b"data".to_vec().into()),
            0o4711,
            70_000,
            3,
        );
        add("d x/h", Kind::HardLink("d x/[".into()), 0, 0, 0);
        add("s", Kind::Symlink("d x".into()), 0o777, 4, 5);
        create(&image, 16 << 20, &tree).expect("an image");

        let file = ask(&image, "stat \"/d x/[\"");
        for expected in [
            "Mode:  04711",
            "User: 70000   Group:     3",
            "Links: 2",
            "Size: 4",
            "Jan  2 00:00:00 1970",
        ] {
            assert!(file.contains(expected), "no {expected} in {file}");
        }
        let folder = ask(&image, "stat \"/d x\"");
        assert!(
            folder.contains("Mode:  01777") && folder.contains("User:     1   Group:     2"),
            "{folder}"
        );
        let link = ask(&image, "stat /s");
        assert!(
            link.contains("User:     4") && link.contains("Fast link dest: \"d x\""),
            "{link}"
        );
        assert!(!ask(&image, "ls /").contains("lost+found"));
        let check = Command::new(host::program("e2fsck"))
            .arg("-fn")
            .arg(&image)
            .output()
            .expect("e2fsck runs");
        assert!(
            check.status.success(),
            "{}",
            String::from_utf8_lossy(&check.stdout)
        );
    }
}

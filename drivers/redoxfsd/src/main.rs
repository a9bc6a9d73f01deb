//! `redoxfsd DISK SCHEME` serves a RedoxFS; `--check`, `--ls` and `--cat` look at an image on any host.

use anyhow::{Context, bail};
use clap::Parser;
use redoxfs::{Node, TreePtr};
use redoxfsd::device::{Device, Window};
use redoxfsd::password::{self, Memory};
use redoxfsd::{attr, check, mount, serve};
use service_notify::Manager;
use scheme::{SchemeFlags, SchemeSocket, Server};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use driver::retry::while_busy;
use syscall::error::EISDIR;

/// Serves a RedoxFS disk as a scheme, or looks at an image.
#[derive(Parser)]
#[command(name = "redoxfsd", arg_required_else_help = true)]
struct Args {
    /// The disk: a block device, a partition or an image file.
    #[arg(requires = "scheme")]
    disk: Option<PathBuf>,
    /// The name of the scheme: `root` makes /scheme/root.
    scheme: Option<String>,
    /// Reads everything in an image, verifies all checksums, links and free blocks, and reports. Writes nothing.
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["disk", "ls", "cat"])]
    check: Option<PathBuf>,
    /// Lists a directory of an image (the root without PATH).
    #[arg(long, num_args = 1..=2, value_names = ["IMAGE", "PATH"], conflicts_with_all = ["disk", "cat"])]
    ls: Option<Vec<PathBuf>>,
    /// Writes a file of an image to the standard output.
    #[arg(long, num_args = 2, value_names = ["IMAGE", "PATH"], conflicts_with = "disk")]
    cat: Option<Vec<PathBuf>>,
    /// Where the filesystem starts in the file, in bytes: the partition's offset in a disk image.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    offset: u64,
    /// Bytes of the filesystem; the rest of the file by default.
    #[arg(long, value_name = "BYTES")]
    length: Option<u64>,
    /// A file whose first line is the password of an encrypted filesystem; "-" is the standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,
    /// A terminal on which to ask for the password, where the standard input is no file that has it. Once it is known it is put there, for the
    /// daemon that comes after this one.
    #[arg(long, value_name = "TERMINAL", conflicts_with = "password_file")]
    ask: Vec<String>,
}

impl Args {
    /// The password that was given by a file.
    fn password(&self) -> anyhow::Result<Option<Vec<u8>>> {
        self.password_file.as_deref().map(password::from_file).transpose()
    }

    /// What gives the device, again if need be.
    fn device(&self, path: &Path, write: bool) -> impl FnMut() -> anyhow::Result<Window> {
        let (path, offset, length) = (path.to_owned(), self.offset, self.length);
        move || {
            let file = File::options().read(true).write(write).open(&path);
            let file = file.with_context(|| format!("opening {}", path.display()))?;
            Window::new(file, offset, length)
                .with_context(|| format!("asking {} for its size", path.display()))
        }
    }
}

/// The password of the filesystem to serve, where it is encrypted.
fn password(args: &Args, disk: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    let mut device = args.device(disk, false);
    if !mount::is_encrypted(device()?)? {
        return Ok(None);
    }
    if let Some(file) = &args.password_file {
        return password::from_file(file).map(Some);
    }
    let memory = Memory::of_input();
    let kept = memory.as_ref().map(Memory::get).transpose().context("reading the password from the standard input")?;
    if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
        return Ok(Some(kept));
    }
    let name = disk.display().to_string();
    let typed = password::ask(&args.ask, &name, &Manager::of_environment(), |typed| mount::has_password(device()?, typed))?;
    if let Some(Err(error)) = memory.map(|memory| memory.put(&typed)) {
        tracing::warn!("the password cannot be kept, and will be asked for again if this daemon must be started again: {error}");
    }
    Ok(Some(typed))
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some(image) = &args.check {
        return check_image(&args, image);
    }
    if let Some([image, path @ ..]) = args.ls.as_deref() {
        let path = path.first().map_or(Path::new("/"), PathBuf::as_path);
        return list(&args, image, path);
    }
    if let Some([image, path]) = args.cat.as_deref() {
        return cat(&args, image, path);
    }
    let (Some(disk), Some(name)) = (&args.disk, &args.scheme) else {
        bail!("a disk and a scheme's name are needed, see --help");
    };
    kernel_log::init("redoxfsd");
    // What a daemon that was killed has asked of the disk comes before anything that is read now.
    let mut before = args.device(disk, true);
    before().and_then(|mut disk| Ok(disk.flush()?)).with_context(|| format!("flushing {}", disk.display()))?;
    let password = password(&args, disk).with_context(|| format!("opening the filesystem on {}", disk.display()))?;
    let fs = mount::open_with(args.device(disk, true), password.as_deref())
        .with_context(|| format!("opening the filesystem on {}", disk.display()))?;
    tracing::info!(
        "{} is at generation {}",
        disk.display(),
        fs.header.generation()
    );
    let flags = SchemeFlags::CACHEABLE | SchemeFlags::RESTARTABLE;
    let socket = while_busy(Duration::from_secs(5), || SchemeSocket::create(name, flags))
        .with_context(|| format!("creating /scheme/{name}"))?;
    serve::serve(fs, Server::new(socket)?, serve::COMMIT_AFTER)?;
    Ok(ExitCode::SUCCESS)
}

fn check_image(args: &Args, image: &Path) -> anyhow::Result<ExitCode> {
    kernel_log::init("redoxfsd");
    let report = check::check_with(args.device(image, false), args.password()?.as_deref())?;
    println!("generation {}", report.generation);
    println!(
        "{} directories, {} other nodes",
        report.directories, report.files
    );
    let (used, free, lost) = (report.used_blocks, report.free_blocks, report.lost_blocks);
    println!("{used} blocks used, {free} free, {lost} lost");
    if report.unlinked > 0 {
        println!(
            "{} nodes deleted while open, to be freed by the next mount",
            report.unlinked
        );
    }
    if report.logged > 0 {
        println!("{} records of changes since then in the log, to be made again by the next mount", report.logged);
    }
    for problem in &report.problems {
        println!("PROBLEM: {problem}");
    }
    if report.is_clean() {
        println!("clean");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn list(args: &Args, image: &Path, path: &Path) -> anyhow::Result<ExitCode> {
    let mut fs = mount::open_with(args.device(image, false), args.password()?.as_deref())?;
    let lines = mount::look(&mut fs, |tx| {
        let dir = find(tx, path)?;
        let mut entries = Vec::new();
        tx.child_nodes(dir, &mut entries)?;
        let mut lines = Vec::new();
        for entry in entries {
            let node = tx.read_tree(entry.node_ptr())?;
            let attr = attr::of_node(node.id(), node.data());
            let name = entry.name().unwrap_or("(no UTF-8)").to_owned();
            let (mode, nlink) = (attr.mode, attr.nlink);
            let numbers = format!("{mode:07o} {nlink:3} {:5} {:5}", attr.uid, attr.gid);
            lines.push((name, numbers, attr.size));
        }
        Ok(lines)
    });
    let mut lines = lines.with_context(|| format!("listing {}", path.display()))?;
    lines.sort();
    let mut out = std::io::stdout().lock();
    for (name, numbers, size) in lines {
        writeln!(out, "{numbers} {size:12} {name}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn cat(args: &Args, image: &Path, path: &Path) -> anyhow::Result<ExitCode> {
    let mut fs = mount::open_with(args.device(image, false), args.password()?.as_deref())?;
    let mut out = std::io::stdout().lock();
    let mut failed = None;
    let read = mount::look(&mut fs, |tx| {
        let node = find(tx, path)?;
        let node = tx.read_tree(node)?;
        if node.data().is_dir() {
            return Err(syscall::error::Error::new(EISDIR));
        }
        let mut buffer = vec![0; 1 << 20];
        let mut offset = 0;
        loop {
            let len = tx.read_node_inner(&node, offset, &mut buffer)?;
            offset += len as u64;
            failed = out.write_all(&buffer[..len]).err();
            if len == 0 || failed.is_some() {
                return Ok(());
            }
        }
    });
    read.with_context(|| format!("reading {}", path.display()))?;
    failed.map_or(Ok(ExitCode::SUCCESS), |error| Err(error).context("writing"))
}

/// The node of a path. Symlinks are not followed.
fn find(
    tx: &mut redoxfsd::visit::Tx<'_, Window>,
    path: &Path,
) -> syscall::error::Result<TreePtr<Node>> {
    let mut at = TreePtr::root();
    for name in path.components() {
        if let std::path::Component::Normal(name) = name {
            let name = name.to_str().unwrap_or_default();
            at = tx.find_node(at, name)?.ptr();
        }
    }
    Ok(at)
}

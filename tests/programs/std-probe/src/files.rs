//! Files, directories, links.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::time::{Duration, SystemTime};

pub fn files() {
    let mut file = File::create_new("a").unwrap();
    println!("again: {:?}", File::create_new("a").map_err(|error| (error.kind(), error.to_string())).err());
    file.write_all(b"hello, world\n").unwrap();
    println!("vectored: {}", file.write_vectored(&[IoSlice::new(b"one "), IoSlice::new(b"two\n")]).unwrap());
    file.sync_all().unwrap();
    println!("read of a file for writing: {:?}", file.read(&mut [0; 4]).map_err(|error| error.raw_os_error()));
    drop(file);
    println!("contents: {:?}", fs::read_to_string("a").unwrap());

    let mut file = OpenOptions::new().read(true).write(true).open("a").unwrap();
    println!("seeks: {:?} {:?} {:?}", file.seek(SeekFrom::End(-4)), file.seek(SeekFrom::Current(-3)), file.stream_position());
    let mut word = [0; 5];
    file.read_exact(&mut word).unwrap();
    println!("from there: {:?}", String::from_utf8_lossy(&word));
    println!("before the start: {:?}", file.seek(SeekFrom::Current(-100)).map_err(|error| error.kind()));
    file.write_at(b"HELLO", 0).unwrap();
    let (mut one, mut two) = ([0; 3], [0; 6]);
    file.rewind().unwrap();
    println!("readv: {} {one:?} {two:?}", file.read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)]).unwrap());
    println!("then: {:?} {:?}", String::from_utf8_lossy(&one), String::from_utf8_lossy(&two));
    println!("short: {:?}", file.read_exact_at(&mut [0; 64], 10).map_err(|error| error.kind()));

    file.seek(SeekFrom::Start(1 << 20)).unwrap();
    file.write_all(b"far").unwrap();
    let hole = file.metadata().unwrap();
    println!("sparse: {} bytes, {} blocks fewer than full", hole.len(), hole.blocks() < 2048);
    file.set_len(5).unwrap();
    println!("cut: {:?}", fs::read("a").unwrap());
    file.set_len(8).unwrap();
    println!("grown: {:?}", fs::read("a").unwrap());

    let mut append = OpenOptions::new().append(true).create(true).mode(0o640).open("log").unwrap();
    let mut other = append.try_clone().unwrap();
    writeln!(append, "first").unwrap();
    writeln!(other, "second").unwrap();
    append.rewind().unwrap();
    writeln!(append, "third").unwrap();
    println!("appended: {:?}", fs::read_to_string("log").unwrap().lines().collect::<Vec<_>>());
    fs::set_permissions("log", Permissions::from_mode(0o4751)).unwrap();
    println!("mode: {:o}", fs::metadata("log").unwrap().permissions().mode());
    let mut readonly = fs::metadata("log").unwrap().permissions();
    readonly.set_readonly(true);
    fs::set_permissions("log", readonly).unwrap();
    println!("read-only: {:o} {}", fs::metadata("log").unwrap().mode(), fs::metadata("log").unwrap().permissions().readonly());

    let then = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_000);
    file.set_times(fs::FileTimes::new().set_modified(then).set_accessed(then + Duration::from_secs(1))).unwrap();
    let meta = file.metadata().unwrap();
    println!("times: {} {} {} {}", meta.mtime(), meta.mtime_nsec(), meta.atime(), meta.modified().unwrap() == then);

    let mut writer = BufWriter::new(File::create("lines").unwrap());
    (0..10_000).for_each(|n| writeln!(writer, "line {n}").unwrap());
    writer.flush().unwrap();
    let lines = BufReader::new(File::open("lines").unwrap()).lines().map(|line| line.unwrap().len()).sum::<usize>();
    println!("lines: {lines} characters, {} copied", fs::copy("lines", "lines2").unwrap());
    println!("same: {}", fs::read("lines").unwrap() == fs::read("lines2").unwrap());
    let first = File::open("lines").unwrap();
    let second = File::open("lines").unwrap();
    first.lock().unwrap();
    println!("locked: {}", second.try_lock().is_err());
    first.unlock().unwrap();
    println!("unlocked: {}", second.try_lock().is_ok());
    for (from, to) in [("lines2", "renamed"), ("renamed", "lines"), ("missing", "x"), ("lines", "no/such/dir")] {
        println!("rename {from} {to}: {:?}", fs::rename(from, to).map_err(|error| error.kind()));
    }
    println!("open a file as a directory: {:?}", File::open("a/b").map_err(|error| error.kind()).err());
    println!("long name: {:?}", File::open("n".repeat(300)).map_err(|error| error.kind()).err());
    println!("NUL in a name: {:?}", File::open("a\0b").map_err(|error| error.kind()).err());
    println!("write to a directory: {:?}", OpenOptions::new().write(true).open(".").map_err(|error| error.kind()).err());
    println!("/dev/full: {:?}", File::options().write(true).open("/dev/full").unwrap().write_all(b"x").map_err(|error| error.kind()));
    println!("/dev/null is a character device: {}", fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

pub fn directories() {
    println!("one of many: {:?}", fs::create_dir("p/q/r").map_err(|error| error.kind()));
    fs::create_dir_all("p/q/r").unwrap();
    fs::DirBuilder::new().mode(0o711).create("p/s").unwrap();
    println!("modes: {:o} {:o}", fs::metadata("p/q").unwrap().mode(), fs::metadata("p/s").unwrap().mode());
    for n in 0..300 {
        fs::write(format!("p/q/file{n:03}"), n.to_string()).unwrap();
    }
    let mut names: Vec<_> = fs::read_dir("p/q").unwrap().map(|entry| { let entry = entry.unwrap(); (entry.file_name(), entry.file_type().unwrap().is_dir()) }).collect();
    names.sort();
    println!("entries: {}, first {:?}, last {:?}", names.len(), names[0], names[names.len() - 1]);
    println!("not empty: {:?}", fs::remove_dir("p").map_err(|error| error.kind()));
    println!("not a directory: {:?}", fs::read_dir("a").map_err(|error| error.kind()).err());
    fs::rename("p/q", "moved").unwrap();
    println!("moved: {} {}", fs::exists("p/q").unwrap(), fs::read_to_string("moved/file123").unwrap());
    println!("into itself: {:?}", fs::rename("moved", "moved/r/x").map_err(|error| error.kind()));
    let mut sum = 0;
    // Entries vanish while the directory is read.
    for entry in fs::read_dir("moved").unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            sum += fs::read_to_string(&path).unwrap().parse::<u32>().unwrap();
            fs::remove_file(&path).unwrap();
        }
    }
    println!("removed while read: {sum}, left {}", fs::read_dir("moved").unwrap().count());
    fs::remove_dir_all("moved").unwrap();
    println!("canonical: {:?}", fs::canonicalize("p/../p/./s").unwrap().file_name());
    println!("here: {}", std::env::current_dir().unwrap().starts_with("/tmp"));
}

pub fn links() {
    fs::write("target", "text").unwrap();
    fs::hard_link("target", "hard").unwrap();
    std::os::unix::fs::symlink("target", "soft").unwrap();
    std::os::unix::fs::symlink("soft", "softer").unwrap();
    std::os::unix::fs::symlink("loop", "loop").unwrap();
    let (hard, soft) = (fs::metadata("hard").unwrap(), fs::symlink_metadata("softer").unwrap());
    println!("hard: {} links, same inode {}", hard.nlink(), hard.ino() == fs::metadata("softer").unwrap().ino());
    println!("soft: {} {} {:?}", soft.is_symlink(), soft.len(), fs::read_link("softer").unwrap());
    println!("loop: {:?}", fs::read("loop").map_err(|error| error.raw_os_error()));
    println!("no link: {:?}", fs::read_link("target").map_err(|error| error.kind()));
    fs::remove_file("target").unwrap();
    println!("dangling: {:?} {}", fs::metadata("soft").map_err(|error| error.kind()).is_err(), fs::read_to_string("hard").unwrap());
    let mut open = File::open("hard").unwrap();
    fs::remove_file("hard").unwrap();
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    println!("deleted but open: {text} {} {:?}", open.metadata().unwrap().nlink(), fs::read("hard").map_err(|error| error.kind() == ErrorKind::NotFound));
}

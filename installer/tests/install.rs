//! Installations onto devices in memory: whole ones are read back by other crates' readers, and those that are cut off at every write leave a disk that
//! is as it was, or marked, or whole.

use image_builder::table::Identifiers;
use image_builder::tree::{Entry, Kind, Tree};
use installer::answers::Answers;
use installer::disks::Disk;
use installer::install::install;
use installer::plan::Plan;
use installer::progress::{Event, Step};
use installer::source::{BootParts, partitions_of};
use installer::{Error, marker, settings};
use redoxfsd::device::Device;
use std::io::{self, Cursor};

const BYTES: u64 = (260 << 20) + 512 * 7;

/// A disk in memory that fails from a given write on.
struct Memory {
    bytes: Vec<u8>,
    writes: usize,
    fails_at: usize,
}

impl Memory {
    fn new() -> Self {
        let mut bytes = vec![0; BYTES as usize];
        // Something that was there.
        bytes[..512].fill(0x11);
        bytes[600..700].fill(0x22);
        Self { bytes, writes: 0, fails_at: usize::MAX }
    }
}

impl Device for Memory {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        buffer.copy_from_slice(&self.bytes[offset as usize..][..buffer.len()]);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.writes += 1;
        if self.writes > self.fails_at {
            return Err(io::Error::other("pulled out"));
        }
        self.bytes[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.writes > self.fails_at { Err(io::Error::other("pulled out")) } else { Ok(()) }
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }
}

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.insert(path, Entry::new(Kind::File(text.as_bytes().to_vec().into()), 0o640, 7)).expect("inserts");
    }
    tree
}

fn system() -> Tree {
    let big = "x".repeat(300_000);
    tree(&[
        ("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        ("etc/shadow", "root:*:1:0:99999:7:::\n"),
        ("etc/group", "root:x:0:\nvideo:x:44:\n"),
        ("etc/gshadow", "root:*::\n"),
        ("etc/hosts", "127.0.0.1 localhost\n"),
        ("usr/lib/gci/console.gctarget", "[Dependencies]\nWants=session@tty1\n"),
        ("usr/bin/tool", &big),
    ])
}

fn parts() -> BootParts {
    let mut sector = [0x77; 512];
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    let esp = tree(&[("boot/genai-kernel", "kernel"), ("boot/grub/options.cfg", "set gos_extra='target=console'\n"), ("EFI/BOOT/BOOTX64.EFI", "efi")]);
    BootParts { sector, core: vec![0x33; 512 * 9], esp }
}

const ANSWERS: &str = "disk = \"memory\"\nerase = \"memory-260MiB\"\nhostname = \"box\"\n[[user]]\nname = \"ada\"\npassword_hash = \"$6$abc$defgh\"\n";

fn plan_of(answers: &Answers, system: &Tree) -> installer::Result<Plan> {
    let disk = Disk { path: "memory".into(), id: "memory-260MiB".into(), bytes: BYTES, model: String::new(), content: "data".into(), unusable: None };
    Plan::new(answers, disk, system, &parts().esp)
}

fn run(device: &mut Memory, events: &mut Vec<Event>) -> installer::Result<()> {
    let answers = Answers::parse(ANSWERS).expect("parses");
    let mut system = system();
    let plan = plan_of(&answers, &system).expect("fits");
    plan.confirm().expect("is confirmed");
    settings::apply(&mut system, &answers, 1_700_000_000).expect("is set up");
    install(device, &plan, parts(), &system, Identifiers::random([9; 64]), &mut |event| events.push(event))
}

/// Writes a disk to a file for readers of files.
fn file_of(device: &Memory) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), &device.bytes).expect("writes");
    file
}

#[test]
fn an_installed_disk_reads_back() {
    let mut device = Memory::new();
    let mut events = Vec::new();
    run(&mut device, &mut events).expect("installs");
    let steps: Vec<Step> = events.iter().filter_map(|event| if let Event::Step { step } = event { Some(*step) } else { None }).collect();
    assert_eq!(steps, [Step::Mark, Step::Root, Step::Boot, Step::Table]);
    assert_eq!(events.last(), Some(&Event::Done));
    assert!(matches!(events[events.len() - 4], Event::Progress { done, total } if done == total || done > 0));

    let file = file_of(&device);
    let table = gpt::GptConfig::new().open(file.path()).expect("a valid table");
    assert!(table.backup_header().is_ok(), "the second table is good");
    let names: Vec<&str> = table.partitions().values().map(|partition| partition.name.as_str()).collect();
    assert_eq!(names, ["genai-bios", "genai-efi", "genai-root"]);
    let guid = Identifiers::random([9; 64]).root();
    assert_eq!(table.partitions()[&3].part_guid.to_string(), guid);

    let root = image_builder::disk::open_root(file.path()).expect("there");
    let tree = image_builder::redoxfs::read(root, Some(0)).expect("reads");
    let text = |path: &str| match tree.get(path).map(|entry| &entry.kind) {
        Some(Kind::File(content)) => String::from_utf8(content.read().expect("readable")).expect("text"),
        _ => panic!("no {path}"),
    };
    assert_eq!((text("etc/hostname").as_str(), text("usr/bin/tool").len()), ("box\n", 300_000));
    assert!(text("etc/shadow").contains("ada:$6$abc$defgh:"));
    assert_eq!(tree.get("etc/shadow").map(|entry| entry.mode), Some(0o640));

    // GRUB's sector with the table's own bytes; and all that an installation from this disk would take from it.
    assert_eq!(device.bytes[..4], [0x77; 4]);
    assert_eq!(device.bytes[510..512], [0x55, 0xaa]);
    let again = BootParts::read(&mut device).expect("reads");
    assert_eq!(again.core.len(), 512 * 9);
    let paths: Vec<&str> = again.esp.iter().map(|(path, _)| path).filter(|path| path.contains('.') || path.contains("kernel")).collect();
    assert_eq!(paths, ["EFI/BOOT/BOOTX64.EFI", "boot/genai-kernel", "boot/grub/options.cfg"]);
    let Some(Kind::File(options)) = again.esp.get("boot/grub/options.cfg").map(|entry| &entry.kind) else { panic!("no options") };
    assert_eq!(options.read().expect("readable"), format!("set gos_extra='target=console root=PARTUUID={guid}'\n").into_bytes());
}

#[test]
fn cut_off_anywhere_it_is_as_before_or_marked_or_whole() {
    let mut whole = Memory::new();
    run(&mut whole, &mut Vec::new()).expect("installs");
    let writes = whole.writes;
    let before = Memory::new().bytes;
    let step = (writes / 8).max(1);
    // The first writes and the last ones, and some between.
    let cuts = (0..5).chain((5..writes - 6).step_by(step)).chain(writes - 6..writes);
    for fails_at in cuts {
        let mut device = Memory { fails_at, ..Memory::new() };
        let error = run(&mut device, &mut Vec::new()).expect_err("the disk fails");
        assert!(matches!(error, Error::Interrupted(_)), "{error}");
        if fails_at == 0 {
            assert!(device.bytes == before, "something was written");
            continue;
        }
        assert!(marker::is_marked(&device.bytes[..512]), "no mark after {fails_at} of {writes} writes");
        // A system is seen once all of it is there: the last four writes are the tables.
        assert!(partitions_of(&mut device).is_err() || fails_at >= writes - 3, "partitions after {fails_at} of {writes} writes");
    }
}

#[test]
fn what_does_not_fit_or_is_not_confirmed_is_refused() {
    let answers = Answers::parse(ANSWERS).expect("parses");
    let other = Answers::parse(&ANSWERS.replace("260MiB", "261MiB")).expect("parses");
    let none = Answers::parse(&ANSWERS.replace("erase", "#")).expect("parses");
    for (answers, word) in [(&other, "is not this disk"), (&none, "would be erased")] {
        let error = plan_of(answers, &system()).expect("fits").confirm().expect_err("not confirmed");
        assert!(error.to_string().contains(word), "{error}");
    }
    let mut large = system();
    large.insert("big", Entry::new(Kind::File(vec![0; 200 << 20].into()), 0o644, 0)).expect("inserts");
    assert!(matches!(plan_of(&answers, &large), Err(Error::Disk(text)) if text.contains("needs")));
    let used = Disk { unusable: Some("the running system is on it".into()), ..plan_of(&answers, &system()).expect("fits").disk };
    assert!(matches!(Plan::new(&answers, used, &system(), &parts().esp), Err(Error::Disk(text)) if text.contains("running system")));
}

#[test]
fn a_disk_without_the_system_is_no_source() {
    assert!(matches!(BootParts::read(&mut Memory::new()), Err(Error::Source(_))));
    // And the readers used above do read what is not theirs without harm.
    assert!(gpt::GptConfig::new().open_from_device(Cursor::new(vec![0; 4096])).is_err());
}

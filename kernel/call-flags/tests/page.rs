//! `docs/src/system-calls.md` is what the code gives, and every set is used by the kernel.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use call_flags::calls::{GONE, LINUX};
use call_flags::{Errno, GROUPS, Set, Treatment, Unknown};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Number and name of every call of the kernel: the lines of its table.
fn implemented() -> BTreeMap<u16, String> {
    let table = read(&repository().join("kernel/src/syscall/table.rs"));
    let line = |line: &str| {
        let (head, function) = line.trim().split_once(" => ")?;
        let mut words = head.split(' ');
        let (number, name) = (words.next()?.parse().ok()?, words.next()?.to_owned());
        function.starts_with("super::").then_some((number, name))
    };
    table.lines().filter_map(line).collect()
}

/// Names with the same remark behind them, together.
fn remarks<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, remark) in entries {
        match groups.iter_mut().find(|group| group.0 == remark) {
            Some(group) => group.1.push(name),
            None => groups.push((remark, vec![name])),
        }
    }
    groups.iter().map(|(remark, names)| format!("{} ({remark})", code(names))).collect::<Vec<_>>().join("; ")
}

fn code(names: &[&str]) -> String {
    names.iter().map(|name| if name.contains(' ') { (*name).to_owned() } else { format!("`{name}`") }).collect::<Vec<_>>().join(", ")
}

fn section(page: &mut String, set: Set) {
    let entries = set.entries();
    writeln!(page, "\n**{}**: {}\n", code(set.calls()), set.argument()).unwrap();
    let supported: Vec<&str> = entries.iter().filter(|entry| entry.treatment == Treatment::Supported).map(|entry| entry.name).collect();
    if !supported.is_empty() {
        writeln!(page, "- Supported: {}", code(&supported)).unwrap();
    }
    let idle = entries.iter().filter_map(|entry| match entry.treatment {
        Treatment::NoEffect(why) => Some((entry.name, why.to_owned())),
        _ => None,
    });
    let idle = remarks(idle);
    if !idle.is_empty() {
        writeln!(page, "- Accepted, without effect: {idle}").unwrap();
    }
    let refused = entries.iter().filter_map(|entry| match entry.treatment {
        Treatment::Refused(error, why) => Some((entry.name, format!("{error:?}: {why}"))),
        _ => None,
    });
    let refused = remarks(refused);
    if !refused.is_empty() {
        writeln!(page, "- Refused: {refused}").unwrap();
    }
    let what = match set {
        Set::Flags(flags) if flags.entries.is_empty() => "Must be 0",
        Set::Flags(_) => "Other bits",
        Set::Values(_) => "Other values",
    };
    let others = match set {
        Set::Values(values) => format!("{:?}", values.unknown),
        Set::Flags(flags) => match flags.unknown {
            Unknown::Ignored => "not looked at, as on Linux".to_owned(),
            Unknown::Refused(error) => format!("{error:?}"),
        },
    };
    writeln!(page, "- {what}: {others}").unwrap();
}

fn page() -> String {
    let mut page = String::from(
        "<!-- Made from kernel/call-flags and kernel/src/syscall/table.rs by the test of call-flags: do not edit. -->\n\
         # System calls\n\n\
         The system calls are those of Linux 6.1 on x86-64, with the same numbers, arguments and errors. This page is made from the sets that the kernel\n\
         checks arguments by (`kernel/call-flags`): it lists every call, and for each argument made of flags, and each command, what is supported, what is\n\
         accepted and needs nothing done, what Linux has and is refused here, and what becomes of anything else. The requests of `ioctl(2)` and the options of\n\
         sockets are not in it.\n\n\
         After a change of these files the page is made anew by\n\n    \
         cd kernel && UPDATE_PAGE=1 cargo test -p call-flags --target x86_64-unknown-linux-gnu\n",
    );
    page.push_str("\n## Flags and commands\n");
    for group in GROUPS {
        write!(page, "\n### {}\n", group.title).unwrap();
        for set in group.sets {
            section(&mut page, *set);
        }
    }
    let ours = implemented();
    let there = LINUX.iter().filter(|call| ours.contains_key(&call.0)).count();
    write!(
        page,
        "\n## All calls\n\n{there} of Linux's {} calls are there. A program that calls another gets ENOSYS, and the log names the first one that did.\n\n\
         | Number | Call | |\n|---|---|---|\n",
        LINUX.len()
    )
    .unwrap();
    for (number, name) in LINUX {
        let state = match ours.get(number) {
            Some(_) => "there",
            None if GONE.contains(name) => "ENOSYS, as on Linux",
            None => "ENOSYS",
        };
        writeln!(page, "| {number} | `{name}` | {state} |").unwrap();
    }
    page
}

#[test]
fn the_page_is_what_the_code_gives() {
    let path = repository().join("docs/src/system-calls.md");
    let page = page();
    if std::env::var_os("UPDATE_PAGE").is_some() {
        std::fs::write(&path, &page).expect("to write the page");
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|there| there == page),
        "docs/src/system-calls.md is not what the code gives; make it anew:\n    cd kernel && UPDATE_PAGE=1 cargo test -p call-flags --target x86_64-unknown-linux-gnu"
    );
}

#[test]
fn the_table_has_the_names_of_linux() {
    let ours = implemented();
    let lines = read(&repository().join("kernel/src/syscall/table.rs")).matches("=> super::").count();
    assert!(ours.len() == lines && lines > 200, "{} of {lines} calls found in the table", ours.len());
    for (number, name) in &ours {
        assert_eq!(LINUX.iter().find(|call| call.0 == *number).map(|call| call.1), Some(name.as_str()));
    }
}

#[test]
fn every_set_is_of_a_call_that_is_there() {
    let ours = implemented();
    for set in GROUPS.iter().flat_map(|group| group.sets) {
        for call in set.calls() {
            assert!(ours.values().any(|name| name == call), "{call}");
        }
    }
}

/// All source files below a folder, as one text.
fn sources(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, all);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&read(&entry));
        }
    }
}

#[test]
fn the_kernel_checks_by_every_set() {
    let mut kernel = String::new();
    sources(&repository().join("kernel/src"), &mut kernel);
    for module in ["events", "files", "ipc", "memory", "names", "processes", "scheduling", "signals", "sockets", "system", "time", "transfer"] {
        let source = read(&repository().join(format!("kernel/call-flags/src/{module}.rs")));
        for line in source.lines() {
            let Some((name, value)) = line.strip_prefix("    ").and_then(|line| line.split_once(": ")) else { continue };
            if !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_') || !value.contains("::n") {
                continue;
            }
            // What never refuses anything need not be asked.
            if value.contains("Unknown::Ignored") && !refuses(module, name) {
                continue;
            }
            let uses = [format!("::{name}"), format!(" {name}.check")];
            assert!(uses.iter().any(|by| kernel.contains(by)), "{module}::{name} is checked nowhere");
        }
    }
}

/// Whether a set refuses anything, by its text.
fn refuses(module: &str, name: &str) -> bool {
    let source = read(&repository().join(format!("kernel/call-flags/src/{module}.rs")));
    let start = source.find(&format!("    {name}: ")).expect("the set");
    let text = &source[start..];
    text[..text.find("]);").or_else(|| text.find(";\n")).expect("its end")].contains("no(")
}

#[test]
fn errors_have_linux_numbers() {
    let numbers = [
        (Errno::EPERM, libc::EPERM),
        (Errno::EIO, libc::EIO),
        (Errno::EAGAIN, libc::EAGAIN),
        (Errno::ENOMEM, libc::ENOMEM),
        (Errno::ENODEV, libc::ENODEV),
        (Errno::EINVAL, libc::EINVAL),
        (Errno::ENOSYS, libc::ENOSYS),
        (Errno::ENOPKG, libc::ENOPKG),
        (Errno::ESOCKTNOSUPPORT, libc::ESOCKTNOSUPPORT),
        (Errno::EOPNOTSUPP, libc::EOPNOTSUPP),
        (Errno::EAFNOSUPPORT, libc::EAFNOSUPPORT),
    ];
    assert_eq!(numbers.len(), Errno::ALL.len());
    assert!(numbers.iter().all(|(error, number)| error.number() == *number));
}

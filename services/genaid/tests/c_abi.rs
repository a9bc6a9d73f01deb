//! The C example against both libraries, and the Rust API.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::Genaid;
use genai_protocol::{Client, Event, Op};

/// A library of this build, by the end of its name. Cargo leaves it beside the tests.
fn library(extension: &str) -> PathBuf {
    // The test depends on it, so that it is built.
    let _ = genai::abi::genai_last_error();
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let mut found: Vec<PathBuf> = std::fs::read_dir(&deps)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == extension) && p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("libgenai") && !n.to_string_lossy().starts_with("libgenai_")))
        .collect();
    found.sort_by_key(|p| std::fs::metadata(p).and_then(|m| m.modified()).ok());
    found.pop().unwrap_or_else(|| panic!("no libgenai*.{extension} in {}", deps.display()))
}

fn compile(out: &Path, link: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/libgenai");
    let result = Command::new("cc").args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"]).arg(root.join("include")).arg(root.join("examples/ask.c")).arg("-o").arg(out).args(link).output().unwrap();
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
}

#[test]
fn the_c_example_runs_with_both_libraries() {
    let genaid = Genaid::start("");
    let dir = tempfile::tempdir().unwrap();
    let libs = dir.path().join("lib");
    std::fs::create_dir(&libs).unwrap();
    std::fs::copy(library("so"), libs.join("libgenai.so")).unwrap();
    let archive = library("a");
    compile(&dir.path().join("static"), &[archive.to_str().unwrap(), "-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"]);
    // As pkg-config says it.
    let pc = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/libgenai/libgenai.pc.in")).unwrap().replace("@prefix@", dir.path().to_str().unwrap()).replace("@version@", "0.1.0");
    std::fs::write(dir.path().join("libgenai.pc"), pc).unwrap();
    let flags = Command::new("pkg-config").args(["--libs", "libgenai"]).env("PKG_CONFIG_PATH", dir.path()).output().unwrap();
    let flags = String::from_utf8(flags.stdout).unwrap();
    assert!(flags.contains("-lgenai"), "{flags}");
    compile(&dir.path().join("shared"), &flags.split_whitespace().collect::<Vec<_>>());
    for name in ["static", "shared"] {
        let run = |socket: &Path| Command::new(dir.path().join(name)).arg("what is a file?").env("GENAI_SOCKET", socket).env("LD_LIBRARY_PATH", &libs).output().unwrap();
        let good = run(&genaid.socket());
        assert!(good.status.success(), "{name}: {}", String::from_utf8_lossy(&good.stderr));
        assert_eq!(String::from_utf8_lossy(&good.stdout).trim(), "A file is a named piece of data.", "{name}");
        let alone = run(Path::new("/nowhere/socket"));
        assert_eq!(alone.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&alone.stderr).contains("is genaid running?"), "{name}");
    }
    let Event::Progress { subjects } = genaid.client().ask(Op::ProgressReport, |_| {}).unwrap() else { panic!() };
    assert_eq!((subjects[0].subject.as_str(), subjects[0].updates, subjects[0].mean_score), ("example.question", 2, Some(1.0)));
}

#[test]
fn the_command_asks_and_reports() {
    let genaid = Genaid::start("");
    let run = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_genai")).args(args).env("GENAI_SOCKET", genaid.socket()).output().unwrap();
        (out.status.success(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    assert_eq!(run(&["ask", "what", "is", "a", "file?"]).1, "A file is a named piece of data.\n");
    assert!(run(&["ask", "--json", "what is a file?"]).1.contains("\"source\":\"cache\""));
    assert!(run(&["status"]).1.contains("nothing leaves this machine"));
    let (ok, _, err) = run(&["ask", "--route", "cloud", "x"]);
    assert!(!ok && err.contains("no endpoint is configured"), "{err}");
    assert!(Client::connect_to(genaid.socket()).is_ok());
}

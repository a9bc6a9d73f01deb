//! `./gos test`: the tests of this host, then those that need machines.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use image_builder::formats::Format;
use system_tests::{Genai, Images, Lab, Linux, Programs, Test};
use vm::accel;

use crate::cargo;
use crate::images::{self, Cd};
use crate::models;
use crate::project::{DEFAULT_EDITION, DEVELOPER_EDITION, Project, SERVER_EDITION};

/// Packages of the kernel's workspace whose tests run on the host.
const KERNEL_HOST_PACKAGES: [&str; 7] = ["bpf", "call-flags", "capabilities", "cpio", "frame-logic", "page-logic", "scheme-table"];

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
}

/// Runs the tests whose names contain `filter`. The last line of the output is `N passed, N failed`.
pub fn test(project: &Project, filter: Option<&str>) -> Result<u8> {
    let logs = project.build().join("test");
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
    let mut tally = Tally::default();
    let all = system_tests::all(&project.root)?;
    let groups: Vec<&str> = all.iter().filter_map(|test| test.name.split_once('/')).map(|(group, _)| group).collect();
    let group = filter.and_then(|filter| filter.split_once('/')).map(|(group, _)| group);
    if group.is_none_or(|group| !groups.contains(&group)) {
        host_tests(project, filter, &logs.join("host.log"), &mut tally)?;
    }
    let selected: Vec<Test> =
        all.into_iter().filter(|test| test.is_selected(filter)).collect();
    if !selected.is_empty() {
        machine_tests(project, &selected, &mut tally)?;
    }
    if tally.passed + tally.failed.len() == 0 {
        bail!("no test's name contains {:?}", filter.unwrap_or_default());
    }
    if !tally.failed.is_empty() {
        println!("\nfailed (logs in {}):", logs.display());
        for name in &tally.failed {
            println!("    {name}");
        }
    }
    println!("{} passed, {} failed", tally.passed, tally.failed.len());
    Ok(u8::from(!tally.failed.is_empty()))
}

/// `host/<package>::<test>`, `<package>`, or a part of a test's name.
fn host_tests(project: &Project, filter: Option<&str>, log: &std::path::Path, tally: &mut Tally) -> Result<()> {
    let filter = filter.map(|filter| filter.strip_prefix("host/").unwrap_or(filter)).filter(|filter| !filter.is_empty());
    let (package, name) = match filter {
        Some(filter) => match filter.split_once("::") {
            Some((package, name)) => (Some(package), Some(name)),
            None => (None, Some(filter)),
        },
        None => (None, None),
    };
    let mut log = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    for (folder, mut packages) in [("", cargo::packages(project, "")?), ("kernel", kernel_packages(project)?)] {
        let mut name = name;
        if let Some(package) = package {
            packages.retain(|it| it.name == package);
        } else if let Some(package) = name.filter(|name| packages.iter().any(|it| it.name == *name)) {
            packages.retain(|it| it.name == package);
            name = None;
        }
        if packages.is_empty() {
            continue;
        }
        let mut command = cargo::cargo();
        command.args(["test", "--no-fail-fast"]).current_dir(project.root.join(folder));
        if folder != "kernel" {
            cargo::with_checks(&mut command);
        }
        if packages.iter().any(|package| package.name == models::SERVICE) {
            models::add_to(project, &mut command)?;
        }
        if folder == "kernel" {
            command.args(["--target", "x86_64-unknown-linux-gnu"]);
        }
        command.args(packages.iter().flat_map(|package| ["--package", &package.id]));
        command.args(name.as_slice()).env("CARGO_TARGET_DIR", &project.target);
        println!("== tests on this host{}", if folder.is_empty() { "" } else { " (kernel)" });
        count(&mut command, &mut log, tally)?;
    }
    Ok(())
}

fn kernel_packages(project: &Project) -> Result<Vec<cargo::Package>> {
    if !project.root.join("kernel/Cargo.toml").exists() {
        return Ok(Vec::new());
    }
    let packages = cargo::packages(project, "kernel")?.into_iter();
    Ok(packages.filter(|package| KERNEL_HOST_PACKAGES.contains(&package.name.as_str())).collect())
}

/// Runs cargo's tests, shows what matters, and counts.
fn count(command: &mut Command, log: &mut File, tally: &mut Tally) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot run cargo test")?;
    // Cargo names the program that runs on its standard error, which must not be mixed up with the other's order: both go to the log, and
    // what failed is said again at the end.
    let stderr = child.stderr.take().context("no standard error")?;
    let mut error_log = log.try_clone()?;
    let errors = std::thread::spawn(move || -> std::io::Result<()> {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            writeln!(error_log, "{line}")?;
            eprintln!("{line}");
        }
        Ok(())
    });
    let stdout = child.stdout.take().context("no standard output")?;
    let before = tally.failed.len();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        writeln!(log, "{line}")?;
        if let Some(result) = line.strip_prefix("test result: ") {
            let number = |word: &str| {
                let before = result.split(word).next()?.trim_end();
                before.rsplit(' ').next()?.parse::<usize>().ok()
            };
            tally.passed += number("passed").unwrap_or(0);
            if number("passed") != Some(0) || number("failed") != Some(0) {
                println!("{line}");
            }
        } else if let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
            tally.failed.push(format!("host/{name}"));
            println!("{line}");
        } else if line.contains("panicked at") || line.starts_with("  left:") || line.starts_with(" right:") {
            println!("{line}");
        }
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    let _ = errors.join();
    if !status.success() && tally.failed.len() == before {
        tally.failed.push("host/build (the tests do not build, or end early)".into());
    }
    Ok(())
}

fn machine_tests(project: &Project, selected: &[Test], tally: &mut Tally) -> Result<()> {
    println!("== tests in virtual machines ({})", selected.len());
    let built = build_images(project, selected);
    let images = match built {
        Ok(images) => images,
        Err(error) => {
            println!("the images cannot be built: {error:#}");
            tally.failed.extend(selected.iter().map(|test| test.name.clone()));
            return Ok(());
        }
    };
    let lab = Lab::new(images, accel::choose(&project.cache)?, project.build().join("test"));
    for test in selected {
        print!("test {} ... ", test.name);
        std::io::stdout().flush()?;
        let begun = Instant::now();
        let result = test.run(&lab);
        let after = lab.after_test(result.is_ok());
        // A panic explains the test's own failure.
        let result = after.and(result);
        let seconds = begun.elapsed().as_secs_f64();
        match result {
            Ok(()) => {
                println!("ok ({seconds:.1} s)");
                tally.passed += 1;
            }
            Err(error) => {
                println!("FAILED ({seconds:.1} s)");
                for line in format!("{error:#}").lines() {
                    println!("    {line}");
                }
                tally.failed.push(test.name.clone());
            }
        }
    }
    Ok(())
}

/// Programs that tests run in machines, and the one that looks at disk images on this host.
fn test_programs(project: &Project) -> Result<Programs> {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let dir = project.build().join("test-programs");
    Ok(Programs {
        dynamic: cargo::build_dynamic(project, &set(&["net-probe", "std-probe", "tokio-probe"]), &dir.join("dynamic"))?,
        fixed: cargo::build_static(project, &set(&["abi-probe", "bus-peer", "installer", "kms-probe", "net-peer", "net-probe", "own-probe", "redoxfsd", "std-probe", "syscall-fuzz", "tokio-probe"]), &dir.join("static"))?,
    })
}

fn build_images(project: &Project, selected: &[Test]) -> Result<Images> {
    let genai = match selected.iter().any(Test::needs_genai) {
        true => Some(images::genai(project, DEFAULT_EDITION, Cd::Skip)?),
        false => None,
    };
    let linux = match selected.iter().any(Test::needs_linux) {
        true => Some(images::linux(project, DEFAULT_EDITION)?),
        false => None,
    };
    let of_genai = |genai: images::Genai| Genai { kernel: genai.kernel, initfs: genai.initfs, disk: genai.disk, iso: genai.iso };
    let of_linux = |linux: images::Linux| Linux {
        kernel: linux.kernel,
        initramfs: linux.initramfs,
        disk: linux.disk,
        command_line: linux.command_line,
    };
    let any = |needs: fn(&Test) -> bool| selected.iter().any(needs);
    let developer = any(Test::needs_developer).then(|| images::genai(project, DEVELOPER_EDITION, Cd::Skip)).transpose()?;
    let server = any(Test::needs_server).then(|| images::genai_as(project, SERVER_EDITION, Cd::Make, &Format::ALL)).transpose()?;
    let developer_linux = any(Test::needs_developer_linux).then(|| images::linux(project, DEVELOPER_EDITION)).transpose()?;
    Ok(Images {
        genai: genai.map(of_genai),
        linux: linux.map(of_linux),
        developer: developer.map(of_genai),
        server_formats: server.as_ref().map(|server| server.converted.clone()).unwrap_or_default(),
        server: server.map(of_genai),
        developer_linux: developer_linux.map(of_linux),
        programs: selected.iter().any(Test::needs_programs).then(|| test_programs(project)).transpose()?,
        frame_selftest: selected.iter().any(Test::needs_frame_selftest).then(|| cargo::build_frame_selftest(project)).transpose()?,
    })
}

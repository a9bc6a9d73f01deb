//! `./gos bench`: the same measurements on our kernel and on Linux, in the same machine.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use exec_protocol::Outcome;
use serde::{Deserialize, Serialize};
use system_tests::{Genai, Images, Lab, Linux, Machine, System};
use vm::machine::{Network, Reach};
use vm::{accel, exec, transfer};

use crate::bench_desktop::{self, Compositor};
use crate::cargo;
use crate::images::{self, Cd};
use crate::models;
use crate::project::{DEFAULT_EDITION, Project};

/// The program that measures; it prints a [`Measurement`] a line.
const PROGRAM: &str = "kbench";
/// The program that measures the network.
const PEER: &str = "net-peer";

/// All measurements of one system, emulated.
const LIMIT: Duration = Duration::from_secs(1200);

/// A start, emulated and on a busy host.
const BOOT_LIMIT: Duration = Duration::from_secs(240);

/// How the prompt on the serial line begins, that of gcs and that of bash.
const PROMPT: &str = "root@genai";

#[derive(Deserialize)]
pub struct Measurement {
    pub name: String,
    pub unit: String,
    pub value: f64,
    /// What the established program needed for the same, where one of Linux's was measured beside ours.
    #[serde(default)]
    pub linux: Option<f64>,
}

#[derive(Serialize)]
struct Comparison {
    name: String,
    unit: String,
    /// `None` where the system did not get through it.
    ours: Option<f64>,
    linux: Option<f64>,
    /// Ours by Linux's.
    ratio: Option<f64>,
}

/// Where both sides were measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As programs of this host.
    Host,
    /// As systems, each in a machine.
    Machines,
}

/// What is measured in a machine.
enum Work {
    /// [`PROGRAM`], put to /tmp/kbench, and the start of the system.
    Kernel(PathBuf),
    /// [`PEER`], put to /tmp/net-peer, against a server on this host's port.
    Network(PathBuf, u16),
    /// A script of `tests/bench/`.
    Script(String),
}

/// The script of a benchmark, after what all of them share.
fn script(project: &Project, name: &str) -> Result<String> {
    let folder = project.root.join("tests/bench");
    let read = |name: &str| {
        let path = folder.join(format!("{name}.sh"));
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let is_word = name.chars().all(|letter| letter.is_ascii_alphanumeric());
    if !is_word || name == "common" || !folder.join(format!("{name}.sh")).is_file() {
        bail!("there is no benchmark {name:?}; there are: kernel, net, desktop, gde, genai, init, packages, disk, untar, compile, sqlite, redis, nginx, pgbench, iperf3, fio");
    }
    let place = "dir=$(mktemp -d /root/bench.XXXXXX); trap 'cd /; rm -rf \"$dir\"' EXIT; cd \"$dir\"\n";
    Ok(format!("{}\n{place}{}", read("common")?, read(name)?))
}

pub fn bench(project: &Project, name: Option<&str>, edition: Option<&str>, json: bool) -> Result<()> {
    let name = name.unwrap_or("kernel");
    let results = project.build().join("bench");
    fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
    let on_this_host = match name {
        "genai" => Some(service(project)?),
        "gde" => Some(program(project, "gde-compositor", "speed")?),
        "init" => Some(program(project, "init", "start")?),
        "packages" => Some(program(project, "gpm", "packages")?),
        _ => None,
    };
    if let Some(measured) = on_this_host {
        return report(&results, name, &compare(&measured, &[]), Place::Host, json);
    }
    let lab = || Ok::<_, anyhow::Error>(Lab::new(images(project, edition.unwrap_or(DEFAULT_EDITION))?, accel::choose(&project.cache)?, results.clone()));
    if name == "desktop" {
        let lab = lab()?;
        let (linux, ours) = (desktop(&lab, System::Linux), desktop(&lab, System::Genai));
        ensure!(!ours.is_empty(), "nothing could be measured");
        return report(&results, name, &compare(&ours, &linux), Place::Machines, json);
    }
    let work = if name == "kernel" {
        let programs = cargo::build_static(project, &BTreeSet::from([PROGRAM.to_owned()]), &project.build().join("programs"))?;
        Work::Kernel(programs.get(PROGRAM).with_context(|| format!("the workspace has no program {PROGRAM}"))?.clone())
    } else if name == "net" {
        let programs = cargo::build_static(project, &BTreeSet::from([PEER.to_owned()]), &project.build().join("programs"))?;
        Work::Network(programs.get(PEER).with_context(|| format!("the workspace has no program {PEER}"))?.clone(), serve_network()?)
    } else {
        Work::Script(script(project, name)?)
    };
    let lab = lab()?;
    // One after the other: together they would slow each other down.
    let linux = measure(&lab, System::Linux, &format!("{name}-linux"), &work)?;
    let ours = measure(&lab, System::Genai, &format!("{name}-genai"), &work)?;
    report(&results, name, &compare(&ours, &linux), Place::Machines, json)
}

/// A package's benchmark on this host, without a machine.
fn program(project: &Project, package: &str, bench: &str) -> Result<Vec<Measurement>> {
    let mut command = cargo::cargo();
    command.args(["bench", "--package", package, "--bench", bench]);
    command.current_dir(&project.root).env("CARGO_TARGET_DIR", &project.target).stderr(std::process::Stdio::inherit());
    measurements_of(&mut command)
}

/// The AI service on this host, with the model that images have.
fn service(project: &Project) -> Result<Vec<Measurement>> {
    let mut command = cargo::cargo();
    command.args(["bench", "--package", models::SERVICE, "--bench", "speed"]);
    models::add_to(project, &mut command)?;
    command.current_dir(&project.root).env("CARGO_TARGET_DIR", &project.target).stderr(std::process::Stdio::inherit());
    measurements_of(&mut command)
}

fn measurements_of(command: &mut std::process::Command) -> Result<Vec<Measurement>> {
    let output = command.output().context("cannot run cargo")?;
    let mut lines = LineOutput::default();
    lines.write_all(&output.stdout)?;
    ensure!(output.status.success(), "the measurement ended with {}", output.status);
    Ok(lines.measurements)
}

/// The desktop on a system, and weston where the edition has it.
fn desktop(lab: &Lab, system: System) -> Vec<Measurement> {
    let mut measurements = Vec::new();
    for compositor in [Compositor::Gde, Compositor::Weston] {
        let label = format!("{} on {}", compositor.name(), if system == System::Linux { "Linux" } else { "GenAI OS" });
        eprintln!("gos: measuring {label}");
        match bench_desktop::measure(lab, system, compositor) {
            Ok(found) => measurements.extend(found),
            // The other one is of use all the same.
            Err(error) => eprintln!("gos: {label}: {error:#}"),
        }
    }
    measurements
}

/// Keeps a table and JSON, and prints one of them.
fn report(results: &Path, name: &str, comparisons: &[Comparison], place: Place, json: bool) -> Result<()> {
    let text = serde_json::to_string_pretty(comparisons)?;
    let path = results.join(format!("{name}.json"));
    fs::write(&path, format!("{text}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    let table = table(comparisons, place);
    let table_path = results.join(format!("{name}.txt"));
    fs::write(&table_path, &table).with_context(|| format!("cannot write {}", table_path.display()))?;
    print!("{}", if json { format!("{text}\n") } else { table });
    eprintln!("gos: written to {} and {}", path.display(), table_path.display());
    Ok(())
}

/// The end on this host of what the network is measured with; its port. It runs until the process ends.
fn serve_network() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve_peer(stream));
        }
    });
    Ok(port)
}

/// Serves what the first four bytes ask for.
fn serve_peer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut service, mut buffer) = ([0; 4], vec![7; 128 << 10]);
    stream.read_exact(&mut service)?;
    loop {
        match &service {
            b"send" => stream.write_all(&buffer)?,
            b"take" if stream.read(&mut buffer)? == 0 => return Ok(()),
            b"take" => {}
            _ => match stream.read(&mut buffer)? {
                0 => return Ok(()),
                len => stream.write_all(&buffer[..len])?,
            },
        }
    }
}

fn images(project: &Project, edition: &str) -> Result<Images> {
    let linux = images::linux(project, edition)?;
    let genai = images::genai(project, edition, Cd::Skip)?;
    Ok(Images {
        linux: Some(Linux {
            kernel: linux.kernel,
            initramfs: linux.initramfs,
            disk: linux.disk,
            // Our kernel does without page-table isolation and the like. Linux with it on an emulated processor would be an easy
            // opponent: each switch of page tables empties QEMU's translation cache.
            command_line: format!("{} mitigations=off", linux.command_line),
        }),
        genai: Some(Genai { kernel: genai.kernel, initfs: genai.initfs, disk: genai.disk, iso: None }),
        frame_selftest: None,
        server: None,
        server_formats: Vec::new(),
        developer: None,
        developer_linux: None,
        programs: None,
    })
}

fn measure(lab: &Lab, system: System, name: &str, work: &Work) -> Result<Vec<Measurement>> {
    let label = if system == System::Linux { "Linux" } else { "GenAI OS" };
    eprintln!("gos: starting {label}");
    let mut description = lab.describe(system)?;
    if matches!(work, Work::Network(..)) {
        description.network = Some(Network { reach: Reach::World, forwards: Vec::new() });
    }
    let machine = Machine::start(&lab.dir(name), &description)?;
    let mut measurements = Vec::new();
    let command = match work {
        Work::Kernel(program) => {
            match boot_time(&machine) {
                Ok(seconds) => measurements.push(Measurement { name: "boot: hand-off to prompt".into(), unit: "s".into(), value: seconds, linux: None }),
                Err(error) => eprintln!("gos: {label}: boot: {error:#}"),
            }
            machine.dir().wait_ready(BOOT_LIMIT)?;
            transfer::put(machine.exec(), program, "/tmp/kbench")?;
            exec::command(["/tmp/kbench"], LIMIT)
        }
        Work::Network(program, port) => {
            machine.dir().wait_ready(BOOT_LIMIT)?;
            transfer::put(machine.exec(), program, "/tmp/net-peer")?;
            // The address comes by DHCP.
            let script = format!("until ip route | grep -q ^default; do sleep 0.1; done; exec /tmp/net-peer bench 10.0.2.2:{port}");
            exec::command(["bash", "-c", script.as_str()], LIMIT)
        }
        Work::Script(script) => {
            machine.dir().wait_ready(BOOT_LIMIT)?;
            exec::command(["bash", "-c", script], LIMIT)
        }
    };
    eprintln!("gos: measuring {label}");
    let mut output = LineOutput::default();
    let running = machine.exec().start(command)?;
    let mut errors = Vec::new();
    let outcome = running.run(std::io::empty(), &mut output, &mut errors);
    measurements.append(&mut output.measurements);
    let errors = String::from_utf8_lossy(&errors);
    for line in errors.lines() {
        eprintln!("gos: {label}: {line}");
    }
    // What was measured until then is of use all the same.
    match outcome {
        Ok(Outcome::Code(0)) => {}
        Ok(outcome) => eprintln!("gos: {label}: the benchmark ended with {outcome:?}"),
        Err(error) => match machine.dir().check_panic() {
            Err(panic) => eprintln!("gos: {label}: {panic}"),
            Ok(()) => eprintln!("gos: {label}: {error}"),
        },
    }
    ensure!(!measurements.is_empty(), "{label}: nothing could be measured");
    Ok(measurements)
}

/// Seconds from the boot loader's jump to the kernel until the shell's prompt on the serial line. The kernel's clock runs from its
/// start; reading it by a command places that start on our clock.
fn boot_time(machine: &Machine) -> Result<f64> {
    let deadline = Instant::now() + BOOT_LIMIT;
    let prompt = loop {
        let log = fs::read(machine.dir().serial_log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let last = log.lines().last().unwrap_or_default();
        if last.contains(PROMPT) {
            break Instant::now();
        }
        machine.dir().check_panic()?;
        ensure!(Instant::now() < deadline, "no prompt within {} s", BOOT_LIMIT.as_secs());
        std::thread::sleep(Duration::from_millis(5));
    };
    machine.dir().wait_ready(BOOT_LIMIT)?;
    let mut best: Option<f64> = None;
    // The quickest answer is the one that says most exactly when it was.
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let asked = Instant::now();
        let output = machine.exec().output(exec::command(["cat", "/proc/uptime"], BOOT_LIMIT), b"")?;
        let took = asked.elapsed();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let uptime = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        let uptime = uptime.with_context(|| format!("/proc/uptime holds {text:?}"))?;
        if took < quickest {
            quickest = took;
            best = Some(uptime - (asked - prompt + took / 2).as_secs_f64());
        }
    }
    best.filter(|seconds| *seconds > 0.0).context("the kernel's clock makes no sense")
}

/// Takes the program's lines as they come, and shows the progress.
#[derive(Default)]
struct LineOutput {
    rest: Vec<u8>,
    measurements: Vec<Measurement>,
}

impl Write for LineOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            match serde_json::from_slice::<Measurement>(&line) {
                Ok(measurement) => {
                    eprintln!("    {} {} {}", measurement.name, figure(measurement.value), measurement.unit);
                    self.measurements.push(measurement);
                }
                Err(_) => eprintln!("    {}", String::from_utf8_lossy(&line).trim_end()),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// In Linux's order, with what only one of them has.
fn compare(ours: &[Measurement], linux: &[Measurement]) -> Vec<Comparison> {
    let find = |list: &[Measurement], it: &Measurement| {
        list.iter().find(|other| other.name == it.name && other.unit == it.unit).map(|other| other.value)
    };
    let only_ours = ours.iter().filter(|it| find(linux, it).is_none());
    linux
        .iter()
        .chain(only_ours)
        .map(|it| {
            let (ours, linux) = (find(ours, it), find(linux, it).or(it.linux));
            let ratio = ours.zip(linux).filter(|(_, linux)| *linux != 0.0).map(|(ours, linux)| ours / linux);
            Comparison { name: it.name.clone(), unit: it.unit.clone(), ours, linux, ratio }
        })
        .collect()
}

fn table(comparisons: &[Comparison], place: Place) -> String {
    let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
    let width = comparisons.iter().map(|it| it.name.chars().count()).max().unwrap_or(0).max(4);
    let row = |name: &str, unit: &str, ours: &str, linux: &str, ratio: &str| {
        format!("{name:width$}  {unit:8}  {ours:>12}  {linux:>12}  {ratio:>6}\n")
    };
    // Which other program it is stands in the name of what was measured.
    let other = if place == Place::Machines { "linux" } else { "other" };
    let mut table = row("name", "unit", "ours", other, "ratio");
    for it in comparisons {
        let ratio = it.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        table.push_str(&row(&it.name, &it.unit, &cell(it.ours), &cell(it.linux), &ratio));
    }
    if comparisons.iter().all(|it| it.linux.is_none()) {
        return table;
    }
    table.push_str("\nRatio: ours by the other's. Times: less is better; rates (.../s): more is better.\n");
    if place == Place::Machines {
        table.push_str("Linux runs with mitigations=off, because our kernel has none of them.\n");
    }
    table
}

/// Four significant digits.
fn figure(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i64).clamp(0, 6) as usize };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(name: &str, value: f64) -> Measurement {
        Measurement { name: name.into(), unit: "ns".into(), value, linux: None }
    }

    #[test]
    fn comparisons_keep_what_only_one_system_measured() {
        let ours = [measurement("getppid", 300.0), measurement("scheme round trip", 5.0)];
        let linux = [measurement("fork", 10.0), measurement("getppid", 150.0)];
        let found: Vec<_> = compare(&ours, &linux).into_iter().map(|it| (it.name, it.ours, it.linux, it.ratio)).collect();
        let expected = [
            ("fork".to_owned(), None, Some(10.0), None),
            ("getppid".to_owned(), Some(300.0), Some(150.0), Some(2.0)),
            ("scheme round trip".to_owned(), Some(5.0), None, None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_program_may_measure_both_sides() {
        let both: Measurement = serde_json::from_str(r#"{"name":"install, by pacman","unit":"s","value":1,"linux":4}"#).unwrap();
        let compared = compare(&[both], &[]);
        assert_eq!((compared[0].linux, compared[0].ratio), (Some(4.0), Some(0.25)));
        assert!(table(&compared, Place::Host).lines().next().unwrap().contains("other"));
    }

    #[test]
    fn figures_have_four_digits() {
        assert_eq!([figure(1234.5), figure(12.3456), figure(0.5), figure(0.0)], ["1234", "12.35", "0.5000", "0"]);
    }

    #[test]
    fn lines_are_taken_in_any_pieces() {
        let mut output = LineOutput::default();
        for byte in b"{\"name\":\"a\",\"unit\":\"ns\",\"value\":1}\nnoise\n{\"name\":\"b\",\"unit\":\"ns\",\"value\":2.5}\n" {
            output.write_all(&[*byte]).unwrap();
        }
        let values: Vec<_> = output.measurements.iter().map(|it| (it.name.as_str(), it.value)).collect();
        assert_eq!(values, [("a", 1.0), ("b", 2.5)]);
    }
}

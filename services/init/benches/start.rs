//! What `./gos bench init` runs, on this host: a hundred services that do nothing, fifty in a chain and fifty beside it, started by GCI and by
//! runit, in turns. A JSON object a line.
//!
//! runit knows no order. Its users begin the script that runs a service with `sv start OTHER`, which waits until the other one runs, and,
//! where it has a script `check`, until that one is content. Without such a script `sv` takes a service for running whose script still
//! waits for a third one: then nothing is in order. So there are three measurements: programs that run (without `check`; in a unit
//! `Type=exec`), programs that have said that they are ready (with `check`; in a unit `Type=notify`), and programs that run where runit is not
//! asked for any order, while GCI keeps the chain.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CHAIN: usize = 50;
const WIDE: usize = 50;
const ROUNDS: usize = 7;
/// For one start.
const LIMIT: Duration = Duration::from_secs(300);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, pipe, number, marker @ ..] = words.as_slice()
        && word == "service"
    {
        serve(pipe, number, marker.first());
    }
    // What services leave behind when their manager ends must be waited for here: their time counts, and none may be left.
    // SAFETY: no memory.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let waits = [("programs run", Wait::Running), ("all are ready", Wait::Told), ("programs run, in no order", Wait::Nothing)];
    for (what, wait) in waits {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let take = |manager: Manager, list: &mut Vec<Took>| list.push(once(manager, wait));
            if round % 2 == 0 {
                take(Manager::Gci, &mut ours);
                take(Manager::Runit, &mut theirs);
            } else {
                take(Manager::Runit, &mut theirs);
                take(Manager::Gci, &mut ours);
            }
        }
        let both = |pick: fn(&Took) -> f64| (median(ours.iter().map(pick).collect()), median(theirs.iter().map(pick).collect()));
        print(&format!("100 services until {what}, by runit: passed"), "ms", both(|it| it.passed.as_secs_f64() * 1000.0));
        print(&format!("100 services until {what}, by runit: processor time, with their end"), "ms", both(|it| it.processor.as_secs_f64() * 1000.0));
        print(&format!("100 services until {what}, by runit: begun before the one that they wait for"), "services", both(|it| it.early as f64));
        let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours.passed.as_secs_f64() / theirs.passed.as_secs_f64()).collect();
        let (least, most) = ratios.iter().fold((f64::MAX, 0.0f64), |(least, most), it| (least.min(*it), most.max(*it)));
        eprintln!("until {what}: ours by runit's {:.3} ({least:.3} to {most:.3})", median(ratios.clone()));
    }
}

fn print(name: &str, unit: &str, (ours, theirs): (f64, f64)) {
    println!("{}", serde_json::json!({ "name": name, "unit": unit, "value": ours, "linux": theirs }));
}

fn median(mut list: Vec<f64>) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

/// The service: tells that it is there in all ways that somebody listens to, and does nothing more.
fn serve(pipe: &str, number: &str, marker: Option<&String>) -> ! {
    let mut pipe = fs::File::options().write(true).open(pipe).expect("the pipe");
    pipe.write_all(format!("{number:>3}\n").as_bytes()).expect("the pipe");
    if let Some(marker) = marker {
        fs::write(marker, "").expect("the marker");
    }
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET") {
        UnixDatagram::unbound().and_then(|it| it.send_to(b"READY=1", socket)).expect("the manager's socket");
    }
    loop {
        // The pipe stays open: its end is that of all services.
        std::thread::park();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manager {
    Gci,
    Runit,
}

/// What a service of the chain waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Under runit for nothing.
    Nothing,
    /// That the one before it runs.
    Running,
    /// That the one before it has said that it is ready.
    Told,
}

struct Took {
    passed: Duration,
    processor: Duration,
    /// Services of the chain that began before the one that they wait for.
    early: usize,
}

/// Numbers from 1 to [`CHAIN`] are the chain.
fn after(number: usize) -> Option<usize> {
    (2..=CHAIN).contains(&number).then(|| number - 1)
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Units, one for each service.
fn units(folder: &Path, program: &str, wait: Wait) -> Command {
    fs::create_dir_all(folder.join("units")).unwrap();
    for number in 1..=CHAIN + WIDE {
        let kind = if wait == Wait::Told { "notify" } else { "exec" };
        let order = after(number).map(|it| format!("[Dependencies]\nRequires=service-{it}\nAfter=service-{it}\n")).unwrap_or_default();
        let text = format!("[GenAI Service]\nExecStart={program} {number}\nType={kind}\n{order}[Installation]\nWantedBy=console.target\n");
        fs::write(folder.join(format!("units/service-{number}.gcservice")), text).unwrap();
    }
    let mut command = command(env!("CARGO_BIN_EXE_init"));
    command.arg("user-mode").arg(folder);
    command
}

/// Folders with scripts, one for each service.
fn scripts(folder: &Path, program: &str, wait: Wait) -> Command {
    for number in 1..=CHAIN + WIDE {
        let service = folder.join(format!("services/service-{number}"));
        fs::create_dir_all(&service).unwrap();
        let other = after(number).filter(|_| wait != Wait::Nothing);
        let other = other.map(|it| format!("sv start service-{it} >/dev/null || exit 1\n")).unwrap_or_default();
        let marker = if wait == Wait::Told { "ready" } else { "" };
        executable(&service.join("run"), &format!("#!/bin/sh\n{other}exec {program} {number} {marker}\n"));
        if wait == Wait::Told {
            executable(&service.join("check"), "#!/bin/sh\n[ -e ready ]\n");
        }
    }
    let services = folder.join("services");
    // For a second after its last change runsvdir would wait whether more is to come.
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(&services).and_then(|it| it.set_times(fs::FileTimes::new().set_modified(old))).unwrap();
    let mut command = command("runsvdir");
    command.env("SVDIR", &services).arg(&services);
    command
}

/// With a priority above all ordinary processes where that is allowed, so that what else the machine has to do counts little.
fn command(program: &str) -> Command {
    // SAFETY: no memory.
    if unsafe { libc::geteuid() } != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("chrt");
    command.args(["--fifo", "1", program]);
    command
}

/// The processor's time of all processes that have been waited for.
fn children_time() -> Duration {
    // SAFETY: a structure of integers, for which zeros are a value, and a pointer to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    let duration = |it: libc::timeval| Duration::new(it.tv_sec as u64, it.tv_usec as u32 * 1000);
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

fn send(process: &Child, signal: libc::c_int) {
    // SAFETY: no memory.
    unsafe { libc::kill(process.id() as i32, signal) };
}

/// Waits for all processes that have been left here.
fn reap() {
    let begun = Instant::now();
    loop {
        // SAFETY: no memory.
        match unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } {
            0 => {
                assert!(begun.elapsed() < LIMIT, "processes are left");
                std::thread::sleep(Duration::from_millis(5));
            }
            pid if pid < 0 => return,
            _ => {}
        }
    }
}

fn once(manager: Manager, wait: Wait) -> Took {
    // In memory, as /run is, where both keep such files: what a disk takes for them is not what is measured.
    let folder: PathBuf = Path::new("/dev/shm").join(format!("gci-bench-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let program = format!("{} service {}", std::env::current_exe().unwrap().display(), pipe.display());
    let mut command = match manager {
        Manager::Gci => units(&folder, &program, wait),
        Manager::Runit => scripts(&folder, &program, wait),
    };
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(folder.join("log")).unwrap());
    // Its own group, so that a signal from the terminal ends the benchmark first.
    command.process_group(0);
    // Opened for both, opening does not wait for a service, and reading does not end before the first one.
    let own = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let mut arrivals = fs::File::open(&pipe).unwrap();
    let (processor, begun) = (children_time(), Instant::now());
    let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut order: Vec<usize> = Vec::new();
    while order.len() < CHAIN + WIDE {
        assert!(has_input(&arrivals, LIMIT), "{} of the services have begun\n{}", order.len(), fs::read_to_string(folder.join("log")).unwrap_or_default());
        let mut line = [0; 4];
        arrivals.read_exact(&mut line).unwrap();
        let number = String::from_utf8_lossy(&line).trim().parse().unwrap();
        assert!(!order.contains(&number), "service {number} has begun twice");
        order.push(number);
    }
    let passed = begun.elapsed();
    let place = |number: usize| order.iter().position(|it| *it == number);
    let early = (1..=CHAIN).filter(|number| after(*number).is_some_and(|it| place(it) > place(*number))).count();
    drop(own);
    send(&process, if manager == Manager::Gci { libc::SIGTERM } else { libc::SIGHUP });
    process.wait().unwrap();
    reap();
    let _ = fs::remove_dir_all(&folder);
    Took { passed, processor: children_time() - processor, early }
}

/// Whether something can be read within the time.
fn has_input(file: &fs::File, limit: Duration) -> bool {
    use std::os::fd::AsRawFd;
    let mut wanted = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one live structure.
    unsafe { libc::poll(&mut wanted, 1, limit.as_millis() as i32) > 0 }
}

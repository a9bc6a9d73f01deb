//! The whole exec channel on the host: client, broker and the real command server, with a socket pair in place of the port.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use exec_protocol::{Outcome, Spawn};
use execd::Config;
use vm::broker;
use vm::exec::{Exec, ExecError, command};

const LONG: Duration = Duration::from_secs(60);

/// A broker and, at the other end of its port, a guest that can be replaced.
struct Guest {
    exec: Exec,
    port: Option<UnixStream>,
    _dir: tempfile::TempDir,
}

fn serve_guest(port: UnixStream) {
    let config = Config { linger: Duration::from_millis(500), ..Config::default() };
    thread::spawn(move || execd::serve(port.try_clone().unwrap(), port, &config));
}

impl Guest {
    /// A broker whose guest is not there yet.
    fn absent() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket: PathBuf = dir.path().join("exec.sock");
        let clients = UnixListener::bind(&socket).unwrap();
        let (host, guest) = UnixStream::pair().unwrap();
        thread::spawn(move || broker::serve(host, clients));
        Guest { exec: Exec::new(socket), port: Some(guest), _dir: dir }
    }

    fn new() -> Self {
        let mut guest = Self::absent();
        serve_guest(guest.port.take().unwrap());
        guest
    }

    fn shell(&self, script: &str) -> vm::exec::Output {
        self.exec.shell(script, LONG).unwrap()
    }
}

#[test]
fn output_and_status_come_back() {
    let guest = Guest::new();
    let output = guest.shell("echo out; echo err >&2; exit 7");
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\n");
    assert_eq!(output.outcome, Outcome::Code(7));
}

#[test]
fn commands_get_their_own_surroundings() {
    let guest = Guest::new();
    let spawn = Spawn { env: vec![(b"COLOUR".into(), b"blue".into())], cwd: Some(b"/usr".into()), ..command(["env"], LONG) };
    let text = String::from_utf8(guest.exec.output(spawn, b"").unwrap().stdout).unwrap();
    for line in ["COLOUR=blue", "HOME=/root", "TERM=linux"] {
        assert!(text.lines().any(|it| it == line), "{line} is missing in {text}");
    }
    assert!(!text.contains("CARGO"), "the server's own variables leak: {text}");
    let spawn = Spawn { cwd: Some(b"/usr".into()), ..command(["pwd"], LONG) };
    assert_eq!(guest.exec.output(spawn, b"").unwrap().stdout, b"/usr\n");
}

#[test]
fn binary_data_of_many_windows_goes_both_ways_unchanged() {
    let guest = Guest::new();
    let data: Vec<u8> = (0..5_000_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let output = guest.exec.output(command(["cat"], LONG), &data).unwrap();
    assert!(output.stdout == data, "{} bytes came back of {}", output.stdout.len(), data.len());
    assert_eq!(output.outcome, Outcome::Code(0));
}

#[test]
fn signals_and_missing_programs_have_their_statuses() {
    let guest = Guest::new();
    assert_eq!(guest.shell("kill -9 $$").outcome, Outcome::Signal(9));
    assert_eq!(guest.exec.output(command(["/no/such/program"], LONG), b"").unwrap().outcome.exit_status(), 127);
    assert_eq!(guest.exec.output(command(["/etc/passwd"], LONG), b"").unwrap().outcome.exit_status(), 126);
}

#[test]
fn a_time_out_kills_the_whole_group() {
    let guest = Guest::new();
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let script = format!("trap '' TERM; sleep 100 & echo $! > {}; echo started; wait", pid_file.display());
    let begun = Instant::now();
    let output = guest.exec.shell(&script, Duration::from_millis(700)).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(output.outcome.exit_status(), 124);
    assert_eq!(output.stdout, b"started\n");
    let pid = std::fs::read_to_string(pid_file).unwrap();
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "the background process lives: {state}");
}

#[test]
fn many_commands_at_once_do_not_mix() {
    let guest = Guest::new();
    thread::scope(|scope| {
        for n in 0..24 {
            let exec = guest.exec.clone();
            scope.spawn(move || {
                let script = format!("for i in $(seq 300); do echo {n} $i; done; cat; exit {n}");
                let input = format!("input {n}\n");
                let output = exec.output(command(["bash", "-c", &script], LONG), input.as_bytes()).unwrap();
                let expected: String = (1..=300).map(|i| format!("{n} {i}\n")).collect();
                assert_eq!(String::from_utf8(output.stdout).unwrap(), expected + &input);
                assert_eq!(output.outcome, Outcome::Code(n));
            });
        }
    });
}

/// Takes nothing until told to.
struct Gate(std::sync::mpsc::Receiver<()>, u64);

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1 == 0 {
            self.0.recv().unwrap();
        }
        self.1 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_reader_holds_up_only_its_own_command() {
    let guest = Guest::new();
    let (open, gate) = std::sync::mpsc::channel();
    let slow = guest.exec.start(command(["head", "-c", "20000000", "/dev/zero"], LONG)).unwrap();
    let reader = thread::spawn(move || {
        let mut gate = Gate(gate, 0);
        (slow.run(io::empty(), &mut gate, &mut io::sink()).unwrap(), gate.1)
    });
    for _ in 0..5 {
        assert_eq!(guest.shell("echo quick").stdout, b"quick\n");
    }
    // The writer is stuck behind its window, in the guest: far less than its output has been read from its pipe.
    assert!(!reader.is_finished());
    open.send(()).unwrap();
    assert_eq!(reader.join().unwrap(), (Outcome::Code(0), 20_000_000));
}

#[test]
fn signals_reach_the_command() {
    let guest = Guest::new();
    let running = guest.exec.start(command(["sleep", "100"], LONG)).unwrap();
    let signaller = running.signaller();
    let interrupt = thread::spawn(move || {
        // The command may not have a process yet; a terminal's user would press the key again, too.
        for _ in 0..50 {
            thread::sleep(Duration::from_millis(50));
            if signaller.signal(2).is_err() {
                break;
            }
        }
    });
    assert_eq!(running.run(io::empty(), &mut io::sink(), &mut io::sink()).unwrap(), Outcome::Signal(2));
    interrupt.join().unwrap();
}

#[test]
fn a_client_that_leaves_takes_its_command_along() {
    let guest = Guest::new();
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 100", pid_file.display());
    let running = guest.exec.start(command(["sh", "-c", &script], LONG)).unwrap();
    let pid = loop {
        match std::fs::read_to_string(&pid_file) {
            Ok(pid) if pid.ends_with('\n') => break pid,
            _ => thread::sleep(Duration::from_millis(10)),
        }
    };
    drop(running);
    let begun = Instant::now();
    while std::fs::metadata(format!("/proc/{}", pid.trim())).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the command still runs");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_background_process_does_not_keep_a_command_waiting() {
    let guest = Guest::new();
    let begun = Instant::now();
    let output = guest.shell("sleep 30 & echo done");
    assert_eq!((output.stdout.as_slice(), output.outcome), (&b"done\n"[..], Outcome::Code(0)));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn output_after_the_end_of_the_shell_is_kept() {
    let guest = Guest::new();
    assert_eq!(guest.shell("echo late > >(sleep 0.2; cat)").stdout, b"late\n");
}

#[test]
fn no_vm_is_told_apart_from_no_answer() {
    let exec = Exec::new("/no/such/socket");
    assert!(matches!(exec.output(command(["true"], LONG), b""), Err(ExecError::NoVm { .. })));
    let guest = Guest::absent();
    let limit = Duration::from_millis(300);
    assert!(matches!(guest.exec.wait_ready(limit), Err(ExecError::NoAnswer(it)) if it == limit));
}

#[test]
fn commands_wait_for_a_guest_that_comes_up_late() {
    let mut guest = Guest::absent();
    let exec = guest.exec.clone();
    let waiting = thread::spawn(move || exec.output(command(["echo", "hello"], LONG), b"").unwrap().stdout);
    thread::sleep(Duration::from_millis(200));
    let mut port = guest.port.take().unwrap();
    // What a boot loader may have left in the line.
    port.write_all(b"\xA7GX\x1Bnoise").unwrap();
    serve_guest(port);
    assert_eq!(waiting.join().unwrap(), b"hello\n");
}

#[test]
fn a_restart_of_the_server_is_noticed() {
    let mut guest = Guest::absent();
    let port = guest.port.take().unwrap();
    // A server that dies after its first command: its end of the line stays open, as a port does.
    let mut line = port.try_clone().unwrap();
    let first = thread::spawn(move || {
        let (near, far) = UnixStream::pair().unwrap();
        let mut up = near.try_clone().unwrap();
        let (mut down, mut line_out) = (near.try_clone().unwrap(), line.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut down, &mut line_out));
        serve_guest(far);
        let mut buffer = [0; 4096];
        line.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        while let Ok(len) = line.read(&mut buffer) {
            up.write_all(&buffer[..len]).unwrap();
        }
        near.shutdown(std::net::Shutdown::Both).unwrap();
        line.set_read_timeout(None).unwrap();
    });
    let running = guest.exec.start(command(["sleep", "100"], LONG)).unwrap();
    let end = thread::spawn(move || running.run(io::empty(), &mut io::sink(), &mut io::sink()));
    first.join().unwrap();
    serve_guest(port);
    match end.join().unwrap() {
        Err(ExecError::Lost(reason)) => assert!(reason.contains("restarted"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(guest.shell("echo again").stdout, b"again\n");
}

#[test]
fn files_and_directories_are_copied_with_their_modes() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let guest = Guest::new();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let data: Vec<u8> = (0..3_000_000u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    std::fs::create_dir_all(at("tree/sub")).unwrap();
    std::fs::write(at("tree/sub/big"), &data).unwrap();
    std::fs::set_permissions(at("tree/sub/big"), std::fs::Permissions::from_mode(0o750)).unwrap();
    symlink("sub/big", at("tree/link")).unwrap();
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();

    vm::transfer::put(&guest.exec, &at("tree"), &text(at("there"))).unwrap();
    vm::transfer::get(&guest.exec, &text(at("there")), &at("back")).unwrap();
    assert_eq!(std::fs::read(at("back/sub/big")).unwrap(), data);
    assert_eq!(mode(at("back/sub/big")), 0o750);
    assert_eq!(std::fs::read_link(at("back/link")).unwrap(), PathBuf::from("sub/big"));

    // A single file, under a new name and into a directory.
    vm::transfer::put(&guest.exec, &at("tree/sub/big"), &text(at("file"))).unwrap();
    assert_eq!((std::fs::read(at("file")).unwrap(), mode(at("file"))), (data.clone(), 0o750));
    vm::transfer::get(&guest.exec, &text(at("file")), &at("back")).unwrap();
    assert_eq!((std::fs::read(at("back/file")).unwrap(), mode(at("back/file"))), (data, 0o750));

    let error = vm::transfer::get(&guest.exec, "/no/such/file", &at("x")).unwrap_err().to_string();
    assert!(error.contains("No such file"), "{error}");
    assert!(!at("x").exists());
}

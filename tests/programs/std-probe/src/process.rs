//! Processes, pipes, signals.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio, exit};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn me(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program's own path"));
    command.arg(role);
    command
}

/// What a process does that a section started.
pub fn role(role: &str, rest: &[String]) {
    match role {
        "exit" => exit(rest[0].parse().unwrap()),
        "upper" => io::stdin().lines().for_each(|line| println!("{}", line.unwrap().to_uppercase())),
        "count" => println!("{}", io::copy(&mut io::stdin(), &mut io::sink()).unwrap()),
        "flood" => { io::copy(&mut io::repeat(b'x').take(3_000_000), &mut io::stdout()).unwrap(); }
        "both" => { println!("to standard output"); eprintln!("to standard error"); }
        "environment" => {
            let mut all: Vec<_> = std::env::vars().filter(|(name, _)| name.starts_with("PROBE")).collect();
            all.sort();
            println!("{all:?} {:?} {:?}", rest, std::env::current_dir().unwrap());
        }
        "sleep" => std::thread::sleep(Duration::from_secs(1_000)),
        "abort" => std::process::abort(),
        "panic" => crate::panics::fail(),
        _ => exit(64),
    }
}

pub fn processes() {
    for code in [0, 1, 42, 255] {
        println!("exit {code}: {:?}", me("exit").arg(code.to_string()).status().unwrap().code());
    }
    println!("missing: {:?}", Command::new("/no/such/program").status().map_err(|error| error.kind()).err());
    println!("no program: {:?}", Command::new("/etc/passwd").status().map_err(|error| error.kind()).err());
    println!("search: {:?}", Command::new("true").status().map(|status| status.success()).ok());
    let output = me("both").output().unwrap();
    println!("output: {:?} {:?}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));

    let mut child = me("upper").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for word in ["talk", "to and fro"] {
        writeln!(input, "{word}").unwrap();
        println!("dialogue: {:?}", lines.next().unwrap().unwrap());
    }
    drop(input);
    println!("end: {:?} {:?}", lines.next().is_none(), child.wait().unwrap().code());

    let mut flood = me("flood").stdout(Stdio::piped()).spawn().unwrap();
    let counted = me("count").stdin(flood.stdout.take().unwrap()).output().unwrap();
    println!("pipe of two: {:?} {:?}", String::from_utf8_lossy(&counted.stdout), flood.wait().unwrap().code());
    let mut cut = me("flood").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    cut.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
    println!("reader gone: success {}", cut.wait().unwrap().success());

    let mut command = me("environment");
    command.env_clear().env("PROBE_A", "1").env("PROBE_B", "two words").args(["", "a b", "ü"]).current_dir("/usr");
    println!("environment: {}", String::from_utf8_lossy(&command.output().unwrap().stdout).trim());
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut child = me("upper").stdin(OwnedFd::from(theirs.try_clone().unwrap())).stdout(OwnedFd::from(theirs)).spawn().unwrap();
    (&ours).write_all(b"through a socket\n").unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    BufReader::new(&ours).read_line(&mut answer).unwrap();
    println!("socket as input: {answer:?} {:?}", child.wait().unwrap().code());
    let (mut reader, writer) = io::pipe().unwrap();
    let mut child = me("both").stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    let mut together = String::new();
    reader.read_to_string(&mut together).unwrap();
    println!("one pipe: {together:?} {:?}", child.wait().unwrap().code());
    // SAFETY: only calls that are safe after fork.
    let limited = unsafe { me("exit").arg("3").pre_exec(|| { libc::umask(0o77); Ok(()) }).status() };
    println!("pre_exec: {:?}", limited.unwrap().code());
    // SAFETY: as above.
    let refused = unsafe { me("exit").arg("3").pre_exec(|| Err(io::Error::from_raw_os_error(13))).status() };
    println!("pre_exec's error: {:?}", refused.map_err(|error| error.kind()).err());
    println!("as a user: {:?}", Command::new("id").uid(1000).gid(1000).current_dir("/").output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()));
    println!("arg0: {}", String::from_utf8_lossy(&Command::new("sh").arg0("other").args(["-c", "echo $0"]).output().unwrap().stdout).trim());
    let many: Vec<_> = (0..40).map(|n| me("exit").arg(n.to_string()).spawn().unwrap()).collect();
    println!("40 at once: {}", many.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).sum::<i32>());
    println!("terminal: {}", io::stdin().is_terminal());
    let mut input = String::new();
    io::stdin().read_to_string(&mut input).unwrap();
    println!("standard input: {input:?}");
}

static CAUGHT: AtomicU32 = AtomicU32::new(0);

extern "C" fn catch(signal: i32) {
    CAUGHT.fetch_add(signal as u32, Ordering::SeqCst);
}

pub fn signals() {
    for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGUSR1, libc::SIGHUP] {
        let mut child = me("sleep").spawn().unwrap();
        println!("running: {:?}", child.try_wait().unwrap());
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(child.id() as i32, signal) };
        let status = child.wait().unwrap();
        println!("signal {signal}: {:?} {:?}", status.signal(), status.code());
    }
    let mut child = me("sleep").spawn().unwrap();
    child.kill().unwrap();
    println!("kill: {:?}, then {:?}", child.wait().unwrap().signal(), child.kill());
    // SAFETY: only a call that is safe after fork: no core file.
    let aborted = unsafe { me("abort").pre_exec(|| { libc::setrlimit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 }); Ok(()) }).status() };
    println!("abort: {:?}", aborted.unwrap().signal());
    // SAFETY: the handler only counts.
    unsafe { libc::signal(libc::SIGUSR2, catch as extern "C" fn(i32) as usize) };
    // SAFETY: to this process, which handles it.
    (0..3).for_each(|_| unsafe { assert_eq!(libc::raise(libc::SIGUSR2), 0) });
    println!("caught: {}", CAUGHT.load(Ordering::SeqCst));
    let (mut reader, writer) = io::pipe().unwrap();
    let waiter = std::thread::spawn(move || reader.read(&mut [0; 1]).map_err(|error| error.kind()));
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(2));
        // glibc's signal(3) sets SA_RESTART: the read goes on. SAFETY: the thread has not been joined.
        unsafe { libc::pthread_kill(waiter.as_pthread_t(), libc::SIGUSR2) };
    }
    drop(writer);
    println!("restarted: {:?}", waiter.join().unwrap());
    println!("SIGPIPE is ignored: {:?}", { let (reader, mut writer) = io::pipe().unwrap(); drop(reader); writer.write_all(b"x").map_err(|error| error.kind()) });
}

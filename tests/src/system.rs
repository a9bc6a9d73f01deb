//! Our system, from the outside: commands, console, files.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use exec_protocol::Outcome;
use vm::console::Console;
use vm::exec::command;
use vm::transfer;

use crate::lab::{Lab, System};
use crate::{Test, check};

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(240);

pub fn tests() -> Vec<Test> {
    let mut tests = vec![
        Test::new("linux/commands", |lab| commands(lab, System::Linux)),
        Test::new("vm/commands", |lab| commands(lab, System::Genai)),
        Test::new("vm/schemes-under-it", schemes_under_it),
        Test::new("vm/example-scheme", example_scheme),
        Test::new("vm/console", console),
        Test::new("vm/console-unread", unread_console),
        Test::new("vm/snapshot", snapshot),
    ];
    for system in [System::Linux, System::Genai] {
        let group = if system == System::Linux { "linux" } else { "vm" };
        let mut add = |name: &str, body: fn(&Lab, System) -> Result<()>| {
            tests.push(Test::new(format!("{group}/{name}"), move |lab| body(lab, system)));
        };
        add("big-binary-data", big_binary_data);
        add("parallel-commands", parallel_commands);
        add("time-out", time_out);
        add("signals", signals);
        add("put-get", put_get);
    }
    tests
}

fn commands(lab: &Lab, system: System) -> Result<()> {
    let machine = lab.shared(system)?;
    check::prints(&machine.sh("echo hello; echo $((6 * 7))", SHORT)?, "hello\n42\n")?;
    check::ends(&machine.sh("exit 7", SHORT)?, &Outcome::Code(7))?;
    check::ends(&machine.sh("kill -9 $$", SHORT)?, &Outcome::Signal(9))?;
    let missing = machine.exec().output(command(["/no/such/program"], SHORT), b"")?;
    check::ends(&missing, &Outcome::NotStarted(2))?;
    check::prints(&machine.exec().output(command(["cat"], SHORT), b"input\n")?, "input\n")
}

/// What was written since is gone with the state it was written in, and a command that ran is told so.
fn snapshot(lab: &Lab) -> Result<()> {
    let machine = lab.fresh()?;
    check::prints(&machine.sh("echo early > /root/early && sync", SHORT)?, "")?;
    machine.dir().save("early")?;
    check::prints(&machine.sh("echo late > /root/late && sync && ls /root | grep -E '^(early|late)$'", SHORT)?, "early\nlate\n")?;
    let running = machine.exec().start(command(["sleep", "1000"], LONG))?;
    machine.dir().load("early")?;
    ensure!(running.run(io::empty(), &mut io::sink(), &mut io::sink()).is_err(), "a command's end is known in another past");
    check::prints(&machine.sh("ls /root | grep -E '^(early|late)$'; pgrep -c sleep; true", SHORT)?, "early\n0\n")?;
    ensure!(machine.dir().load("never").is_err(), "a state that was never kept is there");
    lab.fresh()?;
    check::prints(&machine.sh("ls /root | grep -cE '^(early|late)$'; true", SHORT)?, "0\n")
}

/// The machine under test is not Linux by mistake, and its root is served by a scheme.
fn schemes_under_it(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let output = machine.sh("ls /scheme", SHORT)?;
    check::succeeds(&output)?;
    let schemes = String::from_utf8_lossy(&output.stdout).into_owned();
    for scheme in ["initfs", "root", "pci", "disk.vda"] {
        ensure!(schemes.lines().any(|it| it == scheme), "/scheme lacks {scheme}:\n{schemes}");
    }
    // cp(1) asks where a file's data are: all of an archive's file are, whatever of it has been read before.
    let script = "cp /scheme/initfs/lib/gci/redoxfsd.gcservice /scheme/initfs/sbin/redoxfsd /tmp && cmp /tmp/redoxfsd /scheme/initfs/sbin/redoxfsd && \
                  cmp /tmp/redoxfsd.gcservice /scheme/initfs/lib/gci/redoxfsd.gcservice; s=$?; rm -f /tmp/redoxfsd /tmp/redoxfsd.gcservice; exit $s";
    check::succeeds(&machine.sh(script, SHORT)?)
}

/// The daemon that the documentation shows: it can be read, written, and ended.
fn example_scheme(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let script = "hellod & daemon=$!
        for i in $(seq 100); do [ -e /scheme/hello ] && break; sleep 0.1; done
        cat /scheme/hello/Ada
        echo 'Good morning' > /scheme/hello/greeting
        cat /scheme/hello/Ada
        kill $daemon; wait $daemon 2>/dev/null
        cat /scheme/hello/Ada 2>/dev/null || echo gone";
    let output = machine.sh(script, SHORT)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    ensure!(lines.len() == 3 && lines[0].contains("Ada") && lines[1].contains("Good morning") && lines[2] == "gone", "unexpected answers:\n{text}");
    Ok(())
}

/// A shell on the serial line.
fn console(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let mut console = Console::connect(machine.dir())?;
    // Whatever runs there (bash or gcs), a line of shell is run.
    console.send("\r")?;
    console.send("echo con$((1000 + 234))sole\r")?;
    console.expect("con1234sole", SHORT)?;
    console.send("sleep 1000\r")?;
    thread::sleep(Duration::from_secs(1));
    console.send("\x03")?;
    console.send("echo still$((2 + 2))here\r")?;
    console.expect("still4here", SHORT).context("after Ctrl-C")?;
    Ok(())
}

/// Whoever reads the serial line may stop: the log loses lines then, and writers wait, but the machine goes on; as they do when it is read again.
fn unread_console(lab: &Lab) -> Result<()> {
    const FILL: &str = r#"
timeout 5 head -c 2000000 /dev/zero > /dev/ttyS0; echo "writer $?"
for i in {1..300}; do echo "a line that nobody reads, $i" > /dev/kmsg; done; echo logged"#;
    let machine = lab.genai()?;
    let mut console = Console::connect(machine.dir())?;
    check::prints(&machine.sh(FILL, Duration::from_secs(30))?, "writer 124\nlogged\n")?;
    console.send("\r")?;
    console.send("echo back$((2 + 2))again\r")?;
    console.expect("back4again", SHORT).context("when it is read again")?;
    Ok(())
}

fn big_binary_data(lab: &Lab, system: System) -> Result<()> {
    let machine = lab.shared(system)?;
    let data: Vec<u8> = (0..1_000_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let output = machine.exec().output(command(["cat"], LONG), &data)?;
    check::succeeds(&output)?;
    ensure!(output.stdout == data, "{} bytes came back of {}, or others", output.stdout.len(), data.len());
    let count = machine.exec().output(command(["wc", "-c"], LONG), &data)?;
    check::prints(&count, "4000000\n")
}

fn parallel_commands(lab: &Lab, system: System) -> Result<()> {
    let machine = lab.shared(system)?;
    let exec = machine.exec();
    let results: Vec<Result<()>> = thread::scope(|scope| {
        let run = |n: u8| {
            move || {
                let script = format!("for i in {{1..200}}; do echo {n} $i; done; exit {n}");
                let output = exec.shell(&script, LONG)?;
                check::ends(&output, &Outcome::Code(n))?;
                let expected: String = (1..=200).map(|i| format!("{n} {i}\n")).collect();
                check::same(&format!("output of command {n}"), expected.as_bytes(), &output.stdout)
            }
        };
        let threads: Vec<_> = (0..10).map(|n| scope.spawn(run(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("panicked"))).collect()
    });
    results.into_iter().collect()
}

fn time_out(lab: &Lab, system: System) -> Result<()> {
    let machine = lab.shared(system)?;
    let begun = Instant::now();
    let output = machine.sh("trap '' TERM INT; sleep 1234 & echo started; wait", Duration::from_secs(3))?;
    check::ends(&output, &Outcome::TimedOut)?;
    check::same("standard output", b"started\n", &output.stdout)?;
    ensure!(begun.elapsed() < SHORT, "it took {:?}", begun.elapsed());
    let left = machine.sh("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done | grep '^sleep 1234'", SHORT)?;
    ensure!(left.stdout.is_empty(), "a process of the group lives on: {}", String::from_utf8_lossy(&left.stdout));
    Ok(())
}

fn signals(lab: &Lab, system: System) -> Result<()> {
    let machine = lab.shared(system)?;
    // Not a loop of short sleeps: bash drops a SIGINT that comes just as its foreground child ends by itself.
    let script = "sleep 100 < /dev/null > /dev/null 2>&1 & trap 'kill $!; echo caught; exit 3' INT; echo ready; wait";
    let running = machine.exec().start(command(["bash", "-c", script], SHORT))?;
    let signaller = running.signaller();
    let (reader, mut writer) = io::pipe()?;
    let waiting = thread::spawn(move || {
        use io::BufRead;
        let mut lines = io::BufReader::new(reader).lines();
        let first = lines.next();
        let _ = signaller.signal(2);
        first.into_iter().chain(lines).collect::<io::Result<Vec<_>>>()
    });
    let outcome = running.run(io::empty(), &mut writer, &mut io::sink())?;
    drop(writer);
    let lines = waiting.join().map_err(|_| anyhow::anyhow!("panicked"))??;
    ensure!(outcome == Outcome::Code(3) && lines == ["ready", "caught"], "{outcome:?}, printed {lines:?}");
    Ok(())
}

fn put_get(lab: &Lab, system: System) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let machine = lab.shared(system)?;
    let here = machine.dir().file("put-get");
    let _ = std::fs::remove_dir_all(&here);
    std::fs::create_dir_all(here.join("tree/sub"))?;
    let data: Vec<u8> = (0..3_000_000u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    std::fs::write(here.join("tree/sub/file"), &data)?;
    std::fs::set_permissions(here.join("tree/sub/file"), std::fs::Permissions::from_mode(0o751))?;
    check::succeeds(&machine.sh("rm -rf /tmp/put-get && mkdir /tmp/put-get", SHORT)?)?;
    transfer::put(machine.exec(), &here.join("tree"), "/tmp/put-get")?;
    transfer::get(machine.exec(), "/tmp/put-get/tree", &here.join("back"))?;
    ensure!(std::fs::read(here.join("back/sub/file"))? == data, "the file came back different");
    let mode = std::fs::metadata(here.join("back/sub/file"))?.permissions().mode() & 0o7777;
    ensure!(mode == 0o751, "mode {mode:o} came back");
    let output = machine.sh("stat -c '%a %s' /tmp/put-get/tree/sub/file; rm -r /tmp/put-get", SHORT)?;
    check::prints(&output, "751 3000000\n")
}

//! The manager as an ordinary process, with real services.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a loaded machine; conditions end it.
const LIMIT: Duration = Duration::from_secs(60);

struct Manager {
    folder: PathBuf,
    process: Option<Child>,
}

impl Manager {
    /// Units by name and text.
    fn start(name: &str, units: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("gci-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("units")).unwrap();
        let mut manager = Manager { folder, process: None };
        units.iter().for_each(|(name, text)| manager.write(name, text));
        let log = fs::File::create(manager.folder.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_init"));
        command.args(["user-mode".as_ref(), manager.folder.as_os_str()]).stderr(log).stdout(Stdio::null());
        manager.process = Some(command.spawn().unwrap());
        manager.wait("the manager listens", |it| it.folder.join("gci.sock").exists());
        manager.wait("all has been started", |it| it.gci(&["--json", "status"]).contains("\"is_starting\":false"));
        manager
    }

    /// A unit: `text` is the `[GenAI Service]` section and what follows; `DIR` is the folder.
    fn write(&self, name: &str, text: &str) {
        let text = text.replace("DIR", self.folder.to_str().unwrap());
        fs::write(self.folder.join("units").join(format!("{name}.gcservice")), format!("[GenAI Service]\n{text}\n")).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_init")).env("GCI_DIR", &self.folder).args(words).output().unwrap()
    }

    /// The output of a command, whatever its status.
    fn gci(&self, words: &[&str]) -> String {
        let output = self.run(words);
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }

    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "gci {words:?}: {}\n{}", String::from_utf8_lossy(&output.stderr), self.log());
        String::from_utf8(output.stdout).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn unit(&self, name: &str) -> serde_json::Value {
        let text = self.gci(&["--json", "status", name]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{}", self.log()))
    }

    fn state(&self, name: &str) -> String {
        self.unit(name)["state"].as_str().unwrap().to_owned()
    }

    fn wait(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !condition(self) {
            assert!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {what}\n{}\n{}", self.gci(&["status"]), self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// Ends it as a shutdown does.
    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            // SAFETY: no memory.
            unsafe { libc::kill(process.id() as i32, libc::SIGTERM) };
            let begun = Instant::now();
            while process.try_wait().unwrap().is_none() {
                if begun.elapsed() > LIMIT {
                    process.kill().unwrap();
                    process.wait().unwrap();
                    panic!("the manager does not end\n{}", self.log());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // SAFETY: no memory.
            unsafe { libc::kill(process.id() as i32, libc::SIGTERM) };
            let _ = process.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

const WANTED: &str = "[Installation]\nWantedBy=console.target";

#[test]
fn units_start_in_order_and_stop_in_the_other() {
    // Forking: it is ready when the line is there, and not already when its program runs.
    let unit = |word: &str, rest: &str| {
        format!(
            "ExecStart=/bin/sh -c 'echo +{word} >> DIR/order; (trap \"echo -{word} >> DIR/order; exit 0\" TERM; while :; do sleep 0.05; done) & echo $! > DIR/{word}.pid'\n\
             Type=forking\nPIDFile=DIR/{word}.pid\n{rest}\n{WANTED}"
        )
    };
    let mut manager = Manager::start(
        "order",
        &[
            ("a", &unit("a", "")),
            ("b", "ExecStart=/bin/sh -c 'echo +b1 >> DIR/order'\nExecStart=/bin/sh -c 'echo +b2 >> DIR/order'\nType=oneshot\nRemainAfterExit=yes\n[Dependencies]\nAfter=a"),
            ("c", &unit("c", "[Dependencies]\nRequires=b\nAfter=b")),
            ("off", &format!("ExecStart=/bin/false\n{WANTED}\nEnabled=no")),
            ("high", &format!("ExecStart=/bin/false\n[Consciousness]\nRequiredLevel=0.9\n{WANTED}")),
            ("broken", "ExecStart=\"\nRestart=maybe"),
        ],
    );
    manager.wait("all three have begun", |it| it.read("order").lines().count() == 4);
    assert_eq!(manager.read("order"), "+a\n+b1\n+b2\n+c\n");
    assert_eq!(["a", "b", "c", "off", "high"].map(|it| manager.state(it)), ["active", "active", "active", "inactive", "skipped"]);
    assert!(manager.gci(&["start", "broken"]).contains("there is no unit broken"));
    assert!(manager.log().contains("broken.gcservice:3: \"maybe\" is no value for Restart"), "{}", manager.log());
    let blame = manager.ok(&["blame"]);
    assert!(blame.contains("  c\n"), "{blame}");
    let chain = manager.ok(&["critical-chain"]);
    assert!(chain.starts_with("console.target @") && chain.contains("\n  c @") && chain.contains("\n    b @"), "{chain}");
    assert!(manager.ok(&["plot"]).contains("<svg"));
    manager.end();
    let order: Vec<String> = manager.read("order").lines().map(str::to_owned).collect();
    assert_eq!(order[4..], ["-c", "-a"]);
}

#[test]
fn services_are_started_again_until_the_limit() {
    let manager = Manager::start(
        "restart",
        &[
            ("steady", &format!("ExecStart=/bin/sh -c 'echo run >> DIR/steady; exec sleep 1000'\nType=exec\nRestart=always\n{WANTED}")),
            ("crash", &format!("ExecStart=/bin/sh -c 'echo run >> DIR/crash; exit 3'\nRestart=on-failure\nRestartSec=10ms\nStartLimitBurst=4\n{WANTED}")),
            ("missing", &format!("ExecStart=/does/not/exist\nType=exec\n{WANTED}")),
            ("once", &format!("ExecStart=/bin/true\nRestart=on-failure\n{WANTED}")),
        ],
    );
    let pid = |it: &Manager| it.unit("steady")["pid"].as_i64();
    let first = pid(&manager).unwrap();
    // SAFETY: no memory.
    unsafe { libc::kill(first as i32, libc::SIGKILL) };
    manager.wait("it is there again", |it| pid(it).is_some_and(|now| now != first));
    assert_eq!(manager.unit("steady")["restarts"], 1);
    manager.wait("the other one is given up", |it| it.state("crash") == "failed");
    assert_eq!(manager.read("crash").lines().count(), 4);
    assert!(manager.gci(&["status", "crash"]).contains("it ended 4 times within"));
    assert!(manager.gci(&["status", "missing"]).contains("its program is missing or cannot be executed"));
    assert_eq!(manager.state("once"), "inactive");
    let failed = manager.run(&["start", "missing"]);
    assert_eq!(failed.status.code(), Some(1));
    // Asked for again, it is tried again.
    manager.gci(&["start", "crash"]);
    manager.wait("it has been tried", |it| it.read("crash").lines().count() >= 5);
}

/// Tells of itself by sd_notify, in python, as there is no tool for it without systemd.
const NOTIFIER: &str = r#"#!/usr/bin/python3
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ["NOTIFY_SOCKET"])
time.sleep(0.2); open(sys.argv[1], "a").write("ready\n"); s.send(b"STATUS=at work\nREADY=1")
for _ in range(int(sys.argv[2])): time.sleep(0.1); s.send(b"WATCHDOG=1")
time.sleep(1000)
"#;

#[test]
fn readiness_watchdog_and_what_waits_for_them() {
    if !Path::new("/usr/bin/python3").exists() {
        eprintln!("left out: there is no python3");
        return;
    }
    let tool = std::env::temp_dir().join(format!("gci-notifier-{}", std::process::id()));
    script(tool.parent().unwrap(), tool.file_name().unwrap().to_str().unwrap(), NOTIFIER);
    let unit = |count: u32, rest: &str| format!("ExecStart={} DIR/said {count}\nType=notify\n{rest}\n{WANTED}", tool.display());
    let manager = Manager::start(
        "notify",
        &[
            ("teller", &unit(0, "")),
            ("waiter", &format!("ExecStart=/bin/sh -c 'cat DIR/said > DIR/seen; exec sleep 1000'\n[Dependencies]\nAfter=teller\n{WANTED}")),
            ("hangs", &unit(5, "WatchdogSec=2s\nRestart=always\n[Dependencies]\nAfter=waiter")),
            ("mute", &format!("ExecStart=/bin/sleep 1000\nType=notify\nTimeoutStartSec=300ms\n{WANTED}")),
        ],
    );
    manager.wait("the one that waits has seen", |it| it.read("seen") == "ready\n");
    manager.wait("its status", |it| it.unit("teller")["detail"] == "at work");
    manager.wait("the watchdog has ended one", |it| it.unit("hangs")["restarts"].as_u64() >= Some(1));
    assert!(manager.log().contains("hangs has not told of its life within 2s"), "{}", manager.log());
    assert_eq!(manager.unit("mute")["detail"], "was not ready within 300ms");
    assert!(manager.log().contains("mute is not ready within 300ms"), "{}", manager.log());
    fs::remove_file(tool).unwrap();
}

#[test]
fn nobody_is_late_while_the_machine_stands_still() {
    if !Path::new("/usr/bin/python3").exists() {
        eprintln!("left out: there is no python3");
        return;
    }
    let tool = std::env::temp_dir().join(format!("gci-teller-{}", std::process::id()));
    script(tool.parent().unwrap(), tool.file_name().unwrap().to_str().unwrap(), NOTIFIER);
    let manager = Manager::start("still", &[("teller", &format!("ExecStart={} DIR/said 100000\nType=notify\nWatchdogSec=3s\nRestart=always\n{WANTED}", tool.display()))]);
    manager.wait("it tells of its life", |it| it.unit("teller")["detail"] == "at work");
    let of_service = manager.unit("teller")["pid"].as_i64().unwrap() as i32;
    let of_manager = manager.process.as_ref().unwrap().id() as i32;
    let signal = |pid, signal| assert_eq!(unsafe { libc::kill(pid, signal) }, 0); // SAFETY: no memory.
    // As a machine that is paused: both stop, and the clock goes on. The manager is the first to run again.
    signal(of_service, libc::SIGSTOP);
    signal(of_manager, libc::SIGSTOP);
    std::thread::sleep(Duration::from_secs(6));
    signal(of_manager, libc::SIGCONT);
    std::thread::sleep(Duration::from_millis(200));
    signal(of_service, libc::SIGCONT);
    manager.wait("the manager has noticed", |it| it.log().contains("the machine stood still"));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(manager.unit("teller")["restarts"], 0, "{}", manager.log());
    fs::remove_file(tool).unwrap();
}

#[test]
fn commands_decisions_conflicts_and_the_journal() {
    let mut manager = Manager::start(
        "commands",
        &[
            ("talk", &format!("ExecStart=/bin/sh -c 'echo hello; echo \"<3>bad thing\"; printf torn; exec sleep 1000'\nExecReload=/bin/sh -c 'echo reloaded $MAINPID >> DIR/reload'\n{WANTED}")),
            ("stubborn", "ExecStart=/bin/sh -c 'trap \"\" TERM; echo up > DIR/stubborn; while :; do sleep 0.1; done'\nTimeoutStopSec=200ms"),
            ("rival", "ExecStart=/bin/sh -c 'trap \"sleep 0.5; exit\" TERM; echo up >> DIR/rival; while :; do sleep 0.05; done'\n[Dependencies]\nConflicts=talk"),
            ("spare", &format!("ExecStart=/bin/sleep 1000\n{WANTED}")),
            ("l1", "ExecStart=/bin/true\n[Dependencies]\nAfter=l2\nWants=l2"),
            ("l2", "ExecStart=/bin/true\n[Dependencies]\nAfter=l1\nWants=l1"),
            ("limited", "ExecStart=/bin/sh -c 'ulimit -n > DIR/limit; echo $ANSWER ${ANSWER} $0 >> DIR/limit' x\nType=oneshot\nLimitNOFILE=77\nEnvironment=\"ANSWER=4 2\" B=1\nWorkingDirectory=/tmp"),
        ],
    );
    assert!(!manager.read("stubborn").contains("up"));
    manager.ok(&["start", "stubborn", "limited"]);
    assert_eq!(manager.read("limit"), "77\n4 2 4 2 x\n");
    manager.wait("it has its trap", |it| it.read("stubborn") == "up\n");
    manager.ok(&["stop", "stubborn"]);
    assert_eq!(manager.state("stubborn"), "inactive");
    manager.ok(&["reload", "talk"]);
    let pid = manager.unit("talk")["pid"].as_i64().unwrap();
    manager.wait("the reload", |it| it.read("reload") == format!("reloaded {pid}\n"));
    assert!(manager.gci(&["reload", "spare"]).contains("spare has no ExecReload"));

    let looped = manager.gci(&["start", "l1"]);
    assert!(looped.contains("l1 -> l2 -> l1"), "{looped}");
    let verify = manager.run(&["verify"]);
    assert_eq!(verify.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&verify.stdout).contains("l1 -> l2 -> l1"));

    let plan = manager.ok(&["dry-run", "rival"]);
    assert_eq!(plan, "stop talk\nstart rival\n");
    manager.ok(&["start", "rival"]);
    assert_eq!([manager.state("talk"), manager.state("rival")], ["inactive", "active"]);
    manager.wait("it has its trap", |it| it.read("rival") == "up\n");
    manager.ok(&["restart", "rival"]);
    assert_eq!(manager.unit("rival")["restarts"], 1);

    manager.ok(&["disable", "spare"]);
    assert_eq!(manager.unit("spare")["is_enabled"], false);
    // The target was there before, and is so again only with all it wants: "talk" waits for its rival's slow end.
    manager.wait("it has its trap again", |it| it.read("rival") == "up\nup\n");
    manager.ok(&["isolate", "console"]);
    assert_eq!(["talk", "rival", "spare"].map(|it| manager.state(it)), ["active", "inactive", "inactive"]);
    manager.ok(&["enable", "spare"]);
    manager.ok(&["start", "console.target"]);
    manager.write("new", "ExecStart=/bin/sleep 1000");
    assert!(manager.gci(&["start", "new"]).contains("there is no unit new"));
    manager.ok(&["reload"]);
    manager.ok(&["start", "new"]);
    assert!(manager.gci(&["enable", "new"]).contains("new belongs to no target"));

    manager.wait("the journal", |it| it.ok(&["logs", "-u", "talk"]).contains("hello"));
    assert_eq!(manager.ok(&["logs", "-u", "talk", "-p", "err"]).lines().filter(|line| line.ends_with("talk err: bad thing")).count(), 2);
    manager.end();
    assert!(manager.ok(&["logs"]).contains("talk: torn"));
}

#[test]
fn sockets_and_forking() {
    let mut manager = Manager::start(
        "sockets",
        &[
            (
                "answer",
                &format!("ExecStart=/bin/sh -c 'echo $LISTEN_FDS $LISTEN_PID $$$$ > DIR/listen; exec sleep 1000'\n[Sockets]\nListenStream=DIR/answer.sock\nActivation=on-demand\n{WANTED}"),
            ),
            ("forks", &format!("ExecStart=/bin/sh -c 'sleep 1000 & echo $! > DIR/pid'\nType=forking\nPIDFile=DIR/pid\nRestart=always\n{WANTED}")),
            ("guessed", &format!("ExecStart=/bin/sh -c 'sleep 1001 & exit 0'\nType=forking\n{WANTED}")),
        ],
    );
    assert_eq!(manager.state("answer"), "listening");
    let stream = std::os::unix::net::UnixStream::connect(manager.folder.join("answer.sock")).unwrap();
    manager.wait("it runs", |it| it.state("answer") == "active" && !it.read("listen").is_empty());
    let words: Vec<String> = manager.read("listen").split_whitespace().map(str::to_owned).collect();
    assert_eq!((words[0].as_str(), &words[1]), ("1", &words[2]));
    drop(stream);
    let pid = |it: &Manager| it.unit("forks")["pid"].as_i64();
    let first = pid(&manager).unwrap();
    assert_eq!(manager.read("pid").trim(), first.to_string());
    // SAFETY: no memory.
    unsafe { libc::kill(first as i32, libc::SIGKILL) };
    manager.wait("the daemon is there again", |it| pid(it).is_some_and(|now| now != first));
    let guessed = manager.unit("guessed")["pid"].as_i64().unwrap();
    manager.end();
    assert!(!Path::new(&format!("/proc/{guessed}")).exists());
}

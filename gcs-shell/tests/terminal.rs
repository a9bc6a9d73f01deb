//! The shell on a real pseudo-terminal, with a person's keys. `script` (bsdutils) makes the terminal.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

struct Session {
    child: Child,
    keys: Arc<Mutex<ChildStdin>>,
    screen: Arc<Mutex<Vec<u8>>>,
    seen: usize,
    dir: PathBuf,
}

/// Patience on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A fresh directory.
fn tempdir(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static N: AtomicU32 = AtomicU32::new(0);
    let dir = std::env::temp_dir().join(format!("{name}-{}-{}", std::process::id(), N.fetch_add(1, Ordering::Relaxed)));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

impl Session {
    /// A shell in a fresh directory. `answers`: the terminal tells where its cursor is, so the full editor is used.
    fn start(answers: bool) -> Session {
        Session::coloured(answers, false)
    }

    /// With or without colours; hints need them, or they could not be told from what is typed.
    fn coloured(answers: bool, colours: bool) -> Session {
        Session::on(answers, colours, None)
    }

    /// In a terminal of a desktop, whose socket this is.
    fn on(answers: bool, colours: bool, desktop: Option<&Path>) -> Session {
        let dir = tempdir("gcs-terminal");
        let mut command = Command::new("script");
        if !colours {
            command.env("NO_COLOR", "1");
        }
        match desktop {
            Some(socket) => command.env("GDE_SOCKET", socket),
            None => command.env_remove("GDE_SOCKET"),
        };
        let mut child = command
            .args(["-qfe", "-c", env!("CARGO_BIN_EXE_gcs"), "/dev/null"])
            .current_dir(&dir)
            .env("HOME", &dir)
            .env("TERM", "vt100")
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script(1) of bsdutils is needed");
        let keys = Arc::new(Mutex::new(child.stdin.take().unwrap()));
        let mut out = child.stdout.take().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (writer, reader_screen) = (keys.clone(), screen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while let Ok(n) = out.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                if answers && buffer[..n].windows(4).any(|w| w == b"\x1b[6n") {
                    let _ = writer.lock().unwrap().write_all(b"\x1b[1;1R");
                }
                reader_screen.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        let mut s = Session { child, keys, screen, seen: 0, dir };
        s.wait_for("$ ", "# ");
        s
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()[self.seen..]).into_owned()
    }

    /// Waits until one of the two appears in what came since the last wait.
    fn wait_for(&mut self, a: &str, b: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            let found = [a, b].iter().filter_map(|p| text.find(p).map(|i| i + p.len())).min();
            if let Some(i) = found {
                let all = self.screen.lock().unwrap().len();
                // Count in bytes of the raw screen; what is lossy only makes it longer.
                self.seen = (self.seen + i).min(all);
                return text;
            }
            assert!(Instant::now() < end, "waited for {a:?}, got:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn expect(&mut self, what: &str) -> String {
        self.wait_for(what, what)
    }

    fn keys(&mut self, keys: &str) {
        let mut w = self.keys.lock().unwrap();
        w.write_all(keys.as_bytes()).unwrap();
        w.flush().unwrap();
    }

    /// Types a line and waits for a mark that `echo` prints after it.
    fn line(&mut self, line: &str, mark: &str) -> String {
        self.keys(&format!("{line}\r"));
        self.expect(mark)
    }

    fn end(mut self, status: i32) {
        self.keys(&format!("exit {status}\r"));
        let end = Instant::now() + PATIENCE;
        let got = loop {
            if let Some(s) = self.child.try_wait().unwrap() {
                break s.code();
            }
            if Instant::now() > end {
                let _ = self.child.kill();
                panic!("it did not leave:\n{}", self.text());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let _ = std::fs::remove_dir_all(&self.dir);
        assert_eq!(got, Some(status));
    }

    fn dir(&self) -> &Path {
        &self.dir
    }
}

/// A test that fails leaves no shell behind.
impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn commands_behave_as_in_bash(answers: bool) {
    let mut s = Session::start(answers);
    s.line("x=5; mkdir sub; cd sub; echo A$((x+1))B", "A6B");
    s.line("echo C$x-${PWD##*/}D", "C5-subD");
    s.line("alias hey='echo E'", "");
    s.line("f() { echo F$1; return 3; }; f 7; echo G$?", "G3");
    s.line("hey | tr E H", "H");
    s.line("for i in 1 2; do echo I$i; done; (exit 4)", "I2");
    s.line("echo J$?", "J4");
    // Constructs over several lines.
    s.line("cat <<E", "");
    s.line("kk$x", "");
    s.line("E", "kk5");
    s.line("if true", "");
    s.line("then echo L$((1+1))M; fi", "L2M");
    // Programs read the terminal.
    s.line("read -r v; echo N${v}O", "");
    std::thread::sleep(Duration::from_millis(300));
    s.line("typed", "NtypedO");
    // Ctrl-C ends a program and a loop of the shell itself; the shell stays.
    s.line("sleep 1000", "");
    std::thread::sleep(Duration::from_millis(500));
    s.keys("\u{3}");
    s.expect("[130]");
    s.line("while :; do :; done", "");
    std::thread::sleep(Duration::from_millis(500));
    s.keys("\u{3}");
    s.expect("[130]");
    // Ctrl-Z, jobs, bg, fg.
    s.line("sleep 1001", "");
    std::thread::sleep(Duration::from_millis(500));
    s.keys("\u{1a}");
    s.expect("Stopped");
    s.line("jobs", "sleep 1001");
    s.line("bg; echo P$?", "P0");
    s.line("fg", "");
    std::thread::sleep(Duration::from_millis(500));
    s.keys("\u{3}");
    s.expect("[130]");
    // A stopped job keeps the shell once.
    s.line("sleep 1002", "");
    std::thread::sleep(Duration::from_millis(500));
    s.keys("\u{1a}");
    s.expect("Stopped");
    s.line("exit 9", "There are stopped jobs");
    std::thread::sleep(Duration::from_millis(300));
    s.end(9);
}

#[test]
fn bash_with_the_full_editor() {
    commands_behave_as_in_bash(true);
}

#[test]
fn bash_on_a_terminal_that_does_not_answer() {
    commands_behave_as_in_bash(false);
}

#[test]
fn english_is_shown_before_it_runs() {
    let mut s = Session::start(true);
    std::fs::write(s.dir().join("big.dat"), vec![b'x'; 300_000]).unwrap();
    s.line("which files here are the biggest?", "numfmt --to=iec");
    s.expect("Enter run");
    s.keys("x");
    s.expect("searches directories");
    s.keys("\r");
    s.expect("293K ./big.dat");
    // Dropped: nothing happens.
    s.line("? make a folder called photos", "mkdir -p -- photos");
    s.expect("Enter run");
    s.keys("n");
    s.line("echo Q$((40+2))", "Q42");
    assert!(!s.dir().join("photos").exists());
    // A typed word for what destroys.
    s.line("delete all .dat files", "dangerous");
    s.expect("y then yes");
    s.keys("y");
    s.expect("Type yes");
    s.keys("no\r");
    s.line("echo R$((40+2))", "R42");
    assert!(s.dir().join("big.dat").exists());
    s.line("delete all .dat files", "y then yes");
    s.keys("y");
    s.expect("Type yes");
    s.keys("yes\r");
    s.expect("./big.dat");
    s.line("echo S$((40+2))", "S42");
    assert!(!s.dir().join("big.dat").exists());
    // It runs in the same shell: the directory stays changed.
    s.line("go to /tmp", "Enter run");
    s.keys("\r");
    s.line("echo T$PWD", "T/tmp");
    s.line("compose a poem about the sea", "I cannot do that");
    s.expect("examples");
    s.end(0);
}

/// After a failure one line says what was found; `?` or F2 shows the repair, and only Enter runs it.
#[test]
fn a_failed_command_is_explained() {
    let mut s = Session::start(true);
    std::fs::write(s.dir().join("notes.txt"), "remember\n").unwrap();
    s.keys("cat notse.txt\r");
    s.expect("No such file or directory");
    s.expect("Nearest: notes.txt");
    s.line("?", "cat notes.txt");
    s.expect("Enter run");
    s.keys("\r");
    s.expect("remember");
    s.line("echo A$((40+2))", "A42");
    s.keys("sl -a\r");
    s.expect("command not found");
    s.expect("Nearest: ls");
    s.keys("\u{1b}OQ");
    s.expect("ls -a");
    // Programs see a terminal of the right kind, and both streams come in their order.
    s.keys("n");
    s.line("[ -t 1 ] && [ -t 2 ] && [ -t 0 ] && echo B$((40+2))", "B42");
    s.line("echo C1; ls zz 2>&1 | sed s/.*/D2/; ls /zz; echo E$((40+3))", "C1");
    let order = s.expect("E43");
    assert!(order.find("D2") < order.find("/zz") && order.contains("/zz"), "{order}");
    // What failed without a message that is understood is left alone.
    s.line("false", "[1]");
    s.line("?", "Say what you want");
    s.end(0);
}

/// The key that answers a plan and the next line come together: all of it arrives in the mode of the single key.
#[test]
fn a_line_typed_with_the_answer_runs() {
    for answers in [true, false] {
        let mut s = Session::start(answers);
        s.line("? make a folder called photos", "n drop");
        // The hint is shown before the key is waited for.
        std::thread::sleep(Duration::from_millis(300));
        s.keys("necho A$((40+2))\r");
        s.expect("A42");
        assert!(!s.dir().join("photos").exists());
        s.end(0);
    }
}

/// What goes on from the last plan: its output is known, its command can be refined, and it can be taken back.
#[test]
fn requests_go_on_from_the_last_plan() {
    let mut s = Session::start(true);
    for (name, size) in [("a.dat", 3_000_000), ("b.dat", 10), ("c.dat", 20)] {
        std::fs::write(s.dir().join(name), vec![b'x'; size]).unwrap();
    }
    s.line("find all dat files", "Enter run");
    s.keys("\r");
    s.expect("c.dat");
    s.line("now only the big ones", "-size +1M");
    s.keys("\r");
    s.expect("./a.dat");
    s.line("copy it to kept.bin", "cp -n -- ./a.dat kept.bin");
    s.keys("\r");
    s.line("echo A$((40+2))", "A42");
    assert!(s.dir().join("kept.bin").exists());
    s.line("undo that", "rm -- kept.bin");
    s.keys("\r");
    s.line("echo B$((40+2))", "B42");
    assert!(!s.dir().join("kept.bin").exists() && s.dir().join("a.dat").exists());
    s.end(0);
}

/// A desktop of which only its socket is there: it tells what is asked of it, and when who asked is gone.
fn desktop(socket: &Path, answer: &'static str) -> Receiver<String> {
    let listener = UnixListener::bind(socket).unwrap();
    let (sender, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (sender, mut stream) = (sender.clone(), stream.unwrap());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap_or(0) > 0 {
                    // Others ask which windows there are.
                    let is_lesson = line.contains("lesson");
                    let answer = if is_lesson { answer } else { r#"{"answer":"windows","windows":[]}"# };
                    if is_lesson {
                        sender.send("begins".to_owned()).unwrap();
                    }
                    writeln!(stream, "{answer}").unwrap();
                    line.clear();
                    if is_lesson {
                        let _ = reader.read_line(&mut line);
                        sender.send("ends".to_owned()).unwrap();
                    }
                }
            });
        }
    });
    told
}

/// Lessons are a command of its own; here the one that is tested.
fn name_gcs(s: &mut Session) {
    s.line(&format!("gcs() {{ {} \"$@\"; }}; echo A$((40+1))", env!("CARGO_BIN_EXE_gcs")), "A41");
}

/// The desktop hears when a lesson begins and when it ends, however it does; without one, or where it wants nothing of it, the lesson is as ever.
#[test]
fn the_desktop_is_told_of_lessons() {
    let folder = tempdir("gcs-desktop");
    let (socket, other) = (folder.join("socket"), folder.join("other"));
    let told = desktop(&socket, r#"{"answer":"lesson","lesson":{"text_percent":null,"high_contrast":false,"focus":true}}"#);
    let mut s = Session::on(false, false, Some(&socket));
    name_gcs(&mut s);
    s.line("teach me about paths", "gcs learn paths");
    assert!(told.try_recv().is_err(), "not before somebody agrees to it");
    s.keys("\r");
    s.expect("Super+D");
    s.expect("learn> ");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "begins");
    s.line("pwd", "learn> ");
    assert!(told.try_recv().is_err(), "it lasts");
    s.line("quit", "begins anew");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "ends");
    // Ctrl-C ends it, too.
    s.line("gcs learn --quiz paths", "learn> ");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "begins");
    s.keys("\u{3}");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "ends");
    // Answers that are piped in are nobody's who looks at the screen.
    s.line("echo quit | gcs learn paths; echo A$((40+2))", "A42");
    assert!(told.try_recv().is_err());
    s.end(0);

    let told = desktop(&other, r#"{"answer":"failed","problem":"education is off"}"#);
    let mut s = Session::on(false, false, Some(&other));
    name_gcs(&mut s);
    let words = s.line("gcs learn paths", "learn> ");
    assert!(!words.contains("Super+D"));
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "begins");
    s.line("quit", "begins anew");
    s.end(0);
    let mut s = Session::on(false, false, Some(&folder.join("nowhere")));
    name_gcs(&mut s);
    s.line("gcs learn paths", "learn> ");
    s.line("quit", "begins anew");
    s.end(0);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The next line is suggested from what was typed before, in another shell too; the right arrow takes it.
#[test]
fn the_next_command_is_suggested() {
    let mut s = Session::coloured(true, true);
    s.line("echo $((40+1))+uniquely", "41+uniquely");
    // On the empty line it stands whole, then only what is still to be typed.
    s.expect("echo $((40+1))+uniquely");
    s.keys("echo $((");
    s.expect("40+1))+uniquely");
    s.keys("\u{1b}[C\r");
    s.expect("41+uniquely");
    let kept = std::fs::read_to_string(s.dir().join(".local/share/gcs/commands")).unwrap();
    assert_eq!(kept.lines().filter(|l| l.ends_with("\techo $((40+1))+uniquely")).count(), 2, "{kept}");
    s.end(0);
}

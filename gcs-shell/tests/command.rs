//! The shell as a command: `-c`, scripts, `ask`, `explain`, `intents`, and lines from a pipe.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn gcs(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gcs")).args(args).current_dir("/").output().unwrap()
}

fn text(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

#[test]
fn command_and_script_as_in_bash() {
    let o = gcs(&["-c", "echo \"$0 $1\"; exit 3", "name", "arg"]);
    assert_eq!((text(&o).as_str(), o.status.code()), ("name arg\n", Some(3)));
    let file = std::env::temp_dir().join(format!("gcs-script-{}", std::process::id()));
    std::fs::write(&file, "echo $# \"$2\"\nexit 5\n").unwrap();
    let o = gcs(&[file.to_str().unwrap(), "a", "b c"]);
    std::fs::remove_file(file).unwrap();
    assert_eq!((text(&o).as_str(), o.status.code()), ("2 b c\n", Some(5)));
}

#[test]
fn ask_prints_one_object() {
    let o = gcs(&["ask", "--json", "how much disk space is left?"]);
    assert_eq!(o.status.code(), Some(0));
    let v: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(v["plan"][0]["kind"], "command");
    assert_eq!(v["plan"][0]["text"], "df -h");
    assert_eq!(v["plan"][0]["risk"], "safe");
    assert!(v["plan"][0]["why"].as_str().is_some_and(|w| !w.is_empty()));
    assert!(v["confidence"].as_f64().unwrap() > 0.5);
    assert_eq!(v["source"], "intent:disk.free");
    // The other order, and several words without quotes.
    let o = gcs(&["ask", "delete", "the", "directory", "foo", "--json"]);
    let v: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(v["plan"][0]["risk"], "dangerous");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let o = gcs(&["ask", "--json", "write me a poem about the sea"]);
    assert_eq!(o.status.code(), Some(3));
    let v: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(v["plan"].as_array().unwrap().len(), 0);
    assert_eq!(v["source"], "none");
}

#[test]
fn run_only_looks() {
    let o = gcs(&["ask", "--run", "what kernel version is this"]);
    assert!(text(&o).contains("Linux") || text(&o).contains("GenAI"), "{}", text(&o));
    let o = gcs(&["ask", "--run", "delete the directory /tmp/gcs-does-not-exist"]);
    assert!(!o.status.success());
    assert!(String::from_utf8_lossy(&o.stderr).contains("not run"));
}

#[test]
fn explain_and_intents() {
    let o = gcs(&["explain", "find . -name '*.c' -delete"]);
    assert!(text(&o).contains("deletes what is found") && text(&o).contains("dangerous"), "{}", text(&o));
    assert!(!gcs(&["explain", "echo 'x"]).status.success());
    let o = gcs(&["intents", "--json"]);
    let v: serde_json::Value = serde_json::from_slice(&o.stdout).unwrap();
    assert!(v.as_array().unwrap().len() >= 60);
    assert!(gcs(&["--help"]).status.success());
}

#[test]
fn lines_from_a_pipe_run_as_in_bash() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gcs")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/tmp").spawn().unwrap();
    let lines = "x=4\ncd /\necho $x $PWD\nread y\nthis is for read\necho $y\nfor i in 1 2\ndo echo $i\ndone\ndelete all files\nfalse\necho $?\nexit 6\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let o = child.wait_with_output().unwrap();
    assert_eq!(text(&o), "4 /\nthis is for read\n1\n2\n1\n");
    assert_eq!(o.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&o.stderr).contains("not run"), "English is never run where nobody can confirm");
}

/// Questions are answered with figures, and asking in English leads there.
#[test]
fn questions_about_the_machine_are_measured() {
    let run = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_gcs")).args(args).output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    for (question, command) in [("why is it slow?", "gcs diagnose slow"), ("what is eating the memory", "gcs diagnose memory")] {
        let (ok, out, _) = run(&["ask", "--json", question]);
        assert!(ok && out.contains(&format!("\"text\":\"{command}\"")) && out.contains("\"risk\":\"safe\""), "{question}: {out}");
    }
    for subject in ["slow", "memory"] {
        let (ok, out, err) = run(&["diagnose", subject, "--json"]);
        assert!(ok, "{err}");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        let evidence = answer["evidence"].as_array().unwrap();
        assert!(!answer["answer"].as_str().unwrap().is_empty() && evidence.iter().any(|e| e.as_str().unwrap().contains("available")), "{out}");
    }
    let (ok, _, err) = run(&["diagnose", "nothing"]);
    assert!(!ok && err.contains("slow"), "{err}");
}

fn repair(dir: &std::path::Path, command: &str, error: &str) -> serde_json::Value {
    let out = Command::new(env!("CARGO_BIN_EXE_gcs")).args(["repair", "--json", "--", command, error]).current_dir(dir).output().unwrap();
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{command}: {e}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// The error text is what the command really prints; the repair is judged by what stands first.
#[test]
fn failures_are_explained_from_real_error_texts() {
    let dir = std::env::temp_dir().join(format!("gcs-repair-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("docs")).unwrap();
    std::fs::create_dir_all(dir.join("project/.git")).unwrap();
    std::fs::write(dir.join("notes.txt"), "x\n").unwrap();
    std::fs::write(dir.join("run.sh"), "echo hello\n").unwrap();
    for (command, first, risk) in [
        ("gerp x notes.txt", "grep x notes.txt", "safe"),
        ("cat 'notse.txt'", "cat notes.txt", "safe"),
        ("cat dosc/../notes.txt", "cat docs/../notes.txt", "safe"),
        ("cp docs copy", "cp -r docs copy", "confirm"),
        ("rm docs", "rm -r docs", "dangerous"),
        ("grep x docs", "grep -r x docs", "safe"),
        ("docs/", "cd docs/", "confirm"),
        ("cd docs/deep", "", ""),
        ("echo x > new/file", "mkdir -p new && echo x > new/file", "confirm"),
        ("mkdir a/b/c", "mkdir -p a/b/c", "confirm"),
        ("touch a/b", "mkdir -p a && touch a/b", "confirm"),
        ("./run.sh", "chmod u+x ./run.sh && ./run.sh", "confirm"),
        ("ls --recusrive", "ls --recursive", "safe"),
        ("ls --hide-me", "ls --help", "safe"),
        ("echo (a)", "echo '(a)'", "safe"),
        ("[1 = 1]", "[ 1 = 1 ]", "safe"),
        ("cd..", "cd ..", "confirm"),
        ("cat notes.tx | sort", "cat notes.txt | sort", "safe"),
    ] {
        let out = Command::new("bash").args(["-c", command]).current_dir(&dir).env("LC_ALL", "C").output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!error.is_empty(), "{command} does not fail");
        let answer = repair(&dir, command, &error);
        assert!(answer["problem"].is_string(), "{command}: {error}");
        if !first.is_empty() {
            assert_eq!(answer["repairs"][0]["text"], first, "{command}: {error}: {answer}");
            if !first.starts_with("cd") {
                assert_eq!(answer["repairs"][0]["risk"], risk, "{command}: {answer}");
            }
        }
    }
    let answer = repair(&dir, "git log", "fatal: not a git repository (or any of the parent directories): .git");
    assert_eq!(answer["repairs"][0]["text"], "cd project");
    let answer = repair(&dir, "cp big /mnt", "cp: error writing '/mnt/big': No space left on device");
    assert_eq!(answer["repairs"][0]["text"], "gcs diagnose disk");
    assert!(answer["evidence"][0].as_str().unwrap().contains("MiB are free"));
    // A port that is really taken, by this test.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let answer = repair(&dir, &format!("python3 -m http.server {port}"), "OSError: [Errno 98] Address already in use");
    assert!(answer["problem"].as_str().unwrap().contains(&format!("process {}", std::process::id())), "{answer}");
    assert_eq!(answer["repairs"][1]["text"], format!("kill {}", std::process::id()));
    assert_ne!(answer["repairs"][1]["risk"], "safe");
    let answer = repair(&dir, "true", "all is well");
    assert!(answer["problem"].is_null());
    // Errors by standard input, for pipes.
    let mut child = Command::new(env!("CARGO_BIN_EXE_gcs")).args(["repair", "cat notes.tx"]).current_dir(&dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"cat: notes.tx: No such file or directory\n").unwrap();
    assert!(text(&child.wait_with_output().unwrap()).contains("cat notes.txt"));
    std::fs::remove_dir_all(dir).unwrap();
}

/// A lesson by its answers: wrong ones, a hint, one that is dangerous, right ones; progress is kept.
#[test]
fn a_lesson_checks_what_answers_do() {
    let home = std::env::temp_dir().join(format!("gcs-learn-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let learn = |args: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gcs")).args(args).env("HOME", &home).env_remove("XDG_DATA_HOME").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended before it reads all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let o = child.wait_with_output().unwrap();
        (o.status.code(), text(&o), String::from_utf8_lossy(&o.stderr).into_owned())
    };
    let answers = "sort people.txt\nhint\nls | sort\ncat people.txt | sort\ncat log.txt | grep error | wc -l\nrm -r nothing | cat\nno\nsort people.txt | head -3\nskip\nquit\n";
    let (code, out, err) = learn(&["learn", "pipes"], answers);
    assert_eq!(code, Some(1), "{out}{err}");
    assert_eq!((out.matches("Right.").count(), out.matches("Not yet:").count()), (3, 2), "{out}");
    assert!(out.contains("Type yes to run it.\nNot run.") && out.contains("practise `|`") && out.contains("anna 31 Berlin") && out.contains("3 of 5 done"), "{out}");
    assert!(learn(&["learn"], "").1.lines().any(|l| l.contains("pipes") && l.contains("3 of 5")));
    let whole = "cat people.txt | sort\ngrep error log.txt | wc -l\nsort people.txt | head -n 3\ncut -d ' ' -f 3 people.txt | sort -u\ncut -d ' ' -f 3 people.txt | sort | uniq -c | sort -rn | head -n 1\n";
    assert_eq!(learn(&["learn", "--quiz", "pipelines"], whole).0, Some(0));
    let list: serde_json::Value = serde_json::from_str(&learn(&["learn", "--json"], "").1).unwrap();
    assert!(list.as_array().unwrap().iter().any(|l| l["name"] == "pipes" && l["done"] == 5));
    let (code, _, err) = learn(&["learn", "the", "piano"], "");
    assert!(code == Some(1) && err.contains("no lesson about the piano"), "{err}");
    std::fs::remove_dir_all(&home).unwrap();
}

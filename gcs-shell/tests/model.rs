//! Questions that no command answers: to the language model, where the AI service has one.

use std::io::BufReader;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use genai_protocol::{Event, Op, Reply, Request, Status};

/// A service of this status, at a socket of its own.
fn service(name: &str, status: Status) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gcs-model-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().unwrap());
            while let Ok(Some(line)) = genai_protocol::read_line(&mut reader) {
                let request: Request = serde_json::from_slice(&line).unwrap();
                assert_eq!(request.op, Op::Status, "only its state may be asked for before the user agrees");
                genai_protocol::write_line(&mut client, &Reply { id: request.id, event: Event::Status(Box::new(status.clone())) }).unwrap();
            }
        }
    });
    path
}

fn ask(socket: &Path, text: &str, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let o = Command::new(env!("CARGO_BIN_EXE_gcs")).args(["ask", "--json", text]).args(more).current_dir("/").env("GENAI_SOCKET", socket).output().unwrap();
    (o.status.code(), serde_json::from_slice(&o.stdout).unwrap())
}

#[test]
fn a_question_goes_to_the_model_where_there_is_one() {
    let socket = service("there", Status { engine: "llama.cpp".into(), ..Status::default() });
    let question = "who wrote the play 'Hamlet' in the year 1600?";
    let (status, answer) = ask(&socket, question, &[]);
    assert_eq!(status, Some(2), "{answer}");
    assert_eq!(answer["source"], "model");
    assert_eq!(answer["plan"][0]["risk"], "safe");
    assert!(answer["confidence"].as_f64().unwrap() < 0.5);
    // The whole question arrives as one word of the command.
    let command = answer["plan"][0]["text"].as_str().unwrap();
    let said = Command::new("bash").args(["-c", &format!("genai() {{ printf '%s|' \"$@\"; }}; {command}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), format!("ask|--|{question}|"));
    // What is no question stays out of scope, and the stage can be switched off.
    assert_eq!(ask(&socket, "order me a pizza with mushrooms", &[]).0, Some(3));
    assert_eq!(ask(&socket, question, &["--without", "model"]).0, Some(3));
    std::fs::remove_file(socket).unwrap();
}

#[test]
fn without_a_model_it_is_out_of_scope() {
    let question = "who wrote the play Hamlet?";
    let lacks = service("lacks", Status { engine: "llama.cpp".into(), model_problem: "there is no model".into(), ..Status::default() });
    let small = service("small", Status { engine: "n-gram".into(), ..Status::default() });
    for socket in [lacks, small, "/nonexistent/socket".into()] {
        assert_eq!(ask(&socket, question, &[]).0, Some(3), "{}", socket.display());
        let _ = std::fs::remove_file(socket);
    }
}

//! A genaid of one's own, with a model of characters made from a few lines.

#![allow(dead_code)]

pub mod llama;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use genai_protocol::Client;

pub const TEXT: &str = "what is a pipe?\nA pipe joins the output of one program to the input of the next.\n\nwhat is a file?\nA file is a named piece of data.\n\nhow many days has a week?\nA week has 7 days.\n";

pub struct Genaid {
    pub dir: tempfile::TempDir,
    child: Child,
}

impl Genaid {
    /// Starts one with these further lines of settings (top level first, then tables).
    pub fn start(settings: &str) -> Genaid {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("model.txt"), TEXT).unwrap();
        Genaid::start_in(dir, settings)
    }

    pub fn start_in(dir: tempfile::TempDir, settings: &str) -> Genaid {
        let at = |name: &str| dir.path().join(name).display().to_string();
        let (top, tables) = match settings.find('[') {
            Some(i) => settings.split_at(i),
            None => (settings, ""),
        };
        let local = if tables.contains("[local]") { String::new() } else { format!("[local]\nmodel = {:?}\n", at("model.txt")) };
        let tables = if tables.contains("[local]\nmodel = ") { tables.to_owned() } else { tables.replace("[local]", &format!("[local]\nmodel = {:?}", at("model.txt"))) };
        let config = format!("socket = {:?}\nstate = {:?}\npolicy = {:?}\naudit = {:?}\n{top}\n{local}{tables}\n", at("socket"), at("state"), at("policy.toml"), at("audit.jsonl"));
        std::fs::write(dir.path().join("genaid.toml"), config).unwrap();
        let child = run(dir.path());
        Genaid { dir, child }
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    pub fn client(&self) -> Client {
        let client = Client::connect_to(self.socket()).unwrap();
        client.set_timeout(Some(Duration::from_secs(120))).unwrap();
        client
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn restart(&mut self) {
        self.kill();
        self.child = run(self.dir.path());
    }

    pub fn running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

fn run(dir: &Path) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_genaid")).arg("--config").arg(dir.join("genaid.toml")).env_remove("NOTIFY_SOCKET").env_remove("GENAI_AI").spawn().unwrap();
    wait_for("genaid to listen", || {
        assert!(child.try_wait().unwrap().is_none(), "genaid has ended");
        Client::connect_to(dir.join("socket")).is_ok()
    });
    child
}

impl Drop for Genaid {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An endpoint on loopback that answers each question with `words`, streamed word by word.
pub struct Endpoint {
    pub address: String,
    /// Headers and bodies of what was asked.
    pub asked: Arc<Mutex<Vec<(String, Vec<u8>)>>>,
}

impl Endpoint {
    pub fn start(words: &'static [&'static str]) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                        break;
                    }
                    if let Some((name, value)) = line.split_once(':')
                        && name.eq_ignore_ascii_case("content-length")
                    {
                        length = value.trim().parse().unwrap();
                    }
                    head.push_str(&line);
                }
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() {
                    continue;
                }
                seen.lock().unwrap().push((head, body));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n");
                for w in words {
                    let _ = write!(stream, "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{w}\"}}}}]}}\n\n");
                }
                let _ = write!(stream, "data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":4,\"completion_tokens\":2}}}}\n\ndata: [DONE]\n\n");
            }
        });
        Endpoint { address, asked }
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

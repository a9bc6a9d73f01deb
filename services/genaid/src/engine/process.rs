//! A model in GGUF, held by a process of its own (`genaid-llama`): its memory has a limit, it can be ended to free it, and
//! when it fails genaid lives on. It speaks genaid's protocol on its standard streams.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use genai_protocol::{Completed, Completion, ErrorCode, Event, Op, Reply, Request};

use super::{Engine, EngineStatus, Failure, Until};
use crate::config::Local;

/// A model that is not there after this long will not come.
const LOAD_TIMEOUT: Duration = Duration::from_secs(120);
/// After a request was ended the process has this long to say so.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(30);

struct Running {
    child: Child,
    input: ChildStdin,
    replies: Receiver<Reply>,
    model: String,
    next: u64,
}

/// The engine.
pub struct Process {
    local: Local,
    state: PathBuf,
    threads: u32,
    running: Option<Running>,
}

/// Processors less one: with more threads than free processors the model's threads wait for each other by spinning.
fn threads(configured: u32) -> u32 {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, |n| n.get() as u32).saturating_sub(1).max(1),
        n => n,
    }
}

/// The runner for this processor: built with AVX2 where there is that, else for any x86-64 with SSE 4.2.
fn variant() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("f16c")
        && std::arch::is_x86_feature_detected!("bmi2")
    {
        return "genaid-llama-v3";
    }
    "genaid-llama-v2"
}

impl Process {
    pub fn new(local: &Local, state: &Path) -> Process {
        Process { threads: threads(local.threads), local: local.clone(), state: state.join("prompts"), running: None }
    }

    fn runner(&self) -> PathBuf {
        // The slower one runs everywhere.
        [variant(), "genaid-llama-v2"].iter().map(|n| self.local.runners.join(n)).find(|p| p.exists()).unwrap_or_else(|| self.local.runners.join(variant()))
    }

    fn start(&mut self) -> Result<&mut Running, Failure> {
        // It may have been killed while nobody asked.
        let ended = self.running.as_mut().and_then(|running| running.child.try_wait().ok().flatten());
        if let Some(status) = ended {
            tracing::warn!("{} ended ({status}): it is started again", self.runner().display());
            self.running = None;
        }
        if self.running.is_none() {
            let problem = self.problem();
            if !problem.is_empty() {
                return Err(Failure::new(ErrorCode::NoModel, problem));
            }
            let running = self.spawn()?;
            self.running = Some(running);
        }
        self.running.as_mut().ok_or_else(|| Failure::new(ErrorCode::Backend, "the model's process is gone"))
    }

    fn spawn(&self) -> Result<Running, Failure> {
        let fail = |what: &str, e: &dyn std::fmt::Display| Failure::new(ErrorCode::Backend, format!("{what} {}: {e}", self.runner().display()));
        let _ = std::fs::create_dir_all(&self.state);
        let mut command = Command::new(self.runner());
        command
            .arg("--model")
            .arg(&self.local.model)
            .args(["--threads", &self.threads.to_string(), "--context", &self.local.context.to_string()])
            .arg("--state")
            .arg(&self.state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(adapter) = &self.local.adapter {
            command.arg("--adapter").arg(adapter);
        }
        let mut child = command.spawn().map_err(|e| fail("starting", &e))?;
        let (input, output) = match (child.stdin.take(), child.stdout.take()) {
            (Some(i), Some(o)) => (i, o),
            _ => return Err(fail("talking to", &"no streams")),
        };
        let (sender, replies) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            while let Ok(Some(line)) = genai_protocol::read_line(&mut reader) {
                match serde_json::from_slice::<Reply>(&line) {
                    Ok(reply) => {
                        if sender.send(reply).is_err() {
                            break;
                        }
                    }
                    Err(e) => tracing::warn!("the model's process said something unexpected ({e}): {}", String::from_utf8_lossy(&line)),
                }
            }
        });
        let mut running = Running { child, input, replies, model: String::new(), next: 1 };
        let begun = Instant::now();
        loop {
            match running.replies.recv_timeout(Duration::from_millis(100)) {
                Ok(Reply { event: Event::Status(status), .. }) => {
                    tracing::info!("{} is loaded by {} after {} ms", status.model, self.runner().display(), begun.elapsed().as_millis());
                    running.model = status.model;
                    break;
                }
                Ok(Reply { event: Event::Error { code, message }, .. }) => {
                    end(running);
                    return Err(Failure { code, message });
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let how = running.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                    return Err(fail("loading the model by", &format!("it ended ({how})")));
                }
                Err(RecvTimeoutError::Timeout) if begun.elapsed() > LOAD_TIMEOUT => {
                    end(running);
                    return Err(fail("loading the model by", &format!("not ready after {} s", LOAD_TIMEOUT.as_secs())));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.check_memory(&mut running)?;
        }
        Ok(running)
    }

    /// Ends the process where it has more memory than it may.
    fn check_memory(&self, running: &mut Running) -> Result<(), Failure> {
        let used = resident(running.child.id());
        let limit = self.local.memory_mib << 20;
        if used <= limit {
            return Ok(());
        }
        let _ = running.child.kill();
        let _ = running.child.wait();
        Err(Failure::new(ErrorCode::Limit, format!("the model {} took {} MiB of memory, more than the {} MiB of local.memory_mib: it was ended", self.local.model.display(), used >> 20, self.local.memory_mib)))
    }

    /// Sends a request and handles its replies until the last one.
    fn ask(&mut self, op: Op, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Event, Failure> {
        self.start()?;
        let mut running = self.running.take().ok_or_else(|| Failure::new(ErrorCode::Backend, "the model's process is gone"))?;
        match self.converse(&mut running, op, until, on_token) {
            Ok(event) => {
                self.running = Some(running);
                match event {
                    Event::Error { code, message } => Err(Failure { code, message }),
                    event => Ok(event),
                }
            }
            // What state it is in nobody knows: the next request starts another.
            Err(failure) => {
                end(running);
                Err(failure)
            }
        }
    }

    fn converse(&self, running: &mut Running, op: Op, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Event, Failure> {
        let broken = |e: &dyn std::fmt::Display| Failure::new(ErrorCode::Backend, format!("the model's process {} failed: {e}", self.runner().display()));
        let id = running.next;
        running.next += 2;
        genai_protocol::write_line(&mut running.input, &Request { id, op }).map_err(|e| broken(&e))?;
        let mut cancelled: Option<Instant> = None;
        let mut checked = Instant::now();
        loop {
            match running.replies.recv_timeout(Duration::from_millis(20)) {
                Ok(reply) if reply.id == id => match reply.event {
                    Event::Token { text } => on_token(&text),
                    event => {
                        self.check_memory(running)?;
                        return Ok(event);
                    }
                },
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let how = running.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
                    return Err(broken(&format!("it ended ({how})")));
                }
            }
            // The deadline is the process's own affair, except where it reads a long prompt.
            if cancelled.is_none() && (until.is_cancelled() || until.passed()) {
                genai_protocol::write_line(&mut running.input, &Request { id: id + 1, op: Op::Cancel { target: id } }).map_err(|e| broken(&e))?;
                cancelled = Some(Instant::now());
            }
            if cancelled.is_some_and(|c| c.elapsed() > CANCEL_TIMEOUT) {
                return Err(broken(&format!("it did not stop within {} s", CANCEL_TIMEOUT.as_secs())));
            }
            if checked.elapsed() > Duration::from_millis(250) {
                self.check_memory(running)?;
                checked = Instant::now();
            }
        }
    }
}

fn end(mut running: Running) {
    let _ = running.child.kill();
    let _ = running.child.wait();
}

/// Memory of a process, in bytes; of one that is gone 0.
fn resident(pid: u32) -> u64 {
    let pages = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok().and_then(|t| t.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok()));
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

impl Drop for Process {
    fn drop(&mut self) {
        self.unload();
    }
}

impl Engine for Process {
    fn name(&self) -> String {
        match &self.running {
            Some(r) => r.model.clone(),
            None => self.local.model.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    fn problem(&self) -> String {
        if !self.local.model.exists() {
            return format!("there is no model {}; install one (gpm install model-smollm2-135m) or set local.model", self.local.model.display());
        }
        if !self.runner().exists() {
            return format!("there is no program {} to run models with; install genaid-llama", self.runner().display());
        }
        String::new()
    }

    fn complete(&mut self, completion: &Completion, until: &Until, on_token: &mut dyn FnMut(&str)) -> Result<Completed, Failure> {
        // The pieces tell when the first token came, so they are wanted always.
        let asked = Completion { stream: true, ..completion.clone() };
        let start = Instant::now();
        let mut first = None;
        let event = self.ask(Op::Complete(Box::new(asked)), until, &mut |piece| {
            first.get_or_insert_with(|| start.elapsed());
            on_token(piece);
        })?;
        match event {
            Event::Done(mut done) => {
                if until.passed() && done.finish == genai_protocol::Finish::Cancelled && !until.is_cancelled() {
                    done.finish = genai_protocol::Finish::Deadline;
                }
                // As seen from here, with loading.
                done.first_token_ms = first.unwrap_or_else(|| start.elapsed()).as_secs_f64() * 1e3;
                done.total_ms = start.elapsed().as_secs_f64() * 1e3;
                Ok(done)
            }
            other => Err(Failure::new(ErrorCode::Backend, format!("the model's process answered {other:?}"))),
        }
    }

    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, Failure> {
        let until = Until::default();
        match self.ask(Op::Embed { texts: texts.to_vec() }, &until, &mut |_| {})? {
            Event::Embeddings { vectors, .. } => Ok(vectors),
            other => Err(Failure::new(ErrorCode::Backend, format!("the model's process answered {other:?}"))),
        }
    }

    fn unload(&mut self) {
        if let Some(r) = self.running.take() {
            end(r);
        }
    }

    fn status(&self) -> EngineStatus {
        EngineStatus { kind: "llama.cpp", loaded: self.running.is_some(), memory_bytes: self.running.as_ref().map_or(0, |r| resident(r.child.id())), threads: self.threads, instead: String::new() }
    }
}

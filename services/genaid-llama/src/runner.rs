//! The process: its command line, its requests and replies.

use std::collections::HashSet;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use clap::Parser;
use genai_protocol::{ErrorCode, Event, Op, Reply, Request, Status};

use crate::model;

#[derive(Parser)]
#[command(version, about = "Runs a GGUF model for genaid; speaks genaid's protocol on standard input and output")]
pub struct Cli {
    /// The model, in GGUF
    #[arg(long)]
    pub model: PathBuf,
    /// Adapter (LoRA, in GGUF) to put on it
    #[arg(long)]
    pub adapter: Option<PathBuf>,
    /// Threads to compute with
    #[arg(long, default_value_t = 1)]
    pub threads: u32,
    /// Tokens of a prompt and its answer
    #[arg(long, default_value_t = 2048)]
    pub context: u32,
    /// Folder for beginnings of prompts that have been read
    #[arg(long)]
    pub state: Option<PathBuf>,
}

/// Numbers of requests that somebody ended.
type Cancelled = Arc<Mutex<HashSet<u64>>>;

fn send(id: u64, event: Event) -> Result<()> {
    let mut line = serde_json::to_vec(&Reply { id, event })?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()?;
    Ok(())
}

/// Does what the command line says, until standard input ends.
pub fn run() -> Result<()> {
    let cli = Cli::parse();
    let threads = cli.threads.max(1);
    let result = model::with_model(&cli, |mut model| {
        let loaded = Status { model: model.name(), loaded: true, threads, ..Status::default() };
        send(0, Event::Status(Box::new(loaded.clone())))?;
        let cancelled = Cancelled::default();
        let (sender, requests) = channel::<Request>();
        let ended = Arc::clone(&cancelled);
        let left = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&left);
        std::thread::spawn(move || {
            let mut input = BufReader::new(std::io::stdin());
            while let Ok(Some(line)) = genai_protocol::read_line(&mut input) {
                match serde_json::from_slice::<Request>(&line) {
                    Ok(Request { op: Op::Cancel { target }, .. }) => {
                        ended.lock().unwrap_or_else(PoisonError::into_inner).insert(target);
                    }
                    Ok(request) => {
                        if sender.send(request).is_err() {
                            return;
                        }
                    }
                    Err(e) => eprintln!("genaid-llama: this is no request: {e}"),
                }
            }
            // Nobody waits for an answer any more.
            gone.store(true, Ordering::Relaxed);
        });
        for Request { id, op } in requests {
            let event = match op {
                Op::Complete(completion) => {
                    let stream = completion.stream;
                    let stop = || left.load(Ordering::Relaxed) || cancelled.lock().unwrap_or_else(PoisonError::into_inner).contains(&id);
                    model.complete(&completion, &stop, &mut |text| if stream { send(id, Event::Token { text }) } else { Ok(()) })
                }
                Op::Embed { texts } => model.embed(&texts, &cli),
                Op::Status => Ok(Event::Status(Box::new(loaded.clone()))),
                _ => Err(model::Failed(ErrorCode::BadRequest, "a model's process only completes and embeds".to_owned())),
            };
            cancelled.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            send(id, event.unwrap_or_else(|e| Event::Error { code: e.0, message: e.1 }))?;
        }
        Ok(())
    });
    if let Err(e) = &result {
        let _ = send(0, Event::Error { code: ErrorCode::NoModel, message: format!("{e:#}") });
    }
    result
}

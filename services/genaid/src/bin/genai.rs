//! `genai`, the command for people and scripts to ask the AI service.

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use genai_protocol::{Client, Completion, Event, Message, Op, Role, Route};

#[derive(Parser)]
#[command(name = "genai", version, about = "Ask the AI service (genaid)")]
struct Cli {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Clone, Copy, ValueEnum)]
enum Where {
    /// The model on this machine
    Local,
    /// The configured endpoint, where a rule allows it
    Cloud,
    /// The model; the endpoint where that is unsure and a rule allows it
    Hybrid,
}

#[derive(Subcommand)]
enum Sub {
    /// Ask the model something; the answer appears as it is written
    Ask {
        /// The question; `-`: standard input
        #[arg(required = true)]
        text: Vec<String>,
        /// What the model is told first
        #[arg(long)]
        system: Option<String>,
        /// Most tokens of the answer
        #[arg(long, default_value_t = 256)]
        max_tokens: u32,
        /// 0: always the same answer; above: more varied
        #[arg(long, default_value_t = 0.0)]
        temperature: f32,
        /// File with a grammar (GBNF) that the answer must match
        #[arg(long)]
        grammar: Option<std::path::PathBuf>,
        /// Name of a conversation to go on with
        #[arg(long)]
        session: Option<String>,
        /// Where the answer may come from (as genaid is set)
        #[arg(long)]
        route: Option<Where>,
        /// Neither take the answer from the cache nor keep it
        #[arg(long)]
        no_cache: bool,
        /// Continue the text as it stands, without the model's chat format
        #[arg(long, conflicts_with_all = ["system", "session"])]
        raw: bool,
        /// The whole reply as a JSON object, at the end
        #[arg(long)]
        json: bool,
    },
    /// Vectors of texts, a JSON array a line
    Embed {
        #[arg(required = true)]
        texts: Vec<String>,
    },
    /// How the service is: model, memory, speed, cache
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take the model out of memory
    Unload,
    /// Forget all cached answers
    ClearCache,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("genai: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Sub) -> Result<()> {
    let mut client = Client::connect()?;
    let mut out = std::io::stdout().lock();
    match command {
        Sub::Ask { text, system, max_tokens, temperature, grammar, session, route, no_cache, raw, json } => {
            let mut text = text.join(" ");
            if text == "-" {
                text.clear();
                std::io::stdin().read_to_string(&mut text).context("reading the question")?;
            }
            let message = |role, content| Message { role, content };
            let (messages, prompt) = if raw { (Vec::new(), text) } else { (system.map(|s| message(Role::System, s)).into_iter().chain([message(Role::User, text)]).collect(), String::new()) };
            let completion = Completion {
                messages,
                prompt,
                max_tokens,
                temperature,
                grammar: grammar.map(|g| std::fs::read_to_string(&g).with_context(|| format!("reading the grammar {}", g.display()))).transpose()?,
                session,
                route: route.map(|r| match r {
                    Where::Local => Route::Local,
                    Where::Cloud => Route::Cloud,
                    Where::Hybrid => Route::Hybrid,
                }),
                cache: !no_cache,
                stream: !json,
                priority: genai_protocol::Priority::Interactive,
                purpose: "chat".to_owned(),
                ..Completion::default()
            };
            let done = client.complete(completion, |piece| {
                if !json {
                    let _ = write!(out, "{piece}");
                    let _ = out.flush();
                }
            })?;
            if json {
                writeln!(out, "{}", serde_json::to_string(&done)?)?;
            } else {
                writeln!(out)?;
                if std::io::stderr().is_terminal() {
                    eprintln!("[{} · {:?} · {} tokens · first after {:.0} ms, all {:.0} ms · confidence {:.2}]", done.model, done.source, done.tokens, done.first_token_ms, done.total_ms, done.confidence);
                }
            }
        }
        Sub::Embed { texts } => {
            for vector in client.embed(texts)? {
                writeln!(out, "{}", serde_json::to_string(&vector)?)?;
            }
        }
        Sub::Status { json } => {
            let s = client.status()?;
            if json {
                writeln!(out, "{}", serde_json::to_string(&s)?)?;
                return Ok(());
            }
            writeln!(out, "mode       {}", s.mode)?;
            let model = if s.model_problem.is_empty() { s.model.clone() } else { format!("{} (cannot be used: {})", s.model, s.model_problem) };
            writeln!(out, "model      {model}")?;
            let instead = if s.instead.is_empty() { String::new() } else { format!(" ({})", s.instead) };
            writeln!(out, "engine     {}{instead}", s.engine)?;
            let memory = if s.loaded { format!("{} of at most {} MiB", s.memory_bytes >> 20, s.memory_limit_bytes >> 20) } else { "not loaded".to_owned() };
            writeln!(out, "memory     {memory}, {} threads", s.threads)?;
            writeln!(out, "endpoint   {}", if s.endpoint.is_empty() { "none: nothing leaves this machine" } else { &s.endpoint })?;
            writeln!(out, "answers    {} local, {} by the endpoint, {} failed, {} denied, {} waiting", s.answered_local, s.answered_cloud, s.failed, s.denied, s.waiting)?;
            writeln!(out, "speed      first token after {:.0} ms (median), then {:.1} tokens a second", s.first_token_ms, s.tokens_per_second)?;
            let c = &s.cache;
            writeln!(out, "cache      {} answers, {} KiB; {} hits, {} near, {} misses, {} thrown out", c.entries, c.bytes >> 10, c.hits, c.near_hits, c.misses, c.evicted)?;
        }
        Sub::Unload => expect_ok(client.ask(Op::Unload, |_| {})?)?,
        Sub::ClearCache => expect_ok(client.ask(Op::ClearCache, |_| {})?)?,
    }
    Ok(())
}

fn expect_ok(event: Event) -> Result<()> {
    anyhow::ensure!(event == Event::Ok, "the service answered {event:?}");
    Ok(())
}

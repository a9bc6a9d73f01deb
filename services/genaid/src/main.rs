//! genaid, the AI service. Programs talk to it over a socket (`libs/genai-protocol`); it answers with the model of this
//! machine, and with an endpoint only where a rule says so.

mod cache;
mod cloud;
mod config;
mod embedding;
mod engine;
mod policy;
mod server;
mod service;

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;

#[derive(Parser)]
#[command(name = "genaid", version, about = "The AI service of GenAI OS")]
struct Cli {
    /// The settings
    #[arg(long, default_value = "/etc/genaid/genaid.toml")]
    config: PathBuf,
    /// Read the settings and the rules, say what is wrong with them, and end
    #[arg(long)]
    check: bool,
}

fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).without_time().with_target(false).init();
    let cli = Cli::parse();
    let config = config::Config::read(&cli.config)?;
    let rules = policy::Policy::read(&config.policy);
    if cli.check {
        println!("{} rules let requests leave this machine.", rules?.allow.len());
        return Ok(());
    }
    if let Err(e) = rules {
        tracing::warn!("nothing leaves this machine: {e:#}");
    }
    let mode = config.mode(std::env::var("GENAI_AI").ok().as_deref());
    std::fs::create_dir_all(&config.state).with_context(|| format!("making {}", config.state.display()))?;
    std::fs::set_permissions(&config.state, std::fs::Permissions::from_mode(0o700)).with_context(|| format!("closing {} to others", config.state.display()))?;
    let store = config.state.join("genaid.sqlite");
    let cache = cache::Cache::open(Some(&store), config.cache.clone()).or_else(|e| {
        tracing::warn!("{}: {e}; nothing is kept", store.display());
        cache::Cache::open(None, config.cache.clone())
    })?;
    let engine = engine::open(&config.local, &config.state);
    if !engine.problem().is_empty() {
        tracing::warn!("{}", engine.problem());
    }
    let listener = listen(&config.socket)?;
    let service = service::Service::new(config, mode, cache, engine.as_ref());
    let serving = std::sync::Arc::clone(&service);
    std::thread::Builder::new().name("model".to_owned()).spawn(move || serving.serve(engine))?;
    service_notify::Manager::of_environment().ready();
    server::run(&listener, &service);
    Ok(())
}

/// The socket, in the place of one that a genaid before us left.
fn listen(path: &Path) -> Result<UnixListener> {
    if let Ok(meta) = std::fs::symlink_metadata(path) {
        if !meta.file_type().is_socket() {
            bail!("{} is there and no socket: not replaced", path.display());
        }
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            bail!("another genaid listens at {}", path.display());
        }
        std::fs::remove_file(path).with_context(|| format!("removing the old socket {}", path.display()))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("listening at {}", path.display()))?;
    // Everybody may ask; rules and limits go by who does.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).with_context(|| format!("opening {} to all", path.display()))?;
    Ok(listener)
}

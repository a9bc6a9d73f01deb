//! Input devices as files: drivers describe their devices and send events; programs read them from `/dev/input/event<N>`
//! as on Linux, and text consoles from `/scheme/input/keyboard`.

mod client;
mod device;
mod evdev;
mod files;
mod hub;
mod registry;
#[cfg(test)]
mod tests;

use anyhow::Context;
use clap::Parser;
use driver::retry::while_busy;
use files::Files;
use registry::Registry;
use scheme::{SchemeFlags, SchemeSocket, Server};
use std::time::{Duration, Instant};

/// Collects the events of input drivers and serves them as /scheme/input/event<N>.
#[derive(Parser)]
#[command(version)]
struct Arguments {}

fn main() -> anyhow::Result<()> {
    Arguments::parse();
    kernel_log::init("inputd");
    let result = run();
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run() -> anyhow::Result<()> {
    let socket = while_busy(Duration::from_secs(5), || SchemeSocket::create("input", SchemeFlags::NONE)).context("creating /scheme/input")?;
    serve(Server::new(socket)?, Files::new(Registry::open()))
}

/// Serves until the kernel ends the scheme.
fn serve(mut server: Server, mut files: Files) -> anyhow::Result<()> {
    loop {
        let timeout = files.hub.next_tick().map(|time| time.saturating_duration_since(Instant::now()));
        if server.wait(&[], timeout)?.ended {
            return Ok(());
        }
        // What drivers have said first: a release must come before the repetition that it ends.
        while let Some(request) = server.next_request() {
            if let Some(request) = server.handle(&mut files, request) {
                server.refuse(request, scheme::Errno::AGAIN);
            }
        }
        files.tick(server.outbox());
    }
}

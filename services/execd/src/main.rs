//! `execd [PORT]...`: serves the exec channel on the first of the ports that opens; `/dev/virtio-ports/gos.exec` where none is named. A
//! port may be a serial line.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use execd::{Config, serve};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tracing::{info, warn};

const DEFAULT_PORT: &str = "/dev/virtio-ports/gos.exec";

/// The driver may come up, or come back, at any time.
const RETRY: Duration = Duration::from_millis(100);

/// One port, used by the reader and the writers at once. A virtio port can be opened only once.
#[derive(Clone)]
struct Port(Arc<File>);

impl Read for Port {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Port> {
    let noctty = rustix::fs::OFlags::NOCTTY.bits() as i32;
    let file = OpenOptions::new().read(true).write(true).custom_flags(noctty).open(path)?;
    if file.is_terminal() {
        let mut settings = tcgetattr(&file)?;
        settings.make_raw();
        tcsetattr(&file, OptionalActions::Now, &settings)?;
    }
    Ok(Port(Arc::new(file)))
}

fn main() {
    tracing_subscriber::fmt().with_writer(io::stderr).without_time().with_ansi(false).init();
    let mut ports: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if ports.iter().any(|port| port.as_os_str().as_encoded_bytes().starts_with(b"-")) {
        eprintln!("usage: execd [PORT]...\nServes the exec channel on the first PORT that opens (default {DEFAULT_PORT}).");
        std::process::exit(2);
    }
    if ports.is_empty() {
        ports.push(DEFAULT_PORT.into());
    }
    let config = Config::default();
    let mut silent = false;
    loop {
        match ports.iter().find_map(|path| Some((path, open(path).ok()?))) {
            Some((path, port)) => {
                info!("serving {}", path.display());
                silent = false;
                serve_port(&port, &config, path);
            }
            None if !silent => {
                warn!("none of the ports opens yet: {ports:?}");
                silent = true;
            }
            None => {}
        }
        sleep(RETRY);
    }
}

/// Serves sessions on an open port until it fails.
fn serve_port(port: &Port, config: &Config, path: &Path) {
    loop {
        match serve(port.clone(), port.clone(), config) {
            // Linux: the host has closed its end; it may come back.
            Ok(()) => sleep(RETRY),
            Err(error) => {
                warn!("{}: {error}", path.display());
                return;
            }
        }
    }
}

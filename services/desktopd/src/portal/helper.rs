//! Programs that do what was asked for: they say what came of it on their standard output. Who does not wait for it any more ends them.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use crate::compositor;

/// What a program may say, bytes.
const LONGEST: u64 = 4 << 20;

/// How they are started.
#[derive(Debug, Clone)]
pub struct Helpers {
    /// The compositor's socket: it has the session's variables.
    pub compositor: PathBuf,
    /// The program in whose window files are chosen.
    pub chooser: PathBuf,
    /// The program that takes pictures of the screen.
    pub shooter: PathBuf,
}

/// A program that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended takes no harm: its number is kept until it is waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Helpers {
    /// Runs a program in the session; what it says, and how it ends.
    ///
    /// # Errors
    /// Where there is no desktop, or it does not start.
    pub async fn run(&self, program: &PathBuf, arguments: Vec<OsString>) -> Result<(Vec<u8>, ExitStatus)> {
        let variables = compositor::environment(&self.compositor).await.context("asking the desktop for its variables")?;
        let (mut ours, theirs) = UnixStream::pair().context("making a socket")?;
        let theirs = theirs.into_std().and_then(|it| it.set_nonblocking(false).map(|()| it)).context("making a socket")?;
        let mut command = Command::new(program);
        command.args(arguments).envs(variables).stdin(Stdio::null()).stdout(OwnedFd::from(theirs));
        // SAFETY: setrlimit and prctl are safe between fork and exec.
        unsafe {
            command.pre_exec(|| {
                // Nobody waits for it where this service has died, however it did.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // The service's limit is for pictures that grow without end. Where it cannot be lifted, it holds.
                let most = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
                libc::setrlimit(libc::RLIMIT_AS, &most);
                Ok(())
            });
        }
        let mut running = Running(command.spawn().with_context(|| format!("starting {}", program.display()))?);
        // It holds the other end of the socket.
        drop(command);
        let mut said = Vec::new();
        (&mut ours).take(LONGEST).read_to_end(&mut said).await.context("listening")?;
        // What has closed its output is about to end.
        let status = tokio::task::spawn_blocking(move || running.0.wait()).await.context("waiting")?.context("waiting")?;
        Ok((said, status))
    }
}

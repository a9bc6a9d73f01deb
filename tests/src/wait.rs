//! Waiting for what a machine comes to.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use vm::screen::Picture;

use crate::lab::Machine;

/// A script takes no longer.
const SCRIPT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// Runs a script until its output holds `wanted`; that output.
///
/// # Errors
/// Where it does not within `limit`.
pub fn for_text(machine: &Machine, script: &str, wanted: &str, limit: Duration) -> Result<String> {
    let start = Instant::now();
    loop {
        let output = machine.sh(script, SCRIPT)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains(wanted) {
            return Ok(text);
        }
        if start.elapsed() > limit {
            bail!("`{script}` does not give {wanted:?} but {text:?} ({})", String::from_utf8_lossy(&output.stderr));
        }
        thread::sleep(PAUSE);
    }
}

/// Takes pictures of the screen until one is as it should be; that one.
///
/// # Errors
/// Where none is within `limit`; the last one is kept then.
pub fn for_picture(machine: &Machine, what: &str, limit: Duration, is_it: impl Fn(&Picture) -> bool) -> Result<Picture> {
    let start = Instant::now();
    loop {
        let picture = Picture::of(machine.dir())?;
        if is_it(&picture) {
            return Ok(picture);
        }
        if start.elapsed() > limit {
            let path = machine.dir().file("wrong-screen.png");
            picture.save(&path)?;
            bail!("the screen does not show {what} ({}x{}, {})", picture.width, picture.height, path.display());
        }
        thread::sleep(PAUSE);
    }
}

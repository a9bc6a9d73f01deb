//! Displays: modes are set and pictures shown, the same as under Linux, and the text console comes back.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use vm::screen::Picture;
use vm::transfer;

use crate::lab::{Lab, Linkage, Machine, System};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(120);

pub fn tests() -> Vec<Test> {
    vec![Test::new("programs/kms-probe", kms_probe)]
}

/// What `kms-probe` draws last.
fn expected(x: u32, y: u32) -> [u8; 3] {
    [x as u8, y as u8, (x ^ y) as u8]
}

/// How many pixels of a picture are not as drawn.
fn wrong_pixels(picture: &Picture) -> usize {
    let rows = picture.pixels.chunks_exact(3 * picture.width as usize);
    (0..).zip(rows).map(|(y, row)| (0..).zip(row.chunks_exact(3)).filter(|(x, pixel)| *pixel != expected(*x, y)).count()).sum()
}

/// Takes pictures until one is as it should be.
fn wait_for_picture(machine: &Machine, what: &str, is_it: impl Fn(&Picture) -> bool) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let picture = Picture::of(machine.dir())?;
        if is_it(&picture) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let path = machine.dir().file("wrong-screen.png");
            picture.save(&path)?;
            bail!("the screen does not show {what} ({}x{}, {})", picture.width, picture.height, path.display());
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Runs the program, looks at the screen, ends the program; what it printed.
fn run(lab: &Lab, system: System) -> Result<(String, String)> {
    let machine = lab.shared(system)?;
    transfer::put(machine.exec(), lab.images.program("kms-probe", Linkage::Dynamic)?, "/tmp/kms-probe")?;
    let start = "for i in $(seq 300); do [ -e /dev/dri/card0 ] && break; sleep 0.1; done
        /tmp/kms-probe hold > /tmp/kms.out 2> /tmp/kms.err & echo $! > /tmp/kms.pid
        for i in $(seq 900); do
            grep -q '^== end' /tmp/kms.out && break
            kill -0 $(cat /tmp/kms.pid) 2>/dev/null || break
            sleep 0.1
        done
        cat /tmp/kms.out";
    let output = machine.sh(start, LIMIT)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&machine.sh("cat /tmp/kms.err", LIMIT)?.stdout).into_owned();
    ensure!(text.ends_with("== end\n"), "it stopped early:\n{text}{errors}");
    wait_for_picture(&machine, "what the program drew", |picture| wrong_pixels(picture) == 0)?;
    check::succeeds(&machine.sh("kill $(cat /tmp/kms.pid); rm /tmp/kms*", LIMIT)?)?;
    Ok((text, errors))
}

fn kms_probe(lab: &Lab) -> Result<()> {
    let (linux, _) = run(lab, System::Linux).context("under Linux")?;
    let (ours, errors) = run(lab, System::Genai)?;
    check::same("its output", linux.as_bytes(), ours.as_bytes())?;
    let took = errors.split(' ').rev().nth(1).and_then(|ms| ms.parse::<u32>().ok()).with_context(|| format!("no time: {errors}"))?;
    // QEMU's EDID asks for 75 Hz: 800 ms, less where in a frame it began.
    ensure!(took >= 700, "60 flips took {took} ms: they are not paced");
    // The console takes the screen back.
    let machine = lab.genai()?;
    wait_for_picture(&machine, "the console", |picture| wrong_pixels(picture) > 1000 && (2..64).contains(&picture.colours()))
}

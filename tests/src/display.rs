//! Displays: modes are set and pictures shown, the same as under Linux, and the text console comes back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use vm::screen::Picture;
use vm::transfer;

use crate::lab::{Lab, Linkage, System};
use crate::{Test, check, wait};

const LIMIT: Duration = Duration::from_secs(120);

pub fn tests() -> Vec<Test> {
    vec![Test::new("programs/kms-probe", kms_probe), Test::new("programs/kms-virtual-terminals", virtual_terminals), Test::new("boot/display-changes", display_changes)]
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

/// Runs the program, looks at the screen, ends the program; what it printed.
fn run(lab: &Lab, system: System) -> Result<(String, String)> {
    let machine = lab.shared(system)?;
    transfer::put(machine.exec(), lab.images.program("kms-probe", Linkage::Static)?, "/tmp/kms-probe")?;
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
    wait::for_picture(&machine, "what the program drew", LIMIT, |picture| wrong_pixels(picture) == 0)?;
    check::succeeds(&machine.sh("kill $(cat /tmp/kms.pid); rm /tmp/kms*", LIMIT)?)?;
    Ok((text, errors))
}

/// Virtual terminals are opened, entered and left as under Linux.
fn virtual_terminals(lab: &Lab) -> Result<()> {
    let run = |system| -> Result<String> {
        let machine = lab.shared(system)?;
        transfer::put(machine.exec(), lab.images.program("kms-probe", Linkage::Static)?, "/tmp/vt-probe")?;
        let output = machine.sh("timeout 60 /tmp/vt-probe vt; rm /tmp/vt-probe", LIMIT)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(text.ends_with("== end\n"), "it stopped early:\n{text}{}", String::from_utf8_lossy(&output.stderr));
        Ok(text)
    };
    let linux = run(System::Linux).context("under Linux")?;
    check::same("its output", linux.as_bytes(), run(System::Genai)?.as_bytes())
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
    wait::for_picture(&machine, "the console", LIMIT, |picture| wrong_pixels(picture) > 1000 && (2..64).contains(&picture.colours())).map(drop)
}

/// The user makes the window larger, to a size that is in no list; then the driver dies.
fn display_changes(lab: &Lab) -> Result<()> {
    let socket = std::env::temp_dir().join(format!("gos-vnc-{}", std::process::id()));
    let mut description = lab.describe(System::Genai)?;
    description.extra = vec!["-vnc".into(), format!("unix:{}", socket.display())];
    let machine = lab.boot("display-changes", &description)?;
    let has_console = |size: (u32, u32)| move |picture: &Picture| (picture.width, picture.height) == size && (2..64).contains(&picture.colours());
    wait::for_picture(&machine, "the console", LIMIT, has_console((1280, 800)))?;
    let viewer = resize_window(&socket, 1003, 701)?;
    wait::for_picture(&machine, "the console in its new size", LIMIT, has_console((1003, 701)))?;
    let size = machine.sh("stty size < /dev/tty1", LIMIT)?;
    // 1003 / 8 and 701 / 16 whole cells.
    check::prints(&size, "43 125\n")?;
    let kill = "driver() { for p in /proc/[0-9]*; do read -r name < $p/comm && [ \"$name\" = virtio-gpud ] && echo ${p#/proc/}; done 2>/dev/null; }
        old=$(driver); kill -9 $old
        for i in $(seq 300); do
            new=$(driver)
            [ -n \"$new\" ] && [ \"$new\" != \"$old\" ] && [ -c /dev/dri/card0 ] && break
            sleep 0.1
        done
        printf 'after the restart' > /dev/tty1; [ -c /dev/dri/card0 ]";
    check::succeeds(&machine.sh(kill, LIMIT)?)?;
    wait::for_picture(&machine, "the console after a restart of the driver", LIMIT, has_console((1003, 701)))?;
    drop(viewer);
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

/// Asks for another size as a viewer whose window was resized does (RFC 6143, and the extension ExtendedDesktopSize). The viewer stays as long
/// as what is returned.
fn resize_window(socket: &std::path::Path, width: u16, height: u16) -> Result<std::os::unix::net::UnixStream> {
    use std::io::{Read, Write};
    let stream = std::os::unix::net::UnixStream::connect(socket).context("connecting to the machine's screen")?;
    stream.set_read_timeout(Some(LIMIT))?;
    let read = |len: usize| -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        (&stream).read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let write = |bytes: &[u8]| (&stream).write_all(bytes);
    read(12)?;
    write(b"RFB 003.008\n")?;
    let kinds = read(1)?[0];
    read(kinds.into())?;
    // No password; shared.
    write(&[1])?;
    ensure!(read(4)? == [0; 4], "the machine's screen cannot be had");
    write(&[1])?;
    let head = read(24)?;
    read(u32::from_be_bytes([head[20], head[21], head[22], head[23]]) as usize)?;
    // SetEncodings: raw, DesktopSize, ExtendedDesktopSize.
    let mut message = vec![2, 0, 0, 3];
    for encoding in [0i32, -223, -308] {
        message.extend(encoding.to_be_bytes());
    }
    // SetDesktopSize with one screen.
    message.extend([251, 0]);
    message.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    message.extend([1, 0]);
    message.extend([0; 8]);
    message.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    message.extend([0; 4]);
    write(&message)?;
    stream.set_read_timeout(None)?;
    Ok(stream)
}

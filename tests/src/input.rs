//! Keys and pointer, from QEMU's devices to event devices; and what the system says of devices.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use vm::input;

use crate::lab::{Lab, Machine};
use crate::{Test, check, wait};

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("vm/input-events", events),
        Test::new("vm/input-console", console),
        Test::new("vm/console-typed", typed),
        Test::new("vm/input-restart", restart),
        Test::new("vm/device-tree", tree),
        Test::new("vm/device-database", database),
    ]
}

/// Runs a script until its output holds `wanted`.
fn poll(machine: &Machine, script: &str, wanted: &str) -> Result<String> {
    wait::for_text(machine, script, wanted, LONG)
}

/// Starts a reader of every event device; what each reads is in `/tmp/read/event<N>`, as words of two bytes without the times.
fn read_all(machine: &Machine) -> Result<()> {
    // A keyboard, a tablet, and the two of PS/2.
    poll(machine, "ls /scheme/input | grep -c event", "4")?;
    let readers = "rm -rf /tmp/read; mkdir /tmp/read; for n in 0 1 2 3; do
        (timeout 300 stdbuf -o0 dd if=/dev/input/event$n bs=24 2>/dev/null | stdbuf -o0 od -v -An -tx2 -w24 | stdbuf -oL cut -c 41- >/tmp/read/event$n) </dev/null >/dev/null 2>&1 &
        done; sleep 0.1; pgrep -c dd";
    poll(machine, readers, "4")?;
    Ok(())
}

fn end_readers(machine: &Machine) -> Result<()> {
    check::succeeds(&machine.sh("pkill -x dd; true", SHORT)?)
}

/// Keys and absolute motion arrive, each group complete, on one device each.
fn events(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    read_all(&machine)?;
    input::key(machine.dir(), "f7")?;
    // KEY_F7 is 0x41: pressed, released, end of the group.
    let keys = poll(&machine, "cat /tmp/read/event* | tr '\\n' ','", "0001 0041 0000 0000")?;
    ensure!(keys.contains("0001 0041 0001 0000"), "no press before the release: {keys}");
    input::pointer(machine.dir(), 0, 0)?;
    let wanted = "0003 0000";
    poll(&machine, "cat /tmp/read/event*", wanted)?;
    let files = machine.sh("grep -l '0001 0041 0001 0000' /tmp/read/event* | wc -l; grep -l '0003 0000' /tmp/read/event* | wc -l", SHORT)?;
    end_readers(&machine)?;
    check::prints(&files, "1\n1\n")
}

/// The keys of all keyboards reach whoever shows a text console.
fn console(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let reader = "rm -f /tmp/keys; (timeout 300 stdbuf -o0 dd if=/scheme/input/keyboard bs=24 2>/dev/null | stdbuf -o0 od -v -An -tx2 -w24 | stdbuf -oL cut -c 41- >/tmp/keys) </dev/null >/dev/null 2>&1 &
        sleep 0.1; pgrep -c dd";
    poll(&machine, reader, "1")?;
    press_until(&machine, "f6", "cat /tmp/keys", "0001 0040 0001 0000")?;
    end_readers(&machine)
}

/// What is typed reaches the session on the text console.
fn typed(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    check::succeeds(&machine.sh("rm -f /tmp/typed", SHORT)?)?;
    let start = Instant::now();
    while start.elapsed() < LONG {
        // The session may not have begun yet: what is typed before it is lost.
        input::type_text(machine.dir(), "\ntouch /tmp/typed\n")?;
        if wait::for_text(&machine, "ls /tmp", "typed", Duration::from_secs(15)).is_ok() {
            return Ok(());
        }
    }
    bail!("what is typed does not reach the console")
}

/// Devices are where sysfs has them, and `/dev` names them with their numbers.
fn tree(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    poll(&machine, "ls /sys/class/input", "event3")?;
    let script = "cd /sys/class/input && for e in event?; do
        [ -f $e/device/capabilities/key ] && [ \"$(cat $e/dev)\" = \"$(printf %d:%d $(stat -c '0x%t 0x%T' /dev/input/$e))\" ] || echo $e is wrong
        [ $(readlink -f /sys/dev/char/$(cat $e/dev)) = $(readlink -f $e) ] || echo no link to $e
        done
        cat event?/device/name | sort -u
        readlink -f event?/device/device/subsystem | sort -u
        stat -f -c %t /sys/class";
    let wanted = "AT Translated Set 2 keyboard\nImPS/2 Generic Wheel Mouse\nQEMU Virtio Keyboard\nQEMU Virtio Tablet\n/sys/bus/pci\n62656572\n";
    check::prints(&machine.sh(script, SHORT)?, wanted)?;
    poll(&machine, "cat /sys/class/drm/card0/dev /sys/class/drm/card0-*/status; stat -c %t /dev/dri/card0", "226:0\nconnected\ne2\n")?;
    let pci = machine.sh("cd /sys/bus/pci/devices/0000:00:03.0 && cat vendor && od -An -tx2 -N2 config && wc -c <config && grep PCI_SLOT uevent", SHORT)?;
    check::succeeds(&pci)?;
    let text = String::from_utf8_lossy(&pci.stdout).into_owned();
    ensure!(text.starts_with("0x1af4\n 1af4\n256\nPCI_SLOT_NAME=0000:00:03.0\n"), "{text}");
    Ok(())
}

/// The database that libudev reads follows the kernel's events.
fn database(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    let keyboard = "cat /run/udev/data/c13:$(cut -d: -f2 $(grep -l Virtio.Keyboard /sys/class/input/event*/device/name | sed s,device/name,dev,))";
    poll(&machine, keyboard, "E:ID_INPUT_KEYBOARD=1")?;
    poll(&machine, "ls -l /dev/input/by-path", "pci-0000:00:07.0-event-kbd -> ../event")?;
    check::succeeds(&machine.sh("rm /run/udev/data/c13:*", SHORT)?)?;
    check::succeeds(&machine.sh("for f in /sys/class/input/event*/uevent; do echo change >$f; done", SHORT)?)?;
    poll(&machine, keyboard, "E:ID_INPUT_KEYBOARD=1")?;
    let bad = machine.sh("echo nonsense >/sys/class/input/event0/uevent", SHORT)?;
    ensure!(!bad.stderr.is_empty(), "nonsense is an action");
    let before = machine.sh("cat /sys/kernel/uevent_seqnum", SHORT)?;
    let after = machine.sh("echo change >/sys/class/input/event0/uevent; cat /sys/kernel/uevent_seqnum", SHORT)?;
    ensure!(before.stdout != after.stdout, "an event without a number");
    Ok(())
}

/// Readers keep their file over the driver's death; `inputd`'s successor finds the drivers again.
fn restart(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    read_all(&machine)?;
    poll(&machine, "pkill -x virtio-inputd; sleep 0.1; pgrep -c virtio-inputd", "2")?;
    press_until(&machine, "f8", "cat /tmp/read/event*", "0001 0042 0001 0000")?;
    end_readers(&machine)?;
    check::succeeds(&machine.sh("pkill -x inputd", SHORT)?)?;
    read_all(&machine)?;
    press_until(&machine, "f9", "cat /tmp/read/event*", "0001 0043 0001 0000")?;
    end_readers(&machine)?;
    console(lab)
}

/// Presses a key until it is seen: keys are lost while a driver starts, as on any machine.
fn press_until(machine: &Machine, key: &str, script: &str, wanted: &str) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < LONG {
        input::key(machine.dir(), key)?;
        let output = machine.sh(script, SHORT)?;
        if String::from_utf8_lossy(&output.stdout).contains(wanted) {
            return Ok(());
        }
    }
    bail!("{key} does not arrive")
}

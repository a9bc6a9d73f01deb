//! Memory, disk and processes used up: the one who asks for too much gets an error or is killed; the others go on.

use std::time::Duration;

use anyhow::Result;

use crate::lab::{Lab, System};
use crate::{Test, check};

const LIMIT: Duration = Duration::from_secs(300);

pub fn tests() -> Vec<Test> {
    vec![
        Test::new("limits/out-of-memory", out_of_memory),
        Test::new("limits/disk-full", disk_full),
        Test::new("limits/fork-bomb", fork_bomb),
        Test::new("limits/processes-leave-nothing", processes_leave_nothing),
    ]
}

/// One process grows without end, beside an innocent one and beside one that keeps files in memory.
const GROW: &str = r#"
sleep 1000 & innocent=$!
( while :; do echo; sleep 0.05; done > /dev/null ) & busy=$!
bash -c 'a=x; while :; do a=$a$a; done' 2> /dev/null
echo "grower: $?"
awk 'BEGIN { for (i = 0; ; i++) a[i] = sprintf("%0200d", i) }' 2> /dev/null
status=$?
# Killed, or told so.
[ $status = 137 ] || [ $status = 2 ] && echo "awk ended"
kill -0 $innocent && echo "innocent lives"
kill -0 $busy && echo "busy lives"
kill $innocent $busy
for i in 1 2 3 4 5; do /bin/true || echo "no new process"; done
awk '/MemAvailable/ { print ($2 > 500000) ? "memory is back" : "only " $2 " KiB left" }' /proc/meminfo
"#;

fn out_of_memory(lab: &Lab) -> Result<()> {
    let machine = lab.fresh()?;
    let output = machine.sh(GROW, LIMIT)?;
    check::prints(&output, "grower: 137\nawk ended\ninnocent lives\nbusy lives\nmemory is back\n")?;
    check::prints(&machine.sh("echo alive", LIMIT)?, "alive\n")
}

/// The root is filled to the last block; what was there stays, and room that is made can be used.
const FILL: &str = r#"
mkdir /root/full && cd /root/full || exit 1
# Zeros would be compressed away.
head -c 8000000 /dev/urandom > /tmp/noise
echo precious > precious && sync precious
for ((i = 0; i < 200; i++)); do
    cp /tmp/noise "file$i" 2> /tmp/error || break
    sync "file$i" 2>> /tmp/error || break
done
grep -o 'No space left on device' /tmp/error | head -n 1
cat precious
dd if=/tmp/noise of=another bs=1M conv=fsync 2> /tmp/error
grep -o 'No space left on device' /tmp/error | head -n 1
cat precious
rm -f file* another && sync
head -c 20000000 /dev/zero > again && sync again && stat -c %s again
cat precious
cd / && rm -r /root/full && sync && echo cleaned
"#;

fn disk_full(lab: &Lab) -> Result<()> {
    // The edition with the smallest disk, which is full the soonest.
    let machine = lab.boot("limits/disk-full", &lab.describe(System::Server)?)?;
    let full = "No space left on device\nprecious\n";
    check::prints(&machine.sh(FILL, LIMIT)?, &format!("{full}{full}20000000\nprecious\ncleaned\n"))?;
    check::prints(&machine.sh("echo alive > /root/file && cat /root/file", LIMIT)?, "alive\n")
}

/// A user's fork bomb runs into the user's limit; root goes on working, and afterwards nothing of it is left.
const BOMB: &str = r#"
cd /tmp
setpriv --reuid=1000 --regid=1000 --clear-groups prlimit --nproc=60 bash -c 'bomb() { bomb | bomb & }; bomb; sleep 3' 2> /dev/null &
sleep 2
for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true || echo "root cannot fork"; done
echo "root works"
most=$(ps -e -o uid= | awk '$1 == 1000' | wc -l)
[ "$most" -le 60 ] && echo "within the limit" || echo "$most processes"
for try in {1..200}; do
    pkill -KILL -U 1000
    sleep 0.1
    [ "$(ps -e -o uid= | awk '$1 == 1000' | wc -l)" = 0 ] && break
done
echo "left: $(ps -e -o uid= | awk '$1 == 1000' | wc -l)"
setpriv --reuid=1000 --regid=1000 --clear-groups id -u
"#;

fn fork_bomb(lab: &Lab) -> Result<()> {
    let machine = lab.genai()?;
    check::prints(&machine.sh(BOMB, LIMIT)?, "root works\nwithin the limit\nleft: 0\n1000\n")
}

/// Processes that end in each way; the kernel's own memory before and after. A stack alone is 32 KiB: 900 of them are 29 MB.
const END: &str = r#"
used() { awk '/^(KernelStack|Slab|PageTables):/ { sum += $2 } END { print sum }' /proc/meminfo; }
ends() {
    for ((i = 0; i < $1; i++)); do (:); done
    for ((i = 0; i < $1; i++)); do /bin/true; done
    for ((i = 0; i < $1; i++)); do sleep 100 & kill -9 $!; wait $! 2> /dev/null; done
}
ends 50
before=$(used)
ends 300
grown=$(($(used) - before))
[ $grown -lt 4000 ] && echo "nothing is left" || echo "$grown KiB are left"
"#;

/// What the kernel holds for a process is freed when it has ended.
fn processes_leave_nothing(lab: &Lab) -> Result<()> {
    check::prints(&lab.genai()?.sh(END, LIMIT)?, "nothing is left\n")
}

//! Disks and the machine.

use actions::quote::{quote, quote_path};

use super::{Intent, Outcome, Unfilled, built, first_available};
use crate::entity::Kind;
use crate::request::Request;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "disk.free", about: "free space on the disks", example: "how much disk space is left?", build: disk_free },
    Intent { id: "disk.inodes", about: "free inodes", example: "how many inodes are free", build: inodes },
    Intent { id: "disk.list", about: "disks and partitions", example: "list all disks and partitions", build: disks },
    Intent { id: "disk.mounts", about: "what is mounted where", example: "what filesystems are mounted", build: mounts },
    Intent { id: "disk.mount", about: "mount a filesystem", example: "mount /dev/vdb1 on /mnt", build: mount },
    Intent { id: "disk.unmount", about: "unmount a filesystem", example: "unmount /mnt", build: unmount },
    Intent { id: "disk.sync", about: "write everything to disk", example: "flush all writes to disk", build: sync },
    Intent { id: "sys.memory", about: "free and used memory", example: "how much memory is free?", build: memory },
    Intent { id: "sys.swap", about: "swap space", example: "how much swap is used", build: swap },
    Intent { id: "sys.cpu", about: "the processor", example: "what cpu does this machine have", build: cpu },
    Intent { id: "sys.cpu_count", about: "how many processors", example: "how many cores do I have", build: cpu_count },
    Intent { id: "sys.uptime", about: "how long the machine has been up", example: "how long has the system been running?", build: uptime },
    Intent { id: "sys.load", about: "how busy the machine is", example: "what is the load average", build: load },
    Intent { id: "sys.kernel", about: "the kernel's version", example: "which kernel version is this", build: kernel },
    Intent { id: "sys.os", about: "the operating system's version", example: "what operating system is this", build: os },
    Intent { id: "sys.arch", about: "the machine's architecture", example: "is this a 64 bit system", build: arch },
    Intent { id: "sys.hostname", about: "the name of this machine", example: "what is the name of this computer", build: hostname },
    Intent { id: "sys.date", about: "date and time", example: "what time is it?", build: date },
    Intent { id: "sys.date_of", about: "the weekday or date of a day", example: "what day of the week was 2024-02-29", build: date_of },
    Intent { id: "sys.calendar", about: "a calendar", example: "show a calendar of this month", build: calendar },
    Intent { id: "sys.env", about: "environment variables", example: "show all environment variables", build: env },
    Intent { id: "sys.env_var", about: "one variable", example: "what is my PATH", build: env_var },
    Intent { id: "sys.set_var", about: "set a variable", example: "set the variable EDITOR to nano", build: set_var },
    Intent { id: "sys.kernel_log", about: "messages of the kernel", example: "show the last kernel messages", build: kernel_log },
    Intent { id: "sys.log", about: "the system's log", example: "show the system log", build: log },
    Intent { id: "sys.reboot", about: "restart the machine", example: "restart the computer", build: reboot },
    Intent { id: "sys.shutdown", about: "switch the machine off", example: "shut down the computer", build: shutdown },
    Intent { id: "sys.devices", about: "devices of the machine", example: "list the pci devices", build: devices },
    Intent { id: "sys.services", about: "services and their state", example: "which services are running", build: services },
    Intent { id: "sys.service_control", about: "start, stop, restart a service", example: "restart the ssh service", build: service_control },
    Intent { id: "sys.schemes", about: "the schemes of this system", example: "which schemes are there", build: schemes },
    Intent { id: "sys.random", about: "a random number or password", example: "give me a random number between 1 and 100", build: random },
    Intent { id: "sys.calculate", about: "arithmetic", example: "what is 12 * 7", build: calculate },
    Intent { id: "sys.wait", about: "wait some time", example: "wait 10 seconds", build: wait },
];

fn disk_free(r: &Request<'_>) -> Outcome {
    match r.dir().filter(|d| d != "/" || r.has(&["root"])).or_else(|| r.take(|k| if let Kind::Path(p) = k { Some(p.clone()) } else { None })) {
        Some(d) => built(format!("df -h {}", quote_path(&d)), format!("Shows the free space where {d} is.")),
        None => built("df -h", "Shows size, use and free space of each filesystem."),
    }
}

fn inodes(_: &Request<'_>) -> Outcome {
    built("df -i", "Shows used and free inodes of each filesystem.")
}

fn disks(r: &Request<'_>) -> Outcome {
    if r.has(&["uuid", "uuids", "label", "labels", "filesystem", "type", "types"]) {
        return built("lsblk -f", "Lists disks and partitions with filesystem, label and UUID.");
    }
    built("lsblk", "Lists disks and partitions.")
}

fn mounts(_: &Request<'_>) -> Outcome {
    built("findmnt", "Lists what is mounted where.")
}

fn mount(r: &Request<'_>) -> Outcome {
    let path = |r: &Request<'_>| r.take(|k| match k {
        Kind::Path(p) | Kind::Dir(p) => Some(p.clone()),
        _ => None,
    });
    let a = path(r).ok_or(Unfilled::Missing("Mount which device?"))?;
    let b = path(r).ok_or(Unfilled::Missing("On which directory?"))?;
    // The device comes first, however it was said.
    let (dev, dir) = if b.starts_with("/dev/") && !a.starts_with("/dev/") { (b, a) } else { (a, b) };
    built(format!("mount {} {}", quote_path(&dev), quote_path(&dir)), format!("Mounts {dev} on {dir}."))
}

fn unmount(r: &Request<'_>) -> Outcome {
    let d = r.take(|k| match k {
        Kind::Path(p) | Kind::Dir(p) => Some(p.clone()),
        _ => None,
    })
    .or_else(|| r.any_unknown())
    .ok_or(Unfilled::Missing("Unmount what?"))?;
    built(format!("umount {}", quote_path(&d)), format!("Unmounts {d}."))
}

fn sync(_: &Request<'_>) -> Outcome {
    built("sync", "Writes everything that waits in memory to disk.")
}

fn memory(_: &Request<'_>) -> Outcome {
    built("free -h", "Shows total, used and free memory.")
}

fn swap(_: &Request<'_>) -> Outcome {
    built("free -h | grep -E 'total|Swap'", "Shows how much swap there is, and how much is used.")
}

fn cpu(_: &Request<'_>) -> Outcome {
    built("lscpu", "Shows what processor this is.")
}

fn cpu_count(_: &Request<'_>) -> Outcome {
    built("nproc", "Prints how many processors can be used.")
}

fn uptime(r: &Request<'_>) -> Outcome {
    if r.has(&["when", "boot", "booted", "started", "date"]) {
        return built("uptime -s", "Prints when the machine was started.");
    }
    built("uptime -p", "Prints how long the machine has been up.")
}

fn load(_: &Request<'_>) -> Outcome {
    built("uptime", "Shows the load averages of the last 1, 5 and 15 minutes.")
}

fn kernel(_: &Request<'_>) -> Outcome {
    built("uname -sr", "Prints the kernel's name and version.")
}

fn os(_: &Request<'_>) -> Outcome {
    built("cat /etc/os-release", "Prints name and version of the operating system.")
}

fn arch(_: &Request<'_>) -> Outcome {
    built("uname -m", "Prints the machine's architecture; x86_64 is 64 bit.")
}

fn hostname(_: &Request<'_>) -> Outcome {
    built("uname -n", "Prints the name of this machine.")
}

fn date(r: &Request<'_>) -> Outcome {
    use crate::entity::TimeTest;
    if r.entities.iter().any(|e| matches!(&e.kind, Kind::Time(t) if !matches!(t, TimeTest::Day(0 | 1)))) {
        // Another day than today: `sys.date_of`.
        return Err(Unfilled::Impossible);
    }
    if r.has(&["utc", "gmt", "greenwich"]) {
        return built("date -u", "Prints date and time in UTC.");
    }
    if r.has(&["unix", "epoch", "timestamp"]) {
        return built("date +%s", "Prints the seconds since 1970.");
    }
    if r.has(&["tomorrow"]) {
        return built("date -d tomorrow '+%A, %-d %B %Y'", "Prints tomorrow's date.");
    }
    if r.has(&["yesterday"]) || r.entities.iter().any(|e| matches!(&e.kind, Kind::Time(crate::entity::TimeTest::Day(1)))) {
        for e in &r.entities {
            r.mark(e.start, e.end);
        }
        return built("date -d yesterday '+%A, %-d %B %Y'", "Prints yesterday's date.");
    }
    // "today" adds nothing.
    let _ = r.take(|k| matches!(k, Kind::Time(crate::entity::TimeTest::Day(0))).then_some(()));
    if r.has(&["time", "clock", "hour"]) && !r.has(&["date", "day"]) {
        return built("date +%H:%M:%S", "Prints the time.");
    }
    if r.has(&["week"]) && r.has(&["number"]) {
        return built("date +%V", "Prints the number of the week.");
    }
    if r.has(&["year"]) && !r.has(&["date"]) {
        return built("date +%Y", "Prints the year.");
    }
    if r.has(&["month"]) && !r.has(&["date", "day"]) {
        return built("date +%B", "Prints the month.");
    }
    if r.has(&["weekday"]) || r.has_phrase(&["day", "of", "the", "week"]) || r.has_phrase(&["what", "day"]) || r.has_phrase(&["which", "day"]) {
        return built("date '+%A, %-d %B %Y'", "Prints the weekday and the date.");
    }
    built("date", "Prints date and time.")
}

fn date_of(r: &Request<'_>) -> Outcome {
    let day = r.tokens.iter().position(|t| {
        let w = &t.norm;
        w.len() >= 8 && w.bytes().filter(|b| matches!(b, b'-' | b'/' | b'.')).count() == 2 && w.bytes().all(|b| b.is_ascii_digit() || b"-/.".contains(&b))
    });
    if let Some(i) = day {
        r.mark(i, i + 1);
        let d = r.tokens[i].raw.clone();
        return built(format!("date -d {} '+%A, %-d %B %Y'", quote(&d)), format!("Prints the weekday of {d}."));
    }
    if let Some(n) = r.num() {
        let unit = ["days", "weeks", "months", "years", "day", "week", "month", "year", "hours", "hour"].into_iter().find(|u| r.has(&[u])).unwrap_or("days");
        let ago = if r.has(&["ago", "before"]) { " ago" } else { "" };
        return built(format!("date -d '{n} {unit}{ago}' '+%A, %-d %B %Y'"), format!("Prints the date {}{n} {unit}{}.", if ago.is_empty() { "in " } else { "" }, ago));
    }
    if let Some(test) = r.take(|k| if let Kind::Time(t) = k { Some(t.clone()) } else { None }) {
        use crate::entity::TimeTest as T;
        let when = match test {
            T::Day(n) => format!("{n} days ago"),
            T::WithinDays(n) if r.has(&["ago"]) => format!("{n} days ago"),
            T::WithinDays(n) => format!("{n} days"),
            T::WithinMinutes(n) => format!("{n} minutes"),
            T::BeforeDays(n) => format!("{n} days ago"),
            T::BeforeMinutes(n) => format!("{n} minutes ago"),
            T::Since(s) | T::Until(s) => s,
        };
        return built(format!("date -d {} '+%A, %-d %B %Y'", quote(&when)), "Prints that date.");
    }
    Err(Unfilled::Missing("Which date? Write it as 2024-12-31."))
}

fn calendar(r: &Request<'_>) -> Outcome {
    let year = r.has(&["year"]);
    if let Some(n) = r.num().filter(|n| (1..=9999).contains(n)) {
        return built(format!("cal {n}"), format!("Shows the calendar of {n}."));
    }
    let _ = r.take(|k| matches!(k, Kind::Time(_)).then_some(()));
    built(if year { "cal -y" } else { "cal" }, "Shows a calendar.")
}

fn env(_: &Request<'_>) -> Outcome {
    built("env | sort", "Lists the environment variables.")
}

/// A variable's name: in capitals, or after "variable".
fn variable(r: &Request<'_>) -> Option<String> {
    let ok = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !w.as_bytes()[0].is_ascii_digit();
    let i = (0..r.tokens.len())
        .find(|&i| {
            let w = r.tokens[i].raw.trim_start_matches('$');
            ok(w) && (r.tokens[i].raw.starts_with('$') || (w.len() > 1 && w.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())))
        })
        .or_else(|| {
            let i = r.position(&["variable"])?;
            [i + 1, i + 2, i.wrapping_sub(1)].into_iter().find(|&k| r.tokens.get(k).is_some_and(|t| ok(&t.raw) && !matches!(t.norm.as_str(), "environment" | "called" | "named" | "the" | "shell" | "to" | "a" | "env" | "of")))
        })
        .or_else(|| r.tokens.iter().position(|t| matches!(t.norm.as_str(), "path" | "shell" | "editor" | "lang" | "term")))?;
    r.mark(i, i + 1);
    let w = r.tokens[i].raw.trim_start_matches('$');
    Some(if matches!(w, "path" | "shell" | "editor" | "lang" | "term" | "home") { w.to_uppercase() } else { w.to_owned() })
}

fn env_var(r: &Request<'_>) -> Outcome {
    let v = variable(r).ok_or(Unfilled::Missing("Which variable?"))?;
    built(format!("printenv {v}"), format!("Prints the variable {v}."))
}

fn set_var(r: &Request<'_>) -> Outcome {
    let eq = r.tokens.iter().position(|t| t.raw.split_once('=').is_some_and(|(a, _)| !a.is_empty() && a.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')));
    let (name, value) = if let Some(i) = eq {
        r.mark(i, i + 1);
        let (a, b) = r.tokens[i].raw.split_once('=').unwrap_or_default();
        (a.to_owned(), b.to_owned())
    } else {
        let v = variable(r).ok_or(Unfilled::Missing("Which variable?"))?;
        let value = r.quoted().or_else(|| r.rest_after(&["to", "as", "="])).ok_or(Unfilled::Missing("To which value?"))?;
        (v, value)
    };
    built(format!("export {name}={}", quote(&value)), format!("Sets the variable {name} for this session."))
}

fn kernel_log(r: &Request<'_>) -> Outcome {
    if let Some(p) = r.quoted() {
        return built(format!("dmesg | grep -i -e {}", quote(&p)), format!("Shows the kernel's messages with {p}."));
    }
    if r.has(&["error", "errors", "warnings", "failures"]) {
        return built("dmesg --level=err,warn", "Shows the kernel's errors and warnings.");
    }
    let n = r.num().unwrap_or(30);
    built(format!("dmesg | tail -n {n}"), format!("Shows the last {n} messages of the kernel."))
}

fn log(r: &Request<'_>) -> Outcome {
    let n = r.num().unwrap_or(50);
    let _ = r.take(|k| matches!(k, Kind::Time(_)).then_some(()));
    let command = first_available(
        r,
        &[
            ("gci", format!("gci logs | tail -n {n}")),
            ("journalctl", format!("journalctl -n {n} --no-pager")),
            ("dmesg", format!("dmesg | tail -n {n}")),
        ],
    );
    built(command, format!("Shows the last {n} lines of the system's log."))
}

fn reboot(_: &Request<'_>) -> Outcome {
    built("reboot", "Restarts the machine; everything open is closed.")
}

fn shutdown(_: &Request<'_>) -> Outcome {
    built("poweroff", "Switches the machine off; everything open is closed.")
}

fn devices(r: &Request<'_>) -> Outcome {
    if r.has(&["usb"]) {
        let c = first_available(r, &[("lsusb", "lsusb".into()), ("ls", "ls /sys/bus/usb/devices".into())]);
        return built(c, "Lists the USB devices.");
    }
    if r.has(&["modules", "module", "drivers"]) && !r.has(&["pci"]) {
        return built("cat /proc/modules", "Lists the loaded kernel modules.");
    }
    let c = first_available(r, &[("lspci", "lspci".into()), ("ls", "ls /sys/bus/pci/devices".into())]);
    built(c, "Lists the PCI devices.")
}

fn services(r: &Request<'_>) -> Outcome {
    let failed = r.has(&["failed", "failing", "broken", "crashed", "crash", "fail", "start"]);
    let c = first_available(
        r,
        &[
            ("gci", "gci status".into()),
            ("systemctl", format!("systemctl list-units --type=service{}", if failed { " --state=failed" } else { "" })),
        ],
    );
    built(c, if failed { "Shows the services that failed." } else { "Shows the services and their state." })
}

fn service_control(r: &Request<'_>) -> Outcome {
    let verb = if r.has(&["restart", "reload", "bounce", "restarting"]) {
        "restart"
    } else if r.has(&["stop", "disable", "halt", "end"]) {
        "stop"
    } else if r.has(&["status", "state", "running", "active", "up"]) {
        "status"
    } else {
        "start"
    };
    let name = r.quoted().or_else(|| r.name(&["service", "daemon", "restart", "start", "stop", "the", "of", "status", "is", "reload", "called"])).or_else(|| r.any_unknown()).or_else(|| r.file()).ok_or(Unfilled::Missing("Which service?"))?;
    let q = quote(&name);
    let c = first_available(r, &[("gci", format!("gci {verb} {q}")), ("systemctl", format!("systemctl {verb} {q}"))]);
    built(c, match verb {
        "status" => format!("Shows the state of the service {name}."),
        v => format!("{}s the service {name}.", match v { "restart" => "Restart", "stop" => "Stop", _ => "Start" }).replace("Stops", "Stops"),
    })
}

fn schemes(_: &Request<'_>) -> Outcome {
    built("ls /scheme", "Lists the schemes: the servers of files of this system.")
}

fn random(r: &Request<'_>) -> Outcome {
    if r.has(&["password", "passwords", "passphrase", "token", "key", "string"]) {
        let n = r.num().unwrap_or(16).clamp(4, 256);
        return built(format!("head -c 1024 /dev/urandom | tr -dc 'A-Za-z0-9' | head -c {n}; echo"), format!("Makes a random password of {n} letters and digits."));
    }
    if r.has(&["uuid"]) {
        return built("cat /proc/sys/kernel/random/uuid", "Makes a random UUID.");
    }
    if r.has(&["coin"]) {
        return built("shuf -n 1 -e heads tails", "Tosses a coin.");
    }
    if r.has(&["dice", "die"]) {
        return built("shuf -i 1-6 -n 1", "Rolls a die.");
    }
    let (a, b) = match (r.num(), r.num()) {
        (Some(a), Some(b)) => (a.min(b), a.max(b)),
        (Some(a), None) => (1, a.max(1)),
        _ => (1, 100),
    };
    built(format!("shuf -i {a}-{b} -n 1"), format!("Picks a number from {a} to {b} by chance."))
}

fn calculate(r: &Request<'_>) -> Outcome {
    // Numbers, operators and their words, from the first number on.
    let mut out = String::new();
    let mut numbers = 0;
    let mut operators = 0;
    let mut first = None;
    for (i, t) in r.tokens.iter().enumerate() {
        let piece = match t.norm.as_str() {
            "plus" | "and" | "+" if numbers > 0 => "+",
            "minus" | "-" if numbers > 0 => "-",
            "times" | "x" | "*" | "\u{d7}" if numbers > 0 => "*",
            "over" | "/" | "\u{f7}" if numbers > 0 => "/",
            "divided" | "multiplied" if numbers > 0 => if t.norm == "divided" { "/" } else { "*" },
            "by" | "equals" | "=" | "is" | "of" | "equal" => "",
            "squared" => "^2",
            "mod" | "modulo" | "%" => "%",
            "power" => "^",
            w if !w.is_empty() && w.chars().all(|c| c.is_ascii_digit() || "+-*/%^().=x".contains(c)) && w.chars().any(|c| c.is_ascii_digit()) => {
                numbers += w.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|p| !p.is_empty()).count();
                operators += w.chars().skip(1).filter(|c| "+-*/%^x".contains(*c)).count();
                first.get_or_insert(i);
                r.mark(i, i + 1);
                out.push_str(&w.replace('x', "*").replace('=', ""));
                continue;
            }
            "(" | ")" => t.norm.as_str(),
            _ => continue,
        };
        if !piece.is_empty() {
            operators += 1;
            r.mark(i, i + 1);
            out.push_str(piece);
        }
    }
    if numbers == 0 || operators == 0 || numbers < 2 && !out.contains('^') {
        return Err(Unfilled::Impossible);
    }
    let out = out.trim_end_matches(['+', '-', '*', '/', '%', '^']).to_owned();
    let balanced = out.matches('(').count() == out.matches(')').count();
    if !balanced {
        return Err(Unfilled::Missing("The brackets do not match."));
    }
    built(format!("awk 'BEGIN {{print {out}}}'"), format!("Works out {out}."))
}

fn wait(r: &Request<'_>) -> Outcome {
    if r.has_phrase(&["half", "a", "minute"]) {
        return built("sleep 30", "Waits 30 seconds.");
    }
    if r.has_phrase(&["a", "minute"]) {
        return built("sleep 1m", "Waits a minute.");
    }
    let n = r.num().ok_or(Unfilled::Missing("How long?"));
    let (n, unit) = match n {
        Ok(n) => (n, if r.has(&["minutes", "minute"]) { "m" } else if r.has(&["hours", "hour"]) { "h" } else { "" }),
        Err(e) => match r.take(|k| if let Kind::Time(t) = k { Some(t.clone()) } else { None }) {
            Some(crate::entity::TimeTest::WithinMinutes(m)) => (m, "m"),
            _ => return Err(e),
        },
    };
    built(format!("sleep {n}{unit}"), "Waits that long.")
}

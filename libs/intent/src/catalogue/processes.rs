//! Processes and jobs.

use actions::quote::quote;

use super::{Intent, Outcome, Unfilled, built};
use crate::request::Request;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "proc.list", about: "what is running", example: "show all running processes", build: list },
    Intent { id: "proc.top_cpu", about: "what uses the processor most", example: "which process uses the most cpu", build: top_cpu },
    Intent { id: "proc.top_memory", about: "what uses the memory most", example: "top 5 processes by memory", build: top_memory },
    Intent { id: "proc.find", about: "whether a program runs", example: "is nginx running?", build: find },
    Intent { id: "proc.count", about: "how many processes run", example: "how many processes are running", build: count },
    Intent { id: "proc.kill", about: "end a process", example: "kill process 1234", build: kill },
    Intent { id: "proc.kill_force", about: "end a process by force", example: "force kill firefox", build: kill_force },
    Intent { id: "proc.tree", about: "processes as a tree", example: "show the process tree", build: tree },
    Intent { id: "proc.monitor", about: "watch processes live", example: "monitor the system live", build: monitor },
    Intent { id: "proc.of_user", about: "the processes of a user", example: "show the processes of root", build: of_user },
    Intent { id: "proc.info", about: "details of one process", example: "show details of process 1", build: info },
    Intent { id: "proc.oldest", about: "what has been running longest", example: "which processes have been running the longest", build: oldest },
    Intent { id: "proc.zombies", about: "dead processes still in the table", example: "are there any zombie processes", build: zombies },
    Intent { id: "proc.files", about: "files a process has open", example: "which files does process 1 have open", build: files },
    Intent { id: "proc.renice", about: "change a process's priority", example: "lower the priority of process 1234", build: renice },
    Intent { id: "proc.pause", about: "stop or continue a process", example: "pause process 1234", build: pause },
    Intent { id: "job.list", about: "jobs of this shell", example: "list background jobs", build: jobs },
    Intent { id: "job.foreground", about: "bring a job to the foreground", example: "bring the job back to the foreground", build: foreground },
    Intent { id: "job.background", about: "let a stopped job go on in the background", example: "continue the job in the background", build: background },
];

const WHICH: Unfilled = Unfilled::Missing("Which process?");

enum Target {
    Pid(u64),
    Name(String),
}

fn target(r: &Request<'_>) -> Result<Target, Unfilled> {
    if let Some(n) = r.num() {
        return Ok(Target::Pid(n));
    }
    let name = r
        .quoted()
        .or_else(|| {
            // A word that is a running process, or a known program.
            let i = (0..r.tokens.len()).find(|&i| {
                let t = &r.tokens[i];
                r.entity_at(i).is_none() && (r.world.is_process(&t.raw) && !crate::vocabulary::is_common(&t.norm))
            })?;
            r.mark(i, i + 1);
            Some(r.tokens[i].raw.clone())
        })
        .or_else(|| r.name(&["called", "named", "process", "processes", "program", "kill", "stop", "terminate", "end", "quit", "close", "is", "app", "application", "all", "of", "for", "pause", "freeze", "resume", "instances"]))
        .or_else(|| r.any_unknown())
        .or_else(|| {
            let i = (0..r.tokens.len()).find(|&i| r.entity_at(i).is_none() && crate::request::known_program(&r.tokens[i].norm) && !matches!(r.tokens[i].norm.as_str(), "kill" | "top" | "time" | "more" | "less" | "find" | "ps" | "which" | "who" | "killall" | "type" | "file" | "date" | "history" | "last" | "free" | "users" | "test" | "install" | "set" | "read" | "source" | "pkill" | "jobs" | "bg" | "fg" | "nice" | "split" | "sort" | "head" | "tail" | "sync" | "watch" | "yes"))?;
            r.mark(i, i + 1);
            Some(r.tokens[i].raw.clone())
        })
        .or_else(|| r.file())
        .ok_or(WHICH)?;
    Ok(Target::Name(name))
}

fn list(r: &Request<'_>) -> Outcome {
    if r.has(&["my", "mine"]) {
        return built("ps -u \"$(id -un)\" -o pid,stat,etime,args", "Lists your own processes.");
    }
    built("ps aux", "Lists all processes with their use of processor and memory.")
}

fn top(r: &Request<'_>, key: &str, what: &str) -> Outcome {
    let n = r.num().unwrap_or(if r.has(&["processes", "programs", "top", "apps"]) { 10 } else { 1 }).clamp(1, 1000);
    built(format!("ps -eo pid,user,%cpu,%mem,comm --sort=-{key} | head -n {}", n + 1), format!("Shows the {n} process{} that use{} the most {what}.", if n == 1 { "" } else { "es" }, if n == 1 { "s" } else { "" }))
}

fn top_cpu(r: &Request<'_>) -> Outcome {
    top(r, "%cpu", "processor time")
}

fn top_memory(r: &Request<'_>) -> Outcome {
    top(r, "%mem", "memory")
}

fn find(r: &Request<'_>) -> Outcome {
    match target(r)? {
        Target::Pid(p) => built(format!("ps -fp {p}"), format!("Shows process {p}, if it runs.")),
        Target::Name(n) => built(format!("pgrep -af -- {}", quote(&n)), format!("Lists the processes whose command line has {n}.")),
    }
}

fn count(r: &Request<'_>) -> Outcome {
    if let Some(u) = r.take(|k| if let crate::entity::Kind::User(u) = k { Some(u.clone()) } else { None }) {
        return built(format!("ps -u {} --no-headers | wc -l", quote(&u)), format!("Counts the processes of {u}."));
    }
    if !r.unknown_words().is_empty()
        && let Some(n) = r.any_unknown()
    {
        return built(format!("pgrep -c -- {}", quote(&n)), format!("Counts the processes called {n}."));
    }
    built("ps -e --no-headers | wc -l", "Counts the running processes.")
}

fn kill(r: &Request<'_>) -> Outcome {
    match target(r)? {
        Target::Pid(p) => built(format!("kill {p}"), format!("Asks process {p} to end.")),
        Target::Name(n) => built(format!("pkill -x -- {}", quote(&n)), format!("Asks every process called {n} to end.")),
    }
}

fn kill_force(r: &Request<'_>) -> Outcome {
    let force = ["force", "forcefully", "forcibly", "forced", "hard", "sigkill", "immediately", "-9", "-kill", "frozen", "stuck", "hangs", "hung", "hanging", "respond", "react", "signal", "once"];
    if !r.has(&force) {
        return Err(Unfilled::Impossible);
    }
    // "kill -9 1234": the 9 is the signal.
    if let Some(i) = r.position(&["-9"]) {
        r.mark(i, i + 1);
    }
    if r.has_phrase(&["signal", "9"]) || r.has_phrase(&["signal", "kill"]) {
        let _ = r.num();
    }
    match target(r)? {
        Target::Pid(p) => built(format!("kill -KILL {p}"), format!("Ends process {p} at once; it cannot save anything.")),
        Target::Name(n) => built(format!("pkill -KILL -x -- {}", quote(&n)), format!("Ends every process called {n} at once; they cannot save anything.")),
    }
}

fn tree(_: &Request<'_>) -> Outcome {
    built("ps -ef --forest", "Shows the processes as a tree of parents and children.")
}

fn monitor(_: &Request<'_>) -> Outcome {
    built("top", "Shows processes live; q leaves.")
}

fn of_user(r: &Request<'_>) -> Outcome {
    if r.has(&["my", "mine", "i"]) && !r.entities.iter().any(|e| matches!(e.kind, crate::entity::Kind::User(_))) {
        return list(r);
    }
    let u = r.user().or_else(|| r.name(&["by", "of", "does", "is"])).or_else(|| r.any_unknown()).ok_or(Unfilled::Missing("Of which user?"))?;
    built(format!("ps -u {} -o pid,stat,etime,args", quote(&u)), format!("Lists the processes of {u}."))
}

fn info(r: &Request<'_>) -> Outcome {
    match target(r)? {
        Target::Pid(p) => built(format!("ps -p {p} -o pid,ppid,user,stat,etime,%cpu,%mem,args"), format!("Shows process {p}: parent, user, state, age, use.")),
        Target::Name(n) => built(format!("ps -C {} -o pid,ppid,user,stat,etime,%cpu,%mem,args", quote(&n)), format!("Shows the processes called {n}: parent, user, state, age, use.")),
    }
}

fn oldest(r: &Request<'_>) -> Outcome {
    let n = r.num().unwrap_or(10);
    built(format!("ps -eo pid,etime,user,comm --sort=-etimes | head -n {}", n + 1), format!("Shows the {n} processes that have been running longest."))
}

fn zombies(_: &Request<'_>) -> Outcome {
    built("ps -eo pid,ppid,stat,comm | awk 'NR == 1 || $3 ~ /^Z/'", "Lists processes that ended but were not collected by their parents.")
}

fn files(r: &Request<'_>) -> Outcome {
    match target(r)? {
        Target::Pid(p) => built(format!("ls -l /proc/{p}/fd"), format!("Lists the files process {p} has open.")),
        Target::Name(n) => built(format!("for p in $(pgrep -x -- {q}); do ls -l \"/proc/$p/fd\"; done", q = quote(&n)), format!("Lists the files which processes called {n} have open.")),
    }
}

fn renice(r: &Request<'_>) -> Outcome {
    let raise = r.has(&["raise", "increase", "higher", "more", "boost", "highest"]);
    let (value, word) = if raise { (-5, "a higher") } else { (10, "a lower") };
    match target(r)? {
        Target::Pid(p) => built(format!("renice -n {value} -p {p}"), format!("Gives process {p} {word} priority.")),
        Target::Name(n) => built(format!("renice -n {value} -p $(pgrep -x -- {})", quote(&n)), format!("Gives the processes called {n} {word} priority.")),
    }
}

fn pause(r: &Request<'_>) -> Outcome {
    let (signal, words) = if r.has(&["continue", "resume", "unpause", "unfreeze"]) || r.has_phrase(&["go", "on"]) || r.has_phrase(&["run", "on"]) { ("CONT", "go on") } else { ("STOP", "stop until it is continued") };
    match target(r)? {
        Target::Pid(p) => built(format!("kill -{signal} {p}"), format!("Lets process {p} {words}.")),
        Target::Name(n) => built(format!("pkill -{signal} -x -- {}", quote(&n)), format!("Lets every process called {n} {words}.")),
    }
}

fn jobs(_: &Request<'_>) -> Outcome {
    built("jobs -l", "Lists the jobs of this shell.")
}

fn job_argument(r: &Request<'_>) -> String {
    r.num().map_or(String::new(), |n| format!(" %{n}"))
}

fn foreground(r: &Request<'_>) -> Outcome {
    built(format!("fg{}", job_argument(r)), "Brings the job to the foreground.")
}

fn background(r: &Request<'_>) -> Outcome {
    built(format!("bg{}", job_argument(r)), "Lets the stopped job go on in the background.")
}

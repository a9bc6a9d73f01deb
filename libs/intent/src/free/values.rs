//! What the system knows by itself: dates, numbers, users, processes, disks, the environment.

use actions::quote::quote;

use super::said::Said;
use super::{Reading, reading};

/// Questions that fixed commands answer: what is said, and the command.
const FIXED: &[(&[&str], &str, &str)] = &[
    (&["version|release of running|linux? kernel release|version|number?", "running? kernel version|release number?"], "uname -r", "Prints the kernel's version."),
    (&["machine|hardware|processor|cpu architecture name?", "architecture of? cpu|processor|machine?"], "uname -m", "Prints the machine's architecture."),
    (&["number of cpus|cpu|processor|processors cores|units|cpus?", "how many cpus|cpu|processor|processors cores|units|cpus?", "count cpus|cpu|processors|cores cores?"], "nproc", "Counts the processors."),
    (&["my|current numeric user? id|uid", "numeric user id of current|me user?", "my|current? uid", "effective user id"], "id -u", "Prints your number as a user."),
    (&["my|current primary|numeric? group id", "my|current? gid"], "id -g", "Prints your group's number."),
    (&["groups i|me|user|current belong|belongs|am|is to|in|member? of?", "my groups"], "id -nG", "Prints your groups."),
    (&["names|name of all? environment variables only|but|and|not|without? not|without? their|its? values?", "environment variable names", "environment variables names only|without? values?"], "env | cut -d = -f 1", "Prints the names of the environment's variables."),
    (&["number of environment variables", "how many environment variables are|set?"], "env | wc -l", "Counts the environment's variables."),
    (&["each|every|all directory|directories|entry|entries|folders of|in|from|on path|$path variable? on|in|per? its? own|separate|a? line of? its? own?", "path variable? one entry|directory per line|row", "directories|entries in|of|from path|$path variable|environment? one|each? per|on|a? own|separate|line? line?", "directories|entries in|of path|$path"], "printf '%s\\n' \"$PATH\" | tr ':' '\\n'", "Prints the directories of PATH, one a line."),
    (&["names of all? users|accounts on|of|in?", "all user|users|account names|accounts", "all users|accounts", "usernames", "user names", "login names"], "cut -d : -f 1 /etc/passwd", "Prints the names of the users."),
    (&["names of all? groups", "all groups on|of|that?"], "cut -d : -f 1 /etc/group", "Prints the names of the groups."),
    (&["number of user|users accounts|account?", "how many users|user accounts?", "count users|accounts"], "wc -l < /etc/passwd", "Counts the users."),
    (&["all mounted filesystems|file|partitions|volumes systems? and|with|including? filesystem? their? types|type?", "mounted filesystems|file|partitions systems? with|and? type|types|their? type|types?", "mount points and types"], "findmnt -l -o TARGET,SOURCE,FSTYPE", "Lists what is mounted, with its types."),
    (&["number of running? processes running?", "how many running? processes are|running?", "count running? processes"], "ps -e --no-headers | wc -l", "Counts the processes."),
    (&["name of this|local? host|machine", "hostname|host name of this|machine?", "hostname"], "hostname", "Prints the machine's name."),
    (&["how long has|is system|machine|computer|it been? up|running|on", "system|machine uptime", "uptime"], "uptime -p", "Says how long the machine has run."),
    (&["load averages|average", "system load"], "cut -d ' ' -f 1-3 /proc/loadavg", "Prints the loads."),
    (&["time of last boot", "when was|did system|machine|it last? booted|boot|started|start", "last boot time"], "uptime -s", "Says when the machine was started."),
    (&["total amount? of? memory|ram installed|physical?", "how much total? memory|ram has|does|is|installed|there?"], "free -h | awk '/^Mem/ { print $2 }'", "Prints how much memory there is."),
    (&["amount of free|available memory|ram", "free|available|unused memory|ram", "how much free|available|unused? memory|ram is|left|available|free"], "free -h | awk '/^Mem/ { print $7 }'", "Prints how much memory is available."),
    (&["today|today's|current day of week|name", "day of week today|it is?", "today|today's weekday|name", "weekday of today", "name of today|today's day|weekday?", "current weekday", "what|which weekday|day of week? is|it? today|it"], "date +%A", "Prints the day of the week."),
    (&["day of year today|it is?", "number of today|current? day in|of year"], "date +%j", "Prints the day's number in the year."),
    (&["current? iso? week number|of year", "number of current week", "calendar week"], "date +%V", "Prints the week's number."),
    (&["current year", "year it is now?"], "date +%Y", "Prints the year."),
    (&["current month name|as name|word", "name of current month"], "date +%B", "Prints the month."),
    (&["current? time in|as|since unix? seconds|epoch since|time|timestamp epoch?", "current? unix|epoch timestamp|time|seconds", "seconds since epoch|1970-01-01|1970"], "date +%s", "Prints the seconds since 1970."),
    (&["current? date and time in|as utc", "time|date in utc", "current utc time|date"], "date -u", "Prints the time in UTC."),
    (&["date and|time? of? yesterday", "yesterday's date", "yesterday date"], "date -d yesterday +%F", "Prints yesterday's date."),
    (&["date of? tomorrow", "tomorrow's date", "tomorrow date"], "date -d tomorrow +%F", "Prints tomorrow's date."),
    (&["calendar of|for this|current month", "this month calendar", "current month calendar"], "cal", "Shows this month's calendar."),
    (&["calendar of|for this|current|whole year"], "cal -y", "Shows this year's calendar."),
    (&["all? listening tcp|ports|sockets ports|sockets that|on|which?", "all? tcp ports|sockets that? are|is? listening|open|listened", "tcp? ports that|which? are|something? listening|open|listened to|on?", "open tcp? ports"], "ss -tln", "Lists the TCP ports that are listened on."),
    (&["all? listening udp|ports ports|sockets", "all? udp ports|sockets that? are? listening|open?"], "ss -uln", "Lists the UDP ports that are listened on."),
    (&["valid|available|all login? shells that|on|in? can|be|are|available|used?", "login shells"], "grep '^/' /etc/shells", "Lists the shells."),
    (&["all? loaded kernel modules", "kernel modules"], "lsmod", "Lists the kernel's modules."),
    (&["all? block devices"], "lsblk", "Lists the disks."),
    (&["all? ip addresses|address of|this|machine?", "ip addresses|address of|this?"], "ip -brief address", "Lists the addresses."),
    (&["default gateway|route"], "ip route show default", "Shows the default route."),
    (&["dns servers|nameservers|server"], "grep '^nameserver' /etc/resolv.conf", "Lists the name servers."),
    (&["name of operating? system? kernel", "kernel name", "kernel's name"], "uname -s", "Prints the kernel's name."),
    (&["name of operating system|distribution|linux", "operating system name|and? version", "distribution name|and? version", "linux distribution name|and|version?"], ". /etc/os-release && printf '%s\\n' \"$PRETTY_NAME\"", "Prints the system's name."),
    (&["bash version", "version of bash"], "bash --version | head -n 1", "Prints bash's version."),
    (&["process|id of|current? shell process? id|pid", "pid of this|current shell"], "echo $$", "Prints the shell's number."),
    (&["parent process id of|this|current? shell"], "echo $PPID", "Prints the parent's number."),
    (&["file descriptors|open? limit", "maximum number of open files"], "ulimit -n", "Prints how many files may be open."),
    (&["current umask", "umask"], "umask", "Prints the mask for new files."),
    (&["process tree", "tree of processes", "processes as|in tree"], "ps -ef --forest", "Shows the processes as a tree."),
    (&["zombie processes", "zombies"], "ps -eo pid,ppid,stat,comm | awk '$3 ~ /^Z/'", "Lists the zombies."),
    (&["when|start each|every|all|time|times|date of? each|every|all? running? process|processes was|were|is|are? started|launched|begun", "start|starting time|times|date|dates of|for each|every|all? running? process|processes", "processes|process with|and|by their|its? start|starting time|times|date"], "ps -eo pid,lstart,comm", "Lists the processes with the times they were started at."),
    (&["how full is root? filesystem|file|disk|partition|drive system|disk?"], "df -h /", "Says how full the root's file system is."),
    (&["my|current user's? cron|scheduled jobs|entries|table|tasks|job", "my? crontab entries?", "cron jobs|entries|table of|for current user|me"], "crontab -l", "Lists your cron jobs."),
    (&["mac|hardware|ethernet|physical addresses|address of|for my|all|network? network? cards|card|interfaces|interface|adapters|adapter|devices"], "ip -brief link", "Lists the network cards with their addresses."),
    (&["cpu|processor model name|of?", "model of|name cpu|processor"], "grep -m 1 'model name' /proc/cpuinfo | cut -d : -f 2-", "Prints the processor's name."),
];

pub(super) fn values(s: &Said<'_>) -> Option<Reading> {
    let marks = s.marks();
    for f in [dates, numbers, texts, accounts, processes, disks, environment, resolved] {
        if let Some(r) = f(s) {
            return Some(r);
        }
        s.restore(marks.clone());
    }
    for (patterns, command, why) in FIXED {
        if s.any(patterns) {
            s.each(&["total|currently|installed|running|available|configured|defined|existing", "in human-readable form|format", "on this|local? machine|system|computer|host", "only|sorted"]);
            return reading(*command, *why);
        }
    }
    None
}

/// "Resolve the name example.org".
fn resolved(s: &Said<'_>) -> Option<Reading> {
    let f = s.take("resolve|lookup|look up? dns|host|domain? name|hostname|host|domain? $").or_else(|| s.take("ip|dns address|addresses|record of|for|behind host|domain|name|hostname? $"))?;
    let i = f.at[0];
    let host = s.raw(i);
    if !host.contains('.') || host.starts_with(['.', '/']) || s.world().exists(host).is_some() || !host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)) {
        return None;
    }
    s.each(&["to|into ip? address|addresses", "via|using|with dns", "in? dns"]);
    reading(format!("getent hosts {host}"), format!("Asks for the addresses of {host}."))
}

/// `2024-01-31`, as a token.
fn date_at(s: &Said<'_>, i: usize) -> Option<String> {
    let w = s.raw(i);
    let b = w.as_bytes();
    let iso = b.len() == 10 && b[4] == b'-' && b[7] == b'-' && b.iter().enumerate().all(|(k, c)| k == 4 || k == 7 || c.is_ascii_digit());
    (iso && s.free(i)).then(|| w.to_owned())
}

const MONTHS: &[&str] = &["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// "as year-month-day", "day/month/year", "hours:minutes".
fn spelled_form(s: &Said<'_>) -> Option<String> {
    let part = |w: &str| {
        Some(match w.trim_end_matches('s') {
            "year" => "%Y",
            "month" => "%m",
            "day" => "%d",
            "hour" => "%H",
            "minute" => "%M",
            "second" => "%S",
            _ => return None,
        })
    };
    let read = |w: &str| {
        let sep = w.chars().find(|c| "-/.:_".contains(*c))?;
        let parts: Option<Vec<&str>> = w.split(sep).map(part).collect();
        parts.filter(|p| p.len() > 1).map(|p| p.join(&sep.to_string()))
    };
    let i = (0..s.len()).find(|&i| s.free(i) && read(&s.raw(i).to_lowercase()).is_some())?;
    let mut form = read(&s.raw(i).to_lowercase())?;
    s.mark(i, i + 1);
    if i + 1 < s.len() && s.free(i + 1) && let Some(time) = read(&s.raw(i + 1).to_lowercase()) {
        form = format!("{form} {time}");
        s.mark(i + 1, i + 2);
    }
    s.each(&["in|as|using|with form|format|style|order like?", "formatted|written as?", "format|form", "as"]);
    Some(form)
}

/// A form of dates that is spelled out.
fn date_form(s: &Said<'_>) -> Option<String> {
    if let Some(form) = spelled_form(s) {
        return Some(form);
    }
    let i = (0..s.len()).find(|&i| {
        let w = s.raw(i);
        s.free(i) && !w.starts_with('/') && (w.starts_with('%') || w.contains("YYYY") || w.contains("HH:MM") || w.contains("DD") && w.contains("MM") || w == "yyyy-mm-dd" || w.contains("yyyy") && w.contains("mm"))
    })?;
    let mut w = s.raw(i).to_owned();
    s.mark(i, i + 1);
    s.each(&["in|as|using|with form|format|style like?", "formatted as?", "format", "as"]);
    if i + 1 < s.len() && s.free(i + 1) && (s.raw(i + 1).contains("HH") || s.raw(i + 1).starts_with('%')) {
        w = format!("{w} {}", s.raw(i + 1));
        s.mark(i + 1, i + 2);
    }
    if w.contains('%') {
        return Some(w);
    }
    let minutes_after_hours = |w: &str| w.replace("HH:MM", "%H:%M").replace("hh:mm", "%H:%M").replace("HHMM", "%H%M");
    let w = minutes_after_hours(&w);
    Some(w.replace("YYYY", "%Y").replace("yyyy", "%Y").replace("SS", "%S").replace("ss", "%S").replace("DD", "%d").replace("dd", "%d").replace("MM", "%m").replace("mm", "%m").replace("HH", "%H").replace("YY", "%y"))
}

fn dates(s: &Said<'_>) -> Option<Reading> {
    let form = date_form(s);
    let all: Vec<usize> = (0..s.len()).filter(|&i| date_at(s, i).is_some()).collect();
    if let [a, b] = all[..] {
        if s.any(&["how many days lie|are|is|passed|elapsed?", "number of days", "days between|from", "difference in days", "day difference"]) {
            s.mark(a, a + 1);
            s.mark(b, b + 1);
            s.each(&["between|from|until|and|to|lie|there|are|days|in", "passed|elapsed"]);
            let (a, b) = (s.raw(a).to_owned(), s.raw(b).to_owned());
            return reading(format!("echo $(( ($(date -ud {b} +%s) - $(date -ud {a} +%s)) / 86400 ))"), format!("Counts the days from {a} to {b}."));
        }
        return None;
    }
    // A date some days away.
    let unit = "days|day|weeks|week|months|month|years|year|hours|hour|minutes|minute";
    let base = all.first().map(|&i| s.raw(i).to_owned());
    let shift = if let Some(f) = s.take(&format!("# {unit} before|earlier|prior than|to?")) { Some((-(s.number(f.at[0])? as i64), s.w[f.at[0] + 1].to_owned())) } else if let Some(f) = s.take(&format!("# {unit} after|later|from|past than?")) { Some((s.number(f.at[0])? as i64, s.w[f.at[0] + 1].to_owned())) } else if let Some(f) = base.as_ref().and_then(|_| s.take("one|a day|week|month|year|hour after|before|later|earlier|from")) {
        let said = &s.w[f.start..f.end];
        let unit = said.iter().find(|w| unit.split('|').any(|u| u == **w)).copied().unwrap_or("day");
        Some((if said.contains(&"before") || said.contains(&"earlier") { -1 } else { 1 }, unit.to_owned()))
    } else if base.is_some() && s.any(&["day before|preceding"]) { Some((-1, "day".into())) } else if base.is_some() && s.any(&["day after|following"]) { Some((1, "day".into())) } else if let Some(f) = s.look(&format!("# {unit} ago")) {
        let r = (-(s.number(f.at[0])? as i64), s.w[f.at[0] + 1].to_owned());
        s.mark(f.start, f.end);
        Some(r)
    } else if let Some(f) = s.look(&format!("in # {unit}")).filter(|_| s.has(&["date"])) {
        let r = (s.number(f.at[0])? as i64, s.w[f.at[0] + 1].to_owned());
        s.mark(f.start, f.end);
        Some(r)
    } else { None };
    if shift.is_some() && s.has(&["files", "file", "modified", "directories", "users"]) {
        return None;
    }
    let weekday = s.any(&["day of week|weekday", "weekday", "which|what day of week?"]);
    let plain = form.as_ref().map(|f| quote(&format!("+{f}")));
    if let Some((n, unit)) = shift {
        if let Some(b) = &base {
            let i = all[0];
            s.mark(i, i + 1);
            s.each(&["date|day was|is|it|of?", "which|what", "will|be|falls|comes"]);
            let how = plain.unwrap_or_else(|| if weekday { "+%A".into() } else { "+%F".into() });
            return reading(format!("date -d '{b} {n:+} {unit}' {how}"), format!("Reckons from {b}."));
        }
        s.each(&["date|day was|is|it|of?", "now|today|will|be", "current"]);
        let how = plain.unwrap_or_else(|| if weekday { "+%A".into() } else { "+%F".into() });
        return reading(format!("date -d '{n:+} {unit}' {how}"), "Reckons from today.".to_owned());
    }
    if let Some(b) = &base {
        let i = all[0];
        if weekday || s.any(&["which|what day", "falls|fall on"]) {
            s.mark(i, i + 1);
            s.each(&["of|on|is|was|fall|falls|weekday|day|did|does", "name"]);
            return reading(format!("date -d {b} +%A"), format!("Says which day of the week {b} is."));
        }
        if s.any(&["unix? timestamp|epoch of|for time?", "seconds since epoch", "to|as|in unix|epoch timestamp|time|seconds", "day of year", "week number"]) && s.look("year|week").is_none() && !s.r.has(&["year", "week"]) {
            s.mark(i, i + 1);
            s.each(&["convert|date|of|for|to", "unix|epoch"]);
            return reading(format!("date -d {b} +%s"), format!("Prints {b} in seconds since 1970."));
        }
        if s.any(&["day of year", "day number in|of|within year", "which|what day of year"]) {
            s.mark(i, i + 1);
            s.each(&["which|what|number|day|for"]);
            return reading(format!("date -d {b} +%j"), format!("Says which day of its year {b} is."));
        }
        if let Some(how) = plain {
            s.mark(i, i + 1);
            s.each(&["date|convert|reformat|format|of|to"]);
            return reading(format!("date -d {b} {how}"), format!("Prints {b} in that form."));
        }
        return None;
    }
    // Seconds to a date.
    if s.has(&["timestamp", "epoch", "unix"]) && let Some(i) = (0..s.len()).find(|&i| s.free(i) && s.raw(i).len() > 3 && s.raw(i).bytes().all(|b| b.is_ascii_digit())) {
        s.mark(i, i + 1);
        let utc = s.any(&["in utc", "utc"]);
        s.each(&["convert|translate|turn", "unix|epoch? timestamp|time|seconds", "unix|epoch", "to|into|as human-readable|readable|human? date|form|format|time?", "date and? time?", "human readable", "readable", "date|time", "seconds"]);
        let how = plain.map_or(String::new(), |p| format!(" {p}"));
        return reading(format!("date {}-d @{}{how}", if utc { "-u " } else { "" }, s.raw(i)), "Turns seconds since 1970 into a date.");
    }
    if let Some(how) = plain.filter(|_| s.has(&["date", "time", "today", "now"])) {
        s.each(&["current|today date|time and|date|time?", "today's date", "date|time|today|now"]);
        let utc = if s.any(&["in utc"]) { "-u " } else { "" };
        return reading(format!("date {utc}{how}"), "Prints the date in that form.");
    }
    // The calendar of a month.
    if s.any(&["calendar of|for?", "calendar"]) {
        let month = (0..s.len()).find(|&i| s.free(i) && MONTHS.iter().any(|m| *m == s.w[i] || s.w[i].len() == 3 && m.starts_with(s.w[i])));
        let year = (0..s.len()).find(|&i| s.free(i) && s.raw(i).len() == 4 && s.number(i).is_some_and(|n| (1..=9999).contains(&n)));
        if let Some(m) = month {
            let n = MONTHS.iter().position(|x| x.starts_with(s.w[m]))? + 1;
            s.mark(m, m + 1);
            s.each(&["month|year"]);
            let year = year.map_or_else(|| "$(date +%Y)".to_owned(), |y| {
                s.mark(y, y + 1);
                s.raw(y).to_owned()
            });
            return reading(format!("cal {n} {year}"), "Shows that month.");
        }
        if let Some(y) = year {
            s.mark(y, y + 1);
            s.each(&["whole|entire|year"]);
            return reading(format!("cal {}", s.raw(y)), "Shows that year.");
        }
    }
    None
}

fn numbers(s: &Said<'_>) -> Option<Reading> {
    let value = |i: usize| s.raw(i).parse::<f64>().ok().map(|_| s.raw(i).to_owned()).or_else(|| s.number(i).map(|n| n.to_string()));
    if let Some(f) = s.take("factorial of? #").or_else(|| s.take("# factorial")) {
        let n = s.number(f.at[0]).filter(|n| *n <= 20)?;
        return reading(format!("echo $(( {} ))", (1..=n.max(1)).map(|k| k.to_string()).collect::<Vec<_>>().join(" * ")), "Reckons it.");
    }
    // Squares and cubes.
    for (words, power) in [("squares|square", "i * i"), ("cubes|cube", "i * i * i")] {
        if let Some(f) = s.take(&format!("{words} of all? integers|numbers|number? from|between? # to|through|and|until|- #")) {
            let (a, b) = (s.number(f.at[0])?, s.number(f.at[1])?);
            s.each(&["one per line", "on separate lines", "each on own|separate line"]);
            return reading(format!("for ((i = {a}; i <= {b}; i++)); do echo $(({power})); done"), "Reckons them.");
        }
    }
    // "The multiples of 5 up to 50".
    if let Some(f) = s.take("multiples of # from|between # to|through|and|until|up # inclusive?").or_else(|| s.take("multiples of # up? to|below|under|until|through|less|smaller than? #")) {
        let k = s.number(f.at[0]).filter(|k| *k > 0)?;
        let last = s.number(*f.at.last()?)?;
        let first = if f.at.len() == 3 { s.number(f.at[1])? } else { k };
        let open = s.w[f.start..f.end].iter().any(|w| matches!(*w, "below" | "under" | "less" | "smaller"));
        let last = if open { last.checked_sub(1)? } else { last };
        s.each(&["all|first", "one per line", "each on own|separate line"]);
        return reading(format!("seq {} {k} {last}", first.div_ceil(k) * k), "Prints these numbers.");
    }
    if let Some(f) = s.take("first # multiples of #") {
        let (n, k) = (s.number(f.at[0])?, s.number(f.at[1])?);
        return reading(format!("seq {k} {k} {}", n.checked_mul(k)?), "Prints these numbers.");
    }
    // "the odd numbers below 10", "up to 20".
    if let Some(f) = s.take_if("odd|even? numbers|integers below|under|to|through|until|beneath #", |_| s.look("from|between").is_none()).or_else(|| s.take("odd|even? numbers|integers less|smaller|lower than #")) {
        let words = &s.w[f.start..f.end];
        let n = s.number(f.at[0])?;
        let n = if words.iter().any(|w| matches!(*w, "below" | "under" | "less" | "smaller" | "lower" | "beneath")) { n.checked_sub(1)? } else { n };
        s.each(&["up", "all", "one per line"]);
        let command = if words.contains(&"odd") { format!("seq 1 2 {n}") } else if words.contains(&"even") { format!("seq 2 2 {n}") } else { format!("seq 1 {n}") };
        return reading(command, "Prints these numbers.");
    }
    let down = s.look("descending|decreasing|reverse|backwards|down|countdown").is_some();
    let odd = s.look("odd").is_some();
    let even = s.look("even").is_some();
    if let Some(f) = s.take("all? integers|integer|numbers|number|odd|even numbers|integers? from|between # to|through|and|until|down # inclusive?").or_else(|| s.take("all? integers|numbers|odd|even numbers? # to|through #")).or_else(|| s.take("count from # down? to #")).or_else(|| s.take("sequence of? numbers? from # to #")).or_else(|| s.take("integers|numbers from # down to #")) {
        let (a, b) = (s.number(f.at[0])?, s.number(f.at[1])?);
        let step = s.take("in steps of #").or_else(|| s.take("with step|increment of? #")).or_else(|| s.take("every #")).or_else(|| s.take("step #")).or_else(|| s.take("in increments of #")).and_then(|f| s.number(f.at[0]));
        if s.any(&["sum of?", "sum|add up?"]) {
            s.each(&["of|all|up|total"]);
            return reading(format!("echo $(( ({a} + {b}) * ({b} - {a} + 1) / 2 ))"), "Adds them up.");
        }
        if s.look("random").is_some() {
            return None;
        }
        let (lo, hi) = (a.min(b), a.max(b));
        let (lo, hi, step) = if even { (lo + lo % 2, hi - hi % 2, 2) } else if odd { (lo + 1 - lo % 2, hi - (1 - hi % 2), 2) } else { (lo, hi, step.unwrap_or(1)) };
        let falls = down || a > b;
        s.each(&["in? descending|decreasing|reverse|ascending|increasing order?", "odd|even", "one per line|row", "each on own|separate line", "on one|single|same line", "separated by spaces|space|commas|comma|newlines", "backwards|down", "one a line", "count|on separate lines"]);
        let single = s.r.has(&["same"]) || s.r.has_phrase(&["one", "line"]) || s.r.has_phrase(&["a", "single", "line"]) || s.r.has(&["spaces", "commas", "comma", "space"]);
        let sep = if single { if s.r.has(&["commas", "comma"]) { " -s ," } else { " -s ' '" } } else { "" };
        let width = if s.any(&["with? leading zeros", "zero-padded", "padded with zeros", "zero padded", "of equal width"]) { " -w" } else { "" };
        let command = if falls { format!("seq{width}{sep} {hi} -{step} {lo}") } else if step == 1 { format!("seq{width}{sep} {lo} {hi}") } else { format!("seq{width}{sep} {lo} {step} {hi}") };
        return reading(command, "Prints these numbers.");
    }
    if let Some(f) = s.take("random number|integer from|between # and|to #").or_else(|| s.take("random number|integer in? range? # to|- #")) {
        return reading(format!("shuf -i {}-{} -n 1", s.number(f.at[0])?, s.number(f.at[1])?), "Picks a number.");
    }
    if let Some(f) = s.take("# random numbers|integers from|between # and|to #") {
        return reading(format!("shuf -r -i {}-{} -n {}", s.number(f.at[1])?, s.number(f.at[2])?, s.number(f.at[0])?), "Picks numbers.");
    }
    // Sums.
    for (words, op) in [("times|x|multiplied", "*"), ("plus", "+"), ("minus", "-")] {
        if let Some(f) = s.take(&format!("$ {words} by? $")) {
            let (Some(a), Some(b)) = (value(f.at[0]), value(f.at[1])) else { continue };
            s.each(&["product|sum|difference|value|result of?", "multiply|add"]);
            return reading(sum(&a, op, &b), "Reckons it.");
        }
    }
    if let Some(f) = s.take("$ divided by $").or_else(|| s.take("quotient of $ and|by $")).or_else(|| s.take("divide $ by $")) {
        let (a, b) = (value(f.at[0])?, value(f.at[1])?);
        let exact = s.take("to|with|rounded # decimal|decimals places|digits?").or_else(|| s.take("to # decimal|decimals places|digits?")).and_then(|f| s.number(f.at[0])).map_or("%.10g".to_owned(), |n| format!("%.{n}f"));
        s.each(&["to|with|rounded", "decimal places|digits"]);
        return reading(format!("awk 'BEGIN {{ printf \"{exact}\\n\", {a} / {b} }}'"), "Divides them.");
    }
    for (words, op) in [("product", "*"), ("sum", "+"), ("difference", "-")] {
        if let Some(f) = s.take(&format!("{words} of|between $ and $")) {
            let (a, b) = (value(f.at[0])?, value(f.at[1])?);
            return reading(sum(&a, op, &b), "Reckons it.");
        }
    }
    if let Some(f) = s.take("remainder of|when? $ divided|modulo|mod by? $").or_else(|| s.take("$ modulo|mod $")) {
        return reading(format!("echo $(( {} % {} ))", value(f.at[0])?, value(f.at[1])?), "Prints the remainder.");
    }
    if let Some(f) = s.take("square root of $") {
        return reading(format!("awk 'BEGIN {{ print sqrt({}) }}'", value(f.at[0])?), "Prints the root.");
    }
    if let Some(f) = s.take("$ to|raised power of?|to? $").or_else(|| s.take("$ to the? power of? $")) {
        return reading(format!("echo $(( {} ** {} ))", value(f.at[0])?, value(f.at[1])?), "Prints the power.");
    }
    if let Some(f) = s.take("prime factors|factorization of $").or_else(|| s.take("factorize|factor $")) {
        return reading(format!("factor {}", s.number(f.at[0])?), "Prints the prime factors.");
    }
    // Other bases.
    let target = [("to|in|into|as hexadecimal|hex", "'%x\\n'"), ("to|in|into|as octal", "'%o\\n'")].into_iter().find(|(w, _)| s.look(w).is_some());
    if let Some((w, format)) = target
        && let Some(i) = (0..s.len()).find(|&i| s.free(i) && s.raw(i).bytes().all(|b| b.is_ascii_digit()))
    {
        s.take(w);
        s.mark(i, i + 1);
        s.each(&["convert|decimal? number|value?", "decimal|number|from|form|notation|value"]);
        return reading(format!("printf {format} {}", s.raw(i)), "Converts the number.");
    }
    if s.any(&["to|in|into|as binary form|notation?"])
        && let Some(i) = (0..s.len()).find(|&i| s.free(i) && s.raw(i).bytes().all(|b| b.is_ascii_digit()))
    {
        s.mark(i, i + 1);
        s.each(&["convert|decimal? number?", "decimal|number|from"]);
        return reading(format!("python3 -c 'print(bin({})[2:])'", s.raw(i)), "Converts the number.");
    }
    if s.any(&["to|into decimal form?"]) && let Some(f) = s.take("hexadecimal|hex number|value? $").or_else(|| s.take("binary number|value? $")).or_else(|| s.take("octal number|value? $")) {
        let base = if s.w[f.start] == "binary" { 2 } else if s.w[f.start] == "octal" { 8 } else { 16 };
        let raw = s.raw(f.at[0]).trim_start_matches("0x").trim_start_matches("0b").to_owned();
        s.each(&["convert"]);
        return raw.chars().all(|c| c.is_digit(base)).then(|| reading(format!("echo $(( {base}#{raw} ))"), "Converts the number."))?;
    }
    None
}

fn sum(a: &str, op: &str, b: &str) -> String {
    if a.contains('.') || b.contains('.') { format!("awk 'BEGIN {{ print {a} {op} {b} }}'") } else { format!("echo $(( {a} {op} {b} ))") }
}

/// A text that is given in the request itself.
fn texts(s: &Said<'_>) -> Option<Reading> {
    if s.any(&["random"]) {
        let n = s.take("# characters|chars|character|letters|digits|bytes|alphanumeric|hex|lowercase").map(|f| (s.number(f.at[0]), f.at[0])).or_else(|| s.take("of length #").map(|f| (s.number(f.at[0]), f.at[0])));
        if s.any(&["uuid"]) {
            return reading("cat /proc/sys/kernel/random/uuid", "Makes a UUID.");
        }
        let (n, at) = n?;
        let kind = s.w.get(at + 1).copied().unwrap_or("");
        let set = if s.any(&["hexadecimal|hex"]) || kind == "hex" { "0-9a-f" } else if kind == "digits" || s.any(&["digits|numeric"]) { "0-9" } else if kind == "lowercase" || s.any(&["lowercase|lower-case"]) { "a-z" } else if kind == "letters" || s.any(&["letters|alphabetic"]) { "A-Za-z" } else { "A-Za-z0-9" };
        if !s.any(&["string|password|text|sequence|word|token|key|characters|number"]) && !matches!(kind, "characters" | "chars" | "letters" | "digits") {
            return None;
        }
        s.each(&["of|with|long|generate|create|make|containing|consisting", "characters|chars|character|letters|digits", "alphanumeric", "and|letters|digits", "string|password|text"]);
        return reading(format!("head -c 10000 /dev/urandom | LC_ALL=C tr -dc '{set}' | head -c {}; echo", n?), "Makes a random text.");
    }
    let quoted = |s: &Said<'_>| (0..s.len()).find(|&i| s.free(i) && s.r.tokens[i].quoted);
    let after = |s: &Said<'_>| {
        s.look("text|string|word|phrase|sentence $").filter(|f| {
            let i = f.at[0];
            s.is_text(i) && s.entity_at(i).is_none_or(|e| !matches!(e.kind, crate::entity::Kind::Path(_)))
        }).map(|f| f.at[0])
    };
    let i = quoted(s).or_else(|| after(s)).or_else(|| {
        // "encode hello in base64".
        s.look("encode|decode|hash|base64-encode|base64-decode|base64|reverse $").map(|f| f.at[0]).filter(|&i| s.is_text(i) && s.entity_at(i).is_none() && !matches!(s.w[i], "string" | "text" | "file" | "word"))
    })?;
    if s.paths() > 0 || s.has(&["file", "files", "directory", "directories", "lines", "variable", "processes", "process", "user", "alias"]) || s.has(&["line"]) && !s.has(&["times"]) {
        return None;
    }
    let t = s.raw(i).to_owned();
    let q = quote(&t);
    s.mark(i, i + 1);
    let (command, why) = if s.any(&["decode|decoding", "base64-decode", "from base64"]) {
        s.each(&["base64-encoded|base64", "from|with|using base64"]);
        (format!("printf %s {q} | base64 -d; echo"), "Decodes it.")
    } else if s.any(&["encode|base64-encode|encoded|encoding in|as|to|with|into|using? base64?", "base64 of|encoding?", "in|to|as base64", "base64"]) {
        s.each(&["in|to|as|with|using base64", "base64", "convert"]);
        (format!("printf %s {q} | base64"), "Encodes it.")
    } else if s.any(&["sha256|sha-256|sha256sum"]) {
        (format!("printf %s {q} | sha256sum | cut -d ' ' -f 1"), "Computes its sum.")
    } else if s.any(&["sha1|sha-1|sha1sum"]) {
        (format!("printf %s {q} | sha1sum | cut -d ' ' -f 1"), "Computes its sum.")
    } else if s.any(&["sha512|sha-512"]) {
        (format!("printf %s {q} | sha512sum | cut -d ' ' -f 1"), "Computes its sum.")
    } else if s.any(&["md5|md5sum"]) {
        (format!("printf %s {q} | md5sum | cut -d ' ' -f 1"), "Computes its sum.")
    } else if s.any(&["backwards|reversed|backward", "in reverse order?", "reverse"]) {
        (format!("printf '%s\\n' {q} | rev"), "Prints it backwards.")
    } else if s.any(&["to|in|into uppercase|upper|capital|capitals case|letters?", "uppercase"]) {
        s.each(&["convert"]);
        (format!("printf '%s\\n' {q} | tr '[:lower:]' '[:upper:]'"), "Prints it in capital letters.")
    } else if s.any(&["to|in|into lowercase|lower case|letters?", "lowercase"]) {
        s.each(&["convert"]);
        (format!("printf '%s\\n' {q} | tr '[:upper:]' '[:lower:]'"), "Prints it in small letters.")
    } else if s.any(&["length of|in", "how many characters|letters", "number of characters|letters in|of?", "count all? characters|letters in|of?", "how long is"]) {
        s.each(&["characters|letters|does|has|have"]);
        (format!("printf %s {q} | wc -m"), "Counts its characters.")
    } else if s.any(&["how many words", "number of words in?"]) {
        (format!("printf '%s\\n' {q} | wc -w"), "Counts its words.")
    } else if let Some(f) = s.take("# times").or_else(|| s.take("repeated # times?")) {
        s.each(&["each? on its? own|separate|new line|lines?", "one per line", "repeat|repeated"]);
        (format!("for ((i = 0; i < {}; i++)); do printf '%s\\n' {q}; done", s.number(f.at[0])?), "Prints it so many times.")
    } else {
        return None;
    };
    s.each(&["text|string|word|phrase|sentence|hash|checksum|digest|sum|of|only|calculate|generate|hashed|each|convert"]);
    reading(command, why)
}

fn accounts(s: &Said<'_>) -> Option<Reading> {
    let user = |s: &Said<'_>| s.take("of|for|by? user $").map(|f| s.raw(f.at[0]).to_owned()).or_else(|| s.entity(|e| if let crate::entity::Kind::User(u) = &e.kind { Some(u.clone()) } else { None }));
    for (patterns, field, what) in [(&["login|default? shell of|for?", "shell of|for"][..], 7, "shell"), (&["home directory|folder path? of|for?", "home of"], 6, "home"), (&["user id|uid|number of|for", "numeric user? id of|for", "uid|userid of|for"], 3, "number")] {
        let marks = s.marks();
        if s.any(patterns) {
            if let Some(u) = user(s).filter(|u| s.world().is_user(u)) {
                s.each(&["user|of|for|account"]);
                return reading(format!("getent passwd {} | cut -d : -f {field}", quote(&u)), format!("Prints the {what} of {u}."));
            }
        }
        s.restore(marks);
    }
    if s.has(&["groups", "group"]) && s.look("groups|group of|that|which|does|is").is_some() && let Some(u) = user(s) {
        s.each(&["all|which|what? groups|group of|that|does|is?", "belong|belongs|member|to|in|of|user|is|a"]);
        return reading(format!("id -nG {}", quote(&u)), format!("Prints the groups of {u}."));
    }
    if let Some(f) = s.take("members|users|member of|in group $").or_else(|| s.take("users|who are|is|belong|belongs in|to group $")).or_else(|| s.take("who|which users is|are in group $")) {
        return reading(format!("getent group {} | cut -d : -f 4 | tr ',' '\\n'", quote(s.raw(f.at[0]))), "Lists who is in that group.");
    }
    if s.any(&["how many users|accounts use|uses|have|has|per each|every? login|default? shell", "number|count of users|accounts per|by|for|using|with each? login|default? shell", "users per|by login? shell"]) {
        s.each(&["count|has|is|in|from /etc/passwd?", "each"]);
        s.entity(|e| if let crate::entity::Kind::Path(p) = &e.kind { (p == "/etc/passwd").then_some(()) } else { None });
        return reading("cut -d : -f 7 /etc/passwd | sort | uniq -c | sort -rn", "Counts the users of each shell.");
    }
    // Users by their number or shell.
    let names = s.any(&["names|name of all|every? users|user|accounts", "all|each|every? user names|name|accounts", "all? usernames|users|accounts", "users|user names|accounts"]);
    if names {
        s.each(&["in|from|of /etc/passwd", "listed|defined|found in"]);
        s.entity(|e| if let crate::entity::Kind::Path(p) = &e.kind { (p == "/etc/passwd").then_some(()) } else { None });
        const UID: &str = "whose|with|having|that|where have|has? numeric? user? id|uid|ids|number";
        for (p, op) in [("is|are|of? at least|>=", ">="), ("is|are|of? at most|<=", "<="), ("is|are|of? greater|higher|larger|bigger|more than or equal to", ">="), ("is|are? greater|higher|larger|bigger|more than", ">"), ("is|are? above|over|>", ">"), ("is|are? less|lower|smaller|fewer than", "<"), ("is|are? below|under|<", "<"), ("is|are|of|equal to?", "==")] {
            if let Some(f) = s.take(&format!("{UID} {p} #")) {
                s.each(&["in|from|of", "in|of|from /etc/passwd", "sorted|system|only"]);
                return reading(format!("awk -F : '$3 {op} {} {{ print $1 }}' /etc/passwd", s.number(f.at[0])?), "Prints the names of those users.");
            }
        }
        if let Some(f) = s.take("whose|with|having|that|who use|have|has|uses|using? login|default? shell is|of|set? to? $").or_else(|| s.take("that|who? use|uses|using $ as their? login? shell|default?")).or_else(|| s.take("with $ as login|default|their? login? shell")) {
            let shell = s.raw(f.at[0]).to_owned();
            let shell = if shell.contains('/') { shell } else { format!("/{shell}") };
            s.each(&["shell|login|as"]);
            return reading(format!("awk -F : 'substr($7, length($7) - {}) == \"{}\" {{ print $1 }}' /etc/passwd", shell.chars().count() - 1, shell.replace('"', "")), "Prints the names of those users.");
        }
        if s.any(&["and|with|along|together? with? their|his? home directories|directory", "home directories"]) {
            return reading("awk -F : '{ print $1, $6 }' /etc/passwd", "Prints the users with their homes.");
        }
        if s.any(&["and|with their? login? shells|shell"]) {
            return reading("awk -F : '{ print $1, $7 }' /etc/passwd", "Prints the users with their shells.");
        }
        if s.any(&["and|with their? user? ids|id|uids|uid|numbers"]) {
            return reading("awk -F : '{ print $1, $3 }' /etc/passwd", "Prints the users with their numbers.");
        }
        if s.any(&["sorted? in? alphabetically|alphabetical order?", "in alphabetical order", "sorted by name"]) {
            return reading("cut -d : -f 1 /etc/passwd | sort", "Prints the users' names in order.");
        }
        if s.any(&["logged|currently in|on|logged in?", "logged-in"]) {
            return None;
        }
    }
    None
}

fn processes(s: &Said<'_>) -> Option<Reading> {
    if !s.has(&["process", "processes", "pid", "pids", "running", "program", "programs", "instances", "termination", "force", "forcefully", "forcibly"]) {
        return None;
    }
    if let Some(f) = s.take("force|enforce termination|end|exit|shutdown|stop of process|program? $").or_else(|| s.take("forcefully|forcibly|force|immediately kill|terminate|end|stop|quit process|program? called|named? $")).or_else(|| s.take("kill|terminate|end|stop process|program? called|named? $ forcefully|forcibly|force|hard")) {
        let name = s.raw(f.at[0]);
        s.each(&["with sigkill|signal 9|kill?", "immediately|at once", "by|with force"]);
        if s.is_text(f.at[0]) && s.w[f.at[0]] != "user" && !name.contains(['*', '?']) {
            return if name.bytes().all(|b| b.is_ascii_digit()) { reading(format!("kill -KILL {name}"), format!("Ends the process {name} at once.")) } else { reading(format!("pkill -KILL -x {}", quote(name)), format!("Ends all processes called {name} at once.")) };
        }
        return None;
    }
    // One name: its numbers, or its end.
    if let Some(f) = s.take("process ids|id|pids|pid of|for running|all|every? processes|process|program|programs|instances? named|called|of? $").or_else(|| s.take("pids|pid of|for running|all|every? processes|process|program? named|called? $")) {
        let i = f.at[0];
        if s.is_text(i) && !matches!(s.w[i], "shell" | "current" | "this") {
            s.each(&["process|processes|program|only|running"]);
            return reading(format!("pgrep -x {}", quote(s.raw(i))), format!("Prints the numbers of {}.", s.raw(i)));
        }
        return None;
    }
    if matches!(s.first(), "terminate" | "kill" | "end" | "stop") && let Some(f) = s.take("terminate|kill|end|stop all|every|each? running? processes|process|instances|programs that are? named|called|of|with? name? $") {
        let force = s.any(&["forcefully|forcibly|by force", "with sigkill|signal 9", "using sigkill"]);
        if s.is_text(f.at[0]) && !matches!(s.w[f.at[0]], "user") {
            s.each(&["running|immediately"]);
            return reading(format!("pkill{} -x {}", if force { " -KILL" } else { "" }, quote(s.raw(f.at[0]))), format!("Ends all processes called {}.", s.raw(f.at[0])));
        }
        return None;
    }
    let n = s.take("top|first? # running? processes|process").or_else(|| s.take("top #")).and_then(|f| s.number(f.at[0]));
    let memory = s.any(&["by|using|use|uses|consuming|consume|that|with|sorted|ordered use|by|most|highest|least? most|highest? memory|ram usage|consumption|use?", "memory|ram usage|consumption", "most memory|ram", "memory-hungry|memory-intensive"]);
    let cpu = !memory && s.any(&["by|using|use|uses|consuming|consume|that|with|sorted|ordered use|by|most|highest? most|highest? cpu|processor usage|time|consumption|use?", "cpu|processor usage|time|consumption", "most cpu"]);
    if memory || cpu {
        s.each(&["sort|sorted|order|ordered by?", "in? descending order", "most|highest|usage|first|top|running|processes|process|that|use|using|consume|consuming"]);
        s.any(&["with|and their? pid|pids|names|name"]);
        let key = if memory { "%mem" } else { "%cpu" };
        let head = n.or(if s.has(&["process"]) && !s.has(&["processes"]) { Some(1) } else { None }).map_or(String::new(), |n| format!(" | head -n {}", n + 1));
        return reading(format!("ps -eo pid,user,%cpu,%mem,comm --sort=-{key}{head}"), "Lists the processes that use the most.");
    }
    if s.look("processes|process").is_none() {
        return None;
    }
    let full = s.any(&["with|including|and|showing? their? full|complete|whole? command lines|line", "and arguments", "with? their? arguments", "full command lines|line"]);
    let count = s.any(&["how many", "number|count of", "count"]);
    let who = s.take("of|by|belonging|owned|for|started|run to|by? user $").map(|f| s.raw(f.at[0]).to_owned()).or_else(|| s.entity(|e| if let crate::entity::Kind::User(u) = &e.kind { Some(u.clone()) } else { None })).or_else(|| s.any(&["of|by|to|for current user", "my own?", "of mine", "owned by me"]).then(|| "\"$(id -un)\"".to_owned()));
    if let Some(u) = who {
        s.each(&["all|running|processes|process|currently|owned|run|belonging|started|that|by|does|user|are|executed|running"]);
        let u = if u.starts_with('"') { u } else { quote(&u) };
        return if count { reading(format!("ps -u {u} --no-headers | wc -l"), "Counts the processes of that user.") } else { reading(format!("ps -u {u} -o pid,{}", if full { "args" } else { "comm" }), "Lists the processes of that user.") };
    }
    if full && !count {
        s.each(&["all|running|processes|currently"]);
        return reading("ps -eo pid,user,args", "Lists the processes with their command lines.");
    }
    None
}

fn disks(s: &Said<'_>) -> Option<Reading> {
    let about = s.any(&["how much free|used|available? disk? space|storage", "disk space|usage usage?", "free|used|available disk? space", "disk usage|space", "percentage of disk? space"]);
    if !about {
        return None;
    }
    let root = s.any(&["on|of|for|in root filesystem|file|partition system?", "root filesystem|partition"]) || s.entity(|e| if let crate::entity::Kind::Dir(d) = &e.kind { (d == "/").then_some(()) } else { None }).is_some();
    s.any(&["in? human-readable|human readable form|format|units|way?"]);
    let all = s.any(&["of|on|for all|every|each? mounted|available? filesystems|partitions|disks|file systems?", "on|of each|every filesystem|partition|mount"]);
    if !(root || all) {
        return None;
    }
    let percent = s.any(&["percentage|percent of?", "as percentage|percent"]);
    s.each(&["is|used|free|available|left|on|of|in|filesystem|how much", "disk|space"]);
    if root {
        if percent {
            return reading("df --output=pcent / | tail -n 1", "Prints how full the disk is.");
        }
        return reading("df -h /", "Shows how full the disk is.");
    }
    reading("df -h", "Shows how full the disks are.")
}

fn environment(s: &Said<'_>) -> Option<Reading> {
    // The search path.
    if (0..s.len()).any(|i| matches!(s.raw(i), "PATH" | "$PATH")) && !s.has(&["set", "export", "add", "append", "prepend", "remove"]) && s.any(&["directories|directory|entries|folders|elements|components|places are|is? in|of|on|from $ environment? variable?", "$ environment? variable? has|have|contain|contains directories|entries|folders"]) {
        let counts = s.any(&["how many|number|count of?", "count|number|many"]);
        s.each(&["is|are|does", "on|in a? line|row of its own", "of its own", "one|1 per|a line", "each|every|one per|on line|its|own|separate", "search|variable|environment", "PATH|$PATH|path", "directories|directory|entries"]);
        let list = "tr ':' '\\n' <<< \"$PATH\"";
        return if counts { reading(format!("{list} | wc -l"), "Counts the directories of the search path.") } else { reading(list, "Prints the directories of the search path.") };
    }
    if !s.has(&["environment", "variable", "variables"]) {
        return None;
    }
    let name = |s: &Said<'_>, i: usize| {
        let raw = s.raw(i).trim_start_matches('$').to_owned();
        (raw.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && raw.chars().any(|c| c.is_ascii_uppercase())).then_some(raw)
    };
    if s.any(&["sorted", "in? alphabetical order|alphabetically", "sort"]) && s.look("environment variables").is_some() {
        s.each(&["all? environment variables", "sorted|by|name|in|alphabetically|alphabetical|order|and|their|with|values"]);
        return reading("env | sort", "Prints the environment in order.");
    }
    if let Some(f) = s.take("environment? variables|variable whose|with|that names|name? start|starts|starting|begin|begins|beginning with $") {
        return reading(format!("env | grep -e {}", quote(&format!("^{}", s.raw(f.at[0])))), "Prints those variables.");
    }
    if let Some(f) = s.take("environment? variables|variable that|whose|with? names|name? contain|contains|containing|mention $") {
        return reading(format!("env | grep -F -e {}", quote(s.raw(f.at[0]))), "Prints those variables.");
    }
    let f = s.take("value|content|contents of environment? variable $").or_else(|| s.take("value of $ environment? variable")).or_else(|| s.take("environment? variable $")).or_else(|| s.take("$ environment? variable"))?;
    if s.has(&["set", "export", "unset", "create"]) {
        return None;
    }
    let n = name(s, f.at[0])?;
    s.each(&["value|of"]);
    reading(format!("printenv {n}"), format!("Prints {n}."))
}

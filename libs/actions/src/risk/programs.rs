//! What the programs themselves do: tables for the plain ones, rules for those whose options matter.

use super::{Arg, Risk, RiskContext, is_vital, write_target};
use Risk::{Confirm, Dangerous, Safe};

/// Programs and builtins that only look, whatever their arguments.
const READ_ONLY: &[&str] = &[
    ":", "[", "apropos", "arch", "b2sum", "base32", "base64", "basename", "blkid", "cal", "cat", "cd", "cksum", "clear", "cmp",
    "column", "comm", "compgen", "cut", "df", "diff", "diff3", "dir", "dircolors", "dirname", "dirs", "du", "echo", "egrep",
    "expand", "expr", "factor", "false", "fgrep", "file", "findmnt", "fmt", "fold", "free", "getconf", "getent", "getopts",
    "grep", "groups", "head", "help", "hexdump", "host", "id", "info", "jobs", "join", "last", "lastlog", "less",
    "let", "locale", "locate", "logname", "look", "ls", "lsattr", "lsblk", "lscpu", "lsfd", "lsipc", "lslocks", "lslogins", "lsmem",
    "lsmod", "lsns", "lsof", "lspci", "lsusb", "man", "md5sum", "more", "namei", "nl", "nproc", "nslookup", "dig", "numfmt", "od",
    "paste", "pathchk", "pgrep", "pidof", "ping", "pldd", "pmap", "popd", "pr", "printenv", "printf", "ps", "pstree", "ptx", "pushd",
    "pwd", "pwdx", "readlink", "realpath", "return", "rev", "seq", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum",
    "shuf", "slabtop", "sleep", "ss", "stat", "strings", "sum", "sync", "tac", "tail", "test", "tload", "top", "tput", "tr", "traceroute",
    "tree", "true", "tsort", "tty", "type", "uname", "unexpand", "uptime", "users", "vdir", "vmstat", "w", "wait", "wc", "whatis",
    "whereis", "which", "who", "whoami", "yes", "zcat", "zcmp", "zdiff", "zgrep", "zless", "zmore", "break", "continue", "shift",
    "times", "local", "declare", "typeset", "readonly", "export", "unset", "set", "shopt", "umask", "ulimit", "hash", "bind",
    "complete", "mountpoint", "ldd", "nm", "objdump", "readelf", "size", "bc", "dc", "fg", "bg", "disown",
    "suspend", "mapfile", "readarray", "read", "dpkg-query", "apt-cache", "xxd", "neofetch", "htop", "reset", "stty", "setterm",
    "netstat", "arp", "findfs", "bzcat", "xzcat", "zstdcat", "jq", "mesg", "consciousness",
];

/// Programs that destroy, or bring the system down, whatever their arguments.
const DESTRUCTIVE: &[&str] = &[
    "badblocks", "blkdiscard", "cfdisk", "cryptsetup", "dd", "debugfs", "e2fsck", "fsck", "gdisk", "grub-install", "halt", "init", "kexec",
    "killall5", "losetup", "lvremove", "mkdosfs", "mke2fs", "mkswap", "parted", "pivot_root", "poweroff", "pvremove", "reboot", "resize2fs",
    "rmmod", "sfdisk", "sgdisk", "shred", "shutdown", "swapoff", "switch_root", "telinit", "truncate", "tune2fs", "userdel", "deluser",
    "groupdel", "delgroup", "vgremove", "visudo", "vipw", "vigr", "wipefs", "hdparm", "insmod", "modprobe", "setcap", "nc", "ncat", "netcat", "socat",
];

/// The risk of running `name` with `args`. Unknown programs are [`Risk::Confirm`].
pub(super) fn risk(name: &str, args: &[Arg], ctx: &RiskContext) -> Risk {
    if READ_ONLY.contains(&name) {
        return read_only_exceptions(name, args, ctx);
    }
    // Only asking for help changes nothing, except where `--help` could be an operand's place.
    if args.len() == 1 && matches!(args[0].literal(), Some("--help" | "--version")) {
        return Safe;
    }
    if DESTRUCTIVE.contains(&name) || name.starts_with("mkfs") || name.starts_with("fsck.") {
        return Dangerous;
    }
    let unsure = args.iter().any(|a| a.literal().is_none() && a.open_start);
    match name {
        "rm" | "unlink" => rm(args, ctx),
        "rmdir" | "mkdir" | "touch" | "mkfifo" => Confirm,
        "cp" | "install" => overwrite(args, ctx, &["-n", "--no-clobber", "-i", "--interactive"]),
        "mv" => {
            let vital = operands(args).iter().any(|a| a.literal().is_some_and(|p| is_vital(p, ctx)) && !is_last(args, a));
            if vital { Dangerous } else { overwrite(args, ctx, &["-n", "--no-clobber", "-i", "--interactive"]) }
        }
        "ln" => if has(args, 'f', "--force") || unsure { overwrite(args, ctx, &[]) } else { Confirm },
        "chmod" | "chown" | "chgrp" | "chattr" => {
            let wide = operands(args).iter().skip(1).any(|a| a.literal().is_some_and(|p| is_vital(p, ctx) && !ctx.resolve(p).is_some_and(|p| p.is_file())));
            if has(args, 'R', "--recursive") || unsure || wide { Dangerous } else { Confirm }
        }
        "tee" => {
            let append = has(args, 'a', "--append");
            operands(args).iter().map(|a| write_target(a, append, ctx)).max().unwrap_or(Safe)
        }
        "sort" => output_option(args, ctx, &["-o", "--output"], &["--compress-program"]),
        "uniq" | "split" | "csplit" => {
            if name == "uniq" && operands(args).len() < 2 && !unsure {
                Safe
            } else if name == "uniq" {
                operands(args).get(1).map_or(Dangerous, |a| write_target(a, false, ctx))
            } else {
                Confirm
            }
        }
        "date" => if has(args, 's', "--set") || unsure { Dangerous } else { Safe },
        "hostname" => if operands(args).is_empty() && !has(args, 'F', "--file") { Safe } else { Confirm },
        "mount" => if operands(args).is_empty() && !has(args, 'a', "--all") { Safe } else { Confirm },
        "swapon" => if args.is_empty() || has(args, 's', "--show") { Safe } else { Confirm },
        "fdisk" => if has(args, 'l', "--list") && operands(args).is_empty() { Safe } else { Dangerous },
        "dmesg" => if has(args, 'c', "--read-clear") || has(args, 'C', "--clear") || unsure { Dangerous } else { Safe },
        "journalctl" => if args.iter().any(|a| a.text.starts_with("--vacuum") || a.text == "--rotate") || unsure { Dangerous } else { Safe },
        "sysctl" => if has(args, 'w', "--write") || has(args, 'p', "--load") || args.iter().any(|a| a.text.contains('=')) { Dangerous } else { Safe },
        "history" => if has(args, 'c', "") || has(args, 'd', "") || has(args, 'w', "") { Confirm } else { Safe },
        "sed" => sed(args),
        "awk" | "gawk" | "mawk" | "nawk" => awk(args),
        "kill" => kill(args),
        "pkill" | "killall" | "skill" => {
            let everything = operands(args).is_empty() || operands(args).iter().any(|a| matches!(a.literal(), Some("." | ".*" | "" | "init")) || a.literal().is_none());
            if everything { Dangerous } else { Confirm }
        }
        "tar" => tar(args, ctx),
        "gzip" | "gunzip" | "xz" | "unxz" | "bzip2" | "bunzip2" | "zstd" | "unzstd" => {
            if has(args, 'l', "--list") || has(args, 't', "--test") || (has(args, 'c', "--stdout") && !unsure) {
                Safe
            } else if has(args, 'f', "--force") || has(args, 'r', "--recursive") || unsure {
                Dangerous
            } else {
                Confirm
            }
        }
        "unzip" => if has(args, 'l', "") || has(args, 't', "") { Safe } else if has(args, 'o', "") { Dangerous } else { Confirm },
        "git" => git(args),
        "apt" | "apt-get" | "gpm" | "aptitude" | "dnf" | "snap" | "flatpak" | "pip" | "pip3" | "cargo" | "npm" => packages(args),
        "dpkg" => dpkg(args),
        "systemctl" | "service" | "gci" => services(args),
        "genai" => model(args),
        "ip" => if args.iter().any(|a| matches!(a.text.as_str(), "add" | "del" | "delete" | "set" | "flush" | "replace" | "change" | "exec")) || unsure { Dangerous } else { Safe },
        "ifconfig" | "route" => if operands(args).len() < 2 { Safe } else { Dangerous },
        "crontab" => if has(args, 'l', "") { Safe } else if has(args, 'r', "") { Dangerous } else { Confirm },
        "curl" => {
            let writes = ["-T", "--upload-file", "-K", "--config"].iter().any(|o| args.iter().any(|a| a.text.starts_with(o)));
            if writes || unsure { Dangerous } else { output_option(args, ctx, &["-o", "--output"], &[]).max(Confirm) }
        }
        "rsync" => if args.iter().any(|a| a.text.starts_with("--del") || a.text == "--remove-source-files") || unsure { Dangerous } else { Confirm },
        "ssh" => if operands(args).len() > 1 { Dangerous } else { Confirm },
        "iptables" | "nft" | "ufw" => Dangerous,
        "source" | "." => if args.first().is_some_and(|a| a.literal().is_some() && !super::wrappers::written_by_a_command(a)) { Confirm } else { Dangerous },
        // Editors that take commands from options; `!` and `:w` in them do anything.
        "vi" | "vim" | "vimdiff" | "nvim" | "view" | "ex" | "rvim" | "emacs" => {
            let commands = |t: &str| t.starts_with('+') || ["-c", "-S", "-s", "-e", "-E", "-u", "-l", "--cmd", "--eval", "--execute", "--load", "--script", "-f", "--funcall", "--batch", "-batch"].iter().any(|o| t.starts_with(o));
            if args.iter().any(|a| a.literal().is_none_or(commands)) { Dangerous } else { Confirm }
        }
        "ed" | "sqlite3" | "gdb" | "expect" => Dangerous,
        "enable" => if has(args, 'f', "") { Dangerous } else { Confirm },
        "fc" => if has(args, 'l', "") { Safe } else { Confirm },
        "exit" | "logout" => Safe,
        _ => Confirm,
    }
}

/// The few ways in which programs of the read-only table do change something.
fn read_only_exceptions(name: &str, args: &[Arg], ctx: &RiskContext) -> Risk {
    match name {
        "export" | "declare" | "typeset" | "readonly" | "local" => args
            .iter()
            .filter_map(|a| a.text.split('=').next())
            .map(super::assignment)
            .max()
            .unwrap_or(Safe),
        "read" | "mapfile" | "readarray" | "printf" | "unset" | "let" => {
            args.iter().map(|a| super::assignment(&a.text)).max().unwrap_or(Safe)
        }
        "xxd" if args.iter().any(|a| a.text.starts_with("-r")) || operands(args).len() > 1 => Confirm,
        "yes" if args.is_empty() => Safe,
        // `less` and `man` take a command from options; `-o` logs into a file.
        // `+!command`.
        "less" | "more" if args.iter().any(|a| a.text.starts_with('+')) => Dangerous,
        "less" | "more" => output_option(args, ctx, &["-o", "-O", "--log-file"], &[]),
        "man" if args.iter().any(|a| a.text.starts_with("-P") || a.text.starts_with("--pager") || a.text.starts_with("-H")) => Dangerous,
        "hash" if has(args, 'p', "") => Confirm,
        "bind" if has(args, 'x', "") => Confirm,
        "complete" if has(args, 'C', "") || has(args, 'F', "") => Confirm,
        "set" | "shopt" | "umask" | "ulimit" | "stty" | "disown" if !args.is_empty() => Safe,
        "tree" => output_option(args, ctx, &["-o"], &[]),
        _ => Safe,
    }
}

/// Whether a short option letter (also in a cluster) or its long form (also abbreviated) is among the options.
fn has(args: &[Arg], short: char, long: &str) -> bool {
    for a in args {
        let t = a.text.as_str();
        if t == "--" {
            break;
        }
        if let Some(name) = t.strip_prefix("--") {
            let name = name.split('=').next().unwrap_or(name);
            if !long.is_empty() && !name.is_empty() && long[2..].starts_with(name) {
                return true;
            }
        } else if let Some(cluster) = t.strip_prefix('-')
            && cluster.contains(short)
        {
            return true;
        }
    }
    false
}

fn operands(args: &[Arg]) -> Vec<&Arg> {
    let mut end = false;
    let mut out = Vec::new();
    for a in args {
        if !end && a.text == "--" {
            end = true;
        } else if end || !a.text.starts_with('-') || a.text == "-" {
            out.push(a);
        }
    }
    out
}

fn is_last(args: &[Arg], a: &Arg) -> bool {
    args.last().is_some_and(|l| std::ptr::eq(l, a))
}

fn rm(args: &[Arg], ctx: &RiskContext) -> Risk {
    let operands = operands(args);
    let certain = operands.iter().all(|a| a.literal().is_some_and(|p| !is_vital_file(p, ctx)));
    if has(args, 'r', "--recursive") || has(args, 'R', "") || !certain || args.iter().any(|a| a.text == "--no-preserve-root") {
        Dangerous
    } else {
        Confirm
    }
}

/// Files below the system's directories: losing one may stop the machine from starting.
fn is_vital_file(path: &str, ctx: &RiskContext) -> bool {
    ["/etc/", "/usr/", "/bin/", "/sbin/", "/lib", "/boot/", "/dev/", "/proc/", "/sys/", "/scheme/"].iter().any(|d| super::normalise(path).starts_with(d))
        || (ctx.is_dir(path) && is_vital(path, ctx))
}

/// Copies and moves: dangerous where they may replace an existing file.
fn overwrite(args: &[Arg], ctx: &RiskContext, keep: &[&str]) -> Risk {
    if args.iter().any(|a| a.literal().is_none() && a.open_start && !a.glob) {
        return Dangerous;
    }
    let keeps = args.iter().any(|a| keep.iter().any(|k| a.text == *k || (!k.starts_with("--") && has(std::slice::from_ref(a), k.chars().nth(1).unwrap_or('n'), ""))));
    let target_dir = args.iter().position(|a| a.text == "-t" || a.text.starts_with("--target-directory"));
    let ops = operands(args);
    let (sources, dest) = match (target_dir, ops.split_last()) {
        (Some(i), _) if args[i].text == "-t" => {
            let dest = args.get(i + 1);
            (ops.iter().filter(|a| dest.is_none_or(|d| !std::ptr::eq(**a, d))).copied().collect::<Vec<_>>(), dest)
        }
        (Some(_), _) => return Dangerous,
        (None, Some((last, rest))) => (rest.to_vec(), Some(*last)),
        (None, None) => return Confirm,
    };
    let Some(dest) = dest.and_then(Arg::literal) else { return Dangerous };
    let device = super::normalise(dest);
    if ["/dev/", "/proc/", "/sys/", "/boot/"].iter().any(|d| device.starts_with(d)) {
        return Dangerous;
    }
    if keeps {
        return Confirm;
    }
    if ctx.is_dir(dest) {
        for s in sources {
            match s.literal() {
                Some(p) => {
                    let name = p.trim_end_matches('/').rsplit('/').next().unwrap_or(p);
                    if ctx.may_exist(&format!("{}/{name}", dest.trim_end_matches('/'))) {
                        return Dangerous;
                    }
                }
                // Unknown names: they may well be there already.
                None if s.dynamic || ctx.cwd.is_none() => return Dangerous,
                None => return Confirm,
            }
        }
        return Confirm;
    }
    if ctx.may_exist(dest) { Dangerous } else { Confirm }
}

/// Safe but for an option that names an output file, or one that runs a program.
fn output_option(args: &[Arg], ctx: &RiskContext, outputs: &[&str], programs: &[&str]) -> Risk {
    let mut risk = Safe;
    for (i, a) in args.iter().enumerate() {
        let t = a.text.as_str();
        if t == "--" {
            break;
        }
        if a.literal().is_none() && a.open_start && !a.glob {
            risk = risk.max(Confirm);
        }
        if programs.iter().any(|p| t.starts_with(p)) {
            return Dangerous;
        }
        for o in outputs {
            let target = if t == *o {
                args.get(i + 1).cloned()
            } else if let Some(v) = t.strip_prefix(o).filter(|v| o.starts_with("--") && v.starts_with('=') || !o.starts_with("--") && !v.is_empty()) {
                Some(Arg { text: v.trim_start_matches('=').to_owned(), ..a.clone() })
            } else if !o.starts_with("--") && t.starts_with('-') && !t.starts_with("--") && t.ends_with(&o[1..]) && t.len() > 2 {
                args.get(i + 1).cloned()
            } else {
                continue;
            };
            risk = risk.max(target.map_or(Dangerous, |t| write_target(&t, false, ctx)));
        }
    }
    risk
}

/// Read-only sed scripts are the simple ones; anything not recognised counts as a change.
fn sed(args: &[Arg]) -> Risk {
    let mut risk = Safe;
    if has(args, 'i', "--in-place") {
        risk = Confirm;
    }
    let mut scripts = Vec::new();
    let mut seen_e = false;
    for (i, a) in args.iter().enumerate() {
        match a.text.as_str() {
            "-e" | "--expression" => {
                seen_e = true;
                scripts.extend(args.get(i + 1));
            }
            "-f" | "--file" => return Confirm,
            _ => {}
        }
    }
    if !seen_e {
        scripts.extend(operands(args).first().copied());
    }
    for s in scripts {
        match s.literal() {
            Some(t) if sed_script_is_plain(t) => {}
            _ => return Dangerous,
        }
    }
    risk
}

/// Whether a sed script holds none of the commands that write files or run programs (`w`, `W`, `e`, and those flags of `s`).
fn sed_script_is_plain(script: &str) -> bool {
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Addresses, separators, and commands without arguments.
            c if c.is_whitespace() || c.is_ascii_digit() || ";{},$!~+pPdDnNgGhHxq=".contains(c) => {}
            '/' => {
                if !skip_to(&mut chars, '/') {
                    return false;
                }
                while matches!(chars.peek(), Some('I' | 'M')) {
                    chars.next();
                }
            }
            's' | 'y' => {
                let Some(d) = chars.next() else { return false };
                if !skip_to(&mut chars, d) || !skip_to(&mut chars, d) {
                    return false;
                }
                while let Some(f) = chars.peek() {
                    match f {
                        'g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9' => chars.next(),
                        'w' | 'e' => return false,
                        _ => break,
                    };
                }
            }
            // Text to the end of the line.
            'a' | 'i' | 'c' | '#' => {
                for c in chars.by_ref() {
                    if c == '\n' {
                        break;
                    }
                }
            }
            _ => return false,
        }
    }
    true
}

fn skip_to(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, end: char) -> bool {
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            // In a bracket expression GNU sed still ends at the delimiter in `s`; taking the earlier end is the safe reading.
            c if c == end => {
                let _ = class;
                return true;
            }
            _ => {}
        }
    }
    false
}

fn awk(args: &[Arg]) -> Risk {
    let mut i = 0;
    while i < args.len() {
        let Some(t) = args[i].literal() else { return Dangerous };
        match t {
            "-F" | "-v" | "--field-separator" | "--assign" => i += 2,
            "--" => i += 1,
            t if t.starts_with("-F") || t.starts_with("-v") => i += 1,
            t if t.starts_with('-') => return Dangerous,
            program => {
                if program.contains("system") || program.contains("getline") || program.contains('@') || has_pipe(program) {
                    return Dangerous;
                }
                return if prints_to_file(program) { Dangerous } else { Safe };
            }
        }
    }
    Safe
}

/// A `|` that is not part of `||`, outside of strings and regular expressions; seen roughly, in favour of alarm.
fn has_pipe(program: &str) -> bool {
    program.replace("||", "").contains('|')
}

fn prints_to_file(program: &str) -> bool {
    program.match_indices("print").any(|(i, _)| {
        let rest = &program[i..];
        let end = rest.find([';', '}', '\n']).unwrap_or(rest.len());
        rest[..end].contains('>')
    })
}

fn kill(args: &[Arg]) -> Risk {
    if matches!(args.first().and_then(Arg::literal), Some("-l" | "-L" | "-0")) {
        return Safe;
    }
    let mut pids = args;
    match pids.first().and_then(Arg::literal) {
        Some("-s" | "-n" | "--signal") => pids = pids.get(2..).unwrap_or(&[]),
        Some(t) if t.starts_with('-') && t.len() > 1 && pids.len() > 1 => pids = &pids[1..],
        _ => {}
    }
    let all_certain = pids.iter().all(|p| match p.literal() {
        Some("--") => true,
        Some(t) => t.trim_start_matches('%').parse::<i64>().is_ok_and(|n| n > 1) || t.starts_with('%'),
        None => false,
    });
    if all_certain { Confirm } else { Dangerous }
}

fn tar(args: &[Arg], ctx: &RiskContext) -> Risk {
    let Some(first) = args.first().and_then(Arg::literal) else { return if args.is_empty() { Safe } else { Dangerous } };
    if args.iter().any(|a| {
        ["--to-command", "--checkpoint-action", "--use-compress", "--overwrite", "--remove-files", "--rsh-command", "--unlink", "--recursive-unlink", "--delete", "-I", "-P", "--absolute-names"]
            .iter()
            .any(|o| a.text.starts_with(o))
    }) || args.iter().any(|a| a.literal().is_none() && a.open_start && !a.glob)
    {
        return Dangerous;
    }
    let letters: String = args
        .iter()
        .take_while(|a| a.text != "--")
        .enumerate()
        .filter(|(i, a)| *i == 0 || (a.text.starts_with('-') && !a.text.starts_with("--")))
        .map(|(_, a)| a.text.trim_start_matches('-').to_owned())
        .collect();
    let long = |n: &str| args.iter().any(|a| a.text == n);
    if first == "--version" || first == "--help" {
        Safe
    } else if letters.contains('c') || long("--create") {
        let file = args.iter().position(|a| a.text == "-f" || (a.text.contains('f') && (a.text.starts_with('-') && !a.text.starts_with("--") || std::ptr::eq(a, &args[0]))));
        match file.and_then(|i| args.get(i + 1)) {
            Some(a) => write_target(a, false, ctx),
            None => Confirm,
        }
    } else if letters.contains('t') && !letters.contains('x') || long("--list") {
        Safe
    } else {
        Confirm
    }
}

fn git(args: &[Arg]) -> Risk {
    let Some(sub) = args.iter().find(|a| !a.text.starts_with('-')) else { return Safe };
    let ops = operands(args).len();
    match sub.literal() {
        _ if args.iter().any(|a| a.text == "-c" || a.text.starts_with("--exec-path=")) => Dangerous,
        Some("status" | "log" | "diff" | "show" | "blame" | "grep" | "ls-files" | "ls-tree" | "rev-parse" | "describe" | "shortlog" | "help" | "version") => {
            if args.iter().any(|a| a.text.starts_with("--output") || a.text.starts_with("--ext-diff") || a.text.starts_with("-O")) { Confirm } else { Safe }
        }
        Some("branch" | "tag" | "remote" | "stash") if ops == 1 && args.len() == 1 && sub.text != "stash" => Safe,
        Some("branch" | "remote") if ops == 1 && args.iter().skip(1).all(|a| matches!(a.text.as_str(), "-v" | "-vv" | "-a" | "-r" | "--all" | "--verbose")) => Safe,
        Some("clean" | "filter-branch" | "gc" | "prune" | "reflog" | "update-ref") => Dangerous,
        Some("reset" | "checkout" | "restore" | "switch") if args.iter().any(|a| matches!(a.text.as_str(), "--hard" | "-f" | "--force" | "." | "--")) || sub.text == "restore" => Dangerous,
        Some("push") if args.iter().any(|a| a.text.starts_with("--force") || a.text == "-f" || a.text == "--delete" || a.text == "--mirror" || a.text.starts_with('+')) => Dangerous,
        Some("branch" | "tag" | "stash") if args.iter().any(|a| matches!(a.text.as_str(), "-D" | "-d" | "--delete" | "drop" | "clear")) => Dangerous,
        Some(_) => Confirm,
        None => Dangerous,
    }
}

fn packages(args: &[Arg]) -> Risk {
    if args.iter().any(|a| matches!(a.text.as_str(), "-s" | "--simulate" | "--dry-run")) {
        return Safe;
    }
    match args.iter().find(|a| !a.text.starts_with('-')).map(Arg::literal) {
        Some(Some("list" | "show" | "search" | "policy" | "depends" | "rdepends" | "info" | "why" | "history" | "freeze" | "check" | "tree" | "verify" | "files" | "owns" | "help")) => Safe,
        Some(Some("purge" | "autoremove" | "dist-upgrade" | "full-upgrade")) => Dangerous,
        Some(Some(_)) if args.iter().any(|a| matches!(a.text.as_str(), "--purge" | "--allow-remove-essential" | "--force-yes")) => Dangerous,
        Some(Some(_)) => Confirm,
        Some(None) => Dangerous,
        None => Safe,
    }
}

/// Questions to the language model: what is written out stays here unless the user asks for another machine's answer.
fn model(args: &[Arg]) -> Risk {
    let elsewhere = |a: &Arg| a.text.starts_with("--ro") && a.text != "--route=local";
    match args.first().map(Arg::literal) {
        Some(Some("ask" | "embed")) if args.iter().all(|a| a.literal().is_some() && !elsewhere(a)) => Safe,
        Some(Some("status")) => Safe,
        _ => Confirm,
    }
}

fn dpkg(args: &[Arg]) -> Risk {
    let long = |n: &str| args.iter().any(|a| a.text == n);
    if long("--purge") || has(args, 'P', "") || args.iter().any(|a| a.text.starts_with("--force") || a.text.starts_with("--root")) {
        Dangerous
    } else if has(args, 'i', "--install") || has(args, 'r', "--remove") || long("--configure") || long("--unpack") || long("--set-selections") || long("--clear-selections") {
        Confirm
    } else if has(args, 'l', "--list") || has(args, 'L', "--listfiles") || has(args, 's', "--status") || has(args, 'S', "--search") || has(args, 'c', "--contents") || has(args, 'I', "--info") || has(args, 'V', "--verify") || long("--get-selections") || long("--print-architecture") {
        Safe
    } else {
        Confirm
    }
}

fn services(args: &[Arg]) -> Risk {
    let words: Vec<&str> = operands(args).iter().map(|a| a.text.as_str()).collect();
    if args.iter().any(|a| a.literal().is_none()) {
        return Dangerous;
    }
    if words.iter().any(|w| matches!(*w, "poweroff" | "reboot" | "halt" | "kexec" | "emergency" | "rescue" | "isolate" | "mask")) {
        Dangerous
    } else if words.is_empty() || words.iter().any(|w| matches!(*w, "status" | "logs" | "blame" | "plot" | "show" | "cat" | "get-default") || w.starts_with("list-") || w.starts_with("is-")) {
        Safe
    } else {
        Confirm
    }
}

//! The risk classes of known command lines, and properties that hold for any.

use actions::risk::{Risk, RiskContext, classify};

fn context() -> (RiskContext, std::path::PathBuf) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static N: AtomicU32 = AtomicU32::new(0);
    let dir = std::env::temp_dir().join(format!("risk-{}-{}", std::process::id(), N.fetch_add(1, Ordering::Relaxed)));
    std::fs::create_dir_all(dir.join("sub")).unwrap();
    std::fs::write(dir.join("here.txt"), "x").unwrap();
    std::fs::write(dir.join("sub/here.txt"), "x").unwrap();
    (RiskContext { cwd: Some(dir.clone()), home: Some("/home/nobody".into()), redefined: vec!["lls".into()] }, dir)
}

const SAFE: &[&str] = &[
    "ls -la", "find . -name '*.txt' -size +10M", "ps aux --sort=-%cpu | head -n 5", "du -sh /var | sort -rh", "grep -rn 'a b' .",
    "sed -n '1,5p' x", "sed 's/a/b/g' x", "awk '{print $2}' x", "awk -F, '{s+=$3} END {print s}' x", "cat < here.txt", "ls 2>/dev/null",
    "ls >&2", "sort x | uniq -c | sort -rn", "find . -type f -exec wc -l {} +", "find . -print0 | xargs -0 grep -l foo", "tar -tzf x.tar.gz",
    "cd /tmp && pwd", "for f in *.txt; do echo \"$f\"; done", "echo $((1+2))", "diff <(sort a) <(sort b)", "date -d tomorrow", "kill -l",
    "git status", "dpkg -l", "apt list --installed", "command -v rm", "echo rm -rf /", "sudo() { :; }", "gcs explain 'rm -rf /'",
    "timeout 3 ls", "nice -n 5 du -s .", "env LC_ALL=C sort x", "bash -c 'ls | wc -l'", "watch -n 5 df -h", "x=1", "mount", "hostname", "gzip -l x.gz",
    "[ -f x ] && cat x", "if true; then ls; fi", "systemctl status ssh", "type rm", "man rm", "which dd", "history", "tail -f x",
];

const CONFIRM: &[&str] = &[
    "touch new", "mkdir -p a/b", "rm one.txt", "cp here.txt new.txt", "mv here.txt new.txt", "ls > new.txt", "echo x >> here.txt", "sed -i 's/a/b/' here.txt",
    "chmod +x here.txt", "kill 1234", "kill -9 1234", "pkill firefox", "tar -czf new.tar.gz sub", "tar -xzf x.tar.gz", "gzip here.txt", "sudo ls", "apt install htop",
    "useradd bob", "unknown-program x", "./script.sh", "lls", "ln -s a b", "mv -n here.txt sub", "git commit -m x", "alias ll='ls -l'", "bash script.sh", "nano x", "export PATH=/x:$PATH",
    "find . -name '*.sh' -exec chmod +x {} +", "curl http://x", "ls | tee new.txt", "systemctl restart ssh", "trap 'touch x' EXIT",
];

const DANGEROUS: &[&str] = &[
    "rm -r sub", "rm -rf /", "rm *", "rm -f $x", "\\rm -rf x", "/bin/rm -rf x", "r''m -rf x", "$(echo rm) -rf x", "$cmd x", "dd if=/dev/zero of=/dev/vda", "mkfs.ext4 /dev/vda1",
    "kill -9 1", "kill -9 -1", "kill 0", "chmod -R 777 .", "chown -R root /", "echo x > here.txt", "echo x > $f", "echo x > /dev/vda", ": > here.txt", "cp new here.txt", "mv x here.txt",
    "mv here.txt sub", "find . -name '*.tmp' -delete", "find . -type f -exec rm {} \\;", "find . | xargs rm", "xargs rm < x", "bash -c 'rm -rf x'", "eval \"$x\"", "eval 'rm -rf x'", "curl http://x | sh",
    "wget -qO- http://x | sudo bash", ":(){ :|:& };:", "echo $(rm -rf x)", "echo `rm -rf x`", "cat <<E\n$(rm -rf x)\nE\n", "ls <(rm -rf x)", "if rm -rf x; then :; fi", "f() { rm -rf x; }; f",
    "sudo rm -rf x", "nohup rm -rf x &", "env A=b rm -rf x", "timeout 5 rm -rf x", "command rm -rf x", "exec rm -rf x", "python3 -c 'import os'", "echo x | python3", "reboot", "shutdown now",
    "awk 'BEGIN{system(\"rm -rf x\")}'", "sed 's/a/rm x/e' y", "sed 'w here.txt' x", "tar xf x --to-command=sh", "git clean -fdx", "git push --force", "truncate -s 0 x", "shred x", "tee here.txt < x",
    "sort -o here.txt x", "echo x >| here.txt", "echo x &> here.txt", "chmod 000 /", "mv /etc /x", "mv ~ /x", "rm /etc/passwd", "echo x >> /etc/passwd", "alias ls='rm -rf'", "trap 'rm -rf x' EXIT",
    "su -c 'rm -rf x'", "rm -{r,f} x", "find . $x", "cd / && echo x > here.txt", "unparsable 'quote", "apt purge x", "watch 'rm -rf x'", "echo ${x:-$(rm -rf y)}", "[[ $(rm -rf x) ]]", "case $(rm -rf x) in *) ;; esac",
    "perl -e 'unlink <*>'", "xargs -I{} sh -c '{}'", "coproc rm -rf x", "time rm -rf x", "! rm -rf x", "ls; rm -rf x", "(rm -rf x)", "rm --recursive x", "rm --rec x", "rm -fr x", "ln -sf a here.txt", "$'\\x72m' -rf x",
];

fn check(lines: &[&str], expected: Risk) {
    let (ctx, dir) = context();
    let wrong: Vec<_> = lines.iter().map(|l| (l, classify(l, &ctx))).filter(|(_, r)| *r != expected).collect();
    std::fs::remove_dir_all(dir).unwrap();
    assert!(wrong.is_empty(), "expected {expected}: {wrong:#?}");
}

#[test]
fn harmless_lines_are_safe() {
    check(SAFE, Risk::Safe);
}

#[test]
fn changes_need_a_look() {
    check(CONFIRM, Risk::Confirm);
}

#[test]
fn destruction_is_seen_through_disguises() {
    check(DANGEROUS, Risk::Dangerous);
}

/// A small generator, seeded: the same lines every time.
struct Lcg(u64);
impl Lcg {
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        from[(self.0 >> 33) as usize % from.len()]
    }
}

/// Whatever is put around or after a line, its risk does not fall.
#[test]
fn adding_to_a_line_never_lowers_its_risk() {
    let (ctx, dir) = context();
    let all: Vec<&str> = SAFE.iter().chain(CONFIRM).chain(DANGEROUS).copied().filter(|l| !l.contains("<<") && !l.contains("unparsable")).collect();
    let mut rng = Lcg(7);
    for _ in 0..4000 {
        let a = rng.pick(&all);
        let b = rng.pick(&all);
        let form = rng.pick(&["{a} | {b}", "{a}; {b}", "{a} && {b}", "{b} || {a}", "( {a} )", "{ {a}; }", "echo $( {a} )", "if {a}; then {b}; fi", "while {a}; do {b}; done", "cat <( {a} )", "f() { {a}; }", "{b} & {a}", "! {a}", "for i in 1; do {a}; done"]);
        let line = form.replace("{a}", a).replace("{b}", b);
        let part = classify(a, &ctx).max(if form.contains("{b}") { classify(b, &ctx) } else { Risk::Safe });
        // A background line ends in `&`: `x &;` is no command line at all, and counts as dangerous.
        assert!(classify(&line, &ctx) >= part, "{line}: {} < {part}", classify(&line, &ctx));
    }
    std::fs::remove_dir_all(dir).unwrap();
}

/// Wrappers keep the risk of what they run.
#[test]
fn wrappers_do_not_hide() {
    let (ctx, dir) = context();
    for l in DANGEROUS.iter().filter(|l| !l.contains(['\'', '\n'])) {
        for w in ["sudo {}", "bash -c '{}'", "eval '{}'", "sh -c '{}' &", "su root -c '{}'", "nohup bash -c '{}'", "watch '{}'", "find . -exec bash -c '{}' \\;"] {
            let line = w.replace("{}", l);
            // Only a simple command can follow `sudo`.
            let simple = !l.starts_with(['!', '(', ':', '[', '{']) && !["if ", "case ", "f()", "time", "coproc", "eval", "trap"].iter().any(|k| l.starts_with(k));
            if w == "sudo {}" && !simple {
                continue;
            }
            assert_eq!(classify(&line, &ctx), Risk::Dangerous, "{line}");
        }
    }
    std::fs::remove_dir_all(dir).unwrap();
}

/// Bytes of any kind give an answer, not a panic.
#[test]
fn no_input_panics() {
    let (ctx, dir) = context();
    let pieces = ["rm", " ", "-rf", "$", "(", ")", "{", "}", "'", "\"", "`", "|", "&", ";", "<", ">", "\\", "\n", "é", "*", "=", "#", "[[", "]]", "for", "do", "a", "\u{0}", "~", "!", "$((", "<<E"];
    let mut rng = Lcg(3);
    for _ in 0..20000 {
        let n = rng.0 as usize % 9 + 1;
        let line: String = (0..n).map(|_| rng.pick(&pieces)).collect();
        let _ = classify(&line, &ctx);
    }
    std::fs::remove_dir_all(dir).unwrap();
}

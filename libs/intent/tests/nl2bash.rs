//! The exam on nl2bash's pairs that were kept apart: a request, and the command that somebody found right for it.
//!
//! Nothing runs, so that the commands are compared by their templates, as the paper on the data does: the programs with their options, every argument a blank.
//! Options have no order and letters of one dash are taken apart; programs that another one starts (`find -exec`, `xargs`, `sudo`, substitutions) are programs. A plan
//! may be right without having the template; what does with `-delete` what others do with `xargs rm` counts as wrong here.
//!
//! `NL2BASH=FILE` asks the pairs of that file (request, tab, command), else those of the tree; where there are none, nothing is asked. `NL2BASH_STAGES=1` switches off each
//! stage in turn, `NL2BASH_WITHOUT=STAGE,STAGE` those stages, `NL2BASH_SHOW=1` prints all answers, to work on (with the training part only).

use std::collections::{BTreeMap, BTreeSet};

use actions::risk::RiskContext;
use actions::shell;
use intent::world::FixedWorld;
use intent::{Context, Stages};

/// Below what is reached with everything on, and above what a worse system would.
const FLOOR_FIRST: f64 = 0.05;
const FLOOR_UTILITIES: f64 = 0.30;
/// The same for retrieval alone.
const FLOOR_RECALL: f64 = 0.10;

const STAGES: [&str; 6] = ["free", "compose", "intents", "guard", "recall", "choose"];

/// Everything exists as a program, no file does.
fn world() -> FixedWorld {
    let commands = "find grep egrep fgrep sed awk gawk xargs ls cat cp mv rm mkdir rmdir touch ln chmod chown chgrp sort uniq wc head tail cut tr tee paste join comm diff cmp tar gzip gunzip zcat bzip2 bunzip2 xz zip unzip df du ps pgrep pkill \
        killall kill top free mount umount ping ip ifconfig ssh scp rsync date echo printf cd pwd which file stat basename dirname readlink realpath split seq shuf rev tac nl fold column md5sum sha1sum sha256sum history alias set shopt read \
        screen su sudo who w id groups last dig host nslookup curl wget crontab watch sleep yes hostname uname uptime tree less more od xxd hexdump mktemp env export source pushd popd jobs bg fg disown nohup time type command bind unset test \
        true false nproc lscpu lsblk findmnt ss netstat route getent printenv cal numfmt factor python3 perl base64 dmesg lsmod ulimit umask expand unexpand truncate dd sync whoami finger pstree rename";
    FixedWorld { commands: commands.split_whitespace().map(str::to_owned).collect(), ..FixedWorld::default() }
}

/// Programs whose long options have one dash.
const ONE_DASH: [&str; 4] = ["find", "ip", "java", "openssl"];
/// What starts the program that its arguments name.
const STARTERS: [&str; 11] = ["xargs", "sudo", "nohup", "time", "nice", "env", "command", "exec", "watch", "timeout", "ionice"];

/// A command without its arguments.
#[derive(Default, PartialEq, Eq, Debug)]
struct Template {
    /// Each program with its options, in the order in which they run.
    programs: Vec<(String, BTreeSet<String>)>,
    /// `|`, `>`, `>>` and the like between them.
    joints: BTreeMap<String, usize>,
}

impl Template {
    fn of(command: &str) -> Option<Template> {
        let script = shell::parse(command).ok()?;
        let mut t = Template::default();
        for i in &script.invocations {
            for r in &i.redirects {
                *t.joints.entry(format!("{:?}", r.kind)).or_default() += 1;
            }
            if i.piped_in {
                *t.joints.entry("|".into()).or_default() += 1;
            }
            let words: Vec<&str> = i.words.iter().map(|w| w.text.as_str()).collect();
            t.read(&words);
        }
        Some(t)
    }

    fn read(&mut self, words: &[&str]) {
        let Some((program, arguments)) = words.split_first() else { return };
        let program = program.rsplit('/').next().unwrap_or(program);
        let at = self.programs.len();
        self.programs.push((program.to_owned(), BTreeSet::new()));
        let mut k = 0;
        while k < arguments.len() {
            let w = arguments[k];
            k += 1;
            if program == "find" && matches!(w, "-exec" | "-execdir" | "-ok" | "-okdir") {
                let end = arguments[k..].iter().position(|w| matches!(*w, ";" | "+")).map_or(arguments.len(), |n| k + n);
                self.programs[at].1.insert(format!("{w} {}", arguments.get(end).unwrap_or(&"")));
                self.read(&arguments[k..end]);
                k = end + 1;
            } else if let Some(letters) = w.strip_prefix('-').filter(|l| !l.is_empty() && !l.starts_with(|c: char| c.is_ascii_digit())) {
                if w.starts_with("--") || ONE_DASH.contains(&program) {
                    self.programs[at].1.insert(w.split('=').next().unwrap_or(w).to_owned());
                } else {
                    // Behind the letters may be a value: `-n5`, `-d,`.
                    for c in letters.chars().take_while(char::is_ascii_alphabetic) {
                        self.programs[at].1.insert(format!("-{c}"));
                    }
                    let takes_next = program == "xargs" && letters.len() == 1 && "IndLPEs".contains(letters);
                    k += usize::from(takes_next);
                }
            } else if STARTERS.contains(&program) && !w.contains('=') && !w.starts_with(|c: char| c.is_ascii_digit()) {
                self.read(&arguments[k - 1..]);
                return;
            }
        }
    }

    fn utilities(&self) -> BTreeSet<&str> {
        self.programs.iter().map(|(p, _)| p.as_str()).collect()
    }
}

#[derive(Default)]
struct Score {
    asked: usize,
    planned: usize,
    first: usize,
    three: usize,
    utilities: usize,
    confidences: Vec<(f32, bool)>,
    /// By the first program of the command that is right: asked, planned, template of the first, programs of the first.
    families: BTreeMap<String, [usize; 4]>,
}

impl Score {
    fn share(&self, n: usize) -> f64 {
        n as f64 / self.asked.max(1) as f64
    }

    fn line(&self, name: &str) {
        println!("{name:<18} {:>5} pairs, any plan {:.3}, template first {:.3}, among three {:.3}, same programs {:.3}", self.asked, self.share(self.planned), self.share(self.first), self.share(self.three), self.share(self.utilities));
    }
}

fn grade(pairs: &[(String, Template, String)], stages: Stages, show: bool) -> Score {
    let world = world();
    let context = Context { risk: RiskContext { cwd: None, home: None, redefined: vec![] }, stages, ..Default::default() };
    let mut s = Score::default();
    for (request, expected, command) in pairs {
        let answer = intent::ask(request, &world, &context);
        let plans: Vec<String> = answer.readings().iter().take(3).map(|r| r.plan.plan[0].action.text().into_owned()).collect();
        let found: Vec<Option<Template>> = plans.iter().map(|p| Template::of(p)).collect();
        let right: Vec<bool> = found.iter().map(|t| t.as_ref() == Some(expected)).collect();
        let first = right.first() == Some(&true);
        let utilities = found.first().and_then(Option::as_ref).is_some_and(|t| t.utilities() == expected.utilities());
        s.asked += 1;
        let family = s.families.entry(expected.programs.first().map_or_else(String::new, |p| p.0.clone())).or_default();
        for (k, hit) in [true, !plans.is_empty(), first, utilities].into_iter().enumerate() {
            family[k] += usize::from(hit);
        }
        s.planned += usize::from(!plans.is_empty());
        s.first += usize::from(first);
        s.three += usize::from(right.contains(&true));
        s.utilities += usize::from(utilities);
        if !plans.is_empty() {
            s.confidences.push((answer.confidence(), first));
        }
        if show {
            let kind = if first { "template" } else if utilities { "programs" } else if plans.is_empty() { "none" } else { "other" };
            let source = answer.readings().first().map_or("", |r| r.intent);
            println!("ANSWER\t{kind}\t{:.2}\t{source}\t{request}\t{command}\t{}", answer.confidence(), plans.first().map_or("", String::as_str).replace('\n', " ; "));
        }
    }
    s
}

fn report(name: &str, s: &Score) {
    s.line(name);
    for bin in 0..10 {
        let inside: Vec<_> = s.confidences.iter().filter(|(c, _)| ((c * 10.0) as usize).min(9) == bin).collect();
        if !inside.is_empty() {
            let right = inside.iter().filter(|(_, r)| *r).count() as f64 / inside.len() as f64;
            println!("  confidence {:.1}-{:.1}: {:4} plans, right by template {right:.2}", bin as f32 / 10.0, (bin + 1) as f32 / 10.0, inside.len());
        }
    }
    let mut families: Vec<_> = s.families.iter().collect();
    families.sort_by_key(|(_, n)| std::cmp::Reverse(n[0]));
    for (family, [asked, planned, first, utilities]) in families.into_iter().take(15) {
        println!("  {family:<10} {asked:>4} pairs, any plan {planned:>4}, template {first:>4}, same programs {utilities:>4}");
    }
}

/// The pairs to ask, if there are any.
fn pairs() -> Option<Vec<(String, Template, String)>> {
    let file = std::env::var("NL2BASH").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/data/nl2bash/test.tsv").into());
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(e) if std::env::var_os("NL2BASH").is_none() && e.kind() == std::io::ErrorKind::NotFound => {
            println!("{file} is not there: nothing is asked");
            return None;
        }
        Err(e) => panic!("{file}: {e}"),
    };
    Some(text.lines().filter_map(|l| l.split_once('\t')).filter_map(|(r, c)| Some((r.to_owned(), Template::of(c)?, c.to_owned()))).collect())
}

#[test]
fn pairs_that_were_kept_apart_are_found_by_template() {
    let Some(pairs) = pairs() else { return };
    let mut stages = Stages::default();
    let without = std::env::var("NL2BASH_WITHOUT").unwrap_or_default();
    for stage in without.split(',').filter(|s| !s.is_empty()) {
        assert!(stages.switch_off(stage), "no stage {stage}");
    }
    let begin = std::time::Instant::now();
    let all = grade(&pairs, stages, std::env::var_os("NL2BASH_SHOW").is_some());
    println!("{:?} a request", begin.elapsed() / all.asked.max(1) as u32);
    report(if without.is_empty() { "all stages on" } else { "some stages off" }, &all);
    if std::env::var_os("NL2BASH_STAGES").is_some() {
        for stage in STAGES {
            let mut some = Stages::default();
            assert!(some.switch_off(stage));
            grade(&pairs, some, false).line(&format!("without {stage}"));
        }
    }
    if !without.is_empty() || std::env::var_os("NL2BASH").is_some() {
        return;
    }
    let mut alone = Stages::default();
    for stage in STAGES.iter().filter(|s| **s != "recall") {
        assert!(alone.switch_off(stage));
    }
    let recalled = grade(&pairs, alone, false);
    recalled.line("retrieval alone");
    assert!(all.share(all.first) >= FLOOR_FIRST, "{} of {} by template", all.first, all.asked);
    assert!(all.share(all.utilities) >= FLOOR_UTILITIES, "{} of {} by programs", all.utilities, all.asked);
    assert!(recalled.share(recalled.first) >= FLOOR_RECALL, "{} of {} by retrieval", recalled.first, recalled.asked);
}

#[test]
fn templates_forget_arguments_and_nothing_else() {
    let of = |c: &str| Template::of(c).unwrap();
    assert_eq!(of("find . -type f -name '*.c' -exec grep -l x {} +"), of("find /home -name '*.txt' -type f -exec grep -l 'a b' {} +"));
    assert_ne!(of("find . -name x -exec rm {} \\;"), of("find . -name x -delete"));
    assert_eq!(of("tar -czf a.tgz d"), of("tar -c -z -f b.tgz e f"));
    assert_eq!(of("sort -rn a | head -n5"), of("sort -n -r b | head -n 12"));
    assert_ne!(of("sort a | head"), of("sort a; head b"));
    assert_ne!(of("sort a > b"), of("sort a >> b"));
    assert_eq!(of("find . | xargs -I X sudo rm -f X").utilities(), BTreeSet::from(["find", "xargs", "sudo", "rm"]));
    assert!(Template::of("if then").is_none());
}

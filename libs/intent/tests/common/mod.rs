//! The world of the exams, and how an answer is judged.

use actions::risk::RiskContext;
use intent::world::FixedWorld;
use intent::{Answer, Context};

fn list(s: &str) -> Vec<String> {
    s.split_whitespace().map(str::to_owned).collect()
}

/// A directory with some files, on a machine with the programs of our image and a few more.
pub fn world() -> FixedWorld {
    FixedWorld {
        files: list(
            "notes.txt a.txt b.txt report.pdf app.log data.csv names.txt essay.txt main.py run.sh key.pem config.ini todo.txt scores.txt draft.md data.bin backup.tar.gz photos.zip letter.txt \
             /etc/passwd /etc/hosts /etc/hostname /bin/ls /bin/bash",
        ),
        dirs: list(". .. / ~ src docs data Pictures Music archive old_stuff /etc /var /var/log /tmp /home /usr /usr/share /usr/bin /opt /mnt /media /scheme"),
        users: list("root alice bob"),
        processes: list("nginx firefox sshd bash"),
        commands: list(
            "ls cat cp mv rm mkdir touch ln chmod chown find grep sed awk sort uniq wc head tail tac rev tr cut shuf comm diff cmp du df stat realpath tar gzip gunzip unzip zip less nano ps pgrep pkill kill renice top free \
             uptime uname lscpu nproc lsblk findmnt mount umount dmesg sync date env printenv sleep id whoami who last getent useradd userdel usermod passwd su dpkg dpkg-query apt-get apt-cache sha256sum sha1sum md5sum split numfmt \
             xargs watch man clear bash timeout file cal ip ss ping curl systemctl journalctl reboot poweroff gcs od python3 htop",
        ),
    }
}

/// What came out for a request.
pub struct Outcome {
    /// The command of the best reading; `-` when refused, `?` when something is missing or it is unsure between none.
    pub first: String,
    /// The commands of the first three readings.
    pub three: Vec<String>,
    /// Its confidence.
    pub confidence: f32,
    /// It was proposed as a plan, not as one of several.
    pub sure: bool,
}

/// The classifier alone: its commands are compared as they are written. The other stages are judged by effect (`tests/exam`).
pub fn alone() -> Context {
    let stages = intent::Stages { free: false, compose: false, recall: false, windows: false, ..Default::default() };
    Context { risk: RiskContext { cwd: None, home: None, redefined: vec![] }, stages, ..Default::default() }
}

/// Asks and judges.
pub fn outcome(request: &str) -> Outcome {
    let context = alone();
    let answer = intent::ask(request, &world(), &context);
    let three: Vec<String> = answer.readings().iter().take(3).map(|r| r.plan.plan[0].action.text().into_owned()).collect();
    let first = match &answer {
        Answer::OutOfScope { .. } => "-".into(),
        Answer::Missing { .. } => "?".into(),
        _ => three[0].clone(),
    };
    Outcome { first, three, confidence: answer.confidence(), sure: matches!(answer, Answer::Plan { .. }) }
}

/// The lines of an exam: request, then the commands that are right (any of them); `-` is "must be refused".
pub fn exam(text: &str) -> Vec<(&str, Vec<&str>)> {
    text.lines()
        .filter(|l| !l.starts_with('#') && !l.trim().is_empty())
        .map(|l| {
            let mut parts = l.split('\t');
            (parts.next().unwrap_or(""), parts.collect())
        })
        .collect()
}

//! The directory that a lesson's answers run in, and how they are judged.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actions::{Risk, RiskContext};
use anyhow::{Context, Result};

use super::catalogue::{Check, Exercise, Lesson};
use super::confine::{self, Confinement};

/// Output that is kept of an answer, in bytes.
const MAX_OUTPUT: usize = 64 << 10;

/// What became of an answer.
#[derive(Debug)]
pub enum Verdict {
    /// It did what was asked.
    Right {
        /// What it printed.
        output: String,
    },
    /// It ran, and did something else.
    Wrong {
        /// What it printed.
        output: String,
        /// In a sentence.
        why: String,
    },
}

/// A lesson's directory; removed at the end.
pub struct Sandbox {
    root: PathBuf,
    lesson: &'static Lesson,
    limit: Duration,
    /// Exercises done before: a repaired directory is made by their solutions.
    at: usize,
}

struct Ran {
    ok: bool,
    ended: bool,
    output: String,
    errors: String,
}

/// Whether a program is in the search path.
pub fn has_program(name: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into())).any(|d| d.join(name).is_file())
}

impl Sandbox {
    /// A fresh directory that only its owner may enter.
    pub fn new(lesson: &'static Lesson) -> Result<Sandbox> {
        use std::os::unix::fs::DirBuilderExt;
        let base = std::env::temp_dir();
        for n in 0..1000 {
            let root = base.join(format!("gcs-lesson-{}-{}-{n}", lesson.name, std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&root) {
                Ok(()) => return Ok(Sandbox { root, lesson, limit: Duration::from_secs(20), at: 0 }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e).with_context(|| format!("making {}", root.display())),
            }
        }
        anyhow::bail!("no directory for the lesson in {}", base.display())
    }

    /// Another limit of time for answers.
    #[cfg(test)]
    pub fn limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// How well this kernel confines what is typed.
    pub fn confinement(&self) -> Confinement {
        let root = self.root.clone();
        // On a thread of its own, which ends with it.
        std::thread::spawn(move || confine::this_thread(&root)).join().ok().and_then(Result::ok).unwrap_or(Confinement::None)
    }

    /// The risk class of an answer where it would run.
    pub fn risk(&self, line: &str) -> Risk {
        actions::classify(line, &RiskContext { cwd: Some(self.work()), home: Some(self.work()), redefined: Vec::new() })
    }

    /// The directory as it is before exercise `n`: the lesson's files, and what the exercises before it make.
    pub fn prepare(&mut self, n: usize) -> Result<()> {
        self.at = n;
        self.build(&self.work(), n)
    }

    /// Exercise `n` begins where the one before ended.
    pub fn go_on(&mut self, n: usize) {
        self.at = n;
    }

    fn build(&self, dir: &Path, n: usize) -> Result<()> {
        self.empty(dir)?;
        std::fs::create_dir(dir).with_context(|| format!("making {}", dir.display()))?;
        for (name, content) in self.lesson.files {
            let path = dir.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        }
        if !self.lesson.setup.is_empty() {
            self.run(dir, self.lesson.setup)?;
        }
        for e in &self.lesson.exercises[..n] {
            self.run(dir, e.solution)?;
        }
        Ok(())
    }

    /// Removes a directory of this lesson, whatever permissions were set below it.
    fn empty(&self, dir: &Path) -> Result<()> {
        if dir.symlink_metadata().is_ok() {
            // It is below the root that this process made, and links are not followed.
            let _ = Command::new("chmod").args(["-R", "--", "u+rwX"]).arg(dir).stderr(Stdio::null()).status();
            std::fs::remove_dir_all(dir).with_context(|| format!("emptying {}", dir.display()))?;
        }
        Ok(())
    }

    /// What is in the directory.
    pub fn files(&self) -> Result<String> {
        Ok(self.run(&self.work(), "ls -lAR --time-style=+ .")?.output)
    }

    /// Runs an answer and judges it. After a wrong one the directory is as it was.
    pub fn answer(&mut self, exercise: &Exercise, line: &str) -> Result<Verdict> {
        if let Some(need) = exercise.needs.iter().find(|n| !line.contains(**n)) {
            return Ok(Verdict::Wrong { output: String::new(), why: format!("this one is to practise `{need}`.") });
        }
        let work = self.work();
        let ran = self.run(&work, line)?;
        let mut output = ran.output.clone();
        output.push_str(&ran.errors);
        if ran.ended && self.done(exercise, Some(&ran.output))? {
            return Ok(Verdict::Right { output });
        }
        self.prepare(self.at)?;
        let why = if !ran.ended {
            "it did not end, so it was ended."
        } else if !ran.ok && !ran.errors.is_empty() {
            "the command failed; its message says why."
        } else if matches!(exercise.check, Check::Prints) {
            "that prints something else than what was asked for."
        } else {
            "the files are not as they should be; they are as before again."
        };
        Ok(Verdict::Wrong { output, why: why.to_owned() })
    }

    /// Whether the directory, and what was printed, are what the exercise asks for.
    fn done(&self, exercise: &Exercise, printed: Option<&str>) -> Result<bool> {
        match exercise.check {
            Check::Prints => {
                let Some(printed) = printed.filter(|p| !p.trim().is_empty()) else { return Ok(false) };
                let model = self.root.join("model");
                self.build(&model, self.at)?;
                let wanted = self.run(&model, exercise.solution)?;
                Ok(!wanted.output.trim().is_empty() && lines(&wanted.output) == lines(printed))
            }
            Check::Makes(test) => Ok(self.run(&self.work(), test)?.ok),
        }
    }

    /// Whether an exercise counts as done in a directory that nobody has touched.
    #[cfg(test)]
    pub fn done_untouched(&mut self, n: usize) -> Result<bool> {
        self.prepare(n)?;
        let exercise = &self.lesson.exercises[n];
        Ok(self.done(exercise, Some(""))? || self.done(exercise, None)?)
    }

    fn start(&self, dir: &Path, line: &str) -> Result<Child> {
        let mut command = Command::new("/bin/bash");
        command
            .args(["--norc", "--noprofile", "-c", line])
            .current_dir(dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .envs([("LC_ALL", "C.UTF-8"), ("TERM", "dumb"), ("USER", "learner"), ("GIT_CONFIG_NOSYSTEM", "1"), ("PAGER", "cat")])
            .env("HOME", dir)
            .env("TMPDIR", &self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let root = self.root.clone();
        // Landlock holds for a thread and what it starts: this one starts bash, and ends.
        std::thread::spawn(move || {
            confine::this_thread(&root)?;
            command.spawn().context("starting /bin/bash")
        })
        .join()
        .unwrap_or_else(|_| anyhow::bail!("starting /bin/bash failed"))
    }

    fn run(&self, dir: &Path, line: &str) -> Result<Ran> {
        let mut child = self.start(dir, line)?;
        let group = nix::unistd::Pid::from_raw(child.id() as i32);
        let collect = |stream: Option<Box<dyn Read + Send>>| {
            std::thread::spawn(move || {
                let mut kept = Vec::new();
                if let Some(mut s) = stream {
                    let mut buffer = [0u8; 8192];
                    while let Ok(n) = s.read(&mut buffer) {
                        if n == 0 {
                            break;
                        }
                        // The rest is read, so that nobody waits for us, and dropped.
                        let room = MAX_OUTPUT.saturating_sub(kept.len()).min(n);
                        kept.extend_from_slice(&buffer[..room]);
                    }
                }
                String::from_utf8_lossy(&kept).into_owned()
            })
        };
        let out = collect(child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
        let err = collect(child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
        let start = Instant::now();
        let mut ended = true;
        // Not reaped yet, so that its number and its group's stay its own until the group has been ended: what it left in the
        // background would keep the streams open.
        while !has_exited(group) {
            if start.elapsed() > self.limit {
                ended = false;
                break;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let status = child.wait().context("waiting for the answer")?;
        let text = |t: std::thread::JoinHandle<String>| t.join().unwrap_or_default();
        Ok(Ran { ok: ended && status.success(), ended, output: text(out), errors: text(err) })
    }
}

fn has_exited(child: nix::unistd::Pid) -> bool {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::Pid(child), flags), Ok(WaitStatus::StillAlive))
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.empty(&self.root);
    }
}

/// Lines without blanks at their ends: `wc` and friends pad.
fn lines(text: &str) -> Vec<String> {
    text.trim_end().lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

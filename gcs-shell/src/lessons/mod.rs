//! Lessons in the terminal: a few words, then exercises that are done for real in a directory of their own, and checked by
//! what they did. What is typed runs as any command line does: what may destroy needs the typed word.

mod catalogue;
mod confine;
mod sandbox;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use actions::Risk;
use anyhow::{Result, bail};

use crate::desktop::Learning;
use catalogue::{Exercise, LESSONS, Lesson};
use sandbox::{Sandbox, Verdict};

/// The lesson that a topic means: its name, or a word for it.
pub fn find(topic: &str) -> Option<&'static str> {
    let topic = topic.to_lowercase();
    let words: Vec<&str> = topic.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let singular = |w: &str| w.strip_suffix('s').filter(|s| s.len() > 2).unwrap_or(w).to_owned();
    let meant = |w: &&str| {
        let is = |known: &&str| singular(known) == singular(w);
        LESSONS.iter().find(|l| is(&l.name)).or_else(|| LESSONS.iter().find(|l| l.words.iter().any(is))).map(|l| l.name)
    };
    let found: Vec<&'static str> = words.iter().filter_map(meant).collect();
    // "file permissions" are permissions, "sorting text" is text.
    found.iter().find(|n| **n != "files").or(found.first()).copied()
}

/// How many exercises of each lesson were done, in `~/.local/share/gcs/lessons.json`.
#[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Progress {
    done: BTreeMap<String, BTreeSet<usize>>,
}

impl Progress {
    fn path() -> Option<PathBuf> {
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute()).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")))?;
        Some(data.join("gcs/lessons.json"))
    }

    /// What was kept; nothing where that is not there, or damaged.
    fn read() -> Progress {
        Progress::path().and_then(|p| std::fs::read(p).ok()).and_then(|t| serde_json::from_slice(&t).ok()).unwrap_or_default()
    }

    fn write(&self) -> Result<()> {
        let Some(path) = Progress::path() else { return Ok(()) };
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        // Whole or not at all.
        let part = path.with_extension(format!("{}.part", std::process::id()));
        std::fs::write(&part, serde_json::to_vec(self)?)?;
        std::fs::rename(&part, &path)?;
        Ok(())
    }

    fn of(&self, lesson: &Lesson) -> usize {
        self.done.get(lesson.name).map_or(0, |d| d.iter().filter(|n| **n < lesson.exercises.len()).count())
    }
}

/// One line of `gcs learn --json`.
#[derive(serde::Serialize)]
struct Listed {
    name: &'static str,
    about: &'static str,
    exercises: usize,
    done: usize,
}

/// Prints what there is to learn, and how far one is.
pub fn list(json: bool) -> Result<i32> {
    let progress = Progress::read();
    let mut out = std::io::stdout().lock();
    if json {
        let all: Vec<Listed> = LESSONS.iter().map(|l| Listed { name: l.name, about: l.about, exercises: l.exercises.len(), done: progress.of(l) }).collect();
        writeln!(out, "{}", serde_json::to_string(&all)?)?;
        return Ok(0);
    }
    writeln!(out, "Lessons: gcs learn NAME; only the exercises: gcs learn --quiz NAME.\n")?;
    for l in LESSONS {
        let done = progress.of(l);
        let state = if done >= l.exercises.len() { "done".to_owned() } else { format!("{done} of {}", l.exercises.len()) };
        writeln!(out, "  {:<14} {:<9} {}", l.name, state, l.about)?;
    }
    Ok(0)
}

/// Teaches a lesson; answers come from standard input. 0: all of it was done, 1: not all.
pub fn teach(topic: &str, quiz: bool) -> Result<i32> {
    let Some(lesson) = find(topic).and_then(|name| LESSONS.iter().find(|l| l.name == name)) else {
        bail!("there is no lesson about {topic}; gcs learn lists them");
    };
    if let Some(missing) = lesson.programs.iter().find(|p| !sandbox::has_program(p)) {
        bail!("the lesson {} needs {missing}, which is not installed; gpm install {missing}", lesson.name);
    }
    let terminal = std::io::stdin().is_terminal();
    let mut out = std::io::stdout();
    let mut sandbox = Sandbox::new(lesson)?;
    writeln!(out, "{}\n", lesson.about)?;
    if !quiz {
        writeln!(out, "{}\n", lesson.intro)?;
    }
    writeln!(out, "Type a command for each task; it runs in a directory made for this lesson, which is its home. Also: hint, show, files, skip, quit.")?;
    writeln!(out, "{}", sandbox.confinement().sentence())?;
    // Who pipes answers in looks at no screen.
    let learning = terminal.then(Learning::begin).flatten();
    if let Some(words) = learning.as_ref().map(Learning::sentence).filter(|it| !it.is_empty()) {
        writeln!(out, "{words}")?;
    }
    let mut input = std::io::stdin().lock();
    let mut done = 0;
    for (n, exercise) in lesson.exercises.iter().enumerate() {
        // What was done before stays as the learner left it.
        if n == 0 || done < n {
            sandbox.prepare(n)?;
        } else {
            sandbox.go_on(n);
        }
        writeln!(out, "\n{} of {}: {}", n + 1, lesson.exercises.len(), exercise.task)?;
        match work_on(&mut sandbox, exercise, &mut input, &mut out, terminal)? {
            Ending::Done => {
                done += 1;
                let mut progress = Progress::read();
                progress.done.entry(lesson.name.to_owned()).or_default().insert(n);
                if let Err(e) = progress.write() {
                    eprintln!("gcs: your progress could not be kept: {e}");
                }
            }
            Ending::Skipped => {}
            Ending::Left => {
                writeln!(out, "\n{done} of {} done. gcs learn {} begins anew.", lesson.exercises.len(), lesson.name)?;
                return Ok(1);
            }
        }
    }
    writeln!(out, "\n{done} of {} done.{}", lesson.exercises.len(), if done == lesson.exercises.len() { " Well done!" } else { "" })?;
    Ok(i32::from(done < lesson.exercises.len()))
}

enum Ending {
    Done,
    Skipped,
    Left,
}

fn work_on(sandbox: &mut Sandbox, exercise: &Exercise, input: &mut impl BufRead, out: &mut impl Write, terminal: bool) -> Result<Ending> {
    let mut ask = |out: &mut dyn Write, prompt: &str| -> Result<Option<String>> {
        if terminal {
            write!(out, "{prompt}")?;
            out.flush()?;
        }
        let mut line = String::new();
        Ok((input.read_line(&mut line)? > 0).then(|| line.trim().to_owned()))
    };
    loop {
        let Some(line) = ask(out, "learn> ")? else { return Ok(Ending::Left) };
        match line.as_str() {
            "" => {}
            "quit" | "exit" => return Ok(Ending::Left),
            "skip" => {
                writeln!(out, "One way: {}", exercise.solution)?;
                return Ok(Ending::Skipped);
            }
            "hint" => writeln!(out, "{}", exercise.hint)?,
            "show" => writeln!(out, "One way: {}\nTry it, or your own.", exercise.solution)?,
            "files" => writeln!(out, "{}", sandbox.files()?)?,
            answer => {
                if sandbox.risk(answer) == Risk::Dangerous {
                    writeln!(out, "That may destroy data. Type yes to run it.")?;
                    match ask(out, "yes? ")? {
                        None => return Ok(Ending::Left),
                        Some(word) if word == "yes" => {}
                        Some(_) => {
                            writeln!(out, "Not run.")?;
                            continue;
                        }
                    }
                }
                match sandbox.answer(exercise, answer)? {
                    Verdict::Right { output } => {
                        write!(out, "{output}")?;
                        writeln!(out, "Right. {}", exercise.after)?;
                        return Ok(Ending::Done);
                    }
                    Verdict::Wrong { output, why } => {
                        write!(out, "{output}")?;
                        writeln!(out, "Not yet: {why}")?;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_or_more_and_topics_find_them() {
        assert!(LESSONS.len() >= 10);
        for (topic, lesson) in [
            ("pipes", "pipes"), ("the pipe", "pipes"), ("how to use grep", "grep"), ("regular expressions", "grep"), ("file permissions", "permissions"), ("chmod", "permissions"), ("tar", "archives"), ("git", "git"), ("quoting", "variables"), ("loops", "loops"), ("sorting", "text"), ("processes", "processes"), ("paths", "paths"), ("files", "files"), ("find", "find"),
        ] {
            assert_eq!(find(topic), Some(lesson), "{topic}");
        }
        assert_eq!(find("the piano"), None);
        let names: BTreeSet<_> = LESSONS.iter().map(|l| l.name).collect();
        assert_eq!(names.len(), LESSONS.len());
    }

    /// What the tests run as root stays in the lesson's directory: names are relative, and only the lesson's own children are ended.
    #[test]
    fn solutions_are_harmless() {
        for lesson in LESSONS {
            let tests = lesson.exercises.iter().filter_map(|e| if let catalogue::Check::Makes(t) = e.check { Some(t) } else { None });
            for line in lesson.exercises.iter().map(|e| e.solution).chain(tests).chain([lesson.setup]) {
                let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || ";|&<>()'\"=".contains(c)).filter(|w| !w.is_empty()).collect();
                for (i, w) in words.iter().enumerate() {
                    assert!(!w.starts_with(['/', '~']) || matches!(*w, "/dev/null" | "/dev/zero" | "/dev/full"), "{line}: {w}");
                    assert!(!w.split('/').any(|p| p == ".."), "{line}: {w}");
                    assert!(*w != "kill" || words.get(i + 1) == Some(&"$!"), "{line}");
                    assert!(!matches!(*w, "sudo" | "su" | "killall" | "pkill" | "dd" | "mount" | "mkfs" | "reboot" | "shutdown" | "eval" | "exec"), "{line}: {w}");
                }
            }
        }
    }

    /// Every task can be done the way that is shown, and not by doing nothing.
    #[test]
    fn solutions_are_right_and_untouched_directories_are_not() {
        for lesson in LESSONS {
            if lesson.programs.iter().any(|p| !sandbox::has_program(p)) {
                continue;
            }
            assert!((3..=8).contains(&lesson.exercises.len()), "{}", lesson.name);
            let mut sandbox = Sandbox::new(lesson).unwrap();
            for (n, e) in lesson.exercises.iter().enumerate() {
                assert!(!sandbox.done_untouched(n).unwrap(), "{}, {}: done without doing anything", lesson.name, e.task);
                // A wrong answer leaves the directory as it was.
                let verdict = sandbox.answer(e, "echo nothing of the sort").unwrap();
                assert!(!matches!(verdict, Verdict::Right { .. }), "{}, {}: anything is taken for right", lesson.name, e.task);
                let verdict = sandbox.answer(e, e.solution).unwrap();
                assert!(matches!(verdict, Verdict::Right { .. }), "{}, {}: {:?}", lesson.name, e.task, verdict);
            }
        }
    }

    /// Where the kernel has Landlock, a line that writes elsewhere fails, and so do its children; elsewhere that is said.
    #[test]
    fn writing_elsewhere_is_kept_away() {
        let lesson = LESSONS.iter().find(|l| l.name == "files").unwrap();
        let mut sandbox = Sandbox::new(lesson).unwrap();
        sandbox.prepare(0).unwrap();
        let outside = std::env::temp_dir().join(format!("gcs-outside-{}", std::process::id()));
        let line = format!("touch {0}; bash -c 'echo x > {0}'; mkdir inside", outside.display());
        sandbox.answer(&lesson.exercises[0], &line).unwrap();
        let got_out = outside.exists();
        let _ = std::fs::remove_file(&outside);
        match sandbox.confinement() {
            confine::Confinement::None => assert!(got_out),
            _ => assert!(!got_out, "it wrote outside"),
        }
        // This process itself is not confined by it.
        std::fs::write(&outside, "").unwrap();
        std::fs::remove_file(&outside).unwrap();
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let lesson = LESSONS.iter().find(|l| l.name == "files").unwrap();
        let mut sandbox = Sandbox::new(lesson).unwrap();
        sandbox.prepare(0).unwrap();
        sandbox.limit(std::time::Duration::from_millis(300));
        for line in ["sleep 1000", "yes"] {
            assert!(matches!(sandbox.answer(&lesson.exercises[0], line).unwrap(), Verdict::Wrong { .. }), "{line}");
        }
    }
}

//! The next command, suggested as the line editor's hint: learnt from this user's own lines, on this machine, as they come.
//!
//! What was typed is kept with the directory it was typed in, in `~/.local/share/gcs/commands` (mode 0600, the last few
//! thousand lines), and learnt anew from there when a shell starts. A line that begins with a blank is not kept.

mod predictor;

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use actions::{Risk, RiskContext};
use nu_ansi_term::Style;
use reedline::{Hinter, History, SearchQuery};

use predictor::Predictor;

/// Lines that are kept in the file when it is cut.
const KEPT: usize = 4000;
/// It is cut when it has so many.
const FULL: usize = 5000;
/// A longer line is not kept.
const MAX_LINE: usize = 400;
/// On an empty line a hint is shown from this probability on.
const SURE: f32 = 0.3;

/// What is known of the user's habits.
#[derive(Debug, Default)]
pub struct Habits {
    predictor: Predictor,
    file: Option<PathBuf>,
    lines: usize,
}

/// Shared by the shell, which tells what was run, and the editor, which asks.
pub type Shared = Arc<RwLock<Habits>>;

impl Habits {
    /// Learns what the file holds; without a file everything is forgotten at the end.
    pub fn open(file: Option<PathBuf>) -> Habits {
        let mut habits = Habits { file, ..Habits::default() };
        let text = habits.file.as_ref().and_then(|f| fs::read(f).ok()).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            if let Some((place, line)) = line.split_once('\t') {
                habits.predictor.learn(line, Some(place));
                habits.lines += 1;
            }
        }
        habits
    }

    /// The user's file.
    pub fn of_user() -> Habits {
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute()).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")));
        Habits::open(data.map(|d| d.join("gcs/commands")))
    }

    /// The user ran `line` in `place`.
    pub fn learn(&mut self, line: &str, place: &Path) {
        let Some(place) = place.to_str().filter(|p| !p.contains(['\t', '\n'])) else { return };
        if line.starts_with([' ', '\t']) || line.trim().is_empty() || line.contains('\n') || line.len() > MAX_LINE {
            return;
        }
        let line = line.trim_end();
        self.predictor.learn(line, Some(place));
        // Where it cannot be kept, it is known until the shell ends.
        if let Some(file) = self.file.clone() {
            let _ = self.keep(&file, &format!("{place}\t{line}\n"));
        }
    }

    fn keep(&mut self, file: &Path, entry: &str) -> std::io::Result<()> {
        if let Some(dir) = file.parent() {
            fs::create_dir_all(dir)?;
        }
        // One write at the end: other shells of the user add theirs.
        fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file)?.write_all(entry.as_bytes())?;
        self.lines += 1;
        if self.lines >= FULL {
            let text = fs::read(file)?;
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(KEPT)..];
            let part = file.with_extension(format!("{}.part", std::process::id()));
            let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
            out.write_all((last.join("\n") + "\n").as_bytes())?;
            fs::rename(&part, file)?;
            self.lines = last.len();
        }
        Ok(())
    }

    /// What is still to be typed of the likeliest line that begins with `typed`.
    pub fn hint(&self, typed: &str, place: &Path) -> Option<String> {
        let place_text = place.to_str();
        let found = self.predictor.predict(place_text, 1, |s| s.len() > typed.len() && s.starts_with(typed));
        let (line, probability) = found.first()?;
        if typed.trim().len() < 3 {
            // What destroys is not held out to somebody who has hardly begun; nor is a wild guess.
            let risk = RiskContext { cwd: Some(place.to_owned()), home: None, redefined: Vec::new() };
            if (typed.is_empty() && *probability < SURE) || actions::classify(line, &risk) == Risk::Dangerous {
                return None;
            }
        }
        Some(line[typed.len()..].to_owned())
    }
}

/// Shows the suggestion in the editor; the right arrow takes it.
pub struct NextCommand {
    /// What is known.
    pub habits: Shared,
    /// How it looks.
    pub style: Style,
    hint: String,
}

impl NextCommand {
    /// A hinter.
    pub fn new(habits: Shared, style: Style) -> NextCommand {
        NextCommand { habits, style, hint: String::new() }
    }
}

impl Hinter for NextCommand {
    fn handle(&mut self, line: &str, _pos: usize, history: &dyn History, colours: bool, _cwd: &str) -> String {
        let place = std::env::current_dir().unwrap_or_default();
        let learnt = self.habits.read().ok().and_then(|h| h.hint(line, &place));
        // Lines older than what is learnt from: the history has them.
        let older = || {
            let query = (!line.is_empty()).then(|| SearchQuery::last_with_prefix(line.to_owned(), history.session()))?;
            let found = history.search(query).ok()?;
            found.first().and_then(|e| e.command_line.get(line.len()..)).map(str::to_owned)
        };
        self.hint = learnt.or_else(older).unwrap_or_default();
        if colours && !self.hint.is_empty() { self.style.paint(&self.hint).to_string() } else { self.hint.clone() }
    }

    fn complete_hint(&self) -> String {
        self.hint.clone()
    }

    fn next_hint_token(&self) -> String {
        // The blanks in front, and the word after them.
        let word = self.hint.trim_start();
        let start = self.hint.len() - word.len();
        let end = start + word.find(char::is_whitespace).unwrap_or(word.len());
        self.hint[..end].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_learnt_and_suggested() {
        let dir = std::env::temp_dir().join(format!("gcs-habits-{}", std::process::id()));
        let file = dir.join("gcs/commands");
        let here = Path::new("/src");
        let mut h = Habits::open(Some(file.clone()));
        assert_eq!(h.hint("", here), None);
        for _ in 0..4 {
            for l in ["vi main.c", "make test", "git commit -a"] {
                h.learn(l, here);
            }
        }
        h.learn(" secret --token x", here);
        h.learn("two\nlines", here);
        h.learn("vi main.c", here);
        // Another shell knows the same.
        for h in [h, Habits::open(Some(file.clone()))] {
            assert_eq!(h.hint("", here).as_deref(), Some("make test"));
            assert_eq!(h.hint("git", here).as_deref(), Some(" commit -a"));
            assert_eq!(h.hint("x", here), None);
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("secret") && !text.contains("lines") && text.lines().count() == 13);
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        // What destroys needs more than two letters.
        let mut h = Habits::open(None);
        for _ in 0..5 {
            h.learn("rm -rf build", here);
        }
        assert_eq!((h.hint("", here), h.hint("rm", here)), (None, None));
        assert_eq!(h.hint("rm -", here).as_deref(), Some("rf build"));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn the_file_stays_short() {
        let dir = std::env::temp_dir().join(format!("gcs-habits-long-{}", std::process::id()));
        let file = dir.join("commands");
        fs::create_dir_all(&dir).unwrap();
        let long: String = (0..FULL - 1).map(|i| format!("/\techo {i}\n")).collect();
        fs::write(&file, long).unwrap();
        let mut h = Habits::open(Some(file.clone()));
        for i in 0..10 {
            h.learn(&format!("ls {i}"), Path::new("/"));
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.lines().count() <= KEPT + 10 && text.ends_with("/\tls 9\n"));
        // What is damaged is passed over.
        fs::write(&file, b"\xff\xfe\nno tab\n/\tok\n").unwrap();
        assert_eq!(Habits::open(Some(file)).lines, 1);
        fs::remove_dir_all(dir).unwrap();
    }
}

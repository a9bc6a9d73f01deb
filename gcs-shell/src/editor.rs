//! Reading a line: with the editor where the terminal can, plainly where it cannot.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use actions::shell::{self, SyntaxError};
use anyhow::Result;
use intent::LiveWorld;
use intent::world::{BUILTINS, World};
use nu_ansi_term::{Color, Style};
use reedline::{
    ColumnarMenu, Completer, CompletionResult, EditCommand, Emacs, FileBackedHistory, Highlighter, KeyCode, KeyModifiers, MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline,
    ReedlineEvent, ReedlineMenu, Signal, Span, StyledText, Suggestion, ValidationResult, Validator, default_emacs_keybindings,
};

use crate::recognise::{Kind, recognise};
use crate::{suggest, terminal};

/// What the helpers of the editor know of the shell; renewed before each prompt.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The place, for names and programs.
    pub world: Option<LiveWorld>,
    /// Aliases and functions.
    pub names: Vec<String>,
}

type Shared = Arc<RwLock<Surroundings>>;

/// What was read.
pub enum Input {
    /// A line, perhaps of several lines.
    Line(String),
    /// F2: the repair of what failed.
    Repair,
    /// Ctrl-C: start again.
    Cancelled,
    /// Ctrl-D on an empty line, or the end of the input.
    End,
}

/// Reads lines.
pub enum Editor {
    /// With cursor movement, history, completion.
    Full {
        /// The editor.
        line: Box<Reedline>,
        /// What its helpers know.
        shared: Shared,
    },
    /// The terminal's own line editing, or no terminal at all.
    Plain {
        /// What was typed while the terminal was asked.
        typed: String,
        /// Prompts are shown.
        interactive: bool,
    },
}

/// The prompt: who, where, and whether the last command failed.
pub struct ShellPrompt {
    left: String,
    sign: &'static str,
}

impl ShellPrompt {
    /// A prompt for the present state.
    pub fn new(user: &str, host: &str, dir: &str, status: i32) -> Self {
        let failed = if status == 0 { String::new() } else { format!("[{status}] ") };
        ShellPrompt { left: format!("{failed}{user}@{host}:{dir}"), sign: if user == "root" { "# " } else { "$ " } }
    }

    fn plain(&self) -> String {
        format!("{}{}", self.left, self.sign)
    }
}

impl Prompt for ShellPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.left)
    }
    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed(self.sign)
    }
    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }
    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = if matches!(search.status, PromptHistorySearchStatus::Failing) { "failing " } else { "" };
        Cow::Owned(format!("({failing}search: {}) ", search.term))
    }
}

impl Editor {
    /// The best editor for this terminal.
    pub fn new(interactive: bool, habits: &suggest::Shared) -> Editor {
        if !interactive {
            return Editor::Plain { typed: String::new(), interactive: false };
        }
        if std::env::var("TERM").is_ok_and(|t| t == "dumb") || std::env::var_os("GCS_PLAIN").is_some() {
            return Editor::Plain { typed: String::new(), interactive: true };
        }
        let probe = terminal::probe(std::time::Duration::from_millis(700));
        if !probe.answers {
            return Editor::Plain { typed: probe.typed, interactive: true };
        }
        let shared: Shared = Arc::default();
        let mut keys = default_emacs_keybindings();
        keys.add_binding(
            KeyModifiers::NONE,
            KeyCode::Tab,
            ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu("completion".into()), ReedlineEvent::MenuNext]),
        );
        keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
        keys.add_binding(KeyModifiers::NONE, KeyCode::F(2), ReedlineEvent::ExecuteHostCommand("repair".into()));
        let colours = terminal::colours();
        let menu = ColumnarMenu::default().with_name("completion");
        let mut line = Reedline::create()
            .with_validator(Box::new(Completeness(shared.clone())))
            .with_completer(Box::new(Names(shared.clone())))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_edit_mode(Box::new(Emacs::new(keys)))
            .with_ansi_colors(colours);
        if colours {
            line = line
                .with_highlighter(Box::new(Colours(shared.clone())))
                .with_hinter(Box::new(suggest::NextCommand::new(habits.clone(), Style::new().fg(Color::DarkGray))));
        }
        if let Some(history) = history_file().and_then(|f| FileBackedHistory::with_file(5000, f).ok()) {
            line = line.with_history(Box::new(history));
        }
        if !probe.typed.is_empty() {
            line.run_edit_commands(&[EditCommand::InsertString(probe.typed)]);
        }
        Editor::Full { line: Box::new(line), shared }
    }

    /// Tells the helpers where we are.
    pub fn surroundings(&mut self, s: Surroundings) {
        if let Editor::Full { shared, .. } = self
            && let Ok(mut w) = shared.write()
        {
            *w = s;
        }
    }

    /// Reads one line, or several that belong together. `draft` is there from the start, to be edited.
    pub fn read(&mut self, prompt: &ShellPrompt, draft: Option<&str>, world: &LiveWorld, names: &[String]) -> Result<Input> {
        match self {
            Editor::Full { line, .. } => {
                if let Some(d) = draft {
                    line.run_edit_commands(&[EditCommand::Clear, EditCommand::InsertString(d.to_owned())]);
                }
                match line.read_line(prompt) {
                    Ok(Signal::Success(s)) => Ok(Input::Line(s)),
                    Ok(Signal::HostCommand(_)) => Ok(Input::Repair),
                    Ok(Signal::CtrlC) => Ok(Input::Cancelled),
                    Ok(Signal::CtrlD) => Ok(Input::End),
                    Ok(_) => Ok(Input::Cancelled),
                    Err(_) => {
                        // The terminal stopped answering: go on plainly.
                        *self = Editor::Plain { typed: String::new(), interactive: true };
                        self.read(prompt, draft, world, names)
                    }
                }
            }
            Editor::Plain { typed, interactive } => {
                let mut text = std::mem::take(typed);
                if let Some(d) = draft {
                    println!("{d}");
                }
                let first = if *interactive { prompt.plain() } else { String::new() };
                let mut prompt: &str = &first;
                // What was typed during the probe may hold whole lines; what follows the first is kept.
                if let Some((line, rest)) = text.clone().split_once(['\r', '\n']) {
                    *typed = rest.to_owned();
                    println!("{first}{line}");
                    return Ok(Input::Line(line.to_owned()));
                }
                loop {
                    let Some(line) = terminal::plain_line(prompt)? else {
                        return Ok(if text.is_empty() { Input::End } else { Input::Line(text) });
                    };
                    text.push_str(&line);
                    if recognise(&text, world, names) != Kind::Incomplete {
                        return Ok(Input::Line(text));
                    }
                    text.push('\n');
                    prompt = if *interactive { "> " } else { "" };
                }
            }
        }
    }

    /// Whether keys can be read one by one.
    pub fn interactive(&self) -> bool {
        !matches!(self, Editor::Plain { interactive: false, .. })
    }
}

fn history_file() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME")?);
    home.is_dir().then(|| home.join(".gcs_history"))
}

/// More lines are read while the command is not complete.
struct Completeness(Shared);

impl Validator for Completeness {
    fn validate(&self, line: &str) -> ValidationResult {
        let Ok(s) = self.0.read() else { return ValidationResult::Complete };
        let Some(world) = &s.world else { return ValidationResult::Complete };
        if recognise(line, world, &s.names) == Kind::Incomplete && matches!(shell::parse(line), Err(SyntaxError::Incomplete)) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Complete
        }
    }
}

/// The first word green where it is a command, the line blue where it is English.
struct Colours(Shared);

impl Highlighter for Colours {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let mut out = StyledText::new();
        let kind = match self.0.read() {
            Ok(s) => s.world.as_ref().map(|w| (recognise(line, w, &s.names), first_is_command(line, w, &s.names))),
            Err(_) => None,
        };
        match kind {
            Some((Kind::Language, _)) => out.push((Style::new().fg(Color::Cyan), line.to_owned())),
            Some((_, known)) => {
                let start = line.len() - line.trim_start().len();
                let end = line[start..].find(char::is_whitespace).map_or(line.len(), |n| start + n);
                out.push((Style::new(), line[..start].to_owned()));
                out.push((if known { Style::new().fg(Color::Green) } else { Style::new() }, line[start..end].to_owned()));
                out.push((Style::new(), line[end..].to_owned()));
            }
            None => out.push((Style::new(), line.to_owned())),
        }
        out
    }
}

fn first_is_command(line: &str, world: &LiveWorld, names: &[String]) -> bool {
    line.split_whitespace().next().is_some_and(|w| names.iter().any(|n| n == w) || world.has_command(w))
}

/// Completes commands in the first place, names of files elsewhere.
struct Names(Shared);

impl Completer for Names {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let found = match self.0.read() {
            Ok(s) => s.world.as_ref().map_or_else(Vec::new, |w| complete(line, pos, w, &s.names)),
            Err(_) => Vec::new(),
        };
        CompletionResult::fresh(found)
    }
}

/// Where the word at `pos` begins: after white space or an operator that is not quoted.
fn word_start(line: &str, pos: usize) -> usize {
    let mut start = 0;
    let mut escaped = false;
    for (i, c) in line[..pos].char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c.is_whitespace() || "|&;()<>".contains(c) {
            start = i + c.len_utf8();
        }
    }
    start
}

fn complete(line: &str, pos: usize, world: &LiveWorld, names: &[String]) -> Vec<Suggestion> {
    let pos = pos.min(line.len());
    if !line.is_char_boundary(pos) {
        return Vec::new();
    }
    let start = word_start(line, pos);
    let word = line[start..pos].replace('\\', "");
    let before = line[..start].trim_end();
    let first = before.is_empty() || before.ends_with(['|', '&', ';', '(']) || before.ends_with("sudo");
    let mut found: Vec<(String, bool)> = Vec::new();
    if first && !word.contains('/') {
        let mut add = |n: &str| {
            if n.starts_with(&word) {
                found.push((n.to_owned(), true));
            }
        };
        BUILTINS.iter().for_each(|b| add(b));
        names.iter().for_each(|n| add(n));
        for d in &world.path {
            for e in std::fs::read_dir(d).into_iter().flatten().flatten() {
                if let Some(n) = e.file_name().to_str() {
                    add(n);
                }
            }
        }
    }
    if !first || word.contains('/') {
        let (dir, prefix) = word.rsplit_once('/').map_or(("", word.as_str()), |(d, p)| (d, p));
        let place = match dir {
            "" if word.starts_with('/') => PathBuf::from("/"),
            "" => world.cwd.clone(),
            "~" => world.home.clone(),
            d => d.strip_prefix("~/").map_or_else(|| world.cwd.join(d), |r| world.home.join(r)),
        };
        for e in std::fs::read_dir(place).into_iter().flatten().flatten() {
            let Ok(n) = e.file_name().into_string() else { continue };
            if !n.starts_with(prefix) || (n.starts_with('.') && !prefix.starts_with('.')) {
                continue;
            }
            let is_dir = e.path().is_dir();
            let full = match word.rsplit_once('/') {
                Some((d, _)) => format!("{d}/{n}"),
                None => n,
            };
            found.push((if is_dir { format!("{full}/") } else { full }, !is_dir));
        }
    }
    found.sort();
    found.dedup();
    found
        .into_iter()
        .take(300)
        .map(|(v, space)| Suggestion { value: escape(&v), span: Span::new(start, pos), append_whitespace: space, ..Default::default() })
        .collect()
}

/// Special characters with a backslash in front, as people expect from completion.
fn escape(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if !(c.is_alphanumeric() || "_-./,:@%+=".contains(c) || (i == 0 && c == '~')) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_of_commands_and_paths() {
        let dir = std::env::temp_dir().join(format!("gcs-complete-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("bin")).unwrap();
        std::fs::create_dir_all(dir.join("some dir")).unwrap();
        std::fs::write(dir.join("bin/frobnicate"), "").unwrap();
        let world = LiveWorld { cwd: dir.clone(), home: dir.clone(), path: vec![dir.join("bin")] };
        let values = |l: &str| complete(l, l.len(), &world, &["frolic".into()]).into_iter().map(|s| s.value).collect::<Vec<_>>();
        assert_eq!(values("fro"), ["frobnicate", "frolic"]);
        assert_eq!(values("ls | frob"), ["frobnicate"]);
        assert_eq!(values("cat so"), ["some\\ dir/"]);
        assert_eq!(values("cat ~/b"), ["~/bin/"]);
        assert_eq!(values("bin/f"), ["bin/frobnicate"]);
        assert!(values("cat zzz").is_empty());
        std::fs::remove_dir_all(dir).unwrap();
    }
}

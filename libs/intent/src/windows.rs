//! Requests about windows, workspaces and the desktop: "put the terminal left and the browser right", "close everything but the editor".
//!
//! Rules that must account for every word: what holds other words is no request about windows.

use actions::desktop::{DesktopAction as Do, Part, Side};
use actions::{Action, Plan, RiskContext, Step, classify};

use crate::engine::{Answer, Reading};
use crate::text;

/// A window, as far as a request may name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// The compositor's number for it.
    pub id: u64,
    /// Its title.
    pub title: String,
    /// What its program calls itself.
    pub app: String,
    /// It has the keyboard.
    pub focused: bool,
    /// It is hidden.
    pub minimized: bool,
    /// Its workspace, from 1.
    pub workspace: usize,
}

/// Kinds of programs: what people say, and what programs call themselves.
const KINDS: &[(&[&str], &[&str])] = &[
    (&["terminal", "console", "shell", "term", "terminals"], &["foot", "term", "console", "konsole", "alacritty", "kitty"]),
    (&["editor", "editors"], &["edit", "nano", "vim", "code", "kate", "emacs"]),
    (&["browser", "web", "browsers"], &["firefox", "chrom", "browser", "epiphany", "falkon", "netsurf"]),
    (&["manager", "files", "file", "explorer"], &["files", "nautilus", "thunar", "dolphin", "pcmanfm"]),
    (&["music", "player", "video"], &["music", "player", "mpv", "vlc", "video"]),
    (&["mail", "email"], &["mail", "thunderbird", "evolution"]),
    (&["store", "software"], &["store", "software"]),
    (&["settings", "preferences"], &["settings", "control"]),
    (&["calculator", "calc"], &["calc"]),
];

/// Words that carry nothing between the others.
const FILLERS: &[&str] = &["the", "a", "my", "please", "window", "app", "program", "application", "of", "screen", "side", "half", "to", "on", "in", "at", "onto", "into", "it's", "its", "edge", "position", "for", "me", "one", "currently", "just", "over", "there", "corner", "now", "up", "i", "mode", "so", "that", "is", "located"];

/// What of the windows is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Focused,
    These(Vec<u64>),
}

struct Clause<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Clause<'a> {
    fn left(&self) -> &[&'a str] {
        &self.words[self.at..]
    }

    fn skip(&mut self) {
        while self.left().first().is_some_and(|w| FILLERS.contains(w)) {
            self.at += 1;
        }
    }

    /// Takes the first of `phrases` that follows, fillers in front ignored.
    fn take<T: Copy>(&mut self, phrases: &[(&str, T)]) -> Option<T> {
        for skipped in [false, true] {
            if skipped {
                self.skip();
            }
            let found = phrases.iter().filter(|(p, _)| {
                let p: Vec<&str> = p.split(' ').collect();
                self.left().starts_with(&p)
            });
            if let Some((p, v)) = found.max_by_key(|(p, _)| p.len()) {
                self.at += p.split(' ').count();
                return Some(*v);
            }
        }
        None
    }

    fn done(&mut self) -> bool {
        self.skip();
        self.at >= self.words.len()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Place,
    Close,
    Hide,
    Maximize,
    Fullscreen,
    Focus,
    Swap,
    Bring,
    Sticky,
    Floating,
    Stash,
}

const VERBS: &[(&str, Verb)] = &[
    ("put", Verb::Place), ("move", Verb::Place), ("snap", Verb::Place), ("place", Verb::Place), ("send", Verb::Place), ("throw", Verb::Place), ("bring", Verb::Bring), ("get", Verb::Place), ("keep", Verb::Place), ("dock", Verb::Place), ("tile", Verb::Place), ("shove", Verb::Place), ("push", Verb::Place), ("drag", Verb::Place), ("have", Verb::Place), ("set", Verb::Place), ("want", Verb::Place), ("make", Verb::Place), ("fill", Verb::Place),
    ("close", Verb::Close), ("quit", Verb::Close), ("exit", Verb::Close), ("shut", Verb::Close), ("dismiss", Verb::Close), ("get rid of", Verb::Close),
    ("minimize", Verb::Hide), ("minimise", Verb::Hide), ("hide", Verb::Hide), ("iconify", Verb::Hide), ("get out of the way", Verb::Hide),
    ("maximize", Verb::Maximize), ("maximise", Verb::Maximize), ("enlarge", Verb::Maximize), ("fullscreen", Verb::Fullscreen), ("full screen", Verb::Fullscreen),
    ("focus", Verb::Focus), ("focus on", Verb::Focus), ("switch to", Verb::Focus), ("show", Verb::Focus), ("show me", Verb::Focus), ("bring up", Verb::Focus), ("raise", Verb::Focus), ("activate", Verb::Focus), ("go to", Verb::Focus), ("jump to", Verb::Focus), ("bring back", Verb::Focus), ("restore", Verb::Focus), ("unhide", Verb::Focus), ("change to", Verb::Focus), ("take me to", Verb::Focus), ("unminimize", Verb::Focus), ("where is", Verb::Focus),
    ("swap", Verb::Swap), ("exchange", Verb::Swap), ("stick", Verb::Sticky), ("pin", Verb::Sticky), ("float", Verb::Floating), ("stash", Verb::Stash),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Part(Part),
    Workspace(usize),
    Hidden,
    Front,
    Everywhere,
    Scratchpad,
}

const PLACES: &[(&str, Where)] = &[
    ("left", Where::Part(Part::Left)), ("left half", Where::Part(Part::Left)), ("right", Where::Part(Part::Right)), ("right half", Where::Part(Part::Right)), ("left hand", Where::Part(Part::Left)), ("right hand", Where::Part(Part::Right)), ("left-hand", Where::Part(Part::Left)), ("right-hand", Where::Part(Part::Right)),
    ("top left", Where::Part(Part::TopLeft)), ("upper left", Where::Part(Part::TopLeft)), ("top-left", Where::Part(Part::TopLeft)), ("left top", Where::Part(Part::TopLeft)), ("top right", Where::Part(Part::TopRight)), ("upper right", Where::Part(Part::TopRight)), ("top-right", Where::Part(Part::TopRight)), ("right top", Where::Part(Part::TopRight)),
    ("bottom left", Where::Part(Part::BottomLeft)), ("lower left", Where::Part(Part::BottomLeft)), ("bottom-left", Where::Part(Part::BottomLeft)), ("bottom right", Where::Part(Part::BottomRight)), ("lower right", Where::Part(Part::BottomRight)), ("bottom-right", Where::Part(Part::BottomRight)),
    ("full screen", Where::Part(Part::Fullscreen)), ("fullscreen", Where::Part(Part::Fullscreen)), ("full-screen", Where::Part(Part::Fullscreen)), ("whole screen", Where::Part(Part::Fullscreen)), ("entire screen", Where::Part(Part::Fullscreen)), ("maximized", Where::Part(Part::Maximized)), ("maximised", Where::Part(Part::Maximized)), ("as large as possible", Where::Part(Part::Maximized)), ("as big as possible", Where::Part(Part::Maximized)),
    ("maximum", Where::Part(Part::Maximized)), ("normal size", Where::Part(Part::Free)), ("back to normal", Where::Part(Part::Free)), ("smaller again", Where::Part(Part::Free)), ("old size", Where::Part(Part::Free)),
    ("background", Where::Hidden), ("away", Where::Hidden), ("out of the way", Where::Hidden), ("front", Where::Front), ("foreground", Where::Front), ("top", Where::Front), ("every workspace", Where::Everywhere), ("all workspaces", Where::Everywhere), ("every desktop", Where::Everywhere), ("all desktops", Where::Everywhere), ("scratchpad", Where::Scratchpad),
];

const NUMBERS: &[&str] = &["first", "second", "third", "fourth", "fifth", "sixth"];

/// "workspace 3", "desktop two", "the second workspace".
fn workspace(c: &mut Clause<'_>) -> Option<usize> {
    c.skip();
    let noun = |w: &str| matches!(w, "workspace" | "desktop");
    let number = |w: &str| w.parse::<usize>().ok().or_else(|| (w == "one").then_some(1)).or_else(|| NUMBERS.iter().position(|n| *n == w).map(|n| n + 1)).filter(|n| (1..=9).contains(n));
    let (a, b) = (c.left().first()?, c.left().get(1)?);
    let n = if noun(a) { let b = if *b == "number" { c.left().get(2)? } else { b }; number(b)? } else if noun(b) { number(a)? } else { return None };
    c.at += if c.left().get(1) == Some(&"number") { 3 } else { 2 };
    Some(n)
}

fn place(c: &mut Clause<'_>) -> Option<Where> {
    let at = c.at;
    if let Some(n) = workspace(c) {
        return Some(Where::Workspace(n));
    }
    c.at = at;
    let found = c.take(PLACES);
    if found.is_none() {
        c.at = at;
    }
    found
}

/// Words that mean other things as well: only with "window" behind them.
const AMBIGUOUS: &[&str] = &["files", "file", "shell", "music", "video", "mail", "email", "web", "store", "software", "settings", "preferences", "manager", "player", "explorer"];

fn named(word: &str, is_window: bool, windows: &[Window]) -> Vec<u64> {
    let kind = KINDS.iter().find(|(said, _)| said.contains(&word)).filter(|_| is_window || !AMBIGUOUS.contains(&word));
    let hit = |w: &Window| {
        let app = w.app.to_lowercase();
        let title = w.title.to_lowercase();
        let own = app == word || app.rsplit(['.', '-']).next() == Some(word) && (is_window || !AMBIGUOUS.contains(&word));
        kind.is_some_and(|(_, apps)| apps.iter().any(|a| app.contains(a))) || own || (is_window && title.split(|c: char| c.is_whitespace() || ",;:|".contains(c)).any(|t| t == word))
    };
    windows.iter().filter(|w| hit(w)).map(|w| w.id).collect()
}

/// The windows that are meant. `None` where no window is named.
fn target(c: &mut Clause<'_>, windows: &[Window]) -> Option<Target> {
    let before = c.at;
    // "window" alone is the focused one, so it is looked for before it is skipped.
    while c.left().first().is_some_and(|w| matches!(*w, "the" | "my" | "a" | "please" | "currently" | "to" | "on" | "i")) {
        c.at += 1;
    }
    let focused = [("window i am in", ()), ("this window", ()), ("this", ()), ("it", ()), ("current window", ()), ("active window", ()), ("focused window", ()), ("current one", ()), ("that window", ()), ("window", ())];
    let rest = c.left().join(" ");
    if focused.iter().any(|(f, ())| rest == *f || rest.starts_with(&format!("{f} "))) && !rest.starts_with("window called") && !rest.starts_with("window with") {
        c.take(&focused);
        return Some(Target::Focused);
    }
    if let Some(all) = c.take(&[("everything", true), ("all windows", true), ("all the windows", true), ("all open windows", true), ("every window", true), ("all my windows", true), ("all", true), ("all other windows", false), ("all the other windows", false), ("other windows", false), ("every other window", false), ("others", false), ("all the others", false), ("all others", false), ("the others", false), ("everything else", false)]) {
        if !all {
            return Some(Target::These(windows.iter().filter(|w| !w.focused).map(|w| w.id).collect()));
        }
        let except = c.take(&[("but", ()), ("except", ()), ("except for", ()), ("apart from", ()), ("besides", ()), ("other than", ()), ("but not", ()), ("excluding", ())]);
        if except.is_some() {
            let mut kept: Vec<u64> = Vec::new();
            loop {
                match target(c, windows)? {
                    Target::Focused => kept.extend(windows.iter().filter(|w| w.focused).map(|w| w.id)),
                    Target::These(some) => kept.extend(some),
                }
                if c.take(&[("and", ())]).is_none() {
                    break;
                }
            }
            return Some(Target::These(windows.iter().map(|w| w.id).filter(|id| !kept.contains(id)).collect()));
        }
        return Some(Target::These(windows.iter().map(|w| w.id).collect()));
    }
    c.skip();
    if matches!(c.left().first(), Some(&"called" | &"titled" | &"named" | &"with")) {
        c.at += 1;
    }
    let several = c.take(&[("all", ()), ("both", ()), ("every", ())]).is_some();
    c.skip();
    // "file manager", "web browser", "text editor": two words of one thing.
    let first = *c.left().first()?;
    let second = c.left().get(1).copied().unwrap_or("");
    let pair = matches!((first, second), ("file", "manager" | "browser" | "explorer") | ("web", "browser") | ("text", "editor") | ("music" | "video" | "media", "player") | ("software", "store") | ("app", "store"));
    let word = match (first, second) {
        ("file", _) if pair => "files",
        ("text" | "web" | "app", s) if pair => s,
        _ => first,
    };
    let behind = c.left().get(if pair { 2 } else { 1 }).copied().unwrap_or("");
    let mut found = named(word, pair || matches!(behind, "window" | "windows" | "app"), windows);
    if found.is_empty() {
        c.at = before;
        return None;
    }
    c.at += if pair { 2 } else { 1 };
    while matches!(c.left().first(), Some(&"window" | &"windows")) {
        c.at += 1;
    }
    // One of several: the topmost, which comes first.
    if !several && found.len() > 1 && !matches!(c.words.get(c.at.wrapping_sub(1)), Some(&"windows")) && !word.ends_with("terminals") {
        found.truncate(1);
    }
    Some(Target::These(found))
}

fn each(t: &Target, make: impl Fn(Option<u64>) -> Do) -> Vec<Do> {
    match t {
        Target::Focused => vec![make(None)],
        Target::These(ids) => ids.iter().map(|id| make(Some(*id))).collect(),
    }
}

fn id_of(t: &Target, windows: &[Window]) -> Option<u64> {
    match t {
        Target::Focused => windows.iter().find(|w| w.focused).map(|w| w.id),
        Target::These(ids) => ids.first().copied(),
    }
}

/// What the desktop is asked for by a verb and a thing, or by the thing alone.
#[derive(Clone, Copy)]
enum Thing {
    Overview,
    Next,
    Previous,
    Tiling,
    Undo,
    Redo,
    Launcher,
    Terminal,
    Scratchpad,
    QuickSettings,
    Desktop,
    End,
}

const SHOW: &[&str] = &["show", "open", "display", "give", "list", "toggle", "bring", "see", "need", "want", "start", "launch", "get", "hide", "close", "present"];
const GO: &[&str] = &["go", "switch", "change", "jump", "cycle", "back", "show", "focus", "activate"];
const BACK: &[&str] = &["undo", "revert", "restore", "put", "take", "bring"];

const THINGS: &[(&[&str], &[&str], Thing)] = &[
    (SHOW, &["all windows", "overview", "overview windows", "overview all windows", "all open windows", "open windows", "window overview", "which windows are open show", "which windows are open", "what windows are open", "which windows there are"], Thing::Overview),
    (GO, &["next window", "other window", "switch window", "switch windows", "windows", "another window", "next one", "last window"], Thing::Next),
    (GO, &["previous window", "back previous window", "window before"], Thing::Previous),
    (&["tile", "arrange", "turn", "toggle", "enable", "disable", "switch", "stop", "start", "let", "float", "use"], &["windows", "all windows", "everything", "windows as tiles", "all windows as tiles", "on tiling", "tiling on", "off tiling", "tiling off", "tiling", "tiling mode", "workspace", "this workspace", "windows on workspace", "all windows on this workspace", "windows on this workspace", "windows float", "windows side by side", "all windows side by side"], Thing::Tiling),
    (BACK, &["last window change", "window change", "layout", "layout change", "last layout change", "last change windows", "windows back", "windows back where they were", "windows back as they were", "window move", "last window move", "previous layout", "previous window layout", "window layout", "old layout", "back old layout", "last window operation", "last move window"], Thing::Undo),
    (&["redo"], &["layout", "layout change", "window change", "last window change", "last layout change"], Thing::Redo),
    (SHOW, &["launcher", "start menu", "app menu", "application menu", "app launcher", "applications", "applications menu", "program launcher"], Thing::Launcher),
    (SHOW, &["terminal", "new terminal", "another terminal", "terminal window", "new terminal window", "another terminal window", "second terminal"], Thing::Terminal),
    (SHOW, &["scratchpad"], Thing::Scratchpad),
    (SHOW, &["quick settings", "quick settings menu", "quick settings panel", "control center", "control centre", "status menu", "system menu"], Thing::QuickSettings),
    (&["show", "clear", "go", "minimize", "minimise", "hide"], &["desktop", "everything", "all windows", "all open windows"], Thing::Desktop),
    (&["end", "quit", "leave", "log", "close", "exit", "terminate", "stop"], &["desktop", "desktop session", "gde", "out desktop", "out desktop session", "session"], Thing::End),
];

/// Whole requests that name no window.
fn whole(words: &[&str], windows: &[Window]) -> Option<Vec<Do>> {
    let words: Vec<&str> = words.iter().copied().filter(|w| !matches!(*w, "the" | "a" | "an" | "my" | "me" | "please" | "of" | "up" | "to" | "i" | "now")).collect();
    let first = *words.first()?;
    let rest = words[1..].join(" ");
    let all = words.join(" ");
    // The longest description that fits; a verb counts.
    let thing = THINGS.iter().filter(|(verbs, things, _)| verbs.contains(&first) && things.contains(&rest.as_str())).map(|t| t.2).next_back();
    let alone = || THINGS.iter().filter(|(_, things, t)| things.contains(&all.as_str()) && all.contains(' ') && !matches!(t, Thing::Desktop | Thing::End | Thing::Tiling)).map(|t| t.2).next();
    let thing = match (thing, first) {
        // "show all windows", but "hide all windows".
        (Some(Thing::Overview | Thing::Desktop), "hide" | "minimize" | "minimise") => Thing::Desktop,
        (Some(Thing::Desktop), "show") if rest != "desktop" => Thing::Overview,
        (Some(Thing::Launcher | Thing::Terminal), "hide" | "close") => return None,
        // All of them are closed one by one, below.
        (Some(Thing::Overview), "close") if rest.contains("all") || rest.starts_with("open") => return None,
        (Some(Thing::Terminal), "show" | "bring" | "toggle" | "display" | "list" | "see") => return None,
        (Some(t), _) => t,
        (None, _) => alone()?,
    };
    Some(match thing {
        Thing::Overview => vec![Do::Overview],
        Thing::Next => vec![Do::NextWindow],
        Thing::Previous => vec![Do::PreviousWindow],
        Thing::Tiling => vec![Do::ToggleTiling],
        Thing::Undo => vec![Do::Undo],
        Thing::Redo => vec![Do::Redo],
        Thing::Launcher => vec![Do::Launcher],
        Thing::Terminal => vec![Do::Terminal],
        Thing::Scratchpad => vec![Do::Scratchpad],
        Thing::QuickSettings => vec![Do::QuickSettings],
        Thing::Desktop => windows.iter().filter(|w| !w.minimized).map(|w| Do::Minimize { window: Some(w.id) }).collect(),
        Thing::End => vec![Do::Quit],
    })
}

/// "terminal and browser side by side", "put X next to Y", "X left of Y".
fn side_by_side(words: &[&str], windows: &[Window]) -> Option<Vec<Do>> {
    let joined = words.join(" ");
    let (a, b) = if let Some(rest) = joined.strip_suffix(" side by side").or_else(|| joined.strip_suffix(" next to each other")).or_else(|| joined.strip_suffix(" beside each other")) {
        rest.split_once(" and ").map(|(a, b)| (a.to_owned(), b.to_owned()))?
    } else {
        let cut = [" next to ", " beside ", " to the left of ", " left of ", " to the right of ", " right of ", " alongside "].into_iter().find(|c| joined.contains(c))?;
        let (a, b) = joined.split_once(cut)?;
        if cut.contains("right of") { (b.to_owned(), a.to_owned()) } else { (a.to_owned(), b.to_owned()) }
    };
    let one = |s: &str| {
        let mut c = Clause { words: s.split(' ').collect(), at: 0 };
        let _ = c.take(VERBS);
        let t = target(&mut c, windows)?;
        if !c.done() { return None }
        id_of(&t, windows)
    };
    let (a, b) = (one(&a)?, one(&b)?);
    (a != b).then(|| vec![Do::Put { window: Some(a), part: Part::Left }, Do::Put { window: Some(b), part: Part::Right }])
}

fn swap(c: &mut Clause<'_>, windows: &[Window]) -> Option<Vec<Do>> {
    let a = target(c, windows)?;
    c.take(&[("and", ()), ("with", ())])?;
    let b = target(c, windows)?;
    (c.done()).then_some(())?;
    Some(vec![Do::Swap { window: id_of(&a, windows)?, other: id_of(&b, windows)? }])
}

/// One thing to do, as far as the words say it. What was said before counts on: "put the terminal left and the browser right".
fn clause(c: &mut Clause<'_>, carried: &mut Option<Verb>, said: &mut Option<Target>, windows: &[Window]) -> Option<Vec<Do>> {
    // "go to workspace 2", "workspace 2", "switch to the second desktop".
    let begin = c.at;
    let _ = c.take(&[("go to", ()), ("switch to", ()), ("show", ()), ("show me", ()), ("change to", ()), ("jump to", ()), ("take me to", ()), ("move to", ()), ("open", ())]);
    if let Some(n) = workspace(c)
        && c.done()
    {
        return Some(vec![Do::Workspace { workspace: n }]);
    }
    c.at = begin;
    let spoken = c.take(VERBS);
    if spoken.is_none() {
        c.at = begin;
    }
    // Without a verb a place says what is meant.
    let verb = spoken.or(*carried).unwrap_or(Verb::Place);
    *carried = Some(verb);
    if verb == Verb::Swap {
        return swap(c, windows);
    }
    let at = c.at;
    let mut to = None;
    let mut t = match target(c, windows) {
        Some(t) => t,
        None => {
            c.at = at;
            to = place(c);
            match target(c, windows) {
                Some(t) if spoken.is_some() => t,
                // "snap left", "maximize": the window in front.
                _ if spoken.is_some() && c.done() && (to.is_some() && verb == Verb::Place || to.is_none() && matches!(verb, Verb::Maximize | Verb::Fullscreen)) => Target::Focused,
                _ => return None,
            }
        }
    };
    if to.is_none() {
        to = place(c);
    }
    if let Target::Focused = t
        && let Some(before) = said.clone()
        && c.words[at..c.at].contains(&"it")
    {
        t = before;
    }
    *said = Some(t.clone());
    c.skip();
    if let Target::These(ids) = &t
        && ids.is_empty()
    {
        return None;
    }
    Some(match (verb, to) {
        (Verb::Close, None) => each(&t, |window| Do::Close { window }),
        (Verb::Hide, None) => each(&t, |window| Do::Minimize { window }),
        (Verb::Maximize, None) => each(&t, |window| Do::Put { window, part: Part::Maximized }),
        (Verb::Fullscreen, None) => each(&t, |window| Do::Put { window, part: Part::Fullscreen }),
        (Verb::Focus | Verb::Bring, None | Some(Where::Front)) => vec![Do::Focus { window: id_of(&t, windows)? }],
        (Verb::Focus | Verb::Place | Verb::Maximize | Verb::Bring, Some(Where::Part(part))) => each(&t, |window| Do::Put { window, part }),
        (Verb::Place | Verb::Bring, Some(Where::Workspace(workspace))) => each(&t, |window| Do::MoveTo { window, workspace }),
        (Verb::Place, Some(Where::Hidden)) => each(&t, |window| Do::Minimize { window }),
        (Verb::Place, Some(Where::Front)) => vec![Do::Focus { window: id_of(&t, windows)? }],
        (Verb::Place | Verb::Focus | Verb::Sticky, Some(Where::Everywhere)) | (Verb::Sticky, None) => each(&t, |window| Do::ToggleSticky { window }),
        (Verb::Place | Verb::Stash, Some(Where::Scratchpad)) | (Verb::Stash, None) => each(&t, |window| Do::ToScratchpad { window }),
        (Verb::Floating, None) => each(&t, |window| Do::ToggleFloating { window }),
        _ => return None,
    })
}

/// What a request about windows means; `None` where it is about something else.
pub fn read(text: &str, windows: &[Window]) -> Option<Vec<Do>> {
    let tokens = text::strip_politeness(text::tokenize(text));
    let mut norms: Vec<String> = tokens.into_iter().map(|t| t.norm).collect();
    while norms.len() > 1 && matches!(norms.last().map(String::as_str), Some("please" | "now" | "again")) && !norms.ends_with(&["smaller".into(), "again".into()]) {
        norms.pop();
    }
    let words: Vec<&str> = norms.iter().map(String::as_str).collect();
    if words.len() > 24 {
        return None;
    }
    if let Some(found) = whole(&words, windows) {
        return (!found.is_empty()).then_some(found);
    }
    if let Some(found) = side_by_side(&words, windows) {
        return Some(found);
    }
    let mut c = Clause { words, at: 0 };
    let (mut carried, mut said) = (None, None);
    let mut all: Vec<Do> = Vec::new();
    while !c.done() {
        let _ = c.take(&[("and", ()), ("then", ()), ("and then", ())]);
        for action in clause(&mut c, &mut carried, &mut said, windows)? {
            if all.last() != Some(&action) {
                all.push(action);
            }
        }
    }
    (!all.is_empty()).then_some(all)
}

fn title<'a>(id: Option<u64>, windows: &'a [Window]) -> &'a str {
    match id {
        None => "the window in front",
        Some(id) => windows.iter().find(|w| w.id == id).map_or("a window", |w| if w.title.is_empty() { &w.app } else { &w.title }),
    }
}

/// What an action does, in words.
fn why(action: &Do, windows: &[Window]) -> String {
    let name = |id: &Option<u64>| title(*id, windows).to_owned();
    match action {
        Do::Focus { window } => format!("Shows {} in front.", title(Some(*window), windows)),
        Do::Close { window } => format!("Asks {} to close.", name(window)),
        Do::Put { window, part: Part::Fullscreen } => format!("Gives {} the whole screen.", name(window)),
        Do::Put { window, part: Part::Maximized } => format!("Makes {} as large as the screen allows.", name(window)),
        Do::Put { window, part: Part::Free } => format!("Gives {} its own size again.", name(window)),
        Do::Put { window, part } => format!("Puts {} to the {}.", name(window), part.to_string().replace('-', " ")),
        Do::Minimize { window } => format!("Hides {}.", name(window)),
        Do::MoveTo { window, workspace } => format!("Moves {} to workspace {workspace}.", name(window)),
        Do::Workspace { workspace } => format!("Shows workspace {workspace}."),
        Do::Swap { window, other } => format!("Exchanges {} and {}.", title(Some(*window), windows), title(Some(*other), windows)),
        Do::ToggleSticky { window } => format!("Shows {} on all workspaces, or only on its own again.", name(window)),
        Do::Snap { window, side } => format!("Snaps {} {}.", name(window), match side { Side::Left => "left", Side::Right => "right", Side::Up => "up", Side::Down => "down" }),
        Do::ToggleTiling => "Tiles this workspace, or lets its windows float again.".into(),
        Do::Undo => "Takes the last change of the layout back.".into(),
        Do::Redo => "Makes it again.".into(),
        Do::Overview => "Shows all windows.".into(),
        Do::Launcher => "Opens the launcher.".into(),
        Do::QuickSettings => "Opens the quick settings, or closes them.".into(),
        Do::Terminal => "Opens a terminal.".into(),
        Do::Quit => "Ends the desktop, and the programs in it.".into(),
        other => format!("Does {other} on the desktop."),
    }
}

/// The plan of actions of the desktop.
pub fn plan(actions: Vec<Do>, windows: &[Window], risk: &RiskContext, intent: &'static str) -> Answer {
    let steps = actions
        .into_iter()
        .map(|action| {
            let why = why(&action, windows);
            let quits = action == Do::Quit;
            let action = Action::Desktop { action };
            // All but ending the desktop can be taken back, or asks the program.
            let risk = if quits { actions::Risk::Dangerous } else { classify(&action.text(), risk).min(actions::Risk::Confirm) };
            Step { action, why, risk, missing: Vec::new() }
        })
        .collect();
    let plan = Plan { plan: steps, confidence: 0.95, source: format!("intent:{intent}") };
    Answer::Plan { best: Reading { intent, plan }, others: Vec::new() }
}

/// Understands a request about windows.
pub fn ask(text: &str, windows: &[Window], risk: &RiskContext) -> Option<Answer> {
    Some(plan(read(text, windows)?, windows, risk, "windows"))
}

/// How the steps of a plan are taken back: so many times. `None` where a step was no change of the layout.
pub(crate) fn undo_of(plan: &Plan) -> Option<Vec<Do>> {
    let mut n = 0;
    for s in &plan.plan {
        let Action::Desktop { action } = &s.action else { return None };
        match action {
            Do::Put { .. } | Do::Snap { .. } | Do::Frame { .. } | Do::Minimize { .. } | Do::MoveTo { .. } | Do::Swap { .. } | Do::ToggleTiling | Do::ToggleFloating { .. } | Do::ToggleSticky { .. } | Do::ToggleMaximized { .. } | Do::ToggleFullscreen { .. } | Do::Share { .. } => n += 1,
            Do::Undo => return Some(vec![Do::Redo]),
            Do::Redo => return Some(vec![Do::Undo]),
            _ => return None,
        }
    }
    (n > 0).then(|| vec![Do::Undo; n])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows() -> Vec<Window> {
        let w = |id, title: &str, app: &str, focused| Window { id, title: title.into(), app: app.into(), focused, minimized: false, workspace: 1 };
        vec![w(1, "root@genai: ~", "foot", true), w(2, "notes.txt - Text Editor", "gde-editor", false), w(3, "News - Firefox", "firefox", false)]
    }

    fn said(text: &str) -> Option<String> {
        Some(read(text, &windows())?.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn windows_are_placed_closed_and_shown() {
        for (text, expected) in [
            ("put the terminal left", "put 1 left"),
            ("put the terminal left and the browser right", "put 1 left; put 3 right"),
            ("close everything but the editor", "close 1; close 3"),
            ("close all windows", "close 1; close 2; close 3"),
            ("close all open windows", "close 1; close 2; close 3"),
            ("please maximize firefox", "put 3 maximized"),
            ("move this window to workspace 2", "move-to 2"),
            ("editor and browser side by side", "put 2 left; put 3 right"),
            ("swap the editor with the terminal", "swap 2 1"),
            ("minimize everything except firefox", "minimize 1; minimize 2"),
            ("go to the second workspace", "workspace 2"),
            ("close this window", "close"),
            ("snap left", "put left"),
            ("hide the browser", "minimize 3"),
            ("open the quick settings", "quick-settings"),
            ("show me the control center please", "quick-settings"),
        ] {
            assert_eq!(said(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_requests_are_left_alone() {
        for text in ["move notes.txt to docs", "close port 80", "show the files", "put foo in bar.txt", "kill nginx", "delete the left one", "go to docs", "show processes", "move all txt files to backup", "make a folder", "show me the editor config", "exit", "quit", "tile.txt", "close", "show the file manager", "show notes.txt", "show me files", "left"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}

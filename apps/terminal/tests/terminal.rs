//! The terminal as a person uses it: real programs on real pseudoterminals, in a window that nobody sees.

use genai_ui::core::keyboard::Modifiers;
use genai_ui::core::keyboard::key::Named;
use genai_ui::headless::Headless;
use std::time::Duration;
use terminal::session::{Program, Session};
use terminal::{Message, Terminal};

/// More than anything takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const CTRL_SHIFT: Modifiers = Modifiers::CTRL.union(Modifiers::SHIFT);

fn open(words: &[&str]) -> Headless<Terminal> {
    let program = Program { words: words.iter().map(|&it| it.to_owned()).collect(), folder: Some("/".into()) };
    let (app, start) = Terminal::new(program, 14.0, false);
    let mut window = Headless::new(app, 820, 520).with_tasks_beside();
    window.follow(start);
    // The first frame settles the size.
    window.picture();
    window
}

/// A shell without settings of its own.
fn shell() -> Headless<Terminal> {
    let mut window = open(&["env", "PS1=ready> ", "ENV=", "dash", "-i"]);
    until(&mut window, |text| text.contains("ready>"));
    window
}

fn text(window: &Headless<Terminal>) -> String {
    window.app().session().map(Session::text).unwrap_or_default()
}

#[track_caller]
fn until(window: &mut Headless<Terminal>, is_so: impl Fn(&str) -> bool) {
    let came = window.wait_until(LIMIT, |window| is_so(&text(window)));
    assert!(came, "the screen does not come to that:\n{}", text(window));
}

fn enter(window: &mut Headless<Terminal>, line: &str) {
    window.type_text(line);
    window.press(Named::Enter);
}

/// What a program writes, once it has written all.
fn written(script: &str) -> (Headless<Terminal>, String) {
    let mut window = open(&["sh", "-c", &format!("{script}; printf '\\033]2;written\\007'; read x")]);
    assert!(window.wait_until(LIMIT, |window| genai_ui::App::title(window.app()) == "written"), "{}", text(&window));
    let seen = text(&window);
    (window, seen)
}

#[test]
fn what_is_typed_is_run() {
    let mut window = shell();
    enter(&mut window, "echo hello | tr a-z A-Z");
    until(&mut window, |text| text.contains("\nHELLO\nready>"));
    enter(&mut window, "cat");
    enter(&mut window, "line");
    until(&mut window, |text| text.contains("line\nline"));
    window.hold(Modifiers::CTRL);
    window.type_text("c");
    window.hold(Modifiers::empty());
    until(&mut window, |text| text.trim_end().ends_with("ready>"));
    enter(&mut window, "exit");
    assert!(window.wait_until(LIMIT, |window| window.is_over()), "the window closes with its last shell");
}

#[test]
fn sequences_are_understood() {
    // Places, erasing, inserting and deleting of lines and letters, regions that scroll, tabs, what is saved and restored.
    let (_, seen) = written(r"printf '\033[2J\033[3;5Hthree\033[1;1Hone\033[2;1Htwofter\033[2;3H\033[1@X\033[4;1Ha\tb'");
    assert!(seen.starts_with("one\ntwXofter\n    three\na\tb"), "{seen}");
    let (_, seen) = written(r"printf '\033[2J\033[Ha\r\nb\r\nc\r\nd\033[2;1H\033[Lnew\033[4;1H\033[M'");
    assert!(seen.starts_with("a\nnew\nb\nd"), "{seen}");
    let (_, seen) = written(r"printf '\033[2J\033[Htop\r\n1\r\n2\r\n3\r\nbelow\033[2;4r\033[4;1H\nend\033[r'");
    assert!(seen.starts_with("top\n2\n3\nend\nbelow"), "{seen}");
    let (_, seen) = written(r"printf 'kept\0337\033[5;5Hfar\0338 here\033[1K\033[6;1Hrest\033[6;3H\033[P'");
    assert!(seen.lines().nth(4) == Some("    far") && seen.lines().nth(5) == Some("ret"), "{seen}");
    // The other screen leaves the first as it was.
    let (_, seen) = written(r"printf 'first\033[?1049h\033[Hsecond\033[?1049l'");
    assert!(seen.starts_with("first") && !seen.contains("second"), "{seen}");
    // Lines drawn by the old set of letters.
    let (_, seen) = written(r"printf '\033(0lqk\033(B'");
    assert!(seen.starts_with("┌─┐"), "{seen}");
}

#[test]
fn programs_are_answered() {
    // Who and where it is: a program reads that from its own input.
    let (_, seen) = written(r"stty raw -echo min 0 time 20; printf '\033[c\033[6n'; head -c 11 | tr '\033' E; stty sane");
    assert!(seen.contains("E[?6c") && seen.contains("E[1;1R"), "{seen}");
}

#[test]
fn letters_of_all_widths() {
    let (mut window, seen) = written("printf '日本語|\\né|e\\314\\201|\\n'");
    assert!(seen.starts_with("日本語|\né|e\u{301}|"), "{seen}");
    let column = |window: &Headless<Terminal>| window.app().session().map(|it| it.with_term(|term| term.grid()[alacritty_terminal::index::Line(0)][alacritty_terminal::index::Column(6)].c));
    assert_eq!(column(&window), Some('|'), "a wide letter takes two cells");
    assert!(has_colour(&mut window, [0xe6, 0xe8, 0xec]), "and is drawn");
}

/// Whether a pixel of the picture has a colour.
fn has_colour(window: &mut Headless<Terminal>, [r, g, b]: [u8; 3]) -> bool {
    let pixel = u32::from_be_bytes([255, r, g, b]);
    window.picture().contains(&pixel)
}

#[test]
fn colours_are_shown() {
    let (mut window, _) = written(r"printf '\033[41m red \033[48;5;21m blue \033[48;2;1;2;3m own \033[0m'");
    for colour in [[0xe5, 0x48, 0x4d], [0, 0, 255], [1, 2, 3]] {
        assert!(has_colour(&mut window, colour), "{colour:?}");
    }
    let folder = std::env::temp_dir().join(format!("terminal-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("folder")).expect("a folder");
    let (mut window, seen) = written(&format!("LS_COLORS='di=48;2;9;8;7' ls --color=always {}", folder.display()));
    std::fs::remove_dir_all(&folder).expect("removed");
    assert!(seen.starts_with("folder") && has_colour(&mut window, [9, 8, 7]), "{seen}");
}

#[test]
fn the_size_is_told() {
    let mut window = shell();
    let asks = |window: &mut Headless<Terminal>, name: &str| {
        enter(window, &format!("echo {name}-size $(stty size)"));
        let start = format!("\n{name}-size ");
        until(window, |text| text.split_once(&start).is_some_and(|(_, rest)| rest.contains('\n')));
        let text = text(window);
        let line = text.split_once(&start).and_then(|(_, rest)| rest.lines().next()).expect("a size");
        line.split(' ').map(|it| it.parse().expect("a number")).collect::<Vec<u32>>()
    };
    let before = asks(&mut window, "a");
    window.resize(600, 300);
    window.picture();
    let after = asks(&mut window, "b");
    assert!(after[0] < before[0] && after[1] < before[1], "{before:?} {after:?}");
    for _ in 0..6 {
        window.send(Message::Larger);
    }
    window.picture();
    let larger = asks(&mut window, "c");
    assert!(larger[0] < after[0] && larger[1] < after[1], "{after:?} {larger:?}");
}

#[test]
fn selections_are_copied_and_pasted() {
    let mut window = shell();
    enter(&mut window, "clear; echo first second third");
    until(&mut window, |text| text.starts_with("first second third"));
    // A double click takes a word.
    let cell = genai_ui::cells::cell_size(14.0);
    let at = (8.0 + 7.5 * cell.width, 8.0 + 0.5 * cell.height);
    window.click(at.0, at.1);
    window.click(at.0, at.1);
    assert_eq!(window.selected(), Some("second"));
    window.hold(CTRL_SHIFT);
    window.type_text("c");
    window.hold(Modifiers::empty());
    assert_eq!(window.copied(), Some("second"));
    window.drag((8.5, at.1), (8.0 + 4.9 * cell.width, at.1));
    assert_eq!((window.selected(), window.copied()), (Some("first"), Some("second")));
    window.copy("echo pasted");
    window.hold(CTRL_SHIFT);
    window.type_text("v");
    window.hold(Modifiers::empty());
    window.press(Named::Enter);
    until(&mut window, |text| text.contains("\npasted\n"));
}

#[test]
fn what_has_scrolled_away_can_be_seen() {
    let mut window = shell();
    enter(&mut window, "for i in $(seq 200); do echo line $i; done");
    until(&mut window, |text| text.contains("line 200\nready>"));
    let offset = |window: &Headless<Terminal>| window.app().session().map(|it| it.with_term(|term| term.grid().display_offset())).unwrap_or_default();
    window.hold(Modifiers::SHIFT);
    window.press(Named::PageUp);
    assert!(offset(&window) > 0);
    window.press(Named::Home);
    assert!(offset(&window) > 150);
    window.hold(Modifiers::empty());
    window.type_text("x");
    assert_eq!(offset(&window), 0, "typing shows where is typed");
}

#[test]
fn tabs_come_and_go() {
    let mut window = shell();
    window.hold(CTRL_SHIFT);
    window.type_text("t");
    window.hold(Modifiers::empty());
    assert_eq!(window.app().tabs(), (2, 1));
    window.picture();
    window.hold(Modifiers::CTRL);
    window.press(Named::PageUp);
    assert_eq!(window.app().tabs(), (2, 0));
    window.press(Named::Tab);
    window.hold(Modifiers::empty());
    assert_eq!(window.app().tabs(), (2, 1));
    window.send(Message::Turn(-1));
    enter(&mut window, "exit");
    assert!(window.wait_until(LIMIT, |window| window.app().tabs() == (1, 0)));
    assert!(!window.is_over());
}

#[test]
fn closing_asks_where_something_runs() {
    let mut window = open(&["sleep", "1000"]);
    assert!(window.wait_until(LIMIT, |window| window.app().session().and_then(Session::running).as_deref() == Some("sleep")));
    window.send(Message::CloseAll);
    assert!(!window.is_over());
    assert!(!window.find("sleep is running, and would be ended.").is_empty());
    window.click_text("Cancel");
    assert!(window.find("Close the window?").is_empty() && !window.is_over());
    window.send(Message::CloseThis);
    window.send(Message::Confirm);
    assert!(window.wait_until(LIMIT, |window| window.is_over()));
}

#[test]
fn what_cannot_be_started_is_said() {
    let mut window = open(&["/no/such/program"]);
    assert!(!window.find("/no/such/program").is_empty());
    window.click_text("Close");
    assert!(window.wait_until(LIMIT, |window| window.is_over()));
}

/// Writes a picture for who wants to look: `TERMINAL_PICTURES=folder`.
#[test]
fn it_can_be_drawn() {
    let script = r#"printf 'plain \033[1mbold\033[0m \033[3mslanted\033[0m \033[4mline\033[0m \033[9mstruck\033[0m \033[4:3mwave\033[0m\n'
        for i in 0 1 2 3 4 5 6 7; do printf "\033[3${i}mcolour $i \033[0m"; done; printf '\n'
        for i in 0 1 2 3 4 5 6 7; do printf "\033[9${i}mcolour $i \033[0m"; done; printf '\n'
        printf '日本語 é ü ß → ┌─┐ ▁▂▃▄▅▆▇█\n'"#;
    let (mut window, _) = written(script);
    window.send(Message::Open);
    window.send(Message::Turn(-1));
    let picture = window.picture();
    assert!(picture.iter().all(|it| it >> 24 == 255), "it has holes");
    if let Some(folder) = std::env::var_os("TERMINAL_PICTURES") {
        window.save(&std::path::Path::new(&folder).join("terminal.png")).expect("a picture");
    }
}

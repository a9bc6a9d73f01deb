//! The editor as a person uses it, in a window that nobody sees.

use editor::{Act, Editor, Message};
use genai_ui::core::keyboard::Modifiers;
use genai_ui::core::keyboard::key::Named;
use genai_ui::headless::Headless;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Where the list of recent files is for all tests.
static STATE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    // SAFETY: each test comes by here before it does anything that reads the environment, and waits until this is done.
    unsafe { std::env::set_var("XDG_STATE_HOME", folder.path()) };
    folder
});

struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        LazyLock::force(&STATE);
        World(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    }
}

fn open(files: &[PathBuf]) -> Headless<Editor> {
    let (app, start) = Editor::new(files.to_vec(), None, false);
    let mut window = Headless::new(app, 900, 600);
    window.follow(start);
    window
}

fn text(window: &Headless<Editor>) -> String {
    window.app().front().buffer.text()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn shows(window: &mut Headless<Editor>, text: &str) -> bool {
    !window.find(text).is_empty()
}

fn control(window: &mut Headless<Editor>, letter: &str) {
    window.hold(Modifiers::CTRL);
    window.type_text(letter);
    window.hold(Modifiers::empty());
}

#[test]
fn a_text_is_written_and_saved() {
    let world = World::new();
    let path = world.file("a.rs", "fn main() {\r\n    run();\r\n}");
    let mut window = open(std::slice::from_ref(&path));
    window.press(Named::End);
    window.press(Named::Enter);
    window.type_text("    // now");
    assert_eq!(text(&window), "fn main() {\n    // now\n    run();\n}");
    assert!(window.app().front().buffer.is_changed());
    window.send(Message::Save);
    assert_eq!(read(&path), "fn main() {\r\n    // now\r\n    run();\r\n}", "lines end as they did, and the last one does not");
    assert!(!window.app().front().buffer.is_changed());
    window.send(Message::Undo);
    window.send(Message::Undo);
    window.send(Message::Undo);
    assert_eq!(text(&window), "fn main() {\n    run();\n}");
    assert!(window.app().front().buffer.is_changed());
    (0..3).for_each(|_| window.send(Message::Redo));
    assert!(!window.app().front().buffer.is_changed());
}

#[test]
fn keys_select_copy_and_paste() {
    let world = World::new();
    let mut window = open(&[world.file("a", "one two\nthree\n")]);
    window.hold(Modifiers::CTRL | Modifiers::SHIFT);
    window.press(Named::ArrowRight);
    window.hold(Modifiers::empty());
    control(&mut window, "x");
    assert_eq!((text(&window).as_str(), window.copied()), (" two\nthree\n", Some("one")));
    window.press(Named::ArrowDown);
    window.press(Named::End);
    control(&mut window, "v");
    assert_eq!(text(&window), " two\nthreeone\n");
    control(&mut window, "a");
    window.press(Named::Tab);
    assert_eq!(text(&window), "     two\n    threeone\n");
    window.hold(Modifiers::SHIFT);
    window.press(Named::Tab);
    window.hold(Modifiers::empty());
    assert_eq!(text(&window), " two\nthreeone\n");
    window.type_text("x");
    assert_eq!(text(&window), "x");
    window.press(Named::Backspace);
    window.press(Named::Backspace);
    assert_eq!(text(&window), "");
}

#[test]
fn words_are_found_and_replaced() {
    let world = World::new();
    let mut window = open(&[world.file("a", "Eins zwei eins\ndrei EINS")]);
    window.send(Message::Find(true));
    window.type_text("eins");
    assert!(shows(&mut window, "1 of 3"));
    window.send(Message::Next(false));
    assert!(shows(&mut window, "2 of 3"));
    window.send(Message::Next(true));
    window.send(Message::Replacement("1".to_owned()));
    window.send(Message::Replace);
    assert_eq!(text(&window), "1 zwei eins\ndrei EINS");
    window.send(Message::Exact);
    assert!(shows(&mut window, "1 of 1"));
    window.send(Message::Exact);
    window.send(Message::ReplaceAll);
    assert_eq!((text(&window).as_str(), window.app().said()), ("1 zwei 1\ndrei 1", Some("2 were replaced.")));
    window.send(Message::Undo);
    assert_eq!(text(&window), "1 zwei eins\ndrei EINS", "all in one step");
    window.send(Message::Cancel);
    window.type_text("!");
    assert!(text(&window).contains('!'), "the text has the keys again");
}

#[test]
fn changes_are_asked_about() {
    let world = World::new();
    let (first, second) = (world.file("first", "1"), world.file("second", "2"));
    let mut window = open(&[first.clone(), second.clone()]);
    assert_eq!(window.app().names(), ["first", "second"]);
    window.type_text("new ");
    window.send(Message::Quit);
    assert!(shows(&mut window, "Save the changes?") && !window.is_over());
    window.type_text("x");
    assert_eq!(text(&window), "new 2", "a question has the keys");
    window.send(Message::Cancel);
    window.send(Message::Quit);
    window.click_text("Discard");
    assert!(window.is_over());
    assert_eq!((read(&first), read(&second)), ("1".to_owned(), "2".to_owned()));
    let mut window = open(&[first.clone(), second.clone()]);
    window.type_text("new ");
    window.send(Message::CloseThis);
    window.send(Message::Confirm);
    assert_eq!((window.app().names(), read(&second)), (vec!["first".to_owned()], "new 2".to_owned()));
    window.send(Message::CloseThis);
    assert!(window.is_over());
}

#[test]
fn what_others_change_is_not_lost() {
    let world = World::new();
    let path = world.file("a", "one");
    let mut window = open(std::slice::from_ref(&path));
    fs::write(&path, "another").expect("a file");
    window.send(Message::Returned);
    assert_eq!(text(&window), "another", "what is not changed here is read anew");
    window.type_text("my ");
    fs::write(&path, "theirs, and longer").expect("a file");
    window.send(Message::Save);
    assert!(shows(&mut window, "Which one is to stay?"));
    assert_eq!(read(&path), "theirs, and longer");
    window.send(Message::Cancel);
    window.send(Message::Save);
    window.send(Message::Decline);
    assert_eq!(text(&window), "theirs, and longer");
    window.press(Named::Home);
    window.type_text("my ");
    fs::write(&path, "again").expect("a file");
    window.send(Message::Returned);
    window.send(Message::Confirm);
    assert_eq!(read(&path), "my theirs, and longer");
    fs::remove_file(&path).expect("a file");
    window.send(Message::Returned);
    assert!(window.app().front().buffer.is_changed(), "what is gone is not saved");
    window.send(Message::Save);
    assert_eq!(read(&path), "my theirs, and longer");
}

#[test]
fn names_are_asked_and_errors_told() {
    let world = World::new();
    let binary = world.0.path().join("program");
    fs::write(&binary, b"\x7fELF\0\0").expect("a file");
    let mut window = open(std::slice::from_ref(&binary));
    assert!(shows(&mut window, "cannot be edited: it is not a text: byte 4 is zero"));
    window.send(Message::Confirm);
    window.type_text("words");
    window.send(Message::Save);
    assert!(shows(&mut window, "Save as"));
    window.send(Message::Field(world.0.path().join("none/there").display().to_string()));
    window.send(Message::Confirm);
    assert!(shows(&mut window, "cannot be written"));
    window.send(Message::Confirm);
    window.send(Message::SaveAs);
    window.send(Message::Field(binary.display().to_string()));
    window.send(Message::Confirm);
    assert!(shows(&mut window, "is there already"));
    window.send(Message::Cancel);
    assert_eq!(fs::read(&binary).expect("a file").len(), 6);
    let new = world.0.path().join("new.md");
    window.send(Message::SaveAs);
    window.send(Message::Field(new.display().to_string()));
    window.send(Message::Confirm);
    assert_eq!((read(&new).as_str(), window.app().names()), ("words", vec!["new.md".to_owned()]));
    window.send(Message::Open);
    window.send(Message::Field(format!("{}/ne", world.0.path().display())));
    window.click_text("new.md");
    assert_eq!(window.app().names(), ["new.md"], "it is open already");
}

#[test]
fn lines_are_commented_moved_to_and_seen() {
    let world = World::new();
    let many: String = (1..=500).map(|it| format!("let x{it} = \"a text\"; // {it}\n")).collect();
    let mut window = open(&[world.file("long.rs", &many)]);
    window.picture();
    window.send(Message::GoTo);
    window.send(Message::Field("250".to_owned()));
    window.send(Message::Confirm);
    assert_eq!(window.app().front().buffer.cursor().line, 249);
    assert!(shows(&mut window, "Line 250, column 1"));
    window.send(Message::Comment);
    assert_eq!(window.app().front().buffer.lines()[249], "// let x250 = \"a text\"; // 250");
    window.send(Message::Comment);
    assert_eq!(window.app().front().buffer.lines()[249], "let x250 = \"a text\"; // 250");
    window.send(Message::Line(false));
    assert_eq!(window.app().front().buffer.lines()[250], "let x250 = \"a text\"; // 250");
    window.send(Message::Line(true));
    assert_eq!(text(&window), many);
    window.hold(Modifiers::CTRL);
    window.press(Named::End);
    window.hold(Modifiers::empty());
    assert_eq!(window.app().front().buffer.cursor().line, 500);
    window.send(Message::Find(false));
    window.type_text("x49");
    if let Some(pictures) = std::env::var_os("EDITOR_PICTURES") {
        window.save(&Path::new(&pictures).join("editor.png")).expect("a picture");
        window.send(Message::Open);
        window.save(&Path::new(&pictures).join("editor-open.png")).expect("a picture");
    }
}

#[test]
fn the_mouse_chooses() {
    let world = World::new();
    let mut window = open(&[world.file("a", "first line\nsecond line\n")]);
    window.picture();
    // The page begins below the bar.
    let y = window.find("Line 1").first().map(|_| 60.0).expect("the line below");
    window.click(220.0, y);
    assert!(window.app().front().buffer.cursor().byte > 0);
    window.click(220.0, y);
    assert!(window.app().front().buffer.selected().is_some(), "a double click chooses a word");
    window.drag((100.0, y), (2000.0, y + 400.0));
    assert!(window.app().front().buffer.selected().expect("something").ends_with("second line\n"));
    window.send(Message::Page(Act::Line(0)));
    assert_eq!(window.app().front().buffer.selected().as_deref(), Some("first line\n"));
}

//! Choosing files for another program.

use files::choose::{Choice, Chosen, Filter, Outcome, What};
use files::{Files, Message};
use genai_ui::core::keyboard::Modifiers;
use genai_ui::core::keyboard::key::Named;
use genai_ui::headless::Headless;
use std::fs;
use std::path::PathBuf;

struct World {
    folder: tempfile::TempDir,
    outcome: Outcome,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("deep")).expect("a folder");
        for name in ["a.txt", "b.txt", "c.png", "deep/d.txt"] {
            fs::write(folder.path().join(name), "there\n").expect("a file");
        }
        World { folder, outcome: Outcome::default() }
    }

    fn at(&self, path: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).expect("a folder").join(path)
    }

    fn open(&self, what: What, change: impl FnOnce(&mut Choice)) -> Headless<Files> {
        let outcome = self.outcome.clone();
        let mut choice = Choice { what, is_many: false, title: "Take one".into(), accept: "Take".into(), name: String::new(), filters: Vec::new(), filter: 0, outcome };
        change(&mut choice);
        let (app, start) = Files::choosing(self.at(""), choice, false);
        let mut window = Headless::new(app, 960, 640);
        window.follow(start);
        window
    }

    fn chosen(&self) -> Option<Vec<PathBuf>> {
        self.outcome.lock().expect("no panic").clone().map(|it: Chosen| it.paths)
    }
}

fn shows(window: &mut Headless<Files>, text: &str) -> bool {
    !window.find(text).is_empty()
}

fn filters() -> Vec<Filter> {
    vec![Filter::parse("Texts\n*.TXT"), Filter::parse("Pictures\nimage/*")]
}

#[test]
fn a_file_is_chosen_by_its_kind() {
    let world = World::new();
    let mut window = world.open(What::Files, |it| it.filters = filters());
    assert!(shows(&mut window, "a.txt") && shows(&mut window, "deep") && !shows(&mut window, "c.png"));
    assert!(!shows(&mut window, "Move to trash") && !shows(&mut window, "Trash"), "it is for choosing");
    window.click_text("Take");
    assert!(!window.is_over(), "nothing is chosen yet");
    window.click_text("Texts");
    assert!(shows(&mut window, "Which files?"));
    window.click_text("Pictures");
    assert!(!shows(&mut window, "a.txt"));
    window.click_text("c.png");
    window.click_text("Take");
    assert!(window.is_over());
    assert_eq!(world.outcome.lock().unwrap().clone(), Some(Chosen { filter: Some(1), paths: vec![world.at("c.png")] }));
}

#[test]
fn several_are_chosen_where_they_may_be() {
    let world = World::new();
    let mut window = world.open(What::Files, |it| it.is_many = true);
    window.click_text("a.txt");
    window.send(Message::Held(Modifiers::CTRL));
    window.click_text("b.txt");
    window.send(Message::Held(Modifiers::empty()));
    window.click_text("Take");
    assert_eq!(world.chosen(), Some(vec![world.at("a.txt"), world.at("b.txt")]));

    let world = World::new();
    let mut window = world.open(What::Files, |_| {});
    window.click_text("a.txt");
    window.send(Message::Held(Modifiers::CTRL));
    window.click_text("b.txt");
    window.send(Message::Held(Modifiers::empty()));
    window.send(Message::All);
    window.send(Message::Open);
    assert_eq!(world.chosen(), Some(vec![world.at("b.txt")]), "only one may be");
}

#[test]
fn folders_are_gone_into_or_chosen() {
    let world = World::new();
    let mut window = world.open(What::Files, |_| {});
    window.click_text("deep");
    window.click_text("Take");
    assert!(!window.is_over() && shows(&mut window, "d.txt"), "a folder is no file");
    window.click_text("d.txt");
    window.send(Message::Open);
    assert_eq!(world.chosen(), Some(vec![world.at("deep/d.txt")]));

    let world = World::new();
    let mut window = world.open(What::Folders, |_| {});
    assert!(!shows(&mut window, "a.txt"));
    window.click_text("deep");
    window.click_text("Take");
    assert_eq!(world.chosen(), Some(vec![world.at("deep")]));

    let world = World::new();
    let mut window = world.open(What::Folders, |_| {});
    window.click_text("Take");
    assert_eq!(world.chosen(), Some(vec![fs::canonicalize(world.folder.path()).unwrap()]), "the one that is shown");
}

#[test]
fn a_name_is_saved_by() {
    let world = World::new();
    let mut window = world.open(What::Save, |it| it.name = "new.txt".into());
    window.type_text("x/y");
    window.press(Named::Enter);
    assert!(!window.is_over() && shows(&mut window, "cannot be called"));
    window.send(Message::Saving("mine.txt".into()));
    window.click_text("Take");
    assert_eq!(world.chosen(), Some(vec![world.at("mine.txt")]));

    let world = World::new();
    let mut window = world.open(What::Save, |_| {});
    window.click_text("a.txt");
    window.click_text("Take");
    assert!(shows(&mut window, "Replace the file?") && !window.is_over());
    window.send(Message::Cancel);
    assert!(!window.is_over() && !shows(&mut window, "Replace the file?"));
    window.click_text("Take");
    window.click_text("Replace");
    assert_eq!(world.chosen(), Some(vec![world.at("a.txt")]));
    assert_eq!(fs::read_to_string(world.at("a.txt")).unwrap(), "there\n", "nothing is changed by choosing");
}

#[test]
fn choosing_changes_nothing_and_can_be_left() {
    let world = World::new();
    let mut window = world.open(What::Files, |_| {});
    window.click_text("a.txt");
    window.send(Message::Delete);
    window.send(Message::Throw);
    assert!(world.at("a.txt").exists());
    window.send(Message::Cancel);
    assert!(!window.is_over(), "nothing is chosen any more");
    window.send(Message::Cancel);
    assert!(window.is_over());
    assert_eq!(world.chosen(), None);

    let mut window = world.open(What::Files, |_| {});
    window.click_text("Cancel");
    assert!(window.is_over());
    assert_eq!(world.chosen(), None);
}

//! Files as a person uses it: in a window that nobody sees, on folders of the test's own.

use file_operations::transfer::{Collision, Way};
use files::{Files, Layout, Message, places::Place};
use genai_ui::core::keyboard::Modifiers;
use genai_ui::core::keyboard::key::Named;
use genai_ui::headless::Headless;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The user's folder for all tests; its trash is on the filesystem of the tests' folders.
static HOME: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let home = tempfile::tempdir().expect("a folder");
    // SAFETY: each test comes by here before it does anything that reads the environment, and waits until this is done.
    unsafe {
        std::env::set_var("HOME", home.path());
        std::env::set_var("XDG_DATA_HOME", home.path().join(".local/share"));
    }
    home
});

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(HOME.path()).expect("a folder");
        let world = World { folder };
        fs::create_dir_all(world.at("letters/old")).expect("folders");
        fs::write(world.at("letters/old/to a friend.txt"), "Dear friend,\n").expect("a file");
        fs::write(world.at("plan.txt"), "First this, then that.\n").expect("a file");
        fs::write(world.at("notes 10"), "ten").expect("a file");
        fs::write(world.at("notes 9"), "nine").expect("a file");
        fs::write(world.at(".secret"), "").expect("a file");
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn open(&self) -> Headless<Files> {
        let (app, start) = Files::new(Place::Folder(fs::canonicalize(self.folder.path()).expect("a folder")), false);
        let mut window = Headless::new(app, 960, 640);
        window.follow(start);
        window
    }
}

fn shows(window: &mut Headless<Files>, text: &str) -> bool {
    !window.find(text).is_empty()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn folders_are_shown_and_walked() {
    let world = World::new();
    let mut window = world.open();
    assert_eq!(window.app().names(), ["letters", "notes 9", "notes 10", "plan.txt"]);
    window.send(Message::Hidden);
    assert_eq!(window.app().names()[1], ".secret");
    window.send(Message::Step(1, false));
    window.send(Message::Open);
    assert_eq!(window.app().names(), ["old"]);
    window.click_text("old");
    window.click_text("old");
    assert_eq!(window.app().names(), ["to a friend.txt"], "a double click opens");
    window.click_text("letters");
    assert_eq!(window.app().names(), ["old"], "names above lead there");
    window.send(Message::Up);
    assert_eq!(window.app().chosen(), [fs::canonicalize(world.at("letters")).expect("a folder")], "where one came from is chosen");
    window.send(Message::Back);
    assert_eq!(window.app().names(), ["old"]);
    window.send(Message::Forward);
    assert_eq!(window.app().names().len(), 5);
}

#[test]
fn names_are_found_while_they_are_typed() {
    let world = World::new();
    let mut window = world.open();
    window.send(Message::Letter("f".to_owned()));
    window.type_text("ri");
    assert_eq!(window.app().names(), ["to a friend.txt"], "also in folders within");
    window.press(Named::Enter);
    assert!(shows(&mut window, "Dear friend,"), "and looked into");
    window.send(Message::Cancel);
    assert_eq!(window.app().names().len(), 4);
    window.send(Message::Search("no such name".to_owned()));
    assert!(shows(&mut window, "Nothing has such a name."));
}

#[test]
fn things_are_copied_moved_and_put_back() {
    let world = World::new();
    let mut window = world.open();
    window.click_text("plan.txt");
    assert!(shows(&mut window, "First this, then that."));
    window.send(Message::Take(Way::Copy));
    window.send(Message::Put);
    assert_eq!(read(&world.at("plan (2).txt")), "First this, then that.\n");
    window.send(Message::Go(Place::Folder(world.at("letters"))));
    window.send(Message::Put);
    assert_eq!(read(&world.at("letters/plan.txt")), "First this, then that.\n");
    // Names that are taken are asked about.
    fs::write(world.at("letters/plan.txt"), "another").expect("a file");
    window.send(Message::Put);
    assert!(shows(&mut window, "The name is taken"));
    window.click_text("Replace");
    assert_eq!(read(&world.at("letters/plan.txt")), "First this, then that.\n");
    window.click_text("Undo");
    assert_eq!(read(&world.at("letters/plan.txt")), "another", "what was replaced comes back");
    window.send(Message::Put);
    window.send(Message::Collide(Collision::Skip));
    assert_eq!(read(&world.at("letters/plan.txt")), "another");

    window.send(Message::Go(Place::Folder(world.at("."))));
    window.click_text("notes 10");
    window.send(Message::Take(Way::Move));
    window.send(Message::Go(Place::Folder(world.at("letters/old"))));
    window.send(Message::Put);
    assert!(!world.at("notes 10").exists() && read(&world.at("letters/old/notes 10")) == "ten");
    window.send(Message::Undo);
    assert!(world.at("notes 10").exists() && !world.at("letters/old/notes 10").exists());
    assert!(!window.app().is_working());
}

#[test]
fn what_is_thrown_away_can_be_brought_back() {
    let world = World::new();
    // All tests have the same trash, and nothing else there has this name.
    fs::write(world.at("ticket.txt"), "First this, then that.\n").expect("a file");
    let mut window = world.open();
    window.click_text("notes 9");
    window.send(Message::Step(1, true));
    assert_eq!(window.app().chosen().len(), 2);
    window.send(Message::Throw);
    assert_eq!(window.app().names(), ["letters", "plan.txt", "ticket.txt"]);
    window.send(Message::Undo);
    assert_eq!(window.app().names().len(), 5);
    window.click_text("ticket.txt");
    window.send(Message::Throw);
    window.click_text("Trash");
    assert!(window.app().names().contains(&"ticket.txt"));
    window.click_text("ticket.txt");
    assert!(shows(&mut window, &fs::canonicalize(world.folder.path()).expect("a folder").display().to_string()), "where it was");
    window.send(Message::Open);
    assert_eq!(window.app().said(), Some("What is in the trash has to be restored first."));
    window.click_text("Restore");
    assert_eq!(read(&world.at("ticket.txt")), "First this, then that.\n");
    window.send(Message::Go(Place::Folder(world.at("."))));
    window.click_text("ticket.txt");
    window.send(Message::Throw);
    window.click_text("Trash");
    window.click_text("ticket.txt");
    window.send(Message::Throw);
    assert!(shows(&mut window, "Delete for good?"));
    window.click_text("Cancel");
    assert!(window.app().names().contains(&"ticket.txt"));
    window.send(Message::Throw);
    window.send(Message::Open);
    assert!(!window.app().names().contains(&"ticket.txt"));
}

#[test]
fn things_get_names() {
    let world = World::new();
    let mut window = world.open();
    window.click_text("New folder");
    window.type_text("photos");
    window.press(Named::Enter);
    assert!(world.at("photos").is_dir());
    assert_eq!(window.app().chosen().len(), 1);
    window.send(Message::Name);
    window.type_text("letters");
    window.press(Named::Enter);
    assert!(shows(&mut window, "is there already"), "nothing is overwritten");
    window.send(Message::Naming("pictures".to_owned()));
    window.send(Message::Named);
    assert!(world.at("pictures").is_dir() && !world.at("photos").exists());
    window.send(Message::Undo);
    assert!(world.at("photos").is_dir());
}

#[test]
fn what_cannot_be_read_is_said() {
    let world = World::new();
    let mut window = world.open();
    window.send(Message::Go(Place::Folder(world.at("none"))));
    assert!(shows(&mut window, "no such file or directory"));
}

#[test]
fn lists_are_ordered_by_their_columns() {
    let world = World::new();
    fs::write(world.at("large"), vec![0; 5000]).expect("a file");
    let mut window = world.open();
    window.click_text("Size");
    assert_eq!(window.app().names(), ["letters", "large", "plan.txt", "notes 9", "notes 10"]);
    window.click_text("Size");
    assert_eq!(window.app().names(), ["letters", "notes 10", "notes 9", "plan.txt", "large"], "the other way round");
    window.click_text("Name");
    assert_eq!(window.app().names()[1], "large");
}

#[test]
fn ranges_are_chosen() {
    let world = World::new();
    let mut window = world.open();
    window.click_text("notes 9");
    window.send(Message::Held(Modifiers::SHIFT));
    window.click_text("plan.txt");
    assert_eq!(window.app().chosen().len(), 3);
    window.send(Message::Held(Modifiers::CTRL));
    window.click_text("notes 10");
    assert_eq!(window.app().chosen().len(), 2);
    window.send(Message::Held(Modifiers::empty()));
    window.send(Message::Step(isize::MIN / 2, false));
    window.send(Message::Step(1, true));
    window.send(Message::Step(1, true));
    window.send(Message::Step(-1, true));
    assert_eq!(window.app().chosen().len(), 2, "and it becomes smaller again");
    window.send(Message::All);
    assert_eq!(window.app().chosen().len(), 4);
}

#[test]
fn paths_come_by_the_clipboard() {
    let world = World::new();
    let mut window = world.open();
    window.click_text("plan.txt");
    window.click_text("Copy");
    let path = fs::canonicalize(world.at("plan.txt")).expect("a file");
    assert_eq!(window.copied(), Some(path.display().to_string().as_str()));
    // Of another program.
    window.send(Message::Left);
    window.copy(&format!("file://{}\n", path.display().to_string().replace("plan", "%70lan")));
    window.send(Message::Go(Place::Folder(world.at("letters"))));
    window.click_text("Paste");
    assert_eq!(read(&world.at("letters/plan.txt")), "First this, then that.\n");
    window.copy("just words");
    window.click_text("Paste");
    assert_eq!(window.app().said(), Some("The clipboard holds no files."));
}

#[test]
fn what_goes_for_good_is_asked_about() {
    let world = World::new();
    let mut window = world.open();
    window.click_text("plan.txt");
    window.send(Message::Delete);
    window.send(Message::Cancel);
    assert!(world.at("plan.txt").exists());
    window.send(Message::Delete);
    window.click_text("Delete");
    assert!(!world.at("plan.txt").exists());
    assert_eq!(window.app().said(), Some("Deleted."));
}

#[test]
fn archives_are_unpacked() {
    let world = World::new();
    fs::create_dir(world.at("packed")).expect("a folder");
    fs::write(world.at("packed/inside.txt"), "unpacked").expect("a file");
    let made = std::process::Command::new("tar").args(["-czf", "packed.tar.gz", "packed"]).current_dir(world.at(".")).status().expect("tar");
    assert!(made.success());
    let mut window = world.open();
    window.click_text("packed.tar.gz");
    window.click_text("Unpack here");
    assert_eq!(read(&world.at("packed (2)/inside.txt")), "unpacked");
    window.send(Message::Undo);
    assert!(!world.at("packed (2)").exists());
    // What only has such a name.
    fs::write(world.at("broken.zip"), "no archive").expect("a file");
    window.send(Message::Changed);
    window.click_text("broken.zip");
    window.send(Message::Open);
    assert!(window.app().said().is_some_and(|it| it.starts_with("Not unpacked: cannot unpack")), "{:?}", window.app().said());
}

#[test]
fn paths_are_typed() {
    let world = World::new();
    let mut window = world.open();
    window.send(Message::GoTo);
    window.send(Message::Naming(world.at("none").display().to_string()));
    window.send(Message::Named);
    assert!(shows(&mut window, "is not there."));
    window.send(Message::Naming(world.at("letters/old").display().to_string()));
    window.send(Message::Named);
    assert_eq!(window.app().names(), ["to a friend.txt"]);
}

/// What another program does in a folder is told, and the thread that listens ends with the stream.
#[test]
fn changes_of_others_are_seen() {
    use genai_ui::futures::futures::{StreamExt, executor::block_on};
    let world = World::new();
    let mut changes = Box::pin(files::watch::changes(&world.at(".")));
    let other = {
        let path = world.at("new");
        std::thread::spawn(move || {
            // The stream begins to watch when it is first asked.
            for number in 0..200 {
                std::thread::sleep(std::time::Duration::from_millis(20));
                fs::write(path.with_extension(number.to_string()), "").expect("a file");
            }
        })
    };
    assert_eq!(block_on(changes.next()), Some(()));
    assert_eq!(block_on(changes.next()), Some(()));
    drop(changes);
    other.join().expect("written");
}

/// Writes pictures for who wants to look: `FILES_PICTURES=folder`.
#[test]
fn it_can_be_drawn() {
    let world = World::new();
    let mut window = world.open();
    let mut pictures = Vec::new();
    let mut look = |window: &mut Headless<Files>, name: &str| {
        let picture = window.picture();
        assert!(picture.iter().all(|it| it >> 24 == 255), "{name} has holes");
        if let Some(folder) = std::env::var_os("FILES_PICTURES") {
            window.save(&Path::new(&folder).join(format!("{name}.png"))).expect("a picture");
        }
        pictures.push(picture);
    };
    window.click_text("plan.txt");
    look(&mut window, "files-list");
    window.click_text("Tiles");
    assert!(shows(&mut window, "List"));
    window.send(Message::Show(Layout::Grid));
    look(&mut window, "files-grid");
    window.send(Message::NewFolder);
    look(&mut window, "files-name");
    pictures.dedup();
    assert_eq!(pictures.len(), 3);
}

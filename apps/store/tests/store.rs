//! The Store as a person uses it: in a window that nobody sees, on a tree and a repository of the test's own.

use desktop_settings::{Pictures, Scheme, Settings};
use genai_ui::core::keyboard::key::Named;
use genai_ui::headless::Headless;
use gpm::Gpm;
use gpm::gpm::Source;
use gpm::manifest::Manifest;
use gpm::observer::Silent;
use gpm::package::{Builder, Preset, Trust};
use gpm::repository::{Expiry, Keys, Maker, Role, Time};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Store;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().to_owned();
        fs::create_dir(at.join("root")).expect("a root");
        let keys = Keys::new(&at.join("keys"));
        keys.generate(1).expect("keys");
        Maker::new(&at.join("repo"), keys, Expiry::default(), Time::now()).init(1).expect("a repository");
        let world = World { folder };
        let gpm = Gpm::new(&world.root(), &Silent).expect("a tree");
        let source = Source::new(format!("file://{}", at.join("repo").display()));
        gpm.add_source("stable", &source, &world.maker().root().expect("the root's metadata")).expect("a source");
        world
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn maker(&self) -> Maker {
        Maker::new(&self.folder.path().join("repo"), Keys::new(&self.folder.path().join("keys")), Expiry::default(), Time::now())
    }

    /// Publishes a package with one file `usr/bin/NAME`, which holds its version.
    fn publish(&self, name: &str, version: &str, more: &str) {
        let text = format!("name = \"{name}\"\nversion = \"{version}\"\narchitecture = \"all\"\nsummary = \"What {name} is\"\nlicence = \"MIT\"\n{more}");
        let manifest: Manifest = toml::from_str(&text).expect("a manifest");
        let tree = self.folder.path().join(format!("tree-{name}-{version}"));
        fs::create_dir_all(tree.join("usr/bin")).expect("a folder");
        fs::write(tree.join("usr/bin").join(name), version).expect("a file");
        let path = self.folder.path().join(manifest.file_name());
        let mut builder = Builder::new(manifest).preset(Preset::Quick);
        builder.add_tree(&tree, 0).expect("a tree");
        let keys = Keys::new(&self.folder.path().join("keys"));
        let secret = keys.packages().expect("keys");
        builder.write(&mut fs::File::create(&path).expect("a file"), &secret.iter().collect::<Vec<_>>()).expect("a package");
        assert!(!keys.of(Role::Targets).expect("keys").is_empty());
        self.maker().add(&[path], Trust::Anyone).expect("an offer");
    }

    fn installed(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root().join("usr/bin").join(name)).ok()
    }

    fn open(&self) -> Headless<Store> {
        open(&self.root())
    }
}

fn open(root: &Path) -> Headless<Store> {
    let store = Store::new(root.to_owned(), false).with_places(root.join("cache"), root.join("desktop.toml"));
    let start = store.start();
    let mut window = Headless::new(store, 1000, 680);
    window.follow(start);
    window.send(store::Message::Refresh);
    window
}

fn shows(window: &mut Headless<Store>, text: &str) -> bool {
    !window.find(text).is_empty()
}

const CHESS: &str = "description = \"Play against the machine.\"\n[appstream]\nname = \"Chess\"\ncategories = [\"Game\"]\nkeywords = [\"board\"]\n";

#[test]
fn a_program_is_found_installed_updated_and_removed() {
    let world = World::new();
    world.publish("libboard", "1.0", "description = \"Draws boards of games.\"\n");
    world.publish("chess", "1.0", &format!("depends = [\"libboard\"]\n{CHESS}"));
    let mut window = world.open();
    assert!(shows(&mut window, "Chess"), "programs are shown at first");
    assert!(!shows(&mut window, "libboard"), "parts of others are not");
    window.type_text("boa");
    assert!(shows(&mut window, "Chess") && shows(&mut window, "libboard"), "the search field has the focus");

    window.click_text("What chess is");
    assert!(shows(&mut window, "Play against the machine."));
    window.click_text("Install");
    assert!(shows(&mut window, "Install Chess?") && shows(&mut window, "libboard 1.0"), "what comes with it is said");
    assert_eq!(world.installed("chess"), None, "nothing happens before it is agreed to");
    window.click_text("Go on");
    assert_eq!(world.installed("chess").as_deref(), Some("1.0"));
    assert!(shows(&mut window, "Done: Install Chess"));
    assert!(shows(&mut window, "Remove") && !shows(&mut window, "Install Chess?"));

    world.publish("chess", "2.0", &format!("depends = [\"libboard\"]\n{CHESS}"));
    window.click_text("Check for updates");
    window.click_text("Updates");
    window.click_text("Update everything");
    assert!(shows(&mut window, "chess 1.0 to 2.0"));
    window.click_text("Go on");
    assert_eq!(world.installed("chess").as_deref(), Some("2.0"));

    window.click_text("History");
    assert!(shows(&mut window, "Store: Update everything"));
    window.click_text("Undo");
    window.click_text("Go on");
    assert_eq!(world.installed("chess").as_deref(), Some("1.0"));

    window.click_text("Installed");
    window.click_text("What libboard is");
    window.click_text("Remove");
    assert!(shows(&mut window, "chess 1.0"), "what needs it goes too, and that is said");
    window.press(Named::Escape);
    window.send(store::Message::Cancel);
    assert_eq!(world.installed("libboard").as_deref(), Some("1.0"));
    window.click_text("Remove");
    window.click_text("Go on");
    assert_eq!((world.installed("libboard"), world.installed("chess")), (None, None));
}

#[test]
fn words_are_looked_for_among_all_packages_of_archives() {
    let world = World::new();
    world.publish("chess", "1.0", CHESS);
    let mut window = world.open();
    window.type_text("board");
    assert!(!shows(&mut window, "Look among all packages"), "there is no archive");
    // An archive that was never asked.
    let debian = gpm::archive::Debian { suites: vec!["demo".into()], components: vec!["main".into()], keyring: "/keys".into() };
    fs::write(world.root().join("keys"), "").expect("a file");
    let source = Source { debian: Some(debian), ..Source::new("file:///nowhere") };
    Gpm::new(&world.root(), &Silent).expect("a tree").add_archive("debian", &source).expect("an archive");
    window.send(store::Message::Refresh);
    window.type_text("s");
    assert!(shows(&mut window, "Nothing was found by these words."));
    window.click_text("Look among all packages");
    assert!(!shows(&mut window, "Look among all packages"), "these words have been looked for");
    let entry = |name: &str, summary: &str| store::catalogue::Entry { name: name.into(), title: name.into(), summary: summary.into(), offered: Some("1".into()), ..store::catalogue::Entry::default() };
    window.send(store::Message::Found(Ok(vec![entry("boards", "Boards of all kinds"), entry("chess", "Another one")])));
    assert!(shows(&mut window, "Boards of all kinds") && !shows(&mut window, "Another one"));
}

#[test]
fn keys_alone_suffice() {
    let world = World::new();
    world.publish("chess", "1.0", CHESS);
    world.publish("checkers", "1.0", "[appstream]\nname = \"Checkers\"\ncategories = [\"Game\"]\n");
    let mut window = world.open();
    window.press(Named::Enter);
    assert!(!shows(&mut window, "Licence"), "nothing was chosen");
    window.type_text("che");
    // The field keeps the keys of letters, the list takes these.
    window.send(store::Message::Choose(1));
    window.press(Named::Enter);
    assert!(shows(&mut window, "Play against the machine."), "the second one");
    // From here on no field has the keys.
    window.send(store::Message::Enter);
    assert!(shows(&mut window, "Install Chess?"));
    window.send(store::Message::Enter);
    assert_eq!((world.installed("chess").as_deref(), world.installed("checkers")), (Some("1.0"), None));
    window.send(store::Message::Enter);
    assert_eq!(world.installed("chess").as_deref(), Some("1.0"), "what is there does not go by Enter");
}

#[test]
fn what_cannot_be_is_explained_with_choices() {
    let world = World::new();
    world.publish("old-editor", "1.0", "");
    world.publish("new-editor", "1.0", "conflicts = [\"old-editor\"]\n[appstream]\nname = \"Editor\"\n");
    let mut window = world.open();
    window.send(store::Message::Want(store::worker::Wish::Install("old-editor".to_owned())));
    window.click_text("Go on");
    window.send(store::Message::Want(store::worker::Wish::Install("new-editor".to_owned())));
    assert!(shows(&mut window, "is not possible"));
    window.click_text("Remove old-editor");
    assert!(shows(&mut window, "Install Editor?"));
    window.click_text("Go on");
    assert_eq!((world.installed("new-editor").is_some(), world.installed("old-editor")), (true, None));
}

#[test]
fn a_repository_that_is_away_is_named() {
    let world = World::new();
    world.publish("chess", "1.0", CHESS);
    drop(world.open());
    fs::rename(world.folder.path().join("repo"), world.folder.path().join("away")).expect("renamed");
    let mut window = world.open();
    assert!(shows(&mut window, "Chess"), "what was known before is shown");
    assert!(shows(&mut window, "stable"), "who did not answer is named");
    window.click_text("What chess is");
    window.click_text("Install");
    window.click_text("Go on");
    assert!(shows(&mut window, "That did not work"));
    assert_eq!(world.installed("chess"), None);
}

/// Writes pictures for who wants to look: `STORE_PICTURES=folder`.
#[test]
fn every_page_can_be_drawn() {
    let world = World::new();
    for (name, title, section, summary) in [
        ("chess", "Chess", "Game", "Play chess against the machine or a friend"),
        ("paint", "Paint", "Graphics", "Draw and edit pictures with layers and brushes"),
        ("writer", "Writer", "Office", "Write letters, reports and books"),
        ("radio", "Radio", "AudioVideo", "Listen to stations from all over the world"),
        ("atlas", "Atlas", "Education", "Maps of the earth, old and new"),
        ("terminal", "Terminal", "System", "Command lines and plain words"),
        ("web", "Web", "Network", "Browse the web without being watched"),
    ] {
        let text = format!("name = \"{name}\"\nversion = \"1.0\"\narchitecture = \"all\"\nsummary = \"{summary}\"\nlicence = \"MIT\"\ndescription = \"{summary}. It opens at once, works without a network, and keeps what you make in your own folder.\"\n[appstream]\nname = \"{title}\"\ncategories = [\"{section}\"]\n");
        let manifest: Manifest = toml::from_str(&text).expect("a manifest");
        let path = world.folder.path().join(manifest.file_name());
        let secret = Keys::new(&world.folder.path().join("keys")).packages().expect("keys");
        let builder = Builder::new(manifest).preset(Preset::Quick);
        builder.write(&mut fs::File::create(&path).expect("a file"), &secret.iter().collect::<Vec<_>>()).expect("a package");
        world.maker().add(&[path], Trust::Anyone).expect("an offer");
    }
    let mut window = world.open();
    let mut pictures = Vec::new();
    let mut look = |window: &mut Headless<Store>, name: &str| {
        let picture = window.picture();
        let first = picture[0];
        assert!(picture.iter().any(|it| *it != first), "{name} is empty");
        assert!(picture.iter().all(|it| it >> 24 == 255), "{name} has holes");
        if let Some(folder) = std::env::var_os("STORE_PICTURES") {
            window.save(&Path::new(&folder).join(format!("{name}.png"))).expect("a picture");
        }
        pictures.push(picture);
    };
    look(&mut window, "explore");
    window.click_text("Atlas");
    look(&mut window, "detail");
    window.click_text("Install");
    look(&mut window, "asking");
    window.click_text("Go on");
    look(&mut window, "installed");
    window.click_text("History");
    look(&mut window, "history");
    pictures.dedup();
    assert_eq!(pictures.len(), 5, "all of them differ");
}

#[test]
fn what_is_only_recommended_may_be_left_out() {
    let world = World::new();
    world.publish("speech", "1.0", "");
    world.publish("chess", "1.0", &format!("optional = [{{ dependency = \"speech\", reason = \"reads aloud\", default = true }}]\n{CHESS}"));
    world.publish("plain", "1.0", "");
    let mut window = world.open();
    window.click_text("What chess is");
    window.click_text("Install");
    assert!(shows(&mut window, "Also what is recommended") && shows(&mut window, "1 package"));
    assert!(shows(&mut window, "speech 1.0"), "little comes along");
    window.send(store::Message::OtherChoice);
    assert!(!shows(&mut window, "speech 1.0") && shows(&mut window, "chess 1.0"), "a key leaves it out");
    // The switch is at the other end of the words' line.
    let words = window.find("Also what is recommended")[0];
    let buttons = window.find("Go on")[0];
    window.click(buttons.x + buttons.width - 2.0, words.y + words.height);
    assert!(shows(&mut window, "speech 1.0"), "so does the switch");
    window.send(store::Message::OtherChoice);
    window.send(store::Message::Enter);
    assert_eq!((world.installed("chess").as_deref(), world.installed("speech")), (Some("1.0"), None));

    window.type_text("");
    window.send(store::Message::Show("plain".to_owned()));
    window.click_text("Install");
    assert!(!shows(&mut window, "Also what is recommended"), "nothing is recommended");
}

#[test]
fn a_program_is_opened_where_it_was_installed() {
    let world = World::new();
    let proof = world.folder.path().join("proof");
    let entries = world.folder.path().join("tree-chess-1.0/usr/share/applications");
    fs::create_dir_all(&entries).expect("a folder");
    let entry = |name: &str, exec: &str| format!("[Desktop Entry]\nType=Application\nName={name}\nExec={exec}\n");
    fs::write(entries.join("a.desktop"), entry("Chess for two", "/nowhere/at/all")).expect("an entry");
    fs::write(entries.join("chess.desktop"), entry("Chess", &format!("touch {} %U", proof.display()))).expect("an entry");
    world.publish("chess", "1.0", CHESS);
    let mut window = world.open();
    window.click_text("What chess is");
    assert!(!shows(&mut window, "Open"), "it is not there yet");
    window.click_text("Install");
    window.click_text("Go on");
    assert!(window.wait_until(std::time::Duration::from_secs(10), |it| !it.find("Open").is_empty()));
    window.send(store::Message::Enter);
    assert!(shows(&mut window, "Chess is starting."));
    assert!(window.wait_until(std::time::Duration::from_secs(10), |_| proof.exists()), "it was started");
}

#[test]
fn pictures_of_a_program_at_work_are_shown() {
    let world = World::new();
    // A picture of some size that is there anyway.
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/files.png").canonicalize().expect("a picture");
    let more = format!("[appstream]\nname = \"Chess\"\nscreenshots = [\"file://{}\", \"file:///nowhere.png\"]\n", picture.display());
    world.publish("chess", "1.0", &more);
    world.publish("plain", "1.0", "[appstream]\nname = \"Plain\"\n");
    let mut window = world.open();
    window.send(store::Message::Show("plain".to_owned()));
    let description = window.find("There is no description.")[0];
    window.send(store::Message::Show("chess".to_owned()));
    assert!(window.wait_until(std::time::Duration::from_secs(20), |it| it.find("There is no description.").first().is_some_and(|at| at.y > description.y + 150.0)), "it has room");
    if let Some(folder) = std::env::var_os("STORE_PICTURES") {
        window.save(&Path::new(&folder).join("screenshots.png")).expect("a picture");
    }
    let kept = fs::read_dir(world.root().join("cache")).expect("a cache").count();
    assert_eq!(kept, 1, "what is not there is left out");
}

/// A server that only counts who comes, and sends them away.
struct Server {
    name: String,
    count: Arc<AtomicUsize>,
}

impl Server {
    fn new() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let name = listener.local_addr().expect("an address").to_string();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        std::thread::spawn(move || {
            for visitor in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(visitor);
            }
        });
        Server { name, count }
    }

    /// Whether somebody has come since the last time.
    fn was_asked(&self) -> bool {
        self.count.swap(0, Ordering::SeqCst) > 0
    }
}

#[test]
fn no_server_learns_what_is_looked_at_before_the_user_says_so() {
    let world = World::new();
    let server = Server::new();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/files.png").canonicalize().expect("a picture");
    for (name, title) in [("chess", "Chess"), ("go", "Go")] {
        let urls = format!("screenshots = [\"file://{}\", \"https://{}/{name}.png\"]", picture.display(), server.name);
        world.publish(name, "1.0", &format!("[appstream]\nname = \"{title}\"\n{urls}\n"));
    }
    let settings = world.root().join("desktop.toml");
    let show = |window: &mut Headless<Store>, name: &str| {
        window.send(store::Message::Back);
        window.send(store::Message::Show(name.to_owned()));
    };

    let mut window = world.open();
    show(&mut window, "chess");
    assert!(shows(&mut window, &server.name) && shows(&mut window, "1 picture of it"), "who has it is named; a file of this machine needs no leave");
    assert!(!server.was_asked(), "nobody has said so yet");
    if let Some(folder) = std::env::var_os("STORE_PICTURES") {
        window.save(&Path::new(&folder).join("offer.png")).expect("a picture");
    }
    window.click_text("Show pictures");
    assert!(server.was_asked() && !shows(&mut window, "Show pictures"));
    show(&mut window, "go");
    assert!(shows(&mut window, "Show pictures") && !server.was_asked(), "that was for one program");

    fs::write(&settings, "[privacy]\nstore_pictures = \"never\"\n").expect("written");
    show(&mut window, "chess");
    window.send(store::Message::ShowPictures);
    assert!(!shows(&mut window, "Show pictures") && !server.was_asked(), "neither asked nor done");
    fs::write(&settings, "[privacy]\nstore_pictures = \"always\"\n").expect("written");
    show(&mut window, "chess");
    assert!(!shows(&mut window, "Show pictures") && server.was_asked(), "done without asking");

    // A mistake in the settings is no leave, and is not lost by pressing a button.
    let mistake = "[privacy]\nstore_pictures = 1\n";
    fs::write(&settings, mistake).expect("written");
    show(&mut window, "go");
    assert!(shows(&mut window, "Show pictures") && !server.was_asked());
    window.click_text("Always show");
    assert!(server.was_asked() && shows(&mut window, "could not be kept"));
    assert_eq!(fs::read_to_string(&settings).expect("read"), mistake);
    fs::write(&settings, "[appearance]\nscheme = \"light\"\n").expect("written");
    show(&mut window, "go");
    window.click_text("Always show");
    assert!(shows(&mut window, "always shown from now on"));
    let kept = Settings::read(&settings).expect("settings");
    assert_eq!((kept.privacy.store_pictures, kept.appearance.scheme), (Pictures::Always, Scheme::Light), "what else is set stays");
}

#[test]
fn pictures_that_cannot_be_brought_are_told_of_where_they_were_asked_for() {
    let world = World::new();
    let server = Server::new();
    world.publish("chess", "1.0", &format!("[appstream]\nname = \"Chess\"\nscreenshots = [\"https://{}/a.png\"]\n", server.name));
    let mut window = world.open();
    window.send(store::Message::Show("chess".to_owned()));
    window.click_text("Show pictures");
    assert!(server.was_asked() && shows(&mut window, "No picture could be brought."));
}

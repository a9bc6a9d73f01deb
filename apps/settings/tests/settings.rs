//! Settings as a person uses it: in a window that nobody sees, on files of the test's own.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use desktop_settings::{Contrast, Scheme};
use gde_ipc::{Mode, Output};
use genai_ui::core::keyboard::key::Named;
use genai_ui::headless::Headless;
use settings::pages::{display, keyboard, updates, users};
use settings::{Message, Page, Places, Settings};

/// How everything looks holds for a whole program: one test at a time may change it.
static LOOK: Mutex<()> = Mutex::new(());

struct Fixture {
    folder: tempfile::TempDir,
    window: Headless<Settings>,
}

fn open(page: Page) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let etc = folder.path().join("etc");
    fs::create_dir_all(etc.join("default")).expect("made");
    fs::write(etc.join("passwd"), "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann Smith:/home/ann:/bin/bash\n").expect("written");
    fs::write(etc.join("default/keyboard"), "XKBLAYOUT=\"us\"\n").expect("written");
    fs::write(etc.join("os-release"), "NAME=\"GenAI OS\"\nVARIANT=\"desktop\"\n").expect("written");
    let layouts = folder.path().join("base.lst");
    fs::write(&layouts, "! layout\n  us English (US)\n  de German\n  fr French\n! variant\n  neo de: German (Neo 2)\n").expect("written");
    let places = Places { settings: folder.path().join("config/desktop.toml"), etc, layouts, proc: "/proc".into(), sys: "/sys".into() };
    let (app, start) = Settings::new(places, page, false);
    let mut window = Headless::new(app, 960, 640);
    window.follow(start);
    Fixture { folder, window }
}

impl Fixture {
    fn kept(&self) -> desktop_settings::Settings {
        desktop_settings::Settings::read(&self.folder.path().join("config/desktop.toml")).expect("settings")
    }

    fn shows(&mut self, text: &str) -> bool {
        !self.window.find(text).is_empty()
    }
}

fn screen() -> Output {
    let mode = |width, height, is_preferred| Mode { width, height, refresh_mhz: 60_000, is_preferred };
    let modes = vec![mode(1920, 1080, false), mode(1280, 800, true), mode(1024, 768, false)];
    Output { name: "Virtual-1".into(), x: 0, y: 0, width: 1280, height: 800, refresh_mhz: 60_000, scale: 1.0, frames: 1, modes, is_on: true }
}

#[test]
fn the_look_is_changed_at_once_and_kept() {
    let _look = LOOK.lock();
    let mut it = open(Page::Appearance);
    let dark = it.window.picture();
    it.window.click_text("Light");
    assert_eq!(it.kept().appearance.scheme, Scheme::Light);
    let light = it.window.picture();
    // The sidebar's lower corner is of another colour.
    let corner = |picture: &[u32]| picture[639 * 960 + 4] >> 8 & 255;
    assert!(corner(&dark) < 64 && corner(&light) > 192, "{:x} {:x}", corner(&dark), corner(&light));
    it.window.click_text("Larger");
    assert_eq!(it.kept().appearance.text_percent, 150);
    it.window.click_text("Dark");
    assert_eq!((it.kept().appearance.scheme, it.kept().appearance.text_percent), (Scheme::Dark, 150));
    genai_ui::appearance::set(desktop_settings::Appearance::default());
}

#[test]
fn keys_alone_do_everything() {
    let _look = LOOK.lock();
    let mut it = open(Page::Appearance);
    it.window.send(Message::Step(1));
    it.window.send(Message::Beside(1));
    assert_eq!(it.kept().appearance.scheme, Scheme::Light);
    it.window.send(Message::Beside(1));
    assert_eq!(it.kept().appearance.scheme, Scheme::Dark);
    it.window.send(Message::Step(100));
    it.window.send(Message::Press);
    assert!(!it.kept().arrangement.offer, "the last row");
    it.window.send(Message::Step(-2));
    it.window.send(Message::Press);
    assert_eq!((it.kept().learning.contrast, it.kept().appearance.contrast), (Contrast::High, Contrast::Normal));
    it.window.send(Message::Step(-1));
    it.window.send(Message::Beside(1));
    assert_eq!(it.kept().learning.text_percent, Some(125));
    it.window.send(Message::Step(-1));
    it.window.send(Message::Press);
    assert!(!it.kept().learning.focus);
    it.window.send(Message::Step(-1));
    it.window.send(Message::Press);
    assert_eq!(it.kept().appearance.contrast, Contrast::High);
    it.window.send(Message::Step(-1));
    it.window.send(Message::Press);
    assert!(!it.kept().appearance.animations);
    it.window.send(Message::Turn(2));
    assert!(it.shows("Another layout"));
    // The field takes letters once the keys are at it.
    it.window.send(Message::Step(100));
    it.window.type_text("neo");
    assert!(it.shows("German (Neo 2)"));
    it.window.send(Message::Step(1));
    it.window.press(Named::Escape);
    genai_ui::appearance::set(desktop_settings::Appearance::default());
}

#[test]
fn a_mistake_in_the_file_is_told_and_lost_is_nothing() {
    let mut it = open(Page::Appearance);
    let path = it.folder.path().join("config/desktop.toml");
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, "[appearance]\naccent = \"blue\"\n").expect("written");
    it.window.click_text("Light");
    assert!(it.shows("not understood"));
    assert_eq!(fs::read_to_string(&path).expect("read"), "[appearance]\naccent = \"blue\"\n");
}

#[test]
fn layouts_are_found_and_kept() {
    let mut it = open(Page::Keyboard);
    assert!(it.shows("English (US)") && it.shows("As this machine is set up"));
    it.window.send(Message::Keyboard(keyboard::Message::Search("ger".into())));
    assert!(!it.shows("French"));
    it.window.click_text("German (Neo 2)");
    let kept = it.kept().keyboard.expect("a layout");
    assert_eq!((kept.layout.as_str(), kept.variant.as_str()), ("de", "neo"));
    assert!(it.shows("Your own choice"));
    it.window.click_text("Escape");
    assert_eq!(it.kept().keyboard.expect("a layout").options, "caps:escape");
    it.window.click_text("Control");
    assert_eq!(it.kept().keyboard.expect("a layout").options, "ctrl:nocaps");
    it.window.click_text("As this machine is set up");
    assert_eq!(it.kept().keyboard, None);
}

#[test]
fn sizes_that_nobody_confirms_go_back() {
    let mut it = open(Page::Display);
    it.window.send(Message::Display(display::Message::Screens(Ok(vec![screen()]))));
    assert!(it.shows("1024 × 768") && it.shows("What the screen prefers"));
    let size = |width, height| desktop_settings::Size { width, height };
    let shown = || Message::Display(display::Message::Shown("Virtual-1".into(), size(1024, 768), size(1280, 800)));
    it.window.send(shown());
    assert!(it.shows("Keep this size?"));
    for _ in 0..14 {
        it.window.send(Message::Tick);
    }
    assert!(it.shows("Keep this size?"));
    it.window.send(Message::Tick);
    assert!(!it.shows("Keep this size?") && it.kept().displays.is_empty());
    it.window.send(shown());
    it.window.click_text("Keep");
    assert_eq!(it.kept().displays["Virtual-1"].size, Some(size(1024, 768)));
}

/// A desktop that notes what it is asked for, and agrees to all but 200 per cent.
fn desktop(socket: &Path) -> std::sync::mpsc::Receiver<gde_ipc::Request> {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("a line");
            let request: gde_ipc::Request = serde_json::from_str(&line).expect("a request");
            let answer = match &request {
                gde_ipc::Request::Outputs => gde_ipc::Answer::Outputs { outputs: vec![screen()] },
                gde_ipc::Request::Screen { scale_percent: Some(200), .. } => gde_ipc::Answer::Failed { problem: "too little room".into() },
                _ => gde_ipc::Answer::Done,
            };
            writeln!(&stream, "{}", serde_json::to_string(&answer).expect("JSON")).expect("sent");
            if request != gde_ipc::Request::Outputs {
                sender.send(request).expect("heard");
            }
        }
    });
    asked
}

#[test]
fn scales_and_screens_are_changed_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    // SAFETY: no other test of this file asks the desktop for anything that it needs an answer to.
    unsafe { std::env::set_var(gde_ipc::SOCKET, &socket) };
    let asked = desktop(&socket);
    let mut it = open(Page::Display);
    assert!(!it.shows("Use this screen"), "the only one cannot be switched off");
    it.window.click_text("150 %");
    let wish = |output: &str, scale_percent, is_on| gde_ipc::Request::Screen { output: output.into(), scale_percent, is_on };
    assert_eq!(asked.recv().expect("a wish"), wish("Virtual-1", Some(150), None));
    assert_eq!((it.kept().displays["Virtual-1"].scale_percent, it.kept().displays["Virtual-1"].on), (Some(150), true));
    it.window.click_text("200 %");
    assert_eq!(asked.recv().expect("a wish"), wish("Virtual-1", Some(200), None));
    assert!(it.shows("too little room"));
    assert_eq!(it.kept().displays["Virtual-1"].scale_percent, Some(150), "what cannot be is not kept");

    let other = Output { name: "Virtual-2".into(), x: 1280, is_on: false, ..screen() };
    it.window.send(Message::Display(display::Message::Screens(Ok(vec![screen(), other]))));
    assert!(it.shows("Screen Virtual-2") && it.window.find("Use this screen").len() == 1, "one that is off can be switched on, and the only one that is on not off");
    it.window.send(Message::Display(display::Message::Switch("Virtual-2".into(), true)));
    assert_eq!(asked.recv().expect("a wish"), wish("Virtual-2", None, Some(true)));
    it.window.send(Message::Display(display::Message::Switch("Virtual-2".into(), false)));
    assert!(!it.kept().displays["Virtual-2"].on);
}

#[test]
fn pictures_of_the_store_are_allowed_and_not() {
    use desktop_settings::Pictures;
    let mut it = open(Page::Ai);
    assert_eq!(it.kept().privacy.store_pictures, Pictures::Ask, "nobody is told anything unasked");
    // It is the last row of a long page.
    it.window.send(Message::Step(100));
    assert!(it.shows("Pictures of programs") && it.shows("Their server learns"));
    for pictures in [Pictures::Always, Pictures::Never, Pictures::Ask] {
        it.window.send(Message::Beside(1));
        assert_eq!(it.kept().privacy.store_pictures, pictures);
    }
    let path = it.folder.path().join("config/desktop.toml");
    fs::write(&path, "[privacy]\nstore_pictures = 1\n").expect("written");
    it.window.send(Message::Beside(-1));
    assert!(it.shows("not understood"));
    assert_eq!(fs::read_to_string(&path).expect("read"), "[privacy]\nstore_pictures = 1\n");
}

#[test]
fn wrong_passwords_and_names_change_nothing() {
    let mut it = open(Page::Users);
    assert!(it.shows("Ann Smith (ann)"));
    it.window.send(Message::Users(users::Message::Name("Bob".into())));
    it.window.send(Message::Users(users::Message::Add));
    assert!(it.shows("small letters"));
    it.window.send(Message::Users(users::Message::Change("ann".into())));
    it.window.send(Message::Users(users::Message::Password("one".into())));
    it.window.send(Message::Users(users::Message::Again("two".into())));
    it.window.send(Message::Users(users::Message::Set));
    assert!(it.shows("are not the same"));
    it.window.send(Message::Users(users::Message::Remove("ann".into())));
    assert!(it.shows("Remove ann?"));
    it.window.send(Message::Leave);
    assert!(!it.shows("Remove ann?"));
}

/// Writes pictures for who wants to look: `SETTINGS_PICTURES=folder`.
#[test]
fn it_can_be_drawn() {
    let _look = LOOK.lock();
    for page in Page::ALL {
        let mut it = open(page);
        match page {
            Page::Display => it.window.send(Message::Display(display::Message::Screens(Ok(vec![screen()])))),
            Page::Keyboard => it.window.send(Message::Keyboard(keyboard::Message::Search("ger".into()))),
            Page::Updates => {
                let plan = serde_json::from_str(r#"{"changes":[{"change":"replace","name":"hello","from":"1.0","version":"1.1"}],"download":52000,"growth":-4000}"#).expect("a plan");
                it.window.send(Message::Updates(updates::Message::Checked(Ok((plan, vec!["stable: nobody answers".into()])))));
                assert!(it.shows("1.0 → 1.1") && it.shows("nobody answers"));
            }
            _ => {}
        }
        it.window.send(Message::Step(2));
        assert!(it.shows(page.title()));
        assert!(it.window.picture().iter().all(|pixel| pixel >> 24 == 255), "{page:?} has holes");
        if let Some(folder) = std::env::var_os("SETTINGS_PICTURES") {
            it.window.save(&Path::new(&folder).join(format!("settings-{page:?}.png").to_lowercase())).expect("a picture");
        }
    }
}

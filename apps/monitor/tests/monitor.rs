//! Monitor as a person uses it: in a window that nobody sees, on this system.

use genai_ui::headless::Headless;
use monitor::services::{Verb, parse};
use monitor::{Column, Force, Message, Monitor, Page, sample};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn open() -> Headless<Monitor> {
    let (app, _) = Monitor::new(false);
    let mut window = Headless::new(app, 960, 640);
    look(&mut window);
    look(&mut window);
    window
}

fn look(window: &mut Headless<Monitor>) {
    window.send(Message::Sampled(Arc::new(sample::take(Path::new("/proc")))));
}

fn shows(window: &mut Headless<Monitor>, text: &str) -> bool {
    !window.find(text).is_empty()
}

#[test]
fn processes_are_found_and_ended() {
    let mut child = Command::new("sleep").arg("4321.5").spawn().expect("sleep");
    let mut window = open();
    window.send(Message::Letter("4".to_owned()));
    window.type_text("321.5");
    assert_eq!(window.app().processes().map(|it| it.pid).collect::<Vec<_>>(), [child.id()]);
    window.click_text("sleep");
    window.click_text("End");
    assert!(shows(&mut window, "End sleep?"));
    window.click_text("Cancel");
    assert!(child.try_wait().expect("a state").is_none(), "only what is meant");
    window.send(Message::End(Force::Asked));
    window.send(Message::Confirm);
    assert_eq!(child.wait().expect("ended").signal(), Some(15));
    assert_eq!(window.app().said(), Some("sleep was asked to end."));
    // Its number is nobody's, or another's, by now.
    window.send(Message::End(Force::Killed));
    window.send(Message::Confirm);
    assert_eq!(window.app().said(), Some("sleep has ended already."));
    look(&mut window);
    assert_eq!(window.app().processes().count(), 0);
}

#[test]
fn lists_are_ordered_by_their_columns() {
    let mut window = open();
    window.click_text("Memory");
    let memory: Vec<u64> = window.app().processes().map(|it| it.memory).collect();
    assert!(memory.is_sorted_by(|a, b| a >= b) && memory[0] > 0);
    window.send(Message::Sort(Column::Memory));
    assert!(window.app().processes().map(|it| it.memory).is_sorted());
    window.click_text("Number");
    assert!(window.app().processes().map(|it| it.pid).is_sorted());
}

#[test]
fn services_are_stopped_after_a_question() {
    let mut window = open();
    window.send(Message::Go(Page::Services));
    let all = parse(br#"[{"name":"one","description":"The first","state":"active","pid":7},{"name":"two","state":"failed","detail":"exit 1"}]"#);
    window.send(Message::Services(all));
    window.click_text("two");
    assert!(shows(&mut window, "exit 1"));
    window.click_text("one");
    window.send(Message::Do(Verb::Stop));
    assert!(shows(&mut window, "Stop one?"));
    window.send(Message::Cancel);
    assert!(!shows(&mut window, "Stop one?"));
}

/// Writes pictures for who wants to look: `MONITOR_PICTURES=folder`.
#[test]
fn it_can_be_drawn() {
    let mut window = open();
    for _ in 0..20 {
        look(&mut window);
    }
    let mut pictures = Vec::new();
    for (page, name) in [(Page::Processes, "monitor-processes"), (Page::Resources, "monitor-resources"), (Page::Services, "monitor-services")] {
        window.send(Message::Go(page));
        let picture = window.picture();
        assert!(picture.iter().all(|it| it >> 24 == 255), "{name} has holes");
        if let Some(folder) = std::env::var_os("MONITOR_PICTURES") {
            window.save(&Path::new(&folder).join(format!("{name}.png"))).expect("a picture");
        }
        pictures.push(picture);
    }
    pictures.dedup();
    assert_eq!(pictures.len(), 3);
}

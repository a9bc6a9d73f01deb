//! Programs at the right of the panel.

mod common;

use std::sync::{Arc, Mutex};

use common::compositor::{Fake, Manner};
use common::{Session, next, proxy, until};
use gde_ipc::TrayButton;
use tokio::sync::mpsc;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, fdo};

const WATCHER: (&str, &str, &str) = ("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher");
const ITEM: &str = "/StatusNotifierItem";

/// A program that wants to be shown.
struct Item {
    state: Arc<Mutex<State>>,
    calls: mpsc::UnboundedSender<String>,
}

#[derive(Clone)]
struct State {
    title: String,
    status: String,
    icon: String,
    pixels: Vec<(i32, i32, Vec<u8>)>,
}

#[zbus::interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    fn activate(&self, x: i32, y: i32) {
        self.calls.send(format!("Activate {x} {y}")).unwrap();
    }

    fn secondary_activate(&self, x: i32, y: i32) {
        self.calls.send(format!("SecondaryActivate {x} {y}")).unwrap();
    }

    fn context_menu(&self, x: i32, y: i32) -> fdo::Result<()> {
        self.calls.send(format!("ContextMenu {x} {y}")).unwrap();
        Err(fdo::Error::NotSupported("it has none".into()))
    }

    #[zbus(property)]
    fn id(&self) -> String {
        "item".into()
    }

    #[zbus(property)]
    fn title(&self) -> String {
        self.state.lock().unwrap().title.clone()
    }

    #[zbus(property)]
    fn status(&self) -> String {
        self.state.lock().unwrap().status.clone()
    }

    #[zbus(property)]
    fn icon_name(&self) -> String {
        self.state.lock().unwrap().icon.clone()
    }

    #[zbus(property)]
    fn icon_pixmap(&self) -> Vec<(i32, i32, Vec<u8>)> {
        self.state.lock().unwrap().pixels.clone()
    }

    #[zbus(property)]
    fn window_id(&self) -> u32 {
        7
    }

    #[zbus(signal)]
    async fn new_icon(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// Pixels of one colour: alpha, red, green, blue.
fn square(size: i32, pixel: [u8; 4]) -> (i32, i32, Vec<u8>) {
    (size, size, pixel.repeat((size * size) as usize))
}

/// A program with its item, registered; what it is called for.
async fn program(session: &Session, state: State) -> (Connection, Arc<Mutex<State>>, mpsc::UnboundedReceiver<String>) {
    let (calls, called) = mpsc::unbounded_channel();
    let state = Arc::new(Mutex::new(state));
    // Served from the first message on.
    let item = Item { state: state.clone(), calls };
    let bus = zbus::connection::Builder::address(session.address().as_str()).unwrap().serve_at(ITEM, item).unwrap().build().await.unwrap();
    let watcher = proxy(&bus, WATCHER).await;
    watcher.call::<_, _, ()>("RegisterStatusNotifierItem", &bus.unique_name().unwrap().as_str()).await.unwrap();
    (bus, state, called)
}

fn titles(fake: &Fake) -> Vec<String> {
    fake.tray().into_iter().map(|it| it.title).collect()
}

#[tokio::test]
async fn programs_are_shown_and_clicked_on() {
    let (session, _child, client) = Session::with_desktopd().await;
    session.until_named(&client, WATCHER.0).await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let watcher = proxy(&client, WATCHER).await;
    let mut registered = watcher.receive_signal("StatusNotifierItemRegistered").await.unwrap();
    let mut unregistered = watcher.receive_signal("StatusNotifierItemUnregistered").await.unwrap();
    assert!(watcher.get_property::<bool>("IsStatusNotifierHostRegistered").await.unwrap());
    let state = State { title: "Chat".into(), status: "Active".into(), icon: String::new(), pixels: vec![square(64, [255, 9, 9, 9]), square(22, [255, 10, 20, 30]), square(16, [255, 8, 8, 8])] };
    let (bus, state, mut called) = program(&session, state).await;
    let name = format!("{}{ITEM}", bus.unique_name().unwrap());
    assert_eq!(next::<String>(&mut registered).await, name);
    assert_eq!(watcher.get_property::<Vec<String>>("RegisteredStatusNotifierItems").await.unwrap(), [name.clone()]);
    until("it is shown", || titles(&fake) == ["Chat"]).await;
    let shown = fake.tray().remove(0);
    assert_eq!((shown.picture.width(), &shown.picture.pixels()[..4]), (20, &[10, 20, 30, 255][..]));
    for (button, wanted) in [(TrayButton::Left, "Activate 5 6"), (TrayButton::Middle, "SecondaryActivate 5 6"), (TrayButton::Right, "ContextMenu 5 6"), (TrayButton::Left, "Activate 5 6")] {
        fake.click(shown.id, button, (5, 6));
        assert_eq!(called.recv().await.unwrap(), wanted);
    }
    // One that says a thousand times that it looks otherwise holds nobody up.
    for _ in 0..1000 {
        Item::new_icon(&SignalEmitter::new(&bus, ITEM).unwrap()).await.unwrap();
    }
    // A click on what is not there is no matter.
    fake.click(99, TrayButton::Left, (0, 0));
    let changed = async |title: &str, status: &str| {
        {
            let mut state = state.lock().unwrap();
            (state.title, state.status) = (title.into(), status.into());
        }
        Item::new_icon(&SignalEmitter::new(&bus, ITEM).unwrap()).await.unwrap();
    };
    changed("Chat (1)", "NeedsAttention").await;
    until("it has changed", || titles(&fake) == ["Chat (1)"]).await;
    changed("Chat", "Passive").await;
    until("it hides", || !fake.has_tray_owner()).await;
    changed("Chat", "Active").await;
    until("it is there again", || titles(&fake) == ["Chat"]).await;
    bus.close().await.unwrap();
    assert_eq!(next::<String>(&mut unregistered).await, name);
    until("it has gone", || !fake.has_tray_owner()).await;
}

#[tokio::test]
async fn the_compositor_may_go_and_come() {
    let (session, _child, client) = Session::with_desktopd().await;
    session.until_named(&client, WATCHER.0).await;
    let state = State { title: "Music".into(), status: "Active".into(), icon: "no such icon".into(), pixels: Vec::new() };
    let (_bus, _state, mut called) = program(&session, state).await;
    for _ in 0..2 {
        let fake = Fake::start(&session.socket(), 0, Manner::Usual);
        until("it is shown", || titles(&fake) == ["Music"]).await;
        fake.click(fake.tray()[0].id, TrayButton::Left, (1, 2));
        assert_eq!(called.recv().await.unwrap(), "Activate 1 2");
        fake.die();
    }
}

#[tokio::test]
async fn bad_programs_are_borne() {
    let (session, _child, client) = Session::with_desktopd().await;
    session.until_named(&client, WATCHER.0).await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let watcher = proxy(&client, WATCHER).await;
    for bad in ["", "no name", "/not//a/path", "/a/", &"x".repeat(1 << 20)] {
        let answer: zbus::Result<()> = watcher.call("RegisterStatusNotifierItem", &bad).await;
        assert!(answer.is_err(), "{bad:.20}");
    }
    // It says that it has an item, and has none.
    watcher.call::<_, _, ()>("RegisterStatusNotifierItem", &"/nothing").await.unwrap();
    let pixels = vec![(i32::MAX, i32::MAX, vec![1; 1 << 22]), (-5, 3, Vec::new()), square(1, [255, 1, 2, 3])];
    let state = State { title: "\u{7}long ".repeat(1 << 18), status: "Odd".into(), icon: "/dev/zero".into(), pixels };
    let (bus, _state, _called) = program(&session, state).await;
    let flood: Vec<_> = (0..200).map(|it| format!("/item{it}")).collect();
    for path in &flood {
        let _: zbus::Result<()> = proxy(&bus, WATCHER).await.call("RegisterStatusNotifierItem", path).await;
    }
    until("one is shown", || fake.tray().len() == 1).await;
    let shown = fake.tray().remove(0);
    assert!(shown.title.chars().count() <= 80 && !shown.title.contains('\u{7}'), "{}", shown.title);
    assert!(fake.longest() < 64 << 10);
    // Those without an item have been left out.
    let watcher = proxy(&client, WATCHER).await;
    let mut registered = Vec::new();
    for _ in 0..200 {
        registered = watcher.get_property::<Vec<String>>("RegisteredStatusNotifierItems").await.unwrap();
        if registered.len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(registered.len(), 1, "{registered:?}");
}

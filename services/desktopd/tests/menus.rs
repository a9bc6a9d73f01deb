//! Menus of programs at the right of the panel.

mod common;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use common::compositor::{Fake, Manner};
use common::{Session, proxy, until};
use gde_ipc::{Mark, Menu, MenuItem, TrayButton};
use tokio::sync::mpsc;
use zbus::zvariant::{OwnedValue, StructureBuilder, Value};
use zbus::{Connection, fdo};

const WATCHER: (&str, &str, &str) = ("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher");

/// A program that has nothing but a menu, and does not say so where `is_menu` is false.
struct Item {
    is_menu: bool,
}

#[zbus::interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    fn activate(&self, _x: i32, _y: i32) -> fdo::Result<()> {
        Err(fdo::Error::UnknownMethod("there is only a menu".into()))
    }

    #[zbus(property)]
    fn title(&self) -> &str {
        "Menus"
    }

    #[zbus(property)]
    fn status(&self) -> &str {
        "Active"
    }

    #[zbus(property)]
    fn item_is_menu(&self) -> bool {
        self.is_menu
    }

    #[zbus(property)]
    fn menu(&self) -> zbus::zvariant::ObjectPath<'static> {
        zbus::zvariant::ObjectPath::try_from("/Menu").unwrap()
    }
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// Its menu, of which one part is filled only when it is to be shown.
struct Dbusmenu {
    calls: mpsc::UnboundedSender<String>,
    is_filled: Arc<Mutex<bool>>,
    count: i32,
}

fn item(id: i32, properties: &[(&str, Value<'_>)], items: Vec<OwnedValue>) -> OwnedValue {
    let properties: HashMap<String, OwnedValue> = properties.iter().map(|(name, it)| ((*name).to_owned(), it.try_to_owned().unwrap())).collect();
    let it = StructureBuilder::new().add_field(id).add_field(properties).add_field(items).build().unwrap();
    Value::from(it).try_to_owned().unwrap()
}

#[zbus::interface(name = "com.canonical.dbusmenu")]
impl Dbusmenu {
    fn about_to_show(&self, id: i32) -> bool {
        self.calls.send(format!("AboutToShow {id}")).unwrap();
        if id == 7 {
            *self.is_filled.lock().unwrap() = true;
        }
        false
    }

    fn event(&self, id: i32, kind: &str, _data: Value<'_>, _time: u32) {
        self.calls.send(format!("{kind} {id}")).unwrap();
    }

    fn get_layout(&self, parent: i32, depth: i32, names: Vec<&str>) -> (u32, Layout) {
        assert_eq!((parent, depth, names.len()), (0, -1, 0));
        let label = |words: &'static str| ("label", Value::from(words));
        let rule = |id| item(id, &[("type", "separator".into())], Vec::new());
        let inside = if *self.is_filled.lock().unwrap() { vec![item(8, &[label("Deep")], Vec::new())] } else { Vec::new() };
        let mut items = vec![
            rule(90),
            item(1, &[label("_Open __it")], Vec::new()),
            rule(91),
            rule(92),
            item(2, &[label("Sound"), ("toggle-type", "checkmark".into()), ("toggle-state", 1.into())], Vec::new()),
            item(3, &[label("Off"), ("toggle-type", "radio".into()), ("toggle-state", 0.into()), ("enabled", false.into())], Vec::new()),
            item(4, &[label("Hidden"), ("visible", false.into())], Vec::new()),
            item(7, &[label("More"), ("children-display", "submenu".into())], inside),
            item(9, &[label("Nothing"), ("children-display", "submenu".into())], Vec::new()),
        ];
        items.extend((100..100 + self.count).map(|id| item(id, &[label("One of many")], Vec::new())));
        items.push(rule(93));
        (1, (0, HashMap::new(), items))
    }
}

async fn program(session: &Session, is_menu: bool, count: i32) -> (Connection, mpsc::UnboundedReceiver<String>) {
    let (calls, called) = mpsc::unbounded_channel();
    let menu = Dbusmenu { calls, is_filled: Arc::default(), count };
    let builder = zbus::connection::Builder::address(session.address().as_str()).unwrap().serve_at("/StatusNotifierItem", Item { is_menu }).unwrap();
    let bus = builder.serve_at("/Menu", menu).unwrap().build().await.unwrap();
    let name = bus.unique_name().unwrap().to_string();
    proxy(&bus, WATCHER).await.call::<_, _, ()>("RegisterStatusNotifierItem", &name).await.unwrap();
    (bus, called)
}

fn usual() -> Vec<MenuItem> {
    let line = |id, label: &str| MenuItem { id, label: label.into(), ..MenuItem::default() };
    vec![
        line(1, "Open _it"),
        line(91, ""),
        MenuItem { mark: Mark::Check, ..line(2, "Sound") },
        MenuItem { is_enabled: false, ..line(3, "Off") },
        MenuItem { items: vec![line(8, "Deep")], ..line(7, "More") },
        MenuItem { is_enabled: false, ..line(9, "Nothing") },
    ]
}

async fn calls(called: &mut mpsc::UnboundedReceiver<String>, wanted: &[&str]) {
    let mut got: Vec<String> = Vec::new();
    while !wanted.iter().all(|it| got.iter().any(|got| got == it)) {
        got.push(tokio::time::timeout(common::LIMIT, called.recv()).await.unwrap_or_else(|_| panic!("{wanted:?}, but {got:?}")).unwrap());
    }
}

#[tokio::test]
async fn menus_are_shown_and_chosen_from() {
    for (is_menu, button) in [(true, TrayButton::Left), (false, TrayButton::Right), (false, TrayButton::Left)] {
        let (session, _child, client) = Session::with_desktopd().await;
        session.until_named(&client, WATCHER.0).await;
        let fake = Fake::start(&session.socket(), 0, Manner::Usual);
        let (_bus, mut called) = program(&session, is_menu, 0).await;
        until("it is shown", || fake.tray().len() == 1).await;
        let tray = fake.tray()[0].id;
        for item in [Some(8), None] {
            fake.click(tray, button, (5, 6));
            until("its menu is shown", || fake.menu().is_some()).await;
            let menu: Menu = fake.menu().unwrap();
            assert_eq!(menu.items, usual());
            fake.close_menu(item);
            match item {
                Some(_) => calls(&mut called, &["AboutToShow 0", "AboutToShow 7", "clicked 8", "closed 0"]).await,
                None => calls(&mut called, &["closed 0"]).await,
            }
        }
    }
}

#[tokio::test]
async fn long_menus_are_cut() {
    let (session, _child, client) = Session::with_desktopd().await;
    session.until_named(&client, WATCHER.0).await;
    let fake = Fake::start(&session.socket(), 0, Manner::Usual);
    let (_bus, _called) = program(&session, true, 3000).await;
    until("it is shown", || fake.tray().len() == 1).await;
    fake.click(fake.tray()[0].id, TrayButton::Right, (5, 6));
    until("its menu is shown", || fake.menu().is_some()).await;
    let menu = fake.menu().unwrap();
    let all = menu.items.iter().map(|it| 1 + it.items.len()).sum::<usize>();
    assert_eq!(all, 512);
}

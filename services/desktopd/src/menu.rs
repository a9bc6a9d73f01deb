//! Menus of programs at the right of the panel: the interface com.canonical.dbusmenu, as what the compositor shows.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gde_ipc::{Mark, MenuItem};
use tokio::time::timeout;
use zbus::Connection;
use zbus::zvariant::{OwnedValue, Structure, Value};

use crate::text;

const INTERFACE: &str = "com.canonical.dbusmenu";
/// The item that stands for the whole menu.
const ALL: i32 = 0;
/// Lines at most, with those of the menus in it, and how deep these are: as the compositor takes them.
const MOST: usize = 512;
const DEEPEST: usize = 8;
/// Characters of a line's words.
const LABEL: usize = 120;
/// A program that fills its menu only now may take so long for it.
const LIMIT: Duration = Duration::from_secs(2);

/// An item as programs send it: its number, its properties, and the items of the menu behind it, each in a variant.
type Item = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

/// A program's menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The program's own name on the bus.
    pub owner: String,
    /// Its object.
    pub path: String,
}

impl Place {
    async fn call<B: serde::Serialize + zbus::zvariant::DynamicType>(&self, bus: &Connection, method: &str, body: &B) -> zbus::Result<zbus::Message> {
        let call = bus.call_method(Some(self.owner.as_str()), self.path.as_str(), Some(INTERFACE), method, body);
        timeout(LIMIT, call).await.map_err(|_| zbus::Error::Failure("it does not answer".into()))?
    }

    async fn layout(&self, bus: &Connection) -> zbus::Result<Item> {
        let reply = self.call(bus, "GetLayout", &(ALL, -1, Vec::<&str>::new())).await?;
        Ok(reply.body().deserialize::<(u32, Item)>()?.1)
    }

    /// What is in it now.
    ///
    /// # Errors
    /// Where the program does not answer as one that has a menu.
    pub async fn items(&self, bus: &Connection) -> zbus::Result<Vec<MenuItem>> {
        // Not all programs want to know that it is to be shown.
        let _ = self.call(bus, "AboutToShow", &ALL).await;
        let mut all = self.layout(bus).await?;
        let empty = unfilled(&all);
        if !empty.is_empty() {
            for id in empty {
                let _ = self.call(bus, "AboutToShow", &id).await;
            }
            all = self.layout(bus).await?;
        }
        Ok(children(&all.2, DEEPEST, &mut { MOST }))
    }

    /// The program is told that an item was chosen, or that none was, and that its menu is closed.
    pub async fn closed(&self, bus: &Connection, item: Option<i32>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs() as u32);
        let chosen = item.map(|item| (item, "clicked"));
        for (item, event) in chosen.into_iter().chain([(ALL, "closed")]) {
            if let Err(error) = self.call(bus, "Event", &(item, event, Value::I32(0), now)).await {
                tracing::debug!("{event} of {}: {error}", text::line(&self.owner, 80));
            }
        }
    }
}

/// An item in a variant.
fn item(value: &OwnedValue) -> Option<Item> {
    let (id, properties, items): (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>) = Structure::try_from(value.try_clone().ok()?).ok()?.try_into().ok()?;
    Some((id, properties, items))
}

fn words<'a>(properties: &'a HashMap<String, OwnedValue>, name: &str) -> Option<&'a str> {
    properties.get(name)?.downcast_ref().ok()
}

fn flag(properties: &HashMap<String, OwnedValue>, name: &str) -> bool {
    properties.get(name).and_then(|it| it.downcast_ref().ok()).unwrap_or(true)
}

/// Menus in it that have nothing in them yet.
fn unfilled((_, _, items): &Item) -> Vec<i32> {
    let inside = items.iter().take(MOST).filter_map(item);
    let all = inside.flat_map(|it| if it.2.is_empty() && words(&it.1, "children-display") == Some("submenu") { vec![it.0] } else { unfilled(&it) });
    all.take(MOST / 8).collect()
}

/// Those that are to be seen; `room` is how many more there may be.
fn children(items: &[OwnedValue], depth: usize, room: &mut usize) -> Vec<MenuItem> {
    let mut all: Vec<MenuItem> = Vec::new();
    for (id, properties, items) in items.iter().filter_map(item).filter(|it| flag(&it.1, "visible")) {
        if *room == 0 {
            break;
        }
        let is_rule = words(&properties, "type") == Some("separator");
        let label = if is_rule { String::new() } else { text::label(words(&properties, "label").unwrap_or_default(), LABEL) };
        // Lines between others stand alone, and not at an end.
        if label.is_empty() && (!is_rule || all.last().is_none_or(|it| it.label.is_empty())) {
            continue;
        }
        *room -= 1;
        let is_on = properties.get("toggle-state").and_then(|it| it.downcast_ref::<i32>().ok()) == Some(1);
        let mark = match words(&properties, "toggle-type") {
            Some("checkmark") if is_on => Mark::Check,
            Some("radio") if is_on => Mark::Dot,
            _ => Mark::None,
        };
        let is_menu = words(&properties, "children-display") == Some("submenu");
        let items = if is_menu && depth > 0 { children(&items, depth - 1, room) } else { Vec::new() };
        // A menu without anything in it leads nowhere.
        let is_enabled = flag(&properties, "enabled") && !(is_menu && items.is_empty());
        all.push(MenuItem { id, label, is_enabled, mark, items });
    }
    if all.last().is_some_and(|it| it.label.is_empty()) {
        all.pop();
    }
    all
}

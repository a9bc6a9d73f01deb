//! What programs of other desktops do on the session's D-Bus, where `dbus-send` has no words for it:
//!
//! * `bus-peer notify REPLACES TITLE [KEY LABEL]...`: shows a notice with a green picture by org.freedesktop.Notifications, and prints its number;
//! * `bus-peer tray TITLE`: is a green square at the right of the panel, and prints clicks on it, until it is ended.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::{StructureBuilder, Value};

/// Pixels a row and rows of pictures.
const SIZE: i32 = 64;
const NO_BUS: &str = "connecting to the session's D-Bus";
const GREEN: [u8; 3] = [0x20, 0xc0, 0x40];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["notify", replaces, title, actions @ ..] => notify(replaces.parse().context("the number of the notice to replace")?, title, actions).await,
        ["tray", title] => tray(title).await,
        _ => bail!("usage: bus-peer notify REPLACES TITLE [KEY LABEL]... | tray TITLE"),
    }
}

async fn notify(replaces: u32, title: &str, actions: &[&str]) -> Result<()> {
    let picture = StructureBuilder::new().add_field(SIZE).add_field(SIZE).add_field(3 * SIZE).add_field(false).add_field(8).add_field(3);
    let picture = picture.add_field(GREEN.repeat((SIZE * SIZE) as usize)).build()?;
    let hints = HashMap::from([("urgency", Value::from(1u8)), ("image-data", picture.into())]);
    let bus = Connection::session().await.context(NO_BUS)?;
    let name = "org.freedesktop.Notifications";
    let arguments = ("mail", replaces, "", title, "<b>Ada</b> &amp; Bob", actions, hints, 0);
    let reply = bus.call_method(Some(name), "/org/freedesktop/Notifications", Some(name), "Notify", &arguments).await?;
    let number: u32 = reply.body().deserialize()?;
    println!("{number}");
    Ok(())
}

/// A program at the right of the panel.
struct Item(String);

#[zbus::interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    fn activate(&self, x: i32, y: i32) {
        println!("clicked at {x} {y}");
    }

    #[zbus(property)]
    fn id(&self) -> &str {
        "bus-peer"
    }

    #[zbus(property)]
    fn title(&self) -> &str {
        &self.0
    }

    #[zbus(property)]
    fn status(&self) -> &str {
        "Active"
    }

    #[zbus(property)]
    fn icon_pixmap(&self) -> Vec<(i32, i32, Vec<u8>)> {
        let [red, green, blue] = GREEN;
        vec![(SIZE, SIZE, [0xff, red, green, blue].repeat((SIZE * SIZE) as usize))]
    }
}

async fn tray(title: &str) -> Result<()> {
    // Served from the first message on.
    let bus = Builder::session()?.serve_at("/StatusNotifierItem", Item(title.to_owned()))?.build().await.context(NO_BUS)?;
    let name = "org.kde.StatusNotifierWatcher";
    let own = bus.unique_name().context("no name on the bus")?.as_str();
    bus.call_method(Some(name), "/StatusNotifierWatcher", Some(name), "RegisterStatusNotifierItem", &own).await?;
    bus.closed().await;
    Ok(())
}

//! `bus-peer notify REPLACES TITLE [KEY LABEL]...`: shows a notice with a green picture by org.freedesktop.Notifications, and prints its number. `dbus-send` has no
//! words for hints.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use zbus::zvariant::{StructureBuilder, Value};

/// Pixels a row and rows of the picture.
const SIZE: i32 = 64;
const GREEN: [u8; 3] = [0x20, 0xc0, 0x40];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [command, replaces, title, actions @ ..] = words.as_slice() else { bail!("usage: bus-peer notify REPLACES TITLE [KEY LABEL]...") };
    ensure!(command == "notify", "{command:?} is no command");
    let replaces: u32 = replaces.parse().context("the number of the notice to replace")?;
    let picture = StructureBuilder::new().add_field(SIZE).add_field(SIZE).add_field(3 * SIZE).add_field(false).add_field(8).add_field(3);
    let picture = picture.add_field(GREEN.repeat((SIZE * SIZE) as usize)).build()?;
    let hints = HashMap::from([("urgency", Value::from(1u8)), ("image-data", picture.into())]);
    let bus = zbus::Connection::session().await.context("connecting to the session's D-Bus")?;
    let name = "org.freedesktop.Notifications";
    let arguments = ("mail", replaces, "", title, "<b>Ada</b> &amp; Bob", actions, hints, 0);
    let reply = bus.call_method(Some(name), "/org/freedesktop/Notifications", Some(name), "Notify", &arguments).await?;
    let number: u32 = reply.body().deserialize()?;
    println!("{number}");
    Ok(())
}

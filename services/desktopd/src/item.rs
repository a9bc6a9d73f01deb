//! What a program at the right of the panel looks like: the properties of a StatusNotifierItem.

use std::fmt;

use gde_ipc::Picture;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zbus::Connection;
use zbus::zvariant::{Signature, Type};

use crate::tray::Place;
use crate::variant::part as value;
use crate::{picture, text, tray};

/// The interface.
pub const INTERFACE: &str = "org.kde.StatusNotifierItem";
/// Characters of a title at most.
const TITLE: usize = 80;
/// Sizes that a program may offer of a picture.
const SIZES: usize = 16;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What it is called.
    pub title: String,
    /// What is seen.
    pub picture: Picture,
    /// Whether it has nothing but a menu.
    pub is_menu: bool,
    /// The object that has its menu (com.canonical.dbusmenu).
    pub menu: Option<String>,
}

/// Pixels by rows, each alpha, red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pixels<'a> {
    width: i32,
    height: i32,
    data: &'a [u8],
}

/// The properties that matter; others, however large, are not kept.
#[derive(Debug, Default, PartialEq)]
struct Properties<'a> {
    id: &'a str,
    title: &'a str,
    status: &'a str,
    icon: &'a str,
    attention: &'a str,
    folder: &'a str,
    pixels: Vec<Pixels<'a>>,
    attention_pixels: Vec<Pixels<'a>>,
    is_menu: bool,
    menu: &'a str,
}

impl Type for Properties<'_> {
    const SIGNATURE: &'static Signature = <std::collections::HashMap<&str, zbus::zvariant::Value<'_>>>::SIGNATURE;
}

/// A property's value.
enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Path(&'a str),
    Pictures(Vec<Pixels<'a>>),
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Value<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a variant")
            }

            /// A variant is the signature of its value, and the value.
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Value<'de>, A::Error> {
                let signature: &str = value(&mut parts)?;
                Ok(match signature {
                    "s" => Value::Text(value(&mut parts)?),
                    "b" => Value::Flag(value(&mut parts)?),
                    "o" => Value::Path(value(&mut parts)?),
                    "a(iiay)" => Value::Pictures(value::<Few<'de>, A>(&mut parts)?.0),
                    _ => {
                        value::<IgnoredAny, A>(&mut parts)?;
                        Value::Other
                    }
                })
            }
        }
        deserializer.deserialize_seq(Of)
    }
}

/// The first pictures of a list.
struct Few<'a>(Vec<Pixels<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Few<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Few<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("pictures")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Few<'de>, A::Error> {
                let mut few = Vec::new();
                while let Some((width, height, data)) = all.next_element::<(i32, i32, &[u8])>()? {
                    if few.len() < SIZES {
                        few.push(Pixels { width, height, data });
                    }
                }
                Ok(Few(few))
            }
        }
        deserializer.deserialize_seq(Of)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Properties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Properties<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties<'de>, A::Error> {
                let mut it = Properties::default();
                while let Some(name) = map.next_key::<&str>()? {
                    match (name, map.next_value::<Value<'de>>()?) {
                        ("Id", Value::Text(text)) => it.id = text,
                        ("Title", Value::Text(text)) => it.title = text,
                        ("Status", Value::Text(text)) => it.status = text,
                        ("IconName", Value::Text(text)) => it.icon = text,
                        ("AttentionIconName", Value::Text(text)) => it.attention = text,
                        ("IconThemePath", Value::Text(text)) => it.folder = text,
                        ("IconPixmap", Value::Pictures(pixels)) => it.pixels = pixels,
                        ("AttentionIconPixmap", Value::Pictures(pixels)) => it.attention_pixels = pixels,
                        ("ItemIsMenu", Value::Flag(flag)) => it.is_menu = flag,
                        ("Menu", Value::Path(path)) => it.menu = path,
                        _ => {}
                    }
                }
                Ok(it)
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// What a program looks like now; none where it does not want to be seen.
///
/// # Errors
/// Where it does not answer as a StatusNotifierItem.
pub async fn look(bus: &Connection, place: &Place) -> zbus::Result<Option<Look>> {
    let reply = bus.call_method(Some(place.owner.as_str()), place.path.as_str(), Some("org.freedesktop.DBus.Properties"), "GetAll", &INTERFACE).await?;
    let body = reply.body();
    let it: Properties<'_> = body.deserialize()?;
    if it.status == "Passive" {
        return Ok(None);
    }
    let wants_attention = it.status == "NeedsAttention" && !(it.attention.is_empty() && it.attention_pixels.is_empty());
    let (icon, pixels) = if wants_attention { (it.attention, &it.attention_pixels) } else { (it.icon, &it.pixels) };
    let mut seen = picture::of_name(icon, it.folder, picture::SMALL).await;
    if seen.is_none() {
        seen = best(pixels);
    }
    let name = [it.title, it.id, place.service.as_str()].into_iter().find(|it| !it.is_empty()).unwrap_or_default();
    Ok(seen.or_else(tray::no_picture).map(|picture| Look { title: text::line(name, TITLE), picture, is_menu: it.is_menu, menu: Some(it.menu).filter(|it| is_menu(it)).map(str::to_owned) }))
}

/// Some programs say by a path that they have no menu.
fn is_menu(path: &str) -> bool {
    !matches!(path, "" | "/" | "/NO_DBUSMENU") && zbus::zvariant::ObjectPath::try_from(path).is_ok()
}

/// The smallest picture that is large enough, else the largest one.
fn best(all: &[Pixels<'_>]) -> Option<Picture> {
    let good = all.iter().filter(|it| it.width > 0 && it.height > 0);
    let large = good.clone().filter(|it| it.width >= picture::SMALL as i32 && it.height >= picture::SMALL as i32).min_by_key(|it| it.width);
    let chosen = large.or_else(|| good.max_by_key(|it| it.width))?;
    picture::of_argb(chosen.width, chosen.height, chosen.data, picture::SMALL)
}

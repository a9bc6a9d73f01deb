//! The hints of a notice. Only those that are known are taken out of the message; of others, however large, nothing is kept.

use std::fmt;
use std::marker::PhantomData;

use gde_ipc::Urgency;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zbus::zvariant::{Signature, Type};

use crate::variant::part as value;

/// Pixels by rows, as programs send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Type, serde::Deserialize)]
pub struct Raw<'a> {
    /// Pixels a row.
    pub width: i32,
    /// Rows.
    pub height: i32,
    /// Bytes from one row to the next.
    pub stride: i32,
    /// Whether the fourth byte of a pixel says how much of it is seen.
    pub has_alpha: bool,
    /// 8.
    pub bits: i32,
    /// 3, or 4 with alpha.
    pub channels: i32,
    /// Red, green, blue.
    pub data: &'a [u8],
}

/// What is known.
#[derive(Debug, Default, PartialEq)]
pub struct Hints<'a> {
    /// How much it matters.
    pub urgency: Urgency,
    /// The name of the program's desktop entry.
    pub desktop_entry: Option<&'a str>,
    /// A picture's file or its name in the icon theme.
    pub image_path: Option<&'a str>,
    /// A picture.
    pub image: Option<Raw<'a>>,
    /// The picture by its name of old, which counts least.
    pub icon: Option<Raw<'a>>,
}

impl Type for Hints<'_> {
    const SIGNATURE: &'static Signature = <std::collections::HashMap<&str, zbus::zvariant::Value<'_>>>::SIGNATURE;
}

/// A hint's value.
#[derive(Debug)]
enum Hint<'a> {
    Number(i64),
    Text(&'a str),
    Picture(Raw<'a>),
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Hint<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Of<'a> {
            type Value = Hint<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a variant")
            }

            /// A variant is the signature of its value, and the value.
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Hint<'a>, A::Error> {
                let signature: &str = value(&mut parts)?;
                Ok(match signature {
                    "y" => Hint::Number(value::<u8, A>(&mut parts)?.into()),
                    "n" => Hint::Number(value::<i16, A>(&mut parts)?.into()),
                    "q" => Hint::Number(value::<u16, A>(&mut parts)?.into()),
                    "i" => Hint::Number(value::<i32, A>(&mut parts)?.into()),
                    "u" => Hint::Number(value::<u32, A>(&mut parts)?.into()),
                    "x" => Hint::Number(value::<i64, A>(&mut parts)?),
                    "s" => Hint::Text(value(&mut parts)?),
                    "(iiibiiay)" => Hint::Picture(value(&mut parts)?),
                    _ => {
                        value::<IgnoredAny, A>(&mut parts)?;
                        Hint::Other
                    }
                })
            }
        }
        deserializer.deserialize_seq(Of(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Hints<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for All<'a> {
            type Value = Hints<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hints")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hints<'a>, A::Error> {
                let mut hints = Hints::default();
                while let Some(name) = map.next_key::<&str>()? {
                    // A value of the wrong type is no reason to show nothing.
                    match (name, map.next_value::<Hint<'a>>()?) {
                        ("urgency", Hint::Number(0)) => hints.urgency = Urgency::Low,
                        ("urgency", Hint::Number(2)) => hints.urgency = Urgency::Critical,
                        ("desktop-entry", Hint::Text(text)) => hints.desktop_entry = Some(text),
                        ("image-path" | "image_path", Hint::Text(text)) => hints.image_path = Some(text),
                        ("image-data" | "image_data", Hint::Picture(picture)) => hints.image = Some(picture),
                        ("icon_data", Hint::Picture(picture)) => hints.icon = Some(picture),
                        _ => {}
                    }
                }
                Ok(hints)
            }
        }
        deserializer.deserialize_map(All(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use zbus::zvariant::serialized::Context;
    use zbus::zvariant::{LE, StructureBuilder, Value, to_bytes};

    fn parse(hints: &HashMap<&str, Value<'_>>, check: impl FnOnce(Hints<'_>)) {
        let bytes = to_bytes(Context::new_dbus(LE, 0), hints).expect("encoded");
        check(bytes.deserialize::<Hints<'_>>().expect("decoded").0);
    }

    #[test]
    fn known_ones_are_taken() {
        let picture = StructureBuilder::new().add_field(2).add_field(1).add_field(8).add_field(true).add_field(8).add_field(4).add_field(vec![7u8; 8]).build().expect("built");
        let deep = (0..20).fold(Value::from(1u8), |inner, _| Value::Value(Box::new(inner)));
        let hints = HashMap::from([
            ("urgency", Value::from(2u8)),
            ("desktop-entry", Value::from("org.x")),
            ("image-path", Value::from("/x.png")),
            ("image-data", Value::from(picture)),
            ("x-deep", deep),
            ("x-large", Value::from(vec![1u8; 1 << 20])),
            ("x-strings", Value::from(vec!["a", "b"])),
            ("x-real", Value::from(1.5)),
        ]);
        parse(&hints, |it| {
            let raw = Raw { width: 2, height: 1, stride: 8, has_alpha: true, bits: 8, channels: 4, data: &[7; 8] };
            assert_eq!(it, Hints { urgency: Urgency::Critical, desktop_entry: Some("org.x"), image_path: Some("/x.png"), image: Some(raw), icon: None });
        });
    }

    #[test]
    fn wrong_types_are_left_out() {
        for (value, wanted) in [
            (Value::from(0i32), Urgency::Low),
            (Value::from(2u32), Urgency::Critical),
            (Value::from(7u8), Urgency::Normal),
            (Value::from(-1i64), Urgency::Normal),
            (Value::from("high"), Urgency::Normal),
            (Value::from(vec![2u8]), Urgency::Normal),
        ] {
            parse(&HashMap::from([("urgency", value), ("image-path", Value::from(3u8)), ("image-data", Value::from("x"))]), |it| {
                assert_eq!(it, Hints { urgency: wanted, ..Hints::default() });
            });
        }
    }
}

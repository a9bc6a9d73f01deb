//! Small pictures in messages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// The most pixels a row and rows.
    pub const MOST: u32 = 64;

    /// A picture of these pixels by rows, each four bytes: red, green, blue, and how much of it is seen. None where there are too many, or not as many as the
    /// size says.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let is_good = (1..=Self::MOST).contains(&width) && (1..=Self::MOST).contains(&height) && pixels.len() == (width * height * 4) as usize;
        is_good.then_some(Picture { width, height, pixels })
    }

    /// Pixels a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels by rows, each four bytes: red, green, blue, and how much of it is seen.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// As it is in a message.
#[derive(Serialize, Deserialize)]
struct Written {
    width: u32,
    height: u32,
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pixels: Vec<u8>,
}

impl From<Picture> for Written {
    fn from(Picture { width, height, pixels }: Picture) -> Self {
        Written { width, height, pixels }
    }
}

impl TryFrom<Written> for Picture {
    type Error = String;

    fn try_from(Written { width, height, pixels }: Written) -> Result<Self, String> {
        let len = pixels.len();
        Picture::new(width, height, pixels).ok_or_else(|| format!("a picture of {width} x {height} pixels in {len} bytes; at most {0} x {0} are taken, of 4 bytes each", Picture::MOST))
    }
}

fn write<S: Serializer>(pixels: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(pixels))
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_checked() {
        let picture = Picture::new(2, 1, vec![1, 2, 3, 255, 0, 0, 0, 0]).expect("a picture");
        let text = serde_json::to_string(&picture).expect("JSON");
        assert_eq!(text, r#"{"width":2,"height":1,"pixels":"AQID/wAAAAA="}"#);
        assert_eq!(serde_json::from_str::<Picture>(&text).expect("a picture"), picture);
        for bad in [r#"{"width":2,"height":2,"pixels":"AQID/wAAAAA="}"#, r#"{"width":0,"height":0,"pixels":""}"#, r#"{"width":1,"height":1,"pixels":"é"}"#] {
            assert!(serde_json::from_str::<Picture>(bad).is_err(), "{bad}");
        }
        assert_eq!(Picture::new(u32::MAX, 1, Vec::new()), None);
        assert_eq!(Picture::new(65, 1, vec![0; 65 * 4]), None);
    }
}

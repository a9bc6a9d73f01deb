//! How a user wants the desktop: one file, `~/.config/genai/desktop.toml`, which the compositor and all apps read when they start and again whenever it changes
//! ([`Watch`]). Where it says nothing, the defaults hold.
//!
//! ```toml
//! [appearance]
//! scheme = "light"
//! accent = "#3fb27f"
//! text_percent = 125
//! animations = false
//!
//! [keyboard]
//! layout = "de"
//!
//! [arrangement]
//! offer = false
//!
//! [privacy]
//! store_pictures = "always"
//!
//! [displays]
//! Virtual-1 = { width = 1024, height = 768, scale_percent = 125 }
//! Virtual-2 = { on = false }
//! ```

mod colour;
mod file;
mod watch;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use colour::Colour;
pub use file::{Problem, path};
pub use watch::Watch;

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How everything looks.
    pub appearance: Appearance,
    /// The keyboard's layout; without it the machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<Keyboard>,
    /// Screens, by the connector's name; others have what they prefer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub displays: BTreeMap<String, Display>,
    /// What the desktop learns of windows, and offers.
    #[serde(skip_serializing_if = "Arrangement::is_default")]
    pub arrangement: Arrangement,
    /// What may be told to others.
    #[serde(skip_serializing_if = "Privacy::is_default")]
    pub privacy: Privacy,
    /// What changes while somebody learns.
    #[serde(skip_serializing_if = "Learning::is_default")]
    pub learning: Learning,
    /// What a learning session wants, while there is one: the desktop keeps it, and takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesson: Option<Lesson>,
    /// What another version knows and this one does not, kept as it is.
    #[serde(flatten)]
    pub rest: toml::Table,
}

impl Settings {
    /// How everything looks now: as the user wants it, and at least as easy to read as a learning session asks for.
    pub fn look(&self) -> Appearance {
        self.lesson.map_or(self.appearance, |lesson| lesson.over(self.appearance))
    }
}

/// How different text is from its ground.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contrast {
    /// As most like it.
    #[default]
    Normal,
    /// As much as there is.
    High,
}

/// What a learning session wants of the look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lesson {
    /// Text is at least as large, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_percent: Option<u16>,
    /// The contrast is at least this.
    pub contrast: Contrast,
}

impl Lesson {
    /// A look with what the session wants. What the user has chosen is never made less.
    pub fn over(&self, appearance: Appearance) -> Appearance {
        let wanted = self.text_percent.map_or(0, |it| it.min(Appearance::TEXT.1));
        Appearance { text_percent: appearance.text_percent.max(wanted), contrast: appearance.contrast.max(self.contrast), ..appearance }
    }
}

/// Dark or light.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Light letters on dark ground.
    #[default]
    Dark,
    /// Dark letters on light ground.
    Light,
}

/// The look of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    /// Dark or light.
    pub scheme: Scheme,
    /// What is chosen or can be done.
    pub accent: Colour,
    /// Size of text, and of what is made for it, in per cent: [`Appearance::TEXT`].
    pub text_percent: u16,
    /// Whether windows appear and go gradually.
    pub animations: bool,
    /// How different text is from its ground.
    pub contrast: Contrast,
}

impl Appearance {
    /// The least and the most size of text that is taken.
    pub const TEXT: (u16, u16) = (75, 200);

    /// Accents to choose from, and their names. All can be read on dark and on light ground.
    pub const ACCENTS: [(Colour, &str); 6] = [
        (Colour(0x4c_8dff), "Blue"),
        (Colour(0x1f_9e8f), "Teal"),
        (Colour(0x3a_9a4f), "Green"),
        (Colour(0xc7_7a12), "Amber"),
        (Colour(0xd9_4f70), "Rose"),
        (Colour(0x8f_6be8), "Violet"),
    ];

    /// How much larger than usual text is.
    pub fn text_scale(&self) -> f32 {
        f32::from(self.text_percent.clamp(Self::TEXT.0, Self::TEXT.1)) / 100.0
    }
}

impl Default for Appearance {
    fn default() -> Self {
        Appearance { scheme: Scheme::Dark, accent: Colour(0x4c_8dff), text_percent: 100, animations: true, contrast: Contrast::Normal }
    }
}

/// A keyboard's layout by XKB's names (xkeyboard-config(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keyboard {
    /// `de`; several with commas.
    pub layout: String,
    /// `neo`; empty for the layout's usual form.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// `caps:escape`; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub options: String,
}

/// What the desktop learns of windows, and offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arrangement {
    /// Whether it is noted which programs' windows are used together, where and when. Without it nothing is offered either.
    pub learn: bool,
    /// Whether arrangements are offered.
    pub offer: bool,
}

impl Arrangement {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Arrangement {
    fn default() -> Self {
        Arrangement { learn: true, offer: true }
    }
}

/// What may be told to others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    /// Whether the Store brings pictures of programs from where their archive has them.
    pub store_pictures: Pictures,
}

impl Privacy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether pictures are brought from a server, which so learns what is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pictures {
    /// Where somebody says so, for each program.
    #[default]
    Ask,
    /// For whatever is looked at.
    Always,
    /// For nothing.
    Never,
}

/// What changes while somebody learns, where the program that teaches leaves it to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learning {
    /// All but the focused window is dimmed, and only urgent notices are shown.
    pub focus: bool,
    /// Text is at least as large, in per cent; none for as always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_percent: Option<u16>,
    /// The contrast is at least this.
    pub contrast: Contrast,
}

impl Learning {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Learning {
    fn default() -> Self {
        Learning { focus: true, text_percent: None, contrast: Contrast::Normal }
    }
}

/// How a screen is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DisplayEntry", into = "DisplayEntry")]
pub struct Display {
    /// Its pixels; without them what it prefers.
    pub size: Option<Size>,
    /// How large everything on it is, in per cent: [`Display::SCALE`].
    pub scale_percent: Option<u16>,
    /// Whether it shows something. Of all screens one does, whatever is said.
    pub on: bool,
}

/// The same as the file has it.
#[derive(Serialize, Deserialize)]
struct DisplayEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale_percent: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
}

impl TryFrom<DisplayEntry> for Display {
    type Error = &'static str;

    fn try_from(entry: DisplayEntry) -> Result<Self, Self::Error> {
        let size = match (entry.width, entry.height) {
            (Some(width), Some(height)) => Some(Size { width, height }),
            (None, None) => None,
            _ => return Err("a screen's size has a width and a height"),
        };
        Ok(Display { size, scale_percent: entry.scale_percent, on: entry.on.unwrap_or(true) })
    }
}

impl From<Display> for DisplayEntry {
    fn from(it: Display) -> Self {
        DisplayEntry { width: it.size.map(|it| it.width), height: it.size.map(|it| it.height), scale_percent: it.scale_percent, on: (!it.on).then_some(false) }
    }
}

impl Display {
    /// The least and the most scale that is taken.
    pub const SCALE: (u16, u16) = (100, 300);

    /// Pixels a unit.
    pub fn scale(&self) -> f64 {
        f64::from(self.scale_percent.unwrap_or(100).clamp(Self::SCALE.0, Self::SCALE.1)) / 100.0
    }
}

impl Default for Display {
    fn default() -> Self {
        Display { size: None, scale_percent: None, on: true }
    }
}

/// Pixels of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// A row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learning_session_never_makes_less() {
        let large = Appearance { text_percent: 150, contrast: Contrast::High, ..Appearance::default() };
        let look = |appearance, lesson| Settings { appearance, lesson, ..Settings::default() }.look();
        let lesson = Lesson { text_percent: Some(125), contrast: Contrast::Normal };
        assert_eq!(look(large, Some(lesson)), large);
        assert_eq!(look(Appearance::default(), Some(lesson)).text_percent, 125);
        assert_eq!(look(Appearance::default(), Some(Lesson { text_percent: Some(u16::MAX), contrast: Contrast::High })), Appearance { text_percent: 200, contrast: Contrast::High, ..Appearance::default() });
        assert_eq!(look(large, None), large);
    }
}

//! The keyboard's layout, from keyboard(5): `/etc/default/keyboard`, which the installer writes.

use desktop_settings::Keyboard;
use smithay::input::keyboard::XkbConfig;

/// Where it stands.
pub const PATH: &str = "/etc/default/keyboard";

/// Names for libxkbcommon; where one is empty its default holds (the environment's `XKB_DEFAULT_...`, else a PC's keyboard with the layout `us`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    model: String,
    layout: String,
    variant: String,
    options: Option<String>,
}

impl Layout {
    /// The machine's; the default one where nothing is said.
    pub fn of_machine() -> Self {
        std::fs::read_to_string(PATH).map(|text| Self::parse(&text)).unwrap_or_default()
    }

    /// What a user has chosen, for the keyboard of the machine's model.
    pub fn of(keyboard: &Keyboard) -> Self {
        let Keyboard { layout, variant, options } = keyboard.clone();
        Layout { model: Self::of_machine().model, layout, variant, options: Some(options).filter(|it| !it.is_empty()) }
    }

    /// Reads lines of `NAME="value"`; others are left alone.
    pub fn parse(text: &str) -> Self {
        let mut layout = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
            let value = value.trim().trim_matches('"').to_owned();
            match name {
                "XKBMODEL" => layout.model = value,
                "XKBLAYOUT" => layout.layout = value,
                "XKBVARIANT" => layout.variant = value,
                "XKBOPTIONS" => layout.options = Some(value).filter(|it| !it.is_empty()),
                _ => {}
            }
        }
        layout
    }

    /// As smithay wants it.
    pub fn config(&self) -> XkbConfig<'_> {
        XkbConfig { model: &self.model, layout: &self.layout, variant: &self.variant, options: self.options.clone(), ..XkbConfig::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let text = "# keyboard(5)\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\nXKBVARIANT=\"neo\"\nXKBOPTIONS=\"\"\nBACKSPACE=\"guess\"\n";
        let layout = Layout::parse(text);
        let config = layout.config();
        assert_eq!((config.model, config.layout, config.variant, config.options), ("pc105", "de", "neo", None));
        assert_eq!(Layout::parse("nonsense"), Layout::default());
    }
}

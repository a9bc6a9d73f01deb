//! What programs of other desktops ask about how the user wants everything to look.

use std::collections::BTreeMap;

use desktop_settings::{Contrast, Scheme, Settings};
use zbus::zvariant::Value;

/// The names that all desktops have agreed on.
pub const APPEARANCE: &str = "org.freedesktop.appearance";
/// What GTK asks for.
pub const INTERFACE: &str = "org.gnome.desktop.interface";

/// A setting's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// One of several.
    Choice(u32),
    /// How much.
    Real(f64),
    /// Whether.
    Flag(bool),
    /// A name.
    Text(&'static str),
    /// Red, green and blue, each from 0 to 1.
    Colour(f64, f64, f64),
}

impl Setting {
    /// As it is on the bus.
    pub fn value(&self) -> Value<'static> {
        match *self {
            Setting::Choice(it) => it.into(),
            Setting::Real(it) => it.into(),
            Setting::Flag(it) => it.into(),
            Setting::Text(it) => it.into(),
            Setting::Colour(red, green, blue) => (red, green, blue).into(),
        }
    }
}

/// All settings that can be asked for, by namespace and name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Look(BTreeMap<(&'static str, &'static str), Setting>);

impl Look {
    /// What the desktop's settings mean to other programs.
    pub fn of(settings: &Settings) -> Self {
        let appearance = &settings.look();
        let is_dark = appearance.scheme == Scheme::Dark;
        let [red, green, blue] = appearance.accent.channels().map(|it| f64::from(it) / 255.0);
        Look(BTreeMap::from([
            ((APPEARANCE, "color-scheme"), Setting::Choice(if is_dark { 1 } else { 2 })),
            ((APPEARANCE, "accent-color"), Setting::Colour(red, green, blue)),
            ((APPEARANCE, "contrast"), Setting::Choice(u32::from(appearance.contrast == Contrast::High))),
            ((APPEARANCE, "reduced-motion"), Setting::Choice(u32::from(!appearance.animations))),
            ((INTERFACE, "color-scheme"), Setting::Text(if is_dark { "prefer-dark" } else { "prefer-light" })),
            ((INTERFACE, "gtk-theme"), Setting::Text(if is_dark { "Adwaita-dark" } else { "Adwaita" })),
            // From the settings' whole numbers, so that 110 % is 1.1.
            ((INTERFACE, "text-scaling-factor"), Setting::Real(f64::from(appearance.text_percent.clamp(desktop_settings::Appearance::TEXT.0, desktop_settings::Appearance::TEXT.1)) / 100.0)),
            ((INTERFACE, "enable-animations"), Setting::Flag(appearance.animations)),
        ]))
    }

    /// One setting.
    pub fn get(&self, namespace: &str, key: &str) -> Option<&Setting> {
        self.0.iter().find(|(name, _)| **name == (namespace, key)).map(|it| it.1)
    }

    /// All of those namespaces that one of the patterns fits: a name, or the beginning of one with `.*`. No pattern, or an empty one, fits all.
    pub fn of_namespaces(&self, patterns: &[&str]) -> BTreeMap<&'static str, BTreeMap<&'static str, &Setting>> {
        let fits = |namespace: &str, pattern: &&str| match pattern.strip_suffix(".*") {
            Some(start) => namespace.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            None => pattern.is_empty() || *pattern == namespace,
        };
        let mut found: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for ((namespace, key), setting) in &self.0 {
            if patterns.is_empty() || patterns.iter().any(|it| fits(namespace, it)) {
                found.entry(*namespace).or_default().insert(*key, setting);
            }
        }
        found
    }

    /// What is otherwise in the next look.
    pub fn changes<'a>(&self, next: &'a Look) -> Vec<(&'static str, &'static str, &'a Setting)> {
        next.0.iter().filter(|(name, setting)| self.0.get(*name) != Some(*setting)).map(|((namespace, key), setting)| (*namespace, *key, setting)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use desktop_settings::{Appearance, Colour};

    #[test]
    fn changes_are_told_of() {
        let dark = Look::of(&Settings::default());
        assert_eq!(dark.get(APPEARANCE, "color-scheme"), Some(&Setting::Choice(1)));
        assert_eq!(dark.get(APPEARANCE, "colour-scheme"), None);
        assert_eq!(dark.changes(&dark), []);
        let appearance = Appearance { scheme: Scheme::Light, accent: Colour(0xff_0033), text_percent: 110, animations: false, contrast: Contrast::High };
        let light = Look::of(&Settings { appearance, ..Settings::default() });
        let changed = dark.changes(&light);
        assert_eq!(changed.len(), 8, "{changed:?}");
        for wanted in [
            (APPEARANCE, "color-scheme", &Setting::Choice(2)),
            (APPEARANCE, "accent-color", &Setting::Colour(1.0, 0.0, 0.2)),
            (APPEARANCE, "reduced-motion", &Setting::Choice(1)),
            (APPEARANCE, "contrast", &Setting::Choice(1)),
            (INTERFACE, "text-scaling-factor", &Setting::Real(1.1)),
            (INTERFACE, "gtk-theme", &Setting::Text("Adwaita")),
        ] {
            assert!(changed.contains(&wanted), "{wanted:?}");
        }
    }

    #[test]
    fn namespaces_have_patterns() {
        let look = Look::of(&Settings::default());
        let names = |patterns: &[&str]| look.of_namespaces(patterns).into_keys().collect::<Vec<_>>();
        for all in [&[][..], &[""], &["org.*"], &["org.none", "org.freedesktop.*", INTERFACE]] {
            assert_eq!(names(all), [APPEARANCE, INTERFACE], "{all:?}");
        }
        assert_eq!(names(&["org.gnome.desktop.interface.*"]), [INTERFACE]);
        assert_eq!(names(&["org.freedesktop", "org.free.*", "org.gnome.desktop.inter.*", "*"]), [""; 0]);
    }
}

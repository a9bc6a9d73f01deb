//! The file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Settings;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] io::Error),
    /// What it says is not understood.
    #[error("{0} is not understood: {1}")]
    Text(PathBuf, #[source] Box<toml::de::Error>),
    /// Settings that have no form in a file.
    #[error("{0}: {1}")]
    Form(PathBuf, #[source] Box<toml::ser::Error>),
}

/// Where a user's settings are: in `$XDG_CONFIG_HOME`, else in `~/.config`. None without a home.
pub fn path() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let folder = of("XDG_CONFIG_HOME").or_else(|| of("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("genai").join("desktop.toml"))
}

impl Settings {
    /// Reads them; the defaults where there is no file.
    ///
    /// # Errors
    /// Where the file cannot be read or understood.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).map_err(|error| Problem::Text(path.to_owned(), Box::new(error))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Problem::File(path.to_owned(), error)),
        }
    }

    /// Keeps them: who reads meanwhile sees the old file or the new one.
    ///
    /// # Errors
    /// Where the file cannot be written; then it is as before.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let text = toml::to_string_pretty(self).map_err(|error| Problem::Form(path.to_owned(), Box::new(error)))?;
        let new = path.with_extension(format!("toml.{}", std::process::id()));
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = fs::File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().map_err(|error| {
            // What is left of it is of no use.
            let _ = fs::remove_file(&new);
            Problem::File(path.to_owned(), error)
        })
    }

    /// Changes one thing of what is kept; what others have changed meanwhile stays.
    ///
    /// # Errors
    /// Where the file cannot be read, understood or written; then it is as before.
    pub fn change(path: &Path, change: impl FnOnce(&mut Settings)) -> Result<Settings, Problem> {
        let mut settings = Self::read(path)?;
        change(&mut settings);
        settings.write(path)?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Appearance, Arrangement, Contrast, Lesson, Colour, Display, Keyboard, Learning, Pictures, Privacy, Scheme, Size};
    use proptest::prelude::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("genai").join("desktop.toml");
        (folder, path)
    }

    proptest! {
        #[test]
        fn what_is_kept_is_read(is_light: bool, accent in 0u32..0x100_0000, text_percent: u16, animations: bool, learn: bool, offer: bool, is_high: bool, lesson: Option<u16>, pictures in 0usize..3, layout in "[a-z,]{0,9}", name in ".{0,9}", width: u32) {
            let (_folder, path) = file();
            let scheme = if is_light { Scheme::Light } else { Scheme::Dark };
            let contrast = if is_high { Contrast::High } else { Contrast::Normal };
            let settings = Settings {
                appearance: Appearance { scheme, accent: Colour(accent), text_percent, animations, contrast },
                keyboard: Some(Keyboard { layout, variant: name.clone(), options: String::new() }),
                displays: [(name, Display { size: is_light.then_some(Size { width, height: 7 }), scale_percent: lesson, on: learn })].into(),
                arrangement: Arrangement { learn, offer },
                learning: Learning { focus: offer, text_percent: lesson, contrast },
                privacy: Privacy { store_pictures: [Pictures::Ask, Pictures::Always, Pictures::Never][pictures] },
                lesson: lesson.map(|it| Lesson { text_percent: Some(it), contrast }),
                rest: toml::Table::new(),
            };
            settings.write(&path).expect("written");
            prop_assert_eq!(Settings::read(&path).expect("read"), settings);
        }
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let (_folder, path) = file();
        assert_eq!(Settings::read(&path).expect("defaults"), Settings::default());
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, "[appearance]\nscheme = \"light\"\n[later]\nthing = 1\n").expect("written");
        let changed = Settings::change(&path, |it| it.appearance.text_percent = 125).expect("changed");
        assert_eq!((changed.appearance.scheme, changed.appearance.accent), (Scheme::Light, Appearance::default().accent));
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains("thing = 1") && text.contains("text_percent = 125"), "{text}");
    }

    #[test]
    fn mistakes_lose_nothing() {
        let (_folder, path) = file();
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        for bad in ["[appearance]\naccent = \"blue\"", "[appearance", "[displays]\na = 1", "[displays]\na = { width = 1 }"] {
            fs::write(&path, bad).expect("written");
            let error = Settings::change(&path, |it| it.keyboard = None).expect_err("not understood");
            assert!(error.to_string().contains("desktop.toml"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("read"), bad);
        }
    }
}

//! The limits that an edition keeps: what its boot menu may ask for, and how large it is.

use std::ops::RangeInclusive;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::tree::{Kind, Tree};

/// What an edition promises; where nothing is said there is no limit but those of the system.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The lowest and the highest consciousness level of the boot menu's entries.
    #[serde(default)]
    pub consciousness: Option<(f32, f32)>,
    /// The most that the root's files may have together, in MiB.
    #[serde(default)]
    pub content_mib: Option<u64>,
}

const LEVEL: &str = "consciousness=";
/// What boot parameters allow.
const LEVELS: RangeInclusive<f32> = 0.1..=1.0;

impl Bounds {
    /// Checks the limits themselves, and an edition's own boot parameters against them.
    pub(crate) fn check(&self, file: &Path, cmdline: &str) -> Result<()> {
        let Some((low, high)) = self.consciousness else { return Ok(()) };
        if !LEVELS.contains(&low) || !LEVELS.contains(&high) || low > high {
            return Err(Error::config(file, format!("bounds of consciousness go from 0.1 to 1.0, the lower one first: [{low}, {high}]")));
        }
        match cmdline.split_whitespace().filter_map(|word| word.strip_prefix(LEVEL)).find(|it| !it.parse().is_ok_and(|it| (low..=high).contains(&it))) {
            Some(level) => Err(Error::config(file, format!("cmdline has {LEVEL}{level}, out of its bounds [{low}, {high}]"))),
            None => Ok(()),
        }
    }

    /// The boot menu with all levels brought within the bounds.
    pub(crate) fn limit_menu(&self, menu: &str) -> String {
        let Some((low, high)) = self.consciousness else { return menu.to_owned() };
        let mut parts = menu.split(LEVEL);
        let mut limited = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(part.len());
            let (level, rest) = part.split_at(end);
            limited += LEVEL;
            match level.parse::<f32>() {
                Ok(level) => limited += &level.clamp(low, high).to_string(),
                Err(_) => limited += level,
            }
            limited += rest;
        }
        limited
    }

    /// Whether the root keeps within its size.
    pub(crate) fn check_size(&self, edition: &str, root: &Tree) -> Result<()> {
        let Some(limit) = self.content_mib else { return Ok(()) };
        let mut bytes = 0;
        for (_, entry) in root.iter() {
            if let Kind::File(content) = &entry.kind {
                bytes += content.len()?;
            }
        }
        if bytes <= limit << 20 {
            return Ok(());
        }
        let found = bytes.div_ceil(1 << 20);
        Err(Error::image("edition", format!("{edition} has {found} MiB of files, but promises at most {limit} MiB (bounds in editions/{edition}.toml)")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Entry;

    fn bounds(low: f32, high: f32) -> Bounds {
        Bounds { consciousness: Some((low, high)), content_mib: Some(1) }
    }

    #[test]
    fn levels_are_brought_within_the_bounds() {
        let menu = "a consciousness=0.8 ai=hybrid\nb consciousness=0.1\n# consciousness= is a level\n";
        assert_eq!(bounds(0.2, 0.4).limit_menu(menu), "a consciousness=0.4 ai=hybrid\nb consciousness=0.2\n# consciousness= is a level\n");
        assert_eq!(Bounds::default().limit_menu(menu), menu);
    }

    #[test]
    fn nonsense_is_refused() {
        let check = |bounds: Bounds, cmdline: &str| bounds.check(Path::new("server.toml"), cmdline);
        assert!(check(bounds(0.1, 0.4), "target=console consciousness=0.4").is_ok());
        assert!(check(bounds(0.1, 0.4), "consciousness=0.5").is_err());
        assert!(check(bounds(0.1, 0.4), "consciousness=much").is_err());
        assert!(check(bounds(0.5, 0.4), "").is_err());
        assert!(check(bounds(0.0, 0.4), "").is_err());
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let mut tree = Tree::default();
        let mut add = |path: &str, size: usize| tree.insert(path, Entry::new(Kind::File(vec![0; size].into()), 0o644, 0)).expect("inserts");
        add("a", 1 << 19);
        add("b", 1 << 19);
        assert!(bounds(0.1, 1.0).check_size("server", &tree).is_ok());
        let mut tree = tree.clone();
        tree.insert("c", Entry::new(Kind::File(vec![0].into()), 0o644, 0)).expect("inserts");
        assert!(bounds(0.1, 1.0).check_size("server", &tree).is_err());
        assert!(Bounds::default().check_size("server", &tree).is_ok());
    }
}

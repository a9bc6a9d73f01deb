//! What can be had and what is there: one entry a package, from all its versions.

use gpm::gpm::Known;
use gpm::manifest::Manifest;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::index::Index;

/// A package for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// Its name for gpm.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// One line that says what it is.
    pub summary: String,
    /// Paragraphs.
    pub description: String,
    /// What it is for, of [`SECTIONS`].
    pub sections: Vec<&'static str>,
    /// Other words by which people look for it.
    pub keywords: Vec<String>,
    /// The licence, an SPDX expression.
    pub licence: String,
    /// The program's page.
    pub homepage: String,
    /// The version that is installed.
    pub installed: Option<String>,
    /// The version that an installation would bring; it may be the one that is there.
    pub offered: Option<String>,
    /// Bytes that it takes on the disk, where that is known.
    pub size: Option<u64>,
    /// The repository that offers it.
    pub repository: Option<String>,
    /// What its scriptlets may do, in words.
    pub rights: Vec<String>,
    /// A picture on this disk.
    pub icon: Option<PathBuf>,
    /// Addresses of pictures of it at work.
    pub screenshots: Vec<String>,
    /// Whether it is a program with a window or the like, not a part of others.
    pub is_app: bool,
    /// Whether the system needs it.
    pub is_essential: bool,
}

impl Entry {
    /// Whether a newer version can be had.
    pub fn has_update(&self) -> bool {
        matches!((&self.installed, &self.offered), (Some(there), Some(new)) if there != new)
    }
}

/// What programs are for: the name for people, and the freedesktop menu categories that belong to it.
pub const SECTIONS: [(&str, &[&str]); 8] = [
    ("Games", &["Game"]),
    ("Internet", &["Network"]),
    ("Office", &["Office"]),
    ("Pictures and design", &["Graphics"]),
    ("Sound and video", &["AudioVideo", "Audio", "Video"]),
    ("Learning", &["Education", "Science"]),
    ("Making software", &["Development"]),
    ("Tools", &["Utility", "System", "Settings"]),
];

/// All entries and the index over them.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    index: Index,
}

impl Catalogue {
    /// From all versions that gpm knows. `root` is the tree that is managed, for pictures of what is installed.
    pub fn new(known: &[Known], root: &gpm::root::Root) -> Self {
        Self::of(entries(known, root))
    }

    /// With further entries; those whose names are known stay as they are.
    #[must_use]
    pub fn with(&self, more: Vec<Entry>) -> Self {
        let mut all = self.entries.clone();
        all.extend(more.into_iter().filter(|it| self.get(&it.name).is_none()));
        Self::of(all)
    }

    /// Of these entries.
    pub fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|it| (it.title.to_lowercase(), it.name.clone()));
        let index = Index::new(&entries);
        Catalogue { entries, index }
    }

    /// All, sorted by title.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// By its name for gpm.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|it| it.name == name)
    }

    /// Those that hold the beginnings of all words, the best matches first; everything where there is no word.
    pub fn search(&self, words: &str) -> Vec<&Entry> {
        match self.index.search(words) {
            Some(found) => found.into_iter().map(|number| &self.entries[number]).collect(),
            None => self.entries.iter().collect(),
        }
    }
}

/// One entry a package, of all its versions. `root` as for [`Catalogue::new`].
pub fn entries(known: &[Known], root: &gpm::root::Root) -> Vec<Entry> {
    let mut versions: BTreeMap<&str, Vec<&Known>> = BTreeMap::new();
    for it in known {
        versions.entry(&it.available.manifest.name).or_default().push(it);
    }
    versions.into_values().map(|all| entry(&all, root)).collect()
}

fn entry(versions: &[&Known], root: &gpm::root::Root) -> Entry {
    // What an installation would bring: of the repository that goes first, the newest.
    let rank = |it: &&&Known| (it.available.priority, it.available.manifest.version.clone());
    let offered = versions.iter().filter(|it| it.is_offered()).max_by_key(rank);
    let installed = versions.iter().find(|it| it.available.installed);
    // gpm never goes back by itself.
    let is_older = |offer: &Known, there: &Known| offer.available.manifest.version < there.available.manifest.version;
    let offered = offered.filter(|offer| !installed.is_some_and(|there| is_older(offer, there)));
    let shown: &Manifest = &offered.or(installed).unwrap_or(&versions[0]).available.manifest;
    let appstream = shown.appstream.clone().unwrap_or_default();
    let belongs = |menu: &&[&str]| appstream.categories.iter().any(|it| menu.contains(&it.as_str()));
    let icon = shown.icon.as_ref().filter(|_| installed.is_some());
    Entry {
        name: shown.name.clone(),
        title: if appstream.name.is_empty() { shown.name.clone() } else { appstream.name },
        summary: shown.summary.clone(),
        description: shown.description.clone(),
        sections: SECTIONS.iter().filter(|(_, menu)| belongs(menu)).map(|(name, _)| *name).collect(),
        keywords: appstream.keywords,
        licence: shown.licence.clone(),
        homepage: shown.homepage.clone(),
        installed: installed.map(|it| it.available.manifest.version.to_string()),
        offered: offered.map(|it| it.available.manifest.version.to_string()),
        size: offered.and_then(|it| it.sizes()).map(|(_, installed)| installed),
        repository: offered.and_then(|it| it.available.repository.as_deref()).map(str::to_owned),
        rights: rights(shown),
        icon: icon.map(|path| root.join(path)).filter(|path| path.exists()).or_else(|| versions.iter().find_map(|it| it.picture.clone())),
        screenshots: appstream.screenshots,
        is_app: shown.appstream.is_some(),
        is_essential: shown.essential,
    }
}

fn rights(manifest: &Manifest) -> Vec<String> {
    let mut all: Vec<String> = manifest
        .scriptlets
        .values()
        .flat_map(|it| &it.rights)
        .map(|right| match right {
            gpm::manifest::Right::Write(path) => format!("write below {path} while it is installed"),
            gpm::manifest::Right::Network => "use the network while it is installed".to_owned(),
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

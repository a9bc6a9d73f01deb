//! All units of a system: from folders, the later ones before the earlier ones, and those that are built in.

use crate::name::{Kind, UnitName};
use crate::problem::{MAX_PROBLEMS, Problem, Problems};
use crate::syntax::MAX_FILE;
use crate::unit::Unit;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The most units of a system.
pub const MAX_UNITS: usize = 4096;

/// Targets that are always there, with what they are.
const BUILT_IN: [(&str, &str); 7] = [
    ("drivers.target", "Drivers, before there is a root filesystem"),
    ("root.target", "What is to be done on the root before anything else of it is used"),
    ("console.target", "Text consoles"),
    ("desktop.target", "The graphical desktop"),
    ("server.target", "Services, and a text console"),
    ("recovery.target", "A shell on the root filesystem, and nothing else"),
    ("emergency.target", "A shell without the root filesystem"),
];

/// Units by name.
#[derive(Clone, Debug, Default)]
pub struct UnitSet {
    units: BTreeMap<UnitName, Unit>,
    /// What is wrong with files, of all folders.
    pub problems: Vec<Problem>,
    /// Decisions on what is enabled: by name.
    decisions: BTreeMap<UnitName, bool>,
}

impl UnitSet {
    /// The targets that are built in. `desktop.target` wants `console.target`, and so does `server.target`.
    pub fn new() -> Self {
        let mut set = UnitSet::default();
        for (name, description) in BUILT_IN {
            if let Ok(name) = UnitName::new(name) {
                let mut unit = Unit::new(name);
                unit.description = description.to_owned();
                if let ("desktop.target" | "server.target", Ok(console)) = (unit.name.as_str(), UnitName::new("console.target")) {
                    unit.wants.push(console.clone());
                    unit.after.push(console);
                }
                set.add(unit);
            }
        }
        set
    }

    /// Adds a unit; one of the same name is replaced.
    pub fn add(&mut self, unit: Unit) {
        if self.units.len() < MAX_UNITS || self.units.contains_key(&unit.name) {
            self.units.insert(unit.name.clone(), unit);
        }
    }

    /// Adds the units of a folder. What is no unit file is left alone; what cannot be read is a problem. A folder that is not there holds nothing.
    pub fn load(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".gcservice") || name.ends_with(".gctarget"))
            .take(MAX_UNITS)
            .collect();
        names.sort();
        for file_name in names {
            let path = folder.join(&file_name);
            let shown = path.display().to_string();
            match UnitName::new(&file_name) {
                Ok(name) => match read(&path) {
                    Ok(bytes) => self.load_one(name, &shown, &bytes),
                    Err(error) => self.note(&shown, format!("it cannot be read: {error}")),
                },
                Err(error) => self.note(&shown, format!("its name is no unit's: {error}")),
            }
        }
        for (folder, enabled) in [(folder.join("disabled"), false), (folder.join("enabled"), true)] {
            let names = fs::read_dir(folder).into_iter().flatten().filter_map(|it| UnitName::new(it.ok()?.file_name().to_str()?).ok());
            self.decisions.extend(names.take(MAX_UNITS).map(|name| (name, enabled)));
        }
    }

    fn load_one(&mut self, name: UnitName, file: &str, bytes: &[u8]) {
        let parsed = Unit::parse_bytes(name.clone(), file, bytes);
        let room = (16 * MAX_PROBLEMS).saturating_sub(self.problems.len());
        self.problems.extend(parsed.problems.into_iter().take(room));
        match parsed.unit {
            Some(unit) => self.add(unit),
            // An earlier folder's file is not what was meant; but a target that is built in must stay, or nothing starts.
            None if name.kind() == Kind::Target => {}
            None => {
                self.units.remove(&name);
            }
        }
    }

    fn note(&mut self, file: &str, what: String) {
        let mut problems = Problems::new(file);
        problems.error(0, what, "");
        self.problems.extend(problems.into_list());
    }

    /// A unit; an instance of a template where there is no such unit itself.
    pub fn get(&self, name: &UnitName) -> Option<Unit> {
        if let Some(unit) = self.units.get(name) {
            return Some(unit.clone());
        }
        Some(self.units.get(&name.template()?)?.instantiate(name.clone()))
    }

    /// Whether there is such a unit.
    pub fn contains(&self, name: &UnitName) -> bool {
        self.units.contains_key(name) || name.template().is_some_and(|template| self.units.contains_key(&template))
    }

    /// All units, templates too.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// Whether a unit is started by its targets: by somebody's decision, else as its file says.
    pub fn is_enabled(&self, unit: &Unit) -> bool {
        self.decisions.get(&unit.name).copied().unwrap_or(unit.is_enabled)
    }

    /// Somebody's decision on whether a unit is started by its targets.
    pub fn decision(&self, name: &UnitName) -> Option<bool> {
        self.decisions.get(name).copied()
    }

    /// What a unit waits for where it starts too: for a target that is what makes it up.
    pub fn waits_for(&self, unit: &Unit) -> Vec<UnitName> {
        let mut names = unit.after.clone();
        if unit.name.kind() == Kind::Target {
            let parts = self.wants(unit).into_iter().chain(unit.requires.iter().cloned());
            names.extend(parts.filter(|part| self.get(part).is_none_or(|it| !it.after.contains(&unit.name))));
        }
        names
    }

    /// What a unit wants, with those that are enabled for it and without those that somebody has disabled.
    pub fn wants(&self, unit: &Unit) -> Vec<UnitName> {
        let mut wants: Vec<UnitName> = unit.wants.iter().filter(|name| self.decision(name) != Some(false)).cloned().collect();
        let instances = self.decisions.iter().filter(|(_, enabled)| **enabled).filter_map(|(name, _)| {
            let template = self.units.get(&name.template()?)?;
            template.wanted_by.contains(&unit.name).then_some(name)
        });
        wants.extend(instances.cloned());
        let enabled = self.units.values().filter(|it| it.wanted_by.contains(&unit.name) && !it.name.is_template() && self.is_enabled(it));
        for other in enabled {
            if !wants.contains(&other.name) {
                wants.push(other.name.clone());
            }
        }
        wants
    }

    /// Names that units depend on and that are not there: file, name.
    pub fn missing(&self) -> Vec<(String, UnitName)> {
        let mut missing = Vec::new();
        for unit in self.units.values() {
            for name in unit.requires.iter().filter(|name| !self.contains(name)) {
                missing.push((unit.file.clone(), name.clone()));
            }
        }
        missing
    }
}

/// At most what a unit file may have, and a byte.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // Opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("this is no regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

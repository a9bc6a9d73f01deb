//! A device: what sysfs says of it, and what is concluded.

use crate::input::{Capabilities, Codes, classify};
use std::fs;
use std::path::{Path, PathBuf};

/// Where sysfs is.
const SYS: &str = "/sys";

/// A device.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The path below `/sys`, with a leading slash.
    pub path: String,
    /// The kernel's variables: SUBSYSTEM, MAJOR, ...
    pub kernel: Vec<(String, String)>,
    /// What is concluded.
    pub found: Vec<(String, String)>,
    /// Tags.
    pub tags: Vec<&'static str>,
    /// Links below `/dev`.
    pub links: Vec<String>,
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// `KEY=VALUE` as a pair.
pub fn variable(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    Some((key.to_owned(), value.to_owned()))
}

/// The last name of a link's target.
fn link_name(path: &Path) -> Option<String> {
    Some(fs::read_link(path).ok()?.file_name()?.to_str()?.to_owned())
}

impl Device {
    /// The device at a path below `/sys`, as sysfs shows it now; `None` where there is none.
    pub fn from_sysfs(path: &str) -> Option<Self> {
        let directory = PathBuf::from(format!("{SYS}{path}"));
        let text = fs::read_to_string(directory.join("uevent")).ok()?;
        let mut kernel = Vec::new();
        if let Some(subsystem) = link_name(&directory.join("subsystem")) {
            kernel.push(("SUBSYSTEM".to_owned(), subsystem));
        }
        kernel.extend(text.lines().filter_map(variable));
        Some(Device { path: path.to_owned(), kernel, ..Device::default() })
    }

    /// A variable of the kernel's.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.kernel.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The name of its file in the database: by device number, by network interface, or by subsystem and name.
    pub fn id(&self) -> Option<String> {
        let subsystem = self.get("SUBSYSTEM")?;
        if let (Some(major), Some(minor)) = (self.get("MAJOR"), self.get("MINOR")) {
            let kind = if subsystem == "block" { 'b' } else { 'c' };
            return Some(format!("{kind}{major}:{minor}"));
        }
        if let Some(index) = self.get("IFINDEX") {
            return Some(format!("n{index}"));
        }
        Some(format!("+{subsystem}:{}", self.name()))
    }

    /// The directories from its own upwards.
    fn ancestors(&self) -> impl Iterator<Item = PathBuf> {
        let path = PathBuf::from(format!("{SYS}{}", self.path));
        let all: Vec<PathBuf> = path.ancestors().map(Path::to_owned).collect();
        all.into_iter().take_while(|path| path.starts_with("/sys/devices") && path != Path::new("/sys/devices"))
    }

    /// Where it is plugged in, in a form that stays the same: `pci-0000:00:06.0`.
    fn place(&self) -> Option<String> {
        for path in self.ancestors() {
            let name = path.file_name()?.to_str()?;
            match link_name(&path.join("subsystem")).as_deref() {
                Some("pci") => return Some(format!("pci-{name}")),
                _ if name.starts_with("serio") && name != "serio" => {
                    return Some(format!("platform-i8042-serio-{}", name.trim_start_matches("serio")));
                }
                _ => {}
            }
        }
        None
    }

    fn set(&mut self, key: &str, value: impl Into<String>) {
        self.found.push((key.to_owned(), value.into()));
    }

    /// Concludes what programs ask of it.
    pub fn conclude(&mut self) {
        let subsystem = self.get("SUBSYSTEM").unwrap_or_default().to_owned();
        let place = match subsystem.as_str() {
            "input" | "drm" | "block" | "net" | "sound" => self.place(),
            _ => None,
        };
        let tag: Option<String> = place.as_ref().map(|place| place.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect());
        if let (Some(place), Some(tag)) = (&place, &tag) {
            self.set("ID_PATH", place);
            self.set("ID_PATH_TAG", tag);
        }
        match subsystem.as_str() {
            "input" => self.conclude_input(place.as_deref()),
            "drm" => {
                self.tags.push("seat");
                if self.name().starts_with("card") && !self.name().contains('-') {
                    self.tags.extend(["master-of-seat", "uaccess"]);
                }
            }
            "graphics" | "sound" => self.tags.push("seat"),
            _ => {}
        }
        if let (true, Some(tag)) = (self.tags.contains(&"seat"), tag) {
            self.set("ID_FOR_SEAT", format!("{subsystem}-{tag}"));
        }
    }

    fn conclude_input(&mut self, place: Option<&str>) {
        let Some(device) = self.ancestors().find(|path| path.join("capabilities/ev").exists()) else { return };
        let codes = |file: &str| Codes::parse(&read(&device.join(file)));
        let kinds = classify(&Capabilities {
            ev: codes("capabilities/ev"),
            key: codes("capabilities/key"),
            rel: codes("capabilities/rel"),
            abs: codes("capabilities/abs"),
            properties: codes("properties"),
        });
        for kind in &kinds {
            self.set(kind, "1");
        }
        if !kinds.is_empty() {
            self.tags.push("seat");
        }
        if self.name().starts_with("event") {
            let kind = if kinds.contains(&"ID_INPUT_KEYBOARD") {
                "-kbd"
            } else if kinds.contains(&"ID_INPUT_MOUSE") {
                "-mouse"
            } else {
                ""
            };
            let group = ["id/bustype", "id/vendor", "id/product"].map(|file| read(&device.join(file)).trim_start_matches('0').to_owned());
            let phys = read(&device.join("phys"));
            self.set("LIBINPUT_DEVICE_GROUP", format!("{}:{}", group.join("/"), phys.rsplit_once("/input").map_or(phys.as_str(), |(port, _)| port)));
            if let Some(place) = place {
                self.links.push(format!("input/by-path/{place}-event{kind}"));
            }
        }
    }

    /// All variables of an event, in the order in which udev sends them.
    pub fn variables(&self, since_us: u64) -> Vec<(String, String)> {
        let mut all = self.kernel.clone();
        all.extend(self.found.iter().cloned());
        all.push(("USEC_INITIALIZED".to_owned(), since_us.to_string()));
        if !self.links.is_empty() {
            let links: Vec<String> = self.links.iter().map(|link| format!("/dev/{link}")).collect();
            all.push(("DEVLINKS".to_owned(), links.join(" ")));
        }
        if !self.tags.is_empty() {
            let tags = format!(":{}:", self.tags.join(":"));
            all.push(("TAGS".to_owned(), tags.clone()));
            all.push(("CURRENT_TAGS".to_owned(), tags));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(variables: &[&str]) -> Device {
        Device { path: "/devices/x/event3".to_owned(), kernel: variables.iter().filter_map(|text| variable(text)).collect(), ..Device::default() }
    }

    #[test]
    fn the_database_names_devices_by_number_where_they_have_one() {
        assert_eq!(device(&["SUBSYSTEM=input", "MAJOR=13", "MINOR=67"]).id().as_deref(), Some("c13:67"));
        assert_eq!(device(&["SUBSYSTEM=block", "MAJOR=254", "MINOR=0"]).id().as_deref(), Some("b254:0"));
        assert_eq!(device(&["SUBSYSTEM=net", "IFINDEX=2"]).id().as_deref(), Some("n2"));
        assert_eq!(device(&["SUBSYSTEM=input"]).id().as_deref(), Some("+input:event3"));
        assert_eq!(device(&[]).id(), None);
    }
}

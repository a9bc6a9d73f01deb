//! The database below `/run/udev`, and links below `/dev`.

use crate::device::Device;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const DATA: &str = "/run/udev/data";
const TAGS: &str = "/run/udev/tags";

/// Makes the directories.
pub fn create() -> io::Result<()> {
    fs::create_dir_all(DATA)?;
    fs::create_dir_all(TAGS)
}

/// When a device was first entered, by what was entered then.
pub fn since(device: &Device) -> Option<u64> {
    let text = fs::read_to_string(Path::new(DATA).join(device.id()?)).ok()?;
    text.lines().find_map(|line| line.strip_prefix("I:")?.parse().ok())
}

/// The file's text: links, since when, variables, tags.
fn text(device: &Device, since_us: u64) -> String {
    let links = device.links.iter().map(|link| format!("S:{link}\n"));
    let variables = device.found.iter().map(|(key, value)| format!("E:{key}={value}\n"));
    let tags = device.tags.iter().map(|tag| format!("G:{tag}\n"));
    let current = device.tags.iter().map(|tag| format!("Q:{tag}\n"));
    links.chain([format!("I:{since_us}\n")]).chain(variables).chain(tags).chain(current).chain(["V:1\n".to_owned()]).collect()
}

/// A link's target: from the link to the node, both below `/dev`, by the shortest way.
fn relative(link: &str, node: &str) -> String {
    let (mut link, mut node) = (link, node);
    while let (Some((a, link_rest)), Some((b, node_rest))) = (link.split_once('/'), node.split_once('/'))
        && a == b
    {
        (link, node) = (link_rest, node_rest);
    }
    format!("{}{node}", "../".repeat(link.matches('/').count()))
}

/// Enters a device. Readers see the old file or the new one.
pub fn write(device: &Device, since_us: u64) -> io::Result<()> {
    let Some(id) = device.id() else { return Ok(()) };
    let file = Path::new(DATA).join(&id);
    let new = PathBuf::from(format!("{DATA}/.#{id}"));
    fs::write(&new, text(device, since_us))?;
    fs::rename(&new, &file)?;
    for tag in &device.tags {
        let directory = Path::new(TAGS).join(tag);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(&id), "")?;
    }
    let Some(node) = device.get("DEVNAME") else { return Ok(()) };
    for link in &device.links {
        let place = Path::new("/dev").join(link);
        if let Some(directory) = place.parent() {
            fs::create_dir_all(directory)?;
        }
        let target = relative(link, node.trim_start_matches("/dev/"));
        if fs::read_link(&place).is_ok_and(|old| old == Path::new(&target)) {
            continue;
        }
        let _ = fs::remove_file(&place);
        std::os::unix::fs::symlink(target, place)?;
    }
    Ok(())
}

/// Takes a device out; its links, where they still are its own.
pub fn remove(device: &Device) {
    let Some(id) = device.id() else { return };
    let file = Path::new(DATA).join(&id);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let node = device.get("DEVNAME").unwrap_or_default().trim_start_matches("/dev/").to_owned();
    for line in text.lines() {
        if let Some(link) = line.strip_prefix("S:") {
            let place = Path::new("/dev").join(link);
            if fs::read_link(&place).is_ok_and(|target| target == Path::new(&relative(link, &node))) {
                let _ = fs::remove_file(place);
            }
        } else if let Some(tag) = line.strip_prefix("G:") {
            let _ = fs::remove_file(Path::new(TAGS).join(tag).join(&id));
        }
    }
    let _ = fs::remove_file(file);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_short() {
        assert_eq!(relative("input/by-path/x-event-kbd", "input/event2"), "../event2");
        assert_eq!(relative("disk/by-path/x", "vda"), "../../vda");
        assert_eq!(relative("cdrom", "sr0"), "sr0");
    }

    #[test]
    fn a_file_has_what_libudev_reads() {
        let device = Device {
            found: vec![("ID_INPUT".to_owned(), "1".to_owned())],
            tags: vec!["seat"],
            links: vec!["input/by-path/x-event-kbd".to_owned()],
            ..Device::default()
        };
        assert_eq!(text(&device, 7), "S:input/by-path/x-event-kbd\nI:7\nE:ID_INPUT=1\nG:seat\nQ:seat\nV:1\n");
    }
}

//! What the machine says of itself: its network, its battery, who uses it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use crate::sys::{self, Interface};

/// Where the kernel lists batteries.
pub const POWER: &str = "/sys/class/power_supply";

/// Whether other machines can be reached by a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// It has a link and an address.
    Connected,
    /// It has a link.
    NoAddress,
    /// It is on.
    NoLink,
    /// It is off.
    Off,
}

/// A network card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// `eth0`.
    pub name: String,
    /// Of the internet protocol, the fourth version's before the sixth's.
    pub address: Option<IpAddr>,
    /// What can be done by it.
    pub link: Link,
}

impl Card {
    /// In words.
    pub fn state(&self) -> String {
        match (self.link, self.address) {
            (Link::Connected, Some(address)) => format!("Connected, {address}"),
            (Link::Connected | Link::NoAddress, _) => "Waiting for an address".to_owned(),
            (Link::NoLink, _) => "No cable".to_owned(),
            (Link::Off, _) => "Switched off".to_owned(),
        }
    }
}

/// A battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Battery {
    /// How full it is, per cent.
    pub percent: u8,
    /// Whether it becomes fuller.
    pub is_charging: bool,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Those that are connected come first.
    pub cards: Vec<Card>,
    /// Where there is one.
    pub battery: Option<Battery>,
}

impl Facts {
    /// What holds now. It may take a while.
    pub fn read(power: &Path) -> Self {
        let interfaces = sys::interfaces().unwrap_or_else(|error| {
            tracing::warn!("listing network cards: {error}");
            Vec::new()
        });
        Facts { cards: cards_of(&interfaces), battery: battery_in(power) }
    }
}

/// Whether an address says that a network has given it.
fn is_given(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => !it.is_link_local() && !it.is_unspecified(),
        // fe80::/10.
        IpAddr::V6(it) => it.segments()[0] & 0xffc0 != 0xfe80 && !it.is_unspecified(),
    }
}

fn cards_of(interfaces: &[Interface]) -> Vec<Card> {
    let has = |flags: u32, flag: i32| flags & flag as u32 != 0;
    let mut cards: Vec<Card> = Vec::new();
    for it in interfaces.iter().filter(|it| !has(it.flags, libc::IFF_LOOPBACK)) {
        let address = it.address.filter(is_given);
        let index = cards.iter().position(|card| card.name == it.name).unwrap_or_else(|| {
            let link = if !has(it.flags, libc::IFF_UP) {
                Link::Off
            } else if !has(it.flags, libc::IFF_RUNNING) {
                Link::NoLink
            } else {
                Link::NoAddress
            };
            cards.push(Card { name: it.name.clone(), address: None, link });
            cards.len() - 1
        });
        let card = &mut cards[index];
        if address.is_some() && !card.address.is_some_and(|it| it.is_ipv4()) {
            card.address = address;
            if card.link == Link::NoAddress {
                card.link = Link::Connected;
            }
        }
    }
    cards.sort_by(|a, b| (a.link, &a.name).cmp(&(b.link, &b.name)));
    cards
}

/// The first battery of the machine itself: those of mice and the like have the scope `Device`.
fn battery_in(power: &Path) -> Option<Battery> {
    let mut all: Vec<_> = fs::read_dir(power).ok()?.flatten().map(|it| it.path()).collect();
    all.sort();
    all.into_iter().find_map(|folder| {
        let word = |name: &str| fs::read_to_string(folder.join(name)).map(|text| text.trim().to_owned()).unwrap_or_default();
        let is_meant = word("type") == "Battery" && word("scope") != "Device";
        let percent = word("capacity").parse::<u8>().ok().filter(|_| is_meant)?;
        Some(Battery { percent: percent.min(100), is_charging: word("status") == "Charging" })
    })
}

/// What a user is called: the name in the first part of passwd(5)'s comment, else the login.
pub fn name_of(login: &str, passwd: &str) -> String {
    let entry = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|it| it[0] == login);
    let full = entry.and_then(|it| Some(it.get(4)?.split(',').next().unwrap_or_default().trim().to_owned()));
    full.filter(|it| !it.is_empty()).unwrap_or_else(|| login.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: u32 = (libc::IFF_UP | libc::IFF_RUNNING) as u32;

    fn entry(name: &str, flags: u32, address: Option<&str>) -> Interface {
        Interface { name: name.to_owned(), flags, address: address.map(|it| it.parse().unwrap()) }
    }

    #[test]
    fn cards_are_told_by_their_addresses() {
        let all = [
            entry("lo", UP | libc::IFF_LOOPBACK as u32, Some("127.0.0.1")),
            entry("dsl0", 0, None),
            entry("eth1", libc::IFF_UP as u32, Some("10.0.0.1")),
            entry("wlan0", UP, None),
            entry("wlan0", UP, Some("fe80::1")),
            entry("eth0", UP, None),
            entry("eth0", UP, Some("2001:db8::1")),
            entry("eth0", UP, Some("10.0.2.15")),
            entry("eth0", UP, Some("2001:db8::2")),
        ];
        let cards = cards_of(&all);
        let told: Vec<(String, String)> = cards.iter().map(|it| (it.name.clone(), it.state())).collect();
        let expected = [("eth0", "Connected, 10.0.2.15"), ("wlan0", "Waiting for an address"), ("eth1", "No cable"), ("dsl0", "Switched off")];
        assert_eq!(told, expected.map(|it| (it.0.to_owned(), it.1.to_owned())));
    }

    #[test]
    fn batteries_are_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(battery_in(folder.path()), None);
        for (name, facts) in [("AC", ["Mains", "", "", ""]), ("BAT0", ["Battery", "83", "Charging", ""]), ("A-mouse", ["Battery", "12", "Discharging", "Device"])] {
            let one = folder.path().join(name);
            fs::create_dir(&one).unwrap();
            for (file, text) in ["type", "capacity", "status", "scope"].into_iter().zip(facts).filter(|it| !it.1.is_empty()) {
                fs::write(one.join(file), format!("{text}\n")).unwrap();
            }
        }
        assert_eq!(battery_in(folder.path()), Some(Battery { percent: 83, is_charging: true }));
        fs::write(folder.path().join("BAT0/capacity"), "much").unwrap();
        assert_eq!(battery_in(folder.path()), None);
    }

    #[test]
    fn this_machine_is_read() {
        // Whatever it has: what is listed has a name, and loop-back is not among it.
        let facts = Facts::read(Path::new(POWER));
        assert!(facts.cards.iter().all(|it| !it.name.is_empty() && it.name != "lo"), "{facts:?}");
    }

    #[test]
    fn users_have_names() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000:Ann Example,room 3,,:/home/ann:/bin/bash\nbob:x:1001:1001:,,,:/home/bob:/bin/sh\nodd\n";
        assert_eq!(["root", "ann", "bob", "odd", "none"].map(|it| name_of(it, passwd)), ["root", "Ann Example", "bob", "odd", "none"]);
    }
}

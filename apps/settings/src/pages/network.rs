//! Cards, addresses, name servers, the machine's name. By `ip` of iproute2, and the files that the C library reads.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use genai_ui::{Task, job};
use serde::Deserialize;

use crate::command::run;
use crate::form::{Control, Row, Section, Weight};
use crate::{Message as All, Places, Question, Settings};

/// Where netd keeps the name servers that it was told of.
const TOLD: &str = "/run/resolv.conf";
/// The C library asks no more of them.
const MOST_SERVERS: usize = 3;

/// A card, as `ip -j address` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Card {
    ifname: String,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Address {
    local: String,
    prefixlen: u8,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Route {
    #[serde(default)]
    gateway: String,
    #[serde(default)]
    dev: String,
}

/// What there is.
#[derive(Debug, Clone, Default)]
pub struct State {
    cards: Vec<Card>,
    routes: Vec<Route>,
    servers: Vec<String>,
    /// Whether the name servers are those that the network tells.
    are_told: bool,
    host: String,
    /// What is typed.
    wanted_servers: String,
    wanted_host: String,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// What there is was read.
    Read(Box<State>, Option<String>),
    /// A card on or off.
    Switch(String, bool),
    /// Off is meant.
    SwitchOff(String),
    /// Other name servers are typed.
    Servers(String),
    /// They are to be asked.
    SetServers,
    /// Those that the network tells are to be asked.
    Told,
    /// Another name of the machine is typed.
    Host(String),
    /// It is to be called so.
    SetHost,
}

/// Reads what there is.
pub fn load(places: Places) -> Task<All> {
    job::start(move |_| {
        let (state, problem) = read(&places.etc);
        All::Network(Message::Read(Box::new(state), problem))
    })
}

fn read(etc: &Path) -> (State, Option<String>) {
    let mut state = State::default();
    let mut problem = None;
    let mut ask = |arguments: &[&str]| match run("ip", arguments, "") {
        Ok(text) => text,
        Err(error) => {
            problem = Some(error);
            "[]".to_owned()
        }
    };
    state.cards = serde_json::from_str(&ask(&["-j", "address", "show"])).unwrap_or_default();
    state.routes = serde_json::from_str(&ask(&["-j", "route", "show", "default"])).unwrap_or_default();
    let resolv = etc.join("resolv.conf");
    state.servers = servers(&fs::read_to_string(&resolv).unwrap_or_default());
    state.are_told = fs::symlink_metadata(&resolv).is_ok_and(|it| it.is_symlink());
    state.host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    (state, problem)
}

/// Of resolv.conf(5).
fn servers(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

/// Addresses between spaces or commas.
fn parse_servers(text: &str) -> Result<Vec<IpAddr>, String> {
    let parts = text.split([' ', ',']).filter(|it| !it.is_empty());
    let all = parts.map(|it| it.parse().map_err(|_| format!("{it} is no address: 192.0.2.53 is one"))).collect::<Result<Vec<IpAddr>, String>>()?;
    if all.is_empty() || all.len() > MOST_SERVERS {
        return Err(format!("One to {MOST_SERVERS} addresses are possible."));
    }
    Ok(all)
}

fn set_servers(etc: &Path, servers: &[IpAddr]) -> Result<String, String> {
    let text: String = servers.iter().map(|it| format!("nameserver {it}\n")).collect();
    let (new, path) = (etc.join("resolv.conf.new"), etc.join("resolv.conf"));
    fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok("These name servers are asked from now on.".to_owned())
}

fn use_told(etc: &Path) -> Result<String, String> {
    let (new, path) = (etc.join("resolv.conf.new"), etc.join("resolv.conf"));
    // What a broken attempt has left is of no use.
    let _ = fs::remove_file(&new);
    std::os::unix::fs::symlink(TOLD, &new).and_then(|()| fs::rename(&new, &path)).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok("The network's own name servers are asked from now on.".to_owned())
}

/// Whether a machine can be called so (RFC 1123).
fn is_host(name: &str) -> bool {
    let is_good = |it: char| it.is_ascii_alphanumeric() || it == '-';
    (1..=63).contains(&name.len()) && name.chars().all(is_good) && !name.starts_with('-') && !name.ends_with('-')
}

fn set_host(etc: &Path, name: &str) -> Result<String, String> {
    if !is_host(name) {
        return Err("A name has up to 63 letters, digits and hyphens, and no hyphen at its ends.".to_owned());
    }
    rustix::system::sethostname(name.as_bytes()).map_err(|error| format!("The name cannot be set: {}", std::io::Error::from(error)))?;
    let path = etc.join("hostname");
    fs::write(&path, format!("{name}\n")).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("This machine is called {name}."))
}

fn switch(card: String, is_on: bool) -> Task<All> {
    job::start(move |_| All::Finished(run("ip", &["link", "set", &card, if is_on { "up" } else { "down" }], "").map(|_| format!("{card} is {}.", if is_on { "on" } else { "off" }))))
}

impl Settings {
    /// What follows.
    pub(crate) fn update_network(&mut self, message: Message) -> Task<All> {
        let state = &mut self.network;
        let etc = self.places.etc.clone();
        match message {
            Message::Read(read, problem) => {
                let (servers, host) = (std::mem::take(&mut state.wanted_servers), std::mem::take(&mut state.wanted_host));
                *state = State { wanted_servers: servers, wanted_host: host, ..*read };
                if let Some(problem) = problem {
                    self.said = Some(Err(problem));
                }
            }
            Message::Switch(card, true) => return switch(card, true),
            Message::Switch(card, false) => {
                self.asking = Some(Question {
                    title: format!("Switch {card} off?"),
                    words: "Connections with other machines end, until it is switched on again.".to_owned(),
                    confirm: "Switch off",
                    is_danger: true,
                    message: All::Network(Message::SwitchOff(card)),
                    otherwise: None,
                    seconds: None,
                });
            }
            Message::SwitchOff(card) => return switch(card, false),
            Message::Servers(words) => state.wanted_servers = words,
            Message::Host(words) => state.wanted_host = words,
            Message::SetServers => match parse_servers(&state.wanted_servers) {
                Ok(servers) => {
                    state.wanted_servers.clear();
                    return job::start(move |_| All::Finished(set_servers(&etc, &servers)));
                }
                Err(problem) => self.said = Some(Err(problem)),
            },
            Message::Told => return job::start(move |_| All::Finished(use_told(&etc))),
            Message::SetHost => {
                let name = std::mem::take(&mut state.wanted_host);
                return job::start(move |_| All::Finished(set_host(&etc, name.trim())));
            }
        }
        Task::none()
    }
}

impl State {
    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        let mut all = Vec::new();
        for card in self.cards.iter().filter(|it| !it.flags.iter().any(|flag| flag == "LOOPBACK")) {
            let has = |name: &str| card.flags.iter().any(|flag| flag == name);
            let state = match (has("UP"), has("LOWER_UP")) {
                (false, _) => "Switched off",
                (true, false) => "On, without a link",
                (true, true) => "Connected",
            };
            let toggle = Control::Switch { is_on: has("UP"), message: Some(All::Network(Message::Switch(card.ifname.clone(), !has("UP")))) };
            let mut rows = vec![Row::new(format!("Card {}", card.ifname), toggle).about(state)];
            rows.extend(card.addr_info.iter().map(|it| Row::shown("Address", format!("{}/{}", it.local, it.prefixlen))));
            let router = self.routes.iter().find(|it| it.dev == card.ifname && !it.gateway.is_empty());
            rows.extend(router.map(|it| Row::shown("Router", it.gateway.clone())));
            rows.push(Row::shown("Card's own address", card.address.clone()));
            all.push(Section::new("", rows));
        }
        let told = Control::Pick { is_chosen: self.are_told, message: (!self.are_told).then_some(All::Network(Message::Told)) };
        let told = Row::new("As the network tells", told).about(if self.are_told { self.servers.join(", ") } else { String::new() });
        let field = Control::Field {
            id: "servers",
            hint: "192.0.2.53, 192.0.2.54",
            value: self.wanted_servers.clone(),
            is_secret: false,
            input: |it| All::Network(Message::Servers(it)),
            submit: Some(All::Network(Message::SetServers)),
        };
        let detail = match (self.are_told, self.servers.is_empty()) {
            (true, _) => "Enter takes them".to_owned(),
            (false, true) => "None now; Enter takes some".to_owned(),
            (false, false) => format!("{} now; Enter takes others", self.servers.join(", ")),
        };
        all.push(Section::new("Name servers", vec![told, Row::new("Others", field).about(detail)]));
        let field = Control::Field {
            id: "host",
            hint: "Another name",
            value: self.wanted_host.clone(),
            is_secret: false,
            input: |it| All::Network(Message::Host(it)),
            submit: Some(All::Network(Message::SetHost)),
        };
        let set = Control::Button { label: "Rename", weight: Weight::Usual, message: is_host(self.wanted_host.trim()).then_some(All::Network(Message::SetHost)) };
        all.push(Section::new("This machine", vec![Row::new(self.host.clone(), field).about("Its name in the network"), Row::new("Take the new name", set)]));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_kept() {
        assert!(parse_servers("").is_err() && parse_servers("1.2.3").is_err() && parse_servers("1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4").is_err());
        let folder = tempfile::tempdir().expect("a folder");
        let all = parse_servers("192.0.2.53, 2001:db8::1").expect("addresses");
        set_servers(folder.path(), &all).expect("kept");
        let (state, _) = read(folder.path());
        assert_eq!((state.servers, state.are_told), (vec!["192.0.2.53".to_owned(), "2001:db8::1".to_owned()], false));
        use_told(folder.path()).expect("kept");
        assert_eq!(fs::read_link(folder.path().join("resolv.conf")).expect("a link"), Path::new(TOLD));
        assert!(read(folder.path()).0.are_told);
    }

    #[test]
    fn names_are_checked() {
        assert!(["a", "my-pc", "PC7"].iter().all(|it| is_host(it)));
        assert!(["", "-a", "a-", "a.b", "a b", "é", &"a".repeat(64)].iter().all(|it| !is_host(it)));
    }

    #[test]
    fn answers_of_ip_are_read() {
        let text = r#"[{"ifindex":2,"ifname":"eth0","flags":["BROADCAST","UP","LOWER_UP"],"address":"52:54:00:12:34:56","addr_info":[{"family":"inet","local":"10.0.2.15","prefixlen":24}]}]"#;
        let cards: Vec<Card> = serde_json::from_str(text).expect("cards");
        let state = State { cards, routes: serde_json::from_str(r#"[{"dst":"default","gateway":"10.0.2.2","dev":"eth0"}]"#).expect("routes"), ..State::default() };
        let shown: Vec<String> = state.sections()[0].rows.iter().map(|it| format!("{} {:?}", it.name, it.control)).collect();
        assert!(shown.iter().any(|it| it.contains("10.0.2.15/24")) && shown.iter().any(|it| it.contains("10.0.2.2")), "{shown:?}");
    }
}

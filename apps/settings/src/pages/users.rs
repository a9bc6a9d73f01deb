//! Who may use the machine: by `useradd`, `userdel` and `chpasswd` of the package `passwd`.

use std::fs;
use std::path::Path;

use genai_ui::{Task, job};

use crate::command::run;
use crate::form::{Control, Row, Section, Weight};
use crate::{Message as All, Places, Question, Settings};

/// Numbers that people have; others are the system's own.
const PEOPLE: std::ops::RangeInclusive<u32> = 1000..=59_999;

/// A person, or root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// What they log in as.
    pub name: String,
    /// Their number.
    pub number: u32,
    /// Their full name.
    pub full: String,
    /// Where their files are.
    pub home: String,
}

/// What there is, and what is typed.
#[derive(Debug, Default)]
pub struct State {
    users: Vec<User>,
    /// Whose password is changed.
    changed: Option<String>,
    password: String,
    again: String,
    new: New,
}

#[derive(Debug, Default)]
struct New {
    name: String,
    full: String,
    password: String,
    again: String,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message {
    /// Who there is was read.
    Read(Result<Vec<User>, String>),
    /// Somebody's password is to be changed.
    Change(String),
    /// Typed.
    Password(String),
    /// Typed once more.
    Again(String),
    /// It is to be so.
    Set,
    /// Typed for somebody new.
    Name(String),
    /// Their full name.
    Full(String),
    /// Their password.
    NewPassword(String),
    /// Once more.
    NewAgain(String),
    /// They are to be added.
    Add,
    /// Somebody is to be removed: asked first.
    Remove(String),
    /// It is meant.
    RemoveNow(String),
}

/// Reads who there is.
pub fn load(places: Places) -> Task<All> {
    job::start(move |_| All::Users(Message::Read(read(&places.etc))))
}

fn read(etc: &Path) -> Result<Vec<User>, String> {
    let path = etc.join("passwd");
    fs::read_to_string(&path).map(|text| parse(&text)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Of passwd(5): root and people.
pub fn parse(text: &str) -> Vec<User> {
    let users = text.lines().filter_map(|line| {
        let [name, _, number, _, full, home, _] = line.split(':').collect::<Vec<_>>()[..] else { return None };
        let number = number.parse().ok()?;
        let full = full.split(',').next().unwrap_or_default();
        (number == 0 || PEOPLE.contains(&number)).then(|| User { name: name.into(), number, full: full.into(), home: home.into() })
    });
    users.collect()
}

/// Whether somebody can be called so (useradd(8)).
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|it| it.is_ascii_lowercase() || it == '_') && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || "_-".contains(it)) && name.len() <= 32
}

fn check(password: &str, again: &str) -> Result<(), String> {
    match () {
        () if password.is_empty() => Err("A password is needed.".to_owned()),
        () if password != again => Err("The two passwords are not the same.".to_owned()),
        () if password.contains(['\n', '\r']) => Err("A password is one line.".to_owned()),
        () => Ok(()),
    }
}

fn set_password(name: &str, password: &str) -> Result<(), String> {
    // By its standard input, where no list of processes shows it.
    run("chpasswd", &[], &format!("{name}:{password}\n")).map(drop)
}

fn add(name: &str, full: &str, password: &str) -> Result<String, String> {
    run("useradd", &["--create-home", "--shell", "/bin/bash", "--comment", full, name], "")?;
    set_password(name, password).map_err(|error| format!("{name} is there, but cannot log in yet: {error}"))?;
    Ok(format!("{name} can log in now."))
}

impl Settings {
    /// What follows.
    pub(crate) fn update_users(&mut self, message: Message) -> Task<All> {
        let state = &mut self.users;
        let new = &mut state.new;
        match message {
            Message::Read(Ok(users)) => state.users = users,
            Message::Read(Err(problem)) => self.said = Some(Err(problem)),
            Message::Change(name) => {
                let is_closed = state.changed.as_ref() == Some(&name);
                (state.changed, state.password, state.again) = ((!is_closed).then_some(name), String::new(), String::new());
            }
            Message::Password(words) => state.password = words,
            Message::Again(words) => state.again = words,
            Message::Set => {
                if let Err(problem) = check(&state.password, &state.again) {
                    self.said = Some(Err(problem));
                    return Task::none();
                }
                let (Some(name), password) = (state.changed.take(), std::mem::take(&mut state.password)) else { return Task::none() };
                state.again.clear();
                return job::start(move |_| All::Finished(set_password(&name, &password).map(|()| format!("{name} has another password."))));
            }
            Message::Name(words) => new.name = words,
            Message::Full(words) => new.full = words,
            Message::NewPassword(words) => new.password = words,
            Message::NewAgain(words) => new.again = words,
            Message::Add => {
                let problem = match () {
                    () if !is_name(&new.name) => Some("A name has up to 32 small letters, digits, - and _, and begins with a letter.".to_owned()),
                    () if new.full.contains([':', ',', '\n']) => Some("A full name has no colon and no comma.".to_owned()),
                    () => check(&new.password, &new.again).err(),
                };
                if let Some(problem) = problem {
                    self.said = Some(Err(problem));
                    return Task::none();
                }
                let New { name, full, password, .. } = std::mem::take(new);
                return job::start(move |_| All::Finished(add(&name, &full, &password)));
            }
            Message::Remove(name) => {
                self.asking = Some(Question {
                    title: format!("Remove {name}?"),
                    words: "They cannot log in any more. Their files stay where they are.".to_owned(),
                    confirm: "Remove",
                    is_danger: true,
                    message: All::Users(Message::RemoveNow(name)),
                    otherwise: None,
                    seconds: None,
                });
            }
            Message::RemoveNow(name) => return job::start(move |_| All::Finished(run("userdel", &[&name], "").map(|_| format!("{name} is removed.")))),
        }
        Task::none()
    }
}

fn field(id: &'static str, hint: &'static str, value: &str, is_secret: bool, input: fn(String) -> All, submit: Option<All>) -> Control {
    Control::Field { id, hint, value: value.to_owned(), is_secret, input, submit }
}

impl State {
    /// The page.
    pub fn sections(&self) -> Vec<Section> {
        let mut all = Vec::new();
        for user in &self.users {
            let is_open = self.changed.as_ref() == Some(&user.name);
            let title = if user.full.is_empty() || user.full == user.name { user.name.clone() } else { format!("{} ({})", user.full, user.name) };
            let change = Control::Button { label: if is_open { "Cancel" } else { "Change password" }, weight: Weight::Usual, message: Some(All::Users(Message::Change(user.name.clone()))) };
            let about = if user.number == 0 { "May do everything".to_owned() } else { format!("Number {}, files in {}", user.number, user.home) };
            let mut rows = vec![Row::new(title, change).about(about)];
            if is_open {
                let set = Some(All::Users(Message::Set));
                rows.push(Row::new("New password", field("password", "Not shown", &self.password, true, |it| All::Users(Message::Password(it)), None)));
                rows.push(Row::new("Once more", field("again", "Enter changes it", &self.again, true, |it| All::Users(Message::Again(it)), set.clone())));
                rows.push(Row::new("", Control::Button { label: "Change it", weight: Weight::First, message: set }));
            }
            if user.number != 0 {
                let remove = Control::Button { label: "Remove", weight: Weight::Usual, message: Some(All::Users(Message::Remove(user.name.clone()))) };
                rows.push(Row::new("Take away their access", remove));
            }
            all.push(Section::new("", rows));
        }
        let (new, add) = (&self.new, Some(All::Users(Message::Add)));
        let rows = vec![
            Row::new("Name", field("name", "ann", &new.name, false, |it| All::Users(Message::Name(it)), None)).about("To log in by: small letters"),
            Row::new("Full name", field("full", "Ann Smith", &new.full, false, |it| All::Users(Message::Full(it)), None)),
            Row::new("Password", field("new-password", "Not shown", &new.password, true, |it| All::Users(Message::NewPassword(it)), None)),
            Row::new("Once more", field("new-again", "Enter adds them", &new.again, true, |it| All::Users(Message::NewAgain(it)), add.clone())),
            Row::new("", Control::Button { label: "Add", weight: Weight::First, message: add.filter(|_| is_name(&new.name)) }),
        ];
        all.push(Section::new("Somebody new", rows));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_from_the_system() {
        let text = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/no\nann:x:1000:1000:Ann Smith,,,:/home/ann:/bin/bash\nnobody:x:65534:65534::/:/no\nbroken\n";
        let all = parse(text);
        assert_eq!(all.iter().map(|it| (it.name.as_str(), it.full.as_str())).collect::<Vec<_>>(), [("root", "root"), ("ann", "Ann Smith")]);
    }

    #[test]
    fn names_and_passwords_are_checked() {
        assert!(["ann", "_a", "a-1"].iter().all(|it| is_name(it)));
        assert!(["", "Ann", "1a", "a:b", "a b", "-a", &"a".repeat(33)].iter().all(|it| !is_name(it)));
        assert!(check("a", "a").is_ok() && check("", "").is_err() && check("a", "b").is_err() && check("a\nroot:x", "a\nroot:x").is_err());
    }
}

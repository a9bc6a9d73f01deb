//! The new system's users: passwd(5), shadow(5), group(5), gshadow(5) and homes.

use crate::answers::User;
use crate::error::{Error, Result};
use image_builder::tree::{Content, Entry, Kind, Tree};

/// Groups of everybody who sits at the machine, as far as they exist.
const GROUPS: [&str; 6] = ["audio", "video", "input", "render", "users", "cdrom"];
/// Groups of administrators besides.
const ADMINISTRATORS: [&str; 2] = ["sudo", "adm"];

fn problem(text: impl Into<String>) -> Error {
    Error::Source(text.into())
}

/// The text of a file of the tree.
///
/// # Errors
/// [`Error::Source`] where there is no such file of text, and those of reading it.
pub(crate) fn text_of(tree: &Tree, path: &str) -> Result<String> {
    match tree.get(path).map(|entry| &entry.kind) {
        Some(Kind::File(content)) => String::from_utf8(content.read()?).map_err(|_| problem(format!("/{path} is not UTF-8"))),
        _ => Err(problem(format!("there is no /{path}"))),
    }
}

/// Replaces a file's text; owner and mode stay.
pub(crate) fn set_text(tree: &mut Tree, path: &str, text: String) -> Result<()> {
    let entry = tree.get_mut(path).ok_or_else(|| problem(format!("there is no /{path}")))?;
    entry.kind = Kind::File(Content::from(text.into_bytes()));
    Ok(())
}

/// A file of lines with fields between colons, the first of which is a name.
struct Table {
    path: &'static str,
    lines: Vec<Vec<String>>,
}

impl Table {
    fn read(tree: &Tree, path: &'static str) -> Result<Self> {
        let text = text_of(tree, path)?;
        let lines = text.lines().filter(|line| !line.is_empty());
        Ok(Self { path, lines: lines.map(|line| line.split(':').map(str::to_owned).collect()).collect() })
    }

    fn find(&mut self, name: &str) -> Option<&mut Vec<String>> {
        self.lines.iter_mut().find(|fields| fields[0] == name)
    }

    fn add(&mut self, fields: &[&str]) {
        self.lines.push(fields.iter().map(|field| (*field).to_owned()).collect());
    }

    /// Sets a field of a name that is there.
    fn set(&mut self, name: &str, field: usize, value: &str) -> Result<()> {
        let path = self.path;
        let place = self.find(name).and_then(|fields| fields.get_mut(field));
        *place.ok_or_else(|| problem(format!("/{path} has no full line for {name}")))? = value.to_owned();
        Ok(())
    }

    /// Makes a user a member; nothing where the group is not there.
    fn join(&mut self, group: &str, user: &str) {
        if let Some(members) = self.find(group).and_then(|fields| fields.get_mut(3))
            && !members.split(',').any(|member| member == user)
        {
            if !members.is_empty() {
                members.push(',');
            }
            members.push_str(user);
        }
    }

    /// The first number from 1000 on that no line has in its third field.
    fn free_number(&self, other: &Self) -> u32 {
        let taken = |number: u32| self.lines.iter().chain(&other.lines).any(|fields| fields.get(2).is_some_and(|it| *it == number.to_string()));
        (1000..60_000).find(|number| !taken(*number)).unwrap_or(60_000)
    }

    fn write(self, tree: &mut Tree) -> Result<()> {
        let text: String = self.lines.iter().map(|fields| fields.join(":") + "\n").collect();
        set_text(tree, self.path, text)
    }
}

/// What shadow(5) has for a password: a hash given, one made, or nothing.
///
/// # Errors
/// [`Error::Answers`] for a password that cannot be hashed.
pub fn hash(password: Option<&str>, given: Option<&str>) -> Result<Option<String>> {
    use sha_crypt::{PasswordHasher, ShaCrypt};
    match (given, password) {
        (Some(hash), _) => Ok(Some(hash.to_owned())),
        (None, None) => Ok(None),
        (None, Some(password)) => {
            // crypt(3) takes 16 characters of salt, which are 12 bytes.
            let mut salt = [0; 12];
            getrandom::fill(&mut salt).map_err(|error| Error::Answers(vec![format!("drawing a salt: {error}")]))?;
            let hashed = ShaCrypt::default().hash_password_with_salt(password.as_bytes(), &salt);
            hashed.map(|it| Some(it.as_str().to_owned())).map_err(|error| Error::Answers(vec![format!("hashing a password: {error}")]))
        }
    }
}

/// Gives the system these people, and root this password. `now` is in seconds since 1970.
///
/// # Errors
/// [`Error::Source`] where the system's own files are not as they should be.
pub fn apply(tree: &mut Tree, users: &[User], root: Option<&str>, now: u64) -> Result<()> {
    let mut passwd = Table::read(tree, "etc/passwd")?;
    let mut shadow = Table::read(tree, "etc/shadow")?;
    let mut group = Table::read(tree, "etc/group")?;
    let mut gshadow = Table::read(tree, "etc/gshadow")?;
    let today = (now / 86_400).to_string();
    if let Some(root) = root {
        shadow.set("root", 1, root)?;
        shadow.set("root", 2, &today)?;
    }
    for user in users {
        let name = user.name.as_str();
        let gecos = format!("{},,,", user.full_name);
        let hash = hash(user.password.as_deref(), user.password_hash.as_deref())?.unwrap_or_else(|| "!".into());
        let home = format!("home/{name}");
        if passwd.find(name).is_some() {
            passwd.set(name, 4, &gecos)?;
        } else {
            let number = passwd.free_number(&group);
            let number_text = number.to_string();
            passwd.add(&[name, "x", &number_text, &number_text, &gecos, &format!("/{home}"), "/bin/bash"]);
            if group.find(name).is_none() {
                group.add(&[name, "x", &number_text, ""]);
                gshadow.add(&[name, "!", "", ""]);
            }
            make_home(tree, &home, number, now)?;
        }
        if shadow.find(name).is_some() {
            shadow.set(name, 1, &hash)?;
            shadow.set(name, 2, &today)?;
        } else {
            shadow.add(&[name, &hash, &today, "0", "99999", "7", "", "", ""]);
        }
        let more: &[&str] = if user.administrator { &ADMINISTRATORS } else { &[] };
        for wanted in GROUPS.iter().chain(more) {
            group.join(wanted, name);
            gshadow.join(wanted, name);
        }
    }
    [passwd, shadow, group, gshadow].into_iter().try_for_each(|table| table.write(tree))
}

/// A home with what `/etc/skel` has.
fn make_home(tree: &mut Tree, home: &str, owner: u32, now: u64) -> Result<()> {
    let skeleton: Vec<(String, Entry)> = tree
        .iter()
        .filter_map(|(path, entry)| Some((format!("{home}/{}", path.strip_prefix("etc/skel/")?), entry.clone())))
        .collect();
    let mut folder = Entry::new(Kind::Directory, 0o700, now);
    (folder.uid, folder.gid) = (owner, owner);
    tree.insert(home, folder)?;
    for (path, mut entry) in skeleton {
        (entry.uid, entry.gid) = (owner, owner);
        tree.insert(&path, entry)?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small system.
    pub(crate) fn system() -> Tree {
        let mut tree = Tree::default();
        let mut add = |path: &str, mode: u16, text: &str| {
            tree.insert(path, Entry::new(Kind::File(text.as_bytes().to_vec().into()), mode, 5)).expect("inserts");
        };
        add("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/false\ngenai:x:1000:1000:G,,,:/home/genai:/bin/bash\n");
        add("etc/shadow", 0o640, "root:*:1:0:99999:7:::\ndaemon:*:1:0:99999:7:::\ngenai:!:1:0:99999:7:::\n");
        add("etc/group", 0o644, "root:x:0:\nsudo:x:27:genai\naudio:x:29:genai\nvideo:x:44:\nusers:x:1001:\ngenai:x:1000:\n");
        add("etc/gshadow", 0o640, "root:*::\nsudo:*::genai\ngenai:!::\n");
        add("etc/hosts", 0o644, "127.0.0.1 localhost\n");
        add("etc/hostname", 0o644, "genai\n");
        add("etc/timezone", 0o644, "Etc/UTC\n");
        add("etc/skel/.profile", 0o644, "# profile\n");
        add("bin/tool", 0o755, "tool");
        add("usr/share/X11/xkb/symbols/de", 0o644, "xkb_symbols \"basic\" {};\nxkb_symbols \"neo\" {};\n");
        add("usr/lib/gci/console.gctarget", 0o644, "[GenAI Service]\nDescription=x\n[Dependencies]\nWants=session@ttyS0 session@tty1\n");
        tree
    }

    fn user(name: &str) -> User {
        User { name: name.into(), full_name: "Ada L".into(), password: None, password_hash: Some("$6$abc$def".into()), administrator: true }
    }

    #[test]
    fn a_user_gets_a_line_everywhere_and_a_home() {
        let mut tree = system();
        apply(&mut tree, &[user("ada")], Some("$6$r$r"), 10 * 86_400).expect("fine");
        // 1001 is a group's number already.
        assert!(text_of(&tree, "etc/passwd").expect("there").ends_with("ada:x:1002:1002:Ada L,,,:/home/ada:/bin/bash\n"));
        let shadow = text_of(&tree, "etc/shadow").expect("there");
        assert!(shadow.starts_with("root:$6$r$r:10:0:99999:7:::\n") && shadow.ends_with("ada:$6$abc$def:10:0:99999:7:::\n"), "{shadow}");
        assert_eq!(tree.get("etc/shadow").map(|entry| entry.mode), Some(0o640));
        let group = text_of(&tree, "etc/group").expect("there");
        assert!(group.contains("sudo:x:27:genai,ada\n") && group.contains("video:x:44:ada\n") && group.ends_with("ada:x:1002:\n"), "{group}");
        assert!(text_of(&tree, "etc/gshadow").expect("there").contains("sudo:*::genai,ada\n"));
        let home = tree.get("home/ada").expect("there");
        assert_eq!((home.mode, home.uid, home.gid), (0o700, 1002, 1002));
        assert_eq!(tree.get("home/ada/.profile").map(|entry| entry.uid), Some(1002));
    }

    #[test]
    fn a_user_who_is_there_gets_a_password() {
        let mut tree = system();
        let before = tree.len();
        apply(&mut tree, &[user("genai")], None, 86_400).expect("fine");
        assert_eq!(tree.len(), before);
        assert!(text_of(&tree, "etc/shadow").expect("there").contains("genai:$6$abc$def:1:"));
        assert!(text_of(&tree, "etc/shadow").expect("there").starts_with("root:*:"));
        assert!(text_of(&tree, "etc/passwd").expect("there").contains("genai:x:1000:1000:Ada L,,,:"));
    }

    #[test]
    fn passwords_are_hashed_as_crypt_does() {
        use sha_crypt::{PasswordVerifier, ShaCrypt};
        let hash = hash(Some("secret"), None).expect("hashes").expect("a hash");
        assert!(hash.starts_with("$6$"), "{hash}");
        let fields: Vec<&str> = hash.split('$').collect();
        assert_eq!(fields[fields.len() - 2].len(), 16, "crypt(3) would cut the salt of {hash}");
        let parsed = sha_crypt::PasswordHash::new(&hash).expect("well-formed");
        assert!(ShaCrypt::default().verify_password(b"secret", &parsed).is_ok());
        assert!(ShaCrypt::default().verify_password(b"Secret", &parsed).is_err());
    }
}

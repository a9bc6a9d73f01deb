//! Users and groups, from the texts of `/etc/passwd` and `/etc/group` that were read with the unit files.

use crate::spawn::Identity;
use std::fs;
use std::io::Read;

/// The files' texts.
#[derive(Clone, Debug, Default)]
pub struct Users {
    passwd: String,
    group: String,
}

/// A user's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// Who that is.
    pub identity: Identity,
    /// The home directory.
    pub home: String,
    /// The shell.
    pub shell: String,
}

/// Larger files than this are not read on.
const MAX_FILE: u64 = 1 << 20;

fn read(path: &str) -> String {
    let mut text = Vec::new();
    // What is not there has no entries.
    let _ = fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut text));
    String::from_utf8_lossy(&text).into_owned()
}

impl Users {
    /// Reads the files of the system.
    pub fn read() -> Self {
        Users { passwd: read("/etc/passwd"), group: read("/etc/group") }
    }

    /// The user with this name or number.
    pub fn user(&self, wanted: &str) -> Option<User> {
        self.passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
            if name != wanted && uid != wanted {
                return None;
            }
            let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
            let groups = self.group.lines().filter_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let [_, _, number, members] = fields[..] else { return None };
                members.split(',').any(|member| member == name).then(|| number.parse().ok())?
            });
            let groups = [gid].into_iter().chain(groups.filter(|number| *number != gid)).take(64).collect();
            Some(User { name: name.into(), identity: Identity { uid, gid, groups }, home: home.into(), shell: shell.into() })
        })
    }

    /// The number of a group, by name or number.
    pub fn group(&self, wanted: &str) -> Option<u32> {
        self.group.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, number) = (fields.next()?, fields.nth(1)?);
            (name == wanted || number == wanted).then(|| number.parse().ok())?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_their_groups() {
        let users = Users {
            passwd: "root:x:0:0::/root:/bin/bash\nbroken\nann:x:1000:1000:A:/home/ann:/bin/sh\n".into(),
            group: "root:x:0:\nann:x:1000:\nvideo:x:44:bob,ann\n".into(),
        };
        let ann = users.user("ann").unwrap();
        assert_eq!(ann.identity, Identity { uid: 1000, gid: 1000, groups: vec![1000, 44] });
        assert_eq!(users.user("0").unwrap().name, "root");
        assert_eq!((users.user("bob"), users.group("video"), users.group("none")), (None, Some(44), None));
    }
}

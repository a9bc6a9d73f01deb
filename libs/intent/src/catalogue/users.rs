//! Users and groups.

use actions::quote::quote;

use super::{Intent, Outcome, Unfilled, built};
use crate::entity::Kind;
use crate::request::Request;

pub(super) const INTENTS: &[Intent] = &[
    Intent { id: "user.me", about: "who you are", example: "who am I?", build: me },
    Intent { id: "user.logged_in", about: "who is logged in", example: "who is logged in", build: logged_in },
    Intent { id: "user.list", about: "all users", example: "list all users", build: list },
    Intent { id: "user.exists", about: "whether a user exists", example: "does the user bob exist", build: exists },
    Intent { id: "user.groups", about: "the groups of a user", example: "which groups am I in", build: groups },
    Intent { id: "group.list", about: "all groups", example: "list all groups", build: group_list },
    Intent { id: "group.members", about: "who is in a group", example: "who is in the group sudo", build: members },
    Intent { id: "user.add", about: "make a user", example: "create a user called bob", build: add },
    Intent { id: "user.delete", about: "delete a user", example: "delete the user bob", build: delete },
    Intent { id: "user.password", about: "change a password", example: "change my password", build: password },
    Intent { id: "user.add_to_group", about: "put a user into a group", example: "add bob to the group sudo", build: add_to_group },
    Intent { id: "user.switch", about: "become another user", example: "switch to user bob", build: switch },
    Intent { id: "user.logins", about: "recent logins", example: "who logged in recently", build: logins },
    Intent { id: "user.home", about: "a user's home directory", example: "what is the home directory of root", build: home },
    Intent { id: "user.shell", about: "which shell is used", example: "which shell am I using", build: shell },
];

const WHO: Unfilled = Unfilled::Missing("Which user?");

fn me(_: &Request<'_>) -> Outcome {
    built("whoami", "Prints your user name.")
}

fn logged_in(r: &Request<'_>) -> Outcome {
    if r.has(&["many"]) {
        return built("who | wc -l", "Counts the logins.");
    }
    built("who", "Lists who is logged in.")
}

fn list(r: &Request<'_>) -> Outcome {
    if r.has(&["many", "count"]) {
        return built("getent passwd | wc -l", "Counts the users of this machine.");
    }
    if r.has(&["human", "real", "normal", "regular", "people"]) {
        return built("getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 {print $1}'", "Lists the users who are people.");
    }
    built("cut -d: -f1 /etc/passwd", "Lists the users of this machine.")
}

fn exists(r: &Request<'_>) -> Outcome {
    let u = r.user().or_else(|| r.any_unknown()).ok_or(WHO)?;
    built(format!("id -- {}", quote(&u)), format!("Shows the user {u}, or says that there is none."))
}

fn groups(r: &Request<'_>) -> Outcome {
    let named = r.take(|k| if let Kind::User(u) = k { Some(u.clone()) } else { None }).or_else(|| if r.has(&["i", "my", "me", "am"]) { None } else { r.user().or_else(|| r.any_unknown()) });
    match named {
        Some(u) => built(format!("id -Gn -- {}", quote(&u)), format!("Lists the groups of {u}.")),
        None => built("id -Gn", "Lists your groups."),
    }
}

fn group_list(_: &Request<'_>) -> Outcome {
    built("cut -d: -f1 /etc/group", "Lists the groups of this machine.")
}

fn members(r: &Request<'_>) -> Outcome {
    // Whatever stands beside "group" is its name.
    let beside = || {
        let i = r.position(&["group"])?;
        let ok = |k: usize| r.tokens.get(k).is_some_and(|t| !matches!(t.norm.as_str(), "the" | "a" | "of" | "in" | "to" | "is" | "called" | "named" | "this" | "members" | "users" | "which"));
        let k = if ok(i + 1) { i + 1 } else if i > 0 && ok(i - 1) { i - 1 } else { return None };
        r.mark(k, k + 1);
        Some(r.tokens[k].raw.clone())
    };
    let g = beside().or_else(|| r.name(&["group", "called", "named", "of", "in", "the"]).or_else(|| r.take(|k| if let Kind::User(u) = k { Some(u.clone()) } else { None })).or_else(|| r.any_unknown()).or_else(|| r.command())).ok_or(Unfilled::Missing("Which group?"))?;
    built(format!("getent group {}", quote(&g)), format!("Shows the group {g} and its members."))
}

fn new_user(r: &Request<'_>) -> Result<String, Unfilled> {
    r.name(&["called", "named", "user", "account", "for", "username", "login", "delete", "remove", "add"]).or_else(|| r.user()).or_else(|| r.quoted()).or_else(|| r.any_unknown()).ok_or(WHO)
}

fn add(r: &Request<'_>) -> Outcome {
    let u = new_user(r)?;
    built(format!("useradd -m -s /bin/bash -- {}", quote(&u)), format!("Makes the user {u} with a home directory."))
}

fn delete(r: &Request<'_>) -> Outcome {
    let home = r.has(&["home", "files", "everything", "data"]);
    let u = new_user(r)?;
    built(format!("userdel {}-- {}", if home { "-r " } else { "" }, quote(&u)), format!("Deletes the user {u}{}.", if home { " and the home directory" } else { "; the home directory stays" }))
}

fn password(r: &Request<'_>) -> Outcome {
    if r.has(&["my"]) && !r.entities.iter().any(|e| matches!(e.kind, Kind::User(_))) {
        return built("passwd", "Asks for a new password for you.");
    }
    match r.user().or_else(|| r.any_unknown()) {
        Some(u) => built(format!("passwd {}", quote(&u)), format!("Asks for a new password for {u}.")),
        None => built("passwd", "Asks for a new password for you."),
    }
}

fn add_to_group(r: &Request<'_>) -> Outcome {
    let after = || {
        let i = r.position(&["group"])? + 1;
        let t = r.tokens.get(i)?;
        r.mark(i, i + 1);
        Some(t.raw.clone())
    };
    let g = after().or_else(|| {
        // "to the sudo group": the word before.
        let i = r.position(&["group"])?;
        let t = r.tokens.get(i.checked_sub(1)?)?;
        if matches!(t.norm.as_str(), "the" | "a" | "to" | "user") {
            return None;
        }
        r.mark(i - 1, i);
        Some(t.raw.clone())
    });
    let u = r.user().or_else(|| r.any_unknown()).ok_or(WHO)?;
    let g = g.or_else(|| r.any_unknown()).ok_or(Unfilled::Missing("Which group?"))?;
    built(format!("usermod -aG {} -- {}", quote(&g), quote(&u)), format!("Puts {u} into the group {g}."))
}

fn switch(r: &Request<'_>) -> Outcome {
    let u = r.user().or_else(|| r.name(&["to", "become", "as"])).or_else(|| r.has(&["root", "superuser", "administrator", "admin"]).then(|| "root".to_owned())).or_else(|| r.any_unknown()).ok_or(WHO)?;
    built(format!("su - {}", quote(&u)), format!("Starts a shell as {u}; exit comes back."))
}

fn logins(r: &Request<'_>) -> Outcome {
    let n = r.num().unwrap_or(20);
    let _ = r.take(|k| matches!(k, Kind::Time(_)).then_some(()));
    built(format!("last -n {n}"), format!("Shows the last {n} logins."))
}

fn home(r: &Request<'_>) -> Outcome {
    match r.take(|k| if let Kind::User(u) = k { Some(u.clone()) } else { None }).or_else(|| if r.has(&["my"]) { None } else { r.any_unknown() }) {
        Some(u) => built(format!("getent passwd {} | cut -d: -f6", quote(&u)), format!("Prints the home directory of {u}.")),
        None => {
            let _ = r.dir();
            built("echo ~", "Prints your home directory.")
        }
    }
}

fn shell(_: &Request<'_>) -> Outcome {
    built("echo \"$BASH $BASH_VERSION\"", "Prints which shell runs your commands.")
}

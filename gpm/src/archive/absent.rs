//! Packages of Debian whose work this system does by itself: dependencies on them hold without them, and they are not offered.

use crate::dependency::{Dependency, Relation};
use crate::manifest::Manifest;

/// Sorted by name. What only their maintainer scripts need is among them, as those are not run.
const ABSENT: [&str; 44] = [
    "adduser",              // genai-base has the users of daemons
    "apt",                  // gpm
    "cdebconf",             // asks the questions of maintainer scripts
    "dbus-session-bus",     // the desktop's own session bus
    "dbus-user-session",    // as above
    "debconf",              // asks the questions of maintainer scripts
    "debconf-2.0",          // as above
    "default-dbus-session-bus",
    "default-logind",       // sessions are GCI's
    "dictionaries-common",  // arranges dictionaries by maintainer scripts
    "dpkg",                 // gpm
    "emacsen-common",       // compiles for Emacs by maintainer scripts
    "ifupdown",             // netd
    "init",                 // GCI
    "init-system-helpers",  // services of System V and systemd
    "initramfs-tools",      // our own kernel
    "isc-dhcp-client",      // netd
    "kmod",                 // our own kernel
    "libpam-elogind",       // sessions are GCI's
    "libpam-runtime",       // genai-base has PAM's stacks
    "libpam-systemd",       // sessions are GCI's
    "linux-base",           // our own kernel
    "linux-image-amd64",    // as above
    "linux-initramfs-tool", // as above
    "logind",               // sessions are GCI's
    "logrotate",            // GCI's journal rotates
    "lsb-base",             // services of System V
    "menu",                 // Debian's old menus
    "network-manager",      // netd
    "openrc",               // GCI
    "rsyslog",              // GCI's journal
    "runit-helper",         // maintainer scripts
    "system-log-daemon",    // GCI's journal
    "systemd",              // GCI
    "systemd-standalone-sysusers",
    "systemd-standalone-tmpfiles",
    "systemd-sysv",         // GCI
    "systemd-timesyncd",    // as above
    "sysvinit-core",        // as above
    "sysvinit-utils",       // services of System V
    "tasksel",              // chooses packages in Debian's installer
    "ucf",                  // maintainer scripts
    "udev",                 // devd
    "usrmerge",             // the image is merged from the beginning
];

/// Whether this system has the package in another form.
pub fn is_absent(name: &str) -> bool {
    ABSENT.binary_search(&name).is_ok()
}

/// Leaves what is absent out of a package's dependencies.
pub fn leave_out(manifest: &mut Manifest) {
    let is_there = |it: &Dependency| it.alternatives.iter().any(|it| is_absent(&it.name));
    manifest.depends.retain(|it| !is_there(it));
    manifest.optional.retain(|it| !is_there(&it.dependency));
    let names = |relations: &mut Vec<Relation>| relations.retain(|it| !is_absent(&it.name));
    names(&mut manifest.conflicts);
    names(&mut manifest.replaces);
    names(&mut manifest.provides);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(ABSENT.is_sorted());
        assert!(is_absent("udev") && !is_absent("perl"));
    }

    #[test]
    fn what_is_there_in_another_form_is_not_asked_for() {
        let mut manifest = Manifest::new("demo", "1".parse().unwrap(), "x", "MIT");
        manifest.depends = vec!["debconf (>= 0.5) | debconf-2.0".parse().unwrap(), "libc6".parse().unwrap()];
        leave_out(&mut manifest);
        assert_eq!(manifest.depends.iter().map(ToString::to_string).collect::<Vec<_>>(), ["libc6"]);
    }
}

//! Tests that need the whole system, in virtual machines. `./gos test` runs them; a test's name says what it needs:
//!
//! * `vm/...`: our system, loaded by QEMU (PVH). The tests share one machine, which is started anew after a failure.
//! * `diff/...`: a script of `tests/diff/` run here and under Linux with the same root; output and status must be the same.
//! * `frame/...`: the kernel's unsafe part alone, tested by a kernel of its own.
//! * `boot/...`: machines of their own, started through GRUB and otherwise.
//! * `programs/...`: a program of `tests/programs/` run here and under Linux; output and status must be the same.
//! * `gde/...`: the desktop, in a machine of its own.
//! * `apps/...`: programs of Debian in the developer's edition. Only run when asked for (`./gos test apps/`): its image is large.
//! * `fuzz/...`: random system calls.
//! * `gci/...`: process 1, its units and commands.
//! * `limits/...`: memory, disk and processes used up.
//! * `gpm/...`: the package manager in the machine.
//! * `net/...`: the network beyond the machine.
//! * `power/...`: power cuts.
//! * `server/...`: the server's edition.
//! * `live/...`: that edition's boot.iso, without a disk.
//! * `installer/...`: the installer, from there.
//! * `soak/...`: some of them for longer. Only run when asked for (`./gos test soak`).
//! * `linux/...`: the Linux reference itself.

mod ai;
mod apps;
mod boot;
mod check;
mod cuts;
mod diff;
mod display;
mod english;
mod fuzz;
mod frame;
mod gci;
mod gde;
mod gde_bus;
mod gde_editor;
mod gde_files;
mod gde_monitor;
mod gde_session;
mod gde_settings;
mod gde_store;
mod gpm;
mod lab;
mod input;
mod installer;
mod limits;
mod net;
mod post_mortem;
mod power;
mod programs;
mod restarts;
mod schemes;
mod server;
mod system;
mod wait;

use std::path::Path;

pub use lab::{Genai, Images, Lab, Linux, Machine, Programs, System};

/// What a test does; an error says what was wrong.
type Body = Box<dyn Fn(&Lab) -> anyhow::Result<()>>;

/// A test with its name.
pub struct Test {
    /// `group/name`.
    pub name: String,
    body: Body,
}

impl Test {
    pub(crate) fn new(name: impl Into<String>, body: impl Fn(&Lab) -> anyhow::Result<()> + 'static) -> Self {
        Test { name: name.into(), body: Box::new(body) }
    }

    /// Whether it needs the Linux reference.
    pub fn needs_linux(&self) -> bool {
        ["diff/", "linux/", "programs/", "soak/contracts"].iter().any(|group| self.name.starts_with(group))
    }

    /// Whether it needs our own system.
    pub fn needs_genai(&self) -> bool {
        !self.name.starts_with("linux/") && !self.needs_frame_selftest() && !self.needs_server() && !self.needs_developer() && !self.needs_developer_linux()
    }

    /// Whether it needs the server's edition.
    pub fn needs_server(&self) -> bool {
        ["server/", "installer/", "live/", "limits/disk-full"].iter().any(|group| self.name.starts_with(group))
    }

    /// Whether it needs the developer's edition.
    pub fn needs_developer(&self) -> bool {
        ["apps/", "soak/apps/"].iter().any(|group| self.name.starts_with(group))
    }

    /// Whether it needs the Linux reference with the root of the developer's edition.
    pub fn needs_developer_linux(&self) -> bool {
        self.name.starts_with("soak/apps-on-linux/")
    }

    /// Whether it needs the programs of `tests/programs/`, and `redoxfsd` on the host.
    pub fn needs_programs(&self) -> bool {
        ["programs/", "fuzz/", "gde/", "net/", "power/", "soak/", "installer/"].iter().any(|group| self.name.starts_with(group))
    }

    /// Whether it is run for this filter: a part of its name; the long tests only where the filter names their group.
    pub fn is_selected(&self, filter: Option<&str>) -> bool {
        const LONG: [&str; 2] = ["soak", "apps"];
        let is_long = LONG.iter().any(|group| self.name.starts_with(group));
        filter.map_or(!is_long, |filter| self.name.contains(filter) && (!is_long || LONG.iter().any(|group| filter.starts_with(group))))
    }

    /// Whether it needs the frame's test kernel.
    pub fn needs_frame_selftest(&self) -> bool {
        self.name.starts_with("frame/")
    }

    /// Runs it.
    ///
    /// # Errors
    /// What was wrong.
    pub fn run(&self, lab: &Lab) -> anyhow::Result<()> {
        (self.body)(lab)
    }
}

/// All tests of a checkout, in the order in which they should run.
///
/// # Errors
/// Those of reading `tests/diff/`.
pub fn all(root: &Path) -> anyhow::Result<Vec<Test>> {
    let mut tests = frame::tests();
    tests.extend(system::tests());
    tests.extend(schemes::tests());
    tests.extend(input::tests());
    tests.extend(english::tests());
    tests.extend(ai::tests());
    tests.extend(restarts::tests());
    tests.extend(gci::tests());
    tests.extend(diff::tests(&root.join("tests/diff"))?);
    tests.extend(programs::tests());
    tests.extend(display::tests());
    tests.extend(gde::tests());
    tests.extend(apps::tests(&root.join("tests/apps"))?);
    tests.extend(gpm::tests(&root.join("tests/gpm")));
    tests.extend(limits::tests());
    tests.extend(net::tests());
    tests.extend(fuzz::tests());
    tests.extend(boot::tests());
    tests.extend(server::tests());
    tests.extend(installer::tests());
    tests.extend(power::tests());
    tests.extend(cuts::tests());
    Ok(tests)
}

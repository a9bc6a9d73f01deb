//! Tests that need the whole system, in virtual machines. `./gos test` runs them; a test's name says what it needs:
//!
//! * `vm/...`: our system, loaded by QEMU (PVH). The tests share one machine, which is started anew after a failure.
//! * `diff/...`: a script of `tests/diff/` run here and under Linux with the same root; output and status must be the same.
//! * `frame/...`: the kernel's unsafe part alone, tested by a kernel of its own.
//! * `boot/...`: machines of their own, started through GRUB and otherwise.
//! * `power/...`: power cuts.
//! * `linux/...`: the Linux reference itself.

mod boot;
mod check;
mod diff;
mod frame;
mod lab;
mod power;
mod schemes;
mod system;

use std::path::Path;

pub use lab::{Genai, Images, Lab, Linux, Machine, System};

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
        self.name.starts_with("diff/") || self.name.starts_with("linux/")
    }

    /// Whether it needs our own system.
    pub fn needs_genai(&self) -> bool {
        !self.name.starts_with("linux/") && !self.needs_frame_selftest()
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
    tests.extend(diff::tests(&root.join("tests/diff"))?);
    tests.extend(boot::tests());
    tests.extend(power::tests());
    Ok(tests)
}

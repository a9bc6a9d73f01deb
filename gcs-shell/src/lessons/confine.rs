//! Confining what a learner types: it may write below one directory only, where the kernel can see to that (Landlock).

use std::path::Path;

use landlock::{ABI, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope};

/// What the kernel sees to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// Nothing outside the directory can be written, made or deleted.
    Full,
    /// The same, but for what an older kernel does not know (cutting files short, signals to others).
    Partial,
    /// The kernel has no Landlock.
    None,
}

impl Confinement {
    /// In a sentence, for the learner.
    pub fn sentence(self) -> &'static str {
        match self {
            Confinement::Full => "What you type can change nothing outside of it: the kernel sees to that.",
            Confinement::Partial => "What you type can make and delete nothing outside of it, but this kernel does not see to all of it: be as careful as anywhere.",
            Confinement::None => "This kernel cannot confine what you type: it runs as you, and can change anything that you can. Dangerous lines ask first.",
        }
    }
}

/// Confines this thread, and all processes that it starts from now on, to writing below `dir`.
///
/// # Errors
/// When the rules cannot be made though the kernel has Landlock.
pub fn this_thread(dir: &Path) -> anyhow::Result<Confinement> {
    let writing = AccessFs::from_write(ABI::V6);
    let device = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    let mut rules = Ruleset::default().handle_access(writing)?.scope(Scope::Signal)?.create()?;
    rules = rules.add_rule(PathBeneath::new(PathFd::new(dir)?, writing))?;
    for file in ["/dev/null", "/dev/zero", "/dev/full"] {
        if let Ok(fd) = PathFd::new(file) {
            rules = rules.add_rule(PathBeneath::new(fd, device))?;
        }
    }
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Confinement::Full,
        RulesetStatus::PartiallyEnforced => Confinement::Partial,
        _ => Confinement::None,
    })
}

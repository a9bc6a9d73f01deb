//! What a wish takes, and what may be taken along with it.

use gpm::gpm::Proposal;
use std::sync::Arc;

use crate::worker::Wish;

/// Bytes that may be fetched for what is only recommended without being asked for, however little the wish itself takes.
const LITTLE: u64 = 32_000_000;

/// What a wish takes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The wish.
    pub wish: Wish,
    /// What it takes at least.
    least: Arc<Proposal>,
    /// With all that packages recommend, where that is more.
    full: Option<Arc<Proposal>>,
    is_full: bool,
}

/// What is taken along with a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extra {
    /// Packages.
    pub packages: usize,
    /// Bytes that are fetched for it.
    pub download: u64,
    /// Whether it is taken along.
    pub is_chosen: bool,
}

impl Plan {
    /// Of a wish that has no choice.
    pub fn plain(wish: Wish, proposal: Proposal) -> Self {
        Plan { wish, least: Arc::new(proposal), full: None, is_full: false }
    }

    /// Of what it takes at least and with all that is recommended. That is chosen at first where it costs little beside the wish.
    pub fn with_choice(wish: Wish, least: Proposal, full: Proposal) -> Self {
        let is_full = is_worth(least.download, full.download);
        let full = (full.changes.len() > least.changes.len()).then(|| Arc::new(full));
        Plan { wish, least: Arc::new(least), full, is_full }
    }

    /// What is made true where somebody agrees.
    pub fn proposal(&self) -> &Proposal {
        match &self.full {
            Some(full) if self.is_full => full,
            _ => &self.least,
        }
    }

    /// The choice, where there is one.
    pub fn extra(&self) -> Option<Extra> {
        let full = self.full.as_ref()?;
        let packages = full.changes.len() - self.least.changes.len();
        Some(Extra { packages, download: full.download.saturating_sub(self.least.download), is_chosen: self.is_full })
    }

    /// Takes along what is recommended, or leaves it.
    pub fn choose(&mut self, is_full: bool) {
        self.is_full = is_full;
    }
}

/// Whether what is recommended comes unless somebody objects: where it is little, or no more than the wish itself.
fn is_worth(least: u64, full: u64) -> bool {
    full.saturating_sub(least) <= least.max(LITTLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_multiplies_the_download_is_asked_for() {
        assert!(is_worth(0, 0) && is_worth(1_000_000, 30_000_000), "little comes along");
        assert!(is_worth(60_000_000, 110_000_000), "no more than the program itself");
        assert!(!is_worth(2_000_000, 300_000_000) && !is_worth(60_000_000, 121_000_000));
    }
}

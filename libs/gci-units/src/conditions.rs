//! Whether a unit is for this boot: level, AI, education, and what must exist.

use crate::unit::{Integration, Unit};
use std::fmt;

/// What a boot is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The consciousness level in thousandths.
    pub level: u16,
    /// Whether the education services are on.
    pub has_education: bool,
    /// Whether language models may be used.
    pub has_ai: bool,
}

impl Default for Circumstances {
    fn default() -> Self {
        Circumstances { level: 500, has_education: true, has_ai: true }
    }
}

/// Why a unit is left out, without that being a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The level is below what it requires (in thousandths).
    Level {
        /// What it requires.
        required: u16,
        /// What there is.
        level: u16,
    },
    /// It is of no use without the education services.
    Education,
    /// It is of no use without language models.
    Ai,
    /// A path is not there.
    Missing(String),
    /// A path is there.
    Present(String),
    /// A terminal cannot be opened.
    Terminal(String),
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::Level { required, level } => {
                let decimal = |level: &u16| f64::from(*level) / 1000.0;
                write!(f, "it requires level {}, and this boot's is {}", decimal(required), decimal(level))
            }
            Skip::Education => f.write_str("it is for education, which is off"),
            Skip::Ai => f.write_str("it requires AI, which is off"),
            Skip::Missing(path) => write!(f, "there is no {path}"),
            Skip::Present(path) => write!(f, "there is a {path}"),
            Skip::Terminal(path) => write!(f, "{path} cannot be opened"),
        }
    }
}

impl Circumstances {
    /// Why this unit is not for this boot; `exists` looks paths up.
    pub fn skip(&self, unit: &Unit, exists: impl Fn(&str) -> bool) -> Option<Skip> {
        if let Some(required) = unit.required_level.filter(|required| *required > self.level) {
            return Some(Skip::Level { required, level: self.level });
        }
        if unit.education == Integration::Required && !self.has_education {
            return Some(Skip::Education);
        }
        if unit.ai == Integration::Required && !self.has_ai {
            return Some(Skip::Ai);
        }
        unit.conditions.iter().find_map(|condition| match condition.strip_prefix('!') {
            Some(path) => exists(path).then(|| Skip::Present(path.to_owned())),
            None => (!exists(condition)).then(|| Skip::Missing(condition.clone())),
        })
    }
}

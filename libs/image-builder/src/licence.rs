//! Licences as SPDX writes them, and which of them may be in programs of ours.

use spdx::{Expression, LicenseReq, ParseMode};

/// What the project's own programs may be linked from: licences that ask for no more than a notice, or for the source of their own files.
const LINKABLE: &[&str] = &[
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unicode-3.0",
    "Unlicense", "Zlib",
];

/// What is allowed where it stays a library of its own, which can be replaced.
const LIBRARIES: &[&str] = &["LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"];

/// What is wrong with the text as an SPDX expression.
pub(crate) fn problem(text: &str) -> Option<String> {
    let error = Expression::parse_mode(text, ParseMode::STRICT).err()?;
    let part = text.get(error.span.clone()).filter(|part| !part.is_empty());
    Some(match part {
        Some(part) if part != text => format!("licence \"{text}\" is no SPDX expression: \"{part}\": {}", error.reason),
        _ => format!("licence \"{text}\" is no SPDX expression: {}", error.reason),
    })
}

/// Whether a program may have code under this licence in it; `is_dynamic` where that stays a library of its own. Old spellings of crates are
/// understood (`MIT/Apache-2.0`).
pub(crate) fn may_be_linked(text: &str, is_dynamic: bool) -> bool {
    let allowed = |licence: &LicenseReq| {
        let name = licence.license.to_string();
        LINKABLE.contains(&name.as_str()) || (is_dynamic && LIBRARIES.contains(&name.as_str()))
    };
    Expression::parse_mode(text, ParseMode::LAX).is_ok_and(|expression| expression.evaluate(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spdx_does_not_know_is_named() {
        for fine in ["MIT", "GPL-2.0-or-later", "AFL-2.1 OR GPL-2.0-or-later", "Apache-2.0 WITH LLVM-exception", "LicenseRef-of-theirs"] {
            assert_eq!(problem(fine), None, "{fine}");
        }
        for (text, reason) in [("MIT-X11", "unknown"), ("MIT OR Beer", "\"Beer\": unknown"), ("MIT/Apache-2.0", "no SPDX expression"), ("", "empty"), ("GPL-2.0", "deprecated")] {
            let found = problem(text).unwrap_or_default();
            assert!(found.contains(reason), "{text}: {found}");
        }
    }

    #[test]
    fn one_of_alternatives_must_be_allowed_and_all_of_what_holds_together() {
        for fine in ["MIT", "MIT/Apache-2.0", "Apache-2.0 OR GPL-2.0-only", "(MIT OR Apache-2.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"] {
            assert!(may_be_linked(fine, false), "{fine}");
        }
        for bad in ["GPL-3.0-or-later", "MIT AND GPL-2.0-only", "LGPL-2.1-or-later", "AGPL-3.0-only", "", "whatever"] {
            assert!(!may_be_linked(bad, false), "{bad}");
        }
        assert!(may_be_linked("LGPL-2.1-or-later", true));
        assert!(!may_be_linked("GPL-2.0-or-later", true));
    }
}

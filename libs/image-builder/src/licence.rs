//! Licences as SPDX writes them.

use spdx::{Expression, ParseMode};

/// What is wrong with the text as an SPDX expression.
pub(crate) fn problem(text: &str) -> Option<String> {
    let error = Expression::parse_mode(text, ParseMode::STRICT).err()?;
    let part = text.get(error.span.clone()).filter(|part| !part.is_empty());
    Some(match part {
        Some(part) if part != text => format!("licence \"{text}\" is no SPDX expression: \"{part}\": {}", error.reason),
        _ => format!("licence \"{text}\" is no SPDX expression: {}", error.reason),
    })
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
}

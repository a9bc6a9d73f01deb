//! D-Bus variants as serde sees them: a sequence of the value's signature, and the value.

use serde::de::{Deserialize, Error, SeqAccess};

/// The next part of a variant.
///
/// # Errors
/// Where there is none, or it is of another type.
pub fn part<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(parts: &mut A) -> Result<T, A::Error> {
    parts.next_element()?.ok_or_else(|| A::Error::custom("a variant without a value"))
}

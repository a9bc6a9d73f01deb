//! Sets of flags, and sets of values.

use crate::errno::Errno;

/// What becomes of a flag or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It has its effect.
    Supported,
    /// It is accepted, and nothing has to be done for it: why that is right.
    NoEffect(&'static str),
    /// Linux 6.1 has it; here it is an error. With the reason.
    Refused(Errno, &'static str),
}

/// A flag or a value.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name in Linux's headers.
    pub name: &'static str,
    /// Its bits, or the value.
    pub value: u64,
    /// What becomes of it.
    pub treatment: Treatment,
}

/// A supported entry.
pub(crate) const fn on(name: &'static str, value: u64) -> Entry {
    Entry { name, value, treatment: Treatment::Supported }
}

/// One that is accepted and needs nothing done.
pub(crate) const fn idle(name: &'static str, value: u64, why: &'static str) -> Entry {
    Entry { name, value, treatment: Treatment::NoEffect(why) }
}

/// One that is refused.
pub(crate) const fn no(name: &'static str, value: u64, error: Errno, why: &'static str) -> Entry {
    Entry { name, value, treatment: Treatment::Refused(error, why) }
}

/// What becomes of bits that have no name in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Linux does not look at them, and neither is it done here.
    Ignored,
    /// They are an error.
    Refused(Errno),
}

/// An argument that is made of flags.
#[derive(Debug)]
pub struct Flags {
    /// The calls that have it.
    pub calls: &'static [&'static str],
    /// Which argument it is, in words.
    pub argument: &'static str,
    /// The flags.
    pub entries: &'static [Entry],
    /// What becomes of other bits.
    pub unknown: Unknown,
    accepted: u64,
    refused: u64,
}

impl Flags {
    /// A set.
    pub const fn new(calls: &'static [&'static str], argument: &'static str, unknown: Unknown, entries: &'static [Entry]) -> Self {
        let (mut accepted, mut refused) = (0, 0);
        let mut i = 0;
        while i < entries.len() {
            match entries[i].treatment {
                Treatment::Refused(..) => refused |= entries[i].value,
                _ => accepted |= entries[i].value,
            }
            i += 1;
        }
        Self { calls, argument, entries, unknown, accepted, refused: refused & !accepted }
    }

    /// An argument without flags, which must be 0.
    pub const fn none(calls: &'static [&'static str], argument: &'static str) -> Self {
        Self::new(calls, argument, Unknown::Refused(Errno::EINVAL), &[])
    }

    /// The bits that are accepted.
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Whether these bits can be passed.
    ///
    /// # Errors
    /// The first of: that of bits without a name, that of the first flag that is refused.
    #[inline]
    pub fn check(&self, bits: impl Into<u64>) -> Result<(), Errno> {
        let rest = bits.into() & !self.accepted;
        if rest == 0 { Ok(()) } else { self.refusal(rest) }
    }

    #[cold]
    fn refusal(&self, rest: u64) -> Result<(), Errno> {
        if let (Unknown::Refused(error), true) = (self.unknown, rest & !self.refused != 0) {
            return Err(error);
        }
        for entry in self.entries {
            if let (Treatment::Refused(error, _), true) = (entry.treatment, rest & entry.value != 0) {
                return Err(error);
            }
        }
        Ok(())
    }

    pub(crate) const fn as_set(&'static self) -> Set {
        Set::Flags(self)
    }
}

/// An argument that is one of several values: a command, an option, a kind.
#[derive(Debug)]
pub struct Values {
    /// The calls that have it.
    pub calls: &'static [&'static str],
    /// Which argument it is, in words.
    pub argument: &'static str,
    /// The values.
    pub entries: &'static [Entry],
    /// The error of others.
    pub unknown: Errno,
    /// The accepted ones below 64.
    small: u64,
}

impl Values {
    /// A set.
    pub const fn new(calls: &'static [&'static str], argument: &'static str, unknown: Errno, entries: &'static [Entry]) -> Self {
        let mut small = 0;
        let mut i = 0;
        while i < entries.len() {
            if entries[i].value < 64 && !matches!(entries[i].treatment, Treatment::Refused(..)) {
                small |= 1 << entries[i].value;
            }
            i += 1;
        }
        Self { calls, argument, entries, unknown, small }
    }

    /// Whether this value can be passed. `int` arguments are given as `u32`.
    ///
    /// # Errors
    /// That of the value where it is refused, or that of others.
    #[inline]
    pub fn check(&self, value: impl Into<u64>) -> Result<(), Errno> {
        let value = value.into();
        if value < 64 && self.small >> value & 1 != 0 { Ok(()) } else { self.look(value) }
    }

    fn look(&self, value: u64) -> Result<(), Errno> {
        match self.entries.iter().find(|entry| entry.value == value).map(|entry| entry.treatment) {
            None => Err(self.unknown),
            Some(Treatment::Refused(error, _)) => Err(error),
            Some(_) => Ok(()),
        }
    }

    pub(crate) const fn as_set(&'static self) -> Set {
        Set::Values(self)
    }
}

/// A set of either kind.
#[derive(Clone, Copy, Debug)]
pub enum Set {
    /// Flags.
    Flags(&'static Flags),
    /// Values.
    Values(&'static Values),
}

impl Set {
    /// The calls that have the argument.
    pub fn calls(self) -> &'static [&'static str] {
        match self {
            Self::Flags(set) => set.calls,
            Self::Values(set) => set.calls,
        }
    }

    /// Which argument it is.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Flags(set) => set.argument,
            Self::Values(set) => set.argument,
        }
    }

    /// Its flags or values.
    pub fn entries(self) -> &'static [Entry] {
        match self {
            Self::Flags(set) => set.entries,
            Self::Values(set) => set.entries,
        }
    }

    /// Whether these bits, or this value, can be passed.
    ///
    /// # Errors
    /// As [`Flags::check`] and [`Values::check`].
    pub fn check(self, value: u64) -> Result<(), Errno> {
        match self {
            Self::Flags(set) => set.check(value),
            Self::Values(set) => set.check(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FLAGS: Flags = Flags::new(&["call"], "flags", Unknown::Refused(Errno::EINVAL), &[on("A", 1), idle("B", 2, "why"), no("C", 4, Errno::ENOMEM, "why")]);
    static LENIENT: Flags = Flags::new(&["call"], "flags", Unknown::Ignored, &[on("A", 1), no("C", 4, Errno::ENOMEM, "why")]);
    static VALUES: Values = Values::new(&["call"], "command", Errno::ENOSYS, &[on("A", 1), on("B", 1000), no("C", 3, Errno::EPERM, "why")]);

    #[test]
    fn flags_are_refused_by_the_error_of_what_is_not_known_first() {
        assert_eq!(FLAGS.check(3u32), Ok(()));
        assert_eq!(FLAGS.check(5u32), Err(Errno::ENOMEM));
        assert_eq!(FLAGS.check(8u32), Err(Errno::EINVAL));
        assert_eq!(FLAGS.check(12u64), Err(Errno::EINVAL));
        assert_eq!(FLAGS.accepted(), 3);
    }

    #[test]
    fn bits_that_are_not_looked_at_do_not_hide_a_refusal() {
        assert_eq!(LENIENT.check(9u32), Ok(()));
        assert_eq!(LENIENT.check(13u32), Err(Errno::ENOMEM));
    }

    #[test]
    fn an_argument_without_flags_must_be_zero() {
        let none = Flags::none(&["call"], "flags");
        assert_eq!(none.check(0u32), Ok(()));
        assert!((0..64).all(|bit| none.check(1u64 << bit) == Err(Errno::EINVAL)));
    }

    #[test]
    fn values_small_and_large() {
        assert_eq!(VALUES.check(1u32), Ok(()));
        assert_eq!(VALUES.check(1000u32), Ok(()));
        assert_eq!(VALUES.check(3u32), Err(Errno::EPERM));
        assert_eq!(VALUES.check(u32::MAX), Err(Errno::ENOSYS));
        assert_eq!(VALUES.check(64u32), Err(Errno::ENOSYS));
    }
}

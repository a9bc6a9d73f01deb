//! The types of the values, each with what is allowed.

use core::fmt;

/// A parameter's value type: the texts that error messages need.
pub(crate) trait Value {
    /// What is allowed, in words.
    const ALLOWED: &'static str;
    /// The default, as a user would write it.
    const DEFAULT_TEXT: &'static str;
}

/// A consciousness level, 0.1 to 1.0, in thousandths (the kernel has no floating point).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u16);

impl Level {
    /// 0.1: silent.
    pub const MIN: Self = Self(100);
    /// 1.0: proactive.
    pub const MAX: Self = Self(1000);
    /// 0.5.
    pub const DEFAULT: Self = Self(500);

    /// A level from thousandths; `None` outside 100..=1000.
    pub const fn from_thousandths(thousandths: u16) -> Option<Self> {
        if thousandths >= Self::MIN.0 && thousandths <= Self::MAX.0 {
            Some(Self(thousandths))
        } else {
            None
        }
    }

    /// The level in thousandths, 100..=1000.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// Parses a decimal number with at most three digits after the point, such as `0.8`, `.75` or `1`.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 3 || whole.len() > 1 {
            return None;
        }
        let digits = |text: &str| {
            text.bytes().try_fold(0u16, |sum, byte| {
                byte.is_ascii_digit()
                    .then(|| sum * 10 + u16::from(byte - b'0'))
            })
        };
        let scale = [1000, 100, 10, 1][fraction.len()];
        Self::from_thousandths(
            digits(whole)?
                .checked_mul(1000)?
                .checked_add(digits(fraction)? * scale)?,
        )
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1000, self.0 % 1000);
        match (fraction % 10, fraction % 100) {
            (_, 0) => write!(f, "{whole}.{}", fraction / 100),
            (0, _) => write!(f, "{whole}.{:02}", fraction / 10),
            _ => write!(f, "{whole}.{fraction:03}"),
        }
    }
}

impl Value for Level {
    const ALLOWED: &'static str = "0.1 to 1.0";
    const DEFAULT_TEXT: &'static str = "0.5";
}

/// Defines an enum of words with `parse`, `as_str` and `Display`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, allowed $allowed:literal, default $default:literal,
     $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value as written on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Parses the word; `None` where it is no value of this type.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Value for $name {
            const ALLOWED: &'static str = $allowed;
            const DEFAULT_TEXT: &'static str = $default;
        }
    };
}

words! {
    /// Where language models run.
    AiMode, allowed "local, cloud or hybrid", default "local",
    /// On this machine only.
    Local = "local",
    /// At the configured endpoint.
    Cloud = "cloud",
    /// Here first, at the endpoint where confidence is low and the policy lets it.
    Hybrid = "hybrid",
}

words! {
    /// How strict the security policy is.
    SecurityMode, allowed "standard, enhanced or paranoid", default "standard",
    /// As a desktop distribution.
    Standard = "standard",
    /// More confinement, more questions.
    Enhanced = "enhanced",
    /// Deny by default.
    Paranoid = "paranoid",
}

words! {
    /// Something that is on or off.
    Switch, allowed "on or off", default "on",
    /// On.
    On = "on",
    /// Off.
    Off = "off",
}

impl Switch {
    /// Whether it is on.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

words! {
    /// What the system starts up to.
    Target, allowed "desktop, console, server, recovery or emergency", default "desktop",
    /// The graphical desktop (the console where there is none).
    Desktop = "desktop",
    /// A text console.
    Console = "console",
    /// Services, and a text console.
    Server = "server",
    /// A shell on the root filesystem, and nothing else.
    Recovery = "recovery",
    /// A shell without the root filesystem.
    Emergency = "emergency",
}

/// A kernel log level as of syslog(2): 0 emergency to 7 debug. Messages of this level and below go to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogLevel(u8);

impl LogLevel {
    /// 6: everything but debug messages.
    pub const DEFAULT: Self = Self(6);
    /// 4: warnings and worse.
    pub const QUIET: Self = Self(4);
    /// 7: everything.
    pub const DEBUG: Self = Self(7);

    /// The number, 0..=7.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Parses one digit 0 to 7.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [digit @ b'0'..=b'7'] => Some(Self(digit - b'0')),
            _ => None,
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Value for LogLevel {
    const ALLOWED: &'static str = "0 to 7";
    const DEFAULT_TEXT: &'static str = "6";
}

/// Where the root filesystem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root<'a> {
    /// A device or scheme path: `root=/dev/vda3`, `root=/scheme/disk.vda/3`.
    Path(&'a str),
    /// The GPT partition of that name: `root=PARTLABEL=genai-root`.
    PartLabel(&'a str),
    /// The GPT partition with that unique GUID: `root=PARTUUID=01234567-89ab-4def-8123-456789abcdef`.
    PartUuid(&'a str),
}

impl Default for Root<'_> {
    fn default() -> Self {
        Self::PartLabel("genai-root")
    }
}

impl<'a> Root<'a> {
    /// Parses an absolute path, `PARTLABEL=name` or `PARTUUID=guid`.
    pub fn parse(text: &'a str) -> Option<Self> {
        if let Some(guid) = text.strip_prefix("PARTUUID=") {
            return is_guid(guid).then_some(Self::PartUuid(guid));
        }
        match text.strip_prefix("PARTLABEL=") {
            Some("") => None,
            Some(label) => Some(Self::PartLabel(label)),
            None => absolute_path(text).map(Self::Path),
        }
    }
}

/// Hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_guid(text: &str) -> bool {
    let is_group = |(group, len): (&str, usize)| group.len() == len && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').count() == 5 && text.split('-').zip([8, 4, 4, 4, 12]).all(is_group)
}

impl fmt::Display for Root<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::PartLabel(label) => write!(f, "PARTLABEL={label}"),
            Self::PartUuid(guid) => write!(f, "PARTUUID={guid}"),
        }
    }
}

impl Value for Root<'_> {
    const ALLOWED: &'static str = "an absolute path, PARTLABEL=name or PARTUUID=guid";
    const DEFAULT_TEXT: &'static str = "PARTLABEL=genai-root";
}

impl Value for &str {
    const ALLOWED: &'static str = "an absolute path";
    const DEFAULT_TEXT: &'static str = super::DEFAULT_INIT;
}

/// An absolute path that names a file: `/` itself and a trailing slash are refused.
pub(crate) fn absolute_path(text: &str) -> Option<&str> {
    (text.starts_with('/') && !text.ends_with('/')).then_some(text)
}

/// An I/O port, decimal or `0x` hexadecimal, not 0.
pub(crate) fn port(text: &str) -> Option<u16> {
    let port = match text.strip_prefix("0x") {
        // `from_str_radix` would also take a sign.
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u16::from_str_radix(hex, 16).ok()?
        }
        Some(_) => return None,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    (port != 0).then_some(port)
}

/// One `console=` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Console<'a> {
    /// The device's name under `/dev`: `ttyS0`, `tty0` or `tty1`.
    pub device: &'a str,
    /// The serial line's speed in baud, where given.
    pub baud: Option<u32>,
}

impl<'a> Console<'a> {
    /// Parses `ttyS0`, `ttyS0,115200` (Linux's further letters for parity and so on are accepted: `115200n8`), `tty0`, `tty1`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (device, options) = match text.split_once(',') {
            Some((device, options)) => (device, Some(options)),
            None => (text, None),
        };
        match (device, options) {
            ("tty0" | "tty1" | "ttyS0", None) => Some(Self { device, baud: None }),
            ("ttyS0", Some(options)) => {
                let digits = options.bytes().take_while(u8::is_ascii_digit).count();
                let baud = options
                    .get(..digits)?
                    .parse()
                    .ok()
                    .filter(|baud| *baud > 0)?;
                let format = options.get(digits..)?.as_bytes();
                matches!(format, [] | [b'n'] | [b'n', b'8'] | [b'n', b'8', b'r']).then_some(Self {
                    device,
                    baud: Some(baud),
                })
            }
            _ => None,
        }
    }
}

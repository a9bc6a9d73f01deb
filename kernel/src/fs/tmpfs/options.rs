//! Mount options of tmpfs (`tmpfs(5)`).

use alloc::format;
use alloc::vec::Vec;

use crate::error::*;
use crate::task::Credentials;

/// Parsed options.
pub(super) struct Options {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Limits; half of the memory each, unless given.
    pub pages: u64,
    pub inodes: u64,
    given_size: bool,
    given_inodes: bool,
    given_mode: bool,
}

fn total_pages() -> u64 {
    frame::mm::stats().total as u64
}

/// A number with an optional suffix k, m, g or (of the memory) %.
fn size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        b'g' => (&text[..text.len() - 1], 1 << 30),
        b'%' => (&text[..text.len() - 1], total_pages() * 4096 / 100),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

impl Options {
    pub(super) fn parse(data: &[u8], who: &Credentials) -> Result<Self> {
        let half = total_pages() / 2;
        let mut options = Self {
            mode: 0o1777,
            uid: who.fsuid,
            gid: who.fsgid,
            pages: half,
            inodes: half,
            given_size: false,
            given_inodes: false,
            given_mode: false,
        };
        let text = core::str::from_utf8(data).map_err(|_| EINVAL)?;
        for option in text.split(',').filter(|o| !o.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match name {
                "size" => {
                    let bytes = size(value).ok_or(EINVAL)?;
                    // 0 means no limit.
                    options.pages = if bytes == 0 { u64::MAX >> 13 } else { bytes.div_ceil(4096) };
                    options.given_size = true;
                }
                "nr_blocks" => {
                    let blocks = size(value).ok_or(EINVAL)?;
                    options.pages = if blocks == 0 { u64::MAX >> 13 } else { blocks };
                    options.given_size = true;
                }
                "nr_inodes" => {
                    let inodes = size(value).ok_or(EINVAL)?;
                    options.inodes = if inodes == 0 { u64::MAX } else { inodes };
                    options.given_inodes = true;
                }
                "mode" => {
                    options.mode = u32::from_str_radix(value, 8).map_err(|_| EINVAL)? & 0o7777;
                    options.given_mode = true;
                }
                "uid" => options.uid = value.parse().ok().and_then(|uid| who.user.uid_in(uid)).ok_or(EINVAL)?,
                "gid" => options.gid = value.parse().ok().and_then(|gid| who.user.gid_in(gid)).ok_or(EINVAL)?,
                // Hints without meaning here.
                "inode32" | "inode64" => {}
                "huge" if matches!(value, "never" | "always" | "within_size" | "advise") => {}
                _ => return Err(EINVAL),
            }
        }
        Ok(options)
    }

    /// What `/proc/mounts` shows.
    pub(super) fn shown(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        if self.given_size {
            parts.push(format!("size={}k", self.pages.saturating_mul(4)));
        }
        if self.given_inodes {
            parts.push(format!("nr_inodes={}", self.inodes));
        }
        if self.given_mode {
            parts.push(format!("mode={:o}", self.mode));
        }
        if self.uid != 0 {
            parts.push(format!("uid={}", self.uid));
        }
        if self.gid != 0 {
            parts.push(format!("gid={}", self.gid));
        }
        parts.join(",").into_bytes()
    }
}

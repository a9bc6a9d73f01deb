//! Mappings and page faults.

use std::io;

use crate::clock::{microseconds, nanoseconds};
use crate::sys::Mapping;

pub fn map_unmap() -> io::Result<f64> {
    microseconds(|| Mapping::new(64 << 10).map(drop))
}

/// The first write to a page, with its share of making and dropping a mapping of 1,024 pages.
pub fn page_fault() -> io::Result<f64> {
    const PAGES: usize = 1024;
    let all = nanoseconds(|| {
        Mapping::new(PAGES * 4096)?.touch();
        Ok(())
    })?;
    Ok(all / PAGES as f64)
}

//! The transfer area: memory of the kernel, mapped into the daemon when it creates its scheme, that
//! holds the buffers of requests. One slot a request in flight; the daemon may use the slot until it
//! has answered the request.

/// Slots of a transfer area, thus requests with a buffer in flight at once.
pub const SLOT_COUNT: usize = 64;
/// Bytes of a slot, thus the most that one request carries.
pub const SLOT_BYTES: usize = 256 * 1024;
/// Bytes of the whole area.
pub const AREA_BYTES: usize = SLOT_COUNT * SLOT_BYTES;

/// True if `len` bytes at offset `start` of the area lie inside one slot. An empty range is always good.
pub const fn in_one_slot(start: u64, len: u64) -> bool {
    if len == 0 {
        return true;
    }
    start < AREA_BYTES as u64
        && len <= SLOT_BYTES as u64
        && start % SLOT_BYTES as u64 + len <= SLOT_BYTES as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let slot = SLOT_BYTES as u64;
        assert!(in_one_slot(0, slot));
        assert!(in_one_slot(63 * slot, slot));
        assert!(in_one_slot(u64::MAX, 0));
        assert!(!in_one_slot(64 * slot, 1));
        assert!(!in_one_slot(slot - 1, 2));
        assert!(!in_one_slot(u64::MAX, 1));
        assert!(!in_one_slot(0, u64::MAX));
    }
}

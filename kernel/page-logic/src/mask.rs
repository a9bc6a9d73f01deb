//! Ranges of pages as bits of chunks of 64.

/// The bits of chunk `key` (pages `64 * key ..`) that lie in the pages `first..end`.
pub fn mask_within(key: u64, first: u64, end: u64) -> u64 {
    let base = key * 64;
    let low = first.saturating_sub(base).min(64);
    let high = end.saturating_sub(base).min(64);
    if low >= high {
        return 0;
    }
    let up_to = |n: u64| if n == 64 { u64::MAX } else { (1 << n) - 1 };
    up_to(high) & !up_to(low)
}

#[cfg(test)]
mod tests {
    use super::mask_within;

    #[test]
    fn agrees_with_counting_page_by_page() {
        let edges = [0, 1, 5, 62, 63, 64, 65, 127, 128, 129, 200, u64::MAX];
        for key in 0..4 {
            for first in edges {
                for end in edges {
                    let expected = (0..64).filter(|bit| (first..end).contains(&(key * 64 + bit))).fold(0u64, |m, bit| m | 1 << bit);
                    assert_eq!(mask_within(key, first, end), expected, "chunk {key}, pages {first}..{end}");
                }
            }
        }
    }
}

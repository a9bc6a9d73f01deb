//! Sets of codes, in the layout of evdev: bit n is bit n mod 8 of byte n / 8.

/// A set of codes below a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits(Vec<u8>);

impl Bits {
    /// The empty set of codes below `count`.
    pub fn new(count: usize) -> Self {
        Bits(vec![0; count.div_ceil(64) * 8])
    }

    /// A set from its bytes; what does not fit is left out.
    pub fn from_bytes(count: usize, bytes: &[u8]) -> Self {
        let mut bits = Bits::new(count);
        for code in 0..count.min(bytes.len() * 8) {
            if bytes[code / 8] >> (code % 8) & 1 == 1 {
                bits.set(code as u16, true);
            }
        }
        bits
    }

    /// Whether the code is in it.
    pub fn has(&self, code: u16) -> bool {
        let code = usize::from(code);
        self.0.get(code / 8).is_some_and(|byte| byte >> (code % 8) & 1 == 1)
    }

    /// Puts a code in or takes it out; one beyond the limit is left out.
    pub fn set(&mut self, code: u16, value: bool) {
        let code = usize::from(code);
        if let Some(byte) = self.0.get_mut(code / 8) {
            let bit = 1 << (code % 8);
            *byte = if value { *byte | bit } else { *byte & !bit };
        }
    }

    /// The codes in it.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0..self.0.len() * 8).map(|code| code as u16).filter(|code| self.has(*code))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Whole 64-bit words, as evdev gives them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As sysfs writes them: words of 64 bits in hexadecimal, the highest first, without leading zero words.
    pub fn sysfs(&self) -> String {
        let words = self.0.chunks(8).rev().map(|chunk| chunk.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte)));
        let text: Vec<String> = words.skip_while(|word| *word == 0).map(|word| format!("{word:x}")).collect();
        if text.is_empty() { "0".to_owned() } else { text.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lie_where_evdev_and_sysfs_put_them() {
        let mut bits = Bits::new(0x300);
        bits.set(30, true);
        bits.set(0x110, true);
        bits.set(0x2000, true);
        assert_eq!((bits.bytes().len(), bits.bytes()[3], bits.bytes()[0x22]), (96, 0x40, 1));
        assert_eq!(bits.iter().collect::<Vec<_>>(), [30, 0x110]);
        assert_eq!(bits.sysfs(), "10000 0 0 0 40000000");
        assert_eq!(Bits::new(8).sysfs(), "0");
        assert_eq!(Bits::from_bytes(0x300, bits.bytes()), bits);
        assert_eq!(Bits::from_bytes(4, &[0xff, 0xff]).iter().count(), 4);
    }
}

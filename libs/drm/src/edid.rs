//! What a monitor says of itself: the EDID's block of 128 bytes (VESA E-EDID 1.4).

use crate::uapi::{ModeInfo, mode_flag, mode_type, name};

const HEADER: [u8; 8] = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
/// Bytes of a block.
pub const BLOCK: usize = 128;

/// What we read from an EDID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edid {
    /// Detailed timings, the preferred one first.
    pub modes: Vec<ModeInfo>,
    /// Width and height of the picture in millimetres; 0 where not known.
    pub size_mm: (u32, u32),
}

/// The blocks of an EDID as far as they are whole; empty where the first is none.
pub fn trim(bytes: &[u8]) -> &[u8] {
    let is_block = |block: &[u8]| block.len() == BLOCK && block.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0;
    let Some(first) = bytes.get(..BLOCK).filter(|block| is_block(block) && block[..8] == HEADER) else {
        return &[];
    };
    let blocks = 1 + usize::from(first[126]);
    let whole = bytes.chunks(BLOCK).take(blocks).take_while(|block| is_block(block)).count();
    &bytes[..whole * BLOCK]
}

/// Reads an EDID; `None` where there is none.
pub fn parse(bytes: &[u8]) -> Option<Edid> {
    let block = trim(bytes).get(..BLOCK)?;
    let modes: Vec<ModeInfo> = block[54..126].chunks(18).filter_map(detailed).collect();
    // The first detailed timing tells the size exactly, the basic parameters in centimetres.
    let exact = (u32::from(block[66]) | u32::from(block[68] >> 4) << 8, u32::from(block[67]) | u32::from(block[68] & 15) << 8);
    let rough = (u32::from(block[21]) * 10, u32::from(block[22]) * 10);
    let size_mm = if modes.is_empty() || exact.0 == 0 || exact.1 == 0 { rough } else { exact };
    Some(Edid { modes, size_mm })
}

/// A detailed timing of 18 bytes (section 3.10.2); `None` for other descriptors and for nonsense.
fn detailed(bytes: &[u8]) -> Option<ModeInfo> {
    let clock = u32::from(u16::from_le_bytes([bytes[0], bytes[1]])) * 10;
    if clock == 0 {
        return None;
    }
    let wide = |low: u8, high: u8| u16::from(low) | u16::from(high) << 8;
    let (hdisplay, hblank) = (wide(bytes[2], bytes[4] >> 4), wide(bytes[3], bytes[4] & 15));
    let (vdisplay, vblank) = (wide(bytes[5], bytes[7] >> 4), wide(bytes[6], bytes[7] & 15));
    let (hporch, hpulse) = (wide(bytes[8], bytes[11] >> 6), wide(bytes[9], bytes[11] >> 4 & 3));
    let vporch = u16::from(bytes[10] >> 4) | u16::from(bytes[11] >> 2 & 3) << 4;
    let vpulse = u16::from(bytes[10] & 15) | u16::from(bytes[11] & 3) << 4;
    let polarity = |bit: u8, positive, negative| if bytes[17] & bit != 0 { positive } else { negative };
    let mut flags = polarity(2, mode_flag::PHSYNC, mode_flag::NHSYNC) | polarity(4, mode_flag::PVSYNC, mode_flag::NVSYNC);
    if bytes[17] & 0x80 != 0 {
        flags |= mode_flag::INTERLACE;
    }
    let (htotal, vtotal) = (hdisplay + hblank, vdisplay + vblank);
    let mut mode = ModeInfo {
        clock,
        hdisplay,
        hsync_start: hdisplay + hporch,
        hsync_end: hdisplay + hporch + hpulse,
        htotal,
        vdisplay,
        vsync_start: vdisplay + vporch,
        vsync_end: vdisplay + vporch + vpulse,
        vtotal,
        flags,
        kind: mode_type::DRIVER,
        name: name(&format!("{hdisplay}x{vdisplay}")),
        ..ModeInfo::default()
    };
    let pixels = u32::from(htotal) * u32::from(vtotal);
    if pixels == 0 || !crate::mode::is_valid(&mode) {
        return None;
    }
    mode.vrefresh = (u64::from(clock) * 1000 / u64::from(pixels)) as u32;
    Some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one detailed timing: 1280x800, 83.5 MHz, as `cvt` has it; 320 by 200 mm.
    fn sample() -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..8].copy_from_slice(&HEADER);
        (block[21], block[22]) = (32, 20);
        let timing = [
            0x9e, 0x20, // 8350 * 10 kHz
            0x00, 0x90, 0x51, // 1280, blank 400
            0x20, 0x1f, 0x30, // 800, blank 31
            0x48, 0x80, 0x36, 0x00, // 72, 128, 3, 6
            0x40, 0xc8, 0x10, // 320 mm, 200 mm
            0, 0, 0x1c,
        ];
        block[54..72].copy_from_slice(&timing);
        let sum = block.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        block[127] = 0u8.wrapping_sub(sum);
        block
    }

    #[test]
    fn detailed_timings_are_read() {
        let edid = parse(&sample()).unwrap();
        assert_eq!(edid.size_mm, (320, 200));
        let mode = edid.modes[0];
        assert_eq!((mode.hdisplay, mode.hsync_start, mode.hsync_end, mode.htotal), (1280, 1352, 1480, 1680));
        assert_eq!((mode.vdisplay, mode.vsync_start, mode.vsync_end, mode.vtotal, mode.vrefresh), (800, 803, 809, 831, 59));
        assert_eq!(mode.flags, mode_flag::NHSYNC | mode_flag::PVSYNC);
    }

    #[test]
    fn damaged_blocks_are_none() {
        let mut block = sample();
        assert_eq!(trim(&block).len(), BLOCK);
        block[30] ^= 1;
        assert!(parse(&block).is_none() && trim(&block).is_empty());
        assert!(parse(&sample()[..100]).is_none());
        // An extension that is announced and missing.
        let mut block = sample();
        block[126] = 1;
        block[127] = block[127].wrapping_sub(1);
        assert_eq!(trim(&block).len(), BLOCK);
    }
}

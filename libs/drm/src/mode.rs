//! Video modes: timings of a size, made by VESA's CVT formula, and the lists of them.

use crate::uapi::{ModeInfo, mode_flag, mode_type, name};

/// Sizes that displays without an EDID are offered, as far as they fit: VESA's and what today's screens have.
const SIZES: [(u16, u16); 23] = [
    (640, 480), (800, 600), (960, 540), (1024, 576), (1024, 768), (1152, 864), (1280, 720), (1280, 768), (1280, 800), (1280, 960), (1280, 1024),
    (1360, 768), (1366, 768), (1400, 1050), (1440, 900), (1600, 900), (1600, 1200), (1680, 1050), (1920, 1080), (1920, 1200), (2048, 1152),
    (2560, 1440), (2560, 1600),
];

/// The refresh rate of modes that we make up, in Hz.
pub const REFRESH_HZ: u32 = 60;

/// A mode of this size by VESA's Coordinated Video Timings 1.2 (without reduced blanking), at 60 Hz. `None` where a side is below 8 or above 16383.
///
/// CVT counts in cells of eight pixels; sizes that are no multiple keep their width all the same, since no display of ours has real timings.
pub fn cvt(width: u32, height: u32) -> Option<ModeInfo> {
    if !(8..16384).contains(&width) || !(8..16384).contains(&height) {
        return None;
    }
    let (w, h) = (width / 8 * 8, height);
    // The width of the vertical pulse tells the aspect ratio.
    let pulse = match () {
        () if h * 4 == w * 3 => 4,
        () if h * 16 == w * 9 => 5,
        () if h * 16 == w * 10 => 6,
        () if h * 5 == w * 4 || h * 15 == w * 9 => 7,
        () => 10,
    };
    // Nanoseconds of a line, estimated from a front porch of 3 lines and at least 550 us of pulse and back porch.
    let line_ns = (1_000_000_000 / REFRESH_HZ - 550_000) / (h + 3);
    let pulse_and_porch = (550_000 / line_ns + 1).max(pulse + 6);
    let total_lines = h + 3 + pulse_and_porch;
    // Blanking in thousandths of a percent: 30 % - 300 % of a millisecond's share, at least 20 %.
    let blank_share = 30_000u32.saturating_sub(3 * line_ns / 10).max(20_000);
    let blank = w * blank_share / (100_000 - blank_share) / 16 * 16;
    let total = w + blank;
    let clock_khz = (u64::from(total) * 1_000_000 / u64::from(line_ns)) as u32 / 250 * 250;
    let sync_end = w + blank / 2;
    let sync_start = (sync_end - total * 8 / 100).div_ceil(8) * 8;
    let extra = width - w;
    Some(ModeInfo {
        clock: clock_khz,
        hdisplay: width as u16,
        hsync_start: (sync_start + extra) as u16,
        hsync_end: (sync_end + extra) as u16,
        htotal: (total + extra) as u16,
        hskew: 0,
        vdisplay: h as u16,
        vsync_start: (h + 3) as u16,
        vsync_end: (h + 3 + pulse) as u16,
        vtotal: total_lines as u16,
        vscan: 0,
        vrefresh: REFRESH_HZ,
        flags: mode_flag::NHSYNC | mode_flag::PVSYNC,
        kind: mode_type::DRIVER,
        name: name(&format!("{width}x{height}")),
    })
}

/// The modes of a display: `preferred` first, then `detailed` ones (of an EDID), then the usual sizes up to `max`, largest first. No size twice.
pub fn list(preferred: Option<(u32, u32)>, detailed: &[ModeInfo], max: (u32, u32)) -> Vec<ModeInfo> {
    let mut modes: Vec<ModeInfo> = Vec::new();
    let mut add = |mode: ModeInfo| {
        let fits = u32::from(mode.hdisplay) <= max.0 && u32::from(mode.vdisplay) <= max.1;
        if fits && !modes.iter().any(|m| size(m) == size(&mode)) {
            modes.push(mode);
        }
    };
    if let Some((width, height)) = preferred {
        let exact = detailed.iter().find(|m| size(m) == (width, height)).copied();
        if let Some(mode) = exact.or_else(|| cvt(width, height)) {
            add(ModeInfo { kind: mode_type::DRIVER | mode_type::PREFERRED, ..mode });
        }
    }
    for mode in detailed {
        add(ModeInfo { kind: mode_type::DRIVER, ..*mode });
    }
    for (width, height) in SIZES.iter().rev() {
        if let Some(mode) = cvt((*width).into(), (*height).into()) {
            add(mode);
        }
    }
    if let Some(first) = modes.first_mut()
        && preferred.is_none()
    {
        first.kind |= mode_type::PREFERRED;
    }
    modes
}

/// Width and height in pixels.
pub fn size(mode: &ModeInfo) -> (u32, u32) {
    (mode.hdisplay.into(), mode.vdisplay.into())
}

/// Nanoseconds from a vertical blank to the next; a 60th of a second where the timings say nothing usable.
pub fn frame_ns(mode: &ModeInfo) -> u64 {
    let pixels = u64::from(mode.htotal) * u64::from(mode.vtotal);
    let usual = 1_000_000_000 / u64::from(REFRESH_HZ);
    if mode.clock == 0 || pixels == 0 {
        return usual;
    }
    let ns = pixels * 1_000_000 / u64::from(mode.clock);
    // Between 1 and 1000 Hz: a client's made-up timings shall neither stop nor flood anyone.
    if (1_000_000..=1_000_000_000).contains(&ns) { ns } else { usual }
}

/// Whether timings make sense: every part after the one before it, none empty.
pub fn is_valid(mode: &ModeInfo) -> bool {
    let rising = |values: [u16; 4]| values[0] > 0 && values.is_sorted();
    mode.clock > 0
        && mode.flags & !mode_flag::ALL == 0
        && rising([mode.hdisplay, mode.hsync_start, mode.hsync_end, mode.htotal])
        && rising([mode.vdisplay, mode.vsync_start, mode.vsync_end, mode.vtotal])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `cvt 1024 768 60` and `cvt 1280 800 60` of the VESA tools print.
    #[test]
    fn timings_are_those_of_cvt() {
        let mode = cvt(1024, 768).unwrap();
        assert_eq!((mode.clock, mode.hsync_start, mode.hsync_end, mode.htotal), (63_500, 1072, 1176, 1328));
        assert_eq!((mode.vsync_start, mode.vsync_end, mode.vtotal), (771, 775, 798));
        let mode = cvt(1280, 800).unwrap();
        assert_eq!((mode.clock, mode.hsync_start, mode.hsync_end, mode.htotal), (83_500, 1352, 1480, 1680));
        assert_eq!((mode.vsync_start, mode.vsync_end, mode.vtotal), (803, 809, 831));
    }

    #[test]
    fn all_sizes_have_valid_timings_near_60_hz() {
        for (width, height) in [(8, 8), (801, 601), (1003, 777), (16383, 16383), (3840, 2160), (640, 16383), (16383, 8)] {
            let mode = cvt(width, height).unwrap();
            assert_eq!(size(&mode), (width, height));
            if width < 10_000 && height < 10_000 && height > 100 {
                assert!(is_valid(&mode), "{mode:?}");
                let hz = 1_000_000_000 / frame_ns(&mode);
                assert!((58..=62).contains(&hz), "{width}x{height}: {hz} Hz");
            }
        }
        assert!(cvt(0, 600).is_none() && cvt(800, 16384).is_none());
    }

    #[test]
    fn the_preferred_mode_is_first_and_no_size_comes_twice() {
        let modes = list(Some((1024, 768)), &[cvt(1920, 1080).unwrap()], (1920, 1200));
        assert_eq!(size(&modes[0]), (1024, 768));
        assert_ne!(modes[0].kind & mode_type::PREFERRED, 0);
        let mut sizes: Vec<_> = modes.iter().map(size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        assert_eq!(sizes.len(), modes.len());
        assert!(modes.iter().all(|m| size(m).0 <= 1920));
        assert_eq!(modes.iter().filter(|m| m.kind & mode_type::PREFERRED != 0).count(), 1);
    }
}

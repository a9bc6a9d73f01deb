//! `/dev/dri/card<n>` on the framebuffer that the boot loader left: one mode, for machines whose display has no driver.

use anyhow::{Context, ensure};
use clap::Parser;
use driver::mapping::Mapping;
use driver::mmio::Mmio;
use drm::backend::{Identity, Output};
use drm::uapi::ModeInfo;
use drm_daemon::linear::{Linear, Screen};
use scheme_abi::{FB_INFO, FbInfo};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

/// The boot framebuffer.
const PATH: &str = "/scheme/memory/framebuffer";

/// Serves the boot framebuffer as /dev/dri/card<NUMBER>.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The card's number.
    #[arg(default_value_t = 0)]
    number: u32,
}

fn main() -> anyhow::Result<()> {
    kernel_log::init("simpledrmd");
    let arguments = Arguments::parse();
    let result = run(&arguments);
    if let Err(error) = &result {
        tracing::error!("{error:#}");
    }
    result
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = File::options().read(true).write(true).open(PATH).context("opening the boot framebuffer")?;
    let mut info = FbInfo::default();
    // SAFETY: FB_INFO writes one FbInfo (repr(C)) to the address it is given.
    if unsafe { libc::ioctl(file.as_raw_fd(), FB_INFO as _, &mut info) } < 0 {
        return Err(std::io::Error::last_os_error()).context("asking for its layout");
    }
    let bytes = info.pitch as usize * info.height as usize;
    let memory = Mmio::new(Mapping::new(file.as_fd(), 0, bytes).context("mapping it")?);
    drm_daemon::serve(Linear::new(BootScreen::new(memory, info)?), arguments.number, None)
}

/// The boot framebuffer as a screen.
struct BootScreen {
    memory: Mmio,
    info: FbInfo,
    mode: ModeInfo,
}

impl BootScreen {
    fn new(memory: Mmio, info: FbInfo) -> anyhow::Result<Self> {
        let bytes = info.bpp / 8;
        let is_usable = matches!(info.bpp, 24 | 32) && info.pitch.is_multiple_of(4) && u64::from(info.pitch) >= u64::from(info.width) * u64::from(bytes);
        let shifts = [info.red_shift, info.green_shift, info.blue_shift];
        ensure!(is_usable && shifts.iter().all(|shift| *shift <= 24), "unusable framebuffer: {info:?}");
        let mode = drm::mode::cvt(info.width, info.height).context("a framebuffer of impossible size")?;
        Ok(Self { memory, info, mode })
    }

    fn convert(&self, pixel: u32) -> u32 {
        let FbInfo { red_shift, green_shift, blue_shift, .. } = self.info;
        (pixel >> 16 & 0xff) << red_shift | (pixel >> 8 & 0xff) << green_shift | (pixel & 0xff) << blue_shift
    }
}

impl Screen for BootScreen {
    fn identity(&self) -> Identity {
        Identity {
            name: "simpledrm",
            description: "DRM driver for simple-framebuffer platform devices",
            date: "20200625",
            version: (1, 0, 0),
            unique: "simple-framebuffer.0".into(),
        }
    }

    fn max(&self) -> (u32, u32) {
        (self.info.width, self.info.height)
    }

    fn output(&mut self) -> Output {
        let size = (self.info.width, self.info.height);
        let mut modes = drm::mode::list(Some(size), &[self.mode], size);
        modes.retain(|mode| drm::mode::size(mode) == size);
        Output { is_connected: true, modes, ..Output::default() }
    }

    fn set_mode(&mut self, mode: Option<&ModeInfo>) {
        if mode.is_none() {
            // Nothing turns it off; black is as dark as it gets.
            let black = vec![0; self.info.width as usize];
            for y in 0..self.info.height {
                self.put(0, y, &black);
            }
        }
    }

    fn put(&mut self, x: u32, y: u32, pixels: &[u32]) {
        let start = y as usize * self.info.pitch as usize;
        let row_end = start + self.info.pitch as usize;
        if row_end > self.memory.len() {
            return;
        }
        if self.info.bpp == 32 {
            for (at, pixel) in (start + 4 * x as usize..row_end).step_by(4).zip(pixels) {
                self.memory.write(at, self.convert(*pixel));
            }
            return;
        }
        for (at, pixel) in (start + 3 * x as usize..row_end.saturating_sub(2)).step_by(3).zip(pixels) {
            for (offset, byte) in self.convert(*pixel).to_le_bytes()[..3].iter().enumerate() {
                self.memory.write(at + offset, *byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_converted_to_the_framebuffers_layout() {
        let info = FbInfo { width: 4, height: 8, pitch: 16, bpp: 24, red_shift: 0, green_shift: 8, blue_shift: 16, reserved: 0 };
        assert!(BootScreen::new(Mmio::heap(128), info).is_err(), "narrower than any mode");
        let info = FbInfo { width: 8, pitch: 24, ..info };
        let mut screen = BootScreen::new(Mmio::heap(24 * 8), info).unwrap();
        screen.put(1, 1, &[0x11_2233, 0x44_5566]);
        let bytes: Vec<u8> = (0..8).map(|at| screen.memory.read(24 + 3 + at)).collect();
        assert_eq!(bytes, [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0, 0]);
        assert_eq!(screen.output().modes.len(), 1);
        screen.set_mode(None);
        assert_eq!(screen.memory.read::<u8>(27), 0);
    }

    #[test]
    fn nonsense_is_refused() {
        let info = FbInfo { width: 100, height: 100, pitch: 300, bpp: 32, red_shift: 16, green_shift: 8, blue_shift: 0, reserved: 0 };
        assert!(BootScreen::new(Mmio::heap(8), info).is_err());
    }
}

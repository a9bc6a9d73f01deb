//! A display device: the console's way in, which shows its picture while no program has the display.

use crate::surface::Surface;
use driver::mapping::Mapping;
use drm::uapi::{
    CardRes, ClipRect, CreateDumb, Crtc, FbCmd, FbDirty, GetConnector, GetEncoder, MAGIC, MapDumb, ModeInfo, call, connection, event, mode_type,
};
use scheme_abi::ioctl::{Direction, encode};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

/// The path of the first card's way in.
pub const PATH: &str = "/scheme/drm.card0/console";

/// A card with a buffer that it shows.
pub struct Card {
    file: File,
    mapping: Mapping,
    framebuffer: u32,
    width: usize,
    height: usize,
    pitch: usize,
    /// What was drawn on since the last flush: left, upper, right, lower.
    dirty: Option<(usize, usize, usize, usize)>,
    /// The device has failed: it is gone.
    failure: Option<io::Error>,
}

fn ioctl<T>(file: &File, number: u8, value: &mut T) -> io::Result<()> {
    let request = encode(Direction::InOut, MAGIC, number, size_of::<T>() as u32);
    // SAFETY: the callers pass the structure that DRM's call of this number reads and writes; pointers in it are to live arrays of theirs.
    if unsafe { libc::ioctl(file.as_raw_fd(), request as _, value) } < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// The first connector with a mode: its id, the CRTC for it, and the mode to use.
fn find_display(file: &File) -> io::Result<(u32, u32, ModeInfo)> {
    let mut connectors = [0u32; 16];
    let mut resources = CardRes { connectors: connectors.as_mut_ptr() as u64, count_connectors: 16, ..CardRes::default() };
    ioctl(file, call::MODE_GETRESOURCES, &mut resources)?;
    for connector in connectors.into_iter().take(resources.count_connectors as usize) {
        let mut modes = [ModeInfo::default(); 64];
        let mut encoders = [0u32; 4];
        let mut answer = GetConnector {
            connector_id: connector,
            modes: modes.as_mut_ptr() as u64,
            count_modes: 64,
            encoders: encoders.as_mut_ptr() as u64,
            count_encoders: 4,
            ..GetConnector::default()
        };
        ioctl(file, call::MODE_GETCONNECTOR, &mut answer)?;
        let modes = &modes[..modes.len().min(answer.count_modes as usize)];
        let preferred = modes.iter().find(|mode| mode.kind & mode_type::PREFERRED != 0).or(modes.first());
        let Some(mode) = preferred.filter(|_| answer.connection == connection::CONNECTED) else { continue };
        let mut encoder = GetEncoder { encoder_id: encoders[0], ..GetEncoder::default() };
        ioctl(file, call::MODE_GETENCODER, &mut encoder)?;
        let mut crtcs = [0u32; 32];
        let mut resources = CardRes { crtcs: crtcs.as_mut_ptr() as u64, count_crtcs: 32, ..CardRes::default() };
        ioctl(file, call::MODE_GETRESOURCES, &mut resources)?;
        let crtc = crtcs.get(encoder.possible_crtcs.trailing_zeros() as usize).copied().unwrap_or(0);
        return Ok((connector, crtc, *mode));
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "no display is connected"))
}

impl Card {
    /// Opens the card and makes the console's picture as large as the display.
    pub fn open() -> io::Result<Self> {
        let file = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(PATH)?;
        let (connector, crtc_id, mode) = find_display(&file)?;
        let (width, height) = drm::mode::size(&mode);
        let mut dumb = CreateDumb { width, height, bpp: 32, ..CreateDumb::default() };
        ioctl(&file, call::MODE_CREATE_DUMB, &mut dumb)?;
        let mut fb = FbCmd { width, height, pitch: dumb.pitch, bpp: 32, depth: 24, handle: dumb.handle, ..FbCmd::default() };
        ioctl(&file, call::MODE_ADDFB, &mut fb)?;
        let mut map = MapDumb { handle: dumb.handle, ..MapDumb::default() };
        ioctl(&file, call::MODE_MAP_DUMB, &mut map)?;
        let mapping = Mapping::new(file.as_fd(), map.offset, dumb.size as usize)?;
        if (dumb.pitch as usize) < 4 * width as usize || mapping.len() < dumb.pitch as usize * height as usize {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a buffer that is too small"));
        }
        let connectors = [connector];
        let mut crtc = Crtc {
            set_connectors: connectors.as_ptr() as u64,
            count_connectors: 1,
            crtc_id,
            fb_id: fb.fb_id,
            mode_valid: 1,
            mode,
            ..Crtc::default()
        };
        ioctl(&file, call::MODE_SETCRTC, &mut crtc)?;
        Ok(Card {
            file,
            mapping,
            framebuffer: fb.fb_id,
            width: width as usize,
            height: height as usize,
            pitch: dumb.pitch as usize,
            dirty: None,
            failure: None,
        })
    }

    /// Whether displays have changed, so that the card should be opened anew.
    ///
    /// # Errors
    /// Where the device is gone.
    pub fn check(&mut self) -> io::Result<bool> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut record = [0; 256];
        match self.file.read(&mut record) {
            Ok(len) => Ok(len >= 4 && record[..4] == event::DISPLAY_CHANGED.to_ne_bytes()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl AsRawFd for Card {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl Surface for Card {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn pixel(&self, colour: u32) -> u32 {
        colour
    }

    fn put(&mut self, x: usize, y: usize, pixels: &[u32]) {
        if x >= self.width || y >= self.height || pixels.is_empty() {
            return;
        }
        let pixels = &pixels[..pixels.len().min(self.width - x)];
        let start = y * self.pitch + 4 * x;
        // SAFETY: the row has `width` pixels within the pitch and `height` rows within the mapping (checked in `open`). `pixels` is ours.
        unsafe { self.mapping.as_ptr().add(start).copy_from_nonoverlapping(pixels.as_ptr().cast(), 4 * pixels.len()) };
        let (right, lower) = (x + pixels.len(), y + 1);
        self.dirty = Some(match self.dirty {
            None => (x, y, right, lower),
            Some(old) => (old.0.min(x), old.1.min(y), old.2.max(right), old.3.max(lower)),
        });
    }

    fn flush(&mut self) {
        let Some((x1, y1, x2, y2)) = self.dirty.take() else { return };
        let clip = ClipRect { x1: x1 as u16, y1: y1 as u16, x2: x2 as u16, y2: y2 as u16 };
        let mut dirty = FbDirty { fb_id: self.framebuffer, num_clips: 1, clips: &raw const clip as u64, ..FbDirty::default() };
        if let Err(error) = ioctl(&self.file, call::MODE_DIRTYFB, &mut dirty) {
            self.failure = Some(error);
        }
    }
}

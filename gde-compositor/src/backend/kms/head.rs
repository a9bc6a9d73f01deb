//! A connected display.

use std::collections::HashMap;
use std::io;

use anyhow::Context;
use drm_client::buffer::DrmFourcc;
use drm_client::control::{AtomicCommitFlags, ClipRect, Device as _, Mode, ModeTypeFlags, PageFlipFlags, atomic, connector, crtc, plane, property};
use smithay::output::Output;
use smithay::utils::{Physical, Rectangle};

use super::Card;
use super::buffer::Buffer;
use crate::render::Target;

/// `struct drm_mode_rect`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct ModeRect {
    x1: i32,
    y1: i32,
    x2: i32,
    y2: i32,
}

/// The properties that a commit sets.
#[derive(Debug)]
struct Atomic {
    plane: plane::Handle,
    connector: HashMap<String, property::Handle>,
    crtc: HashMap<String, property::Handle>,
    plane_properties: HashMap<String, property::Handle>,
}

/// A display and what it shows.
#[derive(Debug)]
pub struct Head {
    /// What it is connected to.
    pub connector: connector::Handle,
    /// What drives it.
    pub crtc: crtc::Handle,
    /// Its mode.
    pub mode: Mode,
    /// What clients see of it.
    pub output: Output,
    /// Whether the mode must be set with the next frame.
    pub needs_modeset: bool,
    buffers: [Buffer; 2],
    next: usize,
    frame: u64,
    atomic: Option<Atomic>,
    mode_blob: Option<u64>,
}

fn properties<T: drm_client::control::ResourceHandle>(card: &Card, handle: T) -> io::Result<HashMap<String, property::Handle>> {
    let values = card.get_properties(handle)?;
    let mut out = HashMap::new();
    for (id, _) in values.iter() {
        let info = card.get_property(*id)?;
        out.insert(info.name().to_string_lossy().into_owned(), info.handle());
    }
    Ok(out)
}

/// The mode that a display prefers, else its first.
pub fn preferred_mode(info: &connector::Info) -> Option<Mode> {
    let preferred = info.modes().iter().find(|mode| mode.mode_type().contains(ModeTypeFlags::PREFERRED));
    preferred.or(info.modes().first()).copied()
}

fn buffers(card: &Card, mode: &Mode) -> io::Result<[Buffer; 2]> {
    let size = (mode.size().0.into(), mode.size().1.into());
    Ok([Buffer::new(card, size, DrmFourcc::Xrgb8888, true)?, Buffer::new(card, size, DrmFourcc::Xrgb8888, true)?])
}

impl Head {
    /// Buffers for a display and the properties to show them by.
    ///
    /// # Errors
    /// The card's.
    pub fn new(card: &Card, is_atomic: bool, connector: connector::Handle, crtc: crtc::Handle, mode: Mode, output: Output) -> anyhow::Result<Self> {
        let atomic = if is_atomic { Some(Atomic::find(card, connector, crtc)?) } else { None };
        let buffers = buffers(card, &mode).context("making the display's buffers")?;
        Ok(Head { connector, crtc, mode, output, needs_modeset: true, buffers, next: 0, frame: 0, atomic, mode_blob: None })
    }

    /// Another mode, with new buffers. The renderer must have forgotten the old ones.
    ///
    /// # Errors
    /// The card's; then everything is as before.
    pub fn set_mode(&mut self, card: &Card, mode: Mode) -> io::Result<()> {
        let old = std::mem::replace(&mut self.buffers, buffers(card, &mode)?);
        // What is shown stays until the next frame; the kernel takes the display's picture away with its framebuffer.
        for buffer in old {
            buffer.destroy(card);
        }
        self.mode = mode;
        self.next = 0;
        self.needs_modeset = true;
        if let Some(blob) = self.mode_blob.take() {
            // It lives on while it is in use.
            let _ = card.destroy_property_blob(blob);
        }
        Ok(())
    }

    /// Everything must be drawn again: the screen was another's.
    pub fn invalidate(&mut self) {
        self.needs_modeset = true;
        for buffer in &mut self.buffers {
            buffer.frame = 0;
        }
    }

    /// Gives the buffers back. The renderer must have forgotten them.
    pub fn destroy(self, card: &Card) {
        for buffer in self.buffers {
            buffer.destroy(card);
        }
    }

    /// What to draw into, and how many frames ago it was drawn into; 0 for never.
    pub fn target(&mut self) -> (Option<Target<'_>>, usize) {
        let size = (i32::from(self.mode.size().0), i32::from(self.mode.size().1));
        let buffer = &mut self.buffers[self.next];
        let age = if buffer.frame == 0 { 0 } else { (self.frame + 1 - buffer.frame) as usize };
        (buffer.target(size), age)
    }

    /// Shows what was drawn.
    ///
    /// # Errors
    /// The card's.
    pub fn show(&mut self, card: &Card, damage: &[Rectangle<i32, Physical>]) -> anyhow::Result<()> {
        let framebuffer = self.buffers[self.next].framebuffer().context("a buffer without a framebuffer")?;
        match &self.atomic {
            Some(atomic) => {
                let mut request = atomic::AtomicModeReq::new();
                let mut flags = AtomicCommitFlags::PAGE_FLIP_EVENT | AtomicCommitFlags::NONBLOCK;
                if self.needs_modeset {
                    flags |= AtomicCommitFlags::ALLOW_MODESET;
                    if self.mode_blob.is_none()
                        && let property::Value::Blob(blob) = card.create_property_blob(&drm_client::control::Mode::from(self.mode))?
                    {
                        self.mode_blob = Some(blob);
                    }
                    atomic.set_mode(&mut request, self.connector, self.crtc, self.mode_blob.unwrap_or(0))?;
                }
                atomic.set_plane(&mut request, self.crtc, framebuffer, (self.mode.size().0, self.mode.size().1))?;
                let clips = if self.needs_modeset { None } else { atomic.set_damage(card, &mut request, damage) };
                let result = card.atomic_commit(flags, request);
                if let Some(blob) = clips {
                    // The commit keeps it as long as it needs it.
                    let _ = card.destroy_property_blob(blob);
                }
                result.context("showing a frame")?;
            }
            None => {
                if self.needs_modeset {
                    card.set_crtc(self.crtc, Some(framebuffer), (0, 0), &[self.connector], Some(self.mode)).context("setting the mode")?;
                }
                let clips: Vec<ClipRect> = damage.iter().map(clip).collect();
                // Drivers that show the buffer itself need no such word.
                let _ = card.dirty_framebuffer(framebuffer, &clips);
                card.page_flip(self.crtc, framebuffer, PageFlipFlags::EVENT, None).context("showing a frame")?;
            }
        }
        self.needs_modeset = false;
        self.frame += 1;
        self.buffers[self.next].frame = self.frame;
        self.next = 1 - self.next;
        Ok(())
    }
}

fn clip(rect: &Rectangle<i32, Physical>) -> ClipRect {
    let end = rect.loc + rect.size.to_point();
    ClipRect::new(rect.loc.x.max(0) as u16, rect.loc.y.max(0) as u16, end.x.max(0) as u16, end.y.max(0) as u16)
}

impl Atomic {
    fn find(card: &Card, connector: connector::Handle, crtc: crtc::Handle) -> anyhow::Result<Self> {
        let resources = card.resource_handles()?;
        for plane in card.plane_handles()? {
            let info = card.get_plane(plane)?;
            if !resources.filter_crtcs(info.possible_crtcs()).contains(&crtc) {
                continue;
            }
            let values = card.get_properties(plane)?;
            let names = properties(card, plane)?;
            let primary = drm_client::control::PlaneType::Primary as u32;
            let is_primary = names.get("type").is_some_and(|kind| values.iter().any(|(id, value)| id == kind && *value == u64::from(primary)));
            if is_primary {
                return Ok(Atomic { plane, connector: properties(card, connector)?, crtc: properties(card, crtc)?, plane_properties: names });
            }
        }
        anyhow::bail!("the card has no plane for the display")
    }

    fn set_mode(&self, request: &mut atomic::AtomicModeReq, connector: connector::Handle, crtc: crtc::Handle, blob: u64) -> anyhow::Result<()> {
        request.add_property(connector, get(&self.connector, "CRTC_ID")?, property::Value::CRTC(Some(crtc)));
        request.add_property(crtc, get(&self.crtc, "MODE_ID")?, property::Value::Blob(blob));
        request.add_property(crtc, get(&self.crtc, "ACTIVE")?, property::Value::Boolean(true));
        Ok(())
    }

    fn set_plane(
        &self,
        request: &mut atomic::AtomicModeReq,
        crtc: crtc::Handle,
        framebuffer: drm_client::control::framebuffer::Handle,
        size: (u16, u16),
    ) -> anyhow::Result<()> {
        let mut set = |name: &str, value: property::Value<'static>| -> anyhow::Result<()> {
            request.add_property(self.plane, get(&self.plane_properties, name)?, value);
            Ok(())
        };
        let (w, h) = (u64::from(size.0), u64::from(size.1));
        set("FB_ID", property::Value::Framebuffer(Some(framebuffer)))?;
        set("CRTC_ID", property::Value::CRTC(Some(crtc)))?;
        set("SRC_X", property::Value::UnsignedRange(0))?;
        set("SRC_Y", property::Value::UnsignedRange(0))?;
        set("SRC_W", property::Value::UnsignedRange(w << 16))?;
        set("SRC_H", property::Value::UnsignedRange(h << 16))?;
        set("CRTC_X", property::Value::SignedRange(0))?;
        set("CRTC_Y", property::Value::SignedRange(0))?;
        set("CRTC_W", property::Value::UnsignedRange(w))?;
        set("CRTC_H", property::Value::UnsignedRange(h))
    }

    /// Says which parts have changed, where the driver wants to know; the list's number then.
    fn set_damage(&self, card: &Card, request: &mut atomic::AtomicModeReq, damage: &[Rectangle<i32, Physical>]) -> Option<u64> {
        let property = *self.plane_properties.get("FB_DAMAGE_CLIPS")?;
        let rects: Vec<ModeRect> =
            damage.iter().map(|rect| ModeRect { x1: rect.loc.x, y1: rect.loc.y, x2: rect.loc.x + rect.size.w, y2: rect.loc.y + rect.size.h }).collect();
        // The crate makes lists only of types whose size is known: longer ones become one rectangle around all.
        let blob = match rects[..] {
            [] => return None,
            [a] => card.create_property_blob(&[a]),
            [a, b] => card.create_property_blob(&[a, b]),
            [a, b, c] => card.create_property_blob(&[a, b, c]),
            [a, b, c, d] => card.create_property_blob(&[a, b, c, d]),
            _ => {
                let around = rects.iter().fold(rects[0], |all, rect| ModeRect {
                    x1: all.x1.min(rect.x1),
                    y1: all.y1.min(rect.y1),
                    x2: all.x2.max(rect.x2),
                    y2: all.y2.max(rect.y2),
                });
                card.create_property_blob(&[around])
            }
        };
        let property::Value::Blob(blob) = blob.ok()? else { return None };
        request.add_property(self.plane, property, property::Value::Blob(blob));
        Some(blob)
    }
}

fn get(properties: &HashMap<String, property::Handle>, name: &str) -> anyhow::Result<property::Handle> {
    properties.get(name).copied().with_context(|| format!("the card has no property {name}"))
}

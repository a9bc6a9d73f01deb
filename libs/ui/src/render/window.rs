//! Windows whose pixels are shared memory, by softbuffer.

use iced_core::{Color, Rectangle};
use iced_graphics::compositor::{Display, Information, SurfaceError, Window};
use iced_graphics::error::{Error, Reason};
use iced_graphics::{Settings, Shell, Viewport, damage};
use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::scene::{self, Item};
use super::{Area, Renderer};

/// What this renderer is called.
pub const NAME: &str = "integer";
/// Frames that are remembered, for buffers come back after some.
const MOST_AGE: usize = 4;

/// Shows frames in windows.
pub struct Compositor {
    context: softbuffer::Context<Box<dyn Display>>,
    settings: Settings,
}

/// A window's surface.
pub struct Surface {
    window: softbuffer::Surface<Box<dyn Display>, Box<dyn Window>>,
    /// What earlier frames held, and in which scale, the last one first.
    frames: VecDeque<(Color, f32, Vec<Item>)>,
}

impl iced_graphics::Compositor for Compositor {
    type Renderer = Renderer;
    type Surface = Surface;

    async fn with_backend(settings: Settings, display: impl Display + Clone, _: impl Window + Clone, _: Shell, backend: Option<&str>) -> Result<Self, Error> {
        let refuse = |reason| Error::GraphicsAdapterNotFound { backend: NAME, reason };
        if let Some(other) = backend.filter(|name| *name != NAME) {
            return Err(refuse(Reason::DidNotMatch { preferred_backend: other.to_owned() }));
        }
        let context = softbuffer::Context::new(Box::new(display) as Box<dyn Display>);
        let context = context.map_err(|error| refuse(Reason::RequestFailed(error.to_string())))?;
        Ok(Compositor { context, settings })
    }

    fn create_renderer(&self) -> Renderer {
        Renderer::new(self.settings.default_font, self.settings.default_text_size)
    }

    fn create_surface<W: Window + Clone>(&mut self, window: W, width: u32, height: u32) -> Surface {
        let window = softbuffer::Surface::new(&self.context, Box::new(window) as Box<dyn Window>);
        let mut surface = Surface { window: window.expect("a window of this display takes pixels"), frames: VecDeque::new() };
        self.configure_surface(&mut surface, width, height);
        surface
    }

    fn configure_surface(&mut self, surface: &mut Surface, width: u32, height: u32) {
        if let (Some(width), Some(height)) = (NonZeroU32::new(width), NonZeroU32::new(height)) {
            // A display that has gone away is found out when the next frame is shown.
            let _ = surface.window.resize(width, height);
            surface.frames.clear();
        }
    }

    fn information(&self) -> Information {
        Information { adapter: "processor".to_owned(), backend: NAME.to_owned() }
    }

    fn present(
        &mut self,
        renderer: &mut Renderer,
        surface: &mut Surface,
        viewport: &Viewport,
        background: Color,
        on_pre_present: impl FnOnce(),
    ) -> Result<(), SurfaceError> {
        let all = Rectangle::with_size(viewport.logical_size());
        let size = viewport.physical_size();
        let mut buffer = surface.window.buffer_mut().map_err(|_| SurfaceError::Lost)?;
        let earlier = usize::from(buffer.age()).checked_sub(1).and_then(|age| surface.frames.get(age));
        let parts = match earlier {
            // In another scale nothing is where it was.
            Some((colour, scale, items)) if (*colour, *scale) == (background, viewport.scale_factor()) => damage::group(scene::damage(items, renderer.items()), all),
            _ => vec![all],
        };
        renderer.draw(&mut buffer, size.width as usize, viewport.scale_factor(), &parts, background);
        surface.frames.truncate(MOST_AGE - 1);
        surface.frames.push_front((background, viewport.scale_factor(), renderer.items().to_vec()));
        on_pre_present();
        // The other end draws anew only what has changed.
        let whole = Area { left: 0, top: 0, right: size.width as i32, bottom: size.height as i32 };
        let rect = |part: &Rectangle| {
            let area = Area::around(*part * viewport.scale_factor()).intersection(whole);
            let (width, height) = (NonZeroU32::new(area.width().max(0) as u32)?, NonZeroU32::new(area.height().max(0) as u32)?);
            Some(softbuffer::Rect { x: area.left as u32, y: area.top as u32, width, height })
        };
        let shown: Vec<_> = parts.iter().filter_map(rect).collect();
        buffer.present_with_damage(&shown).map_err(|_| SurfaceError::Lost)
    }

    fn screenshot(&mut self, renderer: &mut Renderer, viewport: &Viewport, background: Color) -> Vec<u8> {
        rgba(&renderer.picture(viewport, background))
    }
}

/// The bytes of premultiplied pixels `0xAARRGGBB` in the order red, green, blue, alpha.
pub fn rgba(pixels: &[u32]) -> Vec<u8> {
    pixels.iter().flat_map(|pixel| [(pixel >> 16) as u8, (pixel >> 8) as u8, *pixel as u8, (pixel >> 24) as u8]).collect()
}

//! What a graphics card has of a picture in memory, and what of it is out of date.

use std::sync::{Arc, Mutex, MutexGuard};

use smithay::backend::renderer::ContextId;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::utils::{Buffer, Rectangle};
use smithay::wayland::compositor::SurfaceData;

use super::texture::Texture;
use super::vulkan::DeviceImage;

/// More parts than these are one: all of it.
const PARTS: usize = 16;

/// What a card's copy lacks.
#[derive(Debug, Clone, PartialEq)]
pub enum Stale {
    /// Everything: there is no copy yet.
    All,
    /// Some parts.
    Parts(Vec<Rectangle<i32, Buffer>>),
}

/// The card's copy of a picture.
#[derive(Debug)]
pub struct State {
    /// The client's buffer that the parts are counted for.
    pub newest: Option<WlBuffer>,
    /// What the copy lacks.
    pub stale: Stale,
    /// The copy, once it was needed.
    pub image: Option<Arc<DeviceImage>>,
    /// The number of the frame that brings it up to date.
    pub frame: u64,
}

/// What a card has of a surface or a picture of ours. It outlives the buffers of a surface, so that only what changes is carried over.
#[derive(Debug)]
pub struct Mirror(Mutex<State>);

impl Default for Mirror {
    fn default() -> Self {
        Mirror(Mutex::new(State { newest: None, stale: Stale::All, image: None, frame: 0 }))
    }
}

/// A surface's mirror, for one renderer and one size and format.
type OfSurface = Mutex<Option<(ContextId<Texture>, (u32, u32), bool, Arc<Mirror>)>>;

impl Mirror {
    /// What is known.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// The mirror of a surface that has a new buffer, of which these parts differ from the one before.
    pub fn of_surface(
        context: &ContextId<Texture>,
        surface: Option<&SurfaceData>,
        buffer: &WlBuffer,
        size: (u32, u32),
        has_alpha: bool,
        damage: &[Rectangle<i32, Buffer>],
    ) -> Arc<Mirror> {
        let Some(surface) = surface else { return Arc::default() };
        let kept = surface.data_map.get_or_insert_threadsafe(OfSurface::default);
        let mut kept = kept.lock().unwrap_or_else(|error| error.into_inner());
        let mirror = match &*kept {
            Some((of, its_size, its_alpha, mirror)) if of == context && *its_size == size && *its_alpha == has_alpha => mirror.clone(),
            _ => {
                let mirror = Arc::<Mirror>::default();
                *kept = Some((context.clone(), size, has_alpha, mirror.clone()));
                mirror
            }
        };
        mirror.damage(buffer, size, damage);
        mirror
    }

    fn damage(&self, buffer: &WlBuffer, size: (u32, u32), damage: &[Rectangle<i32, Buffer>]) {
        let mut state = self.state();
        state.newest = Some(buffer.clone());
        let whole = Rectangle::from_size((size.0 as i32, size.1 as i32).into());
        if let Stale::Parts(parts) = &mut state.stale {
            parts.extend(damage.iter().filter_map(|rect| rect.intersection(whole)).filter(|rect| !rect.is_empty()));
            if parts.len() > PARTS || parts.contains(&whole) {
                state.stale = Stale::All;
            }
        }
    }
}

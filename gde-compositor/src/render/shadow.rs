//! Soft shadows around windows. They are computed row by row while they are drawn: no picture of them is kept.

use smithay::backend::renderer::element::{Element, Id, RenderElement};
use smithay::backend::renderer::utils::CommitCounter;
use smithay::utils::{Buffer, Physical, Rectangle, Scale};

use super::software::{Error, Frame, Software};

/// How far a shadow reaches.
pub const REACH: i32 = 28;
/// How much lower than the window it lies.
const DROP: i32 = 8;
/// How far below the window's edge it begins to fade.
const INSET: i32 = 10;

/// The shadow of a window.
#[derive(Debug, Clone)]
pub struct Shadow {
    id: Id,
    window: Rectangle<i32, Physical>,
    strength: u8,
    commit: CommitCounter,
}

impl Shadow {
    /// The shadow of a window there; `strength` is the alpha beside its edge. `commit` must change with the strength.
    pub fn new(id: Id, window: Rectangle<i32, Physical>, strength: u8, commit: CommitCounter) -> Self {
        Shadow { id, window, strength, commit }
    }

    fn bounds(&self) -> Rectangle<i32, Physical> {
        let Rectangle { loc, size } = self.window;
        Rectangle::new((loc.x - REACH, loc.y - REACH + DROP).into(), (size.w + 2 * REACH, size.h + 2 * REACH).into())
    }
}

/// How dark it is at each distance from where the fading begins, 0 to 255.
fn profile() -> &'static [u8; (REACH + INSET) as usize + 1] {
    static PROFILE: std::sync::OnceLock<[u8; (REACH + INSET) as usize + 1]> = std::sync::OnceLock::new();
    PROFILE.get_or_init(|| {
        let all = REACH + INSET;
        std::array::from_fn(|distance| {
            let left = (all - distance as i32) as u32;
            // A square fades like light does, to the eye.
            (left * left * 255 / (all * all) as u32) as u8
        })
    })
}

/// The whole part of the square root.
fn root(value: i32) -> i32 {
    value.max(0).isqrt()
}

impl Element for Shadow {
    fn id(&self) -> &Id {
        &self.id
    }

    fn current_commit(&self) -> CommitCounter {
        self.commit
    }

    fn src(&self) -> Rectangle<f64, Buffer> {
        let size = self.bounds().size;
        Rectangle::from_size((f64::from(size.w), f64::from(size.h)).into())
    }

    fn geometry(&self, _scale: Scale<f64>) -> Rectangle<i32, Physical> {
        self.bounds()
    }
}

impl RenderElement<Software> for Shadow {
    fn draw(
        &self,
        frame: &mut Frame<'_, '_>,
        _src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        damage: &[Rectangle<i32, Physical>],
        _opaque_regions: &[Rectangle<i32, Physical>],
    ) -> Result<(), Error> {
        let profile = profile();
        let all = REACH + INSET;
        let (w, h) = (dst.size.w, dst.size.h);
        // How far a row or column lies outside the part that is darkest.
        let outside = |at: i32, size: i32| (all - at).max(at - (size - 1 - all)).max(0);
        frame.draw_masked(dst, damage, u32::from(self.strength) << 24, |x, y, mask| {
            let dy = outside(y, h);
            for (column, byte) in (x..).zip(mask.iter_mut()) {
                let dx = outside(column, w);
                let distance = if dx == 0 { dy } else if dy == 0 { dx } else { root(dx * dx + dy * dy) };
                *byte = profile.get(distance as usize).copied().unwrap_or(0);
            }
            true
        });
        Ok(())
    }
}

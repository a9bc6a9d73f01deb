//! Soft shadows around windows. They are computed row by row while they are drawn: no picture of them is kept.

use smithay::backend::renderer::element::{Element, Id, RenderElement};
use smithay::backend::renderer::utils::CommitCounter;
use smithay::utils::{Buffer, Physical, Rectangle, Scale, Size};

use super::renderer::{Frame, Renderer};
use super::texture::Error;

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

/// Over how many pixels it fades.
pub(super) const FADE: usize = (REACH + INSET) as usize;

/// How dark it is, 0 to 255, so many columns and rows outside of the part that is darkest: a quarter of a shadow, row by row.
pub(super) fn corner() -> &'static [[u8; FADE + 1]; FADE + 1] {
    static CORNER: std::sync::OnceLock<[[u8; FADE + 1]; FADE + 1]> = std::sync::OnceLock::new();
    CORNER.get_or_init(|| {
        std::array::from_fn(|dy| {
            std::array::from_fn(|dx| {
                let left = FADE.saturating_sub((dx * dx + dy * dy).isqrt());
                // A square fades like light does, to the eye.
                (left * left * 255 / (FADE * FADE)) as u8
            })
        })
    })
}

/// Fills the mask of a row from the column `x` on; `row` is the corner's, `width` the shadow's.
fn fill(mask: &mut [u8], x: i32, width: i32, row: &[u8; FADE + 1]) {
    let fade = FADE as i32;
    // The columns that are as dark as can be, where there are any.
    let (from, to) = (fade - x, width - fade - x);
    let clamp = |column: i32| column.clamp(0, mask.len() as i32) as usize;
    let (from, to) = if from < to { (clamp(from), clamp(to)) } else { (mask.len(), mask.len()) };
    if let Some(middle) = mask.get_mut(from..to) {
        middle.fill(row[0]);
    }
    for column in (0..from).chain(to..mask.len()) {
        let at = x + column as i32;
        let outside = (fade - at).max(at - (width - 1 - fade)).max(0);
        mask[column] = row.get(outside as usize).copied().unwrap_or(0);
    }
}

/// Fills the mask of a shadow's row from the column `x` on; false where there is nothing in it. All count from the shadow's corner.
pub(super) fn mask(size: Size<i32, Physical>, x: i32, y: i32, mask: &mut [u8]) -> bool {
    let fade = FADE as i32;
    let outside = (fade - y).max(y - (size.h - 1 - fade)).max(0);
    let Some(row) = corner().get(outside as usize) else { return false };
    fill(mask, x, size.w, row);
    true
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

impl RenderElement<Renderer> for Shadow {
    fn draw(
        &self,
        frame: &mut Frame<'_, '_>,
        _src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        damage: &[Rectangle<i32, Physical>],
        _opaque_regions: &[Rectangle<i32, Physical>],
    ) -> Result<(), Error> {
        frame.draw_shadow(dst, damage, self.strength)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As [`fill`], pixel by pixel.
    fn slowly(x: i32, width: i32, row: &[u8; FADE + 1], count: usize) -> Vec<u8> {
        let fade = FADE as i32;
        (x..x + count as i32).map(|at| row[(fade - at).max(at - (width - 1 - fade)).clamp(0, fade) as usize]).collect()
    }

    #[test]
    fn rows_are_the_same_however_they_are_filled() {
        let corner = corner();
        assert_eq!((corner[0][0], corner[0][FADE], corner[FADE][FADE]), (255, 0, 0));
        for width in [1, 2 * FADE as i32 - 1, 2 * FADE as i32, 2 * FADE as i32 + 1, 300] {
            for x in [0, 1, 37, 38, 39, 60, 250, width - 1] {
                let count = (width - x).max(0) as usize;
                let mut mask = vec![7; count];
                fill(&mut mask, x, width, &corner[3]);
                assert_eq!(mask, slowly(x, width, &corner[3], count), "from {x} of {width}");
            }
        }
    }
}

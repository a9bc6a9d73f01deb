//! Quads: rectangles with round corners, a border, a shadow, and a colour or gradient in them.

use iced_core::renderer::Quad;
use iced_core::{Background, Gradient, Rectangle};
use std::collections::HashMap;

use super::canvas::{Area, Canvas, faded, pixel};

/// Steps of a gradient.
const GRADIENT_STEPS: usize = 256;

/// Radii of the corners, in pixels: left above, right above, right below, left below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Corners([i32; 4]);

impl Corners {
    fn of(quad: &Quad, scale: f32, area: Area) -> Self {
        let most = area.width().min(area.height()) / 2;
        Corners(<[f32; 4]>::from(quad.border.radius).map(|radius| ((radius * scale).round() as i32).clamp(0, most.max(0))))
    }

    fn inset(self, by: i32) -> Self {
        Corners(self.0.map(|radius| (radius - by).max(0)))
    }

    /// The radii of the corners at the left and right of a row, and how far the row is from the edge that they are at.
    fn of_row(self, area: Area, y: i32) -> ((i32, i32), (i32, i32)) {
        let [left_above, right_above, right_below, left_below] = self.0;
        let (from_top, from_bottom) = (y - area.top, area.bottom - 1 - y);
        let one = |above: i32, below: i32| match () {
            () if from_top < above => (above, from_top),
            () if from_bottom < below => (below, from_bottom),
            () => (0, 0),
        };
        (one(left_above, left_below), one(right_above, right_below))
    }
}

/// How much of a pixel of a round corner is within, by radius, computed once.
#[derive(Debug, Default)]
pub struct CornerCache(HashMap<i32, Vec<u8>>);

impl CornerCache {
    /// The covers of a row of a corner from the outside in: as many as the radius.
    fn row(&mut self, radius: i32, from_edge: i32) -> &[u8] {
        let all = self.0.entry(radius).or_insert_with(|| {
            let mut all = Vec::with_capacity((radius * radius) as usize);
            for y in 0..radius {
                all.extend((0..radius).map(|x| gde_raster::pixmap::corner(radius, x, y)));
            }
            all
        });
        &all[(from_edge * radius) as usize..][..radius as usize]
    }
}

/// A rounded area's cover of one row: nothing outside `left..right`, part of it in the corners.
struct Row {
    left: i32,
    right: i32,
    left_cover: Vec<u8>,
    right_cover: Vec<u8>,
}

impl Row {
    fn of(area: Area, corners: Corners, cache: &mut CornerCache, y: i32) -> Row {
        if area.is_empty() || y < area.top || y >= area.bottom {
            return Row { left: 0, right: 0, left_cover: Vec::new(), right_cover: Vec::new() };
        }
        let ((left, left_from), (right, right_from)) = corners.of_row(area, y);
        let left_cover = if left > 0 { cache.row(left, left_from).to_vec() } else { Vec::new() };
        let mut right_cover = if right > 0 { cache.row(right, right_from).to_vec() } else { Vec::new() };
        right_cover.reverse();
        Row { left: area.left, right: area.right, left_cover, right_cover }
    }

    fn cover(&self, x: i32) -> u8 {
        if x < self.left || x >= self.right {
            return 0;
        }
        let (from_left, from_right) = ((x - self.left) as usize, (self.right - 1 - x) as usize);
        if from_left < self.left_cover.len() {
            return self.left_cover[from_left];
        }
        if from_right < self.right_cover.len() {
            return self.right_cover[self.right_cover.len() - 1 - from_right];
        }
        255
    }

    /// The columns that are covered whole.
    fn whole(&self) -> (i32, i32) {
        (self.left + self.left_cover.len() as i32, self.right - self.right_cover.len() as i32)
    }
}

/// What a quad is filled with.
enum Fill {
    Plain(u32),
    /// A colour for each step, the start in pixels, and by how much of a step (16.16) a column and a row advance.
    Gradient { colours: Vec<u32>, start: (f32, f32), advance: (f32, f32) },
}

impl Fill {
    fn of(background: &Background, bounds: Rectangle) -> Fill {
        match background {
            Background::Color(colour) => Fill::Plain(pixel(*colour)),
            Background::Gradient(Gradient::Linear(linear)) => {
                let (start, end) = linear.angle.to_distance(&bounds);
                let stops: Vec<_> = linear.stops.iter().flatten().copied().collect();
                let colours = (0..GRADIENT_STEPS).map(|step| between(&stops, step as f32 / (GRADIENT_STEPS - 1) as f32)).collect();
                let (dx, dy) = (end.x - start.x, end.y - start.y);
                let length2 = (dx * dx + dy * dy).max(f32::EPSILON);
                let steps = (GRADIENT_STEPS - 1) as f32;
                Fill::Gradient { colours, start: (start.x, start.y), advance: (dx / length2 * steps, dy / length2 * steps) }
            }
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Fill::Plain(pixel) if pixel >> 24 == 0)
    }

    /// Its pixels from a column on.
    fn row(&self, y: i32, left: i32, right: i32) -> Vec<u32> {
        match self {
            Fill::Plain(pixel) => vec![*pixel; (right - left).max(0) as usize],
            Fill::Gradient { colours, start, advance } => {
                let at = (left as f32 + 0.5 - start.0) * advance.0 + (y as f32 + 0.5 - start.1) * advance.1;
                let (mut at, step) = ((at * 65536.0) as i64, (advance.0 * 65536.0) as i64);
                let most = colours.len() as i64 - 1;
                (left..right)
                    .map(|_| {
                        let colour = colours[(at >> 16).clamp(0, most) as usize];
                        at += step;
                        colour
                    })
                    .collect()
            }
        }
    }
}

fn between(stops: &[iced_core::gradient::ColorStop], offset: f32) -> u32 {
    let Some(after) = stops.iter().position(|stop| stop.offset >= offset) else {
        return stops.last().map_or(0, |stop| pixel(stop.color));
    };
    let Some(before) = after.checked_sub(1) else { return pixel(stops[0].color) };
    let (a, b) = (stops[before], stops[after]);
    let part = ((offset - a.offset) / (b.offset - a.offset).max(f32::EPSILON)).clamp(0.0, 1.0);
    let mix = |a: f32, b: f32| a + (b - a) * part;
    pixel(iced_core::Color::from_rgba(mix(a.color.r, b.color.r), mix(a.color.g, b.color.g), mix(a.color.b, b.color.b), mix(a.color.a, b.color.a)))
}

/// What may be drawn on for a quad: its shadow is around it.
pub fn reach(quad: &Quad) -> Rectangle {
    if quad.shadow.color.a <= 0.0 {
        return quad.bounds;
    }
    let shadow = quad.bounds + quad.shadow.offset;
    quad.bounds.union(&shadow.expand(quad.shadow.blur_radius))
}

/// Draws a quad, whose measures are logical pixels.
pub fn draw(canvas: &mut Canvas<'_>, cache: &mut CornerCache, quad: &Quad, background: &Background, scale: f32) {
    let bounds = quad.bounds * scale;
    let area = Area::nearest(bounds);
    if area.is_empty() {
        return;
    }
    let corners = Corners::of(quad, scale, area);
    if quad.shadow.color.a > 0.0 {
        shadow(canvas, quad, area, corners, scale);
    }
    let fill = Fill::of(background, bounds);
    let wide = if quad.border.width > 0.0 { ((quad.border.width * scale).round() as i32).max(1) } else { 0 };
    let border = if wide > 0 { pixel(quad.border.color) } else { 0 };
    if border >> 24 == 0 {
        if !fill.is_nothing() {
            rounded(canvas, cache, area, corners, &fill);
        }
        return;
    }
    let (inner_area, inner_corners) = (area.inset(wide), corners.inset(wide));
    let visible = area.intersection(canvas.clip());
    for y in visible.top..visible.bottom {
        let outer = Row::of(area, corners, cache, y);
        let inner = if inner_area.is_empty() { Row::of(inner_area, Corners([0; 4]), cache, y) } else { Row::of(inner_area, inner_corners, cache, y) };
        let (whole_left, whole_right) = inner.whole();
        let edge = |canvas: &mut Canvas<'_>, from: i32, to: i32| {
            for x in from.max(visible.left)..to.min(visible.right) {
                let (of_outer, of_inner) = (outer.cover(x), inner.cover(x));
                if of_inner > 0 && !fill.is_nothing() {
                    canvas.dot(x, y, faded(fill.row(y, x, x + 1)[0], of_inner));
                }
                let of_border = of_outer.saturating_sub(of_inner);
                if of_border > 0 {
                    canvas.dot(x, y, faded(border, of_border));
                }
            }
        };
        if whole_left >= whole_right {
            // A row of the border above or below: whole but for its corners.
            let (left, right) = outer.whole();
            edge(canvas, area.left, left);
            canvas.span(y, left, right, border);
            edge(canvas, left.max(right), area.right);
            continue;
        }
        edge(canvas, area.left, whole_left);
        whole(canvas, &fill, y, whole_left, whole_right);
        edge(canvas, whole_right, area.right);
    }
}

fn whole(canvas: &mut Canvas<'_>, fill: &Fill, y: i32, left: i32, right: i32) {
    match fill {
        Fill::Plain(pixel) => canvas.span(y, left, right, *pixel),
        Fill::Gradient { .. } => canvas.pixels(y, left, &fill.row(y, left, right), 255),
    }
}

fn rounded(canvas: &mut Canvas<'_>, cache: &mut CornerCache, area: Area, corners: Corners, fill: &Fill) {
    let visible = area.intersection(canvas.clip());
    for y in visible.top..visible.bottom {
        let row = Row::of(area, corners, cache, y);
        let (left, right) = row.whole();
        for x in (area.left..left).chain(right..area.right) {
            canvas.dot(x, y, faded(fill.row(y, x, x + 1)[0], row.cover(x)));
        }
        whole(canvas, fill, y, left, right);
    }
}

/// A soft shadow: full in the middle, nothing at the blur's distance outside, smooth between.
fn shadow(canvas: &mut Canvas<'_>, quad: &Quad, area: Area, corners: Corners, scale: f32) {
    let offset = |v: f32| (v * scale).round() as i32;
    let (dx, dy) = (offset(quad.shadow.offset.x), offset(quad.shadow.offset.y));
    let blur = offset(quad.shadow.blur_radius).max(1);
    let cast = Area { left: area.left + dx, right: area.right + dx, top: area.top + dy, bottom: area.bottom + dy };
    let radius = corners.0.into_iter().max().unwrap_or(0).max(blur).min(cast.width().min(cast.height()) / 2);
    let colour = pixel(quad.shadow.color);
    // Of the distance in 1/16 pixel from the shadow's edge, outwards.
    let strength = |distance: i32| -> u8 {
        let t = (distance + 16 * blur).clamp(0, 32 * blur) * 1024 / (32 * blur);
        let smooth = t * t / 1024 * (3 * 1024 - 2 * t) / 1024;
        (255 - smooth * 255 / 1024) as u8
    };
    let visible = cast.inset(-blur).intersection(canvas.clip());
    let mut mask = vec![0u8; visible.width().max(0) as usize];
    for y in visible.top..visible.bottom {
        // Distances from the middles of the corners' circles; 0 between them.
        let beyond = |v: i32, low: i32, high: i32| (low + radius - v).max(v + 1 - (high - radius)).max(0);
        let fy = beyond(y, cast.top, cast.bottom);
        for (x, cover) in (visible.left..).zip(&mut mask) {
            let fx = beyond(x, cast.left, cast.right);
            let from_middle = match (fx, fy) {
                (0, fy) => 16 * fy,
                (fx, 0) => 16 * fx,
                _ => (256 * (fx * fx + fy * fy)).isqrt(),
            };
            *cover = strength(from_middle - 16 * radius);
        }
        canvas.mask(y, visible.left, &mask, colour);
    }
}

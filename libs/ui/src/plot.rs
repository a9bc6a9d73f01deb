//! Values over time, the newest at the right: one column each, drawn as bars with a line on top, on faint lines for the quarters.

use iced_core::layout::{self, Layout};
use iced_core::widget::{Tree, Widget};
use iced_core::{Color, Length, Rectangle, Renderer as _, Size, mouse, renderer};

use crate::{Element, Renderer, Theme};

/// Thickness of the line on top, logical pixels.
const LINE: f32 = 2.0;

/// A plot of one or several rows of values.
#[derive(Debug, Clone)]
pub struct Plot {
    rows: Vec<(Vec<f32>, Color)>,
    most: f32,
    columns: usize,
    height: f32,
}

impl Plot {
    /// A plot of `columns` values at most, `height` logical pixels high, from 0 to `most`.
    pub fn new(most: f32, columns: usize, height: f32) -> Self {
        Plot { rows: Vec::new(), most: if most > 0.0 { most } else { 1.0 }, columns: columns.max(1), height }
    }

    /// With a row of values, the newest last. What is beyond the plot is left out.
    pub fn row(mut self, values: impl IntoIterator<Item = f32>, colour: Color) -> Self {
        let values: Vec<f32> = values.into_iter().collect();
        let beyond = values.len().saturating_sub(self.columns);
        self.rows.push((values[beyond..].to_vec(), colour));
        self
    }
}

impl<M> Widget<M, Theme, Renderer> for Plot {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fixed(self.height))
    }

    fn layout(&mut self, _: &mut Tree, _: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, Length::Fill, self.height)
    }

    fn draw(&self, _: &Tree, renderer: &mut Renderer, theme: &Theme, _: &renderer::Style, layout: Layout<'_>, _: mouse::Cursor, _: &Rectangle) {
        let area = layout.bounds();
        let mut fill = |bounds: Rectangle, colour: Color| renderer.fill_quad(renderer::Quad { bounds, ..renderer::Quad::default() }, colour);
        let line = theme.palette().text.scale_alpha(0.08);
        for quarter in 0..=4 {
            let y = area.y + (area.height - 1.0) * quarter as f32 / 4.0;
            fill(Rectangle { y: y.round(), height: 1.0, ..area }, line);
        }
        let width = area.width / self.columns as f32;
        for (values, colour) in &self.rows {
            let mut last = None;
            for (index, value) in values.iter().enumerate() {
                let column = self.columns - values.len() + index;
                let (left, right) = ((area.x + width * column as f32).round(), (area.x + width * (column + 1) as f32).round());
                let height = ((area.height - LINE) * (value / self.most).clamp(0.0, 1.0)).round();
                let top = area.y + area.height - LINE - height;
                fill(Rectangle { x: left, y: top + LINE, width: right - left, height }, colour.scale_alpha(0.22));
                // The line goes up and down where the column begins.
                let (from, to) = last.map_or((top, top), |last: f32| (last.min(top), last.max(top)));
                fill(Rectangle { x: left, y: top, width: right - left, height: LINE }, *colour);
                if to > from {
                    fill(Rectangle { x: left, y: from, width: LINE.min(right - left), height: to - from + LINE }, *colour);
                }
                last = Some(top);
            }
        }
    }
}

impl<'a, M: 'a> From<Plot> for Element<'a, M> {
    fn from(plot: Plot) -> Self {
        Element::new(plot)
    }
}

//! What a frame shows: what was drawn, in order, each within the clip that held when it was drawn.

use iced_core::renderer::Quad;
use iced_core::{Background, Rectangle, Transformation};
use iced_graphics::Image;
use iced_graphics::text::Text;

use super::{cells, quad};

/// Something drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Quad(Quad, Background),
    Text(Text),
    Image(Image),
    Cells(cells::Line),
}

impl Command {
    /// What it may touch, logical pixels.
    fn reach(&self) -> Rectangle {
        match self {
            Command::Quad(it, _) => quad::reach(it),
            // Letters reach a little beyond the line's measure.
            Command::Text(it) => it.visible_bounds().map_or(Rectangle::default(), |it| it.expand(2.0)),
            Command::Image(it) => it.bounds(),
            Command::Cells(it) => it.bounds(),
        }
    }
}

/// A command and where it may draw, logical pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub clip: Rectangle,
    pub command: Command,
}

impl Item {
    /// What it touches.
    pub fn visible(&self) -> Option<Rectangle> {
        self.command.reach().intersection(&self.clip)
    }

    /// What has to be drawn anew where `before` is replaced by this.
    fn difference(&self, before: &Item) -> [Option<Rectangle>; 2] {
        if let (Command::Cells(now), Command::Cells(then)) = (&self.command, &before.command)
            && self.clip == before.clip
            && let Some(part) = now.difference(then)
        {
            return [part.intersection(&self.clip), None];
        }
        [before.visible(), self.visible()]
    }
}

/// A frame while it is drawn.
#[derive(Debug)]
pub struct Scene {
    items: Vec<Item>,
    clips: Vec<Rectangle>,
    transformations: Vec<Transformation>,
}

impl Default for Scene {
    fn default() -> Self {
        Scene { items: Vec::new(), clips: vec![Rectangle::INFINITE], transformations: vec![Transformation::IDENTITY] }
    }
}

impl Scene {
    /// Begins a new frame.
    pub fn reset(&mut self, bounds: Rectangle) {
        self.items.clear();
        self.clips = vec![bounds];
        self.transformations = vec![Transformation::IDENTITY];
    }

    /// What was drawn.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What holds now.
    pub fn transformation(&self) -> Transformation {
        self.transformations.last().copied().unwrap_or(Transformation::IDENTITY)
    }

    /// Draws within `bounds` only, until the matching [`Scene::pop_clip`].
    pub fn push_clip(&mut self, bounds: Rectangle) {
        self.clips.push(bounds * self.transformation());
    }

    pub fn pop_clip(&mut self) {
        if self.clips.len() > 1 {
            self.clips.pop();
        }
    }

    pub fn push_transformation(&mut self, it: Transformation) {
        self.transformations.push(self.transformation() * it);
    }

    pub fn pop_transformation(&mut self) {
        if self.transformations.len() > 1 {
            self.transformations.pop();
        }
    }

    /// Draws something, measured in pixels of the window.
    pub fn push(&mut self, command: Command) {
        let clip = self.clips.last().copied().unwrap_or(Rectangle::INFINITE);
        let item = Item { clip, command };
        // What cannot be seen costs nothing later.
        if item.visible().is_some() {
            self.items.push(item);
        }
    }
}

/// What differs between two frames: areas to draw anew, logical pixels.
pub fn damage(before: &[Item], after: &[Item]) -> Vec<Rectangle> {
    let same_start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[same_start..], &after[same_start..]);
    let same_end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[..before.len() - same_end], &after[..after.len() - same_end]);
    if before.len() == after.len() {
        let differing = before.iter().zip(after).filter(|(a, b)| a != b);
        return differing.flat_map(|(a, b)| b.difference(a)).flatten().collect();
    }
    before.iter().chain(after).filter_map(Item::visible).collect()
}

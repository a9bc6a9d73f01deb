//! An iced renderer that only blends integers: in an emulated machine, where floats are twenty times as dear, it draws what tiny-skia crawls at.
//!
//! A frame is a list of what was drawn; the next one is compared with it, and only where they differ is drawn anew. Edges lie on whole pixels.

mod canvas;
pub mod cells;
mod picture;
mod quad;
mod scene;
mod text;
mod window;

use iced_core::{Background, Color, Font, Pixels, Point, Rectangle, Size, Transformation, image, renderer, svg};
use iced_graphics::text::{Editor, Paragraph, Raw, Text};
use iced_graphics::{Image, Viewport};

use canvas::{Area, Canvas, pixel};
use scene::{Command, Item, Scene};

pub use window::{Compositor, rgba};

/// The renderer.
#[derive(Debug)]
pub struct Renderer {
    font: Font,
    text_size: Pixels,
    scene: Scene,
    corners: quad::CornerCache,
    text: text::TextCache,
    pictures: picture::Pictures,
}

impl Renderer {
    /// One whose text is of this font and size where widgets ask for none.
    pub fn new(font: Font, text_size: Pixels) -> Self {
        Renderer {
            font,
            text_size,
            scene: Scene::default(),
            corners: quad::CornerCache::default(),
            text: text::TextCache::default(),
            pictures: picture::Pictures::default(),
        }
    }

    /// Draws a line of a grid of letters.
    pub fn fill_cells(&mut self, mut line: cells::Line) {
        let it = self.scene.transformation();
        line.position = line.position * it;
        line.cell = line.cell * it.scale_factor();
        line.size *= it.scale_factor();
        self.scene.push(Command::Cells(line));
    }

    /// What the frame holds.
    fn items(&self) -> &[Item] {
        self.scene.items()
    }

    /// Draws parts of the frame (logical pixels) into a window's pixels, `width` a row.
    fn draw(&mut self, pixels: &mut [u32], width: usize, scale: f32, damage: &[Rectangle], background: Color) {
        let mut canvas = Canvas::new(pixels, width);
        for part in damage {
            let mut canvas = canvas.within(Area::around(*part * scale));
            let whole = canvas.clip();
            canvas.clear(whole, pixel(background));
            for item in self.scene.items() {
                if item.visible().and_then(|it| it.intersection(part)).is_none() {
                    continue;
                }
                let mut canvas = canvas.within(Area::nearest(item.clip * scale));
                match &item.command {
                    Command::Quad(quad, background) => quad::draw(&mut canvas, &mut self.corners, quad, background, scale),
                    Command::Text(text) => self.text.draw(&mut canvas, text, scale),
                    Command::Cells(line) => self.text.draw_line(&mut canvas, line, scale),
                    Command::Image(image) => self.pictures.draw(&mut canvas, image, scale),
                }
            }
        }
        self.text.trim();
        self.pictures.trim();
    }

    /// All of the frame, premultiplied pixels row by row.
    pub fn picture(&mut self, viewport: &Viewport, background: Color) -> Vec<u32> {
        let size = viewport.physical_size();
        let mut pixels = vec![0; size.width as usize * size.height as usize];
        let all = Rectangle::with_size(viewport.logical_size());
        self.draw(&mut pixels, size.width as usize, viewport.scale_factor(), &[all], background);
        pixels
    }
}

impl renderer::Renderer for Renderer {
    fn start_layer(&mut self, bounds: Rectangle) {
        self.scene.push_clip(bounds);
    }

    fn end_layer(&mut self) {
        self.scene.pop_clip();
    }

    fn start_transformation(&mut self, transformation: Transformation) {
        self.scene.push_transformation(transformation);
    }

    fn end_transformation(&mut self) {
        self.scene.pop_transformation();
    }

    fn fill_quad(&mut self, mut quad: renderer::Quad, background: impl Into<Background>) {
        quad.bounds = quad.bounds * self.scene.transformation();
        self.scene.push(Command::Quad(quad, background.into()));
    }

    fn reset(&mut self, new_bounds: Rectangle) {
        self.scene.reset(new_bounds);
    }

    fn allocate_image(&mut self, handle: &image::Handle, callback: impl FnOnce(Result<image::Allocation, image::Error>) + Send + 'static) {
        callback(image::Renderer::load_image(self, handle));
    }
}

impl iced_core::text::Renderer for Renderer {
    type Font = Font;
    type Paragraph = Paragraph;
    type Editor = Editor;

    const ICON_FONT: Font = Font::with_name("Iced-Icons");
    const CHECKMARK_ICON: char = '\u{f00c}';
    const ARROW_DOWN_ICON: char = '\u{e800}';
    const ICED_LOGO: char = '\u{e801}';
    const SCROLL_UP_ICON: char = '\u{e802}';
    const SCROLL_DOWN_ICON: char = '\u{e803}';
    const SCROLL_LEFT_ICON: char = '\u{e804}';
    const SCROLL_RIGHT_ICON: char = '\u{e805}';

    fn default_font(&self) -> Font {
        self.font
    }

    fn default_size(&self) -> Pixels {
        self.text_size
    }

    fn fill_paragraph(&mut self, text: &Paragraph, position: Point, color: Color, clip_bounds: Rectangle) {
        let transformation = self.scene.transformation();
        self.scene.push(Command::Text(Text::Paragraph { paragraph: text.downgrade(), position, color, clip_bounds, transformation }));
    }

    fn fill_editor(&mut self, editor: &Editor, position: Point, color: Color, clip_bounds: Rectangle) {
        let transformation = self.scene.transformation();
        self.scene.push(Command::Text(Text::Editor { editor: editor.downgrade(), position, color, clip_bounds, transformation }));
    }

    fn fill_text(&mut self, text: iced_core::Text, position: Point, color: Color, clip_bounds: Rectangle) {
        let transformation = self.scene.transformation();
        let scale = transformation.scale_factor();
        self.scene.push(Command::Text(Text::Cached {
            bounds: Rectangle::new(position, text.bounds) * transformation,
            color,
            size: text.size * scale,
            line_height: text.line_height.to_absolute(text.size) * scale,
            font: text.font,
            align_x: text.align_x,
            align_y: text.align_y,
            shaping: text.shaping,
            clip_bounds: clip_bounds * transformation,
            content: text.content,
        }));
    }
}

impl iced_graphics::text::Renderer for Renderer {
    fn fill_raw(&mut self, raw: Raw) {
        let transformation = self.scene.transformation();
        self.scene.push(Command::Text(Text::Raw { raw, transformation }));
    }
}

impl image::Renderer for Renderer {
    type Handle = image::Handle;

    fn load_image(&self, handle: &image::Handle) -> Result<image::Allocation, image::Error> {
        let picture = self.pictures.decode(handle)?;
        // SAFETY: what the handle names has been loaded, and is kept or loaded again when it is drawn.
        Ok(unsafe { image::allocate(handle, Size::new(picture.width(), picture.height())) })
    }

    fn measure_image(&self, handle: &image::Handle) -> Option<Size<u32>> {
        self.pictures.decode(handle).ok().map(|picture| Size::new(picture.width(), picture.height()))
    }

    fn draw_image(&mut self, image: image::Image, bounds: Rectangle, clip_bounds: Rectangle) {
        let it = self.scene.transformation();
        self.scene.push(Command::Image(Image::Raster { image, bounds: bounds * it, clip_bounds: clip_bounds * it }));
    }
}

impl svg::Renderer for Renderer {
    fn measure_svg(&self, handle: &svg::Handle) -> Size<u32> {
        self.pictures.svg_size(handle)
    }

    fn draw_svg(&mut self, svg: svg::Svg, bounds: Rectangle, clip_bounds: Rectangle) {
        let it = self.scene.transformation();
        self.scene.push(Command::Image(Image::Vector { svg, bounds: bounds * it, clip_bounds: clip_bounds * it }));
    }
}

impl iced_graphics::compositor::Default for Renderer {
    type Compositor = Compositor;
}

impl renderer::Headless for Renderer {
    async fn new(font: Font, text_size: Pixels, backend: Option<&str>) -> Option<Self> {
        backend.is_none_or(|name| name == window::NAME).then(|| Renderer::new(font, text_size))
    }

    fn name(&self) -> String {
        window::NAME.to_owned()
    }

    fn screenshot(&mut self, size: Size<u32>, scale: f32, background: Color) -> Vec<u8> {
        let viewport = Viewport::with_physical_size(size, scale);
        rgba(&self.picture(&viewport, background))
    }
}

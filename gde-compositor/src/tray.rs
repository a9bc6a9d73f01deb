//! Programs' pictures at the right of the panel. Who has sent them is told of clicks; with its connection they go.

use gde_ipc::{Event, TrayButton, TrayItem};
use gde_raster::Pixmap;

use crate::state::Gde;
use crate::theme;

/// How many there are at most.
const MOST: usize = 16;
/// Pixels of a picture at most, and of the place for it.
const SIZE: u32 = 20;
const PLACE: i32 = 28;

/// What is shown.
#[derive(Debug, Default)]
pub struct Tray {
    items: Vec<(TrayItem, Pixmap)>,
    owner: u64,
    /// Another number for other pictures.
    pub revision: u64,
    /// Where the first one's place begins, counting from the panel's corner.
    left: i32,
}

impl Tray {
    /// What they are called, from the left.
    pub fn titles(&self) -> Vec<String> {
        self.items.iter().map(|it| it.0.title.clone()).collect()
    }

    /// The one at a place of the panel.
    pub fn at(&self, x: i32) -> Option<u32> {
        let index = usize::try_from((x - self.left).div_euclid(PLACE)).ok()?;
        self.items.get(index).map(|it| it.0.id)
    }

    /// Draws them so that they end at `right`; how much room that took.
    pub fn draw(&mut self, pixmap: &mut Pixmap, right: i32) -> i32 {
        let width = self.items.len() as i32 * PLACE;
        self.left = right - width;
        for (index, (_, picture)) in self.items.iter().enumerate() {
            let middle = |room: i32, size: usize| (room - size as i32) / 2;
            let x = self.left + index as i32 * PLACE + middle(PLACE, picture.width());
            pixmap.draw(x, middle(theme::PANEL_HEIGHT, picture.height()), picture);
        }
        width
    }
}

impl Gde {
    /// Shows these, instead of others.
    ///
    /// # Errors
    /// Where there are too many, or one is too large: then nothing changes.
    pub fn set_tray(&mut self, items: Vec<TrayItem>, owner: u64) -> Result<(), String> {
        if items.len() > MOST {
            return Err(format!("there is room for {MOST} pictures, not for {}", items.len()));
        }
        let drawn = items.into_iter().map(|item| {
            let fits = item.picture.width() <= SIZE && item.picture.height() <= SIZE;
            let pixmap = fits.then(|| crate::notices::pixmap(&item.picture)).flatten();
            pixmap.map(|it| (item, it)).ok_or_else(|| format!("a picture in the panel has {SIZE} x {SIZE} pixels at most"))
        });
        self.tray.items = drawn.collect::<Result<_, _>>()?;
        self.tray.owner = owner;
        self.tray.revision += 1;
        self.queue_redraws();
        Ok(())
    }

    /// A connection has ended.
    pub fn tray_owner_gone(&mut self, owner: u64) {
        if self.tray.owner == owner && !self.tray.items.is_empty() {
            self.tray.items.clear();
            self.tray.revision += 1;
            self.queue_redraws();
        }
    }

    /// A click on one, somewhere on the screen.
    pub fn tray_click(&mut self, id: u32, button: TrayButton, (x, y): (i32, i32)) {
        self.tell_listeners(&Event::TrayClicked { id, button, x, y });
    }
}

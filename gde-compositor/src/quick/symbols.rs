//! Small pictures made of lines and discs, 18 pixels wide, around a middle.

use gde_raster::Pixmap;

/// What is drawn with: a picture, the middle in pixels, a colour.
pub struct Pen<'a> {
    /// The picture.
    pub pixmap: &'a mut Pixmap,
    /// The middle.
    pub at: (i32, i32),
    /// The colour.
    pub colour: u32,
}

/// Width of lines, in quarter pixels.
const WIDTH: i32 = 6;

impl Pen<'_> {
    /// A place, in quarter pixels from the middle.
    fn place(&self, x: i32, y: i32) -> (i32, i32) {
        (self.at.0 * 4 + x, self.at.1 * 4 + y)
    }

    fn line(&mut self, from: (i32, i32), to: (i32, i32)) {
        let (from, to) = (self.place(from.0, from.1), self.place(to.0, to.1));
        self.pixmap.line(from, to, WIDTH, self.colour);
    }

    fn path(&mut self, points: &[(i32, i32)]) {
        points.windows(2).for_each(|it| self.line(it[0], it[1]));
    }

    fn disc(&mut self, at: (i32, i32), radius: i32, colour: u32) {
        let at = self.place(at.0, at.1);
        self.pixmap.fill_disc(at, radius, colour);
    }

    /// A part of a circle around `at`: angles in degrees, clockwise from the right.
    fn arc(&mut self, at: (i32, i32), radius: f64, from: i32, to: i32) {
        let point = |angle: i32| {
            let (sin, cos) = f64::from(angle).to_radians().sin_cos();
            (at.0 + (radius * cos).round() as i32, at.1 + (radius * sin).round() as i32)
        };
        let points: Vec<(i32, i32)> = (from..=to).step_by(12).chain([to]).map(point).collect();
        self.path(&points);
    }

    /// A crescent; `ground` is what lies behind it.
    pub fn moon(&mut self, ground: u32) {
        self.disc((0, 0), 32, self.colour);
        self.disc((15, -12), 26, ground);
    }

    /// A circle with a bar, as at a street's end.
    pub fn no_entry(&mut self, ground: u32) {
        self.disc((0, 0), 32, self.colour);
        let (x, y) = self.place(0, 0);
        self.pixmap.line((x - 14, y), (x + 14, y), 10, ground);
    }

    /// Something that moves.
    pub fn motion(&mut self) {
        self.disc((16, 0), 17, self.colour);
        self.path(&[(-34, -14), (-12, -14)]);
        self.path(&[(-26, 0), (-12, 0)]);
        self.path(&[(-34, 14), (-12, 14)]);
    }

    /// A wheel with teeth; `ground` is what lies behind it.
    pub fn gear(&mut self, ground: u32) {
        for tooth in 0..8 {
            let (sin, cos) = f64::from(tooth * 45).to_radians().sin_cos();
            let end = ((30.0 * cos).round() as i32, (30.0 * sin).round() as i32);
            let (from, to) = (self.place(0, 0), self.place(end.0, end.1));
            self.pixmap.line(from, to, 13, self.colour);
        }
        self.disc((0, 0), 26, self.colour);
        self.disc((0, 0), 11, ground);
    }

    /// A padlock.
    pub fn lock(&mut self) {
        self.path(&[(-13, -4), (-13, -14)]);
        self.path(&[(13, -4), (13, -14)]);
        self.arc((0, -14), 13.0, 180, 360);
        self.pixmap.fill_rounded(self.at.0 - 6, self.at.1 - 1, 12, 10, (2, 2), self.colour);
    }

    /// A door with an arrow out of it.
    pub fn leave(&mut self) {
        self.path(&[(-4, -30), (-26, -30), (-26, 30), (-4, 30)]);
        self.path(&[(-10, 0), (30, 0)]);
        self.path(&[(18, -13), (31, 0), (18, 13)]);
    }

    /// An arrow in a circle.
    pub fn again(&mut self) {
        self.arc((0, 0), 28.0, -30, 270);
        self.path(&[(-8, -39), (2, -28), (-8, -17)]);
    }

    /// The sign of a switch.
    pub fn power(&mut self) {
        self.arc((0, 2), 28.0, -52, 232);
        self.path(&[(0, -34), (0, -4)]);
    }

    /// Machines that are joined.
    pub fn network(&mut self) {
        self.path(&[(0, -16), (0, 0)]);
        self.path(&[(-22, 16), (-22, 0), (22, 0), (22, 16)]);
        let (x, y) = self.at;
        for (dx, dy) in [(-4, -9), (-9, 3), (2, 3)] {
            self.pixmap.fill_rounded(x + dx, y + dy, 7, 6, (1, 1), self.colour);
        }
    }

    /// A battery, so full; `ground` is what lies behind it.
    pub fn battery(&mut self, percent: u8, ground: u32) {
        let (x, y) = self.at;
        self.pixmap.fill_rounded(x - 10, y - 6, 18, 12, (3, 3), self.colour);
        self.pixmap.fill_rounded(x - 9, y - 5, 16, 10, (2, 2), ground);
        self.pixmap.fill(x - 7, y - 3, 12 * i32::from(percent.min(100)) / 100, 6, self.colour);
        self.pixmap.fill_rounded(x + 9, y - 2, 2, 4, (1, 1), self.colour);
    }

    /// An arrow's point: to the right, or to the left.
    pub fn point(&mut self, is_right: bool) {
        let x = if is_right { 8 } else { -8 };
        self.path(&[(-x, -17), (x, 0), (-x, 17)]);
    }

    /// A minus.
    pub fn minus(&mut self) {
        self.path(&[(-18, 0), (18, 0)]);
    }

    /// A plus.
    pub fn plus(&mut self) {
        self.minus();
        self.path(&[(0, -18), (0, 18)]);
    }

    /// The mark of what is chosen.
    pub fn tick(&mut self) {
        self.path(&[(-15, 1), (-4, 12), (16, -11)]);
    }
}

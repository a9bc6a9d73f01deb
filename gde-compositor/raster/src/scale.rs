//! How many pixels a unit has.

/// A scale in 120ths, which is how clients of a compositor hear of it (fractional-scale): every scale that is drawn in can also be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale(u32);

/// One in [`Scale`]'s parts.
const WHOLE: i64 = 120;

impl Scale {
    /// A unit is a pixel.
    pub const ONE: Scale = Scale(WHOLE as u32);

    /// The nearest to so many pixels a unit; what is none of a screen's is taken for the least or the most that is: 0.1 and 16.
    pub fn of(factor: f64) -> Self {
        Scale((factor.clamp(0.1, 16.0) * WHOLE as f64).round() as u32)
    }

    /// Pixels a unit.
    pub fn factor(self) -> f64 {
        f64::from(self.0) / WHOLE as f64
    }

    /// The pixel that a place lies nearest to.
    pub fn pixels(self, units: i32) -> i32 {
        let pixels = (i64::from(units) * i64::from(self.0) + WHOLE / 2).div_euclid(WHOLE);
        pixels.clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }

    /// The place that a pixel lies nearest to.
    pub fn units(self, pixels: i32) -> i32 {
        let scale = i64::from(self.0);
        (i64::from(pixels) * WHOLE + scale / 2).div_euclid(scale).clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }

    /// 120ths of pixels.
    pub(crate) fn parts(self) -> u32 {
        self.0
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self::ONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changes_nothing_and_others_go_there_and_back() {
        for units in [i32::MIN, -7, 0, 1, 13, 4096, i32::MAX] {
            assert_eq!((Scale::ONE.pixels(units), Scale::ONE.units(units)), (units, units));
        }
        for factor in [1.0, 1.25, 4.0 / 3.0, 1.5, 1.75, 2.0, 3.0] {
            let scale = Scale::of(factor);
            assert!((scale.factor() - factor).abs() < 1e-9);
            assert!((-2000..2000).all(|units| scale.units(scale.pixels(units)) == units), "{factor}");
        }
        assert_eq!((Scale::of(2.0).pixels(i32::MAX), Scale::of(-3.0), Scale::of(f64::INFINITY)), (i32::MAX, Scale::of(0.1), Scale::of(16.0)));
    }
}

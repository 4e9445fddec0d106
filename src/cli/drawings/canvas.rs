//! Draws simple shapes.

use image::{Rgba, RgbaImage};

/// Width and height of a drawing in pixels. Shapes are given in hundredths of it.
pub(super) const SIZE: u32 = 480;
const SCALE: f32 = SIZE as f32 / 100.0;

/// Returns points at equal distances on a circle.
pub(super) fn around(centre: [f32; 2], radius: f32, count: u8) -> impl Iterator<Item = (f32, f32)> {
    (0..count).map(move |n| {
        let angle = std::f32::consts::TAU * f32::from(n) / f32::from(count);
        (centre[0] + radius * angle.sin(), centre[1] - radius * angle.cos())
    })
}

pub(super) fn mixed(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    let mix = |at: usize| f32::from(from[at]) * (1.0 - share) + f32::from(to[at]) * share;
    [0, 1, 2].map(|at| byte(mix(at)))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is brought into the range first")]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// A picture that shapes are drawn on, the later ones over the earlier ones. Edges are smooth.
pub(super) struct Canvas(pub(super) RgbaImage);

impl Canvas {
    pub(super) fn circle(&mut self, [x, y]: [f32; 2], radius: f32, colour: [u8; 3]) {
        let bounds = [x - radius, y - radius, x + radius, y + radius];
        self.fill(bounds, colour, |px, py| (px - x).hypot(py - y) - radius);
    }

    /// Draws a rectangle, given by its corner, width and height, with round corners.
    pub(super) fn rect(&mut self, [x, y, width, height]: [f32; 4], corner: f32, colour: [u8; 3]) {
        let (half_width, half_height) = (width / 2.0, height / 2.0);
        self.fill([x, y, x + width, y + height], colour, |px, py| {
            let beyond_x = (px - x - half_width).abs() - half_width + corner;
            let beyond_y = (py - y - half_height).abs() - half_height + corner;
            beyond_x.max(0.0).hypot(beyond_y.max(0.0)) + beyond_x.max(beyond_y).min(0.0) - corner
        });
    }

    /// Draws a line with round ends.
    pub(super) fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32, colour: [u8; 3]) {
        let (reach, along) = (width / 2.0, [to[0] - from[0], to[1] - from[1]]);
        let length = along[0] * along[0] + along[1] * along[1];
        let bounds = [
            from[0].min(to[0]) - reach,
            from[1].min(to[1]) - reach,
            from[0].max(to[0]) + reach,
            from[1].max(to[1]) + reach,
        ];
        self.fill(bounds, colour, |px, py| {
            let share = (((px - from[0]) * along[0] + (py - from[1]) * along[1]) / length).clamp(0.0, 1.0);
            (px - from[0] - along[0] * share).hypot(py - from[1] - along[1] * share) - reach
        });
    }

    /// Draws a polygon.
    pub(super) fn polygon(&mut self, corners: &[[f32; 2]], colour: [u8; 3]) {
        let bounds = corners.iter().fold([100.0_f32, 100.0, 0.0, 0.0], |[left, top, right, bottom], [x, y]| {
            [left.min(*x), top.min(*y), right.max(*x), bottom.max(*y)]
        });
        self.fill(bounds, colour, |px, py| distance_to_polygon(corners, px, py));
    }

    /// Colours the pixels at which `distance`, in hundredths, is negative, and those at the edge in part.
    fn fill(&mut self, [left, top, right, bottom]: [f32; 4], colour: [u8; 3], distance: impl Fn(f32, f32) -> f32) {
        for y in pixel(top - 0.5)..=pixel(bottom + 0.5).min(SIZE - 1) {
            for x in pixel(left - 0.5)..=pixel(right + 0.5).min(SIZE - 1) {
                let [px, py] = [x, y].map(|at| (at as f32 + 0.5) / SCALE);
                let cover = (0.5 - distance(px, py) * SCALE).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let Rgba([red, green, blue, alpha]) = *self.0.get_pixel(x, y);
                    let below = if alpha == 0 { colour } else { [red, green, blue] };
                    let [red, green, blue] = mixed(below, colour, cover);
                    let alpha = byte(f32::from(alpha).max(cover * 255.0));
                    self.0.put_pixel(x, y, Rgba([red, green, blue, alpha]));
                }
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is brought into the range first")]
fn pixel(at: f32) -> u32 {
    (at * SCALE).clamp(0.0, SIZE as f32) as u32
}

/// Returns the distance of a point from the edge of a polygon, negative inside.
fn distance_to_polygon(corners: &[[f32; 2]], x: f32, y: f32) -> f32 {
    let (mut nearest, mut is_inside) = (f32::MAX, false);
    for (at, [bx, by]) in corners.iter().enumerate() {
        let [ax, ay] = corners[(at + corners.len() - 1) % corners.len()];
        let (ex, ey) = (bx - ax, by - ay);
        let share = (((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
        nearest = nearest.min((x - ax - ex * share).hypot(y - ay - ey * share));
        if (ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            is_inside = !is_inside;
        }
    }
    if is_inside { -nearest } else { nearest }
}

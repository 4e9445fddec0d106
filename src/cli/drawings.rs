//! The pictures of the sample catalogue: parts and vehicles of simple shapes, drawn when the catalogue is seeded.

use image::{Rgba, RgbaImage};

/// Width and height of a drawing in pixels. Shapes are given in hundredths of it.
const SIZE: u32 = 480;
const SCALE: f32 = SIZE as f32 / 100.0;

const DARK: [u8; 3] = [52, 60, 72];
const STEEL: [u8; 3] = [148, 158, 172];
const LIGHT: [u8; 3] = [206, 213, 222];
const WHITE: [u8; 3] = [250, 251, 253];
const GLOW: [u8; 3] = [255, 214, 102];

/// The colours of a drawing: of its background, and of the part that catches the eye.
const TINTS: [([u8; 3], [u8; 3]); 5] = [
    ([253, 236, 232], [217, 83, 65]),
    ([230, 241, 252], [47, 118, 196]),
    ([231, 246, 237], [46, 143, 98]),
    ([255, 243, 222], [226, 141, 30]),
    ([240, 235, 251], [116, 88, 190]),
];
/// Number of tints in which each drawing exists.
pub const TINT_COUNT: usize = TINTS.len();

/// What a drawing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drawing {
    Car,
    Motorcycle,
    Brakes,
    Filter,
    Suspension,
    SparkPlug,
    Battery,
    Clutch,
    Lamp,
    Radiator,
    Chain,
}

/// Draws a picture with transparent corners.
pub fn draw(drawing: Drawing, tint: usize) -> RgbaImage {
    let (ground, accent) = TINTS[tint % TINTS.len()];
    let mut canvas = Canvas(RgbaImage::new(SIZE, SIZE));
    canvas.rect([1.0, 1.0, 98.0, 98.0], 12.0, ground);
    canvas.circle([50.0, 50.0], 41.0, mixed(ground, WHITE, 0.55));
    match drawing {
        Drawing::Car => car(&mut canvas, accent),
        Drawing::Motorcycle => motorcycle(&mut canvas, accent),
        Drawing::Brakes => brakes(&mut canvas, accent),
        Drawing::Filter => filter(&mut canvas, accent),
        Drawing::Suspension => suspension(&mut canvas, accent),
        Drawing::SparkPlug => spark_plug(&mut canvas, accent),
        Drawing::Battery => battery(&mut canvas, accent),
        Drawing::Clutch => clutch(&mut canvas, accent),
        Drawing::Lamp => lamp(&mut canvas, accent),
        Drawing::Radiator => radiator(&mut canvas, accent),
        Drawing::Chain => chain(&mut canvas, accent),
    }
    canvas.0
}

fn car(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([18.0, 71.0, 64.0, 3.0], 1.5, LIGHT);
    canvas.polygon(&[[30.0, 48.0], [38.0, 33.0], [62.0, 33.0], [74.0, 48.0]], accent);
    canvas.rect([15.0, 46.0, 70.0, 20.0], 7.0, accent);
    canvas.polygon(&[[34.5, 46.0], [40.5, 36.5], [49.0, 36.5], [49.0, 46.0]], WHITE);
    canvas.polygon(&[[52.0, 36.5], [60.0, 36.5], [68.0, 46.0], [52.0, 46.0]], WHITE);
    canvas.rect([15.0, 58.0, 70.0, 8.0], 3.0, mixed(accent, DARK, 0.35));
    canvas.rect([79.0, 49.0, 6.0, 5.0], 2.0, GLOW);
    canvas.rect([15.0, 49.0, 4.0, 5.0], 1.5, WHITE);
    for x in [32.0, 69.0] {
        wheel(canvas, [x, 65.0], 9.0);
    }
}

fn motorcycle(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([14.0, 74.0, 72.0, 3.0], 1.5, LIGHT);
    for (from, to) in [([27.0, 62.0], [50.0, 60.0]), ([72.0, 62.0], [62.0, 35.0]), ([27.0, 62.0], [38.0, 45.0])] {
        canvas.line(from, to, 3.0, DARK);
    }
    wheel(canvas, [27.0, 63.0], 12.0);
    wheel(canvas, [73.0, 63.0], 12.0);
    canvas.line([40.0, 66.0], [20.0, 70.0], 3.4, STEEL);
    canvas.circle([49.0, 59.0], 9.0, STEEL);
    canvas.circle([49.0, 59.0], 4.5, LIGHT);
    canvas.line([62.0, 37.0], [55.0, 31.0], 2.6, DARK);
    canvas.polygon(&[[42.0, 44.0], [50.0, 36.0], [62.0, 38.0], [60.0, 48.0], [46.0, 50.0]], accent);
    canvas.line([24.0, 43.0], [43.0, 45.0], 6.0, DARK);
    canvas.circle([66.0, 40.0], 4.2, GLOW);
    canvas.line([62.0, 51.0], [80.0, 50.0], 2.4, accent);
}

fn wheel(canvas: &mut Canvas, centre: [f32; 2], radius: f32) {
    canvas.circle(centre, radius, DARK);
    canvas.circle(centre, radius * 0.62, LIGHT);
    canvas.circle(centre, radius * 0.2, DARK);
}

fn brakes(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.circle([48.0, 50.0], 33.0, STEEL);
    canvas.circle([48.0, 50.0], 31.0, LIGHT);
    for (x, y) in around([48.0, 50.0], 24.5, 16) {
        canvas.circle([x, y], 1.9, STEEL);
    }
    canvas.circle([48.0, 50.0], 17.0, STEEL);
    canvas.circle([48.0, 50.0], 15.5, mixed(STEEL, DARK, 0.5));
    for (x, y) in around([48.0, 50.0], 10.0, 5) {
        canvas.circle([x, y], 2.1, LIGHT);
    }
    canvas.circle([48.0, 50.0], 4.5, DARK);
    canvas.rect([68.0, 31.0, 18.0, 38.0], 7.0, accent);
    canvas.rect([73.0, 36.0, 8.0, 28.0], 4.0, mixed(accent, DARK, 0.3));
    for y in [42.0, 58.0] {
        canvas.circle([77.0, y], 2.4, WHITE);
    }
}

fn filter(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([30.0, 28.0, 40.0, 48.0], 4.0, mixed(accent, WHITE, 0.75));
    for n in 0..9 {
        canvas.rect([31.5 + 4.3 * n as f32, 30.0, 2.2, 44.0], 1.0, accent);
    }
    canvas.rect([26.0, 20.0, 48.0, 11.0], 4.0, DARK);
    canvas.rect([26.0, 71.0, 48.0, 10.0], 4.0, DARK);
    canvas.rect([41.0, 15.0, 18.0, 8.0], 3.0, STEEL);
    canvas.rect([29.0, 23.0, 42.0, 2.0], 1.0, STEEL);
}

fn suspension(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([46.5, 20.0, 7.0, 60.0], 2.0, STEEL);
    canvas.rect([42.0, 55.0, 16.0, 24.0], 4.0, DARK);
    for n in 0..6 {
        let y = 30.0 + 6.4 * n as f32;
        canvas.line([36.0, y + 3.6], [64.0, y], 4.0, if n % 2 == 0 { accent } else { mixed(accent, DARK, 0.15) });
    }
    canvas.rect([32.0, 24.0, 36.0, 4.5], 2.2, DARK);
    canvas.rect([32.0, 66.0, 36.0, 4.5], 2.2, DARK);
    for y in [17.0, 83.0] {
        canvas.circle([50.0, y], 6.5, STEEL);
        canvas.circle([50.0, y], 3.0, DARK);
    }
}

fn spark_plug(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([47.0, 12.0, 6.0, 10.0], 2.0, STEEL);
    canvas.rect([42.5, 19.0, 15.0, 28.0], 4.0, WHITE);
    for y in [24.0, 30.0, 36.0] {
        canvas.rect([41.0, y, 18.0, 2.6], 1.3, LIGHT);
    }
    canvas.rect([45.0, 39.5, 10.0, 3.0], 1.5, accent);
    canvas.rect([34.0, 45.0, 32.0, 12.0], 2.0, STEEL);
    canvas.rect([44.0, 45.0, 12.0, 12.0], 0.5, LIGHT);
    canvas.rect([40.0, 57.0, 20.0, 21.0], 2.0, mixed(STEEL, DARK, 0.3));
    for n in 0..4 {
        canvas.line([40.0, 61.5 + 4.6 * n as f32], [60.0, 60.0 + 4.6 * n as f32], 1.4, LIGHT);
    }
    canvas.rect([48.5, 77.0, 3.0, 6.0], 1.0, DARK);
    canvas.line([59.0, 78.0], [59.0, 87.0], 2.4, DARK);
    canvas.line([59.0, 87.0], [49.0, 87.0], 2.4, DARK);
    canvas.circle([50.0, 85.0], 2.2, GLOW);
}

fn battery(canvas: &mut Canvas, accent: [u8; 3]) {
    for x in [30.0, 60.0] {
        canvas.rect([x, 26.0, 10.0, 9.0], 2.0, STEEL);
    }
    canvas.rect([20.0, 33.0, 60.0, 43.0], 4.0, DARK);
    canvas.rect([20.0, 33.0, 60.0, 9.0], 3.0, mixed(DARK, WHITE, 0.2));
    canvas.rect([20.0, 46.0, 60.0, 22.0], 0.5, accent);
    canvas.rect([30.0, 36.5, 8.0, 2.0], 0.5, WHITE);
    canvas.rect([62.0, 36.5, 8.0, 2.0], 0.5, WHITE);
    canvas.rect([65.0, 33.5, 2.0, 8.0], 0.5, WHITE);
    canvas.polygon(&[[53.0, 46.5], [43.0, 58.5], [49.5, 58.5], [46.5, 67.5], [57.0, 55.0], [50.5, 55.0]], WHITE);
}

fn clutch(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.circle([50.0, 50.0], 35.0, DARK);
    canvas.circle([50.0, 50.0], 33.5, accent);
    for (x, y) in around([50.0, 50.0], 35.0, 12) {
        canvas.line([50.0 + (x - 50.0) * 0.62, 50.0 + (y - 50.0) * 0.62], [x, y], 1.4, DARK);
    }
    canvas.circle([50.0, 50.0], 21.0, STEEL);
    canvas.circle([50.0, 50.0], 19.5, LIGHT);
    for (x, y) in around([50.0, 50.0], 13.5, 6) {
        canvas.circle([x, y], 3.6, DARK);
        canvas.circle([x, y], 2.1, GLOW);
    }
    canvas.circle([50.0, 50.0], 6.5, DARK);
    canvas.circle([50.0, 50.0], 3.5, STEEL);
}

fn lamp(canvas: &mut Canvas, accent: [u8; 3]) {
    for (n, y) in [32.0, 44.0, 56.0, 68.0].into_iter().enumerate() {
        let spread = 6.0 * (n as f32 - 1.5);
        canvas.line([66.0, y], [86.0, y + spread * 0.5], 3.0, GLOW);
    }
    canvas.polygon(&[[18.0, 42.0], [30.0, 30.0], [30.0, 70.0], [18.0, 58.0]], DARK);
    canvas.circle([42.0, 50.0], 25.0, DARK);
    canvas.circle([44.0, 50.0], 22.0, accent);
    canvas.circle([46.0, 50.0], 17.5, WHITE);
    canvas.circle([46.0, 50.0], 12.0, mixed(GLOW, WHITE, 0.4));
    canvas.circle([46.0, 50.0], 6.0, GLOW);
}

fn radiator(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([28.0, 15.0, 10.0, 10.0], 2.0, DARK);
    canvas.rect([20.0, 22.0, 60.0, 12.0], 4.0, DARK);
    canvas.rect([20.0, 68.0, 60.0, 12.0], 4.0, DARK);
    canvas.rect([23.0, 33.0, 54.0, 36.0], 1.0, mixed(accent, WHITE, 0.8));
    for n in 0..9 {
        canvas.rect([25.0 + 5.8 * n as f32, 33.0, 3.0, 36.0], 0.5, accent);
    }
    for n in 0..5 {
        canvas.rect([23.0, 37.5 + 6.6 * n as f32, 54.0, 1.2], 0.4, LIGHT);
    }
    canvas.circle([68.0, 28.0], 3.2, GLOW);
}

fn chain(canvas: &mut Canvas, accent: [u8; 3]) {
    for (x, y) in around([50.0, 50.0], 31.0, 18) {
        canvas.circle([x, y], 4.4, DARK);
    }
    canvas.circle([50.0, 50.0], 30.0, accent);
    for (x, y) in around([50.0, 50.0], 31.0, 18) {
        canvas.circle([x, y], 2.0, LIGHT);
    }
    canvas.circle([50.0, 50.0], 24.0, mixed(accent, DARK, 0.2));
    for (x, y) in around([50.0, 50.0], 16.5, 6) {
        canvas.circle([x, y], 4.6, WHITE);
    }
    canvas.circle([50.0, 50.0], 8.5, DARK);
    canvas.circle([50.0, 50.0], 5.0, STEEL);
}

/// Returns points at equal distances on a circle.
fn around(centre: [f32; 2], radius: f32, count: u8) -> impl Iterator<Item = (f32, f32)> {
    (0..count).map(move |n| {
        let angle = std::f32::consts::TAU * f32::from(n) / f32::from(count);
        (centre[0] + radius * angle.sin(), centre[1] - radius * angle.cos())
    })
}

fn mixed(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    let mix = |at: usize| f32::from(from[at]) * (1.0 - share) + f32::from(to[at]) * share;
    [0, 1, 2].map(|at| byte(mix(at)))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is brought into the range first")]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// A picture that shapes are drawn on, the later ones over the earlier ones. Edges are smooth.
struct Canvas(RgbaImage);

impl Canvas {
    fn circle(&mut self, [x, y]: [f32; 2], radius: f32, colour: [u8; 3]) {
        let bounds = [x - radius, y - radius, x + radius, y + radius];
        self.fill(bounds, colour, |px, py| (px - x).hypot(py - y) - radius);
    }

    /// Draws a rectangle, given by its corner, width and height, with round corners.
    fn rect(&mut self, [x, y, width, height]: [f32; 4], corner: f32, colour: [u8; 3]) {
        let (half_width, half_height) = (width / 2.0, height / 2.0);
        self.fill([x, y, x + width, y + height], colour, |px, py| {
            let beyond_x = (px - x - half_width).abs() - half_width + corner;
            let beyond_y = (py - y - half_height).abs() - half_height + corner;
            beyond_x.max(0.0).hypot(beyond_y.max(0.0)) + beyond_x.max(beyond_y).min(0.0) - corner
        });
    }

    /// Draws a line with round ends.
    fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32, colour: [u8; 3]) {
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
    fn polygon(&mut self, corners: &[[f32; 2]], colour: [u8; 3]) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_drawing_differs_from_the_others_and_has_round_corners() {
        let all = [
            Drawing::Car,
            Drawing::Motorcycle,
            Drawing::Brakes,
            Drawing::Filter,
            Drawing::Suspension,
            Drawing::SparkPlug,
            Drawing::Battery,
            Drawing::Clutch,
            Drawing::Lamp,
            Drawing::Radiator,
            Drawing::Chain,
        ];
        let pictures: Vec<RgbaImage> = all.map(|drawing| draw(drawing, 0)).into();
        for (at, picture) in pictures.iter().enumerate() {
            assert_eq!((picture.get_pixel(0, 0).0[3], picture.get_pixel(240, 240).0[3]), (0, 255));
            assert!(!pictures[..at].contains(picture), "{:?}", all[at]);
            assert!(*picture != draw(all[at], 1), "{:?}", all[at]);
        }
    }
}

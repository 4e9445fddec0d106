//! The pictures of the sample catalogue: parts and vehicles of simple shapes, drawn when the catalogue is seeded.

mod canvas;
mod parts;
mod small_parts;

use image::RgbaImage;

use self::canvas::{Canvas, SIZE, mixed};

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
    Bottle,
    Belt,
    Gasket,
    Pump,
    Pads,
    Cylinder,
    Mount,
    Motor,
    Relay,
    Horn,
    Link,
    Cable,
    Fan,
    /// The badge of a brand.
    Badge(u8),
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
        Drawing::Brakes => parts::brakes(&mut canvas, accent),
        Drawing::Filter => parts::filter(&mut canvas, accent),
        Drawing::Suspension => parts::suspension(&mut canvas, accent),
        Drawing::SparkPlug => parts::spark_plug(&mut canvas, accent),
        Drawing::Battery => parts::battery(&mut canvas, accent),
        Drawing::Clutch => parts::clutch(&mut canvas, accent),
        Drawing::Lamp => parts::lamp(&mut canvas, accent),
        Drawing::Radiator => parts::radiator(&mut canvas, accent),
        Drawing::Chain => parts::chain(&mut canvas, accent),
        Drawing::Badge(number) => small_parts::badge(&mut canvas, accent, number),
        small => small_part(&mut canvas, small, accent),
    }
    canvas.0
}

fn small_part(canvas: &mut Canvas, drawing: Drawing, accent: [u8; 3]) {
    let draw = match drawing {
        Drawing::Bottle => small_parts::bottle,
        Drawing::Belt => small_parts::belt,
        Drawing::Gasket => small_parts::gasket,
        Drawing::Pump => small_parts::pump,
        Drawing::Pads => small_parts::pads,
        Drawing::Cylinder => small_parts::cylinder,
        Drawing::Mount => small_parts::mount,
        Drawing::Motor => small_parts::motor,
        Drawing::Relay => small_parts::relay,
        Drawing::Horn => small_parts::horn,
        Drawing::Link => small_parts::link,
        Drawing::Cable => small_parts::cable,
        _ => small_parts::fan,
    };
    draw(canvas, accent);
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
            Drawing::Bottle,
            Drawing::Belt,
            Drawing::Gasket,
            Drawing::Pump,
            Drawing::Pads,
            Drawing::Cylinder,
            Drawing::Mount,
            Drawing::Motor,
            Drawing::Relay,
            Drawing::Horn,
            Drawing::Link,
            Drawing::Cable,
            Drawing::Fan,
            Drawing::Badge(0),
            Drawing::Badge(1),
            Drawing::Badge(35),
            Drawing::Badge(70),
        ];
        let pictures: Vec<RgbaImage> = all.map(|drawing| draw(drawing, 0)).into();
        for (at, picture) in pictures.iter().enumerate() {
            assert_eq!((picture.get_pixel(0, 0).0[3], picture.get_pixel(240, 240).0[3]), (0, 255));
            assert!(!pictures[..at].contains(picture), "{:?}", all[at]);
            assert!(*picture != draw(all[at], 1), "{:?}", all[at]);
        }
    }
}

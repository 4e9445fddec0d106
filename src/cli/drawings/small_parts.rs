//! Drawings of small parts and of what comes in bottles, and the badges of brands.

use super::{
    DARK, GLOW, LIGHT, STEEL, WHITE,
    canvas::{Canvas, around, mixed},
};

pub(super) fn bottle(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([43.0, 12.0, 14.0, 10.0], 2.5, DARK);
    canvas.rect([45.0, 20.0, 10.0, 8.0], 1.0, STEEL);
    canvas.polygon(&[[45.0, 26.0], [55.0, 26.0], [68.0, 39.0], [32.0, 39.0]], LIGHT);
    canvas.rect([31.0, 36.0, 38.0, 51.0], 6.0, LIGHT);
    canvas.rect([31.0, 46.0, 38.0, 30.0], 0.5, accent);
    canvas.polygon(&[[50.0, 49.0], [56.5, 62.0], [43.5, 62.0]], WHITE);
    canvas.circle([50.0, 64.5], 7.0, WHITE);
    canvas.circle([48.0, 65.5], 2.6, mixed(accent, WHITE, 0.5));
}

pub(super) fn belt(canvas: &mut Canvas, accent: [u8; 3]) {
    let (low, high) = ([37.0, 62.0], [63.0, 37.0]);
    canvas.line(low, high, 51.0, DARK);
    canvas.line(low, high, 47.0, accent);
    canvas.line(low, high, 40.0, DARK);
    canvas.line(low, high, 38.0, mixed(accent, WHITE, 0.85));
    for centre in [low, high] {
        canvas.circle(centre, 15.5, STEEL);
        canvas.circle(centre, 13.0, LIGHT);
        for (x, y) in around(centre, 8.0, 5) {
            canvas.circle([x, y], 2.0, STEEL);
        }
        canvas.circle(centre, 3.5, DARK);
    }
}

pub(super) fn gasket(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([11.0, 33.0, 78.0, 34.0], 6.0, mixed(accent, DARK, 0.35));
    canvas.rect([12.5, 34.5, 75.0, 31.0], 5.0, accent);
    for x in [25.0, 50.0, 75.0] {
        canvas.circle([x, 50.0], 11.0, LIGHT);
        canvas.circle([x, 50.0], 9.0, STEEL);
        canvas.circle([x, 50.0], 8.0, WHITE);
    }
    for x in [15.5, 37.5, 62.5, 84.5] {
        for y in [38.0, 62.0] {
            canvas.circle([x, y], 2.0, WHITE);
        }
    }
}

pub(super) fn pump(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([60.0, 22.0, 26.0, 15.0], 2.0, STEEL);
    canvas.rect([81.0, 19.0, 6.0, 21.0], 2.0, DARK);
    for (x, y) in around([47.0, 53.0], 30.0, 5) {
        canvas.circle([x, y], 6.0, STEEL);
        canvas.circle([x, y], 2.4, DARK);
    }
    canvas.circle([47.0, 53.0], 28.0, STEEL);
    canvas.circle([47.0, 53.0], 24.0, mixed(accent, WHITE, 0.8));
    let tips: Vec<(f32, f32)> = around([47.0, 53.0], 20.0, 8).collect();
    for (n, (x, y)) in tips.iter().enumerate() {
        let (near_x, near_y) = tips[(n + 7) % 8];
        canvas.line([47.0 + (near_x - 47.0) * 0.4, 53.0 + (near_y - 53.0) * 0.4], [*x, *y], 4.0, accent);
    }
    canvas.circle([47.0, 53.0], 8.5, DARK);
    canvas.circle([47.0, 53.0], 4.0, LIGHT);
}

pub(super) fn pads(canvas: &mut Canvas, accent: [u8; 3]) {
    for (y, dark) in [(24.0, DARK), (53.0, mixed(DARK, STEEL, 0.25))] {
        canvas.rect([12.0, y + 7.0, 76.0, 8.0], 3.0, dark);
        canvas.polygon(&[[18.0, y + 22.0], [24.0, y], [76.0, y], [82.0, y + 22.0]], dark);
        canvas.polygon(&[[23.5, y + 20.0], [28.0, y + 3.0], [72.0, y + 3.0], [76.5, y + 20.0]], accent);
        canvas.rect([48.5, y + 3.0, 3.0, 17.0], 0.5, dark);
        for x in [16.0, 84.0] {
            canvas.circle([x, y + 11.0], 1.8, LIGHT);
        }
    }
}

pub(super) fn cylinder(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([32.0, 20.0, 30.0, 7.0], 2.5, accent);
    canvas.rect([29.0, 26.0, 36.0, 22.0], 4.0, WHITE);
    canvas.rect([29.0, 36.0, 36.0, 12.0], 3.0, mixed(GLOW, WHITE, 0.4));
    for x in [35.0, 53.0] {
        canvas.rect([x, 46.0, 7.0, 8.0], 1.0, DARK);
    }
    canvas.rect([20.0, 52.0, 54.0, 19.0], 5.0, STEEL);
    canvas.rect([22.0, 55.0, 50.0, 3.5], 1.5, LIGHT);
    canvas.rect([67.0, 45.0, 7.0, 33.0], 2.0, DARK);
    canvas.line([74.0, 61.5], [88.0, 61.5], 4.0, DARK);
    canvas.circle([88.0, 61.5], 3.6, STEEL);
    canvas.rect([13.0, 57.0, 9.0, 9.0], 2.0, DARK);
}

pub(super) fn mount(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([46.0, 14.0, 8.0, 24.0], 2.0, STEEL);
    canvas.rect([40.0, 26.0, 20.0, 6.0], 1.5, DARK);
    canvas.polygon(&[[36.0, 35.0], [64.0, 35.0], [74.0, 66.0], [26.0, 66.0]], accent);
    canvas.rect([33.0, 32.0, 34.0, 7.0], 2.0, STEEL);
    for y in [46.0, 55.0] {
        canvas.rect([27.0, y, 46.0, 3.0], 1.5, mixed(accent, DARK, 0.45));
    }
    canvas.rect([14.0, 65.0, 72.0, 11.0], 3.0, DARK);
    for x in [21.0, 79.0] {
        canvas.circle([x, 70.5], 3.4, LIGHT);
    }
}

pub(super) fn motor(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([12.0, 46.0, 14.0, 6.0], 1.0, STEEL);
    canvas.rect([16.0, 34.0, 8.0, 30.0], 2.0, DARK);
    canvas.rect([26.0, 28.0, 52.0, 42.0], 8.0, STEEL);
    canvas.rect([36.0, 26.0, 32.0, 46.0], 3.0, accent);
    for n in 0..5 {
        canvas.rect([39.0 + 5.8 * n as f32, 29.0, 2.6, 40.0], 1.0, mixed(accent, DARK, 0.4));
    }
    canvas.rect([74.0, 36.0, 12.0, 26.0], 4.0, DARK);
    canvas.rect([44.0, 70.0, 16.0, 9.0], 2.0, DARK);
    canvas.circle([52.0, 79.0], 3.0, LIGHT);
}

pub(super) fn relay(canvas: &mut Canvas, accent: [u8; 3]) {
    for x in [33.0, 46.5, 60.0] {
        canvas.rect([x, 66.0, 6.0, 18.0], 1.0, GLOW);
    }
    canvas.rect([25.0, 22.0, 50.0, 48.0], 5.0, DARK);
    canvas.rect([25.0, 22.0, 50.0, 11.0], 4.0, mixed(DARK, WHITE, 0.2));
    canvas.rect([31.0, 38.0, 38.0, 25.0], 2.0, accent);
    canvas.line([36.0, 55.0], [45.0, 55.0], 2.0, WHITE);
    canvas.line([45.0, 55.0], [56.0, 45.0], 2.0, WHITE);
    canvas.line([56.0, 55.0], [64.0, 55.0], 2.0, WHITE);
    canvas.circle([56.0, 55.0], 2.0, WHITE);
}

pub(super) fn horn(canvas: &mut Canvas, accent: [u8; 3]) {
    for (centre, size) in [([39.0, 40.0], 25.0), ([63.0, 63.0], 21.0)] {
        canvas.circle(centre, size, DARK);
        canvas.circle(centre, size * 0.92, accent);
        canvas.circle(centre, size * 0.7, mixed(accent, DARK, 0.35));
        for ring in [0.6, 0.42] {
            canvas.circle(centre, size * ring, LIGHT);
            canvas.circle(centre, size * (ring - 0.08), mixed(accent, DARK, 0.35));
        }
        canvas.circle(centre, size * 0.2, LIGHT);
    }
}

pub(super) fn link(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.line([27.0, 73.0], [72.0, 28.0], 9.0, DARK);
    canvas.line([32.0, 68.0], [67.0, 33.0], 5.0, accent);
    for centre in [[26.0, 74.0], [73.0, 27.0]] {
        canvas.circle(centre, 12.0, STEEL);
        canvas.circle(centre, 9.0, DARK);
        canvas.circle(centre, 5.0, LIGHT);
    }
}

pub(super) fn cable(canvas: &mut Canvas, accent: [u8; 3]) {
    let turns: Vec<(f32, f32)> = around([50.0, 53.0], 26.0, 24).collect();
    for (n, (x, y)) in turns.iter().enumerate().skip(1) {
        let (from_x, from_y) = turns[n - 1];
        canvas.line([from_x, from_y], [*x, *y], 5.0, if n % 6 == 0 { GLOW } else { accent });
    }
    for (from, to) in [([50.0, 27.0], [16.0, 24.0]), ([43.0, 28.0], [84.0, 17.0])] {
        canvas.line(from, to, 5.0, DARK);
        canvas.circle(to, 5.0, STEEL);
        canvas.circle(to, 2.4, DARK);
    }
}

pub(super) fn fan(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([12.0, 12.0, 76.0, 76.0], 9.0, DARK);
    canvas.circle([50.0, 50.0], 35.0, LIGHT);
    let tips: Vec<(f32, f32)> = around([50.0, 50.0], 33.0, 14).collect();
    for pair in tips.chunks(2) {
        canvas.polygon(&[[50.0, 50.0], [pair[0].0, pair[0].1], [pair[1].0, pair[1].1]], accent);
    }
    canvas.circle([50.0, 50.0], 11.0, DARK);
    canvas.circle([50.0, 50.0], 4.0, STEEL);
}

/// Draws a badge. The first 105 differ, together with their tints.
pub(super) fn badge(canvas: &mut Canvas, accent: [u8; 3], number: u8) {
    let (corners, style) = (4 + number % 7, number / 35 % 3);
    canvas.circle([50.0, 50.0], 37.0, DARK);
    canvas.circle([50.0, 50.0], 34.0, if style == 1 { accent } else { WHITE });
    canvas.circle([50.0, 50.0], 31.0, if style == 1 { WHITE } else { mixed(accent, WHITE, 0.8) });
    let outer: Vec<(f32, f32)> = around([50.0, 50.0], 27.0, 2 * corners).collect();
    let star: Vec<[f32; 2]> = outer
        .iter()
        .enumerate()
        .map(|(n, (x, y))| if n % 2 == 0 { [*x, *y] } else { [50.0 + (x - 50.0) * 0.5, 50.0 + (y - 50.0) * 0.5] })
        .collect();
    canvas.polygon(&star, accent);
    canvas.circle([50.0, 50.0], 8.0, if style == 2 { GLOW } else { WHITE });
    canvas.circle([50.0, 50.0], 4.0, DARK);
}

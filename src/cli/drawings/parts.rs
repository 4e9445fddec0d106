//! Drawings of the larger parts of a vehicle.

use super::{
    DARK, GLOW, LIGHT, STEEL, WHITE,
    canvas::{Canvas, around, mixed},
};

pub(super) fn brakes(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn filter(canvas: &mut Canvas, accent: [u8; 3]) {
    canvas.rect([30.0, 28.0, 40.0, 48.0], 4.0, mixed(accent, WHITE, 0.75));
    for n in 0..9 {
        canvas.rect([31.5 + 4.3 * n as f32, 30.0, 2.2, 44.0], 1.0, accent);
    }
    canvas.rect([26.0, 20.0, 48.0, 11.0], 4.0, DARK);
    canvas.rect([26.0, 71.0, 48.0, 10.0], 4.0, DARK);
    canvas.rect([41.0, 15.0, 18.0, 8.0], 3.0, STEEL);
    canvas.rect([29.0, 23.0, 42.0, 2.0], 1.0, STEEL);
}

pub(super) fn suspension(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn spark_plug(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn battery(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn clutch(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn lamp(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn radiator(canvas: &mut Canvas, accent: [u8; 3]) {
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

pub(super) fn chain(canvas: &mut Canvas, accent: [u8; 3]) {
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

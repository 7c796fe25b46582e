//! CPU time by kind of process: a bar for each setting, a piece for each kind.

use super::super::figure::Shares;
use testkit::drawing::{block, drawing, label};
use testkit::number::shown;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 190.0;
const LENGTH: f64 = 640.0;
const BAR: f64 = 30.0;
const ROW: f64 = 46.0;
/// Least width of a piece with its number inside.
const ROOM: f64 = 42.0;
/// Approximate width of a letter.
const LETTER: f64 = 7.2;

/// Draws the CPU seconds for 1000 settled orders.
pub(super) fn of(all: &[Shares]) -> String {
    let sum = |shares: &Shares| shares.parts.iter().map(|(_, seconds)| seconds).sum::<f64>();
    let most = all.iter().map(sum).fold(f64::MIN_POSITIVE, f64::max);
    let (mut content, mut y) = (String::new(), 4.0);
    for shares in all {
        content += &label("end", LEFT - 12.0, y + 20.0, &shares.name);
        let mut x = LEFT;
        for (number, (_, seconds)) in shares.parts.iter().enumerate() {
            let width = LENGTH * seconds / most;
            content += &block(&format!("kind{number}"), [x, y, width, BAR]);
            if width > ROOM {
                content += &label("middle inside", x + width / 2.0, y + 20.0, &shown(*seconds));
            }
            x += width;
        }
        content += &label("start", x + 10.0, y + 20.0, &format!("{} s", shown(sum(shares))));
        y += ROW;
    }
    content += &legend(all, y + 4.0);
    drawing(WIDTH, y + 28.0, "CPU seconds for 1000 settled orders, by kind of process", &content)
}

fn legend(all: &[Shares], y: f64) -> String {
    let (mut content, mut x) = (String::new(), LEFT);
    for (number, (kind, _)) in all.iter().take(1).flat_map(|shares| &shares.parts).enumerate() {
        content += &block(&format!("kind{number}"), [x, y, 12.0, 12.0]);
        content += &label("start", x + 18.0, y + 11.0, kind);
        let letters = u32::try_from(kind.len()).unwrap_or_default();
        x += 36.0 + LETTER * f64::from(letters);
    }
    content
}

//! Drawings as pictures (PNG): most programs that show mail draw no SVG.

use resvg::tiny_skia::{Color, Pixmap, Transform};

use super::typeface::{Undrawable, drawing};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    #[error(transparent)]
    Undrawable(#[from] Undrawable),
    #[error("a picture of {0} × {1} pixels cannot be made")]
    Size(u32, u32),
    #[error("the picture cannot be written: {0}")]
    Unwritten(String),
}

/// A drawing of [`super::gantt`] as PNG, so many pixels wide, on white.
///
/// # Errors
/// It is no drawing, or has no size.
pub fn png(svg: &str, width: u32) -> Result<Vec<u8>, NoPicture> {
    let tree = drawing(svg)?;
    let scale = width as f32 / tree.size().width();
    let height = (tree.size().height() * scale).ceil() as u32;
    let mut pixels = Pixmap::new(width, height).ok_or(NoPicture::Size(width, height))?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|why| NoPicture::Unwritten(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::gantt;
    use crate::render::sample::good_night;
    use crate::types::Lang;

    /// Pixels of this colour, nearly.
    fn of_colour(pixels: &Pixmap, (red, green, blue): (u8, u8, u8)) -> usize {
        let near = |a: u8, b: u8| a.abs_diff(b) < 8;
        let is = |p: &&resvg::tiny_skia::PremultipliedColorU8| {
            near(p.red(), red) && near(p.green(), green) && near(p.blue(), blue)
        };
        pixels.pixels().iter().filter(is).count()
    }

    #[test]
    fn a_picture_has_the_colours_and_the_words_of_its_drawing() {
        let night = good_night();
        let drawn = |lang| {
            let svg = gantt::svg(lang, &night.head, &night.jobs).unwrap();
            Pixmap::decode_png(&png(&svg, 1_100).unwrap()).unwrap()
        };
        let english = drawn(Lang::En);
        assert_eq!(english.width(), 1_100);
        let white = of_colour(&english, (255, 255, 255));
        assert!(white > english.pixels().len() / 3, "{white}: its ground is white");
        assert!(of_colour(&english, (0x1a, 0x7f, 0x37)) > 5_000, "jobs that ended well");
        assert!(of_colour(&english, (0x1f, 0x23, 0x28)) > 500, "words");
        assert!(drawn(Lang::Zh).data() != english.data(), "in the language that was asked");
        assert!(png("no drawing", 100).is_err());
    }
}

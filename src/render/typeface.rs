//! The typeface of drawings and documents that are made here: a subset of Noto Sans CJK SC (`fonts/README.md`), so that
//! they look the same on every host.

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Options, Tree};

pub(super) static REGULAR: &[u8] = include_bytes!("fonts/NotoSansCJKsc-Regular.otf");
pub(super) static BOLD: &[u8] = include_bytes!("fonts/NotoSansCJKsc-Bold.otf");

static FACES: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut faces = Database::new();
    for face in [REGULAR, BOLD] {
        faces.load_font_source(Source::Binary(Arc::new(face)));
    }
    Arc::new(faces)
});

/// A drawing that cannot be made into a picture or a page.
#[derive(Debug, thiserror::Error)]
#[error("the drawing cannot be read: {0}")]
pub struct Undrawable(#[from] resvg::usvg::Error);

/// A drawing in the colours of paper, its words in this typeface.
pub(super) fn drawing(svg: &str) -> Result<Tree, Undrawable> {
    let options = Options { fontdb: Arc::clone(&FACES), ..Options::default() };
    // Its style comes first; what follows are words of the site.
    let (style, rest) = svg.split_once("</style>").unwrap_or(("", svg));
    let end = if style.is_empty() { "" } else { "</style>" };
    let whole = format!("{}{end}{rest}", on_paper(style));
    Ok(Tree::from_str(&drawable(&whole), &options)?)
}

/// A stylesheet without variables: each with the value that it has where no page says another.
fn on_paper(style: &str) -> String {
    let mut plain = String::new();
    for (i, part) in style.split("var(").enumerate() {
        match part.split_once(')') {
            Some((variable, rest)) if i > 0 => {
                plain.push_str(variable.split_once(',').map_or("", |(_, value)| value));
                plain.push_str(rest);
            }
            _ => plain.push_str(part),
        }
    }
    plain
}

/// Signs that the typeface lacks, as the nearest that it has.
pub(super) fn drawable(text: &str) -> String {
    let sign = |c| match c {
        '✗' => '×',
        '▸' => '▶',
        '↻' => '→',
        c => c,
    };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::gantt;
    use crate::render::words::Label;
    use crate::types::Lang;

    #[test]
    fn a_stylesheet_on_paper_has_no_variables() {
        let style = ".a{fill:var(--ink,#123456);stroke:none}.b{fill:var(--ok,#0f0)}";
        assert_eq!(on_paper(style), ".a{fill:#123456;stroke:none}.b{fill:#0f0}");
        assert!(!on_paper(gantt::STYLE).contains("var("));
    }

    #[test]
    fn the_typeface_has_every_letter_of_our_words() {
        for face in [REGULAR, BOLD] {
            let face = ttf_parser::Face::parse(face, 0).unwrap();
            for label in Label::ALL {
                for lang in Lang::ALL {
                    for c in drawable(label.say(lang)).chars() {
                        assert!(face.glyph_index(c).is_some(), "{c} of {label:?}");
                    }
                }
            }
            for c in drawable("✓✗■↻‖◇»○–▸·?◆→…★①②（），。：；、”“≥≤%").chars()
            {
                assert!(face.glyph_index(c).is_some(), "{c}");
            }
        }
    }
}

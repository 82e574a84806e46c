//! Documents on paper (PDF, A4 across): headings, sentences, tables and drawings, laid out page by page. Each page has the
//! document's name above and its proof and number below. Words can be searched and copied.

use std::fmt::Display;

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::usvg::Tree;

use super::typeface::{self, Undrawable, drawing};
use crate::types::Lang;

/// Points (1/72 inch): the page, its margins, what is left between them.
const PAGE: (f32, f32) = (841.9, 595.3);
const MARGIN: f32 = 36.0;
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
const TOP: f32 = MARGIN + 20.0;
const BOTTOM: f32 = PAGE.1 - MARGIN - 14.0;
/// Sizes of letters.
const TITLE: f32 = 18.0;
const HEADING: f32 = 12.0;
const BODY: f32 = 9.0;
const CELL: f32 = 8.0;
const SMALL: f32 = 7.0;
/// What a heading takes.
const HEADED: f32 = 10.0 + HEADING * 1.4 + 4.0;
/// Between two columns, and the least that a column of text has.
const GAP: f32 = 8.0;
const LEAST: f32 = 52.0;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum NoDocument {
    #[error(transparent)]
    Undrawable(#[from] Undrawable),
    #[error("the document cannot be written: {0}")]
    Unwritten(String),
}

/// A document before it has pages.
#[derive(Debug)]
pub(super) struct Sheets {
    pub(super) lang: Lang,
    pub(super) title: String,
    /// Above each page, at its left and at its right.
    pub(super) above: (String, String),
    /// Below each page, left of its number.
    pub(super) below: String,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) enum Block {
    Title(String),
    Heading(String),
    /// A paragraph.
    Words(Ink, String),
    /// The same in bold.
    Strong(Ink, String),
    /// Labels, each with what it stands for, beside each other.
    Facts(Vec<(String, String)>),
    Grid(Grid),
    /// An SVG of [`super::gantt`], with its heading and what explains it.
    Drawing {
        title: String,
        words: String,
        svg: String,
    },
}

/// A table: its head is on each page that it goes over.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Columns that stand to the right.
    pub(super) right: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) ink: Ink,
    pub(super) text: String,
}

impl<T: Display> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { ink: Ink::Plain, text: text.to_string() }
    }
}

/// Colours; none says what words do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Soft,
    Line,
    Band,
    Good,
    Bad,
    Warn,
    Run,
    Odd,
}

impl Ink {
    fn colour(self) -> rgb::Color {
        let (red, green, blue) = match self {
            Self::Plain => (0x1f, 0x23, 0x28),
            Self::Soft => (0x57, 0x60, 0x6a),
            Self::Line => (0xd5, 0xd9, 0xdf),
            Self::Band => (0xf4, 0xf5, 0xf7),
            Self::Good => (0x1a, 0x7f, 0x37),
            Self::Bad => (0xb3, 0x26, 0x1e),
            Self::Warn => (0x8a, 0x5a, 0x00),
            Self::Run => (0x0a, 0x5c, 0xc2),
            Self::Odd => (0x7a, 0x2b, 0xd6),
        };
        rgb::Color::new(red, green, blue)
    }
}

/// The document as PDF.
///
/// # Errors
/// A drawing cannot be read, or the writer refuses.
pub(super) fn pdf(sheets: &Sheets) -> Result<Vec<u8>, NoDocument> {
    let faces = Faces::new()?;
    let mut layout = Layout { faces: &faces, pages: vec![Vec::new()], y: TOP };
    for block in &sheets.blocks {
        layout.block(block)?;
    }
    let pages = layout.pages;
    let mut document = Document::new();
    let language = sheets.lang.tag().to_owned();
    document.set_metadata(
        Metadata::new().title(sheets.title.clone()).language(language).creator("nightrun".into()),
    );
    for (i, marks) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1)
            .ok_or_else(|| NoDocument::Unwritten("no page of that size".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        let number = format!("{} / {}", i + 1, pages.len());
        for mark in furniture(&faces, sheets, &number).iter().chain(marks) {
            mark.draw(&faces, &mut surface);
        }
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|why| NoDocument::Unwritten(format!("{why:?}")))
}

/// What every page has.
fn furniture(faces: &Faces, sheets: &Sheets, number: &str) -> Vec<Mark> {
    let line = |y| Mark::Area { x: MARGIN, y, width: WIDTH, height: 0.6, ink: Ink::Line };
    let words = |x, y, text: &str| Mark::Words {
        x,
        y,
        size: SMALL,
        bold: false,
        ink: Ink::Soft,
        text: text.to_owned(),
    };
    let right = |text: &str| PAGE.0 - MARGIN - faces.width(text, SMALL, false);
    let (left, far) = &sheets.above;
    vec![
        words(MARGIN, MARGIN + 4.0, left),
        words(right(far), MARGIN + 4.0, far),
        line(MARGIN + 8.0),
        line(BOTTOM + 4.0),
        words(MARGIN, BOTTOM + 13.0, &sheets.below),
        words(right(number), BOTTOM + 13.0, number),
    ]
}

/// Something on a page; `y` of words is their base line.
enum Mark {
    Words { x: f32, y: f32, size: f32, bold: bool, ink: Ink, text: String },
    Area { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    Drawing { x: f32, y: f32, width: f32, height: f32, tree: Box<Tree> },
}

impl Mark {
    fn draw(&self, faces: &Faces, surface: &mut Surface<'_>) {
        let fill = |ink: Ink| Some(Fill { paint: ink.colour().into(), ..Fill::default() });
        match self {
            Self::Words { x, y, size, bold, ink, text } => {
                surface.set_fill(fill(*ink));
                let face = faces.of(*bold).font.clone();
                let (at, along) = (Point::from_xy(*x, *y), TextDirection::LeftToRight);
                surface.draw_text(at, face, *size, text, false, along);
            }
            Self::Area { x, y, width, height, ink } => {
                let Some(area) = Rect::from_xywh(*x, *y, *width, *height) else { return };
                let mut path = PathBuilder::new();
                path.push_rect(area);
                if let Some(path) = path.finish() {
                    surface.set_fill(fill(*ink));
                    surface.draw_path(&path);
                }
            }
            Self::Drawing { x, y, width, height, tree } => {
                let Some(size) = Size::from_wh(*width, *height) else { return };
                surface.push_transform(&Transform::from_translate(*x, *y));
                // `None` only where it is told to draw nothing.
                let _ = surface.draw_svg(tree, size, SvgSettings::default());
                surface.pop();
            }
        }
    }
}

/// A face to write with, and to measure by.
struct Face {
    font: Font,
    measure: ttf_parser::Face<'static>,
}

struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    fn new() -> Result<Self, NoDocument> {
        let face = |bytes: &'static [u8]| {
            let unread = || NoDocument::Unwritten("its typeface cannot be read".to_owned());
            let font = Font::new(bytes.into(), 0).ok_or_else(unread)?;
            let measure = ttf_parser::Face::parse(bytes, 0).map_err(|_| unread())?;
            Ok::<_, NoDocument>(Face { font, measure })
        };
        Ok(Self { regular: face(typeface::REGULAR)?, bold: face(typeface::BOLD)? })
    }

    fn of(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }

    fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        let face = &self.of(bold).measure;
        let advance = |c| {
            let glyph = face.glyph_index(c).unwrap_or_default();
            f32::from(face.glyph_hor_advance(glyph).unwrap_or_default())
        };
        text.chars().map(advance).sum::<f32>() * size / f32::from(face.units_per_em())
    }

    /// Lines no broader than that: broken as in text, and within a word that is broader than a line.
    fn lines(&self, text: &str, size: f32, bold: bool, width: f32) -> Vec<String> {
        let measure = |part: &str| self.width(part, size, bold);
        let mut lines = Vec::new();
        for line in super::table::broken(text, |part| measure(part) <= width) {
            let mut rest = String::new();
            for c in line.chars() {
                rest.push(c);
                if measure(&rest) > width && rest.chars().nth(1).is_some() {
                    rest.pop();
                    lines.push(std::mem::replace(&mut rest, c.to_string()));
                }
            }
            lines.push(rest);
        }
        lines
    }
}

/// Puts one block under the other, and begins a page where one is full.
struct Layout<'a> {
    faces: &'a Faces,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl Layout<'_> {
    fn push(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    /// Room for so much, on this page or on the next.
    fn room(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.turn();
        }
    }

    fn block(&mut self, block: &Block) -> Result<(), NoDocument> {
        match block {
            Block::Title(text) => self.words(text, (TITLE, true), Ink::Plain, 6.0),
            Block::Heading(text) => self.heading(text, 40.0),
            Block::Words(ink, text) => self.words(text, (BODY, false), *ink, 3.0),
            Block::Strong(ink, text) => self.words(text, (BODY + 1.0, true), *ink, 3.0),
            Block::Facts(facts) => self.facts(facts),
            Block::Grid(grid) => self.grid(grid),
            Block::Drawing { title, words, svg } => self.drawing(title, words, drawing(svg)?),
        }
        Ok(())
    }

    /// It does not stand alone at the end of a page: so much comes under it.
    fn heading(&mut self, text: &str, height: f32) {
        self.room(height + HEADED);
        self.y += 10.0;
        self.words(text, (HEADING, true), Ink::Plain, 4.0);
    }

    fn words(&mut self, text: &str, (size, bold): (f32, bool), ink: Ink, after: f32) {
        for part in text.lines() {
            for text in self.faces.lines(&typeface::drawable(part), size, bold, WIDTH) {
                self.room(size * 1.4);
                self.y += size * 1.4;
                let y = self.y - size * 0.4;
                self.push(Mark::Words { x: MARGIN, y, size, bold, ink, text });
            }
        }
        self.y += after;
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        const COLUMNS: usize = 4;
        let each = WIDTH / COLUMNS as f32;
        for row in facts.chunks(COLUMNS) {
            let value =
                |value: &str| self.faces.lines(&typeface::drawable(value), BODY, false, each - GAP);
            let values: Vec<Vec<String>> = row.iter().map(|(_, text)| value(text)).collect();
            let deep = values.iter().map(Vec::len).max().unwrap_or(1) as f32;
            let height = 10.0 + deep * BODY * 1.3 + 4.0;
            self.room(height);
            let top = self.y;
            for (i, ((label, _), lines)) in row.iter().zip(values).enumerate() {
                let x = MARGIN + each * i as f32;
                let (size, bold, ink) = (SMALL, false, Ink::Soft);
                let text = typeface::drawable(label);
                self.push(Mark::Words { x, y: top + 8.0, size, bold, ink, text });
                for (n, text) in lines.into_iter().enumerate() {
                    let y = top + 9.0 + BODY * (1.0 + 1.3 * n as f32);
                    self.push(Mark::Words { x, y, size: BODY, bold, ink: Ink::Plain, text });
                }
            }
            self.y += height;
        }
    }

    fn grid(&mut self, grid: &Grid) {
        let widths = self.widths(grid);
        self.grid_head(grid, &widths);
        for row in &grid.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                let lines = self.faces.lines(&typeface::drawable(&cell.text), CELL, false, *width);
                (cell.ink, lines)
            });
            let cells: Vec<(Ink, Vec<String>)> = cells.collect();
            let deep = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1);
            let height = deep as f32 * CELL * 1.3 + 4.0;
            if self.y + height > BOTTOM && self.y > TOP + 20.0 {
                self.turn();
                self.grid_head(grid, &widths);
            }
            self.grid_row(grid, &widths, cells, false);
            self.y += height;
            let line =
                Mark::Area { x: MARGIN, y: self.y, width: WIDTH, height: 0.4, ink: Ink::Line };
            self.push(line);
        }
        self.y += 4.0;
    }

    fn grid_head(&mut self, grid: &Grid, widths: &[f32]) {
        let cells = grid.head.iter().map(|text| (Ink::Soft, vec![typeface::drawable(text)]));
        let cells: Vec<(Ink, Vec<String>)> = cells.collect();
        self.room(40.0);
        let (y, height) = (self.y, CELL * 1.3 + 4.0);
        self.push(Mark::Area { x: MARGIN, y, width: WIDTH, height, ink: Ink::Band });
        self.grid_row(grid, widths, cells, true);
        self.y += height;
    }

    fn grid_row(
        &mut self,
        grid: &Grid,
        widths: &[f32],
        cells: Vec<(Ink, Vec<String>)>,
        bold: bool,
    ) {
        let mut x = MARGIN;
        for (column, ((ink, lines), width)) in cells.into_iter().zip(widths).enumerate() {
            for (n, text) in lines.into_iter().enumerate() {
                let free = width - self.faces.width(&text, CELL, bold);
                let x = if grid.right.contains(&column) { x + free.max(0.0) } else { x + 2.0 };
                let y = self.y + 2.0 + CELL * (1.0 + 1.3 * n as f32);
                self.push(Mark::Words { x, y, size: CELL, bold, ink, text });
            }
            x += width + GAP;
        }
    }

    /// As broad as the broadest cell; where that is too much for the page, the broadest become narrower. What is left over
    /// goes to the last, if it holds words.
    fn widths(&self, grid: &Grid) -> Vec<f32> {
        let columns = grid.head.len();
        let cell = |text: &str, bold| self.faces.width(text, CELL, bold) + 3.0;
        let mut widths: Vec<f32> = grid.head.iter().map(|text| cell(text, true)).collect();
        for row in &grid.rows {
            for (width, known) in row.iter().zip(&mut widths) {
                *known = known.max(cell(&width.text, false));
            }
        }
        let free = WIDTH - GAP * columns.saturating_sub(1) as f32;
        loop {
            let sum: f32 = widths.iter().sum();
            if sum <= free {
                let words = !grid.right.contains(&columns.saturating_sub(1));
                if let Some(last) = widths.last_mut().filter(|_| words) {
                    *last += free - sum;
                }
                return widths;
            }
            let broadest = widths.iter_mut().max_by(|a, b| a.total_cmp(b));
            let Some(broadest) = broadest.filter(|width| **width > LEAST) else { return widths };
            *broadest = (*broadest - (sum - free).min(12.0)).max(LEAST);
        }
    }

    /// As broad as the page; smaller where it is higher than one.
    fn drawing(&mut self, title: &str, words: &str, tree: Tree) {
        let size = tree.size();
        let beside = HEADED + 2.0 * BODY;
        let scale = (WIDTH / size.width()).min((BOTTOM - TOP - beside) / size.height());
        let (width, height) = (size.width() * scale, size.height() * scale);
        self.heading(title, height + 2.0 * BODY);
        self.words(words, (BODY, false), Ink::Soft, 3.0);
        let (x, y) = (MARGIN + (WIDTH - width) / 2.0, self.y);
        self.push(Mark::Drawing { x, y, width, height, tree: Box::new(tree) });
        self.y += height + 4.0;
    }
}

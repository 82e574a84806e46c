//! The jobs of a run as a layered drawing: what is needed stands to the left of what needs it.

use askama::Template;
use rust_sugiyama::configure::Config;

use super::{of_job, of_run};
use crate::render::report_html::Tone;
use crate::render::table::{cut, harmless};
use crate::render::words::{Label, Pages};
use crate::types::Lang;
use crate::view::graph::{GraphView, Node};
use crate::view::run::RunHead;

/// Units of a job's box, and between boxes.
const WIDE: f64 = 170.0;
const HIGH: f64 = 34.0;
const ACROSS: f64 = 44.0;
const APART: f64 = 12.0;
/// Letters of a name that a box has room for.
const LETTERS: usize = 22;

#[derive(Template)]
#[template(path = "pages/graph.html")]
struct Page {
    lang: Lang,
    up: String,
    run: String,
    run_place: String,
    title: String,
    wanted: Option<String>,
    left_out: Option<String>,
    width: f64,
    height: f64,
    edges: Vec<(String, bool)>,
    boxes: Vec<Box>,
}

impl Page {
    fn say(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }
}

struct Box {
    x: f64,
    y: f64,
    place: String,
    only: String,
    name: String,
    tip: String,
    class: &'static str,
    sign: &'static str,
    on_path: bool,
    wanted: bool,
}

/// The middle of the page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up): (Lang, &str),
    head: &RunHead,
    graph: &GraphView,
) -> Result<String, askama::Error> {
    let (places, width, height) = laid_out(graph);
    let wanted = graph.nodes.iter().find(|node| node.wanted);
    let left_out = u32::try_from(graph.left_out).unwrap_or(u32::MAX);
    let page = Page {
        lang,
        up: up.to_owned(),
        run: head.run.to_string(),
        run_place: of_run(&head.run),
        title: head.title.get(lang).to_owned(),
        wanted: wanted.map(|node| Pages::PathTo { job: node.name.as_str() }.say(lang)),
        left_out: (left_out > 0).then(|| Pages::LeftOut { jobs: left_out }.say(lang)),
        width,
        height,
        edges: graph.edges.iter().map(|edge| edge_of(graph, &places, *edge)).collect(),
        boxes: graph
            .nodes
            .iter()
            .zip(&places)
            .map(|(node, at)| box_of(lang, up, head, node, *at))
            .collect(),
    };
    Ok(harmless(&page.render()?))
}

/// Where each job's box has its upper left corner, and how large the drawing is. Parts that hang together stand below each
/// other.
fn laid_out(graph: &GraphView) -> (Vec<(f64, f64)>, f64, f64) {
    let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    // Layers of the algorithm lie below each other; here they lie side by side.
    let vertices: Vec<(u32, (f64, f64))> = (0..graph.nodes.len())
        .map(|index| (number(index), (HIGH + APART, WIDE + ACROSS)))
        .collect();
    let edges: Vec<(u32, u32)> =
        graph.edges.iter().map(|(from, to)| (number(*from), number(*to))).collect();
    let config = Config { vertex_spacing: APART, ..Config::default() };
    let parts = rust_sugiyama::from_vertices_and_edges(&vertices, &edges, &config);
    let mut places = vec![(0.0, 0.0); graph.nodes.len()];
    let (mut width, mut below) = (0.0_f64, 0.0);
    for (part, ..) in parts {
        let least =
            |of: fn(&(f64, f64)) -> f64| part.iter().map(|(_, at)| of(at)).fold(f64::MAX, f64::min);
        let (top, left) = (least(|at| at.0), least(|at| at.1));
        let mut bottom = below;
        for (vertex, (down, right)) in &part {
            let at = (right - left, below + down - top);
            if let Some(place) = places.get_mut(*vertex) {
                *place = at;
            }
            width = width.max(at.0 + WIDE);
            bottom = f64::max(bottom, at.1 + HIGH);
        }
        below = bottom + APART;
    }
    (places, width + 4.0, below + 4.0)
}

fn box_of(lang: Lang, up: &str, head: &RunHead, node: &Node, (x, y): (f64, f64)) -> Box {
    let tone = Tone::of_state(node.state, node.critical);
    let state = Label::of_state(node.state).say(lang);
    Box {
        x: x + 2.0,
        y: y + 2.0,
        place: format!("{up}{}", of_job(&head.run, node.name.as_str())),
        only: format!("?job={}", node.name),
        name: cut(node.name.as_str(), LETTERS),
        tip: format!("{} {}: {state}", node.name, node.title.get(lang)),
        class: tone.class,
        sign: tone.sign,
        on_path: node.on_critical_path,
        wanted: node.wanted,
    }
}

/// A line from the right side of one box to the left side of the other, and whether it is of the critical path.
fn edge_of(graph: &GraphView, places: &[(f64, f64)], (from, to): (usize, usize)) -> (String, bool) {
    let at = |index: usize| places.get(index).copied().unwrap_or_default();
    let on_path = [from, to]
        .iter()
        .all(|index| graph.nodes.get(*index).is_some_and(|node| node.on_critical_path));
    let ((x1, y1), (x2, y2)) = (at(from), at(to));
    let (x1, y1) = (x1 + WIDE + 2.0, y1 + HIGH / 2.0 + 2.0);
    let (x2, y2) = (x2 + 2.0, y2 + HIGH / 2.0 + 2.0);
    let bend = ((x2 - x1) / 2.0).max(ACROSS / 2.0);
    let (a, b) = (x1 + bend, x2 - bend);
    (format!("M{x1:.1} {y1:.1}C{a:.1} {y1:.1} {b:.1} {y2:.1} {x2:.1} {y2:.1}"), on_path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::job::StateWord;

    #[test]
    fn no_box_lies_on_another_and_what_is_needed_stands_to_the_left() {
        let node = |n: usize| Node {
            name: format!("j{n}").parse().unwrap(),
            title: crate::types::Text::en("J"),
            state: StateWord::Waiting,
            critical: true,
            on_critical_path: false,
            wanted: false,
        };
        let edges = vec![(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (4, 5), (5, 6), (4, 6)];
        let graph = GraphView { nodes: (0..8).map(node).collect(), edges, left_out: 0 };
        let (places, width, height) = laid_out(&graph);
        for (from, to) in &graph.edges {
            assert!(places[*from].0 + WIDE < places[*to].0, "{from} {to}: {places:?}");
        }
        for (a, one) in places.iter().enumerate() {
            assert!(one.0 + WIDE <= width && one.1 + HIGH <= height);
            for two in &places[a + 1..] {
                let apart = (one.0 - two.0).abs() >= WIDE || (one.1 - two.1).abs() >= HIGH;
                assert!(apart, "{places:?}");
            }
        }
    }
}

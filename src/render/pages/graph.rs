//! The jobs of a run as a layered drawing: what is needed stands to the left of what needs it. Which groups of jobs are one
//! box stands in the address of the page, so that it needs no script and can be sent to somebody.

use askama::Template;
use rust_sugiyama::configure::Config;

use super::{in_query, of_job, of_run};
use crate::render::report_html::Tone;
use crate::render::table::{cut, harmless};
use crate::render::words::{Label, Pages, pair};
use crate::types::Lang;
use crate::view::folding::Folding;
use crate::view::graph::{GraphView, Node};
use crate::view::run::RunHead;

/// Units of a job's box, and between boxes.
const WIDE: f64 = 170.0;
const HIGH: f64 = 34.0;
const ACROSS: f64 = 44.0;
const APART: f64 = 12.0;
/// Letters of a name that a box has room for.
const LETTERS: usize = 22;
/// So many groups are named at once; more are opened.
const NAMED: usize = 16;

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
    /// What a press makes of each group: its address, whether it is folded now, its words.
    groups: Vec<(String, bool, String)>,
    named: bool,
    fold_all: String,
    unfold_all: String,
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
    /// Where only what is before and after the job is; a group has no such page.
    only: Option<String>,
    name: String,
    tip: String,
    class: &'static str,
    sign: &'static str,
    on_path: bool,
    wanted: bool,
    folded: bool,
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
    let wanted = graph.nodes.iter().find(|node| node.wanted).map(|node| node.name.as_str());
    let left_out = number(graph.left_out);
    let (folding, only) = (&graph.folding, wanted);
    let every = |all| place(only, &Folding { all: Some(all), ..Folding::default() });
    let page = Page {
        lang,
        up: up.to_owned(),
        run: head.run.to_string(),
        run_place: of_run(&head.run),
        title: head.title.get(lang).to_owned(),
        wanted: wanted.map(|job| Pages::PathTo { job }.say(lang)),
        left_out: (left_out > 0).then(|| Pages::LeftOut { jobs: left_out }.say(lang)),
        width,
        height,
        edges: graph.edges.iter().map(|edge| edge_of(graph, &places, *edge)).collect(),
        boxes: graph
            .nodes
            .iter()
            .zip(&places)
            .map(|(node, at)| box_of(Drawn { lang, up, head, only, folding }, node, *at))
            .collect(),
        groups: graph
            .groups
            .iter()
            .map(|(group, jobs)| {
                let words = Pages::JobsOf { group, jobs: number(*jobs) }.say(lang);
                (place(only, &folding.turned(group)), folding.folds(group), words)
            })
            .collect(),
        named: graph.groups.len() <= NAMED,
        fold_all: every(true),
        unfold_all: every(false),
    };
    Ok(harmless(&page.render()?))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The address of the drawing with these groups folded, from its own. `only`: what is before and after one job.
fn place(only: Option<&str>, folding: &Folding) -> String {
    let mut parts = Vec::new();
    parts.extend(only.map(|job| format!("job={job}")));
    parts.extend(folding.all.map(|all| format!("fold={}", if all { "all" } else { "none" })));
    if !folding.but.is_empty() {
        let but: Vec<String> = folding.but.iter().map(|group| in_query(group)).collect();
        parts.push(format!("but={}", but.join(",")));
    }
    format!("?{}", parts.join("&"))
}

/// Where each box has its upper left corner, and how large the drawing is. Parts that hang together stand below each
/// other.
fn laid_out(graph: &GraphView) -> (Vec<(f64, f64)>, f64, f64) {
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

/// What all boxes of a page have in common.
#[derive(Clone, Copy)]
struct Drawn<'a> {
    lang: Lang,
    up: &'a str,
    head: &'a RunHead,
    only: Option<&'a str>,
    folding: &'a Folding,
}

fn box_of(of: Drawn<'_>, node: &Node, (x, y): (f64, f64)) -> Box {
    let Drawn { lang, up, head, only, folding } = of;
    let tone = Tone::of_state(node.state, node.critical);
    let state = Label::of_state(node.state).say(lang);
    let job = node.title.as_ref();
    let (name, what) = match job {
        Some(title) => (cut(&node.name, LETTERS), format!("{} {}", node.name, title.get(lang))),
        None => {
            let jobs = number(node.jobs.len());
            let count = format!(" ×{jobs}");
            let name = cut(&node.name, LETTERS - count.chars().count());
            (format!("{name}{count}"), Pages::FoldedGroup { group: &node.name, jobs }.say(lang))
        }
    };
    Box {
        x: x + 2.0,
        y: y + 2.0,
        place: match job {
            Some(_) => format!("{up}{}", of_job(&head.run, &node.name)),
            None => place(only, &folding.turned(&node.name)),
        },
        only: job.map(|_| place(Some(&node.name), folding)),
        name,
        tip: pair(lang, &what, state),
        class: tone.class,
        sign: tone.sign,
        on_path: node.on_critical_path,
        wanted: node.wanted,
        folded: job.is_none(),
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

    fn drawing(nodes: usize, edges: Vec<(usize, usize)>) -> GraphView {
        let node = |n: usize| Node {
            name: format!("j{n}"),
            title: Some(crate::types::Text::en("J")),
            jobs: vec![format!("j{n}").parse().unwrap()],
            state: StateWord::Waiting,
            critical: true,
            on_critical_path: false,
            wanted: false,
        };
        GraphView {
            nodes: (0..nodes).map(node).collect(),
            edges,
            left_out: 0,
            groups: Default::default(),
            folding: Folding::default(),
        }
    }

    fn are_apart(graph: &GraphView) {
        let (places, width, height) = laid_out(graph);
        for (a, one) in places.iter().enumerate() {
            assert!(one.0 + WIDE <= width && one.1 + HIGH <= height);
            for two in &places[a + 1..] {
                let apart = (one.0 - two.0).abs() >= WIDE || (one.1 - two.1).abs() >= HIGH;
                assert!(apart, "{places:?}");
            }
        }
    }

    #[test]
    fn groups_that_need_each_other_are_drawn_too() {
        are_apart(&drawing(3, vec![(0, 1), (1, 0), (1, 2), (2, 0)]));
    }

    #[test]
    fn no_box_lies_on_another_and_what_is_needed_stands_to_the_left() {
        let edges = vec![(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (4, 5), (5, 6), (4, 6)];
        let graph = drawing(8, edges);
        let (places, ..) = laid_out(&graph);
        for (from, to) in &graph.edges {
            assert!(places[*from].0 + WIDE < places[*to].0, "{from} {to}: {places:?}");
        }
        are_apart(&graph);
    }
}

//! YAML as a tree of nodes, each with its place.
//!
//! This is the one module that knows the YAML library. It takes the parser's events instead of deserialising into
//! structs, because a deserialiser stops at its first error, and whoever made three mistakes should see three.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, ScanError};

use super::defect::{Finding, Place};

#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub at: Place,
    pub value: Value<'t>,
}

#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    /// No value: nothing after the colon, `~` or `null`.
    Null,
    Scalar(Scalar<'t>),
    List(Vec<Node<'t>>),
    Map(Vec<Entry<'t>>),
}

#[derive(Debug, Clone)]
pub(super) struct Scalar<'t> {
    pub text: Cow<'t, str>,
    /// Written without quotes, so that it may be a number or a truth value.
    pub plain: bool,
    /// The text stands in the file as it is, on one line, this many characters after the place's start; so that a
    /// part of it can be pointed at.
    pub offset: Option<u32>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry<'t> {
    pub key: Cow<'t, str>,
    pub at: Place,
    pub value: Node<'t>,
}

/// Nodes of one file, those of its aliases counted again at each use.
const MOST_NODES: usize = 1_000_000;
const MOST_ALIASES: usize = 100;
const DEEPEST: usize = 32;

/// The file's one document. Duplicate keys, tags and the like are findings, and the tree goes on without them; an
/// error of the syntax ends it.
pub(super) fn parse(text: &str) -> (Option<Node<'_>>, Vec<Finding>) {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        findings: Vec::new(),
        nodes: 0,
        aliases: 0,
    };
    let root = match builder.document() {
        Ok(root) => root,
        Err(Stop(finding)) => {
            builder.findings.push(finding);
            None
        }
    };
    (root, builder.findings)
}

/// Ends the reading of the file.
struct Stop(Finding);

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        let mark = error.marker();
        let at = Place { line: number(mark.line()), column: number(mark.col() + 1), length: 1 };
        Self(
            Finding::error(at, format!("not YAML: {}", error.info()))
                .hint("the rest of this file is checked when this is mended"),
        )
    }
}

struct Builder<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Node<'t>>,
    findings: Vec<Finding>,
    nodes: usize,
    aliases: usize,
}

type Item<'t> = (Event<'t>, granit_parser::Span);

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<Item<'t>, Stop> {
        match self.parser.next_event() {
            Some(item) => Ok(item?),
            None => Err(Stop(Finding::error(Place::WHOLE_FILE, "not YAML: it ends too early"))),
        }
    }

    fn document(&mut self) -> Result<Option<Node<'t>>, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event if root.is_none() => root = Some(self.node(event, span)?),
                _ => {
                    let what = "a second YAML document in one file";
                    return Err(Stop(
                        Finding::error(place(span), what).hint("put it into a file of its own"),
                    ));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: granit_parser::Span) -> Result<Node<'t>, Stop> {
        self.count(1, place(span))?;
        self.refuse_tag(&event, span);
        let anchor = event.anchor_id();
        let at = place(span);
        let node = match event {
            Event::Scalar(text, style, ..) => Node { at, value: scalar(text, style, span) },
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span)?),
                    }
                }
                Node { at, value: Value::List(items) }
            }
            Event::MappingStart(..) => Node { at, value: Value::Map(self.entries()?) },
            Event::Alias(id) => self.alias(id, at)?,
            other => {
                return Err(Stop(Finding::error(at, format!("not YAML here: {other:?}"))));
            }
        };
        if let Some(id) = anchor {
            self.anchors.insert(id, node.clone());
        }
        Ok(node)
    }

    fn entries(&mut self) -> Result<Vec<Entry<'t>>, Stop> {
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let mut seen: HashMap<Cow<'t, str>, u32> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(entries);
            }
            let key = self.node(event, span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            let at = key.at;
            let Value::Scalar(Scalar { text: key, .. }) = key.value else {
                self.findings.push(Finding::error(at, "a key must be a word"));
                continue;
            };
            if key == "<<" {
                self.findings.push(
                    Finding::error(at, "merge keys are not used in job files")
                        .hint("write the keys out, so that what is read is what runs"),
                );
                continue;
            }
            if let Some(line) = seen.get(&key) {
                let what = format!("`{key}` stands here twice, first on line {line}");
                self.findings.push(Finding::error(at, what));
                continue;
            }
            seen.insert(key.clone(), at.line);
            entries.push(Entry { key, at, value });
        }
    }

    fn alias(&mut self, id: usize, at: Place) -> Result<Node<'t>, Stop> {
        let Some(size) = self.anchors.get(&id).map(size) else {
            let what = "an alias inside of what it names";
            return Err(Stop(Finding::error(at, what)));
        };
        self.aliases += 1;
        if self.aliases > MOST_ALIASES {
            let what = format!("more than {MOST_ALIASES} aliases in one file");
            return Err(Stop(Finding::error(at, what)));
        }
        self.count(size, at)?;
        let value = self.anchors.get(&id).map_or(Value::Null, |node| node.value.clone());
        Ok(Node { at, value })
    }

    fn count(&mut self, more: usize, at: Place) -> Result<(), Stop> {
        self.nodes += more;
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        let what = format!("more than {MOST_NODES} values in one file");
        Err(Stop(Finding::error(at, what).hint("divide it into several files")))
    }

    fn refuse_tag(&mut self, event: &Event<'t>, span: granit_parser::Span) {
        if let Some(tag) = event.tag() {
            let at = span.tag_span().map_or_else(|| place(span), place);
            self.findings.push(
                Finding::error(
                    at,
                    format!("the tag `{}` is not used in job files", tag.original()),
                )
                .hint("leave it out; put quotes around a text that looks like a number"),
            );
        }
    }
}

fn size(node: &Node<'_>) -> usize {
    1 + match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| 1 + size(&entry.value)).sum(),
    }
}

fn scalar<'t>(text: Cow<'t, str>, style: ScalarStyle, span: granit_parser::Span) -> Value<'t> {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    // Borrowed: nothing was unescaped or folded.
    let as_it_is = matches!(text, Cow::Borrowed(_)) && span.start.line() == span.end.line();
    let offset = match style {
        ScalarStyle::Plain if as_it_is => Some(0),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if as_it_is => Some(1),
        _ => None,
    };
    Value::Scalar(Scalar { text, plain, offset })
}

fn place(span: granit_parser::Span) -> Place {
    let length = if span.start.line() == span.end.line() {
        span.end.index().saturating_sub(span.start.index()).max(1)
    } else {
        1
    };
    Place {
        line: number(span.start.line()),
        column: number(span.start.col() + 1),
        length: number(length),
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let (_, findings) = parse(text);
        findings
            .iter()
            .map(|f| format!("{}:{}+{} {}", f.at.line, f.at.column, f.at.length, f.what))
            .collect()
    }

    #[test]
    fn nodes_know_their_places() {
        let (node, findings) = parse("a: 1\nb:\n  - \"zwei\"\n  - {c: 三}\n");
        assert!(findings.is_empty());
        let Some(Node { value: Value::Map(entries), .. }) = node else { panic!("no map") };
        let Value::List(items) = &entries[1].value.value else { panic!("no list") };
        assert_eq!(items[0].at, Place { line: 3, column: 5, length: 6 });
        let Value::Map(inner) = &items[1].value else { panic!("no map") };
        assert_eq!(inner[0].at, Place { line: 4, column: 6, length: 1 });
        assert_eq!(inner[0].value.at, Place { line: 4, column: 9, length: 1 });
    }

    #[test]
    fn all_duplicates_and_tags_are_found() {
        let text = "a: 1\nb: !!str 2\na: 3\nc: {x: 1, x: 2}\n<<: {}\n";
        insta::assert_debug_snapshot!(findings(text), @r#"
        [
            "2:4+5 the tag `!!str` is not used in job files",
            "3:1+1 `a` stands here twice, first on line 1",
            "4:11+1 `x` stands here twice, first on line 4",
            "5:1+2 merge keys are not used in job files",
        ]
        "#);
    }

    #[test]
    fn what_could_exhaust_memory_is_refused() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg"].iter().map(|p| p.split_at(1)) {
            bomb.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(",")));
        }
        assert!(findings(&bomb)[0].contains("more than"), "{:?}", findings(&bomb));
        assert_eq!(findings(&"[".repeat(20_000)).len(), 1);
        assert_eq!(findings("a: &a [*a]")[0], "1:8+2 an alias inside of what it names");
    }

    #[test]
    fn an_error_of_the_syntax_has_its_place() {
        insta::assert_debug_snapshot!(
            [findings("a: [1, 2\nb: 3\n"), findings("a: 1\n\tb: 2\n"), findings("a: 1\n---\nb: 2\n"), findings("a: \"x\n")],
            @r#"
    [
        [
            "2:2+1 not YAML: illegal placement of ':' indicator",
        ],
        [
            "1:4+1 not YAML: while scanning a plain scalar, found a tab",
        ],
        [
            "3:1+1 a second YAML document in one file",
        ],
        [
            "1:4+1 not YAML: unclosed quote",
        ],
    ]
    "#
        );
        assert!(findings("").is_empty());
    }
}

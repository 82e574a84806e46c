//! The files as they are written: one struct for each kind of file, filled as far as the file allows.
//!
//! Nothing here knows another file. A value of the wrong form is a finding at its place, and reading goes on, so
//! that all findings of a file come at once. That is why these structs are read by [`Read`] from a tree of nodes and
//! not by a derived `Deserialize`, which ends at its first error. The JSON Schema comes from the same structs.

pub(super) mod batch;
pub(super) mod calendar;
pub(super) mod change;
pub(super) mod change_rules;
pub(super) mod duty;
pub(super) mod escalation;
pub(super) mod hosts;
pub(super) mod inspect;
pub(super) mod job;
mod leaf;
pub(super) mod people;
pub(super) mod placement;
mod record;
pub(super) mod roster_rules;
pub(super) mod service_levels;
pub(super) mod settings;
pub(super) mod site;
pub(super) mod slurm;
pub(super) mod watch;
pub(super) mod webhook;
pub(super) mod windows;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::defect::{Finding, Place};
use super::nearest;
use super::yaml::{self, Node, Scalar, Value};

pub(super) use leaf::{
    AgentWord, Announced, Growth, Leaf, MissedWord, ModeWord, RequireWord, SeasonWord, Whole, Word,
    Wrong, date,
};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub value: T,
    pub at: Place,
    /// Characters from the place's start to the text, where the text stands in the file as it is.
    offset: Option<u32>,
}

impl<T> At<T> {
    /// The place of a part of `text`, which is this value's own; of the whole value where parts cannot be told.
    pub(super) fn part(&self, text: &str, bytes: std::ops::Range<usize>) -> Place {
        let counted =
            |part: Option<&str>| part.and_then(|part| u32::try_from(part.chars().count()).ok());
        match (self.offset, counted(text.get(..bytes.start)), counted(text.get(bytes))) {
            (Some(offset), Some(before), Some(length)) => Place {
                line: self.at.line,
                column: self.at.column + offset + before,
                length: length.max(1),
            },
            _ => self.at,
        }
    }
}

/// A key of a file. What was given and is wrong has been reported; so its absence must not be.
#[derive(Debug, Clone, Default)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Bad(Place),
    Given(At<T>),
}

impl<T> Field<T> {
    /// The value, if there is one and it is good.
    pub(super) fn get(&self) -> Option<&T> {
        self.given().map(|given| &given.value)
    }

    pub(super) fn given(&self) -> Option<&At<T>> {
        match self {
            Self::Given(given) => Some(given),
            Self::Absent | Self::Bad(_) => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Where its value stands, good or bad.
    pub(super) fn at(&self) -> Option<Place> {
        match self {
            Self::Absent => None,
            Self::Bad(at) => Some(*at),
            Self::Given(given) => Some(given.at),
        }
    }

    fn read(node: &Node<'_>, to: &mut Reader) -> Self
    where
        T: Read,
    {
        if matches!(node.value, Value::Null) && !T::NULL {
            to.findings.push(
                Finding::error(node.at, "this key has no value")
                    .hint("leave the key out, or give it a value"),
            );
            return Self::Bad(node.at);
        }
        let offset = match &node.value {
            Value::Scalar(scalar) => scalar.offset,
            _ => None,
        };
        match T::read(node, to) {
            Some(value) => Self::Given(At { value, at: node.at, offset }),
            None => Self::Bad(node.at),
        }
    }
}

impl<T: Copy + Default> Field<T> {
    pub(super) fn or_default(&self) -> T {
        self.or(T::default())
    }
}

impl<T: Copy> Field<T> {
    pub(super) fn or(&self, default: T) -> T {
        self.get().copied().unwrap_or(default)
    }
}

/// What the JSON Schema says of it: of a struct a reference, of anything else itself.
pub(super) trait Shape {
    fn shape(generator: &mut SchemaGenerator) -> Schema;
}

/// Something that stands in a file.
pub(super) trait Read: Sized + Shape {
    /// Whether no value is a value too.
    const NULL: bool = false;

    /// `None` when nothing could be made of it, which has then been reported.
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self>;
}

/// Takes the findings of one file.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub findings: Vec<Finding>,
}

impl Reader {
    fn wrong(&mut self, node: &Node<'_>, expected: &str) {
        let what = format!("expected {expected}, found {}", found(node));
        self.findings.push(Finding::error(node.at, what));
    }

    fn scalar<'n, 't>(&mut self, node: &'n Node<'t>, expected: &str) -> Option<&'n Scalar<'t>> {
        if let Value::Scalar(scalar) = &node.value {
            return Some(scalar);
        }
        self.wrong(node, expected);
        None
    }

    fn map<'n, 't>(&mut self, node: &'n Node<'t>, expected: &str) -> Option<&'n [yaml::Entry<'t>]> {
        if let Value::Map(entries) = &node.value {
            return Some(entries);
        }
        self.wrong(node, expected);
        None
    }

    fn unknown_key(&mut self, entry: &yaml::Entry<'_>, keys: &[&str]) {
        let hint = nearest::hint(&entry.key, keys.iter().copied())
            .unwrap_or_else(|| format!("known keys: {}", keys.join(", ")));
        self.findings
            .push(Finding::error(entry.at, format!("unknown key `{}`", entry.key)).hint(hint));
    }
}

fn found(node: &Node<'_>) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Scalar(scalar) if scalar.text.chars().count() <= 40 => format!("`{}`", scalar.text),
        Value::Scalar(_) => "a text".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}

/// Reads a whole file. `None` where it is empty or its syntax broken, which has been reported.
pub(super) fn file<T: Read>(text: &str) -> (Option<T>, Vec<Finding>) {
    let (node, findings) = yaml::parse(text);
    let mut reader = Reader { findings };
    let Some(node) = node else {
        if reader.findings.is_empty() {
            reader.findings.push(Finding::error(Place::WHOLE_FILE, "the file is empty"));
        }
        return (None, reader.findings);
    };
    let value = T::read(&node, &mut reader);
    (value, reader.findings)
}

/// A list; a bad item is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct List<T>(pub Vec<At<T>>);

impl<T: Read> Read for List<T> {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        let Value::List(items) = &node.value else {
            let what = format!("expected a list, found {}", found(node));
            let hint = match &node.value {
                Value::Scalar(scalar) => format!("write `[{}]`", scalar.text),
                _ => "write the items in brackets, or each after `- `".to_owned(),
            };
            to.findings.push(Finding::error(node.at, what).hint(hint));
            return None;
        };
        let read = |item| match Field::read(item, to) {
            Field::Given(given) => Some(given),
            Field::Absent | Field::Bad(_) => None,
        };
        Some(Self(items.iter().filter_map(read).collect()))
    }
}

/// One, or a list of them.
#[derive(Debug, Clone, Default)]
pub(super) struct OneOrMore<T>(pub Vec<At<T>>);

impl<T: Read> Read for OneOrMore<T> {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        if matches!(node.value, Value::List(_)) {
            return List::read(node, to).map(|list| Self(list.0));
        }
        let offset = match &node.value {
            Value::Scalar(scalar) => scalar.offset,
            _ => None,
        };
        Some(Self(vec![At { value: T::read(node, to)?, at: node.at, offset }]))
    }
}

/// Names with what each stands for, in the order of the file; a bad one is left out.
#[derive(Debug, Clone)]
pub(super) struct Names<K, V>(pub Vec<Named<K, V>>);

#[derive(Debug, Clone)]
pub(super) struct Named<K, V> {
    pub key: At<K>,
    /// `Bad` where it was reported, never `Absent`.
    pub value: Field<V>,
}

impl<K, V> Default for Names<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Names<K, V> {
    /// Those whose value could be read.
    pub(super) fn good(&self) -> impl Iterator<Item = (&At<K>, &V)> {
        self.0.iter().filter_map(|named| Some((&named.key, named.value.get()?)))
    }
}

impl<K: Leaf, V: Read> Read for Names<K, V> {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        let entries = to.map(node, "names with their values")?;
        let mut names = Vec::with_capacity(entries.len());
        for entry in entries {
            let value = Field::read(&entry.value, to);
            match K::parse(&entry.key) {
                Ok(key) => {
                    names.push(Named { key: At { value: key, at: entry.at, offset: None }, value })
                }
                Err(wrong) => to.findings.push(wrong.finding(entry.at)),
            }
        }
        Some(Self(names))
    }
}

/// A value that may be left empty.
#[derive(Debug, Clone)]
pub(super) struct Nullable<T>(pub Option<T>);

impl<T: Read> Read for Nullable<T> {
    const NULL: bool = true;

    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Null => Some(Self(None)),
            _ => T::read(node, to).map(|value| Self(Some(value))),
        }
    }
}

impl<T: Read> Shape for List<T> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::shape(generator) })
    }
}

impl<T: Read> Shape for OneOrMore<T> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [T::shape(generator), List::<T>::shape(generator)] })
    }
}

impl<K: Leaf, V: Read> Shape for Names<K, V> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": K::shape(generator),
            "additionalProperties": V::shape(generator),
        })
    }
}

impl<T: Read> Shape for Nullable<T> {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [T::shape(generator), { "type": "null" }] })
    }
}

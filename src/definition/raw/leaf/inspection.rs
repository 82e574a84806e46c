//! Values of inspections.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::{Read, Reader, Shape};
use super::{Leaf, Wrong, leaf};
use crate::definition::nearest;
use crate::definition::site::MemoryOf;
use crate::definition::yaml::Node;
use crate::types::{Reading, Worse};

words! {
    MemoryOf { "ram" => Self::Ram, "swap" => Self::Swap }
    Worse { "more" => Self::More, "less" => Self::Less }
}

schema!(Reading, { "type": "number" });

impl Read for Reading {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        const EXPECTED: &str = "a number";
        let scalar = to.scalar(node, EXPECTED)?;
        let number = scalar.text.parse().ok().filter(|_| scalar.plain).and_then(Self::new);
        if number.is_none() {
            to.wrong(node, EXPECTED);
        }
        number
    }
}

//! A figure of the service levels that a person has entered.

use std::collections::BTreeMap;

use crate::core::fact::Fact;
use crate::core::figure::FigureEntered;
use crate::types::{FigureName, PersonId};

pub(super) fn facts() -> Vec<Fact> {
    let name = |name: &str| FigureName::new(name).unwrap();
    let parts = BTreeMap::from([(name("lost-key-documents"), 1), (name("errors"), 7)]);
    vec![Fact::FigureEntered(Box::new(FigureEntered {
        figure: name("document-errors"),
        period: "2026-Q3".parse().unwrap(),
        number: 2,
        value: "2".parse().unwrap(),
        parts,
        by: PersonId::new("li-wei").unwrap(),
        source: "第三季度文档检查".to_owned(),
    }))]
}

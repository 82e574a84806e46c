//! `host:` of a job or a batch.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::record::record;
use super::{Read, Reader, Shape};
use crate::definition::site::Choose;
use crate::definition::yaml::{Node, Value};
use crate::types::{HostName, JobName, Label};

/// The name of a host, or what its host must be.
#[derive(Debug)]
pub(crate) enum Placed {
    On(HostName),
    Where(Box<WhereRecord>),
}

record! {
    /// One of several hosts: exactly one of label and same_as.
    pub(crate) struct WhereRecord {
        /// One of the hosts that have this label.
        optional label: Label,
        /// Of several that could all take the job: least-busy (default), or round-robin.
        optional choose: Choose,
        /// The host on which the last attempt of this job ran, which it needs.
        optional same_as: JobName,
    }
}

impl Read for Placed {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Map(_) => WhereRecord::read(node, to).map(|found| Self::Where(Box::new(found))),
            _ => HostName::read(node, to).map(Self::On),
        }
    }
}

impl Shape for Placed {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [HostName::shape(generator), WhereRecord::shape(generator)] })
    }
}

//! Who runs a job: Slurm, with what it is asked for.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::leaf::{Whole, Word};
use super::record::record;
use super::{List, Nullable, Read, Reader, Shape};
use crate::definition::byte_size::ByteSize;
use crate::definition::yaml::{Node, Value};
use crate::types::Span;

record! {
    /// What is given to sbatch, and how the job is followed.
    pub(crate) struct SlurmRecord {
        /// The cluster's by default.
        optional partition: Word,
        /// The account of Slurm that pays; the user's by default.
        optional account: Word,
        /// How many tasks it is given room for. Default: 1.
        optional tasks: Whole<1, 1_000_000>,
        /// Memory on each node.
        optional memory: ByteSize,
        /// An array job: the numbers of its tasks, such as 0-9 or 0-99%4.
        optional array: Word,
        /// Further options of sbatch, each --name or --name=value.
        optional options: List<Word>,
        /// The longest time between two questions to Slurm. Default: 10s.
        optional every: Span,
        /// How long nobody may know of a submitted job until it counts as unknown, and how long one may stay pending that Slurm
        /// will not start as it is. Default: 5m.
        optional patience: Span,
    }
}

record! {
    /// An engine with its settings.
    pub(crate) struct NamedEngine {
        required slurm: Nullable<SlurmRecord>,
    }
}

/// `slurm`, or `{slurm: {…}}`.
#[derive(Debug, Default)]
pub(crate) struct EngineRecord(pub SlurmRecord);

impl Read for EngineRecord {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Scalar(scalar) if scalar.text == "slurm" => Some(Self::default()),
            Value::Map(_) => {
                let named = NamedEngine::read(node, to)?;
                match named.slurm {
                    super::Field::Given(given) => Some(Self(given.value.0.unwrap_or_default())),
                    super::Field::Absent | super::Field::Bad(_) => None,
                }
            }
            _ => {
                to.wrong(node, "`slurm`, or `{slurm: …}` with its settings");
                None
            }
        }
    }
}

impl Shape for EngineRecord {
    fn shape(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": ["slurm"] }, NamedEngine::shape(generator)] })
    }
}

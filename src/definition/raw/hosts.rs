//! `hosts.yaml`.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names, Read, Reader, Shape};
use crate::definition::defect::Finding;
use crate::definition::yaml::Node;
use crate::types::{HostName, Label, PoolName, Span};

record! {
    /// hosts.yaml: the hosts that jobs run on; `local`, the supervisor's own, is there by itself.
    pub(crate) struct HostsFile {
        /// The format of the file: 1.
        required version: Version,
        required hosts: Names<HostName, HostRecord>,
    }
}

record! {
    /// A host that jobs run on.
    pub(crate) struct HostRecord {
        /// What people are told in place of its name.
        optional title: Word,
        optional title_zh: Word,
        /// What ssh is told: a name, an address, or a Host of the user's ssh configuration. Default: the host's name.
        optional address: Word,
        /// Whom ssh becomes there. Default: as ssh itself decides.
        optional user: Word,
        /// Default: as ssh itself decides.
        optional port: Whole<1, 65_535>,
        /// Further words of the ssh program.
        optional ssh: List<Word>,
        /// Of that host: program, agent, copies and work lie there; beneath the user's home there when relative. Default:
        /// .nightrun.
        optional folder: Word,
        /// What jobs may ask for in place of its name.
        optional labels: List<Label>,
        /// Attempts at a time. Default: 16.
        optional max_running: Whole<1, 10_000>,
        /// Counted resources of this host alone.
        optional pools: Names<PoolName, Whole<1, 100_000>>,
        /// Accounts that jobs may become there.
        optional users: List<Word>,
        /// Whether runs with a set clock may use it. Default: false.
        optional trial: bool,
        /// How long it may be away before that is an incident. Default: 1m.
        optional away_after: Span,
    }
}

/// `hosts:` of `site.yaml`, where they stood once.
#[derive(Debug, Clone)]
pub(crate) struct MovedHosts;

impl Read for MovedHosts {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        let finding = Finding::error(node.at, "hosts have a file of their own");
        to.findings.push(finding.hint("move it to hosts.yaml, beneath `version: 1`"));
        None
    }
}

impl Shape for MovedHosts {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!(false)
    }
}

//! On which host a job runs.

use serde::{Deserialize, Serialize};

use super::{Batch, Job, Site};
use crate::types::{HostName, JobName, Label};

/// Where a job runs. As it was stored before there was more than a name, that name alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Placement {
    On(HostName),
    /// On one of the hosts with a label.
    Among {
        label: Label,
        #[serde(default)]
        choose: Choose,
    },
    /// Where the last attempt of a job of its batch ran, which it needs.
    SameAs {
        #[serde(rename = "same_as")]
        job: JobName,
    },
}

/// Which of several hosts that could all take a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// With the fewest attempts for each that it may run at a time; of several the first by name.
    #[default]
    LeastBusy,
    /// By name, the next after the one that was chosen last for the label.
    RoundRobin,
}

impl From<HostName> for Placement {
    fn from(host: HostName) -> Self {
        Self::On(host)
    }
}

impl std::fmt::Display for Placement {
    /// As an operator reads it; on its own it is no form of a file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::On(host) => host.fmt(f),
            Self::Among { label, .. } => write!(f, "label {label}"),
            Self::SameAs { job } => write!(f, "as {job}"),
        }
    }
}

impl Site {
    /// Hosts that have a label, by name.
    pub fn labelled<'a>(&'a self, label: &Label) -> impl Iterator<Item = &'a HostName> {
        let label = label.clone();
        let hosts = self.hosts.iter().filter(move |(_, host)| host.labels.contains(&label));
        hosts.map(|(name, _)| name)
    }

    /// Every host that a job of a batch may ever run on, by name.
    pub fn hosts_of<'a>(&'a self, batch: &'a Batch, job: &'a Job) -> Vec<&'a HostName> {
        let mut job = job;
        // What a job needs goes round in no circle, in a site without defects.
        for _ in 0..=batch.jobs.len() {
            match &job.host {
                Placement::On(host) => return vec![host],
                Placement::Among { label, .. } => return self.labelled(label).collect(),
                Placement::SameAs { job: other } => match batch.job(other) {
                    Some(other) => job = other,
                    None => break,
                },
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_stored_as_files_write_it_and_a_bare_name_is_a_host() {
        let label = Label::new("reporting").unwrap();
        for (text, placement) in [
            (r#""local""#, Placement::On(HostName::local())),
            (
                r#"{"label":"reporting","choose":"least-busy"}"#,
                Placement::Among { label: label.clone(), choose: Choose::LeastBusy },
            ),
            (
                r#"{"label":"reporting","choose":"round-robin"}"#,
                Placement::Among { label, choose: Choose::RoundRobin },
            ),
            (r#"{"same_as":"load"}"#, Placement::SameAs { job: JobName::new("load").unwrap() }),
        ] {
            assert_eq!(serde_json::from_str::<Placement>(text).unwrap(), placement);
            assert_eq!(serde_json::to_string(&placement).unwrap(), text);
        }
    }
}

//! `people.yaml`.

use super::leaf::Word;
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::types::{ChannelName, Lang, PersonId, Phone, Role, TeamName};

record! {
    /// people.yaml: every person once.
    pub(crate) struct PeopleFile {
        /// The format of the file: 1.
        required version: Version,
        /// People by a stable id that never changes.
        required people: Names<PersonId, PersonRecord>,
        /// Teams by name; once there are any, a person's team is one of them.
        optional teams: Names<TeamName, TeamRecord>,
    }
}

record! {
    /// A person.
    pub(crate) struct PersonRecord {
        required name: Word,
        optional name_zh: Word,
        /// Mail address.
        optional mail: Word,
        /// Telephone number, shown where people are named who are on shift.
        optional phone: Phone,
        /// The webhook that reaches this person, by its name.
        optional webhook: ChannelName,
        /// Language of mails to this person; the site's by default.
        optional language: Lang,
        optional team: TeamName,
        /// Such as `duty`, which gets failure mails where the site says so.
        optional roles: List<Role>,
        /// The account on the supervisor's host that speaks for this person.
        optional unix_user: Word,
    }
}

record! {
    /// A team.
    pub(crate) struct TeamRecord {
        required title: Word,
        optional title_zh: Word,
        optional lead: PersonId,
    }
}

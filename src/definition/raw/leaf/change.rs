//! Values of changes and their rules.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::{Read, Reader, Shape};
use super::{Leaf, Wrong, leaf};
use crate::definition::nearest;
use crate::definition::site::{
    Before, ChangeClass, ChangeKind, ChangeMode, Moment, Part, StepWord,
};
use crate::definition::yaml::Node;

words! {
    ChangeClass {
        "data" => Self::Data,
        "structure" => Self::Structure,
        "parameter" => Self::Parameter,
        "bug-fix" => Self::BugFix,
        "release" => Self::Release,
    }
    ChangeKind { "normal" => Self::Normal, "emergency" => Self::Emergency }
    ChangeMode { "transactional" => Self::Transactional, "journalled" => Self::Journalled }
    Part {
        "requester" => Self::Requester,
        "author" => Self::Author,
        "reviewer" => Self::Reviewer,
        "approver" => Self::Approver,
        "executor" => Self::Executor,
        "watcher" => Self::Watcher,
    }
    StepWord {
        "create" => Self::Create,
        "assign" => Self::Assign,
        "submit" => Self::Submit,
        "return" => Self::Return,
        "withdraw" => Self::Withdraw,
        "schedule" => Self::Schedule,
        "decide" => Self::Decide,
        "feed-back" => Self::FeedBack,
        "close" => Self::Close,
        "archive" => Self::Archive,
        "release" => Self::Release,
        "watch" => Self::Watch,
    }
    Before { "submission" => Self::Submission, "start" => Self::Start, "close" => Self::Close }
}

leaf!(Moment, "a time after an execution", {
    "anyOf": [{"const": "open"}, {"type": "string", "pattern": "^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$"}],
    "examples": ["open", "3d"],
}, |text| match text {
    "open" => Ok(Self::Open),
    _ => text.parse().map(Self::After).map_err(|_| {
        let wrong = Wrong::new(format!("`{text}` is no time after an execution"));
        wrong.hint("write `open` for the next opening of its markets, or a duration such as `3d`")
    }),
});

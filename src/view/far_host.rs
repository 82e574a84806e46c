//! What `nightrun host check` finds of another host: what that host says of itself, and what is seen from here.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::health::Grade;
use crate::types::{ClockDifference, HostName};

/// What a host says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLook {
    pub release: String,
    /// SHA-256 of its nightrun, in hex.
    pub digest: String,
    pub at: Timestamp,
    /// Whom nightrun is there.
    pub account: String,
    /// Those that were asked after.
    pub users: Vec<UserThere>,
    pub found: Vec<Said>,
}

/// An account that jobs are to become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserThere {
    pub name: String,
    /// Why its agent cannot become it.
    pub why_not: Option<String>,
}

/// A finding in the words of its own nightrun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub grade: Grade,
    pub part: String,
    pub text: String,
}

/// What is seen from here.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "finding")]
pub enum Seen {
    Reached {
        host: HostName,
        account: String,
        took_ms: u64,
    },
    NotReached {
        host: HostName,
        why: String,
    },
    SameProgram {
        release: String,
    },
    OtherProgram {
        host: HostName,
        release: String,
        own: String,
    },
    /// The clock there less that of here, and what the asking may have made of it.
    Clock(ClockDifference),
    UserThere {
        user: String,
    },
    NoUser {
        user: String,
        why: String,
    },
}

impl Seen {
    /// Of a host that has answered: asked at `asked`, answered so long after.
    pub fn of(
        host: &HostName,
        look: &HostLook,
        (asked, took): (Timestamp, Duration),
        own_digest: &str,
    ) -> Vec<Self> {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let account = look.account.clone();
        let release = look.release.clone();
        let program = match look.digest == own_digest {
            true => Self::SameProgram { release },
            false => Self::OtherProgram {
                host: host.clone(),
                release,
                own: crate::wire::release().to_owned(),
            },
        };
        let users = look.users.iter().map(|user| match user.why_not.clone() {
            None => Self::UserThere { user: user.name.clone() },
            Some(why) => Self::NoUser { user: user.name.clone(), why },
        });
        [
            Self::Reached { host: host.clone(), account, took_ms: ms(took) },
            program,
            Self::Clock(ClockDifference::between(asked, took, look.at)),
        ]
        .into_iter()
        .chain(users)
        .collect()
    }

    pub fn grade(&self) -> Grade {
        match self {
            Self::Clock(difference) if difference.matters() => Grade::Warn,
            Self::OtherProgram { .. } => Grade::Warn,
            Self::NotReached { .. } | Self::NoUser { .. } => Grade::Fail,
            _ => Grade::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_goes_by_what_the_host_says() {
        let host = HostName::new("db1").unwrap();
        let asked: Timestamp = "2026-11-28T02:00:00Z".parse().unwrap();
        let users = vec![
            UserThere { name: "batch".into(), why_not: None },
            UserThere { name: "oracle".into(), why_not: Some("no such user".into()) },
        ];
        let look = HostLook {
            release: "0.1.0".into(),
            digest: "ab".into(),
            at: "2026-11-28T02:00:10.5Z".parse().unwrap(),
            account: "root".into(),
            users,
            found: Vec::new(),
        };
        let seen = Seen::of(&host, &look, (asked, Duration::from_secs(1)), "cd");
        let grades: Vec<Grade> = seen.iter().map(Seen::grade).collect();
        // Reached, another program, ten seconds ahead, one user, none.
        assert_eq!(grades, [Grade::Ok, Grade::Warn, Grade::Warn, Grade::Ok, Grade::Fail]);
        assert!(seen.contains(&Seen::Clock(ClockDifference { ahead_ms: 10_000, within_ms: 500 })));
    }
}

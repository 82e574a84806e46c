//! What incidents are told apart by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A word of a fixed list, as files, journal, API and mails write it.
macro_rules! word {
    ($(#[$doc:meta])* $type:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Serialize,
            Deserialize,
            schemars::JsonSchema,
        )]
        pub enum $type {
            $($(#[$about])* #[serde(rename = $word)] $variant,)*
        }

        impl $type {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|word| word.name() == text).copied();
                found.ok_or_else(|| {
                    let words: Vec<&str> = Self::ALL.iter().map(|word| word.name()).collect();
                    format!("`{text}` is none of {}", words.join(", "))
                })
            }
        }
    };
}
pub(super) use word;

word! {
    /// How grave an incident (事件) is: the first is the gravest.
    Severity {
        P1 = "p1",
        P2 = "p2",
        P3 = "p3",
    }
}

word! {
    /// What kind of an incident it is; each has limits of its own (E3).
    IncidentKind {
        /// Something is broken (故障).
        Fault = "fault",
        /// Somebody asks for something (服务请求).
        Request = "request",
        /// A cause that is listed, to be mended for good (问题).
        Problem = "problem",
        /// Nothing is broken: how an alarm is answered is tried, and measured by itself (演练).
        Drill = "drill",
    }
}

word! {
    /// What has to be done about an incident in time (E3, E4).
    ClockKind {
        /// Somebody acknowledges it.
        Response = "response",
        /// A third party is brought in.
        ThirdParty = "third-party",
        /// Somebody is on site.
        OnSite = "on-site",
        /// It is over.
        Solution = "solution",
        /// The incident report is handed in.
        Report = "report",
    }
}

//! The single values of job files: how each is read from its text, and its JSON Schema.

use jiff::civil::{Date, DateTime, Time};
use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::byte_size::ByteSize;
use super::super::day_words::{DayWords, WeekdaySet};
use super::super::defect::{Finding, Place};
use super::super::nearest;
use super::super::site::{
    Choose, Containment, EndingKind, FoldPolicy, GapPolicy, ReportFormat, ServerTls, Survivors,
    Tls, Transaction, TwoPeople,
};
use super::super::yaml::{Node, Value};
use super::{Read, Reader, Shape};
use crate::types::{
    BatchId, CalendarName, ChangeId, ChannelName, CheckName, DrillName, EventName, FigureName,
    HostName, IncidentKind, JobName, Label, Lang, MarketName, PersonId, PolicyName, PoolName,
    ProductLine, Right, Role, Severity, ShiftName, Span, TargetName, TeamName, WindowClass, Zone,
};

/// Why a text is not what it should be.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub what: String,
    pub hint: Option<String>,
}

impl Wrong {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn finding(self, at: Place) -> Finding {
        Finding::error(at, self.what).maybe_hint(self.hint)
    }
}

/// A value that is one text.
pub(crate) trait Leaf: Sized + Shape {
    fn parse(text: &str) -> Result<Self, Wrong>;
}

pub(super) fn leaf<T: Leaf>(node: &Node<'_>, to: &mut Reader, expected: &str) -> Option<T> {
    let scalar = to.scalar(node, expected)?;
    match T::parse(&scalar.text) {
        Ok(value) => Some(value),
        Err(wrong) => {
            to.findings.push(wrong.finding(node.at));
            None
        }
    }
}

macro_rules! schema {
    ($type:ident, $schema:tt) => {
        impl Shape for $type {
            fn shape(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// A type that reads itself from a text.
macro_rules! leaf {
    ($type:ident, $expected:literal, $schema:tt, $parse:expr) => {
        impl Leaf for $type {
            fn parse(text: &str) -> Result<Self, Wrong> {
                let parse: fn(&str) -> Result<Self, Wrong> = $parse;
                parse(text)
            }
        }

        impl Read for $type {
            fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
                leaf(node, to, $expected)
            }
        }

        schema!($type, $schema);
    };
}

macro_rules! names {
    ($($type:ident),*) => {$(
        leaf!($type, "a name", { "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$" }, |text| {
            $type::new(text).map_err(|error| Wrong::new(error.to_string()))
        });
    )*};
}

names!(
    BatchId,
    CalendarName,
    ChangeId,
    ChannelName,
    CheckName,
    DrillName,
    EventName,
    FigureName,
    HostName,
    JobName,
    Label,
    MarketName,
    PersonId,
    PolicyName,
    PoolName,
    ProductLine,
    Role,
    ShiftName,
    TargetName,
    TeamName,
    WindowClass
);

/// Words that stand for values, each with the nearest one as a hint.
macro_rules! words {
    ($($type:ident { $($word:literal => $value:expr),* $(,)? })*) => {$(
        leaf!($type, "a word", { "enum": [$($word),*] }, |text| match text {
            $($word => Ok($value),)*
            _ => {
                let words = [$($word),*];
                let hint = nearest::hint(text, words)
                    .unwrap_or_else(|| format!("one of: {}", words.join(", ")));
                Err(Wrong::new(format!("`{text}` is not known here")).hint(hint))
            }
        });
    )*};
}

/// Those of changes.
mod change;
/// Those of the ways in which people are told.
mod channel;
/// Those of people, shifts and rosters.
mod duty;
/// Those of inspections.
mod inspection;
/// Those of service levels.
mod service_level;

pub(crate) use duty::Announced;

words! {
    Lang { "en" => Self::En, "zh" => Self::Zh }
    ReportFormat {
        "html" => Self::Html,
        "text" => Self::Text,
        "pdf" => Self::Pdf,
        "xlsx" => Self::Xlsx,
    }
    ServerTls { "none" => Self::None, "require" => Self::Require }
    Tls { "none" => Self::None, "start-tls" => Self::StartTls, "implicit" => Self::Implicit }
    Choose { "least-busy" => Self::LeastBusy, "round-robin" => Self::RoundRobin }
    Containment {
        "retry" => Self::Retry,
        "kill" => Self::Kill,
        "skip" => Self::Skip,
        "force" => Self::Force,
        "hold" => Self::Hold,
    }
    TwoPeople {
        "force" => Self::Force,
        "window-override" => Self::WindowOverride,
        "unfreeze" => Self::Unfreeze,
        "kill-change" => Self::KillChange,
    }
    Right {
        "read" => Self::Read,
        "logs" => Self::Logs,
        "operate" => Self::Operate,
        "order" => Self::Order,
        "house" => Self::House,
        "second" => Self::Second,
        "events" => Self::Events,
        "respond" => Self::Respond,
        "changes" => Self::Changes,
        "admin" => Self::Admin,
    }
    GapPolicy { "shift" => Self::Shift, "skip" => Self::Skip }
    FoldPolicy { "first" => Self::First, "second" => Self::Second, "both" => Self::Both }
    MissedWord { "none" => Self::None, "latest" => Self::Latest, "all" => Self::All }
    RequireWord { "any" => Self::Any, "clean" => Self::Clean }
    ModeWord { "serve" => Self::Serve, "observe" => Self::Observe }
    AgentWord { "start" => Self::Start, "await" => Self::Await }
    SeasonWord { "daylight" => Self::Daylight, "standard" => Self::Standard }
    Transaction { "one" => Self::One, "none" => Self::None }
    Survivors { "kill" => Self::Kill, "leave" => Self::Leave }
    Severity { "p1" => Self::P1, "p2" => Self::P2, "p3" => Self::P3 }
    IncidentKind {
        "fault" => Self::Fault,
        "request" => Self::Request,
        "problem" => Self::Problem,
        "drill" => Self::Drill,
    }
    EndingKind {
        "exit" => Self::Exit,
        "signal" => Self::Signal,
        "timeout" => Self::Timeout,
        "output-limit" => Self::OutputLimit,
        "could-not-start" => Self::CouldNotStart,
        "lost" => Self::Lost,
        "unknown" => Self::Unknown,
    }
}

/// What a supervisor does at the time of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModeWord {
    Serve,
    Observe,
}

/// Where an agent comes from that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentWord {
    Start,
    Await,
}

/// Which job files count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequireWord {
    Any,
    Clean,
}

/// `missed:` before its limit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissedWord {
    None,
    Latest,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeasonWord {
    Daylight,
    Standard,
}

leaf!(Span, "a duration", {
    "type": "string",
    "pattern": "^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$",
    "examples": ["90s", "15m", "1h30m", "2d"],
}, |text| match text.parse() {
    Ok(span) => Ok(span),
    Err(error) => Err(Wrong::new(error.to_string())),
});

leaf!(Zone, "a time zone", { "type": "string", "examples": ["Europe/Berlin", "Asia/Shanghai"] }, |text| {
    Zone::named(text).map_err(|_| {
        let wrong = Wrong::new(format!("unknown time zone `{text}`"));
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        match nearest::hint(text, known.iter().map(String::as_str)) {
            Some(hint) => wrong.hint(hint),
            None => wrong.hint("use an IANA name such as `Asia/Shanghai`"),
        }
    })
});

leaf!(Time, "a clock time", {
    "type": "string",
    "pattern": "^([01]\\d|2[0-3]):[0-5]\\d$",
    "examples": ["21:30"],
}, |text| clock(text).ok_or_else(|| {
    let wrong = Wrong::new(format!("`{text}` is not a clock time"));
    wrong.hint("write it as `\"21:30\"`, from 00:00 to 23:59")
}));

/// `HH:MM`.
pub(crate) fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| -> Option<i8> {
        let good = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        good.then(|| part.parse().ok()).flatten()
    };
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

leaf!(Date, "a date", { "type": "string", "format": "date" }, |text| {
    date(text).ok_or_else(|| {
        Wrong::new(format!("`{text}` is not a date")).hint("write it as `2026-10-30`")
    })
});

/// `YYYY-MM-DD` and nothing else that a lenient parser would take for a date.
pub(crate) fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let form = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
    form.then(|| text.parse().ok()).flatten()
}

leaf!(DateTime, "a date with a time", {
    "type": "string",
    "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}$",
    "examples": ["2026-12-29T00:00"],
}, |text| {
    let parsed = text
        .split_once('T')
        .and_then(|(day, time)| Some(date(day)?.to_datetime(clock(time)?)));
    parsed.ok_or_else(|| {
        let wrong = Wrong::new(format!("`{text}` is not a date with a time"));
        wrong.hint("write it as `\"2026-12-29T00:00\"`")
    })
});

leaf!(ByteSize, "a size", {
    "type": "string",
    "pattern": "^\\d+ ?(KiB|MiB|GiB)$",
    "examples": ["64MiB"],
}, |text| match text.parse() {
    Ok(size) => Ok(size),
    Err(error) => Err(Wrong::new(error.to_string())),
});

leaf!(DayWords, "days in words", {
    "type": "string",
    "examples": [
        "every day", "every business day", "mon-fri", "mon,wed,sat", "2026-10-31",
        "last business day of month", "3rd business day of week", "last business day of quarter -1bd",
    ],
}, |text| text.parse().map_err(|error: super::super::day_words::InvalidDayWords| {
    Wrong { what: error.to_string(), hint: Some(error.hint()) }
}));

impl Read for WeekdaySet {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        let mut set = Self::default();
        let Value::List(items) = &node.value else {
            return leaf(node, to, "days of the week such as `mon-fri`, or a list of them");
        };
        let before = to.findings.len();
        for item in items {
            if let Some(days) = leaf::<Self>(item, to, "a day of the week") {
                set = set.or(days);
            }
        }
        (to.findings.len() == before).then_some(set)
    }
}

impl Leaf for WeekdaySet {
    fn parse(text: &str) -> Result<Self, Wrong> {
        text.parse().map_err(|error: super::super::day_words::InvalidDayWords| {
            Wrong::new(error.why).hint("write `mon-fri` or `mon,wed,sat`")
        })
    }
}

schema!(WeekdaySet, {
    "anyOf": [
        { "type": "string", "examples": ["mon-fri", "mon,wed,sat"] },
        { "type": "array", "items": { "enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] } },
    ],
});

leaf!(String, "a text", { "type": ["string", "number", "boolean"] }, |text| Ok(text.to_owned()));

/// A text that is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word(pub String);

leaf!(Word, "a text", { "type": "string", "minLength": 1 }, |text| match text.trim() {
    "" => Err(Wrong::new("this text is empty")),
    _ => Ok(Self(text.to_owned())),
});

/// The name of a parameter of a batch; the rule for names holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Parameter(pub String);

leaf!(Parameter, "a name", { "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$" }, |text| {
    if super::super::braced_words::BUILT_IN.contains(&text) {
        return Err(Wrong::new(format!("`{text}` is set by nightrun itself")).hint("choose another name"));
    }
    match JobName::new(text) {
        Ok(name) => Ok(Self(name.as_str().to_owned())),
        Err(error) => Err(Wrong::new(error.to_string())),
    }
});

/// The name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Environ(pub String);

leaf!(Environ, "the name of an environment variable", {
    "type": "string",
    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
}, |text| {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Wrong::new(format!("`{text}` is not the name of an environment variable"))
            .hint("use letters, digits and `_`, not beginning with a digit"));
    }
    if text.starts_with("NIGHTRUN_") {
        return Err(Wrong::new(format!("`{text}` is set by nightrun itself"))
            .hint("names that begin with `NIGHTRUN_` are taken; choose another"));
    }
    Ok(Self(text.to_owned()))
});

schema!(bool, { "type": "boolean" });

impl Read for bool {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        let scalar = to.scalar(node, "`true` or `false`")?;
        match &*scalar.text {
            "true" if scalar.plain => Some(true),
            "false" if scalar.plain => Some(false),
            _ => {
                to.wrong(node, "`true` or `false`");
                None
            }
        }
    }
}

/// A whole number between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const LEAST: i64, const MOST: i64>(pub i64);

impl<const LEAST: i64, const MOST: i64> Whole<LEAST, MOST> {
    /// The number, which the bounds keep within `u32` wherever this is asked for.
    pub(crate) fn to_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    pub(crate) fn to_i32(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }

    pub(crate) fn to_u64(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

impl<const LEAST: i64, const MOST: i64> Read for Whole<LEAST, MOST> {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        let expected = match LEAST == MOST {
            true => format!("`{LEAST}`"),
            false => format!("a whole number from {LEAST} to {MOST}"),
        };
        let scalar = to.scalar(node, &expected)?;
        let number = scalar.text.parse().ok().filter(|_| scalar.plain);
        match number.filter(|number| (LEAST..=MOST).contains(number)) {
            Some(number) => Some(Self(number)),
            None => {
                to.wrong(node, &expected);
                None
            }
        }
    }
}

impl<const LEAST: i64, const MOST: i64> Shape for Whole<LEAST, MOST> {
    fn shape(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

/// How much longer each wait is than the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Growth(pub f64);

schema!(Growth, { "type": "number", "minimum": 1, "maximum": 100 });

impl Read for Growth {
    fn read(node: &Node<'_>, to: &mut Reader) -> Option<Self> {
        const EXPECTED: &str = "a number from 1 to 100";
        let scalar = to.scalar(node, EXPECTED)?;
        let number: Option<f64> = scalar.text.parse().ok().filter(|_| scalar.plain);
        match number.filter(|number| (1.0..=100.0).contains(number)) {
            Some(number) => Some(Self(number)),
            None => {
                to.wrong(node, EXPECTED);
                None
            }
        }
    }
}

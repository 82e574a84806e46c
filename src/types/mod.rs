//! Layer 0: the vocabulary. Ids, dates, durations, endings, people: checked values that do nothing.
//!
//! Every other module may import from here; this one imports from nobody.

#[macro_use]
mod schema;
mod attempt;
mod business_date;
mod clock_difference;
mod credential;
mod duration;
mod ending;
mod event_key;
mod figure;
mod hand_over;
mod id;
mod incident;
mod inspection;
mod life_sign;
mod month;
mod now;
mod outcome;
mod period;
mod phone;
mod quarter;
mod revision;
mod right;
pub(crate) mod tagged;
mod text;
mod week_time;

pub use attempt::{AttemptId, Epoch, RunId, RunKey, Usage};
pub use business_date::{BusinessDate, Zone};
pub use clock_difference::ClockDifference;
pub use credential::{PasswordHash, TokenHash};
pub use duration::Span;
pub use ending::Ending;
pub use event_key::{BadEventKey, EventKey};
pub use figure::{Amount, FigureClass, FigureUnit, InvalidAmount, Misses};
pub use hand_over::{HandOverId, InvalidHandOver};
pub use id::{
    BatchId, CalendarName, ChangeId, ChannelName, CheckName, DrillName, EventName, FigureName,
    FreezeId, HostName, IncidentId, InvalidName, JobName, JobRef, Label, MarketName, PersonId,
    PolicyName, PoolName, ProductLine, RequestId, Role, ShiftName, TargetName, TeamName, TokenId,
    WindowClass,
};
pub use incident::{ClockKind, IncidentKind, Severity};
pub use inspection::{CheckVerdict, Reading, Thresholds, Unit, Worse};
pub use life_sign::{LifeSign, NextStart};
pub use month::{InvalidMonth, Month};
pub use now::{BootId, Due, Now};
pub use outcome::{Condition, Outcome};
pub use period::{InvalidPeriod, Period, PeriodKind};
pub use phone::{InvalidPhone, Phone};
pub use quarter::{InvalidQuarter, Quarter};
pub use revision::{Named, Revision};
pub use right::{Right, Rights, UnknownRight};
pub use text::{Lang, Text, turns_text};
pub use week_time::{InvalidWeekTime, WeekTime};

//! When work may be done: windows and freezes.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::calendar::DayRule;
use crate::types::{BatchId, HostName, TargetName, Text, WindowClass, Zone};

/// A class of windows: open while one of its openings is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub title: Text,
    pub open: Vec<Opening>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub days: DayRule,
    pub from: Time,
    /// At or before `from`: the day after.
    pub to: Time,
    pub zone: Zone,
    /// Only where another zone is on daylight-saving or standard time at the instant of opening (D9).
    pub only_while: Option<Season>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    pub zone: Zone,
    /// True: daylight-saving time. False: standard time.
    pub daylight: bool,
}

/// Closes what would be open (封版).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub reason: Text,
    pub from: Timestamp,
    pub to: Timestamp,
    pub scope: FreezeScope,
}

/// What a freeze stops: the whole site when every list is empty, else what one of them names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct FreezeScope {
    pub batches: Vec<BatchId>,
    pub windows: Vec<WindowClass>,
    pub targets: Vec<TargetName>,
    pub hosts: Vec<HostName>,
}

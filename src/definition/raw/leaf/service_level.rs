//! Values of service levels.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::service_levels::SourceWord;
use super::super::{Read, Reader, Shape};
use super::{Leaf, Wrong, leaf};
use crate::definition::nearest;
use crate::definition::yaml::Node;
use crate::types::{Amount, ClockKind, FigureClass, FigureUnit, Misses, PeriodKind};

words! {
    ClockKind {
        "response" => Self::Response,
        "third-party" => Self::ThirdParty,
        "on-site" => Self::OnSite,
        "solution" => Self::Solution,
        "report" => Self::Report,
    }
    FigureClass { "key" => Self::Key, "ordinary" => Self::Ordinary }
    FigureUnit { "number" => Self::Number, "percent" => Self::Percent, "hours" => Self::Hours }
    Misses { "once" => Self::Once, "each" => Self::Each }
    PeriodKind { "week" => Self::Week, "month" => Self::Month, "quarter" => Self::Quarter }
    SourceWord {
        "entered" => Self::Entered,
        "availability" => Self::Availability,
        "missed-inspections" => Self::MissedInspections,
        "late" => Self::Late,
        "late-hours" => Self::LateHours,
    }
}

leaf!(Amount, "a number", { "type": "number", "minimum": 0, "maximum": 1_000_000_000 }, |text| {
    text.parse().map_err(|error: crate::types::InvalidAmount| Wrong::new(error.to_string()))
});

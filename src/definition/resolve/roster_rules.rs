//! `roster-rules.yaml` → the rules of the house for its roster.

use super::known::Known;
use super::settings::text;
use crate::definition::defect::Finding;
use crate::definition::places::{FilePlace, Places};
use crate::definition::raw::roster_rules::{
    ApprovedRecord, CoverRecord, LongLeaveRecord, NoticeRecord, RestRecord, RosterRulesFile,
};
use crate::definition::raw::{At, Field, List};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{
    ApprovedRule, CoverRule, LongLeaveRule, NoticeRule, RestRule, RosterRules,
};
use crate::types::ShiftName;

/// Days for which a roster has to be known where the file says nothing.
const AHEAD: u32 = 14;

pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
    places: &mut Places,
) -> Option<RosterRules> {
    let sheet = sheets.roster_rules.as_ref()?;
    let raw = sheet.raw.as_ref()?;
    let place = |at| FilePlace { file: sheet.file.clone(), at };
    let mut reading = Reading { known, found: Vec::new() };
    let mut cover = Vec::new();
    for record in raw.cover.get().into_iter().flat_map(|list| &list.0) {
        if let Some(rule) = reading.cover(&record.value) {
            places.roster.cover.push(place(record.at));
            cover.push(rule);
        }
    }
    places.roster.around_the_clock = raw.around_the_clock.at().map(place);
    let rules = reading.rules(raw, cover);
    findings.add(&sheet.file, reading.found);
    Some(rules)
}

struct Reading<'r> {
    known: &'r Known<'r>,
    found: Vec<Finding>,
}

impl Reading<'_> {
    fn rules(&mut self, raw: &RosterRulesFile, cover: Vec<CoverRule>) -> RosterRules {
        let rest = raw.rest.get().into_iter().flat_map(|list| &list.0);
        RosterRules {
            title: text(&raw.title, &raw.title_zh),
            ahead: raw.ahead_days.get().map_or(AHEAD, |days| days.to_u32()),
            cover,
            around_the_clock: raw.around_the_clock.get().map(|raw| raw.severity.or_default()),
            swap_notice: raw.swap_notice.get().and_then(notice),
            leave_notice: raw.leave_notice.get().and_then(notice),
            swap_approval: raw.swap_approval.get().and_then(|raw| self.approved(raw)),
            leave_approval: raw.leave_approval.get().and_then(|raw| self.approved(raw)),
            rest: rest.filter_map(|raw| self.rest(&raw.value)).collect(),
            pair_on_leave: raw.pair_on_leave.get().map(|raw| raw.severity.or_default()),
            long_leave: raw.long_leave.get().and_then(|raw| self.long_leave(raw)),
            addresses: raw.addresses.get().map(|raw| raw.severity.or_default()),
        }
    }

    fn shift(&mut self, shift: &At<ShiftName>) -> ShiftName {
        self.known.check(&self.known.shifts, shift, &mut self.found);
        shift.value.clone()
    }

    fn shifts(&mut self, list: &Field<List<ShiftName>>) -> Vec<ShiftName> {
        let list = list.get().into_iter().flat_map(|list| &list.0);
        list.map(|shift| self.shift(shift)).collect()
    }

    fn cover(&mut self, raw: &CoverRecord) -> Option<CoverRule> {
        Some(CoverRule {
            shift: self.shift(raw.shift.given()?),
            people: raw.people.get().map_or(1, |people| people.to_u32()),
            days: raw.days.or_default(),
            weight: raw.severity.or_default(),
        })
    }

    fn approved(&mut self, raw: &ApprovedRecord) -> Option<ApprovedRule> {
        let role = raw.role.given()?;
        self.known.somebody_has(role, &mut self.found);
        Some(ApprovedRule { role: role.value.clone(), weight: raw.severity.or_default() })
    }

    fn rest(&mut self, raw: &RestRecord) -> Option<RestRule> {
        let not = self.shifts(&raw.not);
        let after = self.shift(raw.after.given()?);
        Some(RestRule { after, not, weight: raw.severity.or_default() })
    }

    fn long_leave(&mut self, raw: &LongLeaveRecord) -> Option<LongLeaveRule> {
        let during = self.shifts(&raw.during);
        let days = raw.days.get()?.to_u32();
        Some(LongLeaveRule { during, days, weight: raw.severity.or_default() })
    }
}

fn notice(raw: &NoticeRecord) -> Option<NoticeRule> {
    let (one_day, longer) = (*raw.one_day.get()?, *raw.longer.get()?);
    Some(NoticeRule { one_day, longer, weight: raw.severity.or_default() })
}

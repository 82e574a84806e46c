//! What people do about an incident (应急处理): each step with its person and time (E3, E4).

use jiff::{SignedDuration, Timestamp};

use super::escalate::clocks;
use super::raise::Draft;
use super::{Fault, Incident, IncidentStep};
use crate::core::act::By;
use crate::core::night::{Command, Mover, Notice, StepError};
use crate::core::refused::{Refused, Rule};
use crate::core::state::{State, Unfit};
use crate::types::{ClockKind, DrillName, IncidentId, IncidentKind, PersonId, Right, Severity};

/// How long an incident may be muted at a time.
pub const LONGEST_MUTE: SignedDuration = SignedDuration::from_hours(24);

/// What a person asks to be done with incidents.
#[derive(Debug, Clone, PartialEq)]
pub enum IncidentOrder {
    Open {
        title: String,
        kind: IncidentKind,
        severity: Severity,
    },
    /// Of `drills:` in escalation.yaml; the reason says what for.
    Drill {
        drill: DrillName,
    },
    Step {
        incident: IncidentId,
        wanted: Wanted,
    },
}

impl IncidentOrder {
    /// The right that it takes: an alarm without a fault goes for the whole site.
    pub fn right(&self) -> Right {
        match self {
            Self::Drill { .. } => Right::House,
            Self::Open { .. } | Self::Step { .. } => Right::Respond,
        }
    }
}

/// A step that a person takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Acknowledge,
    TakeOver,
    Note,
    OnSite,
    ThirdParty {
        whom: String,
    },
    Mute {
        until: Timestamp,
    },
    Unmute,
    Grade {
        severity: Severity,
    },
    /// `outside`: its cause, where that is outside the system.
    Interruption {
        service: String,
        from: Timestamp,
        to: Timestamp,
        outside: String,
    },
    Resolve {
        cause: String,
        measure: String,
    },
    Report,
}

impl Wanted {
    /// As the API and the command line call it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Acknowledge => "ack",
            Self::TakeOver => "take-over",
            Self::Note => "note",
            Self::OnSite => "on-site",
            Self::ThirdParty { .. } => "third-party",
            Self::Mute { .. } => "mute",
            Self::Unmute => "unmute",
            Self::Grade { .. } => "grade",
            Self::Interruption { .. } => "interruption",
            Self::Resolve { .. } => "resolve",
            Self::Report => "hand-in",
        }
    }
}

impl State {
    pub fn incident(&self, incident: IncidentId) -> Result<&Incident, Unfit> {
        self.incidents.get(&incident).ok_or(Unfit::NoIncident(incident))
    }
}

impl Incident {
    /// Why a step is not to be taken now.
    pub fn refuses(&self, by: &PersonId, wanted: &Wanted, now: Timestamp) -> Result<(), Refused> {
        let id = self.what.incident;
        let no = |rule, what: String| Err(Refused::by(rule, what));
        match wanted {
            Wanted::Note => Ok(()),
            Wanted::Acknowledge | Wanted::TakeOver if self.is_drill_of(by) => {
                Err(Refused::by(Rule::OwnWork, format!("{by} has started this drill"))
                    .hint("it tries how others answer"))
            }
            Wanted::Interruption { .. } if self.is_drill() => {
                no(Rule::NoChange, format!("{id} is a drill, and interrupts nothing"))
            }
            Wanted::Interruption { from, to, .. } => match from < to && *to <= now {
                true => Ok(()),
                false => no(
                    Rule::Past,
                    "an interruption ends after it begins, and not later than now".to_owned(),
                ),
            },
            Wanted::Resolve { .. } if self.resolution().is_some() => {
                no(Rule::NoChange, format!("{id} is resolved already"))
            }
            Wanted::Resolve { .. } => Ok(()),
            Wanted::Report if self.resolution().is_none() => {
                Err(Refused::by(Rule::NotResolved, format!("nobody has said what {id} was"))
                    .hint("`nightrun incident resolve` takes its cause and what was done"))
            }
            Wanted::Report if self.reported().is_some() => {
                no(Rule::NoChange, format!("the report of {id} is there already"))
            }
            Wanted::Report => Ok(()),
            _ if !self.is_open() => Err(Refused::by(Rule::IncidentOver, format!("{id} is over"))
                .hint("notes, interruptions, its resolution and its report can still be added")),
            Wanted::Acknowledge => match &self.owner {
                Some(owner) => {
                    Err(Refused::by(Rule::NoChange, format!("{owner} takes care of {id} already"))
                        .hint("`nightrun incident take-over` takes it over"))
                }
                None => Ok(()),
            },
            Wanted::TakeOver if self.owner.as_ref() == Some(by) => {
                no(Rule::NoChange, format!("{by} takes care of {id} already"))
            }
            Wanted::Mute { until } if *until <= now => {
                no(Rule::Past, format!("{until} has passed"))
            }
            Wanted::Mute { until } if until.duration_since(now) > LONGEST_MUTE => {
                no(Rule::Past, "an incident is muted for 24 hours at the most".to_owned())
            }
            Wanted::Unmute if self.muted.is_none_or(|until| until <= now) => {
                no(Rule::NoChange, format!("{id} is not muted"))
            }
            Wanted::Grade { severity } if *severity == self.severity => {
                no(Rule::NoChange, format!("{id} is {severity} already"))
            }
            Wanted::TakeOver
            | Wanted::OnSite
            | Wanted::ThirdParty { .. }
            | Wanted::Mute { .. }
            | Wanted::Unmute
            | Wanted::Grade { .. } => Ok(()),
        }
    }

    /// Every step that a person may take now, as a form of it begins: words are empty, times those that suit most.
    pub fn steps_for(&self, by: &PersonId, now: Timestamp) -> Vec<Wanted> {
        let hour = now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now);
        let minute_ago = now.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(now);
        let from = self.opened.min(minute_ago);
        let other = Severity::ALL.iter().copied().find(|severity| *severity != self.severity);
        let (cause, measure) = (String::new(), String::new());
        let all = [
            Some(Wanted::Acknowledge),
            // Whoever may acknowledge it need not take it from anybody.
            self.owner.is_some().then_some(Wanted::TakeOver),
            Some(Wanted::Note),
            Some(Wanted::Resolve { cause, measure }),
            Some(Wanted::OnSite),
            Some(Wanted::ThirdParty { whom: String::new() }),
            Some(Wanted::Mute { until: hour }),
            Some(Wanted::Unmute),
            other.map(|severity| Wanted::Grade { severity }),
            Some(Wanted::Interruption {
                service: String::new(),
                from,
                to: now,
                outside: String::new(),
            }),
            Some(Wanted::Report),
        ];
        let all = all.into_iter().flatten();
        all.filter(|step| self.refuses(by, step, now).is_ok()).collect()
    }

    /// What it was and what was done, as the person said who resolved it.
    pub fn resolution(&self) -> Option<(&str, &str)> {
        self.steps.iter().find_map(|taken| match &taken.step {
            IncidentStep::Resolved { cause, measure } => Some((cause.as_str(), measure.as_str())),
            _ => None,
        })
    }

    pub fn reported(&self) -> Option<Timestamp> {
        let found = self.steps.iter().find(|taken| taken.step == IncidentStep::Reported);
        let met = || self.clocks.get(&ClockKind::Report)?.met;
        found.map(|taken| taken.at).or_else(met)
    }
}

impl Mover<'_> {
    pub(in crate::core) fn incident(
        &mut self,
        by: By,
        order: IncidentOrder,
    ) -> Result<(), StepError> {
        let (incident, wanted) = match order {
            IncidentOrder::Drill { drill } => return self.start_drill(by, drill),
            IncidentOrder::Open { kind: IncidentKind::Drill, .. } => {
                let what = "a drill is one of those that the site declares".to_owned();
                return Err(Refused::by(Rule::NoSuchThing, what)
                    .hint("`nightrun drill start` starts it")
                    .into());
            }
            IncidentOrder::Open { title, kind, severity } => {
                let (fault, by) = (Fault::Told { title }, Some(by.person));
                let also = Vec::new();
                let draft = Draft { run: None, job: None, fault, kind, severity, by, also };
                return Ok(self.open_incident(draft)?);
            }
            IncidentOrder::Step { incident, wanted } => (incident, wanted),
        };
        let known = self.core.state.incidents.get(&incident).ok_or_else(|| {
            Refused::by(Rule::NoSuchThing, format!("no incident {incident} is known here"))
                .hint("`nightrun incident list` lists them")
        })?;
        known.refuses(&by.person, &wanted, self.now.wall)?;
        let (was_open, owner) = (known.is_open(), known.owner.clone());
        let mut others = known.told_before(self.core.on_call());
        others.people.extend(owner.filter(|owner| !known.notified.contains(owner)));
        others.people.retain(|who| *who != by.person);
        let notice = match &wanted {
            Wanted::Acknowledge | Wanted::TakeOver => Some(Notice::Acknowledged),
            Wanted::Resolve { .. } if was_open => Some(Notice::Closed),
            _ => None,
        };
        let step = self.incident_step(incident, wanted)?;
        self.move_incident(incident, Some(by.person), by.reason, step)?;
        if let Some(notice) = notice
            && !others.is_empty()
        {
            self.command(Command::Notify { incident, to: others, notice });
        }
        Ok(())
    }

    fn incident_step(&self, incident: IncidentId, wanted: Wanted) -> Result<IncidentStep, Unfit> {
        Ok(match wanted {
            Wanted::Acknowledge => IncidentStep::Acknowledged,
            Wanted::TakeOver => IncidentStep::TakenOver,
            Wanted::Note => IncidentStep::Noted,
            Wanted::OnSite => IncidentStep::OnSite,
            Wanted::ThirdParty { whom } => IncidentStep::ThirdParty { whom },
            Wanted::Mute { until } => IncidentStep::Muted { until },
            Wanted::Unmute => IncidentStep::Unmuted,
            Wanted::Grade { severity } => {
                let known = self.core.state.incident(incident)?;
                let clocks = self
                    .core
                    .on_call
                    .as_ref()
                    .map(|on_call| clocks(on_call, known.what.kind, severity, known.opened));
                IncidentStep::Graded { severity, clocks: clocks.unwrap_or_default() }
            }
            Wanted::Interruption { service, from, to, outside } => {
                IncidentStep::Interruption { service, from, to, outside }
            }
            Wanted::Resolve { cause, measure } => IncidentStep::Resolved { cause, measure },
            Wanted::Report => IncidentStep::Reported,
        })
    }
}

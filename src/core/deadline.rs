//! Deadlines by the clock.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::AmbiguousOffset;

use super::calendar::plus;
use super::fact::Deadline;
use super::state::Run;
use crate::types::Zone;

/// The first instant at or after `anchor` at which the zone's clock shows `time`. Where daylight saving leaves that
/// time out, as much later as the clock jumps; where it comes twice, the first that is not before the anchor.
pub fn first_at_or_after(anchor: Timestamp, time: Time, zone: &Zone) -> Timestamp {
    let tz = zone.tz();
    let today = tz.to_datetime(anchor).date();
    // The day before, because a gap may move its time behind midnight; two days after, because a zone may skip one.
    (-1..=2)
        .flat_map(|days| {
            let civil = plus(today, days).to_datetime(time);
            let offsets = match tz.to_ambiguous_timestamp(civil).offset() {
                AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
                AmbiguousOffset::Gap { before, .. } => [Some(before), None],
                AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
            };
            offsets.into_iter().flatten().filter_map(move |offset| offset.to_timestamp(civil).ok())
        })
        .filter(|at| *at >= anchor)
        .min()
        .unwrap_or(Timestamp::MAX)
}

impl Run {
    /// A deadline of the run (`None`) or of one of its jobs: as it was moved, else as declared.
    pub fn deadline(&self, job: Option<usize>, deadline: Deadline) -> Option<Time> {
        let declared = self.declared_deadline(job, deadline);
        if self.moved.is_empty() {
            return declared;
        }
        let name = job.map(|index| self.job(index).name.clone());
        self.moved.get(&(name, deadline)).copied().or(declared)
    }

    /// The same as an instant.
    pub fn due(&self, job: Option<usize>, deadline: Deadline) -> Option<Timestamp> {
        let time = self.deadline(job, deadline)?;
        Some(first_at_or_after(self.opened.anchor, time, &self.batch.zone))
    }

    /// As the definition has it, whatever it was moved to.
    pub fn declared_deadline(&self, job: Option<usize>, deadline: Deadline) -> Option<Time> {
        match (job.map(|index| self.job(index)), deadline) {
            (None, Deadline::MustStartBy) => self.batch.must_start_by,
            (None, Deadline::MustCompleteBy) => self.batch.must_complete_by,
            (Some(job), Deadline::MustStartBy) => job.must_start_by,
            (Some(job), Deadline::MustCompleteBy) => job.must_complete_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_such_clock_time_not_before_the_anchor() {
        let table = [
            // zone, anchor, clock time, deadline
            ("Europe/Berlin", "2026-10-30T21:30+01", "06:30", "2026-10-31T06:30+01"),
            ("Europe/Berlin", "2026-10-30T21:30+01", "21:30", "2026-10-30T21:30+01"),
            ("Europe/Berlin", "2026-10-30T21:30:01+01", "21:30", "2026-10-31T21:30+01"),
            // The night of the gap is an hour shorter, the missing time an hour later.
            ("America/New_York", "2026-03-07T21:30-05", "06:30", "2026-03-08T06:30-04"),
            ("America/New_York", "2026-03-07T21:30-05", "02:30", "2026-03-08T03:30-04"),
            ("America/New_York", "2026-03-08T03:15-04", "02:30", "2026-03-08T03:30-04"),
            ("America/New_York", "2026-03-08T03:31-04", "02:30", "2026-03-09T02:30-04"),
            // The hour that comes twice.
            ("America/New_York", "2026-10-31T21:30-04", "01:30", "2026-11-01T01:30-04"),
            ("America/New_York", "2026-11-01T01:31-04", "01:30", "2026-11-01T01:30-05"),
            ("Australia/Lord_Howe", "2026-10-04T00:00+10:30", "02:15", "2026-10-04T02:45+11"),
            // Midnight did not exist in São Paulo; Samoa had no 30 December 2011.
            ("America/Sao_Paulo", "2018-11-03T21:00-03", "00:00", "2018-11-04T01:00-02"),
            ("Pacific/Apia", "2011-12-29T12:00-10", "11:00", "2011-12-31T11:00+14"),
            ("UTC", "2026-10-30T21:30+00", "06:30", "2026-10-31T06:30+00"),
        ];
        for (zone, anchor, time, deadline) in table {
            let zone = Zone::named(zone).unwrap();
            let got = first_at_or_after(anchor.parse().unwrap(), time.parse().unwrap(), &zone);
            assert_eq!(got, deadline.parse::<Timestamp>().unwrap(), "{zone} {anchor} {time}");
        }
    }
}

//! Instants and lengths of time as people read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::types::{Lang, Zone};
use crate::view::run::RunHead;

/// Writes the instants of one page in its zone. An instant of the page's own night (from an hour before its base to
/// 24 hours after) is a clock time; another one carries its date. Where a clock time comes twice because daylight
/// saving ends, the zone's abbreviation tells which it is.
#[derive(Debug, Clone)]
pub struct Clock<'a> {
    zone: &'a TimeZone,
    base: Timestamp,
    /// Seconds matter where a whole run takes minutes.
    seconds: bool,
}

const HOUR: i64 = 3_600;

impl<'a> Clock<'a> {
    pub fn new(zone: &'a Zone, base: Timestamp) -> Self {
        Self { zone: zone.tz(), base, seconds: false }
    }

    /// For a run: seconds show when it is (or will be) over within half an hour.
    pub fn of_run(head: &'a RunHead) -> Self {
        let end = head.ended.or(head.expected_end).unwrap_or(head.now);
        let short = end.duration_since(head.opened).as_secs() < HOUR / 2;
        Self { zone: head.zone.tz(), base: head.anchor.min(head.opened), seconds: short }
    }

    /// `05:12`, `05:12:07` in short runs, `11-02 05:12` for another night.
    pub fn at(&self, instant: Timestamp) -> String {
        self.write(instant, self.seconds)
    }

    /// `05:12:07`, whatever the run's length.
    pub fn exactly(&self, instant: Timestamp) -> String {
        self.write(instant, true)
    }

    /// `05:12`, for deadlines and plans; seconds only where there are any.
    pub fn minute(&self, instant: Timestamp) -> String {
        let odd = instant.as_second().rem_euclid(60) != 0;
        self.write(instant, odd)
    }

    /// `2026-10-30 21:30:00 CET`.
    pub fn full(&self, instant: Timestamp) -> String {
        instant.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// Seconds that the zone is ahead of UTC at an instant.
    pub fn offset_seconds(&self, instant: Timestamp) -> i64 {
        self.zone.to_offset(instant).seconds().into()
    }

    fn write(&self, instant: Timestamp, seconds: bool) -> String {
        let zoned = instant.to_zoned(self.zone.clone());
        let since = instant.duration_since(self.base).as_secs();
        let date = if (-HOUR..24 * HOUR).contains(&since) { "" } else { "%m-%d " };
        let time = if seconds { "%H:%M:%S" } else { "%H:%M" };
        // `is_ambiguous` is also true in a gap, which no instant falls into.
        let twice = self.zone.to_ambiguous_zoned(zoned.datetime()).is_ambiguous();
        let zone = if twice { " %Z" } else { "" };
        zoned.strftime(&format!("{date}{time}{zone}")).to_string()
    }
}

/// `4.2s`, `42s`, `2m 05s`, `20m`, `1h 04m`, `2d 3h`; in Chinese `4.2秒`, `2分05秒`, `20分钟`.
pub fn took(lang: Lang, length: Duration) -> String {
    let total = length.as_secs();
    let (days, hours, minutes, seconds) =
        (total / 86_400, total / 3_600 % 24, total / 60 % 60, total % 60);
    let tenths = length.as_millis() / 100;
    let (whole, tenth) = (tenths / 10, tenths % 10);
    match lang {
        Lang::En if total < 10 => format!("{whole}.{tenth}s"),
        Lang::En if total < 60 => format!("{seconds}s"),
        Lang::En if total < 3_600 && seconds == 0 => format!("{minutes}m"),
        Lang::En if total < 3_600 => format!("{minutes}m {seconds:02}s"),
        Lang::En if total < 86_400 && minutes == 0 => format!("{hours}h"),
        Lang::En if total < 86_400 => format!("{hours}h {minutes:02}m"),
        Lang::En => format!("{days}d {hours}h"),
        Lang::Zh if total < 10 => format!("{whole}.{tenth}秒"),
        Lang::Zh if total < 60 => format!("{seconds}秒"),
        Lang::Zh if total < 3_600 && seconds == 0 => format!("{minutes}分钟"),
        Lang::Zh if total < 3_600 => format!("{minutes}分{seconds:02}秒"),
        Lang::Zh if total < 86_400 && minutes == 0 => format!("{hours}小时"),
        Lang::Zh if total < 86_400 => format!("{hours}小时{minutes:02}分"),
        Lang::Zh => format!("{days}天{hours}小时"),
    }
}

/// How long from one instant to another, zero when it is the other way round.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// `Fri`, `周五`.
pub fn weekday(lang: Lang, date: Date) -> String {
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    match lang {
        Lang::En => date.strftime("%a").to_string(),
        Lang::Zh => {
            let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
            ZH.get(weekday).copied().unwrap_or_default().to_owned()
        }
    }
}

/// `Fri 2026-10-30`, `2026-10-30（周五）`.
pub fn day(lang: Lang, date: Date) -> String {
    let weekday = weekday(lang, date);
    match lang {
        Lang::En => format!("{weekday} {date}"),
        Lang::Zh => format!("{date}（{weekday}）"),
    }
}

/// `02:30`.
pub fn civil(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn another_night_carries_its_date() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let clock = Clock::new(&zone, at("2026-10-30T20:30:00Z"));
        assert_eq!(clock.at(at("2026-10-31T04:12:07Z")), "05:12");
        assert_eq!(clock.exactly(at("2026-10-31T04:12:07Z")), "05:12:07");
        assert_eq!(clock.minute(at("2026-10-31T05:30:00Z")), "06:30");
        assert_eq!(clock.at(at("2026-10-31T20:30:00Z")), "10-31 21:30");
        assert_eq!(clock.at(at("2026-10-29T20:30:00Z")), "10-29 21:30");
        assert_eq!(clock.full(at("2026-10-30T20:30:00Z")), "2026-10-30 21:30:00 CET");
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_apart() {
        let zone = Zone::named("America/New_York").unwrap();
        let clock = Clock::new(&zone, at("2026-11-01T01:30:00Z"));
        assert_eq!(clock.at(at("2026-11-01T05:30:00Z")), "01:30 EDT");
        assert_eq!(clock.at(at("2026-11-01T06:30:00Z")), "01:30 EST");
        assert_eq!(clock.at(at("2026-11-01T07:30:00Z")), "02:30");
    }

    #[test]
    fn lengths_are_as_exact_as_they_are_read() {
        let cases = [
            (0, "0.0s", "0.0秒"),
            (4_290, "4.2s", "4.2秒"),
            (59_900, "59s", "59秒"),
            (125_000, "2m 05s", "2分05秒"),
            (1_200_999, "20m", "20分钟"),
            (7_200_000, "2h", "2小时"),
            (3_840_000, "1h 04m", "1小时04分"),
            (183_600_000, "2d 3h", "2天3小时"),
        ];
        for (ms, en, zh) in cases {
            let length = Duration::from_millis(ms);
            assert_eq!((took(Lang::En, length), took(Lang::Zh, length)), (en.into(), zh.into()));
        }
    }

    #[test]
    fn a_day_has_its_weekday() {
        let date = jiff::civil::date(2026, 10, 30);
        assert_eq!(day(Lang::En, date), "Fri 2026-10-30");
        assert_eq!(day(Lang::Zh, date), "2026-10-30（周五）");
    }
}

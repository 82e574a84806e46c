//! Day rules in words: the way back from what `days:` says in a job file, in both languages.

use crate::definition::site::{DayRule, Days, Period};
use crate::types::Lang;

/// `last business day of month -1bd (calendar target)`, `每月最后一个营业日（日历 target）`.
pub fn say(lang: Lang, rule: &DayRule) -> String {
    let days = match lang {
        Lang::En => days_en(&rule.days),
        Lang::Zh => days_zh(&rule.days),
    };
    let offset = match (lang, rule.offset) {
        (_, 0) => String::new(),
        (Lang::En, n) => format!(" {n:+}bd"),
        (Lang::Zh, n) if n < 0 => format!("之前第 {} 个营业日", -n),
        (Lang::Zh, n) => format!("之后第 {n} 个营业日"),
    };
    let calendar = match (lang, &rule.calendar) {
        (_, None) => String::new(),
        (Lang::En, Some(calendar)) => format!(" (calendar {calendar})"),
        (Lang::Zh, Some(calendar)) => format!("（日历 {calendar}）"),
    };
    format!("{days}{offset}{calendar}")
}

fn weekdays(lang: Lang, days: &[bool; 7]) -> String {
    const EN: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    let (names, comma, to) = match lang {
        Lang::En => (EN, ", ", "-"),
        Lang::Zh => (ZH, "、", "至"),
    };
    let on: Vec<usize> = (0..7).filter(|i| days[*i]).collect();
    match on.as_slice() {
        [first, .., last] if on.len() > 2 && last - first + 1 == on.len() => {
            format!("{}{to}{}", names[*first], names[*last])
        }
        _ => on.iter().map(|i| names[*i]).collect::<Vec<_>>().join(comma),
    }
}

fn ordinal(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

fn days_en(days: &Days) -> String {
    match days {
        Days::EveryDay => "every day".to_owned(),
        Days::Weekdays(on) => weekdays(Lang::En, on),
        Days::EveryBusinessDay => "every business day".to_owned(),
        Days::NthBusinessDay { nth, of } => {
            let which = match nth {
                1 => "first".to_owned(),
                -1 => "last".to_owned(),
                n if *n < 0 => format!("{} last", ordinal(n.unsigned_abs())),
                n => ordinal(n.unsigned_abs()),
            };
            let of = match of {
                Period::Week => "week",
                Period::Month => "month",
                Period::Quarter => "quarter",
                Period::Year => "year",
            };
            format!("the {which} business day of the {of}")
        }
        Days::Once(date) => date.to_string(),
    }
}

fn days_zh(days: &Days) -> String {
    match days {
        Days::EveryDay => "每天".to_owned(),
        Days::Weekdays(on) => weekdays(Lang::Zh, on),
        Days::EveryBusinessDay => "每个营业日".to_owned(),
        Days::NthBusinessDay { nth, of } => {
            let of = match of {
                Period::Week => "每周",
                Period::Month => "每月",
                Period::Quarter => "每季",
                Period::Year => "每年",
            };
            match nth {
                1 => format!("{of}首个营业日"),
                -1 => format!("{of}最后一个营业日"),
                n if *n < 0 => format!("{of}倒数第 {} 个营业日", n.unsigned_abs()),
                n => format!("{of}第 {n} 个营业日"),
            }
        }
        Days::Once(date) => date.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(days: Days, offset: i32) -> (String, String) {
        let rule = DayRule { days, offset, calendar: None };
        (say(Lang::En, &rule), say(Lang::Zh, &rule))
    }

    #[test]
    fn rules_are_said_in_both_languages() {
        let nth = |nth, of| Days::NthBusinessDay { nth, of };
        let week = [true, true, true, true, true, false, false];
        let some = [false, true, false, true, false, false, false];
        let cases = [
            (both(Days::EveryBusinessDay, 0), "every business day", "每个营业日"),
            (
                both(nth(-1, Period::Month), 0),
                "the last business day of the month",
                "每月最后一个营业日",
            ),
            (
                both(nth(3, Period::Week), 0),
                "the 3rd business day of the week",
                "每周第 3 个营业日",
            ),
            (
                both(nth(-2, Period::Year), 0),
                "the 2nd last business day of the year",
                "每年倒数第 2 个营业日",
            ),
            (
                both(nth(1, Period::Quarter), -1),
                "the first business day of the quarter -1bd",
                "每季首个营业日之前第 1 个营业日",
            ),
            (both(Days::Weekdays(week), 0), "mon-fri", "周一至周五"),
            (both(Days::Weekdays(some), 0), "tue, thu", "周二、周四"),
        ];
        for ((en, zh), want_en, want_zh) in cases {
            assert_eq!((en.as_str(), zh.as_str()), (want_en, want_zh));
        }
    }
}

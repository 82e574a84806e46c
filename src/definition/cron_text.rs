//! Cron expressions: five fields, checked one by one, so that the wrong one can be named.

use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// Why an expression cannot be used, and which part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(super) struct InvalidCron {
    pub what: String,
    pub hint: String,
    /// Bytes of the expression.
    pub part: Range<usize>,
}

const FIELDS: [&str; 5] = ["minute", "hour", "day", "month", "weekday"];
const FORM: &str = "write minute, hour, day, month and weekday, such as `30 21 * * MON-FRI`";

/// Checks an expression: every field is good, no weekday is a number, and there is a next time.
pub(super) fn check(expression: &str) -> Result<(), InvalidCron> {
    let whole = 0..expression.len();
    let fields: Vec<(Range<usize>, &str)> = expression
        .split_ascii_whitespace()
        .map(|field| {
            let from = field.as_ptr() as usize - expression.as_ptr() as usize;
            (from..from + field.len(), field)
        })
        .collect();
    if fields.len() != FIELDS.len() {
        return Err(InvalidCron {
            what: format!("a cron expression has five fields, this one has {}", fields.len()),
            hint: FORM.to_owned(),
            part: whole,
        });
    }
    for (index, (part, field)) in fields.iter().enumerate() {
        if let Some(hint) = unusual(index, field) {
            let what = format!("`{field}` cannot be used as {}", FIELDS[index]);
            return Err(InvalidCron { what, hint, part: part.clone() });
        }
        let mut alone = ["*"; 5];
        alone[index] = field;
        if cron::Schedule::from_str(&format!("0 {}", alone.join(" "))).is_err() {
            let what = format!("`{field}` is no {} of a cron expression", FIELDS[index]);
            return Err(InvalidCron { what, hint: range_hint(index), part: part.clone() });
        }
    }
    let schedule =
        cron::Schedule::from_str(&format!("0 {expression}")).map_err(|_| InvalidCron {
            what: format!("`{expression}` is not a cron expression"),
            hint: FORM.to_owned(),
            part: whole.clone(),
        })?;
    // From a set instant: whether there is any time at all does not depend on today.
    let from: DateTime<Utc> = DateTime::UNIX_EPOCH;
    if schedule.after(&from).next().is_none() {
        return Err(InvalidCron {
            what: format!("`{expression}` never comes"),
            hint: "no month has this day".to_owned(),
            part: whole,
        });
    }
    Ok(())
}

/// What other cron programs take, or take otherwise.
fn unusual(index: usize, field: &str) -> Option<String> {
    // `L`, `15W`, `FRI#2` of other cron programs; not the names that have these letters.
    let extended = field.contains('#') || field == "L" || index == 2 && field.contains(['L', 'W']);
    if extended {
        return Some(
            "for such days write `on:` with `at:`, such as `on: last business day of month`"
                .to_owned(),
        );
    }
    let without_step = |part: &str| part.split('/').next().unwrap_or("").to_owned();
    let numbered = |part: &str| without_step(part).contains(|c: char| c.is_ascii_digit());
    if index == 4 && field.split(',').any(numbered) {
        return Some(
            "write weekdays by name, such as `MON-FRI`: cron programs do not agree which day is 1"
                .to_owned(),
        );
    }
    None
}

fn range_hint(index: usize) -> String {
    match index {
        0 => "a minute is 0-59, `*`, `*/15`, `0,30`".to_owned(),
        1 => "an hour is 0-23, `*`, `*/2`, `8-18`; a range cannot run over midnight".to_owned(),
        2 => "a day is 1-31, `*`, `1,15`".to_owned(),
        3 => "a month is 1-12 or JAN-DEC".to_owned(),
        _ => {
            "a weekday is SUN, MON, … SAT; a range such as `MON-FRI` cannot run over the week's end"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_expressions_pass() {
        for good in [
            "30 21 * * MON-FRI",
            "*/15 8-18 * * *",
            "0 0 29 2 *",
            "0 2 1,15 JAN-JUN MON,WED",
            "0 3 * * wed",
            "5 4 * JUL SUN",
            "0 0 * * MON-FRI/2",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn bad_expressions_name_their_part() {
        let wrong = |text: &str| match check(text) {
            Err(error) => format!("{} [{}] {}", error.what, &text[error.part.clone()], error.hint),
            Ok(()) => panic!("{text}"),
        };
        let texts = [
            "30 21 * *",
            "@daily",
            "0 30 21 * * MON",
            "61 21 * * *",
            "30 24 * * *",
            "0 0 31 2 *",
            "30 21 * * 1-5",
            "30 21 L * *",
            "0 22-2 * * *",
            "0 0 * * FRI#2",
            "0 0 * * FRI-MON",
            "a b c d e",
            "",
        ];
        insta::assert_debug_snapshot!(texts.map(wrong), @r#"
        [
            "a cron expression has five fields, this one has 4 [30 21 * *] write minute, hour, day, month and weekday, such as `30 21 * * MON-FRI`",
            "a cron expression has five fields, this one has 1 [@daily] write minute, hour, day, month and weekday, such as `30 21 * * MON-FRI`",
            "a cron expression has five fields, this one has 6 [0 30 21 * * MON] write minute, hour, day, month and weekday, such as `30 21 * * MON-FRI`",
            "`61` is no minute of a cron expression [61] a minute is 0-59, `*`, `*/15`, `0,30`",
            "`24` is no hour of a cron expression [24] an hour is 0-23, `*`, `*/2`, `8-18`; a range cannot run over midnight",
            "`0 0 31 2 *` never comes [0 0 31 2 *] no month has this day",
            "`1-5` cannot be used as weekday [1-5] write weekdays by name, such as `MON-FRI`: cron programs do not agree which day is 1",
            "`L` cannot be used as day [L] for such days write `on:` with `at:`, such as `on: last business day of month`",
            "`22-2` is no hour of a cron expression [22-2] an hour is 0-23, `*`, `*/2`, `8-18`; a range cannot run over midnight",
            "`FRI#2` cannot be used as weekday [FRI#2] for such days write `on:` with `at:`, such as `on: last business day of month`",
            "`FRI-MON` is no weekday of a cron expression [FRI-MON] a weekday is SUN, MON, … SAT; a range such as `MON-FRI` cannot run over the week's end",
            "`a` is no minute of a cron expression [a] a minute is 0-59, `*`, `*/15`, `0,30`",
            "a cron expression has five fields, this one has 0 [] write minute, hour, day, month and weekday, such as `30 21 * * MON-FRI`",
        ]
        "#);
    }
}

use super::*;

/// A made-up argument: its own name, or a number.
pub(super) trait Sample {
    fn sample(field: &'static str, number: u8) -> Self;
}

impl Sample for &str {
    fn sample(field: &'static str, _: u8) -> Self {
        Box::leak(format!("<{field}>").into_boxed_str())
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            fn sample(_: &'static str, number: u8) -> Self {
                number.into()
            }
        }
    )*};
}
numbers!(u8, u32, u64, i32);

impl Sample for Outcome {
    fn sample(_: &'static str, _: u8) -> Self {
        Self::Failed
    }
}

impl Sample for Condition {
    fn sample(_: &'static str, _: u8) -> Self {
        Self::Ok
    }
}

macro_rules! print_tables {
    ($($table:ident),*) => {{
        let mut text = String::new();
        $(
            text.push_str(concat!("\n# ", stringify!($table), "\n"));
            for ((name, one), (_, many)) in $table::samples(1).into_iter().zip($table::samples(3)) {
                for lang in Lang::ALL {
                    let (one, many) = (one.say(lang), many.say(lang));
                    text.push_str(&format!("{name:<22} {one}\n"));
                    // A plural of its own is shown where it is more than the digit.
                    if lang == Lang::En && one.replace('1', "3") != many {
                        text.push_str(&format!("{:<22} {many}\n", ""));
                    }
                }
            }
        )*
        text
    }};
}

#[test]
fn every_message_in_both_languages() {
    let mut text = print_tables!(
        Verdict,
        Fault,
        Deed,
        Because,
        Pages,
        ChangePages,
        Planned,
        Proven,
        Counted,
        Evident,
        Checks,
        Happened,
        Rehearsed,
        Health,
        Hosts,
        Incidents,
        Starts,
        Stands,
        Access,
        OnDuty,
        Audited,
        Restored,
        Stepped,
        ChangeWord,
        PaperWord,
        Lacks,
        Listed,
        HandOvers,
        Drills,
        Far,
        Watched,
        Bulletins,
        Inspections,
        Reported,
        Operations,
        Levels
    );
    text.push_str("\n# Label\n");
    for label in Label::ALL {
        text.push_str(&format!(
            "{:<20} {} | {}\n",
            format!("{label:?}"),
            label.say(Lang::En),
            label.say(Lang::Zh)
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn english_events_are_ascii() {
    for (name, event) in Happened::samples(3) {
        assert!(event.say(Lang::En).is_ascii(), "{name}");
    }
}

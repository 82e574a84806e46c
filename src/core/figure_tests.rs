use super::*;
use crate::core::test_site;
use crate::definition::site::{FigureLimit, LateIncidents, Penalties, ServiceLevels};
use crate::types::{ClockKind, FigureClass, Misses, PeriodKind, Text};

fn name(name: &str) -> FigureName {
    FigureName::new(name).unwrap()
}

fn figure(of: &str, period: PeriodKind, unit: FigureUnit, source: FigureSource) -> Figure {
    Figure {
        name: name(of),
        title: Text::en(of),
        class: FigureClass::Ordinary,
        period,
        limit: FigureLimit::AtMost(Amount::whole(5)),
        unit,
        source,
        misses: Misses::Once,
    }
}

/// Hours by the week, a percentage by the month, documents by the quarter from two parts; and one that nightrun counts.
fn house() -> Site {
    let part = |every| FigurePart { title: Text::en("part"), every };
    let alone = || FigureSource::Entered { parts: BTreeMap::new() };
    let parts = BTreeMap::from([(name("lost"), part(1)), (name("errors"), part(5))]);
    let late = LateIncidents {
        clock: ClockKind::Response,
        kinds: Vec::new(),
        severities: Vec::new(),
        without_third_party: false,
    };
    let levels = ServiceLevels {
        digest: String::new(),
        currency: "CNY".to_owned(),
        penalties: Penalties::default(),
        figures: vec![
            figure("hours", PeriodKind::Week, FigureUnit::Hours, alone()),
            figure("rate", PeriodKind::Month, FigureUnit::Percent, alone()),
            figure("sent-back", PeriodKind::Quarter, FigureUnit::Number, alone()),
            figure(
                "documents",
                PeriodKind::Quarter,
                FigureUnit::Number,
                FigureSource::Entered { parts },
            ),
            figure("late", PeriodKind::Quarter, FigureUnit::Number, FigureSource::Late(late)),
        ],
    };
    let mut site = test_site::site(Vec::new());
    site.service_levels = Some(std::sync::Arc::new(levels));
    site
}

fn given(words: &str) -> Given {
    match words.contains('=') {
        false => Given::Value(words.parse().unwrap()),
        true => Given::Parts(
            words
                .split(' ')
                .map(|word| word.split_once('=').unwrap())
                .map(|(part, count)| (name(part), count.parse().unwrap()))
                .collect(),
        ),
    }
}

fn enter(known: &Figures, of: (&str, &str, &str), at: &str) -> Result<FigureEntered, Refused> {
    let by = By::alone(PersonId::new("ann").unwrap(), "time sheets".to_owned());
    let (figure, period, words) = (name(of.0), of.1.parse().unwrap(), given(of.2));
    let order = FigureOrder { figure, period, given: words };
    decided(Some(&house()), known, (by, at.parse().unwrap()), order)
}

const NOW: &str = "2026-11-04T12:00:00Z";

#[test]
fn a_figure_is_entered_in_its_unit_and_for_its_time() {
    let table: [(&str, &str, &str, Result<&str, Rule>); 17] = [
        ("hours", "2026-W44", "41.5", Ok("41.5")),
        ("hours", "2026-11-04", "12", Ok("12")),
        ("hours", "2026-W46", "41.5", Err(Rule::TooEarly)),
        ("hours", "2026-10", "41.5", Err(Rule::NotInUnit)),
        ("rate", "2026-10", "99.95", Ok("99.95")),
        ("rate", "2026-10", "100.1", Err(Rule::NotInUnit)),
        ("rate", "2026-12", "100", Err(Rule::TooEarly)),
        ("sent-back", "2026-Q4", "0", Ok("0")),
        ("sent-back", "2026-Q4", "0.5", Err(Rule::NotInUnit)),
        ("sent-back", "2026-Q4", "errors=1", Err(Rule::NotInUnit)),
        ("sent-back", "2027-Q1", "0", Err(Rule::TooEarly)),
        ("documents", "2026-Q3", "lost=1 errors=9", Ok("2")),
        ("documents", "2026-Q3", "lost=0 errors=10", Ok("2")),
        ("documents", "2026-Q3", "lost=1", Err(Rule::NotInUnit)),
        ("documents", "2026-Q3", "2", Err(Rule::NotInUnit)),
        ("late", "2026-Q3", "0", Err(Rule::Counted)),
        ("lost", "2026-Q3", "0", Err(Rule::NoSuchThing)),
    ];
    for (figure, period, words, wanted) in table {
        let came = enter(&Figures::default(), (figure, period, words), NOW);
        let came = came.map(|entered| entered.value.to_string());
        let came = came.map_err(|refused| refused.rule.unwrap());
        assert_eq!(came, wanted.map(str::to_owned), "{figure} {period} {words}");
    }
    let none = decided(
        Some(&test_site::site(Vec::new())),
        &Figures::default(),
        (By::alone(PersonId::new("ann").unwrap(), String::new()), NOW.parse().unwrap()),
        FigureOrder { figure: name("late"), period: "2026-Q3".parse().unwrap(), given: given("1") },
    );
    assert_eq!(none.unwrap_err().rule, Some(Rule::NoSuchThing));
}

/// The zone of the site says when a period begins.
#[test]
fn a_period_begins_at_midnight_of_the_site() {
    let at = |at| enter(&Figures::default(), ("sent-back", "2027-Q1", "1"), at).is_ok();
    assert_eq!(house().zone.to_string(), "UTC");
    assert!(!at("2026-12-31T23:59:59Z") && at("2027-01-01T00:00:00Z"));
}

#[test]
fn what_is_corrected_keeps_what_was_before() {
    let mut known = Figures::default();
    let of = |words| ("sent-back", "2026-Q4", words);
    for (number, words) in [(1, "0"), (2, "3"), (3, "0")] {
        let entered = enter(&known, of(words), NOW).unwrap();
        assert_eq!(entered.number, number);
        known.take(NOW.parse().unwrap(), &entered);
        // The same once more, as whoever reads what stands and a run hears of it.
        known.take(NOW.parse().unwrap(), &entered);
        assert_eq!(enter(&known, of(words), NOW).unwrap_err().rule, Some(Rule::NoChange));
    }
    // Once the period is over the same is entered once more, which confirms it.
    let end = "2027-01-01T00:00:00Z";
    let before = enter(&known, of("0"), "2026-12-31T23:59:59Z").unwrap_err();
    assert_eq!(before.rule, Some(Rule::NoChange));
    let mut confirmed = known.clone();
    confirmed.take(end.parse().unwrap(), &enter(&known, of("0"), end).unwrap());
    let again = enter(&confirmed, of("0"), "2027-01-02T00:00:00Z").unwrap_err();
    assert_eq!(again.rule, Some(Rule::NoChange));

    let sent_back = name("sent-back");
    let kept = known.of(&sent_back, "2026-Q4".parse().unwrap());
    assert_eq!(kept.map(|(_, of)| of.value.to_string()).collect::<Vec<_>>(), ["0", "3", "0"]);
    assert_eq!(known.of(&name("sent-back"), "2026-Q3".parse().unwrap()).count(), 0);
}

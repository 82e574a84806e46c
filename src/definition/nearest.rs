//! "Did you mean": the known name nearest to one that is not known.

/// A hint that names the nearest of `known`, where one is near enough to be meant.
pub fn hint<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(wrong, known).map(|name| format!("did you mean `{name}`?"))
}

/// The nearest name by edits (a swap of neighbours is one), at most a third of the letters and never more than three;
/// the first of several that are equally near.
pub(super) fn nearest<'n>(
    wrong: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let letters = wrong.chars().count();
    let allowed = (letters / 3).clamp(1, 3);
    let folded = fold(wrong);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        // Cheaper than the distance, and enough for most names.
        if name.chars().count().abs_diff(letters) > allowed {
            continue;
        }
        let distance = strsim::osa_distance(&folded, &fold(name));
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

fn fold(name: &str) -> String {
    name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_if_it_is_near() {
        let known = ["load-rates", "check-rates", "accrue", "eod"];
        assert_eq!(nearest("lod-rates", known), Some("load-rates"));
        assert_eq!(nearest("load_rates", known), Some("load-rates"));
        assert_eq!(nearest("Accrue", known), Some("accrue"));
        assert_eq!(nearest("edo", known), Some("eod"));
        assert_eq!(nearest("statements", known), None);
        assert_eq!(nearest("", known), None);
    }
}

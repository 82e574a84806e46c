//! What a job needs: `job`, `job:ended`, `job:failed`, `batch.job@-1bd`.

use std::collections::BTreeSet;

use super::jobs::JobResolver;
use crate::definition::day_words::business_days;
use crate::definition::defect::{Finding, Place};
use crate::definition::nearest;
use crate::definition::raw::{At, Word, Wrong};
use crate::definition::site::{Need, NeedOf};
use crate::types::{BatchId, Condition, JobName, JobRef};

/// A need as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    batch: Option<BatchId>,
    job: JobName,
    /// Business days after `@`.
    offset: Option<i32>,
    when: Condition,
}

impl JobResolver<'_, '_> {
    /// The needs of a job, each with its place; those that are wrong are left out.
    pub(super) fn needs(&mut self, job: &JobName, needs: &[At<Word>]) -> (Vec<Need>, Vec<Place>) {
        let mut good: Vec<(Need, Place)> = Vec::new();
        let mut seen: BTreeSet<(Option<BatchId>, JobName, Option<i32>)> = BTreeSet::new();
        for at in needs {
            let written = match parse(&at.value.0) {
                Ok(written) => written,
                Err(wrong) => {
                    self.found.push(wrong.finding(at.at));
                    continue;
                }
            };
            if !seen.insert((written.batch.clone(), written.job.clone(), written.offset)) {
                let what = format!("`{}` is needed twice", at.value.0);
                self.found.push(Finding::error(at.at, what));
                continue;
            }
            if let Some(need) = self.need(job, written, at.at) {
                good.push((need, at.at));
            }
        }
        good.into_iter().unzip()
    }

    fn need(&mut self, job: &JobName, written: Written, at: Place) -> Option<Need> {
        let Written { batch, job: needed, offset, when } = written;
        let Some(batch) = batch else {
            if let Some(offset) = offset {
                let own = self.batch.map_or("batch", |id| id.as_str());
                let what = format!("`{needed}` of another business date needs its batch's id");
                self.found.push(
                    Finding::error(at, what).hint(format!("write `{own}.{needed}@{offset:+}bd`")),
                );
                return None;
            }
            if let Some(finding) = self.known.unknown(&self.jobs, &needed, at) {
                self.found.push(finding);
                return None;
            }
            if needed == *job {
                self.found.push(Finding::error(at, format!("`{job}` needs itself")));
                return None;
            }
            return Some(Need { of: NeedOf::Job(needed), when });
        };
        let offset = offset.unwrap_or(0);
        if offset != 0 {
            self.calendar.need(at, "a need of another business date", self.found);
        }
        if self.batch == Some(&batch) && offset >= 0 {
            let (what, hint) = if offset == 0 {
                (format!("`{batch}` is this batch"), format!("write `{needed}`"))
            } else {
                let what =
                    "a need of a later business date of the same batch can never be met".to_owned();
                (what, format!("write `{batch}.{needed}@-{offset}bd` for an earlier one"))
            };
            self.found.push(Finding::error(at, what).hint(hint));
            return None;
        }
        if let Some(finding) = self.known.unknown(&self.known.batches, &batch, at) {
            self.found.push(finding);
            return None;
        }
        let jobs = self.known.jobs.get(&batch);
        if let Some(finding) = jobs.and_then(|jobs| self.known.unknown(jobs, &needed, at)) {
            self.found
                .push(Finding { what: format!("{} in batch `{batch}`", finding.what), ..finding });
            return None;
        }
        Some(Need { of: NeedOf::Across { job: JobRef { batch, job: needed }, offset }, when })
    }
}

fn parse(text: &str) -> Result<Written, Wrong> {
    let form = "write `job`, `job:ended`, `job:failed` or `batch.job@-1bd`";
    let wrong = |what: String| Wrong::new(what).hint(form);
    let (of, when) = match text.split_once(':') {
        None => (text, Condition::Ok),
        Some((of, "ended")) => (of, Condition::Ended),
        Some((of, "failed")) => (of, Condition::Failed),
        Some((of, word)) => {
            let hint = nearest::hint(word, ["ended", "failed"]).unwrap_or_else(|| {
                format!("write `{of}` for ended well, `{of}:ended`, `{of}:failed`")
            });
            return Err(Wrong::new(format!("unknown condition `{word}`")).hint(hint));
        }
    };
    let (name, offset) = match of.split_once('@') {
        None => (of, None),
        Some((name, offset)) => {
            let days = business_days(offset)
                .ok_or_else(|| wrong(format!("`{offset}` is not an offset of business days")))?;
            (name, Some(days))
        }
    };
    let bad_name = |error: crate::types::InvalidName| wrong(error.to_string());
    let (batch, job) = match name.split_once('.') {
        None => (None, name),
        Some((batch, job)) => (Some(BatchId::new(batch).map_err(bad_name)?), job),
    };
    Ok(Written { batch, job: JobName::new(job).map_err(bad_name)?, offset, when })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_needs() {
        let read = |text: &str| match parse(text) {
            Ok(Written { batch, job, offset, when }) => {
                format!("{batch:?} {job} {offset:?} {when:?}")
            }
            Err(wrong) => wrong.what,
        };
        let texts = [
            "load",
            "load:ended",
            "load:failed",
            "eod.close@-1bd",
            "eod.close@-1bd:ended",
            "eod.close",
            "load@-1bd",
            "load:ok",
            "eod.close@-1",
            "Load",
            "a.b.c",
            "",
        ];
        insta::assert_debug_snapshot!(texts.map(read), @r#"
        [
            "None load None Ok",
            "None load None Ended",
            "None load None Failed",
            "Some(eod) close Some(-1) Ok",
            "Some(eod) close Some(-1) Ended",
            "Some(eod) close None Ok",
            "None load Some(-1) Ok",
            "unknown condition `ok`",
            "`-1` is not an offset of business days",
            "`Load` is not a name: use 1 to 64 of a-z, 0-9, `-` and `_`, beginning with a letter",
            "`b.c` is not a name: use 1 to 64 of a-z, 0-9, `-` and `_`, beginning with a letter",
            "`` is not a name: use 1 to 64 of a-z, 0-9, `-` and `_`, beginning with a letter",
        ]
        "#);
    }
}

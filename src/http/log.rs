//! What attempts have written.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::page::{Asked, Named, TEXT};
use super::problem::Problem;
use super::{Api, one_job};
use crate::core::masks::Masking;
use crate::driver::log_files::{LogFiles, Stream};
use crate::driver::logs::{LogSource, Part};
use crate::port::control::Caller;
use crate::types::{AttemptId, JobName, RunId};
use crate::view::one_job::JobView;

/// Which part of a log.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Its number; the last where nothing is said.
    attempt: Option<u32>,
    #[serde(default)]
    stream: StreamWord,
    /// The first byte: `log-next` of the answer before.
    #[serde(default)]
    #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_u64))]
    from: u64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StreamWord {
    #[default]
    Out,
    Err,
}

/// Past the end of every file.
const MUCH: u64 = i64::MAX as u64;

/// Where the next piece begins.
const NEXT: HeaderName = HeaderName::from_static("log-next");
/// Whether the attempt has ended, so that nothing is added any more.
const ENDED: HeaderName = HeaderName::from_static("log-ended");

/// What may be shown of a piece of a log that has masks, and how many of its bytes that is: whole lines only, so that no
/// piece begins or ends within what is masked. `in_line`: the line that the piece begins in is not shown, only its end.
fn whole_lines(piece: &[u8], in_line: bool, ended: bool, masks: &[String]) -> (Vec<u8>, usize) {
    let after = |from: usize| {
        let rest = piece.get(from..).unwrap_or_default();
        rest.iter().position(|byte| *byte == b'\n').map(|at| from + at + 1)
    };
    let begin = if in_line { after(0).unwrap_or(piece.len()) } else { 0 };
    let last = piece.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let is_full = piece.len() >= LogFiles::PIECE;
    let end = match last > begin {
        true => last,
        // The last line of all, or one that is too long to wait for its end.
        false if ended || is_full => piece.len(),
        false => begin,
    };
    let end = if ended && !is_full { piece.len() } else { end };
    let mut masking = Masking::new(masks);
    let mut shown = masking.show(piece.get(begin..end).unwrap_or_default());
    shown.append(&mut masking.end());
    (shown, end)
}

/// `GET /api/v1/runs/{run}/jobs/{job}/log`: at most 256 KiB from a byte on.
pub(super) async fn log(
    State(api): State<Api>,
    Named((run, job)): Named<(RunId, JobName)>,
    Asked(which): Asked<Which>,
    caller: Caller,
) -> Result<Response, Problem> {
    let view = one_job::view_of(&api, caller, (&run, &job)).await?;
    let log = Log::of(&api, &view, which.attempt)?;
    let stream = match which.stream {
        StreamWord::Out => Stream::Out,
        StreamWord::Err => Stream::Err,
    };
    let Piece { shown, next, ended } = log.piece(stream, which.from).await?;
    let mut response = shown.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(NEXT, next.into());
    headers.insert(ENDED, HeaderValue::from_static(if ended { "true" } else { "false" }));
    Ok(response)
}

/// What one attempt has written, as it may be shown.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) attempt: AttemptId,
    /// Nothing is added any more, as its run has it.
    ended: bool,
    /// Its program was started, as its run has it.
    has_begun: bool,
    files: LogSource,
    masks: Vec<String>,
}

/// A part of a log.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) shown: Vec<u8>,
    /// The byte that the next part begins with.
    pub(super) next: u64,
    /// Nothing is added any more.
    pub(super) ended: bool,
}

impl Log {
    /// Of the attempt with a number, or of the last one.
    pub(super) fn of(api: &Api, view: &JobView, number: Option<u32>) -> Result<Self, Problem> {
        let (run, job, attempts) = (&view.head.run, &view.job.name, &view.job.attempts);
        let found = match number {
            Some(number) => attempts.iter().find(|attempt| attempt.number == number),
            None => attempts.last(),
        };
        let found = found.ok_or_else(|| {
            Problem::unknown(format!("{job} of {run} has {} attempts", attempts.len()))
        })?;
        let number = found.number;
        let attempt = AttemptId { run: run.clone(), job: job.clone(), number };
        let site = api.published().site;
        let declared = site.as_ref().and_then(|site| site.hosts.get(&found.host));
        let files = api.0.wiring.logs.of(&found.host, declared);
        let (has_begun, ended) = (found.started.is_some(), found.ending.is_some());
        Ok(Self { attempt, ended, has_begun, files, masks: view.log_masks.clone() })
    }

    /// From a byte on; whether the attempt has ended is asked before that. `None`: it was archived, or was on a host that is
    /// declared no longer.
    async fn read(&self, stream: Stream, from: u64) -> Result<Option<Part>, Problem> {
        let part = self.files.read(&self.attempt, stream, from).await.map_err(Problem::failed)?;
        let part = Part { ended: part.ended || self.ended, ..part };
        Ok(Some(part).filter(|part| part.there || !self.has_begun))
    }

    fn gone(&self) -> Problem {
        let attempt = &self.attempt;
        Problem::unknown(format!("what {attempt} has written is not on this host, or was archived"))
    }

    /// The last bytes, with whether there are some before them; `None` as of [`read`](Self::read).
    pub(super) async fn last(
        &self,
        stream: Stream,
        bytes: u64,
    ) -> Result<Option<(bool, Piece)>, Problem> {
        // No file is as long as that: what is asked for is its size.
        let Some(part) = self.read(stream, MUCH).await? else { return Ok(None) };
        let from = part.size.saturating_sub(bytes);
        Ok(Some((from > 0, self.piece(stream, from).await?)))
    }

    /// At most 256 KiB from a byte on.
    pub(super) async fn piece(&self, stream: Stream, from: u64) -> Result<Piece, Problem> {
        // From the byte before, which tells whether a line begins here.
        let begin = if self.masks.is_empty() { from } else { from.saturating_sub(1) };
        let part = self.read(stream, begin).await?.ok_or_else(|| self.gone())?;
        let ended = part.ended;
        if self.masks.is_empty() {
            let next = from.saturating_add(part.bytes.len() as u64);
            return Ok(Piece { shown: part.bytes, next, ended });
        }
        let (shown, taken) = whole_lines(&part.bytes, from > 0, ended, &self.masks);
        Ok(Piece { shown, next: from.max(begin.saturating_add(taken as u64)), ended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_of_a_masked_log_begins_or_ends_within_what_is_masked() {
        let masks = ["password=".to_owned()];
        let log = b"one\nlogin password=hunter2 ok\nlast password=abc";
        // However it is cut into pieces, and whether it has ended or not, nothing of a secret is shown.
        for ended in [false, true] {
            for from in 0..log.len() {
                for to in from..=log.len() {
                    let begin = from.saturating_sub(1);
                    let (shown, taken) = whole_lines(&log[begin..to], from > 0, ended, &masks);
                    let shown = String::from_utf8(shown).unwrap();
                    let of_a_secret = |part: &str| shown.contains(part);
                    let whole = ended && to == log.len();
                    if whole || !ended {
                        assert!(
                            !of_a_secret("unter") && !of_a_secret("bc"),
                            "{from}..{to}: {shown}"
                        );
                    }
                    assert!(taken <= to - begin);
                }
            }
        }
        let (shown, taken) = whole_lines(log, false, false, &masks);
        assert_eq!((shown.as_slice(), taken), (&b"one\nlogin password=*** ok\n"[..], 30));
        let (shown, taken) = whole_lines(&log[29..], true, true, &masks);
        assert_eq!((shown.as_slice(), taken), (&b"last password=***"[..], log.len() - 29));
    }
}

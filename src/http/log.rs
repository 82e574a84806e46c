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
    if log.is_gone(stream) {
        return Err(log.gone());
    }
    let Piece { shown, next } = log.piece(stream, which.from)?;
    let mut response = shown.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    headers.insert(NEXT, next.into());
    headers.insert(ENDED, HeaderValue::from_static(if log.ended { "true" } else { "false" }));
    Ok(response)
}

/// What one attempt has written, as it may be shown.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) attempt: AttemptId,
    /// Nothing is added any more.
    pub(super) ended: bool,
    /// Its program was started, as its run has it.
    has_begun: bool,
    files: LogFiles,
    masks: Vec<String>,
}

/// A part of a log.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) shown: Vec<u8>,
    /// The byte that the next part begins with.
    pub(super) next: u64,
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
        let files = api.0.wiring.logs.clone();
        let has_begun = found.started.is_some();
        // First: what is added afterwards is not taken for missing.
        let ended = found.ending.is_some() || files.has_ended(&attempt);
        Ok(Self { attempt, ended, has_begun, files, masks: view.log_masks.clone() })
    }

    /// Whether it was on another host, or has left this one.
    pub(super) fn is_gone(&self, stream: Stream) -> bool {
        self.has_begun && !self.files.path(&self.attempt, stream).exists()
    }

    pub(super) fn gone(&self) -> Problem {
        let attempt = &self.attempt;
        Problem::unknown(format!("what {attempt} has written is not on this host, or was archived"))
    }

    pub(super) fn size(&self, stream: Stream) -> u64 {
        self.files.size(&self.attempt, stream)
    }

    /// At most 256 KiB from a byte on.
    pub(super) fn piece(&self, stream: Stream, from: u64) -> Result<Piece, Problem> {
        let read = |from| self.files.read(&self.attempt, stream, from).map_err(Problem::failed);
        let (shown, next) = match (self.masks.is_empty(), from.checked_sub(1)) {
            (true, _) => {
                let bytes = read(from)?;
                let next = from.saturating_add(bytes.len() as u64);
                (bytes, next)
            }
            // From the byte before, which tells whether a line begins here.
            (false, Some(before)) => {
                let (shown, taken) = whole_lines(&read(before)?, true, self.ended, &self.masks);
                (shown, from.max(before.saturating_add(taken as u64)))
            }
            (false, None) => {
                let (shown, taken) = whole_lines(&read(0)?, false, self.ended, &self.masks);
                (shown, taken as u64)
            }
        };
        Ok(Piece { shown, next })
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

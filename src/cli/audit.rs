//! `audit`: what people did in a time, and who could do what on a date.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::people;
use super::run::instant;
use super::show::host_now;
use crate::core::fact::Fact;
use crate::definition::site::Site;
use crate::driver::store::StateReader;
use crate::journal::{Entry, Head, Sealed};
use crate::port::StoreReader;
use crate::supervisor::definition;
use crate::types::{PersonId, Right};
use crate::view::audit::{AccessTable, AuditLine, Did, Point, Proof, Recorded};
use crate::{render, view};

/// Entries read at a time.
const PIECE: u32 = 2_000;

#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    /// From this date or time (of the site's zone); from the first entry by default
    #[arg(long, value_name = "DATE|TIME")]
    from: Option<String>,
    /// To the end of this date, or to this time; until now by default
    #[arg(long, value_name = "DATE|TIME")]
    to: Option<String>,
    /// Only what this person did, or what was done to this person's access
    #[arg(long)]
    person: Option<PersonId>,
    /// Comma-separated values instead of a table
    #[arg(long)]
    csv: bool,
    /// Who could do what at the end of this date instead
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to", "csv"])]
    access: Option<Date>,
}

pub(super) async fn audit(context: &Context, asked: AuditArguments) -> Result<u8, Failure> {
    context.may(Right::Admin)?;
    if let Some(date) = asked.access {
        return access(context, date, asked.person.as_ref()).await;
    }
    let site = context.site()?;
    let from = asked.from.map_or(Ok(Timestamp::MIN), |text| begin(&text, &site))?;
    let to = asked.to.map_or(Ok(Timestamp::MAX), |text| end(&text, &site))?;
    let reader = context.reader().await?;
    let mut walk = Walk::new(&reader, (from, to));
    let proof = walk.prove().await?;
    let mut lines = walk.lines;
    if let Some(person) = &asked.person {
        lines.retain(|line| is_about(line, person));
    }
    match context.format {
        _ if asked.csv => {
            print_line!("{}", render::audit::csv(context.lang, &lines, &proof).trim_end())?;
        }
        Format::Json => print_line!("{}", json!({ "lines": lines, "proof": proof }))?,
        Format::Text => {
            let text = render::audit::text(context.lang, &site.zone, &lines, &proof);
            print_line!("{text}")?;
        }
    }
    Ok(WELL)
}

/// The list of access as it was at the end of a date: by the job files that the last run until then began with; from
/// today on by those that there are.
async fn access(context: &Context, date: Date, person: Option<&PersonId>) -> Result<u8, Failure> {
    let current = context.site()?;
    let now = host_now()?.wall;
    let until = end_of(date, &current)?;
    let at = until.min(now);
    let reader = context.reader_if_any().await?;
    let (tokens, logins) = match &reader {
        Some(reader) => (people::known_tokens(reader).await?, people::logins(reader, at).await?),
        None => (Vec::new(), BTreeMap::new()),
    };
    let former = match &reader {
        _ if until > now => None,
        Some(reader) => Some(site_at(reader, until).await?),
        None => Some(None),
    };
    let site: &Site = match &former {
        None => &current,
        Some(Some(site)) => site,
        Some(None) => {
            let what = format!(
                "no run had begun by the end of {date}, so the job files of then are not known"
            );
            return Err(Failure::refused(what));
        }
    };
    let mut lines = view::access::of(site, &tokens, &logins, at);
    lines.retain(|line| person.is_none_or(|person| line.id == *person));
    match context.format {
        Format::Json => print_line!("{}", json!(lines))?,
        Format::Text => {
            let text = render::access::people(context.lang, &site.zone, &lines);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}

/// The site of the job files that the last real run until then began with.
async fn site_at(reader: &StateReader, until: Timestamp) -> Result<Option<Site>, Failure> {
    let runs = reader.runs(&crate::port::RunFilter::default()).await.map_err(Failure::failed)?;
    let Some(row) = runs.into_iter().find(|row| !row.trial && row.opened < until) else {
        return Ok(None);
    };
    let stored = definition(reader, &row.definition).await.map_err(Failure::failed)?;
    Ok(Some(stored.copy.site))
}

fn is_about(line: &AuditLine, person: &PersonId) -> bool {
    let of = match &line.did {
        Did::SetPassword { of } | Did::MakeToken { of, .. } | Did::Access { of, .. } => Some(of),
        _ => None,
    };
    [line.person.as_ref(), line.second.as_ref(), of].contains(&Some(person))
}

fn begin(text: &str, site: &Site) -> Result<Timestamp, Failure> {
    match text.parse::<Date>() {
        Ok(date) if !text.contains('T') => begin_of(date, site),
        _ => instant(text, site),
    }
}

fn end(text: &str, site: &Site) -> Result<Timestamp, Failure> {
    match text.parse::<Date>() {
        Ok(date) if !text.contains('T') => end_of(date, site),
        _ => instant(text, site),
    }
}

fn begin_of(date: Date, site: &Site) -> Result<Timestamp, Failure> {
    let day = date.to_zoned(site.zone.tz().clone()).map_err(Failure::defects)?;
    Ok(day.timestamp())
}

fn end_of(date: Date, site: &Site) -> Result<Timestamp, Failure> {
    begin_of(date.tomorrow().map_err(Failure::defects)?, site)
}

/// The whole journal, entry by entry: proven, and what people did in a time picked out.
struct Walk<'a> {
    reader: &'a StateReader,
    time: (Timestamp, Timestamp),
    lines: Vec<AuditLine>,
    first: Option<Point>,
    last: Option<Point>,
    /// What people are allowed by the job files of the last run.
    allowed: Option<AccessTable>,
    /// By the digest of a run's definition.
    tables: BTreeMap<String, AccessTable>,
}

impl<'a> Walk<'a> {
    fn new(reader: &'a StateReader, time: (Timestamp, Timestamp)) -> Self {
        let (lines, tables) = (Vec::new(), BTreeMap::new());
        Self { reader, time, lines, first: None, last: None, allowed: None, tables }
    }

    async fn prove(&mut self) -> Result<Proof, Failure> {
        // Taken first: what a supervisor adds meanwhile is not asked about.
        let stored = self.reader.head().await.map_err(Failure::failed)?;
        let mut head = Head::default();
        while head.seq < stored.seq {
            let page = self.reader.all_entries(head.seq, PIECE).await.map_err(Failure::failed)?;
            if page.is_empty() {
                break;
            }
            for sealed in page.iter().filter(|sealed| sealed.seq <= stored.seq) {
                let (next, entry) = head.check(sealed).map_err(Failure::failed)?;
                head = next;
                self.take(sealed, &entry).await?;
            }
        }
        if head != stored {
            return Err(Failure::failed(format!(
                "the store says that its last entry is {}, the journal ends with {}",
                stored.seq, head.seq
            )));
        }
        let head = Point { seq: head.seq, hash: head.hash };
        Ok(Proof { first: self.first.take(), last: self.last.take(), head })
    }

    async fn take(&mut self, sealed: &Sealed, entry: &Entry) -> Result<(), Failure> {
        let asked = self.time.0 <= entry.recorded && entry.recorded < self.time.1;
        if asked {
            let point = Point { seq: sealed.seq, hash: sealed.hash.clone() };
            self.first.get_or_insert(point.clone());
            self.last = Some(point);
        }
        if let Fact::RunOpened(opened) = &entry.fact
            && !opened.trial
        {
            self.compare(&opened.definition, (sealed, entry), asked).await?;
        }
        if asked {
            self.lines.extend(view::audit::line(recorded(sealed, entry)));
        }
        Ok(())
    }

    /// What came to be allowed by the job files that a run began with.
    async fn compare(
        &mut self,
        digest: &str,
        (sealed, entry): (&Sealed, &Entry),
        asked: bool,
    ) -> Result<(), Failure> {
        if !self.tables.contains_key(digest) {
            let stored = definition(self.reader, digest).await.map_err(Failure::failed)?;
            self.tables.insert(digest.to_owned(), view::audit::access_table(&stored.copy.site));
        }
        let Some(after) = self.tables.get(digest) else { return Ok(()) };
        if let Some(before) = self.allowed.as_ref().filter(|_| asked) {
            self.lines.extend(view::audit::changes(before, after, recorded(sealed, entry)));
        }
        self.allowed = Some(after.clone());
        Ok(())
    }
}

fn recorded<'e>(sealed: &'e Sealed, entry: &'e Entry) -> Recorded<'e> {
    Recorded { at: entry.recorded, seq: sealed.seq, hash: &sealed.hash, fact: &entry.fact }
}

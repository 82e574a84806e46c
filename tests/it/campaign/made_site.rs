//! A site from a seed: jobs whose effects can be counted from the outside.

use std::fmt::Write;

use super::dice::Dice;
use super::evidence::execute;
use crate::night::house::{HOSTS, House, SITE};

/// Says in a file of its job when each attempt begins and ends, and prints numbered lines.
/// Arguments: seconds that it takes, half of its lines, attempts that fail.
const EFFECT: &str = r#"
say() { echo "$1 $NIGHTRUN_ATTEMPT_ID $(date +%s%N) ${2:-}" >> "$NIGHTRUN_WORK/effect-$NIGHTRUN_JOB"; }
lines() { k=0; while [ $k -lt "$1" ]; do k=$((k + 1)); n=$((n + 1)); echo "line $n of $NIGHTRUN_ATTEMPT_ID"; done; }
n=0
say begin
lines "$2"
sleep "$1"
lines "$2"
code=0
[ "$NIGHTRUN_ATTEMPT" -gt "$3" ] || code=1
say end $code
exit $code
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A program that prints `2 * half` lines and ends with code 1 at its first `fails` attempts.
    Program { half: u32, fails: u32 },
    /// One row more in `effect` for each commit.
    Sql,
    /// One row more in `applied` for each application.
    Change,
}

#[derive(Debug, Clone)]
pub(super) struct MadeJob {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) needs: Vec<String>,
    pub(super) retry_max: u32,
    pub(super) retry_on: Vec<&'static str>,
}

/// What the site of a seed is made of.
#[derive(Debug, Clone)]
pub(super) struct MadeSite {
    pub(super) jobs: Vec<MadeJob>,
    pub(super) smtp: bool,
    pub(super) max_running: u64,
}

impl MadeSite {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let programs = dice.of(10, 35);
        let shape = dice.of(0, 3);
        let mut jobs: Vec<MadeJob> = Vec::new();
        for n in 0..programs {
            let needs = needs(dice, &jobs, shape);
            let kind = Kind::Program {
                half: if dice.percent(40) { dice.of(1, 30) as u32 } else { 0 },
                fails: if dice.percent(15) { dice.of(1, 3) as u32 } else { 0 },
            };
            jobs.push(job(dice, format!("p{n}"), kind, needs));
        }
        for n in 0..dice.of(2, 5) {
            let needs = if n == 0 { Vec::new() } else { needs(dice, &jobs, 0) };
            jobs.push(job(dice, format!("s{n}"), Kind::Sql, needs));
        }
        for n in 0..dice.of(1, 3) {
            let needs = needs(dice, &jobs, 0);
            jobs.push(job(dice, format!("c{n}"), Kind::Change, needs));
        }
        Self { jobs, smtp: dice.percent(40), max_running: dice.of(2, 6) }
    }

    pub(super) fn job(&self, name: &str) -> &MadeJob {
        self.jobs.iter().find(|job| job.name == name).unwrap()
    }

    /// Writes it. `smtp_port`: where mail goes, if not to a folder.
    pub(super) fn build(&self, dice: &mut Dice, smtp_port: Option<u16>) -> House {
        let house = House::bare();
        let most = format!("max_running: {}", self.max_running);
        house.write("hosts.yaml", &HOSTS.replace("max_running: 8", &most));
        let mut site = SITE.to_owned();
        if let Some(port) = smtp_port {
            let server = format!("smtp: {{host: 127.0.0.1, port: {port}, tls: none}}");
            site = site.replace("folder: mail", &server);
        }
        house.write("site.yaml", &site);
        house.write("night/effect.sh", EFFECT);
        let bank = house.work("bank.db");
        execute(&bank, "create table effect (job text); create table applied (change text)");
        let mut text = String::from("jobs:\n");
        for job in &self.jobs {
            let what = match job.kind {
                Kind::Program { half, fails } => {
                    let millis = if dice.percent(20) { 0 } else { dice.of(50, 600) };
                    format!("run: [sh, effect.sh, \"0.{millis:03}\", \"{half}\", \"{fails}\"]")
                }
                Kind::Sql => {
                    house.write(&format!("night/{}.sql", job.name), &sql(dice, &job.name));
                    format!("sql: {}.sql, target: bank", job.name)
                }
                Kind::Change => {
                    change(&house, &job.name);
                    format!("change: {}", job.name)
                }
            };
            let name = &job.name;
            let _ = write!(text, "  {name}: {{title: J, {what}, needs: [{}]", job.needs.join(", "));
            if job.retry_max > 0 {
                let on = job.retry_on.join(", ");
                let _ = write!(text, ", retry: {{max: {}, wait: 20ms, on: [{on}]}}", job.retry_max);
            }
            text.push_str("}\n");
        }
        house.batch("night", &text);
        house
    }
}

/// Needs among the jobs so far: at random, in three lanes, or in layers of six.
fn needs(dice: &mut Dice, before: &[MadeJob], shape: u64) -> Vec<String> {
    let at = before.len();
    let mut picked: Vec<usize> = match shape {
        0 if at > 0 => {
            let from = at.saturating_sub(8) as u64;
            (0..dice.of(0, 4)).map(|_| dice.of(from, at as u64) as usize).collect()
        }
        1 if at >= 3 => vec![at - 3],
        2 if at >= 6 => {
            let layer = (at / 6 - 1) as u64 * 6;
            (0..dice.of(1, 4)).map(|_| dice.of(layer, layer + 6) as usize).collect()
        }
        _ => Vec::new(),
    };
    picked.sort_unstable();
    picked.dedup();
    picked.into_iter().map(|n| before[n].name.clone()).collect()
}

fn job(dice: &mut Dice, name: String, kind: Kind, needs: Vec<String>) -> MadeJob {
    let (retry_max, retry_on) = match kind {
        // What may be half done is never tried again by itself.
        Kind::Change => (0, Vec::new()),
        _ if dice.percent(50) => {
            let mut on = vec!["exit", "signal"];
            on.extend(["could-not-start", "lost", "unknown"].iter().filter(|_| dice.percent(40)));
            (dice.of(1, 4) as u32, on)
        }
        _ => (0, Vec::new()),
    };
    MadeJob { name, kind, needs, retry_max, retry_on }
}

/// Takes a while before it has its effect.
fn sql(dice: &mut Dice, job: &str) -> String {
    let rows = dice.of(1, 300_000);
    format!(
        "with recursive c(n) as (select 1 union all select n + 1 from c where n < {rows}) select count(*) from c;\n\
         insert into effect values ('{job}');\n"
    )
}

/// A change of a table of its own, whose applications a trigger counts.
fn change(house: &House, name: &str) {
    execute(
        &house.work("bank.db"),
        &format!(
            "create table fee_{name} (rate int); insert into fee_{name} values (25);
             create trigger watch_{name} after update of rate on fee_{name} when new.rate = 30
             begin insert into applied values ('{name}'); end"
        ),
    );
    for (file, text) in [
        (
            "change.yaml",
            "version: 1\ntitle: Fee\nclass: data\nreason: It is wrong\nrequester: ann\ntarget: bank\n\
             rows: {min: 1, max: 2}\nverify_takes: 1s\nrollback_takes: 1s\n"
                .to_owned(),
        ),
        (
            "backup.sql",
            format!(
                "create table if not exists before_{name} (rate int);\ndelete from before_{name} where true;\n\
                 insert into before_{name} select rate from fee_{name};\n"
            ),
        ),
        ("change.sql", format!("update fee_{name} set rate = 30 where rate = 25;\n")),
        (
            "verify.sql",
            format!(
                "select 'new rate', count(*) = 0, count(*) || ' are old' from fee_{name} where rate <> 30;\n"
            ),
        ),
        (
            "rollback.sql",
            format!("update fee_{name} set rate = (select rate from before_{name}) where rate = 30;\n"),
        ),
    ] {
        house.write(&format!("changes/{name}/{file}"), &text);
    }
}

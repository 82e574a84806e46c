//! What one made-up night is made from, as one line of text that plays it again.

use std::fmt;
use std::str::FromStr;

use super::faults::Fault;

/// `seed=17 jobs=100 only=3,7 without=clock,slow until=40 crash=before:12`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    pub seed: u64,
    /// Jobs of all batches together.
    pub jobs: u64,
    /// The site is left with these of its jobs, counted from 0 over its batches; with all when empty.
    pub only: Vec<usize>,
    /// Kinds of faults that are switched off.
    pub without: Vec<Fault>,
    /// After this many turns nothing goes wrong any more.
    pub until: Option<usize>,
    /// The supervisor dies at this commit (counted from 1), besides all other faults.
    pub crash: Option<(usize, Moment)>,
    /// State and pages are looked at after every so many turns.
    pub look: usize,
}

/// When the supervisor dies at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has decided, and the journal does not know.
    Before,
    /// The journal knows, and nothing has been carried out.
    After,
}

impl Scenario {
    pub fn of(seed: u64, jobs: u64) -> Self {
        Self {
            seed,
            jobs,
            only: Vec::new(),
            without: Vec::new(),
            until: None,
            crash: None,
            look: 1,
        }
    }

    pub fn without_faults(self) -> Self {
        Self { without: Fault::ALL.to_vec(), ..self }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed={} jobs={}", self.seed, self.jobs)?;
        list(f, "only", &self.only)?;
        if self.without == Fault::ALL {
            f.write_str(" without=all")?;
        } else {
            list(f, "without", &self.without)?;
        }
        if let Some(until) = self.until {
            write!(f, " until={until}")?;
        }
        if let Some((commit, moment)) = self.crash {
            let moment = if moment == Moment::Before { "before" } else { "after" };
            write!(f, " crash={moment}:{commit}")?;
        }
        if self.look != 1 {
            write!(f, " look={}", self.look)?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, key: &str, of: &[impl ToString]) -> fmt::Result {
    if of.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = of.iter().map(ToString::to_string).collect();
    write!(f, " {key}={}", words.join(","))
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut read = Self::of(0, 24);
        for word in text.split_whitespace() {
            let (key, value) =
                word.split_once('=').ok_or_else(|| format!("`{word}` is not KEY=VALUE"))?;
            match key {
                "seed" => read.seed = number(value)?,
                "jobs" => read.jobs = number(value)?,
                "only" => read.only = value.split(',').map(number).collect::<Result<_, _>>()?,
                "without" if value == "all" => read.without = Fault::ALL.to_vec(),
                "without" => {
                    read.without = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
                }
                "until" => read.until = Some(number(value)?),
                "crash" => read.crash = Some(crash(value)?),
                "look" => read.look = number::<usize>(value)?.max(1),
                _ => return Err(format!("a scenario has no `{key}`")),
            }
        }
        Ok(read)
    }
}

fn crash(value: &str) -> Result<(usize, Moment), String> {
    let bad = || format!("`{value}` is not before:N or after:N");
    let (moment, commit) = value.split_once(':').ok_or_else(bad)?;
    let moment = match moment {
        "before" => Moment::Before,
        "after" => Moment::After,
        _ => return Err(bad()),
    };
    Ok((number(commit)?, moment))
}

fn number<T: FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{value}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_as_it_is_written() {
        for text in [
            "seed=17 jobs=6",
            "seed=1 jobs=100 only=3,7 without=clock,slow until=40 crash=before:12 look=8",
            "seed=2 jobs=24 without=all crash=after:3",
        ] {
            assert_eq!(text.parse::<Scenario>().map(|read| read.to_string()), Ok(text.to_owned()));
        }
        for bad in ["seed", "seed=x", "jobs=-1", "without=rain", "crash=12", "colour=red"] {
            assert!(bad.parse::<Scenario>().is_err(), "{bad}");
        }
    }
}

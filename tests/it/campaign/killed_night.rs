//! One night that is killed again and again, and taken up again until it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::dice::Dice;
use super::far::Far;
use super::made_site::MadeSite;
use super::prey::{self, Role};
use super::strike::{Strike, Target};
use crate::night::facts::eventually;
use crate::night::house::House;

const NIGHT: [&str; 4] = ["run", "night", "--date", "2026-10-30"];
/// How long a strike waits for somebody whom it could hit.
const LOOKS: u32 = 150;
const LOOK: Duration = Duration::from_millis(4);
/// How long a point may take to be passed.
const PASSES: Duration = Duration::from_millis(400);
/// Times that people decide, at the most; then something goes round in circles.
const ROUNDS: u32 = 40;

pub(super) struct KilledNight {
    pub(super) house: House,
    pub(super) site: MadeSite,
    dice: Dice,
    /// Where all jobs run, if not on this host.
    pub(super) far: Option<Far>,
    leads: Vec<Lead>,
    /// How often whom.
    pub(super) kills: BTreeMap<String, u32>,
    /// Attempts that were struck, or that ran when their host was.
    pub(super) struck: BTreeSet<String>,
    /// Strikes of which nobody can say whose attempt they hit.
    pub(super) stray: u32,
    pub(super) boots: u32,
    /// Attempts of which the spool has lost something.
    pub(super) torn: BTreeSet<String>,
    /// When an ending was first seen in the spool.
    pub(super) seen_ended: BTreeMap<String, Timestamp>,
    /// Files that a process makes before it dies at a point.
    armed: Vec<(&'static str, PathBuf)>,
    retried: BTreeMap<String, u32>,
    commands: u32,
    pub(super) complaints: Vec<String>,
}

/// A command that supervises, or would like to.
struct Lead {
    child: Child,
    words: String,
    log: PathBuf,
    /// Beside another, so that one of them is refused, or is told that the leader has gone.
    contends: bool,
}

/// How the night stands for those who look from the outside.
enum Standing {
    NotBegun,
    UnderWay,
    /// Over, with the jobs that somebody must decide about and the word of their state.
    Over(Vec<(String, String)>),
}

impl KilledNight {
    pub(super) fn new(house: House, site: MadeSite, dice: Dice, far: Option<Far>) -> Self {
        Self {
            house,
            site,
            dice,
            far,
            leads: Vec::new(),
            kills: BTreeMap::new(),
            struck: BTreeSet::new(),
            stray: 0,
            boots: 0,
            torn: BTreeSet::new(),
            seen_ended: BTreeMap::new(),
            armed: Vec::new(),
            retried: BTreeMap::new(),
            commands: 0,
            complaints: Vec::new(),
        }
    }

    /// From its first start to its good end.
    pub(super) fn go(&mut self, script: &[Strike]) {
        for strike in script {
            if let Target::Point(name, pass) = strike.target {
                self.strike_at(name, pass);
                continue;
            }
            if !self.is_led() && !self.take_up(None, strike.contended) {
                break;
            }
            // A moment that nothing marks: as chance will have it.
            sleep(strike.after);
            if strike.decides && self.is_led() {
                self.decide_meanwhile();
            }
            self.hit(strike.target);
            if !self.is_led() {
                sleep(strike.pause);
            }
        }
        self.bring_to_its_end();
        self.count_points();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.house.command(arguments);
        command.env("NIGHTRUN_BOOT_ID", format!("boot-{}", self.boots));
        command
    }

    fn standing(&self) -> (Standing, Vec<(String, String)>) {
        let answer = self.command(&["status", "--format", "json"]).output().unwrap();
        let page = serde_json::from_slice::<Value>(&answer.stdout).unwrap_or_default();
        let page = &page["runs"][0];
        let stand = |job: &Value| {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (word(&job["name"]), word(&job["state"]["state"]))
        };
        let jobs: Vec<_> = page["jobs"].as_array().into_iter().flatten().map(stand).collect();
        let open: Vec<_> =
            jobs.into_iter().filter(|(_, word)| word == "unknown" || word == "failed").collect();
        let standing = match &page["head"]["result"] {
            _ if page.is_null() => Standing::NotBegun,
            Value::Null => Standing::UnderWay,
            _ => Standing::Over(open.clone()),
        };
        (standing, open)
    }

    /// Whether somebody supervises. What has ended by itself is looked into.
    fn is_led(&mut self) -> bool {
        let mut ended = Vec::new();
        self.leads.retain_mut(|lead| match lead.child.try_wait().unwrap() {
            Some(status) => {
                let several = lead.contends;
                ended.push((status.code(), several, lead.words.clone(), lead.log.clone()));
                false
            }
            None => true,
        });
        for (code, several, words, log) in ended {
            let fine = match code {
                // Died at a point.
                None => true,
                Some(0 | 1 | 3) if several => true,
                Some(0 | 1) => matches!(self.standing().0, Standing::Over(_)),
                Some(_) => false,
            };
            if !fine {
                let said = fs::read_to_string(&log).unwrap_or_default();
                let tail: Vec<&str> = said.lines().rev().take(5).collect();
                self.complaints.push(format!("`{words}` gave up with {code:?}: {tail:?}"));
            }
        }
        !self.leads.is_empty()
    }

    /// Somebody goes on with the night; false when it has come to a good end.
    fn take_up(&mut self, fault: Option<(&str, &PathBuf)>, contended: bool) -> bool {
        let (standing, _) = self.standing();
        let words: Vec<String> = match standing {
            Standing::Over(open) if open.is_empty() => return false,
            Standing::Over(open) => self.decision(&open),
            Standing::UnderWay if self.dice.percent(60) => vec!["resume".to_owned()],
            _ => NIGHT.map(str::to_owned).to_vec(),
        };
        self.lead(&words, fault, contended);
        if contended {
            self.lead(&["resume".to_owned()], None, true);
        }
        true
    }

    fn lead(&mut self, words: &[String], fault: Option<(&str, &PathBuf)>, contends: bool) {
        self.commands += 1;
        let log = self.house.site().with_file_name(format!("command-{}.log", self.commands));
        let file = File::create(&log).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = self.command(&words);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        if let Some(far) = &self.far {
            far.sessions(self.boots, fault);
        }
        if let Some((point, once)) = fault {
            command.env("NIGHTRUN_FAULT", point).env("NIGHTRUN_FAULT_ONCE", once);
        }
        let child = command.spawn().unwrap();
        self.leads.push(Lead { child, words: words.join(" "), log, contends });
    }

    /// What a person says about one of the jobs that stand still.
    fn decision(&mut self, open: &[(String, String)]) -> Vec<String> {
        let (job, _) = self.dice.pick(open).clone();
        let tries = self.retried.entry(job.clone()).or_default();
        let act = match self.dice.of(0, 4) {
            0 => "skip",
            1 => "force",
            _ if *tries >= 3 => "force",
            _ => {
                *tries += 1;
                "retry"
            }
        };
        let job = format!("night.{job}");
        [act, &job, "--reason", "looked at it"].map(str::to_owned).to_vec()
    }

    /// Through the supervisor that is at work; which may have ended, or end, meanwhile.
    fn decide_meanwhile(&mut self) {
        let (standing, open) = self.standing();
        if matches!(standing, Standing::UnderWay) && !open.is_empty() {
            let words = self.decision(&open);
            // Where the other has just ended, this one supervises, and is struck in its place.
            self.lead(&words, None, true);
        }
    }

    fn count(&mut self, whom: &str) {
        *self.kills.entry(whom.to_owned()).or_default() += 1;
    }

    fn hit(&mut self, target: Target) {
        match target {
            Target::Supervisor => self.kill_supervisor(),
            Target::One(role) => self.kill_one(role),
            Target::Nightrun => {
                self.kill_supervisor();
                self.kill_all(&[Role::Agent, Role::Shim]);
            }
            Target::Everything => self.kill_host(),
            Target::Host | Target::Power => {
                self.kill_host();
                self.boots += 1;
                self.count(if target == Target::Host { "host" } else { "power" });
                if target == Target::Power {
                    self.tear_the_spool();
                }
            }
            Target::Point(..) => {}
        }
        self.look_at_endings();
    }

    fn kill_supervisor(&mut self) {
        if !self.is_led() {
            return;
        }
        for mut lead in std::mem::take(&mut self.leads) {
            lead.child.kill().unwrap();
            lead.child.wait().unwrap();
        }
        self.count("supervisor");
    }

    /// One of this kind, as soon as there is one.
    fn kill_one(&mut self, role: Role) {
        for _ in 0..LOOKS {
            let mut prey = prey::of(&self.house);
            prey.retain(|prey| prey.role == role && (role != Role::Program || prey.leads));
            if !prey.is_empty() {
                let prey = self.dice.pick(&prey).clone();
                return self.kill(&prey);
            }
            if !self.is_led() {
                return;
            }
            sleep(LOOK);
        }
    }

    fn kill(&mut self, prey: &prey::Prey) {
        prey.kill();
        self.count(match prey.role {
            Role::Agent => "agent",
            Role::Shim => "shim",
            Role::Worker => "worker",
            Role::Program => "program",
        });
        match &prey.attempt {
            Some(attempt) => drop(self.struck.insert(attempt.clone())),
            // An agent takes what it was about to begin with it.
            None => self.stray += 1,
        }
    }

    /// Until none of these is left: what was just being born is found the next time.
    fn kill_all(&mut self, roles: &[Role]) {
        loop {
            let mut prey = prey::of(&self.house);
            prey.retain(|prey| roles.contains(&prey.role));
            if prey.is_empty() {
                return;
            }
            // Parents first.
            prey.sort_by_key(|prey| roles.iter().position(|role| *role == prey.role));
            for prey in &prey {
                self.kill(prey);
            }
        }
    }

    fn kill_host(&mut self) {
        self.kill_supervisor();
        self.kill_all(&[Role::Agent, Role::Shim]);
        self.kill_all(&[Role::Agent, Role::Shim, Role::Worker, Role::Program]);
    }

    /// The spool is never synced: each of its files may be gone after a power cut, or hold nothing.
    fn tear_the_spool(&mut self) {
        let agent = self.house.state().join("agent");
        for name in prey::live(&self.house) {
            let (folder, live) = (agent.join("spool").join(&name), agent.join("live").join(&name));
            let torn = match self.dice.of(0, 8) {
                0 => fs::remove_dir_all(&folder).and_then(|()| fs::remove_file(&live)),
                1 => fs::remove_dir_all(&folder),
                2 => fs::remove_file(&live),
                3 => File::create(&live).map(drop),
                4 => fs::read(&live).and_then(|text| fs::write(&live, &text[..text.len() / 2])),
                5 => fs::read(&live)
                    .and_then(|text| fs::write(&live, &text[..text.len() - text.len().min(1)])),
                _ => continue,
            };
            torn.unwrap();
            self.torn.insert(prey::attempt_of(&name));
            self.seen_ended.remove(&prey::attempt_of(&name));
        }
        if self.dice.percent(50) {
            // Copies of scripts are in the store.
            let _ = fs::remove_dir_all(self.house.state().join("runs"));
        }
    }

    /// The night goes on until somebody dies at this point.
    fn strike_at(&mut self, name: &'static str, pass: u64) {
        self.kill_supervisor();
        if ["agent.", "shim.", "worker."].iter().any(|of| name.starts_with(of)) {
            // The next one inherits what it is to die of.
            self.kill_all(&[Role::Agent]);
        }
        self.look_at_endings();
        let once = self.house.site().with_file_name(format!("died-{}-{name}", self.armed.len()));
        if !self.take_up(Some((&format!("{name}:{pass}"), &once)), false) {
            return;
        }
        self.armed.push((name, once.clone()));
        let mut waited = Duration::ZERO;
        while !once.exists() && waited < PASSES && self.is_led() {
            sleep(LOOK);
            waited += LOOK;
        }
        self.look_at_endings();
    }

    /// Who died at points.
    fn count_points(&mut self) {
        for (name, once) in std::mem::take(&mut self.armed) {
            if once.exists() {
                self.count(name);
                self.stray += 1;
            }
        }
    }

    /// Whoever tells of them later must not say that they are younger.
    fn look_at_endings(&mut self) {
        let spool = fs::read_dir(self.house.state().join("agent/spool"));
        for entry in spool.into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let attempt = prey::attempt_of(&name);
            if !self.seen_ended.contains_key(&attempt) && prey::has_ended(&self.house, &name) {
                self.seen_ended.insert(attempt, Timestamp::now());
            }
        }
    }

    /// No more strikes: it goes on, people decide what they must, and it ends.
    fn bring_to_its_end(&mut self) {
        if let Some(cuts) = self.far.as_mut().map(Far::rest) {
            self.kills.insert("link".to_owned(), cuts);
        }
        for _ in 0..ROUNDS {
            if !self.is_led() && !self.take_up(None, false) {
                return;
            }
            eventually("the end of the night", || !self.is_led());
        }
        self.complaints.push(format!("it has not ended after {ROUNDS} decisions"));
    }
}

impl Drop for KilledNight {
    fn drop(&mut self) {
        for lead in &mut self.leads {
            let _ = lead.child.kill();
            let _ = lead.child.wait();
        }
        for prey in prey::of(&self.house) {
            prey.kill();
        }
    }
}

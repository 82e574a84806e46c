//! A run of the real binary, watched event by event.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::Signal;
use serde_json::Value;

use super::facts::{PATIENCE, eventually, send};

/// A run that is under way.
pub(crate) struct Night {
    child: Child,
    lines: Receiver<Value>,
    said: Receiver<String>,
    /// Events so far, and whether a test has waited for them.
    seen: Vec<(Value, bool)>,
}

/// A run that is over.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) code: Option<i32>,
    pub(crate) events: Vec<Value>,
    pub(crate) err: Vec<String>,
}

impl Night {
    /// Starts it.
    pub(crate) fn watch(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (events, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines() {
                let event = serde_json::from_str(&line.unwrap()).unwrap();
                let _ = events.send(event);
            }
        });
        let (notices, said) = channel();
        let err = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in err.lines() {
                let _ = notices.send(line.unwrap());
            }
        });
        Self { child, lines, said, seen: Vec::new() }
    }

    /// The next event of this name, of this job where one is named; in whatever order events come.
    #[track_caller]
    pub(crate) fn event(&mut self, name: &str, job: &str) -> Value {
        let wanted =
            |event: &Value| event["event"] == name && (job.is_empty() || event["job"] == job);
        if let Some((event, taken)) = self.seen.iter_mut().find(|(e, taken)| !taken && wanted(e)) {
            *taken = true;
            return event.clone();
        }
        loop {
            let Ok(event) = self.lines.recv_timeout(PATIENCE) else {
                let said: Vec<String> = self.said.try_iter().collect();
                panic!("no {name} of {job}; {:#?}\n{}", self.seen, said.join("\n"))
            };
            let found = wanted(&event);
            self.seen.push((event.clone(), found));
            if found {
                return event;
            }
        }
    }

    #[track_caller]
    pub(crate) fn started(&mut self, job: &str) -> Value {
        self.event("started", job)
    }

    #[track_caller]
    pub(crate) fn ended(&mut self, job: &str) -> Value {
        self.event("ended", job)
    }

    /// A line on standard error that holds these words.
    #[track_caller]
    pub(crate) fn notice(&self, words: &str) -> String {
        loop {
            let line = self.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("nothing said of `{words}`"));
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// kill -9, and it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Its exit code, if it has ended.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap()?.code()
    }

    /// Waits for its own end.
    #[track_caller]
    pub(crate) fn over(mut self) -> Over {
        let mut events: Vec<Value> = self.seen.drain(..).map(|(event, _)| event).collect();
        while let Ok(event) = self.lines.recv_timeout(PATIENCE) {
            events.push(event);
        }
        let mut status = None;
        eventually("the end of the run", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        Over { code: status.unwrap().code(), events, err: self.said.iter().collect() }
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Over {
        let over = self.over();
        assert_eq!(over.code, Some(code), "{:#?}\n{}", over.events, over.err.join("\n"));
        over
    }
}

impl Drop for Night {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Over {
    /// Events of this name, of this job where one is named.
    pub(crate) fn events(&self, name: &str, job: &str) -> Vec<&Value> {
        let wanted =
            |event: &&Value| event["event"] == name && (job.is_empty() || event["job"] == job);
        self.events.iter().filter(wanted).collect()
    }
}

//! Mail that cannot leave keeps nobody from the end of the night, and is not lost.

use super::house::{House, SITE};
use super::letter::Letter;
use crate::smtp_sink::{Behaviour, Sink};

pub(super) fn smtp(house: &House, port: u16) {
    let server = format!("smtp: {{host: 127.0.0.1, port: {port}, tls: none}}");
    house.write("site.yaml", &SITE.replace("folder: mail", &server));
}

/// A port that nobody listens on.
pub(super) fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A mail server on a thread of its own, as long as the tests live.
pub(super) fn sink(behaviours: &'static [Behaviour]) -> Sink {
    let (give, take) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            give.send(Sink::listen(behaviours).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    take.recv().unwrap()
}

#[test]
fn a_dead_mail_server_costs_no_night_and_no_mail() {
    for (jobs, code, mails) in
        [("  a: {title: A, run: [sh, job.sh]}\n", 0, 1), ("  a: {title: A, shell: exit 1}\n", 1, 3)]
    {
        let house = House::new(jobs);
        smtp(&house, closed_port());
        let ended = house.run(&["run", "night", "--date", "2026-10-30"]).code(code);
        let are = if mails == 1 { "mail is" } else { "mails are" };
        let words = format!("{mails} {are} not sent yet: `nightrun mail flush`");
        assert!(ended.out.contains(&words), "{}", ended.out);

        let list = house.run(&["mail", "list"]).code(0).out;
        assert_eq!(list.lines().count(), mails);
        assert!(
            list.lines().all(|line| line.contains("1 tries") && line.contains("onnect")),
            "{list}"
        );
        let unsent = house.run(&["mail", "list", "--format", "json"]).code(0).out;
        let mut queued: Vec<String> = unsent
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|mail| mail["id"].as_str().unwrap().trim_matches(['<', '>']).to_owned())
            .collect();
        queued.sort();

        let failed = house.run(&["mail", "flush"]).code(1);
        assert!(failed.out.contains(&format!("0 sent, {mails} left")), "{}", failed.out);

        let sink = sink(&[]);
        smtp(&house, sink.port);
        let sent = house.run(&["mail", "flush"]).code(0);
        assert!(sent.out.contains(&format!("{mails} sent, 0 left")), "{}", sent.out);
        let mut heard: Vec<String> = sink
            .heard()
            .into_iter()
            .filter_map(|heard| heard.message)
            .map(|message| Letter::read(message.as_bytes()).id)
            .collect();
        heard.sort();
        assert_eq!(heard, queued);
        assert_eq!(house.run(&["mail", "list"]).code(0).out, "everything has been sent\n");
    }
}

#[test]
fn mail_that_was_left_leaves_with_the_next_run() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    smtp(&house, closed_port());
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let sink = sink(&[]);
    smtp(&house, sink.port);
    let unsent = || house.run(&["mail", "list", "--format", "json"]).code(0).out.lines().count();
    assert_eq!(unsent(), 1);
    house.run(&["run", "night", "--date", "2026-10-31"]).code(0);
    // That of the night before is tried again when its time has come, or by hand.
    house.run(&["mail", "flush"]).code(0);
    assert_eq!(unsent(), 0);
    assert_eq!(sink.heard().iter().filter(|heard| heard.message.is_some()).count(), 2);
}

//! Folders that cannot be written: refused with a clear message at the start, or waited for in the night.

use super::disk::Disk;
use super::house::House;

const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];

fn house() -> House {
    House::new("  a: {title: A, run: [sh, job.sh]}\n")
}

#[test]
fn a_read_only_state_folder_is_refused_by_name() {
    for known in [false, true] {
        let house = house();
        let disk = Disk::mount(&house.state(), "8m");
        if known {
            house.spawn(&["run", "night", "--date", "2026-10-29"]).ends(0);
            let agent = house.agent_pid().unwrap();
            super::facts::eventually("the agent's end", || !super::facts::is_there(agent));
        }
        disk.read_only(true);
        let refused = house.run(RUN).code(1);
        assert!(refused.err.contains("Read-only file system"), "{}", refused.err);
        assert!(refused.err.contains(&*house.state().to_string_lossy()), "{}", refused.err);
        disk.read_only(false);
        house.spawn(RUN).ends(0);
        house.nothing_is_lost();
    }
}

#[test]
fn a_read_only_spool_is_waited_for() {
    let house = house();
    let disk = Disk::mount(&house.state().join("agent"), "1m");
    disk.read_only(true);
    let night = house.spawn(RUN);
    let told = night.notice("Read-only file system");
    assert!(told.contains("state/agent"), "{told}");
    disk.read_only(false);
    night.ends(0);
    house.nothing_is_lost();
}

#[test]
fn read_only_reports_and_mail_cost_no_night() {
    let house = house();
    let (reports, mail) = (house.state().join("reports"), house.state().join("mail"));
    let (reports, mail) = (Disk::mount(&reports, "1m"), Disk::mount(&mail, "1m"));
    reports.read_only(true);
    mail.read_only(true);
    let over = house.spawn(RUN).ends(0);
    let said = over.err.join("\n");
    assert!(said.contains("no report of") && said.contains("mail not sent"), "{said}");
    mail.read_only(false);
    house.run(&["mail", "flush"]).code(0);
    assert_eq!(house.mails().len(), 1);
}

#[test]
fn a_read_only_work_folder_is_the_jobs_own_trouble() {
    let house = House::new("  a: {title: A, shell: 'echo done > \"$NIGHTRUN_WORK/ran\"'}\n");
    let disk = Disk::mount(&house.work(""), "1m");
    disk.read_only(true);
    house.spawn(RUN).ends(1);
    let log = house.run(&["log", "night.a"]).code(0);
    assert!(log.err.contains("Read-only file system"), "{}", log.err);
    disk.read_only(false);
    house.spawn(&["retry", "night.a", "--reason", "can be written again"]).ends(0);
    house.nothing_is_lost();
}

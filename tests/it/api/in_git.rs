//! Whom git names as a writer of a change: kept out, and let in by nothing.

use serde_json::json;

use super::office::{Office, PEOPLE, house};
use crate::night::committed::git;

#[test]
fn whoever_git_names_has_no_part_in_judging_the_change() {
    let house = house();
    house.write("people.yaml", &PEOPLE.replace("name: Dba,", "name: Dba, mail: dba@bank.example,"));
    let site = house.site();
    git(&site, &["init", "--quiet", "--initial-branch=main"]);
    git(&site, &["add", "--all"]);
    git(&site, &["commit", "--quiet", "--author", "Anybody <DBA@bank.example>", "-m", "rate"]);
    let wrote = git(&site, &["rev-parse", "HEAD"]);
    // What touches another folder names nobody of this one.
    house.write("night/more.sql", "select 1;\n");
    git(&site, &["add", "--all"]);
    git(&site, &["commit", "--quiet", "--author", "Dev <asker@bank.example>", "-m", "other"]);
    let office = Office::of(house);
    let head = site.join(".git/HEAD");
    let kept = std::fs::read(&head).unwrap();
    // Where git cannot say who it was, nothing is handed in.
    std::fs::write(&head, "nonsense").unwrap();
    let failed = office.ask("wei", "rate", "submit", json!({}));
    assert!(
        failed.status >= 400 && failed.body.contains("who wrote its scripts"),
        "{}",
        failed.body
    );
    std::fs::write(&head, kept).unwrap();
    office.done("wei", "rate", "submit", json!({}));
    let page = office.page("rate");
    assert_eq!(
        page["steps"][0]["in_git"],
        json!([
            { "commit": wrote, "mail": "dba@bank.example", "person": "dba" },
            { "commit": wrote, "mail": "li@bank.example" },
        ])
    );
    office.refused("dba", "rate", "review", json!({}), "own-work");
    let shown = office.command("wei", &["change", "show", "rate"]).code(0).out;
    for who in ["git names: dba", "li@bank.example"] {
        assert!(shown.contains(&format!("{who} ({})", &wrote[..12])), "{shown}");
    }
}

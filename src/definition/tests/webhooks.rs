//! Webhooks: what is wrong of them and of whoever names them.

use super::{load, sound, texts};

#[test]
fn every_defect_of_a_webhook_has_its_place() {
    let site = super::super::starter::FILES.iter().find(|(path, _)| *path == "site.yaml");
    let webhooks = "\
webhooks:
  none: {format: slack}
  two: {format: json, url: https://a.example, url_file: /etc/nightrun/two}
  open: {format: wecom, url: https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=1}
  relative: {format: feishu, url_file: room.url, secret_file: room.secret}
  unsigned: {format: slack, url_file: /etc/nightrun/slack, secret_file: /etc/nightrun/secret}
  clear: {format: json, url: http://alarms.bank.example/night}
  odd: {format: json, url: ftp://a.example}
  form: {format: wechat, url_file: /etc/nightrun/room}
  ops-room: {format: wecom, url_file: /etc/nightrun/ops-room}
";
    let site = format!("{}{webhooks}", site.unwrap().1);
    let people = "version: 1\npeople:\n  ann: {name: Ann, mail: a@bank.example, roles: [duty, report], webhook: ops-rom}\n";
    let escalation = "version: 1\npolicy: p\npolicies:\n  p:\n    title: P\n    steps:\n      \
                      - {tell: {webhooks: [op-room]}, by: [mail, webhok]}\n";
    let tree =
        sound(&[("site.yaml", &site), ("people.yaml", people), ("escalation.yaml", escalation)]);
    insta::assert_snapshot!(texts(&load(&tree)));
}

#[test]
fn the_address_of_pages_is_one_that_a_path_can_follow() {
    let site = super::super::starter::FILES.iter().find(|(path, _)| *path == "site.yaml");
    let of = |url: &str| {
        let site = format!("{}url: {url}\n", site.unwrap().1);
        let loaded = load(&sound(&[("site.yaml", &site)]));
        (texts(&loaded), loaded.site.and_then(|site| site.url))
    };
    let (none, given) = of("https://night.bank.example:8420/nightrun/");
    assert_eq!(
        (none.as_str(), given.as_deref()),
        ("", Some("https://night.bank.example:8420/nightrun"))
    );
    let wrong = [
        ("http://night.bank.example", "in the clear"),
        ("night.bank.example", "is no address"),
        ("ftp://night.bank.example", "is no address"),
        ("'https://night.bank.example/?a=\"b'", "no `?` in it"),
        ("'https://night.bank.example/ x'", "no ` ` in it"),
    ];
    for (url, words) in wrong {
        let (told, _) = of(url);
        assert!(told.contains(words), "{url}: {told}");
    }
}

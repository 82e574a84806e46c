//! Inspections: what was looked at, how often.

use super::messages;

messages! {
    /// What people read of inspections.
    Inspections;
    Ok: "ok", "正常";
    Warn: "warn", "预警";
    Fail: "fail", "异常";
    Finding { name: &'a str, verdict: &'a str, value: &'a str }:
        format!("{name}: {verdict}, {value}"), format!("{name}：{verdict}，{value}");
    Nothing { from: &'a str, to: &'a str }:
        format!("No rounds of inspections were wanted or done from {from} to {to}."),
        format!("{from} 至 {to} 无巡检要求，也无巡检记录。");
    Lead { from: &'a str, to: &'a str, missed: u32 }:
        format!("Inspections from {from} to {to}: {missed} missed."), format!("{from} 至 {to} 巡检：漏检 {missed} 次。");
    Day { date: &'a str, title: &'a str, wanted: u32, done: u32, missed: u32 }:
        if wanted == 0 { format!("{date}  {title}: {}, none wanted", rounds(done)) }
        else { format!("{date}  {title}: {done} of {wanted} rounds, {missed} missed") },
        if wanted == 0 { format!("{date}  {title}：无巡检要求，已检 {done} 次") }
        else { format!("{date}  {title}：应检 {wanted} 次，已检 {done} 次，漏检 {missed} 次") };
    DayYet { date: &'a str, title: &'a str, wanted: u32, done: u32 }:
        if wanted == 0 { format!("{date}  {title}: {} so far, none wanted", rounds(done)) }
        else { format!("{date}  {title}: {done} of {wanted} rounds so far") },
        if wanted == 0 { format!("{date}  {title}：无巡检要求，目前已检 {done} 次") }
        else { format!("{date}  {title}：应检 {wanted} 次，目前已检 {done} 次") };
    /// From where on, or down to where, a value is not well.
    WarnMore { limit: &'a str }: format!("warn ≥ {limit}"), format!("预警 ≥ {limit}");
    WarnLess { limit: &'a str }: format!("warn ≤ {limit}"), format!("预警 ≤ {limit}");
    FailMore { limit: &'a str }: format!("fail ≥ {limit}"), format!("异常 ≥ {limit}");
    FailLess { limit: &'a str }: format!("fail ≤ {limit}"), format!("异常 ≤ {limit}");
    HeadRounds: "Rounds of inspections", "巡检";
    NoRounds: "No round was done.", "无巡检记录。";
    NotAtHand: "its run was archived", "批次已归档";
    HeadLimits: "Limits", "阈值";
    HeadCheck: "Check", "检查项";
    HeadAll: "All", "合计";
    Late: "late", "逾期";
    Sum { ok: u32, warn: u32, fail: u32 }:
        format!("{ok} ok, {warn} warn, {fail} fail"), format!("正常 {ok}，预警 {warn}，异常 {fail}");
}

fn rounds(done: u32) -> String {
    if done == 1 { "1 round".to_owned() } else { format!("{done} rounds") }
}

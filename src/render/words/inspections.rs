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
        format!("{date}  {title}: {done} of {wanted} rounds, {missed} missed"),
        format!("{date}  {title}：应检 {wanted} 次，已检 {done} 次，漏检 {missed} 次");
    DayYet { date: &'a str, title: &'a str, wanted: u32, done: u32 }:
        format!("{date}  {title}: {done} of {wanted} rounds so far"),
        format!("{date}  {title}：应检 {wanted} 次，目前已检 {done} 次");
    HeadCheck: "Check", "检查项";
    HeadAll: "All", "合计";
    Late: "late", "逾期";
    Sum { ok: u32, warn: u32, fail: u32 }:
        format!("{ok} ok, {warn} warn, {fail} fail"), format!("正常 {ok}，预警 {warn}，异常 {fail}");
}

//! Bulletins: what happened since the last one.

use super::messages;

messages! {
    /// What people read of a bulletin.
    Bulletins;
    Title { date: &'a str }: format!("Bulletin of {date}"), format!("{date} 每日通告");
    Lead { from: &'a str, to: &'a str }:
        format!("What happened from {from} to {to}."), format!("{from} 至 {to} 运行情况。");
    Counts { runs: u32, failed: u32, incidents: u32, open: u32 }:
        format!("Runs: {runs}, not well {failed}. Incidents: {incidents}, open {open}."),
        format!("批次执行 {runs} 次，异常 {failed} 次；事件 {incidents} 起，未关闭 {open} 起。");
    HeadFailed: "Runs that did not end well", "异常批次";
    HeadRuns: "Runs", "批次执行";
    HeadMissed: "Starts that were not made", "未启动的计划";
    HeadIncidents: "Incidents", "事件";
    HeadRounds: "Rounds of inspections", "巡检";
    HeadManuals: "Runbooks to be reviewed", "待复审的处置手册";
    Reviewed { job: &'a str, at: &'a str, every: u32 }:
        format!("{job}: reviewed on {at}, due every {every} days"),
        format!("{job}：上次复审 {at}，应每 {every} 天复审");
    NeverReviewed { job: &'a str, every: u32 }:
        format!("{job}: nobody says when it was reviewed, due every {every} days"),
        format!("{job}：无复审记录，应每 {every} 天复审");
    HeadChanges: "Changes", "变更";
    HeadRecurring: "Data changes that come again", "重复出现的数据变更";
    Recurs { changes: &'a str, environment: &'a str, times: u32, took: &'a str, statements: &'a str }:
        format!("{changes} in {environment}: {times} times, {took} in all: {statements}"),
        format!("{environment}：{changes}，共 {times} 次，累计 {took}：{statements}");
    HeadShifts: "On shift", "当班";
    HeadHandOvers: "Hand-overs that nobody has accepted", "未接班的交接";
    HeadAhead: "What is next", "后续计划";
    Run { run: &'a str, result: &'a str, from: &'a str, to: &'a str }:
        format!("{run}: {result}, {from} to {to}"), format!("{run}：{result}，{from} 至 {to}");
    RunOpen { run: &'a str, from: &'a str }:
        format!("{run}: under way since {from}"), format!("{run}：运行中，自 {from}");
    OpenYet: "open", "未关闭";
    Response { took: &'a str }: format!("response after {took}"), format!("响应用时 {took}");
    Solution { took: &'a str }: format!("over after {took}"), format!("解决用时 {took}");
    TooLate { limits: &'a str }: format!("too late: {limits}"), format!("超时：{limits}");
    Shift { shift: &'a str, from: &'a str, to: &'a str, who: &'a str }:
        format!("{shift} {from} - {to}: {who}"), format!("{shift} {from} – {to}：{who}");
    UnknownShifts { count: u32 }:
        format!("{} not known: a calendar does not reach that far.", if count == 1 { "1 shift is".to_owned() } else { format!("{count} shifts are") }),
        format!("另有 {count} 个班次因日历数据不足而无法确定。");
    AndMore { count: u32 }: format!("and {count} more"), format!("另有 {count} 项");
    Nothing: "Nothing happened, and nothing is open.", "无运行记录，无遗留事项。";
}

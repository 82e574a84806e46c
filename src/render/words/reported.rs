//! The report of a night: what its drawing and its parts say.

use super::messages;

messages! {
    /// What people read in a report.
    Reported;
    // The drawing.
    Window { title: &'a str }: format!("Window: {title}"), format!("时间窗口：{title}");
    Freeze { reason: &'a str }: format!("Freeze: {reason}"), format!("封版：{reason}");

    // Who answers for it.
    Signed { who: &'a str, at: &'a str, words: &'a str }:
        format!("Signed by {who} at {at}: {words}"), format!("{who} 于 {at} 签收：{words}");
    SignedOn { who: &'a str, shifts: &'a str, at: &'a str, words: &'a str }:
        format!("Signed by {who} (on shift: {shifts}) at {at}: {words}"),
        format!("{who}（当班：{shifts}）于 {at} 签收：{words}");
    NotSigned: "Nobody has signed it yet.", "尚未签收。";

    // The same batch a week before.
    HeadWeek: "Against a week before", "与上周同日对比";
    Week { day: &'a str, run: &'a str, result: &'a str, end: &'a str, took: &'a str }:
        format!("{day}, {run}: {result}, ended {end}, took {took}."),
        format!("{day}，{run}：{result}，{end} 结束，耗时 {took}。");
    WeekOpen { day: &'a str, run: &'a str }:
        format!("{day}, {run}: has not ended."), format!("{day}，{run}：尚未结束。");
    Longer { by: &'a str }: format!("This run took {by} longer."), format!("本次多用 {by}。");
    Shorter { by: &'a str }: format!("This run took {by} less."), format!("本次少用 {by}。");
    HeadBefore: "A week before", "上周";
    HeadNow: "This time", "本次";
    HeadDifference: "Difference", "差异";

    // Deadlines.
    HeadDeadlines: "Deadlines", "时限";
    DeadlinesKept { kept: u32, missed: u32, open: u32 }:
        format!("{kept} kept, {missed} missed, {open} not decided yet."),
        format!("按时 {kept} 项，超时 {missed} 项，未定 {open} 项。");
    HeadDue: "Due", "期限";
    HeadMet: "Done", "完成";
    Kept: "kept", "按时";
    Missed: "missed", "超时";
    NotYet: "not yet", "未定";
    OfBatch: "the batch", "批次";

    // Limits of the contract.
    HeadLimits: "Limits of the service contract", "服务时限";
    HeadLimit: "Limit", "时限";
    HeadAfter: "After", "用时";
    HeadOwner: "Taken care of by", "处理人";
    HeadFault: "What", "故障";

    // Beyond the rules, and who was there.
    HeadExceptions: "Windows overridden, jobs declared done", "越窗执行与强制完成";
    HeadShifts: "On shift", "当班人员";
    HeadShift: "Shift", "班次";
}

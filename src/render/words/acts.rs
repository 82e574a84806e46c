//! What operators did.

use super::{colon_en, colon_zh, messages};

messages! {
    /// A deed of a person, without the reason.
    Deed;
    Hold { job: &'a str }: format!("held {job}"), format!("挂起 {job}");
    Release { job: &'a str }: format!("released {job}"), format!("放行 {job}");
    Skip { job: &'a str }: format!("skipped {job}"), format!("跳过 {job}");
    Force { job: &'a str }: format!("declared {job} done"), format!("强制完成 {job}");
    Retry { job: &'a str }: format!("retried {job}"), format!("重跑 {job}");
    Kill { job: &'a str }: format!("ended {job}"), format!("终止 {job}");
    Confirm { job: &'a str }: format!("confirmed {job}"), format!("确认 {job}");
    Note { text: &'a str }: format!("noted: {text}"), format!("备注：{text}");
    NoteOn { job: &'a str, text: &'a str }: format!("noted on {job}: {text}"), format!("备注 {job}：{text}");
    Cancel: "cancelled the run", "取消批次执行";
    ReleaseChanges { shifts: &'a str }:
        format!("released the changes of the run (on shift: {shifts})"), format!("当班（{shifts}）放行本次变更");
    WatchChanges: "watches the changes of the run", "复核并监督本次变更";
    Sign: "signed the report", "签收报告";
    SignOn { shifts: &'a str }:
        format!("signed the report (on shift: {shifts})"), format!("当班（{shifts}）签收报告");
    Rerun { jobs: &'a str }: format!("ran again: {jobs}"), format!("再次执行 {jobs}");
    Priority { job: &'a str, priority: i32 }:
        format!("gave {job} the priority {priority}"), format!("将 {job} 的优先级设为 {priority}");
    MoveStart { from: &'a str, to: &'a str }:
        format!("moved the time by which the batch must start from {from} to {to}"),
        format!("批次最晚开始时间由 {from} 调整为 {to}");
    MoveComplete { from: &'a str, to: &'a str }:
        format!("moved the time by which the batch must be complete from {from} to {to}"),
        format!("批次完成时限由 {from} 调整为 {to}");
    MoveStartOf { job: &'a str, from: &'a str, to: &'a str }:
        format!("moved the time by which {job} must start from {from} to {to}"),
        format!("{job} 最晚开始时间由 {from} 调整为 {to}");
    MoveCompleteOf { job: &'a str, from: &'a str, to: &'a str }:
        format!("moved the time by which {job} must be complete from {from} to {to}"),
        format!("{job} 完成时限由 {from} 调整为 {to}");
    ByTwo { what: &'a str, who: &'a str }:
        format!("{what}, with the yes of {who}"), format!("{what}（{who}复核同意）");
    Override: "overrode the execution window", "越过时间窗口执行";
    Stop: "stopped the run", "停止批次执行";
    Resume: "resumed the run", "恢复批次执行";
    By { who: &'a str, reason: &'a str }:
        format!("by {who}{}", colon_en(reason)), format!("{who}操作{}", colon_zh(reason));
}

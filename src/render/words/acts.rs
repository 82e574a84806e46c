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
    Override: "overrode the execution window", "越过时间窗口执行";
    Stop: "stopped the run", "停止批次执行";
    Resume: "resumed the run", "恢复批次执行";
    By { who: &'a str, reason: &'a str }:
        format!("by {who}{}", colon_en(reason)), format!("{who}操作{}", colon_zh(reason));
}

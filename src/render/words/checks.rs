//! Whether targets still hold what was done there, and exports.

use super::messages;

messages! {
    /// What a check of targets says.
    Checks;
    Nothing: "nothing was done in that time", "该期间无已执行的变更";
    Environment: "Environment", "环境";
    Found: "What the target says now", "目标库当前记录";
    Same: "the same", "一致";
    Drift { what: &'a str }: format!("DRIFT: {what}"), format!("不一致：{what}");
    Unread { why: &'a str }: format!("could not be read: {why}"), format!("无法读取：{why}");
    Sum { checked: u32, drifted: u32, unread: u32 }:
        format!("{checked} looked at, {drifted} otherwise than the journal says, {unread} not read"),
        format!("共检查 {checked} 项，不一致 {drifted} 项，未能读取 {unread} 项");
    Exported { folder: &'a str, changes: u32, executions: u32 }:
        format!("{folder}: {executions} executions of {changes} changes"), format!("{folder}：{changes} 个变更，{executions} 次执行");
    NotWhole { names: &'a str }: format!("proofs that are not whole: {names}"), format!("不完整的证明：{names}");
}

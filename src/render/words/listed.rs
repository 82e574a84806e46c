//! Lists of windows and of sign-off meetings in words.

use super::messages;

/// `1 change`, `3 changes`.
fn changes(changes: u32) -> String {
    if changes == 1 { "1 change".to_owned() } else { format!("{changes} changes") }
}

messages! {
    /// What is on a list.
    Listed;
    List: "List", "清单";
    On { environment: &'a str, count: u32 }:
        format!("{environment}, {}", changes(count)), format!("{environment}，{count} 项变更");
    Empty { environment: &'a str }:
        format!("{environment}, nothing is on it"), format!("{environment}，清单为空");
    NothingOnIt: "Nothing was on its list.", "清单为空。";
    Entry { target: &'a str, content: &'a str, digest: &'a str }:
        format!("on {target}, scripts {content}, approval {digest}"),
        format!("目标库 {target}，脚本摘要 {content}，审批摘要 {digest}");
    ForWindow { opens: &'a str, closes: &'a str }:
        format!(", window {opens} - {closes}"), format!("，窗口 {opens} - {closes}");
    LeftOff: "Left out", "未列入";
    Seal: "Seal", "封版";
    SealOf { commit: &'a str, number: u64, hash: &'a str }:
        if commit.is_empty() { format!("journal entry {number} {hash}") }
        else { format!("commit {commit}, journal entry {number} {hash}") },
        if commit.is_empty() { format!("流水 {number} {hash}") }
        else { format!("提交 {commit}，流水 {number} {hash}") };
    SignOff: "Sign-off lists", "会签清单";
    /// The list of the first environment is the release plan.
    ReleasePlan { environment: &'a str }: format!("Release plan: {environment}"), format!("版本计划：{environment}");
    ListOf { environment: &'a str }: format!("List of {environment}"), format!("{environment} 清单");
    Meets { at: &'a str }: format!("meets {at}"), format!("会议时间 {at}");
    Due { at: &'a str }: format!("due {at}"), format!("提交截止 {at}");
    Posted { at: &'a str }: format!("posted {at}"), format!("发布时间 {at}");
    PostedNow: "posted", "已发布";
    PostedLead { at: &'a str }:
        format!("As it is now; it is posted {at}."), format!("以下为当前内容，发布时间 {at}。");
    DueSoon { at: &'a str }: format!("due {at}"), format!("{at} 截止");
    DueLead { at: &'a str }:
        format!("What is to be on it is handed in before {at}."), format!("请在 {at} 之前提交。");
    Printed: "To print and sign", "打印签字";
    Unsigned: "not signed", "未签";
    AfterDue: "handed in after the list was due: for the meeting after the next", "提交晚于截止时间，顺延至下一次会签之后";
    NoChange: "no change", "无变更";
    DroppedOut: "Dropped out", "移出清单";
    Signatures: "Signatures", "签字";
    ToSign: "________", "________";
    Review: "review", "脚本审核";
    Approval: "approval", "审批";
    NotApproved { environment: &'a str }: format!("not approved for {environment}"), format!("{environment} 未审批");
    NotExecuted { environment: &'a str }: format!("not executed in {environment}"), format!("{environment} 未执行");
    NotVerified { environment: &'a str, state: &'a str }:
        format!("{environment}: {state}"), format!("{environment}：{state}");
    OtherScripts { environment: &'a str }:
        format!("executed in {environment} with scripts that are others by now"), format!("{environment} 执行的是旧版脚本");
    NotRehearsed { environment: &'a str }:
        format!("not rehearsed in {environment} of late"), format!("近期未在 {environment} 演练");
    Why: "Why", "原因";
    AsOf { at: &'a str }: format!("As of {at}"), format!("截至 {at}");
    SealSubject { list: &'a str, environment: &'a str, count: u32 }:
        format!("{list} sealed: {} for {environment}", changes(count)),
        format!("{list}已封版：{environment} {count} 项变更");
    SealLead:
        "The list is sealed: its run holds what is listed here, and nothing that is altered later.",
        "清单已封版：本次执行以下列内容为准，此后的改动不计入。";
    SealRelease { command: &'a str }:
        format!("It starts in its window, once released and watched: {command}"),
        format!("当班人员放行、第二人复核监督后，在窗口内自动执行：{command}");
}

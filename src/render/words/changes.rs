//! The life of a change in words.

use super::messages;

messages! {
    /// Steps, as what was done.
    Stepped;
    Created { title: &'a str }: format!("asked for: {title}"), format!("提出：{title}");
    Assigned { to: &'a str }: format!("assigned to {to}"), format!("分派给 {to}");
    Submitted { digest: &'a str }: format!("submitted ({digest})"), format!("提交（{digest}）");
    SubmittedFor { digest: &'a str, environment: &'a str }:
        format!("submitted for {environment} ({digest})"), format!("提交至 {environment}（{digest}）");
    InGit { names: &'a str }: format!("; git names: {names}"), format!("；git 记录的作者：{names}");
    Reviewed { role: &'a str }: format!("reviewed as {role}"), format!("以 {role} 审核脚本");
    Approved { environment: &'a str, role: &'a str }:
        format!("approved for {environment} as {role}"), format!("以 {role} 审批 {environment}");
    StandsIn: " (deputy)", "（代理）";
    Ticked { names: &'a str }: format!(", seen: {names}"), format!("，已知：{names}");
    Confirmed { environment: &'a str, item: &'a str, role: &'a str }:
        format!("confirmed {item} for {environment} as {role}"), format!("以 {role} 确认 {environment} 的 {item}");
    Configured { environment: &'a str, item: &'a str }:
        format!("configured {item} in {environment}"), format!("已在 {environment} 配置 {item}");
    Handled { item: &'a str, role: &'a str }:
        format!("confirmed {item} of the request as {role}"), format!("以 {role} 确认申请的 {item}");
    Scheduled { environment: &'a str }:
        format!("put on the list of {environment}"), format!("列入 {environment} 清单");
    ScheduledFor { environment: &'a str, window: &'a str }:
        format!("put on the list of {environment} for {window}"), format!("列入 {environment} 清单，窗口 {window}");
    Began { environment: &'a str }: format!("started in {environment}"), format!("在 {environment} 开始执行");
    BeganEmergency: ", an emergency outside of its window", "，窗口外紧急变更";
    BeganLate { who: &'a str }: format!(", late, as {who} let it"), format!("，{who} 同意逾期执行");
    BeganOverridden { who: &'a str }:
        format!(", outside of its windows, as {who} has ordered"), format!("，由 {who} 下令在窗口外执行");
    Ended { environment: &'a str, state: &'a str, rows: u64, good: u32, checks: u32 }:
        format!("{environment}: {state}, {rows} rows, {good} of {checks} checks good"),
        format!("{environment}：{state}，{rows} 行，验证 {good}/{checks} 通过");
    Came { done: u32, of: u32 }:
        format!(", {done} of {of} statements done"), format!("，语句完成 {done}/{of}");
    WentBack { done: u32, of: u32 }:
        format!(", {done} of {of} statements of its rollback done"), format!("，回退语句完成 {done}/{of}");
    Rehearsed { what: &'a str }: format!("; {what}"), format!("；{what}");
    Accepted { environment: &'a str }:
        format!("decided for {environment}: accepted half done, it counts as applied"),
        format!("判定 {environment}：接受部分完成的状态，视为已生效");
    Continued { environment: &'a str }:
        format!("decided for {environment}: it goes on with what is not done"),
        format!("判定 {environment}：继续执行未完成部分");
    TakenBack { environment: &'a str }:
        format!("decided for {environment}: it is rolled back"), format!("判定 {environment}：回退");
    Applied { environment: &'a str }: format!("decided for {environment}: applied"), format!("判定 {environment}：已生效");
    NotApplied { environment: &'a str }:
        format!("decided for {environment}: not applied"), format!("判定 {environment}：未生效");
    LostToOne { environment: &'a str }:
        format!("says that it is not in {environment} any more; it takes another person"),
        format!("称 {environment} 中已不存在该变更，待第二人确认");
    Lost { environment: &'a str }:
        format!("it is not in {environment} any more: lost"), format!("确认 {environment} 中已不存在该变更：已丢失");
    FedBack: "fed back to the requester", "已反馈需求方";
    Closed: "closed", "关闭";
    Archived: "archived", "归档";
    Returned: "sent back", "退回";
    Withdrawn: "withdrawn", "撤回";
}

messages! {
    /// Stages, states and heads.
    ChangeWord;
    Draft: "draft", "草稿";
    StageCreated: "created", "已提出";
    StageAssigned: "assigned", "已分派";
    StageWritten: "written", "已提交";
    StageReviewed: "reviewed", "已审核";
    StageApproved: "approved", "已审批";
    StageScheduled: "scheduled", "已排期";
    StageExecuting: "executing", "执行中";
    StageExecuted: "executed", "已执行";
    StageFailed: "failed", "失败";
    StageRolledBack: "rolled back", "已回退";
    StageInDoubt: "in doubt", "结果未知";
    StageFedBack: "fed back", "已反馈";
    StageClosed: "closed", "已关闭";
    StageArchived: "archived", "已归档";
    StageReturned: "sent back", "已退回";
    StageWithdrawn: "withdrawn", "已撤回";
    Change: "Change", "变更";
    Stage: "Stage", "阶段";
    Class: "Class", "分类";
    Environments: "Environments", "环境";
    Since: "Since", "自";
    Title: "Title", "标题";
    Requester: "Requester", "需求方";
    Team: "Team", "团队";
    Ticket: "Ticket", "工单";
    Governance: "Governance number", "变更治理编号";
    Reason: "Reason", "原因";
    Handler: "Assigned to", "处理人";
    Emergency: "emergency", "紧急";
    Nothing: "no change", "无变更";
    NoFolder: "its folder is not there yet", "变更目录尚不存在";
    Missing: "missing", "缺";
    ToClose: "Before closing", "关闭前待确认";
    Cleared: "may start", "可执行";
    Digest: "Approval digest", "审批摘要";
    Life: "Life", "过程";
    Same: "as it was", "一致";
    Differs: "not as it was", "已变更";
    NotKept { script: &'a str }:
        format!("{script}: its text is not kept here, so its lines cannot be compared"),
        format!("{script}：文本未保存，无法逐行比较");
    Submission: "submission", "提交";
    Authors: "Written by", "脚本编写";
    Warnings: "Warnings", "警告";
    Outcome: "Outcome", "结果";
    Window: "Window", "窗口";
    Feedback { change: &'a str, environment: &'a str, state: &'a str }:
        format!("Change {change} in {environment}: {state}"), format!("变更 {change}（{environment}）：{state}");
    FeedbackLead: "This is what came of the change that you or your team asked for.", "您或您的团队提出的变更已有结果。";
    EmergencySubject { change: &'a str, environment: &'a str }:
        format!("Emergency change {change} is approved for {environment}"), format!("紧急变更 {change} 已获批准（{environment}）");
    EmergencyLead: "It may run outside of its window. It is counted.", "可在窗口外执行，并计入统计。";
    Rows: "Rows", "行数";
    BackupRows: "Rows kept by the backup", "备份行数";
    Started: "Started", "开始";
    EndedAt: "Ended", "结束";
    Verification: "Verification", "验证";
    Statements: "Statements done", "完成语句";
    Rehearsal: "Rehearsal", "演练";
    Changed { rows: u64, at: &'a str }:
        format!("changed {rows} rows at {at}"), format!("{at} 变更 {rows} 行");
    Verified { checks: u32, at: &'a str }:
        format!("verified ({checks} checks) at {at}"), format!("{at} 验证通过（{checks} 项）");
    RolledBack { rows: u64, at: &'a str }:
        format!("rolled back ({rows} rows) at {at}"), format!("{at} 回退（{rows} 行）");
    FormerVerified { checks: u32, at: &'a str }:
        format!("former state verified ({checks} checks) at {at}"), format!("{at} 原状态已验证（{checks} 项）");
    ChangedAgain { rows: u64, good: u32, checks: u32, at: &'a str }:
        format!("changed again: {rows} rows, verified ({good} of {checks} checks good) at {at}"),
        format!("{at} 再次变更 {rows} 行，验证 {good}/{checks} 通过");
    RehearsedAs { what: &'a str }: format!("rehearsed: {what}"), format!("已演练：{what}");
    RehearsalCut { what: &'a str }: format!("rehearsal, not whole: {what}"), format!("演练未完成：{what}");
    ChecksGood { good: u32, checks: u32 }: format!("{good} of {checks} good"), format!("{good}/{checks} 通过");
    Why: "Why", "说明";
    Approvers: "Approved by", "审批人";
    Target: "Target", "目标库";
    Contact: "Ask about it", "验证联系人";
}

messages! {
    /// Heads of what the folder of a change says.
    PaperWord;
    Mode: "Mode", "执行方式";
    Transactional: "one transaction", "单事务";
    Journalled: "statement by statement", "逐条提交";
    Rows: "Rows in all", "总行数";
    Between { min: u64, max: u64 }: format!("{min} to {max}"), format!("{min} 至 {max}");
    Expected: "Takes", "预计用时";
    VerifyTakes: "Verification takes", "验证用时";
    RollbackTakes: "Rollback takes", "回退用时";
    Needs: "After the changes", "前置变更";
    Window: "In the window", "窗口";
    Fixes: "Puts right", "修复的变更";
    ProductManager: "Product manager", "产品经理";
    Testers: "Testers", "测试人员";
    Branch: "Branch office", "分行";
    ProductLine: "Product line", "产品线";
    Markets: "Markets", "市场";
    ReviewedBy: "Code read by", "代码互审人";
    Related: "Related", "关联变更";
    Permissions: "Permissions after it", "需配置权限";
    Permission { what: &'a str, by: &'a str }: format!("{what} ({by})"), format!("{what}（{by}）");
    Attachments: "Attachments", "附件";
    CodeReview: "Code review", "代码互审";
}

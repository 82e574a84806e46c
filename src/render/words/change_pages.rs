//! The pages of changes for browsers: lists, one change, its scripts, and the steps that people take there.

use super::messages;

messages! {
    /// What the pages of changes say that no report or command does.
    ChangePages;
    // Lists.
    Changes: "Changes", "变更";
    ForYou: "For you", "待我处理";
    OpenOnes: "Open", "进行中";
    OverOnes: "Closed", "已关闭";
    WaitForYou: "Waiting for you", "等待您处理";
    UnderWay: "In doubt, or running", "结果未知或执行中";
    InWindow { environment: &'a str, window: &'a str }:
        format!("{environment}, window {window}"), format!("{environment}，窗口 {window}");
    NoWindowYet: "On no list yet", "尚未排期";
    Search: "Search change, title or ticket", "搜索变更、标题或工单";
    AnyEnvironment: "All environments", "全部环境";
    AnyClass: "All classes", "全部分类";
    AnyStage: "All stages", "全部阶段";
    NoneSuch: "No change is as asked for.", "没有符合条件的变更。";
    NoneForYou: "No change waits for you.", "没有等待您处理的变更。";
    WaitsFor: "Waits for", "等待";
    LacksHead: "Lacks", "尚缺";
    Lacks { environment: &'a str }: format!("Lacks for {environment}"), format!("{environment} 尚缺");
    AndMore { more: u32 }: format!("and {more} more"), format!("另有 {more} 项");
    // Whose turn it is.
    Assignment: "somebody who sees to it", "分派处理人";
    Submission: "its scripts to be handed in", "提交脚本";
    Review: "review of its scripts", "脚本审核";
    Approval { environment: &'a str }: format!("approval for {environment}"), format!("{environment} 审批");
    Item { item: &'a str }: format!("confirmation: {item}"), format!("确认：{item}");
    ItemIn { item: &'a str, environment: &'a str }:
        format!("confirmation for {environment}: {item}"), format!("{environment} 确认：{item}");
    Schedule { environment: &'a str }:
        format!("a place on the list of {environment}"), format!("列入 {environment} 清单");
    Execution { environment: &'a str }:
        format!("its start in {environment}"), format!("在 {environment} 执行");
    End: "the end of its execution", "执行结束";
    Decision: "a decision of what became of it", "判定执行结果";
    FeedBack: "word to who asked for it", "反馈需求方";
    Close: "its closing", "关闭";
    AsRoles { roles: &'a str, count: u32 }:
        if count == 1 { roles.to_owned() } else { format!("{roles}, {count} people") },
        if count == 1 { roles.to_owned() } else { format!("{roles}，{count} 人") };
    Nobody: "nobody can do it as things stand", "目前无人可办理";
    AndOthers { names: &'a str, more: u32 }: format!("{names} and {more} more"), format!("{names}等，另有 {more} 人");
    // One change.
    Void: "Its scripts are not those that were handed in: reviews and approvals are void, and it starts again.",
        "脚本与提交时不一致：原审核、审批全部作废，须重新提交。";
    VoidStage: "void", "已作废";
    YouMay: "What you can do now", "您现在可以办理";
    NothingForYou: "Nothing of it is for you now.", "目前没有需要您办理的步骤。";
    YouAre { parts: &'a str }:
        format!("You have a part in it: {parts}. What takes another person is not offered to you."),
        format!("您是该变更的{parts}：须由他人办理的步骤不向您开放。");
    PartRequester: "requester", "需求方";
    PartAuthor: "author", "脚本编写人";
    PartReviewer: "reviewer", "脚本审核人";
    PartApprover: "approver", "审批人";
    PartExecutor: "executor", "执行人";
    PartWatcher: "watcher", "复核人";
    Paper: "The request", "申请内容";
    InEnvironment { environment: &'a str, target: &'a str }:
        format!("{environment}, {target}"), format!("{environment}（{target}）");
    Signs: "Signs", "签署";
    As: "As", "角色";
    Who: "Who, when", "人员与时间";
    NobodyYet: "not yet", "尚未签署";
    Executions: "Executions", "执行记录";
    ScriptsDigest: "Digest of its scripts", "脚本摘要";
    OfRun: "Job and log", "作业与日志";
    Proof: "Proof: checks, rows, evidence, entries", "证明材料：验证、行数、证据、流水";
    SecondWanted { who: &'a str, what: &'a str, at: &'a str }:
        format!("{who} says: {what}. It takes a second person by {at}."),
        format!("{who} 提出：{what}。须在 {at} 前由第二人确认。");
    SayYes: "Second person: yes", "第二人确认";
    // Scripts.
    Scripts: "Scripts", "脚本";
    ScriptsNotForYou: "The scripts of changes are not for you.", "您无权查看变更脚本。";
    BackupScript: "Backup", "备份脚本";
    ChangeScript: "Change", "变更脚本";
    VerifyScript: "Verification", "验证脚本";
    RollbackScript: "Rollback", "回滚脚本";
    NoScript: "It has none: nightrun keeps the rows itself.", "无此脚本：由 nightrun 自行备份行数据。";
    NotAtHand: "Its text is not at hand now.", "目前无法取得其内容。";
    CutScript { lines: u32 }: format!("Only the first {lines} lines are shown."), format!("仅显示前 {lines} 行。");
    AllThatDiffers: "All that differs", "查看全部差异";
    AsSubmitted: "as it was handed in", "与提交时一致";
    AsApproved: "as it was approved", "与审批时一致";
    NotAsSubmitted: "not as it was handed in", "与提交时不一致";
    NotAsApproved: "not as it was approved", "与审批时不一致";
    SinceSubmitted: "What has changed since it was handed in", "提交后的改动";
    SinceApproved: "What has changed since it was approved", "审批后的改动";
    // Steps.
    DoReview: "Review", "审核脚本";
    DoApprove { environment: &'a str }: format!("Approve for {environment}"), format!("审批（{environment}）");
    DoConfirm { item: &'a str }: format!("Confirm: {item}"), format!("确认：{item}");
    DoConfirmIn { item: &'a str, environment: &'a str }:
        format!("Confirm for {environment}: {item}"), format!("确认（{environment}）：{item}");
    DoApplied: "It was applied", "判定已生效";
    DoNotApplied: "It was not applied", "判定未生效";
    DoContinue: "Go on with the rest", "继续执行其余部分";
    DoRollBack: "Roll it back", "回退";
    DoAccept: "Accept it half done", "接受部分完成";
    DoSubmit: "Hand its scripts in", "提交脚本";
    DoSubmitFor { environment: &'a str }:
        format!("Hand in for {environment}"), format!("提交至 {environment}");
    DoSchedule { environment: &'a str }:
        format!("Put on the list of {environment}"), format!("列入 {environment} 清单");
    DoFeedBack: "Tell who asked for it", "反馈需求方";
    DoClose: "Close", "关闭";
    DoArchive: "Archive", "归档";
    DoReturn: "Send back", "退回";
    DoWithdraw: "Withdraw", "撤回";
    DoAssign: "Assign", "分派";
    DoLost: "It is not there any more", "已不存在";
    Step { what: &'a str, change: &'a str }: format!("{what}: {change}"), format!("{what}：{change}");
    Becomes { what: &'a str }: format!("It is recorded with your name: {what}."), format!("将以您的姓名记录：{what}。");
    StageThen { stage: &'a str }: format!("It is {stage} then."), format!("此后阶段：{stage}。");
    TakesSecond: "Nothing is done before a second person has said the same.", "须由第二人同意后才会生效。";
    ThenWaits: "Then it waits for", "此后等待";
    StartsAgain: "It starts again: everything that was signed is void.", "须重新开始：已有的签署全部作废。";
    YesTo: "You answer with yes", "请逐项确认";
    Seen: "Warnings of its scripts that you have seen", "请确认已知晓脚本警告";
    Whom: "To whom", "分派给";
    Accepted: "Day of its acceptance", "验收日期";
    OnDay: "Day of its window (the first that takes it where none is named)", "窗口日期（不填则取最早可用窗口）";
    // Sign-off.
    SignOff: "Sign-off lists", "会签清单";
    NoRules: "The site has no rules for changes.", "该站点没有变更规则。";
}

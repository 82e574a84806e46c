//! How attempts end, what needs attention, and the failure mail.

use super::{jobs, messages};

messages! {
    /// What went wrong and what follows from it.
    Fault;
    Exited { code: i32 }: format!("exit code {code}"), format!("退出码 {code}");
    RuleRefused { code: i32 }:
        format!("exit code {code}, but its success rule does not accept the output"),
        format!("退出码 {code}，但输出不符合成功规则");
    Signalled { signal: i32, name: &'a str }:
        format!("ended by signal {signal} ({name})"), format!("被信号 {signal}（{name}）终止");
    TimedOut: "ended at its time limit", "达到运行时限，已终止";
    Killed: "ended by an operator", "被人工终止";
    TakenBack:
        "taken back: its host had no room for it until it might not begin any more",
        "已撤回：主机一直没有余量，此时已不允许启动";
    OutputLimit: "ended at its output limit", "输出超限，已终止";
    CouldNotStart { why: &'a str }: format!("could not start: {why}"), format!("无法启动：{why}");
    Lost { why: &'a str }: format!("lost: {why}"), format!("失去跟踪：{why}");
    EndUnknown { why: &'a str }: format!("ending not known: {why}"), format!("结束情况不明：{why}");
    FailedAt { at: &'a str, ending: &'a str, attempts: u32 }:
        if attempts == 1 { format!("Failed at {at}: {ending}.") }
        else { format!("Failed at {at} after {attempts} attempts; the last: {ending}.") },
        if attempts == 1 { format!("{at} 失败：{ending}。") }
        else { format!("{at} 失败，共尝试 {attempts} 次，最后一次：{ending}。") };
    AttemptWas { number: u32, at: &'a str, took: &'a str, ending: &'a str }:
        format!("attempt {number} at {at}, {took}: {ending}"),
        format!("第 {number} 次尝试 {at}，历时 {took}：{ending}");
    AttemptRuns { number: u32, at: &'a str }:
        format!("attempt {number} at {at}: running"), format!("第 {number} 次尝试 {at} 启动，运行中");
    AttemptNever { number: u32, ending: &'a str }:
        format!("attempt {number}: {ending}"), format!("第 {number} 次尝试：{ending}");
    NotKnown { why: &'a str }:
        format!("What became of it is not known: {why}."), format!("结果不明：{why}。");
    Blocks { count: u32, list: &'a str }:
        format!("Blocks {}: {list}.", jobs(count)), format!("受阻作业 {count} 个：{list}。");
    BlocksNothing: "Blocks nothing.", "没有作业因此受阻。";
    MissedStart { due: &'a str }:
        format!("should have started by {due}"), format!("未在 {due} 前开始");
    MissedComplete { due: &'a str }:
        format!("should have been complete by {due}"), format!("未在 {due} 前完成");
    TookLong { actual: &'a str, usual: &'a str }:
        format!("took {actual}, usually at most {usual}"), format!("耗时 {actual}，通常不超过 {usual}");
    OpenUnknown { job: &'a str }:
        format!("{job}: what became of it is not known. Look, then `force` or `retry` it."),
        format!("{job}：结果不明。请核实后用 `force` 或 `retry` 处理。");
    OpenHeld { job: &'a str }:
        format!("{job} is held: release or skip it."), format!("{job} 已挂起：请放行或跳过。");
    OpenChangePartial { change: &'a str }:
        format!("Change {change} stopped half way: the target is neither old nor new."),
        format!("变更 {change} 中途停止，目标库处于中间状态。");
    OpenChangeInDoubt { change: &'a str }:
        format!("Change {change} is in doubt: it may be applied. Look at the target before anything else."),
        format!("变更 {change} 结果不明，可能已生效。请先核查目标库。");
    OpenRollbackFailed { change: &'a str }:
        format!("The rollback of change {change} failed: the target is neither old nor new."),
        format!("变更 {change} 回退失败，目标库处于中间状态，请立即处理。");
    OpenIncident { incident: &'a str, job: &'a str }:
        format!("{incident} ({job}) is open."), format!("事件 {incident}（{job}）尚未关闭。");
    OpenUnsentMail { mails: u32 }:
        format!("{mails} {} not sent yet: `nightrun mail flush` sends {}.",
            if mails == 1 { "mail is" } else { "mails are" }, if mails == 1 { "it" } else { "them" }),
        format!("尚有 {mails} 封邮件未发出：可用 `nightrun mail flush` 发送。");
    IncidentOpened { at: &'a str, told: &'a str }:
        format!("opened {at}, told {told}"), format!("{at} 开启，已通知{told}");
    IncidentClosed { at: &'a str }: format!("closed {at}"), format!("{at} 关闭");
    ChangeRows { rows: u64, backup: u64 }:
        format!("{rows} rows changed, {backup} backed up"), format!("变更 {rows} 行，备份 {backup} 行");
    AndMore { more: u32 }: format!("+{more} more"), format!("另有 {more} 项");
    RowsLeftOut { shown: u32, all: u32, run: &'a str }:
        format!("{shown} of {all} jobs: what went wrong first, then what was not as usual, then the longest. \
            All of them: `nightrun report --run {run}`"),
        format!("{all} 个作业中的 {shown} 个：出错的在前，其次是异常的，再次是耗时最长的。全部作业：`nightrun report --run {run}`");

    Subject { job: &'a str, date: &'a str }:
        format!("{job} failed ({date})"), format!("{job} 失败（业务日期 {date}）");
    SubjectWaits { job: &'a str, date: &'a str }:
        format!("{job} waits for people ({date})"), format!("{job} 等待人员处理（业务日期 {date}）");
    ReportSubject { date: &'a str, verdict: &'a str }:
        format!("{date}: {verdict}"), format!("{date}：{verdict}");
    Lead { job: &'a str, title: &'a str, batch: &'a str, date: &'a str, at: &'a str }:
        format!("{title} ({job}) of {batch}, business date {date}, failed at {at}. \
            It is critical and is not retried by itself any more."),
        format!("{batch}（业务日期 {date}）的关键作业“{title}”（{job}）于 {at} 失败，不再自动重试。");
    LeadInDoubt { job: &'a str, title: &'a str, batch: &'a str, date: &'a str, at: &'a str }:
        format!("Nobody can know how {title} ({job}) of {batch}, business date {date}, came out ({at}). \
            It is not tried again by itself: people look and decide."),
        format!("{batch}（业务日期 {date}）的作业“{title}”（{job}）结果不明（{at}），不会自动重试，需人工核实后决定。");
    LeadWaits { job: &'a str, title: &'a str, batch: &'a str, date: &'a str, at: &'a str }:
        format!("The change {title} ({job}) of {batch}, business date {date}, could start since {at}, \
            and people have not done their part."),
        format!("{batch}（业务日期 {date}）的变更“{title}”（{job}）自 {at} 起可以开始，但尚缺人员处理。");
    HowItEnded { ending: &'a str, attempts: u32 }:
        if attempts == 1 { format!("How it ended: {ending} (1 attempt).") }
        else { format!("How it ended: {ending} ({attempts} attempts).") },
        format!("结束情况：{ending}（共尝试 {attempts} 次）。");
    NoRunbook: "The job has no runbook.", "该作业没有处置手册。";
    CanRead: "read the whole log", "查看完整日志";
    CanRetry: "try it again, once the cause is gone", "排除原因后重跑";
    CanReleaseChanges: "let the changes start: the person on shift", "放行变更（当班人员）";
    CanWatchChanges: "watch them: a second person", "复核监督（第二人）";
    CanSkip: "leave it out; what needs it goes on", "跳过，后续作业继续";
    CanForce: "declare it done, if it was done by hand", "已人工完成时，置为强制完成";
    CanKill: "end it, where it hangs", "卡住时，终止运行";
    CanHold: "hold what follows it, so that it does not start on this", "挂起后续作业，避免在此基础上启动";
    CanRelease: "release it: somebody holds it", "放行（当前已挂起）";
    CanRollBack: "roll the change back: two people", "回退变更（双人）";
    CanContinue: "do the rest of the change: two people", "继续执行变更的剩余部分（双人）";
    CanAccept: "let the change stand as it is: two people", "按现状接受变更（双人）";
    CanSayApplied: "the target shows that the change is applied: two people", "核查目标库：变更已生效（双人）";
    CanSayNotApplied: "the target shows that it is not: two people", "核查目标库：变更未生效（双人）";
    CanSee: "see where the night stands", "查看批次状态";
    AlsoTold { list: &'a str }: format!("Also told: {list}."), format!("同时通知：{list}。");
    ToldOnlyYou: "Nobody else was told.", "未通知其他人。";
}

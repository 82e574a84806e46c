//! Starts of schedules: made late, or not at all.

use super::messages;

messages! {
    /// What became of starts of a schedule.
    Starts;
    LateNobodyServed: "no supervisor was there", "当时没有调度主控";
    LateStore: "the store did not take what was decided", "状态库当时无法写入";
    LateCopy: "the run's copy could not be laid out", "当时无法建立本次执行的定义副本";
    LateClock: "the clock was set forward", "系统时钟曾被拨快";
    LateWork: "other work came first", "当时在处理其他工作";
    Late { by: &'a str, why: &'a str }: format!("{by} late: {why}"), format!("晚 {by}：{why}");
    NotMadeUp: "missed starts of this batch are not made up for (`missed: none`)", "该批次错过的启动不补跑（`missed: none`）";
    OnlyLatest: "only the latest missed start is made up for (`missed: latest`)", "只补跑最近一次错过的启动（`missed: latest`）";
    TooLate { limit: &'a str }:
        format!("missed by more than {limit} (`missed_limit`)"), format!("错过超过 {limit}（`missed_limit`）");
    ScheduleChanged: "the schedule was changed before anybody made it", "启动之前排程已被修改";
    OrderedBefore { run: &'a str }: format!("{run} was ordered before"), format!("此前已下达 {run}");
    Refused { what: &'a str }: format!("refused: {what}"), format!("被拒绝：{what}");
    Observed: "this supervisor only observes", "本调度主控仅旁路观察";
    StoreRestored: "it may have been made: the store was lost then, and an older copy restored",
        "可能已经启动：状态库在此期间丢失，恢复的是较早的备份";
    MissedOne { batch: &'a str, at: &'a str, why: &'a str }:
        format!("{batch}: the start of {at} was not made: {why}"), format!("{batch}：{at} 的启动未执行：{why}");
    MissedMany { batch: &'a str, count: u32, first: &'a str, last: &'a str, why: &'a str }:
        format!("{batch}: {count} starts from {first} to {last} were not made: {why}"),
        format!("{batch}：{first} 至 {last} 共 {count} 次启动未执行：{why}");
    FilesSubject: "The job files were changed and cannot be used", "作业文件已修改但无法使用";
    FilesLead: "Runs go on beginning with the job files as they were before. This is what is wrong with the new ones:",
        "新的批次执行仍按原作业文件进行。新文件的问题如下：";
    FilesAdvice: "Put the files right: they are looked at again every minute.", "请修正文件：系统每分钟重新检查一次。";
    Next { starts: &'a str }: format!("Next starts: {starts}"), format!("下次启动：{starts}");
    NoneAhead: "No start of a schedule lies ahead.", "没有待启动的排程。";
    MailSubject { batch: &'a str, starts: u32 }:
        if starts == 1 { format!("{batch} was not started") } else { format!("{batch} was not started, {starts} starts missed") },
        if starts == 1 { format!("{batch} 未启动") } else { format!("{batch} 等共 {starts} 次启动未执行") };
    MailLead: "The schedule asked for these starts, and they will not be made by themselves:", "以下排程启动未执行，也不会自动补跑：";
    MailOrder { command: &'a str }:
        format!("If the work is needed, order it: {command}"), format!("如需补做，请下达：{command}");
}

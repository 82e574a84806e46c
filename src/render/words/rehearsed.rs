//! What is supposed of a simulated night, and what comes of it.

use super::{jobs as n_jobs, messages};

messages! {
    /// A line of a simulated night.
    Rehearsed;
    Title { site: &'a str, dates: &'a str }:
        format!("SIMULATED, nothing was started: {site}, {dates}"),
        format!("推演结果，未启动任何作业：{site}，{dates}");
    Nights { nights: u32, seed: u64 }:
        format!("{nights} {} with times drawn from history (seed {seed})", if nights == 1 { "night" } else { "nights" }),
        format!("按历史耗时抽样推演 {nights} 夜（种子 {seed}）");
    WhatIf: "What if", "设定";

    HostDown { host: &'a str, from: &'a str, to: &'a str }:
        format!("host {host} is down {from}-{to}"), format!("主机 {host} 于 {from}–{to} 停机");
    TakesTimes { jobs: &'a str, times: &'a str }:
        format!("{jobs}: {times} times as long as usual"), format!("{jobs}：耗时为平时的 {times} 倍");
    TakesSpan { jobs: &'a str, span: &'a str }: format!("{jobs}: {span} long"), format!("{jobs}：耗时 {span}");
    FailsAlways { jobs: &'a str }: format!("{jobs}: failure at every try"), format!("{jobs}：每次尝试均失败");
    Fails { jobs: &'a str, tries: u32 }:
        if tries == 1 { format!("{jobs}: failure at the first try") }
        else { format!("{jobs}: failure at the first {tries} tries") },
        format!("{jobs}：前 {tries} 次尝试失败");
    Arrives { jobs: &'a str, at: &'a str }:
        format!("{jobs}: what it waits for is there at {at}"), format!("{jobs}：所等待的内容于 {at} 到达");
    ConfirmAfter { after: &'a str }:
        format!("people confirm {after} after they are asked"), format!("提出确认后 {after} 才有人确认");
    NobodyConfirms: "nobody confirms anything", "无人确认";
    Frozen { from: &'a str, to: &'a str }:
        format!("nothing may start {from}-{to}"), format!("{from}–{to} 封版，不得启动作业");

    InTime { run: &'a str, end: &'a str, limit: &'a str, left: &'a str }:
        format!("{run} done at {end} (limit {limit}, {left} left)"),
        format!("{run} 于 {end} 完成（时限 {limit}，余量 {left}）");
    Late { run: &'a str, end: &'a str, limit: &'a str, by: &'a str }:
        format!("{run} LATE BY {by}: done at {end} (limit {limit})"),
        format!("{run} 超时限 {by}：{end} 完成（时限 {limit}）");
    Done { run: &'a str, end: &'a str }: format!("{run} done at {end}"), format!("{run} 于 {end} 完成");
    StandsStill { run: &'a str, at: &'a str }:
        format!("{run} NOT DONE: from {at} it stands still until people decide"),
        format!("{run} 未完成：{at} 起停滞，须人工处置");
    NeverEnds { run: &'a str }:
        format!("{run} NOT DONE: it waits for what does not come by itself"),
        format!("{run} 未完成：所等待的条件不会自行满足");
    LimitLost { limit: &'a str }: format!("limit {limit}"), format!("时限 {limit}");

    AsWithout: "As without the what-ifs.", "与无设定时相同。";
    LaterThan { by: &'a str, end: &'a str }:
        format!("{by} later than without the what-ifs ({end})."), format!("比无设定时（{end}）晚 {by}。");
    EarlierThan { by: &'a str, end: &'a str }:
        format!("{by} earlier than without the what-ifs ({end})."), format!("比无设定时（{end}）早 {by}。");
    WithoutDone { end: &'a str }: format!("Without the what-ifs done at {end}."), format!("无设定时 {end} 完成。");
    WithoutNot: "Without the what-ifs it is not done either.", "无设定时同样无法完成。";

    HostLost { host: &'a str, from: &'a str, to: &'a str, jobs: u32 }:
        format!("Because host {host} was down {from}-{to}: {} lost", n_jobs(jobs)),
        format!("因主机 {host} 于 {from}–{to} 停机：{jobs} 个作业中断");
    NeedDecision { jobs: u32, list: &'a str }:
        format!("{jobs} {} a decision ({list})", if jobs == 1 { "needs" } else { "need" }),
        format!("{jobs} 个须人工决定（{list}）");
    TriedAgain { jobs: u32 }: format!("{jobs} tried again and well"), format!("{jobs} 个重试后成功");
    LostKnown { at: &'a str }:
        format!("lost with its host, found out at {at}"), format!("随主机停机中断，{at} 得知");
    FailedForGood { list: &'a str }: format!("Because of its failures not done: {list}"), format!("因失败未完成：{list}");
    NotThereInTime { list: &'a str }:
        format!("What it waits for is not there within its limit: {list}"), format!("在等待时限内未到达：{list}");
    FailedAndAgain { list: &'a str }:
        format!("Failed, tried again and well: {list}"), format!("失败后重试成功：{list}");

    PathOfEnd: "What the end waited for", "决定完成时间的作业链";
    PathOfFault: "How it came to the first fault", "首个故障之前的作业链";
    ShorterSteps { steps: u32 }:
        format!("... and {steps} shorter {}", if steps == 1 { "step" } else { "steps" }), format!("……另有 {steps} 个较短的步骤");
    Called: "Who is mailed", "通知人员";
    CalledAt { at: &'a str, job: &'a str, told: &'a str }:
        format!("{at}  {job}: {told}"), format!("{at}  {job}：{told}");
    BlockedBehind { jobs: u32 }: format!("{} blocked or waiting behind it", n_jobs(jobs)), format!("另有 {jobs} 个作业受阻或等待");
    Moved: "Moved by the what-ifs", "受设定影响的作业";
    MoreJobs { jobs: u32 }: format!("... and {} more; --format json has all", n_jobs(jobs)),
        format!("……另有 {jobs} 个作业，--format json 可列出全部");

    Waited { took: &'a str, what: &'a str }: format!("waited {took} for {what}"), format!("等待 {took}：{what}");
    ForHost { host: &'a str }: format!("host {host}"), format!("主机 {host}");
    ForWindow { window: &'a str }: format!("window {window}"), format!("时间窗口 {window}");
    ForFreeze { reason: &'a str }: format!("the end of the freeze ({reason})"), format!("封版结束（{reason}）");
    ForRoom { of: &'a str, job: &'a str }: format!("{of}, which {job} had"), format!("{of}（{job} 占用）");
    ForJob { job: &'a str, date: &'a str }: format!("{job} of {date}"), format!("{date} 的 {job}");
    ForTime: "its time", "到点";
    ForEvent { event: &'a str }: format!("the event {event}"), format!("事件 {event}");
    ForPerson: "a person's yes", "人工确认";
    Tries { tries: u32 }: format!("{tries} tries"), format!("尝试 {tries} 次");

    TimesHistory { jobs: u32 }: format!("of {} the median of history", n_jobs(jobs)), format!("{jobs} 个作业按历史中位数");
    TimesDrawn { jobs: u32 }: format!("of {} drawn from history", n_jobs(jobs)), format!("{jobs} 个作业按历史抽样");
    TimesDeclared { jobs: u32, list: &'a str }:
        format!("of {} as declared, for want of history ({list})", n_jobs(jobs)),
        format!("{jobs} 个作业无历史，按声明值（{list}）");
    TimesUnknown { jobs: u32, list: &'a str }:
        format!("of {} not known: 1s each, waits nothing ({list})", n_jobs(jobs)),
        format!("{jobs} 个作业耗时未知：按 1秒，等待类按 0（{list}）");
    TimesAllDeclared: "all as declared, for want of history", "均无历史，按声明值";
    TimesGiven { jobs: u32, list: &'a str }:
        format!("of {} as supposed ({list})", n_jobs(jobs)), format!("{jobs} 个作业按设定（{list}）");
    Times: "Times", "耗时来源";
    NoSpread { jobs: u32, all: u32 }:
        format!("Only {jobs} of {all} jobs have a history: the others take the same every night, so the true spread is wider."),
        format!("{all} 个作业中仅 {jobs} 个有历史，其余每夜耗时相同，实际波动会更大。");

    AlwaysInTime { run: &'a str, limit: &'a str, nights: u32 }:
        format!("{run} keeps its limit {limit} in all {nights} nights"),
        format!("{run} 在全部 {nights} 夜中均赶上时限 {limit}");
    MissesIn { run: &'a str, limit: &'a str, missed: u32, nights: u32, share: &'a str }:
        format!("{run} MISSES ITS LIMIT {limit} in {missed} of {nights} nights ({share})"),
        format!("{run} 在 {nights} 夜中有 {missed} 夜未赶上时限 {limit}（{share}）");
    AlwaysDone { run: &'a str, nights: u32 }:
        format!("{run} is done in all {nights} nights"), format!("{run} 在全部 {nights} 夜中均完成");
    NotDoneIn { run: &'a str, missed: u32, nights: u32, share: &'a str }:
        format!("{run} is NOT DONE in {missed} of {nights} nights ({share})"),
        format!("{run} 在 {nights} 夜中有 {missed} 夜未完成（{share}）");
    StillIn { nights: u32 }:
        format!("in {nights} of them it stands still until people decide"), format!("其中 {nights} 夜停滞，须人工处置");
    WaitsIn { nights: u32 }:
        format!("in {nights} of them it waits for what does not come"), format!("其中 {nights} 夜等待的条件不会自行满足");
    DoneOf: "Done at the latest", "完成时间";
    Median: "half of nights", "半数";
    NineInTen: "9 in 10", "九成";
    NinetyNine: "99 in 100", "百分之九十九";
    Worst: "worst", "最晚";
    WithIt: "with the what-ifs", "按设定";
    WithoutIt: "without", "无设定";
    NotDone: "not done", "未完成";
    Missed: "Deadlines missed", "未赶上的时限";
    Due: "due", "时限";
    InNights: "missed in", "未赶上";
    WholeRun: "(the batch)", "（整个批次）";
    MostCritical: "What the end waits for most often", "最常决定完成时间的作业";
    InShare: "of nights", "占比";
}

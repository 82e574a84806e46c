//! How a run stands, in one line and a sentence of numbers.

use super::{jobs as n_jobs, messages};

messages! {
    /// The verdict on a run and the numbers behind it.
    Verdict;
    DoneOnTime { title: &'a str, at: &'a str, limit: &'a str }:
        format!("Done on time at {at}, limit {limit}."),
        format!("{title}已于 {at} 按时完成，时限 {limit}。");
    DoneLate { title: &'a str, at: &'a str, limit: &'a str, by: &'a str }:
        format!("Done late at {at}, limit {limit} ({by} late)."),
        format!("{title}已于 {at} 完成，超过时限 {limit} 达 {by}。");
    Done { title: &'a str, at: &'a str }:
        format!("Done at {at}."),
        format!("{title}已于 {at} 完成。");
    Failed { title: &'a str, at: &'a str }:
        format!("Failed: not complete at {at}."),
        format!("{title}未能完成，{at} 中止。");
    Stopped { title: &'a str, at: &'a str }:
        format!("Stopped at {at}; `nightrun resume` goes on with it."),
        format!("{title}已于 {at} 停止，可用 `nightrun resume` 继续。");
    Lost { title: &'a str, at: &'a str }:
        format!("{title}: what was known of it was lost, as of {at}"), format!("{title}：记录已丢失（{at}）");
    Cancelled { title: &'a str, at: &'a str }:
        format!("Cancelled: over at {at}."),
        format!("{title}已取消，于 {at} 结束。");
    RunningOnTime { title: &'a str, end: &'a str, limit: &'a str }:
        format!("Running, on time: expected to be done at {end}, limit {limit}."),
        format!("{title}运行中，预计 {end} 完成，可赶上时限 {limit}。");
    RunningLate { title: &'a str, end: &'a str, limit: &'a str, by: &'a str }:
        format!("Running, will be late: expected to be done at {end}, limit {limit} ({by} late)."),
        format!("{title}运行中，预计 {end} 完成，将超过时限 {limit} 达 {by}。");
    RunningAtRisk { title: &'a str, limit: &'a str }:
        format!("Running, limit {limit} at risk: no end can be forecast."),
        format!("{title}运行中，完成时间无法预计，时限 {limit} 有风险。");
    RunningOverdue { title: &'a str, limit: &'a str, by: &'a str }:
        format!("Running, overdue: limit {limit} passed {by} ago."),
        format!("{title}运行中，已超过时限 {limit} 达 {by}。");
    RunningUntil { title: &'a str, end: &'a str }:
        format!("Running, expected to be done at {end}."),
        format!("{title}运行中，预计 {end} 完成。");
    Running { title: &'a str }:
        "Running.",
        format!("{title}运行中。");
    LimitPassed { limit: &'a str, by: &'a str }:
        format!("Limit {limit} passed {by} ago."),
        format!("已超过时限 {limit} 达 {by}。");
    LimitAtRisk { limit: &'a str }:
        format!("Limit {limit} is at risk."),
        format!("时限 {limit} 有风险。");
    LimitKept { limit: &'a str, end: &'a str }:
        format!("As things stand the batch is done at {end}, limit {limit}."),
        format!("按目前情况批次预计 {end} 完成，时限 {limit}。");
    LimitMissed { limit: &'a str, end: &'a str, by: &'a str }:
        format!("As things stand the batch is done at {end}: {by} after its limit {limit}."),
        format!("按目前情况批次预计 {end} 完成，将超过时限 {limit} 达 {by}。");
    AllWell { jobs: u32 }:
        if jobs == 1 { "The only job ended well".to_owned() } else { format!("All {jobs} jobs ended well") },
        format!("{jobs} 个作业全部成功");
    WellOf { well: u32, jobs: u32 }:
        format!("{well} of {} ended well", n_jobs(jobs)),
        format!("{jobs} 个作业中 {well} 个成功");
    FailedCritical { jobs: u32 }: format!("{jobs} critical failed"), format!("{jobs} 个关键作业失败");
    FailedOther { jobs: u32 }: format!("{jobs} non-critical failed"), format!("{jobs} 个非关键作业失败");
    Blocked { jobs: u32 }: format!("{jobs} blocked"), format!("{jobs} 个受阻");
    NotStarted { jobs: u32 }: format!("{jobs} cancelled"), format!("{jobs} 个已取消");
    Unknown { jobs: u32 }: format!("{jobs} unknown"), format!("{jobs} 个结果不明");
    Forced { jobs: u32 }: format!("{jobs} forced"), format!("{jobs} 个强制完成");
    Skipped { jobs: u32 }: format!("{jobs} skipped"), format!("{jobs} 个跳过");
    Held { jobs: u32 }: format!("{jobs} held"), format!("{jobs} 个挂起");
    NowRunning { jobs: u32 }: format!("{jobs} running"), format!("{jobs} 个运行中");
    Waiting { jobs: u32 }: format!("{jobs} waiting"), format!("{jobs} 个等待");
    Trial:
        "Trial run on a set clock: it counts for no history, statistics, catch-up or needs of real runs.",
        "试运行（设定时钟）：不计入历史、统计和补跑，也不作为正式批次的前置。";
    StoppingWait { running: u32 }:
        format!("Stopping: nothing new starts, {} still running.", n_jobs(running)),
        format!("正在停止：不再启动新作业，仍有 {running} 个作业在运行。");
    Unattended:
        "No supervisor is at work on it: `nightrun resume` goes on.",
        "目前没有调度主控在执行此批次：可用 `nightrun resume` 继续。";
    ScheduleLeavesOut { batch: &'a str, why: &'a str }:
        format!("The schedule of batch {batch} leaves this date out; it runs because it is ordered by hand. {why}"),
        format!("批次 {batch} 的排期不含此日期，因人工下令而执行。{why}");
    NoPerson { as_whom: &'a str, account: &'a str }:
        format!("You are recorded as {as_whom}: people.yaml names nobody with `unix_user: {account}`."),
        format!("操作记录为 {as_whom}：people.yaml 中没有 `unix_user: {account}` 的人员。");
    StoppingEnd:
        "Stopping: running jobs are being ended.",
        "正在停止：正在终止运行中的作业。";
}

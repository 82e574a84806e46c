//! What happens during a run, one line each. The English is plain ASCII, for logs and old terminals.

use crate::types::Outcome;

use super::{colon_en, colon_zh, en, jobs as n_jobs, messages, zh};

fn n_running(jobs: u32) -> String {
    format!("{jobs} running {}", if jobs == 1 { "job" } else { "jobs" })
}

fn them(jobs: u32) -> &'static str {
    if jobs == 1 { "it" } else { "them" }
}

messages! {
    /// One event.
    Happened;
    RunOpened { run: &'a str, date: &'a str, jobs: u32 }:
        format!("run {run} started: business date {date}, {}", n_jobs(jobs)),
        format!("批次执行 {run} 开始：业务日期 {date}，共 {jobs} 个作业");
    RunResumed { run: &'a str, running: u32 }:
        match running {
            0 => format!("run {run} resumed"),
            running => format!("run {run} resumed, {} still running", n_jobs(running)),
        },
        match running {
            0 => format!("批次执行 {run} 恢复"),
            running => format!("批次执行 {run} 恢复，{running} 个作业仍在运行"),
        };
    RunReopened { run: &'a str }: format!("run {run} goes on"), format!("批次执行 {run} 继续");
    RunWell { run: &'a str, took: &'a str, code: u8 }:
        format!("run {run} ended well after {took} (exit code {code})"),
        format!("批次执行 {run} 正常完成，历时 {took}（退出码 {code}）");
    RunFailed { run: &'a str, took: &'a str, code: u8 }:
        format!("run {run} FAILED after {took} (exit code {code})"),
        format!("批次执行 {run} 失败，历时 {took}（退出码 {code}）");
    RunLost { run: &'a str }:
        format!("{run}: what was known of it was lost"), format!("{run}：记录已丢失");
    RunCancelled { run: &'a str, took: &'a str, code: u8 }:
        format!("run {run} was cancelled, over after {took} (exit code {code})"),
        format!("批次执行 {run} 已取消，历时 {took}（退出码 {code}）");
    RunStopped { run: &'a str, took: &'a str, code: u8 }:
        format!("run {run} stopped after {took}, can be resumed (exit code {code})"),
        format!("批次执行 {run} 已停止，历时 {took}，可恢复（退出码 {code}）");
    Started { job: &'a str, attempt: u32 }:
        format!("{job} started (attempt {attempt})"), format!("{job} 启动（第 {attempt} 次尝试）");
    Examining { job: &'a str, attempt: u32 }:
        format!("{job} is examined (attempt {attempt}, nothing is applied)"),
        format!("{job} 正在核查（第 {attempt} 次尝试，不执行变更）");
    EndedWell { job: &'a str, took: &'a str }:
        format!("{job} ended well after {took}"), format!("{job} 成功，耗时 {took}");
    EndedWellAtOnce { job: &'a str }: format!("{job} ended well"), format!("{job} 成功");
    EndedBadly { job: &'a str, attempt: u32, ending: &'a str, took: &'a str }:
        format!("{job} attempt {attempt} FAILED after {took}: {ending}"),
        format!("{job} 第 {attempt} 次尝试失败，耗时 {took}：{ending}");
    NeverBegan { job: &'a str, attempt: u32, ending: &'a str }:
        format!("{job} attempt {attempt} FAILED: {ending}"), format!("{job} 第 {attempt} 次尝试失败：{ending}");
    Retry { job: &'a str, attempt: u32, wait: &'a str }:
        format!("{job} is tried again in {wait} (attempt {attempt})"),
        format!("{job} 将在 {wait} 后重试（第 {attempt} 次尝试）");
    RetryNow { job: &'a str, attempt: u32 }:
        format!("{job} is tried again at once (attempt {attempt})"),
        format!("{job} 立即重试（第 {attempt} 次尝试）");
    RetryLater { job: &'a str, attempt: u32 }:
        format!("{job} is tried again when the run goes on (attempt {attempt})"),
        format!("{job} 待批次恢复后重试（第 {attempt} 次尝试）");
    StoppingIdle: "stopping: nothing runs, nothing new starts", "正在停止：无作业运行，不再启动新作业";
    StoppingWait { running: u32 }:
        format!("stopping: nothing new starts, waiting for {}; Ctrl-C again ends {} (TERM, then KILL)",
            n_running(running), them(running)),
        format!("正在停止：不再启动新作业，等待 {running} 个运行中的作业；再按 Ctrl-C 终止这些作业（先 TERM 后 KILL）");
    StoppingTerminate { running: u32 }:
        format!("stopping: TERM to {}, KILL after the grace; Ctrl-C again kills at once", n_running(running)),
        format!("正在停止：已向 {running} 个运行中的作业发送 TERM，宽限期后 KILL；再按 Ctrl-C 立即杀死");
    StoppingKill { running: u32 }:
        format!("stopping: KILL to {}", n_running(running)),
        format!("正在停止：已杀死 {running} 个运行中的作业");
    Settled { job: &'a str, outcome: Outcome }:
        format!("{job}: {}", en(outcome)), format!("{job}：{}", zh(outcome));
    SettledWhy { job: &'a str, outcome: Outcome, why: &'a str }:
        format!("{job}: {} ({why})", en(outcome)), format!("{job}：{}（{why}）", zh(outcome));
    Reopened { job: &'a str }: format!("{job} waits again"), format!("{job} 重新等待");
    InDoubt { job: &'a str, why: &'a str }:
        format!("{job}: UNKNOWN what became of it: {why}"), format!("{job} 结果不明：{why}");
    RunMissedStart { due: &'a str }:
        format!("LATE: the batch should have started by {due}"), format!("超时限：批次未在 {due} 前开始");
    RunMissedComplete { due: &'a str }:
        format!("LATE: the batch should have been complete by {due}"), format!("超时限：批次未在 {due} 前完成");
    MissedStart { job: &'a str, due: &'a str }:
        format!("LATE: {job} should have started by {due}"), format!("超时限：{job} 未在 {due} 前开始");
    MissedComplete { job: &'a str, due: &'a str }:
        format!("LATE: {job} should have been complete by {due}"), format!("超时限：{job} 未在 {due} 前完成");
    Incident { incident: &'a str, what: &'a str, blocks: u32, told: &'a str }:
        format!("{incident} opened: {what}{}{}", blocks_en(blocks), told_en(told)),
        format!("{incident} 开启：{what}{}{}", blocks_zh(blocks), told_zh(told));
    IncidentMoved { incident: &'a str, who: &'a str, what: &'a str }:
        if who.is_empty() { format!("{incident}: {what}") } else { format!("{incident}: {who} {what}") },
        format!("{incident}：{who}{what}");
    IncidentClosed { incident: &'a str, what: &'a str }:
        format!("{incident} closed ({what})"), format!("{incident} 关闭（{what}）");
    Acted { who: &'a str, what: &'a str, reason: &'a str }:
        format!("{who} {what}{}", colon_en(reason)), format!("{who}：{what}{}", colon_zh(reason));
    WaitsForEvent { job: &'a str, event: &'a str }:
        format!("{job} waits for the event {event} of another system"),
        format!("{job} 等待其他系统的事件 {event}");
    Asks { job: &'a str, question: &'a str, command: &'a str }:
        format!("{job} asks: {question} Answer with: {command}"),
        format!("{job} 等待确认：{question} 确认命令：{command}");
}

fn blocks_en(blocks: u32) -> String {
    if blocks == 0 { String::new() } else { format!(", blocks {}", n_jobs(blocks)) }
}

fn blocks_zh(blocks: u32) -> String {
    if blocks == 0 { String::new() } else { format!("，{blocks} 个作业受阻") }
}

fn told_en(told: &str) -> String {
    if told.is_empty() { ", told nobody".to_owned() } else { format!(", told {told}") }
}

fn told_zh(told: &str) -> String {
    if told.is_empty() { "，无人可通知".to_owned() } else { format!("，已通知{told}") }
}

//! Why a job did not start (yet): one plain sentence each, with the next step where there is one.

use crate::types::{Condition, Outcome};

use super::{colon_en, colon_zh, en, messages, wish_en, wish_zh, zh};

messages! {
    /// What stands between a job and its start.
    Because;
    WaitsFor { list: &'a str }: format!("Waits for {list}."), format!("等待前置作业：{list}。");
    Awaited { job: &'a str, state: &'a str }: format!("{job} ({state})"), format!("{job}（{state}）");
    AwaitedUntil { job: &'a str, state: &'a str, end: &'a str }:
        format!("{job} ({state}, expected done {end})"), format!("{job}（{state}，预计 {end} 完成）");
    NotItsDay { date: &'a str, rule: &'a str }:
        format!("Takes no part on {date}: it runs on {rule}."),
        format!("{date}不执行：仅在{rule}执行。");
    NotAsked:
        "Not among the jobs that this run was asked for (`--only`, `--from`).",
        "本次执行未包含该作业（`--only`、`--from`）。";
    NeedNotMet { job: &'a str, when: Condition, outcome: Outcome }:
        format!("Takes no part: it runs when {job} has {}, and that one is: {}.", wish_en(when), en(outcome)),
        format!("不执行：需要 {job} {}，而其结果为“{}”。", wish_zh(when), zh(outcome));
    Held { who: &'a str, reason: &'a str, command: &'a str }:
        format!("Held by {who}{}. To let it go on: {command}", colon_en(reason)),
        format!("已被{who}挂起{}。放行命令：{command}", colon_zh(reason));
    WindowClosed { window: &'a str, next: &'a str }:
        format!("Window \"{window}\" is closed; it opens at {next}."),
        format!("时间窗口“{window}”已关闭，{next} 开放。");
    WindowClosedForGood { window: &'a str }:
        format!("Window \"{window}\" is closed and no further opening is known: see windows.yaml."),
        format!("时间窗口“{window}”已关闭，且没有后续开放时间：请检查 windows.yaml。");
    WindowTooShort { window: &'a str, closes: &'a str, needs: &'a str, next: &'a str }:
        format!("It needs {needs} with verification and rollback and does not fit before window \"{window}\" \
            closes at {closes}; the next opening is at {next}."),
        format!("含验证与回退共需 {needs}，在时间窗口“{window}”{closes} 关闭前无法完成；下次开放 {next}。");
    WindowTooShortForGood { window: &'a str, closes: &'a str, needs: &'a str }:
        format!("It needs {needs} with verification and rollback and does not fit before window \"{window}\" \
            closes at {closes}; no further opening is known: see windows.yaml."),
        format!("含验证与回退共需 {needs}，在时间窗口“{window}”{closes} 关闭前无法完成，且没有后续开放时间：\
            请检查 windows.yaml。");
    WindowUnknown { window: &'a str, last: &'a str }:
        format!("Window \"{window}\" stays closed: its calendar has data only up to {last}. Extend the calendar."),
        format!("时间窗口“{window}”保持关闭：其日历数据仅到 {last}。请补充日历。");
    Frozen { reason: &'a str, until: &'a str }:
        format!("Frozen until {until}: {reason}."), format!("封版中，至 {until} 止：{reason}。");
    FrozenBy { reason: &'a str, until: &'a str, who: &'a str }:
        format!("Frozen until {until} by {who}: {reason}."),
        format!("封版中（{who}下达），至 {until} 止：{reason}。");
    PoolBusy { pool: &'a str, size: u32, users: &'a str }:
        format!("{pool} ({size} in all) is in use by {users}."),
        format!("资源 {pool}（共 {size}）已被 {users} 占用。");
    PoolBusyUnnamed { pool: &'a str, size: u32 }:
        format!("Not enough of {pool} is free ({size} in all)."),
        format!("资源 {pool}（共 {size}）余量不足。");
    HostFull { host: &'a str, max: u32 }:
        format!("Host {host} already runs {max} at a time, as many as it may."),
        format!("主机 {host} 并发已达上限 {max}。");
    HostAway { host: &'a str, why: &'a str }:
        format!("The agent of host {host} does not answer ({why}). Look whether the host is up."),
        format!("主机 {host} 的代理无应答（{why}）。请检查主机。");
    HostDraining { host: &'a str, who: &'a str, reason: &'a str }:
        format!("Host {host} takes no new attempts, by {who}: {reason}."),
        format!("主机 {host} 已停止接收新作业（{who}）：{reason}。");
    NoHost { hosts: &'a str }: format!("No host that it may run on takes it: {hosts}."),
        format!("没有可用的主机：{hosts}。");
    NoHostOfLabel { label: &'a str, hosts: &'a str }:
        format!("No host with label {label} has room: {hosts}."),
        format!("标签为 {label} 的主机均不可用：{hosts}。");
    NoneDeclared: format!("none is there"), format!("无");
    IsAway { host: &'a str }: format!("{host} away"), format!("{host} 无法连接");
    IsDraining { host: &'a str }: format!("{host} draining"), format!("{host} 停止接收");
    IsFull { host: &'a str }: format!("{host} full"), format!("{host} 并发已满");
    IsWithoutPool { host: &'a str, pool: &'a str }:
        format!("{host} without {pool}"), format!("{host} 资源 {pool} 余量不足");
    IsFrozen { host: &'a str }: format!("{host} frozen"), format!("{host} 封版中");
    RetryAt { attempt: u32, at: &'a str }:
        format!("Failed before; attempt {attempt} starts at {at}."),
        format!("此前失败，将于 {at} 进行第 {attempt} 次尝试。");
    RetryLater { attempt: u32 }:
        format!("Attempt {attempt} starts when the run goes on."),
        format!("批次恢复后进行第 {attempt} 次尝试。");
    Stopping:
        "The run was stopped, or is being stopped: nothing new starts; `nightrun resume` goes on.",
        "批次执行已停止或正在停止，不再启动新作业；可用 `nightrun resume` 继续。";
    WaitsUntil { at: &'a str }: format!("Waits until {at}."), format!("等待至 {at}。");
    WaitsForEvent { event: &'a str }:
        format!("Waits for the event {event} of another system."), format!("等待其他系统的事件 {event}。");
    EventUntil { event: &'a str, until: &'a str }:
        format!("Waits for the event {event} of another system; fails if it has not come by {until}."),
        format!("等待其他系统的事件 {event}；到 {until} 仍未收到则失败。");
    NoEvent { event: &'a str, limit: &'a str }:
        format!("the event {event} has not come within {limit}"), format!("事件 {event} 在 {limit}内未收到");
    WaitsForPerson { question: &'a str, role: &'a str, command: &'a str }:
        format!("Waits for a yes{} to: {question} To give it: {command}",
            if role.is_empty() { String::new() } else { format!(" of the role {role}") }),
        format!("等待{}确认：{question} 确认命令：{command}",
            if role.is_empty() { "人工".to_owned() } else { format!("角色 {role} ") });
    BlockedBy { list: &'a str, command: &'a str }:
        format!("Blocked: {list} failed. When the cause is gone: {command}"),
        format!("受阻：{list} 失败。排除原因后执行：{command}");
    Done { outcome: Outcome, at: &'a str }:
        format!("It is over since {at}: {}.", en(outcome)), format!("已于 {at} 结束：{}。", zh(outcome));
    StartingOn { host: &'a str, attempt: u32 }:
        format!("Attempt {attempt} is being started; host {host} has not answered yet."),
        format!("第 {attempt} 次尝试正在启动，主机 {host} 尚未应答。");
    RunningSince { attempt: u32, since: &'a str }:
        format!("It runs since {since} (attempt {attempt})."),
        format!("自 {since} 起运行中（第 {attempt} 次尝试）。");
    RunningSinceUntil { attempt: u32, since: &'a str, end: &'a str }:
        format!("It runs since {since} (attempt {attempt}), expected done {end}."),
        format!("自 {since} 起运行中（第 {attempt} 次尝试），预计 {end} 完成。");
    Unknown { why: &'a str, command: &'a str }:
        format!("What became of it is not known ({why}). Look, then, if it was not done: {command}"),
        format!("结果不明（{why}）。请核实；若未完成，执行：{command}");
    CalendarUnknown { calendar: &'a str, date: &'a str, last: &'a str }:
        format!("Calendar {calendar} has data only up to {last} and cannot say what {date} is, so nothing runs. \
            Extend the calendar."),
        format!("日历 {calendar} 数据仅到 {last}，无法判断 {date}，因此不执行。请补充日历。");
    AcrossOpen { job: &'a str, date: &'a str, when: Condition }:
        format!("Waits until {job} of {date} has {}; its outcome is not known yet.", wish_en(when)),
        format!("等待 {date} 的 {job} {}，目前尚无结果。", wish_zh(when));
    AcrossWas { job: &'a str, date: &'a str, when: Condition, outcome: Outcome }:
        format!("Needs {job} of {date} to have {}, and that one is: {}.", wish_en(when), en(outcome)),
        format!("需要 {date} 的 {job} {}，而其结果为“{}”。", wish_zh(when), zh(outcome));
    BatchNotStarted { batch: &'a str, next: &'a str }:
        format!("Batch {batch} has not begun; it starts at {next}."),
        format!("批次 {batch} 尚未开始，计划 {next} 开始。");
    BatchPast { batch: &'a str, date: &'a str }:
        format!("Batch {batch} has no run for this date, and its time has passed: `nightrun run {batch} --date {date}` orders it by hand."),
        format!("批次 {batch} 在该日期没有执行记录，且时间已过：可用 `nightrun run {batch} --date {date}` 人工执行。");
    BatchNeverStarts { batch: &'a str }:
        format!("Batch {batch} has not begun and nothing is scheduled: `nightrun run {batch}` starts it."),
        format!("批次 {batch} 尚未开始，也没有排期：可用 `nightrun run {batch}` 启动。");
    Ready: "Nothing stands in its way: it starts next.", "已满足全部条件，即将启动。";
}

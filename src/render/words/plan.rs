//! Notes of the plan: gates, days left out, daylight saving, ends of calendars.

use crate::types::Condition;

use super::{jobs as n_jobs, messages, wish_en, wish_zh};

messages! {
    /// A note in a plan.
    Planned;
    Jobs { jobs: u32 }: n_jobs(jobs), format!("{jobs} 个作业");
    WithoutJobs { list: &'a str }: format!("left out: {list}"), format!("不执行：{list}");
    OneDay: "`nightrun plan --date DATE` lists the jobs of a day.", "`nightrun plan --date 日期` 列出当日的作业。";
    NothingStarts: "Nothing starts.", "当日没有批次。";
    Gap { wished: &'a str }:
        format!("{wished} does not exist that night (daylight saving begins): starts as much later."),
        format!("当日无 {wished}（夏令时开始），顺延启动。");
    First: "the time comes twice that night (daylight saving ends): this is the first",
        "当日该时刻出现两次（夏令时结束），此为第一次";
    Second: "the time comes twice that night (daylight saving ends): this is the second",
        "当日该时刻出现两次（夏令时结束），此为第二次";
    CaughtUp { scheduled: &'a str }:
        format!("caught up: was scheduled for {scheduled}"), format!("补跑：原定 {scheduled}");
    GapSkipped { wished: &'a str }:
        format!("{wished} does not exist that night (daylight saving begins), and the file says `gap: skip`"),
        format!("当日无 {wished}（夏令时开始），按 `gap: skip` 不执行");
    NoBusinessDay { calendar: &'a str }:
        format!("no business day of calendar {calendar}"), format!("非营业日（日历 {calendar}）");
    Holiday { calendar: &'a str, name: &'a str }:
        format!("{name}: no business day of calendar {calendar}"), format!("{name}，非营业日（日历 {calendar}）");
    OtherDays { rule: &'a str }: format!("runs on {rule}"), format!("仅在{rule}执行");
    NotAsked: "not asked for", "未包含在本次执行中";
    OnlyWhen { job: &'a str, when: Condition }:
        format!("only when {job} has {}", wish_en(when)), format!("仅当 {job} {}时执行", wish_zh(when));
    NoSchedule: "has no schedule: started by order", "无排期，按指令启动";
    NoData { calendar: &'a str, last: &'a str }:
        format!("NOTHING RUNS: calendar {calendar} has data only up to {last}"),
        format!("不执行：日历 {calendar} 数据仅到 {last}");
    CalendarEnds { calendar: &'a str, last: &'a str, days: i32 }:
        format!("Calendar {calendar} ends on {last}, in {days} {}: extend it, or nothing runs after it.",
            if days == 1 { "day" } else { "days" }),
        format!("日历 {calendar} 数据到 {last} 为止，还有 {days} 天：请尽快补充，否则此后不执行。");
    CalendarEnded { calendar: &'a str, last: &'a str }:
        format!("Calendar {calendar} ended on {last}: nothing that needs it runs until it is extended."),
        format!("日历 {calendar} 数据已于 {last} 到期：补充之前相关批次均不执行。");
    Window { window: &'a str, opens: &'a str, closes: &'a str }:
        format!("window {window} {opens}-{closes}"), format!("时间窗口 {window} {opens}–{closes}");
    WindowNever { window: &'a str }:
        format!("window {window} never opens long enough"), format!("时间窗口 {window} 没有足够长的开放时间");
    Frozen { reason: &'a str, until: &'a str }:
        format!("frozen until {until}: {reason}"), format!("封版至 {until}：{reason}");
    Until { at: &'a str }: format!("time {at}"), format!("时刻 {at}");
    File { path: &'a str, limit: &'a str }:
        format!("file {path} (at most {limit})"), format!("文件 {path}（最长 {limit}）");
    Sql { limit: &'a str }: format!("SQL condition (at most {limit})"), format!("SQL 条件（最长 {limit}）");
    Event { event: &'a str }: format!("event {event}"), format!("事件 {event}");
    EventWithin { event: &'a str, limit: &'a str }:
        format!("event {event} (at most {limit})"), format!("事件 {event}（最长 {limit}）");
    Person { question: &'a str }: format!("a person's yes: {question}"), format!("人工确认：{question}");
    Pool { pool: &'a str, units: u32 }: format!("{units} of {pool}"), format!("资源 {pool} × {units}");
    Across { job: &'a str, date: &'a str }: format!("{job} of {date}"), format!("{date} 的 {job}");
    AcrossDone { job: &'a str }:
        format!("{job} counts as done (before its batch's first date)"), format!("{job} 视为已完成（早于该批次启用日）");
    MissesLimit { due: &'a str }: format!("MISSES ITS LIMIT {due}"), format!("将超过时限 {due}");
}

//! What a watcher of another host says.

use super::messages;

messages! {
    /// The alarm of a watcher, and its end.
    Watched;
    Away { site: &'a str, since: &'a str }:
        format!("{site}: nightrun gives no life sign since {since}"),
        format!("{site}：nightrun 自 {since} 起没有生命信号");
    Never { since: &'a str }:
        format!("nightrun has given no life sign, looked for since {since}"),
        format!("自 {since} 起监看，未收到 nightrun 的生命信号");
    Found { why: &'a str }: format!("In its place: {why}"), format!("读取结果：{why}");
    Waiting { site: &'a str, messages: u32, since: &'a str }:
        format!("{site}: {messages} messages of nightrun wait to be sent, the oldest since {since}"),
        format!("{site}：nightrun 有 {messages} 条消息未发出，最早的自 {since} 起等待");
    Clock { site: &'a str, ahead: &'a str }:
        format!("{site}: the clock of nightrun's host is {ahead} ahead of this one"),
        format!("{site}：nightrun 所在主机的时钟比本机快 {ahead}");
    MeansAway:
        "Nobody starts, watches or tells anything there, or the way to this host is broken. What ran goes on under its agent.",
        "此时可能无人启动、监看和通知，或与本机的连接中断。已运行的作业由其代理继续。";
    MeansWaiting:
        "Alarms may not reach anybody by the way that the site uses.", "该站点的告警可能无法送达。";
    MeansClock:
        "Schedules and windows go by that clock, or this one is wrong.", "计划与时间窗口以该时钟为准；也可能是本机时钟有误。";
    LastSign { at: &'a str, entries: u64, head: &'a str }:
        format!("The last sign is of {at}; the journal had {entries} entries, head {head}."),
        format!("最后的生命信号：{at}；流水共 {entries} 条，摘要 {head}。");
    NextStart { batch: &'a str, at: &'a str }:
        format!("The next start was to be {batch} at {at}."), format!("下一次计划启动：{batch}，{at}。");
    Do: "On its host: nightrun doctor; systemctl status nightrun", "请在该主机执行：nightrun doctor；systemctl status nightrun";
    Lives { site: &'a str, at: &'a str }:
        format!("{site}: nightrun lives at {at}"), format!("{site}：nightrun 于 {at} 运行正常");
    Journal { entries: u64, head: &'a str }:
        format!("The journal has {entries} entries, head {head}."), format!("流水共 {entries} 条，摘要 {head}。");
    NextIs { batch: &'a str, at: &'a str }:
        format!("The next start is {batch} at {at}."), format!("下一次计划启动：{batch}，{at}。");
    Over { since: &'a str }:
        format!("nightrun gives its life signs again, after an alarm since {since}"),
        format!("nightrun 已恢复生命信号（告警始于 {since}）");
}

//! The hosts that jobs run on.

use super::messages;

messages! {
    /// What is said of one host.
    Hosts;
    UpSince { since: &'a str }: format!("up since {since}"), format!("{since} 起在线");
    Up: "up", "在线";
    AwaySince { since: &'a str }: format!("away since {since}"), format!("{since} 起无法连接");
    NotSought: "no link now", "未连接";
    Running { running: u32, most: u32 }:
        format!("{running} of {most} running"), format!("运行 {running}/{most}");
    Pool { pool: &'a str, used: u32, size: u32 }:
        format!("{pool} {used} of {size}"), format!("{pool} {used}/{size}");
    Clock { off: &'a str, within: &'a str }:
        format!("its clock is off by {off} (± {within})"), format!("时钟相差 {off}（± {within}）");
    Draining { since: &'a str, who: &'a str, reason: &'a str }:
        format!("takes no new attempts since {since}, by {who}: {reason}"),
        format!("{since} 起停止接收新作业（{who}）：{reason}");
}

//! What is seen of another host.

use super::messages;

messages! {
    /// A line of `nightrun host check`.
    Far;
    Reached { account: &'a str, took: &'a str }:
        format!("answers over ssh in {took}; nightrun runs as {account} there"),
        format!("经 ssh 应答，用时 {took}；nightrun 在该主机上的账户为 {account}");
    NotReached { why: &'a str }: format!("cannot be reached: {why}"), format!("无法连接：{why}");
    Same { release: &'a str }:
        format!("nightrun {release}, the same as here"), format!("nightrun {release}，与本机相同");
    Other { host: &'a str, release: &'a str, own: &'a str }:
        format!("nightrun {release} is another build than that of here ({own}): `nightrun host add {host}` brings it up to date"),
        format!("nightrun {release} 与本机（{own}）不是同一版本：请执行 `nightrun host add {host}` 更新");
    User { user: &'a str }: format!("jobs can become {user}"), format!("作业可以使用账户 {user}");
    NoUser { user: &'a str, why: &'a str }:
        format!("jobs cannot become {user}: {why}"), format!("作业不能使用账户 {user}：{why}");
    PartLink: "link", "连接";
    PartProgram: "program", "程序";
    PartClock: "clock", "时钟";
    PartUsers: "users", "账户";
    Sent { release: &'a str, mebibytes: u64, digest: &'a str }:
        format!("nightrun {release} was copied ({mebibytes} MiB, SHA-256 {digest}…)"),
        format!("已复制 nightrun {release}（{mebibytes} MiB，SHA-256 {digest}…）");
    AlreadyThere { release: &'a str }:
        format!("nightrun {release} is there already"), format!("nightrun {release} 已在该主机上");
    Upgraded: "its agent goes on as the new program; what ran goes on", "其代理已切换到新程序；运行中的作业不受影响";
    NotUpgraded { why: &'a str }:
        format!("its agent stays the program that it was: {why}"), format!("其代理仍为原程序：{why}");
    NoAgent: "no agent runs there yet; the first supervisor starts it", "该主机上尚无代理运行；首个主控会启动它";
}

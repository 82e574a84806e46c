//! What operators have ordered for the whole site.

use super::messages;

messages! {
    /// One thing that stands beyond any run.
    Stands;
    Freeze { id: &'a str, from: &'a str, to: &'a str, scope: &'a str, who: &'a str, reason: &'a str }:
        format!("{id}  frozen {from} - {to}, {scope}, by {who}: {reason}"),
        format!("{id}  封版 {from} – {to}，范围：{scope}，{who}下达：{reason}");
    FreezeDeclared { id: &'a str, from: &'a str, to: &'a str, scope: &'a str, reason: &'a str }:
        format!("{id}  frozen {from} - {to}, {scope}: {reason}"),
        format!("{id}  封版 {from} – {to}，范围：{scope}：{reason}");
    Declared: "declared", "已声明";
    WholeSite: "whole site", "全站点";
    Pool { pool: &'a str, size: u32, until: &'a str, who: &'a str, reason: &'a str }:
        format!("Pool {pool} has {size} until {until}, by {who}: {reason}"),
        format!("资源池 {pool} 容量为 {size}，至 {until} 止，{who}设定：{reason}");
    Drain { host: &'a str, since: &'a str, who: &'a str, reason: &'a str }:
        format!("Host {host} takes no new attempts since {since}, by {who}: {reason}"),
        format!("主机 {host} 自 {since} 起停止接收新作业，{who}设定：{reason}");
    WaitsForSecond { request: &'a str, on: &'a str, until: &'a str, who: &'a str, reason: &'a str }:
        format!("{request} waits until {until} for a second person ({on}, asked for by {who}: {reason})"),
        format!("{request} 等待复核，至 {until} 止（{on}，{who}申请：{reason}）");
}

//! Inspections: what was looked at, how often.

use super::messages;

messages! {
    /// What people read of inspections.
    Inspections;
    Ok: "ok", "正常";
    Warn: "warn", "预警";
    Fail: "fail", "异常";
    Finding { name: &'a str, verdict: &'a str, value: &'a str }:
        format!("{name}: {verdict}, {value}"), format!("{name}：{verdict}，{value}");
}

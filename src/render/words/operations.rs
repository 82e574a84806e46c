//! The operations report of a week, a month or a quarter.

use super::messages;

messages! {
    /// What people read in it.
    Operations;
    Title { from: &'a str, to: &'a str }:
        format!("Operations report {from} - {to}"), format!("运维报告 {from} 至 {to}");
    Until { until: &'a str }: format!("As of {until}."), format!("截至 {until}。");
    HeadBatches: "Batches", "批次";
    Batch: "Batch", "批次";
    Runs: "Runs", "执行";
    Well: "Ended well", "正常完成";
    Failed: "Failed", "失败";
    Otherwise: "Stopped, cancelled, lost", "停止、取消、记录丢失";
    UnderWay: "Under way", "运行中";
    Mean: "Mean time", "平均耗时";
    Longest: "Longest", "最长耗时";
    MissedStarts { count: u32 }:
        format!("Starts of schedules that were not made: {count}."), format!("未按计划启动：{count} 次。");
    HeadSeverities: "Incidents by severity", "事件（按级别）";
    Severity: "Severity", "级别";
    Opened: "Opened", "发生";
    Over: "Over", "已结束";
    Response: "Response", "响应";
    Solution: "Solution", "解决";
    Kind: "Kind", "类别";
    Watched: "Watched", "应计";
    Missed: "Missed", "超时";
    MissedBy: "By", "超时合计";
    HeadServices: "Availability", "可用率";
    Service: "Service", "服务";
    Interruptions: "Interruptions", "中断次数";
    Interrupted: "Interrupted", "中断时长";
    Outside: "Of outside cause", "系统外原因";
    Available: "Available", "可用率";
    HeadRounds: "Inspections", "巡检";
    Wanted: "Wanted", "应检";
    Done: "Done", "已检";
    MissedRounds: "Missed", "漏检";
    HeadRecurring: "Changes that come again", "重复变更";
    Times: "Times", "次数";
    Environment: "Environment", "环境";
    Statements: "Statements", "语句";
}

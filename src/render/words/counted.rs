//! Changes in numbers.

use super::messages;

messages! {
    /// Heads and remarks of statistics.
    Counted;
    Title { from: &'a str, to: &'a str }: format!("Changes from {from} to {to}"), format!("变更统计：{from} 至 {to}");
    Team: "Team", "团队";
    AuthorTeam: "Author's team", "编写团队";
    Class: "Class", "分类";
    Month: "Month", "月份";
    All: "all", "合计";
    Nobody: "none", "无";
    Executed: "Executed", "执行";
    Abnormal: "Abnormal", "异常";
    AbnormalRate: "Abnormal rate", "异常率";
    Failed: "Failed", "失败";
    Partial: "Half done", "部分生效";
    RolledBack: "Rolled back", "回退";
    InDoubt: "In doubt", "结果未知";
    Fixed: "Put right", "事后紧急修复";
    Emergencies: "Emergencies", "紧急";
    EmergencyRate: "Emergency rate", "紧急率";
    Outside: "Outside of windows", "窗口外";
    Late: "Late", "逾期";
    Took: "Time", "耗时";
    Rows: "Rows", "行数";
    Recurring: "Data changes that come again", "重复出现的数据变更";
    NoneRecurs: "No data change came again.", "无重复的数据变更。";
    Times: "Times", "次数";
    Environment: "Environment", "环境";
    Changes: "Changes", "变更";
    Statements: "Statements", "语句";
    Fingerprint: "Fingerprint", "指纹";
    Last: "Last", "最近";
    UnknownScripts { count: u32 }:
        format!("Of {count} data changes the script is not kept: whether they came before is not known."),
        format!("{count} 个数据变更的脚本未保存，无法判断是否重复。");
}

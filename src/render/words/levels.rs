//! Service levels: figures, limits, penalties.

use super::messages;

messages! {
    /// What people read of service levels.
    Levels;
    Head: "Service levels", "服务级别";
    Lead { key: u32, ordinary: u32, open: u32 }:
        format!("Misses: {key} key, {ordinary} ordinary. Figures without a result: {open}."),
        format!("未达标：关键 {key} 次，一般 {ordinary} 次。尚无结论的指标：{open} 项。");
    Table { digest: &'a str }:
        format!("Reckoned by service-levels.yaml as it is now (SHA-256 {digest})."),
        format!("按现行 service-levels.yaml 计算（SHA-256 {digest}）。");
    PenaltiesByWeek: "Penalties are reckoned in the report of the week.", "违约金在周报中计算。";
    PenaltiesByMonth: "Penalties are reckoned in the report of the month.", "违约金在月报中计算。";
    PenaltiesByQuarter: "Penalties are reckoned in the report of the quarter.", "违约金在季报中计算。";
    Figure: "Figure", "指标";
    Class: "Class", "类别";
    Period: "Period", "周期";
    Limit: "Limit", "要求";
    Value: "Value", "实际值";
    Level: "Result", "结论";
    Penalty: "Penalty", "违约金";
    Source: "Source", "来源";
    Key: "key", "关键";
    Ordinary: "ordinary", "一般";
    AtMost { amount: &'a str }: format!("at most {amount}"), format!("≤ {amount}");
    AtLeast { amount: &'a str }: format!("at least {amount}"), format!("≥ {amount}");
    Hours { amount: &'a str }: format!("{amount} h"), format!("{amount} 小时");
    Kept: "kept", "达标";
    Missed: "missed", "未达标";
    MissedTimes { count: u32 }: format!("missed {count} times"), format!("未达标（{count} 次）");
    NotEntered: "not entered", "未填报";
    NotOver: "not over", "周期未结束";
    NotWhole: "incomplete", "数据不完整";
    By { who: &'a str }: format!("entered by {who}"), format!("{who} 填报");
    OfPeople: "to be entered", "待填报";
    OfInterruptions: "interruptions", "中断记录";
    OfInspections: "inspections", "巡检记录";
    OfIncidents: "incidents", "事件记录";
    More: "More, for so many misses", "未达标过多，加收";
    Sum { currency: &'a str }: format!("Sum ({currency})"), format!("合计（{currency}）");
    HeadEntered: "Entered figures", "填报指标";
    EnteredBy: "Entered by", "填报人";
    EnteredAt: "At", "填报时间";
    Replaced: "replaced", "已更正";
}

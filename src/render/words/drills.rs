//! Drills: alarms by arrangement.

use super::messages;

messages! {
    /// What people read of drills.
    Drills;
    // In mails and lists of incidents, before anything else.
    Mark: "DRILL", "演练";
    Headline { title: &'a str }: format!("DRILL: {title}"), format!("【演练】{title}");
    Means: "This is a drill: nothing is broken. Answer it as you would answer the real thing, and touch nothing real.",
        "本次为演练，并无真实故障。请按真实事件响应，但不要操作生产系统。";
    Why { who: &'a str, why: &'a str }: format!("{who} has started it: {why}."), format!("{who} 发起：{why}。");
    WhyNobody { why: &'a str }: format!("Started for: {why}."), format!("发起原因：{why}。");
    Runbook { text: &'a str }: format!("What to do: {text}"), format!("处置手册：{text}");
    Overdue { title: &'a str, due: &'a str }:
        format!("the drill {title} was to be held by {due}"), format!("演练“{title}”应于 {due} 前完成");
    MeansOverdue { drill: &'a str }:
        format!("Hold it: `nightrun drill start {drill} --reason ...`. It counts when somebody has answered."),
        format!("请组织演练：`nightrun drill start {drill} --reason ...`。有人响应后方计为完成。");

    // The list.
    None: "The site declares no drills, and none was held.", "站点未声明演练，也无演练记录。";
    HeadDrill: "Drill", "演练";
    HeadTitle: "Title", "名称";
    HeadEvery: "Every", "周期";
    HeadDue: "Next", "下次";
    HeadLast: "Last", "上次";
    HeadResult: "Result", "结果";
    Days { days: u32 }: if days == 1 { "1 day".to_owned() } else { format!("{days} days") }, format!("{days} 天");
    DueBy { due: &'a str }: format!("by {due}"), format!("{due} 前");
    OverdueSince { due: &'a str }: format!("overdue since {due}"), format!("逾期（{due}）");
    UnderWay { incident: &'a str }: format!("under way: {incident}"), format!("进行中：{incident}");
    NotDeclared: "no more", "已停用";
    Never: "never", "从未";
    Well: "in time", "达标";
    NotWell: "not in time", "未达标";
    NotOver: "not over", "未结束";
    AnsweredBy { who: &'a str, took: &'a str }: format!("{who} after {took}"), format!("{who} {took}后响应");
    NobodyAnswered: "nobody answered", "无人响应";
    OverAfter { took: &'a str }: format!("over after {took}"), format!("{took}后结束");
    TooLate { limits: &'a str }: format!("too late: {limits}"), format!("超时：{limits}");
    Absent { who: &'a str }: format!("absent: {who}"), format!("缺席：{who}");
    Ahead { title: &'a str, due: &'a str }: format!("{title}: due by {due}"), format!("{title}：应于 {due} 前完成");
    AheadOverdue { title: &'a str, due: &'a str }: format!("{title}: overdue since {due}"), format!("{title}：逾期（应于 {due} 前）");
    Head: "Drills", "演练";
    ReportTitle { incident: &'a str }: format!("Drill report {incident}"), format!("演练报告 {incident}");
}

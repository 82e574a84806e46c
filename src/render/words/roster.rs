//! Who is on shift.

use super::messages;

messages! {
    /// Lines of the roster.
    OnDuty;
    At { time: &'a str }: format!("On shift at {time}:"), format!("{time} 当班：");
    Nobody { time: &'a str }: format!("Nobody is on shift at {time}."), format!("{time} 无人当班。");
    Line { shift: &'a str, from: &'a str, to: &'a str, who: &'a str }:
        format!("{shift} {from} - {to}: {who}"), format!("{shift} {from} – {to}：{who}");
    OnCall: "on call", "电话值守";
    Comes { time: &'a str }: format!("Next change at {time}:"), format!("下次交接：{time}");
    StandsIn { who: &'a str }: format!("stands in for {who}"), format!("代{who}（AB角）");
    Swapped { who: &'a str }: format!("took it over from {who}"), format!("与{who}调班");
    Set: "by override", "临时替班";
    Sheet { from: &'a str, to: &'a str }: format!("Roster from {from} to {to}"), format!("排班表 {from} 至 {to}");
    NobodyPlanned: "Nobody has a shift on these dates.", "这些日期无人排班。";
    InsteadMark: "in place of somebody else", "替他人";
    LeaveMark: "-", "休";
    OnLeave: "on leave", "请假";
    Unknown { shift: &'a str, date: &'a str }:
        format!("Who has {shift} on {date} is not known: its calendar does not reach that day."),
        format!("{date} 的{shift}尚不可知：日历数据未覆盖该日。");
    NoCover: "No rule says how many people are needed: add `cover:` to roster-rules.yaml.", "没有规则说明各班需要几人：请在 roster-rules.yaml 中添加 `cover:`。";
    NoGaps { from: &'a str, to: &'a str }: format!("Nothing is open from {from} to {to}."), format!("{from} 至 {to} 无缺班。");
    Gaps { count: u32, from: &'a str, to: &'a str }:
        format!("Open from {from} to {to}: {count}"), format!("{from} 至 {to} 缺班 {count} 处：");
    GapOn { needs: u32, has: u32, date: &'a str }:
        format!("needs {needs}, has {has} on {date}"), format!("{date} 需 {needs} 人，有 {has} 人");
    GapFrom { needs: u32, has: u32, from: &'a str, to: &'a str }:
        format!("needs {needs}, has {has} from {from} to {to}"), format!("{from} 至 {to} 需 {needs} 人，有 {has} 人");
    GapOfAll { from: &'a str, to: &'a str }:
        format!("Nobody is on any shift from {from} to {to}"), format!("{from} 至 {to} 无任何人当班");
    FeedOfAll: "Roster", "排班表";
    FeedOf { who: &'a str }: format!("Shifts of {who}"), format!("{who}的班次");
    Deputy { who: &'a str }: format!("deputy {who}"), format!("AB角 {who}");
    Next { time: &'a str }: format!("Next change at {time}."), format!("下次交接：{time}。");
    NothingAhead: "The roster names nobody after that.", "此后排班表中无人。";
}

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
    Deputy { who: &'a str }: format!("deputy {who}"), format!("AB角 {who}");
    Next { time: &'a str }: format!("Next change at {time}."), format!("下次交接：{time}。");
    NothingAhead: "The roster names nobody after that.", "此后排班表中无人。";
}

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
    Next { time: &'a str }: format!("Next change at {time}."), format!("下次交接：{time}。");
    NothingAhead: "The roster names nobody after that.", "此后排班表中无人。";
}

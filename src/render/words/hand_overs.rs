//! Hand-overs of shifts: what is left to the next shift, who has accepted it.

use super::messages;

messages! {
    /// What people read of a hand-over.
    HandOvers;
    Title { shift: &'a str, date: &'a str }:
        format!("Hand-over of shift {shift} of {date}"), format!("{date} {shift}交接");

    // Why this mail comes.
    Begins { ends: &'a str }:
        format!("Your shift ends at {ends}. Below is what the record leaves to the next one: add your words, and hand it over."),
        format!("本班将于 {ends} 结束。以下为系统根据记录整理的交接内容，请补充后交班。");
    Ends { ends: &'a str }:
        format!("The shift has ended at {ends}. Somebody of the next shift is to accept what it leaves."),
        format!("本班已于 {ends} 结束，请接班人确认接班。");
    Reminder { ends: &'a str }:
        format!("Nobody has accepted it yet. The shift ended at {ends}."),
        format!("尚无人确认接班。本班已于 {ends} 结束。");
    GivenBy { who: &'a str, at: &'a str }:
        format!("{who} handed it over at {at}."), format!("{who} 于 {at} 交班。");
    AcceptedBy { who: &'a str, at: &'a str }:
        format!("{who} accepted it at {at}."), format!("{who} 于 {at} 接班。");
    SameAt { at: &'a str }:
        format!("Over since {at}: the same people have the next shift."), format!("{at} 自动完成：接班人与交班人相同。");
    LateSince { at: &'a str }:
        format!("Its limit passed at {at}, and an incident was opened."), format!("{at} 超过交接时限，已登记事件。");
    OpenYet: "Not handed over yet.", "尚未交班。";

    // Who.
    From { who: &'a str }: format!("Hands over: {who}"), format!("交班：{who}");
    To { shifts: &'a str, who: &'a str }:
        format!("Takes over: {who} ({shifts})"), format!("接班：{who}（{shifts}）");
    ToNobody { shifts: &'a str }:
        format!("Takes over: nobody; the roster names nobody for {shifts}."),
        format!("接班：无人，排班表中{shifts}无人当班。");

    // What is handed over.
    HeadWords: "Words of the shift", "交班说明";
    HeadIncidents: "Open incidents", "未关闭事件";
    HeadDoubts: "In doubt", "结果不明";
    HeadAtRisk: "Deadlines at risk", "受影响时限";
    HeadRunning: "Under way", "正在运行";
    HeadHolds: "Held jobs", "已挂起作业";
    HeadFreezes: "Freezes", "封版";
    HeadRequests: "Waiting for a second person", "待复核";
    HeadAhead: "Starts ahead", "后续计划";
    HeadCalendars: "Calendars that end", "即将到期的日历";
    HeadNotes: "Notes", "备注";
    HeadSteps: "What was done", "交接经过";
    HeadOpen: "Open points", "遗留事项";
    NothingOpen: "None: nothing is under way, nothing waits, and nothing starts in the next hours.",
        "无：无运行中批次，无待处理事项，近期无计划启动。";

    // Lines.
    Incident { incident: &'a str, severity: &'a str, what: &'a str, since: &'a str }:
        format!("{incident} [{severity}] {what}, since {since}"), format!("{incident} [{severity}] {what}，自 {since}");
    TakenCareOf { who: &'a str }: format!("{who} takes care of it"), format!("{who} 处理中");
    NobodyCares: "nobody takes care of it", "无人处理";
    MutedUntil { until: &'a str }: format!("muted until {until}"), format!("静默至 {until}");
    Held { what: &'a str, who: &'a str, reason: &'a str }:
        format!("{what}, by {who}: {reason}"), format!("{what}，{who}：{reason}");
    Frozen { id: &'a str, from: &'a str, to: &'a str, reason: &'a str }:
        format!("{id} from {from} to {to}: {reason}"), format!("{id} {from} 至 {to}：{reason}");
    Running { run: &'a str, jobs: u32 }:
        format!("{run}, {} not over", super::jobs(jobs)), format!("{run}，未完成作业 {jobs} 个");
    ExpectedBy { end: &'a str }: format!("expected to end at {end}"), format!("预计 {end} 完成");
    NoEnd: "does not end by itself", "无法自行完成";
    DueBy { due: &'a str }: format!("due by {due}"), format!("时限 {due}");
    Overridden { reason: &'a str }: format!("its window is overridden: {reason}"), format!("已越过时间窗口：{reason}");
    Released { who: &'a str }: format!("changes released by {who}"), format!("变更由 {who} 放行");

    // Steps, without who and when.
    StepTold { people: &'a str }: format!("told {people}"), format!("通知{people}");
    StepNoted: "noted", "补充";
    StepGiven: "handed it over", "交班";
    StepAccepted: "accepted it", "接班";
    StepSame: "over: the same people have the next shift", "完成：接班人与交班人相同";
    StepLate: "limit passed: an incident was opened", "超过时限，已登记事件";

    // Its page.
    Page: "Hand-over", "交接";
    All: "Hand-overs", "交接记录";
    AsOf { at: &'a str }: format!("As it stands at {at}."), format!("截至 {at}。");
    AsAccepted: "As it stood when it was accepted.", "以下为接班时的情况。";
    Note: "Add words", "补充说明";
    NoteWords: "What the record does not say", "系统记录之外的情况";
    Give: "Hand it over", "交班";
    Accept: "Accept it: from here on it is mine", "接班";
    Yours { at: &'a str }: format!("Nothing is to be done by you now. The shift ends at {at}."), format!("目前无需您操作。本班 {at} 结束。");
    OverAlready: "It is over: nothing is to be done.", "已完成，无需操作。";
    NotDeclared: "Shifts are not handed over here: shifts.yaml declares no `hand_over`.", "本站点未设置交接（shifts.yaml 中没有 `hand_over`）。";
    Rounds: "Inspections of the shift", "本班巡检";
    HeadShift: "Shift", "班次";
    HeadEnds: "Ends", "结束";
    HeadFrom: "Hands over", "交班";
    HeadTo: "Takes over", "接班";

    // Lists and commands.
    NoneOpen: "No hand-over is open.", "没有未完成的交接。";
    NoneKnown: "No shift was handed over here yet.", "尚无交接记录。";
    StateOpen: "open", "未交班";
    StateGiven: "handed over, not accepted", "已交班，未接班";
    StateLate: "late", "超时";
    StateAccepted { who: &'a str }: format!("accepted by {who}"), format!("{who} 已接班");
    StateSame: "same people", "接班人相同";
    CanNote: "add your words", "补充说明";
    CanGive: "hand it over", "交班";
    CanAccept: "accept it", "接班";
    CanShow: "see how it stands now", "查看交接内容";
}

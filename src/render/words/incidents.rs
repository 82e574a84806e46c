//! Incidents: what is wrong, who takes care of it, what is due.

use super::messages;

messages! {
    /// What people read of an incident.
    Incidents;
    // What is wrong, as a headline. `what` is the job with its batch, or the batch.
    Failed { what: &'a str }: format!("{what} failed"), format!("{what} 失败");
    InDoubt { what: &'a str }: format!("{what} is in doubt"), format!("{what} 结果不明");
    Waits { what: &'a str }: format!("{what} waits for people"), format!("{what} 等待人员处理");
    LateStart { what: &'a str, due: &'a str }:
        format!("{what} has not started by {due}"), format!("{what} 未在 {due} 前开始");
    LateEnd { what: &'a str, due: &'a str }:
        format!("{what} is not complete by {due}"), format!("{what} 未在 {due} 前完成");
    WillStartLate { what: &'a str, due: &'a str, expected: &'a str }:
        format!("{what} will start too late: expected {expected}, limit {due}"),
        format!("{what} 预计延迟开始：预计 {expected}，时限 {due}");
    WillEndLate { what: &'a str, due: &'a str, expected: &'a str }:
        format!("{what} will be late: expected {expected}, limit {due}"),
        format!("{what} 预计延迟完成：预计 {expected}，时限 {due}");
    WindowCloses { what: &'a str, closes: &'a str, expected: &'a str }:
        format!("{what} is too late for its window: expected {expected}, closes {closes}"),
        format!("{what} 将错过窗口：预计 {expected}，窗口 {closes} 关闭");
    WindowOfList { what: &'a str, closes: &'a str }:
        format!("{what} does not start before the window of its list closes at {closes}"),
        format!("{what} 在其清单的窗口 {closes} 关闭前无法启动");
    RunsOver { what: &'a str, closed: &'a str }:
        format!("{what} still runs, and its window closed at {closed}"),
        format!("{what} 仍在运行，其窗口已于 {closed} 关闭");
    HostAwayTitled { host: &'a str, title: &'a str }:
        format!("host {host} ({title}) is not reached"), format!("主机 {host}（{title}）无法连接");
    HostAway { host: &'a str }: format!("host {host} is not reached"), format!("主机 {host} 无法连接");
    CalendarEnds { calendar: &'a str, last: &'a str }:
        format!("calendar {calendar} ends on {last}"), format!("日历 {calendar} 的数据到 {last} 为止");
    CalendarEmpty { calendar: &'a str }:
        format!("calendar {calendar} has no data"), format!("日历 {calendar} 没有数据");
    MessageRefused { to: &'a str }:
        format!("what is sent to {to} is refused"), format!("发往 {to} 的消息被拒收");
    HandOverLate { hand_over: &'a str, ended: &'a str }:
        format!("nobody has accepted the hand-over {hand_over}, ended {ended}"),
        format!("交接 {hand_over}（{ended} 结束）无人接班");
    Unconfirmed { change: &'a str, environment: &'a str, item: &'a str, due: &'a str }:
        format!("nobody has confirmed {item} of the change {change} in {environment} by {due}"),
        format!("变更 {change}（{environment}）的 {item} 未在 {due} 前确认");
    RoundsMissed { batch: &'a str, date: &'a str, wanted: u32, done: u32 }:
        format!("{batch} had {done} of {wanted} rounds of inspections on {date}"),
        format!("{date} {batch} 应巡检 {wanted} 次，实际 {done} 次");
    StoreAway { since: &'a str }:
        format!("the store could not be written since {since}"), format!("自 {since} 起存储无法写入");

    // What that means.
    MeansLate:
        "A deadline has passed, and the work is not done.", "时限已过，工作尚未完成。";
    MeansWillBeLate:
        "So far nothing has failed; by the usual durations the deadline will be missed.",
        "目前尚无失败；按以往耗时推算将超过时限。";
    MeansWindowCloses:
        "So far nothing has failed; by the usual durations it does not get in, or is not done, before the window closes. It then waits for the next opening.",
        "目前尚无失败；按以往耗时推算，窗口关闭前无法启动或完成，将等到下次开放。";
    MeansWindowOfList:
        "So far nothing has failed; by the usual durations it is too late. After that it runs where somebody confirms `late`, or on another list.",
        "目前尚无失败；按以往耗时推算已来不及。窗口关闭后须由人员确认 `late`，或列入其他清单。";
    MeansRunsOver:
        "Nothing is ended because a window closes: it goes on until its end or its time limit. Whoever is responsible for what comes next says whether it may.",
        "窗口关闭不会终止作业：它将运行至结束或到达时间上限。是否继续，请由后续工作的负责人决定。";
    MeansHostAway:
        "What runs there goes on. Nothing new starts there, and endings come when the link is back.",
        "该主机上正在运行的作业继续运行；连接恢复前不会启动新作业，结束情况待恢复后获知。";
    MeansCalendarEnds:
        "Behind its last date windows stay closed, and nothing that goes by it starts. Add the later dates to its file.",
        "超出最后日期后窗口保持关闭，依赖该日历的作业不会启动。请在日历文件中补充后续日期。";
    MeansMessageRefused { why: &'a str }:
        format!("The server said: {why}. Until the address is right nothing reaches it."),
        format!("服务器答复：{why}。地址更正之前，消息无法送达。");
    MeansStoreAway { why: &'a str }:
        format!("Nothing was started meanwhile. The last error: {why}."), format!("其间未启动任何作业。最后的错误：{why}。");
    MeansHandOver:
        "Both sides and their leads are told. Somebody of the next shift accepts it with `nightrun hand-over accept`.",
        "已通知交接双方及其负责人。接班人请用 `nightrun hand-over accept` 确认接班。";
    MeansUnconfirmed { change: &'a str, environment: &'a str, item: &'a str }:
        format!("The change stays open until it is: `nightrun change confirm {change} {item} --environment {environment} --reason ...`."),
        format!("确认前变更不能关闭：`nightrun change confirm {change} {item} --environment {environment} --reason ...`。");
    MeansRoundsMissed:
        "The day is over, and a missed inspection cannot be made up. `nightrun inspections` shows which rounds there were.",
        "当日已结束，漏检无法补做。请用 `nightrun inspections` 查看当日巡检情况。";
    MeansTold { by: &'a str }: format!("Opened by {by}."), format!("由 {by} 登记。");

    // Why this mail comes.
    YourTurn { since: &'a str }:
        format!("Nobody has acknowledged it since {since}: you are next."), format!("自 {since} 起无人确认，现升级通知您。");
    StillOpen { since: &'a str }:
        format!("Nobody has acknowledged it since {since}."), format!("自 {since} 起仍无人确认。");
    Near { clock: &'a str, due: &'a str }: format!("{clock} is due by {due}."), format!("{clock}时限 {due} 将至。");
    Passed { clock: &'a str, due: &'a str }:
        format!("{clock} was due by {due}, and is not done."), format!("{clock}时限 {due} 已过，尚未完成。");
    TakenBy { who: &'a str, at: &'a str }:
        format!("{who} takes care of it since {at}."), format!("{who} 自 {at} 起负责处理。");
    Over { at: &'a str }: format!("It is over since {at}: all is well again."), format!("已于 {at} 恢复正常。");
    ResolvedBy { who: &'a str, at: &'a str, cause: &'a str, measure: &'a str }:
        format!("{who} has resolved it at {at}. Cause: {cause}. Done: {measure}."),
        format!("{who} 于 {at} 解决。原因：{cause}。措施：{measure}。");
    SkippedSteps { count: u32 }:
        if count == 1 { "One step of the policy before this found nobody and was skipped.".to_owned() }
        else { format!("{count} steps of the policy before this found nobody and were skipped.") },
        format!("升级策略中此前有 {count} 步无人可通知，已跳过。");
    Room { name: &'a str }: format!("webhook {name}"), format!("群机器人 {name}");
    NobodyTold: "Nobody could be told: no step of the policy finds a person with an address.",
        "无人可通知：升级策略各步均未找到有联系方式的人员。";

    // What has to be done in time.
    Response: "Response", "响应";
    ThirdParty: "Third party brought in", "第三方介入";
    OnSite: "On site", "到达现场";
    Solution: "Solution", "解决";
    Report: "Incident report", "故障报告";
    DueBy { what: &'a str, due: &'a str }: format!("{what} by {due}"), format!("{what}：{due} 前");
    DoneAt { what: &'a str, at: &'a str }: format!("{what}: {at}"), format!("{what}：{at}");
    DoneLate { what: &'a str, at: &'a str, due: &'a str }:
        format!("{what}: {at}, too late (limit {due})"), format!("{what}：{at}，超时（时限 {due}）");
    Missed { what: &'a str, due: &'a str }:
        format!("{what}: missed (limit {due})"), format!("{what}：已超时（时限 {due}）");
    AtRiskRun { batch: &'a str, due: &'a str }:
        format!("{batch} is to be complete by {due}"), format!("{batch} 须在 {due} 前完成");
    AtRiskJob { job: &'a str, due: &'a str }: format!("{job} by {due}"), format!("{job}：{due} 前");

    // Steps.
    OpenedItself { at_risk: u32 }:
        if at_risk == 0 { "opened".to_owned() } else { format!("opened; deadlines at risk: {at_risk}") },
        if at_risk == 0 { "开启".to_owned() } else { format!("开启，受影响时限 {at_risk} 个") };
    OpenedBy: "opened it", "登记";
    ToldPeople { people: &'a str }: format!("told {people}"), format!("通知{people}");
    ToldAgain { people: &'a str }: format!("told {people} again"), format!("再次通知{people}");
    ToldNobody: "found nobody to tell", "无人可通知";
    WarnedOf { clocks: &'a str }: format!("told that this is due soon: {clocks}"), format!("提醒即将到期：{clocks}");
    BreachedOf { clocks: &'a str }: format!("limit passed: {clocks}"), format!("超时：{clocks}");
    Again { what: &'a str }: format!("and: {what}"), format!("又：{what}");
    Acknowledged: "takes care of it", "确认处理";
    TookOver: "took it over", "接手处理";
    Noted: "noted", "备注";
    IsOnSite: "is on site", "到达现场";
    CalledThirdParty { whom: &'a str }: format!("brought in {whom}"), format!("联系第三方 {whom}");
    MutedUntil { until: &'a str }: format!("muted it until {until}"), format!("静默至 {until}");
    Unmuted: "ended the mute", "取消静默";
    GradedAs { severity: &'a str }: format!("graded it {severity}"), format!("定级为 {severity}");
    Interrupted { service: &'a str, from: &'a str, to: &'a str, outside: &'a str }:
        format!("recorded that {service} was not available from {from} to {to}{}", outside_en(outside)),
        format!("记录 {service} 自 {from} 至 {to} 中断{}", outside_zh(outside));
    ResolvedAs { cause: &'a str, measure: &'a str }:
        format!("resolved it; cause: {cause}; done: {measure}"), format!("解决，原因：{cause}，措施：{measure}");
    HandedIn: "handed in the incident report", "提交故障报告";
    Closed: "well again", "恢复正常";

    // Lists and the report.
    NoneOpen: "No incident is open.", "没有未关闭的事件。";
    NoneSuch: "No such incident.", "没有符合条件的事件。";
    Nobody: "nobody", "无人";
    NextAt { at: &'a str }: format!("next word at {at}"), format!("下次通知 {at}");
    CanAck: "take care of it: nobody else is told any more", "确认处理（不再升级通知）";
    CanShow: "see what has been done about it", "查看处理经过";
    CanResolve: "say what it was and what was done", "填写原因与措施并关闭";
    AnswerOnPage { url: &'a str }: format!("Answer on its page: {url}"), format!("在事件页面上确认或处理：{url}");
    OnPage { url: &'a str }: format!("Its page: {url}"), format!("事件页面：{url}");
    Answer: "Acknowledge or act", "确认或处理";
    OpenPage: "Open its page", "打开事件页面";

    // The page.
    SignIn: "Sign in", "登录";
    SignInWhy: "Sign in to see this incident and to act on it.", "请登录后查看并处理该事件。";
    Person: "Name in people.yaml", "人员标识（people.yaml）";
    Password: "Password", "密码";
    SignedIn: "Signed in already: open it", "已登录，直接打开";
    As { who: &'a str }: format!("Signed in as {who}"), format!("当前用户：{who}");
    TakesCare { who: &'a str }: format!("{who} takes care of it"), format!("{who} 负责处理");
    NobodyYet: "Nobody has acknowledged it", "尚无人确认";
    Acknowledge: "I take care of it", "确认处理";
    TakeOver: "Take it over", "接手处理";
    Note: "Add a note", "添加备注";
    Words: "Words (may stay empty)", "说明（可不填）";
    NoteWords: "Note", "备注内容";
    OnSiteNow: "I am on site", "我已到现场";
    ThirdPartyCalled: "A third party was called", "已联系第三方";
    CalledWhom: "Who was called", "联系了谁";
    Mute: "Mute it", "静默";
    MuteFor: "Tell nobody for (limits go on)", "静默时长（时限照常计算）";
    Unmute: "End the mute", "取消静默";
    Why: "Why", "原因说明";
    Grade: "Grade it anew", "重新定级";
    NewGrade: "Severity", "级别";
    Interruption: "A service was interrupted", "记录服务中断";
    Service: "Service", "服务";
    From { zone: &'a str }: format!("From ({zone})"), format!("开始时间（{zone}）");
    To { zone: &'a str }: format!("To ({zone})"), format!("结束时间（{zone}）");
    OutsideCause: "Its cause, if outside the system (counts in no availability)", "系统外原因（如有；不计入可用率）";
    Resolve: "It is solved", "已解决";
    CauseWords: "Cause: what it was", "原因";
    MeasureWords: "Measure: what was done", "措施";
    HandIn: "The incident report is handed in", "故障报告已提交";
    MoreSteps: "More", "其他操作";
    ReadReport: "Incident report, as far as the record has it", "故障报告（根据记录生成）";
    NoRespond: "You may look at it; who has the right `respond` answers.", "您只能查看；具有 `respond` 权限的人员可以处理。";
    NotOutput: "The output of jobs is shown to who has the right `logs`.", "作业输出仅对具有 `logs` 权限的人员显示。";
    NotDone: "This was not done", "操作未完成";
    Back: "Back", "返回";
    KindFault: "fault", "故障";
    KindRequest: "service request", "服务请求";
    KindProblem: "problem", "问题";
    ReportTitle { incident: &'a str }: format!("Incident report {incident}"), format!("故障报告 {incident}");
    HeadGlance: "At a glance", "概况";
    Kind: "Kind", "类型";
    OpenedAt: "Opened", "发生时间";
    OverAt: "Over", "恢复时间";
    NotOver: "not yet", "尚未恢复";
    Lasted: "Lasted", "持续时间";
    OwnedBy: "Taken care of by", "处理人";
    OwnedAfter { who: &'a str, after: &'a str }: format!("{who}, first acknowledged after {after}"), format!("{who}，首次确认用时 {after}");
    InterruptedFor: "Services interrupted for", "服务中断时长";
    Unavailable { service: &'a str, from: &'a str, to: &'a str, lasted: &'a str, outside: &'a str }:
        format!("{service} was not available from {from} to {to} ({lasted}){}", outside_en(outside)),
        format!("{service} 自 {from} 至 {to} 中断（{lasted}）{}", outside_zh(outside));
    HeadWhat: "What happened", "事件概述";
    HeadImpact: "Impact", "影响";
    HeadTimeline: "Timeline", "处理经过";
    HeadCause: "Cause", "原因";
    HeadMeasures: "Measures", "措施";
    HeadImprovements: "So that it does not come again", "改进措施";
    HeadClocks: "Limits", "时限";
    ToBeWritten: "(to be written)", "（待填写）";
    NoImpact: "Nothing was blocked, no deadline endangered, no interruption recorded.",
        "无受阻作业，无受影响时限，无中断记录。";
}

/// The cause of an interruption, where that is outside the system.
fn outside_en(cause: &str) -> String {
    if cause.is_empty() { String::new() } else { format!(", by a cause outside: {cause}") }
}

fn outside_zh(cause: &str) -> String {
    if cause.is_empty() { String::new() } else { format!("，系统外原因：{cause}") }
}

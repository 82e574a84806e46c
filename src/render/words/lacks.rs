//! What a change lacks before it may start, one plain sentence each.

use super::messages;

messages! {
    /// One thing that is missing.
    Lacks;
    Over: "The change is closed.", "该变更已关闭。";
    Submission: "Its scripts are not handed in for this environment.", "脚本尚未提交至该环境。";
    Lapsed:
        "Its scripts are not those that were submitted: the change starts again.",
        "脚本与提交时不一致，变更须重新提交。";
    Review { role: &'a str, people: u32 }:
        format!("Waits for review: {people} more with the role `{role}`."),
        format!("等待脚本审核：还差 {people} 名“{role}”。");
    Approval { role: &'a str, people: u32 }:
        format!("Waits for approval: {people} more with the role `{role}`."),
        format!("等待审批：还差 {people} 名“{role}”。");
    ApprovalLapsed { role: &'a str, people: u32 }:
        format!("Approvals have lapsed: scripts, target or window are others, or they are too old. \
            Waits for {people} more with the role `{role}`."),
        format!("原审批已失效（脚本、目标库或窗口已变，或审批过期），还差 {people} 名“{role}”。");
    OwnWork { person: &'a str }:
        format!("{person} has two parts in it that take two people."),
        format!("{person} 兼任了须由不同人员承担的两个角色。");
    Promotion { environment: &'a str }:
        format!("These scripts were not executed and verified in {environment}."),
        format!("该版本脚本尚未在 {environment} 执行并验证。");
    Rehearsal { environment: &'a str }:
        format!("Change, rollback and change again were not rehearsed in {environment} of late."),
        format!("近期未在 {environment} 演练“变更、回退、再变更”。");
    Needs { change: &'a str }:
        format!("It needs the change {change}, which is not done there."),
        format!("依赖变更 {change}，该变更尚未在此环境完成。");
    SubmittedLate { by: &'a str }:
        format!("It was not submitted by {by}."), format!("未在 {by} 前提交。");
    Acceptance { latest: &'a str }:
        format!("It was not accepted by {latest}."), format!("未在 {latest} 或之前验收通过。");
    ThatDay { item: &'a str, day: &'a str }:
        format!("Whoever submitted it has not confirmed `{item}` on {day}."),
        format!("提交人未在 {day} 当日确认“{item}”。");
    Permission { item: &'a str, who: &'a str }:
        format!("{who} has not said that `{item}` is configured."), format!("{who} 尚未确认已配置“{item}”。");
    Confirmation { item: &'a str, role: &'a str }:
        if role.is_empty() { format!("Whoever submitted it has not confirmed `{item}`.") }
        else { format!("The role `{role}` has not confirmed `{item}`.") },
        if role.is_empty() { format!("提交人尚未确认“{item}”。") }
        else { format!("“{role}”尚未确认“{item}”。") };
    NoIntake: "Nothing is taken in for this environment.", "该环境不受理变更。";
    IntakeClosed { next: &'a str }:
        format!("Nothing is taken in now; the next time is {next}."), format!("当前不受理，下次受理 {next}。");
    Sealed { since: &'a str }:
        format!("The list was sealed at {since}, and something of it came after that."),
        format!("清单已于 {since} 封版，其后仍有审核或审批。");
    Schedule: "It is on no list of this environment.", "未列入该环境的清单。";
    NoWindow: "There is no window that it fits into.", "没有可容纳该变更的时间窗口。";
    Window { next: &'a str }: format!("Its window opens at {next}."), format!("时间窗口 {next} 开放。");
    WindowOver { closed: &'a str }: format!("Its window closed at {closed}."), format!("时间窗口已于 {closed} 关闭。");
    WindowPassed { closed: &'a str, role: &'a str }:
        format!("Its window closed at {closed}; the role `{role}` may confirm `late`."),
        format!("时间窗口已于 {closed} 关闭；可由“{role}”确认 `late` 后逾期执行。");
    UnderWay { run: &'a str }:
        format!("It is on the list of {run}, which is not over."), format!("已在 {run} 的清单中，该次执行尚未结束。");
    Release { command: &'a str }:
        format!("Waits for release by the person on shift: {command}"),
        format!("等待当班人员放行：{command}");
    Watcher { command: &'a str }:
        format!("Waits for a second person to watch: {command}"),
        format!("等待第二人复核监督：{command}");
}

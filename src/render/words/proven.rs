//! The proof of a change.

use super::messages;

messages! {
    /// What a proof says, and its heads.
    Proven;
    Title: "Proof of a change", "变更证明";
    Whole { entries: u64 }:
        format!("Whole: every step is in the journal ({entries} entries, chain whole), and the target says the same now."),
        format!("完整：每一步均在流水中（共 {entries} 条，链完整），目标库当前记录与之一致。");
    WholeUntried { entries: u64 }:
        format!("Whole: every step is in the journal ({entries} entries, chain whole). It was not executed."),
        format!("完整：每一步均在流水中（共 {entries} 条，链完整）。尚未执行。");
    NotWhole: "NOT WHOLE: see below what is missing or otherwise.", "不完整：缺失或不一致之处见下。";
    Drifted: "DRIFT: the target does not say what the journal says.", "不一致：目标库与流水记录不符。";
    StepWithoutEntry { number: u32 }:
        format!("step {number} has no entry in the journal that says the same"), format!("第 {number} 步在流水中无相同的条目");
    Archived { attempt: &'a str }:
        format!("what {attempt} did is in an archive that was not at hand"), format!("{attempt} 的记录在归档文件中，未能读取");
    Unsettled { attempt: &'a str }:
        format!("what became of {attempt} is not settled: nothing was compared for it"), format!("{attempt} 的结果未定，未作比对");
    NotCompared { attempt: &'a str }:
        format!("the journal does not have where {attempt} went: no target was compared"), format!("流水中无 {attempt} 的目标库，未作比对");
    Unreachable { environment: &'a str, target: &'a str, why: &'a str }:
        format!("{target} ({environment}) could not be read now: {why}"), format!("{target}（{environment}）当前无法读取：{why}");
    NotRead { environment: &'a str, target: &'a str }:
        format!("{target} ({environment}) was not read now"), format!("{target}（{environment}）此次未读取");
    Drift { environment: &'a str, target: &'a str, attempt: &'a str, what: &'a str }:
        format!("DRIFT in {target} ({environment}), {attempt}: {what}"), format!("不一致：{target}（{environment}），{attempt}：{what}");
    DriftMissing:
        "the journal calls it done, and the target has no marker of it: it was restored from an older copy, failed over, or somebody has deleted rows",
        "流水为已执行，而目标库无其标记：该库可能自旧备份恢复、发生切换，或有人删除了标记行";
    DriftContent { journal: &'a str, target: &'a str }:
        format!("the marker names content {target}, the journal {journal}"), format!("标记内容摘要为 {target}，流水为 {journal}");
    DriftRows { journal: u64, target: &'a str }:
        format!("the marker says {target} rows, the journal {journal}"), format!("标记行数为 {target}，流水为 {journal}");
    DriftBackup { journal: u64, target: &'a str }:
        format!("the marker says that {target} rows were kept, the journal {journal}"), format!("标记备份行数为 {target}，流水为 {journal}");
    DriftRolledBack: "the journal calls it done, and the target has rolled it back", "流水为已执行，而目标库已回退";
    DriftNotRolledBack:
        "the journal calls it rolled back, and the target has no proof of that", "流水为已回退，而目标库无回退记录";
    DriftApplied:
        "the journal says that nothing was applied, and the target has the marker of a whole change",
        "流水为未生效，而目标库有完整的变更标记";
    DriftRehearsal:
        "the journal calls it rehearsed, and the target has no marker of change and rollback before",
        "流水为已演练，而目标库无此前变更与回退的标记";
    DriftTransaction { xid: &'a str, status: &'a str }:
        format!("the server says of transaction {xid}: {status}"), format!("数据库称事务 {xid} 的状态为 {status}");
    Request: "Request", "申请";
    Content: "Content digest, submitted", "内容摘要（提交时）";
    ContentNow: "Content digest, now", "内容摘要（当前）";
    Since: "First step", "最初";
    Attempt: "Attempt", "尝试";
    Entry: "Entry", "流水条目";
    Time: "Time", "时间";
    Person: "Person", "人员";
    Step: "Step", "步骤";
    Bound: "Bound to", "绑定摘要";
    Attempts: "Execution", "执行";
    NoAttempt: "It was not executed.", "尚未执行。";
    Commit: "Commit", "提交版本";
    CommitAuthor: "Author of the commit", "提交作者";
    Executor: "Released by", "放行人";
    Watcher: "Watched by", "复核人";
    Decision: "Window", "窗口判定";
    Unlimited: "no window is declared", "未声明窗口";
    Open { classes: &'a str }: format!("open: {classes}"), format!("开放：{classes}");
    OpenUntil { classes: &'a str, closes: &'a str }:
        format!("open: {classes}, until {closes}"), format!("开放：{classes}，至 {closes}");
    Emergency: "emergency, outside of its window", "紧急，窗口外";
    Late { who: &'a str }: format!("late, as {who} let it"), format!("逾期，经 {who} 同意");
    Overridden { who: &'a str }:
        format!("outside of its windows, as {who} has ordered"), format!("窗口外，由 {who} 下令执行");
    Began: "Meant to start", "下达";
    PeopleApplied: "two people decided: applied", "两人判定：已生效";
    PeopleNotApplied: "two people decided: not applied", "两人判定：未生效";
    Evidence: "Evidence", "证据";
    Says: "What the target says now", "目标库当前记录";
    ReadAt { at: &'a str }: format!("read at {at}, in a session that cannot write"), format!("{at} 以只读会话读取");
    Identity: "Database", "数据库";
    NoMarker: "it has no marker of this change", "无该变更的标记";
    RowCount: "Rows", "行数";
    ContentHead: "Content", "内容摘要";
    Transaction: "Transaction", "事务";
    Status: "Status", "状态";
    Session: "Session", "会话";
    Head: "Head of the journal", "流水链头";
    Made: "Made", "生成";
    Faults: "What is missing or otherwise", "缺失或不一致";
    Scripts: "Scripts as submitted (SHA-256)", "提交的脚本（SHA-256）";
    Before: "Before", "变更前";
    After: "After", "变更后";
    Check: "Check", "检查项";
    Detail: "Detail", "内容";
    Passed: "passed", "通过";
    NotPassed: "not passed", "未通过";
}

//! What is shown to people who decide about a change in doubt.

use super::messages;

messages! {
    /// Heads, what the target says, and what each choice does.
    Evident;
    Title { change: &'a str, environment: &'a str }:
        format!("Evidence: {change} in {environment}"), format!("证据：{change}（{environment}）");
    Attempt: "Attempt", "尝试";
    State: "As the journal has it", "流水状态";
    Script: "Content", "内容摘要";
    Asked: "Looked at now, without writing anything", "当前查看（只读）";
    Earlier: "Looked at before, as the journal has it", "此前查看（流水）";
    Says: "What the target says", "目标库表明";
    NotApplied: "nothing of it is applied: the marker has no row of this run, or it was proven undone", "未生效：标记中无本次运行的记录，或已证明撤销";
    Applied { attempt: &'a str, rows: u64 }:
        format!("it is applied, by {attempt}, {rows} rows"), format!("已生效：{attempt}，{rows} 行");
    RolledBack { attempt: &'a str }:
        format!("it was applied by {attempt} and rolled back; the former state is not proven"), format!("{attempt} 执行后已回退，原状态未证明");
    Cut { done: u32, of: &'a str }:
        format!("HALF DONE: {done} of {of} statements are done"), format!("部分生效：{of} 条语句中 {done} 条已完成");
    CutBack { done: u32, of: &'a str }:
        format!("HALF TAKEN BACK: {done} of {of} statements of its rollback are done"), format!("部分回退：回退脚本 {of} 条语句中 {done} 条已完成");
    Open { number: u32 }: format!("; statement {number} was begun and nobody saw its end"), format!("；第 {number} 条已开始，未见其结束");
    Conflict { why: &'a str }: format!("it contradicts itself: {why}"), format!("自相矛盾：{why}");
    Unread { why: &'a str }: format!("it could not be asked: {why}"), format!("无法读取：{why}");
    Choices: "What each choice does (two people, neither an author)", "各选择的后果（须两人，均非编写者）";
    ChooseApplied { job: &'a str, change: &'a str }:
        format!("applied: the job {job} is done, and what needs it goes on. Nothing is done to the target. The change is executed; others that need it may start.\n    nightrun change decide {change} applied --reason …"),
        format!("applied（已生效）：作业 {job} 视为完成，后续继续；不对目标库做任何操作。变更为已执行，依赖它的变更可开始。\n    nightrun change decide {change} applied --reason …");
    ChooseNotApplied { job: &'a str, change: &'a str }:
        format!("not applied: the job {job} fails, and what needs it is blocked. Nothing is done to the target: what is there stays. The change has failed and may be put on a list again.\n    nightrun change decide {change} not-applied --reason …"),
        format!("not-applied（未生效）：作业 {job} 失败，后续阻塞；不对目标库做任何操作，已有内容保留。变更为失败，可重新排期。\n    nightrun change decide {change} not-applied --reason …");
    ChooseContinue { job: &'a str, change: &'a str }:
        format!("continue: a new attempt of the job {job} does the statements that are not done, by the same rules as the first, window included.\n    nightrun change decide {change} continue --reason …"),
        format!("continue（继续）：作业 {job} 重新尝试，执行未完成的语句；规则与首次相同，含窗口。\n    nightrun change decide {change} continue --reason …");
    ChooseRollBack { job: &'a str, change: &'a str }:
        format!("roll-back: a new attempt of the job {job} runs the rollback script and proves the former state, by the same rules as the first, window included.\n    nightrun change decide {change} roll-back --reason …"),
        format!("roll-back（回退）：作业 {job} 重新尝试，执行回退脚本并证明原状态；规则与首次相同，含窗口。\n    nightrun change decide {change} roll-back --reason …");
    ChooseRestOfRollBack { job: &'a str, change: &'a str }:
        format!("roll-back: a new attempt of the job {job} does the statements of the rollback script that are not done and proves the former state, by the same rules as the first, window included.\n    nightrun change decide {change} roll-back --reason …"),
        format!("roll-back（回退）：作业 {job} 重新尝试，执行回退脚本中未完成的语句并证明原状态；规则与首次相同，含窗口。\n    nightrun change decide {change} roll-back --reason …");
    ChooseAccept { job: &'a str, change: &'a str }:
        format!("accept: it stays half done and counts as applied, with your reason. The job {job} is done, and what needs it goes on. Nothing is done to the target.\n    nightrun change decide {change} accept --reason …"),
        format!("accept（接受）：保持部分生效，凭理由视为已生效；作业 {job} 视为完成，后续继续；不对目标库做任何操作。\n    nightrun change decide {change} accept --reason …");
    Then: "Then another person: nightrun second R-N --reason …", "然后由另一人：nightrun second R-N --reason …";
    AgainstApplied: "The target speaks against `applied`.", "目标库记录与 applied 不符。";
    AgainstNotApplied: "The target speaks against `not applied`.", "目标库记录与 not-applied 不符。";
    AgainstBoth: "HALF OF IT IS IN THE TARGET: the target speaks against `applied` and against `not applied`.", "目标库中只有一部分生效：与 applied 和 not-applied 均不符。";
    NoDoubt: "It is not in doubt: there is nothing to decide.", "结果明确，无需判定。";
}

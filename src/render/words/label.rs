//! Headings, columns and states: words without arguments, both languages on one line.

use crate::core::fact::RunResult;
use crate::definition::site::ChangeClass;
use crate::types::{Lang, Outcome};
use crate::view::health::{Grade, Part};
use crate::view::job::StateWord;
use crate::wire::ChangeState;

macro_rules! labels {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// A word or a few that stand alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Label {
            $($name),*
        }

        impl Label {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub fn say(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$name, Lang::En) => $en, (Self::$name, Lang::Zh) => $zh,)*
                }
            }
        }
    };
}

labels! {
    // Pages and their parts.
    ReportTitle: "Batch completion report", "批次完成情况报告";
    PlanTitle: "Plan", "执行计划";
    Totals: "Totals", "汇总";
    Attention: "Needs attention", "需要关注";
    NothingToDo: "Nothing needs attention.", "没有需要处理的事项。";
    OpenPoints: "Still open", "未了事项";
    Timeline: "Timeline", "时间线";
    Changes: "Database changes", "数据库变更";
    RanLong: "Took longer than usual", "耗时偏长";
    AllJobs: "All jobs", "全部作业";
    Incidents: "Incidents", "事件";
    Actions: "What operators did", "人工操作";
    // Facts about a run.
    Run: "Run", "批次执行";
    BusinessDate: "Business date", "业务日期";
    Scheduled: "Scheduled", "计划开始";
    Opened: "Started", "实际开始";
    Ended: "Ended", "结束";
    AsOf: "As of", "截至";
    MustCompleteBy: "Must complete by", "完成时限";
    MustStartBy: "Must start by", "开始时限";
    ExpectedEnd: "Expected end", "预计完成";
    Zone: "Time zone", "时区";
    JournalHead: "Journal head", "流水链头";
    GeneratedAt: "Generated at", "生成时间";
    Result: "Result", "结果";
    TrialMark: "TRIAL", "试运行";
    SimulatedMark: "SIMULATED", "推演";
    // Columns.
    Job: "Job", "作业";
    Title: "Title", "名称";
    State: "State", "状态";
    Planned: "Planned", "计划";
    Started: "Started", "开始";
    End: "Ended", "结束";
    Took: "Took", "耗时";
    Expected: "Expected", "预计耗时";
    Usual: "Usual (p95)", "通常（p95）";
    Attempts: "Tries", "尝试";
    Notes: "Notes", "说明";
    Time: "Time", "时间";
    Who: "Who", "人员";
    What: "What", "操作";
    Reason: "Reason", "原因";
    Blocks: "Blocks", "受阻作业";
    Told: "Told", "已通知";
    Change: "Change", "变更";
    Class: "Class", "分类";
    Target: "Target", "目标库";
    Rows: "Rows changed", "变更行数";
    BackupRows: "Rows backed up", "备份行数";
    Check: "Check", "验证项";
    Before: "Before", "变更前";
    After: "After", "变更后";
    Detail: "Detail", "详情";
    Start: "Start", "开始";
    Finish: "End", "结束";
    Gates: "Waits for", "等待条件";
    LeftOut: "Left out", "不执行";
    // Parts of a failure.
    LastOutput: "Last lines of output", "最后输出";
    NoOutput: "(no output)", "（无输出）";
    Runbook: "Runbook", "处置手册";
    YouCan: "What you can do", "可以执行的操作";
    Critical: "critical", "关键";
    NotCritical: "not critical", "非关键";
    OnCriticalPath: "on the critical path", "关键路径";
    Incident: "Incident", "事件";
    // Yes and no, for those who do not see colours.
    Passed: "passed", "通过";
    NotPassed: "not passed", "未通过";
    Unplanned: "never", "无法开始";
    // The drawing.
    LegendPlanned: "planned", "计划";
    LegendExpected: "forecast", "预计";
    LegendWell: "ended well", "正常结束";
    LegendRunning: "running", "运行中";
    LegendFailed: "failed attempt", "失败的尝试";
    LegendUnknown: "not known", "结果不明";
    LegendLimit: "limit", "时限";
    LegendNow: "now", "当前";
    // Parts of a host, and how they are found.
    PartSettings: "settings", "设置";
    PartSite: "site", "站点";
    PartGit: "git", "git";
    PartState: "state", "状态目录";
    PartStore: "store", "状态库";
    PartArchive: "archive", "归档";
    PartBackup: "backup", "备份";
    PartAgent: "agent", "代理";
    PartMail: "mail", "邮件";
    PartClock: "clock", "时钟";
    PartZones: "zones", "时区";
    PartLimits: "limits", "系统限额";
    PartKernel: "kernel", "内核";
    GradeOk: "ok", "正常";
    GradeWarn: "warn", "警告";
    GradeFail: "FAIL", "失败";
    // States of a job.
    Waiting: "waiting", "等待";
    Starting: "starting", "启动中";
    Running: "running", "运行中";
    Held: "held", "已挂起";
    RetryWait: "waits for retry", "等待重试";
    Succeeded: "ended well", "成功";
    Failed: "failed", "失败";
    Skipped: "skipped", "已跳过";
    NotScheduled: "not today", "当日不执行";
    Forced: "forced", "强制完成";
    Blocked: "blocked", "受阻";
    Cancelled: "cancelled", "已取消";
    Unknown: "unknown", "结果不明";
    // Totals.
    OnTime: "on time", "按时";
    Late: "late", "超时限";
    Retried: "after a retry", "重试后成功";
    // States of a change.
    ChangeOpen: "not finished", "未完成";
    ChangeDone: "applied and verified", "已执行并验证";
    ChangeFailedClean: "failed, nothing applied", "失败，未作任何改动";
    ChangeFailedGuard: "refused by a guard, nothing applied", "保护条件不满足，未作任何改动";
    ChangeRolledBack: "rolled back", "已回退";
    ChangeRollbackFailed: "ROLLBACK FAILED", "回退失败";
    ChangeInDoubt: "IN DOUBT", "结果不明";
    ChangePartial: "HALF DONE", "部分完成";
    // Classes of changes.
    ClassData: "data", "数据变更";
    ClassStructure: "structure", "结构变更";
    ClassParameter: "parameter", "参数变更";
    ClassBugFix: "bug fix", "缺陷修复";
    ClassRelease: "full release", "整体发布";
    // Results of a run.
    ResultOpen: "running", "运行中";
    ResultWell: "ended well", "正常完成";
    ResultFailed: "failed", "失败";
    ResultStopped: "stopped", "已停止";
    ResultCancelled: "cancelled", "已取消";
    ResultLost: "lost", "记录丢失";
    ArchivedMark: "archived", "已归档";
}

impl Label {
    pub fn of_state(word: StateWord) -> Self {
        match word {
            StateWord::Waiting => Self::Waiting,
            StateWord::Starting => Self::Starting,
            StateWord::Running => Self::Running,
            StateWord::Held => Self::Held,
            StateWord::RetryWait => Self::RetryWait,
            StateWord::Succeeded => Self::Succeeded,
            StateWord::Failed => Self::Failed,
            StateWord::Skipped => Self::Skipped,
            StateWord::NotScheduled => Self::NotScheduled,
            StateWord::Forced => Self::Forced,
            StateWord::Blocked => Self::Blocked,
            StateWord::Cancelled => Self::Cancelled,
            StateWord::Unknown => Self::Unknown,
        }
    }

    pub fn of_part(part: Part) -> Self {
        match part {
            Part::Settings => Self::PartSettings,
            Part::Site => Self::PartSite,
            Part::Git => Self::PartGit,
            Part::State => Self::PartState,
            Part::Store => Self::PartStore,
            Part::Archive => Self::PartArchive,
            Part::Backup => Self::PartBackup,
            Part::Agent => Self::PartAgent,
            Part::Mail => Self::PartMail,
            Part::Clock => Self::PartClock,
            Part::Zones => Self::PartZones,
            Part::Limits => Self::PartLimits,
            Part::Kernel => Self::PartKernel,
        }
    }

    pub fn of_grade(grade: Grade) -> Self {
        match grade {
            Grade::Ok => Self::GradeOk,
            Grade::Warn => Self::GradeWarn,
            Grade::Fail => Self::GradeFail,
        }
    }

    pub fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Failed => Self::Failed,
            Outcome::Skipped => Self::Skipped,
            Outcome::NotScheduled => Self::NotScheduled,
            Outcome::Forced => Self::Forced,
            Outcome::Blocked => Self::Blocked,
            Outcome::Cancelled => Self::Cancelled,
        }
    }

    pub fn of_change(state: Option<ChangeState>) -> Self {
        match state {
            None => Self::ChangeOpen,
            Some(ChangeState::Done) => Self::ChangeDone,
            Some(ChangeState::FailedClean) => Self::ChangeFailedClean,
            Some(ChangeState::FailedGuard) => Self::ChangeFailedGuard,
            Some(ChangeState::RolledBack) => Self::ChangeRolledBack,
            Some(ChangeState::RollbackFailed) => Self::ChangeRollbackFailed,
            Some(ChangeState::InDoubt) => Self::ChangeInDoubt,
            Some(ChangeState::Partial) => Self::ChangePartial,
        }
    }

    pub fn of_class(class: ChangeClass) -> Self {
        match class {
            ChangeClass::Data => Self::ClassData,
            ChangeClass::Structure => Self::ClassStructure,
            ChangeClass::Parameter => Self::ClassParameter,
            ChangeClass::BugFix => Self::ClassBugFix,
            ChangeClass::Release => Self::ClassRelease,
        }
    }

    pub fn of_result(result: Option<RunResult>) -> Self {
        match result {
            None => Self::ResultOpen,
            Some(RunResult::Well) => Self::ResultWell,
            Some(RunResult::Failed) => Self::ResultFailed,
            Some(RunResult::Stopped) => Self::ResultStopped,
            Some(RunResult::Cancelled) => Self::ResultCancelled,
            Some(RunResult::Lost) => Self::ResultLost,
        }
    }
}

//! The pages for browsers: their frame, the night as it runs, one job.

use super::{jobs as n_jobs, messages};

messages! {
    /// What the pages say that no report or command does.
    Pages;
    // The frame.
    Tonight: "Tonight", "今夜";
    Skip: "Skip to the content", "跳到正文";
    Sections: "Sections", "栏目";
    Live: "live", "实时";
    Lost: "Not connected: this is how it stood at", "连接中断：以下为此刻之前的情况";
    Clock: "Clock of the site", "站点时间";
    LoadAgain: "Load again", "刷新";
    SignOut: "Sign out", "退出登录";
    OtherLanguage: "中文", "English";
    Light: "Light", "浅色";
    Dark: "Dark", "深色";
    // Tonight.
    NothingRuns: "Nothing runs now.", "目前没有批次在运行。";
    LastRun: "Last run", "最近一次执行";
    OpenIncidents: "Open incidents", "未关闭的事件";
    NoIncidents: "None is open.", "没有未关闭的事件。";
    OnShift: "On shift now", "当前值班";
    NobodyOnShift: "Nobody is on shift.", "当前无人值班。";
    Until { at: &'a str }: format!("until {at}"), format!("至 {at}");
    NextShift { at: &'a str, shifts: &'a str }: format!("From {at}: {shifts}"), format!("{at} 起：{shifts}");
    NextStarts: "Next starts", "下次启动";
    Progress { over: u32, jobs: u32 }: format!("{over} of {} over", n_jobs(jobs)), format!("{jobs} 个作业中 {over} 个已结束");
    Jobs: "Jobs", "作业";
    Show: "Show", "显示";
    Search: "Search job or batch", "搜索作业或批次";
    AnyBatch: "All batches", "全部批次";
    AnyTeam: "All teams", "全部团队";
    Batch: "Batch", "批次";
    Team: "Team", "团队";
    GroupAll: "All", "全部";
    GroupTrouble: "Trouble", "异常";
    GroupRunning: "Running", "运行中";
    GroupWaiting: "Waiting", "等待";
    GroupDone: "Done", "已结束";
    NoneShown: "No job is as asked for.", "没有符合条件的作业。";
    PageOf { page: u32, pages: u32 }: format!("Page {page} of {pages}"), format!("第 {page}/{pages} 页");
    Before: "Back", "上一页";
    Next: "Next", "下一页";
    Picture: "Timeline of the night", "当晚时间线";
    ExpectedAt { at: &'a str }: format!("about {at}"), format!("预计 {at}");
    // The graph of a run.
    Graph: "Graph", "依赖图";
    PathTo { job: &'a str }: format!("What is before and after {job}."), format!("{job} 的前置与后续。");
    WholeGraph: "The whole batch", "整个批次";
    OnlyPath: "Only what is before and after one job", "只看某个作业的前置与后续";
    GroupsOfJobs: "Groups of jobs whose names begin alike", "按名称前缀分组";
    FoldAll: "Fold all", "全部折叠";
    UnfoldAll: "Unfold all", "全部展开";
    JobsOf { group: &'a str, jobs: u32 }: format!("{group}: {}", n_jobs(jobs)), format!("{group}：{jobs} 个作业");
    FoldedGroup { group: &'a str, jobs: u32 }: format!("{group}, {}, unfold", n_jobs(jobs)), format!("{group}，{jobs} 个作业，展开");
    LeftOut { jobs: u32 }: format!("{} not drawn.", n_jobs(jobs)), format!("另有 {jobs} 个作业未画出。");
    // On call.
    OnCall: "Incidents", "事件与值班";
    OnlyOpen: "Open", "未关闭";
    Unfinished: "Open, or without report", "未关闭或缺报告";
    LimitLeft { what: &'a str, due: &'a str, left: &'a str }:
        format!("{what} by {due}: {left} left"), format!("{what}：{due} 前，剩余 {left}");
    LimitOver { what: &'a str, due: &'a str, by: &'a str }:
        format!("{what} was due by {due}, {by} ago"), format!("{what}：应于 {due} 前，已超 {by}");
    // The calendar.
    Calendar: "Calendar", "日历";
    ThisMonth: "This month", "本月";
    FrozenFor { reason: &'a str }: format!("frozen: {reason}"), format!("封版：{reason}");
    OnShiftThen: "Shifts", "排班";
    // Former nights.
    Nights: "History", "历史";
    Kind: "Kind", "类型";
    Real: "Real runs", "正式批次";
    Trials: "Trials", "试运行";
    Date: "Business date", "业务日期";
    NoRuns: "No run is as asked for.", "没有符合条件的批次执行。";
    Older: "Older ones", "更早的";
    Compare: "Compare two", "对比两次";
    Compared { a: &'a str, b: &'a str }: format!("{a} against {b}"), format!("{a} 对比 {b}");
    CompareHint: "Choose two runs.", "请选择两次执行。";
    Longer { by: &'a str }: format!("{by} longer"), format!("多用 {by}");
    Shorter { by: &'a str }: format!("{by} shorter"), format!("少用 {by}");
    NotShown { jobs: u32 }: format!("{} not shown.", n_jobs(jobs)), format!("另有 {jobs} 个作业未显示。");
    OnlyOdd: "Only what differs by more than a tenth, or came out otherwise, is marked.", "仅标出耗时相差超过一成或结果不同的作业。";
    // A job.
    Stands: "How it stands", "当前情况";
    History: "Last nights", "最近各晚";
    HistoryOf { nights: u32 }: format!("How long it took in its last {nights} runs"), format!("最近 {nights} 次执行的耗时");
    Needs: "Needs", "前置";
    NeededBy: "Needed by", "后续";
    NoNeeds: "nothing", "无";
    Output: "Output", "输出";
    OutputOf { attempt: u32 }: format!("Output of attempt {attempt}"), format!("第 {attempt} 次尝试的输出");
    Errors: "Standard error", "标准错误";
    NoOutput: "Nothing was written.", "没有输出。";
    NotForYou: "The output of jobs is not for you.", "您无权查看作业输出。";
    Download: "Download", "下载";
    Follow: "Follow", "跟随";
    FindInLog: "Only lines with", "只显示含有";
    CutLog { kib: u32 }: format!("The last {kib} KiB; all of it by download."), format!("仅显示最后 {kib} KiB，全部内容请下载。");
    OutputNotReached { host: &'a str, why: &'a str }:
        format!("What it has written lies on {host}, which cannot be reached now: {why}"),
        format!("其输出在主机 {host} 上，目前无法连接：{why}");
    Elsewhere { attempt: u32, host: &'a str }:
        format!("What attempt {attempt} has written is on host {host}, not here."),
        format!("第 {attempt} 次尝试的输出在主机 {host} 上，不在本机。");
    GoneLog { attempt: u32 }:
        format!("What attempt {attempt} has written is not on this host, or was archived."),
        format!("第 {attempt} 次尝试的输出不在本机，或已归档。");
    // Acts.
    StandsBy { why: &'a str }:
        format!("Nothing can be done here: this supervisor stands by ({why})."),
        format!("此处不能操作：本调度主控处于待命状态（{why}）。");
    OpenJob { job: &'a str }: format!("Open job {job}"), format!("打开作业 {job}");
    MayDo: "What can be done now", "现在可以进行的操作";
    NothingToPress: "Nothing can be done with it now.", "目前没有可进行的操作。";
    Retry: "Retry", "重跑";
    Kill: "End it", "终止";
    Hold: "Hold", "挂起";
    Release: "Release", "放行";
    SkipIt: "Skip", "跳过";
    Force: "Declare done", "强制完成";
    Rerun: "Run again with all that follows", "连同后续重新执行";
    Confirm: "Confirm", "确认";
    WouldCome: "What would come of it", "执行后将会";
    NothingWould: "Nothing else would happen at once.", "不会立即发生其他变化。";
    StartsAtOnce { job: &'a str }: format!("{job} starts at once"), format!("{job} 将立即启动");
    SitesEntry { kind: &'a str }: format!("an entry `{kind}` in the journal"), format!("流水中将增加一条 `{kind}`");
    EndsAsNow { run: &'a str, at: &'a str }: format!("{run} ends at {at}, as now"), format!("{run} 仍预计 {at} 结束");
    EndsThen { run: &'a str, then: &'a str, now: &'a str }:
        format!("{run} ends at {then}, now it would at {now}"), format!("{run} 预计 {then} 结束（目前为 {now}）");
    EndsBadly { run: &'a str }: format!("{run} does not end well by itself"), format!("{run} 无法自行正常结束");
    EndsWell { run: &'a str, then: &'a str }:
        format!("{run} ends at {then}, now it does not end well by itself"),
        format!("{run} 预计 {then} 结束（目前无法自行正常结束）");
    NotAllowed { what: &'a str }: format!("Not allowed: {what}"), format!("不允许：{what}");
    Why: "Reason (it is recorded with your name)", "原因（将连同您的姓名记录）";
    DoIt { deed: &'a str, job: &'a str }: format!("{deed}: {job}"), format!("{deed}：{job}");
    GoBack: "Back without doing it", "返回，不执行";
}

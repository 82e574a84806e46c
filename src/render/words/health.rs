//! What `nightrun doctor` says: what is there, or what is wrong and what to do.

use super::messages;

/// `1 file`, `3 files`.
fn counted(n: u64, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

messages! {
    /// One line each. Sizes come written with their unit.
    Health;
    SettingsRead { path: &'a str }: format!("{path}: no defects"), format!("{path}：无缺陷");
    NotInGit { path: &'a str }:
        format!("{path} lies in no repository: runs record no commit"),
        format!("{path} 不在 git 仓库中：批次执行不记录提交");
    GitCommit { version: &'a str, commit: &'a str, author: &'a str, branch: &'a str }:
        format!("git {version}; commit {commit} by {author}, branch {branch}"),
        format!("git {version}；提交 {commit}，作者 {author}，分支 {branch}");
    GitDirty { commit: &'a str }:
        format!("the job files differ from commit {commit}: runs go by the files as they are, and record that they differ; `git status`"),
        format!("作业文件与提交 {commit} 不一致：批次按当前文件执行并记录差异，详见 `git status`");
    GitLeftOut { commit: &'a str }:
        format!("the job files differ from commit {commit}: what is not committed does not count; `git status`"),
        format!("作业文件与提交 {commit} 不一致：未提交的改动不生效，详见 `git status`");
    GitMissing { why: &'a str }:
        format!("{why}; only what is committed counts (`require: clean`), so nothing can be read"),
        format!("{why}；设置要求只用已提交的内容（`require: clean`），因此无法读取作业文件");
    GitUnknown { why: &'a str }:
        format!("{why}; runs record no commit until that is right"),
        format!("{why}；在修复之前批次执行不记录提交");
    GitFollows { remote: &'a str, branch: &'a str, commit: &'a str }:
        format!("{remote} answers; its branch {branch} is at {commit}"),
        format!("{remote} 应答正常，分支 {branch} 位于 {commit}");
    GitRemoteSilent { remote: &'a str, branch: &'a str, why: &'a str }:
        format!("branch {branch} of {remote} is followed and cannot be asked for: {why}; what was fetched last stays in force"),
        format!("跟随的 {remote} 分支 {branch} 无法获取：{why}；最近一次取回的内容继续有效");
    SiteLoads { path: &'a str, batches: u64, jobs: u64 }:
        format!("{path}: {batches} {}, {}, no defects", if batches == 1 { "batch" } else { "batches" }, counted(jobs, "job")),
        format!("{path}：批次 {batches} 个，作业 {jobs} 个，无缺陷");
    SiteWarns { path: &'a str, warnings: u64 }:
        format!("{path}: {}; `nightrun check` prints {}", counted(warnings, "warning"), if warnings == 1 { "it" } else { "them" }),
        format!("{path}：警告 {warnings} 条，详见 `nightrun check`");
    SiteHasDefects { path: &'a str, errors: u64 }:
        format!("{path}: {}; `nightrun check` prints {}", counted(errors, "defect"), if errors == 1 { "it" } else { "them" }),
        format!("{path}：缺陷 {errors} 处，详见 `nightrun check`");
    SiteUnreadable { why: &'a str }:
        format!("{why}; say which with --site DIR"), format!("{why}；请用 --site DIR 指定");
    NoState { path: &'a str }:
        format!("{path} is not there: the first run makes it; or say which with --state DIR"),
        format!("{path} 不存在：首次执行时自动建立，或用 --state DIR 指定");
    StateUnusable { path: &'a str, why: &'a str }:
        format!("{path} cannot be used: {why}; make it a folder that this account may write"),
        format!("{path} 不可用：{why}；请改为当前账号可写的目录");
    StateUsable { path: &'a str, free: &'a str, fsync: &'a str }:
        format!("{path} can be written, {free} free, a synced write takes {fsync}"),
        format!("{path} 可写，剩余 {free}，同步写入耗时 {fsync}");
    StateOfAnother { path: &'a str, owner: &'a str, own: &'a str }:
        format!("{path} belongs to {owner}, this is {own}: run nightrun as {owner}, or files of two accounts lie there"),
        format!("{path} 属于 {owner}，当前账号为 {own}：请以 {owner} 运行，以免混入其他账号的文件");
    StateOpenToOthers { path: &'a str, mode: &'a str }:
        format!("{path} may be written by others (mode {mode}), who could then run as this account: `chmod go-w {path}`"),
        format!("{path} 可被其他账号写入（权限 {mode}），等于可冒用当前账号：请执行 `chmod go-w {path}`");
    LittleRoom { path: &'a str, free: &'a str }:
        format!("{path} has {free} left: free some room on its disk"),
        format!("{path} 仅剩 {free}：请清理所在磁盘");
    FewFiles { path: &'a str, files: u64 }:
        format!("{path} has room for {} more: remove some, or make a file system with more inodes", counted(files, "file")),
        format!("{path} 只能再建 {files} 个文件：请清理，或改用 inode 更多的文件系统");
    StateVolatile { path: &'a str }:
        format!("{path} lies in memory (tmpfs): a restart of the host loses the journal; put it on a disk"),
        format!("{path} 位于内存文件系统（tmpfs），主机重启后流水丢失：请放到磁盘上");
    StateShared { path: &'a str, kind: &'a str }:
        format!("{path} lies on a network file system ({kind}), where SQLite's locks do not hold: put it on a disk of this host"),
        format!("{path} 位于网络文件系统（{kind}），SQLite 的锁在其上无效：请放到本机磁盘");
    NoSockets { path: &'a str, why: &'a str }:
        format!("no socket can be made in {path}: {why}; put it on a local file system"),
        format!("{path} 中无法建立套接字：{why}；请放到本机文件系统");
    NoStore: "no store yet: the first run makes it", "尚无状态库：首次执行时自动建立";
    StoreWhole { place: &'a str, version: i32, entries: u64, head: &'a str }:
        format!("{place}: schema {version}, {}, the journal's end is whole, head {head}", if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") }),
        format!("{place}：结构版本 {version}，流水 {entries} 条，末端完整，链头 {head}");
    StoreUnusable { why: &'a str }:
        format!("{why}; nothing was touched"), format!("状态库不可用：{why}；未作任何改动");
    StoreOpenToOthers { path: &'a str, mode: &'a str }:
        format!("{path} can be read or written by others (mode {mode}): `chmod 600 {path}`"),
        format!("{path} 可被其他账号读写（权限 {mode}）：请执行 `chmod 600 {path}`");
    EverythingKept:
        "nothing is archived, everything is kept: `retention:` in the settings file says what goes when",
        "未设归档，全部保留：在设置文件的 `retention:` 中声明";
    ArchiveGoes { folder: &'a str, runs: u64, logs: u64, last: &'a str }:
        format!("{folder}: {} and the output of {logs} more go with the next archive; a run went last {last}", counted(runs, "run")),
        format!("{folder}：下次归档 {runs} 次批次执行、另 {logs} 次的输出；最近归档：{last}");
    ArchiveLate { folder: &'a str, runs: u64, logs: u64, last: &'a str }:
        format!("{folder}: {} and the output of {logs} more should have gone more than a day ago; a run went last {last}: `nightrun archive` where nobody serves, or see what `nightrun serve` says at the hour of `retention.at`", counted(runs, "run")),
        format!("{folder}：{runs} 次批次执行、另 {logs} 次的输出一天前已应归档；最近归档：{last}：未运行 serve 时请执行 `nightrun archive`，否则查看 `nightrun serve` 在 `retention.at` 时刻的输出");
    ArchiveUnknown { folder: &'a str, why: &'a str }:
        format!("{folder}: it cannot be told what is due: {why}"), format!("{folder}：无法判断应归档内容：{why}");
    Never: "never", "从未";
    BackupMade { file: &'a str, made: &'a str, entries: u64 }:
        format!("{file} of {made}, {} ago", if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") }),
        format!("{file}，备份于 {made}，此后新增流水 {entries} 条");
    BackupOld { file: &'a str, made: &'a str, entries: u64, within: &'a str }:
        format!("the newest is {file} of {made}, {} ago and older than {within}: `nightrun backup DIR`, from cron", if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") }),
        format!("最近一次为 {file}，备份于 {made}，此后新增流水 {entries} 条，已超过 {within}：请执行 `nightrun backup 目录`，并加入 cron");
    NoBackup { within: &'a str }:
        format!("none was made, and the store is older than {within}: `nightrun backup DIR`, from cron"),
        format!("从未备份，而状态库已存在超过 {within}：请执行 `nightrun backup 目录`，并加入 cron");
    BackupUnknown { why: &'a str }:
        format!("it cannot be told when one was made: {why}"), format!("无法得知备份时间：{why}");
    NoAgent: "none is needed now; a run starts it", "当前不需要，执行批次时自动启动";
    AgentIsMissed { attempts: u64 }:
        format!("none is there, and the end of {} is not known: `nightrun resume` starts one and learns it", counted(attempts, "attempt")),
        format!("代理未运行，而 {attempts} 次尝试的结局未知：请执行 `nightrun resume`");
    AgentAwaited:
        "nobody listens, and its own unit is to start it: `systemctl start nightrun-agent`",
        "代理未运行，应由其自身的服务单元启动：请执行 `systemctl start nightrun-agent`";
    AgentHere { pid: u32, version: u32, release: &'a str, boot: &'a str, running: u64, unrecorded: u64 }:
        format!("process {pid}, release {release}, protocol {version}, boot {boot}, {running} running, {} not in the journal", counted(unrecorded, "ending")),
        format!("进程 {pid}，版本 {release}，协议版本 {version}，启动标识 {boot}，运行中 {running} 个，未入流水的结局 {unrecorded} 个");
    AgentOutdated { pid: u32, release: &'a str, own: &'a str, running: u64 }:
        format!("process {pid} still is release {release}, {own} is installed; {running} running: `nightrun agent upgrade`, or restart the supervisor; what runs goes on"),
        format!("进程 {pid} 仍为版本 {release}，已安装 {own}，运行中 {running} 个：请执行 `nightrun agent upgrade` 或重启调度主控，作业不受影响");
    AgentFormer { pid: u32, own: &'a str, running: u64 }:
        format!("process {pid} is of a release that cannot go on as another, {own} is installed; {running} running: `kill {pid}`; what runs goes on, and the next agent takes it over"),
        format!("进程 {pid} 的版本不支持就地升级，已安装 {own}，运行中 {running} 个：请执行 `kill {pid}`，作业不受影响，由下一个代理接管");
    AgentSpeaksOther { version: u32, own: u32 }:
        format!("it speaks protocol {version}, this program {own}: let its attempts end, then end it; the next run starts its own"),
        format!("代理协议版本为 {version}，本程序为 {own}：待其作业结束后停止该代理，下次执行会自动启动");
    AgentUnusable { why: &'a str }: format!("{why}"), format!("代理不可用：{why}");
    MailFolderUsable { path: &'a str }:
        format!("mails are written to {path}"), format!("邮件写入 {path}");
    MailFolderUnusable { path: &'a str, why: &'a str }:
        format!("{path} cannot be written: {why}; mails wait in the outbox until it can"),
        format!("{path} 不可写：{why}；在此之前邮件留在发件箱");
    MailServerAnswers { server: &'a str, took: &'a str }:
        format!("{server} answers as the site wants it, in {took}"), format!("{server} 应答正常，耗时 {took}");
    MailServerUnusable { server: &'a str, why: &'a str }:
        format!("{server}: {why}; mails wait in the outbox until it answers"),
        format!("{server}：{why}；在恢复之前邮件留在发件箱");
    WebhookUsable { webhook: &'a str, format: &'a str }:
        format!("webhook {webhook} ({format}) has its address; nothing was sent"),
        format!("群机器人 {webhook}（{format}）地址可读；未发送消息");
    WebhookUnusable { webhook: &'a str, why: &'a str }:
        format!("webhook {webhook}: {why}; messages to it wait in the outbox until that is mended"),
        format!("群机器人 {webhook}：{why}；在修复之前消息留在发件箱");
    LifeSignGiven { path: &'a str, at: &'a str }:
        format!("the last life sign, {path}, is of {at}"), format!("最后的生命信号 {path}：{at}");
    LifeSignOld { path: &'a str, at: &'a str }:
        format!("the last life sign, {path}, is of {at}: no service gives any now, or it cannot write there"),
        format!("最后的生命信号 {path}：{at}；当前没有服务在运行，或无法写入");
    LifeSignMissing { path: &'a str, why: &'a str }:
        if why.is_empty() { format!("no life sign lies in {path} yet: `nightrun serve` gives them") } else { why.to_owned() },
        if why.is_empty() { format!("{path} 尚无生命信号：由 `nightrun serve` 写入") } else { why.to_owned() };
    NoLifeSign:
        "no life sign is given: with `life_sign:` in site.yaml and `nightrun watch` another host notices when the service has gone",
        "未配置生命信号：在 site.yaml 中设置 `life_sign:` 并在另一主机运行 `nightrun watch`，可发现服务中断";
    MailWaits { mails: u64, given_up: u64 }:
        format!("{} not left yet, {given_up} of them given up: `nightrun mail list` says why", if mails == 1 { "1 mail has".to_owned() } else { format!("{mails} mails have") }),
        format!("尚有 {mails} 封邮件未发出，其中已放弃 {given_up} 封：原因见 `nightrun mail list`");
    ClockPlausible { wall: &'a str, up: &'a str }:
        format!("{wall}, the host is up for {up}"), format!("{wall}，主机已运行 {up}");
    ClockNotSynchronised { error: &'a str }:
        format!("nobody tells the kernel that it is right (it may be {error} off): keep it by NTP (chrony, systemd-timesyncd); schedules go by it"),
        format!("内核未确认时钟已同步（可能偏差 {error}）：请启用 NTP（chrony、systemd-timesyncd），计划以此为准");
    ClockImplausible { wall: &'a str }:
        format!("it shows {wall}, which cannot be: set it and keep it by NTP; schedules and windows go by it"),
        format!("当前显示 {wall}，不合理：请校时并启用 NTP，计划与时间窗口以此为准");
    ClockBehindJournal { wall: &'a str, last: &'a str }:
        format!("it shows {wall}, but the journal has an entry of {last}: one of the two is wrong; set the clock"),
        format!("当前显示 {wall}，而流水中已有 {last} 的记录：其中之一有误，请校时");
    ClockForward { by: &'a str, since: &'a str }:
        format!("it was set {by} forward since the last run was opened at {since}: look at what NTP does"),
        format!("自 {since} 最近一次批次执行开启以来，时钟被调快 {by}：请检查 NTP");
    ClockBack { by: &'a str, since: &'a str }:
        format!("it was set {by} back since the last run was opened at {since}: look at what NTP does"),
        format!("自 {since} 最近一次批次执行开启以来，时钟被调慢 {by}：请检查 NTP");
    ZonesAgree { zones: &'a str, data: &'a str }:
        format!("{zones}: the host's data ({data}) agree with this program's"),
        format!("{zones}：主机时区数据（{data}）与本程序一致");
    ZonesOwn { zones: &'a str }:
        format!("{zones}: this program's own data; the host has none"),
        format!("{zones}：主机无时区数据，使用本程序自带数据");
    ZoneDiffers { zone: &'a str, at: &'a str, host: &'a str, own: &'a str }:
        format!("{zone} is UTC{host} at {at} by the host's data and UTC{own} by this program's: bring tzdata up to date, or all starts are off"),
        format!("{zone} 在 {at}：主机数据为 UTC{host}，本程序为 UTC{own}，请更新 tzdata，否则启动时间会有偏差");
    EnoughFiles { limit: &'a str, needed: u64 }:
        format!("{limit} open files allowed, {needed} needed at most"), format!("打开文件数上限 {limit}，最多需要 {needed}");
    TooFewFiles { limit: u64, needed: u64, max_running: u32 }:
        format!("{limit} open files allowed, {needed} needed for max_running: {max_running}: raise it (`ulimit -n`, LimitNOFILE), or lower max_running"),
        format!("打开文件数上限 {limit}，max_running: {max_running} 需要 {needed}：请提高（`ulimit -n`、LimitNOFILE）或降低 max_running");
    EnoughProcesses { limit: &'a str, needed: u64 }:
        format!("{limit} processes allowed, at least {needed} needed"), format!("进程数上限 {limit}，至少需要 {needed}");
    TooFewProcesses { limit: u64, needed: u64, max_running: u32 }:
        format!("{limit} processes allowed, at least {needed} needed for max_running: {max_running}: raise it (`ulimit -u`, LimitNPROC), or lower max_running"),
        format!("进程数上限 {limit}，max_running: {max_running} 至少需要 {needed}：请提高（`ulimit -u`、LimitNPROC）或降低 max_running");
    KernelHas { features: &'a str }: format!("has {features}"), format!("支持 {features}");
    KernelLacks { feature: &'a str, without: &'a str }:
        format!("has no {feature}: {without}"), format!("不支持 {feature}：{without}");
    NoPidfd { without: &'a str }:
        without, "先前代理启动的监视进程改为每秒按其记录文件的锁检查一次";
    NoCloseRange { without: &'a str }:
        without, "继承的描述符按 /proc/self/fd 逐个关闭";
    NoCgroup { without: &'a str }:
        without, "不影响运行：作业遗留的进程从其监视进程的后代中查找";
    Unlimited: "any number of", "不限";
}

//! A store that was restored from a backup, and what it lacks.

use super::messages;

messages! {
    /// What a store lacks that hosts and targets know.
    Restored;
    Knows { until: &'a str }:
        format!("The store knows what happened until {until}. Nothing is started with it before a person takes in what it lacks:"),
        format!("状态库只包含 {until} 之前的记录。在有人确认补入缺失的记录之前，不会启动任何作业：");
    Epoch { given: u64, obeyed: u64 }:
        format!("its last leadership is {given}, and the agent has obeyed {obeyed}"),
        format!("状态库最后的主控任期为 {given}，而代理已服从任期 {obeyed}");
    Attempts { count: u64 }:
        if count == 1 { "1 attempt of a run that it has:".to_owned() } else { format!("{count} attempts of runs that it has:") },
        format!("已知批次执行中缺失的尝试 {count} 次：");
    Run { run: &'a str, attempts: u64 }:
        match attempts {
            0 => format!("{run}, a run that it does not have; its attempts are in an archive"),
            1 => format!("{run}, a run that it does not have, with 1 attempt:"),
            _ => format!("{run}, a run that it does not have, with {attempts} attempts:"),
        },
        if attempts == 0 { format!("{run}：状态库没有该批次执行，其记录已归档") } else { format!("{run}：状态库没有该批次执行，共 {attempts} 次尝试：") };
    Ended { attempt: &'a str, at: &'a str, how: &'a str }:
        format!("{attempt}: ended {at}, {how}"), format!("{attempt}：{at} 结束，{how}");
    Runs { attempt: &'a str }:
        format!("{attempt}: no ending is known, it may still run"), format!("{attempt}：没有结束记录，可能仍在运行");
    OnlyMarked { attempt: &'a str }:
        format!("{attempt}: no host knows of it"), format!("{attempt}：没有主机知道该尝试");
    Marked { targets: &'a str }:
        format!("; its change is committed in {targets}"), format!("；其变更已在 {targets} 提交");
    Starts { batch: &'a str, count: u32, first: &'a str, last: &'a str }:
        if count == 1 { format!("{batch}: the start of {first} may have been made, and is not made by itself") }
        else { format!("{batch}: {count} starts from {first} to {last} may have been made, and are not made by themselves") },
        if count == 1 { format!("{batch}：{first} 的启动可能已执行，不会自动再启动") }
        else { format!("{batch}：{first} 至 {last} 共 {count} 次启动可能已执行，不会自动再启动") };
    Nothing: "no attempt, run or start that is known here", "此处没有发现缺失的尝试、批次执行或启动";
    OtherSpool: "the agent's spool is another than the one that the store knows: what ran since is not known, and every job that waits in an open run will be held",
        "代理的工作目录与状态库所知的不同：此后运行过什么无从得知，未结束的批次执行中等待的作业将全部挂起";
    Unread { target: &'a str, why: &'a str }:
        format!("target {target} could not be asked: {why}"), format!("无法查询目标库 {target}：{why}");
    Advice: "nightrun restore accept --reason \"…\"   takes it in, by your word; what people decided since then must be decided again",
        "nightrun restore accept --reason \"…\"   以您的名义补入；此后人工作出的决定需要重新作出";
    StillRuns { attempts: &'a str }:
        format!("{attempts}: of a run that the store does not have, and without an ending; wait for its end, or end it, and then accept"),
        format!("{attempts}：属于状态库没有的批次执行且尚未结束；请等待其结束或终止后再确认");
    TakenIn { attempts: u64, runs: u64, starts: u64 }:
        format!("taken in: {attempts} attempts of known runs, {runs} lost runs, {starts} starts that are not made; `nightrun serve` and `nightrun resume` go on"),
        format!("已补入：已知批次执行的尝试 {attempts} 次，丢失的批次执行 {runs} 个，不再自动启动 {starts} 次；可继续使用 `nightrun serve` 和 `nightrun resume`");
    NotBehind: "this store is not behind what has run; there is nothing to accept", "状态库没有落后于实际运行情况，无需确认";
}

//! What people did, as an audit tells it.

use super::{aside_en, aside_zh, messages};

messages! {
    /// One line of an audit, without person and reason.
    Audited;
    Order { run: &'a str }: format!("ordered {run}"), format!("下达 {run}");
    Override { run: &'a str }:
        format!("ordered {run} outside of its window"), format!("越过时间窗口下达 {run}");
    Resume { run: &'a str }: format!("resumed {run}"), format!("恢复 {run}");
    Stop { run: &'a str }: format!("stopped {run}"), format!("停止 {run}");
    Act { run: &'a str, deed: &'a str }: format!("{run}: {deed}"), format!("{run}：{deed}");
    Freeze { freeze: &'a str, from: &'a str, to: &'a str }:
        format!("froze {from} - {to} ({freeze})"), format!("封版 {from} – {to}（{freeze}）");
    Unfreeze { freeze: &'a str }: format!("lifted the freeze {freeze}"), format!("解除封版 {freeze}");
    Pool { pool: &'a str, size: u32, until: &'a str }:
        format!("gave pool {pool} {size} until {until}"), format!("资源池 {pool} 容量设为 {size}，至 {until} 止");
    Drain { host: &'a str }: format!("drained host {host}"), format!("主机 {host} 停止接收新作业");
    Undrain { host: &'a str }:
        format!("ended the drain of host {host}"), format!("主机 {host} 恢复接收新作业");
    AskSecond { request: &'a str, what: &'a str }:
        format!("asked for a second person ({request}): {what}"), format!("申请复核（{request}）：{what}");
    GiveSecond { request: &'a str }: format!("said yes to {request}"), format!("复核同意 {request}");
    Event { event: &'a str, date: &'a str, key: &'a str }:
        format!("told the event {event} of {date} (key {key})"), format!("上报 {date} 的事件 {event}（键 {key}）");
    OpenIncident { incident: &'a str, title: &'a str }:
        format!("opened {incident}: {title}"), format!("登记事件 {incident}：{title}");
    Incident { incident: &'a str, step: &'a str }:
        format!("{incident}: {step}"), format!("事件 {incident}：{step}");
    HandOver { hand_over: &'a str, step: &'a str }:
        format!("hand-over {hand_over}: {step}"), format!("交接 {hand_over}：{step}");
    Figure { figure: &'a str, period: &'a str, value: &'a str, parts: &'a str }:
        format!("entered {figure} of {period}: {value}{}", aside_en(parts)), format!("填报 {figure}（{period}）：{value}{}", aside_zh(parts));
    Change { change: &'a str, step: &'a str }:
        format!("change {change}: {step}"), format!("变更 {change}：{step}");
    Decide { change: &'a str }:
        format!("what became of change {change}"), format!("判定变更 {change} 的结果");
    Password { whose: &'a str }: format!("set the password of {whose}"), format!("设置 {whose} 的密码");
    Token { token: &'a str, whose: &'a str, rights: &'a str, until: &'a str }:
        format!("made the token {token} of {whose} until {until} for: {rights}"),
        format!("为 {whose} 创建令牌 {token}，至 {until} 止，权限：{rights}");
    Revoke { token: &'a str }: format!("revoked the token {token}"), format!("吊销令牌 {token}");
    LogIn { from: &'a str }: format!("logged in from {from}"), format!("自 {from} 登录");
    LoginRefused { from: &'a str, why: &'a str }:
        format!("login from {from} refused: {why}"), format!("自 {from} 的登录被拒绝：{why}");
    UnknownPerson: "nobody has that name", "无此人员";
    NoPassword: "there is no password", "未设置密码";
    WrongPassword: "the password was wrong", "密码错误";
    WrongToken: "no such token, or it is over", "令牌无效或已过期";
    TooOften: "tried too often", "尝试次数过多";
    Definitions { commit: &'a str, author: &'a str }:
        format!("other job files came into force: {commit} of {author}"), format!("启用新的作业文件：{commit}，作者 {author}");
    Joined { whose: &'a str, now: &'a str }:
        format!("{whose} is in people.yaml now, with {now}"), format!("{whose} 已列入 people.yaml：{now}");
    Left { whose: &'a str, was: &'a str }:
        format!("{whose} is in people.yaml no more; had {was}"), format!("{whose} 已从 people.yaml 移除；原为：{was}");
    Changed { whose: &'a str, was: &'a str, now: &'a str }:
        format!("{whose} had {was}, has {now}"), format!("{whose} 原为：{was}；现为：{now}");
    RolesAndRights { roles: &'a str, rights: &'a str }:
        format!("roles [{roles}] and rights [{rights}]"), format!("角色 [{roles}]，权限 [{rights}]");
    Account { account: &'a str }: format!("account {account}"), format!("账号 {account}");
    TeamOf { team: &'a str }: format!("team {team}"), format!("团队 {team}");
}

//! People, what they may do, and what they prove it with.

use super::messages;

messages! {
    /// Heads of lists of people and tokens.
    Access;
    Person: "Person", "人员";
    Name: "Name", "姓名";
    Team: "Team", "团队";
    Roles: "Roles", "角色";
    Rights: "Rights", "权限";
    Account: "Account", "账号";
    Tokens: "Tokens", "令牌";
    LastLogin: "Last login", "最近登录";
    Token: "Token", "令牌";
    For: "For", "用途";
    Until: "Until", "有效期至";
    MadeBy: "Made by", "创建人";
    Good: "", "";
    Over: "over", "已过期";
    Revoked: "revoked", "已吊销";
    Nobody: "nobody is in people.yaml", "people.yaml 中没有人员";
    Time: "Time", "时间";
    Did: "What", "操作";
    Why: "Why", "原因";
    Entry: "Entry", "流水号";
    Nothing: "nothing was done in that time", "该时段内没有操作";
    Proof { first: &'a str, last: &'a str, head: &'a str }:
        format!("Of the entries {first} to {last}. The chain is whole from its first entry to its head {head}."),
        format!("流水范围：{first} 至 {last}。流水链自首条至末条 {head} 完整。");
    NoProof { head: &'a str }:
        format!("No entry is of that time. The chain is whole from its first entry to its head {head}."),
        format!("该时段没有流水。流水链自首条至末条 {head} 完整。");
    UnreadRuns { runs: u64 }:
        format!("What was done in {runs} archived {} is not told here: no file of it was at hand.", if runs == 1 { "run" } else { "runs" }),
        format!("{runs} 次已归档批次执行的操作未列出：归档文件不在手边。");
    Password: "Password", "口令";
    Has: "set", "已设";
    Run: "Run", "批次执行";
    Archived: "Archived", "归档时间";
    Bytes: "Bytes", "字节";
    File: "File", "文件";
    NoArchives: "no run was archived", "没有已归档的批次执行";
    NoTokens: "no token was made", "尚未创建令牌";
}

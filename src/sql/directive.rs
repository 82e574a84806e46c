//! A word to nightrun in a comment before a statement: `-- expect: rows`, `-- done_when: select …`.

use super::lexer::{Kind, Lexer, Token};
use super::splitter::{Script, Statement};

/// A comment that says something to nightrun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directive<'a> {
    /// What follows its name.
    pub(super) words: &'a str,
    /// In the script, from 1.
    pub(super) line: u32,
    start: usize,
}

/// Where a directive stands.
pub(super) enum Stands<'s, 'a> {
    /// On a line of its own before this statement.
    Before(&'s Statement<'a>),
    /// There is one of the same name before it already.
    Again,
    /// Behind a statement, inside of one, or at the end of the script.
    Elsewhere,
}

/// The directive of this name before a statement: the first one.
pub(super) fn before<'a>(
    script: &Script<'a>,
    statement: &Statement<'a>,
    name: &'static str,
) -> Option<Directive<'a>> {
    lead(script, statement).find_map(|token| read(&token, name))
}

/// Every directive of this name in a script, and where it stands.
pub(super) fn all<'s, 'a>(
    script: &'s Script<'a>,
    name: &'static str,
) -> impl Iterator<Item = (Directive<'a>, Stands<'s, 'a>)> {
    Lexer::new(script.dialect, script.source).filter_map(move |token| {
        let directive = read(&token, name)?;
        Some((directive, place(script, &directive, name)))
    })
}

fn place<'s, 'a>(
    script: &'s Script<'a>,
    directive: &Directive<'a>,
    name: &'static str,
) -> Stands<'s, 'a> {
    let start = directive.start;
    let line = script.source[..start].rfind('\n').map_or(0, |at| at + 1);
    if !script.source[line..start].trim().is_empty() {
        return Stands::Elsewhere;
    }
    let next = script.statements.partition_point(|statement| statement.start <= start);
    let Some(statement) = script.statements.get(next).filter(|next| next.range.start <= start)
    else {
        return Stands::Elsewhere;
    };
    match before(script, statement, name) {
        Some(first) if first.start != start => Stands::Again,
        _ => Stands::Before(statement),
    }
}

/// The blanks and comments before a statement, each with its place in the script.
fn lead<'a>(
    script: &Script<'a>,
    statement: &Statement<'a>,
) -> impl Iterator<Item = Token<'a>> + use<'a> {
    let start = statement.range.start;
    let blanks = &script.source[start..statement.start];
    // Counted back from the statement: a long script is not read anew for each of its statements.
    let line = statement.line - blanks.matches('\n').count() as u32;
    Lexer::new(script.dialect, blanks).map(move |token| Token {
        start: token.start + start,
        line: token.line + line - 1,
        ..token
    })
}

fn read<'a>(token: &Token<'a>, name: &str) -> Option<Directive<'a>> {
    if token.kind != Kind::Comment {
        return None;
    }
    let words = token.text.strip_prefix("--")?.trim().strip_prefix(name)?.strip_prefix(':')?.trim();
    Some(Directive { words, line: token.line, start: token.start })
}

//! As much of SQL's form as the check of a change needs: what is left without comments, and whether a verification
//! can come out otherwise than well. The statements themselves are judged by the module `sql`.

/// One token outside of comments.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word or quoted name, in lower case.
    Word(String),
    /// A number, a string, a parameter.
    Constant,
    Symbol(char),
}

/// Whether a script has anything besides blanks, comments and semicolons.
pub(super) fn is_empty(script: &str) -> bool {
    tokens(script).iter().all(|token| *token == Token::Symbol(';'))
}

/// Why a verification script proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProvesNothing {
    #[error("it has no SELECT, so it gives no rows")]
    NoSelect,
    #[error("it reads no table, so it says the same whatever the change did")]
    ReadsNothing,
    #[error("its `ok` is a constant and no condition narrows the rows, so it cannot fail")]
    Constant,
    #[error("a row has {0} columns instead of three: check_name, ok, detail")]
    Columns(usize),
}

/// Whether a verification (rows of check_name, ok, detail) can fail; the reason why it cannot.
pub(super) fn check_verification(script: &str) -> Result<(), ProvesNothing> {
    let tokens = tokens(script);
    let mut verdict = Err(ProvesNothing::NoSelect);
    for statement in tokens.split(|token| *token == Token::Symbol(';')) {
        for branch in branches(statement) {
            let found = check_branch(branch);
            if let Err(ProvesNothing::Columns(_)) = found {
                return found;
            }
            if verdict.is_err() && found != Err(ProvesNothing::NoSelect) {
                verdict = found;
            }
        }
    }
    verdict
}

fn check_branch(branch: &[Token]) -> Result<(), ProvesNothing> {
    let Some(select) = outer(branch).find(|(_, token)| is(token, "select")).map(|(at, _)| at)
    else {
        return Err(ProvesNothing::NoSelect);
    };
    let list = &branch[select + 1..];
    let end = outer(list).find(|(_, token)| is(token, "from")).map_or(list.len(), |(at, _)| at);
    let columns = columns(&list[..end]);
    let any_star = columns.iter().any(|c| c.last() == Some(&Token::Symbol('*')));
    if !any_star && columns.len() != 3 {
        return Err(ProvesNothing::Columns(columns.len()));
    }
    let has = |words: &[&str]| branch.iter().any(|token| words.iter().any(|word| is(token, word)));
    if !has(&["from"]) {
        return Err(ProvesNothing::ReadsNothing);
    }
    let narrowed = has(&["where", "having", "join", "on", "using", "limit"]);
    let constant = columns.get(1).is_some_and(|ok| is_constant(ok));
    if constant && !any_star && !narrowed { Err(ProvesNothing::Constant) } else { Ok(()) }
}

/// The tokens outside of all brackets, with their indices.
fn outer(tokens: &[Token]) -> impl Iterator<Item = (usize, &Token)> {
    let mut depth = 0usize;
    tokens.iter().enumerate().filter(move |(_, token)| {
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

/// The parts of a compound SELECT.
fn branches(statement: &[Token]) -> Vec<&[Token]> {
    let cuts = outer(statement)
        .filter(|(_, token)| ["union", "intersect", "except"].iter().any(|word| is(token, word)))
        .map(|(at, _)| at);
    divide(statement, cuts.collect())
}

fn columns(list: &[Token]) -> Vec<&[Token]> {
    let commas = outer(list).filter(|(_, t)| **t == Token::Symbol(',')).map(|(at, _)| at).collect();
    divide(list, commas)
}

fn divide(tokens: &[Token], cuts: Vec<usize>) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([tokens.len()]) {
        parts.push(&tokens[from..cut]);
        from = cut + 1;
    }
    parts
}

/// No name of a column or function in it.
fn is_constant(expression: &[Token]) -> bool {
    let mut expression = expression;
    if let [before @ .., Token::Word(word), Token::Word(_)] = expression
        && word == "as"
    {
        expression = before;
    }
    const OPERATORS: [&str; 12] = [
        "and", "or", "not", "is", "null", "true", "false", "between", "like", "in", "all",
        "distinct",
    ];
    expression.iter().all(|token| match token {
        Token::Word(word) => OPERATORS.contains(&word.as_str()),
        Token::Constant | Token::Symbol(_) => true,
    })
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found == word)
}

fn tokens(script: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, block_comment(rest)),
            '\'' => (Some(Token::Constant), quoted(rest, '\'')),
            '"' | '`' => {
                let length = quoted(rest, first);
                (Some(Token::Word(rest[..length].to_lowercase())), length)
            }
            '$' => match dollar_quoted(rest) {
                Some(length) => (Some(Token::Constant), length),
                None => (Some(Token::Symbol('$')), 1),
            },
            c if c.is_ascii_digit() => {
                let number = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
                (Some(Token::Constant), rest.find(|c| !number(c)).unwrap_or(rest.len()))
            }
            c if c.is_alphabetic() || c == '_' => {
                let word = |c: char| c.is_alphanumeric() || c == '_';
                let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
                (Some(Token::Word(rest[..length].to_lowercase())), length)
            }
            // A byte-order mark is a blank here.
            c if c.is_whitespace() || c == '\u{feff}' => (None, c.len_utf8()),
            c => (Some(Token::Symbol(c)), c.len_utf8()),
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    tokens
}

fn block_comment(text: &str) -> usize {
    text[2..].find("*/").map_or(text.len(), |end| end + 4)
}

/// Length of a quoted text; a doubled quote is one inside of it.
fn quoted(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(end) = text[from..].find(quote).map(|at| from + at + 1) {
        if !text[end..].starts_with(quote) {
            return end;
        }
        from = end + 1;
    }
    text.len()
}

/// `$$…$$` or `$tag$…$tag$`.
fn dollar_quoted(text: &str) -> Option<usize> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    let named = tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
    if !named || tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(text[end..].find(tag).map_or(text.len(), |at| end + at + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_nothing() {
        for empty in ["", " \n;", "-- select 1", "/* update x */ ;\n-- done", "/* open", "\u{feff}"]
        {
            assert!(is_empty(empty), "{empty}");
        }
        for full in ["select 1", "/* a */ delete from t", "'--'", "$$ -- $$"] {
            assert!(!is_empty(full), "{full}");
        }
    }

    #[test]
    fn a_verification_must_be_able_to_fail() {
        use ProvesNothing::{Columns, Constant, NoSelect, ReadsNothing};
        let cases = [
            ("select 'sum', sum(x) = 0, '' from ledger", Ok(())),
            ("select 'rows', 1, '' from fee where rate = 5", Ok(())),
            ("select 'x', not exists (select 1 from fee where rate = 4), ''", Ok(())),
            ("with f as (select 1 from fee) select 'x', count(*) > 0, '' from f", Ok(())),
            ("select 'x', 1, ''; select 'y', count(*) = 3, max(id) from fee", Ok(())),
            ("select 'x', 1, '' union all select 'y', a = b, '' from t", Ok(())),
            ("select * from fee_check", Ok(())),
            ("update fee set rate = 5", Err(NoSelect)),
            ("-- select 'x', a = b, '' from t", Err(NoSelect)),
            ("select 'x', 1, ''", Err(ReadsNothing)),
            ("select 'from', 1, '' -- from t", Err(ReadsNothing)),
            ("select 'x', 1, '' from fee", Err(Constant)),
            ("select 'x', 1 = 1 as ok, '' from fee", Err(Constant)),
            ("select 'x', TRUE, '' from fee", Err(Constant)),
            ("select count(*) = 3 from fee", Err(Columns(1))),
            ("select 'x', f(a, b), '' from fee", Ok(())),
        ];
        for (script, verdict) in cases {
            assert_eq!(check_verification(script), verdict, "{script}");
        }
    }
}

//! Reading a statement word by word, to tell what it does.

use super::class::{at_top, word_at};
use super::lexer::{Kind, Token};

/// A place in the code words of a statement.
#[derive(Clone, Copy)]
pub(super) struct Words<'t, 'a> {
    code: &'t [Token<'a>],
    at: usize,
}

impl<'t, 'a> Words<'t, 'a> {
    pub(super) fn of(code: &'t [Token<'a>]) -> Self {
        Self { code, at: 0 }
    }

    pub(super) fn rest(&self) -> &'t [Token<'a>] {
        &self.code[self.at.min(self.code.len())..]
    }

    /// Whether these words, given with blanks between them, come next.
    pub(super) fn next_is(&self, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(ahead, word)| word_at(self.code, self.at + ahead, word))
    }

    /// Passes these words, if they come next.
    pub(super) fn eat(&mut self, phrase: &str) -> bool {
        let there = self.next_is(phrase);
        if there {
            self.at += phrase.split(' ').count();
        }
        there
    }

    /// Passes whichever of these phrases comes next.
    pub(super) fn eat_any<'p>(&mut self, phrases: &[&'p str]) -> Option<&'p str> {
        phrases.iter().copied().find(|phrase| self.eat(phrase))
    }

    /// Passes any number of these phrases.
    pub(super) fn skip(&mut self, phrases: &[&str]) {
        while self.eat_any(phrases).is_some() {}
    }

    /// Passes `schema.name` and gives it in lower case.
    pub(super) fn path(&mut self) -> Option<String> {
        let mut path = self.rest().first()?.name()?;
        self.at += 1;
        while self.rest().first().is_some_and(|token| token.text == ".") {
            path = format!("{path}.{}", self.rest().get(1)?.name()?);
            self.at += 2;
        }
        Some(path.to_lowercase())
    }

    /// Passes `a, b.c, d`.
    pub(super) fn paths(&mut self) -> Vec<String> {
        let mut paths = Vec::new();
        while let Some(path) = self.path() {
            paths.push(path);
            if self.rest().first().is_none_or(|token| token.kind != Kind::Comma) {
                break;
            }
            self.at += 1;
        }
        paths
    }
}

/// Whether these words stand one after the other outside of all parentheses.
pub(super) fn says(code: &[Token<'_>], phrase: &str) -> bool {
    let top: Vec<Token<'_>> = at_top(code).copied().collect();
    (0..top.len()).any(|at| Words { code: &top, at }.next_is(phrase))
}

/// The pieces between the commas that stand outside of all parentheses.
pub(super) fn pieces<'t, 'a>(code: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_u32;
    code.split(|token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token.kind == Kind::Comma
    })
    .collect()
}

/// Names in lower case that are followed by a parenthesis, with where they stand.
pub(super) fn calls<'t, 'a>(code: &'t [Token<'a>]) -> impl Iterator<Item = (usize, String)> + 't {
    code.windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[1].kind == Kind::Open)
        .filter_map(|(at, pair)| Some((at, pair[0].name()?.to_lowercase())))
}

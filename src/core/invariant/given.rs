//! What must be true of numbers: each is given once.

use crate::core::fact::Fact;
use crate::core::state::Standing;

/// The number of a freeze, a request or a token that was given before; of a figure one that is not its next.
pub(super) fn before(standing: &Standing, fact: &Fact) -> Option<String> {
    match fact {
        Fact::Frozen { freeze, .. } if freeze.0 <= standing.last_freeze => Some(freeze.to_string()),
        Fact::SecondAsked { request, .. } if request.0 <= standing.last_request => {
            Some(request.to_string())
        }
        Fact::TokenMade { token, .. } if token.0 <= standing.last_token => Some(token.to_string()),
        Fact::FigureEntered(entered)
            if standing.figures.next(&entered.figure, entered.period) != entered.number =>
        {
            Some(format!("{} of {}", entered.figure, entered.period))
        }
        _ => None,
    }
}

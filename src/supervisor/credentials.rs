//! Who may have passwords and tokens set, made and revoked, and what of it goes into the store beside the journal.

use super::turn::Turn;
use super::{Supervisor, World};
use crate::core::access::{may, rights_of};
use crate::core::refused::Refused;
use crate::definition::site::Site;
use crate::driver::password;
use crate::journal::{Secret, kept};
use crate::port::control::{Caller, House};
use crate::port::credentials::CredentialOrder;
use crate::types::{PersonId, Right, Rights};

impl<W: World> Supervisor<W> {
    /// Whether somebody may have it done: for oneself everybody of the site, for others who has the right.
    pub(super) fn may_have(
        &self,
        caller: &Caller,
        by: &PersonId,
        order: &CredentialOrder,
    ) -> Result<(), Refused> {
        let standing = &self.core.state().standing;
        let whose = match order {
            CredentialOrder::SetPassword { person, .. }
            | CredentialOrder::MakeToken { person, .. } => Some(person),
            CredentialOrder::RevokeToken { token } => {
                standing.tokens.get(token).and_then(|token| token.person.as_ref())
            }
            _ => None,
        };
        if whose != Some(by) || !self.knows(by) {
            self.may(caller, Right::Admin)?;
        }
        // Who may less than the person must not make what may as much.
        let makes = matches!(
            order,
            CredentialOrder::SetPassword { .. } | CredentialOrder::MakeToken { .. }
        );
        if let Caller::Person { person, within } = caller
            && makes
        {
            let sites = self.sites().find(|site| site.people.contains_key(person));
            let all = sites.map_or(Rights::NONE, |site| rights_of(site, person));
            for right in all.iter() {
                may(*within, right)?;
            }
        }
        let known = |site: &&Site| whose.is_some_and(|person| site.people.contains_key(person));
        fits(order, self.sites().find(known))
    }
}

/// What the site says to it, and whether whoever asks has made a hash that is worth keeping.
pub(super) fn fits(order: &CredentialOrder, site: Option<&Site>) -> Result<(), Refused> {
    order.credential().fits(site)?;
    let sound = match order.secret() {
        Some(Secret::Password(hash)) => password::is_sound(&hash),
        Some(Secret::Token(hash)) => hash.0.len() == 64,
        None => true,
    };
    if sound { Ok(()) } else { Err(Refused::new("that is no hash of this version of nightrun")) }
}

/// What is kept of the secret that an order brings.
pub(super) fn secret_of(order: &House) -> Option<Secret> {
    match order {
        House::Credential { what } => what.secret(),
        _ => None,
    }
}

/// Rows of what was decided since so many facts.
pub(super) fn keep(turn: &mut Turn, before: usize, secret: Option<&Secret>) {
    let decided = turn.facts.iter().skip(before);
    turn.rows.extend(decided.filter_map(|(at, fact)| kept(*at, fact, secret)));
}

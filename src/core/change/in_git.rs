//! Authors by what git says: whoever is named by a commit of a change's folder is kept from approving, reviewing, executing
//! and watching it. A name in a commit can be forged, so nobody is let in by it.

use std::collections::BTreeSet;

use super::step::InGit;
use crate::definition::site::Site;
use crate::types::{Named, PersonId};

/// The people whom commits name, each address once, with the first commit of the list that names it. Of people who share
/// an address all are meant.
pub(super) fn in_git(site: &Site, named: &[Named]) -> Vec<InGit> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for Named { commit, mail } in named {
        let mail = mail.trim().to_lowercase();
        if mail.is_empty() || !seen.insert(mail.clone()) {
            continue;
        }
        let one = |person| InGit { commit: commit.clone(), mail: mail.clone(), person };
        let theirs: Vec<&PersonId> = site
            .people
            .iter()
            .filter(|(_, person)| {
                person.mail.as_ref().is_some_and(|known| known.trim().to_lowercase() == mail)
            })
            .map(|(id, _)| id)
            .collect();
        match theirs.is_empty() {
            true => all.push(one(None)),
            false => all.extend(theirs.into_iter().map(|id| one(Some(id.clone())))),
        }
    }
    all
}

//! What somebody was known by when they said something that comes only now.

use std::collections::HashSet;

use domain::TenantId;
use domain::identity::Identity;
use store::Store;

use crate::Result;

/// Moves that are followed one after the other.
const FOLLOWED: usize = 16;

/// By what somebody is known now who said something under `identity` at `said_ms`; nothing,
/// when they still are by it. A number is given up, and may be another's since; a user id
/// never is.
///
/// # Errors
/// [`crate::Code::Unavailable`] when the database does not answer.
pub async fn followed(
    store: &Store,
    tenant: &TenantId,
    identity: &Identity,
    said_ms: Option<i64>,
) -> Result<Vec<Identity>> {
    let mut seen = HashSet::from([identity.clone()]);
    let (mut open, mut found) = (vec![identity.clone()], Vec::new());
    while let Some(next) = open.pop().filter(|_| seen.len() <= FOLLOWED) {
        let may_move = matches!(next, Identity::Phone(_) | Identity::Bsuid(_));
        let moved = if may_move { store.moved_since(tenant, &next).await? } else { None };
        let is_before = |at_ms: i64| said_ms.is_some_and(|said| said <= at_ms);
        match moved.filter(|moved| matches!(next, Identity::Bsuid(_)) || is_before(moved.at_ms)) {
            Some(moved) => open.extend(moved.to.into_iter().filter(|one| seen.insert(one.clone()))),
            None if next != *identity => found.push(next),
            None => {}
        }
    }
    Ok(found)
}

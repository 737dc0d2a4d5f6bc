//! Who calls: the credentials of each dialect.

use axum::extract::{FromRef, FromRequestParts};
use domain::account::Account;
use domain::{CallingCode, Secret};
use http::header::AUTHORIZATION;
use http::request::Parts;
use ops::callers;
use store::Store;
use tracing::Span;

use crate::input::Carried;
use crate::{ApiError, Dialect, PhoneText, Required, Result};

/// An authenticated caller whose request the plan has room for. In a handler's
/// signature it is the permission to run.
#[derive(Debug, Clone)]
pub struct Caller(pub ops::Caller);

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let asked = Carried::of(parts)?;
        let store = Store::from_ref(state);
        let spec = asked.spec;
        let caller = callers::authenticate(&store, key(spec.dialect, &asked).as_ref()).await?;
        Span::current().record("tenant", caller.tenant_id().as_str());
        callers::admit(&store, &caller, spec.class).await?;
        Ok(Self(caller))
    }
}

/// The caller's account that the parameter `token` names.
///
/// # Errors
/// Names `token`.
pub async fn account_of_token(
    store: &Store,
    caller: &ops::Caller,
    token: Required<String>,
) -> Result<Account> {
    Ok(callers::account(store, caller, Some(&token.get()?)).await?)
}

/// The country of a number, in a call that names no account: the accounts' own, unless the
/// number names one.
///
/// # Errors
/// [`ops::Code::Unavailable`] when the database does not answer.
pub async fn country_of(
    store: &Store,
    caller: &ops::Caller,
    phone: Option<&PhoneText>,
) -> Result<Option<CallingCode>> {
    match phone.is_some_and(PhoneText::may_be_national) {
        true => Ok(callers::home_country(store, caller).await?),
        false => Ok(None),
    }
}

/// The key, where the dialect carries it; a header beats a parameter.
fn key(dialect: Dialect, asked: &Carried) -> Option<Secret> {
    let header = match dialect {
        Dialect::SendApp | Dialect::DmChamp => asked.header("x-api-key").map(str::to_owned),
        Dialect::Sendwo | Dialect::SendApi => bearer(asked),
    };
    let named = dialect.key_parameter().filter(|_| !asked.spec.header_key);
    let parameter = || asked.text(named?).ok().flatten();
    header.or_else(parameter).map(|key| Secret::new(key.trim()))
}

fn bearer(asked: &Carried) -> Option<String> {
    let (scheme, key) = asked.header(AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use ops::RateClass;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::input::BodyAndQuery;
    use crate::spec::Spec;

    fn input(headers: &[(&'static str, &str)], params: Value) -> Carried {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let spec = Spec {
            path: "/x",
            dialect: Dialect::SendApp,
            class: RateClass::Normal,
            max_body: 0,
            raw: false,
            header_key: false,
        };
        let params: Map<String, Value> = params.as_object().unwrap().clone();
        let content = BodyAndQuery { params, ..BodyAndQuery::default() };
        Carried { spec, content, path: Vec::new(), headers: map, peer: None }
    }

    #[test]
    fn an_endpoint_may_take_the_header_alone() {
        let mut asked = input(&[], json!({"apiKey": "d"}));
        asked.spec.header_key = true;
        assert!(key(Dialect::DmChamp, &asked).is_none());
        let mut asked = input(&[("x-api-key", "h")], json!({"apiKey": "d"}));
        asked.spec.header_key = true;
        assert_eq!(key(Dialect::DmChamp, &asked).as_ref().map(Secret::expose), Some("h"));
    }

    #[test]
    fn each_dialect_carries_its_key_in_its_own_way() {
        let all = json!({"apikey": "a", "apiToken": "b", "apiKey": "d"});
        let header = ("x-api-key", "h");
        let bearer = ("authorization", "bearer  t ");
        for (dialect, headers, params, want) in [
            (Dialect::SendApp, vec![], all.clone(), Some("a")),
            (Dialect::SendApp, vec![header], all.clone(), Some("h")),
            (Dialect::SendApp, vec![bearer], json!({}), None),
            (Dialect::SendApp, vec![("x-api-key", " ")], all.clone(), Some("a")),
            (Dialect::Sendwo, vec![header], all.clone(), Some("b")),
            (Dialect::Sendwo, vec![bearer], json!({}), Some("t")),
            (Dialect::SendApi, vec![header], all.clone(), None),
            (Dialect::SendApi, vec![bearer], all.clone(), Some("t")),
            (Dialect::SendApi, vec![("authorization", "Basic t")], all.clone(), None),
            (Dialect::DmChamp, vec![bearer], all.clone(), Some("d")),
            (Dialect::DmChamp, vec![header], all.clone(), Some("h")),
            (Dialect::SendApp, vec![], json!({"apikey": ["a"]}), None),
        ] {
            let found = key(dialect, &input(&headers, params));
            assert_eq!(found.as_ref().map(Secret::expose), want, "{dialect:?} {headers:?}");
        }
    }
}

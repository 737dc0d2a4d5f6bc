//! The operator's key.

use std::fmt;
use std::sync::Arc;

use domain::Secret;
use futures::future::BoxFuture;

use crate::Result;

/// What answers the key of whoever runs the installation.
type Source = dyn Fn() -> BoxFuture<'static, Result<Secret>> + Send + Sync;

/// The key of whoever runs the installation: it creates tenants. It is asked for
/// only when somebody claims to have it.
#[derive(Clone)]
pub struct AdminKey(Option<Arc<Source>>);

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey(***)")
    }
}

impl AdminKey {
    /// This key; without one, or with an empty one, nobody is admin.
    pub fn fixed(key: Option<Secret>) -> Self {
        let Some(key) = key.filter(|key| !key.expose().is_empty()) else { return Self(None) };
        Self::lazy(move || Box::pin(std::future::ready(Ok(key.clone()))))
    }

    /// A key that has to be fetched.
    pub fn lazy(source: impl Fn() -> BoxFuture<'static, Result<Secret>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(source)))
    }

    /// The key, if there is one.
    ///
    /// # Errors
    /// [`crate::Code::Unavailable`] when it cannot be fetched.
    pub async fn read(&self) -> Result<Option<Secret>> {
        match &self.0 {
            Some(source) => source().await.map(Some),
            None => Ok(None),
        }
    }
}

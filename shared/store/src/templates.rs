//! Templates of a business account, as the provider listed them last.

use domain::TenantId;
use domain::template::Template;
use serde::{Deserialize, Serialize};

use crate::campaigns::TemplateItem;
use crate::item::{Key, Query, compose, number, read, text};
use crate::{Kind, Result, Store};

const HEAD: &str = "-";

/// Templates with their age.
#[derive(Debug, Clone)]
pub struct Cached {
    /// The templates, by name and language.
    pub templates: Vec<Template>,
    /// When the provider listed them, in milliseconds since 1970.
    pub at_ms: i64,
}

fn pk(tenant: &TenantId, waba_id: &str) -> String {
    Kind::Templates.pk(format_args!("{tenant}#{waba_id}"))
}

#[derive(Serialize, Deserialize)]
struct HeadItem {
    at: i64,
}

impl Store {
    /// The templates as they were listed last.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn cached_templates(&self, tenant: &TenantId, waba_id: &str) -> Result<Option<Cached>> {
        let query = Query { pk: pk(tenant, waba_id), ..Query::default() };
        let mut cached: Option<Cached> = None;
        // The head sorts before every name.
        for item in self.query(&query).await? {
            if text(&item, "sk").as_deref() == Some(HEAD) {
                cached = Some(Cached { templates: Vec::new(), at_ms: number(&item, "at").unwrap_or(0) });
            } else if let Some(cached) = &mut cached {
                cached.templates.push(read::<TemplateItem>(item, "template")?.into_template()?);
            }
        }
        Ok(cached)
    }

    /// Keeps a listing; templates that are gone are forgotten.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn cache_templates(
        &self,
        tenant: &TenantId,
        waba_id: &str,
        templates: &[Template],
    ) -> Result<()> {
        let pk = pk(tenant, waba_id);
        let name = |t: &Template| format!("{}#{}", t.name, t.language);
        let known = self.cached_templates(tenant, waba_id).await?;
        for gone in known.iter().flat_map(|c| &c.templates) {
            if !templates.iter().any(|t| name(t) == name(gone)) {
                self.delete(&Key::new(&pk, name(gone))).await?;
            }
        }
        for template in templates {
            let same = known.iter().flat_map(|c| &c.templates).any(|t| t == template);
            if !same {
                let key = Key::new(&pk, name(template));
                self.put(compose(&key, "template", &TemplateItem::from(template))?).await?;
            }
        }
        let head = HeadItem { at: self.clock().now_ms() };
        self.put(compose(&Key::new(&pk, HEAD), "templates", &head)?).await
    }

    /// Makes the next reader ask the provider.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer.
    pub async fn forget_templates(&self, tenant: &TenantId, waba_id: &str) -> Result<()> {
        self.delete(&Key::new(pk(tenant, waba_id), HEAD)).await
    }
}

//! Catalogs that are connected to a business account, and their products.

use domain::account::Number;
use domain::catalog::{Catalog, Product, is_catalog_id};
use domain::money::{Currency, Money};
use serde_json::Value;

use super::Graph;
use crate::Error;

/// What is asked of a product.
const PRODUCT_FIELDS: &str =
    "id,retailer_id,name,description,price,sale_price,currency,availability,image_url,url,brand";
/// Pages of a list of catalogs.
const MAX_PAGES: usize = 20;

/// A page of a catalog's products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPage {
    /// Those that can be read.
    pub products: Vec<Product>,
    /// How many there were.
    pub count: usize,
    /// Where the next page begins; `None` after the last one.
    pub after: Option<String>,
}

impl Graph {
    /// The catalogs of a number's business account
    /// (<https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/product_catalogs/>).
    ///
    /// # Errors
    /// [`Error`]
    pub async fn catalogs(&self, number: &Number) -> Result<Vec<Catalog>, Error> {
        let url = format!("{}/{}/product_catalogs", self.base, number.waba_id);
        let (mut catalogs, mut after) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut query = vec![("fields", "id,name,product_count"), ("limit", "100")];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let page = self.answer(self.http.get(&url).query(&query), &number.access_token).await?;
            catalogs.extend(data(&page).iter().filter_map(catalog));
            match next(&page) {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        Ok(catalogs)
    }

    /// One page of a catalog's products, in Meta's order, at most `limit`
    /// (<https://developers.facebook.com/docs/marketing-api/reference/product-catalog/products/>).
    ///
    /// # Errors
    /// [`Error::Refused`] with Meta's code 1 also when the page is too large for it.
    pub async fn products(
        &self,
        number: &Number,
        catalog: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<ProductPage, Error> {
        let url = format!("{}/{catalog}/products", self.base);
        let limit = limit.to_string();
        let mut query = vec![("fields", PRODUCT_FIELDS), ("limit", limit.as_str())];
        query.extend(after.map(|after| ("after", after)));
        let page = self.answer(self.http.get(&url).query(&query), &number.access_token).await?;
        let found = page.get("data").and_then(Value::as_array).ok_or(Error::Unreachable)?;
        let products = found.iter().filter_map(product).collect();
        Ok(ProductPage { products, count: found.len(), after: next(&page) })
    }
}

fn data(page: &Value) -> &[Value] {
    page.get("data").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Where the page behind this one begins: Meta gives cursors of the last page, too, but no
/// address of a next one.
fn next(page: &Value) -> Option<String> {
    let next = page.pointer("/paging/next").and_then(Value::as_str)?;
    let cursor = page.pointer("/paging/cursors/after").and_then(Value::as_str).map(str::to_owned);
    cursor.or_else(|| {
        let url = reqwest::Url::parse(next).ok()?;
        url.query_pairs().find(|(name, _)| name == "after").map(|(_, value)| value.into_owned())
    })
}

fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn catalog(value: &Value) -> Option<Catalog> {
    let id = text(value, "id").filter(|id| is_catalog_id(id))?;
    let count = text(value, "product_count").and_then(|count| count.parse().ok());
    Some(Catalog { name: text(value, "name").unwrap_or_else(|| id.clone()), count, id })
}

/// A product; one without an id of the shop's cannot be named by anybody.
fn product(value: &Value) -> Option<Product> {
    let retailer_id = text(value, "retailer_id")?;
    let currency = text(value, "currency").and_then(|code| code.parse().ok());
    let price = |name: &str| amount(value.get(name)?, currency.as_ref());
    Some(Product {
        id: text(value, "id").unwrap_or_default(),
        name: text(value, "name").unwrap_or_else(|| retailer_id.clone()),
        description: text(value, "description"),
        price: price("price"),
        sale_price: price("sale_price"),
        availability: text(value, "availability"),
        image_url: text(value, "image_url"),
        url: text(value, "url"),
        brand: text(value, "brand"),
        retailer_id,
    })
}

/// A price as Meta shows it, `€9.99`; a whole number is in minor units, as Meta takes prices.
fn amount(value: &Value, currency: Option<&Currency>) -> Option<Money> {
    match value {
        Value::String(text) => match currency {
            Some(currency) => currency.shown_amount(text),
            None => currency_in(text)?.shown_amount(text),
        },
        Value::Number(number) => match (number.as_u64(), currency?) {
            (Some(minor), currency) => Some(Money { minor, currency: currency.clone() }),
            (None, currency) => currency.amount(&number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The currency that a price names by its letters.
fn currency_in(text: &str) -> Option<Currency> {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() == 3);
    words.find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn products_are_read_as_meta_writes_them() {
        let minor = |value: Value| {
            product(&value).unwrap().price.map(|money| (money.minor, money.currency.to_string()))
        };
        let of =
            |price: Value, currency: &str| json!({"retailer_id": "a", "price": price, "currency": currency});
        for (value, want) in [
            (of(json!("€9.99"), "EUR"), 999),
            (of(json!("¥1,000"), "JPY"), 1_000),
            (of(json!("1.234 KWD"), "KWD"), 1_234),
            (of(json!(1_299), "USD"), 1_299),
            (of(json!(12.5), "USD"), 1_250),
        ] {
            assert_eq!(minor(value.clone()).unwrap().0, want, "{value}");
        }
        assert_eq!(minor(json!({"retailer_id": "a", "price": "7,50 EUR"})), Some((750, "EUR".to_owned())));
        assert_eq!(minor(json!({"retailer_id": "a", "price": "7,50"})), None);
        let read =
            product(&json!({"id": 7, "retailer_id": 42, "name": " Pane ", "description": ""})).unwrap();
        assert_eq!((read.id.as_str(), read.retailer_id.as_str(), read.name.as_str()), ("7", "42", "Pane"));
        assert_eq!(read.description, None);
        assert_eq!(product(&json!({"id": "7", "name": "Pane"})), None);
    }

    #[test]
    fn a_page_has_a_next_one_only_when_meta_says_so() {
        let cursors = json!({"before": "b", "after": "a"});
        assert_eq!(next(&json!({"paging": {"cursors": cursors}})), None);
        assert_eq!(
            next(&json!({"paging": {"cursors": cursors, "next": "https://x/?after=z"}})).as_deref(),
            Some("a")
        );
        assert_eq!(next(&json!({"paging": {"next": "https://x/?limit=2&after=z"}})).as_deref(), Some("z"));
        assert_eq!(next(&json!({})), None);
    }
}

//! A product in requests and answers.

use domain::{Currency, NewProduct, Product, ProductChange, rfc3339};
use messages::ExactNumber;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::input::{Fields, given};

/// A new product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductBody {
    /// The name, on one line.
    #[schema(
        example = "Lightsaber",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        required = true,
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    /// The price of one piece in major units: an exact decimal of at most 2 places. `multipleOf` cannot say
    /// this: validators compute with binary fractions and would refuse 0.07.
    #[schema(value_type = f64, example = 199.9, minimum = 0, maximum = 100000000, required = true)]
    #[serde(default, deserialize_with = "given")]
    price: Option<Box<RawValue>>,
    /// Currency code of ISO 4217; `USD` if left out.
    #[schema(example = "USD", pattern = "^(USD|EUR|GBP)$", default = "USD", nullable = false)]
    #[serde(default, deserialize_with = "given")]
    currency: Option<String>,
}

/// A change of a product; a field that is left out stays. Orders keep the price they were placed at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductPatch {
    /// The new name.
    #[schema(
        example = "Lightsaber, green",
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        nullable = false
    )]
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    /// The new price of one piece, in the product's currency: an exact decimal of at most 2 places.
    #[schema(value_type = f64, example = 189, minimum = 0, maximum = 100000000, required = false)]
    #[serde(default, deserialize_with = "given")]
    price: Option<Box<RawValue>>,
}

impl ProductBody {
    /// The new product, checked. Invalid fields are noted in `fields`.
    pub(super) fn validate(&self, fields: &mut Fields) -> Option<NewProduct> {
        let name = fields.required("name", self.name.as_deref());
        let price = fields.required("price", self.price.as_deref().map(RawValue::get));
        let currency = fields.optional("currency", self.currency.as_deref());
        let currency = currency.unwrap_or(Currency::Usd);
        Some(NewProduct { name: name?, price: price?, currency })
    }
}

impl ProductPatch {
    /// The change, checked. Invalid fields are noted in `fields`.
    pub(super) fn validate(&self, fields: &mut Fields) -> ProductChange {
        ProductChange {
            name: fields.optional("name", self.name.as_deref()),
            price: fields.optional("price", self.price.as_deref().map(RawValue::get)),
        }
    }
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductView {
    /// The id.
    #[schema(example = "1")]
    id: String,
    /// The name.
    #[schema(example = "Iphone")]
    name: String,
    /// The price of one piece in major units of `currency`.
    #[schema(value_type = f64, example = 199, minimum = 0, maximum = 100000000)]
    price: ExactNumber,
    /// Currency code of ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// Time at which the product was stored, RFC 3339, UTC.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339::serialize")]
    created_at: OffsetDateTime,
    /// Time of the last change.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime)]
    #[serde(serialize_with = "rfc3339::serialize")]
    updated_at: OffsetDateTime,
    /// Time at which the product was archived; left out if it is not.
    #[schema(example = "2026-11-20T12:00:00.123456Z", value_type = String, format = DateTime, required = false)]
    #[serde(serialize_with = "rfc3339::serialize_option", skip_serializing_if = "Option::is_none")]
    archived_at: Option<OffsetDateTime>,
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> ProductView {
        ProductView {
            id: product.id.to_string(),
            name: product.name.as_str().to_owned(),
            price: ExactNumber(product.price),
            currency: product.currency.code(),
            created_at: product.created_at,
            updated_at: product.updated_at,
            archived_at: product.archived_at,
        }
    }
}

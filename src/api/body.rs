//! JSON bodies of requests. An empty body counts as `{}`, and an error names all fields at fault.

use poem::{
    Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    payload::{Json, Payload},
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use super::error::{ApiError, ErrorCode};
use crate::values::invalid::Faults;

/// How much of the path of an unknown field an answer repeats.
const LONGEST_SHOWN: usize = 60;

/// A body that was read as `T`, with the faults of the fields that can't be read. Its check adds the faults of the
/// others, so that a caller learns all of them at once. The fields of `T` must be types of [`super::fields`].
pub struct Unchecked<T> {
    fields: T,
    faults: Faults,
}

impl<T> Unchecked<T> {
    /// Checks the fields and returns the result, or an error that names all fields at fault. `check` returns `None` if
    /// it has added a fault.
    pub fn check<U>(self, check: impl FnOnce(T, &mut Faults) -> Option<U>) -> Result<U, ApiError> {
        let mut faults = self.faults;
        let checked = check(self.fields, &mut faults);
        finish(faults, checked)
    }
}

/// The fields of a body that refuses all others.
pub trait KnownFields {
    /// The paths of all fields that aren't objects themselves, such as `filter.q`.
    const PATHS: &'static [&'static str];
}

/// An [`Unchecked`] body in which fields that it doesn't have are faults as well, however deep they are.
pub struct Strict<T> {
    body: Unchecked<T>,
    text: String,
}

impl<T> Strict<T> {
    /// Returns the body, and its JSON as a text by which two bodies can be compared.
    pub fn into_parts(self) -> (Unchecked<T>, String) {
        (self.body, self.text)
    }
}

/// Adds a fault for each field that is on the way to none of the known ones. `path` is that of `value`, which may also
/// be the JSON text of an object.
fn add_unknown<T: KnownFields>(value: &Value, path: &str, faults: &mut Faults) {
    if let Value::String(text) = value
        && let Ok(object @ Value::Object(_)) = serde_json::from_str(text)
    {
        return add_unknown::<T>(&object, path, faults);
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let leads_on = |known: &&str| known.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'));
        if T::PATHS.iter().any(leads_on) {
            add_unknown::<T>(value, &path, faults);
        } else if !T::PATHS.contains(&path.as_str()) {
            let shown: String = path.chars().take(LONGEST_SHOWN).collect();
            faults.add_unreadable(shown.clone(), format!("unknown field: {shown}"));
        }
    }
}

/// Returns what a check has made of a body, or an error that names all faults.
pub(super) fn finish<T>(faults: Faults, checked: Option<T>) -> Result<T, ApiError> {
    // A check that returns nothing has added a fault.
    faults.none_or(checked)?.ok_or_else(ApiError::internal)
}

/// A body that was read as `T`, for calls that check the fields themselves. The fields of `T` must be types of [`super::fields`], because callers read the error
/// messages of these types.
pub struct Body<T>(pub T);

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for Unchecked<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: Json::<T>::CONTENT_TYPE, schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let mut faults = Faults::default();
        Ok(Self { fields: read(object(request, body).await?, &mut faults)?, faults })
    }
}

impl<'a, T: Type + DeserializeOwned + KnownFields> ApiExtractor<'a> for Strict<T> {
    const TYPES: &'static [ApiExtractorType] = <Unchecked<T> as ApiExtractor<'a>>::TYPES;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Unchecked<T> as ApiExtractor<'a>>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        <Unchecked<T> as ApiExtractor<'a>>::request_meta()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let fields = object(request, body).await?;
        let mut faults = Faults::default();
        let whole = Value::Object(fields.clone());
        add_unknown::<T>(&whole, "", &mut faults);
        Ok(Self { text: whole.to_string(), body: Unchecked { fields: read(fields, &mut faults)?, faults } })
    }
}

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = <Unchecked<T> as ApiExtractor<'a>>::TYPES;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Unchecked<T> as ApiExtractor<'a>>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        <Unchecked<T> as ApiExtractor<'a>>::request_meta()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(Unchecked::from_request(request, body, options).await?.check(|fields, _| Some(fields))?))
    }
}

/// Reads the body as a JSON object; an empty body is an empty object. Fails with `invalid_body` if the body is not a
/// JSON object, and with `unsupported_media_type` if it has another content type.
pub(super) async fn object(request: &Request, body: &mut RequestBody) -> poem::Result<Map<String, Value>> {
    let body = body.take()?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    refuse_other_types(request.headers())?;
    let bytes = body.into_bytes().await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::new(ErrorCode::InvalidBody, "the body must be a JSON object").into()),
        Err(_) => Err(ApiError::new(ErrorCode::InvalidBody, "the body is not valid JSON").into()),
    }
}

/// Accepts `application/json` and types that end with `+json` (RFC 6839). Accepts a body without a `Content-Type` too:
/// the layer `http/body_limit.rs` has refused such bodies before, unless they are empty.
fn refuse_other_types(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    if given.to_str().is_ok_and(Json::<Value>::check_content_type) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, "the body must be application/json"))
}

/// Reads the fields of a body. One that can't be read is left out and its fault is added, under a path such as
/// `address.city`.
pub(super) fn read<T: DeserializeOwned>(fields: Map<String, Value>, faults: &mut Faults) -> Result<T, ApiError> {
    let mut body = Value::Object(fields);
    loop {
        let error = match serde_path_to_error::deserialize(&body) {
            Ok(fields) => return Ok(fields),
            Err(error) => error,
        };
        let text = format!("{} {}", error.path(), error.inner());
        // Each round takes one field of `T` away, so there are few of them.
        match take_out(&mut body, error.path()) {
            Some(field) => faults.add_unreadable(field, text),
            None => return Err(ApiError::new(ErrorCode::InvalidInput, text).with_field(error.path().to_string())),
        }
    }
}

/// Removes the field at a path, or the list in which an entry is at fault. Returns the path of what was removed; `None`
/// if there is no such field.
fn take_out(body: &mut Value, path: &Path) -> Option<String> {
    let names: Vec<&str> = path
        .iter()
        .map_while(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    let (last, parents) = names.split_last()?;
    let parent = parents.iter().try_fold(body, |value, name| value.get_mut(name))?;
    parent.as_object_mut()?.remove(*last)?;
    Some(names.join("."))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::api::fields::{Decimal, Flag, Line, object as optional_object};

    #[derive(Deserialize, Debug)]
    struct Inner {
        flag: Option<Flag>,
        names: Option<Vec<Line>>,
    }

    #[derive(Deserialize, Debug)]
    struct Outer {
        name: Option<Line>,
        price: Option<Decimal>,
        #[serde(default, deserialize_with = "optional_object")]
        inner: Option<Inner>,
    }

    /// Reads a body, and returns what is left of it and the fields at fault.
    fn read_all(body: Value) -> (Outer, Vec<String>) {
        let Value::Object(fields) = body else { unreachable!("the tests give objects") };
        let mut faults = Faults::default();
        let outer: Outer = read(fields, &mut faults).expect("a body");
        let told = format!("{faults:?}");
        let fields = ["name", "price", "inner", "inner.flag", "inner.names"];
        (outer, fields.into_iter().filter(|name| told.contains(&format!("\"{name}\":"))).map(str::to_owned).collect())
    }

    #[test]
    fn what_can_be_read_is_read_beside_the_faults() {
        let (outer, faults) = read_all(json!({ "name": 5, "price": 2, "other": null,
            "inner": { "flag": "maybe", "names": ["a", 5] } }));
        assert_eq!(faults, ["name", "inner.flag", "inner.names"]);
        assert_eq!((outer.name.is_none(), outer.price.map(|price| price.0).as_deref()), (true, Some("2")));
        assert!(outer.inner.is_some_and(|inner| inner.flag.is_none() && inner.names.is_none()));
        let (outer, faults) = read_all(json!({ "name": "a\u{0}", "inner": [] }));
        assert_eq!(faults, ["name", "inner"]);
        assert!(outer.inner.is_none());
        assert!(read_all(json!({ "name": "a", "inner": { "flag": true } })).1.is_empty());
    }
}

//! Completes the OpenAPI description that poem-openapi makes from the types of the API.
//!
//! poem-openapi can't say some things, such as that a field may be null, and says others in a form from which programs
//! make poor clients. Each file here mends one kind. They work on the text of the description, so that they see all of
//! it, whatever type a part comes from. The values are those of `serde_yaml`, which keep the order of the fields.

mod examples;
mod headers;
mod media_types;
mod parameters;
mod presence;
mod references;
mod security;
mod tags;

use serde_yaml::{Mapping, Value};

/// Completes a description in JSON. Panics if it is no JSON, which would be a bug of poem-openapi.
pub fn complete(description: &str) -> Value {
    let mut spec: Value = serde_json::from_str(description).expect("poem-openapi writes JSON");
    tags::put_in_reading_order(&mut spec);
    security::name_everybody(&mut spec);
    media_types::leave_out_charsets(&mut spec);
    parameters::describe(&mut spec);
    headers::describe(&mut spec);
    examples::move_beside_schemas(&mut spec);
    references::make_plain(&mut spec);
    presence::declare(&mut spec);
    references::write_out(&mut spec);
    spec
}

/// Returns all operations of a description.
fn operations(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    children(spec, "paths").flat_map(values)
}

/// Returns the values inside a field; none if there is no such field. (`value["field"]` would make the field.)
fn children<'a>(value: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    value.get_mut(field).into_iter().flat_map(values)
}

/// Returns the values of a list inside a field; none if there is no such list.
fn children_list<'a>(value: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    value.get_mut(field).and_then(Value::as_sequence_mut).into_iter().flatten()
}

/// Returns the values of the fields of an object; none if it isn't one.
fn values(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_mapping_mut().into_iter().flat_map(Mapping::values_mut)
}

/// Calls `change` with every object inside a value, the inner ones first.
fn for_each_object(value: &mut Value, change: &mut impl FnMut(&mut Mapping)) {
    match value {
        Value::Sequence(items) => items.iter_mut().for_each(|item| for_each_object(item, change)),
        Value::Mapping(object) => {
            object.values_mut().for_each(|item| for_each_object(item, change));
            change(object);
        }
        _ => {}
    }
}

/// Returns a value from JSON.
fn value(json: &serde_json::Value) -> Value {
    serde_yaml::to_value(json).expect("JSON can be a value of YAML")
}

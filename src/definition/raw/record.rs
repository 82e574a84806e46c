//! A struct whose fields are the keys of a mapping: how it is read, and its JSON Schema.

/// Declares a struct of [`super::Field`]s. Each line is `required` or `optional`, a key, its type; the doc comments
/// become the descriptions of the schema.
macro_rules! record {
    (
        $(#[doc = $about:literal])*
        pub(crate) struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $need:ident $key:ident: $type:ty,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Default)]
        pub(crate) struct $name {
            $(
                $(#[doc = $doc])*
                pub(crate) $key: $crate::definition::raw::Field<$type>,
            )*
        }

        impl $crate::definition::raw::Read for $name {
            fn read(
                node: &$crate::definition::yaml::Node<'_>,
                to: &mut $crate::definition::raw::Reader,
            ) -> Option<Self> {
                const KEYS: &[&str] = &[$($crate::definition::raw::record::plain(stringify!($key))),*];
                let mut record = Self::default();
                for entry in to.map(node, "keys with their values")? {
                    match &*entry.key {
                        $(key if key == $crate::definition::raw::record::plain(stringify!($key)) => {
                            record.$key = $crate::definition::raw::Field::read(&entry.value, to);
                        })*
                        _ => to.unknown_key(entry, KEYS),
                    }
                }
                $($crate::definition::raw::record::$need!(record.$key, $crate::definition::raw::record::plain(stringify!($key)), node, to);)*
                Some(record)
            }
        }

        impl $crate::definition::raw::Shape for $name {
            fn shape(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut properties = serde_json::Map::new();
                let mut needed: Vec<&str> = Vec::new();
                $({
                    let schema = <$type as $crate::definition::raw::Shape>::shape(generator);
                    let schema = $crate::definition::raw::record::described(schema, concat!($($doc, "\n"),*));
                    let key = $crate::definition::raw::record::plain(stringify!($key));
                    properties.insert(key.to_owned(), schema);
                    if stringify!($need) == "required" {
                        needed.push(key);
                    }
                })*
                schemars::json_schema!({
                    "type": "object",
                    "description": concat!($($about, "\n"),*).trim(),
                    "properties": properties,
                    "required": needed,
                    "additionalProperties": false,
                })
            }
        }
    };
}

macro_rules! required {
    ($field:expr, $key:expr, $node:expr, $to:expr) => {
        if $field.is_absent() {
            $to.findings.push($crate::definition::defect::Finding::error(
                $crate::definition::raw::record::head($node),
                format!("`{}` is missing", $key),
            ));
        }
    };
}

macro_rules! optional {
    ($field:expr, $key:expr, $node:expr, $to:expr) => {};
}

use super::super::defect::Place;
use super::super::yaml::Node;
pub(super) use {optional, record, required};

/// A key as files write it: that of a field whose name is a word of Rust.
pub(crate) const fn plain(key: &'static str) -> &'static str {
    match key.as_bytes() {
        [b'r', b'#', ..] => key.split_at(2).1,
        _ => key,
    }
}

/// Where a mapping begins, not what it covers.
pub(super) fn head(node: &Node<'_>) -> Place {
    Place { length: 1, ..node.at }
}

/// A schema with a description of its own beside it.
pub(super) fn described(schema: schemars::Schema, about: &str) -> serde_json::Value {
    let mut schema = schema;
    let about = about.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    if !about.trim().is_empty() {
        schema.insert("description".to_owned(), about.trim().to_owned().into());
    }
    schema.to_value()
}

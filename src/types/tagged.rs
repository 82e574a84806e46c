//! Reading enums whose first field names the variant, as the journal writes them.
//!
//! What serde makes of `#[serde(tag = …)]` keeps every field in memory until it has seen the tag, because that may come
//! last. Here it comes first, and the fields are read as they come: half of what reading an entry took.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Lets an enum without a tag be read from the form with one.
pub(crate) struct ByFirstField<D> {
    pub(crate) tag: &'static str,
    pub(crate) from: D,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ByFirstField<D> {
    type Error = D::Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.from.deserialize_map(Fields { tag: self.tag, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, D::Error> {
        Err(D::Error::custom("only an enum is read by its first field"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Fields<V> {
    tag: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object that begins with `{}`", self.tag)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<V::Value, A::Error> {
        match fields.next_key::<Cow<'de, str>>()? {
            Some(first) if first == self.tag => self.visitor.visit_enum(Rest(fields)),
            _ => Err(A::Error::custom(format_args!("it does not begin with `{}`", self.tag))),
        }
    }
}

/// The fields behind the tag.
struct Rest<A>(A);

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Rest<A> {
    type Error = A::Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        mut self,
        seed: S,
    ) -> Result<(S::Value, Self), A::Error> {
        let name = self.0.next_value_seed(seed)?;
        Ok((name, self))
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn unit_variant(mut self) -> Result<(), A::Error> {
        while self.0.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        seed.deserialize(MapAccessDeserializer::new(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _: V) -> Result<V::Value, A::Error> {
        Err(A::Error::custom("a variant without names has no form with a tag"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        a: u32,
    }

    macro_rules! both {
        ($($variants:tt)*) => {
            #[derive(Debug, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = "kebab-case", tag = "is")]
            enum BySerde { $($variants)* }

            #[derive(Debug, PartialEq, Deserialize)]
            #[serde(rename_all = "kebab-case")]
            enum Plain { $($variants)* }
        };
    }
    both! { Alone, Holds(Box<Inner>), HasFields { a: u32, b: Option<String> } }

    fn read(text: &str) -> Result<Plain, String> {
        let mut from = serde_json::Deserializer::from_str(text);
        Plain::deserialize(ByFirstField { tag: "is", from: &mut from }).map_err(|e| e.to_string())
    }

    #[test]
    fn it_reads_what_serde_writes_and_would_read() {
        let fields = BySerde::HasFields { a: 7, b: Some("x\"".to_owned()) };
        for value in [BySerde::Alone, BySerde::Holds(Box::new(Inner { a: 1 })), fields] {
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(format!("{:?}", read(&text).unwrap()), format!("{value:?}"));
        }
        for also in [r#"{"is":"alone","more":[1,{}]}"#, r#"{"is":"holds","more":null,"a":3}"#] {
            let by_serde: BySerde = serde_json::from_str(also).unwrap();
            assert_eq!(format!("{:?}", read(also).unwrap()), format!("{by_serde:?}"));
        }
    }

    #[test]
    fn what_it_cannot_read_says_why() {
        let not = |text: &str| read(text).unwrap_err();
        assert!(not(r#"{"a":1,"is":"holds"}"#).contains("does not begin with `is`"));
        assert!(not("{}").contains("does not begin with `is`"));
        assert!(not("[]").contains("an object that begins with `is`"));
        assert!(not(r#"{"is":"other"}"#).contains("unknown variant `other`"));
        assert!(not(r#"{"is":"holds"}"#).contains("missing field `a`"));
    }
}

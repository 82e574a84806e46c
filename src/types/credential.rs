//! What is kept of secrets: never the secret, and never printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that `{:?}` does not show.
macro_rules! kept {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

kept! {
    /// A password as argon2id leaves it, in the PHC form.
    PasswordHash
}

string_schema!(PasswordHash, r"^\$argon2id\$", "a password as argon2id leaves it (PHC form)");

kept! {
    /// SHA-256 of a token's secret, in hex. The secret has 256 random bits, so its hash can be looked up.
    TokenHash
}

string_schema!(TokenHash, "^[0-9a-f]{64}$", "SHA-256 of a token's secret, in hex");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_not_printed_with_what_holds_it() {
        assert_eq!(format!("{:?}", PasswordHash("$argon2id$x".into())), "PasswordHash(…)");
        assert_eq!(format!("{:?}", Some(TokenHash("ab".into()))), "Some(TokenHash(…))");
    }
}

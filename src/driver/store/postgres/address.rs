//! Where a database is, without its secret.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

/// A database as its URL names it: `postgres://user@host:5432/database?sslmode=verify-full`. The password is not part of
/// it; it comes from the environment or the password file, and is shown nowhere.
#[derive(Clone)]
pub struct PostgresAddress {
    options: Arc<PgConnectOptions>,
    shown: String,
}

/// Words that name no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    #[error(
        "a store is named by a URL such as postgres://nightrun@db.example:5432/nightrun?sslmode=verify-full"
    )]
    NoUrl,
    #[error(
        "the URL of the store holds a password, which everybody on the host could read: write it into the file that PGPASSFILE names (host:port:database:user:password, mode 0600), or give it in PGPASSWORD"
    )]
    Secret,
    #[error("the URL of the store names no database: postgres://user@host/DATABASE")]
    NoDatabase,
    #[error("the URL of the store: {0}")]
    Wrong(String),
}

impl FromStr for PostgresAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or(NoAddress::NoUrl)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = place.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let named = |pair: &str| pair.split('=').next().is_some_and(|key| key == "password");
        if user.contains(':') || query.split('&').any(named) {
            return Err(NoAddress::Secret);
        }
        let options =
            PgConnectOptions::from_str(text).map_err(|why| NoAddress::Wrong(why.to_string()))?;
        if options.get_database().is_none() {
            return Err(NoAddress::NoDatabase);
        }
        Ok(Self { options: Arc::new(options), shown: format!("postgres://{place}") })
    }
}

impl PostgresAddress {
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::clone(&self.options)
    }
}

/// Without what was set beside it, and without the password.
impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_with_a_database_and_without_a_password() {
        let address: PostgresAddress =
            "postgres://nightrun@db.example:5433/bank?sslmode=require".parse().unwrap();
        assert_eq!(address.to_string(), "postgres://nightrun@db.example:5433/bank");
        assert_eq!(format!("{address:?}"), address.to_string());
        for (text, why) in [
            ("nightrun.db", NoAddress::NoUrl),
            ("mysql://a/b", NoAddress::NoUrl),
            ("postgres://u:s3cret@db/bank", NoAddress::Secret),
            ("postgres://u:@db/bank", NoAddress::Secret),
            ("postgres://db/bank?user=u&password=s3cret", NoAddress::Secret),
            ("postgres://u@db", NoAddress::NoDatabase),
        ] {
            assert_eq!(text.parse::<PostgresAddress>().err(), Some(why), "{text}");
        }
        let wrong = "postgres://u@db/bank?sslmode=perhaps".parse::<PostgresAddress>().unwrap_err();
        assert!(matches!(wrong, NoAddress::Wrong(_)), "{wrong:?}");
    }
}

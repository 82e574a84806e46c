//! Where a database is, without its secret.

#![expect(clippy::disallowed_methods, reason = "driver: it reads the file of the password")]

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
        "the URL of the store holds a password, which everybody on the host could read: write it into a file of its own and name that (store_password_file: in the settings, or NIGHTRUN_STORE_PASSWORD_FILE; mode 0600), or into the one that PGPASSFILE names"
    )]
    Secret,
    #[error("the URL of the store names no database: postgres://user@host/DATABASE")]
    NoDatabase,
    #[error("the URL of the store: {0}")]
    Wrong(String),
    #[error("the password of the store: {path}: {why}")]
    NoPassword { path: PathBuf, why: String },
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
    /// With the password that a file holds, its first line; read once. The file must be for its owner (or a group) alone.
    pub fn with_password_of(&self, file: &Path) -> Result<Self, NoAddress> {
        let bad = |why: String| NoAddress::NoPassword { path: file.to_owned(), why };
        let meta = file.metadata().map_err(|why| bad(why.to_string()))?;
        if meta.mode() & 0o007 != 0 {
            return Err(bad("everybody may read it; let nobody else: chmod 600".to_owned()));
        }
        let text = std::fs::read_to_string(file).map_err(|why| bad(why.to_string()))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(bad("it is empty; its first line is to be the password".to_owned()));
        }
        let options = Arc::new(self.options().password(password));
        Ok(Self { options, shown: self.shown.clone() })
    }

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
    fn a_password_comes_from_a_file_that_is_nobody_elses_and_is_shown_nowhere() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let address: PostgresAddress = "postgres://nightrun@db.example/bank".parse().unwrap();
        let why = |file: &Path| address.with_password_of(file).unwrap_err().to_string();
        assert!(why(&file).contains("No such file"), "{}", why(&file));
        std::fs::write(&file, "s3cret\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(why(&file).contains("chmod 600"), "{}", why(&file));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let with = address.with_password_of(&file).unwrap();
        assert!(!format!("{with} {with:?}").contains("s3cret"));
        assert!(format!("{:?}", with.options()).contains("s3cret"));
        std::fs::write(&file, "\n").unwrap();
        assert!(why(&file).contains("empty"), "{}", why(&file));
    }

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

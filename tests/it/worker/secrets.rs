//! What lets the worker in at a server, and whom it takes for that server: password file and TLS.

use nightrun::definition::site::ServerTls;

use super::places::Of;
use super::*;
use crate::mariadb_server::MariaServer;
use crate::postgres_server::Server;
use crate::smtp_sink::certificate;

const PASSWORD: &str = "s3cret-77";

/// A server of each kind that speaks TLS and asks the account for a password.
fn places(certificates: &std::path::Path) -> [Place; 2] {
    let postgres = on(async {
        let server = Server::start_with("host all teller 127.0.0.1/32 scram-sha-256");
        server.encrypt(certificates).await;
        let place = Place::on_postgres(Of::Own(server)).await;
        let sql = format!("alter role teller password '{PASSWORD}'");
        place.execute(std::path::Path::new(""), &sql).await;
        place
    });
    let maria = on(async {
        let place = Place::on_maria(Of::Own(MariaServer::encrypted(certificates))).await;
        let sql = format!("alter user 'teller'@'%' identified by '{PASSWORD}'");
        place.execute(std::path::Path::new(""), &sql).await;
        place
    });
    [postgres, maria]
}

#[test]
fn a_server_is_taken_for_itself_only_with_the_right_certificate_and_password() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    certificate(&folder.path().join("other"));
    for place in places(folder.path()) {
        let bench = Bench { place, ..Bench::new() };
        // Whether the session is encrypted, by the server's own word.
        let encrypted = match bench.place {
            Place::Postgres { .. } => {
                "select 1 from pg_stat_ssl where pid = pg_backend_pid() and ssl"
            }
            _ => {
                "select 1 from information_schema.session_status where variable_name = 'ssl_cipher' and variable_value <> ''"
            }
        };
        let script = format!("-- expect: rows\n{encrypted}");
        let said = |password: &str, ca: Option<&str>| {
            let secret = bench.write("password", format!("{password}\n"));
            let mut task = bench.sql_task(&script, Transaction::One);
            let Task::Sql { engine, .. } = &mut task else { panic!("{task:?}") };
            let (Engine::Postgres(server) | Engine::Mysql(server)) = engine else {
                panic!("{engine:?}")
            };
            server.password_file = Some(secret);
            server.ca = ca.map(|ca| folder.path().join(ca));
            server.tls = if ca.is_some() { ServerTls::Require } else { ServerTls::None };
            let left = bench.run(&task);
            let told = format!("{}{}", left.out, left.err);
            assert!(!told.contains(PASSWORD) && !told.contains("wr0ng"), "{told}");
            (left.code, left.err)
        };
        assert_eq!(said(PASSWORD, Some("ca.pem")), (Some(0), String::new()));
        // The server would speak without it, too: it is the site that wants it.
        let (code, why) = said(PASSWORD, None);
        assert!(code == Some(1) && why.contains("rows were expected"), "{code:?} {why}");
        let (code, why) = said(PASSWORD, Some("other/ca.pem"));
        assert!(code == Some(1) && why.contains("certificate"), "{code:?} {why}");
        let (code, why) = said(PASSWORD, Some("missing.pem"));
        assert!(code == Some(1) && why.contains("missing.pem"), "{code:?} {why}");
        let (code, why) = said("wr0ng", Some("ca.pem"));
        let words = match bench.place {
            Place::Postgres { .. } => "password authentication failed for user \"teller\"",
            _ => "Access denied for user 'teller'",
        };
        assert!(code == Some(1) && why.contains(words), "{code:?} {why}");
    }
}

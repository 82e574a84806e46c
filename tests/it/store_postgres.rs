//! The store on PostgreSQL: the suite, on a real server, and what only a database that is shared can suffer.

use nightrun::driver::store::postgres::{LeaseTimes, PostgresStore};

use crate::postgres_server::Server;

async fn open() -> (&'static Server, PostgresStore) {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    let store = PostgresStore::open(&address, "here".to_owned(), LeaseTimes::default()).await;
    (server, store.unwrap())
}

crate::store_suite!(open);

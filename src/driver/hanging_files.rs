//! Files that may lie on a file system that hangs: each is waited for by one thread, however often it is looked at.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Whose turn it is at a file.
type Turn = Arc<tokio::sync::Mutex<()>>;

static TURNS: LazyLock<Mutex<BTreeMap<PathBuf, Turn>>> = LazyLock::new(Mutex::default);

/// Does something with a file on a thread of its own, after all that was begun with it before. Whoever gives up waiting
/// leaves no thread behind, but for the first one.
///
/// # Errors
/// The work has broken down.
pub async fn apart<T: Send + 'static>(
    file: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let turn = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(file.to_owned()).or_default())
    };
    let turn = turn.lock_owned().await;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_file_that_hangs_takes_one_thread_however_often_it_is_looked_at() {
        let file = Path::new("/somewhere/that-hangs");
        let (answer, hangs) = mpsc::channel::<()>();
        let hangs = Arc::new(Mutex::new(hangs));
        let begun = Arc::new(AtomicU32::new(0));
        for _ in 0..3 {
            let (hangs, begun) = (Arc::clone(&hangs), Arc::clone(&begun));
            let look = apart(file, move || {
                begun.fetch_add(1, Ordering::Relaxed);
                hangs.lock().unwrap().recv().ok();
            });
            assert!(timeout(Duration::from_millis(20), look).await.is_err());
        }
        assert_eq!(begun.load(Ordering::Relaxed), 1);
        assert_eq!(apart(Path::new("/elsewhere"), || 7).await.unwrap(), 7, "nothing else waits");
        answer.send(()).unwrap();
        assert_eq!(apart(file, || 8).await.unwrap(), 8, "it is back");
    }
}

//! The one signal that ends every loop of this crate.

use tokio::sync::watch;

/// Ends every loop that holds the [`Shutdown`] made with it, when told to or dropped.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Waits for the end; cloned into every loop.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// A trigger and what waits for it.
pub fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    /// Tells every loop to finish what it has begun and to take nothing new.
    pub fn pull(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Whether the trigger was pulled or dropped.
    pub fn is_pulled(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns once the trigger was pulled or dropped; may be awaited any number of times.
    ///
    /// Cancel-safe: it only looks.
    pub async fn pulled(&mut self) {
        // An error means that the trigger is gone, and with it whoever wanted the loops to run.
        let _ = self.0.wait_for(|pulled| *pulled).await;
    }
}

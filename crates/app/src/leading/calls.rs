//! Whether a phone is in a call, as far as its account's PBX says.

use crate::{App, AppError};
use provost_core::firmware::policy::CallNow;
use provost_store::FirmwarePlace;
use std::time::Duration;

/// A phone waits for its master file meanwhile; it gives up after half a minute.
const ASKED_WITHIN: Duration = Duration::from_secs(5);

impl App {
    /// Whether the phone is in a call. Where no PBX is asked, the phone itself decides when to restart.
    pub(super) async fn call_of(&self, place: &FirmwarePlace) -> Result<CallNow, AppError> {
        let Some(connector) = self.connector_for(&place.account).await? else { return Ok(CallNow::Idle) };
        let Some(device) = self.store.device(&place.device).await? else { return Ok(CallNow::Idle) };
        match tokio::time::timeout(ASKED_WITHIN, self.talks(&connector, &device)).await {
            Ok(Ok(Some(true))) => Ok(CallNow::Talks),
            Ok(Ok(Some(false))) => Ok(CallNow::Idle),
            // A PBX that was to be asked and did not answer, of late or at all, may have the phone in a call.
            Ok(Ok(None) | Err(_)) | Err(_) => Ok(CallNow::NotKnown),
        }
    }
}

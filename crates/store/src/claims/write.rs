//! Writes claims that were granted, many with one statement each.

use super::{ClaimBy, ClaimRequest};
use crate::StoreError;
use crate::bindings::move_files;
use crate::codes::void_open_code;
use crate::report::Select;
use crate::sql::Tx;
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::sentence::Entry;
use std::collections::HashSet;

/// What was found out about a claim that is granted.
pub(super) struct Accepted {
    pub(super) device: DeviceId,
    pub(super) extension: Option<String>,
    /// Whether the phone or the device has files of a user here.
    pub(super) has_files: bool,
}

/// Claims that are granted and not written yet, of a phone and a device each.
#[derive(Default)]
pub(super) struct Granted<'r> {
    claims: Vec<(&'r ClaimRequest<'r>, Accepted)>,
    phones: HashSet<MacAddr>,
    devices: HashSet<DeviceId>,
}

impl<'r> Granted<'r> {
    pub(super) fn has_phone(&self, phone: MacAddr) -> bool {
        self.phones.contains(&phone)
    }

    pub(super) fn has_device(&self, device: &DeviceId) -> bool {
        self.devices.contains(device)
    }

    pub(super) fn add(&mut self, request: &'r ClaimRequest<'r>, accepted: Accepted) {
        self.phones.insert(request.mac);
        self.devices.insert(accepted.device.clone());
        self.claims.push((request, accepted));
    }

    /// Writes them; what comes after is judged by what stands then.
    pub(super) async fn write(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.phones.clear();
        self.devices.clear();
        let claims = std::mem::take(&mut self.claims);
        if claims.is_empty() {
            return Ok(());
        }
        use_codes(tx, &claims).await?;
        bind(tx, &claims).await?;
        tell(tx, &claims).await?;
        for (request, accepted) in &claims {
            if let Some(entry) = request.audit {
                crate::audit::write(tx, entry).await?;
            }
            if accepted.has_files {
                move_files(tx, &accepted.device, &request.mac.to_string()).await?;
            }
        }
        Ok(())
    }
}

type Claims<'r> = [(&'r ClaimRequest<'r>, Accepted)];

/// The codes are used up; one that was open without being asked for is void.
async fn use_codes(tx: &mut Tx, claims: &Claims<'_>) -> Result<(), StoreError> {
    let mut update = Select::new("UPDATE codes SET used_by = v.column2, used_ms = v.column3 FROM (");
    let mut codes = 0u64;
    for (request, accepted) in claims {
        let ClaimBy::Code(digest) = request.by else {
            void_open_code(tx, &accepted.device, request.now).await?;
            continue;
        };
        update.push(if codes == 0 { "VALUES (" } else { ", (" });
        update.blob(Some(digest));
        update.push(", ");
        update.text(&request.mac.to_string());
        update.push(", ");
        update.number(request.now.0);
        update.push(")");
        codes = codes.saturating_add(1);
    }
    update.push(") AS v WHERE codes.digest = v.column1 AND codes.used_by IS NULL AND codes.voided_ms IS NULL");
    // Each was found open in this transaction.
    if codes > 0 && update.query::<()>().execute(tx).await? != codes {
        return Err(StoreError::Missing { what: "open code" });
    }
    Ok(())
}

/// Device and phone are one, with new passwords, and the phone is waited for.
async fn bind(tx: &mut Tx, claims: &Claims<'_>) -> Result<(), StoreError> {
    let mut bindings = Rows::of("INSERT INTO bindings (device, mac, how, bound_ms, passwords) VALUES ");
    let mut passwords = Rows::of(
        "INSERT INTO phone_passwords (id, device, mac, admin_password, user_password, admin_digest, made_ms) VALUES ",
    );
    let mut phones = Rows::of("INSERT INTO device_phones (device, mac, bound_ms) VALUES ");
    let mut awaited = Rows::of("INSERT INTO awaited (mac, since_ms) VALUES ");
    for (request, Accepted { device, .. }) in claims {
        let (device, phone, now) = (device.as_str(), request.mac.to_string(), request.now.0);
        let ClaimRequest { event_id: id, admin_password: admin, user_password: user, admin_digest, .. } = request;
        bindings.row().text(device).text(&phone).text(request.how.as_str()).number(now).text(id);
        passwords.row().text(id).text(device).text(&phone).blob(admin).blob(user).blob(admin_digest).number(now);
        phones.row().text(device).text(&phone).number(now);
        awaited.row().text(&phone).number(now);
    }
    bindings.write(tx, "").await?;
    passwords.write(tx, "").await?;
    phones.write(tx, "").await?;
    awaited.write(tx, " ON CONFLICT (mac) DO UPDATE SET since_ms = excluded.since_ms, noted_ms = NULL").await
}

/// The timeline entries of the claims, beside the bindings: neither can be lost without the other.
async fn tell(tx: &mut Tx, claims: &Claims<'_>) -> Result<(), StoreError> {
    let mut events = Rows::of("INSERT INTO events (id, mac, at_ms, kind, sentence, advice, reference) VALUES ");
    for (request, accepted) in claims {
        let Entry { kind, sentence, advice, reference, .. } =
            (request.tell)(accepted.extension.as_deref(), request.how, request.mac);
        let mut row = events.row();
        row.text(request.event_id).text(&request.mac.to_string()).number(request.now.0);
        row.text(kind.as_str()).text(&sentence).optional(advice.as_deref()).optional(reference.as_deref());
    }
    events.write(tx, "").await
}

/// Rows of one statement.
struct Rows {
    insert: Select,
    are_there: bool,
}

/// One of them, from left to right.
struct Row<'i> {
    insert: &'i mut Select,
    is_begun: bool,
}

impl Rows {
    fn of(insert: &str) -> Self {
        Self { insert: Select::new(insert), are_there: false }
    }

    fn row(&mut self) -> Row<'_> {
        self.insert.push(if self.are_there { ", (" } else { "(" });
        self.are_there = true;
        Row { insert: &mut self.insert, is_begun: false }
    }

    async fn write(mut self, tx: &mut Tx, conflict: &str) -> Result<(), StoreError> {
        self.insert.push(conflict);
        self.insert.query::<()>().execute(tx).await?;
        Ok(())
    }
}

impl Row<'_> {
    fn next(&mut self) -> &mut Select {
        if self.is_begun {
            self.insert.push(", ");
        }
        self.is_begun = true;
        self.insert
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.next().text(value);
        self
    }

    fn optional(&mut self, value: Option<&str>) -> &mut Self {
        self.next().optional(value);
        self
    }

    fn number(&mut self, value: i64) -> &mut Self {
        self.next().number(value);
        self
    }

    fn blob(&mut self, value: &[u8]) -> &mut Self {
        self.next().blob(Some(value));
        self
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.insert.push(")");
    }
}

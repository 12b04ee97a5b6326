//! What becomes of a device after it was added: another user, another phone, release and removal, and the way back.
//!
//! Each change is one transaction with its entry in the audit log and on the timeline of the phone it touches.

mod changes;
mod history;

pub use history::{DevicePhone, ReleaseRow};

use crate::StoreError;
use crate::devices::Bar;
use crate::rows::mac;
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::timeline::{NewEvent, add_event};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A change of a device that its phone's timeline tells.
#[derive(Clone, Copy)]
pub struct DeviceChange<'a> {
    /// The device.
    pub device: &'a DeviceId,
    /// Now.
    pub now: UnixMillis,
    /// The id of the timeline entry.
    pub event_id: &'a str,
    /// What it says.
    pub tell: &'a (dyn Fn(MacAddr) -> Entry + Sync),
    /// The files of the phone that hold what its user changed, by their names.
    pub carried: &'a [String],
}

/// What takes the place of a dead phone.
#[derive(Clone, Copy)]
pub struct Swap<'a> {
    /// The new phone, if its MAC is known.
    pub mac: Option<MacAddr>,
    /// The code by which any other phone of the model is claimed.
    pub code: Option<&'a crate::NewCode<'a>>,
}

/// Why a device was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRefusal {
    /// It has no phone.
    NoPhone,
    /// It has a phone.
    HasPhone,
    /// It has no user.
    NoUser,
    /// It is disabled.
    Disabled,
    /// It was released.
    Released(UnixMillis),
    /// It was not released.
    NotReleased,
    /// It had a phone and was not released.
    StillKept,
    /// It was released too long ago.
    TooLate {
        /// When it was released.
        released: UnixMillis,
    },
    /// The phone is the one it has.
    SamePhone,
    /// The phone is bound to another device.
    PhoneTaken(MacAddr),
    /// Another device of the account names the phone.
    PhoneNamed(MacAddr),
    /// The phone was set aside.
    PhoneSetAside(MacAddr),
    /// Its user was removed.
    UserGone,
}

/// Which devices a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those without a phone.
    Unbound,
    /// All.
    Any,
}

/// How a device ended with a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another phone took its place.
    Swapped,
    /// The device went back to stock.
    Unassigned,
    /// The device was released.
    Released,
}

/// What a restored device is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The phone it is bound to again.
    pub phone: Option<MacAddr>,
    /// The pair of passwords of that phone.
    pub passwords: Option<String>,
}

/// What came of a change.
pub(crate) type Changed<T> = Result<Result<T, ChangeRefusal>, StoreError>;

impl Ended {
    /// Each with its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("swapped", Self::Swapped), ("unassigned", Self::Unassigned), ("released", Self::Released)];

    /// The word for the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Unassigned => "unassigned",
            Self::Released => "released",
        }
    }
}

/// A device as a change finds it.
#[derive(FromRow)]
struct Found {
    account: String,
    model: String,
    person: Option<String>,
    site: Option<String>,
    named_mac: Option<String>,
    barred: Option<String>,
    created_ms: i64,
    released_ms: Option<i64>,
    mac: Option<String>,
    how: Option<String>,
    passwords: Option<String>,
    pin: Option<String>,
    pin_address: Option<String>,
}

impl Found {
    async fn read(tx: &mut Tx, device: &DeviceId) -> Result<Self, StoreError> {
        const SQL: &str = "SELECT d.account, d.model, d.person, u.site, d.mac AS named_mac, d.barred, d.created_ms, \
                           d.released_ms, b.mac, b.how, b.passwords, b.pin, b.pin_address FROM devices d \
                           LEFT JOIN persons u ON u.id = d.person LEFT JOIN bindings b ON b.device = d.id WHERE d.id = $1";
        let row = query_as(SQL).bind(device.as_str()).fetch_optional(&mut *tx).await?;
        row.ok_or(StoreError::Missing { what: "device" })
    }

    /// The phone it is bound to.
    fn phone(&self) -> Result<Option<MacAddr>, StoreError> {
        self.mac.as_deref().map(mac).transpose()
    }

    fn is_barred_as(&self, bar: Bar) -> Result<bool, StoreError> {
        Ok(Bar::read(self.barred.as_deref())? == Some(bar))
    }
}

impl DeviceChange<'_> {
    async fn tell(&self, tx: &mut Tx, phone: MacAddr) -> Result<(), StoreError> {
        let entry = (self.tell)(phone);
        let event = NewEvent { id: self.event_id.to_owned(), mac: phone, at: self.now, entry, contact: None };
        add_event(tx, &event).await
    }

    /// The device ends with its phone: what its user changed on it stays with the device, and nobody waits for it.
    async fn end(&self, tx: &mut Tx, phone: MacAddr, how: Ended) -> Result<(), StoreError> {
        const UNBIND: &str = "DELETE FROM bindings WHERE device = $1";
        const RECORD: &str =
            "UPDATE device_phones SET ended_ms = $2, ended_how = $3 WHERE device = $1 AND ended_ms IS NULL";
        const CARRY: &str = "INSERT INTO device_uploads (device, ending, bytes, updated_ms) \
                             SELECT $1, SUBSTR(name, 13), bytes, updated_ms FROM uploads WHERE mac = $2 AND name = $3 \
                             ON CONFLICT (device, ending) DO UPDATE SET bytes = excluded.bytes, updated_ms = excluded.updated_ms";
        const CARRIED: &str = "DELETE FROM uploads WHERE mac = $1 AND name = $2";
        const AWAITED: &str = "DELETE FROM awaited WHERE mac = $1";
        const MOVED: &str = "DELETE FROM moves WHERE mac = $1";
        // What it fetched holds the passwords of a user it is not any more.
        const FETCHED: &str = "DELETE FROM fetched_configurations WHERE mac = $1";
        const CLEARED: &str = "DELETE FROM cleared_overrides WHERE mac = $1";
        // What it was led to was decided for whom it is not any more.
        const LED: &str = "UPDATE firmware_steps SET state = 'withdrawn', ended_as = 'it is not the device''s phone any more', \
                           ended_ms = $2, touched_ms = $2 WHERE mac = $1 AND ended_ms IS NULL";
        let (device, text) = (self.device.as_str(), phone.to_string());
        query(UNBIND).bind(device).execute(&mut *tx).await?;
        query(RECORD).bind(device).bind(self.now.0).bind(how.as_str()).execute(&mut *tx).await?;
        for name in self.carried {
            query(CARRY).bind(device).bind(&text).bind(name).execute(&mut *tx).await?;
            query(CARRIED).bind(&text).bind(name).execute(&mut *tx).await?;
        }
        query(AWAITED).bind(&text).execute(&mut *tx).await?;
        query(LED).bind(&text).bind(self.now.0).execute(&mut *tx).await?;
        for sql in [MOVED, FETCHED, CLEARED] {
            query(sql).bind(&text).execute(&mut *tx).await?;
        }
        Ok(())
    }

    /// Whoever was let in for the device without proof is not any more.
    async fn revoke_exceptions(&self, tx: &mut Tx) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE exceptions SET revoked_ms = $2 WHERE device = $1 AND revoked_ms IS NULL AND ends_ms > $2";
        query(SQL).bind(self.device.as_str()).bind(self.now.0).execute(&mut *tx).await?;
        Ok(())
    }
}

/// Why the device cannot have this phone, if that is so.
async fn not_free(
    tx: &mut Tx,
    device: &DeviceId,
    (account, phone): (&str, MacAddr),
) -> Result<Option<ChangeRefusal>, StoreError> {
    const TAKEN: &str = "SELECT COUNT(*) FROM bindings WHERE mac = $1 AND device <> $2";
    const ASIDE: &str = "SELECT COUNT(*) FROM set_aside_phones WHERE mac = $1";
    const NAMED: &str = "SELECT COUNT(*) FROM devices WHERE mac = $1 AND account = $2 AND id <> $3";
    let text = phone.to_string();
    let taken: i64 = query_scalar(TAKEN).bind(&text).bind(device.as_str()).fetch_one(&mut *tx).await?;
    let aside: i64 = query_scalar(ASIDE).bind(&text).fetch_one(&mut *tx).await?;
    let named: i64 = query_scalar(NAMED).bind(&text).bind(account).bind(device.as_str()).fetch_one(&mut *tx).await?;
    Ok(if taken > 0 {
        Some(ChangeRefusal::PhoneTaken(phone))
    } else if aside > 0 {
        Some(ChangeRefusal::PhoneSetAside(phone))
    } else if named > 0 {
        Some(ChangeRefusal::PhoneNamed(phone))
    } else {
        None
    })
}

//! Another key: everything that is encrypted or hashed with it is written anew, in one transaction.
//!
//! Knows where ciphertext stands and nothing of keys. A table that gets a ciphertext column gets its lines here; a test
//! of the app crate looks for columns that were forgotten.

use crate::rows::mac;
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::{Audited, StoreError};
use provost_core::mac::MacAddr;

/// A secret as it stands in the database, with what its ciphertext belongs to.
#[derive(Debug)]
pub enum Ciphertext<'a> {
    /// The password of a SIP line; places count from 0.
    Line {
        /// The user.
        user: &'a str,
        /// The line.
        place: i64,
        /// The ciphertext.
        password: &'a [u8],
    },
    /// An activation code, which is found by its keyed hash.
    Code {
        /// The device.
        device: &'a str,
        /// The digits, encrypted.
        shown: &'a [u8],
    },
    /// A phone's pair of passwords; the administrator's is found by its keyed hash.
    Passwords {
        /// The phone.
        mac: MacAddr,
        /// The administrator password, encrypted.
        admin: &'a [u8],
        /// The user password, encrypted.
        user: &'a [u8],
    },
    /// The identity of an activation line, whose name ends with a keyed mark.
    SipIdentity {
        /// The phone.
        mac: MacAddr,
        /// The name.
        user: &'a str,
        /// The ciphertext.
        password: &'a [u8],
    },
    /// The answer to a request with a key.
    Request {
        /// Its id.
        id: &'a str,
        /// The ciphertext.
        answer: &'a [u8],
    },
    /// The password of a connector.
    Connector {
        /// The connector.
        id: &'a str,
        /// The ciphertext.
        password: &'a [u8],
    },
    /// The secret of an administrator's authenticator.
    Totp {
        /// The administrator.
        id: &'a str,
        /// The ciphertext.
        secret: &'a [u8],
    },
    /// The content of a mail.
    Mail {
        /// The mail.
        id: &'a str,
        /// The ciphertext.
        content: &'a [u8],
    },
    /// The password of a row of a file that is being taken in.
    ImportRow {
        /// The import.
        import: &'a str,
        /// The row's number.
        number: i64,
        /// The ciphertext.
        password: &'a [u8],
    },
    /// The content of a revision of a layer.
    Revision {
        /// The layer.
        subject: &'a str,
        /// The revision's number.
        number: i64,
        /// The ciphertext.
        content: &'a [u8],
    },
    /// The configuration that a phone fetched last, which has a keyed hash.
    Fetched {
        /// The phone.
        mac: MacAddr,
        /// The ciphertext.
        content: &'a [u8],
    },
}

/// The same secret for the other key, in the order of the fields of [`Ciphertext`].
#[derive(Debug)]
pub struct Resealed {
    /// The first ciphertext.
    pub first: Vec<u8>,
    /// The second, where there are two.
    pub second: Vec<u8>,
    /// The keyed hash it is found by, where there is one.
    pub digest: Vec<u8>,
    /// The name, where it ends with a keyed mark.
    pub name: String,
}

/// Why nothing was written anew.
#[derive(Debug)]
pub enum ResealError<E> {
    /// The database failed.
    Store(StoreError),
    /// A secret could not be read with the one key or written with the other.
    Secret(E),
}

impl<E> From<StoreError> for ResealError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<sqlx::Error> for ResealError<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Rows that are held in memory at once.
const AT_ONCE: i64 = 500;

impl Audited<'_> {
    /// Writes every secret anew as `change` says and remembers `key_id` under `name`: all of it or nothing.
    ///
    /// # Errors
    /// [`ResealError::Secret`] is what `change` said; nothing was changed then.
    pub async fn reseal<E>(
        self,
        (name, key_id): (&str, &str),
        change: impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
    ) -> Result<u64, ResealError<E>> {
        const META: &str = "UPDATE meta SET value = $2 WHERE name = $1";
        let mut tx = self.begin().await?;
        let mut count = 0u64;
        for table in [lines(&mut tx, &change).await?, codes(&mut tx, &change).await?] {
            count = count.saturating_add(table);
        }
        for table in [passwords(&mut tx, &change).await?, identities(&mut tx, &change).await?] {
            count = count.saturating_add(table);
        }
        count = count.saturating_add(import_rows(&mut tx, &change).await?);
        for one in BY_ID {
            count = count.saturating_add(by_id(&mut tx, one, &change).await?);
        }
        for table in [revisions(&mut tx, &change).await?, fetched(&mut tx, &change).await?] {
            count = count.saturating_add(table);
        }
        query(META).bind(name).bind(key_id).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(count)
    }
}

async fn lines<E>(tx: &mut Tx, change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>) -> Result<u64, ResealError<E>> {
    const READ: &str = "SELECT person, place, password FROM person_lines \
                        WHERE password IS NOT NULL AND (person > $1 OR (person = $1 AND place > $2)) \
                        ORDER BY person, place LIMIT $3";
    const WRITE: &str = "UPDATE person_lines SET password = $3 WHERE person = $1 AND place = $2";
    let (mut after, mut count) = ((String::new(), 0), 0u64);
    loop {
        let rows: Vec<(String, i64, Vec<u8>)> =
            query_as(READ).bind(&after.0).bind(after.1).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((person, place, _)) = rows.last() else { return Ok(count) };
        after = (person.clone(), *place);
        for (user, place, password) in &rows {
            let sealed = Ciphertext::Line { user, place: *place, password };
            let new = change(sealed).map_err(ResealError::Secret)?;
            query(WRITE).bind(user).bind(*place).bind(&new.first).execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

async fn codes<E>(tx: &mut Tx, change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>) -> Result<u64, ResealError<E>> {
    // By device: the hash is what changes.
    const DEVICES: &str = "SELECT DISTINCT device FROM codes WHERE device > $1 ORDER BY device LIMIT $2";
    const READ: &str = "SELECT digest, shown FROM codes WHERE device = $1";
    const WRITE: &str = "UPDATE codes SET digest = $2, shown = $3 WHERE digest = $1";
    let (mut after, mut count) = (String::new(), 0u64);
    loop {
        let devices: Vec<String> = query_scalar(DEVICES).bind(&after).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some(last) = devices.last() else { return Ok(count) };
        after.clone_from(last);
        for device in &devices {
            let rows: Vec<(Vec<u8>, Vec<u8>)> = query_as(READ).bind(device).fetch_all(&mut *tx).await?;
            for (digest, shown) in &rows {
                let new = change(Ciphertext::Code { device, shown }).map_err(ResealError::Secret)?;
                query(WRITE).bind(digest).bind(&new.digest).bind(&new.first).execute(&mut *tx).await?;
                count = count.saturating_add(1);
            }
        }
    }
}

async fn passwords<E>(
    tx: &mut Tx,
    change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
) -> Result<u64, ResealError<E>> {
    const READ: &str =
        "SELECT id, mac, admin_password, user_password FROM phone_passwords WHERE id > $1 ORDER BY id LIMIT $2";
    const WRITE: &str =
        "UPDATE phone_passwords SET admin_password = $2, user_password = $3, admin_digest = $4 WHERE id = $1";
    let (mut after, mut count) = (String::new(), 0u64);
    loop {
        let rows: Vec<(String, String, Vec<u8>, Vec<u8>)> =
            query_as(READ).bind(&after).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((last, ..)) = rows.last() else { return Ok(count) };
        after.clone_from(last);
        for (id, phone, admin, user) in &rows {
            let sealed = Ciphertext::Passwords { mac: mac(phone)?, admin, user };
            let new = change(sealed).map_err(ResealError::Secret)?;
            let query = query(WRITE).bind(id).bind(&new.first).bind(&new.second).bind(&new.digest);
            query.execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

async fn identities<E>(
    tx: &mut Tx,
    change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
) -> Result<u64, ResealError<E>> {
    const READ: &str = "SELECT mac, sip_user, password FROM sip_identities WHERE mac > $1 ORDER BY mac LIMIT $2";
    const WRITE: &str = "UPDATE sip_identities SET sip_user = $2, password = $3 WHERE mac = $1";
    let (mut after, mut count) = (String::new(), 0u64);
    loop {
        let rows: Vec<(String, String, Vec<u8>)> =
            query_as(READ).bind(&after).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((last, ..)) = rows.last() else { return Ok(count) };
        after.clone_from(last);
        for (phone, user, password) in &rows {
            let sealed = Ciphertext::SipIdentity { mac: mac(phone)?, user, password };
            let new = change(sealed).map_err(ResealError::Secret)?;
            query(WRITE).bind(phone).bind(&new.name).bind(&new.first).execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

async fn import_rows<E>(
    tx: &mut Tx,
    change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
) -> Result<u64, ResealError<E>> {
    const READ: &str = "SELECT import, number, password FROM import_rows \
                        WHERE password IS NOT NULL AND (import > $1 OR (import = $1 AND number > $2)) \
                        ORDER BY import, number LIMIT $3";
    const WRITE: &str = "UPDATE import_rows SET password = $3 WHERE import = $1 AND number = $2";
    let (mut after, mut count) = ((String::new(), 0), 0u64);
    loop {
        let rows: Vec<(String, i64, Vec<u8>)> =
            query_as(READ).bind(&after.0).bind(after.1).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((import, number, ..)) = rows.last() else { return Ok(count) };
        after = (import.clone(), *number);
        for (import, number, password) in &rows {
            let sealed = Ciphertext::ImportRow { import, number: *number, password };
            let new = change(sealed).map_err(ResealError::Secret)?;
            query(WRITE).bind(import).bind(*number).bind(&new.first).execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

/// A table with one ciphertext a row, found by an id.
struct ById {
    read: &'static str,
    write: &'static str,
    sealed: for<'a> fn(&'a str, &'a [u8]) -> Ciphertext<'a>,
}

const BY_ID: [ById; 4] = [
    ById {
        read: "SELECT id, answer FROM requests WHERE answer IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        write: "UPDATE requests SET answer = $2 WHERE id = $1",
        sealed: |id, answer| Ciphertext::Request { id, answer },
    },
    ById {
        read: "SELECT id, password FROM connectors WHERE password IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        write: "UPDATE connectors SET password = $2 WHERE id = $1",
        sealed: |id, password| Ciphertext::Connector { id, password },
    },
    ById {
        read: "SELECT id, totp FROM administrators WHERE totp IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        write: "UPDATE administrators SET totp = $2 WHERE id = $1",
        sealed: |id, secret| Ciphertext::Totp { id, secret },
    },
    ById {
        read: "SELECT id, content FROM mails WHERE content IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
        write: "UPDATE mails SET content = $2 WHERE id = $1",
        sealed: |id, content| Ciphertext::Mail { id, content },
    },
];

async fn by_id<E>(
    tx: &mut Tx,
    ById { read, write, sealed }: ById,
    change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
) -> Result<u64, ResealError<E>> {
    let (mut after, mut count) = (String::new(), 0u64);
    loop {
        let rows: Vec<(String, Vec<u8>)> = query_as(read).bind(&after).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((last, _)) = rows.last() else { return Ok(count) };
        after.clone_from(last);
        for (id, secret) in &rows {
            let new = change(sealed(id, secret)).map_err(ResealError::Secret)?;
            query(write).bind(id).bind(&new.first).execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

async fn revisions<E>(
    tx: &mut Tx,
    change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
) -> Result<u64, ResealError<E>> {
    const READ: &str = "SELECT subject, number, content FROM configuration_revisions \
                        WHERE subject > $1 OR (subject = $1 AND number > $2) ORDER BY subject, number LIMIT $3";
    const WRITE: &str = "UPDATE configuration_revisions SET content = $3 WHERE subject = $1 AND number = $2";
    let (mut after, mut count) = ((String::new(), 0), 0u64);
    loop {
        let rows: Vec<(String, i64, Vec<u8>)> =
            query_as(READ).bind(&after.0).bind(after.1).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((subject, number, _)) = rows.last() else { return Ok(count) };
        after = (subject.clone(), *number);
        for (subject, number, content) in &rows {
            let sealed = Ciphertext::Revision { subject, number: *number, content };
            let new = change(sealed).map_err(ResealError::Secret)?;
            query(WRITE).bind(subject).bind(*number).bind(&new.first).execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

async fn fetched<E>(
    tx: &mut Tx,
    change: &impl Fn(Ciphertext<'_>) -> Result<Resealed, E>,
) -> Result<u64, ResealError<E>> {
    const READ: &str = "SELECT mac, content FROM fetched_configurations WHERE mac > $1 ORDER BY mac LIMIT $2";
    const WRITE: &str = "UPDATE fetched_configurations SET content = $2, digest = $3 WHERE mac = $1";
    let (mut after, mut count) = (String::new(), 0u64);
    loop {
        let rows: Vec<(String, Vec<u8>)> = query_as(READ).bind(&after).bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let Some((last, _)) = rows.last() else { return Ok(count) };
        after.clone_from(last);
        for (phone, content) in &rows {
            let sealed = Ciphertext::Fetched { mac: mac(phone)?, content };
            let new = change(sealed).map_err(ResealError::Secret)?;
            query(WRITE).bind(phone).bind(&new.first).bind(&new.digest).execute(&mut *tx).await?;
            count = count.saturating_add(1);
        }
    }
}

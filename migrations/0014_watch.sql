-- What home and the watch over phones look up, each by an index of its own. Nothing is stored that was not before.

-- Open codes by their end.
CREATE INDEX open_codes_by_end ON codes (expires_ms) WHERE used_by IS NULL AND voided_ms IS NULL;
-- Phones that were let in without a factory certificate: few.
CREATE INDEX phones_not_factory ON phones (mac) WHERE certificate <> 'Factory Installed';
-- The phones seen last.
CREATE INDEX phones_by_last_seen ON phones (last_seen_ms, mac);
-- Mails that did not arrive, or may not have: few, and somebody mends them.
CREATE INDEX mails_failed ON mails (id) WHERE state IN ('refused', 'given-up', 'doubtful');
-- How far each site is.
CREATE INDEX report_by_site_and_status ON device_report (site, status, contact_ms);
-- Alarms of a kind, ended ones included.
CREATE INDEX alarms_by_kind ON alarms (kind, subject, ended_ms);

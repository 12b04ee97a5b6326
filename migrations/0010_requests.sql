-- Requests that came with a key, so that a repeated one is answered as the first was: kept for a day. process tells
-- which run of the server began it; answer is encrypted, since answers hold codes and tokens; both it and status are
-- NULL while nothing was answered.
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    process TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status BIGINT,
    answer BLOB
);
CREATE INDEX requests_by_time ON requests (at_ms);

-- Which request it was that did it, where that had a key.
ALTER TABLE audit ADD COLUMN request TEXT;
CREATE INDEX audit_by_request ON audit (request) WHERE request IS NOT NULL;

-- The street address of a site, as an emergency call taker would want it.
ALTER TABLE sites ADD COLUMN emergency_address TEXT;

-- How far each phone has come from one server address to another. The rules of 0001 hold here too.
-- A row is about the binding whose pin_address is its to_address; any other row is of the past.
CREATE TABLE moves (
    mac TEXT NOT NULL PRIMARY KEY,
    from_address TEXT NOT NULL,
    to_address TEXT NOT NULL,
    -- When its pin was changed, just before the configuration was sent.
    told_ms BIGINT NOT NULL,
    -- When it first started over at the old address after that.
    back_ms BIGINT,
    -- When it was first seen at the new one.
    arrived_ms BIGINT
);

-- Images of firmware: what each is, where its bytes lie in the image store, and who put it there.

CREATE TABLE firmware_images (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- The part number it is for; NULL for an image of a whole line.
    part TEXT,
    -- The line of an image without a part.
    line TEXT,
    version TEXT NOT NULL,
    -- The updater it brings, where it says so.
    updater TEXT,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- Its name in the image store; images of equal bytes share one.
    object TEXT NOT NULL,
    -- The file that was uploaded.
    source TEXT NOT NULL,
    put_by TEXT NOT NULL,
    put_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX firmware_images_by_hardware
    ON firmware_images (kind, COALESCE(part, ''), COALESCE(line, ''), version);

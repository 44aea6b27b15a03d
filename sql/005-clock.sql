-- SPDX-License-Identifier: MIT
-- The session time while the machine's clock is behind it: one row, shared by
-- all processes of a machine (common/records/session_clock.c). There is none as long as
-- no clock was ever wrong.
CREATE TABLE session_clock (
    id        BIGINT PRIMARY KEY CHECK (id = 1),
    floor_at  BIGINT NOT NULL, -- the session time ...
    boot_at   BIGINT NOT NULL, -- ... at this CLOCK_BOOTTIME, from where it goes on,
    boot_id   TEXT NOT NULL,   -- as long as this boot of the machine lasts
    newest_at BIGINT NOT NULL, -- the newest time that was known then
    verdict   TEXT NOT NULL CHECK (verdict IN ('doubtful', 'held', 'dropped')),
    era       BIGINT NOT NULL, -- grows with each verdict by the issuer's time
    ask_at    BIGINT NOT NULL, -- the CLOCK_BOOTTIME before which nobody asks the issuer
    issuer_at BIGINT           -- what the issuer said
);

-- What the removal of tombstones leaves behind: one row (common/records/session_times.c).
CREATE TABLE session_purge (
    id               BIGINT PRIMARY KEY CHECK (id = 1),
    token_expires_at BIGINT NOT NULL -- no token that expired before may arm a session any more
);

-- SPDX-License-Identifier: MIT
-- Fetches of key sets by turns, so that strangers can't spend those of callers
-- who showed the key header.

-- How many fetches of the set have begun, which numbers them; and the number of
-- the one that the document came from (common/sage/key_set.c). In key_set,
-- `attempted_at` and `outcome` are those of the last.
ALTER TABLE key_set ADD COLUMN fetches BIGINT NOT NULL DEFAULT 0;
ALTER TABLE key_set ADD COLUMN good_fetch BIGINT NOT NULL DEFAULT 0;

-- The last fetch for each kind of callers: the next one waits for the cool-down.
CREATE TABLE key_fetch (
    url      TEXT NOT NULL,
    caller   TEXT NOT NULL,   -- stranger, or key_header
    begun_at BIGINT NOT NULL, -- 0: cancelled, and doesn't count
    outcome  TEXT NOT NULL,   -- fetching, good, or what failed
    PRIMARY KEY (url, caller)
);
INSERT INTO key_fetch (url, caller, begun_at, outcome)
SELECT url, 'stranger', attempted_at, outcome FROM key_set;

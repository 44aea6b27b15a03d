-- SPDX-License-Identifier: MIT
-- The customer's journey through an opened session, and its result on the way
-- to Sage. Secrets stand here as hashes alone.

-- How far the journey went (common/session.c).
ALTER TABLE authorisation_session ADD COLUMN ticket_sha256 TEXT;       -- for trying codes
ALTER TABLE authorisation_session ADD COLUMN wrong_codes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE authorisation_session ADD COLUMN customer_id TEXT;         -- whose code was accepted
ALTER TABLE authorisation_session ADD COLUMN code_hash TEXT;           -- the accepted code
ALTER TABLE authorisation_session ADD COLUMN verified_at BIGINT;
ALTER TABLE authorisation_session ADD COLUMN continuation_sha256 TEXT; -- for what follows the code
ALTER TABLE authorisation_session ADD COLUMN ended_at BIGINT;
ALTER TABLE authorisation_session ADD COLUMN ending TEXT               -- what Sage is told
    CHECK (ending IN ('success', 'cancelled', 'error'));
ALTER TABLE authorisation_session ADD COLUMN end_reason TEXT;          -- why, for the operator
CREATE UNIQUE INDEX authorisation_session_ticket ON authorisation_session (ticket_sha256);
CREATE UNIQUE INDEX authorisation_session_continuation
    ON authorisation_session (continuation_sha256);
CREATE INDEX authorisation_session_under_way ON authorisation_session (expires_at)
    WHERE opened_at IS NOT NULL AND ended_at IS NULL;

-- One-time codes, one a customer: a new one replaces the older (common/code.c).
CREATE TABLE one_time_code (
    customer_id TEXT PRIMARY KEY REFERENCES customer (id) ON DELETE CASCADE,
    code_hash   TEXT NOT NULL UNIQUE, -- keyed; the key stands in a file beside the database
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);

-- What customers agreed to (common/consent.c).
CREATE TABLE consent (
    id           INTEGER PRIMARY KEY,
    session_key  TEXT NOT NULL UNIQUE,
    log_id       TEXT NOT NULL,
    customer_id  TEXT NOT NULL,
    flow         TEXT NOT NULL,
    external_ids TEXT NOT NULL, -- of the accounts that were named to Sage: a JSON array
    language     TEXT NOT NULL,
    wording      TEXT NOT NULL, -- the version of the texts that were shown
    given_at     BIGINT NOT NULL
);
CREATE INDEX consent_customer ON consent (customer_id);

-- Results on their way to Sage: a row is committed with the journey's end
-- (common/outbox.c).
CREATE TABLE delivery (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    session_key      TEXT NOT NULL UNIQUE, -- a session has one result
    authorisation_id TEXT NOT NULL,        -- as Sage sent it
    log_id           TEXT NOT NULL,
    result           TEXT NOT NULL CHECK (result IN ('success', 'cancelled', 'error')),
    body             TEXT NOT NULL,        -- repeated byte for byte
    created_at       BIGINT NOT NULL,
    give_up_at       BIGINT NOT NULL,
    next_attempt_at  BIGINT NOT NULL,
    leased_until     BIGINT,               -- while somebody delivers it
    attempts         BIGINT NOT NULL DEFAULT 0,
    attempted_at     BIGINT,
    answer           TEXT,                 -- to the last attempt
    delivered_at     BIGINT,
    failed_at        BIGINT,
    forgotten        BIGINT NOT NULL DEFAULT 0, -- 1: emptied when it is settled
    CHECK (delivered_at IS NULL OR failed_at IS NULL)
);
CREATE INDEX delivery_due ON delivery (next_attempt_at)
    WHERE delivered_at IS NULL AND failed_at IS NULL;

-- When `feedgate deliver` last looked for work (common/outbox.c).
CREATE TABLE deliverer (
    name    TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

-- Our access token for Sage's Provider API, shared by all processes
-- (common/access_token.c).
CREATE TABLE access_token (
    token_url     TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    token         TEXT,
    expires_at    BIGINT,
    fetched_at    BIGINT,
    failure       TEXT,            -- why the last fetch failed; none before fetching_till
    fetching_till BIGINT NOT NULL, -- while a process fetches a new one
    PRIMARY KEY (token_url, client_id)
);

DROP VIEW sessions;
CREATE VIEW sessions AS
SELECT session.authorisation_id,
       session.log_id,
       CASE WHEN ending = 'success' AND delivered_at IS NOT NULL THEN 'completed'
            WHEN ending = 'success' THEN 'submitted'
            WHEN ending = 'cancelled' THEN 'declined'
            WHEN ending = 'error' THEN 'failed'
            WHEN opened_at IS NOT NULL THEN 'opened'
            WHEN expires_at <= CAST(strftime('%s', 'now') AS INTEGER) * 1000 THEN 'expired'
            ELSE 'notified' END AS state,
       flow,
       CASE flow WHEN 'authorisation' THEN 'auth'
                 WHEN 're-authorisation' THEN 'authrefresh' END AS opened_by,
       bank_id,
       strftime('%Y-%m-%d %H:%M:%S', notified_at / 1000, 'unixepoch') AS notified_at,
       strftime('%Y-%m-%d %H:%M:%S', expires_at / 1000, 'unixepoch') AS expires_at,
       strftime('%Y-%m-%d %H:%M:%S', opened_at / 1000, 'unixepoch') AS opened_at,
       wrong_codes,
       customer_id,
       strftime('%Y-%m-%d %H:%M:%S', ended_at / 1000, 'unixepoch') AS ended_at,
       end_reason
  FROM authorisation_session AS session
  LEFT JOIN delivery ON delivery.session_key = session.session_key;

CREATE VIEW deliveries AS
SELECT id AS number,
       log_id,
       result,
       CASE WHEN delivered_at IS NOT NULL THEN 'delivered'
            WHEN failed_at IS NOT NULL THEN 'failed'
            ELSE 'waiting' END AS state,
       attempts,
       answer,
       strftime('%Y-%m-%d %H:%M:%S', created_at / 1000, 'unixepoch') AS created_at,
       strftime('%Y-%m-%d %H:%M:%S', attempted_at / 1000, 'unixepoch') AS attempted_at,
       CASE WHEN delivered_at IS NULL AND failed_at IS NULL
            THEN strftime('%Y-%m-%d %H:%M:%S', next_attempt_at / 1000, 'unixepoch')
            END AS next_attempt_at,
       strftime('%Y-%m-%d %H:%M:%S', give_up_at / 1000, 'unixepoch') AS give_up_at,
       authorisation_id
  FROM delivery;

CREATE VIEW consents AS
SELECT strftime('%Y-%m-%d %H:%M:%S', given_at / 1000, 'unixepoch') AS given_at,
       customer_id,
       flow,
       external_ids,
       language,
       wording,
       log_id
  FROM consent;

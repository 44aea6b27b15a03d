-- SPDX-License-Identifier: MIT
-- The gate: events received, authorisation sessions, key sets, customers and
-- their accounts. Times are milliseconds since 1970 (UTC); the views below
-- show them readable, for people with the sqlite3 command.

-- Every notification, once (common/inbox.c).
CREATE TABLE event (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    type             TEXT NOT NULL,
    resource_type    TEXT NOT NULL,
    resource_id      TEXT NOT NULL, -- in lower case
    body_sha256      TEXT NOT NULL,
    body             TEXT NOT NULL, -- as received
    outcome          TEXT NOT NULL, -- armed, conflict, linked, unlinked, stored
    received_at      BIGINT NOT NULL,
    token_expires_at BIGINT NOT NULL,
    UNIQUE (type, resource_type, resource_id, body_sha256)
);
CREATE INDEX event_received_at ON event (received_at);

-- Authorisation sessions (common/session.c). A used or expired row stays as a
-- tombstone, so that a replayed notification can't arm it again.
CREATE TABLE authorisation_session (
    id               INTEGER PRIMARY KEY,
    session_key      TEXT NOT NULL UNIQUE, -- the identifier in lower case
    authorisation_id TEXT NOT NULL,        -- as first received
    log_id           TEXT NOT NULL,        -- how logs name the session
    bank_id          TEXT,
    notified_at      BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    token_expires_at BIGINT NOT NULL,      -- of the token that announced it
    opened_at        BIGINT,
    flow             TEXT CHECK (flow IN ('authorisation', 're-authorisation')),
    redirect_uri     TEXT,
    state            TEXT,
    bank_account     TEXT,
    external_id      TEXT,
    CHECK ((opened_at IS NULL) = (flow IS NULL))
);
CREATE INDEX authorisation_session_expiry ON authorisation_session (expires_at);

-- The key sets of issuers, shared by all processes (common/key_set.c).
CREATE TABLE key_set (
    url          TEXT PRIMARY KEY,
    document     TEXT,            -- the last good one
    generation   BIGINT NOT NULL, -- grows when the document changes
    fetched_at   BIGINT,          -- when the good one came
    attempted_at BIGINT NOT NULL,
    outcome      TEXT NOT NULL    -- of the last attempt: fetching, good, or what failed
);

-- Customers of the provider, their accounts, and Sage's links to these
-- (common/account.c).
CREATE TABLE customer (
    id TEXT PRIMARY KEY
);
CREATE TABLE account (
    external_id        TEXT PRIMARY KEY, -- the id that Sage knows
    customer_id        TEXT NOT NULL REFERENCES customer (id),
    account_type       TEXT NOT NULL,
    account_name       TEXT NOT NULL,
    bank_identifier    TEXT NOT NULL,
    account_identifier TEXT NOT NULL,
    branch_identifier  TEXT NOT NULL,
    UNIQUE (customer_id, bank_identifier, branch_identifier, account_identifier)
);
CREATE TABLE bank_account (
    id          TEXT PRIMARY KEY, -- Sage's bankAccountId, in lower case
    external_id TEXT,             -- NULL when its deletion came first
    linked_at   BIGINT,
    unlinked_at BIGINT
);
CREATE INDEX bank_account_external_id ON bank_account (external_id);

CREATE VIEW sessions AS
SELECT authorisation_id,
       log_id,
       CASE WHEN opened_at IS NOT NULL THEN 'opened'
            WHEN expires_at <= CAST(strftime('%s', 'now') AS INTEGER) * 1000 THEN 'expired'
            ELSE 'notified' END AS state,
       flow,
       CASE flow WHEN 'authorisation' THEN 'auth'
                 WHEN 're-authorisation' THEN 'authrefresh' END AS opened_by,
       bank_id,
       strftime('%Y-%m-%d %H:%M:%S', notified_at / 1000, 'unixepoch') AS notified_at,
       strftime('%Y-%m-%d %H:%M:%S', expires_at / 1000, 'unixepoch') AS expires_at,
       strftime('%Y-%m-%d %H:%M:%S', opened_at / 1000, 'unixepoch') AS opened_at
  FROM authorisation_session;

CREATE VIEW events AS
SELECT id AS number,
       strftime('%Y-%m-%d %H:%M:%S', received_at / 1000, 'unixepoch') AS received_at,
       type,
       resource_type,
       resource_id,
       outcome,
       body
  FROM event;

CREATE VIEW key_sets AS
SELECT url,
       strftime('%Y-%m-%d %H:%M:%S', fetched_at / 1000, 'unixepoch') AS fetched_at,
       strftime('%Y-%m-%d %H:%M:%S', attempted_at / 1000, 'unixepoch') AS attempted_at,
       outcome,
       generation,
       document
  FROM key_set;

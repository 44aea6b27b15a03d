-- SPDX-License-Identifier: MIT
-- Sessions that the gate let through to the provider's own application.

-- 1: the application has the journey, and hands in its result (common/session.c).
ALTER TABLE authorisation_session ADD COLUMN passed_on BIGINT NOT NULL DEFAULT 0;
-- What it handed in, to know the same again (common/completion.c).
ALTER TABLE authorisation_session ADD COLUMN result_sha256 TEXT;

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
       end_reason,
       CASE WHEN opened_at IS NULL THEN NULL
            WHEN passed_on = 1 THEN 'application'
            ELSE 'pages' END AS shown_by
  FROM authorisation_session AS session
  LEFT JOIN delivery ON delivery.session_key = session.session_key;

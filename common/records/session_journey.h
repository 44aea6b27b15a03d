/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SESSION_JOURNEY_H
#define FEEDGATE_SESSION_JOURNEY_H

#include "session.h"

/* The journey through an opened session: how it is found, and the steps that it takes. */

enum { SESSION_URI_SIZE = 2049 };

/* An opened session as its journey finds it; only session_find_by_key() finds others, too. */
struct session_journey {
    struct session_key key;
    char authorisation_id[SESSION_ID_SIZE]; /* as Sage sent it */
    enum flow flow;
    int64_t notified_at;
    int64_t expires_at;
    char redirect_uri[SESSION_URI_SIZE];
    char state[SESSION_ID_SIZE];
    char external_id[EXTERNAL_ID_SIZE]; /* "" but for a re-authorisation */
    char ticket_hash[DIGEST_TEXT];
    char customer_id[CUSTOMER_ID_SIZE]; /* "" until a code was accepted */
    char code_hash[DIGEST_TEXT];        /* of the accepted code; "" until then */
    enum ending ending;                 /* ENDING_NONE while it is under way */
    bool opened;                        /* else most of the above isn't known yet */
    bool passed_on;                     /* the provider's own application has the journey */
    char result_hash[DIGEST_TEXT];      /* of what the application handed in; or "" */
};

/* What leads to a session: each is a secret of its own, and is good for other steps. */
enum session_proof {
    PROOF_TICKET,       /* got by whoever opened the session: for trying codes, and giving up */
    PROOF_CONTINUATION, /* got by whoever typed an accepted code */
};

enum session_found { SESSION_FOUND, SESSION_NOT_FOUND, SESSION_NOT_READ };

/* Whether its life is over, or its times are those of a clock that was ahead. */
bool session_is_over(const struct session_journey *session, int64_t now);

/* The session that the proof (its hash) leads to. */
enum session_found session_find(struct database *database, enum session_proof proof,
                                const char *proof_hash, struct session_journey *found);

/* The session of this key, opened or not. */
enum session_found session_find_by_key(struct database *database, const struct session_key *key,
                                       struct session_journey *found);

/*
 * The steps of a journey, each one conditional UPDATE and a part of the
 * caller's transaction: STEP_TAKEN for exactly one caller, and only before the
 * session expires or has ended; STEP_NOT_TAKEN otherwise, and then nothing has
 * changed.
 */
enum session_step { STEP_TAKEN, STEP_NOT_TAKEN, STEP_BROKEN };

/* A code was accepted: it is known who the customer is, and the continuation takes over. */
struct session_verification {
    const char *ticket_hash;
    const char *customer_id;
    const char *code_hash;
    const char *continuation_hash;
    int64_t now;
};
enum session_step session_verify(struct database *database,
                                 const struct session_verification *verification);

/* Another code of the same customer was accepted: its repeats lead on from now on. */
enum session_step session_replace_code(struct database *database, const char *ticket_hash,
                                       const char *code_hash, int64_t now);

/* Counts a wrong code; `count` becomes how many there were. */
enum session_step session_count_wrong_code(struct database *database, const char *ticket_hash,
                                           int64_t now, int64_t *count);

/*
 * Ends the journey. Success needs the continuation's hash, any other ending
 * this or the ticket's; a session that was passed on needs neither, since its
 * identifier is no secret from those who were shown it, and has no ticket.
 * `reason` is a word for the operator.
 */
struct session_end {
    const struct session_key *key;
    const char *proof_hash;
    enum ending ending;
    const char *reason;
    const char *result_hash; /* of what an application handed in; or NULL */
    int64_t now;
};
enum session_step session_end(struct database *database, const struct session_end *end);

/*
 * Finds a session that was opened, never ended, and expires within
 * `before_ms`, but hasn't yet.
 */
enum session_found session_find_abandoned(struct database *database, int64_t now, int64_t before_ms,
                                          struct session_journey *found);

#endif

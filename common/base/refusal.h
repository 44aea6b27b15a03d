/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_REFUSAL_H
#define FEEDGATE_REFUSAL_H

/*
 * Every reason for which a request isn't served, in one table: what the
 * client gets (HTTP status and one of the public answers below) and the word
 * that the operator finds in the log. Several reasons share a public answer
 * where telling them apart would help an attacker.
 */

/* clang-format off */

/* public answer       word in catalogues     title; what a person or program should know        */
#define PUBLIC_ANSWERS(P)                                                                         \
    P(BAD_REQUEST,        "bad_request",         "Bad request",                                   \
      "The request isn't complete or isn't well-formed.")                                         \
    P(UNAUTHENTICATED,    "unauthenticated",     "Unauthorized",                                  \
      "The request must carry valid credentials.")                                                \
    P(INSUFFICIENT_SCOPE, "insufficient_scope",  "Forbidden",                                     \
      "The access token doesn't have the scope that is needed.")                                  \
    P(FORBIDDEN,          "forbidden",           "Forbidden",                                     \
      "Requests aren't taken from this address.")                                                 \
    P(SESSION_NOT_USABLE, "session_not_usable",  "This link can't be used",                       \
      "A link to connect a bank works once and for a short time. "                                \
      "Please go back to your Sage product and start again.")                                     \
    P(CODE_NOT_ACCEPTED,  "code_not_accepted",   "This code can't be used",                       \
      "Please check the code, or get a new one.")                                                 \
    P(JOURNEY_OVER,       "journey_over",        "The time for this is over",                     \
      "Please go back to your Sage product and start again.")                                     \
    P(JOURNEY_ENDED,      "journey_ended",       "This can't go on",                              \
      "Nothing was connected. Please go back to your Sage product.")                              \
    P(CUSTOMER_NOT_FOUND, "customer_not_found",  "Not found",                                     \
      "There is no such customer.")                                                               \
    P(ACCOUNTS_NOT_FOUND, "accounts_not_found",  "Not found",                                     \
      "There are no accounts to show for this externalId.")                                       \
    P(RESULT_NOT_FOUND,   "result_not_found",    "Not found",                                     \
      "There is no such authorisation.")                                                          \
    P(RESULT_NOT_TAKEN,   "result_not_taken",    "Conflict",                                      \
      "This authorisation isn't, or is no longer, one that takes this result.")                   \
    P(METHOD_NOT_ALLOWED, "method_not_allowed",  "Method not allowed",                            \
      "This address doesn't take requests of this method.")                                       \
    P(CONTENT_TOO_LARGE,  "content_too_large",   "Content too large",                             \
      "The request's body is larger than this address takes.")                                    \
    P(UNSUPPORTED_MEDIA,  "unsupported_media",   "Unsupported media type",                        \
      "The request's body must be of the documented media type.")                                 \
    P(TRY_AGAIN,          "try_again",           "Please try again in a moment",                  \
      "The request can't be served right now. Nothing was changed.")                              \
    P(FAILED,             "failed",              "Something went wrong",                          \
      "The request could not be served.")

/* refusal                      status  what the client sees   what the log says */
#define REFUSALS(R)                                                                  \
    R(METHOD_NOT_ALLOWED,       405, METHOD_NOT_ALLOWED, "method_not_allowed")       \
    R(PREFETCH,                 503, TRY_AGAIN,          "prefetch")                 \
    R(MEDIA_TYPE,               415, UNSUPPORTED_MEDIA,  "media_type")               \
    R(BODY_TOO_LARGE,           413, CONTENT_TOO_LARGE,  "body_too_large")           \
    R(BODY_INCOMPLETE,          400, BAD_REQUEST,        "body_incomplete")          \
    R(ADDRESS_REFUSED,          403, FORBIDDEN,          "address_refused")          \
    R(KEY_HEADER_MISSING,       401, UNAUTHENTICATED,    "key_header_missing")       \
    R(KEY_HEADER_WRONG,         401, UNAUTHENTICATED,    "key_header_wrong")         \
    R(KEY_HEADER_REPEATED,      401, UNAUTHENTICATED,    "key_header_repeated")      \
    R(TOKEN_MISSING,            401, UNAUTHENTICATED,    "token_missing")            \
    R(TOKEN_REPEATED,           401, UNAUTHENTICATED,    "token_repeated")           \
    R(TOKEN_MALFORMED,          401, UNAUTHENTICATED,    "token_malformed")          \
    R(TOKEN_TOO_LONG,           401, UNAUTHENTICATED,    "token_too_long")           \
    R(TOKEN_TYPE,               401, UNAUTHENTICATED,    "token_type")               \
    R(TOKEN_ALGORITHM,          401, UNAUTHENTICATED,    "token_algorithm")          \
    R(TOKEN_CRITICAL_EXTENSION, 401, UNAUTHENTICATED,    "token_critical_extension") \
    R(TOKEN_KEY_UNKNOWN,        401, UNAUTHENTICATED,    "token_key_unknown")        \
    R(TOKEN_SIGNATURE,          401, UNAUTHENTICATED,    "token_signature")          \
    R(TOKEN_CLAIMS,             401, UNAUTHENTICATED,    "token_claims")             \
    R(TOKEN_ISSUER,             401, UNAUTHENTICATED,    "token_issuer")             \
    R(TOKEN_AUDIENCE,           401, UNAUTHENTICATED,    "token_audience")           \
    R(TOKEN_EXPIRED,            401, UNAUTHENTICATED,    "token_expired")            \
    R(TOKEN_NOT_YET_VALID,      401, UNAUTHENTICATED,    "token_not_yet_valid")      \
    R(TOKEN_CLIENT,             401, UNAUTHENTICATED,    "token_client")             \
    R(TOKEN_SCOPE,              403, INSUFFICIENT_SCOPE, "token_scope")              \
    R(KEYS_UNAVAILABLE,         503, TRY_AGAIN,          "keys_unavailable")         \
    R(BODY_MALFORMED,           400, BAD_REQUEST,        "body_malformed")           \
    R(EVENT_MALFORMED,          400, BAD_REQUEST,        "event_malformed")          \
    R(PARAMETER_MISSING,        400, BAD_REQUEST,        "parameter_missing")        \
    R(PARAMETER_TWICE,          400, BAD_REQUEST,        "parameter_twice")          \
    R(PARAMETER_MALFORMED,      400, BAD_REQUEST,        "parameter_malformed")      \
    R(REDIRECT_URI_REFUSED,     400, BAD_REQUEST,        "redirect_uri_refused")     \
    R(SESSION_UNKNOWN,          403, SESSION_NOT_USABLE, "session_unknown")          \
    R(SESSION_EXPIRED,          403, SESSION_NOT_USABLE, "session_expired")          \
    R(SESSION_USED,             403, SESSION_NOT_USABLE, "session_used")             \
    R(SESSION_BANK,             403, SESSION_NOT_USABLE, "session_bank")             \
    R(CONTINUATION_MISSING,     403, SESSION_NOT_USABLE, "continuation_missing")     \
    R(CONTINUATION_UNKNOWN,     403, SESSION_NOT_USABLE, "continuation_unknown")     \
    R(TICKET_UNKNOWN,           403, SESSION_NOT_USABLE, "ticket_unknown")           \
    R(STEP_UNKNOWN,             400, BAD_REQUEST,        "step_unknown")             \
    R(CODE_MISSING,             422, CODE_NOT_ACCEPTED,  "code_missing")             \
    R(CODE_WRONG,               422, CODE_NOT_ACCEPTED,  "code_wrong")               \
    R(CODES_EXHAUSTED,          403, JOURNEY_ENDED,      "codes_exhausted")          \
    R(ACCOUNT_OF_ANOTHER,       403, JOURNEY_ENDED,      "account_of_another")       \
    R(CUSTOMER_GONE,            403, JOURNEY_ENDED,      "customer_gone")            \
    R(JOURNEY_ENDED,            403, JOURNEY_ENDED,      "journey_ended")            \
    R(JOURNEY_EXPIRED,          410, JOURNEY_OVER,       "journey_expired")          \
    R(CODE_KEY_MISSING,         401, UNAUTHENTICATED,    "code_key_missing")         \
    R(CODE_KEY_WRONG,           401, UNAUTHENTICATED,    "code_key_wrong")           \
    R(CUSTOMER_MALFORMED,       400, BAD_REQUEST,        "customer_malformed")       \
    R(CUSTOMER_UNKNOWN,         404, CUSTOMER_NOT_FOUND, "customer_unknown")         \
    R(COMPLETE_KEY_MISSING,     401, UNAUTHENTICATED,    "complete_key_missing")     \
    R(COMPLETE_KEY_WRONG,       401, UNAUTHENTICATED,    "complete_key_wrong")       \
    R(RESULT_MALFORMED,         400, BAD_REQUEST,        "result_malformed")         \
    R(RESULT_UNKNOWN,           404, RESULT_NOT_FOUND,   "result_unknown")           \
    R(SESSION_NOT_OPEN,         409, RESULT_NOT_TAKEN,   "session_not_open")         \
    R(SESSION_NOT_PASSED_ON,    409, RESULT_NOT_TAKEN,   "session_not_passed_on")    \
    R(RESULT_TOO_LATE,          409, RESULT_NOT_TAKEN,   "result_too_late")          \
    R(RESULT_DIFFERS,           409, RESULT_NOT_TAKEN,   "result_differs")           \
    R(ACCOUNT_UNKNOWN,          404, ACCOUNTS_NOT_FOUND, "account_unknown")          \
    R(ACCOUNT_NOT_LINKED,       404, ACCOUNTS_NOT_FOUND, "account_not_linked")       \
    R(STORE_BUSY,               503, TRY_AGAIN,          "store_busy")               \
    R(STORE_FAILED,             503, TRY_AGAIN,          "store_failed")             \
    R(OUT_OF_MEMORY,            503, TRY_AGAIN,          "out_of_memory")            \
    R(INTERNAL,                 500, FAILED,             "internal")

/* clang-format on */

enum public_answer {
#define AS_ENUMERATOR(name, word, title, advice) ANSWER_##name,
    PUBLIC_ANSWERS(AS_ENUMERATOR)
#undef AS_ENUMERATOR
        ANSWER_COUNT
};

enum refusal {
    REFUSAL_NONE, /* the request may go on */
#define AS_ENUMERATOR(name, status, answer, word) REFUSAL_##name,
    REFUSALS(AS_ENUMERATOR)
#undef AS_ENUMERATOR
        REFUSAL_COUNT
};

/* What stands in the table for a refusal (not REFUSAL_NONE); all texts are static. */
int refusal_status(enum refusal refusal);
enum public_answer refusal_answer(enum refusal refusal);
const char *refusal_title(enum refusal refusal);
const char *refusal_advice(enum refusal refusal);
const char *refusal_word(enum refusal refusal);

/* The refusal of this word; REFUSAL_NONE when there is none. */
enum refusal refusal_find(const char *word);

/* The same of a public answer; its word names it in the pages' catalogues. */
const char *answer_word(enum public_answer answer);
const char *answer_title(enum public_answer answer);
const char *answer_advice(enum public_answer answer);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_LINGER_H
#define FEEDGATE_LINGER_H

/*
 * Closes connections that are answered while the web server may still be
 * sending: closed at once, one with unread bytes would lose its answer. A
 * thread of its own reads what still comes, so that no request's thread waits
 * for a client that drips.
 */

struct lingering;

enum { LINGER_MAX = 512, LINGER_MS = 30000 };

/* Starts the thread; NULL when it can't be. */
struct lingering *linger_open(void);

/*
 * Takes over an answered connection and closes it when the peer has, or after
 * LINGER_MS; at once when LINGER_MAX others linger already.
 */
void linger_take(struct lingering *lingering, int connection);

/* Gives what still lingers two seconds, closes it and ends the thread; NULL is allowed. */
void linger_close(struct lingering *lingering);

#endif

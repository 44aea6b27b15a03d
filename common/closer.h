/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CLOSER_H
#define FEEDGATE_CLOSER_H

/*
 * Closes connections that are answered while the web server may still be
 * sending: closed at once, one with unread bytes would lose its answer. A
 * thread of its own reads what still comes, so that no request's thread waits
 * for a client that drips.
 */

struct closer;

enum { CLOSER_MAX = 512, CLOSER_MS = 30000 };

/* Starts the thread; NULL when it can't be. */
struct closer *closer_open(void);

/*
 * Takes over an answered connection and closes it when the peer has, or after
 * CLOSER_MS; at once when CLOSER_MAX others linger already.
 */
void closer_take(struct closer *closer, int connection);

/* Gives what still lingers two seconds, closes it and ends the thread; NULL is allowed. */
void closer_close(struct closer *closer);

#endif

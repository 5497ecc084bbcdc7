/* worker_trip.h - streams of transfers that a worker carries (share/talk.h).
 *
 * A client opens a stream and says BEGIN with the token of its ticket. The worker has the state
 * machine of the transfer (share/sender.h, receiver.h) and moves bytes between it and the stream;
 * what that wants of a disk the depot's threads do (depot.h). A trip whose stream is lost lives on
 * until what was asked of them is answered, and what had come is synced.
 *
 * Back-pressure goes from end to end: a machine takes no more than it has room for, what it leaves
 * stays in the stream, and the stream's window makes the other side wait.
 */
#pragma once

#include "server/worker.h"

enum {
    TRIPS_SESSION =
        16, /* of one session; more are refused with LIMIT. The depot counts those of all */
    TRIP_AHEAD = 1 << 20, /* bytes written to a stream that have not left yet */
};
/* What of streams a session may have on its way to us. */
#define TRIP_WINDOW (8ULL << 20)

/* The session's flow has something to say: to be called before it is sent. */
void trips_hear(struct worker *w, struct carried *c);
int64_t trips_deadline_us(const struct carried *c);
/* The session is over. */
void trips_leave(struct worker *w, struct carried *c);
/* Answers of the depot's threads. */
void trips_on_answers(struct worker *w);
/* After the threads have ended: nobody answers any more. */
void trips_drain(struct worker *w);

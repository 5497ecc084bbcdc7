/* worker_media.h - the media that a worker forwards: sessions in front of relay/relay.h.
 *
 * The hub says which sessions are legs of which meetings, and what they send. A payload that came
 * is put once into the relay's ring, packed with others, and goes from there to everybody: heads
 * are sealed for each leg, payloads gathered by the system call that sends. (Receiving straight
 * into the ring would keep a page for each voice frame as long as somebody may ask for it again:
 * a copy of 100 bytes, once for hundreds of receivers, is cheaper than that memory.) In a tunnel
 * the same heads and payloads make a message.
 *
 * Parts that were lost on the way to us are asked for here, and come once, however often they are
 * repeated. Memory is taken when somebody enters or publishes; a frame takes none.
 */
#pragma once

#include "server/worker.h"

enum {
    LEGS_MAX = 1024, /* of a worker */
    LEG_MEETINGS_MAX = 512,
    LEG_STREAMS_MAX = 4096,
};

int worker_media_init(struct worker *w);
void worker_media_fini(struct worker *w);
void worker_media_on_leg(struct worker *w, const struct hub_leg *leg);
/* Something came of the session. */
void worker_media_came(struct worker *w, struct carried *c);
/* The session is over: its leg waits for another. */
void worker_media_left(struct worker *w, struct carried *c);
/* What is due leaves. */
void worker_media_send(struct worker *w);
int64_t worker_media_deadline_us(const struct worker *w);
/* Until then the worker may leave its sockets alone; 0: it may not. What comes meanwhile shares the
 * datagrams that are due then; with files on their way it looks more often. */
int64_t worker_media_nap_us(const struct worker *w, int64_t now_us);

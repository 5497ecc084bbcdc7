/* lab_end.h - one end of a transfer between two programs: what lab send and lab receive share.
 *
 * Socket, session, sleeps, signals, progress, and what is written down of it. The owner runs
 * the loop:
 *
 *     lab_wait(e, until_us)     sleeps; false: somebody stopped the program
 *     lab_hear / lab_out        datagrams, in and out
 */
#pragma once

#include <stdio.h>

#include "cli/cli.h"
#include "lab/pair.h"
#include "lab/parcel.h"
#include "net/detour.h"
#include "net/sleep.h"
#include "net/study.h"

enum {
    LAB_HEAR_MAX = 256, /* datagrams that are taken in one turn */
    LAB_SOCKET = 0,
    LAB_FILE = 1,
    LAB_SIGNAL = 2, /* what is slept for */
};
#define LAB_PATIENCE_US 30000000 /* until somebody answers at all */
#define LAB_KNOCK_US                                                                               \
    5000000 /* ... when its machine says that nobody is there: he may be about to come */
#define LAB_SILENCE_US 20000000 /* without a word, then the other side is gone */
#define LAB_REFUSED_US 2000000  /* the same when its machine says that nobody is there */
#define LAB_CSV_US     100000

struct lab_end {
    struct cli *c;
    const struct cli_args *args;
    const struct cc_ops *cc;
    uint8_t word[WORD_BYTES];
    struct udp *udp;
    struct sleep sleep;
    int signals; /* a file descriptor */
    struct flow *flow;
    struct carry carry;
    struct detour detour; /* --link */
    bool bends;           /* ... was asked for */
    bool carries;         /* session and carry are there */
    bool wants_write;     /* what the socket is slept for */
    bool interrupted;
    int64_t heard_us; /* and so often had been said that nobody is there, until then */
    uint64_t refused;
    FILE *trace, *csv;
    struct study study;
    int64_t begun_us; /* the session */
    int64_t shown_us, written_us;
    uint64_t shown_bytes;
    double rate; /* bytes a second, smoothed, for people */
};

/* Reads the options that both have. 0 or an exit status, the error printed. */
int lab_begin(struct lab_end *e, struct cli *c, const struct cli_args *a);
/* 0, or an exit status: what was to be written down could not be. */
int lab_fini(struct lab_end *e);
int lab_open(struct lab_end *e, const union address *at, const union address *to);
/* 32 random bytes of the system. */
int lab_seed(struct lab_end *e, uint8_t ret[static 32]);

/* 0 or -ROOST_NOMEM. */
int lab_session(struct lab_end *e, const struct pair_keys *keys, bool client,
                const union address *to, int64_t now_us);
/* A datagram of the session. */
void lab_hear(struct lab_end *e, const struct udp_in *in, int64_t now_us);
int64_t lab_deadline_us(const struct lab_end *e, int64_t now_us);
/* Sends what may leave. 0 or an exit status. */
int lab_out(struct lab_end *e, int64_t now_us);
/* Sleeps until then, or until there is something to do. file: LAB_FILE is ready. False: the
 * program is to end. */
bool lab_wait(struct lab_end *e, int64_t until_us, bool *ret_file);
/* Nothing came for so long that nothing will. */
bool lab_is_silent(struct lab_end *e, int64_t now_us);

/* How far it is. total: PARCEL_UNKNOWN if that is not known; over: the last time. */
void lab_progress(struct lab_end *e, int64_t now_us, uint64_t done, uint64_t total, bool over);
/* It worked: for people a sentence, with --json an object. file may be "-". */
void lab_result(struct lab_end *e, const char *event, const char *file, uint64_t bytes,
                const uint8_t hash[static PARCEL_HASH], int64_t took_us);
int lab_fail(struct lab_end *e, int status, const char *advice, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

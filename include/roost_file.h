/* roost_file.h - files: sending, offers, fetching what a server keeps. Part of roost.h.
 *
 *     roost_file_send(r, &(struct roost_file_send){ .target = "#maths", .paths = paths, 1 });
 *     ... ROOST_TRANSFER, again and again, until roost_transfer_over(t.stage)
 *
 * A transfer has a number of this handle, and, once the server knows it, a file: its number
 * there, by which everybody speaks of it. Disks are read and written on a thread of the
 * library's own; a datagram session begins by itself when something moves. What was cut off
 * goes on when both sides are there again, and when the same call is made by the next program:
 * what has arrived and was verified lies beside where it will be (DIR/.roost-parts) and is never
 * sent again.
 *
 * Nothing that the other side says is believed: names are made safe, sizes are checked as they
 * come, and a file gets its name when all of it is verified and on the disk.
 */
#ifndef ROOST_FILE_H
#define ROOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roost_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct roost;

#define ROOST_SIZE_UNKNOWN UINT64_MAX
enum { ROOST_FILE_PATHS_MAX = 10000, ROOST_TRANSFERS_MAX = 64, ROOST_FILE_TEXT_MAX = 65536 };

/* ASKING -> WAITING -> GOING <-> PAUSED, and from each to one of the last four. */
enum roost_file_stage {
    ROOST_FILE_ASKING,  /* the source is looked through, the server is asked */
    ROOST_FILE_WAITING, /* for the other side: to accept, to be there, to be reached */
    ROOST_FILE_GOING,
    ROOST_FILE_PAUSED,
    ROOST_FILE_DONE,
    ROOST_FILE_DECLINED,
    ROOST_FILE_CANCELLED,
    ROOST_FILE_FAILED, /* error, detail */
};

/* By which way bytes go. */
enum roost_file_way {
    ROOST_FILE_NO_WAY,
    ROOST_FILE_LAN,    /* from program to program, within a network */
    ROOST_FILE_DIRECT, /* likewise, through address translators */
    ROOST_FILE_RELAY,  /* sealed for the other one, handed on by the server, by UDP */
    ROOST_FILE_TUNNEL, /* likewise inside TLS */
    ROOST_FILE_SERVER, /* kept by the server */
};

struct roost_transfer {
    int64_t number;
    uint64_t file; /* 0: not known yet, or there is no server */
    bool sends;
    enum roost_file_stage stage;
    enum roost_file_way way;
    bool tunnelled;     /* the way to the server is a tunnel (roost_path) */
    const char *phrase; /* "4821-maple-orbit-tin"; "": none, or not yet */
    const char *words;  /* nearby: "maple orbit tin", to compare; "": not yet, or none */
    bool asks;          /* nearby: for roost_nearby_answer */
    const char *name;   /* of the file or folder; of many: "notes.pdf and 2 more" */
    const char *peer;   /* "#maths", "@bea" */
    uint32_t files;
    uint32_t left_out;  /* of what was to be sent: links, devices, sockets, and what is missing: */
    uint32_t missing;   /* what cannot be read, or has a name or depth that cannot be */
    const char *left;   /* the first of these, and why; "" */
    uint64_t size;      /* ROOST_SIZE_UNKNOWN: a stream's, until its end */
    uint64_t done;      /* verified at the receiver, as far as is known here */
    uint64_t had;       /* of these: were there before it began */
    uint64_t wire;      /* bytes of datagrams that left here meanwhile, all that it took */
    uint64_t lost;      /* bytes that were sent twice because packets were lost */
    const char *where;  /* DONE, of what was received: the path that it got; else "" */
    const char *text;   /* DONE, of a text that was to be shown: as it came, zero bytes replaced by
                           U+0001, so it is to be made safe for a terminal; else "" */
    int error;          /* FAILED: of roost_error.h; 0: none */
    const char *detail; /* in words; "" */
};

static inline bool roost_transfer_over(enum roost_file_stage stage)
{
    return stage >= ROOST_FILE_DONE;
}

/* What somebody offers, or a server keeps. */
enum roost_file_kind { ROOST_FILE_ONE, ROOST_FILE_TREE, ROOST_FILE_TEXT };
struct roost_file {
    uint64_t file, room;
    uint64_t account, peer; /* who sent it, to whom; peer 0: to all who read the room */
    const char *from, *to;  /* their names; to "" for a room */
    const char *name;       /* as the sender says */
    enum roost_file_kind kind;
    uint32_t files;
    uint64_t size;
    uint64_t made_ms, done_ms, until_ms; /* until_ms 0: kept until it is forgotten */
    uint64_t seq;                        /* of its event in the room; 0: none */
    bool kept;                           /* by the server */
    bool yours;                          /* one sent it oneself */
    bool gone;                           /* it was kept, its contents are forgotten */
    /* WAITING: offered, not answered, or not whole at the server yet */
    enum roost_file_stage stage;
    uint64_t moved; /* in lists, of what is under way: verified there, as its sender said last */
    enum roost_file_way way; /* likewise */
};

enum roost_file_via { ROOST_VIA_BEST, ROOST_VIA_DIRECT, ROOST_VIA_RELAY, ROOST_VIA_SERVER };

struct roost_file_send {
    const char *target; /* "#room", "@user" */
    bool code;          /* instead of target: to who is told the phrase (roost_transfer.phrase) */
    const char *nearby; /* instead of both: without a server, and what one is called there */
    const char *const *paths;
    size_t n_paths;
    const char *name;    /* NULL: as the first path ends */
    int fd;              /* with n_paths 0 and text NULL: a stream; it is closed in the end */
    const char *text;    /* a text instead of files */
    const char *cc;      /* NULL: as usual */
    uint64_t limit_bits; /* a second; 0: none */
    enum roost_file_via via;
};
/* With `code` no account is needed. The transfer's number, or -ROOST_E_INVALID, -ROOST_E_LIMIT,
 * -ROOST_E_NOMEM, -ROOST_E_IO (errno says why). */
int64_t roost_file_send(struct roost *r, const struct roost_file_send *what);

struct roost_file_get {
    uint64_t file;
    const char *phrase; /* instead of file: what the sender was given, however it is typed */
    const char *nearby; /* instead of both: found by who sends nearby, under this name */
    const char *dir;    /* NULL: "." */
    const char *name;   /* NULL: the sender's, made safe, another one if it is taken */
    int fd;             /* with `stream`: bytes go there, in order */
    bool stream;
    bool shown;   /* a text is not written to a file: roost_transfer.text */
    bool fetched; /* it is for roost_transfer_fetch alone: never over by itself, and goes in the end
                   */
    uint64_t limit_bits;
};
/* Fetches what the server keeps, or accepts what is offered. -ROOST_E_INVALID also for what is
 * no phrase: roost_problem() says what is wrong with it. */
int64_t roost_file_get(struct roost *r, const struct roost_file_get *what);

/* --- without a server, with roost_options.alone ---
 *
 * Who sends looks: ROOST_TRANSFER each time somebody is found; one is chosen. If that one takes no
 * call, ROOST_TRANSFER without a `peer` says so, and another one can be chosen. Then both have the
 * same `words` if nobody is between them. Who sends `asks` whether they are the same there; who
 * receives, once it is known what is to come, whether it is wanted. What is lost is over; the
 * same calls go on where it was. All: 0 or -ROOST_E_INVALID. */
struct roost_nearby {
    const char *name, *address; /* as they say; until the next call of the library */
    bool there;                 /* false: it took no call, or began anew and is found once more */
};
bool roost_nearby_at(struct roost *r, int64_t number, size_t i, struct roost_nearby *ret);
int roost_nearby_choose(struct roost *r, int64_t number, size_t i);
int roost_nearby_answer(struct roost *r, int64_t number, bool yes);

/* For a player: the bytes from `from` on are wanted first, and come as ROOST_TRANSFER_BYTES when
 * they are verified and on the disk, at most 64 KiB; one call at a time, a later one takes the
 * place of the one before. Of transfers with `fetched`. */
int roost_transfer_fetch(struct roost *r, int64_t number, uint64_t from);

int roost_transfer_cancel(struct roost *r, int64_t number);
int roost_transfer_pause(struct roost *r, int64_t number, bool on);
/* False: there is no such transfer (any more). Strings until the next call of the library. */
bool roost_transfer_get(struct roost *r, int64_t number, struct roost_transfer *ret);
/* The i-th; false past the end. */
bool roost_transfer_at(struct roost *r, size_t i, struct roost_transfer *ret);

/* --- requests, answered as those of roost.h --- */

/* What is kept at a target; target NULL: what one sends or is offered, and is not over. The
 * next page is after the last one's number. FILES. */
int64_t roost_file_list(struct roost *r, const char *target, uint64_t after);
int64_t roost_file_decline(struct roost *r, uint64_t file);
/* By either side, from any of one's programs. */
int64_t roost_file_cancel(struct roost *r, uint64_t file);
int64_t roost_file_pause(struct roost *r, uint64_t file, bool on);
int64_t roost_file_forget(struct roost *r, uint64_t file); /* what is kept goes, for all */
/* Where browsers, curl and players fetch it for a while: text is the path of a URL. ANSWER. */
int64_t roost_file_web(struct roost *r, uint64_t file);

/* --- whom one knows, and from whom one takes files unasked: kept in the home, by server ---
 *
 * When somebody's program proves its identity for the first time it is noted. Another one of the
 * same name is refused from then on (ROOST_E_STRANGER; detail has both fingerprints) until
 * roost_trust takes it too. Errors: -ROOST_E_INVALID (no name, no fingerprint), -ROOST_E_ALREADY
 * (nothing was to be changed), -ROOST_E_LIMIT, -ROOST_E_IO. Names may have their '@'. */
const char *roost_fingerprint(struct roost *r); /* of this device; NULL: its home is unreadable */
struct roost_known {
    const char *name, *fingerprint; /* until the next call of the library */
};
bool roost_known_at(struct roost *r, size_t i, struct roost_known *ret);
int roost_trust_person(struct roost *r, const char *name, const char *fingerprint);
int roost_forget_person(struct roost *r, const char *name, const char *fingerprint); /* NULL: all */

struct roost_standing {
    const char *name;
    uint64_t up_to;  /* bytes; ROOST_SIZE_UNKNOWN: of any size, and streams whose size none knows */
    const char *dir; /* where to; NULL: where the program is */
};
int roost_accept_always(struct roost *r, const struct roost_standing *what); /* replaces */
int roost_accept_no_more(struct roost *r, const char *name);
bool roost_standing_at(struct roost *r, size_t i, struct roost_standing *ret);
/* Is this one to be taken without a question? */
bool roost_file_stands(struct roost *r, const struct roost_file *f, struct roost_standing *ret);

#ifdef __cplusplus
}
#endif

#endif

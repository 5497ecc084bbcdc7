/* files.h - the transfers of a handle: what roost_file.h promises.
 *
 * A transfer is a *mover*. It opens its source or part, asks the server (files_ask.c), finds a
 * session for its stream (the one with the server, or one with the other person: files_peer.c),
 * and then carries between three who do not know each other: the stream, the machine that
 * decides (share/sender.h, share/receiver.h), and the disk, on a thread of its own (chores.h).
 * What is lost begins again at asking; machine, source and part stay.
 *
 * Everything is on the handle's thread, but for what a job does with its mover's source, part
 * and job: that is the disk thread's until the job is back. What it found for others to look at
 * stands in the job, and is taken over when it is back. So a mover is freed when all its jobs are
 * back, and the last of them closes source and part.
 */
#pragma once

#include "client/chores.h"
#include "client/core.h"
#include "client/datagrams.h"
#include "client/nearby.h"
#include "client/reach_edge.h"
#include "disk/disk.h"
#include "roost.h"
#include "seal/phrase.h"
#include "share/receiver.h"

struct mover;

enum job_kind {
    JOB_OPEN,  /* the source: look, and hash it if it is small */
    JOB_PART,  /* the part */
    JOB_WISH,  /* of the machine */
    JOB_FETCH, /* bytes of the part, for who reads along */
    JOB_CLOSE, /* source and part */
};

enum { FILES_TOLD_MAX = 64 };
#define MTIME_MOST (1ULL << 40) /* what a time may be, in seconds */
enum { MOVER_JOBS = RECEIVER_SLOTS + SENDER_AHEAD + 4, MOVER_OUT_BYTES = TREE_BLOCK };

/* JOB_OPEN: a source, and what it is; whatever is here is the mover's when it is back. */
struct found {
    struct disk_source *source;
    struct about about;
    uint8_t *pages;
    char *name, *left; /* NULL: none */
    uint64_t size, mtime_s;
    uint32_t files, left_out, missing, mode;
};

struct job {
    struct chore chore;
    struct mover *mover;
    enum job_kind kind;
    bool busy;
    union {
        struct wish wish;
        struct {
            int fd; /* to be sent, and given away with the job; -1: paths */
            struct found found;
        } open;
        char part_id[32];
    };
    int64_t result;
    int cause;  /* an errno, of JOB_PART */
    bool alone; /* of JOB_PART: of one person for another, there is no second part of it */
};

/* What it waits for. */
enum step {
    STEP_OPEN,    /* its source */
    STEP_FIND,    /* an answer: was this offered before? */
    STEP_ASK,     /* an answer: a ticket */
    STEP_ANSWER,  /* the other person */
    STEP_PART,    /* its part */
    STEP_SESSION, /* a session to open a stream in */
    STEP_MOVE,    /* it moves */
    STEP_FLUSH,   /* the last words of the stream to be heard */
    STEP_STAY,    /* all is here, and is fetched from */
    STEP_AGAIN,   /* again_us, and its wishes; then it asks anew */
    STEP_CLOSE,   /* its jobs */
    STEP_OVER,
};

enum ask_kind {
    ASK_NOTHING,
    ASK_LIST,
    ASK_ROOM,
    ASK_OFFER,
    ASK_GET,
    ASK_ACCEPT,
    ASK_RELAY,
    ASK_RENEW, /* a ticket, only to be known to the server again */
    ASK_CODE
};

struct mover {
    struct files *all;
    int64_t number;
    bool sends;
    enum step step;
    enum roost_file_stage stage;
    enum roost_file_way way;
    bool news;  /* to be told */
    bool given; /* its end was told */
    bool closing;
    int error;
    char detail[512];
    /* what was asked for; owned */
    char *target, *name, *cc, *dir, *where;
    char **paths;
    size_t n_paths;
    int fd;             /* a stream to send, or to write to; -1 */
    bool stream, shown; /* shown: a text is not written; fd is its memory then */
    char *text;         /* what came of it */
    uint64_t limit;     /* bytes a second; 0: none */
    enum roost_file_via via;
    Roost__ParcelKind kind;
    /* at the server */
    uint64_t file, room;
    uint64_t found, list_after; /* STEP_FIND */
    char peer[CORE_NAME_MAX + 2];
    uint8_t token[TALK_TOKEN];
    bool has_token, kept, accepted;
    int64_t request;
    enum ask_kind ask;
    /* without an account: by a phrase (files_code.c) */
    bool by_code, guessed; /* guessed: our words were told, and the number went */
    uint32_t code;
    uint8_t claim[16];
    struct phrase phrase;
    char phrase_text[PHRASE_TEXT_MAX];
    char part_id[32];
    /* without a server: by_code too, with no code (files_near.c) */
    bool by_near, near_yes, asks; /* asks: for roost_nearby_answer */
    struct nearby *near;          /* NULL: not yet, or not any more */
    char near_me[MDNS_NAME_MAX + 1], words[REACH_WORDS_TEXT];
    /* what it is */
    uint64_t size, mtime_s; /* mtime_s, mode: of a single file; 0: not known */
    uint32_t files, left_out, missing, mode;
    char *left;
    bool has_root, has_list_root;
    uint64_t list_size;
    uint8_t root[TREE_HASH], list_root[TREE_HASH];
    struct about about;
    uint8_t *pages;
    /* the disk's, while a job is out */
    struct disk_source *source;
    struct disk_part *part;
    int dir_fd, lock_fd; /* lock: of the part, which is this mover's alone */
    char *finished;      /* the name that it got, below dir */
    bool stop;           /* set here, read there: hashing ends */
    struct job jobs[MOVER_JOBS];
    unsigned n_jobs;
    /* the machine */
    struct sender *sender;
    struct receiver *receiver;
    /* the way to the other person's program */
    struct reach_edge *edge; /* NULL: none */
    struct reach_relay relay;
    char relay_port[8];
    bool relay_asked, has_relay, told_what;
    bool renew;    /* the server may know nothing of us any more */
    uint8_t *held; /* a first signal that came too early */
    size_t n_held;
    bool has_pending; /* a stream that was opened too early */
    uint64_t pending, info_stream;
    /* the stream */
    struct flow *flow; /* borrowed; NULL: none */
    uint64_t stream_id;
    size_t begun; /* bytes of BEGIN that were written */
    bool in_over, out_over;
    uint64_t lost_base, lost, wire_base, wire; /* of its sessions */
    int64_t told_us, progress_us;
    uint64_t progress; /* that the server was told of */
    int64_t again_us, flush_us;
    int failing; /* STEP_FLUSH: the end is this error, which the other side is told; 0: all is well
                  */
    unsigned tries;
    uint64_t had;
    bool has_had;
    /* --limit */
    double purse; /* bytes that may go now */
    int64_t purse_us;
    /* who reads along */
    uint64_t out_at;
    uint32_t out_len, out_done;
    uint8_t *out; /* MOVER_OUT_BYTES */
    bool out_failed;
    bool leaving;                    /* fetched, and nobody fetches any more: it only ends well */
    bool fetched;                    /* for roost_transfer_fetch */
    uint64_t fetch_at, fetch_wanted; /* UINT64_MAX: none; the machine was told */
    bool fetch_news;
};

struct files {
    struct roost *r;
    struct chores chores;
    bool begun, was_connected;
    bool stirred; /* called from outside: a turn is due, whatever else wakes us */
    struct mover *list[ROOST_TRANSFERS_MAX];
    size_t n;
    int64_t told[FILES_TOLD_MAX]; /* requests whose answers are passed over */
    size_t n_told;
    int64_t next_number;
    uint64_t seed;
    /* nearby: where one that is over was found, for the next one of that name; NULL: none */
    struct nearby *place;
    char place_name[MDNS_NAME_MAX + 1];
    int64_t place_until_us;
};

void files_init(struct files *f, struct roost *r);
void files_fini(struct files *f);
/* Does what is due; called with each turn of the datagrams, before they are sent. */
void files_process(struct files *f, int64_t now_us);
int64_t files_deadline_us(const struct files *f);
bool files_next(struct files *f, struct roost_event *ret);
bool files_has_news(const struct files *f);

/* --- files.c, for the others --- */
int files_begin(struct files *f); /* thread and datagrams; 0 or an error */
struct mover *files_find(const struct files *f, int64_t number);
struct mover *files_stir(struct files *f, int64_t number); /* it was called from outside */
/* The end of it, by whatever is left to do; the first reason counts. err 0: done. */
void mover_end(struct mover *m, enum roost_file_stage stage, int err, const char *detail);
void mover_stage(struct mover *m, enum roost_file_stage stage);
/* The stream is lost, or never came: again in a while. */
void mover_again(struct mover *m, int64_t now_us);

/* --- files_ask.c --- */
void query_find(struct mover *m);
void query_ticket(struct mover *m, int64_t now_us);
void query_expire(struct mover *m, int64_t now_us); /* an answer may be there */
void query_cancel(struct mover *m);                 /* tells the server */
void query_pause(struct mover *m, bool on);
void query_relay(struct mover *m);
void query_renew(struct mover *m);
void query_code(struct mover *m); /* makes or joins it */
void query_code_end(struct mover *m);
int query_learn(struct mover *m, const Roost__FileInfo *i);           /* what is to come */
void query_signal(struct mover *m, const uint8_t *bytes, size_t len); /* to the other end */
void query_progress(struct mover *m, uint64_t moved);                 /* tells it how far this is */
void query_done(struct mover *m);      /* tells it: whole and verified here */
void files_pass_over(struct files *f); /* what those answer */
/* Of the server's pushes, as they come. */
void files_on_push(struct files *f, const Roost__ToClient *msg, int64_t now_us);

/* --- files_disk.c --- */
bool mover_job(struct mover *m, enum job_kind kind, const struct wish *w); /* false: none is free */
void job_back(struct job *j, int64_t now_us);
/* Whoever reads along: the next bytes that are there. */
void mover_read_along(struct mover *m);
void mover_fetch(struct mover *m); /* for a player */
int text_open(const char *text);   /* a file in memory; below 0: none could be made */
char *text_read(int fd);           /* what is in it; the caller frees; NULL: no memory */

/* --- files_move.c --- */
void move_open(struct mover *m, struct flow *flow, int64_t now_us);
/* The other side opened it, and its BEGIN was taken. */
void move_join(struct mover *m, struct flow *flow, uint64_t stream, int64_t now_us);
void move_turn(struct mover *m, int64_t now_us); /* as much as goes now */
void move_on_event(struct mover *m, const struct flow_event *e, int64_t now_us);
void move_count(const struct mover *m, uint64_t *ret_lost, uint64_t *ret_wire);
void move_leave(struct mover *m);         /* its session is borrowed no more */
unsigned move_due(const struct mover *m); /* wishes that are not answered */
void move_wishes(struct mover *m);        /* between streams */
/* Its session ends: what came with its end may be the end of the transfer. */
void move_hear_last(struct mover *m, int64_t now_us);
void move_lost(struct mover *m, int64_t now_us); /* its session is gone */
int64_t move_deadline_us(const struct mover *m);

/* --- files_peer.c: the other person's program --- */
void peer_before(struct mover *m, int64_t now_us); /* of a turn: what came */
void peer_after(struct mover *m, int64_t now_us);  /* what is to leave */
void peer_hear(struct mover *m, int64_t now_us);
void peer_on_signal(struct mover *m, const uint8_t *bytes, size_t len, int64_t now_us);
void peer_drop(struct mover *m);
void peer_doubt(struct mover *m, int64_t now_us); /* the other end came anew, perhaps */
/* A relay, or none, was granted: is it the one that is used? */
void peer_on_relay(struct mover *m, bool another, int64_t now_us);
int64_t peer_deadline_us(const struct mover *m, int64_t now_us);

/* --- files_people.c --- */
enum { STRANGER_EXPECTS = REACH_EXPECTS_MAX * REACH_IDENTITY };
/* The identities of the other end that are known; how many. */
size_t stranger_expects(const struct mover *m, uint8_t ret[static STRANGER_EXPECTS]);
bool stranger_met(struct mover *m); /* the edge is KNOWN: noted; false: it is the end */
void stranger_end(struct mover *m, const uint8_t *id);

/* --- files_near.c --- */
int near_init(struct mover *m, const char *me); /* -ROOST_INVALID: no name that can be shown */
void near_begin(struct mover *m, int64_t now_us);
void near_turn(struct mover *m, int64_t now_us);
void near_known(struct mover *m); /* there are words to compare */
void near_told(struct mover *m);  /* what is to come; somebody has to say yes */
void near_lost(struct mover *m, bool said_goodbye);
void near_drop(struct mover *m);
void near_expire(struct files *f, int64_t now_us); /* INT64_MAX: all is over */
int64_t near_deadline_us(const struct mover *m);

/* --- files_code.c --- */
enum { CODE_INFO_MAX = 4096 };
int code_read(struct mover *m, const char *typed); /* -ROOST_INVALID: m->detail says why */
void code_on_reply(struct mover *m, const Roost__Code *c);
void code_on_met(struct mover *m, bool gone, int64_t now_us);
void code_tell(struct mover *m, struct flow *flow);
int code_hear(struct mover *m, struct flow *flow, uint64_t stream, int64_t now_us);

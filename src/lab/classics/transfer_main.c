/* lab transfer: sends one file, or takes what is sent into a folder. transfer.h has the protocol;
 * here are the files, and a loop. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "lab/classics/desk.h"
#include "lab/classics/progress.h"
#include "lab/classics/sum_file.h"
#include "lab/classics/transfer.h"

enum { CHUNK = 1000 };
#define LINGER_US 1000000 /* after the last file: somebody may ask again */

static int say(struct desk *d, size_t peer, const struct transfer_message *m)
{
    uint8_t bytes[TRANSFER_MESSAGE_MAX];
    size_t len = transfer_encode(m, bytes);

    return m->kind ? desk_send(d, peer, bytes, len) : 0;
}

/* --- the receiver -------------------------------------------------------------------------- */

/* One that somebody sends. Its name in the folder is given when it is whole. */
struct taking {
    struct transfer_in in;
    int fd;
    char part[TRANSFER_NAME_MAX + 16]; /* until then */
    struct progress progress;
};

struct server {
    struct desk d;
    int folder;
    bool overwrite;
    unsigned long long count; /* so many whole files, then it ends; 0: never */
    int64_t over_us;
};

static void tell_refused(struct server *s, size_t peer, const struct taking *t)
{
    char who[ADDRESS_TEXT_MAX];
    struct json j;

    desk_name(&s->d, peer, who);
    if (s->d.c->json) {
        desk_json(&s->d, &j, "refused");
        json_str(&j, "file", t->in.name);
        json_str(&j, "peer", who);
        json_str(&j, "text", transfer_text(t->in.why));
        desk_json_end(&s->d, &j);
    } else {
        desk_note(&s->d, "%s of %s: %s", t->in.name, who, transfer_text(t->in.why));
    }
}

static void tell_received(struct server *s, size_t peer, const struct taking *t)
{
    double seconds = progress_seconds(&t->progress);
    char who[ADDRESS_TEXT_MAX];
    struct buf b = { 0 };
    struct json j;

    desk_name(&s->d, peer, who);
    if (s->d.c->json) {
        desk_json(&s->d, &j, "received");
        json_str(&j, "file", t->in.name);
        json_u64(&j, "bytes", t->in.size);
        json_fixed(&j, "seconds", seconds);
        json_u64(&j, "chunks", t->in.chunks);
        json_u64(&j, "twice", t->in.twice);
        json_u64(&j, "damaged", t->in.damaged);
        json_str(&j, "peer", who);
        desk_json_end(&s->d, &j);
    } else {
        amount_bytes(&b, (double)t->in.size);
        desk_note(&s->d, "%s of %s: %s in %.2f s, whole; %llu chunks came twice", t->in.name, who,
                  buf_str(&b), seconds, (unsigned long long)t->in.twice);
        buf_fini(&b);
    }
}

static void refuse(struct server *s, size_t peer, struct taking *t, enum transfer_why why,
                   struct transfer_message *answer)
{
    transfer_in_refuse(&t->in, why, answer);
    tell_refused(s, peer, t);
}

static void open_part(struct server *s, size_t peer, struct taking *t,
                      struct transfer_message *answer)
{
    struct stat st;

    progress_begin(&t->progress, t->in.size);
    if (!s->overwrite && !fstatat(s->folder, t->in.name, &st, AT_SYMLINK_NOFOLLOW)) {
        refuse(s, peer, t, TRANSFER_THERE, answer);
        return;
    }
    snprintf(t->part, sizeof t->part, ".part-%08x", t->in.session);
    t->fd = openat(s->folder, t->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (t->fd < 0) {
        *t->part = 0;
        refuse(s, peer, t, TRANSFER_DISK, answer);
        return;
    }
    transfer_in_accept(&t->in, answer);
}

static void store(struct server *s, size_t peer, struct taking *t, const struct transfer_message *m,
                  struct transfer_message *answer)
{
    off_t at = (off_t)(m->number * t->in.chunk);

    if (pwrite(t->fd, m->bytes, m->len, at) != (ssize_t)m->len) {
        refuse(s, peer, t, TRANSFER_DISK, answer);
        return;
    }
    transfer_in_stored(&t->in, m, answer);
    progress_show(&t->progress, &s->d, t->in.got);
}

/* Without --overwrite the name is given only if nobody has taken it meanwhile. */
static bool give_name(struct server *s, struct taking *t)
{
    if (s->overwrite ? renameat(s->folder, t->part, s->folder, t->in.name)
                     : linkat(s->folder, t->part, s->folder, t->in.name, 0))
        return false;
    if (!s->overwrite)
        unlinkat(s->folder, t->part, 0);
    *t->part = 0;
    return true;
}

static void check_whole(struct server *s, size_t peer, struct taking *t,
                        struct transfer_message *answer)
{
    uint8_t hash[TRANSFER_HASH];

    progress_clear(&t->progress, &s->d);
    if (fsync(t->fd) || sum_file(t->fd, hash)) {
        refuse(s, peer, t, TRANSFER_DISK, answer);
    } else if (memcmp(hash, t->in.hash, sizeof hash) != 0) {
        refuse(s, peer, t, TRANSFER_DIFFERS, answer);
    } else if (!give_name(s, t)) {
        refuse(s, peer, t, TRANSFER_THERE, answer);
    } else {
        transfer_in_accept(&t->in, answer);
        tell_received(s, peer, t);
        if (s->count && !--s->count)
            s->over_us = sleep_now_us() + LINGER_US;
    }
}

static void hear(struct server *s, const struct desk_event *e)
{
    struct desk_peer *p = &s->d.peers[e->peer];
    struct transfer_message m, answer;
    struct taking *t = p->mine;
    bool refused = t && t->in.why;

    if (!t && !(t = p->mine = calloc(1, sizeof *t)))
        return;
    if (!t->in.offered && !t->in.why)
        t->fd = -1;
    switch (transfer_in_hear(&t->in, e->bytes, e->len, &m, &answer)) {
    case TRANSFER_OPEN:
        open_part(s, e->peer, t, &answer);
        break;
    case TRANSFER_STORE:
        store(s, e->peer, t, &m, &answer);
        break;
    case TRANSFER_CHECK:
        check_whole(s, e->peer, t, &answer);
        break;
    case TRANSFER_NOTHING:
        if (t->in.why && !refused)
            tell_refused(s, e->peer, t);
        break;
    }
    say(&s->d, e->peer, &answer);
    if (s->over_us)
        s->over_us = sleep_now_us() + LINGER_US;
    if (!t->in.offered && !t->in.why) /* nonsense: nothing of it is kept */
        desk_drop(&s->d, e->peer);
}

/* Whatever the reason: what is not whole does not stay. The desk is the first in its server. */
static void forget(struct desk *d, size_t peer)
{
    struct server *s = (struct server *)d;
    struct taking *t = d->peers[peer].mine;

    if (t->in.offered && !t->in.whole && !t->in.why) {
        t->in.why = TRANSFER_STOPPED;
        tell_refused(s, peer, t);
    }
    if (t->fd >= 0)
        close(t->fd);
    if (*t->part)
        unlinkat(s->folder, t->part, 0);
    free(t);
}

static const struct desk_plan plan = {
    true, true, false, false, CUT_FRAMES, transfer_describe, forget,
};

/* Those of whom nothing was heard for long. */
static void expire(struct server *s, int64_t now_us)
{
    for (size_t i = 0; i < s->d.n_peers; i++)
        if (s->d.peers[i].used && now_us - s->d.peers[i].heard_us >= TRANSFER_SILENCE_US)
            desk_drop(&s->d, i);
}

static bool is_over(const struct server *s)
{
    return s->over_us && sleep_now_us() >= s->over_us;
}

static int serve(struct server *s)
{
    struct desk_event e;

    while (!is_over(s)) {
        while (desk_next(&s->d, &e)) {
            if (e.kind == DESK_STOP)
                return CLI_OK;
            if (e.kind == DESK_MESSAGE)
                hear(s, &e);
            else if (e.kind == DESK_GONE && !e.err)
                desk_finish(&s->d, e.peer);
        }
        expire(s, sleep_now_us());
        desk_sleep(&s->d, s->over_us ? s->over_us : sleep_now_us() + TRANSFER_SILENCE_US);
    }
    return CLI_OK;
}

static int run_server(struct server *s, struct cli *c, const struct cli_args *a)
{
    const char *folder = args_value(a, "dir"), *count = args_value(a, "count");

    if (a->n_words)
        return cli_usage(c, "a server is sent files, and sends none", "--to HOST:PORT FILE sends");
    if (count && !args_number(count, 1, 1000000, &s->count))
        return cli_usage(c, "--count takes a number of files", "--count 1");
    s->overwrite = args_has(a, "overwrite");
    s->folder = open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0)
        return desk_fail(&s->d, CLI_REFUSED, "--dir takes a folder that is there", "%s: %s",
                         folder ? folder : ".", strerror(errno));
    return serve(s);
}

/* --- the sender ------------------------------------------------------------------------------ */

struct client {
    struct transfer_out out;
    struct progress progress;
    const char *file;
    int fd;
    bool there; /* a connection, or datagrams, which need none */
};

static void tell_sent(struct desk *d, const struct client *k)
{
    const struct transfer_out *o = &k->out;
    double seconds = progress_seconds(&k->progress);
    struct buf b = { 0 };
    struct json j;

    if (d->c->json) {
        desk_json(d, &j, "sent");
        json_str(&j, "file", k->file);
        json_u64(&j, "bytes", o->size);
        json_fixed(&j, "seconds", seconds);
        json_u64(&j, "bits_a_second", seconds > 0 ? (uint64_t)((double)o->size * 8 / seconds) : 0);
        json_str(&j, "protocol", d->is_udp ? "udp" : "tcp");
        json_u64(&j, "window", o->window);
        json_u64(&j, "chunks", o->chunks);
        json_u64(&j, "repeated", o->again);
        json_fixed(&j, "rtt_ms", (double)o->smooth_us / 1000);
        desk_json_end(d, &j);
        return;
    }
    amount_bytes(&b, (double)o->size);
    buf_printf(&b, " in %.2f s, ", seconds);
    amount_bytes(&b, seconds > 0 ? (double)o->size / seconds : 0);
    desk_note(d, "%s: %s/s; %llu chunks, window %u, %llu sent again, round trip %.1f ms", k->file,
              buf_str(&b), (unsigned long long)o->chunks, o->window, (unsigned long long)o->again,
              (double)o->smooth_us / 1000);
    buf_fini(&b);
}

static int fail_file(struct desk *d, const struct client *k)
{
    return desk_fail(d, CLI_REFUSED, "name a file that can be read, and that stays as it is",
                     "%s: %s", k->file, errno ? strerror(errno) : "it was changed");
}

/* What may leave, with its bytes. */
static int send_all(struct desk *d, struct client *k)
{
    uint8_t bytes[TRANSFER_CHUNK_MAX];
    struct transfer_message m;

    while (desk_has_room(d, 0) && transfer_out_next(&k->out, sleep_now_us(), &m)) {
        errno = 0;
        if (m.kind == TRANSFER_CHUNK &&
            pread(k->fd, bytes, m.len, (off_t)(m.number * k->out.chunk)) != (ssize_t)m.len)
            return fail_file(d, k);
        m.bytes = bytes;
        say(d, 0, &m);
    }
    return 0;
}

static void stop(struct desk *d, const struct client *k)
{
    const struct transfer_message m = { .kind = TRANSFER_NO,
                                        .session = k->out.session,
                                        .why = TRANSFER_STOPPED };

    if (k->there)
        say(d, 0, &m);
}

static int on_event(struct desk *d, struct client *k, const struct desk_event *e)
{
    if (e->kind == DESK_CAME) {
        k->there = true;
    } else if (e->kind == DESK_MESSAGE) {
        transfer_out_hear(&k->out, e->bytes, e->len, sleep_now_us());
        if (!d->is_udp && k->out.damaged)
            return desk_fail_gone(d, &(struct desk_event){ .err = -ROOST_MALFORMED });
    } else if (e->kind == DESK_STOP) {
        stop(d, k);
        return desk_fail(d, CLI_REFUSED, "nothing was stored there", "stopped");
    } else if (e->kind == DESK_GONE && k->out.state < TRANSFER_OVER) {
        return desk_fail_gone(d, e);
    }
    return 0;
}

static int send_file(struct desk *d, struct client *k)
{
    struct desk_event e;
    int status = 0;

    while (!status && k->out.state < TRANSFER_OVER) {
        while (!status && desk_next(d, &e)) {
            if (e.kind == DESK_GONE || e.kind == DESK_STOP)
                progress_clear(&k->progress, d);
            status = on_event(d, k, &e);
        }
        if (!status && k->there)
            status = send_all(d, k);
        if (status || k->out.state >= TRANSFER_OVER)
            break;
        progress_show(&k->progress, d, transfer_out_done(&k->out));
        desk_sleep(d, transfer_out_deadline_us(&k->out));
    }
    progress_clear(&k->progress, d);
    if (!status && k->out.state == TRANSFER_FAILED)
        status = desk_fail(d, k->out.why ? CLI_REFUSED : CLI_UNREACHABLE,
                           k->out.why == TRANSFER_THERE ? "rename it, or start the other side with "
                                                          "--overwrite"
                                                        : "see what the other side says",
                           "%s", transfer_text(k->out.why));
    if (!status)
        tell_sent(d, k);
    return status;
}

static int read_numbers(struct cli *c, const struct cli_args *a, unsigned long long *ret_window,
                        unsigned long long *ret_chunk)
{
    const char *window = args_value(a, "window"), *chunk = args_value(a, "chunk");

    *ret_window = 1;
    *ret_chunk = CHUNK;
    if (window && !args_number(window, 1, TRANSFER_WINDOW_MAX, ret_window))
        return cli_usage(c, "--window takes 1 to 256 chunks", "--window 1 is stop-and-wait");
    if (chunk && !args_number(chunk, TRANSFER_CHUNK_MIN, TRANSFER_CHUNK_MAX, ret_chunk))
        return cli_usage(c, "--chunk takes 1 to 1400 bytes", "--chunk 1000");
    return 0;
}

static int run_client(struct desk *d, struct client *k)
{
    unsigned long long window, chunk;
    uint32_t session = 0;
    struct stat st;
    int status = read_numbers(d->c, d->args, &window, &chunk);

    if (status)
        return status;
    if (d->args->n_words != 1)
        return cli_usage(d->c, "it is not said which file",
                         "roost lab transfer --to HOST:PORT FILE");
    k->file = d->args->words[0];
    k->fd = open(k->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (k->fd < 0 || fstat(k->fd, &st))
        return fail_file(d, k);
    if (!S_ISREG(st.st_mode))
        return desk_fail(d, CLI_REFUSED, "name a file", "%s is no file", k->file);
    const char *name = strrchr(k->file, '/') ? strrchr(k->file, '/') + 1 : k->file;
    if (!transfer_name_ok(name))
        return desk_fail(d, CLI_REFUSED, "rename it", "%s", transfer_text(TRANSFER_NAME));
    while (!session)
        if (getrandom(&session, sizeof session, 0) < 0)
            return fail_file(d, k);
    transfer_out_init(&k->out, session, name, (uint64_t)st.st_size, (uint32_t)chunk,
                      (uint32_t)window, d->is_udp, sleep_now_us());
    if (sum_file(k->fd, k->out.hash))
        return fail_file(d, k);
    progress_begin(&k->progress, k->out.size);
    return send_file(d, k);
}

CLI_RUN(cmd_lab_transfer)
{
    struct server *s = calloc(1, sizeof *s);
    struct client k = { .fd = -1 };
    int status = CLI_REFUSED;

    if (!s)
        return status;
    s->folder = -1;
    status = desk_open(&s->d, c, a, &plan);
    if (!status)
        status = s->d.serves ? run_server(s, c, a) : run_client(&s->d, &k);
    desk_close(&s->d);
    if (k.fd >= 0)
        close(k.fd);
    if (s->folder >= 0)
        close(s->folder);
    free(s);
    return status;
}

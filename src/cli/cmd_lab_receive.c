/* lab receive: waits for who knows the word, and stores what it sends */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/lab_end.h"
#include "wire/packet.h"

enum {
    PATH_BYTES_MAX = 4096,
    PIPE_PIECE = 4096, /* a pipe that can be written to takes so much without blocking */
};
#define SYNC_EACH (8ULL << 20) /* bytes after which the disk may begin */

struct receiving {
    struct lab_end e;
    const char *file;
    char part[PATH_BYTES_MAX]; /* until it is whole */
    int fd;
    bool pipe; /* standard output */
    bool blocked;
    uint64_t synced;
    struct pair_listener *pair;
    struct parcel_in parcel;
    bool proven;
    int64_t proven_us;
};

/* --- the file -------------------------------------------------------------------------- */

static int fail_file(struct receiving *r)
{
    int error = errno;

    if (r->e.flow) {
        flow_close(r->e.flow, PARCEL_UNWRITABLE, parcel_text(PARCEL_UNWRITABLE));
        lab_out(&r->e, sleep_now_us());
    }
    return lab_fail(&r->e, CLI_REFUSED, "make room, or choose another place", "%s: %s", r->file,
                    strerror(error));
}

/* What has the name and is locked by us, is a plain file of ours and nobody else's. */
static bool is_our_part(const struct receiving *r)
{
    struct stat here, there;

    return !fstat(r->fd, &here) && S_ISREG(here.st_mode) && here.st_uid == geteuid() &&
           here.st_nlink == 1 && !lstat(r->part, &there) && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

/* A run that was killed leaves its part; the next one begins it anew. Who still writes there
 * holds a lock. */
static int open_part(struct receiving *r)
{
    struct stat st;
    int error = 0;

    r->fd = open(r->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (r->fd < 0)
        error = errno;
    else if (flock(r->fd, LOCK_EX | LOCK_NB) || !is_our_part(r))
        error = EEXIST;
    if (error == EEXIST || error == ELOOP) {
        char part[PATH_BYTES_MAX];
        memcpy(part, r->part, sizeof part);
        *r->part = 0; /* not ours to remove */
        return lab_fail(&r->e, CLI_REFUSED, "wait until that ended, or choose another place",
                        "%s: somebody else is storing into %s", r->file, part);
    }
    if (error) {
        *r->part = 0;
        errno = error;
        return fail_file(r);
    }
    mode_t mask = umask(0);
    umask(mask);
    if (!fstat(r->fd, &st) && st.st_size > 0 && !r->e.c->json)
        fprintf(stderr, "roost: %s is what an earlier run left: it is begun anew\n", r->part);
    return ftruncate(r->fd, 0) || fchmod(r->fd, 0666 & ~mask) ? fail_file(r) : 0;
}

static int open_file(struct receiving *r)
{
    const char *slash = strrchr(r->file, '/');
    struct stat st;
    int folder = slash ? (int)(slash - r->file) + 1 : 0;

    if (!strcmp(r->file, "-")) {
        r->fd = STDOUT_FILENO;
        r->pipe = true;
        /* regular files cannot be slept for, and need not be */
        r->blocked = !sleep_add(&r->e.sleep, r->fd, 0, LAB_FILE);
        return 0;
    }
    if (!stat(r->file, &st) && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return fail_file(r);
    }
    int n = snprintf(r->part, sizeof r->part, "%.*s.%s.part", folder, r->file, r->file + folder);
    if (n < 0 || (size_t)n >= sizeof r->part) {
        *r->part = 0;
        errno = ENAMETOOLONG;
        return fail_file(r);
    }
    return open_part(r);
}

/* How many bytes were written; 0: a pipe takes none now. Negative: errno says why. */
static ssize_t write_some(struct receiving *r, const uint8_t *bytes, size_t len)
{
    struct pollfd p = { r->fd, POLLOUT, 0 };
    ssize_t n;

    if (r->pipe && r->blocked) {
        if (poll(&p, 1, 0) <= 0)
            return 0;
        len = len < PIPE_PIECE ? len : PIPE_PIECE;
    }
    do
        n = write(r->fd, bytes, len);
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* What came is on its way to the disk already when it is all to be there. */
static void sync_early(struct receiving *r)
{
    if (r->pipe || r->parcel.got - r->synced < SYNC_EACH)
        return;
    sync_file_range(r->fd, (off_t)r->synced, (off_t)(r->parcel.got - r->synced),
                    SYNC_FILE_RANGE_WRITE);
    r->synced = r->parcel.got;
}

static int sync_folder(struct receiving *r)
{
    char *slash = strrchr(r->part, '/');

    if (slash)
        slash[slash == r->part] = 0;
    int fd = open(slash ? r->part : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return err;
}

static int keep_file(struct receiving *r)
{
    if (r->pipe)
        return 0;
    if (fsync(r->fd) || rename(r->part, r->file) || sync_folder(r))
        return fail_file(r);
    *r->part = 0; /* not to be removed any more */
    return 0;
}

/* --- who is it ------------------------------------------------------------------------------ */

static void say_guess(struct receiving *r, const union address *from)
{
    char text[ADDRESS_TEXT_MAX];
    struct json j;

    if (!r->pair->wrong)
        return;
    r->pair->wrong = 0;
    if (from)
        address_text(from, text);
    if (r->e.c->json && !r->pipe) {
        json_begin(&j, &r->e.c->out);
        json_str(&j, "event", "wrong-word");
        json_str(&j, "address", from ? text : NULL);
        json_end(&j);
        cli_flush(r->e.c);
    } else if (from) {
        fprintf(stderr, "roost: somebody tried another word (%s was heard last)\n", text);
    } else {
        fprintf(stderr, "roost: somebody tried another word, or went away\n");
    }
}

static int on_pair(struct receiving *r, const struct udp_in *in, int64_t now_us)
{
    uint8_t answer[PAIR_ANSWER];
    struct iovec part = { answer, PAIR_ANSWER };
    struct udp_out o = { .to = &in->from, .from = &in->to, .parts = &part, .n_parts = 1 };
    struct path_address from;

    carry_address(&in->from, &from);
    int n = pair_listener_hear(r->pair, now_us, &from, in->bytes, in->len, answer);
    part.iov_len = n > 0 ? (size_t)n : 0;
    if (n > 0)
        udp_send(r->e.udp, &o);
    say_guess(r, &in->from);
    if (n == -ROOST_GUESSES)
        return lab_fail(&r->e, CLI_BLOCKED, "choose another word, and start both sides again",
                        "too many wrong words were tried");
    return n == -ROOST_NOMEM ? lab_fail(&r->e, CLI_REFUSED, "try again", "out of memory") : 0;
}

/* The first datagram that opens under the new keys is from who knows the word. */
static int try_session(struct receiving *r, struct udp_in *in, int64_t now_us)
{
    struct packet p;
    const struct pair_keys *keys;

    if (packet_read(&p, in->bytes, in->len) || !(keys = pair_listener_keys(r->pair, p.session)))
        return 0;
    if (lab_session(&r->e, keys, false, &in->from, now_us))
        return lab_fail(&r->e, CLI_REFUSED, "try again", "out of memory");
    if (!carry_hear(&r->e.carry, in, now_us)) {
        r->proven = true;
        r->proven_us = now_us;
        return parcel_receive(&r->parcel, r->e.flow)
                   ? lab_fail(&r->e, CLI_REFUSED, "try again", "out of memory")
                   : 0;
    }
    carry_fini(&r->e.carry);
    flow_free(r->e.flow);
    r->e.flow = NULL;
    r->e.carries = false;
    return 0; /* damaged, or a guess, which it is when nothing opens for long */
}

static int hear(struct receiving *r, int64_t now_us)
{
    struct udp_in in;
    int status = 0;

    for (int i = 0; i < LAB_HEAR_MAX && !status && udp_receive(r->e.udp, &in) > 0; i++) {
        if (pair_is_ours(in.bytes, in.len))
            status = r->proven ? 0 : on_pair(r, &in, now_us); /* it takes one file, of one */
        else if (r->proven)
            lab_hear(&r->e, &in, now_us);
        else
            status = try_session(r, &in, now_us);
    }
    return status;
}

/* --- the transfer -------------------------------------------------------------------------------
 */

static int give_up(struct receiving *r, enum parcel_why why, const char *advice)
{
    flow_close(r->e.flow, why, parcel_text(why));
    lab_out(&r->e, sleep_now_us());
    return lab_fail(&r->e, CLI_REFUSED, advice, "%s", parcel_text(why));
}

static int store(struct receiving *r, int64_t now_us)
{
    const uint8_t *at;
    size_t len;

    while ((at = parcel_peek(&r->parcel, &len)) && len) {
        ssize_t n = write_some(r, at, len);
        if (n < 0)
            return fail_file(r);
        if (!n)
            break;
        if (parcel_take(&r->parcel, (size_t)n, now_us))
            return lab_fail(&r->e, CLI_REFUSED, "try again", "out of memory");
        sync_early(r);
    }
    if (r->pipe && r->blocked)
        sleep_set(&r->e.sleep, r->fd, len ? SLEEP_WRITE : 0, LAB_FILE);
    return 0;
}

static int turn(struct receiving *r, int64_t now_us)
{
    flow_expire(r->e.flow, now_us);
    int err = parcel_in_hear(&r->parcel, now_us);
    int status = err ? give_up(r, PARCEL_NONSENSE,
                               "check that both are Roost, and of like versions")
                     : store(r, now_us);
    if (status || r->parcel.told)
        return status;
    int whole = parcel_is_whole(&r->parcel);
    if (whole < 0)
        return give_up(r, PARCEL_WRONG, "send it again");
    if (whole) {
        status = keep_file(r);
        if (!status && parcel_confirm(&r->parcel))
            status = lab_fail(&r->e, CLI_REFUSED, "the file is whole", "the sender went away");
        return status;
    }
    if (r->parcel.closed)
        return lab_fail(&r->e, CLI_REFUSED, "nothing was stored", "%s", parcel_text(r->parcel.why));
    if (lab_is_silent(&r->e, now_us))
        return lab_fail(&r->e, CLI_UNREACHABLE, "nothing was stored; send it again",
                        "the other side does not answer any more");
    return 0;
}

/* It is stored: until the sender knows. While it does not, it goes on asking. */
static bool is_over(struct receiving *r, int64_t now_us)
{
    return r->parcel.told && (r->parcel.closed || r->parcel.heard || lab_is_silent(&r->e, now_us));
}

static void say_received(struct receiving *r, int64_t now_us)
{
    lab_progress(&r->e, now_us, r->parcel.got, r->parcel.expected, true);
    if (!r->pipe || !r->e.c->json)
        lab_result(&r->e, "received", r->file, r->parcel.got, r->parcel.hash,
                   now_us - r->proven_us);
}

static int stop(struct receiving *r)
{
    if (r->proven) {
        flow_close(r->e.flow, PARCEL_GIVEN_UP, parcel_text(PARCEL_GIVEN_UP));
        lab_out(&r->e, sleep_now_us());
    }
    return lab_fail(&r->e, CLI_REFUSED, r->proven ? "nothing was stored" : "", "stopped");
}

static int64_t sleep_end(const struct receiving *r, int64_t now_us)
{
    int64_t until_us = r->proven ? lab_deadline_us(&r->e, now_us)
                                 : pair_listener_deadline_us(r->pair);

    if (r->proven && until_us > now_us + 100000)
        until_us = now_us + 100000;
    return until_us;
}

static int carry_all(struct receiving *r)
{
    int64_t now_us = sleep_now_us();
    bool file, said = false;

    while (!is_over(r, now_us)) {
        if (!lab_wait(&r->e, sleep_end(r, now_us), &file))
            return said ? CLI_OK : stop(r);
        now_us = sleep_now_us();
        int status = hear(r, now_us);
        if (!status && r->proven)
            status = turn(r, now_us);
        if (!status && r->proven)
            status = lab_out(&r->e, now_us);
        if (status)
            return status;
        if (!r->proven) {
            pair_listener_expire(r->pair, now_us);
            say_guess(r, NULL);
            continue;
        }
        if (r->parcel.told && !said)
            say_received(r, now_us);
        said = r->parcel.told;
        if (!said)
            lab_progress(&r->e, now_us, r->parcel.got, r->parcel.expected, false);
    }
    return 0;
}

static void say_ready(struct receiving *r)
{
    char text[ADDRESS_TEXT_MAX];
    union address at;
    struct json j;

    if (udp_where(r->e.udp, &at))
        return;
    address_text(&at, text);
    if (r->e.c->json && !r->pipe) {
        json_begin(&j, &r->e.c->out);
        json_str(&j, "event", "listening");
        json_str(&j, "address", text);
        json_end(&j);
        cli_flush(r->e.c);
    } else if (!r->e.c->json) {
        fprintf(stderr, "waiting at %s\n", text);
    }
}

static int run(struct receiving *r, const union address *at)
{
    uint8_t seed[32];
    int status = lab_open(&r->e, at, NULL);

    if (!status)
        status = open_file(r);
    if (!status)
        status = lab_seed(&r->e, seed);
    if (!status && pair_listen(r->pair, r->e.word, seed))
        status = lab_fail(&r->e, CLI_REFUSED, "try again", "out of memory");
    explicit_bzero(seed, sizeof seed);
    if (status)
        return status;
    say_ready(r);
    return carry_all(r);
}

CLI_RUN(cmd_lab_receive)
{
    struct receiving *r = calloc(1, sizeof *r);
    const char *listen = args_value(a, "listen");
    union address at;
    int status = CLI_REFUSED;

    if (!r || !(r->pair = calloc(1, sizeof *r->pair))) {
        free(r);
        return status;
    }
    r->fd = -1;
    r->file = args_value(a, "output");
    if (!listen)
        status = cli_usage(c, "it is not said where to listen",
                           "--listen [ADDRESS]:PORT, for example --listen :5002");
    else if (address_parse(&at, listen, false))
        status = cli_usage(c, "--listen takes an address of this machine, not a name, and a port",
                           "--listen [ADDRESS]:PORT, for example --listen :5002");
    else if (!r->file || !*r->file)
        status = cli_usage(c, "it is not said where to store it", "-o FILE, or -o - to pipe it on");
    else if (!(status = lab_begin(&r->e, c, a)))
        status = run(r, &at);
    if (*r->part)
        unlink(r->part);
    if (r->fd > STDOUT_FILENO)
        close(r->fd);
    if (r->e.c) {
        parcel_in_fini(&r->parcel);
        int unwritten = lab_fini(&r->e);
        status = status ? status : unwritten;
    }
    pair_listener_fini(r->pair);
    free(r->pair);
    free(r);
    return status;
}

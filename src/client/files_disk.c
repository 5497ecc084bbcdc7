/* files_disk.c - what movers have done on the disk thread, and what follows from it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"
#include "client/edge.h"
#include "client/files.h"
#include "share/names.h"

/* So much is hashed before it is offered: then the server can say that it has it, and blocks
 * need no leaf of their own. More would let people wait. */
#define HASH_FIRST_MAX (256ULL << 20)

#define PARTS ".roost-parts"

enum { PART_IS_WHOLE = 1, PARTS_MOST = 64 /* of the same contents, in one folder */ };

/* --- on the disk thread --- */

static uint32_t at_most_32(uint64_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int look_at_source(struct found *f)
{
    struct disk_source_view v;

    disk_source_look(f->source, &v);
    disk_source_about(f->source, &f->about);
    f->files = at_most_32(v.files);
    f->size = v.size;
    f->mode = v.mode;
    f->mtime_s = (uint64_t)v.mtime_s;
    f->left_out = at_most_32(v.left_out);
    f->missing = at_most_32(v.missing);
    f->left = v.left_out ? strdup(v.left) : NULL;
    f->name = strdup(v.name && *v.name ? v.name : "file");
    return f->name ? 0 : -ROOST_NOMEM;
}

static int open_source(const struct mover *m, struct job *j)
{
    struct found *f = &j->open.found;
    int err;

    if (m->n_paths)
        err = disk_source_open(&f->source, (const char *const *)m->paths, m->n_paths, NULL);
    else
        err = disk_source_file(&f->source, j->open.fd, m->stream, NULL);
    if (err && j->open.fd >= 0)
        close(j->open.fd);
    if (!err)
        err = look_at_source(f);
    if (!err && !f->about.stream && f->size <= HASH_FIRST_MAX)
        err = disk_source_hash(f->source, &f->about, &f->pages, &m->stop);
    return err;
}

static int open_dir(struct mover *m, struct job *j)
{
    m->dir_fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m->dir_fd >= 0)
        return 0;
    j->cause = errno;
    return j->cause == EACCES || j->cause == EPERM ? -ROOST_NOT_ALLOWED : -ROOST_IO;
}

/* What it is called now. */
static void note_name(struct mover *m)
{
    uint32_t i = 0;
    const char *name = disk_part_name(m->part, &i);

    if (!m->finished && name)
        m->finished = strdup(name);
}

/* To a player or a file descriptor: nothing of it stays. */
static bool passes(const struct mover *m)
{
    return m->fetched || m->fd >= 0;
}

/* The part of what is whole, which the other side knows by now, goes; bytes that went where they
 * were wanted leave nothing else behind. */
static void remove_part(struct mover *m)
{
    disk_part_remove(m->part);
    if (m->finished && passes(m))
        unlinkat(m->dir_fd, m->finished, 0);
}

/* Two programs, or two transfers of one, may get the same contents into the same folder: each
 * has a part of its own. 0; 1: it is somebody else's. */
static int lock_part(struct mover *m, const char *part)
{
    const struct disk_os *os = &disk_os_real;
    struct stat st = { .st_nlink = 1 };

    os->mkdir_below(os->ctx, m->dir_fd, PARTS, 0700);
    os->mkdir_below(os->ctx, m->dir_fd, part, 0700);
    int fd = os->open_below(os->ctx, m->dir_fd, part, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return 0; /* who opens the part says why */
    bool taken = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (taken || fstat(fd, &st) || !st.st_nlink) { /* or it went a moment ago */
        close(fd);
        return 1;
    }
    m->lock_fd = fd;
    return 0;
}

static void unlock_part(struct mover *m)
{
    if (m->lock_fd >= 0)
        close(m->lock_fd);
    m->lock_fd = -1;
}

/* From one person to another there is one part; another program may have it. */
static int find_part(struct mover *m, const struct job *j, char *part, size_t cap)
{
    snprintf(part, cap, PARTS "/%s", j->part_id);
    for (int i = 2; lock_part(m, part); i++) {
        if (i > PARTS_MOST || j->alone)
            return -ROOST_ALREADY;
        snprintf(part, cap, PARTS "/%s-%d", j->part_id, i);
    }
    return 0;
}

static int open_part(struct mover *m, struct job *j)
{
    char parts[80];
    struct disk_part_settings s = { .parts = parts,
                                    .lay_out = true,
                                    .name = m->name,
                                    .mode = m->mode,
                                    .mtime_s = (int64_t)m->mtime_s,
                                    .files = m->has_list_root ? m->files : 0,
                                    .seed = m->all->seed };
    int err = m->dir_fd < 0 ? open_dir(m, j) : 0;

    unlock_part(m);
    if (!err)
        err = find_part(m, j, parts, sizeof parts);
    if (err)
        return err;
    s.dir = m->dir_fd;
    err = disk_part_open(&m->part, &s);
    if (err || !disk_part_is_whole(m->part))
        return err;
    note_name(m);
    if (!passes(m))
        return PART_IS_WHOLE;
    /* Of one that was killed: what has its name is no part that can be read from. */
    remove_part(m);
    free(m->finished);
    m->finished = NULL;
    m->part = NULL;
    unlock_part(m);
    err = find_part(m, j, parts, sizeof parts);
    return err ? err : disk_part_open(&m->part, &s);
}

static void do_wish(struct mover *m, struct job *j)
{
    j->result = m->part ? disk_part_do(m->part, &j->wish) : disk_source_do(m->source, &j->wish);
    if (m->part && j->wish.kind == WISH_FINISH && !j->result)
        note_name(m);
}

static void close_all(struct mover *m)
{
    disk_source_free(m->source);
    m->source = NULL;
    /* What was cancelled is over: offered again it is another one. */
    if (m->part && (m->fetched || m->stage == ROOST_FILE_DONE || m->stage == ROOST_FILE_CANCELLED))
        remove_part(m);
    else if (m->part)
        disk_part_close(m->part);
    if (m->part && m->dir_fd >= 0)
        unlinkat(m->dir_fd, PARTS, AT_REMOVEDIR); /* unless there are others in it */
    m->part = NULL;
    unlock_part(m);
}

static void run(struct chore *chore)
{
    struct job *j = (struct job *)chore;
    struct mover *m = j->mover;

    switch (j->kind) {
    case JOB_OPEN:
        j->result = open_source(m, j);
        break;
    case JOB_PART:
        j->result = open_part(m, j);
        break;
    case JOB_WISH:
        do_wish(m, j);
        break;
    case JOB_FETCH:
        j->result = disk_part_read(m->part, j->wish.at, j->wish.bytes, j->wish.len);
        break;
    case JOB_CLOSE:
        close_all(m);
        break;
    }
}

/* --- here --- */

/* What the thread is to work with. */
static void give(struct mover *m, struct job *j)
{
    if (j->kind == JOB_OPEN) {
        j->open.fd = m->n_paths ? -1 : m->fd;
        m->fd = m->n_paths ? m->fd : -1;
    } else if (j->kind == JOB_PART) {
        const uint8_t *id = core_server(m->all->r->core)->id;
        if (!*m->part_id)
            snprintf(m->part_id, sizeof m->part_id, "%02x%02x-%" PRIu64, id[0], id[1], m->file);
        memcpy(j->part_id, m->part_id, sizeof j->part_id);
        j->alone = !m->by_code && !m->kept;
    }
}

bool mover_job(struct mover *m, enum job_kind kind, const struct wish *w)
{
    for (size_t i = 0; i < MOVER_JOBS; i++) {
        struct job *j = &m->jobs[i];
        if (j->busy)
            continue;
        *j = (struct job){ .chore = { .run = run }, .mover = m, .kind = kind, .busy = true };
        if (w)
            j->wish = *w;
        give(m, j);
        m->n_jobs++;
        chores_add(&m->all->chores, &j->chore);
        return true;
    }
    return false;
}

static void take_over(struct mover *m, struct found *f)
{
    m->source = f->source;
    m->about = f->about;
    m->pages = f->pages;
    m->left = f->left;
    m->size = f->source ? f->size : m->size;
    m->files = f->files;
    m->mode = f->mode;
    m->mtime_s = f->mtime_s;
    m->left_out = f->left_out;
    m->missing = f->missing;
    if (m->name)
        free(f->name);
    else
        m->name = f->name;
}

/* Names that no offer may have, as a terminal would obey them, are told as they would be called
 * where they arrive. */
static int mind_name(struct mover *m)
{
    char fit[NAMES_ROOM];
    size_t len = m->name ? strlen(m->name) : 0;
    bool fine = utf8_valid(m->name ? m->name : "", len);

    for (const char *p = m->name, *end = p + len; fine && p < end;)
        fine = !utf8_is_control(utf8_next(&p, end));
    if (fine)
        return 0;
    int err = names_clean(fit, m->name, len, true);
    free(m->name);
    m->name = err ? NULL : strdup(fit);
    return m->name ? 0 : -ROOST_NOMEM;
}

static void on_opened(struct mover *m, struct job *j)
{
    int err = (int)j->result;

    take_over(m, &j->open.found);
    if (!err)
        err = mind_name(m);
    if (m->step != STEP_OPEN)
        return;
    if (err) {
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
        return;
    }
    m->kind = m->kind == ROOST__PARCEL_KIND__PARCEL_TEXT ? m->kind
              : m->about.list_size                       ? ROOST__PARCEL_KIND__PARCEL_TREE
                                                         : ROOST__PARCEL_KIND__PARCEL_FILE;
    struct sender_settings s = { .about = m->about, .pages = m->pages };
    err = sender_new(&m->sender, &s);
    if (err) {
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
        return;
    }
    m->step = STEP_FIND;
    m->news = true;
}

static void note_where(struct mover *m)
{
    bool here = !strcmp(m->dir, ".");

    if (!m->finished || passes(m))
        return;
    size_t len = strlen(m->dir) + strlen(m->finished) + 2;
    free(m->where);
    m->where = malloc(len);
    if (m->where)
        snprintf(m->where, len, "%s%s%s", here ? "" : m->dir, here ? "" : "/", m->finished);
}

static void on_part(struct mover *m, const struct job *j)
{
    int err = (int)j->result;
    struct receiver_settings s = { .size = m->size,
                                   .has_root = m->has_root,
                                   .has_list_root = m->has_list_root };

    if (m->step != STEP_PART)
        return;
    if (err == PART_IS_WHOLE) {
        m->had = m->size;
        note_where(m);
        mover_end(m, ROOST_FILE_DONE, 0, NULL);
        return;
    }
    if (!err) {
        memcpy(s.root, m->root, sizeof s.root);
        memcpy(s.list_root, m->list_root, sizeof s.list_root);
        s.map = disk_part_map(m->part, &s.map_len);
        s.list_held = disk_part_list(m->part);
        err = receiver_new(&m->receiver, &s);
    }
    if (err == -ROOST_ALREADY)
        snprintf(m->detail, sizeof m->detail, "another program here receives it");
    if (j->cause)
        snprintf(m->detail, sizeof m->detail, "%.200s: %s", m->dir, strerror(j->cause));
    if (err) {
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
        return;
    }
    m->step = STEP_SESSION;
}

/* Asked for again, what cannot be read would be no better: it is over. */
static void on_player(struct mover *m, const struct job *j)
{
    if (j->result < j->wish.len) {
        mover_end(m, ROOST_FILE_FAILED, j->result < 0 ? (int)j->result : -ROOST_IO,
                  "what came cannot be read back from the disk");
        return;
    }
    m->out_len = (uint32_t)j->result;
    m->out_at = j->wish.at;
    m->fetch_news = m->fetch_at == m->out_at;
}

static void on_fetched(struct mover *m, const struct job *j)
{
    if (m->fetched) {
        on_player(m, j);
        return;
    }
    if (j->result <= 0)
        m->out_failed = true;
    else
        m->out_len = (uint32_t)j->result;
}

void job_back(struct job *j, int64_t now_us)
{
    struct mover *m = j->mover;

    j->busy = false;
    m->n_jobs--;
    switch (j->kind) {
    case JOB_OPEN:
        on_opened(m, j);
        break;
    case JOB_PART:
        on_part(m, j);
        break;
    case JOB_WISH:
        if (j->wish.kind == WISH_FINISH && !j->result)
            note_where(m);
        if (m->sender)
            sender_answer(m->sender, j->wish.id, j->result);
        else
            receiver_answer(m->receiver, now_us, j->wish.id, j->result);
        break;
    case JOB_FETCH:
        on_fetched(m, j);
        break;
    case JOB_CLOSE:
        m->step = STEP_OVER;
        break;
    }
}

/* --- texts --- */

int text_open(const char *text)
{
    int fd = memfd_create("text", MFD_CLOEXEC);
    size_t len = strlen(text);

    if (fd >= 0 && write(fd, text, len) != (ssize_t)len) {
        close(fd);
        fd = -1;
    }
    return fd;
}

char *text_read(int fd)
{
    char *text = calloc(1, ROOST_FILE_TEXT_MAX + 1);
    ssize_t n = text ? pread(fd, text, ROOST_FILE_TEXT_MAX, 0) : 0;

    for (ssize_t i = 0; i < n; i++)
        text[i] = text[i] ? text[i] : '\1';
    return text;
}

/* --- reading along --- */

static uint32_t here_from(const struct mover *m, uint64_t at)
{
    struct share_view v;
    uint64_t len = MOVER_OUT_BYTES;

    receiver_look(m->receiver, &v);
    if (v.size != TREE_UNKNOWN && at >= v.size)
        return 0;
    if (v.size != TREE_UNKNOWN && len > v.size - at)
        len = v.size - at;
    len -= v.size == TREE_UNKNOWN || at + len < v.size ? (at + len) % TREE_BLOCK : 0;
    return len && receiver_has(m->receiver, at, len) ? (uint32_t)len : 0;
}

static bool is_fetching(const struct mover *m)
{
    for (size_t i = 0; i < MOVER_JOBS; i++)
        if (m->jobs[i].busy && m->jobs[i].kind == JOB_FETCH)
            return true;
    return false;
}

/* The end of a block of which a player wants the middle. */
void mover_fetch(struct mover *m)
{
    struct share_view v;

    if (!m->receiver || m->fetch_at == UINT64_MAX || m->fetch_news || is_fetching(m) ||
        m->step == STEP_CLOSE || m->step == STEP_OVER)
        return;
    receiver_look(m->receiver, &v);
    uint64_t block = m->fetch_at / TREE_BLOCK;
    uint32_t len = here_from(m, m->fetch_at);
    struct wish w = { .at = m->fetch_at, .len = len, .bytes = m->out };
    if (len) {
        mover_job(m, JOB_FETCH, &w);
    } else if (m->fetch_wanted != block && v.state == SHARE_BLOCKS &&
               !receiver_want(m->receiver, block, 0)) {
        m->fetch_wanted = block;
    }
}

/* A pipe that has room takes so much without blocking. */
static ssize_t write_some(int fd, const uint8_t *bytes, uint32_t len)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    errno = EAGAIN;
    return poll(&p, 1, 0) == 1 ? write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF) : -1;
}

/* What is here goes to the file descriptor, in order. */
void mover_read_along(struct mover *m)
{
    while (m->fd >= 0 && m->out_len && !m->out_failed) {
        ssize_t n = write_some(m->fd, m->out + m->out_done, m->out_len - m->out_done);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            m->out_failed = true;
            return;
        }
        m->out_done += (uint32_t)n;
        if (m->out_done < m->out_len)
            continue;
        m->out_at += m->out_len;
        m->out_len = m->out_done = 0;
    }
    if (is_fetching(m))
        return;
    uint32_t len = m->out_failed ? 0 : here_from(m, m->out_at);
    struct wish w = { .at = m->out_at, .len = len, .bytes = m->out };
    if (len)
        mover_job(m, JOB_FETCH, &w);
}

int roost_transfer_fetch(struct roost *r, int64_t number, uint64_t from)
{
    struct mover *m = files_find(&r->files, number);

    if (!m || !m->fetched || roost_transfer_over(m->stage) || from >= m->size)
        return -ROOST_INVALID;
    m->fetch_at = from;
    m->fetch_news = false;
    mover_fetch(m); /* what is here needs not wait for a turn */
    return 0;
}

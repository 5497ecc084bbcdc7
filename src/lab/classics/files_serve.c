#include "lab/classics/files_serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/classics/files.h"

enum { PIECE_BYTES = 32768 };

struct serve_one *serve_new(struct serve_all *all)
{
    struct serve_one *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    *o = (struct serve_one){ .all = all, .fd = -1 };
    int now = atomic_fetch_add(&all->clients, 1) + 1, most = atomic_load(&all->most);
    while (now > most && !atomic_compare_exchange_weak(&all->most, &most, now))
        continue;
    return o;
}

void serve_free(struct serve_one *o)
{
    atomic_fetch_sub(&o->all->clients, 1);
    if (o->fd >= 0)
        close(o->fd);
    free(o);
}

/* --- opening: step by step, and no step is a link, so no name leads out of the folder ----------
 */

static enum files_why why_not(int error)
{
    if (error == ENOENT || error == ENOTDIR || error == ELOOP)
        return FILES_NONE; /* a link is not even said to be there */
    return FILES_UNREADABLE;
}

static int step_down(int folder, const char *name, int flags)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags);
    int error = errno;

    close(folder);
    errno = error;
    return fd;
}

/* The last step with these flags. The name is taken apart. -1: errno. */
static int open_inside(int folder, char *name, int flags)
{
    int fd = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    char *rest;

    for (; fd >= 0 && *name && (rest = files_step(name)); name = rest)
        fd = step_down(fd, name, O_DIRECTORY);
    return fd >= 0 && *name ? step_down(fd, name, flags) : fd;
}

static enum files_why open_file(int folder, char *name, int *ret_fd, uint64_t *ret_size)
{
    int fd = open_inside(folder, name, 0);
    struct stat st;

    if (fd < 0)
        return why_not(errno);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return FILES_NO_FILE;
    }
    *ret_fd = fd;
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

/* --- listing -------------------------------------------------------------------------------------
 */

static void list_one(struct buf *b, DIR *dir, const char *name, size_t *n)
{
    struct stat st;

    if (*name == '.' || strchr(name, '/') || !files_name_ok(name) || *n >= FILES_LIST_MAX ||
        fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW))
        return;
    if (S_ISREG(st.st_mode))
        buf_printf(b, "%llu %s\n", (unsigned long long)st.st_size, name);
    else if (S_ISDIR(st.st_mode))
        buf_printf(b, "- %s/\n", name);
    else
        return;
    ++*n;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum files_why list(struct desk *d, size_t peer, int folder, char *name)
{
    struct buf b = { 0 };
    struct dirent **all = NULL;
    char head[FILES_HEAD_MAX];
    int fd = open_inside(folder, name, O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    int many = dir ? scandirat(fd, ".", &all, NULL, by_name) : -1;
    enum files_why why = many < 0 ? why_not(errno) : 0;
    size_t n = 0;

    for (int i = 0; i < many; i++) {
        list_one(&b, dir, all[i]->d_name, &n);
        free(all[i]);
    }
    free(all);
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    if (!why) {
        snprintf(head, sizeof head, "OK %zu\n", n);
        desk_send_raw(d, peer, head, strlen(head));
        desk_send_raw(d, peer, buf_str(&b), b.len);
    }
    buf_fini(&b);
    return why;
}

/* --- a request -------------------------------------------------------------------------------- */

static void tell(struct serve_all *all, struct desk *d, size_t peer, const char *name,
                 enum files_why why, uint64_t size)
{
    char who[ADDRESS_TEXT_MAX];
    struct json j;

    desk_name(d, peer, who);
    if (why)
        atomic_fetch_add(&all->refused, 1);
    if (d->c->json) {
        desk_json(d, &j, why ? "refused" : "served");
        json_str(&j, "file", name);
        json_str(&j, "peer", who);
        if (why)
            json_str(&j, "text", files_text(why));
        else
            json_u64(&j, "bytes", size);
        desk_json_end(d, &j);
    } else if (why) {
        desk_note(d, "%s asked for %s: %s", who, name, files_text(why));
    } else {
        desk_note(d, "%s gets %s, %llu bytes", who, name, (unsigned long long)size);
    }
}

void serve_hear(struct serve_one *o, struct desk *d, const struct desk_event *e)
{
    struct serve_all *all = o->all;
    struct files_request q;
    char name[FILES_NAME_MAX + 1], head[FILES_HEAD_MAX + FILES_NAME_MAX];
    uint64_t size = 0;
    enum files_why why = files_read_request(&q, e->bytes, e->len);

    memcpy(name, q.name, sizeof name);
    if (!why && q.kind == FILES_LIST)
        why = list(d, e->peer, all->folder, q.name);
    else if (!why)
        why = open_file(all->folder, q.name, &o->fd, &size);
    if (why) {
        snprintf(head, sizeof head, "NO %s", files_text(why));
        desk_send(d, e->peer, head, strlen(head));
    } else if (o->fd >= 0) {
        snprintf(head, sizeof head, "OK %llu", (unsigned long long)size);
        desk_send(d, e->peer, head, strlen(head));
        o->left = size;
        atomic_fetch_add(&all->files, 1);
        atomic_fetch_add(&all->bytes, size);
        desk_hold(d, e->peer, true);
    }
    if (why || q.kind == FILES_GET)
        tell(all, d, e->peer, *name ? name : "?", why, size);
}

void serve_go_on(struct serve_one *o, struct desk *d, size_t peer)
{
    uint8_t piece[PIECE_BYTES];

    while (o->fd >= 0 && o->left && desk_has_room(d, peer)) {
        size_t want = o->left < sizeof piece ? (size_t)o->left : sizeof piece;
        ssize_t n = read(o->fd, piece, want);
        if (n <= 0 || desk_send_raw(d, peer, piece, (size_t)n)) {
            desk_finish(d, peer); /* it became shorter: the end of the connection says so */
            break;
        }
        o->left -= (size_t)n;
    }
    if (o->fd >= 0 && (!o->left || d->peers[peer].closing)) {
        close(o->fd);
        o->fd = -1;
        desk_hold(d, peer, false);
    }
    if (o->fd >= 0)
        desk_want_room(d, peer);
}

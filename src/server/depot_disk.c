/* depot_disk.c - what the depot's threads do: parts, contents, what lies about. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/depot_in.h"
#include "server/log.h"

/* Contents younger than this are not dropped: the hub may be about to refer to them. */
enum { FRESH_S = 120 };

void depot_name(char ret[static CONTENTS_NAME], const struct hub_depot *g)
{
    contents_name(ret, g->root, g->has_list ? g->list_root : NULL);
}

static void part_path(char ret[static 64], uint64_t file)
{
    snprintf(ret, 64, "parts/%llu", (unsigned long long)file);
}

/* What a parcel with a list is called until its root is known. */
static void whole_name(char ret[static 64], uint64_t file)
{
    snprintf(ret, 64, "in-%llu", (unsigned long long)file);
}

/* --- what is opened ------------------------------------------------------------------------ */

void depot_kill(struct depot_thread *t, struct opened *o, int err)
{
    o->dead = true;
    depot_unpark(t, o, err);
    disk_part_close(o->part);
    o->part = NULL;
    if (map_get(&t->takes, o->file) == o)
        map_take(&t->takes, o->file);
    places_leave(&t->all->places, &o->place);
}

static void kill_opened(struct depot_thread *t, struct opened *o)
{
    depot_kill(t, o, -ROOST_CANCELLED);
}

void depot_opened_free(struct depot_thread *t, struct opened *o)
{
    places_leave(&t->all->places, &o->place);
    disk_part_close(o->part);
    disk_source_free(o->source);
    held_fini(&o->written);
    free(o->told);
    free(o->pages);
    free(o->leaves);
    free(o);
}

/* The same for the same account: perhaps its program was killed, and nobody has noticed yet. */
static bool make_place(struct depot_thread *t, const struct hub_depot *g)
{
    for (struct opened *o = t->opened; o; o = o->next)
        if (!o->dead && (o->source || o->arrives) && o->file == g->file &&
            o->grant.account == g->account) {
            kill_opened(t, o);
            return true;
        }
    return false;
}

int depot_opened_new(struct depot_thread *t, const struct depot_job *j, struct opened **ret)
{
    struct opened *o = calloc(1, sizeof *o);

    if (!o)
        return -ROOST_NOMEM;
    o->place.account = j->grant.account;
    int err = places_take(&t->all->places, &o->place, depot_now_us());
    if (err == -ROOST_TRANSFERS_OWN && make_place(t, &j->grant))
        err = places_take(&t->all->places, &o->place, depot_now_us());
    if (err) {
        if (err != -ROOST_NOMEM)
            t->all->counts.crowded++;
        free(o);
        return err;
    }
    o->file = j->grant.file;
    o->grant = j->grant;
    o->grant.name = NULL;
    *ret = o;
    return 0;
}

void depot_opened_put(struct depot_thread *t, struct depot_job *j, struct opened *o)
{
    j->opened = o;
    o->next = t->opened;
    t->opened = o;
    t->all->counts.open++;
}

/* --- parts -------------------------------------------------------------------------------- */

static int part_open(struct depot_thread *t, uint64_t file, bool has_list, struct disk_part **ret)
{
    char parts[64], name[64];

    part_path(parts, file);
    whole_name(name, file);
    const struct disk_part_settings s = { .dir = t->all->dir,
                                          .parts = parts,
                                          .name = has_list ? name : NULL,
                                          .mode = 0600,
                                          .reserve = t->all->settings.reserve };
    return disk_part_open(ret, &s);
}

static bool is_there(struct depot_thread *t, const char *name)
{
    struct stat st;

    return fstatat(t->all->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void say_kept(struct depot_thread *t, const struct opened *o)
{
    struct hub_depot_word w = { .what = DEPOT_KEPT,
                                .file = o->file,
                                .account = o->grant.account,
                                .size = o->grant.size,
                                .has_list = o->grant.has_list };

    memcpy(w.root, o->grant.root, 32);
    memcpy(w.list_root, o->grant.list_root, 32);
    depot_say(t, &w);
}

/* A list's parcel under its lasting name, by the root that is known now. */
static int settle_name(struct depot_thread *t, const struct opened *o)
{
    char from[64], to[CONTENTS_NAME], from_list[80], to_list[CONTENTS_NAME + 8];
    int dir = t->all->dir;

    whole_name(from, o->file);
    depot_name(to, &o->grant);
    snprintf(from_list, sizeof from_list, "%s.list", from);
    snprintf(to_list, sizeof to_list, "%s.list", to);
    if ((renameat(dir, from_list, dir, to_list) && errno != ENOENT) ||
        (renameat(dir, from, dir, to) && errno != ENOENT) || fsync(dir))
        return errno == ENOSPC ? -ROOST_DISK_FULL : -ROOST_IO;
    return 0;
}

/* It was whole when the server died: all of it is read once, and it gets its name. */
static int find_whole(struct depot_thread *t, struct opened *o)
{
    struct hub_depot *g = &o->grant;
    char name[CONTENTS_NAME];
    struct stat st;
    uint8_t *pages = NULL;

    if (g->has_root) {
        depot_name(name, g);
        if (is_there(t, name))
            return 1;
    }
    if (!g->has_list)
        return 0;
    whole_name(name, o->file);
    int fd = openat(t->all->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    int err = fstat(fd, &st) ? -ROOST_IO
                             : disk_tree(fd, (uint64_t)st.st_size, NULL, g->root, &pages);
    free(pages);
    close(fd);
    g->has_root = true;
    return err ? err : settle_name(t, o) ? -ROOST_IO : 1;
}

/* The part of a parcel, ready to be gone on with; -ROOST_FILE_OVER: there is nothing left to come.
 */
static int take_part(struct depot_thread *t, struct opened *o)
{
    int err = find_whole(t, o);

    if (err == 1) {
        say_kept(t, o);
        return -ROOST_FILE_OVER;
    }
    if (!err)
        err = part_open(t, o->file, o->grant.has_list, &o->part);
    if (err || !disk_part_is_whole(o->part))
        return err;
    disk_part_close(o->part);
    o->part = NULL;
    if (find_whole(t, o) != 1)
        return -ROOST_BUSY;
    say_kept(t, o);
    return -ROOST_FILE_OVER;
}

/* Without memory it does not begin: who is told of no map would have all of it come again. */
static int tell_held(struct depot_job *j, const struct opened *o)
{
    size_t len;
    const uint8_t *map = disk_part_map(o->part, &len);

    j->list_held = disk_part_list(o->part);
    if (!map)
        return 0;
    if (!(j->map = malloc(len)))
        return -ROOST_NOMEM;
    memcpy(j->map, map, len);
    j->map_len = len;
    return 0;
}

int depot_open_take(struct depot_thread *t, struct depot_job *j)
{
    struct opened *o, *old = map_get(&t->takes, j->grant.file);

    if (old && old->finish)
        return -ROOST_FILE_OVER; /* it is whole, and waits for the hub */
    if (old)
        kill_opened(t, old); /* the same parcel over another stream: the newest counts */
    int err = depot_opened_new(t, j, &o);
    if (err)
        return err;
    err = take_part(t, o);
    if (!err)
        err = tell_held(j, o);
    if (!err)
        err = depot_part_new(o, j);
    if (!err)
        err = map_put(&t->takes, o->file, o);
    if (err) {
        depot_opened_free(t, o);
        return err;
    }
    depot_opened_put(t, j, o);
    t->all->counts.taken++;
    return 0;
}

/* --- contents ------------------------------------------------------------------------------- */

static int pages_tell(struct depot_job *j, const struct opened *o)
{
    size_t len = (size_t)tree_pages(j->grant.size) * TREE_HASH;

    if (!(j->pages = malloc(len + 1)))
        return -ROOST_NOMEM;
    memcpy(j->pages, o->pages, len);
    j->n_pages = tree_pages(j->grant.size);
    return 0;
}

/* Its time: the same before it was whole and after, so that what came before counts. */
int64_t depot_time(const struct hub_depot *g)
{
    return g->made_ms * 1000000;
}

int depot_source_open(struct depot_thread *t, struct opened *o)
{
    char name[CONTENTS_NAME], list[CONTENTS_NAME + 8];
    const struct hub_depot *g = &o->grant;
    struct stat st;
    int err = 0;

    depot_name(name, g);
    snprintf(list, sizeof list, "%s.list", name);
    int body = openat(t->all->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int list_fd = g->has_list ? openat(t->all->dir, list, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (body < 0 || (g->has_list && list_fd < 0))
        err = errno == ENOENT ? -ROOST_UNREADABLE : -ROOST_IO;
    else if (fstat(body, &st) || (uint64_t)st.st_size != g->size)
        err = -ROOST_UNREADABLE;
    else if (g->has_list)
        err = contents_list_verify(list_fd, g->list_size, g->list_root);
    if (err == -ROOST_UNREADABLE)
        depot_lost(t, g, body < 0 || (g->has_list && list_fd < 0) ? "missing" : "damaged");
    if (!err)
        err = depot_pages(t, g, body, &o->pages);
    if (!err)
        err = disk_source_kept(&o->source, body, list_fd, g->list_size);
    if (err && body >= 0)
        close(body);
    if (err && list_fd >= 0)
        close(list_fd);
    return err;
}

int depot_open_give(struct depot_thread *t, struct depot_job *j)
{
    struct opened *o;
    int err = depot_opened_new(t, j, &o);

    if (err)
        return err;
    err = depot_source_open(t, o);
    if (!err && j->asker != DEPOT_LOOP)
        err = pages_tell(j, o);
    if (err) {
        depot_opened_free(t, o);
        return err;
    }
    disk_source_about(o->source, &j->about);
    j->about.mtime_ns = depot_time(&o->grant);
    j->about.has_root = j->pages != NULL;
    memcpy(j->about.root, o->grant.root, TREE_HASH);
    memcpy(j->about.list_root, o->grant.list_root, TREE_HASH);
    depot_opened_put(t, j, o);
    t->all->counts.given++;
    return 0;
}

/* --- wishes ----------------------------------------------------------------------------------- */

static void remove_beside(struct depot_thread *t, const struct hub_depot *g, const char *suffix)
{
    char name[CONTENTS_NAME], other[CONTENTS_NAME + 16];

    depot_name(name, g);
    snprintf(other, sizeof other, "%s%s", name, suffix);
    unlinkat(t->all->dir, other, 0);
}

static int finish(struct depot_thread *t, struct depot_job *j)
{
    struct opened *o = j->opened;
    int err = (int)disk_part_do(o->part, &j->wish);

    if (err)
        return err;
    o->grant.size = j->wish.size;
    o->grant.has_root = true;
    memcpy(o->grant.root, j->wish.leaf, TREE_HASH);
    if (o->grant.has_list)
        err = settle_name(t, o);
    if (!err && j->pages)
        depot_pages_write(t, &o->grant, j->pages, j->n_pages);
    if (!err)
        remove_beside(t, &o->grant, ".damaged"); /* it is mended */
    return err;
}

void depot_read_wish(struct depot_thread *t, struct opened *o, struct depot_job *j)
{
    const struct wish *w = &j->wish;

    if (w->kind == WISH_ROOT) {
        memcpy(w->leaf, o->grant.root, TREE_HASH);
        j->result = 0;
    } else if (w->kind == WISH_LEAVES && w->at % TREE_PAGE == 0) {
        j->result = depot_leaves(t, o, (uint32_t)(w->at / TREE_PAGE), w->bytes);
    } else {
        j->result = disk_source_do(o->source, w);
    }
}

bool depot_do_wish(struct depot_thread *t, struct depot_job *j)
{
    struct opened *o = j->opened;

    if (!place_use(&o->place, depot_now_us())) {
        kill_opened(t, o); /* what has come stays, and it goes on when there is a place */
        j->result = j->err = -ROOST_TRANSFERS;
        return true;
    }
    if (o->dead || (!o->part && !o->source && !o->arrives)) {
        j->result = j->err = -ROOST_CANCELLED;
        return true;
    }
    if (o->arrives)
        return depot_do_early(t, o, j);
    if (j->wish.kind == WISH_FINISH) {
        j->result = finish(t, j);
        if (j->result)
            return true;
        o->finish = j;
        say_kept(t, o);
        return false;
    }
    if (o->part)
        j->result = disk_part_do(o->part, &j->wish);
    else
        depot_read_wish(t, o, j);
    if (o->part && !j->result)
        j->result = depot_part_did(t, o, &j->wish);
    if (j->wish.kind == WISH_WRITE && !j->result)
        t->all->counts.bytes_in += j->wish.len;
    if (j->wish.kind == WISH_READ && j->result > 0)
        t->all->counts.bytes_out += (uint64_t)j->result;
    return true;
}

void depot_on_stored(struct depot_thread *t, uint64_t file, int err)
{
    struct opened *o = map_get(&t->takes, file);
    struct depot_job *j = o ? o->finish : NULL;

    if (!j)
        return;
    o->finish = NULL;
    *(err ? &t->all->counts.failed : &t->all->counts.kept) += 1;
    if (!err)
        depot_arrive_kept(t, &o->grant);
    j->result = err;
    depot_reply(t, j);
}

/* Whoever is at it hears that it is over; a part stays, in case its sender may go on one day. */
void depot_on_bar(struct depot_thread *t, const struct hub_depot *bar)
{
    for (struct opened *o = t->opened; o; o = o->next) {
        if (o->dead || o->finish || !hub_depot_bars(bar, &o->grant))
            continue; /* what is whole the hub decides about */
        kill_opened(t, o);
    }
}

void depot_close(struct depot_thread *t, struct opened *o, bool doubted)
{
    if (doubted && o->source)
        depot_doubt(t, &o->grant);
    for (struct opened **at = &t->opened; *at; at = &(*at)->next)
        if (*at == o) {
            *at = o->next;
            break;
        }
    if (map_get(&t->takes, o->file) == o)
        map_take(&t->takes, o->file);
    t->all->counts.open--;
    t->n_arrive -= o->arrives;
    depot_opened_free(t, o);
}

void depot_on_over(struct depot_thread *t, uint64_t file, bool takes)
{
    struct opened *o = map_get(&t->takes, file);
    struct disk_part *p = NULL;
    char path[64];

    if (o && o->finish)
        depot_on_stored(t, file, -ROOST_CANCELLED);
    if (o) {
        p = o->part;
        o->part = NULL;
        kill_opened(t, o);
    }
    for (o = t->opened; o && !takes; o = o->next)
        if (o->file == file && (o->source || o->arrives) && !o->dead)
            kill_opened(t, o);
    part_path(path, file);
    if (!p && (!is_there(t, path) || part_open(t, file, false, &p)))
        return;
    disk_part_remove(p);
}

/* --- what nobody refers to ---------------------------------------------------------------------
 */

static bool is_fresh(struct depot_thread *t, const char *name)
{
    struct stat st;

    return fstatat(t->all->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_ctim.tv_sec > time(NULL) - FRESH_S;
}

void depot_drop(struct depot_thread *t, const struct hub_depot *order)
{
    static const char *const all[] = { "", ".list", ".pages", ".leaves", ".damaged" };
    char name[CONTENTS_NAME];

    depot_name(name, order);
    if (t->all->spare || is_fresh(t, name))
        return; /* the next look about finds it */
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        remove_beside(t, order, all[i]);
    t->all->counts.dropped++;
}

static void found(struct depot_thread *t, const char *name)
{
    struct hub_depot_word w = { .what = DEPOT_FOUND };

    if (contents_name_read(name, w.root, &w.has_list, w.list_root))
        depot_say(t, &w);
}

static void found_part(struct depot_thread *t, const char *name)
{
    char *end;
    unsigned long long n = strtoull(name, &end, 10);

    if (n && !*end)
        depot_say(t, &(struct hub_depot_word){ .what = DEPOT_PART, .file = n });
}

static void walk(struct depot_thread *t, const char *folder,
                 void (*each)(struct depot_thread *t, const char *name))
{
    int fd = openat(t->all->dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (dir && !t->all->stopping && (e = readdir(dir)))
        if (e->d_name[0] != '.')
            each(t, e->d_name);
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
}

void depot_look_about(struct depot_thread *t)
{
    walk(t, ".", found);
    walk(t, "parts", found_part);
}

void depot_measure(struct depot_thread *t)
{
    struct statvfs v;
    uint64_t free_bytes, reserve = t->all->settings.reserve;

    if (fstatvfs(t->all->dir, &v))
        return;
    free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    uint64_t room = free_bytes > reserve ? free_bytes - reserve : 0;
    if (room == t->all->counts.room)
        return;
    t->all->counts.room = room;
    depot_say(t, &(struct hub_depot_word){ .what = DEPOT_ROOM, .size = room });
}

#include "sim/haul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "seal/digest.h"

void haul_broke(struct haul *w, const char *what)
{
    if (!w->broken)
        printf("  seed %llu at %.3f s: %s\n", (unsigned long long)w->seed, (double)w->now_us / 1e6,
               what);
    w->broken = true;
}

void haul_tell(const struct haul *w, const char *what, int64_t n)
{
    if (w->tells)
        printf("  %9.3f %s %lld\n", (double)w->now_us / 1e6, what, (long long)n);
}

/* --- the source --------------------------------------------------------------------------------
 */

void haul_fill(struct haul *w)
{
    uint64_t salt = dice_next(&w->dice);

    for (uint64_t i = 0; i < w->size; i++)
        w->body[i] = (uint8_t)((i * 31 + i / 251 + (i >> 16) * 7 + salt) ^ (i >> 9));
}

static void hash_list(struct haul *w)
{
    const struct seal_part parts[] = { { list_label, sizeof list_label },
                                       { w->list, w->list_len } };

    if (seal_sha256(w->list_root, parts, 2))
        haul_broke(w, "no memory");
}

static void make_folder(struct haul *w)
{
    struct list_writer lw;
    uint32_t n = 1 + (uint32_t)dice_below(&w->dice, FILES - 1);

    w->list_len = (uint32_t)list_write_head(&lw, w->list, sizeof w->list);
    for (uint32_t i = 0; i < n; i++) {
        struct list_entry e = { .kind = LIST_FILE, .mode = 0644, .mtime_s = 5 };
        bool folder = i == 0 || dice_below(&w->dice, 8) == 0;
        if (folder)
            snprintf(w->files[i].path, sizeof w->files[i].path, i ? "top/d%u" : "top", i);
        else
            snprintf(w->files[i].path, sizeof w->files[i].path, "top/f%u", i);
        e.kind = folder ? LIST_DIRECTORY : LIST_FILE;
        e.size = folder || dice_below(&w->dice, 6) == 0 ? 0 : dice_below(&w->dice, 120000);
        e.path = w->files[i].path;
        e.path_len = (uint32_t)strlen(e.path);
        int len = list_write(&lw, &e, w->list + w->list_len, sizeof w->list - w->list_len);
        w->list_len += len > 0 ? (uint32_t)len : 0;
        w->files[i].at = e.at;
        w->files[i].size = e.size;
        w->files[i].folder = folder;
    }
    w->list_len += (uint32_t)list_write_end(&lw, w->list + w->list_len,
                                            sizeof w->list - w->list_len);
    w->n_files = n;
    w->size = lw.body;
    w->counts[NAME_FOLDER]++;
}

void haul_make_source(struct haul *w)
{
    uint64_t kind = dice_below(&w->dice, 10);

    w->stream = kind == 0;
    w->hashed = !w->stream && dice_below(&w->dice, 2);
    w->counts[NAME_STREAM] += w->stream;
    if (w->large)
        w->size = PAGE_BYTES + dice_below(&w->dice, PAGE_BYTES);
    else if (kind >= 7)
        make_folder(w);
    else if (kind == 6)
        w->size = dice_below(&w->dice, 6) * TREE_BLOCK;
    else
        w->size = dice_below(&w->dice, SIZE_MAX_SIM);
    w->counts[NAME_PAGES] += w->large;
    w->body = malloc(w->large ? w->size : FILES * 120000 + SIZE_MAX_SIM);
    haul_fill(w);
    hash_list(w);
}

void haul_same_source(struct haul *w, const struct haul *server)
{
    uint64_t room = server->large ? server->size : FILES * 120000 + SIZE_MAX_SIM;

    w->hashed = true; /* its root is known by then */
    w->size = server->size;
    w->body = malloc(room);
    memcpy(w->body, server->body, server->size);
    memcpy(w->list, server->list, server->list_len);
    memcpy(w->list_root, server->list_root, sizeof w->list_root);
    memcpy(w->files, server->files, sizeof w->files);
    w->list_len = server->list_len;
    w->n_files = server->n_files;
}

static int leaf_of(struct haul *w, uint64_t block, uint8_t *ret)
{
    return tree_leaf(ret, block, w->body + block * TREE_BLOCK, tree_block_len(w->size, block));
}

/* As the server does: from its disk, where there are the same bytes as ever. */
static int64_t read_kept(struct haul *w, const char *suffix, const struct wish *wish,
                         const uint8_t *wanted)
{
    const struct disk_os *os = &w->server->disk.os;
    char name[2 * TREE_HASH + 1], path[sizeof name + 8];

    haul_kept_name(w->server, name);
    snprintf(path, sizeof path, "%s%s", name, suffix);
    int fd = os->open_below(os->ctx, DISK_ROOT, path, 0, 0);
    int64_t n = fd < 0 ? -1 : os->pread(os->ctx, fd, wish->bytes, wish->len, (off_t)wish->at);
    if (fd >= 0)
        os->close(os->ctx, fd);
    if (n < 0 || memcmp(wish->bytes, wanted, (size_t)n) != 0)
        haul_broke(w, "the server does not have any more what it kept");
    return n < 0 ? -ROOST_IO : n;
}

static int64_t do_servers(struct haul *w, const struct wish *wish)
{
    if (wish->kind == WISH_READ_LIST)
        return read_kept(w, ".list", wish, w->list + wish->at);
    int64_t n = read_kept(w, "", wish, w->body + wish->at);
    if (n >= 0)
        tree_leaf(wish->leaf, wish->at / TREE_BLOCK, wish->bytes, (uint32_t)n);
    return n;
}

static int64_t do_senders(struct haul *w, const struct wish *wish)
{
    if (w->server && wish->kind != WISH_LEAVES)
        return do_servers(w, wish);
    if (wish->kind == WISH_READ_LIST) {
        memcpy(wish->bytes, w->list + wish->at, wish->len);
        return wish->len;
    }
    if (wish->kind == WISH_LEAVES) {
        for (uint32_t i = 0; i < wish->len; i++)
            leaf_of(w, wish->at + i, wish->bytes + (size_t)i * TREE_HASH);
        return 0;
    }
    uint64_t left = wish->at < w->size ? w->size - wish->at : 0;
    uint32_t n = left < wish->len ? (uint32_t)left : wish->len;
    memcpy(wish->bytes, w->body + wish->at, n);
    tree_leaf(wish->leaf, wish->at / TREE_BLOCK, wish->bytes, n);
    return n;
}

static void about_of(struct haul *w, struct about *a, struct gather *g)
{
    *a = (struct about){ .size = w->stream ? TREE_UNKNOWN : w->size,
                         .stream = w->stream,
                         .list_size = w->list_len,
                         .mtime_ns = w->mtime_ns };
    if (w->list_len)
        memcpy(a->list_root, w->list_root, TREE_HASH);
    if (!w->hashed)
        return;
    for (uint64_t i = 0; i < tree_blocks(w->size); i++) {
        uint8_t leaf[TREE_HASH];
        leaf_of(w, i, leaf);
        gather_leaf(g, w->size, i, leaf);
    }
    a->has_root = !gather_root(g, w->size, a->root);
}

void haul_kept_name(struct haul *w, char ret[static 2 * TREE_HASH + 1])
{
    struct haul as_known = { .size = w->size, .body = w->body, .hashed = true };
    struct gather g = { 0 };
    struct about a;

    snprintf(ret, 2 * TREE_HASH + 1, "%s", KEPT_NAME);
    if (w->n_files)
        return;
    about_of(&as_known, &a, &g);
    gather_fini(&g);
    seal_hex(ret, a.root, TREE_HASH);
}

/* --- both ends, from nothing
 * ---------------------------------------------------------------------- */

void haul_new_sender(struct haul *w)
{
    struct gather g = { 0 };
    struct sender_settings settings = { 0 };

    about_of(w, &settings.about, &g);
    settings.pages = g.pages;
    if (sender_new(&w->s, &settings))
        haul_broke(w, "no sender");
    gather_fini(&g);
}

/* Until the disk lets it: the power may go again. */
void haul_open_part(struct haul *w)
{
    struct disk_part_settings ps = {
        .os = &w->disk.os, .dir = DISK_ROOT, .parts = "parts/one", .lay_out = true, .name = "it"
    };

    if (w->kept) {
        ps.lay_out = false;
        ps.name = w->n_files ? KEPT_NAME : NULL;
    }

    for (int i = 0; i < 50; i++) {
        w->part = NULL;
        int err = disk_part_open(&w->part, &ps);
        if (!err)
            return;
        if (w->disk.cut) {
            faultdisk_power_up(&w->disk);
        } else if (i > 2) { /* somebody looks after the disk */
            w->disk.fail_ppm = 0;
            w->disk.room = 0;
        }
    }
    haul_broke(w, "the part cannot be opened");
}

void haul_new_receiver(struct haul *w)
{
    struct about a;
    struct gather g = { 0 };

    haul_open_part(w);
    if (!w->part)
        return;
    w->whole = disk_part_is_whole(w->part);
    about_of(w, &a, &g);
    gather_fini(&g);
    struct receiver_settings settings = { .size = a.size,
                                          .has_list_root = a.list_size > 0,
                                          .sync_bytes = (w->large ? 160 : 4) * TREE_BLOCK,
                                          .sync_us = SECOND / 2,
                                          .list_held = disk_part_list(w->part) };
    memcpy(settings.list_root, a.list_root, TREE_HASH);
    settings.map = disk_part_map(w->part, &settings.map_len);
    haul_tell(w, "opened, map bytes", (int64_t)settings.map_len);
    haul_tell(w, "whole", w->whole);
    if (receiver_new(&w->r, &settings))
        haul_broke(w, "no receiver");
}

/* --- the disks
 * -------------------------------------------------------------------------------------- */

static void add_pending(struct haul *w, bool receivers, const struct wish *wish)
{
    for (int i = 0; i < PENDING; i++) {
        struct pending *p = &w->pending[i];
        if (p->used)
            continue;
        *p = (struct pending){ true, receivers, *wish,
                               w->now_us + dice_between(&w->dice, 0, 20000) };
        return;
    }
    haul_broke(w, "more wishes than can be");
}

void haul_do_pending(struct haul *w, struct pending *p, bool really)
{
    int64_t result = -ROOST_IO;

    p->used = false;
    if (really)
        result = p->receivers ? disk_part_do(w->part, &p->wish) : do_senders(w, &p->wish);
    if (p->receivers)
        receiver_answer(w->r, w->now_us, p->wish.id, result);
    else
        sender_answer(w->s, p->wish.id, result);
}

void haul_do_all(struct haul *w, bool receivers, bool really)
{
    for (int i = 0; i < PENDING; i++)
        if (w->pending[i].used && w->pending[i].receivers == receivers)
            haul_do_pending(w, &w->pending[i], really);
}

void haul_flush(struct haul *w)
{
    struct wish wish;

    haul_do_all(w, true, true);
    receiver_flush(w->r);
    while (!w->disk.cut && receiver_wish(w->r, &wish))
        receiver_answer(w->r, w->now_us, wish.id, disk_part_do(w->part, &wish));
}

/* --- the link
 * ----------------------------------------------------------------------------------------- */

static void see_block(struct haul *w, const struct talk *t)
{
    w->counts[NAME_BLOCK]++;
    if (held_has(&w->acked, t->block.index))
        haul_broke(w, "a block that was verified crosses again");
}

static void see_runs(struct haul *w, const struct talk *t)
{
    struct reader r = reader_of(t->runs.bytes, t->runs.len);
    struct held h = { 0 };

    if (held_read(&h, &r, TREE_SIZE_MAX / TREE_BLOCK))
        haul_broke(w, "runs that nobody can read");
    for (uint32_t i = 0; t->kind == TALK_HAVE && i < w->acked.n; i++)
        if (!held_has_all(&h, w->acked.all[i].from, w->acked.all[i].to))
            haul_broke(w, "a block that was verified is lost");
    haul_tell(w, t->kind == TALK_HAVE ? "have, runs" : "verified, runs", h.n);
    for (uint32_t i = 0; i < h.n; i++) {
        haul_tell(w, "  from", (int64_t)h.all[i].from);
        haul_tell(w, "  to", (int64_t)h.all[i].to);
        held_add(&w->acked, h.all[i].from, h.all[i].to);
    }
    w->counts[NAME_AGAIN] += t->kind == TALK_HAVE ? held_count(&h) : 0;
    held_fini(&h);
}

/* What goes by, message by message. */
static void scan(struct haul *w, int way, const uint8_t *bytes, size_t len)
{
    struct scan *s = &w->scan[way];

    while (len) {
        enum talk_kind kind;
        uint32_t body = 0;
        struct talk t;
        int got = talk_read_head(s->bytes, s->n, &kind, &body);
        size_t want = (got == 1 ? TALK_HEAD + body : TALK_HEAD) - s->n;
        size_t n = want < len ? want : len;
        memcpy(s->bytes + s->n, bytes, n);
        s->n += n;
        bytes += n;
        len -= n;
        got = talk_read_head(s->bytes, s->n, &kind, &body);
        if (got < 0)
            haul_broke(w, "a message that is none");
        if (got != 1 || s->n < TALK_HEAD + body)
            continue;
        s->n = 0;
        if (talk_read(&t, kind, s->bytes + TALK_HEAD, body))
            haul_broke(w, "a message that nobody can read");
        else if (kind == TALK_BLOCK || kind == TALK_LEAFED)
            see_block(w, &t);
        else if (kind == TALK_HAVE || kind == TALK_VERIFIED)
            see_runs(w, &t);
    }
}

/* --- a session over it --- */

void haul_end_session(struct haul *w)
{
    for (int i = 0; i < 2; i++) {
        struct flow_view v;
        if (w->end[i]) {
            flow_look(w->end[i], &v);
            w->counts[NAME_PACKET] += v.sent->stats.lost;
        }
        flow_free(w->end[i]);
        w->end[i] = NULL;
    }
}

void haul_new_stream(struct haul *w)
{
    for (int i = 0; i < 2; i++) {
        link_reset(&w->link[i]);
        w->scan[i].n = 0;
    }
    w->inbox_n = 0;
    if (!w->sessions)
        return;
    haul_end_session(w);
    w->n_sessions++;
    for (int i = 0; i < 2; i++) {
        uint8_t secret[32] = { (uint8_t)w->n_sessions, (uint8_t)(w->n_sessions >> 8) };
        uint8_t random[32] = { (uint8_t)w->seed, (uint8_t)w->n_sessions, (uint8_t)i };
        struct flow_settings s = {
            .client = i == 0, .session = 5, .secret = secret, .seed = random
        };
        if (flow_new(&w->end[i], &s, w->now_us))
            haul_broke(w, "no session");
    }
    int64_t stream = flow_open(w->end[0], 0);
    w->stream_id = stream < 0 ? 0 : (uint64_t)stream;
    w->counts[NAME_SESSION]++;
}

bool haul_is_quiet(const struct haul *w)
{
    return link_is_empty(&w->link[0]) && !w->inbox_n && (!w->sessions || flow_is_quiet(w->end[0]));
}

int64_t haul_link_due_us(const struct haul *w)
{
    if (w->sessions)
        return pump_due_us(w->end, w->link, w->now_us);
    int64_t at[] = { link_deadline_us(&w->link[0]), link_deadline_us(&w->link[1]),
                     link_idle_us(&w->link[0]) };
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        due = at[i] > w->now_us && at[i] < due ? at[i] : due;
    return due;
}

/* As the edges do: not far ahead of the path. */
static size_t write_to_session(struct haul *w, int way, const uint8_t *bytes, size_t len)
{
    if (flow_waiting(w->end[way], w->stream) > 256 * 1024)
        return 0;
    int64_t n = flow_write(w->end[way], w->stream_id, bytes, len);
    return n > 0 ? (size_t)n : 0;
}

static void keep_in_inbox(struct haul *w, const uint8_t *bytes, size_t len)
{
    if (w->inbox_n + len > w->inbox_cap) {
        w->inbox_cap = 2 * (w->inbox_n + len);
        w->inbox = realloc(w->inbox, w->inbox_cap);
    }
    memcpy(w->inbox + w->inbox_n, bytes, len);
    w->inbox_n += len;
}

static void hear_session(struct haul *w)
{
    struct flow_event e;
    const uint8_t *p;
    size_t len;
    bool over;

    for (int i = 0; i < 2; i++) {
        pump_in(w->end[i], &w->link[!i], w->now_us);
        flow_expire(w->end[i], w->now_us);
        while (flow_event(w->end[i], &e))
            if (e.what == FLOW_CLOSED)
                haul_broke(w, "the session ended");
    }
    while ((p = flow_read(w->end[0], w->stream_id, &len, &over)) && len) {
        if (w->s)
            sender_in(w->s, p, len);
        flow_take(w->end[0], w->stream_id, len, w->now_us);
    }
    while (w->inbox_n < PIECE && (p = flow_read(w->end[1], w->stream_id, &len, &over)) && len) {
        len = len < PIECE ? len : PIECE;
        keep_in_inbox(w, p, len);
        flow_take(w->end[1], w->stream_id, len, w->now_us);
    }
}

/* Bytes for the link; how many it took. */
static size_t push(struct haul *w, int way, const uint8_t *bytes, size_t len)
{
    if (w->sessions) {
        len = write_to_session(w, way, bytes, len < PIECE ? len : PIECE);
        scan(w, way, bytes, len);
        return len;
    }
    len = len < PIECE ? len : PIECE;
    struct blob *b = blob_copy(bytes, len);
    if (!b || link_push(&w->link[way], w->now_us, b))
        len = 0;
    if (b)
        blob_unref(b);
    scan(w, way, bytes, len);
    return len;
}

static void deliver(struct haul *w)
{
    struct blob *b;

    if (w->sessions)
        hear_session(w);
    while (!w->sessions && (b = link_next(&w->link[1], w->now_us))) {
        if (w->s)
            sender_in(w->s, b->bytes, b->len);
        blob_unref(b);
    }
    while (!w->sessions && w->inbox_n < PIECE && (b = link_next(&w->link[0], w->now_us))) {
        keep_in_inbox(w, b->bytes, b->len);
        blob_unref(b);
    }
    int64_t took = w->inbox_n ? receiver_in(w->r, w->now_us, w->inbox, w->inbox_n) : 0;
    size_t n = took > 0 ? (size_t)took : 0;
    if (n)
        memmove(w->inbox, w->inbox + n, w->inbox_n - n);
    w->inbox_n -= n;
}

void haul_turn(struct haul *w)
{
    struct wish wish;
    const uint8_t *p;
    size_t len, n;

    deliver(w);
    receiver_expire(w->r, w->now_us);
    do {
        while (sender_wish(w->s, &wish))
            add_pending(w, false, &wish);
        p = sender_out(w->s, &len);
        n = p ? push(w, 0, p, len) : 0;
        sender_sent(w->s, n);
    } while (n);
    do {
        while (receiver_wish(w->r, &wish))
            add_pending(w, true, &wish);
        p = receiver_out(w->r, &len);
        n = p ? push(w, 1, p, len) : 0;
        receiver_sent(w->r, n);
    } while (n);
    for (int i = 0; i < 2 && w->sessions; i++)
        if (!pump_out(w->end[i], &w->link[i], w->now_us))
            haul_broke(w, "no memory");
}

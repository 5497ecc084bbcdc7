/* Both ends of a transfer, with real files, over a stream that takes bytes as it likes. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "disk/disk.h"
#include "share/receiver.h"

enum { ROUNDS = 200000, PIPE = 300000 };

/* Bytes on their way, one direction. */
struct way {
    uint8_t bytes[PIPE];
    size_t n;
    uint64_t total;
};

struct ends {
    char dir[64];
    int home;
    struct disk_source *source;
    struct disk_part *part;
    struct sender *s;
    struct receiver *r;
    struct way there, back;
    struct receiver_settings offer;
    int64_t now_us;
    uint32_t chance;
    uint64_t cut_after; /* bytes there; then both ends stop. 0: never */
};

static uint32_t chance(struct ends *e, uint32_t n)
{
    e->chance = e->chance * 1664525 + 1013904223;
    return (e->chance >> 8) % n;
}

static char *path_in(const struct ends *e, const char *name)
{
    static char path[4][256];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", e->dir, name);
    return path[i];
}

/* A test that broke off leaves its folder. */
static char left[64];

static void sweep(void)
{
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s", left);
    if (left[0] && system(cmd))
        printf("%s stays\n", left);
    left[0] = '\0';
}

static void begin(struct ends *e)
{
    static bool registered;

    if (!registered)
        atexit(sweep);
    registered = true;
    sweep();
    memset(e, 0, sizeof *e);
    /* where syncs cost nothing, if there is such a place */
    strcpy(e->dir,
           access("/dev/shm", W_OK) ? "/tmp/roost-test-XXXXXX" : "/dev/shm/roost-test-XXXXXX");
    CHECK(mkdtemp(e->dir));
    strcpy(left, e->dir);
    CHECK(!mkdir(path_in(e, "from"), 0755) && !mkdir(path_in(e, "to"), 0755));
    e->home = open(path_in(e, "to"), O_RDONLY | O_DIRECTORY);
    CHECK(e->home >= 0);
    e->chance = 5;
    e->now_us = 1;
}

static void drop_ends(struct ends *e)
{
    sender_free(e->s);
    receiver_free(e->r);
    disk_source_free(e->source);
    disk_part_close(e->part);
    e->s = NULL;
    e->r = NULL;
    e->source = NULL;
    e->part = NULL;
    e->there.n = e->back.n = 0;
}

static void end(struct ends *e)
{
    drop_ends(e);
    close(e->home);
    sweep();
}

/* size bytes that differ everywhere. */
static void make(struct ends *e, const char *name, size_t size, uint8_t salt)
{
    FILE *f = fopen(path_in(e, name), "w");

    CHECK(f);
    for (size_t i = 0; i < size; i++)
        fputc((int)((i * 7 + i / 251 + i / 65536 * 3 + salt) & 255), f);
    fclose(f);
}

static bool same(struct ends *e, const char *a, const char *b)
{
    char cmd[600];

    snprintf(cmd, sizeof cmd, "diff -r %s %s >/dev/null", path_in(e, a), path_in(e, b));
    return system(cmd) == 0;
}

/* --- how it goes ------------------------------------------------------------------------------ */

static void open_ends(struct ends *e, const char *const *paths, size_t n, bool hashed)
{
    struct sender_settings ss = { 0 };
    uint8_t *pages = NULL;

    CHECK(!disk_source_open(&e->source, paths, n, e->dir));
    disk_source_about(e->source, &ss.about);
    if (hashed)
        CHECK(!disk_source_hash(e->source, &ss.about, &pages, NULL));
    ss.pages = pages;
    int err = sender_new(&e->s, &ss);
    free(pages);
    CHECK(!err);

    struct disk_source_view v;
    disk_source_look(e->source, &v);
    struct disk_part_settings ps = {
        .dir = e->home, .parts = ".roost-parts/one", .lay_out = true, .name = v.name
    };
    CHECK(!disk_part_open(&e->part, &ps));
    e->offer = (struct receiver_settings){ .size = ss.about.size,
                                           .has_root = hashed,
                                           .has_list_root = ss.about.list_size > 0,
                                           .sync_bytes = 500000,
                                           .list_held = disk_part_list(e->part) };
    memcpy(e->offer.root, ss.about.root, TREE_HASH);
    memcpy(e->offer.list_root, ss.about.list_root, TREE_HASH);
    e->offer.map = disk_part_map(e->part, &e->offer.map_len);
    CHECK(!receiver_new(&e->r, &e->offer));
}

static bool move_sender(struct ends *e)
{
    struct wish w;
    size_t len;
    const uint8_t *p;

    while (sender_wish(e->s, &w))
        sender_answer(e->s, w.id, disk_source_do(e->source, &w));
    if (!(p = sender_out(e->s, &len)))
        return false;
    len = len < 1 + chance(e, 90000) ? len : 1 + chance(e, (uint32_t)len);
    len = len < PIPE - e->there.n ? len : PIPE - e->there.n;
    memcpy(e->there.bytes + e->there.n, p, len);
    e->there.n += len;
    e->there.total += len;
    sender_sent(e->s, len);
    return len > 0;
}

static bool move_receiver(struct ends *e)
{
    struct wish w;
    size_t len;
    int64_t took = receiver_in(e->r, e->now_us += 1000, e->there.bytes, e->there.n);

    if (took > 0) {
        memmove(e->there.bytes, e->there.bytes + took, e->there.n - (size_t)took);
        e->there.n -= (size_t)took;
    }
    receiver_expire(e->r, e->now_us);
    bool did = took > 0;
    while (receiver_wish(e->r, &w)) {
        receiver_answer(e->r, e->now_us, w.id, disk_part_do(e->part, &w));
        did = true;
    }
    const uint8_t *p = receiver_out(e->r, &len);
    if (!p)
        return did;
    len = 1 + chance(e, (uint32_t)len);
    sender_in(e->s, p, len);
    receiver_sent(e->r, len);
    return true;
}

/* Until nothing moves. */
static void run(struct ends *e)
{
    for (int i = 0; i < ROUNDS; i++) {
        bool a = move_sender(e), b = move_receiver(e);
        if (e->cut_after && e->there.total >= e->cut_after)
            return;
        if (!a && !b)
            return;
    }
    CHECK(!"it moves for ever");
}

static struct share_view at_receiver(const struct ends *e)
{
    struct share_view v;

    receiver_look(e->r, &v);
    return v;
}

static bool is_done(const struct ends *e)
{
    struct share_view s, r = at_receiver(e);

    sender_look(e->s, &s);
    return s.state == SHARE_DONE && r.state == SHARE_DONE && s.verified == s.size &&
           !memcmp(s.root, r.root, TREE_HASH);
}

/* --- stories -------------------------------------------------------------------------------------
 */

static void send_one(size_t size, bool hashed)
{
    static struct ends e;

    begin(&e);
    make(&e, "from/a.bin", size, 1);
    const char *paths[] = { path_in(&e, "from/a.bin") };
    open_ends(&e, paths, 1, hashed);
    run(&e);
    CHECK(is_done(&e));
    uint32_t i = 0;
    CHECK(!strcmp(disk_part_name(e.part, &i), "a.bin") && !disk_part_name(e.part, &i));
    CHECK(same(&e, "from/a.bin", "to/a.bin"));
    CHECK(disk_part_is_whole(e.part) && !disk_part_remove(e.part));
    e.part = NULL;
    CHECK(access(path_in(&e, "to/.roost-parts/one"), F_OK));
    end(&e);
}

static void one_file_of_any_size(void)
{
    static const size_t sizes[] = { 0, 1, TREE_BLOCK - 1, TREE_BLOCK, TREE_BLOCK + 1, 3000000 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        send_one(sizes[i], true);
        send_one(sizes[i], false);
    }
}

static void many_pages(void)
{
    send_one((size_t)TREE_PAGE * TREE_BLOCK + 100000, true);
}

static void make_tree(struct ends *e)
{
    CHECK(!mkdir(path_in(e, "from/t"), 0755) && !mkdir(path_in(e, "from/t/empty"), 0755) &&
          !mkdir(path_in(e, "from/t/sub"), 0755));
    make(e, "from/t/nothing", 0, 0);
    make(e, "from/t/big", 200000, 2);
    for (int i = 0; i < 200; i++) {
        char name[64];
        snprintf(name, sizeof name, "from/t/sub/file %d", i);
        make(e, name, (size_t)i * 37, (uint8_t)i);
    }
}

static void a_folder(void)
{
    for (int hashed = 0; hashed < 2; hashed++) {
        static struct ends e;
        begin(&e);
        make_tree(&e);
        const char *paths[] = { path_in(&e, "from/t") };
        open_ends(&e, paths, 1, hashed);
        run(&e);
        CHECK(is_done(&e));
        CHECK(same(&e, "from/t", "to/t"));
        end(&e);
    }
}

static void goes_on_where_it_was(void)
{
    for (int hashed = 0; hashed < 2; hashed++) {
        static struct ends e;
        begin(&e);
        make(&e, "from/a", 6000000, 9);
        const char *paths[] = { path_in(&e, "from/a") };
        uint64_t sent = 0, verified = 0;
        for (int i = 0; i < 3; i++) {
            open_ends(&e, paths, 1, hashed);
            e.there.total = 0;
            e.cut_after = i < 2 ? 2500000 : 0;
            run(&e);
            sent += e.there.total;
            if (i < 2) {
                verified = at_receiver(&e).verified;
                CHECK(verified >= 1500000);
                drop_ends(&e);
            }
        }
        CHECK(is_done(&e) && same(&e, "from/a", "to/a"));
        CHECK(at_receiver(&e).again >= verified && e.there.total < 6000000 - verified + 10000);
        CHECK(sent < 6000000 + 2 * 1500000);
        end(&e);
    }
}

static void a_lost_stream_changes_nothing(void)
{
    static struct ends e;

    begin(&e);
    make(&e, "from/a", 4000000, 3);
    const char *paths[] = { path_in(&e, "from/a") };
    open_ends(&e, paths, 1, false);
    e.cut_after = 2000000;
    run(&e);
    struct wish w;
    receiver_flush(e.r);
    while (receiver_wish(e.r, &w))
        receiver_answer(e.r, e.now_us, w.id, disk_part_do(e.part, &w));
    CHECK(!sender_again(e.s) && !receiver_again(e.r));
    e.there.n = e.cut_after = e.there.total = 0;
    run(&e);
    CHECK(is_done(&e) && same(&e, "from/a", "to/a"));
    CHECK(e.there.total < 2500000);
    end(&e);
}

static void what_changed_is_noticed(void)
{
    for (int hashed = 0; hashed < 2; hashed++) {
        static struct ends e;
        struct share_view v;
        begin(&e);
        make(&e, "from/a", 4000000, 3);
        const char *paths[] = { path_in(&e, "from/a") };
        open_ends(&e, paths, 1, hashed);
        e.cut_after = 2000000;
        run(&e);
        make(&e, "from/a", 4000000, 4);
        e.cut_after = 0;
        run(&e);
        sender_look(e.s, &v);
        CHECK(v.state == SHARE_OVER && v.err == -ROOST_SOURCE_CHANGED);
        CHECK(at_receiver(&e).err == -ROOST_SOURCE_CHANGED && at_receiver(&e).theirs);
        CHECK(access(path_in(&e, "to/a"), F_OK));
        /* and by who has the first half */
        drop_ends(&e);
        open_ends(&e, paths, 1, hashed);
        run(&e);
        CHECK(at_receiver(&e).err == -ROOST_SOURCE_CHANGED && !at_receiver(&e).theirs);
        end(&e);
    }
}

/* What is read is the same, but its last change is the first one: only hashes can tell. */
static void the_root_has_the_last_word(void)
{
    static struct ends e;
    struct timespec at[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

    begin(&e);
    make(&e, "from/a", 4000000, 3);
    const char *paths[] = { path_in(&e, "from/a") };
    CHECK(!utimensat(AT_FDCWD, paths[0], at, 0));
    open_ends(&e, paths, 1, false);
    e.cut_after = 2500000;
    run(&e);
    drop_ends(&e);
    make(&e, "from/a", 4000000, 4);
    CHECK(!utimensat(AT_FDCWD, paths[0], at, 0));
    open_ends(&e, paths, 1, false);
    e.cut_after = 0;
    run(&e);
    CHECK(at_receiver(&e).err == -ROOST_SOURCE_CHANGED);
    CHECK(access(path_in(&e, "to/a"), F_OK));
    end(&e);
}

static void a_pipe_has_no_size(void)
{
    static struct ends e;
    static const size_t sizes[] = { 0, 5, TREE_BLOCK, 1000001 };

    for (size_t i = 0; i < 4; i++) {
        struct sender_settings ss = { 0 };
        begin(&e);
        make(&e, "from/a", sizes[i], 3);
        int fd = open(path_in(&e, "from/a"), O_RDONLY);
        CHECK(fd >= 0 && !disk_source_file(&e.source, fd, true, e.dir));
        disk_source_about(e.source, &ss.about);
        CHECK(ss.about.size == TREE_UNKNOWN && ss.about.stream && !sender_new(&e.s, &ss));
        struct disk_part_settings ps = {
            .dir = e.home, .parts = "p/x", .lay_out = true, .name = "a"
        };
        CHECK(!disk_part_open(&e.part, &ps));
        e.offer = (struct receiver_settings){ .size = TREE_UNKNOWN, .size_max = 2000000 };
        CHECK(!receiver_new(&e.r, &e.offer));
        run(&e);
        CHECK(is_done(&e) && same(&e, "from/a", "to/a"));
        end(&e);
    }
}

static void too_much_is_refused(void)
{
    static struct ends e;
    struct sender_settings ss = { 0 };

    begin(&e);
    make(&e, "from/a", 1000001, 3);
    int fd = open(path_in(&e, "from/a"), O_RDONLY);
    CHECK(fd >= 0 && !disk_source_file(&e.source, fd, true, e.dir));
    disk_source_about(e.source, &ss.about);
    CHECK(!sender_new(&e.s, &ss));
    struct disk_part_settings ps = { .dir = e.home, .parts = "p/x", .lay_out = true, .name = "a" };
    CHECK(!disk_part_open(&e.part, &ps));
    e.offer = (struct receiver_settings){ .size = TREE_UNKNOWN, .size_max = 1000000 };
    CHECK(!receiver_new(&e.r, &e.offer));
    run(&e);
    CHECK(at_receiver(&e).err == -ROOST_LIMIT);
    end(&e);
}

static void pauses_and_cancels(void)
{
    static struct ends e;
    struct share_view v;

    begin(&e);
    make(&e, "from/a", 4000000, 3);
    const char *paths[] = { path_in(&e, "from/a") };
    open_ends(&e, paths, 1, false);
    receiver_pause(e.r, true);
    run(&e);
    sender_look(e.s, &v);
    CHECK(v.paused_there && at_receiver(&e).here < 4000000 && !is_done(&e));
    receiver_pause(e.r, false);
    sender_pause(e.s, true);
    run(&e);
    CHECK(at_receiver(&e).paused_there && !is_done(&e));
    sender_pause(e.s, false);
    e.cut_after = 1500000;
    run(&e);
    receiver_cancel(e.r, -ROOST_CANCELLED);
    e.cut_after = 0;
    run(&e);
    sender_look(e.s, &v);
    CHECK(v.state == SHARE_OVER && v.err == -ROOST_CANCELLED && v.theirs);
    /* what came is kept */
    drop_ends(&e);
    open_ends(&e, paths, 1, false);
    run(&e);
    CHECK(is_done(&e) && at_receiver(&e).again > 0 && same(&e, "from/a", "to/a"));
    end(&e);
}

/* One bit, somewhere on its way: the block is not written, and what was verified stays. */
static void a_damaged_block_is_refused(void)
{
    for (int hashed = 0; hashed < 2; hashed++) {
        static struct ends e;
        begin(&e);
        make(&e, "from/a", 4000000, 3);
        const char *paths[] = { path_in(&e, "from/a") };
        open_ends(&e, paths, 1, hashed);
        e.cut_after = 1500000;
        run(&e);
        move_sender(&e);
        CHECK(e.there.n > 100);
        e.there.bytes[e.there.n - 1] ^= 4;
        e.cut_after = 0;
        run(&e);
        CHECK(at_receiver(&e).err == -ROOST_MALFORMED && at_receiver(&e).verified >= 500000);
        drop_ends(&e);
        open_ends(&e, paths, 1, hashed);
        run(&e);
        CHECK(is_done(&e) && same(&e, "from/a", "to/a") && at_receiver(&e).again >= 500000);
        end(&e);
    }
}

static void a_reader_gets_the_end_first(void)
{
    for (int hashed = 0; hashed < 2; hashed++) {
        static struct ends e;
        begin(&e);
        make(&e, "from/a", 10000000, 3);
        const char *paths[] = { path_in(&e, "from/a") };
        open_ends(&e, paths, 1, hashed);
        e.cut_after = 500000;
        run(&e);
        CHECK(!receiver_want(e.r, 140, 5));
        e.cut_after = 2500000;
        run(&e);
        CHECK(receiver_has(e.r, 140 * TREE_BLOCK, 5 * TREE_BLOCK));
        CHECK(!receiver_has(e.r, 100 * TREE_BLOCK, 1) && receiver_has(e.r, 0, 900000));
        e.cut_after = 0;
        run(&e);
        CHECK(is_done(&e) && same(&e, "from/a", "to/a"));
        end(&e);
    }
}

/* From one file and across many; what is not there yet is an error, not nothing. */
static void what_came_is_read_back(void)
{
    static const char *const names[] = { "from/t/x", "from/t/y", "from/t/z" };
    static struct ends e;
    static uint8_t bytes[TREE_BLOCK], wanted[3 * 30000];
    begin(&e);
    CHECK(!mkdir(path_in(&e, "from/t"), 0755));
    for (int i = 0; i < 3; i++) {
        make(&e, names[i], 30000, (uint8_t)i);
        FILE *f = fopen(path_in(&e, names[i]), "r");
        CHECK(f && fread(wanted + i * 30000, 1, 30000, f) == 30000);
        fclose(f);
    }
    const char *paths[] = { path_in(&e, "from/t") };
    open_ends(&e, paths, 1, true);
    CHECK(disk_part_read(e.part, 0, bytes, 10) < 0);
    e.cut_after = 89000; /* all of the first block, and not the end */
    run(&e);
    CHECK(receiver_has(e.r, 0, TREE_BLOCK));
    CHECK(disk_part_read(e.part, 0, bytes, TREE_BLOCK) == TREE_BLOCK);
    CHECK(!memcmp(bytes, wanted, TREE_BLOCK));
    CHECK(disk_part_read(e.part, 29990, bytes, 20) == 20 && !memcmp(bytes, wanted + 29990, 20));
    CHECK(disk_part_read(e.part, 90000, bytes, 1) == -ROOST_IO);
    e.cut_after = 0;
    run(&e);
    CHECK(is_done(&e));
    end(&e);

    begin(&e);
    make(&e, "from/a", 70000, 1);
    const char *one[] = { path_in(&e, "from/a") };
    open_ends(&e, one, 1, true);
    CHECK(disk_part_read(e.part, 0, bytes, 10) <= 0);
    run(&e);
    CHECK(disk_part_read(e.part, 65536, bytes, 4464) == 4464);
    CHECK(disk_part_read(e.part, 69990, bytes, 100) == 10 &&
          bytes[0] == (uint8_t)(69990 * 7 + 69990 / 251 + 69990 / 65536 * 3 + 1));
    CHECK(disk_part_read(e.part, 70000, bytes, 1) == 0);
    CHECK(disk_part_read(e.part, 0, NULL, 100) == -ROOST_IO);
    end(&e);
}

TEST_MAIN({ "one_file_of_any_size", one_file_of_any_size }, { "many_pages", many_pages },
          { "a_folder", a_folder }, { "goes_on_where_it_was", goes_on_where_it_was },
          { "a_lost_stream_changes_nothing", a_lost_stream_changes_nothing },
          { "what_changed_is_noticed", what_changed_is_noticed },
          { "the_root_has_the_last_word", the_root_has_the_last_word },
          { "a_pipe_has_no_size", a_pipe_has_no_size },
          { "too_much_is_refused", too_much_is_refused },
          { "pauses_and_cancels", pauses_and_cancels },
          { "a_damaged_block_is_refused", a_damaged_block_is_refused },
          { "a_reader_gets_the_end_first", a_reader_gets_the_end_first },
          { "what_came_is_read_back", what_came_is_read_back })

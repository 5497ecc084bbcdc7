/* A sender that lies, about what it sends or how much, is found out, and nothing gets a name. */
#include "base/err.h"
#include "disk/disk.h"
#include "seal/digest.h"
#include "share/receiver.h"
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 3, LAST = 100, SIZE = 2 * TREE_BLOCK + LAST };

static uint8_t body[SIZE], leaves[BLOCKS * TREE_HASH], page[TREE_HASH], root[TREE_HASH];

static uint32_t len_of(uint64_t block)
{
    return tree_block_len(SIZE, block);
}

static void know_body(void)
{
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (uint8_t)(i * 7 + i / 251 + 1);
    for (uint64_t i = 0; i < BLOCKS; i++)
        CHECK(!tree_leaf(leaves + i * TREE_HASH, i, body + i * TREE_BLOCK, len_of(i)));
    CHECK(!tree_page(page, 0, leaves, BLOCKS));
    CHECK(!tree_root(root, SIZE, page, 1));
}

/* --- who is lied to --- */

/* One at a time; a test that was starved in the middle leaves it to the next, or to the end. */
static char dir[64];

static void remove_dir(void)
{
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY);

    if (*dir)
        disk_os_real.remove_below(NULL, tmp, dir + strlen("/tmp/"));
    close(tmp);
    dir[0] = 0;
}

struct victim {
    int fd;
    struct disk_part *part;
    struct receiver *r;
};

static void begin(struct victim *v, const struct receiver_settings *offer, uint32_t files)
{
    struct disk_part_settings s = {
        .parts = ".roost-parts/1", .lay_out = true, .name = "notes.pdf", .files = files
    };

    know_body();
    static bool minded;
    if (!minded)
        atexit(remove_dir);
    minded = true;
    remove_dir();
    snprintf(dir, sizeof dir, "/tmp/roost-lies-%d-XXXXXX", (int)getpid());
    CHECK(mkdtemp(dir));
    v->fd = s.dir = open(dir, O_RDONLY | O_DIRECTORY);
    v->part = NULL;
    v->r = NULL;
    CHECK(!disk_part_open(&v->part, &s));
    CHECK(!receiver_new(&v->r, offer));
}

static void work(struct victim *v)
{
    struct wish w;
    size_t len;

    for (int i = 0; i < 100; i++) {
        while (receiver_out(v->r, &len))
            receiver_sent(v->r, len);
        if (!receiver_wish(v->r, &w))
            return;
        receiver_answer(v->r, 0, w.id, disk_part_do(v->part, &w));
    }
}

static void say(struct victim *v, const struct talk *t)
{
    static uint8_t bytes[TALK_HEAD + TALK_BODY_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);

    talk_write(&w, t);
    size_t len = (size_t)(w.p - bytes), at = 0;
    for (int i = 0; at < len && i < 100; i++) {
        int64_t n = receiver_in(v->r, 0, bytes + at, len - at);
        if (n < 0)
            break;
        at += (size_t)n;
        work(v);
    }
    work(v);
}

static size_t names_in(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;

    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* How it ended: 0: well, and it has its name; else why not. */
static int end(struct victim *v)
{
    struct share_view view;

    work(v);
    receiver_flush(v->r);
    work(v);
    receiver_look(v->r, &view);
    CHECK(names_in(dir) == (view.state == SHARE_DONE));
    CHECK((view.state == SHARE_OVER) == (view.err != 0));
    receiver_free(v->r);
    disk_part_remove(v->part);
    close(v->fd);
    remove_dir();
    return view.state == SHARE_DONE ? 0 : view.state == SHARE_OVER ? view.err : 1;
}

/* --- the truth, which each lie changes in one place --- */

enum lie {
    TRUTH,
    SIZE_OTHER,
    ROOT_OTHER,
    PAGES_OTHER,
    LEAVES_OTHER,
    BLOCK_OTHER,
    BLOCK_LONG,
    BLOCK_BEYOND,
    BLOCK_TWICE,
    BLOCK_MISSING,
    END_SIZE,
    END_ROOT,
    LIES,
};

static void say_about(struct victim *v, enum lie lie, bool rooted)
{
    struct talk t = { TALK_ABOUT,
                      .about = { .size = SIZE + (lie == SIZE_OTHER), .has_root = rooted } };

    memcpy(t.about.root, root, TREE_HASH);
    t.about.root[0] ^= lie == ROOT_OTHER;
    if (!rooted)
        memset(t.about.root, 0, TREE_HASH);
    say(v, &t);
}

static void say_hashes(struct victim *v, enum lie lie)
{
    uint8_t others[BLOCKS * TREE_HASH], other[TREE_HASH];

    memcpy(others, leaves, sizeof others);
    memcpy(other, page, sizeof other);
    other[3] ^= lie == PAGES_OTHER;
    others[40] ^= lie == LEAVES_OTHER;
    say(v, &(struct talk){ TALK_PAGES, .pages = { 0, 1, other } });
    say(v, &(struct talk){ TALK_PAGE, .pages = { 0, BLOCKS, others } });
}

static void say_block(struct victim *v, enum lie lie, uint64_t i, bool rooted)
{
    uint8_t bytes[TREE_BLOCK];
    uint64_t at = lie == BLOCK_BEYOND && i == 2 ? 3 : i;
    struct talk t = { rooted ? TALK_BLOCK : TALK_LEAFED,
                      .block = { at, rooted ? NULL : leaves + i * TREE_HASH, bytes,
                                 len_of(i) + (lie == BLOCK_LONG && i == 2) } };

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, body + i * TREE_BLOCK, len_of(i));
    bytes[17] ^= lie == BLOCK_OTHER && i == 1;
    if (lie != BLOCK_MISSING || i != 1)
        say(v, &t);
    if (lie == BLOCK_TWICE && i == 1)
        say(v, &t);
}

static int told(enum lie lie, bool rooted, bool offered)
{
    struct receiver_settings offer = { .size = offered ? SIZE : TREE_UNKNOWN,
                                       .size_max = SIZE + 1,
                                       .has_root = offered && rooted };
    struct talk over = { TALK_END, .end = { SIZE + (lie == END_SIZE), root } };
    uint8_t other[TREE_HASH];
    struct victim v;

    know_body();
    memcpy(offer.root, root, TREE_HASH);
    begin(&v, &offer, 0);
    say_about(&v, lie, rooted);
    if (rooted)
        say_hashes(&v, lie);
    for (uint64_t i = 0; i < BLOCKS; i++)
        say_block(&v, lie, i, rooted);
    memcpy(other, root, sizeof other);
    other[5] ^= lie == END_ROOT;
    over.end.root = other;
    say(&v, &over);
    return end(&v);
}

static void each_lie_is_an_end(void)
{
    CHECK(told(TRUTH, true, true) == 0);
    for (enum lie lie = SIZE_OTHER; lie < LIES; lie++) {
        int err = told(lie, true, true);
        CHECK(err == -ROOST_MALFORMED || (lie == BLOCK_BEYOND && err == -ROOST_LIMIT));
    }
}

/* The root comes last, and decides. */
static void without_a_root_too(void)
{
    CHECK(told(TRUTH, false, true) == 0);
    CHECK(told(BLOCK_OTHER, false, true) == -ROOST_MALFORMED);
    CHECK(told(BLOCK_BEYOND, false, true) == -ROOST_LIMIT);
    CHECK(told(BLOCK_TWICE, false, true) == -ROOST_MALFORMED);
    CHECK(told(BLOCK_LONG, false, true) == -ROOST_MALFORMED);
    CHECK(told(END_ROOT, false, true) < 0);
    CHECK(told(END_SIZE, false, true) < 0);
    CHECK(told(BLOCK_MISSING, false, true) != 0);
}

/* --- lists --- */

static size_t make_list(uint8_t *bytes, size_t cap, uint32_t files, uint64_t each,
                        uint8_t sum[TREE_HASH])
{
    struct list_writer w = { 0 };
    size_t len = (size_t)list_write_head(&w, bytes, cap);
    char path[16];

    for (uint32_t i = 0; i < files; i++) {
        snprintf(path, sizeof path, "f%u", (unsigned)i);
        struct list_entry e = { LIST_FILE, .size = each, .path = path, .path_len = 2 };
        len += (size_t)list_write(&w, &e, bytes + len, cap - len);
    }
    len += (size_t)list_write_end(&w, bytes + len, cap - len);
    const struct seal_part parts[] = { { list_label, sizeof list_label }, { bytes, len } };
    CHECK(!seal_sha256(sum, parts, 2));
    return len;
}

/* A list of three files of one byte, of which `files` and `size` were told. */
static int listed(uint32_t files, uint64_t size, bool other_list)
{
    struct receiver_settings offer = { .size = size, .has_list_root = true };
    uint8_t bytes[4000];
    struct victim v;
    size_t len = make_list(bytes, sizeof bytes, 3, 1, offer.list_root);
    struct talk about = { TALK_ABOUT, .about = { .size = size, .list_size = len } };

    memcpy(about.about.list_root, offer.list_root, TREE_HASH);
    begin(&v, &offer, files);
    say(&v, &about);
    bytes[len / 2] ^= other_list;
    say(&v, &(struct talk){ TALK_LIST, .list = { bytes, (uint32_t)len } });
    if (other_list) /* it may be asked for once more */
        say(&v, &(struct talk){ TALK_LIST, .list = { bytes, (uint32_t)len } });
    return end(&v);
}

static void counts_and_sums_of_lists(void)
{
    CHECK(listed(3, 3, false) == 1); /* waits for what is in them */
    CHECK(listed(0, 3, false) == 1);
    CHECK(listed(2, 3, false) == -ROOST_MALFORMED);
    CHECK(listed(1000, 3, false) == -ROOST_MALFORMED);
    CHECK(listed(3, 4, false) == -ROOST_MALFORMED);
    CHECK(listed(3, 3, true) == -ROOST_MALFORMED);
}

TEST_MAIN({ "each_lie_is_an_end", each_lie_is_an_end },
          { "without_a_root_too", without_a_root_too },
          { "counts_and_sums_of_lists", counts_and_sums_of_lists })

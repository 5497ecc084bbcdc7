/* The pieces of a transfer, each by itself: tree, what is held, list, names, talk. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "share/list.h"
#include "share/names.h"
#include "share/talk.h"

static bool is_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    char text[3];
    bool same = strlen(hex) == 2 * len;

    for (size_t i = 0; same && i < len; i++) {
        snprintf(text, sizeof text, "%02x", bytes[i]);
        same = !memcmp(text, hex + 2 * i, 2);
    }
    return same;
}

/* --- tree ------------------------------------------------------------------------------------ */

/* Reckoned with Python's hashlib. */
static void hashes_are_as_written(void)
{
    uint8_t leaf[TREE_HASH], page[TREE_HASH], root[TREE_HASH];

    CHECK(!tree_leaf(leaf, 7, "hello", 5));
    CHECK(is_hex(leaf, 32, "6d1866fd00b89b219a95771f1dd4a20e1d35fcb9cf73d8a6324b731fc271875b"));
    CHECK(!tree_page(page, 3, leaf, 1));
    CHECK(is_hex(page, 32, "a6a80cdde16f223b3337b856100736acbc4bc8509cce95c185de989a0d596fc2"));
    CHECK(!tree_root(root, 5, page, 1));
    CHECK(is_hex(root, 32, "21d5a7f3155dc39c5a5f88d2098d678cb2527a067b9113164774014013c66316"));
    CHECK(!tree_root(root, 0, NULL, 0));
    CHECK(is_hex(root, 32, "5ac5e2e991cc1988acb1baaf5db1cac2a2abed617842720811e2d0fea510cf74"));
}

static void sizes_are_cut(void)
{
    CHECK(tree_blocks(0) == 0 && tree_blocks(1) == 1 && tree_blocks(TREE_BLOCK + 1) == 2);
    CHECK(tree_block_len(TREE_BLOCK + 5, 1) == 5 && tree_block_len(TREE_BLOCK + 5, 2) == 0);
    CHECK(tree_pages((uint64_t)TREE_PAGE * TREE_BLOCK + 1) == 2);
    CHECK(tree_page_len((uint64_t)TREE_PAGE * TREE_BLOCK + 1, 1) == 1);
    CHECK(tree_pages(TREE_SIZE_MAX) == TREE_PAGES_MAX);
}

/* Leaves in any order make the same root; a page that had to make room is read again. */
static void leaves_are_gathered(void)
{
    struct gather a = { 0 }, b = { 0 };
    uint64_t size = 6ULL * TREE_PAGE * TREE_BLOCK - 9, n = tree_blocks(size);
    uint8_t leaf[TREE_HASH] = { 0 }, root[2][TREE_HASH];
    uint32_t page = 0;

    for (uint64_t i = 0; i < n; i++) {
        memcpy(leaf, &i, sizeof i);
        CHECK(!gather_leaf(&a, size, i, leaf));
    }
    CHECK(!gather_missing(&a, size, &page) && !gather_root(&a, size, root[0]));
    for (uint64_t k = 0; k < n; k++) { /* from page to page: no four of them are enough */
        uint64_t i = k % 6 * TREE_PAGE + k / 6;
        memcpy(leaf, &i, sizeof i);
        CHECK(!gather_leaf(&b, size, i, leaf));
    }
    page = 0;
    CHECK(gather_missing(&b, size, &page));
    static uint8_t leaves[TREE_PAGE][TREE_HASH];
    for (page = 0; gather_missing(&b, size, &page);) {
        for (uint64_t i = 0; i < TREE_PAGE; i++) {
            uint64_t block = (uint64_t)page * TREE_PAGE + i;
            memcpy(leaves[i], &block, sizeof block);
        }
        CHECK(!gather_page(&b, page, leaves[0], tree_page_len(size, page)));
    }
    CHECK(!gather_root(&b, size, root[1]) && !memcmp(root[0], root[1], TREE_HASH));
    gather_fini(&a);
    gather_fini(&b);
}

static void another_leaf_is_another_source(void)
{
    struct gather g = { 0 };
    uint8_t one[TREE_HASH] = { 1 }, two[TREE_HASH] = { 2 };

    CHECK(!gather_leaf(&g, 1000000, 3, one) && !gather_leaf(&g, 1000000, 3, one));
    CHECK(gather_leaf(&g, 1000000, 3, two) == -ROOST_SOURCE_CHANGED);
    CHECK(gather_leaf(&g, TREE_UNKNOWN, TREE_SIZE_MAX / TREE_BLOCK, one) == -ROOST_LIMIT);
    gather_fini(&g);
}

/* --- held ------------------------------------------------------------------------------------ */

static void runs_grow_together(void)
{
    struct held h = { 0 };

    CHECK(!held_add(&h, 10, 20) && !held_add(&h, 30, 40) && !held_add(&h, 5, 5) && h.n == 2);
    CHECK(held_missing(&h, 0) == 0 && held_missing(&h, 10) == 20 && held_next(&h, 20) == 30);
    CHECK(held_next(&h, 40) == UINT64_MAX && held_has(&h, 19) && !held_has(&h, 20));
    CHECK(!held_add(&h, 20, 30) && h.n == 1 && held_has_all(&h, 10, 40) &&
          !held_has_all(&h, 9, 11));
    CHECK(!held_add(&h, 0, 100) && h.n == 1 && held_count(&h) == 100);
    held_fini(&h);
    for (uint64_t i = 0; i < HELD_RUNS_MAX; i++)
        CHECK(!held_add(&h, 2 * i, 2 * i + 1));
    CHECK(held_add(&h, 1000000, 1000001) == -ROOST_LIMIT && !held_add(&h, 1, 2));
    held_fini(&h);
}

/* Against a plain array of bits. */
static void runs_are_a_set(void)
{
    struct held h = { 0 };
    bool bits[300] = { 0 };
    uint32_t seed = 3;

    for (int round = 0; round < 400; round++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t from = (seed >> 8) % 290, to = from + (seed >> 20) % 9;
        CHECK(!held_add(&h, from, to));
        for (uint64_t i = from; i < to; i++)
            bits[i] = true;
        for (uint64_t i = 0; i < 300; i++)
            CHECK(held_has(&h, i) == bits[i]);
        for (uint32_t i = 1; i < h.n; i++)
            CHECK(h.all[i].from > h.all[i - 1].to);
        if (round % 60 == 59) {
            held_fini(&h);
            memset(bits, 0, sizeof bits);
        }
    }
    held_fini(&h);
}

static void a_torn_map_is_no_map(void)
{
    struct held h = { 0 }, back = { 0 };
    struct held_of of = { .size = 9000000, .mtime_ns = -5, .has_root = true, .root = { 9 } }, other;
    uint8_t bytes[HELD_FILE_MAX];
    uint64_t generation = 0;

    CHECK(!held_add(&h, 3, 9) && !held_add(&h, 50, 51));
    int len = held_pack(&h, &of, 77, bytes, sizeof bytes);
    CHECK(len > 0 && !held_unpack(&back, &other, &generation, bytes, (size_t)len));
    CHECK(generation == 77 && held_of_same(&of, &other) && other.mtime_ns == -5 && back.n == 2);
    for (int i = 0; i < len; i++) {
        bytes[i] ^= 1;
        CHECK(held_unpack(&back, &other, &generation, bytes, (size_t)len) == -ROOST_MALFORMED);
        bytes[i] ^= 1;
        CHECK(held_unpack(&back, &other, &generation, bytes, (size_t)i) == -ROOST_MALFORMED);
    }
    CHECK(back.n == 2);
    held_fini(&h);
    held_fini(&back);
}

static void what_blocks_are_of(void)
{
    struct held_of a = { .size = 5, .mtime_ns = 7 }, b = a;

    CHECK(held_of_same(&a, &b));
    b.mtime_ns = 8;
    CHECK(!held_of_same(&a, &b));
    a.has_root = b.has_root = true; /* the same bytes, touched */
    CHECK(held_of_same(&a, &b));
    b.root[3] = 1;
    CHECK(!held_of_same(&a, &b));
    b.has_root = false; /* nobody can tell */
    b.mtime_ns = 7;
    CHECK(held_of_same(&a, &b));
}

/* --- list ------------------------------------------------------------------------------------ */

static struct list_entry entry(enum list_kind kind, const char *path, uint64_t size)
{
    return (struct list_entry){ .kind = kind,
                                .mode = 0644,
                                .mtime_s = 1000000000,
                                .size = size,
                                .path = path,
                                .path_len = (uint32_t)strlen(path) };
}

/* A list as a program would write it; its length. */
static size_t write_list(uint8_t *bytes, size_t cap, const struct list_entry *all, size_t n)
{
    struct list_writer w;
    size_t len = (size_t)list_write_head(&w, bytes, cap);

    for (size_t i = 0; i < n; i++) {
        struct list_entry e = all[i];
        int more = list_write(&w, &e, bytes + len, cap - len);
        CHECK(more > 0);
        len += (size_t)more;
    }
    return len + (size_t)list_write_end(&w, bytes + len, cap - len);
}

static void a_list_comes_in_any_pieces(void)
{
    const struct list_entry all[] = { entry(LIST_DIRECTORY, "a", 0),
                                      entry(LIST_FILE, "a/b", 5),
                                      entry(LIST_LINK, "a/l", 0),
                                      entry(LIST_DIRECTORY, "a/c", 0),
                                      entry(LIST_FILE, "a/c/x.txt", 70000),
                                      entry(LIST_FILE, "a/d", 0),
                                      entry(LIST_FILE, "z", 1) };
    uint8_t bytes[1000];
    size_t len = write_list(bytes, sizeof bytes, all, 7);

    for (size_t piece = 1; piece < len + 1; piece++) {
        struct list_reader r = { 0 };
        struct list_entry e;
        size_t n = 0, at = 0;
        uint64_t body = 0;
        int got = 0;
        while (at < len && !r.over) {
            size_t left = len - at < piece ? len - at : piece;
            const uint8_t *p = bytes + at;
            at += left;
            while ((got = list_read(&r, &p, &left, &e)) == 1 && e.kind != LIST_END) {
                CHECK(!strcmp(e.path, all[n].path) && e.size == all[n].size && e.at == body &&
                      e.kind == all[n].kind && e.mode == 0644 && e.mtime_s == 1000000000);
                body += e.size;
                n++;
            }
            CHECK(got >= 0);
        }
        CHECK(r.over && n == 7 && r.body == 70006);
    }
}

static void a_list_has_known_bytes(void)
{
    const struct list_entry all[] = { entry(LIST_DIRECTORY, "a", 0), entry(LIST_FILE, "a/b", 5) };
    uint8_t bytes[200];
    size_t len = write_list(bytes, sizeof bytes, all, 2);

    CHECK(is_hex(bytes, len,
                 "524c5331"
                 "0241a4bb9aca00000161"
                 "0141a4bb9aca00050102"
                 "2f62"
                 "000205"));
}

/* Reads all; the error. */
static int read_list(const uint8_t *bytes, size_t len)
{
    struct list_reader r = { 0 };
    struct list_entry e;
    int got;

    while ((got = list_read(&r, &bytes, &len, &e)) == 1 && e.kind != LIST_END)
        ;
    return got < 0 ? got : got && !len ? 0 : -ROOST_MALFORMED;
}

static void a_list_is_not_believed(void)
{
    static const char *const bad[] = { "/a",     "a/",  "a//b", ".",   "..",
                                       "a/../b", "a/.", "",     "x/y", "a\xff" };
    struct list_writer w;
    uint8_t bytes[6000];
    char deep[2 * LIST_DEPTH_MAX + 4] = "a";

    for (int i = 0; i < LIST_DEPTH_MAX; i++)
        strcat(deep, "/a");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        /* as bytes: kind, mode, time, size, shared, rest */
        uint8_t raw[64] = { 'R', 'L', 'S', '1', 1, 1, 1, 1, 0, (uint8_t)strlen(bad[i]) };
        memcpy(raw + 10, bad[i], strlen(bad[i]));
        memcpy(raw + 10 + strlen(bad[i]), "\0\1\1", 3);
        CHECK(read_list(raw, 13 + strlen(bad[i])) == -ROOST_MALFORMED);
        list_write_head(&w, bytes, sizeof bytes);
        struct list_entry e = entry(LIST_FILE, bad[i], 1);
        CHECK(!strcmp(bad[i], "x/y") || list_write(&w, &e, bytes, sizeof bytes) == -ROOST_INVALID);
    }
    struct list_entry e = entry(LIST_FILE, deep, 1), big = entry(LIST_FILE, "a", TREE_SIZE_MAX);
    CHECK(list_write(&w, &e, bytes, sizeof bytes) == -ROOST_INVALID);
    CHECK(list_write(&w, &big, bytes, sizeof bytes) > 0);
    CHECK(list_write(&w, &big, bytes, sizeof bytes) == -ROOST_LIMIT);
    /* sums that are none of this list, and something behind the end */
    const struct list_entry one = entry(LIST_FILE, "a", 5);
    size_t len = write_list(bytes, sizeof bytes, &one, 1);
    CHECK(!read_list(bytes, len));
    CHECK(read_list(bytes, len + 1) == -ROOST_MALFORMED);
    bytes[len - 1] = 6;
    CHECK(read_list(bytes, len) == -ROOST_MALFORMED);
}

static void a_list_is_read_from_the_middle(void)
{
    struct list_writer w;
    struct list_reader r;
    struct list_entry e;
    static uint8_t bytes[20000];
    size_t at = (size_t)list_write_head(&w, bytes, sizeof bytes), mark = 0;
    uint64_t body = 0;

    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "file number %d", i);
        if (i == LIST_STEP * 2) {
            mark = at;
            body = w.body;
        }
        e = entry(LIST_FILE, name, (uint64_t)i);
        at += (size_t)list_write(&w, &e, bytes + at, sizeof bytes - at);
    }
    at += (size_t)list_write_end(&w, bytes + at, sizeof bytes - at);
    list_read_from(&r, LIST_STEP * 2, body);
    const uint8_t *p = bytes + mark;
    size_t left = at - mark;
    CHECK(list_read(&r, &p, &left, &e) == 1 && !strcmp(e.path, "file number 128") && e.at == body);
    while (list_read(&r, &p, &left, &e) == 1 && e.kind != LIST_END)
        ;
    CHECK(r.over && r.entries == 200);
}

/* --- names ----------------------------------------------------------------------------------- */

static bool cleans(const char *name, const char *clean)
{
    char ret[NAMES_ROOM];

    return !names_clean(ret, name, strlen(name), true) && !strcmp(ret, clean);
}

static void names_become_safe(void)
{
    CHECK(cleans("report.pdf", "report.pdf") && cleans("Ünïcode ☃.txt", "Ünïcode ☃.txt"));
    CHECK(cleans("a/b\\c:d", "a_b_c_d") && cleans("..", "file") && cleans(".", "file"));
    CHECK(cleans("", "file") && cleans("...", "file") && cleans(".bashrc", "_bashrc"));
    CHECK(cleans("x\n\x1b[31m", "x__[31m") && cleans("a\xe2\x80\xaegnp.exe", "a_gnp.exe"));
    CHECK(cleans("CON", "_CON") && cleans("nul.txt", "_nul.txt") && cleans("Com1", "_Com1"));
    CHECK(cleans("COM\xc2\xb9.x", "_COM\xc2\xb9.x") && cleans("console", "console"));
    CHECK(cleans("name. . ", "name") && cleans("a\xff\xfe", "a__") &&
          cleans("a?<b>|\"*", "a__b____"));
    CHECK(cleans("e\xcc\x81", "\xc3\xa9")); /* composed */
    char ret[NAMES_ROOM];
    CHECK(!names_clean(ret, ".git", 4, false) && !strcmp(ret, ".git"));
}

static void long_names_keep_their_end(void)
{
    char name[3000], ret[NAMES_ROOM];

    memset(name, 'n', 400);
    strcpy(name + 400, ".tar.gz");
    CHECK(!names_clean(ret, name, strlen(name), true));
    CHECK(strlen(ret) <= NAMES_BYTES_MAX && !strcmp(ret + strlen(ret) - 3, ".gz"));
    for (int i = 0; i < 900; i++)
        memcpy(name + 3 * i, "\xe2\x98\x83", 4);
    CHECK(!names_clean(ret, name, strlen(name), true));
    CHECK(strlen(ret) <= NAMES_BYTES_MAX && strlen(ret) % 3 == 0);
    /* what is clean stays as it is */
    char again[NAMES_ROOM];
    CHECK(!names_clean(again, ret, strlen(ret), true) && !strcmp(again, ret));
}

static void equal_names_get_numbers(void)
{
    struct names_taken t = { 0 };
    char ret[NAMES_ROOM];

    CHECK(!names_take(&t, 1, ret, "a.txt", 5, true) && !strcmp(ret, "a.txt"));
    CHECK(!names_take(&t, 1, ret, "A.TXT", 5, true) && !strcmp(ret, "A (2).TXT"));
    CHECK(!names_take(&t, 1, ret, "a.txt", 5, true) && !strcmp(ret, "a (3).txt"));
    CHECK(!names_take(&t, 2, ret, "a.txt", 5, true) && !strcmp(ret, "a.txt"));
    CHECK(!names_take(&t, 1, ret, "\xc3\x84", 2, true) && !strcmp(ret, "\xc3\x84"));
    CHECK(!names_take(&t, 1, ret, "a\xcc\x88", 3, true) && !strcmp(ret, "\xc3\xa4 (2)"));
    for (int i = 0; i < 5000; i++)
        CHECK(!names_take(&t, 3, ret, "same", 4, true));
    CHECK(t.n == 5006);
    names_taken_fini(&t);
}

/* --- talk ------------------------------------------------------------------------------------ */

static bool is_said(const struct talk *t, const char *hex)
{
    uint8_t bytes[400];
    struct writer w = writer_of(bytes, sizeof bytes);
    enum talk_kind kind;
    uint32_t len;
    struct talk back;

    talk_write(&w, t);
    size_t n = (size_t)(w.p - bytes);
    if (w.full || !is_hex(bytes, n, hex) || talk_read_head(bytes, n, &kind, &len) != 1 ||
        len + TALK_HEAD != n || talk_read(&back, kind, bytes + TALK_HEAD, len))
        return false;
    uint8_t again[400];
    w = writer_of(again, sizeof again);
    talk_write(&w, &back);
    return !w.full && (size_t)(w.p - again) == n && !memcmp(bytes, again, n);
}

#define EIGHT(x) x x x x x x x x

static void messages_have_known_bytes(void)
{
    static const uint8_t h[TREE_HASH] = { [0 ... 31] = 0x11 }, token[16] = { [0 ... 15] = 0x22 };
    static const char *const ones = EIGHT("11111111");
    char hex[300];

    CHECK(is_said(&(struct talk){ TALK_BEGIN, .begin = { TALK_SENDS, token } },
                  "01000012"
                  "0101"
                  "22222222222222222222222222222222"));
    struct talk about = { TALK_ABOUT, .about = { .size = 70000, .mtime_ns = 258, .list_size = 9 } };
    memset(about.about.list_root, 0x11, TREE_HASH);
    snprintf(hex, sizeof hex,
             "0200002e"
             "09"
             "0000000000000102"
             "80011170"
             "09"
             "%s",
             ones);
    CHECK(is_said(&about, hex));
    struct talk holes = { TALK_ABOUT, .about = { .size = 70000, .sparse = true, .filled = 9 } };
    CHECK(is_said(&holes, "0200000e11"
                          "0000000000000000"
                          "80011170"
                          "09"));
    struct talk pipe = { TALK_ABOUT, .about = { .size = TREE_UNKNOWN, .stream = true } };
    CHECK(is_said(&pipe, "0200000904"
                         "0000000000000000"));
    CHECK(is_said(&(struct talk){ TALK_LIST, .list = { h, 2 } }, "030000021111"));
    snprintf(hex, sizeof hex, "0400002105%s", ones);
    CHECK(is_said(&(struct talk){ TALK_PAGES, .pages = { 5, 1, h } }, hex));
    snprintf(hex, sizeof hex, "0500002105%s", ones);
    CHECK(is_said(&(struct talk){ TALK_PAGE, .pages = { 5, 1, h } }, hex));
    CHECK(is_said(&(struct talk){ TALK_BLOCK, .block = { 64, NULL, h, 2 } }, "0600000440401111"));
    snprintf(hex, sizeof hex, "0700002301%s1111", ones);
    CHECK(is_said(&(struct talk){ TALK_LEAFED, .block = { 1, h, h, 2 } }, hex));
    snprintf(hex, sizeof hex, "0800002107%s", ones);
    CHECK(is_said(&(struct talk){ TALK_END, .end = { 7, h } }, hex));
    CHECK(is_said(&(struct talk){ TALK_HAVE }, "10000000"));
    CHECK(is_said(&(struct talk){ TALK_LIST_WANT, .list_from = 3 }, "1100000103"));
    CHECK(is_said(&(struct talk){ TALK_WANT, .want = { 2, 1 } }, "120000020201"));
    CHECK(is_said(&(struct talk){ TALK_VERIFIED, .runs = { (const uint8_t *)"\0\4", 2 } },
                  "130000020004"));
    snprintf(hex, sizeof hex, "14000020%s", ones);
    CHECK(is_said(&(struct talk){ TALK_DONE, .end = { .root = h } }, hex));
    CHECK(is_said(&(struct talk){ TALK_PAUSE }, "18000000"));
    CHECK(is_said(&(struct talk){ TALK_GO }, "19000000"));
    CHECK(is_said(&(struct talk){ TALK_CANCEL, .why = ROOST_CANCELLED }, "1a0000024061"));
}

static void messages_are_not_believed(void)
{
    enum talk_kind kind;
    enum talk_role role;
    uint32_t len;
    struct talk t;
    uint8_t token[TALK_TOKEN], zeros[64] = { 0 };
    struct held h = { 0 };

    CHECK(talk_read_head((const uint8_t *)"\x09\0\0\0", 4, &kind, &len) == -ROOST_MALFORMED);
    CHECK(talk_read_head((const uint8_t *)"\x06\x02\0\0", 4, &kind, &len) == -ROOST_MALFORMED);
    CHECK(talk_read_head((const uint8_t *)"\x18\0\0\1", 4, &kind, &len) == -ROOST_MALFORMED);
    CHECK(talk_read_head(zeros + 1, 0, &kind, &len) == 0);
    CHECK(talk_read(&t, TALK_BLOCK, zeros, 1) == 0 && !t.block.len);
    /* zeros */
    CHECK(talk_read(&t, TALK_PAGES, zeros, 20) == -ROOST_MALFORMED);
    CHECK(talk_read(&t, TALK_CANCEL, zeros, 1) == -ROOST_MALFORMED);
    CHECK(talk_read(&t, TALK_ABOUT, (const uint8_t *)"\x10\0\0\0\0\0\0\0\0", 9) ==
          -ROOST_MALFORMED);
    CHECK(talk_read_begin((const uint8_t *)"\x01\0\0\x12\2", 5, &role, token) == 0);
    uint8_t begin[TALK_BEGIN_BYTES] = { TALK_BEGIN, 0, 0, 18, 2, 1 };
    CHECK(talk_read_begin(begin, sizeof begin, &role, token) == -ROOST_VERSION);
    begin[4] = TALK_VERSION;
    CHECK(talk_read_begin(begin, sizeof begin, &role, token) == TALK_BEGIN_BYTES && role == 1);
    begin[5] = 3;
    CHECK(talk_read_begin(begin, sizeof begin, &role, token) == -ROOST_MALFORMED);
    /* runs: past the end, touching, empty */
    static const char *const runs[] = { "\x05\x06", "\x00\x02\x00\x02", "\x01\x00", "\x01" };
    static const size_t lens[] = { 2, 4, 2, 1 };
    for (int i = 0; i < 4; i++) {
        struct reader r = reader_of(runs[i], lens[i]);
        CHECK(held_read(&h, &r, 10) == -ROOST_MALFORMED && !h.n);
    }
}

TEST_MAIN({ "hashes_are_as_written", hashes_are_as_written }, { "sizes_are_cut", sizes_are_cut },
          { "leaves_are_gathered", leaves_are_gathered },
          { "another_leaf_is_another_source", another_leaf_is_another_source },
          { "runs_grow_together", runs_grow_together }, { "runs_are_a_set", runs_are_a_set },
          { "a_torn_map_is_no_map", a_torn_map_is_no_map },
          { "what_blocks_are_of", what_blocks_are_of },
          { "a_list_comes_in_any_pieces", a_list_comes_in_any_pieces },
          { "a_list_has_known_bytes", a_list_has_known_bytes },
          { "a_list_is_not_believed", a_list_is_not_believed },
          { "a_list_is_read_from_the_middle", a_list_is_read_from_the_middle },
          { "names_become_safe", names_become_safe },
          { "long_names_keep_their_end", long_names_keep_their_end },
          { "equal_names_get_numbers", equal_names_get_numbers },
          { "messages_have_known_bytes", messages_have_known_bytes },
          { "messages_are_not_believed", messages_are_not_believed })

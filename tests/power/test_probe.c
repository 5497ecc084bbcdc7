/* Does the probe see what a batch would meet? On files that fail when told to. */
#include "base/err.h"
#include "faultvfs.h"
#include "store/sqlite.h"
#include "store/sqlite_probe.h"
#include "tests/unit/test.h"

enum { FOR_EVER = 1000000 };

static struct store *open_store(void)
{
    const struct sqlite_options o = { .path = "/probe.db", .vfs = FAULTVFS_NAME };
    struct store *s = NULL;
    char why[200];

    faultvfs_register();
    faultvfs_reset(1);
    CHECK(sqlite_store_open(&s, &o, why) == 0);
    return s;
}

static void it_writes_and_syncs(void)
{
    struct store *s = open_store();
    uint64_t writes = faultvfs_stats()->calls[FAULT_WRITE];
    uint64_t syncs = faultvfs_stats()->calls[FAULT_SYNC];

    CHECK(sqlite_store_probe(s) == 0);
    CHECK(faultvfs_stats()->calls[FAULT_WRITE] > writes);
    CHECK(faultvfs_stats()->calls[FAULT_SYNC] > syncs);

    /* however often, nothing grows for long */
    for (int i = 0; i < 3000; i++)
        CHECK(sqlite_store_probe(s) == 0);
    s->ops->free(s);
}

static void it_tells_a_full_disk_and_that_it_is_over(void)
{
    struct store *s = open_store();

    faultvfs_fail_after(1, FOR_EVER, true);
    CHECK(sqlite_store_probe(s) == -ROOST_FULL);
    CHECK(sqlite_store_probe(s) < 0);
    faultvfs_fail_after(0, 0, true);
    CHECK(sqlite_store_probe(s) == 0);
    s->ops->free(s);
}

static void it_tells_a_disk_that_fails(void)
{
    struct store *s = open_store();

    faultvfs_fail_after(2, FOR_EVER, false);
    CHECK(sqlite_store_probe(s) == -ROOST_NOT_STORED);
    faultvfs_fail_after(0, 0, false);
    CHECK(sqlite_store_probe(s) == 0);
    s->ops->free(s);
}

TEST_MAIN({ "it_writes_and_syncs", it_writes_and_syncs },
          { "it_tells_a_full_disk_and_that_it_is_over", it_tells_a_full_disk_and_that_it_is_over },
          { "it_tells_a_disk_that_fails", it_tells_a_disk_that_fails })

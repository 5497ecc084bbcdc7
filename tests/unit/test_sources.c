/* Counting by source: what limits half-open connections. */
#include <stdlib.h>
#include <string.h>

#include "server/addr.h"
#include "server/sources.h"
#include "test.h"

static uint64_t source_of(const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;

    return addr_parse(text, 7, &a, &len) ? 0 : addr_source(&a);
}

static void an_address_or_a_household_is_a_source(void)
{
    CHECK(source_of("192.0.2.7") != source_of("192.0.2.8"));
    CHECK(source_of("192.0.2.7") == source_of("::ffff:192.0.2.7"));
    CHECK(source_of("2001:db8:1:2ff:3::4") == source_of("2001:db8:1:200::1"));
    CHECK(source_of("2001:db8:1:300::1") != source_of("2001:db8:1:200::1"));
    CHECK(source_of("::7") != source_of("0.0.0.7"));
}

static void each_source_has_its_count(void)
{
    struct sources s;

    sources_init(&s, 1);
    CHECK(sources_most(&s) == 0);
    int err = 0;
    for (int i = 0; !err && i < 3; i++)
        err = sources_add(&s, 7);
    if (!err)
        err = sources_add(&s, 8);
    if (!err) {
        CHECK(sources_count(&s, 7) == 3 && sources_count(&s, 8) == 1 && !sources_count(&s, 9));
        CHECK(sources_most(&s) == 7);
        sources_remove(&s, 7);
        sources_remove(&s, 7);
        sources_remove(&s, 7);
        CHECK(sources_most(&s) == 8);
        CHECK(s.counts.n == 1); /* who has nothing costs nothing */
    }
    sources_fini(&s);
}

TEST_MAIN({ "an_address_or_a_household_is_a_source", an_address_or_a_household_is_a_source },
          { "each_source_has_its_count", each_source_has_its_count })

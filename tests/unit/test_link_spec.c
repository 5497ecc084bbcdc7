#include "lab/spec.h"
#include "test.h"

#include <string.h>

#include "base/err.h"

static struct link_pair spec(const char *words)
{
    struct link_pair p = { 0 };
    char wrong[LINK_WRONG_MAX] = "";

    CHECK(link_spec(&p, words, wrong) == 0);
    CHECK(wrong[0] == 0);
    return p;
}

/* A word that is wrong changes nothing, not even by the right ones before it. */
static const char *wrong_of(const char *words)
{
    static char wrong[LINK_WRONG_MAX];
    struct link_pair p = spec("wan"), before = p;

    wrong[0] = 0;
    CHECK(link_spec(&p, words, wrong) == -ROOST_INVALID);
    CHECK(memcmp(&p, &before, sizeof p) == 0);
    return wrong;
}

static void the_named_links(void)
{
    /* a round trip is the delay of both directions together */
    static const struct {
        const char *name;
        uint64_t bps;
        int64_t round_trip_us, jitter_us;
        uint32_t loss_ppm, burst, queue;
    } table[] = {
        { "lan", 900000000, 400, 0, 0, 0, 524288 },
        { "wifi", 100000000, 6000, 4000, 5000, 2, 262144 },
        { "wan", 100000000, 40000, 0, 1000, 0, 262144 },
        { "lossy", 50000000, 50000, 0, 20000, 0, 262144 },
        { "sat", 20000000, 600000, 0, 5000, 0, 524288 },
        { "bloat", 10000000, 30000, 0, 0, 0, 1048576 },
        { "shallow", 50000000, 40000, 0, 0, 0, 32768 },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct link_pair p = spec(table[i].name);
        CHECK(memcmp(&p.up, &p.down, sizeof p.up) == 0);
        CHECK(p.up.rate_bps == table[i].bps);
        CHECK(p.up.delay_us + p.down.delay_us == table[i].round_trip_us);
        CHECK(p.up.jitter_us == table[i].jitter_us);
        CHECK(p.up.loss_ppm == table[i].loss_ppm && p.up.loss_burst == table[i].burst);
        CHECK(p.up.queue_bytes == table[i].queue);
    }
    struct link_pair p = spec("policed");
    CHECK(p.up.police_bps == 20000000 && p.up.police_bytes == 65536 && p.up.rate_bps == 0);
    CHECK(p.up.queue_bytes == 0 && p.up.delay_us == 20000);
    p = spec("mobile");
    CHECK(p.up.rate_bps < p.down.rate_bps);
    CHECK(link_n_names == 9 && link_find("wan") && !link_find("wa") && !link_find(""));
}

static void settings_in_words(void)
{
    struct link_pair p = spec("rate=50M delay=25ms jitter=1.5ms loss=2% burst=2 queue=256K");
    CHECK(p.up.rate_bps == 50000000 && p.up.delay_us == 25000 && p.up.jitter_us == 1500);
    CHECK(p.up.loss_ppm == 20000 && p.up.loss_burst == 2 && p.up.queue_bytes == 262144);
    CHECK(memcmp(&p.up, &p.down, sizeof p.up) == 0);

    p = spec("reorder=1%,late=5ms,dup=0.5%,corrupt=200ppm,codel=10ms,interval=50ms,police=1.5G/1M");
    CHECK(p.down.reorder_ppm == 10000 && p.down.late_us == 5000);
    CHECK(p.down.duplicate_ppm == 5000 && p.down.corrupt_ppm == 200);
    CHECK(p.down.codel_target_us == 10000 && p.down.codel_interval_us == 50000);
    CHECK(p.down.police_bps == 1500000000 && p.down.police_bytes == 1048576);

    CHECK(spec("rtt=50ms").up.delay_us == 25000);
    CHECK(spec("codel=on").up.codel_target_us == 5000);
    CHECK(spec("reorder=1%").up.late_us == 10000);
    CHECK(spec("rate=900kbit").up.rate_bps == 900000 && spec("rate=64000").up.rate_bps == 64000);
    CHECK(spec("delay=400us").up.delay_us == 400 && spec("delay=1s").up.delay_us == 1000000);
    CHECK(spec("").up.rate_bps == 0 && spec("  , ").up.rate_bps == 0);
}

static void from_left_to_right_and_each_way_by_itself(void)
{
    struct link_pair p = spec("wan loss=0 up.rate=5M down.delay=none");
    CHECK(p.up.rate_bps == 5000000 && p.down.rate_bps == 100000000);
    CHECK(p.up.loss_ppm == 0 && p.down.loss_ppm == 0);
    CHECK(p.up.delay_us == 20000 && p.down.delay_us == 0);
    p = spec("up.sat down.lan");
    CHECK(p.up.delay_us == 300000 && p.down.delay_us == 200);
    p = spec("policed police=off rate=none");
    CHECK(p.up.police_bps == 0 && p.up.rate_bps == 0 && p.up.delay_us == 20000);
}

static void what_is_wrong_is_said(void)
{
    static const struct {
        const char *words, *says;
    } cases[] = {
        { "loss=2", "\"loss=2\": a share: 2%" },
        { "loss=1% loss=101%", "\"loss=101%\": a share" },
        { "rate=fast", "\"rate=fast\": a rate" },
        { "rate=-5M", "a rate" },
        { "rate=5M5", "a rate" },
        { "rate=1e9", "a rate" },
        { "rate=0x10", "a rate" },
        { "rate=", "a rate" },
        { "rate=.", "a rate" },
        { "rate=5..5M", "a rate" },
        { "rate=9999999999999G", "a rate" },
        { "delay=25", "a time" },
        { "delay=2min", "a time" },
        { "delay=61s", "a time up to a minute" },
        { "queue=2G", "bytes" },
        { "burst=1001", "packets" },
        { "police=20M", "at least a packet" },
        { "police=20M/64", "at least a packet" },
        { "police=20M/x", "such as 20M/64K" },
        { "police=/64K", "such as 20M/64K" },
        { "fast", "no such link; there are lan wifi" },
        { "speed=5M", "\"speed=5M\": there is no such setting; there are rate" },
        { "=5M", "no such setting" },
        { "up.=5M", "no such setting" },
        { "up.", "no such link" },
        { "left.rate=5M", "no such setting" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(strstr(wrong_of(cases[i].words), cases[i].says));
    char flood[2000];
    memset(flood, 'a', sizeof flood - 1);
    flood[sizeof flood - 1] = 0;
    CHECK(strstr(wrong_of(flood), "too long"));
}

static void told_as_it_is_read(void)
{
    static const char *const texts[] = {
        "rate=100M delay=20ms loss=0.1% queue=256K",
        "rate=none delay=25ms police=20M/64K",
        "rate=none",
        "rate=1G delay=1500us jitter=4ms loss=0.5% burst=2 queue=9000 reorder=1% late=5ms "
        "dup=0.02% "
        "corrupt=1% codel=5ms interval=1s police=3G/1M",
    };
    char text[LINK_TEXT_MAX];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct link_pair p = spec(texts[i]);
        link_config_text(&p.up, text);
        CHECK(strcmp(text, texts[i]) == 0);
    }
    for (size_t i = 0; i < link_n_names; i++) {
        link_config_text(&link_names[i].down, text);
        struct link_pair p = spec(text);
        CHECK(memcmp(&p.down, &link_names[i].down, sizeof p.down) == 0);
    }
}

TEST_MAIN({ "the_named_links", the_named_links }, { "settings_in_words", settings_in_words },
          { "from_left_to_right_and_each_way_by_itself",
            from_left_to_right_and_each_way_by_itself },
          { "what_is_wrong_is_said", what_is_wrong_is_said },
          { "told_as_it_is_read", told_as_it_is_read })

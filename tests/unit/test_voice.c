/* test_voice.c - people in a meeting, who hear each other: calls.h. */
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"
#include "test.h"

static const struct link_config clean = { .delay_us = 25 * MS };

static void three_people_talk(void)
{
    struct call *c = call_on(&clean, NULL);
    struct voice_figures f;

    call_run(c, 20 * SECOND);
    for (int i = 0; i < PEOPLE; i++)
        for (int k = 0; k < 2; k++)
            if (i != k) {
                CHECK(c->people[i].ears[k].jitter.counts.played > c->people[k].said - 20);
                CHECK(c->people[i].ears[k].wrong == 0);
            }
    CHECK(call_concealed_ppm(c) == 0);
    CHECK(voice_look(c->people[2].voice, c->now_us, 0, &f) && f.who == 0);
    CHECK(voice_look(c->people[2].voice, c->now_us, 1, &f) && f.who && f.heard);
    CHECK(f.view.loss_ppm == 0 && f.view.bits > 30000 && f.view.bits < 45000 && !f.unopened);
    CHECK(!voice_look(c->people[2].voice, c->now_us, 3, &f));
    CHECK(voice_deadline_us(c->people[2].voice, c->now_us) > c->now_us);
    call_free(c);
}

/* The others have another key before it is a second later, and nobody hears of it. */
static void who_leaves_hears_no_more(void)
{
    struct call *c = call_on(&clean, NULL);

    call_run(c, 3 * SECOND);
    uint32_t key = keyring_key_id(voice_keys(c->people[0].voice));
    call_go(c, 2);
    call_tell(c);
    call_run(c, SECOND);
    CHECK(keyring_key_id(voice_keys(c->people[0].voice)) / 256 > key / 256);
    call_come(c, 2);
    call_tell(c);
    call_run(c, 5 * SECOND);
    CHECK(c->people[2].ears[0].jitter.counts.played > 200);
    CHECK(call_concealed_ppm(c) == 0 && c->people[0].ears[1].wrong == 0);
    CHECK(c->people[0].events[KEYRING_DIFFERS] + c->people[0].events[KEYRING_FORGED] == 0);
    call_free(c);
}

static void a_mute_is_the_servers(void)
{
    struct call *c = call_on(&clean, NULL);
    struct voice_figures f;

    call_run(c, 3 * SECOND);
    CHECK(relay_mute(c->relay, MEETING, c->people[0].stream, true) == 0);
    call_run(c, SECOND / 2);
    uint64_t before = c->people[2].ears[0].jitter.counts.played;
    call_run(c, 3 * SECOND);
    CHECK(c->people[2].ears[0].jitter.counts.played <= before + 10);
    CHECK(c->people[2].ears[1].jitter.counts.played > 250);
    for (uint32_t i = 0; voice_look(c->people[2].voice, c->now_us, i, &f); i++)
        CHECK(f.who != c->people[0].number || !f.heard);
    relay_mute(c->relay, MEETING, c->people[0].stream, false);
    call_run(c, 2 * SECOND);
    CHECK(c->people[2].ears[0].jitter.counts.played > before + 80);
    call_free(c);
}

static void without_end_to_end_the_hubs_key_does(void)
{
    static const uint8_t hub[KEYRING_SECRET] = { 8 };
    struct call *c = call_on(&clean, hub);

    call_run(c, 3 * SECOND);
    CHECK(!keyring_is_end_to_end(voice_keys(c->people[2].voice)));
    CHECK(c->people[2].ears[0].jitter.counts.played > 120 && call_concealed_ppm(c) == 0);
    call_free(c);
}

/* On both hops of each: what two lose together is more than either. */
static int64_t at_loss(uint32_t ppm, uint64_t *ret_rtt_us)
{
    struct link_config lossy = { .delay_us = 25 * MS, .loss_ppm = ppm };
    struct call *c = call_on(&lossy, NULL);
    struct voice_figures f = { 0 };

    call_run(c, 60 * SECOND);
    int64_t got = call_concealed_ppm(c);
    CHECK(voice_look(c->people[2].voice, c->now_us, 1, &f));
    *ret_rtt_us = (uint64_t)f.view.rtt_us;
    if (getenv("ROOST_SAY"))
        printf("%u ppm: %lld ppm concealed, rtt %lld, before repair %u, after %u\n", ppm,
               (long long)got, (long long)f.view.rtt_us, f.view.loss_ppm, f.view.loss_after_ppm);
    CHECK(f.view.loss_ppm > ppm / 2 && f.view.loss_after_ppm < f.view.loss_ppm / 4);
    for (int i = 1; i < PEOPLE; i++)
        CHECK(c->people[i].ears[0].wrong == 0);
    call_free(c);
    return got;
}

static void loss_is_repaired(void)
{
    uint64_t rtt_us;

    CHECK(at_loss(50000, &rtt_us) < 10000);
    CHECK(rtt_us >= 50 * MS && rtt_us <= 52 * MS);
    CHECK(at_loss(200000, &rtt_us) < 40000);
}

/* UDP dies under one of them, who finds out and goes through a tunnel; and later back. */
static void into_a_tunnel_and_back(void)
{
    struct call *c = call_on(&clean, NULL);
    struct person *p = &c->people[2];
    struct flow_view v;

    p->speaks = true;
    call_run(c, 5 * SECOND);
    for (int end = 0; end < 2; end++)
        link_set_down(&p->udp[end], true, c->now_us);
    for (int ms = 0; ms < 2000; ms++) {
        flow_look(p->flow[0], &v);
        if (v.asked) /* the tunnel was dialled, and stands after four round trips */
            break;
        call_run(c, test_starves() ? 20 * MS : MS);
    }
    call_run(c, 200 * MS);
    for (int end = 0; end < 2; end++)
        flow_tunnel(p->flow[end], true, c->now_us);
    call_run(c, 5 * SECOND);
    for (int end = 0; end < 2; end++)
        link_set_down(&p->udp[end], false, c->now_us);
    for (int end = 0; end < 2; end++)
        flow_tunnel(p->flow[end], false, c->now_us);
    call_run(c, 5 * SECOND);
    for (int k = 0; k < 2; k++) {
        if (getenv("ROOST_SAY"))
            printf("gaps %lld and %lld ms\n", (long long)p->ears[k].longest_us / 1000,
                   (long long)c->people[k].ears[2].longest_us / 1000);
        CHECK(p->ears[k].longest_us < 800 * MS && c->people[k].ears[2].longest_us < 800 * MS);
        CHECK(p->ears[k].wrong == 0 && p->ears[k].jitter.counts.played > 600);
    }
    call_free(c);
}

/* The server starts again: other sessions, another relay, the same keys. */
static void a_server_that_restarts(void)
{
    struct call *c = call_on(&clean, NULL);

    call_run(c, 5 * SECOND);
    relay_free(c->relay);
    c->relay = call_relay();
    int64_t back_us = c->now_us;
    c->epoch += 100;
    for (int i = 0; i < PEOPLE; i++)
        call_connect(c, &c->people[i]);
    call_run(c, 100 * MS);
    call_tell(c);
    uint64_t before = c->people[2].ears[0].jitter.counts.played;
    while (c->people[2].ears[0].jitter.counts.played < before + 30 &&
           c->now_us < back_us + 10 * SECOND)
        call_run(c, test_starves() ? SECOND : 10 * MS);
    CHECK(c->now_us - back_us < 2 * SECOND);
    call_run(c, 3 * SECOND);
    CHECK(c->people[2].ears[0].wrong == 0);
    CHECK(c->people[2].events[KEYRING_WENT_BACK] == 0);
    call_free(c);
}

static void bits_follow_the_path(void)
{
    struct call *c = call_on(&clean, NULL);
    struct voice *v = c->people[0].voice;

    CHECK(voice_bits(v, 32000, 960) == 32000);
    voice_on_path(v, 80000, 0, 50 * MS);
    uint32_t tight = voice_bits(v, 32000, 960);
    CHECK(tight >= 8000 && tight < 32000);
    CHECK(voice_bits(v, 32000, 2880) > tight); /* fewer heads */
    voice_on_path(v, 80000, 0.1f, 50 * MS);
    CHECK(voice_bits(v, 32000, 960) <= tight); /* repeats cost */
    voice_on_path(v, 1000, 0, 50 * MS);
    CHECK(voice_bits(v, 32000, 960) == 8000);
    call_free(c);
}

/* Frames take no memory once everybody was heard. */
static void frames_take_no_memory(void)
{
    if (test_starves())
        return;
    struct call *c = call_on(&clean, NULL);
    struct person *p = &c->people[0];
    struct voice_out o;

    call_run(c, 3 * SECOND);
    long before = test_allocations();
    for (int i = 0; i < 100; i++) {
        call_say(c, p);
        while (voice_next(p->voice, c->now_us, &o))
            for (uint32_t k = 0; k < o.n_parts; k++) {
                struct dgram d = { .kind = DGRAM_MEDIA, .media = o.parts[k].head };
                voice_on_dgram(c->people[2].voice, c->now_us, &d, o.parts[k].payload);
            }
        c->now_us += 20 * MS;
    }
    CHECK(test_allocations() == before);
    call_free(c);
}

TEST_MAIN({ "three_people_talk", three_people_talk },
          { "who_leaves_hears_no_more", who_leaves_hears_no_more },
          { "a_mute_is_the_servers", a_mute_is_the_servers },
          { "without_end_to_end_the_hubs_key_does", without_end_to_end_the_hubs_key_does },
          { "loss_is_repaired", loss_is_repaired },
          { "into_a_tunnel_and_back", into_a_tunnel_and_back },
          { "a_server_that_restarts", a_server_that_restarts },
          { "bits_follow_the_path", bits_follow_the_path },
          { "frames_take_no_memory", frames_take_no_memory })

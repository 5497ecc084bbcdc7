/* main.c - the hub against a second model of who may do what.
 *
 *     roles [--seeds N] [--first N]     less of it: tier.h
 *     roles -v SEED                     a life in words
 *
 * Prints "ok roles" or "FAIL ...", and what happened how often: an act, a refusal or a
 * deed that is in under one life of a hundred fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "sim/roles/play.h"
#include "sim/tier.h"

enum { STEPS = 1000, LATTICE_MS = 7000, TICK_MS = 3000, WALK_MS = 660000 };

static struct tally total, lives;

/* The hub looks at its meetings once a second, and for codes that expired every ten
 * minutes. So steps are seven seconds apart: what time does (30 and 60 seconds after a
 * step) has been done before the next, and never twice in one look. */
static bool is_between(struct play *p)
{
    const struct model *m = &p->model;

    if (m->expired_ms && m->now_ms - m->expired_ms < WALK_MS)
        return true;
    for (size_t i = 0; i < m->n_meets; i++) {
        int64_t over = m->now_ms - m->meets[i]->fresh_until_ms;
        if (!m->meets[i]->ended && over >= 0 && over < TICK_MS)
            return true;
    }
    return false;
}

static void let_time_pass(struct play *p)
{
    uint64_t draw = dice_below(&p->dice, 1000);
    int64_t n = 1;

    if (draw < 2)
        n = 13000; /* more than a day */
    else if (draw < 25)
        n = 40 + (int64_t)dice_below(&p->dice, 80);
    else if (draw < 200)
        n = 2 + (int64_t)dice_below(&p->dice, 8);
    if (p->verbose && n > 40)
        printf("    (%lld s pass)\n", (long long)n * LATTICE_MS / 1000);
    do {
        play_time(p, n * LATTICE_MS);
        n = 1;
    } while (is_between(p));
}

static void sum_up(struct play *p)
{
    const uint64_t *from = (const uint64_t *)&p->tally;
    uint64_t *all = (uint64_t *)&total, *in = (uint64_t *)&lives;

    p->tally.deeds[DEED_SUCCESSION] = p->model.n_successions;
    p->tally.deeds[DEED_NO_HOST] = p->model.n_hostless;
    p->tally.deeds[DEED_EXPIRED] = p->model.n_expired;
    for (size_t i = 0; i < sizeof p->tally / sizeof *from; i++) {
        all[i] += from[i];
        in[i] += from[i] > 0;
    }
}

static int live(uint64_t seed, bool verbose)
{
    static struct play p;

    play_init(&p, seed, verbose);
    for (p.step = 1; p.step <= STEPS && !p.broken; p.step++) {
        let_time_pass(&p);
        uint64_t draw = dice_below(&p.dice, 100);
        if (draw < 74)
            step_meeting(&p);
        else if (draw < 85)
            step_room(&p);
        else if (draw < 89)
            step_server(&p);
        else
            step_file(&p);
        files_check(&p);
        if (p.step % 8 == 0)
            check_all(&p);
    }
    sum_up(&p);
    int broken = p.broken;
    play_fini(&p);
    return broken;
}

static int line(const char *kind, const char *what, uint64_t n, uint64_t in, long done)
{
    bool rare = done >= 100 && in * 100 < (uint64_t)done;

    printf("  %-8s %-28s %9llu in %llu lives\n", kind, what, (unsigned long long)n,
           (unsigned long long)in);
    if (rare)
        printf("FAIL too rare: %s %s\n", kind, what);
    return rare;
}

static int report(long done)
{
    static const char *const deeds[] = {
#define X(name, words) words,
        PLAY_DEEDS(X)
#undef X
    };
    /* a meeting that is full takes too many to happen here: tests/unit/test_meet.c */
    static const unsigned char wanted[] = {
        ROOST_INVALID,      ROOST_PRESENTING, ROOST_TOO_LONG,    ROOST_BAD_TEXT,
        ROOST_NAME_TAKEN,   ROOST_NAME_BAD,   ROOST_NOT_ALLOWED, ROOST_NO_SUCH_ROOM,
        ROOST_NOT_MEMBER,   ROOST_BANNED,     ROOST_ALREADY,     ROOST_ROOM_CLOSED,
        ROOST_MODERATED,    ROOST_LAST_OWNER, ROOST_LAST_ADMIN,  ROOST_NO_SUCH_MEETING,
        ROOST_MEET_LOCKED,  ROOST_MEET_ENDED, ROOST_DENIED,      ROOST_NOT_IN_MEETING,
        ROOST_GUEST,        ROOST_SUCCESSOR,  ROOST_MEET_BANNED, ROOST_GUESSES,
        ROOST_NO_SUCH_FILE, ROOST_FILE_OVER,  ROOST_QUOTA,       ROOST_FILE_TOO_BIG,
    };
    int rare = 0;

    for (int i = 0; i < DEEDS_N; i++)
        rare += line("deed", deeds[i], total.deeds[i], lives.deeds[i], done);
    for (unsigned i = 0; i < roost__meet_action__descriptor.n_values; i++) {
        const ProtobufCEnumValue *v = &roost__meet_action__descriptor.values[i];
        if (v->value <= 0 || v->value >= ROOST__MEET_ACTION__CAME)
            continue;
        rare += line("done", v->name, total.acts[v->value], lives.acts[v->value], done);
        rare += line("refused", v->name, total.refused_acts[v->value], lives.refused_acts[v->value],
                     done);
    }
    for (int i = 0; i < ERRORS_MAX; i++)
        if (total.refusals[i] || memchr(wanted, i, sizeof wanted))
            rare += line("refusal", err_name(i), total.refusals[i], lives.refusals[i], done);
    return rare;
}

static long option(int argc, char **argv, const char *name, long otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], name))
            return atol(argv[i + 1]);
    return otherwise;
}

int main(int argc, char **argv)
{
    long verbose = option(argc, argv, "-v", 0);
    long first = verbose ? verbose : option(argc, argv, "--first", 1);
    long count = verbose ? 1 : option(argc, argv, "--seeds", tier_lives(1000));
    long seconds = tier_seconds(), done = 0, failed = 0;
    time_t started = time(NULL);

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; done < count && (done < 1 || time(NULL) - started < seconds) && failed < 5; done++) {
        if (live((uint64_t)(first + done), verbose != 0)) {
            printf("FAIL seed %ld (roles -v %ld replays it)\n", first + done, first + done);
            failed++;
        }
    }
    printf("NOTE %ld lives of %d steps\n", done, STEPS);
    failed += report(done);
    if (!failed)
        printf("ok %ld lives\n", done);
    return failed > 0;
}

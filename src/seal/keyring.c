#include "seal/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "seal/keyring_inside.h"
#include "wire/cursor.h"

/* --- life ------------------------------------------------------------------------------ */

int keyring_new(struct keyring **ret, const struct keyring_settings *s)
{
    struct keyring *k = calloc(1, sizeof *k);
    uint8_t private[32];

    if (!k)
        return -ROOST_NOMEM;
    rng_init(&k->rng, s->random);
    rng_fill(&k->rng, private, sizeof private);
    int err = tie_self_init(&k->self, s->meeting, s->seed, private);
    seal_wipe(private, sizeof private);
    k->number = s->number;
    k->hub_key = s->hub;
    if (s->hub)
        memcpy(k->hub, s->hub, sizeof k->hub);
    k->early_end = &k->early;
    if (err) {
        keyring_free(k);
        return err;
    }
    *ret = k;
    return 0;
}

static void member_free(struct member *m)
{
    if (!m)
        return;
    keyring_forget(&m->streams, &m->n_streams, 0);
    tie_fini(&m->tie);
    seal_wipe(m, sizeof *m);
    free(m);
}

static void early_free(struct keyring *k)
{
    for (struct early *e = k->early, *after; e; e = after) {
        after = e->after;
        free(e);
    }
    k->early = NULL;
    k->early_end = &k->early;
    k->n_early = 0;
}

void keyring_free(struct keyring *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->n_members; i++)
        member_free(k->members[i]);
    free(k->members);
    early_free(k);
    keyring_forget(&k->streams, &k->n_streams, 0);
    tie_self_fini(&k->self);
    rng_fini(&k->rng);
    seal_wipe(k, sizeof *k);
    free(k);
}

bool keyring_is_end_to_end(const struct keyring *k)
{
    return !k->hub_key;
}

const uint8_t *keyring_identity(const struct keyring *k)
{
    return k->self.identity;
}

uint32_t keyring_key_id(const struct keyring *k)
{
    return k->now.generation ? chain_key_id(&k->now) : 0;
}

struct member *keyring_member(const struct keyring *k, uint32_t number)
{
    for (size_t i = 0; i < k->n_members; i++)
        if (k->members[i]->is.number == number)
            return k->members[i];
    return NULL;
}

/* The oldest is forgotten for the next. */
void keyring_tell(struct keyring *k, enum keyring_what what, uint32_t who, uint32_t value)
{
    if (k->n_events == EVENTS_MAX) {
        k->first_event++;
        k->n_events--;
    }
    k->events[(k->first_event + k->n_events++) % EVENTS_MAX] = (struct keyring_event){ what, who,
                                                                                       value };
}

bool keyring_event(struct keyring *k, struct keyring_event *ret)
{
    if (!k->n_events)
        return false;
    *ret = k->events[k->first_event++ % EVENTS_MAX];
    k->n_events--;
    return true;
}

/* --- our own key --------------------------------------------------------------------------- */

static void adopt(struct keyring *k)
{
    k->now = k->coming;
    seal_wipe(&k->coming, sizeof k->coming);
    keyring_forget(&k->streams, &k->n_streams, 0);
    keyring_tell(k, KEYRING_NEW_KEY, k->number, chain_key_id(&k->now));
}

void keyring_adopt_if_all(struct keyring *k)
{
    if (!k->coming.generation)
        return;
    for (size_t i = 0; i < k->n_members; i++)
        if (k->members[i]->confirmed < k->coming.generation)
            return;
    adopt(k);
}

/* Its first key is used at once: there is none before it, and frames wait for theirs. A key that is
 * still coming when the next is made was nobody's yet. */
void keyring_renew(struct keyring *k, int64_t now_us)
{
    if (!k->coming.generation) /* who left first is waited for no longer because others leave too */
        k->coming_since_us = now_us;
    k->coming = (struct chain){ .generation = ++k->generation, .epoch = k->epoch };
    rng_fill(&k->rng, k->coming.secret, CHAIN_SECRET);
    for (size_t i = 0; i < k->n_members; i++)
        k->members[i]->owes_key = true;
    if (!k->now.generation)
        adopt(k);
    else
        keyring_adopt_if_all(k);
}

int keyring_speak(struct keyring *k, int64_t now_us)
{
    if (k->speaks)
        return 0;
    if (!k->epoch && !k->hub_key)
        return -ROOST_INVALID; /* nobody knows yet who is there */
    if (!k->hub_key) {
        keyring_renew(k, now_us);
    } else {
        int err = chain_of_hub(&k->coming, k->hub, k->number);
        if (err)
            return err;
        adopt(k);
    }
    k->speaks = true;
    return 0;
}

/* Who was there steps too; who is new is told where it stands. */
static void step_for_new(struct keyring *k, int64_t now_us)
{
    struct chain *c = k->coming.generation ? &k->coming : &k->now;

    if (c == &k->now && (c->step + 1 >= CHAIN_STEPS || chain_step(c))) {
        keyring_renew(k, now_us);
        return;
    }
    if (c == &k->now) {
        keyring_forget(&k->streams, &k->n_streams, 0);
        keyring_tell(k, KEYRING_NEW_KEY, k->number, chain_key_id(c));
    }
}

/* --- time ---------------------------------------------------------------------------------- */

/* A step that is over. */
static void drop_step(struct member *m, struct known_chain *c)
{
    keyring_forget(&m->streams, &m->n_streams, chain_key_id(&c->before));
    seal_wipe(&c->before, sizeof c->before);
}

void keyring_expire(struct keyring *k, int64_t now_us)
{
    if (k->coming.generation && now_us - k->coming_since_us >= KEYRING_PATIENCE_US)
        adopt(k);
    for (size_t i = 0; i < k->n_members; i++)
        for (int j = 0; j < 2; j++) {
            struct known_chain *c = &k->members[i]->chains[j];
            if (c->now.generation && now_us >= c->until_us)
                keyring_drop(k->members[i], c);
            else if (c->before.generation && now_us >= c->before_until_us)
                drop_step(k->members[i], c);
        }
}

int64_t keyring_deadline_us(const struct keyring *k)
{
    int64_t due_us = k->coming.generation ? k->coming_since_us + KEYRING_PATIENCE_US : INT64_MAX;

    for (size_t i = 0; i < k->n_members; i++)
        for (int j = 0; j < 2; j++) {
            const struct known_chain *c = &k->members[i]->chains[j];
            if (c->now.generation && c->until_us < due_us)
                due_us = c->until_us;
            if (c->before.generation && c->before_until_us < due_us)
                due_us = c->before_until_us;
        }
    return due_us;
}

/* --- who is there ------------------------------------------------------------------------- */

bool keyring_knows(const struct keyring *k, uint32_t epoch, const uint8_t hash[static 32])
{
    for (uint32_t i = 0; i < KEYRING_EPOCHS && i < k->n_known; i++)
        if (k->known[i].epoch == epoch)
            return !memcmp(k->known[i].hash, hash, 32);
    return false;
}

static bool is_list(const struct keyring *k, const struct roster_member *sorted, size_t n)
{
    bool here = false;

    for (size_t i = 0; i < n; i++) {
        if (!sorted[i].number ||
            (i && !memcmp(sorted[i].identity, sorted[i - 1].identity, ROSTER_IDENTITY)))
            return false;
        for (size_t j = 0; j < i; j++)
            if (sorted[j].number == sorted[i].number)
                return false;
        if (sorted[i].number == k->number)
            here = !memcmp(sorted[i].identity, k->self.identity, ROSTER_IDENTITY);
    }
    return here;
}

static struct member *same(struct keyring *k, const struct roster_member *is)
{
    struct member *m = keyring_member(k, is->number);

    return m && !memcmp(m->is.identity, is->identity, ROSTER_IDENTITY) ? m : NULL;
}

/* Takes over those who are still there, makes the new ones; nothing has changed if it fails. */
static int next_members(struct keyring *k, const struct roster_member *sorted, size_t n,
                        struct member ***ret, size_t *ret_new)
{
    struct member **all = calloc(n, sizeof *all);
    size_t at = 0, fresh = 0;

    if (!all)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (sorted[i].number == k->number)
            continue;
        struct member *m = same(k, &sorted[i]);
        if (!m) {
            m = calloc(1, sizeof *m);
            if (!m)
                goto fail;
            m->is = sorted[i];
            m->owes_hello = !k->epoch; /* who comes later than we do speaks first */
            m->owes_key = true;
            fresh++;
        }
        all[at++] = m;
    }
    *ret = all;
    *ret_new = fresh;
    return 0;
fail:
    for (size_t i = 0; i < at; i++)
        if (!same(k, &all[i]->is))
            member_free(all[i]);
    free(all);
    return -ROOST_NOMEM;
}

/* What they have sealed under is known to who left. They may use it for as long as they wait. */
static void age_chains(struct keyring *k, int64_t now_us)
{
    int64_t until_us = now_us + KEYRING_PATIENCE_US + KEYRING_LATE_US;

    for (size_t i = 0; i < k->n_members; i++)
        for (int j = 0; j < 2; j++)
            if (k->members[i]->chains[j].until_us > until_us)
                k->members[i]->chains[j].until_us = until_us;
}

static void replay_early(struct keyring *k, int64_t now_us)
{
    struct early *e = k->early, *after;

    k->early = NULL;
    k->early_end = &k->early;
    k->n_early = 0;
    for (; e; e = after) {
        after = e->after;
        keyring_on_message(k, now_us, e->who, e->bytes, e->len);
        free(e);
    }
}

static size_t take_members(struct keyring *k, struct member **all, size_t n)
{
    size_t left = 0;

    for (size_t i = 0; i < n; i++)
        all[i]->still = true;
    for (size_t i = 0; i < k->n_members; i++)
        if (!k->members[i]->still) {
            left++;
            member_free(k->members[i]);
        }
    for (size_t i = 0; i < n; i++)
        all[i]->still = false;
    free(k->members);
    k->members = all;
    k->n_members = n;
    return left;
}

static void note_epoch(struct keyring *k, uint32_t epoch, const uint8_t hash[static 32])
{
    uint32_t i = k->n_known++ % KEYRING_EPOCHS;

    k->epoch = k->known[i].epoch = epoch;
    memcpy(k->hash, hash, 32);
    memcpy(k->known[i].hash, hash, 32);
}

int keyring_on_roster(struct keyring *k, int64_t now_us, uint32_t epoch,
                      const struct roster_member *members, size_t n)
{
    struct roster_member sorted[ROSTER_MAX];
    struct member **all;
    uint8_t hash[32];
    size_t fresh;

    if (!n || n > ROSTER_MAX || !epoch)
        return -ROOST_INVALID;
    memcpy(sorted, members, n * sizeof *sorted);
    roster_sort(sorted, n);
    if (!is_list(k, sorted, n))
        return -ROOST_INVALID;
    int err = roster_hash(sorted, n, hash);
    if (err)
        return err;
    if (epoch <= k->epoch) {
        if (keyring_knows(k, epoch, hash) && epoch == k->epoch)
            return 0;
        keyring_tell(k, KEYRING_WENT_BACK, 0, epoch);
        return -ROOST_UNTRUSTED;
    }
    err = next_members(k, sorted, n, &all, &fresh);
    if (err)
        return err;
    size_t left = take_members(k, all, n - 1);
    note_epoch(k, epoch, hash);
    if (left) {
        k->left_epoch = epoch;
        age_chains(k, now_us);
    }
    if (k->speaks && !k->hub_key) {
        if (left)
            keyring_renew(k, now_us);
        else if (fresh)
            step_for_new(k, now_us);
    }
    replay_early(k, now_us);
    return 0;
}

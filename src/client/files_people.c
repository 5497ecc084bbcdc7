/* files_people.c - whom one knows, and from whom one takes files unasked; roost_file.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/files.h"
#include "client/people.h"
#include "seal/digest.h"
#include "seal/pact.h"

/* --- what a mover goes by -------------------------------------------------------------------- */

/* As one who sends typed it, or as the offer said. */
static const char *name_of(const struct mover *m)
{
    return m->sends && m->target && *m->target == '@' ? m->target + 1 : m->peer + 1;
}

size_t stranger_expects(const struct mover *m, uint8_t ret[static STRANGER_EXPECTS])
{
    return m->by_code ? 0 : people_known(&m->all->r->home, name_of(m), ret);
}

void stranger_end(struct mover *m, const uint8_t *id)
{
    uint8_t known[STRANGER_EXPECTS];
    char before[PEOPLE_PRINT] = "", now[PEOPLE_PRINT];
    size_t n = stranger_expects(m, known);

    if (n)
        people_print(known + (n - 1) * PEOPLE_IDENTITY, before);
    people_print(id, now);
    snprintf(m->detail, sizeof m->detail,
             "the other end is not the %s that is known here, so nothing was sent or taken: it is "
             "another device, or somebody is in between. Known: %s%s. Now: %s",
             name_of(m), before, n > 1 ? " and others" : "", now);
    mover_end(m, ROOST_FILE_FAILED, -ROOST_STRANGER, NULL);
}

bool stranger_met(struct mover *m)
{
    const uint8_t *id = reach_edge_identity(m->edge);
    int err = m->by_code || !id ? 0 : people_met(&m->all->r->home, name_of(m), id);

    if (err == -ROOST_STRANGER)
        stranger_end(m, id);
    else if (err)
        mover_end(m, ROOST_FILE_FAILED, err, "whom one knows cannot be noted in the home");
    return err == 0;
}

/* --- roost_file.h ------------------------------------------------------------------------------
 */

const char *roost_fingerprint(struct roost *r)
{
    static _Thread_local char print[PEOPLE_PRINT];
    uint8_t seed[32], id[PEOPLE_IDENTITY];

    if (home_identity(&r->home, seed))
        return NULL;
    pact_identity(seed, id);
    seal_wipe(seed, sizeof seed);
    people_print(id, print);
    return print;
}

bool roost_known_at(struct roost *r, size_t i, struct roost_known *ret)
{
    static _Thread_local struct people_identity p;

    if (!people_at(&r->home, i, &p))
        return false;
    *ret = (struct roost_known){ p.name, p.print };
    return true;
}

int roost_trust_person(struct roost *r, const char *name, const char *fingerprint)
{
    return people_trust(&r->home, name, fingerprint);
}

int roost_forget_person(struct roost *r, const char *name, const char *fingerprint)
{
    return people_forget(&r->home, name, fingerprint);
}

int roost_accept_always(struct roost *r, const struct roost_standing *what)
{
    struct people_accept a = { .up_to = PEOPLE_ANY };

    if (strlen(what->name) >= sizeof a.name || (what->dir && strlen(what->dir) >= sizeof a.dir))
        return -ROOST_INVALID;
    if (what->up_to != ROOST_SIZE_UNKNOWN)
        a.up_to = what->up_to < INT64_MAX ? (int64_t)what->up_to : INT64_MAX;
    strcpy(a.name, what->name);
    strcpy(a.dir, what->dir ? what->dir : "");
    return people_accept(&r->home, &a);
}

int roost_accept_no_more(struct roost *r, const char *name)
{
    return people_ask_again(&r->home, name);
}

static void give(const struct people_accept *a, struct roost_standing *ret)
{
    *ret = (struct roost_standing){ a->name,
                                    a->up_to == PEOPLE_ANY ? ROOST_SIZE_UNKNOWN
                                                           : (uint64_t)a->up_to,
                                    *a->dir ? a->dir : NULL };
}

bool roost_standing_at(struct roost *r, size_t i, struct roost_standing *ret)
{
    static _Thread_local struct people_accept a;

    if (!people_accept_at(&r->home, i, &a))
        return false;
    give(&a, ret);
    return true;
}

bool roost_file_stands(struct roost *r, const struct roost_file *f, struct roost_standing *ret)
{
    static _Thread_local struct people_accept a;

    if (f->yours || !*f->to || !people_accepts(&r->home, f->from, &a))
        return false;
    if (a.up_to != PEOPLE_ANY && (f->size == ROOST_SIZE_UNKNOWN || f->size > (uint64_t)a.up_to))
        return false;
    give(&a, ret);
    return true;
}

/* files_near.c - transfers without a server: two programs on one network.
 *
 * Who receives is there under a name (nearby.h), who sends looks and calls. The signals of their
 * edge go over that connection; else they are two ends like those of a phrase (files_code.c), but
 * that nothing proves them: people compare the words, and both sides have to say yes. Several that
 * receive under one name take one caller each, and have one place where they are found: it goes
 * from one that is called to the next, and what one leaves that is over waits for the next a while.
 * So who looks finds a program once, however many it receives from, and the place is good as
 * long as the program is there. Who looks and finds nobody at a place goes on looking. What is
 * lost later is over: nobody is called again without a person who compares.
 */
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "client/edge.h"
#include "client/files.h"

#define NEAR_IDS (1ULL << 32) /* in the sleep's list: above those of files_peer.c */
/* For the next one to begin: who calls meanwhile waits as long. */
#define PLACE_US (2 * 1000000LL)

int near_init(struct mover *m, const char *me)
{
    size_t len = utf8_fit(me, MDNS_NAME_MAX);

    if (!len || !utf8_valid(me, len))
        return -ROOST_INVALID;
    memcpy(m->near_me, me, len);
    m->by_near = m->by_code = m->relay_asked = true;
    return 0;
}

/* Who has the place of this name; NULL: nobody. */
static struct mover *who_serves(const struct mover *m)
{
    const struct files *f = m->all;

    for (size_t i = 0; i < f->n; i++) {
        struct mover *other = f->list[i];
        if (other != m && other->near && !other->sends && nearby_listens(other->near) &&
            !strcmp(other->near_me, m->near_me))
            return other;
    }
    return NULL;
}

/* 0 without m->near: another one is found there, until it is called. */
static int serve(struct mover *m, int64_t now_us)
{
    struct files *f = m->all;
    const struct mover *other = who_serves(m);

    if (f->place && !strcmp(f->place_name, m->near_me)) {
        m->near = f->place;
        f->place = NULL;
        return 0;
    }
    if (other)
        return nearby_is_called(other->near) ? nearby_pass_on(other->near, &m->near) : 0;
    return nearby_serve(&m->near, m->near_me, now_us);
}

void near_begin(struct mover *m, int64_t now_us)
{
    int err = m->sends ? nearby_look(&m->near, now_us) : serve(m, now_us);

    if (!err && m->near)
        err = sleep_add(&m->all->r->datagrams.sleep, nearby_fd(m->near), SLEEP_READ,
                        NEAR_IDS + (uint64_t)m->number);
    m->step = STEP_ANSWER;
    mover_stage(m, ROOST_FILE_WAITING);
    if (err)
        mover_end(m, ROOST_FILE_FAILED, err, "this machine's networks cannot be listened to");
}

void near_drop(struct mover *m)
{
    if (!m->near)
        return;
    struct files *f = m->all;
    sleep_remove(&f->r->datagrams.sleep, nearby_fd(m->near));
    if (!m->sends && !f->place && !nearby_pass_on(m->near, &f->place)) {
        memcpy(f->place_name, m->near_me, sizeof f->place_name);
        f->place_until_us = edge_now_us() + PLACE_US;
    }
    nearby_free(m->near);
    m->near = NULL;
}

void near_expire(struct files *f, int64_t now_us)
{
    if (!f->place || now_us < f->place_until_us)
        return;
    nearby_free(f->place);
    f->place = NULL;
}

/* --- what happens --- */

/* Somebody who went before anything was told never was there. */
static void wait_anew(struct mover *m)
{
    nearby_hang_up(m->near);
    m->words[0] = 0;
    m->way = ROOST_FILE_NO_WAY;
    m->step = STEP_ANSWER;
    m->news = true;
}

/* Whoever was called is not there any more; another one may be. */
static void look_on(struct mover *m)
{
    nearby_give_up(m->near);
    m->peer[0] = 0;
    wait_anew(m);
}

void near_lost(struct mover *m, bool said_goodbye)
{
    if (m->step >= STEP_CLOSE)
        return;
    peer_drop(m);
    if (m->sends && !*m->words && m->near)
        look_on(m);
    else if (!m->sends && !*m->part_id && m->near && nearby_listens(m->near))
        wait_anew(m);
    else if (m->sends && said_goodbye && !m->has_had && *m->words)
        mover_end(m, ROOST_FILE_DECLINED, 0, NULL);
    else
        mover_end(m, ROOST_FILE_FAILED, -ROOST_CLOSED, "the other program is not there any more");
}

void near_known(struct mover *m)
{
    reach_edge_words(m->edge, m->words);
    m->asks = m->sends;
    m->news = true;
}

void near_told(struct mover *m)
{
    m->step = STEP_ANSWER;
    m->asks = m->news = true;
}

/* Its last words may have come with it. */
static void on_gone(struct mover *m, int64_t now_us)
{
    peer_hear(m, now_us);
    move_hear_last(m, now_us);
    if (m->step != STEP_FLUSH)
        near_lost(m, false);
}

static void take_signals(struct mover *m, int64_t now_us)
{
    uint8_t bytes[REACH_SIGNAL_MAX];
    int n;

    while (m->near && (n = nearby_receive(m->near, bytes)) > 0)
        peer_on_signal(m, bytes, (size_t)n, now_us);
}

void near_turn(struct mover *m, int64_t now_us)
{
    struct nearby_event e;

    if (!m->near && !m->sends && m->by_near && m->step == STEP_ANSWER)
        near_begin(m, now_us);
    if (!m->near)
        return;
    nearby_process(m->near, now_us);
    while (m->near && nearby_event(m->near, &e)) {
        if (e.what == NEARBY_FOUND)
            m->news = true;
        else if (e.what == NEARBY_MET && m->step == STEP_ANSWER && !m->edge) {
            m->step = STEP_SESSION;
            m->all->stirred = true; /* for who waits to be found instead */
        } else if (e.what == NEARBY_GONE)
            on_gone(m, now_us);
    }
    take_signals(m, now_us);
}

int64_t near_deadline_us(const struct mover *m)
{
    return m->near ? nearby_deadline_us(m->near) : INT64_MAX;
}

/* --- roost_file.h --- */

bool roost_nearby_at(struct roost *r, int64_t number, size_t i, struct roost_nearby *ret)
{
    const struct mover *m = files_find(&r->files, number);
    const struct nearby_peer *p = m && m->near ? nearby_peer(m->near, (unsigned)i) : NULL;

    if (p)
        *ret = (struct roost_nearby){ p->name, p->address, nearby_is_there(m->near, (unsigned)i) };
    return p != NULL;
}

int roost_nearby_choose(struct roost *r, int64_t number, size_t i)
{
    struct mover *m = files_stir(&r->files, number);
    const struct nearby_peer *p = m && m->near ? nearby_peer(m->near, (unsigned)i) : NULL;

    if (!p || !m->sends || m->step != STEP_ANSWER)
        return -ROOST_INVALID;
    snprintf(m->peer, sizeof m->peer, "%s", p->name);
    if (nearby_call(m->near, (unsigned)i, edge_now_us()))
        look_on(m);
    return 0;
}

int roost_nearby_answer(struct roost *r, int64_t number, bool yes)
{
    struct mover *m = files_stir(&r->files, number);

    if (!m || !m->asks || m->step >= STEP_CLOSE)
        return -ROOST_INVALID;
    m->asks = false;
    m->near_yes = yes;
    if (!yes) {
        mover_end(m, m->sends ? ROOST_FILE_CANCELLED : ROOST_FILE_DECLINED, 0, NULL);
    } else if (!m->sends) {
        m->step = STEP_PART;
        if (!mover_job(m, JOB_PART, NULL))
            mover_end(m, ROOST_FILE_FAILED, -ROOST_NOMEM, NULL);
    }
    return 0;
}

#include "flow/reach.h"

#include <string.h>

#include "base/err.h"
#include "wire/cursor.h"

enum {
    ASK = 1,
    BACK = 2,
    USE = 3 /* an ASK: this is the way */,
    TUNNELLED = 16,
    FOLLOWS = 32 /* a BACK: this is my way too */,
    BODY = 1 + 8
};

#define GAP_US      (1000000 / REACH_A_SECOND)
#define AGAIN_US    (250 * 1000LL)  /* an unanswered question to what is tried */
#define KEEP_US     (2500 * 1000LL) /* the way in use is asked after such a silence */
#define TELL_US     (5 * 1000000LL) /* so often the caller says which it is */
#define OTHERS_US   (10 * 1000000LL)
#define SILENT_US   (1000 * 1000LL) /* then another one may be used */
#define PATIENCE_US (200 * 1000LL)  /* with a nearer way, when a straight one works */
#define DIRECT_US   (1000 * 1000LL) /* with a straight one, when the relay works */
#define NEVER       (INT64_MIN / 2)

int reach_init(struct reach *r, const struct reach_settings *s, int64_t now_us)
{
    *r = (struct reach){
        .caller = s->caller, .no_direct = s->no_direct, .link = s->link, .now = -1, .wanted = -1
    };
    rng_init(&r->rng, s->seed);
    r->begun_us = r->heard_us = now_us;
    r->first_us = INT64_MAX;
    return session_init(&r->session, s->session, s->caller, s->secret, now_us);
}

void reach_fini(struct reach *r)
{
    session_fini(&r->session);
    rng_fini(&r->rng);
}

/* --- addresses ---------------------------------------------------------------------------- */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return !memcmp(a, b, whole) && (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

static bool is_near(const struct reach *r, const struct path_address *at)
{
    for (unsigned i = 0; i < r->n_locals; i++)
        if (r->locals[i].at.len == at->len &&
            same_bits(r->locals[i].at.ip, at->ip, r->locals[i].bits))
            return true;
    return false;
}

static bool is_of_a_link(const struct path_address *at)
{
    return at->len == 16 && at->ip[0] == 0xfe && (at->ip[1] & 0xc0) == 0x80;
}

/* Not routed in the internet (RFC 1918, 4193, 3927, 6598, 4291), or of one machine alone. */
static bool is_private(const struct path_address *at)
{
    const uint8_t *a = at->ip;

    if (at->len == 16)
        return (a[0] & 0xfe) == 0xfc || is_of_a_link(at) || (a[0] == 0 && a[15] <= 1);
    return a[0] == 10 || a[0] == 127 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
           (a[0] == 192 && a[1] == 168) || (a[0] == 169 && a[1] == 254) ||
           (a[0] == 100 && (a[1] & 0xc0) == 64);
}

/* Nobody is one of many. */
static bool is_sane(const struct path_address *at)
{
    static const uint8_t zeros[16];

    if ((at->len != 4 && at->len != 16) || !at->port || !memcmp(at->ip, zeros, at->len))
        return false;
    return at->len == 4 ? at->ip[0] < 224 : at->ip[0] != 0xff;
}

static bool share_a_public_one(const struct reach *r)
{
    const struct path_address *a = &r->observed, *b = &r->their_observed;

    return a->len && a->len == b->len && !memcmp(a->ip, b->ip, a->len);
}

static bool may_try(const struct reach *r, const struct path_address *at)
{
    return !r->no_direct && is_sane(at) && (!is_of_a_link(at) || at->scope) &&
           (!is_private(at) || is_near(r, at) || share_a_public_one(r));
}

/* --- paths ------------------------------------------------------------------------------------ */

static struct reach_path *find(struct reach *r, bool relay, const struct path_address *at)
{
    for (unsigned i = 0; i < r->n_paths; i++)
        if (r->paths[i].relay == relay && (relay || path_same(&r->paths[i].at, at)))
            return &r->paths[i];
    return NULL;
}

/* What never answered makes room for what was learnt, the oldest first. */
static struct reach_path *room(struct reach *r)
{
    int oldest = -1;

    if (r->n_paths < REACH_PATHS_MAX)
        return &r->paths[r->n_paths++];
    for (unsigned i = 0; i < r->n_paths; i++) {
        const struct reach_path *p = &r->paths[i];
        bool used = (int)i == r->now || (int)i == r->wanted || p->works || p->relay;
        if (!used && (oldest < 0 || p->since_us < r->paths[oldest].since_us))
            oldest = (int)i;
    }
    return oldest < 0 ? NULL : &r->paths[oldest];
}

static struct reach_path *add(struct reach *r, bool relay, const struct path_address *at,
                              int64_t now_us)
{
    struct reach_path *p = room(r);

    if (!p)
        return NULL;
    *p = (struct reach_path){ .relay = relay, .since_us = now_us, .asked_us = NEVER };
    p->heard_us = NEVER;
    if (!relay) {
        p->at = *at;
        p->near = is_near(r, at);
    }
    rng_fill(&r->rng, p->challenge, sizeof p->challenge);
    return p;
}

const struct reach_path *reach_now(const struct reach *r)
{
    return r->now < 0 || r->over ? NULL : &r->paths[r->now];
}

enum reach_way reach_way_of(const struct reach *r, const struct reach_path *p)
{
    if (!p->relay)
        return p->near ? REACH_WAY_LAN : REACH_WAY_DIRECT;
    return p->tunnelled || r->relay_tunnelled ? REACH_WAY_TUNNEL : REACH_WAY_RELAY;
}

void reach_set_locals(struct reach *r, const struct reach_local *locals, unsigned n)
{
    r->n_locals = n < REACH_LOCALS_MAX ? n : REACH_LOCALS_MAX;
    memcpy(r->locals, locals, r->n_locals * sizeof *locals);
    for (unsigned i = 0; i < r->n_paths; i++)
        r->paths[i].near = !r->paths[i].relay && is_near(r, &r->paths[i].at);
}

void reach_set_observed(struct reach *r, const struct path_address *at)
{
    r->observed = *at;
}

void reach_set_relay(struct reach *r, bool ready, bool tunnelled, int64_t now_us)
{
    if (ready && !r->relay_ready && !find(r, true, NULL))
        add(r, true, NULL, now_us);
    r->relay_ready = ready;
    r->relay_tunnelled = tunnelled;
}

void reach_on_change(struct reach *r, int64_t now_us)
{
    for (unsigned i = 0; i < r->n_paths; i++) {
        r->paths[i].since_us = now_us;
        r->paths[i].asked_us = NEVER;
        r->paths[i].asked += r->paths[i].works; /* it is to answer anew */
    }
}

/* --- lists --------------------------------------------------------------------------------------
 *
 *     | version 1 | number of addresses 1 | (kind 1, length 1, address, port 2)... |    kind 1: an
 * interface, 2: as a server sees it
 */

static void put_address(struct writer *w, unsigned kind, const struct path_address *at,
                        uint16_t port)
{
    write_u8(w, (uint8_t)kind);
    write_u8(w, at->len);
    write_bytes(w, at->ip, at->len);
    write_number(w, port, 2);
}

size_t reach_list(const struct reach_local *locals, unsigned n, uint16_t port,
                  const struct path_address *observed, uint8_t ret[static REACH_LIST_MAX])
{
    struct writer w = writer_of(ret, REACH_LIST_MAX);
    unsigned most = REACH_CANDIDATES_MAX - (observed->len != 0), told = n < most ? n : most;

    write_u8(&w, 1);
    write_u8(&w, (uint8_t)(told + (observed->len != 0)));
    for (unsigned i = 0; i < told; i++)
        put_address(&w, 1, &locals[i].at, port);
    if (observed->len)
        put_address(&w, 2, observed, observed->port);
    return REACH_LIST_MAX - writer_left(&w);
}

int reach_on_list(struct reach *r, const uint8_t *bytes, size_t len, int64_t now_us)
{
    struct path_address told[REACH_CANDIDATES_MAX], seen = { 0 };
    struct reader in = reader_of(bytes, len);
    unsigned version = read_u8(&in), n = read_u8(&in);

    if (in.bad || version != 1 || n > REACH_CANDIDATES_MAX)
        return -ROOST_MALFORMED;
    for (unsigned i = 0; i < n; i++) {
        unsigned kind = read_u8(&in), size = read_u8(&in);
        const uint8_t *ip = size == 4 || size == 16 ? read_bytes(&in, size) : NULL;
        told[i] = (struct path_address){ .len = (uint8_t)size };
        told[i].port = (uint16_t)read_number(&in, 2);
        if (!ip || in.bad || kind < 1 || kind > 2)
            return -ROOST_MALFORMED;
        memcpy(told[i].ip, ip, size);
        told[i].scope = is_of_a_link(&told[i]) ? r->link : 0;
        if (kind == 2)
            seen = told[i];
    }
    if (reader_left(&in))
        return -ROOST_MALFORMED;
    r->their_observed = seen;
    for (unsigned i = 0; i < n; i++) {
        struct reach_path *p = find(r, false, &told[i]);
        if (!p && may_try(r, &told[i]))
            p = add(r, false, &told[i], now_us);
        if (p && !p->works)
            p->since_us = now_us;
    }
    return 0;
}

/* --- what comes ---------------------------------------------------------------------------------
 */

static bool is_silent(const struct reach *r, const struct reach_path *p, int64_t now_us)
{
    int64_t most = SILENT_US > 2 * p->rtt_us ? SILENT_US : 2 * p->rtt_us;

    (void)r;
    return !p->works || (p->asked >= 2 && now_us - p->heard_us > most);
}

static void owe(struct reach *r, bool relay, const struct path_address *at, const uint8_t *token)
{
    if (r->n_answers == REACH_ANSWERS_MAX)
        memmove(r->answers, r->answers + 1, --r->n_answers * sizeof *r->answers);
    struct reach_answer *a = &r->answers[r->n_answers++];
    *a = (struct reach_answer){ .relay = relay };
    if (at)
        a->at = *at;
    memcpy(a->token, token, PATH_BYTES);
}

static void use(struct reach *r, struct reach_path *p)
{
    r->now = (int)(p - r->paths);
    p->told = false;
}

/* The caller says that this is the way; a late word of before does not count. */
static void on_use(struct reach *r, struct reach_path *p, uint64_t number, int64_t now_us)
{
    if (r->caller || number < r->used)
        return;
    r->used = number + 1;
    r->wanted = (int)(p - r->paths);
    if (p->works)
        use(r, p);
    else if (!p->asked) {
        p->asked_us = NEVER; /* so that it may be followed there */
        p->since_us = now_us;
    }
}

static void on_back(struct reach *r, struct reach_path *p, const uint8_t *token, bool follows,
                    int64_t now_us)
{
    if (!p->asked || memcmp(p->challenge, token, PATH_BYTES) != 0)
        return;
    p->works = true;
    if (p->asked == 1 || !p->rtt_us) /* else it is not known which was answered */
        p->rtt_us = now_us - p->first_us;
    p->heard_us = now_us;
    p->asked = 0;
    p->told = follows;
    rng_fill(&r->rng, p->challenge, sizeof p->challenge); /* an answer is good once */
    r->answered++;
    if (r->first_us == INT64_MAX)
        r->first_us = now_us;
    if (!r->caller && r->wanted == (int)(p - r->paths))
        use(r, p);
}

int reach_on_packet(struct reach *r, uint8_t *bytes, size_t len, const struct path_address *from,
                    int64_t now_us)
{
    struct session_opened o;
    int err = session_open(&r->session, now_us, bytes, len, &o);

    if (err || o.frames_len != BODY || o.tail_len) {
        r->bad++;
        return err ? err : -ROOST_MALFORMED;
    }
    unsigned kind = o.frames[0] & 15;
    if (r->over || kind < ASK || kind > USE || (from && r->no_direct))
        return 0;
    struct reach_path *p = find(r, !from, from);
    if (!p && (p = add(r, !from, from, now_us)))
        p->learnt = true;
    if (!p)
        return 0;
    r->heard_us = now_us;
    p->tunnelled = p->relay && (o.frames[0] & TUNNELLED);
    if (p->works)
        p->heard_us = now_us;
    if (kind == BACK)
        on_back(r, p, o.frames + 1, o.frames[0] & FOLLOWS, now_us);
    else
        owe(r, p->relay, &p->at, o.frames + 1);
    if (kind == USE)
        on_use(r, p, o.number, now_us);
    return 0;
}

void reach_on_heard(struct reach *r, const struct path_address *from, int64_t now_us)
{
    struct reach_path *p = find(r, !from, from);

    r->heard_us = now_us;
    if (!p || !p->works)
        return;
    p->heard_us = now_us;
    p->asked = 0;
}

/* --- choosing -----------------------------------------------------------------------------------
 */

static bool is_better(const struct reach *r, const struct reach_path *a, const struct reach_path *b)
{
    enum reach_way x = reach_way_of(r, a), y = reach_way_of(r, b);

    return x != y ? x < y : a->rtt_us * 2 < b->rtt_us; /* not to and fro */
}

static int best(const struct reach *r, int64_t now_us)
{
    int ret = -1;

    for (unsigned i = 0; i < r->n_paths; i++) {
        const struct reach_path *p = &r->paths[i];
        if (is_silent(r, p, now_us) || (p->relay && !r->relay_ready))
            continue;
        if (ret < 0 || is_better(r, p, &r->paths[ret]))
            ret = (int)i;
    }
    return ret;
}

/* Until then a better way than this one may begin to answer; there is none before. */
static int64_t patience_us(const struct reach *r, int i)
{
    bool others = false;

    for (unsigned k = 0; k < r->n_paths; k++)
        others = others || (!r->paths[k].works && !r->paths[k].relay);
    switch (reach_way_of(r, &r->paths[i])) {
    case REACH_WAY_LAN:
        return 0;
    case REACH_WAY_DIRECT:
        return r->first_us + PATIENCE_US;
    default:
        return others ? r->begun_us + DIRECT_US : 0;
    }
}

void reach_doubt(struct reach *r)
{
    if (r->now >= 0)
        r->paths[r->now].asked_us = NEVER;
}

void reach_expire(struct reach *r, int64_t now_us)
{
    if (r->over)
        return;
    if (now_us - r->heard_us >= REACH_CONSENT_US) {
        r->over = true;
        return;
    }
    struct reach_path *was = r->now < 0 ? NULL : &r->paths[r->now];
    if (!r->caller && (!was || !is_silent(r, was, now_us)))
        return; /* it follows, but not into silence */
    int i = best(r, now_us);
    if (i < 0 || i == r->now)
        return;
    struct reach_path *p = &r->paths[i];
    if (was ? is_silent(r, was, now_us) || is_better(r, p, was) : now_us >= patience_us(r, i)) {
        use(r, p);
        p->asked_us = NEVER; /* it is told at once */
        if (!was)
            r->ask_us = now_us;
    }
}

/* --- asking -------------------------------------------------------------------------------------
 */

/* How long an answer is waited for. */
static int64_t again_us(const struct reach_path *p)
{
    int64_t us = p->rtt_us * 3 / 2 > AGAIN_US ? p->rtt_us * 3 / 2 : AGAIN_US;

    return us << (p->asked > 8 ? 3 : 0);
}

/* When this one is to be asked. */
static int64_t ask_at(const struct reach *r, const struct reach_path *p, int64_t now_us)
{
    const struct reach_path *now = reach_now(r);
    bool young = now_us - p->since_us < REACH_TRY_US;

    if (p->asked_us == NEVER) /* that this is the way is told before others are asked */
        return p == now && r->caller ? NEVER : p->since_us;
    if (p->relay && !r->relay_ready)
        return INT64_MAX;
    if (!p->works && now && !young && reach_way_of(r, p) >= reach_way_of(r, now))
        return now_us - now->heard_us > SILENT_US ? p->asked_us + REACH_SLOW_US : INT64_MAX;
    if (!p->works || p->asked)
        return p->asked_us + (young || p->works ? again_us(p) : REACH_SLOW_US);
    if (p == now) {
        int64_t quiet_us = p->heard_us + KEEP_US, often_us = p->asked_us + KEEP_US;
        int64_t told_us = !r->caller ? INT64_MAX : p->asked_us + (p->told ? TELL_US : again_us(p));
        int64_t at_us = quiet_us > often_us ? quiet_us : often_us;
        return at_us < told_us ? at_us : told_us;
    }
    bool needed = now && now->asked >= 2;
    return p->asked_us + (needed || !now ? AGAIN_US : OTHERS_US);
}

static int64_t next_at(const struct reach *r, int64_t now_us, int *ret)
{
    int64_t due_us = INT64_MAX;

    *ret = -1;
    for (unsigned k = 0; k < r->n_paths; k++) { /* equals take turns */
        unsigned i = (r->turn + k) % r->n_paths;
        int64_t at_us = ask_at(r, &r->paths[i], now_us);
        if (at_us < due_us) {
            due_us = at_us;
            *ret = (int)i;
        }
    }
    return due_us == INT64_MAX || due_us > r->ask_us ? due_us : r->ask_us;
}

static int seal(struct reach *r, uint8_t *ret, unsigned kind, bool relay, const uint8_t *token,
                int64_t now_us)
{
    ret[PACKET_HEAD] = (uint8_t)(kind | (relay && r->relay_tunnelled ? TUNNELLED : 0));
    memcpy(ret + PACKET_HEAD + 1, token, PATH_BYTES);
    return session_seal(&r->session, now_us, ret, BODY, NULL, 0);
}

static int answer(struct reach *r, uint8_t *ret, struct reach_to *ret_to, int64_t now_us)
{
    struct reach_answer a = r->answers[0];

    memmove(r->answers, r->answers + 1, --r->n_answers * sizeof *r->answers);
    *ret_to = (struct reach_to){ a.relay, a.at };
    bool follows = r->wanted >= 0 && find(r, a.relay, &a.at) == &r->paths[r->wanted];
    return seal(r, ret, BACK | (follows ? FOLLOWS : 0), a.relay, a.token, now_us);
}

int reach_next(struct reach *r, uint8_t ret[static REACH_PACKET_MAX], struct reach_to *ret_to,
               int64_t now_us)
{
    int i;

    if (r->over)
        return 0;
    if (r->n_answers)
        return answer(r, ret, ret_to, now_us);
    if (next_at(r, now_us, &i) > now_us || i < 0)
        return 0;
    struct reach_path *p = &r->paths[i];
    if (!p->asked++)
        p->first_us = now_us;
    p->asked_us = now_us;
    r->asked++;
    r->turn = (unsigned)i + 1;
    r->ask_us = now_us + GAP_US;
    *ret_to = (struct reach_to){ p->relay, p->at };
    return seal(r, ret, r->caller && i == r->now ? USE : ASK, p->relay, p->challenge, now_us);
}

int64_t reach_deadline_us(const struct reach *r, int64_t now_us)
{
    int i;
    int64_t due_us = next_at(r, now_us, &i), end_us = r->heard_us + REACH_CONSENT_US;

    if (r->over)
        return INT64_MAX;
    if (r->n_answers)
        return now_us;
    if (end_us < due_us)
        due_us = end_us;
    int b = r->caller ? best(r, now_us) : -1;
    if (b >= 0 && b != r->now && r->now < 0 && patience_us(r, b) < due_us)
        due_us = patience_us(r, b);
    return due_us;
}

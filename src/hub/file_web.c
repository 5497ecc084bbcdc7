/* file_web.c - kept files by HTTPS for who shows the word of a session.
 *
 * The word says whose session it is and since when, under a code that only this server makes: a
 * wrong one costs no look into the store, and nothing is kept of a right one. It is good as long as
 * the session is there, for reading kept files and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/file.h"
#include "seal/digest.h"

enum { WORD_NUMBERS = 24, WORD_CODE = 16, WORD_BYTES = WORD_NUMBERS + WORD_CODE };
_Static_assert(BEARER_TEXT == 2 * WORD_BYTES + 1, "in hex");

struct asking {
    uint64_t file, session;
    int64_t since_ms;
};

/* --- the word -------------------------------------------------------------------------- */

static void number_put(uint8_t *to, uint64_t n)
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        to[i] = (uint8_t)n;
}

static uint64_t number_get(const uint8_t *from)
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n = n << 8 | from[i];
    return n;
}

static int code_of(const struct hub *h, const uint8_t numbers[static WORD_NUMBERS],
                   uint8_t ret[static 32])
{
    static const char what[] = "roost bearer 1";

    return seal_hmac(ret, h->config.server_secret,
                     (struct seal_part[]){ { what, sizeof what }, { numbers, WORD_NUMBERS } }, 2);
}

int bearer_make(const struct hub *h, uint64_t account, const struct session_row *s,
                char ret[static BEARER_TEXT])
{
    uint8_t word[WORD_BYTES], code[32];

    number_put(word, account);
    number_put(word + 8, s->id);
    number_put(word + 16, (uint64_t)s->created_ms);
    int err = code_of(h, word, code);
    memcpy(word + WORD_NUMBERS, code, WORD_CODE);
    if (!err)
        seal_hex(ret, word, sizeof word);
    seal_wipe(code, sizeof code);
    return err;
}

static bool hex_read(const char *text, uint8_t ret[static WORD_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(text) != 2 * WORD_BYTES)
        return false;
    for (int i = 0; i < 2 * WORD_BYTES; i++) {
        const char *d = strchr(digits, text[i]);
        if (!d)
            return false;
        ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (d - digits));
    }
    return true;
}

/* -ROOST_LOGIN_NEEDED: none that this server made. */
static int bearer_read(const struct hub *h, const char *text, uint64_t *ret_account,
                       struct asking *ret)
{
    uint8_t word[WORD_BYTES] = { 0 }, code[32];

    if (!hex_read(text, word))
        return -ROOST_LOGIN_NEEDED;
    int err = code_of(h, word, code);
    if (!err && !seal_equal(code, word + WORD_NUMBERS, WORD_CODE))
        err = -ROOST_LOGIN_NEEDED;
    seal_wipe(code, sizeof code);
    if (err)
        return err;
    *ret_account = number_get(word);
    ret->session = number_get(word + 8);
    ret->since_ms = (int64_t)number_get(word + 16);
    return 0;
}

/* --- the question ------------------------------------------------------------------------ */

static int ask_session(struct hub *h, struct request *q)
{
    struct store_op *op = request_look(h, q, STORE_SESSION_LIST);

    if (op) {
        op->account.id = q->account;
        op->limit = STORE_PAGE_MAX;
    }
    return request_store(h, q, op);
}

static bool is_there(const struct asking *a, const struct store_result *r)
{
    for (size_t i = 0; i < r->n_sessions; i++)
        if (r->sessions[i].id == a->session && r->sessions[i].created_ms == a->since_ms)
            return true;
    return false;
}

static int ask_row(struct hub *h, struct request *q)
{
    const struct asking *a = q->state;
    struct store_op *op = request_look(h, q, STORE_FILE_FIND);

    if (op) {
        op->file.id = a->file;
        op->account.id = q->account;
    }
    q->step = 1;
    return request_store(h, q, op);
}

static int give(struct hub *h, struct request *q, const struct store_result *r)
{
    const struct file_row *f = &r->file;
    struct hub_depot d;

    if (!h->config.files || !h->config.file_paths)
        return -ROOST_FILES_OFF;
    if (!f->kept || f->has_list || f->stage != ROOST__FILE_STAGE__FILE_DONE ||
        (!file_is_read(q, r) && f->sender != q->account))
        return -ROOST_NO_SUCH_FILE;
    q->about = arena_str(&q->mem, f->name);
    file_grant_fill(h, q, f, false, &d);
    if (!q->about || !(d.name = strdup(f->name)))
        return -ROOST_NOMEM;
    int err = outbox_file(h->out, q->page, &d, 0);
    if (err)
        free(d.name);
    return err;
}

static int answered(struct hub *h, struct request *q, struct store_result *r)
{
    int err = r->err;

    if (!err && !q->step)
        err = is_there(q->state, r) ? ask_row(h, q) : -ROOST_LOGIN_NEEDED;
    else if (!err)
        err = give(h, q, r);
    if (err < 0)
        outbox_file(h->out, q->page, NULL, err);
    return err;
}

static const struct rule web_rule = {
    .kind = "file_https",
    .right = RIGHT_NONE,
    .flags = RULE_ERRORS,
    .on_message = ask_session,
    .on_stored = answered,
};

int hub_ask_file(struct hub *h, uint64_t conn, uint64_t file, const char *bearer,
                 const struct hub_peer *peer, struct now now)
{
    struct asking asked = { .file = file }, *a;
    uint64_t account = 0;

    h->now = now;
    int err = bearer_read(h, bearer, &account, &asked);
    if (err)
        return err;
    struct request *q = request_internal(h, &web_rule);
    if (!q)
        return -ROOST_BUSY;
    q->page = conn;
    q->account = account;
    q->session = asked.session;
    q->address = arena_str(&q->mem, peer->address);
    q->source = arena_str(&q->mem, peer->source);
    q->state = a = arena_get(&q->mem, sizeof *a);
    if (!q->address || !q->source || !a) {
        request_free(h, q);
        return -ROOST_NOMEM;
    }
    *a = asked;
    shard_enter(h, q);
    return 0;
}

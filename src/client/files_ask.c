/* files_ask.c - what a mover asks the server, and what the server says of its file. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/files.h"
#include "wire/msg.h"

static void ask(struct mover *m, Roost__ToServer *msg, enum ask_kind kind)
{
    m->request = core_request(m->all->r->core, msg, edge_now_us());
    m->ask = kind;
    if (m->request < 0) {
        int err = (int)m->request;
        m->request = 0;
        m->ask = ASK_NOTHING;
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
    }
}

#define BEGIN(Type, TYPE, field) MSG_TO_SERVER(msg, b, Type, TYPE, field)

/* --- was it offered before? --- */

static void ask_list(struct mover *m)
{
    BEGIN(FileList, FILE_LIST, file_list);
    b.after = m->list_after;
    ask(m, &msg, ASK_LIST);
}

/* By name a room is not known to us: any answer about it has its number. */
static void ask_room(struct mover *m)
{
    BEGIN(Members, MEMBERS, members);
    Roost__Target to;
    edge_target(&to, m->target);
    b.target = &to;
    ask(m, &msg, ASK_ROOM);
}

static bool same_bytes(const ProtobufCBinaryData *a, const uint8_t *b, size_t len)
{
    return a->len == len && !memcmp(a->data, b, len);
}

void query_find(struct mover *m)
{
    if (m->target[0] == '#' && !m->room) {
        ask_room(m);
        return;
    }
    if (m->target[0] >= '0' && m->target[0] <= '9')
        m->room = strtoull(m->target, NULL, 10);
    ask_list(m);
}

/* By what it is, not yet by where it goes. A root that both know decides; without one, size and
 * name do: blocks that are not the same are noticed by the receiver's map. */
static bool is_same_content(const struct mover *m, const Roost__FileInfo *i)
{
    const struct about *a = &m->about;

    if (i->sender != core_self(m->all->r->core)->account || i->kind != m->kind ||
        strcmp(i->name, m->name) != 0 || i->list_size != a->list_size || i->files != m->files)
        return false;
    if (i->stage != ROOST__FILE_STAGE__FILE_OFFERED &&
        i->stage != ROOST__FILE_STAGE__FILE_ACCEPTED && i->stage != ROOST__FILE_STAGE__FILE_PAUSED)
        return false;
    if (a->list_size && !same_bytes(&i->list_root, a->list_root, TREE_HASH))
        return false;
    if (a->has_root && i->root.len)
        return same_bytes(&i->root, a->root, TREE_HASH);
    return i->open_size ? a->size == TREE_UNKNOWN : i->size == a->size;
}

static bool goes_to(const struct mover *m, const Roost__FileInfo *i)
{
    if (m->target[0] == '@')
        return i->peer && i->peer_name && !strcasecmp(i->peer_name, m->target + 1);
    return !i->peer && m->room && i->room == m->room;
}

static void offer(struct mover *m)
{
    BEGIN(FileOffer, FILE_OFFER, file_offer);
    Roost__Target to;

    edge_target(&to, m->target);
    b.target = &to;
    b.name = m->name;
    b.kind = m->kind;
    b.files = m->files;
    b.open_size = m->about.size == TREE_UNKNOWN;
    b.size = b.open_size ? 0 : m->about.size;
    if (m->about.has_root)
        b.root = (ProtobufCBinaryData){ TREE_HASH, m->about.root };
    b.list_size = m->about.list_size;
    if (b.list_size)
        b.list_root = (ProtobufCBinaryData){ TREE_HASH, m->about.list_root };
    if (m->about.sparse)
        b.holes = m->about.size - m->about.filled;
    b.keep = m->via == ROOST_VIA_SERVER;
    if (m->kind == ROOST__PARCEL_KIND__PARCEL_FILE) {
        b.mode = m->mode;
        b.mtime_s = m->mtime_s < MTIME_MOST ? m->mtime_s : 0;
    }
    m->step = STEP_ASK;
    ask(m, &msg, ASK_OFFER);
}

static void get(struct mover *m)
{
    BEGIN(FileGet, FILE_GET, file_get);
    b.file = m->file;
    m->step = STEP_ASK;
    ask(m, &msg, ASK_GET);
}

void query_renew(struct mover *m)
{
    BEGIN(FileGet, FILE_GET, file_get);
    b.file = m->file;
    ask(m, &msg, ASK_RENEW);
}

static void take_offer(struct mover *m)
{
    BEGIN(FileAnswer, FILE_ANSWER, file_answer);
    b.file = m->file;
    b.accept = true;
    m->step = STEP_ASK;
    ask(m, &msg, ASK_ACCEPT);
}

void query_ticket(struct mover *m, int64_t now_us)
{
    (void)now_us;
    if (m->by_code)
        query_code(m);
    else if (m->file)
        get(m);
    else
        offer(m);
}

static void on_list(struct mover *m, const Roost__FileListing *l)
{
    for (size_t i = 0; i < l->n_files; i++) {
        const Roost__FileInfo *info = l->files[i];
        m->list_after = info->file;
        if (is_same_content(m, info) && goes_to(m, info)) {
            m->file = info->file;
            get(m);
            return;
        }
    }
    if (l->more && l->n_files)
        ask_list(m);
    else
        offer(m);
}

/* --- a ticket --- */

static void keep_root(bool *has, uint8_t to[TREE_HASH], const ProtobufCBinaryData *from)
{
    *has = from->len == TREE_HASH;
    if (*has)
        memcpy(to, from->data, TREE_HASH);
}

static void set_peer(struct mover *m, const Roost__FileInfo *i)
{
    const char *name = m->sends ? i->peer_name : i->sender_name;

    if (m->sends && !i->peer)
        snprintf(m->peer, sizeof m->peer, "%s", m->target);
    else
        snprintf(m->peer, sizeof m->peer, "@%s", name ? name : "");
}

/* A text comes into memory, and leaves nothing where this program stands. */
static int show_text(struct mover *m)
{
    char *dir = strdup(m->all->r->home.path);

    m->out = m->out ? m->out : malloc(MOVER_OUT_BYTES);
    m->fd = dir && m->out ? text_open("") : -1;
    if (m->fd < 0) {
        free(dir);
        return -ROOST_NOMEM;
    }
    free(m->dir);
    m->dir = dir;
    return 0;
}

/* What a receiver goes by: nothing of it is believed, but what comes is held against it. */
int query_learn(struct mover *m, const Roost__FileInfo *i)
{
    if (m->sends)
        return 0;
    m->kind = i->kind;
    m->files = i->files;
    m->size = i->open_size ? TREE_UNKNOWN : i->size;
    m->list_size = i->list_size;
    /* It may be written by its owner, whatever the sender had. */
    m->mode = i->mode ? (i->mode & 0755) | 0600 : 0;
    m->mtime_s = i->mtime_s < MTIME_MOST ? i->mtime_s : 0;
    keep_root(&m->has_root, m->root, &i->root);
    keep_root(&m->has_list_root, m->list_root, &i->list_root);
    if (m->shown && m->fd < 0 && m->kind == ROOST__PARCEL_KIND__PARCEL_TEXT && !i->open_size &&
        !i->list_size && i->size <= ROOST_FILE_TEXT_MAX) {
        int err = show_text(m);
        if (err)
            return err;
    }
    if (m->fd >= 0 && i->list_size) {
        snprintf(m->detail, sizeof m->detail, "these are many files: they need a folder");
        return -ROOST_INVALID;
    }
    if (!m->name)
        m->name = strdup(i->name ? i->name : "file");
    return m->name ? 0 : -ROOST_NOMEM;
}

static void go_on(struct mover *m)
{
    if (m->stage == ROOST_FILE_ASKING)
        mover_stage(m, ROOST_FILE_WAITING);
    if (m->sends || m->receiver) {
        m->step = STEP_SESSION;
        return;
    }
    m->step = STEP_PART;
    if (!mover_job(m, JOB_PART, NULL))
        mover_end(m, ROOST_FILE_FAILED, -ROOST_NOMEM, NULL);
}

static void on_stage(struct mover *m, const Roost__FileInfo *i)
{
    bool by_me = m->sends;

    switch (i->stage) {
    case ROOST__FILE_STAGE__FILE_DECLINED:
        mover_end(m, ROOST_FILE_DECLINED, 0, NULL);
        return;
    case ROOST__FILE_STAGE__FILE_CANCELLED:
        mover_end(m, ROOST_FILE_CANCELLED, 0, NULL);
        return;
    case ROOST__FILE_STAGE__FILE_FORGOTTEN:
        mover_end(m, ROOST_FILE_FAILED, -ROOST_NO_SUCH_FILE, NULL);
        return;
    case ROOST__FILE_STAGE__FILE_DONE:
        if (m->kept && !by_me)
            go_on(m);
        else
            mover_end(m, ROOST_FILE_DONE, 0, NULL);
        return;
    case ROOST__FILE_STAGE__FILE_OFFERED:
        if (m->kept) {
            go_on(m);
        } else if (by_me) {
            m->step = STEP_ANSWER;
            mover_stage(m, ROOST_FILE_WAITING);
        } else {
            take_offer(m);
        }
        return;
    default:
        m->accepted = true;
        go_on(m);
    }
}

static void on_ticket(struct mover *m, const Roost__FileTicket *t)
{
    int err = t->file ? query_learn(m, t->file) : -ROOST_MALFORMED;

    if (!err) {
        m->file = t->file->file;
        m->kept = t->file->kept;
        m->room = t->file->room;
        set_peer(m, t->file);
    }
    if (!err && t->token.len && t->token.len != TALK_TOKEN)
        err = -ROOST_MALFORMED;
    if (!err && t->sends != m->sends && t->file->stage != ROOST__FILE_STAGE__FILE_DONE)
        err = -ROOST_INVALID;
    if (!err && m->sends && m->kept && (m->via == ROOST_VIA_DIRECT || m->via == ROOST_VIA_RELAY)) {
        query_cancel(m); /* it was to go from person to person, or not at all */
        snprintf(m->detail, sizeof m->detail, "%s", err_text(ROOST_AWAY));
        if (m->target[0] != '@')
            snprintf(m->detail, sizeof m->detail, "what goes to a room is kept by the server");
        err = -ROOST_AWAY;
    }
    if (err) {
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
        return;
    }
    m->has_token = t->token.len == TALK_TOKEN;
    if (m->has_token)
        memcpy(m->token, t->token.data, TALK_TOKEN);
    m->news = true;
    if (t->have) {
        m->had = m->about.size;
        m->has_had = true;
        mover_end(m, ROOST_FILE_DONE, 0, NULL);
        return;
    }
    on_stage(m, t->file);
}

/* --- answers --- */

static void on_relay(struct mover *m, const Roost__Relay *r, int64_t now_us)
{
    bool has = r && r->token.len == REACH_TOKEN;
    bool another = has != m->has_relay ||
                   (has && (r->number != m->relay.number ||
                            memcmp(m->relay.token, r->token.data, REACH_TOKEN) != 0));

    m->relay_asked = true;
    m->has_relay = has;
    peer_on_relay(m, another, now_us);
    if (!has)
        return;
    m->relay.number = r->number;
    memcpy(m->relay.token, r->token.data, REACH_TOKEN);
    m->relay.udp_port = (uint16_t)r->port;
    m->relay.passes = r->passes;
}

static void on_refused(struct mover *m, enum ask_kind asked, const struct core_error *e,
                       int64_t now_us)
{
    int code = e ? e->code : ROOST_IO;

    if (asked == ASK_RELAY) {
        on_relay(m, NULL, now_us);
    } else if (asked == ASK_RENEW) {                     /* the way that there is may do */
    } else if (asked == ASK_ROOM || asked == ASK_LIST) { /* the offer will say what is wrong */
        offer(m);
    } else if (code == ROOST_CODE_BUSY && m->receiver) {
        mover_again(m, now_us); /* it is ourselves, before */
    } else if (code == ROOST_TOO_FAST || code == ROOST_BUSY || code == ROOST_NOBODY_THERE ||
               (e && e->retry_after_ms)) {
        mover_again(m, now_us);
    } else {
        if (code == ROOST_NO_SUCH_CODE && m->guessed)
            snprintf(m->detail, sizeof m->detail,
                     "the phrase was not right and is burnt now, or who sends has gone");
        else if (e)
            snprintf(m->detail, sizeof m->detail, "%.250s", e->text);
        mover_end(m, ROOST_FILE_FAILED, -code, NULL);
    }
}

void query_expire(struct mover *m, int64_t now_us)
{
    struct core *core = m->all->r->core;
    struct core_event *e = m->request ? core_take_answer(core, m->request) : NULL;
    enum ask_kind asked = m->ask;

    if (!e && (!m->request || core_knows(core, m->request)))
        return;
    m->request = 0;
    m->ask = ASK_NOTHING;
    if (m->step == STEP_CLOSE || m->step == STEP_OVER)
        return;
    const Roost__Reply *r = e && e->kind == CORE_REPLY && e->msg ? e->msg->reply : NULL;
    if (!r)
        on_refused(m, asked, e ? e->error : NULL, now_us);
    else if (asked == ASK_RENEW && m->step == STEP_MOVE)
        query_relay(m);
    else if (asked == ASK_RENEW)
        return; /* it asks for all anew by itself */
    else if (r->result_case == ROOST__REPLY__RESULT_FILE_LISTING)
        on_list(m, r->file_listing);
    else if (r->result_case == ROOST__REPLY__RESULT_CODE)
        code_on_reply(m, r->code);
    else if (r->result_case == ROOST__REPLY__RESULT_RELAY)
        on_relay(m, r->relay, now_us);
    else if (r->result_case == ROOST__REPLY__RESULT_FILE_TICKET)
        on_ticket(m, r->file_ticket);
    else if (r->result_case == ROOST__REPLY__RESULT_MEMBERS) {
        m->room = r->members->room;
        ask_list(m);
    } else
        mover_end(m, ROOST_FILE_FAILED, -ROOST_MALFORMED, NULL);
}

/* --- words to the server --- */

/* The core keeps the request until it is answered; the answer is passed over. */
static void tell(struct mover *m, Roost__ToServer *msg)
{
    struct files *f = m->all;
    int64_t request = core_request(f->r->core, msg, edge_now_us());

    if (request <= 0)
        return;
    if (f->n_told == FILES_TOLD_MAX) {
        core_cancel(f->r->core, f->told[0]);
        memmove(f->told, f->told + 1, --f->n_told * sizeof *f->told);
    }
    f->told[f->n_told++] = request;
}

void files_pass_over(struct files *f)
{
    size_t left = 0;

    for (size_t i = 0; i < f->n_told; i++)
        if (!core_take_answer(f->r->core, f->told[i]) && core_knows(f->r->core, f->told[i]))
            f->told[left++] = f->told[i];
    f->n_told = left;
}

void query_cancel(struct mover *m)
{
    BEGIN(FileCancel, FILE_CANCEL, file_cancel);
    b.file = m->file;
    if (m->file)
        tell(m, &msg);
}

void query_done(struct mover *m)
{
    BEGIN(FileState, FILE_STATE, file_state);
    b.file = m->file;
    b.stage = ROOST__FILE_STAGE__FILE_DONE;
    if (m->file && !m->kept)
        tell(m, &msg);
}

void query_pause(struct mover *m, bool on)
{
    BEGIN(FileState, FILE_STATE, file_state);
    b.file = m->file;
    b.stage = on ? ROOST__FILE_STAGE__FILE_PAUSED : ROOST__FILE_STAGE__FILE_ACCEPTED;
    tell(m, &msg);
}

/* Refused or not: a way without a relay may do. */
void query_relay(struct mover *m)
{
    BEGIN(FileRelay, FILE_RELAY, file_relay);
    b.file = m->file;
    b.code = m->code;
    ask(m, &msg, ASK_RELAY);
}

static void make_code(struct mover *m)
{
    BEGIN(CodeNew, CODE_NEW, code_new);
    b.claim = (ProtobufCBinaryData){ sizeof m->claim, m->claim };
    b.number = m->code;
    ask(m, &msg, ASK_CODE);
}

static void join_code(struct mover *m)
{
    BEGIN(CodeJoin, CODE_JOIN, code_join);
    b.number = m->code;
    ask(m, &msg, ASK_CODE);
}

void query_code(struct mover *m)
{
    m->step = STEP_ASK;
    if (m->sends)
        make_code(m);
    else
        join_code(m);
}

void query_code_end(struct mover *m)
{
    BEGIN(CodeEnd, CODE_END, code_end);
    b.number = m->code;
    if (m->code)
        tell(m, &msg);
}

void query_signal(struct mover *m, const uint8_t *bytes, size_t len)
{
    BEGIN(FileSignal, FILE_SIGNAL, file_signal);
    b.file = m->file;
    b.code = m->code;
    b.data = (ProtobufCBinaryData){ len, (uint8_t *)bytes };
    tell(m, &msg);
}

void query_progress(struct mover *m, uint64_t moved)
{
    BEGIN(FileProgress, FILE_PROGRESS, file_progress);
    b.file = m->file;
    b.moved = moved;
    b.way = (uint32_t)m->way;
    tell(m, &msg);
}

/* --- pushes --- */

static void hold(struct mover *m, bool on)
{
    if (m->sender)
        sender_pause(m->sender, on);
    if (m->receiver)
        receiver_pause(m->receiver, on);
    mover_stage(m, on ? ROOST_FILE_PAUSED : ROOST_FILE_GOING);
}

static void on_state(struct mover *m, const Roost__FileState *s, int64_t now_us)
{
    switch (s->stage) {
    case ROOST__FILE_STAGE__FILE_PAUSED:
        hold(m, true);
        break;
    case ROOST__FILE_STAGE__FILE_ACCEPTED:
        if (m->stage == ROOST_FILE_PAUSED)
            hold(m, false);
        if (m->step == STEP_ANSWER)
            query_ticket(m, now_us);
        else if (s->account != core_self(m->all->r->core)->account)
            peer_doubt(m, now_us);
        break;
    case ROOST__FILE_STAGE__FILE_DECLINED:
        mover_end(m, ROOST_FILE_DECLINED, 0, NULL);
        break;
    case ROOST__FILE_STAGE__FILE_CANCELLED:
        mover_end(m, s->code ? ROOST_FILE_FAILED : ROOST_FILE_CANCELLED, -(int)s->code, NULL);
        break;
    case ROOST__FILE_STAGE__FILE_DONE:
        if (m->sends && !m->kept)
            mover_end(m, ROOST_FILE_DONE, 0, NULL);
        break;
    default:
        break;
    }
}

static bool is_about(const struct mover *m, uint64_t file, uint32_t code)
{
    return m->by_code ? code && m->code == code : file && m->file == file;
}

static void on_push(struct mover *m, const Roost__ToClient *msg, int64_t now_us)
{
    const Roost__FileSignal *s = msg->file_signal;

    switch (msg->body_case) {
    case ROOST__TO_CLIENT__BODY_FILE_SIGNAL:
        if (is_about(m, s->file, s->code))
            peer_on_signal(m, s->data.data, s->data.len, now_us);
        break;
    case ROOST__TO_CLIENT__BODY_FILE_STATE:
        if (is_about(m, msg->file_state->file, 0))
            on_state(m, msg->file_state, now_us);
        break;
    case ROOST__TO_CLIENT__BODY_CODE_MET:
        if (is_about(m, 0, msg->code_met->code))
            code_on_met(m, msg->code_met->gone, now_us);
        break;
    default:
        break;
    }
}

void files_on_push(struct files *f, const Roost__ToClient *msg, int64_t now_us)
{
    for (size_t i = 0; i < f->n; i++)
        if (!roost_transfer_over(f->list[i]->stage))
            on_push(f->list[i], msg, now_us);
}

/* file_tell.c - what is said of parcels: tickets, offers, states, events. */
#include <string.h>

#include "hub/file.h"

static char *words(const char *s)
{
    return (char *)(s ? s : "");
}

void file_info(Roost__FileInfo *i, const struct file_row *f)
{
    roost__file_info__init(i);
    i->file = f->id;
    i->room = f->room;
    i->sender = f->sender;
    i->sender_name = words(f->sender_name);
    i->peer = f->peer;
    i->peer_name = words(f->peer_name);
    i->name = words(f->name);
    i->kind = (Roost__ParcelKind)f->kind;
    i->files = f->files;
    i->size = f->size;
    i->open_size = f->open_size;
    i->root = (ProtobufCBinaryData){ f->has_root ? 32 : 0, (uint8_t *)f->root };
    i->list_size = f->list_size;
    i->list_root = (ProtobufCBinaryData){ f->has_list ? 32 : 0, (uint8_t *)f->list_root };
    i->kept = f->kept;
    i->stage = (Roost__FileStage)f->stage;
    i->made_ms = (uint64_t)f->made_ms;
    i->done_ms = (uint64_t)f->done_ms;
    i->until_ms = (uint64_t)f->until_ms;
    i->seq = f->seq;
    i->mode = f->mode;
    i->mtime_s = f->mtime_s;
}

int file_event(struct arena *mem, const struct file_row *f, struct event *ret)
{
    Roost__Filed filed = ROOST__FILED__INIT;
    Roost__FileInfo info;

    file_info(&info, f);
    info.stage = ROOST__FILE_STAGE__FILE_DONE;
    filed.file = &info;
    *ret = (struct event){ .kind = EVENT_FILE,
                           .room = f->room,
                           .from = f->sender,
                           .from_name = arena_str(mem, words(f->sender_name)),
                           .ref = f->id };
    if (f->shown && *f->shown)
        ret->shown = ret->from_name;
    return msg_pack(mem, &filed.base, &ret->data, &ret->n_data);
}

static void tell(struct hub *h, const struct request *q, const struct file_row *f, uint32_t stage,
                 int err)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    Roost__FileState state = ROOST__FILE_STATE__INIT;
    Roost__FileInfo info;

    file_info(&info, f);
    state.file = f->id;
    state.stage = (Roost__FileStage)stage;
    state.account = q ? q->account : 0;
    state.session = q ? q->session : 0;
    state.code = (uint32_t)-err;
    if (stage != ROOST__FILE_STAGE__FILE_PAUSED)
        state.info = &info;
    frame.body_case = ROOST__TO_CLIENT__BODY_FILE_STATE;
    frame.file_state = &state;
    /* Also to the session that asked: another program of it may be the end. */
    tell_account_frame(h, f->sender, &frame, 0);
    if (f->peer && f->peer != f->sender)
        tell_account_frame(h, f->peer, &frame, 0);
}

void file_tell_state(struct hub *h, const struct request *q, const struct file_row *f,
                     uint32_t stage)
{
    tell(h, q, f, stage, 0);
}

void file_tell_failed(struct hub *h, const struct file_row *f, int err)
{
    tell(h, NULL, f, ROOST__FILE_STAGE__FILE_CANCELLED, err);
}

void file_tell_offer(struct hub *h, const struct file_row *f)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    Roost__FileOffered offered = ROOST__FILE_OFFERED__INIT;
    Roost__FileInfo info;

    if (!f->peer)
        return;
    file_info(&info, f);
    offered.file = &info;
    frame.body_case = ROOST__TO_CLIENT__BODY_FILE_OFFERED;
    frame.file_offered = &offered;
    tell_account_frame(h, f->peer, &frame, 0);
}

/* Behind what is there; pure folders have no stpcpy. */
static char *put(char *to, const char *words)
{
    size_t len = strlen(words);

    memcpy(to, words, len);
    return to + len;
}

/* "/files/7/TOKEN/name": the name is for people; the token is what counts. */
static char *path_of(struct request *q, const struct hub_depot *grant, const char *name)
{
    static const char hex[] = "0123456789abcdef";
    char digits[24], *at = digits + sizeof digits - 1;
    size_t len = strlen(name);
    char *path = arena_get(&q->mem, 64 + 2 * FILE_TOKEN + 3 * len);

    if (!path)
        return NULL;
    *at = 0;
    for (uint64_t n = grant->file; n; n /= 10)
        *--at = (char)('0' + n % 10);
    char *to = put(put(path, "/files/"), at);
    *to++ = '/';
    for (int i = 0; i < FILE_TOKEN; i++) {
        *to++ = hex[grant->token[i] >> 4];
        *to++ = hex[grant->token[i] & 15];
    }
    *to++ = '/';
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        bool plain = (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') ||
                     *p == '.' || *p == '-' || *p == '_';
        if (!plain) {
            *to++ = '%';
            *to++ = hex[*p >> 4];
        }
        *to++ = plain ? (char)*p : hex[*p & 15];
    }
    *to = 0;
    return path;
}

int file_reply_ticket(struct hub *h, struct request *q, const struct file_row *f,
                      const struct hub_depot *grant, bool have, bool sends, uint64_t session)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__FileTicket ticket = ROOST__FILE_TICKET__INIT;
    Roost__FileInfo info;

    file_info(&info, f);
    ticket.file = &info;
    ticket.have = have;
    ticket.sends = sends;
    ticket.session = session;
    if (grant) {
        ticket.token = (ProtobufCBinaryData){ FILE_TOKEN, (uint8_t *)grant->token };
        ticket.until_ms = (uint64_t)(h->now.wall_ms + TICKET_US / 1000);
    }
    if (grant && grant->name && !(ticket.path = path_of(q, grant, grant->name)))
        return -ROOST_NOMEM;
    reply.result_case = ROOST__REPLY__RESULT_FILE_TICKET;
    reply.file_ticket = &ticket;
    return reply_with(h, q, &reply);
}

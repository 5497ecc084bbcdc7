/* files_code.c - transfers without an account: a phrase that one tells the other.
 *
 * Who sends has the server draw a number, adds words of its own to it (seal/phrase.h), and waits
 * for somebody under that number; who receives joins it. From there on they are two ends like any
 * others (files_peer.c), but that the words prove them, and that what is sent is told on a
 * stream of its own first, as no server knows it. A wrong word burns the phrase.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/files.h"
#include "seal/digest.h"
#include "wire/msg.h"

/* --- the number --- */

int code_read(struct mover *m, const char *typed)
{
    struct phrase_wrong wrong;
    int err = phrase_read(&m->phrase, typed, &wrong);

    if (err) {
        phrase_explain(&wrong, m->detail, sizeof m->detail);
        return err;
    }
    phrase_text(&m->phrase, m->phrase_text);
    m->code = m->phrase.number;
    return 0;
}

void code_on_reply(struct mover *m, const Roost__Code *c)
{
    uint8_t random[8];

    m->code = c->number;
    if (m->sends && !m->phrase.number) {
        if (getrandom(random, sizeof random, 0) != sizeof random) {
            mover_end(m, ROOST_FILE_FAILED, -ROOST_IO, NULL);
            return;
        }
        phrase_make(&m->phrase, c->number, random);
        phrase_text(&m->phrase, m->phrase_text);
    }
    m->step = m->sends ? STEP_ANSWER : STEP_SESSION;
    m->news = true;
    if (m->sends)
        mover_stage(m, ROOST_FILE_WAITING);
}

void code_on_met(struct mover *m, bool gone, int64_t now_us)
{
    if (m->step == STEP_CLOSE || m->step == STEP_OVER)
        return;
    if (!gone && m->sends && m->step == STEP_ANSWER)
        m->step = STEP_SESSION;
    else if (gone && m->sends && m->step == STEP_SESSION && !m->flow)
        m->step = STEP_ANSWER;
    else if (gone && !m->sends && m->step == STEP_SESSION && !m->flow) {
        m->guessed = m->edge != NULL;
        mover_again(m, now_us);
    }
}

/* --- what is sent, told by who sends it --- */

void code_tell(struct mover *m, struct flow *flow)
{
    Roost__FileInfo i = ROOST__FILE_INFO__INIT;
    int64_t stream = flow_open(flow, 0);

    i.name = m->name;
    i.kind = m->kind;
    if (m->by_near)
        i.sender_name = m->near_me;
    i.files = m->files;
    i.open_size = m->about.size == TREE_UNKNOWN;
    i.size = i.open_size ? 0 : m->about.size;
    if (m->about.has_root)
        i.root = (ProtobufCBinaryData){ TREE_HASH, m->about.root };
    if (m->kind == ROOST__PARCEL_KIND__PARCEL_FILE) {
        i.mode = m->mode;
        i.mtime_s = m->mtime_s < MTIME_MOST ? m->mtime_s : 0;
    }
    i.list_size = m->about.list_size;
    if (i.list_size)
        i.list_root = (ProtobufCBinaryData){ TREE_HASH, m->about.list_root };
    size_t len = roost__file_info__get_packed_size(&i);
    uint8_t *bytes = stream >= 0 && len <= CODE_INFO_MAX ? malloc(len + 2) : NULL;
    if (!bytes)
        return; /* then nothing comes, and it is tried again */
    bytes[0] = (uint8_t)(len >> 8);
    bytes[1] = (uint8_t)len;
    roost__file_info__pack(&i, bytes + 2);
    flow_write(flow, (uint64_t)stream, bytes, len + 2);
    flow_end(flow, (uint64_t)stream);
    free(bytes);
}

/* 1: it is known now; 0: more has to come; or an error. */
int code_hear(struct mover *m, struct flow *flow, uint64_t stream, int64_t now_us)
{
    struct arena mem = { 0 };
    uint8_t sum[32];
    size_t len;
    bool over = false;
    const uint8_t *bytes = flow_read(flow, stream, &len, &over);

    if (!bytes || len < 2)
        return over ? -ROOST_MALFORMED : 0;
    size_t told = (size_t)bytes[0] << 8 | bytes[1];
    if (told > CODE_INFO_MAX)
        return -ROOST_MALFORMED;
    if (len < told + 2)
        return 0;
    bytes += 2;
    len = told;
    int err = 0;
    const Roost__FileInfo *i = msg_decode(&mem, &roost__file_info__descriptor, bytes, len, &err);
    if (i)
        err = query_learn(m, i);
    if (i && m->by_near)
        snprintf(m->peer, sizeof m->peer, "%s", i->sender_name ? i->sender_name : "");
    if (!err)
        err = seal_sha256(sum, &(struct seal_part){ bytes, len }, 1);
    if (!err)
        snprintf(m->part_id, sizeof m->part_id, "code-%02x%02x%02x%02x%02x%02x%02x%02x", sum[0],
                 sum[1], sum[2], sum[3], sum[4], sum[5], sum[6], sum[7]);
    flow_take(flow, stream, len + 2, now_us);
    arena_fini(&mem);
    return err ? err : 1;
}

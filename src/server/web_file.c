#include "server/web_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/peer.h"
#include "share/tree.h"
#include "wire/http_answer.h"
#include "wire/http_range.h"

enum { HEADER_MAX = 160, NAME_SHOWN = 255 };
_Static_assert((int)WEB_FILE_PIECE == (int)TREE_BLOCK, "what is read is compared with a hash");

struct web_file {
    struct depot *depot;
    uint64_t peer, file;
    char range[HEADER_MAX], if_range[HEADER_MAX], extra[3 * NAME_SHOWN + 600];
    bool has_range, has_if_range, head_only, keep_alive;
    bool asked, begun; /* a job is under way; the head was made */
    struct opened *opened;
    struct depot_job *closing; /* what will close it */
    uint64_t from, at, end, size;
};

/* --- asking ---------------------------------------------------------------------------- */

static int ask(struct web_file *f, struct depot_job *j)
{
    if (!j)
        return -ROOST_NOMEM;
    j->asker = DEPOT_LOOP;
    j->owner = (void *)(uintptr_t)f->peer;
    if (!depot_ask(f->depot, j)) {
        depot_job_free(j);
        return -ROOST_BUSY;
    }
    f->asked = true;
    return 0;
}

static struct depot_job *look_job(const uint8_t token[static FILE_TOKEN])
{
    struct depot_job *j = calloc(1, sizeof *j);

    if (j) {
        j->what = JOB_LOOK;
        memcpy(j->token, token, sizeof j->token);
    }
    return j;
}

/* Takes the grant's name. */
static struct depot_job *open_job(const struct hub_depot *grant)
{
    struct depot_job *j = calloc(1, sizeof *j);

    if (j) {
        j->what = JOB_OPEN;
        j->grant = *grant;
    }
    return j;
}

static bool take_header(char out[static HEADER_MAX], const char *value)
{
    return value && snprintf(out, HEADER_MAX, "%s", value) < HEADER_MAX;
}

struct web_file *web_file_new(struct peer *p, const struct http_request *q, uint64_t file,
                              const uint8_t *token)
{
    struct web_file *f = p->edge->depot ? calloc(1, sizeof *f) : NULL;

    if (!f)
        return NULL;
    f->depot = p->edge->depot;
    f->peer = p->number;
    f->file = file;
    f->head_only = q->method == HTTP_IS_HEAD;
    f->keep_alive = q->keep_alive;
    f->has_range = take_header(f->range, http_header(q, "Range"));
    f->has_if_range = take_header(f->if_range, http_header(q, "If-Range"));
    if (!token || !ask(f, look_job(token)))
        return f;
    free(f);
    return NULL;
}

bool web_file_granted(struct web_file *f, struct hub_depot *grant)
{
    if (f->asked || f->begun || grant->file != f->file)
        return false;
    depot_admit(f->depot, grant);
    struct depot_job *j = open_job(grant);
    if (j)
        grant->name = NULL;
    return !ask(f, j);
}

void web_file_free(struct web_file *f)
{
    if (!f)
        return;
    if (f->closing && !f->asked) {
        f->closing->got = !f->from && !f->head_only && f->at == f->size;
        depot_shut(f->depot, f->closing);
    } else {
        depot_job_free(f->closing); /* web_file_on_stray closes it */
    }
    free(f);
}

void web_file_on_stray(struct depot *d, struct depot_job *j)
{
    if (!j->err && (j->what == JOB_OPEN || j->what == JOB_READ))
        depot_shut(d, j);
    else
        depot_job_free(j);
}

bool web_file_is_idle(const struct web_file *f)
{
    return f->begun && !f->asked;
}

bool web_file_is_over(const struct web_file *f)
{
    return f->begun && !f->asked && (f->head_only || f->at >= f->end);
}

bool web_file_is_begun(const struct web_file *f)
{
    return f->begun;
}

int web_file_next(struct web_file *f)
{
    uint64_t left = f->end - f->at;
    uint32_t most = WEB_FILE_PIECE - (uint32_t)(f->at % WEB_FILE_PIECE); /* of one block */
    struct depot_job *j = calloc(1, sizeof *j);

    if (!j || !(j->pages = malloc(WEB_FILE_PIECE))) {
        free(j);
        return -ROOST_NOMEM;
    }
    j->what = JOB_READ;
    j->opened = f->opened;
    j->wish.bytes = j->pages;
    j->wish.at = f->at;
    j->wish.len = left < most ? (uint32_t)left : most;
    return ask(f, j);
}

/* --- the head ---------------------------------------------------------------------------- */

/* What players want to know; whatever a browser would run or show as a page of ours is bytes. */
static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        { "mp4", "video/mp4" },       { "webm", "video/webm" }, { "mkv", "video/x-matroska" },
        { "mov", "video/quicktime" }, { "mp3", "audio/mpeg" },  { "ogg", "audio/ogg" },
        { "opus", "audio/ogg" },      { "flac", "audio/flac" }, { "wav", "audio/wav" },
        { "png", "image/png" },       { "jpg", "image/jpeg" },  { "jpeg", "image/jpeg" },
        { "pdf", "application/pdf" },
    };
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* Plain for old programs, and as it is (RFC 8187). */
static void put_names(char *plain, char *whole, const char *name)
{
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        bool safe = (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') ||
                    *p == '.' || *p == '-' || *p == '_';
        *plain++ = safe ? (char)*p : '_';
        whole += sprintf(whole, safe ? "%c" : "%%%02X", *p);
    }
    *plain = 0;
}

static struct blob *head(struct web_file *f, const struct depot_job *j, unsigned *ret_status)
{
    char plain[FILE_NAME_MAX + 1], whole[3 * FILE_NAME_MAX + 1] = "", etag[68] = "\"", bytes[96];
    const char *name = j->grant.name ? j->grant.name : "file";

    seal_hex(etag + 1, j->grant.root, 32);
    strcpy(etag + 65, "\"");
    f->size = j->grant.size;
    enum http_range r = http_range(f->has_range ? f->range : NULL,
                                   f->has_if_range ? f->if_range : NULL, etag, f->size, &f->at,
                                   &f->end);
    *ret_status = r == HTTP_RANGE_NONE ? 416 : r == HTTP_RANGE_PART ? 206 : 200;
    bytes[0] = 0;
    if (r == HTTP_RANGE_PART)
        snprintf(bytes, sizeof bytes,
                 "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", f->at, f->end - 1,
                 f->size);
    if (r == HTTP_RANGE_NONE) {
        snprintf(f->extra, sizeof f->extra, "Content-Range: bytes */%" PRIu64 "\r\n", f->size);
        return NULL;
    }
    put_names(plain, whole, name);
    snprintf(f->extra, sizeof f->extra,
             "Accept-Ranges: bytes\r\nETag: %s\r\n%s"
             "Content-Disposition: attachment; filename=\"%s\"; filename*=UTF-8''%s\r\n",
             etag, bytes, plain, whole);
    f->from = f->at;
    f->begun = true;
    const struct http_answer a = { .status = *ret_status,
                                   .type = type_of(name),
                                   .is_bytes = true,
                                   .extra = f->extra,
                                   .body = "",
                                   .len = 0,
                                   .later = f->end - f->at,
                                   .keep_alive = f->keep_alive,
                                   .wall_ms = edge_now().wall_ms };
    return http_answer_encode(&a);
}

/* --- answers ------------------------------------------------------------------------------ */

static unsigned on_looked(struct web_file *f, struct depot_job *j)
{
    struct depot_job *open;

    if (j->err || j->grant.file != f->file || j->grant.what != DEPOT_GIVE || j->grant.has_list)
        return 404;
    if (!(open = open_job(&j->grant)))
        return 503;
    j->grant.name = NULL;
    return ask(f, open) ? 503 : 0;
}

static unsigned on_read(struct web_file *f, const struct depot_job *j, struct blob **ret)
{
    if (j->result != (int64_t)j->wish.len)
        return 503;
    *ret = blob_copy(j->wish.bytes, j->wish.len);
    f->at += j->wish.len;
    return *ret ? 0 : 503;
}

static unsigned on_opened(struct web_file *f, struct depot_job *j, struct blob **ret,
                          const char **extra)
{
    unsigned said = 200;

    if (j->err == -ROOST_TRANSFERS || j->err == -ROOST_TRANSFERS_OWN) {
        *extra = "Retry-After: 5\r\n";
        return j->err == -ROOST_TRANSFERS ? 503 : 429;
    }
    if (j->err)
        return j->err == -ROOST_UNREADABLE || j->err == -ROOST_NO_SUCH_FILE ? 404 : 503;
    f->opened = j->opened;
    *ret = head(f, j, &said);
    *extra = said == 416 ? f->extra : NULL;
    return *ret ? 0 : said == 416 ? 416 : 503;
}

unsigned web_file_on_job(struct web_file *f, struct depot_job *j, struct blob **ret,
                         const char **extra)
{
    unsigned status = 0;

    *ret = NULL;
    *extra = NULL;
    f->asked = false;
    if (j->what == JOB_LOOK)
        status = on_looked(f, j);
    else if (j->what == JOB_READ)
        status = on_read(f, j, ret);
    else
        status = on_opened(f, j, ret, extra);
    if (j->what == JOB_OPEN && !j->err)
        f->closing = j;
    else
        depot_job_free(j);
    return status;
}

/* lab crowd: many talk in one room. The server passes lines on; the client prints what comes and
 * sends what is typed, so nc is a client too. */
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "lab/classics/crowd.h"
#include "lab/classics/desk.h"

static void describe(const uint8_t *bytes, size_t len, char ret[static DESK_WHAT_MAX])
{
    snprintf(ret, DESK_WHAT_MAX, "%.*s", (int)(len < 200 ? len : 200), (const char *)bytes);
}

/* --- the server ---------------------------------------------------------------------------- */

struct server {
    struct desk d; /* the first: forget gets it */
    struct crowd crowd;
    struct crowd_said said;
};

static void tell(struct server *s, const char *text)
{
    struct json j;

    if (!s->d.c->json) {
        desk_say(&s->d, "%s", text);
        return;
    }
    desk_json(&s->d, &j, "line");
    json_str(&j, "text", text);
    desk_json_end(&s->d, &j);
}

static void pass_on(struct server *s, size_t from)
{
    const struct crowd_said *said = &s->said;

    if (*said->to_one)
        desk_send(&s->d, from, said->to_one, strlen(said->to_one));
    if (!*said->to_all)
        return;
    tell(s, said->to_all);
    for (size_t i = 0; i < s->d.n_peers; i++)
        if (i != from && s->d.peers[i].used && crowd_listens(&s->crowd, i))
            desk_send(&s->d, i, said->to_all, strlen(said->to_all));
}

/* Whoever goes, and however. */
static void forget(struct desk *d, size_t peer)
{
    struct server *s = (struct server *)d;

    d->peers[peer].mine = NULL;
    crowd_goes(&s->crowd, peer, &s->said);
    pass_on(s, peer);
}

static void on_event(struct server *s, const struct desk_event *e)
{
    if (e->kind == DESK_CAME) {
        s->d.peers[e->peer].mine = s; /* so that it is not forgotten silently */
        crowd_came(&s->crowd, e->peer, &s->said);
        pass_on(s, e->peer);
    } else if (e->kind == DESK_MESSAGE) {
        crowd_hear(&s->crowd, e->peer, e->bytes, e->len, &s->said);
        pass_on(s, e->peer);
    }
    if ((e->kind == DESK_GONE && !e->err) || (e->kind == DESK_MESSAGE && s->said.bye)) {
        forget(&s->d, e->peer);
        desk_finish(&s->d, e->peer);
    }
}

static int serve(struct server *s)
{
    struct desk_event e;

    for (;;) {
        while (desk_next(&s->d, &e)) {
            if (e.kind == DESK_STOP)
                return CLI_OK;
            on_event(s, &e);
        }
        desk_sleep(&s->d, INT64_MAX);
    }
}

/* --- the client ----------------------------------------------------------------------------- */

static int on_client_event(struct server *s, const struct desk_event *e, bool *ret_over)
{
    const char *name = args_value(s->d.args, "name");
    char text[CUT_LINE_MAX + 1];

    switch (e->kind) {
    case DESK_CAME:
        if (name)
            desk_send(&s->d, 0, name, strlen(name));
        desk_hold_lines(&s->d, false);
        break;
    case DESK_MESSAGE:
        snprintf(text, sizeof text, "%.*s", (int)e->len, (const char *)e->bytes);
        tell(s, text);
        break;
    case DESK_LINE:
        *ret_over = e->len == 4 && !memcmp(e->bytes, "/bye", 4);
        desk_send(&s->d, 0, e->bytes, e->len);
        break;
    case DESK_LINES_END:
    case DESK_STOP:
        *ret_over = true;
        break;
    case DESK_GONE:
        return desk_fail_gone(&s->d, e);
    }
    return 0;
}

static int talk(struct server *s)
{
    struct desk_event e;
    bool over = false;
    int status = 0;

    desk_hold_lines(&s->d, true); /* until somebody is there */
    while (!over && !status) {
        while (!over && !status && desk_next(&s->d, &e))
            status = on_client_event(s, &e, &over);
        if (!over && !status)
            desk_sleep(&s->d, INT64_MAX);
    }
    return status;
}

CLI_RUN(cmd_lab_crowd)
{
    static const struct desk_plan serving = {
        true, false, false, false, CUT_LINES, describe, forget
    };
    static const struct desk_plan talking = { true, false, true, false, CUT_LINES, describe, NULL };
    struct server *s = calloc(1, sizeof *s);

    if (!s)
        return CLI_REFUSED;
    int status = desk_open(&s->d, c, a, args_has(a, "serve") ? &serving : &talking);
    if (!status)
        status = s->d.serves ? serve(s) : talk(s);
    desk_close(&s->d);
    free(s);
    return status;
}

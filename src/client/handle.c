/* handle.c - opening and closing a handle, what it is called, and why it could not be opened. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "client/edge.h"

#define X(name, number, id, text, advice) _Static_assert(ROOST_E_##name == number, id);
ROOST_ERRORS(X)
#undef X

static _Thread_local char problem[400];

const char *roost_problem(void)
{
    return problem;
}

void edge_complain(const char *text)
{
    snprintf(problem, sizeof problem, "%s", text);
}

static int complain(int err, const char *what, const char *which)
{
    const char *why = err == -ROOST_IO ? strerror(errno) : err_text(err);
    bool said = err == -ROOST_INVALID; /* what is wrong says it all */

    snprintf(problem, sizeof problem, "%s%s%s%s%s", what, which ? " " : "", which ? which : "",
             said ? "" : ": ", said ? "" : why);
    return err;
}

/* --- opening ----------------------------------------------------------------------- */

/* "HOST", "HOST:PORT", "[V6]:PORT", "V6". */
static int read_server(struct roost *r, const char *s)
{
    const char *end = *s == '[' ? strchr(s, ']') : NULL, *colon = end ? end + 1 : strrchr(s, ':');
    bool v6 = !end && colon && strchr(s, ':') != colon;
    size_t n;

    if (*s == '[' && (!end || (end[1] && end[1] != ':')))
        return -ROOST_INVALID;
    if (v6 || (colon && !*colon))
        colon = NULL;
    const char *from = end ? s + 1 : s;
    n = end ? (size_t)(end - from) : colon ? (size_t)(colon - from) : strlen(from);
    long port = colon ? strtol(colon + 1, NULL, 10) : ROOST_PORT;
    if (!n || n >= sizeof r->host || port < 1 || port > 65535 ||
        (colon && strspn(colon + 1, "0123456789") != strlen(colon + 1)))
        return -ROOST_INVALID;
    memcpy(r->host, from, n);
    r->host[n] = 0;
    if (strpbrk(r->host, " \t\r\n/"))
        return -ROOST_INVALID;
    snprintf(r->port, sizeof r->port, "%ld", port);
    snprintf(r->server, sizeof r->server, strchr(r->host, ':') ? "[%s]:%s" : "%s:%s", r->host,
             r->port);
    memcpy(r->home.server, r->server, sizeof r->home.server);
    return 0;
}

static int make_core(struct roost *r, const struct roost_options *o)
{
    struct core_options c = { .no_resume = o->no_resume,
                              .once = o->once,
                              .patience_us = o->patience_ms * 1000 };
    char machine[128] = "";

    gethostname(machine, sizeof machine - 1);
    c.program = o->program ? o->program : "libroost " ROOST_RELEASE;
    c.device_name = o->device_name ? o->device_name : machine;
    if (getrandom(c.seed, sizeof c.seed, 0) != (ssize_t)sizeof c.seed ||
        home_device(&r->home, c.device) < 0)
        return -ROOST_IO;
    r->core = core_new(&c, edge_now_us());
    return r->core ? 0 : -ROOST_NOMEM;
}

static int start(struct roost *r, const struct roost_options *o)
{
    char last[300] = "";

    r->tls.fd = r->tls.dial.fd = -1;
    r->options = *o;
    int err = home_open(&r->home, o->home);
    if (err)
        return complain(err, "cannot use the home directory", r->home.path);
    if (!o->alone && !o->server && !home_last_server(&r->home, last, sizeof last))
        return complain(-ROOST_INVALID, "no server was given, and none is remembered", NULL);
    err = o->alone ? 0 : read_server(r, o->server ? o->server : last);
    if (err)
        return complain(err, "this is no HOST[:PORT]:", o->server ? o->server : last);
    if (o->guest && (!o->user || !*o->user))
        return complain(-ROOST_INVALID, "a guest needs a name", NULL);
    if (o->user && strlen(o->user) + CORE_CODE_MAX + 8 >= sizeof r->user)
        return complain(-ROOST_INVALID, "the name of the user is too long", NULL);
    if (o->guest && strlen(o->guest) >= CORE_CODE_MAX)
        return complain(-ROOST_INVALID, "this is no code of a meeting:", o->guest);
    r->guest = o->guest != NULL;
    if (r->guest)
        home_guest_key(r->user, sizeof r->user, o->guest, o->user);
    else if (o->user)
        strcpy(r->user, o->user);
    else
        home_last_user(&r->home, r->user, sizeof r->user);
    if (o->accept_fingerprint)
        snprintf(r->accept, sizeof r->accept, "%s", o->accept_fingerprint);
    const char *name;
    if (study_open(&r->study, o->pcap, o->key_log, &name))
        return complain(-ROOST_IO, "cannot write to", name);
    struct link_pair how = { 0 };
    char wrong[LINK_WRONG_MAX];
    if (o->link && link_spec(&how, o->link, wrong))
        return complain(-ROOST_INVALID, "this is no link:", wrong);
    err = tls_init(&r->tls);
    if (!err)
        tls_study(&r->tls, &r->study);
    if (!err)
        err = make_core(r, o);
    files_init(&r->files, r);
    speech_init(&r->speech, r);
    datagrams_init(&r->datagrams, r->core, &r->tls, r->host, r->port, &r->study);
    r->bends = o->link != NULL;
    r->link = how;
    if (!err && o->link)
        err = datagrams_bend(&r->datagrams, &how);
    return err ? complain(err, "cannot start in", r->home.path) : 0;
}

int roost_open(struct roost **ret_r, const struct roost_options *o)
{
    struct roost *r = calloc(1, sizeof *r);
    int err = r ? start(r, o) : -ROOST_NOMEM;

    if (err) {
        roost_close(r);
        return err;
    }
    *ret_r = r;
    return 0;
}

void roost_close(struct roost *r)
{
    if (!r)
        return;
    if (r->core) {
        speech_fini(&r->speech);
        files_fini(&r->files);
        datagrams_fini(&r->datagrams);
    }
    tls_fini(&r->tls);
    study_close(&r->study);
    home_close(&r->home);
    core_free(r->core);
    arena_fini(&r->roll_mem);
    free(r);
}

const char *roost_server(const struct roost *r)
{
    return r->server;
}

const char *roost_user(const struct roost *r)
{
    return core_self(r->core)->name;
}

const char *roost_home(const struct roost *r)
{
    return r->home.path;
}

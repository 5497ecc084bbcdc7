/* discover: the servers that announce themselves nearby, by mDNS through Avahi */
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/error.h>
#include <avahi-common/simple-watch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"

/* Announcements come within a second or so; a lost one is asked for again after 1 s. */
enum { WAIT_MS = 2000, FOUND_MAX = 256 };

struct found {
    char *name, *host, *address;
    uint16_t port;
};

struct search {
    AvahiSimplePoll *poll;
    AvahiClient *client;
    AvahiServiceBrowser *browser;
    struct found list[FOUND_MAX];
    size_t n, resolving;
    bool all_browsed, failed;
};

static void on_resolved(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                        AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                        const char *type, const char *domain, const char *host,
                        const AvahiAddress *address, uint16_t port, AvahiStringList *txt,
                        AvahiLookupResultFlags flags, void *arg)
{
    struct search *s = arg;
    char text[AVAHI_ADDRESS_STR_MAX] = "";

    (void)interface, (void)protocol, (void)type, (void)domain, (void)txt, (void)flags;
    s->resolving--;
    if (event == AVAHI_RESOLVER_FOUND && s->n < FOUND_MAX) {
        bool known = false; /* the same by another interface or protocol */
        for (size_t i = 0; i < s->n; i++)
            known |= !strcmp(s->list[i].name, name) && s->list[i].port == port &&
                     !strcmp(s->list[i].host, host);
        if (!known) {
            struct found *f = &s->list[s->n];
            avahi_address_snprint(text, sizeof text, address);
            *f = (struct found){ strdup(name), strdup(host), strdup(text), port };
            s->n += f->name && f->host && f->address;
        }
    }
    avahi_service_resolver_free(resolver);
}

static void on_browsed(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                       AvahiBrowserEvent event, const char *name, const char *type,
                       const char *domain, AvahiLookupResultFlags flags, void *arg)
{
    struct search *s = arg;

    (void)browser, (void)flags;
    if (event == AVAHI_BROWSER_NEW) {
        if (avahi_service_resolver_new(s->client, interface, protocol, name, type, domain,
                                       AVAHI_PROTO_UNSPEC, 0, on_resolved, s))
            s->resolving++;
    } else if (event == AVAHI_BROWSER_ALL_FOR_NOW) {
        s->all_browsed = true;
    } else if (event == AVAHI_BROWSER_FAILURE) {
        s->failed = true;
    }
}

static void on_client(AvahiClient *client, AvahiClientState state, void *arg)
{
    struct search *s = arg;

    (void)client;
    if (state == AVAHI_CLIENT_FAILURE)
        s->failed = true;
}

static int start(struct cli *c, struct search *s)
{
    int error = AVAHI_ERR_NO_MEMORY;

    s->poll = avahi_simple_poll_new();
    if (s->poll)
        s->client = avahi_client_new(avahi_simple_poll_get(s->poll), 0, on_client, s, &error);
    if (s->client) {
        s->browser = avahi_service_browser_new(s->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
                                               "_roost._tcp", NULL, 0, on_browsed, s);
        error = avahi_client_errno(s->client);
    }
    if (s->browser)
        return CLI_OK;

    struct buf b = { 0 };
    buf_printf(&b, "servers nearby cannot be looked for: %s", avahi_strerror(error));
    int status = cli_fail(c, CLI_UNREACHABLE, buf_str(&b),
                          "start avahi-daemon (package avahi-daemon), or name the server: "
                          "-s HOST[:PORT]");
    buf_fini(&b);
    return status;
}

static void stop(struct search *s)
{
    if (s->browser)
        avahi_service_browser_free(s->browser);
    if (s->client)
        avahi_client_free(s->client);
    if (s->poll)
        avahi_simple_poll_free(s->poll);
    for (size_t i = 0; i < s->n; i++) {
        free(s->list[i].name);
        free(s->list[i].host);
        free(s->list[i].address);
    }
}

static void show(struct cli *c, const struct search *s)
{
    static const char *const heads[] = { "NAME", "SERVER", "ADDRESS" };
    struct table t;
    struct buf cell = { 0 };

    table_init(&t, heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < s->n; i++) {
        const struct found *f = &s->list[i];
        if (c->json) {
            struct json j;
            json_begin(&j, &c->out);
            json_str(&j, "event", "server");
            json_str(&j, "name", f->name);
            json_str(&j, "host", f->host);
            json_u64(&j, "port", f->port);
            json_str(&j, "address", f->address);
            json_end(&j);
        } else {
            table_add(&t, f->name);
            buf_printf(&cell, "%s:%u", f->host, f->port);
            table_add_buf(&t, &cell);
            table_add(&t, f->address);
        }
    }
    if (!c->json && s->n)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    buf_fini(&cell);
    cli_flush(c);
}

CLI_RUN(cmd_discover)
{
    struct search *s = calloc(1, sizeof *s);
    unsigned long long seconds = 0;
    int status = CLI_REFUSED;

    if (!s)
        return status;
    if (args_has(a, "wait") && !args_number(args_value(a, "wait"), 1, 60, &seconds)) {
        free(s);
        return cli_usage(c, "--wait takes a number of seconds from 1 to 60",
                         "for example --wait 5");
    }
    status = start(c, s);
    int64_t end = cli_now_us() + (seconds ? (int64_t)seconds * 1000 : WAIT_MS) * 1000, left;
    while (!status && !s->failed && (left = end - cli_now_us()) > 0) {
        if (!seconds && s->all_browsed && !s->resolving && s->n)
            break;
        if (avahi_simple_poll_iterate(s->poll, (int)(left / 1000) + 1))
            break;
    }
    if (!status && s->failed)
        status = cli_fail(c, CLI_UNREACHABLE, "avahi-daemon went away", "start it and try again");
    if (!status)
        show(c, s);
    if (!status && !s->n)
        cli_say(c, "No server nearby has announced itself. Name one with -s HOST[:PORT].");
    stop(s);
    free(s);
    return status;
}

#include "server/mdns.h"

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/strlst.h>
#include <avahi-common/thread-watch.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/log.h"

#define DAEMON_SOCKET "/run/avahi-daemon/socket"
#define SERVICE_TYPE  "_roost._tcp"

enum { NAME_TRIES = 20 }; /* "Roost on host #2", ... */

/* Every function of the two libraries that is used here. */
#define FUNCTIONS(X)                                                                               \
    X(client, avahi_client_new)                                                                    \
    X(client, avahi_client_free)                                                                   \
    X(client, avahi_client_errno)                                                                  \
    X(client, avahi_client_get_host_name)                                                          \
    X(client, avahi_entry_group_new)                                                               \
    X(client, avahi_entry_group_reset)                                                             \
    X(client, avahi_entry_group_commit)                                                            \
    X(client, avahi_entry_group_add_service_strlst)                                                \
    X(common, avahi_threaded_poll_new)                                                             \
    X(common, avahi_threaded_poll_get)                                                             \
    X(common, avahi_threaded_poll_start)                                                           \
    X(common, avahi_threaded_poll_stop)                                                            \
    X(common, avahi_threaded_poll_free)                                                            \
    X(common, avahi_string_list_new)                                                               \
    X(common, avahi_string_list_free)                                                              \
    X(common, avahi_alternative_service_name)                                                      \
    X(common, avahi_free)                                                                          \
    X(common, avahi_strerror)

struct mdns {
    void *common, *client;
#define X(library, name) __typeof__(name) *name;
    FUNCTIONS(X)
#undef X
    AvahiThreadedPoll *poll;
    AvahiClient *avahi;
    AvahiEntryGroup *group; /* from here on: the library's thread */
    char *name;
    unsigned tries;
    uint16_t port;
    char id[64], fingerprint[128];
};

static bool load(struct mdns *m)
{
    m->common = dlopen("libavahi-common.so.3", RTLD_NOW | RTLD_LOCAL);
    m->client = dlopen("libavahi-client.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!m->common || !m->client)
        return false;
#define X(library, name)                                                                           \
    m->name = (__typeof__(name) *)dlsym(m->library, #name);                                        \
    if (!m->name)                                                                                  \
        return false;
    FUNCTIONS(X)
#undef X
    return true;
}

static void on_group(AvahiEntryGroup *group, AvahiEntryGroupState state, void *arg);

static void publish(struct mdns *m, AvahiClient *avahi)
{
    if (!m->group)
        m->group = m->avahi_entry_group_new(avahi, on_group, m);
    if (!m->group)
        return;
    m->avahi_entry_group_reset(m->group);
    AvahiStringList *txt = m->avahi_string_list_new(m->id, m->fingerprint, (char *)NULL);
    int err = m->avahi_entry_group_add_service_strlst(m->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC,
                                                      0, m->name, SERVICE_TYPE, NULL, NULL, m->port,
                                                      txt);
    m->avahi_string_list_free(txt);
    if (err >= 0)
        err = m->avahi_entry_group_commit(m->group);
    if (err < 0 && err != AVAHI_ERR_COLLISION)
        log_warn("cannot announce the server in the local network: %s", m->avahi_strerror(err));
    else if (err == AVAHI_ERR_COLLISION)
        on_group(m->group, AVAHI_ENTRY_GROUP_COLLISION, m);
}

static void on_group(AvahiEntryGroup *group, AvahiEntryGroupState state, void *arg)
{
    struct mdns *m = arg;

    m->group = group; /* it may call before _new returned */
    if (state == AVAHI_ENTRY_GROUP_ESTABLISHED)
        log_info("announced in the local network as '%s'", m->name);
    if (state != AVAHI_ENTRY_GROUP_COLLISION || ++m->tries > NAME_TRIES)
        return;
    char *next = m->avahi_alternative_service_name(m->name);
    if (!next)
        return;
    free(m->name);
    m->name = strdup(next);
    m->avahi_free(next);
    if (m->name)
        publish(m, m->avahi);
}

static void on_client(AvahiClient *avahi, AvahiClientState state, void *arg);

/* The daemon was stopped; another client waits until it is back. */
static void wait_for_daemon(struct mdns *m, AvahiClient *gone)
{
    int err;

    m->group = NULL; /* freed with its client */
    m->avahi_client_free(gone);
    m->avahi = m->avahi_client_new(m->avahi_threaded_poll_get(m->poll), AVAHI_CLIENT_NO_FAIL,
                                   on_client, m, &err);
}

static void on_client(AvahiClient *avahi, AvahiClientState state, void *arg)
{
    struct mdns *m = arg;

    m->avahi = avahi; /* it may call before _new returned */
    if (state == AVAHI_CLIENT_S_RUNNING) {
        char name[64];

        snprintf(name, sizeof name, "Roost on %.48s", m->avahi_client_get_host_name(avahi));
        if (!m->name)
            m->name = strdup(name);
        if (m->name)
            publish(m, avahi);
    } else if (m->group &&
               (state == AVAHI_CLIENT_S_COLLISION || state == AVAHI_CLIENT_S_REGISTERING)) {
        m->avahi_entry_group_reset(m->group); /* the host's name changes */
    } else if (state == AVAHI_CLIENT_FAILURE &&
               m->avahi_client_errno(avahi) == AVAHI_ERR_DISCONNECTED) {
        wait_for_daemon(m, avahi);
    }
}

static bool start(struct mdns *m)
{
    int err;

    m->poll = m->avahi_threaded_poll_new();
    if (!m->poll)
        return false;
    m->avahi = m->avahi_client_new(m->avahi_threaded_poll_get(m->poll), 0, on_client, m, &err);
    return m->avahi && m->avahi_threaded_poll_start(m->poll) >= 0;
}

struct mdns *mdns_new(uint16_t port, const uint8_t id[static 16], const char *fingerprint)
{
    struct mdns *m;

    if (access(DAEMON_SOCKET, F_OK) || !(m = calloc(1, sizeof *m)))
        return NULL;
    m->port = port;
    int n = snprintf(m->id, sizeof m->id, "id=");
    for (int i = 0; i < 16; i++)
        n += snprintf(m->id + n, sizeof m->id - (size_t)n, "%02x", id[i]);
    snprintf(m->fingerprint, sizeof m->fingerprint, "fingerprint=%s", fingerprint);
    if (load(m) && start(m))
        return m;
    mdns_free(m);
    return NULL;
}

void mdns_free(struct mdns *m)
{
    if (!m)
        return;
    if (m->poll && m->avahi_threaded_poll_stop)
        m->avahi_threaded_poll_stop(m->poll);
    if (m->avahi)
        m->avahi_client_free(m->avahi); /* and the group with it */
    if (m->poll)
        m->avahi_threaded_poll_free(m->poll);
    if (m->client)
        dlclose(m->client);
    if (m->common)
        dlclose(m->common);
    free(m->name);
    free(m);
}

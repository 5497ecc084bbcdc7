#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void address_plain(union address *a)
{
    if (a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        return;
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = a->v6.sin6_port };
    memcpy(&v4.sin_addr, &a->v6.sin6_addr.s6_addr[12], 4);
    a->v4 = v4;
}

void address_mapped(union address *a)
{
    if (a->any.sa_family != AF_INET)
        return;
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = a->v4.sin_port };
    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&v6.sin6_addr.s6_addr[12], &a->v4.sin_addr, 4);
    a->v6 = v6;
}

socklen_t address_len(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

bool address_equal(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        union address x = *a, y = *b;
        address_plain(&x);
        address_plain(&y);
        return x.any.sa_family == y.any.sa_family && address_equal(&x, &y);
    }
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
           IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

/* --- text ------------------------------------------------------------------------- */

/* Cuts "HOST:PORT" or "[HOST]:PORT" in place. */
static bool split(char *text, char **ret_host, char **ret_port)
{
    char *colon = strrchr(text, ':');

    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5 || atoi(colon + 1) > 65535)
        return false;
    *colon = 0;
    *ret_port = colon + 1;
    *ret_host = text;
    if (*text == '[') {
        size_t len = strlen(text);
        if (text[len - 1] != ']')
            return false;
        text[len - 1] = 0;
        *ret_host = text + 1;
        return len > 2;
    }
    return !strchr(text, ':'); /* an IPv6 address wants brackets */
}

int address_parse(union address *ret, const char *text, bool names)
{
    char copy[300], *host, *port;
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV }, *list;

    if (strlen(text) >= sizeof copy)
        return -ROOST_INVALID;
    strcpy(copy, text);
    if (!split(copy, &host, &port))
        return -ROOST_INVALID;
    if (!*host) {
        *ret = (union address){ .v6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any } };
        ret->v6.sin6_port = htons((uint16_t)atoi(port));
        return 0;
    }
    hints.ai_flags |= AI_NUMERICHOST;
    int err = getaddrinfo(host, port, &hints, &list);
    hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    if (err && names)
        err = getaddrinfo(host, port, &hints, &list);
    if (err)
        return names && err != EAI_MEMORY ? -ROOST_TIMEOUT : -ROOST_INVALID;
    *ret = (union address){ 0 };
    memcpy(ret, list->ai_addr, list->ai_addrlen < sizeof *ret ? list->ai_addrlen : sizeof *ret);
    freeaddrinfo(list);
    address_plain(ret);
    return 0;
}

void address_text(const union address *a, char ret[static ADDRESS_TEXT_MAX])
{
    union address p = *a;
    char host[INET6_ADDRSTRLEN] = "?", scope[16] = "";

    address_plain(&p);
    if (p.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &p.v4.sin_addr, host, sizeof host);
        snprintf(ret, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(p.v4.sin_port));
        return;
    }
    inet_ntop(AF_INET6, &p.v6.sin6_addr, host, sizeof host);
    if (p.v6.sin6_scope_id)
        snprintf(scope, sizeof scope, "%%%u", p.v6.sin6_scope_id);
    snprintf(ret, ADDRESS_TEXT_MAX, "[%s%s]:%u", host, scope, ntohs(p.v6.sin6_port));
}

/* --- in frames -------------------------------------------------------------------- */

bool address_to_wire(const union address *a, struct dgram_address *ret)
{
    union address p = *a;

    address_plain(&p);
    *ret = (struct dgram_address){ 0 };
    if (p.any.sa_family == AF_INET) {
        ret->len = 4;
        memcpy(ret->address, &p.v4.sin_addr, 4);
        ret->port = ntohs(p.v4.sin_port);
    } else if (p.any.sa_family == AF_INET6) {
        ret->len = 16;
        memcpy(ret->address, &p.v6.sin6_addr, 16);
        ret->port = ntohs(p.v6.sin6_port);
    }
    return ret->len;
}

bool address_of_wire(const struct dgram_address *d, union address *ret)
{
    *ret = (union address){ 0 };
    if (d->len == 4) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(d->port);
        memcpy(&ret->v4.sin_addr, d->address, 4);
    } else if (d->len == 16) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(d->port);
        memcpy(&ret->v6.sin6_addr, d->address, 16);
        address_plain(ret);
    }
    return d->len == 4 || d->len == 16;
}

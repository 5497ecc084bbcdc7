#include "server/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { SOURCE_PREFIX_BYTES = 7 }; /* 56 bits */

static bool v4_local(const uint8_t ip[static 4])
{
    return ip[0] == 127 || ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
           (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254);
}

static bool v6_local(const uint8_t ip[static 16])
{
    static const uint8_t loopback[16] = { [15] = 1 };

    return !memcmp(ip, loopback, 16) || (ip[0] & 0xfe) == 0xfc ||
           (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

static void peer_v4(const uint8_t ip[static 4], struct hub_peer *ret)
{
    inet_ntop(AF_INET, ip, ret->address, sizeof ret->address);
    memcpy(ret->source, ret->address, sizeof ret->source);
    ret->local = v4_local(ip);
}

static void peer_v6(const uint8_t ip[static 16], struct hub_peer *ret)
{
    uint8_t net[16] = { 0 };

    inet_ntop(AF_INET6, ip, ret->address, sizeof ret->address);
    memcpy(net, ip, SOURCE_PREFIX_BYTES);
    inet_ntop(AF_INET6, net, ret->source, sizeof ret->source - 3);
    strcat(ret->source, "/56");
    ret->local = v6_local(ip);
}

void addr_peer(const struct sockaddr_storage *from, struct hub_peer *ret)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    *ret = (struct hub_peer){ .address = "?", .source = "?" };
    if (from->ss_family == AF_INET) {
        struct sockaddr_in in;
        uint8_t ip[4];

        memcpy(&in, from, sizeof in);
        memcpy(ip, &in.sin_addr, 4);
        peer_v4(ip, ret);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, from, sizeof in6);
        if (!memcmp(in6.sin6_addr.s6_addr, mapped, sizeof mapped))
            peer_v4(in6.sin6_addr.s6_addr + sizeof mapped, ret);
        else
            peer_v6(in6.sin6_addr.s6_addr, ret);
    }
}

uint64_t addr_source(const struct sockaddr_storage *from)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    uint64_t source = 0;

    memcpy(&in, from, sizeof in);
    memcpy(&in6, from, sizeof in6);
    const uint8_t *ip = (const uint8_t *)&in6.sin6_addr;
    if (from->ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
        for (int i = 0; i < SOURCE_PREFIX_BYTES; i++)
            source = source << 8 | ip[i];
        return source | 1ULL << 63;
    }
    ip = from->ss_family == AF_INET6 ? ip + 12 : (const uint8_t *)&in.sin_addr;
    for (int i = 0; i < 4; i++)
        source = source << 8 | ip[i];
    return source | 1ULL << 62;
}

bool addr_is_loopback(const char *address)
{
    return !strncmp(address, "127.", 4) || !strcmp(address, "::1");
}

int addr_parse(const char *text, uint16_t port, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(ret, &in, sizeof in);
        *ret_len = sizeof in;
        return 0;
    }
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
        memcpy(ret, &in6, sizeof in6);
        *ret_len = sizeof in6;
        return 0;
    }
    return -ROOST_INVALID;
}

uint16_t addr_port(const struct sockaddr_storage *a)
{
    struct sockaddr_in in;

    /* the port is in the same place in both families */
    memcpy(&in, a, sizeof in);
    return ntohs(in.sin_port);
}

void addr_text(const struct sockaddr_storage *a, char out[static ADDR_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "?";
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    bool v6 = a->ss_family == AF_INET6;

    memcpy(&in, a, sizeof in);
    memcpy(&in6, a, sizeof in6);
    inet_ntop(a->ss_family, v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr, ip, sizeof ip);
    snprintf(out, ADDR_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", ip, addr_port(a));
}

void addr_next(const char **list, char ret[static ADDR_TEXT_MAX])
{
    size_t n = strcspn(*list, ","), space = strspn(*list, " ");
    size_t len = n > space ? n - space : 0;

    if (len >= ADDR_TEXT_MAX)
        len = ADDR_TEXT_MAX - 1;
    memcpy(ret, *list + space, len);
    ret[len] = 0;
    *list += n + ((*list)[n] == ',');
}

/* tunnel.h - a second connection to the server, for frames of datagrams when UDP does not get
 * through.
 *
 *     IDLE -> DIALING (TCP, TLS) -> GREETING (Hello) -> BINDING (Tunnel) -> UP; any -> IDLE
 *
 * The certificate must be the one that control was accepted with. Never blocks; one thread.
 */
#pragma once

#include "client/tls.h"
#include "wire/frame.h"

enum tunnel_state { TUNNEL_IDLE, TUNNEL_DIALING, TUNNEL_GREETING, TUNNEL_BINDING, TUNNEL_UP };

enum { TUNNEL_TOKEN = 16, TUNNEL_MESSAGE_MAX = 16000 };
#define TUNNEL_PATIENCE_US (10 * 1000000LL) /* from dialing to up */

typedef void tunnel_fn(void *ctx, const uint8_t *body, size_t len);

struct tunnel {
    enum tunnel_state state;
    struct tls tls;
    struct frame_reader frames;
    char fingerprint[HOME_PRINT_LEN + 1]; /* that is expected */
    uint32_t session;
    uint8_t token[TUNNEL_TOKEN];
    int64_t until_us;
    tunnel_fn *on_message; /* once it is up */
    void *ctx;
};

int tunnel_init(struct tunnel *t, tunnel_fn *on_message, void *ctx);
void tunnel_fini(struct tunnel *t);
int tunnel_open(struct tunnel *t, const char *host, const char *port, const char *fingerprint,
                uint32_t session, const uint8_t token[static TUNNEL_TOKEN], int64_t now_us);
void tunnel_close(struct tunnel *t);
/* After its fd was ready, or time has passed. 0, or it is IDLE again and an error says why. */
int tunnel_step(struct tunnel *t, int64_t now_us);
/* One message; up only. Takes the bytes by copy. */
int tunnel_send(struct tunnel *t, const uint8_t *bytes, size_t len);
/* What was sent leaves, as far as the socket takes it. */
void tunnel_flush(struct tunnel *t);
int64_t tunnel_deadline(const struct tunnel *t);

#include "server/wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct wake *w = poll->data;
    uint64_t n;

    (void)status;
    (void)events;
    if (read(w->fd, &n, sizeof n) == sizeof n)
        w->fn(w->ctx);
}

int wake_init(struct wake *w, uv_loop_t *loop, wake_fn *fn, void *ctx)
{
    *w = (struct wake){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .fn = fn, .ctx = ctx };
    if (w->fd < 0)
        return -ROOST_IO;
    if (uv_poll_init(loop, &w->poll, w->fd)) {
        close(w->fd);
        return -ROOST_IO;
    }
    w->poll.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_poll);
    return 0;
}

void wake_send(struct wake *w)
{
    uint64_t one = 1;

    /* it fails only when 2^64 - 2 others wait to be seen */
    while (write(w->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void wake_close(struct wake *w)
{
    uv_close((uv_handle_t *)&w->poll, NULL);
    close(w->fd);
}

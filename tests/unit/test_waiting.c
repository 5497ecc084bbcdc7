/* What a handle sleeps for while descriptors come and go. */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/datagrams.h"
#include "net/sleep.h"
#include "test.h"

enum { CONTROL = 0, THEIRS = 100 };

static void begin(struct datagrams *d, struct tls *control)
{
    static struct study study;

    datagrams_init(d, NULL, control, "", "", &study);
    datagrams_want(d, true);
    CHECK(d->wanted && control->fd >= 0);
}

/* The machine's interfaces may have news too. */
static bool wakes_for(struct datagrams *d, uint64_t id)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];
    int n = sleep_until(&d->sleep, 0, ready);

    for (int i = 0; i < n; i++)
        if (ready[i].id == id)
            return true;
    return false;
}

/* One of which nothing is left but the number: who has that now is still slept for. */
static void who_takes_a_number_over_is_heard(void)
{
    struct tls control = { .state = TLS_UP, .fd = eventfd(0, EFD_CLOEXEC), .dial.fd = -1 };
    struct datagrams d;
    const uint64_t one = 1;

    begin(&d, &control);
    datagrams_fd(&d, POLLIN);

    int number = control.fd;
    close(control.fd);
    control.fd = -1;
    int other = eventfd(0, EFD_CLOEXEC);
    CHECK(other == number);
    CHECK(sleep_add(&d.sleep, other, SLEEP_READ, THEIRS) == 0);
    datagrams_fd(&d, 0);
    CHECK(write(other, &one, sizeof one) == sizeof one);
    CHECK(wakes_for(&d, THEIRS) && !wakes_for(&d, CONTROL));
    close(other);
    datagrams_fini(&d);
}

/* It is there, and nothing is wanted of it. */
static void what_is_not_wanted_wakes_nobody(void)
{
    struct tls control = { .state = TLS_UP, .fd = eventfd(1, EFD_CLOEXEC), .dial.fd = -1 };
    struct datagrams d;

    begin(&d, &control);
    datagrams_fd(&d, POLLIN);
    CHECK(wakes_for(&d, CONTROL));
    datagrams_fd(&d, 0);
    CHECK(!wakes_for(&d, CONTROL));
    datagrams_fd(&d, POLLIN);
    CHECK(wakes_for(&d, CONTROL));
    close(control.fd);
    datagrams_fini(&d);
}

TEST_MAIN({ "who_takes_a_number_over_is_heard", who_takes_a_number_over_is_heard },
          { "what_is_not_wanted_wakes_nobody", what_is_not_wanted_wakes_nobody })

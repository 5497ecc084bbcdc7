#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/err.h"

static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static uv_loop_t loop;
static uv_signal_t handles[NUMBERS];
static bool came[NUMBERS], listening;
static sigset_t before;

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    came[handle - handles] = true;
}

int signals_listen(void)
{
    if (uv_loop_init(&loop))
        return -ROOST_NOMEM;
    for (size_t i = 0; i < NUMBERS; i++)
        if (uv_signal_init(&loop, &handles[i]) ||
            uv_signal_start(&handles[i], on_signal, numbers[i]))
            return -ROOST_NOMEM;
    listening = true;
    return 0;
}

void signals_forget(void)
{
    if (listening)
        uv_run(&loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < NUMBERS; i++)
        came[i] = false;
}

void signals_hold(void)
{
    sigset_t ours;

    sigemptyset(&ours);
    for (size_t i = 0; i < NUMBERS; i++)
        sigaddset(&ours, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    if (listening)
        uv_run(&loop, UV_RUN_NOWAIT);
}

void signals_repeat(void)
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (came[i]) {
            came[i] = false;
            raise(numbers[i]);
        }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

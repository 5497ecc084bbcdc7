/* pulse_lib.h - libpulse, loaded when sound of a device is first used: it brings eighteen libraries
 * along, which whoever writes a line of text need not wait for.
 *
 *     if (!pulse_load()) ...                 there is none on this machine
 *     pulse_lib.context_new(api, "Roost");   as pa_context_new
 *
 * Stays until the process ends. Any thread may load it, once that returned true all may call.
 */
#pragma once

#include <pulse/pulseaudio.h>
#include <stdbool.h>

#define PULSE_CALLS(X)                                                                             \
    X(context_connect)                                                                             \
    X(context_disconnect)                                                                          \
    X(context_errno)                                                                               \
    X(context_get_server_info)                                                                     \
    X(context_get_sink_info_by_name)                                                               \
    X(context_get_sink_info_list)                                                                  \
    X(context_get_source_info_by_name)                                                             \
    X(context_get_source_info_list)                                                                \
    X(context_get_state)                                                                           \
    X(context_new)                                                                                 \
    X(context_set_state_callback)                                                                  \
    X(context_set_subscribe_callback)                                                              \
    X(context_subscribe)                                                                           \
    X(context_unref)                                                                               \
    X(gettimeofday)                                                                                \
    X(mainloop_dispatch)                                                                           \
    X(mainloop_free)                                                                               \
    X(mainloop_get_api)                                                                            \
    X(mainloop_new)                                                                                \
    X(mainloop_poll)                                                                               \
    X(mainloop_prepare)                                                                            \
    X(operation_unref)                                                                             \
    X(strerror)                                                                                    \
    X(stream_begin_write)                                                                          \
    X(stream_connect_playback)                                                                     \
    X(stream_connect_record)                                                                       \
    X(stream_disconnect)                                                                           \
    X(stream_drop)                                                                                 \
    X(stream_flush)                                                                                \
    X(stream_get_device_name)                                                                      \
    X(stream_get_latency)                                                                          \
    X(stream_get_state)                                                                            \
    X(stream_new)                                                                                  \
    X(stream_peek)                                                                                 \
    X(stream_set_moved_callback)                                                                   \
    X(stream_set_read_callback)                                                                    \
    X(stream_set_state_callback)                                                                   \
    X(stream_set_write_callback)                                                                   \
    X(stream_unref)                                                                                \
    X(stream_write)                                                                                \
    X(threaded_mainloop_free)                                                                      \
    X(threaded_mainloop_get_api)                                                                   \
    X(threaded_mainloop_lock)                                                                      \
    X(threaded_mainloop_new)                                                                       \
    X(threaded_mainloop_signal)                                                                    \
    X(threaded_mainloop_start)                                                                     \
    X(threaded_mainloop_stop)                                                                      \
    X(threaded_mainloop_unlock)                                                                    \
    X(threaded_mainloop_wait)                                                                      \
    X(timeval_add)

#define PULSE_CALL(name) __typeof__(pa_##name) *name;
struct pulse_calls {
    PULSE_CALLS(PULSE_CALL)
};
#undef PULSE_CALL

#define PULSE_MISSING "libpulse is not installed, so there are no devices of sound"

extern struct pulse_calls pulse_lib;
bool pulse_load(void);

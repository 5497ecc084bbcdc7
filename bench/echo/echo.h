/* echo.h - the other canceller, as a room_cancel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct apm;

struct apm *webrtc_new(bool gentle);
void webrtc_free(struct apm *n);
void webrtc_cancel(void *ctx, const int16_t *far, int16_t *near);

#ifdef __cplusplus
}
#endif

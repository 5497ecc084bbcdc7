// webrtc.cc - WebRTC's audio processing as Debian has it, as a room_cancel.
#include <cstring>
#include <new>

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include "echo.h"

namespace
{
const int kHz = 48000;
const int kBlock = kHz / 100;

void fill(webrtc::AudioFrame *frame, const int16_t *pcm)
{
    frame->num_channels_ = 1;
    frame->sample_rate_hz_ = kHz;
    frame->samples_per_channel_ = kBlock;
    memcpy(frame->data_, pcm, kBlock * sizeof *pcm);
}
}

struct apm {
    webrtc::AudioProcessing *audio;
    webrtc::AudioFrame frame;
};

struct apm *webrtc_new(bool gentle)
{
    webrtc::Config config;
    // the filter is long enough for rooms, and finds what is left of the delay by itself
    config.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
    config.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(true));
    struct apm *n = new (std::nothrow) apm();
    if (!n)
        return nullptr;
    n->audio = webrtc::AudioProcessing::Create(config);
    if (!n->audio) {
        delete n;
        return nullptr;
    }
    n->audio->echo_cancellation()->enable_drift_compensation(false);
    n->audio->echo_cancellation()->set_suppression_level(
        gentle ? webrtc::EchoCancellation::kLowSuppression
               : webrtc::EchoCancellation::kModerateSuppression);
    n->audio->echo_cancellation()->Enable(true);
    return n;
}

void webrtc_free(struct apm *n)
{
    delete n->audio;
    delete n;
}

void webrtc_cancel(void *ctx, const int16_t *far, int16_t *near)
{
    struct apm *n = static_cast<struct apm *>(ctx);

    fill(&n->frame, far);
    n->audio->ProcessReverseStream(&n->frame);
    fill(&n->frame, near);
    n->audio->set_stream_delay_ms(0);
    if (n->audio->ProcessStream(&n->frame) == webrtc::AudioProcessing::kNoError)
        memcpy(near, n->frame.data_, kBlock * sizeof *near);
}

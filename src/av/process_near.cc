// process_near.cc - WebRTC's audio processing as Debian has it, behind four functions of C.
// Nothing here throws: what fails leaves the sound as it was.
#include <cstring>
#include <new>

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include "av/process_near.h"

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

struct near {
    webrtc::AudioProcessing *audio;
    webrtc::AudioFrame frame;
    bool echo;
};

struct near *near_new(bool echo, bool noise, bool gain)
{
    webrtc::Config config;
    // the filter is long enough for rooms, and finds what is left of the delay by itself
    config.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
    config.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(true));
    struct near *n = new (std::nothrow) near();
    if (!n)
        return nullptr;
    n->audio = webrtc::AudioProcessing::Create(config);
    if (!n->audio) {
        delete n;
        return nullptr;
    }
    n->echo = echo;
    n->audio->high_pass_filter()->Enable(noise);
    n->audio->echo_cancellation()->enable_drift_compensation(false);
    n->audio->echo_cancellation()->set_suppression_level(
        webrtc::EchoCancellation::kModerateSuppression);
    n->audio->echo_cancellation()->Enable(echo);
    n->audio->noise_suppression()->set_level(webrtc::NoiseSuppression::kModerate);
    n->audio->noise_suppression()->Enable(noise);
    n->audio->gain_control()->set_mode(webrtc::GainControl::kAdaptiveDigital);
    n->audio->gain_control()->Enable(gain);
    return n;
}

void near_free(struct near *n)
{
    if (n)
        delete n->audio;
    delete n;
}

void near_heard(struct near *n, const int16_t *far)
{
    if (!n->echo)
        return;
    fill(&n->frame, far);
    n->audio->ProcessReverseStream(&n->frame);
}

void near_said(struct near *n, int16_t *pcm)
{
    fill(&n->frame, pcm);
    if (n->echo)
        n->audio->set_stream_delay_ms(0);
    if (n->audio->ProcessStream(&n->frame) == webrtc::AudioProcessing::kNoError)
        memcpy(pcm, n->frame.data_, kBlock * sizeof *pcm);
}
